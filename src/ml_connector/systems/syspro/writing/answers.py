"""APSTIN's answer, and the invoice that the tables show afterwards. Pure."""

from __future__ import annotations

from decimal import Decimal

from ml_connector.domain.numbers import find_mark
from ml_connector.domain.records import Invoice, InvoiceStatus
from ml_connector.systems.base import DocumentState, Found, Item, Remark
from ml_connector.systems.syspro.postings import ENTRY, Entry
from ml_connector.systems.syspro.tables import ApJnlSummary
from ml_connector.systems.syspro.writing.form import Form
from ml_connector.systems.syspro.writing.reply import Reply
from ml_connector.systems.syspro.writing.tables import InvoiceReference
from ml_connector.systems.transport.xml import Element, text, walk


def found_of(item: Item[Invoice], row: InvoiceReference) -> Found[Invoice]:
    """The invoice with the mark in its reference and the entry by which it was booked."""
    record = item.record
    left = Decimal(item.observed.get("open", "0"))
    place = (row.invoice_year, row.invoice_month, row.journal, row.entry_number)
    mark = find_mark(row.reference or "")
    return Found(item.key, record, mark, _state(record, left), left, vouchers=(register(place),))


def _state(record: Invoice, left: Decimal) -> DocumentState:
    if record.status is InvoiceStatus.VOIDED:
        return DocumentState.ARCHIVED
    if left == record.gross:
        return DocumentState.OPEN
    return DocumentState.PART_PAID if left else DocumentState.PAID


def ledger_remarks(answer: Reply, about: str) -> tuple[Remark, ...]:
    """The payables side is posted, the ledger's is not: never posted again, and people must know."""
    ledger = answer.first("GlJournal")
    error = "" if ledger is None else text(ledger, "GlJournalError")
    if not error.strip("0"):
        return ()
    said = text(ledger, "GlJournalMessage") if ledger is not None else ""
    return (
        Remark(
            "posted_not_in_ledger",
            f"{Form(about).opening} is posted in accounts payable, but not in the general ledger. SYSPRO says: "
            f"{said or 'no words'} ({error}).",
            "Integrate the AP journal into the ledger in SYSPRO (AP to GL Integration). It is not posted again.",
        ),
    )


def entry_of(key: Element) -> Entry | None:
    """Year, month, journal and entry of an answer's key; None where it does not name them all."""
    given = [text(key, name) for name in ENTRY]
    if not all(value.isdigit() for value in given):
        return None
    year, month, journal, entry = map(int, given)
    return year, month, journal, entry


def vouchers(entry: Entry | None, answer: Reply) -> tuple[str, ...]:
    """The entry in the AP register, and the ledger's journal where one was made at once."""
    booked = () if entry is None else (register(entry),)
    ledger = next((each for each in walk(answer.root, "GlJournal") if len(each)), None)
    journal = "" if ledger is None else text(ledger, "GlJournal")
    return (*booked, journal) if journal.strip("0") else booked


def register(entry: Entry) -> str:
    """What people know an entry of the AP register by: `2026-11 00017-001`."""
    return f"{entry[0]}-{entry[1]:02} {entry[2]:05}-{entry[3]:03}"


def place_of(row: ApJnlSummary) -> Entry:
    return row.trn_year, row.trn_month, row.journal, row.entry_number
