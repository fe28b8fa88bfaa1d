"""Targets of JournalEntry, and of Invoice where it is posted as one: GENTJL posts, GenJournalCtl shows it.

SYSPRO: a journal is known by year, period and number, which SYSPRO gives; our mark stands in its Reference. Nothing
stops a second one. An invoice posted so has no open item in payables: it can be neither paid nor matched there.
"""

from __future__ import annotations

from ml_connector.domain.journals import JournalEntry, JournalLine
from ml_connector.domain.numbers import find_mark
from ml_connector.domain.records import Invoice
from ml_connector.systems.base import Found, NoLonger, NotFound, Ref, Remark, SystemFailure
from ml_connector.systems.syspro.company import Period
from ml_connector.systems.syspro.costcenters import Segment
from ml_connector.systems.syspro.dates import readable_date
from ml_connector.systems.syspro.documents import NO_DATE
from ml_connector.systems.syspro.keys import parts
from ml_connector.systems.syspro.policies import Policies
from ml_connector.systems.syspro.tables import AdmTax
from ml_connector.systems.syspro.where import that
from ml_connector.systems.syspro.writing.apstin import about
from ml_connector.systems.syspro.writing.coding import Booked, booked, into_open_period
from ml_connector.systems.syspro.writing.company import Company
from ml_connector.systems.syspro.writing.form import Form
from ml_connector.systems.syspro.writing.gentjl import coded, journal_of, to_gentjl
from ml_connector.systems.syspro.writing.poster import Poster
from ml_connector.systems.syspro.writing.reply import Reply, another, members
from ml_connector.systems.syspro.writing.tables import GenJournalCtl, GenJournalDetail
from ml_connector.systems.transport.xml import text, to_decimal

POSTED = "P"
KEY = ("GlYear", "GlPeriod", "GlJournal")


class Journals:
    """Target of JournalEntry."""

    def __init__(self, poster: Poster, company: Company, policies: Policies) -> None:
        self._poster = poster
        self._company = company
        self._policies = policies

    def find(self, record: JournalEntry | Invoice, mark: str) -> list[Found[JournalEntry]]:
        """By mark: a journal has no other natural key."""
        rows = self._company.reading.rows(GenJournalCtl, that("Reference", "eq", mark))
        return [self._found(row) for row in rows]

    def get(self, key: str) -> Found[JournalEntry] | None:
        named = [part.strip() for part in parts(key)]
        if len(named) != len(KEY) or not all(part.isdigit() for part in named):
            return None
        rows = self._company.reading.matching(GenJournalCtl, KEY, [tuple(map(int, named))])
        return self._found(rows[0]) if rows else None

    def create(self, record: JournalEntry, mark: str) -> Ref:
        return self.post(record, mark, f"journal {record.reference}")

    def post(self, record: JournalEntry, mark: str, named: str) -> Ref:
        """Posts the entry and reads back its key. `named`: what people call it."""
        posting = to_gentjl(record, self._company.options.cost_centers, self._company.currencies.local, named)
        answer = self._poster.post(posting, validate_first=self._policies.validate_first)
        return self._ref(record, mark, answer, named)

    def update(self, ref: Ref, record: JournalEntry, mark: str) -> Ref:
        found = self.get(ref.key)
        if found is None:
            raise NotFound(f"SYSPRO has no journal {ref.key} any more.")
        changed = self.differences(record, found.record)
        if changed:
            raise NoLonger(
                "posted", f"Journal {ref.key} is posted in SYSPRO and is not amended. Different: {', '.join(changed)}."
            )
        return ref

    def cancel(self, ref: Ref, reason: str) -> None:
        raise NoLonger("posted", f"Journal {ref.key} is posted in SYSPRO. Enter a reversing journal there.")

    def identity_differences(self, sent: JournalEntry, found: JournalEntry) -> list[str]:
        """Reference, period and total; a journal has no supplier."""
        pairs = {
            "reference": sent.reference == found.reference,
            "period": (sent.year, sent.period) == (found.year, found.period),
            "debit": sent.debit == found.debit,
        }
        return [name for name, same in pairs.items() if not same]

    def differences(self, sent: JournalEntry, found: JournalEntry) -> list[str]:
        rule = self._company.options.cost_centers
        identity = self.identity_differences(sent, found)
        return [*identity, *(["lines"] if coded(sent, rule) != coded(found, rule) else [])]

    def _found(self, row: GenJournalCtl) -> Found[JournalEntry]:
        place = (row.gl_year, row.gl_period, row.gl_journal)
        details = self._company.reading.matching(GenJournalDetail, ("GlYear", "GlPeriod", "Journal"), [place])
        reference = (row.reference or "").strip()
        record = JournalEntry(
            date=readable_date(row.journal_date) or NO_DATE,
            year=row.gl_year,
            period=row.gl_period,
            reference=reference,
            note=(row.notation or "").strip() or None,
            currency=self._company.currencies.local,
            lines=tuple(self._line(detail) for detail in details),
        )
        return Found("/".join(map(str, place)), record, find_mark(reference), vouchers=(_shown(*place),))

    def _line(self, row: GenJournalDetail) -> JournalLine:
        """Whether a credit's value is below zero is not published: the entry's type decides."""
        rule, code = self._company.options.cost_centers, row.gl_code.rstrip()
        account, center = rule.split(code) if isinstance(rule, Segment) else (code, None)
        value = abs(row.entry_value)
        credit = (row.entry_type or "").strip() == "C"
        said = (row.comment or "").strip() or None
        return JournalLine(account=account, amount=-value if credit else value, cost_center=center, text=said)

    def _ref(self, record: JournalEntry, mark: str, answer: Reply, named: str) -> Ref:
        made = answer.first("Transaction")
        key = None if made is None else members(made, "Key")
        total = "" if made is None else text(made, "DebitAmount")
        if total and to_decimal(total) != record.debit:
            raise another(named, f"a journal of {total}")
        numbers = [] if key is None else [text(key, name) for name in KEY]
        if not numbers or not all(number.isdigit() for number in numbers):
            return self._read_back(record, mark, named)
        status = "" if made is None else text(made, "JnlStatus")
        year, period, journal = map(int, numbers)
        shown = _shown(year, period, journal)
        return Ref(f"{year}/{period}/{journal}", vouchers=(shown,), remarks=_remarks(status, shown, named))

    def _read_back(self, record: JournalEntry, mark: str, named: str) -> Ref:
        """The key that the answer did not name (R11)."""
        try:
            found = self.find(record, mark)
        except SystemFailure:
            found = []
        if len(found) != 1:
            raise another(named, "no journal")
        return Ref(found[0].key, vouchers=found[0].vouchers)


class InvoiceJournals:
    """Target of Invoice that posts to the ledger alone."""

    def __init__(self, journals: Journals, company: Company, policies: Policies) -> None:
        self._journals = journals
        self._company = company
        self._policies = policies
        self._tax_accounts: dict[str, str] | None = None

    def find(self, record: Invoice, mark: str) -> list[Found[JournalEntry]]:
        return self._journals.find(record, mark)

    def get(self, key: str) -> Found[JournalEntry] | None:
        return self._journals.get(key)

    def create(self, record: Invoice, mark: str) -> Ref:
        company, policy = self._company, self._policies.closed_period
        day, closed = record.posting_date, company.options.writing.closed_letters
        wanted = booked(day, company.periods, closed, policy, Form(about(record)))
        named = f"the journal of {about(record)}"
        return into_open_period(
            wanted,
            day,
            company.periods,
            policy,
            lambda period: self._journals.post(self._in(period, record, mark), mark, named),
        )

    def update(self, ref: Ref, record: Invoice, mark: str) -> Ref:
        found = self.get(ref.key)
        return self._journals.update(ref, self._compared(record, mark, None if found is None else found.record), mark)

    def cancel(self, ref: Ref, reason: str) -> None:
        self._journals.cancel(ref, reason)

    def identity_differences(self, sent: Invoice, found: JournalEntry) -> list[str]:
        """Of the entry that the invoice makes. Only one with our mark is ever found, so it stands for the rest; the
        period is the day's on which it was posted."""
        return self._journals.identity_differences(self._compared(sent, found.reference, found), found)

    def differences(self, sent: Invoice, found: JournalEntry) -> list[str]:
        return self._journals.differences(self._compared(sent, found.reference, found), found)

    def _compared(self, record: Invoice, mark: str, found: JournalEntry | None = None) -> JournalEntry:
        """What is compared, whether or not its period is still open."""
        period = self._company.periods.current if found is None else Period(found.year, found.period)
        return self._in(Booked(period, "C"), record, mark)

    def _in(self, period: Booked, record: Invoice, mark: str) -> JournalEntry:
        company = self._company
        if self._tax_accounts is None:
            self._tax_accounts = {
                row.tax_code.strip(): (row.ap_tax_gl_code or "").strip() for row in company.reading.rows(AdmTax)
            }
        control = company.options.writing.control_account
        return journal_of(record, mark, period, control, company.currencies.local, self._tax_accounts)


def _shown(year: int, period: int, journal: int) -> str:
    """What people know a journal by: `2026-11 00117`."""
    return f"{year}-{period:02} {journal:05}"


def _remarks(status: str, shown: str, named: str) -> tuple[Remark, ...]:
    if status in {"", POSTED}:
        return ()
    return (
        Remark(
            "posted_not_in_ledger",
            f"{Form(named).opening} was entered as journal {shown}, but not posted (status {status}).",
            "Post the journal in SYSPRO (GL Journal Entry). It is not entered again.",
        ),
    )
