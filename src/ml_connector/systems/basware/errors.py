"""Basware's refusals, each as exactly one of our errors (R63).

The P2P API answers `{"requestId", "hasErrors", "errors": [{externalCode, type, code, message, info}]}`; the
notification API says `hasError` and `errorMessages`; the gateway before both `{"message"}`, `{"detail"}`, plain text or
nothing at all (401, 404, 405). An empty list is answered 404. What happens to a record after it was accepted is not
told here, but by the status of its request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ml_connector.systems.base import (
    AuthFailed,
    Conflict,
    NoLonger,
    NotFound,
    OutcomeUnknown,
    Refused,
    SystemFailure,
    Throttled,
    Transient,
)
from ml_connector.systems.transport.answer import Answer

NAME = "Basware"

REQUEST_ID = "x-amzn-requestid"
"""Header of every answer, in small letters."""

_TEXT_LIMIT = 300

CREDENTIALS = frozenset({"ACCESS_TOKEN_VALIDATION_ERROR", "CREDENTIAL_VALIDATION_ERROR"})
THEIR_SIDE = frozenset({"SNS_PUBLISH_ERROR", "SQS_PUBLISH_ERROR", "UNEXPECTED_ERROR"})
"""Errors inside Basware: what was sent may have been stored and not passed on."""

CAUSES: Mapping[str, tuple[str, str]] = {
    "SCHEMA_VALIDATION_ERROR": ("invalid_data", "A field has a value that the interface does not take."),
    "DATA_VALIDATION_FAILED": ("invalid_data", "A value does not fit the other data in P2P."),
    "DATA_ORIGIN_VALIDATION_ERROR": ("invalid_data", "The record belongs to another source."),
    "PARAMETER_VALIDATION_ERROR": ("unsupported", "The request has a parameter that the interface does not take."),
    "EXTERNAL_CODE_MISMATCH": ("invalid_data", "The record's external code is not the one of the address."),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One element of an error answer."""

    code: str = ""
    text: str = ""
    external_code: str = ""
    field: str = ""


def faults(answer: Answer) -> list[Fault]:
    """What an error answer says, in whichever shape; empty for a foreign or empty body."""
    try:
        body = answer.json()
    except SystemFailure:
        return []
    if isinstance(body, str):
        return [Fault(text=_short(body))] if body.strip() else []
    if not isinstance(body, dict):
        return []
    listed = body.get("errors") or body.get("errorMessages")
    if isinstance(listed, list) and listed:
        return [_fault(one) for one in listed if isinstance(one, dict)]
    detail = body.get("detail")
    if isinstance(detail, list):
        return [Fault(text=_short(one.get("msg"))) for one in detail if isinstance(one, dict)]
    said = body.get("message") or detail or body.get("error_description") or body.get("error")
    return [Fault(text=_short(said))] if said else []


def _fault(element: Mapping[str, Any]) -> Fault:
    return Fault(
        str(element.get("code") or ""),
        _short(element.get("message") or element.get("info")),
        str(element.get("externalCode") or ""),
        str(element.get("info") or "") if str(element.get("info") or "").isidentifier() else "",
    )


def in_band(answer: Answer) -> bool:
    """Whether an answer of success says inside that it is none (R12)."""
    try:
        body = answer.json()
    except SystemFailure:
        return False
    return isinstance(body, dict) and (body.get("hasErrors") is True or body.get("hasError") is True)


def sign_in_failure(answer: Answer, where: str, user: str, now: datetime) -> SystemFailure:
    """Why no token came. Never tried again by itself where the credentials were refused (R61)."""
    found = faults(answer)
    if answer.status == 429:
        return Throttled(f"{NAME} asks to wait with the sign-in.", answer.retry_after(now))
    if answer.status >= 500:
        return Transient(f"{NAME} had an error of its own at the sign-in ({answer.status}). {_told(answer, found)}")
    if answer.status == 404 or 300 <= answer.status < 400:
        return Refused(
            "not_found", f"There is no API of {NAME} at {where} ({answer.status}). Check base_url.", "base_url"
        )
    if answer.status in {400, 422}:
        return AuthFailed(
            f"{NAME} gives {user} no token: a scope may not be given to this client. Compare scopes with the list that "
            f"Basware sent with the client id. {_told(answer, found)}"
        )
    return AuthFailed(
        f"{NAME} refuses the sign-in of {user} at {where}. Check region, environment, client_id and client_secret: "
        f"those of another region or environment are refused too. {_told(answer, found)}"
    )


def failure(answer: Answer, about: str, now: datetime) -> SystemFailure:
    """The one error that stands for an answer that is no success. `about`: what was asked for, for people."""
    found = faults(answer)
    codes = {fault.code for fault in found}
    status = answer.status
    if status == 429:
        return Throttled(f"{NAME} asks to wait with {about}.", answer.retry_after(now))
    if status >= 500 or codes & THEIR_SIDE:
        return _server_error(answer, about, found)
    if status in {401, 403} or codes & CREDENTIALS:
        return _not_permitted(answer, about, found)
    if status in {408, 425}:
        return answer.unclear("gave up waiting")
    said = _told(answer, found)
    return _by_state(about, said, codes, status) or _refusal(about, said, found, status)


def _not_permitted(answer: Answer, about: str, found: Sequence[Fault]) -> SystemFailure:
    if answer.status == 403:
        return Refused(
            "permission",
            f"The client may not do this: {about}. Have Basware give it the scope, and enter that in scopes. "
            f"{_told(answer, found)}",
            "scopes",
        )
    return AuthFailed(f"{NAME} takes neither user nor token for {about}. Check the credentials. {_told(answer, found)}")


def _by_state(about: str, said: str, codes: set[str], status: int) -> SystemFailure | None:
    """Refusals for what is, or is not, at the other end."""
    if status == 404 or "ENTITY_NOT_FOUND" in codes:
        return NotFound(f"{NAME} has nothing there. Asked for: {about}. {said}")
    if status == 405 or "METHOD_NOT_ALLOWED" in codes:
        return NoLonger("not_allowed", f"{NAME} does not allow {about} in its present state. {said}")
    if "CONFLICT_IN_POST" in codes:
        return Transient(f"{NAME} is handling another change of {about} at this moment. It is sent again. {said}")
    if status == 409:
        return Conflict(f"{NAME} has another state of {about}. {said}")
    return None


def batch_failure(error: SystemFailure, about: str) -> SystemFailure:
    """A refusal of several records at once: none of them counts as written, each is sent alone."""
    if isinstance(error, (NotFound, Conflict)) or (isinstance(error, Transient) and "another change" in str(error)):
        return Refused("batch_refused", f"{NAME} took none of {about}. {error}")
    return error


def _refusal(about: str, said: str, found: Sequence[Fault], status: int) -> Refused:
    if 300 <= status < 400:
        return Refused("redirected", f"{NAME} sends {about} to another address, which is not followed.", "base_url")
    first = found[0] if found else Fault()
    code, text = CAUSES.get(first.code, (first.code.lower() or f"http_{status}", "It says no."))
    return Refused(code, f"{NAME} does not take {about}. {text} {said}", first.field or None)


def _server_error(answer: Answer, about: str, found: Sequence[Fault]) -> SystemFailure:
    text = f"{NAME} had an error of its own ({answer.status}) with {about}."
    if answer.wrote:
        return OutcomeUnknown(f"{text} Whether it was stored is not known. {_told(answer, found)}")
    return Transient(f"{text} {_told(answer, found)}")


def _told(answer: Answer, found: Sequence[Fault]) -> str:
    """Basware's own words, of at most three elements, and the id by which its support finds the request."""
    parts = [": ".join(part for part in (fault.external_code, fault.code, fault.text) if part) for fault in found[:3]]
    words = "; ".join(part for part in parts if part)
    request = answer.headers.get(REQUEST_ID, "")
    shown = f", request {request}" if request else ""
    return f"({NAME} says: {words}{shown})" if words else f"({NAME} gave no reason{shown}.)"


def _short(text: object) -> str:
    return " ".join(str(text or "").split())[:_TEXT_LIMIT]
