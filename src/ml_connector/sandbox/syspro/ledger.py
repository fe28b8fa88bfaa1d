"""The general ledger: journals and what they do to the accounts.

A posted journal is one GenJournalCtl row, its GenJournalDetail rows and a GenTransaction row per entry; the balance
of each account moves. One that is not posted has no GenTransaction rows. ASSUMED, for the letters are not public:
JnlStatus P posted and blank not yet; Source AP from payables, GJ for a journal that was typed.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ml_connector.sandbox.standin import BadInput
from ml_connector.sandbox.syspro.books import (
    AP_CONTROL,
    COMPANY_ID,
    LOCAL_CURRENCY,
    Books,
    Period,
    added,
    converted,
)
from ml_connector.sandbox.syspro.conditions import And, Compare
from ml_connector.sandbox.syspro.definition import Value, midnight
from ml_connector.sandbox.syspro.vouchers import Journal


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal in local currency: plus is debit, minus is credit."""

    account: str
    amount: Decimal
    reference: str = ""
    comment: str = ""
    currency: str = LOCAL_CURRENCY
    currency_amount: Decimal | None = None
    date: dt.date | None = None
    from_module: Mapping[str, Value] = field(default_factory=dict)
    """The SubMod columns of GenTransaction."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What a journal says of itself."""

    period: Period
    date: dt.date
    source: str
    operator: str
    reference: str = ""
    notation: str = ""
    type: str = "N"
    authorised: bool = True
    posted: bool = True


class Ledger:
    def __init__(self, books: Books) -> None:
        self.books = books
        self._lines: dict[tuple[str, Period], int] = {}

    def book(self, heading: Heading, entries: Sequence[Entry]) -> int:
        """Stores a journal that is in balance, posted or not; returns its number."""
        number = self.books.next_number("gl_journal")
        year, period = heading.period
        key: dict[str, Value] = {"GlYear": year, "GlPeriod": period}
        self.books.tables["GenJournalCtl"].put(
            key
            | {
                "GlJournal": number,
                "JournalDate": midnight(heading.date),
                "NumOfEntries": len(entries),
                "DebitAmount": added(entry.amount for entry in entries if entry.amount > 0),
                "CreditAmount": -added(entry.amount for entry in entries if entry.amount < 0),
                "JnlPostingType": heading.type,
                "Source": heading.source,
                "JournalSource": heading.source,
                "Operator": heading.operator,
                "JnlStatus": "P" if heading.posted else "",
                "Reference": heading.reference,
                "Notation": heading.notation,
                "Authorised": "Y" if heading.authorised else "N",
                "AuthorisedBy": heading.operator if heading.authorised else "",
                "PostedBy": heading.operator if heading.posted else "",
                "PostDate": midnight(self.books.today()) if heading.posted else None,
            }
        )
        for line, entry in enumerate(entries, 1):
            self._detail(key | {"Journal": number, "EntryNumber": line}, heading, entry)
            if heading.posted:
                self._transaction(heading, entry, number)
        return number

    def integrate(self, year: int, month: int, journal: int, operator: str, notation: str = "") -> int:
        """Books an AP journal of invoices in the ledger; returns the ledger's journal number.

        Raises BadInput when there is no such journal, or when it is in the ledger already.
        """
        if self._is_integrated(year, month, journal):
            raise BadInput(f"AP journal {journal} of {year}-{month:02d} is in the ledger already")
        summary, lines = self.books.tables["ApJnlSummary"], self.books.tables["ApJnlDistrib"]
        entries: list[Entry] = []
        for row in summary.select(_of_journal(year, month, journal)):
            code, number = summary.read(row, "TransactionCode"), summary.read(row, "EntryNumber")
            sign = -1 if code == "C" else 1
            supplier, invoice = summary.read(row, "Supplier"), summary.read(row, "Invoice")
            module: dict[str, Value] = {
                "SubModJournal": journal,
                "SubModApInvoice": invoice,
                "SubModSupplier": supplier,
                "SubModApBranch": self.books.supplier(supplier)["Branch"],
            }
            coded = [
                Entry(
                    lines.read(line, "ExpenseGlCode"),
                    lines.read(line, "DistrValue") * sign,
                    invoice,
                    lines.read(line, "Reference"),
                    from_module=module,
                )
                for line in lines.select(And((_of_journal(year, month, journal), Compare("EntryNumber", "eq", number))))
            ]
            owed = -added(entry.amount for entry in coded)
            entries += [*coded, Entry(AP_CONTROL, owed, invoice, f"{supplier} {invoice}", from_module=module)]
        if not entries:
            raise BadInput(f"there is no AP journal {journal} in {year}-{month:02d}")
        heading = Heading((year, month), self.books.today(), "AP", operator, notation=notation)
        return self.book(heading, entries)

    def integrate_payments(
        self, journal: Journal, payments: Sequence[Mapping[str, Any]], operator: str, *, void: bool = False
    ) -> int:
        """Books cheques, rows of ApPayRunDet, of an AP journal or takes them back; returns the ledger's journal number.

        Raises BadInput when a bank or a discount has no ledger code, or when the journal is in the ledger already.
        """
        if self._is_integrated(journal.year, journal.month, journal.number):
            raise BadInput(f"AP journal {journal.number} is in the ledger already")
        sign = -1 if void else 1
        entries = [entry for row in payments for entry in self._payment(row, journal, sign)]
        heading = Heading((journal.year, journal.month), journal.date, "AP", operator)
        return self.book(heading, entries)

    def _payment(self, row: Mapping[str, Any], journal: Journal, sign: int) -> Iterator[Entry]:
        """What is owed falls by the gross; the bank by the net; the rest is discount."""
        run = self.books.row("ApPayRunHdr", row["PaymentNumber"]) or {}
        branch = self.books.row("ApBranch", self.books.supplier(row["Supplier"])["Branch"]) or {}
        bank = self.books.row("ApBank", run.get("Bank", "")) or {}
        mul_div = self.books.rate(row["PostCurrency"])[1]
        gross = converted(row["GrossPayValue"], row["PostConvRate"], mul_div)
        net = converted(row["GrossPayValue"] - row["DiscPayValue"], row["PostConvRate"], mul_div)
        module: dict[str, Value] = {
            "SubModJournal": journal.number,
            "SubModApInvoice": row["Invoice"],
            "SubModSupplier": row["Supplier"],
            "SubModCheck": str(row["Cheque"]),
            "SubModBank": run.get("Bank", ""),
        }
        parts = (
            (AP_CONTROL, gross),
            (bank.get("CashGlCode", ""), -net),
            (branch.get("ApBrnDscGlCode", ""), net - gross),
        )
        for account, amount in parts:
            if amount and self.books.tables["GenMaster"].get(COMPANY_ID, account) is None:
                raise BadInput(f"ledger code {account!r} of run {row['PaymentNumber']} is not on file")
            if amount:
                yield Entry(account, amount * sign, row["Invoice"], f"Cheque {row['Cheque']}", from_module=module)

    def _is_integrated(self, year: int, month: int, journal: int) -> bool:
        same = (Compare("GlYear", "eq", year), Compare("GlPeriod", "eq", month))
        module = (Compare("Source", "eq", "AP"), Compare("SubModJournal", "eq", journal))
        return bool(self.books.tables["GenJournalDetail"].select(And((*same, *module)), limit=1))

    def _detail(self, key: dict[str, Value], heading: Heading, entry: Entry) -> None:
        foreign = entry.amount if entry.currency_amount is None else entry.currency_amount
        self.books.tables["GenJournalDetail"].put(
            key
            | {
                "EntryType": "C" if entry.amount < 0 else "D",
                "GlCode": entry.account,
                "Reference": entry.reference,
                "Comment": entry.comment,
                "EntryValue": entry.amount,
                "EntryDate": midnight(entry.date or heading.date),
                "TransactionDate": midnight(entry.date or heading.date),
                "EntryPosted": "Y" if heading.posted else "N",
                "InterCompanyFlag": "N",
                "Company": COMPANY_ID,
                "CurrencyValue": foreign,
                "PostCurrency": entry.currency,
                "Source": heading.source,
                "Type": heading.type,
                "SubModJournal": entry.from_module.get("SubModJournal", 0),
            }
        )

    def _transaction(self, heading: Heading, entry: Entry, journal: int) -> None:
        year, period = heading.period
        self.books.tables["GenTransaction"].put(
            {
                "Company": COMPANY_ID,
                "GlCode": entry.account,
                "GlYear": year,
                "GlPeriod": period,
                "GlLine": self._next_line(entry.account, heading.period),
                "Source": heading.source,
                "Journal": journal,
                "JnlDate": midnight(heading.date),
                "Reference": entry.reference or heading.reference,
                "EntryValue": entry.amount,
                "Comment": entry.comment,
                "TransactionDate": midnight(entry.date or heading.date),
                **entry.from_module,
            }
        )
        account = self.books.row("GenMaster", COMPANY_ID, entry.account)
        if account is not None:
            side = "PtdDrValue" if entry.amount >= 0 else "PtdCrValue"
            self.books.tables["GenMaster"].put(
                {
                    "Company": COMPANY_ID,
                    "GlCode": entry.account,
                    side: account[side] + abs(entry.amount),
                    "CurrentBalance": account["CurrentBalance"] + entry.amount,
                }
            )

    def _next_line(self, account: str, period: Period) -> int:
        """The number after the account's last in the period; counted once, then kept."""
        last = self._lines.get((account, period))
        if last is None:
            table = self.books.tables["GenTransaction"]
            key = {"Company": COMPANY_ID, "GlCode": account, "GlYear": period[0], "GlPeriod": period[1]}
            rows = table.select(And(tuple(Compare(name, "eq", value) for name, value in key.items())))
            last = max((table.read(row, "GlLine") for row in rows), default=0)
        self._lines[account, period] = last + 1
        return last + 1


def _of_journal(year: int, month: int, journal: int) -> And:
    return And((Compare("TrnYear", "eq", year), Compare("TrnMonth", "eq", month), Compare("Journal", "eq", journal)))
