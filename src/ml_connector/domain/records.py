"""The canonical records. Frozen; absent means unknown, never empty and never zero.

A record holds what is compared and sent. What a source states besides (balances, fingerprints) travels beside
it and is not part of the content hash. All amounts of an invoice are positive; `kind` gives the direction (R26).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from ml_connector.domain.approvals import InvoiceApproval
from ml_connector.domain.canonical import HASH_VERSION, Record, canonical, content_hash
from ml_connector.domain.journals import JournalEntry
from ml_connector.domain.money import step
from ml_connector.domain.numbers import normalised
from ml_connector.domain.orders import PurchaseOrder, Receipt

__all__ = [
    "CODE_TYPES",
    "HASH_VERSION",
    "RECORD_TYPES",
    "AccountType",
    "Address",
    "CostCenter",
    "Currency",
    "GlAccount",
    "Invoice",
    "InvoiceApproval",
    "InvoiceKind",
    "InvoiceLine",
    "InvoiceStatus",
    "JournalEntry",
    "LineKind",
    "Payment",
    "PaymentAllocation",
    "PaymentStatus",
    "PaymentTerm",
    "PurchaseOrder",
    "Receipt",
    "Record",
    "Supplier",
    "TaxCode",
    "TaxIdKind",
    "canonical",
    "content_hash",
    "decode",
]


class TaxIdKind(StrEnum):
    EIN = "ein"
    SSN = "ssn"
    VAT = "vat"
    OTHER = "other"


class Address(Record, frozen=True, kw_only=True, omit_defaults=True):
    line1: str
    line2: str | None = None
    line3: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    """ISO 3166-1 alpha-2 on the target's side; the source's own code before resolution."""


class Supplier(Record, frozen=True, kw_only=True, omit_defaults=True):
    code: str
    name: str
    short_name: str | None = None
    tax_id: str | None = None
    tax_id_kind: TaxIdKind | None = None
    reportable_1099: bool = False
    currency: str | None = None
    terms: str | None = None
    address: Address | None = None
    email: str | None = None
    phone: str | None = None
    contact: str | None = None
    on_hold: bool = False
    payment_blocked: bool = False
    needs_receipt_match: bool = False
    default_account: str | None = None


class AccountType(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    REVENUE = "revenue"
    EXPENSE = "expense"
    STATISTICAL = "statistical"
    HEADING = "heading"


class GlAccount(Record, frozen=True, kw_only=True, omit_defaults=True):
    code: str
    """What a document names it by: SYSPRO's GlCode, BILL's id."""
    name: str
    type: AccountType
    postable: bool
    control: bool = False
    number: str | None = None
    """What people know it by, where that is not the code: BILL's account.number."""
    currency: str | None = None
    requires: tuple[str, ...] = ()


class CostCenter(Record, frozen=True, kw_only=True, omit_defaults=True):
    code: str
    name: str
    dimension: str
    postable: bool = True
    number: str | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


class Currency(Record, frozen=True, kw_only=True, omit_defaults=True):
    code: str
    """The source's own spelling, for example `$`."""
    name: str
    iso: str | None = None
    base: bool = False
    rate: Decimal | None = None
    rate_direction: str | None = None


class PaymentTerm(Record, frozen=True, kw_only=True, omit_defaults=True):
    code: str
    name: str
    due_days: int | None = None
    due_day_of_month: int | None = None
    due_months: int | None = None
    discount_percent: Decimal | None = None
    discount_days: int | None = None


class TaxCode(Record, frozen=True, kw_only=True, omit_defaults=True):
    code: str
    name: str
    percent: Decimal
    account: str | None = None


class InvoiceKind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    DEBIT_NOTE = "debit_note"


class InvoiceStatus(StrEnum):
    APPROVED = "approved"
    VOIDED = "voided"


class LineKind(StrEnum):
    ITEM = "item"
    TAX = "tax"
    FREIGHT = "freight"
    CHARGE = "charge"
    DISCOUNT = "discount"
    ROUNDING = "rounding"
    WITHHOLDING = "withholding"


class InvoiceLine(Record, frozen=True, kw_only=True, omit_defaults=True):
    line_key: str
    kind: LineKind = LineKind.ITEM
    description: str | None = None
    amount: Decimal
    """Net of tax, in the document's currency; negative only where the line runs against its document."""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    account: str
    cost_center: str | None = None
    department: str | None = None
    project: str | None = None
    tax_code: str | None = None
    order_line: str | None = None
    receipt: str | None = None


class Invoice(Record, frozen=True, kw_only=True, omit_defaults=True):
    kind: InvoiceKind = InvoiceKind.INVOICE
    number: str
    supplier: str
    date: dt.date
    posting_date: dt.date | None = None
    due_date: dt.date
    discount_date: dt.date | None = None
    discount: Decimal | None = None
    currency: str
    rate: Decimal | None = None
    rate_date: dt.date | None = None
    rate_source: str | None = None
    gross: Decimal
    net: Decimal
    tax: Decimal = Decimal(0)
    freight: Decimal = Decimal(0)
    charges: Decimal = Decimal(0)
    withholding: Decimal = Decimal(0)
    base_gross: Decimal | None = None
    """Gross in the company's own currency."""
    status: InvoiceStatus = InvoiceStatus.APPROVED
    corrects: str | None = None
    orders: tuple[str, ...] = ()
    hold: str | None = None
    memo: str | None = None
    voucher: str | None = None
    lines: tuple[InvoiceLine, ...]

    @property
    def number_normalised(self) -> str:
        return normalised(self.number)

    def difference(self) -> Decimal:
        """What the header has that the lines do not add up to; 0 for a document that may travel (R22)."""
        return self.gross - sum((line.amount for line in self.lines), Decimal(0))

    def header_difference(self) -> Decimal:
        """Gross less net, tax, freight, charges, plus withholding; 0 for a consistent header (R22)."""
        return self.gross - (self.net + self.tax + self.freight + self.charges - self.withholding)

    def base_difference(self) -> Decimal | None:
        """Gross x rate less the posted base amount, or None where one of them is unknown (R25)."""
        if self.rate is None or self.base_gross is None:
            return None
        return self.gross * self.rate - self.base_gross

    def adds_up(self) -> bool:
        smallest = step(self.currency)
        return abs(self.difference()) < smallest and abs(self.header_difference()) < smallest


class PaymentStatus(StrEnum):
    PENDING = "pending"
    IN_FLIGHT = "in_flight"
    ISSUED = "issued"
    CLEARED = "cleared"
    VOIDED = "voided"
    FAILED = "failed"
    UNKNOWN = "unknown"


class CreditUsed(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a credit note that settles an invoice besides the cash."""

    ref: str
    """The credit note's key."""
    amount: Decimal


class PaymentAllocation(Record, frozen=True, kw_only=True, omit_defaults=True):
    invoice: str
    gross: Decimal
    """What of the invoice is settled: net + discount + credit."""
    net: Decimal
    discount: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)
    """Sum of `credits`; where the source names none, of those that it does not name."""
    credits: tuple[CreditUsed, ...] = ()


class Payment(Record, frozen=True, kw_only=True, omit_defaults=True):
    supplier: str
    date: dt.date
    amount: Decimal
    currency: str
    method: str = "other"
    reference: str | None = None
    status: PaymentStatus
    status_text: str | None = None
    """The source's own word for the status."""
    failure: str | None = None
    """What kept the money from arriving, in the source's words."""
    credited: bool = False
    """Taken back for a credit with the supplier: the money did not come back."""
    cycle: int = 1
    """How many times it was made under the same key: again after it was taken back."""
    cleared_date: dt.date | None = None
    base_amount: Decimal | None = None
    rate: Decimal | None = None
    allocations: tuple[PaymentAllocation, ...]


CODE_TYPES = frozenset({"gl_account", "cost_center", "currency", "payment_term", "tax_code"})
"""Record types whose records documents name by a code."""

RECORD_TYPES: dict[str, type[Record]] = {
    "supplier": Supplier,
    "gl_account": GlAccount,
    "cost_center": CostCenter,
    "currency": Currency,
    "payment_term": PaymentTerm,
    "tax_code": TaxCode,
    "invoice": Invoice,
    "payment": Payment,
    "purchase_order": PurchaseOrder,
    "journal_entry": JournalEntry,
    "receipt": Receipt,
    "invoice_approval": InvoiceApproval,
}
"""The record type that a Flow names, and its class."""


def decode(record_type: str, payload: bytes) -> Any:
    """The record behind a stored payload. Raises KeyError for an unknown type."""
    return msgspec.json.decode(payload, type=RECORD_TYPES[record_type])
