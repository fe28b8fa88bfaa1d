"""BILL's refusals, each as exactly one of our errors (R63).

BILL answers errors as a JSON array of `{code, severity, category, message, params}`, one element per field; the
same refusal can come twice, the second time prefixed with the object's id. A single object and a gateway's own
text are seen too. The status of the two limits is not documented, so a limit is known by its code, and by 429.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
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
from ml_connector.systems.transport.http import Answer

SESSION_LOST = "BDC_1109"
UNTRUSTED = "BDC_1361"
HOURLY_LIMIT = "BDC_1144"
PARALLEL_LIMIT = "BDC_1322"
PERMISSION = "BDC_1145"
FILTER_REFUSED = frozenset({"BDC_1130", "BDC_1131"})
ROLLED_BACK = "BDC_1246"

PARALLEL_WAIT = (0.5, 8.0)
"""Seconds, drawn at random, before a request that met the concurrency limit comes again."""

Kind = type[SystemFailure]


class Special(Enum):
    """Codes whose meaning hangs on more than the code."""

    SERVER = auto()
    """An error inside BILL: unknown for a write, Transient for a read."""
    SESSION = auto()
    HOUR = auto()
    PARALLEL = auto()


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a code of BILL means to us."""

    kind: Kind | Special
    cause: str
    """Our own name of the cause, the code of a Refused."""
    text: str
    """What to say and do; follows the sentence that names the document."""


REACTIONS: Mapping[str, Reaction] = {
    "BDC_1001": Reaction(Special.SERVER, "server_error", "BILL had an internal error."),
    "BDC_1002": Reaction(Special.SERVER, "server_error", "BILL had an unknown error."),
    "BDC_1101": Reaction(AuthFailed, "credentials", "User name or password is wrong. Enter them again."),
    "BDC_1102": Reaction(
        AuthFailed,
        "credentials",
        "The developer key is not known there. A key of the sandbox does not work in production and the other way "
        "round: check devKey and environment.",
    ),
    "BDC_1103": Reaction(AuthFailed, "credentials", "The developer key is not active. Ask BILL to activate it."),
    "BDC_1104": Reaction(AuthFailed, "credentials", "BILL's terms are not accepted yet. Accept them in BILL."),
    "BDC_1106": Reaction(AuthFailed, "credentials", "BILL does not let this user in. Sign in to BILL to see why."),
    "BDC_1107": Reaction(AuthFailed, "credentials", "The organisation is locked out. Ask BILL's support to open it."),
    "BDC_1108": Reaction(Refused, "field_missing", "A field is missing or wrong."),
    "BDC_1109": Reaction(Special.SESSION, "session", "The session has ended."),
    "BDC_1110": Reaction(AuthFailed, "credentials", "The sign-in is locked. Unlock the user in BILL first."),
    "BDC_1117": Reaction(Refused, "field_missing", "A field is missing or wrong."),
    "BDC_1119": Reaction(Refused, "field_missing", "A field is missing or wrong."),
    "BDC_1120": Reaction(NotFound, "not_found", "BILL has no such data."),
    "BDC_1121": Reaction(Refused, "unsupported", "BILL does not offer this function. Please report this as a bug."),
    "BDC_1122": Reaction(Refused, "unsupported", "BILL could not read the request. Please report this as a bug."),
    "BDC_1123": Reaction(AuthFailed, "credentials", "The organisation id is wrong. Check organizationId."),
    "BDC_1124": Reaction(Refused, "field_missing", "A field is missing or wrong."),
    "BDC_1129": Reaction(Refused, "field_missing", "A field is missing or wrong."),
    "BDC_1130": Reaction(Refused, "filter_refused", "BILL does not filter by this field."),
    "BDC_1131": Reaction(Refused, "filter_refused", "BILL does not know this comparison in a filter."),
    "BDC_1143": Reaction(Refused, "invalid_data", "BILL does not take a value."),
    "BDC_1144": Reaction(Special.HOUR, "limit", "BILL's limit of requests per hour is reached."),
    "BDC_1145": Reaction(
        Refused, "permission", "The user's role does not allow this. Give the role that right under Settings > Users."
    ),
    "BDC_1150": Reaction(Refused, "no_online_payment", "The vendor cannot be paid online."),
    "BDC_1151": Reaction(Refused, "no_online_payment", "The vendor cannot be paid online."),
    "BDC_1152": Reaction(Refused, "process_date", "The process date is not allowed."),
    "BDC_1159": Reaction(Refused, "over_application", "The bill would be paid beyond what is due."),
    "BDC_1171": Reaction(Conflict, "duplicate_invoice", "BILL already has this number for the vendor."),
    "BDC_1205": Reaction(
        NotFound, "not_found", "BILL has no object with an id that was named: it was deleted, archived or never there."
    ),
    "BDC_1246": Reaction(Refused, "rolled_back", "Taken back because another document of the same batch was refused."),
    "BDC_1322": Reaction(Special.PARALLEL, "limit", "Too many requests at a time for this organisation."),
    "BDC_1356": Reaction(Refused, "mfa", "The second factor's code has expired."),
    "BDC_1358": Reaction(Refused, "mfa", "Too many tries at the second factor."),
    "BDC_1361": Reaction(Refused, "untrusted_session", "BILL asks for a session with a second factor for this."),
    "BDC_1374": Reaction(Refused, "mfa", "The second factor's token has expired."),
    "BDC_1402": Reaction(Refused, "process_date", "The process date must be two business days ahead."),
}

_PREFIX = re.compile(r"^\S{20} : ")
_FIELD = re.compile(r"^(?:Invalid entity data\.\s*)?(?P<field>[A-Za-z][\w.\[\]]*)(?::|\.$)")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One element of BILL's error answer."""

    code: str
    message: str

    @property
    def field(self) -> str | None:
        """The field that a message names, as BILL spells it: `address: must not be null`."""
        found = _FIELD.match(self.message)
        return found["field"] if found else None


def refusals(answer: Answer) -> list[Refusal]:
    """The elements of an error answer without repetitions, the telling ones first. Empty for a foreign body."""
    try:
        body = answer.json()
    except SystemFailure:
        return []
    elements = body if isinstance(body, list) else [body]
    found = [_refusal(element) for element in elements if isinstance(element, dict)]
    unique = list(dict.fromkeys(refusal for refusal in found if refusal.code or refusal.message))
    return sorted(unique, key=lambda refusal: (refusal.code == ROLLED_BACK, refusal.code not in REACTIONS))


def _refusal(element: dict[str, Any]) -> Refusal:
    return Refusal(str(element.get("code") or ""), _PREFIX.sub("", str(element.get("message") or "")))


def session_lost(answer: Answer, codes: frozenset[str]) -> bool:
    """Whether BILL refused the request for its session, before looking at it."""
    if answer.ok:
        return False
    found = refusals(answer)
    if any(refusal.code in codes for refusal in found):
        return True
    if answer.status == 401:
        return not any(refusal.code in REACTIONS for refusal in found)
    return any(refusal.code == UNTRUSTED and "untrusted" not in refusal.message.lower() for refusal in found)


def failure(answer: Answer, about: str, now: datetime) -> SystemFailure:
    """The one error that stands for an answer that is no success. `about`: what was asked for, for people."""
    found = refusals(answer)
    first = found[0] if found else Refusal("", "")
    reaction = REACTIONS.get(first.code)
    limit = _limit(answer, reaction, about, now)
    if limit is not None:
        return limit
    if answer.status >= 500:
        return _server_error(answer, about, first)
    if reaction is None:
        return _by_status(answer, about, found)
    if reaction.kind is Special.SERVER:
        return _server_error(answer, about, first)
    if reaction.kind is Special.SESSION:
        return AuthFailed(f"BILL ends each new session at once. {_said(found)} Check user, organizationId and devKey.")
    return _known(reaction, about, found)


def _limit(answer: Answer, reaction: Reaction | None, about: str, now: datetime) -> Throttled | None:
    kind = reaction.kind if reaction else None
    asked = answer.retry_after(now)
    if kind is Special.HOUR:
        wait = asked if asked is not None else seconds_to_next_hour(now)
        return Throttled(f"BILL's limit of requests per hour is reached; {about} follows in the next hour.", wait)
    if kind is Special.PARALLEL or answer.status == 429:
        wait = asked if asked is not None else secrets.SystemRandom().uniform(*PARALLEL_WAIT)
        return Throttled(f"BILL has too many requests of this organisation at a time; {about} comes again.", wait)
    return None


def _server_error(answer: Answer, about: str, first: Refusal) -> SystemFailure:
    code = f", {first.code}" if first.code else ""
    if answer.wrote:
        return OutcomeUnknown(
            f"BILL had an error of its own ({answer.status}{code}) with {about}. Whether it was written is not known."
        )
    return Transient(f"BILL had an error of its own ({answer.status}{code}) with {about}.")


def _known(reaction: Reaction, about: str, found: list[Refusal]) -> SystemFailure:
    text = f"BILL does not take {about}: {reaction.text} {_said(found)}"
    if reaction.kind is AuthFailed:
        return AuthFailed(f"BILL refuses the sign-in. {reaction.text} {_said(found)}")
    if reaction.kind is Refused:
        cause, field = _cause(reaction, found[0])
        return Refused(cause, text, field)
    if reaction.kind is NotFound:
        return NotFound(f"{reaction.text} Asked for: {about}. {_said(found)}")
    return Conflict(text)


def _cause(reaction: Reaction, refusal: Refusal) -> tuple[str, str | None]:
    """The cause behind a refused value, as far as BILL's message tells."""
    message = refusal.message.lower()
    if reaction.cause in {"invalid_data", "field_missing"}:
        if "maximum length" in message:
            too_long = "number_too_long" if "invoicenumber" in message else "field_too_long"
            return too_long, refusal.field
        if "must not be null" in message or "must not be blank" in message:
            return "field_missing", refusal.field
    return reaction.cause, refusal.field


def _by_status(answer: Answer, about: str, found: list[Refusal]) -> SystemFailure:
    """Answers without a code that we know."""
    said = _said(found)
    status = answer.status
    if status == 401:
        return AuthFailed(f"BILL ends each new session at once. {said} Check user, organizationId and devKey.")
    if status == 423:
        return AuthFailed(f"BILL has locked the sign-in. {said} Unlock it in BILL first.")
    if status == 404 and not (found and found[0].code):
        return NotFound(f"BILL has nothing there. Asked for: {about}. {said}")
    if status in {408, 425}:
        return answer.unclear("gave up waiting")
    if 300 <= status < 400:
        return Refused(
            "redirected", f"BILL sends {about} to another address, which is not followed. Check base_url.", "base_url"
        )
    code = found[0].code if found and found[0].code else f"http_{status}"
    first = found[0] if found else Refusal("", "")
    missing = "must not be null" in first.message.lower()
    return Refused("field_missing" if missing else code, f"BILL does not take {about}. {said}", first.field)


def _said(found: list[Refusal]) -> str:
    """BILL's own words, at most three of them."""
    parts = [": ".join(part for part in (refusal.code, refusal.message) if part) for refusal in found[:3]]
    return f"(BILL says: {'; '.join(parts)})" if parts else "(BILL gave no reason.)"


def seconds_to_next_hour(now: datetime) -> float:
    """BILL counts by the clock hour; its zone makes no difference while zones are whole hours."""
    return 3600.0 - (now.minute * 60 + now.second + now.microsecond / 1_000_000)


def no_longer(about: str, status: str, changes: list[str]) -> NoLonger:
    """The refusal of a change that a document's state in BILL forbids, with both values of each field."""
    wanted = f" Not carried over: {'; '.join(changes)}." if changes else ""
    return NoLonger(
        "edit_after_posting" if changes else "void_after_payment",
        f"BILL has {about} as {status}, so it can no longer be changed there.{wanted}",
    )
