"""What an answer that is no success means, as exactly one of our errors (R63).

Before AvidXchange stands a WSO2 gateway. Its faults come in four shapes: JSON under one name, the same as XML (whatever
was asked for), flat, and that of the hosted gateway. The HTTP status counts first, then the code, found in any shape.
The codes are WSO2's and the same everywhere; where they lie is the contract map's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ml_connector.systems.avidxchange import paths
from ml_connector.systems.avidxchange.contract import Contract
from ml_connector.systems.base import AuthFailed, NotFound, OutcomeUnknown, Refused, SystemFailure, Throttled, Transient
from ml_connector.systems.transport import xml
from ml_connector.systems.transport.http import Answer

NAME = "AvidXchange"

TOKEN_ENDED = "900901"  # noqa: S105
HARD_LIMIT = "900801"
BLOCKED = "900805"
THROTTLED = frozenset({"900800", HARD_LIMIT, "900802", "900803", "900804", "900806", "900807"})
NO_RESOURCE = frozenset({"900906", "404", "405"})
RIGHTS: Mapping[str, str] = {
    "900908": "The application is not subscribed to this API. Subscribe it in the partner portal.",
    "900910": "The token's scope does not allow this. Ask AvidXchange for the scope, or set scope.",
}
CREDENTIALS: Mapping[str, str] = {
    TOKEN_ENDED: "The gateway does not take a token that it has just given. Check that the key belongs to this "
    "environment.",
    "900902": "The gateway saw no credentials: the contract map names the wrong header.",
    "900905": "The gateway expects another kind of token. Check auth_profile.",
    "900907": "The subscription is blocked. Ask AvidXchange.",
    "900909": "The subscription is not active. Ask AvidXchange.",
    BLOCKED: "An administrator of the gateway has blocked us. Ask AvidXchange.",
}
LONGEST = 300
"""Characters of the other side's words that are shown."""

_MOMENT = re.compile(r"\d{4}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2}[+-]\d{4}")


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error's body says."""

    code: str = ""
    text: str = ""
    next_access: datetime | None = None
    shape: str = ""

    def said(self) -> str:
        words = ": ".join(part for part in (self.code, self.text) if part)[:LONGEST]
        return f"({NAME} says: {words})" if words else f"({NAME} gave no reason.)"


def fault(answer: Answer, contract: Contract) -> Fault:
    """The body of an error by the first shape that it has; an empty one for a foreign body."""
    body = _body(answer)
    for shape in contract.errors:
        code, text = (_words(body, path) for path in (shape.code, shape.text))
        detail = _words(body, shape.detail)
        if not text and not (code and detail):
            continue
        moment = _words(body, shape.next_access) or text + " " + detail
        said = text if detail in {"", text} else f"{text} {detail}".strip()
        return Fault(code, said, _moment(moment), shape.name)
    return Fault()


def token_ended(answer: Answer, contract: Contract) -> bool:
    """Whether the gateway refused the request for its token, before it was passed on."""
    if answer.status != 401:
        return False
    code = fault(answer, contract).code
    return code == TOKEN_ENDED or code not in CREDENTIALS


def failure(answer: Answer, about: str, now: datetime, contract: Contract) -> SystemFailure:
    """The one error that stands for an answer that is no success. `about`: what was asked for, for people."""
    found = fault(answer, contract)
    status, code = answer.status, found.code
    if code in THROTTLED or (status == 429 and code != BLOCKED):
        return Throttled(
            f"{NAME} limits the requests of this key; {about} follows. {found.said()}", _wait(answer, found, now)
        )
    if code in CREDENTIALS or status == 401:
        words = CREDENTIALS.get(code, "The credentials are not accepted. Enter them again.")
        return AuthFailed(f"{NAME} refuses the credentials. {words} {found.said()}")
    if code in RIGHTS:
        return Refused("permission", f"{NAME} does not allow {about}. {RIGHTS[code]} {found.said()}")
    if status >= 500:
        return _server_error(answer, about, found)
    return _by_status(answer, about, found)


def sign_in_failure(answer: Answer, now: datetime, contract: Contract) -> SystemFailure:
    """What a refused token request means. Of its words none are shown: they can repeat what was sent."""
    found = fault(answer, contract)
    if answer.status == 429 or found.code in THROTTLED:
        return Throttled(f"{NAME} limits sign-ins.", _wait(answer, found, now))
    if answer.status >= 500:
        return Transient(f"{NAME}'s token service had an error of its own ({answer.status}).")
    if answer.status in {400, 401, 403}:
        kind = found.code if re.fullmatch(r"[a-z_]{1,40}", found.code) else str(answer.status)
        return AuthFailed(
            f"{NAME} refuses the sign-in ({kind}). Check auth_profile and its credentials, and that they are of this "
            "environment."
        )
    return Refused(
        "contract_wrong",
        f"{NAME} gives no token at this address ({answer.status}). Check base_url, token_url and the contract map.",
        "token_url",
    )


def _by_status(answer: Answer, about: str, found: Fault) -> SystemFailure:
    """Refusals whose code says no more than their status."""
    status = answer.status
    if (found.code in NO_RESOURCE and found.shape) or status == 405:
        return Refused(
            "contract_wrong",
            f"The gateway knows no such request: {about}. The contract map has a wrong path, context or method. "
            f"{found.said()}",
            "contract_map",
        )
    if status == 404:
        return NotFound(f"{NAME} has nothing there. Asked for: {about}. {found.said()}")
    if status in {408, 425}:
        return answer.unclear("gave up waiting")
    code, field = found.code or f"http_{status}", None
    text = f"{NAME} does not take {about}. {found.said()}"
    if 300 <= status < 400:
        code, field, text = "redirected", "base_url", f"{NAME} sends {about} elsewhere, which is not followed."
    elif status == 403:
        code, text = "permission", f"{NAME} does not allow {about}. {found.said()}"
    return Refused(code, text, field)


def _server_error(answer: Answer, about: str, found: Fault) -> SystemFailure:
    code = f", {found.code}" if found.code else ""
    if answer.wrote:
        return OutcomeUnknown(
            f"{NAME} had an error of its own ({answer.status}{code}) with {about}. Whether it was written is not known."
        )
    return Transient(f"{NAME} had an error of its own ({answer.status}{code}) with {about}.")


def _wait(answer: Answer, found: Fault, now: datetime) -> float | None:
    """Seconds: the longer of what the header and the body ask for; None where neither does."""
    asked = [answer.retry_after(now), (found.next_access - now).total_seconds() if found.next_access else None]
    return max((max(0.0, one) for one in asked if one is not None), default=None)


def _moment(text: str) -> datetime | None:
    found = _MOMENT.search(text)
    if found is None:
        return None
    try:
        return datetime.strptime(found.group(), "%Y-%b-%d %H:%M:%S%z").astimezone(UTC)
    except ValueError:
        return None


def _body(answer: Answer) -> Any:
    """The content as JSON, or XML as the JSON that it would be: its root's name over its children's."""
    if answer.content.lstrip().startswith(b"<"):
        try:
            root = xml.parse(answer.content.decode("utf-8", "replace"))
        except xml.Malformed:
            return None
        return {_local(root): {_local(child): (child.text or "").strip() for child in root}}
    try:
        return answer.json()
    except SystemFailure:
        return None


def _local(element: xml.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _words(body: Any, path: str) -> str:
    value = paths.read(body, path) if path else None
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
