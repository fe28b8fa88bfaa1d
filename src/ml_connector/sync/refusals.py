"""What a target refused, as the cause that holds the Record: a Problem, and no blind repeat (R63)."""

from __future__ import annotations

from collections.abc import Mapping

from ml_connector.domain.records import Payment, decode
from ml_connector.sync.flows import declaration, spec_of
from ml_connector.sync.models import Attempt, Flow, Record
from ml_connector.sync.problems import Cause, subject_of
from ml_connector.systems.base import Refused

OF_A_MONTH = frozenset({"period_closed", "fiscal_year_closed"})
"""One cause for all that are dated in a month (R34)."""

FIXES: Mapping[str, str] = {
    "period_closed": "Open the period there, then retry. Where it stays closed, book them there by hand in an open"
    " period and skip them here with a reason.",
    "fiscal_year_closed": "Open the year there, or enter it, then retry. Where it stays closed, book them there by hand"
    " in an open one and skip them here with a reason.",
    "over_application": "Look up there what was paid on the document already. If it was this payment, skip it here with"
    " a reason; if it was paid twice, take one back there, then retry.",
    "document_closed": "Look up there who paid, closed or cancelled the document. If it was this payment, skip it here"
    " with a reason; else open the document again there, then retry.",
    "draft_left_behind": "Add the draft there, or remove it, then retry: one that was added is found and not posted a"
    " second time.",
}
"""What to do about refusals that have a name of their own."""

NAMED = frozenset({"number_too_long", "field_too_long", *FIXES})
ANY_OTHER = "Correct it in the source: the new version is sent by itself. Or retry once the target takes it."


def cause_of(flow: Flow, record: Record, attempt: Attempt, error: Refused, said: str) -> Cause:
    """`said`: the target's words, fit to be shown."""
    detail = {"code": error.code, "field": error.field or ""}
    month = _month(flow, attempt) if error.code in OF_A_MONTH else ""
    if month:
        label = declaration(flow.integration).system(spec_of(flow).target).label
        what = "posting period" if error.code == "period_closed" else "fiscal year"
        text = f"The {what} of {month} is closed in {label}: {spec_of(flow).label} dated in it are not posted."
        return Cause(error.code, f"{flow.name}:{month}", text, FIXES[error.code], detail={**detail, "month": month})
    return Cause(
        error.code if error.code in NAMED else "refused_by_target",
        subject_of(flow, record),
        said if record.number in said else f"{record.number}: {said}",
        FIXES.get(error.code, ANY_OTHER),
        detail=detail,
    )


def _month(flow: Flow, attempt: Attempt) -> str:
    """The month that a payment was to be posted in."""
    sent = decode(spec_of(flow).record_type, bytes(attempt.request))
    return f"{sent.date:%Y-%m}" if isinstance(sent, Payment) else ""
