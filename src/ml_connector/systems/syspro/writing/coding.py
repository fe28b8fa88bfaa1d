"""Where an amount is booked: GL code, cost center, period, rate. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from ml_connector.systems.base import Refused
from ml_connector.systems.syspro.company import Period, Periods
from ml_connector.systems.syspro.costcenters import Analysis, Rule, Segment
from ml_connector.systems.syspro.policies import ASK, CURRENT
from ml_connector.systems.syspro.writing.form import RATE_DIGITS, Form

LETTERS = "CPB"
"""How APSTIN and APSTPM name a period: the current one, the previous, the one before."""

PERIOD_CLOSED = "period_closed"
"""Code of the refusal of a document whose period takes nothing."""

T = TypeVar("T")

_RATE_STEP = Decimal(1).scaleb(-RATE_DIGITS)


@dataclass(frozen=True, slots=True)
class Place:
    """What an amount is booked to."""

    ledger_code: str
    analysis: str | None = None
    """The code of the analysis category, where cost centers are kept there."""


def place(account: str, center: str | None, rule: Rule, form: Form) -> Place:
    """The GL code of an account at a cost center, as the site keeps cost centers.

    Raises Refused, naming both, where the site has no place for the cost center: it is never left out.
    """
    if not account.strip():
        raise Refused("field_missing", f"{form.opening} has a line without a GL code.", "LedgerCode")
    if not center:
        return Place(account)
    if isinstance(rule, Analysis):
        return Place(account, center)
    if isinstance(rule, Segment):
        joined = rule.join(account, center)
        if joined is not None:
            return Place(joined)
        raise Refused(
            "code_not_postable",
            f"{form.opening}: account {account} and cost center {center} make no GL code under cost_centre_source "
            f"segment({rule.start},{rule.length},{rule.separator}). Correct the mapping of one of them.",
            "LedgerCode",
        )
    raise Refused(
        "unsupported",
        f"{form.opening} has cost center {center}, and SYSPRO has no field for it under this cost_centre_source. Use "
        "segment or analysis, or map the account without a cost center.",
        "LedgerCode",
    )


@dataclass(frozen=True, slots=True)
class Booked:
    """The period that a document goes to."""

    period: Period
    letter: str
    moved_from: date | None = None
    """The posting date that was asked for, where its period is closed and the policy takes the current one (R35)."""


def booked(day: date | None, periods: Periods, closed: frozenset[str], policy: str, form: Form) -> Booked:
    """The period of a posting date; the current one for a document without.

    SYSPRO posts payables into the current month and the two before. Raises Refused `period_closed` for any other, and
    for one whose status letter is among `closed`, unless the policy takes the current period (R33, R34).
    """
    current = Booked(periods.current, "C")
    wanted = current if day is None else _of(day, periods)
    if wanted is not None and periods.status.get(wanted.period) not in closed:
        return wanted
    if policy == CURRENT and day is not None and periods.status.get(current.period) not in closed:
        return Booked(current.period, "C", moved_from=day)
    shown = f"{periods.current.year}-{periods.current.number:02}"
    asked = f"its posting date {day}" if day is not None else "the current period"
    fix = "Open the period in SYSPRO, give the document another posting date, or let the Flow use the current period"
    if policy == ASK:
        fix = f"Choose: open the period in SYSPRO and retry, or let it go to {shown}, by giving it a posting date there"
    raise Refused(
        PERIOD_CLOSED,
        f"{form.opening}: SYSPRO takes no posting for {asked}. Its current period is {shown}; only that and the "
        f"two before it can be open. {fix} (closed_period).",
        "PostingPeriod",
    )


def into_open_period(wanted: Booked, day: date | None, periods: Periods, policy: str, post: Callable[[Booked], T]) -> T:
    """What `post` makes in the wanted period. Where SYSPRO itself says that the period is closed, and the policy takes
    the current one, once more in that (R34): nothing was posted before. Raises what `post` raises."""
    try:
        return post(wanted)
    except Refused as refused:
        if refused.code != PERIOD_CLOSED or policy != CURRENT or day is None or wanted.period == periods.current:
            raise
    return post(Booked(periods.current, "C", moved_from=day))


def _of(day: date, periods: Periods) -> Booked | None:
    known = sorted(periods.ends)
    if not known:
        month = Period(day.year, day.month)
        back = next((n for n in range(len(LETTERS)) if periods.current.back(n) == month), None)
        return None if back is None else Booked(month, LETTERS[back])
    found = periods.of(day)
    if found is None or periods.current not in known:
        return None
    place_of, now = known.index(found), known.index(periods.current)
    if not 0 <= now - place_of < len(LETTERS) or (place_of == 0 < now):
        return None
    return Booked(found, LETTERS[now - place_of])


def as_written(rate: Decimal, mul_div: str | None, form: Form) -> Decimal:
    """A rate that foreign amounts are multiplied by, as SYSPRO writes it: divided where the currency says D."""
    if rate <= 0:
        raise Refused("rate_missing", f"{form.opening}: {rate} is no exchange rate.", "ExchRateAtEntry")
    written = 1 / rate if (mul_div or "").strip() == "D" else rate
    return written.quantize(_RATE_STEP, rounding=ROUND_HALF_UP)
