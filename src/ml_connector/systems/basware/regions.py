"""Where each region of Basware answers, and that credentials of one never reach another's host (R65).

Only the hosts of the EU, which are also the default, are confirmed. For the others two spellings are reported, which
contradict each other: they serve to recognise a host of another region, never to send anything there. What a
customer was told goes into the setting `hosts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from ml_connector.systems.base import Refused

Place = tuple[str, str]
"""A region and an environment."""

ENVIRONMENTS = ("production", "test")
VENDOR_DOMAIN = "basware.com"

CONFIRMED: Mapping[Place, str] = {
    ("EU", "production"): "https://api.basware.com",
    ("EU", "test"): "https://test-api.basware.com",
}
REPORTED: Mapping[str, Place] = {
    "api.us.basware.com": ("US", "production"),
    "us-api.basware.com": ("US", "production"),
    "test-api.us.basware.com": ("US", "test"),
    "au-api.basware.com": ("AU", "production"),
}


def table(given: Mapping[str, str]) -> dict[Place, str]:
    """The hosts that ship and those of the setting `hosts`. Raises Refused for a line of it that cannot be read."""
    found = dict(CONFIRMED)
    for name, address in given.items():
        region, _, environment = str(name).strip().rpartition(" ")
        environment = environment.lower()
        if not region.strip() or environment not in ENVIRONMENTS or not host_of(str(address)):
            raise Refused(
                "bad_setting",
                f"hosts: {name!r} must be a region and an environment with the address of the API, such as "
                "'US test: https://test-api.example.com'.",
                "hosts",
            )
        place = (spelled(region), environment)
        if place in CONFIRMED and host_of(CONFIRMED[place]) != host_of(str(address)):
            raise _mismatch(f"hosts gives {place[0]} {environment} another address than Basware's.", "hosts")
        found[place] = str(address).strip().rstrip("/")
    return found


def address_of(region: str, environment: str, base_url: str, hosts: Mapping[str, str]) -> str:
    """The API's address for credentials of a region. Raises Refused (`region_mismatch`) before anything is sent."""
    known = table(hosts)
    place = (spelled(region), environment)
    if not base_url.strip():
        if place not in known:
            raise Refused(
                "bad_setting",
                f"The address of Basware's API in {place[0]} {environment} is not known. Ask Basware for it and enter "
                f"it in hosts as '{place[0]} {environment}'.",
                "hosts",
            )
        base_url = known[place]
    host = host_of(base_url)
    if not host:
        raise Refused("bad_setting", "base_url must begin with https:// and name a server.", "base_url")
    places = places_of(host, known)
    if places and place not in places:
        where = " and ".join(sorted(f"{region} {environment}" for region, environment in places))
        raise _mismatch(
            f"{host} is Basware's host of {where}, but the credentials are of {place[0]} {environment}. Put region, "
            "environment or base_url right; nothing was sent.",
            "base_url",
        )
    if not places and (host == VENDOR_DOMAIN or host.endswith(f".{VENDOR_DOMAIN}")):
        raise _mismatch(
            f"It is not known to which region {host} belongs. If Basware named it for {place[0]} {environment}, enter "
            f"it in hosts as '{place[0]} {environment}'; nothing was sent.",
            "hosts",
        )
    return base_url.strip().rstrip("/")


def places_of(host: str, known: Mapping[Place, str]) -> set[Place]:
    """Regions and environments that a host is known for; empty for one that nobody named."""
    named = {place for place, address in known.items() if host_of(address) == host}
    if named or host not in REPORTED:
        return named
    return {REPORTED[host]}


def foreign_issuer(issuer: str, region: str, hosts: Mapping[str, str]) -> str:
    """The region that a token was issued in, where that is known and another one; else an empty text.

    Environments are not compared: the only known issuer of test tokens is not documented.
    """
    regions = {place[0] for place in places_of(host_of(issuer), table(hosts))}
    return "" if spelled(region) in regions else listed(regions)


def listed(regions: Iterable[str]) -> str:
    return ", ".join(sorted(regions))


def spelled(region: str) -> str:
    return region.strip().upper()


def host_of(address: str) -> str:
    """The host name of an address, in small letters; empty where it has none."""
    try:
        parts = urlsplit(address.strip())
        return (parts.hostname or "").rstrip(".") if parts.scheme in {"https", "http"} else ""
    except ValueError:
        return ""


def _mismatch(text: str, field: str) -> Refused:
    return Refused("region_mismatch", text, field)
