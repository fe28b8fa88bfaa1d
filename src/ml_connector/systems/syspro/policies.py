"""How a Flow writes to SYSPRO: what a pair may name among its policies, and the values as the code uses them.

A pair gives a Flow the tuple of its record type: `policies=(..., *policies.INVOICES)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ml_connector.systems.base import Refused, Setting

HOLD, CURRENT, ASK = "hold", "current", "ask"
"""What is done with a document whose period is closed (R34)."""

REFUSE, RIGHT20 = "refuse", "right20"
"""What is done with an invoice number of more than 20 characters."""

SYSPRO, DOCUMENT = "syspro", "document"
"""Whose exchange rate a document is posted at."""

PROBLEM, CREDIT = "problem", "credit"
AP_INVOICE, JOURNAL = "ap_invoice", "journal"
TASK, POST = "task", "post"

OWNED = ("contact", "phone", "email", "address")
MAY_OWN = ("name", "short_name", "terms", "tax_id", "on_hold", "default_account", "needs_receipt_match", *OWNED)
"""Fields of a supplier that a Flow can own."""

VALIDATE_FIRST = Setting(
    "validate_first",
    "Have SYSPRO check each document without effect (ValidateOnly) before it is posted: one call more, and every "
    "error is known before anything is written.",
    type=bool,
    default=True,
)
CLOSED_PERIOD = Setting(
    "closed_period",
    "What to do with a document whose posting date falls into a period that is closed or too old for SYSPRO: hold it "
    "until the period is open; post it to the current period and say so in its notation; or ask: it waits, and its "
    "Problem states both choices. Its own date is never altered.",
    default=HOLD,
    choices=(HOLD, CURRENT, ASK),
)
RATE = Setting(
    "rate",
    "Exchange rate of documents in a foreign currency: SYSPRO's own of the day, or the document's.",
    default=SYSPRO,
    choices=(SYSPRO, DOCUMENT),
)
LONG_NUMBERS = Setting(
    "long_numbers",
    "What to do with an invoice number of more than the 20 characters that SYSPRO holds: refuse it, or post the last "
    "20 and write the whole number into the notation.",
    default=REFUSE,
    choices=(REFUSE, RIGHT20),
)
WITHDRAWN = Setting(
    "withdrawn",
    "What to do when a posted invoice is withdrawn in the source: open a Problem, or post a credit note over its "
    "whole value. Only one of which nothing was paid or credited is credited.",
    default=PROBLEM,
    choices=(PROBLEM, CREDIT),
)
POST_AS = Setting(
    "post_as",
    "How invoices are posted: in accounts payable, or as journals of the general ledger alone, where they can "
    "be neither paid nor matched; a journal needs ap_control_account in the Connection's settings.",
    default=AP_INVOICE,
    choices=(AP_INVOICE, JOURNAL),
)
SHORTEN_NAMES = Setting(
    "shorten_names",
    "Shorten names and address lines that are too long for SYSPRO, with an ellipsis at the end, instead of "
    "refusing the supplier.",
    type=bool,
    default=False,
)
OWNS = Setting(
    "owns",
    f"Fields of a supplier that the source owns and that are changed in SYSPRO: of {', '.join(MAY_OWN)}. All "
    "others are written once, when the supplier is added.",
    type=list,
    default=list(OWNED),
)
AMEND_PRINTED = Setting(
    "amend_printed",
    "Change orders that were printed in SYSPRO, so that the supplier may hold the old one. Off: they wait for "
    "a person.",
    type=bool,
    default=False,
)
KEEP_NUMBER = Setting(
    "keep_number",
    "Give a new order the source's number (up to 20 characters) in SYSPRO. Off: SYSPRO numbers it. On only where "
    "SYSPRO lets orders be numbered by hand.",
    type=bool,
    default=False,
)
REVERSAL = Setting(
    "reversal",
    "What to do when a payment that was recorded is voided in the source: leave its void to a person as a task, or "
    "post it (APSTPV). Compare payment_void_elements with the site before it is posted.",
    default=TASK,
    choices=(TASK, POST),
)

INVOICES = (POST_AS, CLOSED_PERIOD, RATE, LONG_NUMBERS, WITHDRAWN, VALIDATE_FIRST)
JOURNALS = (VALIDATE_FIRST,)
SUPPLIERS = (OWNS, SHORTEN_NAMES, VALIDATE_FIRST)
ORDERS = (KEEP_NUMBER, AMEND_PRINTED, RATE, VALIDATE_FIRST)
PAYMENTS = (CLOSED_PERIOD, RATE, REVERSAL, VALIDATE_FIRST)
"""What a Flow to SYSPRO can name, by what it writes."""

DECLARED = {each.name: each for each in (*INVOICES, *SUPPLIERS, *ORDERS, *PAYMENTS)}


@dataclass(frozen=True, slots=True)
class Policies:
    """A Flow's policies, checked; what it does not name has its declared default."""

    validate_first: bool
    closed_period: str
    rate: str
    long_numbers: str
    withdrawn: str
    post_as: str
    shorten_names: bool
    owns: tuple[str, ...]
    amend_printed: bool
    keep_number: bool
    reversal: str

    @property
    def own_rate(self) -> bool:
        """Whether documents are posted at their own exchange rate."""
        return self.rate == DOCUMENT


def policies(given: Mapping[str, Any]) -> Policies:
    """Of what a Target is told. Raises Refused naming the policy for a value that it cannot have."""
    values = {each.name: _value(DECLARED[each.name], given.get(each.name)) for each in fields(Policies)}
    return Policies(**values)


def _value(setting: Setting, given: Any) -> Any:
    value = setting.default if given is None else given
    if setting.type is list:
        return _fields(setting, value)
    if not isinstance(value, setting.type) or (setting.choices and value not in setting.choices):
        known = ", ".join(setting.choices) or "true, false"
        raise Refused("bad_setting", f"The policy {setting.name} is {value!r}; it can be {known}.", setting.name)
    return value


def _fields(setting: Setting, value: Any) -> tuple[str, ...]:
    named: Sequence[Any] = value if isinstance(value, list | tuple) else [value]
    unknown = [each for each in named if each not in MAY_OWN]
    if unknown:
        raise Refused(
            "bad_setting",
            f"The policy {setting.name} names {', '.join(map(repr, unknown))}; it can name {', '.join(MAY_OWN)}.",
            setting.name,
        )
    return tuple(named)
