"""What is left of a record when its content is removed (R69, R70)."""

from __future__ import annotations

from ml_connector.domain.records import Invoice, JournalEntry, Payment, PurchaseOrder, Record, Supplier


def bare(record: Record) -> Record:
    """The same kind of record with keys, dates, amounts and status only: what a tie-out, a search for twins and later
    documents of a supplier need. Lines, texts, names, addresses, contacts and tax ids are gone. Code lists have no such
    content and stay as they are."""
    match record:
        case Invoice():
            return Invoice(
                kind=record.kind, number=record.number, supplier=record.supplier, date=record.date,
                posting_date=record.posting_date, due_date=record.due_date, currency=record.currency,
                gross=record.gross, net=record.net, tax=record.tax, freight=record.freight, charges=record.charges,
                withholding=record.withholding, status=record.status, corrects=record.corrects, lines=(),
            )  # fmt: skip
        case Supplier():
            return Supplier(
                code=record.code, name="", currency=record.currency, terms=record.terms, on_hold=record.on_hold,
                payment_blocked=record.payment_blocked, needs_receipt_match=record.needs_receipt_match,
                default_account=record.default_account,
            )  # fmt: skip
        case Payment():
            return Payment(
                supplier=record.supplier, date=record.date, amount=record.amount, currency=record.currency,
                reference=record.reference, status=record.status, cycle=record.cycle,
                cleared_date=record.cleared_date, allocations=(),
            )  # fmt: skip
        case PurchaseOrder():
            return PurchaseOrder(
                number=record.number, revision=record.revision, supplier=record.supplier, date=record.date,
                due_date=record.due_date, currency=record.currency, status=record.status, total=record.total,
                freight=record.freight, other=record.other, tax=record.tax, discount=record.discount, lines=(),
            )  # fmt: skip
        case JournalEntry():
            return JournalEntry(
                date=record.date, year=record.year, period=record.period, reference=record.reference,
                currency=record.currency, lines=(),
            )  # fmt: skip
    return record
