"""Payment -> the body of a vendor payment. Pure.

A row's document is a customer's invoice unless its type is said. Amounts of rows are in the company's own currency, or
in a foreign document's as `AppliedFC`. What is applied less than the means stays on account, and nothing stops a second
payment: what should not be posted is refused here, before anything leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from ml_connector.domain.records import Payment
from ml_connector.systems.base import Refused
from ml_connector.systems.sapb1.company import Company
from ml_connector.systems.sapb1.documents import INVOICES, Kind
from ml_connector.systems.sapb1.errors import NAME, opening
from ml_connector.systems.sapb1.rows import ZERO
from ml_connector.systems.sapb1.session import Json
from ml_connector.systems.sapb1.settings import Options

REFERENCE_MAX = 27
REMARKS_MAX = 254


@dataclass(frozen=True, slots=True)
class Paid:
    """An invoice or credit note as it stands before it is paid."""

    kind: Kind
    entry: int
    number: str
    supplier: str
    currency: str
    open: Decimal | None
    """None where the release does not say."""
    usable: bool
    branch: int | None


def to_payment(payment: Payment, mark: str, documents: Mapping[str, Paid], company: Company, options: Options) -> Json:
    """The body of a create. Raises Refused, naming document and field, for what would not or should not be posted."""
    about = about_payment(payment)
    _check(payment, mark, documents, company, options, about)
    foreign = payment.currency != company.local_currency
    name = "AppliedFC" if foreign else "SumApplied"
    rows = []
    for key, value in applied(payment):
        paid = documents[key]
        kind = "it_PurchaseInvoice" if paid.kind is INVOICES else "it_PurchaseCreditNote"
        rows.append({"DocEntry": paid.entry, "InvoiceType": kind, "InstallmentId": 1, name: value})
    body: Json = {
        "DocType": "rSupplier",
        "CardCode": payment.supplier,
        "DocDate": payment.date.isoformat(),
        "TransferDate": payment.date.isoformat(),
        "TransferAccount": options.bill_clearing_account,
        "TransferSum": payment.amount,
        "TransferReference": mark,
        "Remarks": remarks(payment, mark),
        "PaymentInvoices": rows,
    }
    if foreign:
        body["DocCurrency"] = payment.currency
        if payment.rate is not None:
            rate = payment.rate if company.rates_direct else 1 / payment.rate
            body["DocRate"] = rate.quantize(Decimal(1).scaleb(-company.rate_digits), rounding=ROUND_HALF_UP)
    if company.branches:
        body["BPLID"] = _branch(documents.values(), about)
    return body


def applied(payment: Payment) -> list[tuple[str, Decimal]]:
    """What is applied to each document, by key: to an invoice the cash and the credits that it uses, to each of these
    credit notes as much below zero. A document has one row, whatever it is paid with."""
    rows: dict[str, Decimal] = {}
    for paid in payment.allocations:
        rows[paid.invoice] = rows.get(paid.invoice, ZERO) + paid.net + paid.credit
    for paid in payment.allocations:
        for used in paid.credits:
            rows[used.ref] = rows.get(used.ref, ZERO) - used.amount
    return list(rows.items())


def ours(reference: str, remarks_: str) -> bool:
    """Whether a payment was posted by us, under whatever mark: its remarks then end in its reference."""
    return bool(reference) and (remarks_ == reference or remarks_.endswith(_tail(reference)))


def remarks(payment: Payment, mark: str) -> str:
    """What people read: the other system's number, shortened where it must be, and the mark, whole."""
    tail = _tail(mark)
    reference = (payment.reference or "").strip()
    room = REMARKS_MAX - len(tail)
    shown = reference if len(reference) <= room else f"{reference[: room - 1]}…"
    return f"{shown}{tail}" if shown else mark


def _tail(mark: str) -> str:
    return f" · {mark}"


def _check(
    payment: Payment, mark: str, documents: Mapping[str, Paid], company: Company, options: Options, about: str
) -> None:
    if not options.bill_clearing_account:
        raise Refused(
            "field_missing",
            f"{opening(about)} needs the clearing account. Enter bill_clearing_account in the Connection's settings.",
            "bill_clearing_account",
        )
    if not payment.allocations:
        raise Refused("field_missing", f"{opening(about)} names no invoice that it pays.", "PaymentInvoices")
    rows = applied(payment)
    if company.most_documents and len(rows) > company.most_documents:
        raise Refused(
            "too_many_documents",
            f"{opening(about)} pays {len(rows)} documents. One payment takes "
            f"{company.most_documents} here (MaxNumberOfDocumentsInPmt). Raise the limit in SAP Business One, or post "
            "it by hand.",
            "PaymentInvoices",
        )
    if len(mark) > REFERENCE_MAX:
        raise Refused("field_too_long", f"The reference of {about} is longer than 27 characters.", "TransferReference")
    total = sum((value for _, value in rows), ZERO)
    if total != payment.amount:
        raise Refused(
            "totals_differ",
            f"{opening(about)} is split over its documents as {total} {payment.currency}, which is another amount.",
            "PaymentInvoices",
        )
    if any(paid.discount for paid in payment.allocations):
        raise Refused("unsupported", f"{opening(about)} takes a discount. Post it by hand.", "TotalDiscount")
    for key, value in rows:
        _check_document(key, value, documents.get(key), payment, about)


def _check_document(key: str, value: Decimal, paid: Paid | None, payment: Payment, about: str) -> None:
    if paid is None:
        raise Refused("reference_missing", f"{NAME} has no document {key}, which {about} pays.", "PaymentInvoices")
    named = f"{paid.kind.noun} {paid.number}"
    if paid.supplier != payment.supplier:
        raise Refused(
            "reference_missing",
            f"The {named} belongs to {paid.supplier}; {about} is for another supplier.",
            "CardCode",
        )
    if paid.currency != payment.currency:
        raise Refused("currency_not_allowed", f"The {named} is in {paid.currency}; {about} is not.", "DocCurrency")
    if not paid.usable:
        raise Refused(
            "document_closed",
            f"The {named} is closed or cancelled in {NAME}, so {about} cannot be applied to it. Look up who paid it.",
            "PaymentInvoices",
        )
    if paid.open is not None and abs(value) > paid.open:
        raise Refused(
            "over_application",
            f"Of the {named} {paid.open} {paid.currency} are open in {NAME}; {about} would apply {abs(value)}. Look up "
            "what was paid already.",
            "SumApplied",
        )


def _branch(documents: Iterable[Paid], about: str) -> int:
    branches = {paid.branch for paid in documents}
    branch = branches.pop()
    if branches or branch is None:
        raise Refused(
            "branch",
            f"The documents of {about} lie in several branches, or in none. A payment belongs to one: split it.",
            "BPLID",
        )
    return branch


def about_payment(record: Payment) -> str:
    """What a payment is called in a sentence."""
    return f"the payment of {record.amount} {record.currency} on {record.date} to {record.supplier}"
