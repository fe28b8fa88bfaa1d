"""The books of one company: its tables, its calendar and its numbers.

What clerks and clients do in them is in payables (supplier invoices and payments), ledger (journals) and orders.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ml_connector.sandbox.standin import BadInput
from ml_connector.sandbox.syspro.schema import TABLES
from ml_connector.sandbox.syspro.table import Change, Table

COMPANY_ID = "RIL"
COMPANY_NAME = "Rilling Distribution Inc."
LOCAL_CURRENCY = "USD"
AP_CONTROL = "10-2100"
GRN_SUSPENSE = "10-2150"

CENT = Decimal("0.01")

Period = tuple[int, int]
"""Year and number of a posting period."""

NUMBERED = {
    "ApJnlSummary": ("ap_journal", "Journal"),
    "GenJournalCtl": ("gl_journal", "GlJournal"),
    "PorMasterHdr": ("order", "PurchaseOrder"),
    "GrnDetails": ("grn", "Grn"),
    "ApPayRunHdr": ("payment_run", "PaymentNumber"),
}
"""Where the company's running numbers are kept: what it numbers, and in which column."""


class Transaction:
    """The writes of one call, which can be taken back together, or from a mark on.

    Numbers that were handed out come back only when everything does.
    """

    def __init__(self, numbers: dict[str, int]) -> None:
        self.changes: list[Change] = []
        self._numbers = numbers
        self._first = dict(numbers)

    def mark(self) -> int:
        return len(self.changes)

    def roll_back(self) -> None:
        self.roll_back_to(0)
        self._numbers.update(self._first)

    def roll_back_to(self, mark: int) -> None:
        for change in reversed(self.changes[mark:]):
            change.table.take_back(change)
        del self.changes[mark:]


class Books:
    """`today` is the company's date: the clock's instant in the company's time zone."""

    def __init__(self, today: Callable[[], dt.date]) -> None:
        self.today = today
        self._stamp = 2000
        self._numbers = dict.fromkeys((name for name, _ in NUMBERED.values()), 0)
        self._transaction: Transaction | None = None
        self.tables = {name: Table(definition, self._next_stamp, self._note) for name, definition in TABLES.items()}

    def edit(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Merges, inserts or deletes rows as the control side gives them. Raises BadInput."""
        target = self.tables[table]
        stored = [target.edit(row) for row in rows]
        if table in NUMBERED:
            name, column = NUMBERED[table]
            given = [str(row[column]) for row in rows if str(row.get(column, "")).isdigit()]
            self._numbers[name] = max([self._numbers[name], *map(int, given)])
        return [target.as_state(row) for row in stored if row is not None]

    def next_number(self, name: str) -> int:
        """The next of a running number: ap_journal, gl_journal, order, grn or payment_run."""
        self._numbers[name] += 1
        return self._numbers[name]

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """What is written within can be taken back, and is when an exception leaves."""
        transaction = self._transaction = Transaction(self._numbers)
        try:
            yield transaction
        except BaseException:
            transaction.roll_back()
            raise
        finally:
            self._transaction = None

    # --- what the tables say -----------------------------------------------------------------------------

    def row(self, table: str, *key: Any) -> dict[str, Any] | None:
        """A row by its primary key, as column -> value."""
        found = self.tables[table].get(*key)
        return None if found is None else dict(zip(TABLES[table].index, found, strict=True))

    def supplier(self, code: str) -> dict[str, Any]:
        """Raises BadInput when it is not on file."""
        row = self.row("ApSupplier", code)
        if row is None:
            raise BadInput(f"supplier {code!r} is not on file")
        return row

    def terms_days(self, supplier: str) -> int:
        row = self.row("TblApTerms", self.supplier(supplier)["TermsCode"])
        return 30 if row is None else int(row["DueDays"])

    def rate(self, currency: str) -> tuple[Decimal, str]:
        """What a unit costs in local currency, and M to multiply or D to divide by it. Raises BadInput."""
        row = self.row("TblCurrency", currency)
        if row is None:
            raise BadInput(f"TblCurrency has no {currency!r}")
        return row["BuyExchangeRate"], row["BuyMulDiv"]

    # --- periods -----------------------------------------------------------------------------------------

    def current_period(self) -> Period:
        control = self.row("GenControl", COMPANY_ID)
        if control is None:
            return self.today().year, self.today().month
        return control["GlYear"], control["GlPeriod"]

    def period_of(self, letter: str) -> Period | None:
        """C the current period, P the one before, B the one before that; None for any other letter."""
        if letter not in {"C", "P", "B"}:
            return None
        year, period = self.current_period()
        for _ in range("CPB".index(letter)):
            year, period = (year, period - 1) if period > 1 else (year - 1, self._periods_of_last_year())
        return year, period

    def is_open(self, year: int, period: int) -> bool:
        """Only periods of this year and the last are kept; the letters are not public, ASSUMED: O is open."""
        control = self.row("GenControl", COMPANY_ID)
        if control is None:
            return True
        names = {control["GlYear"]: "CurYrPrdStat", control["GlYear"] - 1: "PrvYrPrdStat"}
        return year in names and control.get(f"{names[year]}{period}") == "O"

    def _periods_of_last_year(self) -> int:
        control = self.row("GenControl", COMPANY_ID) or {}
        kept = [n for n in range(1, 16) if control.get(f"PrvYrPrdEnd{n}") is not None]
        return max(kept, default=12)

    def _next_stamp(self) -> int:
        self._stamp += 1
        return self._stamp

    def _note(self, change: Change) -> None:
        if self._transaction is not None:
            self._transaction.changes.append(change)


def converted(value: Decimal, rate: Decimal, mul_div: str) -> Decimal:
    """A foreign amount in local currency, to the cent."""
    return (value * rate if mul_div == "M" else value / rate).quantize(CENT, ROUND_HALF_UP)


def shared_out(total: Decimal, exact: Sequence[Decimal]) -> list[Decimal]:
    """The parts in cents so that they add up to the total: the last cents go where most was cut off."""
    rounded = [amount.quantize(CENT, ROUND_HALF_UP) for amount in exact]
    missing = total - sum(rounded, Decimal(0))
    step = CENT.copy_sign(missing)
    by_loss = sorted(range(len(exact)), key=lambda n: (exact[n] - rounded[n]) * step, reverse=True)
    for n in by_loss[: int(abs(missing) / CENT)]:
        rounded[n] += step
    return rounded


def added(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal("0.00"))
