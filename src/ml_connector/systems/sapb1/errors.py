"""SAP Business One's refusals, each as exactly one of our errors (R63).

v1 answers `{"error": {"code": NUMBER, "message": {"lang", "value"}}}`, v2 has code and message as texts; a gateway
before it answers HTML. Many different refusals share the codes -5002, -2028, -10 and -1, so code and words
count together. The words come in the language of the session; a column in brackets, such as `[OVPM.DocDate]`, is in
none. The words of over-applied payments and closed periods are not published: several spellings are recognised.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ml_connector.systems.base import (
    AuthFailed,
    Conflict,
    NotFound,
    OutcomeUnknown,
    Refused,
    SystemFailure,
    Throttled,
    Transient,
)
from ml_connector.systems.transport.http import Answer

NAME = "SAP Business One"

SESSION_LOST = "301"
BROKEN_NODE = frozenset({"299", "407"})
"""With status 500: one node of several is broken; a new sign-in may lead to another."""
SHARED = frozenset({"-5002", "-10", "-1", "-2028"})
"""Codes of many refusals: alone they never mean that a session ended."""
NOT_PERMITTED = frozenset({"-6006", "804"})
UNKNOWN_PROPERTY = "unknown_property"

_TEXT_LIMIT = 300
_COLUMN = re.compile(r"\[(?:@?[A-Z0-9_]+)\.(?P<column>\w+)")
_PROPERTY = re.compile(r"[Pp]roperty '(?P<property>\w+)'")
_OF_SESSION = re.compile(r"\bsession\b.*(invalid|time|expired|log)|(invalid|expired|timed?).*\bsession\b", re.I)
_OF_RIGHTS = re.compile(r"not (permitted|authori[sz]ed|allowed)|no (permission|authori[sz]ation)", re.I)
_LOCKED = re.compile(r"\block(ed|out)?\b", re.I)
_EXISTS = re.compile(r"already (assigned|exists)|duplicate", re.I)
_NO_SERVICE = re.compile(r"service not found", re.I)
_LICENCE = re.compile(r"licen[sc]e", re.I)

LOGIN_REFUSALS: Mapping[str, str] = {
    "-304": "User name or password is wrong. Enter them again; SAP Business One locks a user after some wrong tries.",
    "-306": "There is no company database of that name. Put company_db right; it is spelled as on the server.",
    "100000027": "User name, password or company database is wrong. Enter them again.",
    "100000055": "The user is locked. Unlock it in Administration > Setup > General > Users, then test again.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """The code and the words of an error answer; empty where the body is foreign."""

    code: str = ""
    text: str = ""

    @property
    def field(self) -> str | None:
        """The column or property that the words name."""
        found = _COLUMN.search(self.text)
        if found is not None:
            return found["column"]
        named = _PROPERTY.search(self.text)
        return named["property"] if named else None

    def said(self) -> str:
        parts = ": ".join(part for part in (self.code, self.text[:_TEXT_LIMIT]) if part)
        return f"({NAME} says: {parts})" if parts else f"({NAME} gave no reason.)"


@dataclass(frozen=True, slots=True)
class Cause:
    """What words of a refusal mean to us."""

    words: re.Pattern[str]
    code: str
    text: str


CAUSES = (
    Cause(
        re.compile(r"permissible range|fiscal year|financial year", re.I),
        "fiscal_year_closed",
        "Its date lies in no open fiscal year. Open the year (Administration > System Initialization > Posting "
        "Periods), or give it a date in an open one.",
    ),
    Cause(
        re.compile(r"\bperiods?\b.*\b(locked|closed|closing)\b|\b(locked|closed)\b.*\bperiod|posting period", re.I),
        "period_closed",
        "Its posting period is locked. Unlock the period (Administration > System Initialization > Posting Periods), "
        "or give it a date in an open one.",
    ),
    Cause(
        re.compile(r"(greater|more|larger|higher) than .*(balance|due|open|payment)|exceeds?\b|over-?appli", re.I),
        "over_application",
        "More would be applied than is open. Look up what was paid on the invoice already.",
    ),
    Cause(
        re.compile(r"already (been )?(closed|cancell?ed|paid)|closed or blocked", re.I),
        "document_closed",
        "The document is already closed or blocked. Look up who paid or closed it.",
    ),
    Cause(
        re.compile(r"\bfrozen\b|\binactive\b|on hold", re.I),
        "supplier_on_hold",
        "A business partner or account is frozen or inactive. Activate it in SAP Business One.",
    ),
    Cause(
        re.compile(r"exchange rate", re.I),
        "rate_missing",
        "There is no exchange rate for that day. Enter it in Administration > Exchange Rates and Indexes.",
    ),
    Cause(
        re.compile(r"\bbranch", re.I),
        "branch",
        "Its branch is missing or is not that of the documents. A payment and its invoices need the same branch.",
    ),
    Cause(
        re.compile(r"\bapprov|\bdraft", re.I),
        "draft_left_behind",
        "An approval procedure took it; look among the drafts, then add or remove the draft.",
    ),
    Cause(
        re.compile(r"attachments? folder", re.I),
        "attachments_folder",
        "The folder of attachments is not set up (Administration > System Initialization > General Settings > Path).",
    ),
    Cause(
        re.compile(r"valid code|invalid .*\bcode\b|does not exist|no matching records", re.I),
        "reference_missing",
        "It names a business partner, account, branch, distribution rule or document that is not there, or an approval "
        "procedure made a draft of it.",
    ),
)
"""In the order in which they are tried."""

BY_CODE: Mapping[str, tuple[str, str]] = {
    "-2028": ("reference_missing", CAUSES[-1].text),
    "-1004": ("value_not_allowed", "A value is none of those that the field allows."),
    "-4014": ("unsupported", "It needs a choice of serial numbers or batches, which is made in SAP Business One only."),
    "-5006": ("unsupported", "It does not allow this in the state that the document has reached."),
    "-5002": ("invalid_data", "A check refuses it."),
    "-10": ("invalid_data", "A check refuses it."),
    "-1": ("refused", "It gives only a general reason."),
    "-5027": ("refused", "The server could not turn to the company."),
}


def fault(answer: Answer) -> Fault:
    """What an error answer says, in the shape of either version."""
    try:
        body = answer.json()
    except SystemFailure:
        return Fault()
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return Fault()
    message: Any = error.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    code = error.get("code")
    return Fault("" if code is None else str(code).strip(), " ".join(str(message or "").split()))


def session_lost(answer: Answer, extra: frozenset[str]) -> bool:
    """Whether the request was refused for its session. A validation's -5002 is none."""
    if answer.ok:
        return False
    found = fault(answer)
    if found.code == SESSION_LOST or (answer.status >= 500 and found.code in BROKEN_NODE):
        return True
    if found.code in SHARED and _OF_SESSION.search(found.text):
        return True
    if found.code in extra and found.code not in SHARED:
        return True
    return answer.status == 401 and found.code not in NOT_PERMITTED and not _OF_RIGHTS.search(found.text)


def login_failure(answer: Answer, base_url: str, company_db: str, user: str, now: datetime) -> SystemFailure:
    """Why a sign-in came to nothing. Never tried again by itself: SAP Business One locks users (R61)."""
    found = fault(answer)
    if answer.status == 429:
        return Throttled(f"{NAME} asks to wait with the sign-in.", answer.retry_after(now))
    if answer.status >= 500:
        return Transient(
            f"{NAME} had an error of its own at the sign-in ({answer.status}). It is tried again. {found.said()}"
        )
    if answer.status == 404 or not (found.code or found.text):
        return Refused(
            "not_found",
            f"There is no Service Layer at {base_url} ({answer.status}). Check base_url.",
            "base_url",
        )
    who = f"{NAME} refuses the sign-in of {user} to {company_db}."
    text = LOGIN_REFUSALS.get(found.code)
    if text is None and _LOCKED.search(found.text):
        text = LOGIN_REFUSALS["100000055"]
    if text is None and _LICENCE.search(found.text):
        text = "There is no licence for the user, or none is free. Assign one in Administration > License."
    return AuthFailed(f"{who} {text or 'Check user, password, company_db and the licence of the user.'} {found.said()}")


def failure(answer: Answer, about: str, now: datetime) -> SystemFailure:
    """The one error that stands for an answer that is no success. `about`: what was asked for, for people."""
    found = fault(answer)
    status = answer.status
    if status == 429:
        return Throttled(f"The server before {NAME} asks to wait with {about}.", answer.retry_after(now))
    if status >= 500 or status in {408, 425}:
        return _server_error(answer, about, found)
    if status in {401, 403} or found.code in NOT_PERMITTED:
        return Refused(
            "permission",
            f"The user may not do this: {about}. Give it the right in Administration > System Initialization > "
            f"Authorizations > General Authorizations. {found.said()}",
            found.field,
        )
    if status == 404:
        return _nothing_there(about, found)
    if 300 <= status < 400:
        return Refused(
            "redirected", f"{NAME} sends {about} to another address, which is not followed. Check base_url.", "base_url"
        )
    return _conflict(about, found, status) or _refusal(about, found, status)


def _nothing_there(about: str, found: Fault) -> SystemFailure:
    """Only the Service Layer's own word means that an object is gone: a proxy's 404 says nothing of it (R18)."""
    if not found.code or _NO_SERVICE.search(found.text):
        return Refused(
            "not_found",
            f"The address leads to no Service Layer, or to one that does not offer {about} (404). Check base_url. "
            f"{found.said()}",
            "base_url",
        )
    return NotFound(f"{NAME} has nothing there. Asked for: {about}. {found.said()}")


def _conflict(about: str, found: Fault, status: int) -> Conflict | None:
    if status == 412 or found.code == "-2039":
        return Conflict(f"{NAME} has another state of {about} than was read. {found.said()}")
    if found.code == "-2035" or _EXISTS.search(found.text):
        return Conflict(f"{NAME} already has {about}. {found.said()}")
    return None


def opening(text: str) -> str:
    """A text as the beginning of a sentence, its codes untouched."""
    return text[:1].upper() + text[1:]


def _refusal(about: str, found: Fault, status: int) -> Refused:
    named = f" Field: {found.field}." if found.field else ""
    if found.code in {"-1000", "201"} and _PROPERTY.search(found.text):
        return Refused(
            UNKNOWN_PROPERTY,
            f"{NAME} does not know the field {found.field}, asked for with {about}. {found.said()}",
            found.field,
        )
    cause = next((cause for cause in CAUSES if cause.words.search(found.text)), None)
    if cause is not None:
        return Refused(cause.code, f"{NAME} does not take {about}. {cause.text}{named} {found.said()}", found.field)
    if found.code in BY_CODE:
        code, text = BY_CODE[found.code]
    elif found.code.isdigit():
        code, text = "site_rule", "A rule of this company, or an option of the request, refuses it."
    else:
        code, text = found.code or f"http_{status}", "It says no."
    return Refused(code, f"{NAME} does not take {about}. {text}{named} {found.said()}", found.field)


def _server_error(answer: Answer, about: str, found: Fault) -> SystemFailure:
    text = f"{NAME} had an error of its own ({answer.status}) with {about}."
    if answer.wrote:
        return OutcomeUnknown(f"{text} Whether it was written is not known. {found.said()}")
    return Transient(f"{text} {found.said()}")
