"""Entries of the general ledger, in canonical terms.

An amount is positive for a debit and negative for a credit; the lines of an entry add up to zero.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from ml_connector.domain.canonical import Record


class JournalLine(Record, frozen=True, kw_only=True, omit_defaults=True):
    account: str
    amount: Decimal
    cost_center: str | None = None
    text: str | None = None


class JournalEntry(Record, frozen=True, kw_only=True, omit_defaults=True):
    date: dt.date
    year: int
    """The fiscal year that it is posted to."""
    period: int
    reference: str
    """What finds it again: our mark."""
    note: str | None = None
    currency: str
    lines: tuple[JournalLine, ...]

    @property
    def number(self) -> str:
        """What people know it by."""
        return self.reference

    @property
    def debit(self) -> Decimal:
        """The sum of its debits."""
        return sum((line.amount for line in self.lines if line.amount > 0), Decimal(0))

    def difference(self) -> Decimal:
        """Debits less credits; 0 for an entry that may be posted."""
        return sum((line.amount for line in self.lines), Decimal(0))
