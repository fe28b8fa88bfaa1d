"""`python -m ml_connector.messenger`: one message in by standard input, its outcome out by standard output."""

from __future__ import annotations

import json
import logging
import os
import smtplib
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote

import requests
from apprise import AppriseAsset, NotifyFormat, NotifyType
from apprise.exception import AppriseException
from apprise.plugins.base import NotifyBase
from apprise.plugins.custom_json import NotifyJSON
from apprise.plugins.email import NotifyEmail
from apprise.plugins.slack import NotifySlack
from apprise.plugins.workflows import NotifyWorkflows
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from ml_connector.messenger.address import Address, AddressUnusable, parsed, recipients
from ml_connector.messenger.outcome import Outcome, Sent
from ml_connector.systems.transport.network import forbidden
from ml_connector.systems.transport.policy import NetworkPolicy

CONNECT_SECONDS, READ_SECONDS = 10.0, 20.0
INTERNAL = "ML_CONNECTOR_NOTIFY_INTERNAL"
TAKEN = 250
"""A mail server's answer to a message that it took."""
TRY_AGAIN = {408, 425, 429}
"""Answers below 500 that say "later"."""


@dataclass
class Wire:
    """What was seen below the libraries."""

    refused: str = ""
    """Why the host's rules forbid the address."""
    status: int = 0
    """The last HTTP status."""
    text: str = ""
    """What went wrong, where neither server said a number."""
    left: bool = False
    """The message may have left: without an answer nobody knows."""
    accepted: bool = False
    """A mail server took it."""
    smtp_code: int = 0
    """The last refusal of a mail server."""


def send(message: Mapping[str, Any], wire: Wire) -> Sent:
    """Sends it. Whatever the library makes of it, what was seen on the wire decides."""
    try:
        address = parsed(message["kind"], message["address"])
        plugin = _plugin(address, message["id"])
        done = plugin.notify(body=message["body"], title=message["title"], notify_type=NotifyType(message["type"]),
                             body_format=NotifyFormat.TEXT)  # fmt: skip
    except (AddressUnusable, AppriseException, TypeError) as wrong:
        return Sent(Outcome.REFUSED, str(wrong) if isinstance(wrong, AddressUnusable) else "The address is unusable.")
    if done or wire.accepted:
        return Sent(Outcome.SENT, "It was taken.")
    return _undelivered(wire)


def _undelivered(wire: Wire) -> Sent:
    if wire.refused:
        return Sent(Outcome.REFUSED, wire.refused)
    if wire.status:
        lasting = 300 <= wire.status < 500 and wire.status not in TRY_AGAIN
        why = "It wants to send us elsewhere, which is not followed" if wire.status < 400 else "It does not take it"
        return Sent(Outcome.REFUSED if lasting else Outcome.FAILED, f"{why} (status {wire.status}).")
    if wire.smtp_code:
        lasting = wire.smtp_code >= 500
        text = f"The mail server refuses it (code {wire.smtp_code})."
        return Sent(Outcome.REFUSED if lasting else Outcome.FAILED, text)
    if wire.left:
        return Sent(Outcome.UNKNOWN, "No answer came after it had left: it may have arrived. It is not sent again.")
    return Sent(Outcome.FAILED, wire.text or "It could not be reached.")


def _plugin(address: Address, message_id: str) -> NotifyBase:
    asset = AppriseAsset(app_id="ml-connector", app_desc="ml-connector", http_redirects=False, async_mode=False)
    # Which way a URL of ours goes to Apprise's parameters is said here, so that no other option gets through.
    host = f"[{address.host}]" if ":" in address.host else address.host
    common: dict[str, Any] = {"asset": asset, "verify": True, "redirect": False, "cto": CONNECT_SECONDS,
                              "rto": READ_SECONDS}  # fmt: skip
    url = address.url
    match address.kind:
        case "mail":
            first, *others = recipients(address)
            secure = url.scheme == "mailtos"
            mode = address.options.get("mode", "starttls") if secure else "insecure"
            return NotifyEmail(
                **common, host=url.hostname, smtp_host=url.hostname, port=url.port, secure=secure, secure_mode=mode,
                user=url.username, password=url.password, from_addr=address.options["from"], targets=first,
                cc=",".join(others),
            )  # fmt: skip
        case "slack":
            return NotifySlack(**{**NotifySlack.parse_native_url(url.geturl()), **common, "include_image": False})
        case "teams":
            found = NotifyWorkflows.parse_native_url(url.geturl())
            if not found:
                raise AddressUnusable("This is no webhook of a Teams workflow.")
            return NotifyWorkflows(**{**found, **common, "include_image": False, "template": None})
        case _:
            return NotifyJSON(
                **common, host=host, port=url.port, secure=url.scheme == "https", user=url.username,
                password=url.password, fullpath=unquote(url.path) or "/", params=dict(address.options),
                payload={"id": message_id},
            )  # fmt: skip


# --- the guard, and what is seen on the wire


class _AddressRefused(socket.gaierror):
    """Looks to every library like a name that has no address."""


def _guard(wire: Wire, policy: NetworkPolicy) -> None:
    """Lets no name be resolved to an address that the host does not allow. All that is sent here resolves this way,
    and the address that passed is the one connected to."""
    resolve = socket.getaddrinfo

    def guarded(*arguments: Any, **options: Any) -> Any:
        found = resolve(*arguments, **options)
        reasons = {str(row[4][0]): forbidden(str(row[4][0]), policy) for row in found}
        allowed = [row for row in found if reasons[str(row[4][0])] is None]
        if not allowed:
            why = next(reason for reason in reasons.values() if reason)
            wire.refused = f"{why} ({INTERNAL}=1 allows private addresses and this machine)."
            raise _AddressRefused(socket.EAI_NONAME, "refused")
        return allowed

    socket.getaddrinfo = guarded


def _watch_http(wire: Wire) -> None:
    send_request = requests.Session.send
    authorities = os.environ.get("SSL_CERT_FILE") or True

    def watched(session: requests.Session, request: Any, **options: Any) -> requests.Response:
        try:
            answer = send_request(session, request, **{**options, "verify": authorities, "allow_redirects": False})
        except requests.exceptions.SSLError:
            wire.text = "Its certificate is not trusted."
            raise
        except requests.RequestException as failure:
            reason = getattr(failure.args[0], "reason", None) if failure.args else None
            wire.left = not isinstance(failure, requests.ConnectTimeout) and not isinstance(
                reason, (NewConnectionError, ConnectTimeoutError)
            )
            raise
        wire.status = answer.status_code
        return answer

    requests.Session.send = watched  # type: ignore[method-assign,assignment]


def _watch_smtp(wire: Wire) -> None:
    data, reply = smtplib.SMTP.data, smtplib.SMTP.getreply

    def watched_data(server: smtplib.SMTP, text: Any) -> tuple[int, bytes]:
        wire.left = True
        answer = data(server, text)
        wire.accepted = answer[0] == TAKEN
        return answer

    def watched_reply(server: smtplib.SMTP) -> tuple[int, bytes]:
        answer = reply(server)
        if answer[0] >= 400:
            wire.smtp_code = answer[0]
        return answer

    smtplib.SMTP.data = watched_data  # type: ignore[method-assign,assignment]
    smtplib.SMTP.getreply = watched_reply  # type: ignore[method-assign,assignment]


def main() -> None:
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    message = json.load(sys.stdin)
    wire = Wire()
    internal = bool(message["internal"])
    _guard(wire, NetworkPolicy(allow_private=internal, allow_loopback=internal))
    _watch_http(wire)
    _watch_smtp(wire)
    print(json.dumps(asdict(send(message, wire))))


if __name__ == "__main__":
    main()
