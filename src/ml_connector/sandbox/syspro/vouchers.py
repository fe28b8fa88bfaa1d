"""What is posted to accounts payable: a document with its coded lines, as an entry of a journal."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ml_connector.sandbox.standin import BadInput
from ml_connector.sandbox.syspro.books import added

Code = Literal["I", "C", "D", "A"]
Rate = tuple[Decimal, str]
"""Of exchange, and M to multiply or D to divide by it."""


@dataclass(frozen=True, slots=True)
class Coding:
    """One distribution line as typed, in the supplier's currency unless said otherwise."""

    account: str
    amount: Decimal
    text: str = ""
    expense_type: str = "M"
    """M merchandise, F freight, O other."""


@dataclass
class Journal:
    """An AP journal: a number within the company, and its last entry so far."""

    year: int
    month: int
    number: int
    date: dt.date
    entries: int = 0

    def next_entry(self) -> int:
        self.entries += 1
        return self.entries


@dataclass(frozen=True, slots=True)
class Document:
    """What a transaction on an invoice is worth and how it is coded."""

    codings: Sequence[Coding]
    value: Decimal | None = None
    """In the supplier's currency; what the lines add up to if not given."""
    rate: Rate | None = None
    """Of this document, instead of the currency table's."""
    in_local: bool = False
    """The lines are in the company's currency."""
    reference: str = ""

    @property
    def total(self) -> Decimal:
        if not self.codings:
            raise BadInput("a document needs at least one distribution line")
        return added(coding.amount for coding in self.codings) if self.value is None else self.value
