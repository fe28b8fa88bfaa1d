"""accountingDocument -> Invoice. Pure.

A document is approved when it waits for transfer; no status of that name exists. `netSum`, `taxSum1` and `grossSum` are
in the invoice's currency; those that end in `Company` in the company's. `taxSum2` is tax that is not paid, but some
tenants count it in: whichever makes the gross is taken. A document below zero is a credit note. Coding rows carry the
cost side alone, in the order of `rowIndex`, which may have gaps. Documents of the mode InvoiceEnrichment are not
approved for payment and never leave here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from ml_connector.domain.money import MINOR_UNITS
from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, LineKind
from ml_connector.systems.base import Item
from ml_connector.systems.basware.rows import ZERO, Unsound, amount, day, instant, members, number, text, words
from ml_connector.systems.basware.session import Json
from ml_connector.systems.basware.settings import Options

NO_DATE = date(1900, 1, 1)
"""Stands for a date that is missing, in a record that cannot travel for it."""
NO_CURRENCY = "XXX"
RATE_DIGITS = Decimal("0.000000001")
BASE_NOISE = Decimal("0.05")
"""What gross x rate may differ from the gross in the company's currency by, for a direction of the rate to agree."""

WAITING = "WaitingForTransfer"
CLAIMED = "TransferInProgress"
TRANSFERRED = "Transferred"
FAILED = "TransferFailed"
PAID = "Paid"
STANDARD_MODE = "Standard"

WITHDRAWN = frozenset({"Removed", "Returned"})
"""Besides what the settings name: statuses of documents that P2P no longer has."""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer that was given to a document."""

    external_code: str
    success: bool
    voucher: str | None
    paid_total: Decimal | None
    message: str | None


def approved(row: Json) -> bool:
    """Whether the document was handled in P2P and is approved for payment, and not only enriched there."""
    return (words(row, "p2pProcessingMode") or STANDARD_MODE) == STANDARD_MODE


def responses(row: Json, name: str) -> list[Response]:
    """The answers to a document of one kind (`transferResponses`, `paymentResponses`), in Basware's order."""
    return [
        Response(
            words(one, "externalCode") or "",
            one.get("success") is True,
            words(one, "voucherNumber1"),
            number(one, "paidTotal"),
            words(one, "responseMessage"),
        )
        for one in members(row, name)
    ]


def cycle(row: Json) -> int:
    """How many times the document has been up for transfer: once more than its transfer was answered as failed."""
    return 1 + sum(not one.success for one in responses(row, "transferResponses"))


def from_document(row: Json, options: Options) -> Item[Invoice]:
    """The invoice that a document is. One that cannot travel says why, and does not keep the others from it."""
    key, status = text(row, "invoiceId"), text(row, "processingStatus")
    name = words(row, "invoiceNumber")
    supplier = words(row, "supplierCode")
    about = f"Invoice {name or key} of supplier {supplier or '(none)'}"
    problem: str | None = None
    currency = text(row, "currencyCode").upper()
    if currency not in MINOR_UNITS:
        problem = f"unmapped_code: {about} is in {currency!r}, which is no ISO 4217 currency. Correct it in P2P."
        currency = NO_CURRENCY
    sums, lines = Sums(), tuple[InvoiceLine, ...]()
    if problem is None:
        try:
            sums = _sums(row, currency, about)
            lines = tuple(_lines(row, sums, currency, options, about))
        except Unsound as unsound:
            problem = str(unsound)
    invoiced, due = day(row, "invoiceDate"), day(row, "dueDate")
    problem = problem or _missing(
        about, {"invoiceNumber": name, "supplierCode": supplier, "invoiceDate": invoiced, "dueDate": due}
    )
    rate, base = _rate(row, sums, currency, options)
    credit = sums.sign < 0 or (words(row, "invoiceTypeCode") or "") in options.credit_type_codes
    gone = status in WITHDRAWN or status in options.withdrawn_statuses
    record = Invoice(
        kind=InvoiceKind.CREDIT_NOTE if credit else InvoiceKind.INVOICE,
        number=name or key,
        supplier=supplier or "",
        date=invoiced or NO_DATE,
        posting_date=day(row, "voucherDate"),
        due_date=due or invoiced or NO_DATE,
        discount_date=day(row, "cashDate") if sums.discount else None,
        discount=sums.discount or None,
        currency=currency,
        rate=rate,
        rate_date=day(row, "exchangeRateBaseDate") if rate else None,
        rate_source="Basware" if rate else None,
        gross=sums.gross,
        net=sums.net,
        tax=sums.tax,
        base_gross=base,
        status=InvoiceStatus.VOIDED if gone else InvoiceStatus.APPROVED,
        corrects=words(row, options.credit_reference_field) if credit else None,
        orders=_orders(row),
        hold="payment block in Basware" if row.get("paymentBlock") is True else None,
        memo=words(row, "description"),
        lines=lines,
    )
    observed = {"status": status, "cycle": str(cycle(row)), "company": text(row, "companyCode")}
    if status == WAITING:
        observed["offered"] = observed["cycle"]
    return Item(key, record, None, instant(row, "lastUpdated"), observed, problem)


@dataclass(frozen=True, slots=True)
class Sums:
    """The header's amounts, all positive but for what runs against its document."""

    sign: int = 1
    gross: Decimal = ZERO
    net: Decimal = ZERO
    tax: Decimal = ZERO
    discount: Decimal = ZERO


def _sums(row: Json, currency: str, about: str) -> Sums:
    gross = amount(row, "grossSum", currency)
    if gross is None:
        raise Unsound(f"field_missing: {about} has no grossSum. Enter its total in P2P.")
    net = amount(row, "netSum", currency)
    paid_tax, other_tax = amount(row, "taxSum1", currency), amount(row, "taxSum2", currency) or ZERO
    if paid_tax is None:
        # The one is the total without tax, the other that with it.
        paid_tax = ZERO if net is None else gross - net
    if net is None:
        net = gross - paid_tax
    both = net + paid_tax + other_tax == gross != net + paid_tax
    sign = -1 if gross < 0 else 1
    tax = paid_tax + other_tax if both else paid_tax
    return Sums(sign, gross * sign, net * sign, tax * sign, abs(amount(row, "cashSum", currency) or ZERO))


def _lines(row: Json, sums: Sums, currency: str, options: Options, about: str) -> Iterator[InvoiceLine]:
    """The coding rows, and one line for the header's tax."""
    coding = sorted(members(row, "codingRows"), key=lambda one: number(one, "rowIndex") or ZERO)
    if not coding:
        raise Unsound(f"totals_differ: {about} has no coding rows. Code it in P2P, then transfer it again.")
    for one in coding:
        shown = f"{about}, coding row {number(one, 'rowIndex') or words(one, 'externalCode')}"
        net = _net(one, currency, shown)
        account = words(one, "accountCode")
        if account is None:
            if net == 0:
                continue
            raise Unsound(f"unmapped_code: {shown} has no account. Enter it in P2P, then transfer it again.")
        ordered, item = words(one, "orderNumber"), words(one, "orderLineNumber")
        yield InvoiceLine(
            line_key=text(one, "externalCode"),
            description=words(one, "productName") or words(one, "lastComment"),
            amount=net * sums.sign,
            account=account,
            cost_center=words(one, options.cost_center_field),
            project=words(one, "projectCode"),
            tax_code=words(one, "taxCode"),
            order_line=f"{ordered}/{item}" if ordered and item else None,
            receipt=words(one, "goodsReceiptNumber"),
        )
    if sums.tax:
        if not options.tax_account:
            raise Unsound(
                f"account_missing: {about} has tax of {sums.tax} {currency}, and no account is set for tax. Enter "
                "tax_account in the Connection to Basware."
            )
        yield InvoiceLine(
            line_key="tax",
            kind=LineKind.TAX,
            amount=sums.tax,
            account=options.tax_account,
            tax_code=words(row, "taxCode"),
        )


def _net(one: Json, currency: str, about: str) -> Decimal:
    """A row's net amount; where only the gross one is given, that less its tax."""
    net = amount(one, "netTotal", currency)
    if net is not None:
        return net
    gross = amount(one, "grossTotal", currency)
    if gross is None:
        raise Unsound(f"totals_differ: {about} has no amount. Enter it in P2P, then transfer it again.")
    return gross - (amount(one, "taxSum", currency) or ZERO)


def _rate(row: Json, sums: Sums, currency: str, options: Options) -> tuple[Decimal | None, Decimal | None]:
    """The rate by which the gross becomes company currency, and that gross; nothing for a document in it."""
    theirs = (words(row, "currencyCodeCompany") or currency).upper()
    given = number(row, "exchangeRateCompany")
    if theirs == currency or theirs not in MINOR_UNITS or not given:
        return None, None
    base = number(row, "grossSumCompany")
    base = None if base is None else abs(base)
    inverse = (1 / given).quantize(RATE_DIGITS, rounding=ROUND_HALF_EVEN)
    rates = {"multiply": (given,), "divide": (inverse,), "auto": (given, inverse)}[options.rate_direction]
    if base is not None:
        agreeing = [rate for rate in rates if abs(sums.gross * rate - base) <= BASE_NOISE]
        return (agreeing or list(rates))[0], base
    return rates[0], None


def _orders(row: Json) -> tuple[str, ...]:
    """The orders that the document names, and those that its rows were matched with."""
    named = row.get("orderNumbers")
    listed = [one.strip() for one in named if isinstance(one, str)] if isinstance(named, list) else []
    matched = [words(one, "orderNumber") for one in members(row, "codingRows")]
    return tuple(dict.fromkeys(one for one in [*listed, *matched] if one))


def _missing(about: str, fields: dict[str, object]) -> str | None:
    absent = [name for name, value in fields.items() if value is None]
    if not absent:
        return None
    return f"field_missing: {about} has no {', '.join(absent)}. Enter it in P2P, then transfer the invoice again."
