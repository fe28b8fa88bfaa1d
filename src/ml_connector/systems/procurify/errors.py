"""Procurify's refusals, each as exactly one of our errors (R63).

No form of an error is documented. Seen are `{"errors": {FIELD or null: {"message", "code"}}}`, the forms of its
framework (`{"detail"}`, `{FIELD: [texts]}`), those of OAuth (`{"error", "error_description"}`), and HTML of what stands
before it. All are read; what none of them fits is told as it is, cut short.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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
    ShapeChanged,
    SystemFailure,
    Throttled,
    Transient,
)
from ml_connector.systems.transport.answer import Answer

NAME = "Procurify"
REQUEST_IDS = ("x-request-id", "x-procurify-request-id")

TOO_LARGE = "too_large"
"""Code of a refusal that a smaller page may not meet."""

_TEXT_LIMIT = 300
_WITHOUT_FIELD = frozenset({"", "null", "none", "non_field_errors", "__all__", "detail", "message"})
_OF_TOKEN = re.compile(r"credentials were not provided|token (is )?(expired|invalid|not valid)|expired token", re.I)
_OF_PAGE = re.compile(r"page[ _]?size", re.I)
_EXISTS = re.compile(r"already (exists|in use|taken)|must be unique|duplicate", re.I)


class TooSlow(Transient):
    """No whole answer came within the time that it may take."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that an error answer says."""

    text: str
    field: str = ""
    code: str = ""

    def said(self) -> str:
        return ": ".join(part for part in (self.field, self.code, self.text) if part)


def faults(answer: Answer) -> list[Fault]:
    """What an error answer says, in whichever form; empty where it says nothing."""
    try:
        body = answer.json()
    except SystemFailure:
        return _raw(answer)
    if isinstance(body, dict):
        errors = body.get("errors")
        if errors:
            return list(_listed(errors, ""))
        said = next((body[name] for name in ("detail", "message", "error_description") if body.get(name)), None)
        if said is not None:
            return list(_listed(said, "", str(body.get("code") or body.get("error") or "")))
        if isinstance(body.get("error"), str):
            return [Fault(_short(body["error"]))]
    return list(_listed(body, ""))


def _listed(value: Any, field: str, code: str = "") -> Iterator[Fault]:
    """The texts inside, with the dotted name of the field that they stand under."""
    if isinstance(value, dict):
        if isinstance(value.get("message"), str):
            named = value.get("field")
            yield Fault(
                _short(value["message"]), str(named) if named and not field else field, _short(value.get("code"))
            )
            return
        for name, inner in value.items():
            step = "" if str(name).lower() in _WITHOUT_FIELD else str(name)
            yield from _listed(inner, ".".join(part for part in (field, step) if part), code)
    elif isinstance(value, list):
        for inner in value:
            yield from _listed(inner, field, code)
    elif isinstance(value, str) and value.strip():
        yield Fault(_short(value), field, code)


def _raw(answer: Answer) -> list[Fault]:
    if "html" in answer.headers.get("content-type", "") or answer.content.lstrip()[:1] == b"<":
        return []
    text = _short(answer.content.decode("utf-8", "replace"))
    return [Fault(text)] if text else []


def in_band(answer: Answer) -> bool:
    """Whether an answer of success says inside that it is none (R12)."""
    try:
        body = answer.json()
    except SystemFailure:
        return False
    return isinstance(body, dict) and bool(body.get("errors")) and not body.get("data")


def token_lost(answer: Answer) -> bool:
    """Whether the token is what was refused: status 401, or a 403 that says so."""
    if answer.status == 403:
        return any(_OF_TOKEN.search(fault.text) or "token" in fault.code.lower() for fault in faults(answer))
    return answer.status == 401


def sign_in_failure(answer: Answer, where: str, now: datetime) -> SystemFailure:
    """Why no token came. Never tried again by itself where the credentials were refused (R61)."""
    found = faults(answer)
    if answer.status == 429:
        return Throttled(f"{NAME} asks to wait with the sign-in.", answer.retry_after(now))
    if answer.status >= 500 or answer.status == 408:
        return Transient(f"{NAME} had an error of its own at the sign-in ({answer.status}). {told(answer, found)}")
    if answer.status in {404, 405} or answer.status < 400:
        return AuthFailed(
            f"Nobody gives tokens at {where} ({answer.status}). Check subdomain: the first part of the address at "
            f"which you open {NAME}. {told(answer, found)}"
        )
    return AuthFailed(
        f"{NAME} refuses the sign-in at {where}. Check client_id and client_secret, and that the user who made the "
        f"application is active; they are good for one domain only. {told(answer, found)}"
    )


def failure(answer: Answer, about: str, now: datetime) -> SystemFailure:
    """The one error that stands for an answer that is no success. `about`: what was asked for, for people."""
    found, status = faults(answer), answer.status
    said = told(answer, found)
    if status == 429:
        return Throttled(f"{NAME} asks to wait with {about}.", answer.retry_after(now))
    if status >= 500:
        return _server_error(answer, about, said)
    if status in {408, 425}:
        return answer.unclear("gave up waiting")
    if token_lost(answer):
        return AuthFailed(f"{NAME} does not take our token for {about}. Check client_id and client_secret. {said}")
    if status == 403:
        return Refused(
            "permission",
            f"The user whom we act as may not do this in {NAME}: {about}. Give that user the role for it (Settings > "
            f"Users), or make the application as a user who has it. {said}",
            found[0].field or None if found else None,
        )
    return _by_state(answer, about, said) or _refusal(answer, about, said, found)


def _by_state(answer: Answer, about: str, said: str) -> SystemFailure | None:
    """Refusals for what is, or is not, at the other end."""
    if answer.status == 404:
        return NotFound(f"{NAME} has nothing there. Asked for: {about}. {said}")
    if answer.status == 410:
        return ShapeChanged(
            "path", f"{NAME} has removed what {about} is read from. Look for a newer release of ml-connector. {said}"
        )
    if answer.status == 405:
        return NoLonger("not_allowed", f"{NAME} does not allow this from outside: {about}. Do it there by hand. {said}")
    if answer.status in {409, 412}:
        return Conflict(f"{NAME} has another state of {about} than was read. {said}")
    return None


def _refusal(answer: Answer, about: str, said: str, found: Sequence[Fault]) -> Refused:
    status = answer.status
    if status < 400:
        return Refused("redirected", f"{NAME} sends {about} to another address, which is not followed.", "base_url")
    first = found[0] if found else Fault("")
    if status in {413, 414} or any(_OF_PAGE.search(fault.said()) for fault in found):
        return Refused(
            TOO_LARGE, f"{NAME} does not take {about}: it is too large. Lower page_size. {said}", "page_size"
        )
    code = first.code.lower() or (f"http_{status}" if status not in {400, 422} else "invalid_data")
    text, fix = "", "Correct it where it comes from; it is sent again then."
    if not answer.wrote:
        fix = "Compare the Connection's settings with what it says; if they are right, ask its support."
    if any(_EXISTS.search(fault.text) for fault in found):
        code, text = "already_there", "There is one like it already, perhaps inactive."
        fix = "Look it up there, and link it or rename one."
    named = f" Field: {first.field}." if first.field else ""
    return Refused(
        code, " ".join(f"{NAME} does not take {about}.{named} {text} {fix} {said}".split()), first.field or None
    )


def _server_error(answer: Answer, about: str, said: str) -> SystemFailure:
    text = f"{NAME} had an error of its own ({answer.status}) with {about}."
    if answer.wrote:
        return OutcomeUnknown(f"{text} Whether it was stored is not known; it is looked up. {said}")
    return Transient(f"{text} {said}")


def told(answer: Answer, found: Sequence[Fault]) -> str:
    """Procurify's own words, of at most three things, and the id by which its support finds the request."""
    words = "; ".join(fault.said() for fault in found[:3])
    request = request_id(answer.headers)
    shown = f", request {request}" if request else ""
    return f"({NAME} says: {words}{shown})" if words else f"({NAME} gave no reason{shown}.)"


def request_id(headers: Mapping[str, str]) -> str:
    found = next((headers[name] for name in REQUEST_IDS if headers.get(name)), "")
    return found[:80] if found.isprintable() else ""


def _short(text: object) -> str:
    return " ".join(str(text or "").split())[:_TEXT_LIMIT]
