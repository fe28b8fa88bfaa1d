"""GENTJL: journals of the general ledger.

EntryAmount is signed: plus is debit, minus credit; a journal that is not zero in sum is refused. It is posted with
AuthorizeJournal A and PostJournal Y; otherwise it is kept and waits for a person. Year and period stand in the
document. ASSUMED: amounts in a foreign currency are converted at the table's rate; ActionType M is not served.
"""

from decimal import Decimal

from ml_connector.sandbox.syspro.accounts import check_account
from ml_connector.sandbox.syspro.books import COMPANY_ID, LOCAL_CURRENCY, Period, added, converted, shared_out
from ml_connector.sandbox.syspro.documents import Node
from ml_connector.sandbox.syspro.item import MISSING, NOT_ALLOWED, NOT_FOUND, Item
from ml_connector.sandbox.syspro.ledger import Entry, Heading
from ml_connector.sandbox.syspro.periods import CLOSED
from ml_connector.sandbox.syspro.posting import BusinessObject, Call, Tally

UNBALANCED = 190201
LINE = "JournalDetails"


class Journals:
    """One GENTJL document."""

    def __init__(self, call: Call) -> None:
        self.call, self.books = call, call.books
        self.entries = 0
        self.invalid_entries = 0

    def named(self, item: Item, number: int) -> list[Node]:
        key: list[Node] = [
            ("GlYear", item.plain("PostingYear")),
            ("GlPeriod", item.plain("PostingPeriod")),
            ("GlJournal", ""),
        ]
        return [("Transaction", [("Key", key), ("JournalReference", item.plain("JournalReference"))])]

    def post(self, item: Item, number: int) -> list[Node]:
        count = len(item.element.findall(LINE))
        heading, entries = self._heading(item), self._entries(item)
        if heading is None or item.is_refused:
            self.invalid_entries += count
            return []
        self.entries += count
        journal = self.call.ledger.book(heading, entries)
        debit = added(entry.amount for entry in entries if entry.amount > 0)
        year, period = heading.period
        key: list[Node] = [("GlYear", str(year)), ("GlPeriod", f"{period:02d}"), ("GlJournal", f"{journal:05d}")]
        details: list[Node] = [
            ("Key", key),
            ("JournalDate", heading.date.strftime("%Y%m%d")),
            ("NumOfEntries", f"{count:10d}"),
            ("DebitAmount", f"{debit:16.2f}"),
            ("CreditAmount", f"{debit:16.2f}"),
            ("JnlPostingType", heading.type),
            ("Jnlstatus", "P" if heading.posted else ""),
            ("Currency", item.plain("Currency") or LOCAL_CURRENCY),
            ("Authorised", "Y" if heading.authorised else "N"),
        ]
        return [("Transaction", details)]

    def close(self, tally: Tally, *, posted: bool) -> list[Node]:
        entries = self.entries if tally.processed else 0
        counters: list[Node] = [
            ("JournalsProcessed", f"{tally.processed:6d}"),
            ("JournalsInvalid", f"{tally.invalid:6d}"),
            ("PostingsProcessed", f"{entries:6d}"),
            ("PostingsInvalid", f"{self.invalid_entries:6d}"),
        ]
        return [("StatusOfItems", counters)]

    def _heading(self, item: Item) -> Heading | None:
        action = (self.call.text("ActionType") or "A").upper()
        if action != "A":
            item.wrong("JournalNumber", NOT_ALLOWED, f"ActionType '{action}' is not served")
        if item.plain("JournalNumber"):
            item.wrong("JournalNumber", NOT_ALLOWED, "A new journal is numbered by the system")
        kind = item.choice("JournalType", "N", "N")
        authorised = item.choice("AuthorizeJournal", "A D U", "U") == "A"
        period = self._period(item)
        date = item.date("JournalDate") or self.books.today()
        item.code(self.books, "Currency", "TblCurrency")
        posted = authorised and item.flag("PostJournal") and not item.flag("HoldJournal")
        reference = item.text("JournalReference", "GenJournalCtl.Reference")
        notation = item.text("Notation", "GenJournalCtl.Notation")
        if period is None:
            return None
        return Heading(period, date, "GJ", self.call.operator, reference, notation, kind, authorised, posted)

    def _period(self, item: Item) -> Period | None:
        year, period = self.books.current_period()
        found = []
        for path, column, default in (("PostingYear", "GlYear", year), ("PostingPeriod", "GlPeriod", period)):
            number = item.number(path, f"GenJournalCtl.{column}")
            if number is None and item.plain(path):
                return None
            found.append(default if number is None else int(number))
        if not self.books.is_open(found[0], found[1]):
            item.wrong("PostingPeriod", CLOSED, f"Period {found[0]}-{found[1]:02d} is not open")
            return None
        return found[0], found[1]

    def _entries(self, item: Item) -> list[Entry]:
        parts = item.parts(LINE)
        if not parts:
            item.wrong(LINE, MISSING, "A journal needs JournalDetails", "")
        amounts = [self._amount(part) for part in parts]
        for part in parts:
            check_account(part, self.call, "GENTJL", "LedgerCode", f"{LINE}/LedgerCode")
            company = part.plain("InterCompanyId")
            if part.flag("InterCompanyDetail") and company != COMPANY_ID:
                part.wrong(f"{LINE}/InterCompanyId", NOT_FOUND, f"Company '{company}' not found", company)
        if added(amounts):
            text = f"The journal is out of balance by {added(amounts)}"
            item.wrong(f"{LINE}/EntryAmount", UNBALANCED, text, str(added(amounts)))
        currency = item.plain("Currency") or LOCAL_CURRENCY
        local = self._in_local_currency(amounts, currency)
        return [
            Entry(
                part.plain("LedgerCode"),
                amount,
                part.text("Reference", "GenJournalDetail.Reference", f"{LINE}/Reference"),
                part.text("Comment", "GenJournalDetail.Comment", f"{LINE}/Comment"),
                currency,
                foreign,
                part.date("TransactionDate", f"{LINE}/TransactionDate") or part.date("Date", f"{LINE}/Date"),
            )
            for part, amount, foreign in zip(parts, local, amounts, strict=True)
        ]

    def _amount(self, part: Item) -> Decimal:
        amount = part.number("EntryAmount", "GenJournalDetail.EntryValue", f"{LINE}/EntryAmount")
        if not part.plain("EntryAmount"):
            part.wrong(f"{LINE}/EntryAmount", MISSING, "EntryAmount is needed", "")
        return amount or Decimal("0.00")

    def _in_local_currency(self, amounts: list[Decimal], currency: str) -> list[Decimal]:
        if currency == LOCAL_CURRENCY or self.books.row("TblCurrency", currency) is None:
            return amounts
        rate, mul_div = self.books.rate(currency)
        exact = [amount * rate if mul_div == "M" else amount / rate for amount in amounts]
        return shared_out(converted(added(amounts), rate, mul_div), exact)


GENTJL = BusinessObject("GENTJL", "PostGlJournal", "postgljournal", Journals)
