"""Where a message goes: the four kinds of address, and what they may say.

mail      mailtos://user:password@smtp.example.com:587?from=connector@example.com&to=ap@example.com,it@example.com
slack     https://hooks.slack.com/services/...
teams     https://....logic.azure.com/workflows/... or https://....powerplatform.com/...
webhook   https://example.com/path

Only these: Apprise knows a hundred more, with options that turn off certificates or read files.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

KINDS = ("mail", "slack", "teams", "webhook")

_MAIL_OPTIONS = {"from", "to", "mode"}
_MAIL_ADDRESS = re.compile(r"[^@\s,<>]+@[^@\s,<>]+")
_SLACK = re.compile(r"/services/[A-Za-z0-9]+/[A-Za-z0-9]+/[A-Za-z0-9]+/?")
_TEAMS_HOSTS = (".logic.azure.com", ".powerplatform.com")
SECRET_FROM = 16
"""Parts of an address that are as long as a token; shorter ones are words that stand elsewhere too."""
LONGEST = 2000


class AddressUnusable(ValueError):
    """Nothing can be sent there. The text says what to correct, and holds none of the address."""


@dataclass(frozen=True, repr=False)
class Address:
    """An address that was found good. Never shown: it is a secret."""

    kind: str
    url: SplitResult
    options: Mapping[str, str]

    @property
    def host(self) -> str:
        return self.url.hostname or ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The parts that must not be shown where the whole is quoted in another form; not the plain words of a path."""
        password = unquote(self.url.password or "")
        if self.kind == "mail":
            return (password,)
        parts = (self.url.path, *self.url.path.split("/"), *self.options.values())
        return (password, *(part for part in parts if len(part) >= SECRET_FROM))


def parsed(kind: str, text: str) -> Address:
    """Raises AddressUnusable."""
    if kind not in KINDS:
        raise AddressUnusable(f"There is no kind of channel {kind!r}. Choose one of: {', '.join(KINDS)}.")
    if len(text) > LONGEST or re.search(r"[\s\x00-\x1f\x7f]", text):
        raise AddressUnusable("The address is longer than any, or holds spaces. Paste it as the other side shows it.")
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise AddressUnusable("The address cannot be read. Paste it as the other side shows it.") from None
    if not url.hostname:
        raise AddressUnusable("The address names no host. Paste it as the other side shows it.")
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    if kind == "mail":
        _check_mail(url, options)
    else:
        _check_web(kind, url)
    return Address(kind, url, options)


def recipients(address: Address) -> list[str]:
    """To whom a mail goes."""
    return [part.strip() for part in address.options["to"].split(",") if part.strip()]


def _check_mail(url: SplitResult, options: Mapping[str, str]) -> None:
    if url.scheme not in {"mailto", "mailtos"}:
        raise AddressUnusable(
            "A mail address begins with mailtos:// (encrypted) or mailto:// (a relay without sign-in)."
        )
    if url.path.strip("/"):
        raise AddressUnusable("A mail address has no path: put the recipients behind ?to=.")
    unknown = sorted(options.keys() - _MAIL_OPTIONS)
    if unknown:
        raise AddressUnusable(f"A mail address takes from, to and mode only, not {unknown[0][:30]!r}.")
    if options.get("mode", "starttls") not in {"starttls", "ssl"}:
        raise AddressUnusable("mode is starttls (port 587) or ssl (port 465).")
    if url.scheme == "mailto" and (url.password or "mode" in options):
        raise AddressUnusable("mailto:// is not encrypted and would show the password on the way. Use mailtos://.")
    for name in ("from", "to"):
        given = [part.strip() for part in options.get(name, "").split(",")]
        if not all(_MAIL_ADDRESS.fullmatch(part) for part in given) or (name == "from" and len(given) > 1):
            wanted = "one address" if name == "from" else "addresses, separated by commas"
            raise AddressUnusable(f"Behind the ? stands {name}= with {wanted}.")


def _check_web(kind: str, url: SplitResult) -> None:
    if url.scheme != "https" and not (kind == "webhook" and url.scheme == "http" and _is_loopback(url.hostname or "")):
        raise AddressUnusable("The address begins with https://.")
    if url.fragment:
        raise AddressUnusable("The address ends before its #: leave the rest out.")
    if kind != "webhook" and (url.username or url.password):
        raise AddressUnusable("The address holds no user and password. Paste it as the other side shows it.")
    host = (url.hostname or "").lower()
    if kind == "slack" and not (host == "hooks.slack.com" and _SLACK.fullmatch(url.path) and not url.query):
        raise AddressUnusable(
            "This is no incoming webhook of Slack. It begins with https://hooks.slack.com/services/: Slack shows it"
            " under the app's Incoming Webhooks."
        )
    if kind == "teams" and not (host.endswith(_TEAMS_HOSTS) and "/workflows/" in url.path and url.query):
        raise AddressUnusable(
            "This is no webhook of a Teams workflow. Its host ends in logic.azure.com or powerplatform.com: Teams shows"
            " it when the workflow that posts webhook requests is made."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
