"""PurchaseInvoices and PurchaseCreditNotes -> Invoice. Pure.

`DocTotal`, `LineTotal`, `VatSum` are in the company's own currency; `DocTotalFc`, `RowTotalFC`, `VatSumFc` in a foreign
document's, 0 for others. Lines are net; the total is gross, with freight, the document's discount and rounding; whether
withholding tax has been taken off it already differs by how the tax is set up. A cancellation makes a second row,
which is no document of its own: the first one turns cancelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, LineKind
from ml_connector.systems.base import Item
from ml_connector.systems.sapb1.company import Books
from ml_connector.systems.sapb1.errors import opening
from ml_connector.systems.sapb1.rows import (
    ZERO,
    Unsound,
    amount,
    day,
    entry,
    members,
    number,
    part,
    stamp,
    text,
    whole,
    words,
    yes,
)
from ml_connector.systems.sapb1.session import Json
from ml_connector.systems.sapb1.settings import Options
from ml_connector.systems.sapb1.stamps import instant

NO_DATE = date(1900, 1, 1)
"""Stands for a date that is missing, in a record that cannot travel for it."""
ORDER, INVOICE = 22, 18
"""Object types that a line is based on."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two sets, which share their fields."""

    entity: str
    kind: InvoiceKind
    noun: str
    prefix: str
    """Of keys, because both sets count their documents from 1."""

    def key(self, number: int) -> str:
        return f"{self.prefix}{number}"

    def entry(self, key: str) -> int | None:
        """The DocEntry in a key, None for a key of another set."""
        return entry(key.removeprefix(self.prefix)) if key.startswith(self.prefix) else None


INVOICES = Kind("PurchaseInvoices", InvoiceKind.INVOICE, "invoice", "")
CREDIT_NOTES = Kind("PurchaseCreditNotes", InvoiceKind.CREDIT_NOTE, "credit note", "CN-")

SELECT = (
    "DocEntry", "DocNum", "DocDate", "DocDueDate", "TaxDate", "CardCode", "NumAtCard", "DocTotal", "DocTotalFc",
    "DocCurrency", "DocRate", "VatSum", "VatSumFc", "TotalDiscount", "TotalDiscountFC", "RoundingDiffAmount",
    "RoundingDiffAmountFC", "WTAmount", "WTAmountFC", "PaidToDate", "PaidToDateFC", "PaymentBlock", "Cancelled",
    "CancelStatus", "DocumentStatus", "AuthorizationStatus", "Comments", "CreationDate", "UpdateDate", "UpdateTime",
    "ClosingDate", "DocumentLines", "DocumentAdditionalExpenses", "DocumentInstallments",
)  # fmt: skip
OPTIONAL = frozenset({"PaidToDate", "PaidToDateFC"})
"""Absent from older releases."""


def cancellation(row: Json) -> bool:
    """Whether a row only takes another one back."""
    return part(row, "CancelStatus") in {"csCancellation", "C"}


def voided(row: Json) -> bool:
    return yes(row, "Cancelled") or part(row, "CancelStatus") in {"csYes", "Y"}


class Documents:
    """Turns rows of one set into Items of Invoice, with what is known of the company."""

    def __init__(self, kind: Kind, books: Books, options: Options, policy: Mapping[str, Any]) -> None:
        self.kind = kind
        self._books = books
        self._options = options
        self._by_number = policy.get("empty_number") == "docnum"

    def item(self, row: Json, orders: Mapping[int, str]) -> Item[Invoice]:
        """The document of a row that is no cancellation. `orders`: number by DocEntry of the orders it names."""
        internal, supplier = whole(row, "DocEntry"), text(row, "CardCode")
        voucher = f"{whole(row, 'DocNum')}/{internal}"
        local = self._books.company.local_currency
        currency = self._books.iso(words(row, "DocCurrency"))
        foreign = bool(currency) and currency != local
        name = words(row, "NumAtCard")
        number_ = name or str(row["DocNum"])
        about = f"{self.kind.noun} {number_} of {supplier} (document {voucher})"
        problem = None
        if name is None and not self._by_number:
            problem = f"field_missing: {opening(about)} has no vendor reference number. Enter it (NumAtCard)."
        try:
            money = Money(row, currency, about, foreign=foreign)
            lines = tuple(self._lines(row, money, orders))
            total = money.of("DocTotal", "DocTotalFc")
            gross = payable(lines, total, money.of("WTAmount", "WTAmountFC"), about)
            self._one_installment(row, about)
        except Unsound as unsound:
            problem, currency = str(unsound), currency or local
            lines, gross = (), abs(number(row, "DocTotal"))
        sums = {kind: sum((line.amount for line in lines if line.kind is kind), ZERO) for kind in LineKind}
        day_ = day(row, "TaxDate") or day(row, "DocDate")
        rate = number(row, "DocRate") if foreign else ZERO
        record = Invoice(
            kind=self.kind.kind,
            number=number_,
            supplier=supplier,
            date=day_ or NO_DATE,
            posting_date=day(row, "DocDate"),
            due_date=day(row, "DocDueDate") or day_ or NO_DATE,
            currency=currency,
            rate=rate or None,
            rate_date=day(row, "DocDate") if rate else None,
            rate_source="SAP Business One" if rate else None,
            gross=gross,
            net=gross - sums[LineKind.TAX] - sums[LineKind.FREIGHT] - sums[LineKind.WITHHOLDING],
            tax=sums[LineKind.TAX],
            freight=sums[LineKind.FREIGHT],
            withholding=-sums[LineKind.WITHHOLDING],
            base_gross=_base(row, local) if rate and problem is None and not number(row, "WTAmount") else None,
            status=InvoiceStatus.VOIDED if voided(row) else InvoiceStatus.APPROVED,
            corrects=self._corrects(row),
            orders=tuple(dict.fromkeys(line.order_line for line in lines if line.order_line)),
            hold=self._hold(row),
            memo=words(row, "Comments"),
            voucher=voucher,
            lines=lines,
        )
        if day_ is None and problem is None:
            problem = f"source_shape_changed: {opening(about)} has no date."
        changed = instant(stamp(row, "UpdateDate", "UpdateTime"), self._options.zone)
        return Item(self.kind.key(internal), record, None, changed, self._observed(row, gross, foreign), problem)

    def _lines(self, row: Json, money: Money, orders: Mapping[int, str]) -> Iterator[InvoiceLine]:
        """The lines of the document, and one for each amount that is only in its header."""
        center = "CostingCode" if self._options.cost_dimension == 1 else f"CostingCode{self._options.cost_dimension}"
        for line in members(row, "DocumentLines"):
            net = money.of("LineTotal", "RowTotalFC", line)
            if net == 0 and not words(line, "AccountCode"):
                continue
            yield InvoiceLine(
                line_key=str(whole(line, "LineNum")),
                description=words(line, "ItemDescription") or _optional(line, "FreeText"),
                amount=net,
                account=self._account(
                    words(line, "AccountCode"), f"line {line['LineNum']}", "AccountCode", money.about
                ),
                cost_center=words(line, center),
                project=_optional(line, "ProjectCode"),
                tax_code=_optional(line, "VatGroup") or _optional(line, "TaxCode"),
                order_line=orders.get(line["BaseEntry"]) if line.get("BaseType") == ORDER else None,
            )
        chosen = self._options
        freight = sum(
            (money.of("LineTotal", "LineTotalFC", one) for one in members(row, "DocumentAdditionalExpenses")), ZERO
        )
        header = (
            (LineKind.TAX, money.of("VatSum", "VatSumFc"), chosen.tax_account, "tax_account"),
            (LineKind.FREIGHT, freight, chosen.freight_account, "freight_account"),
            (
                LineKind.DISCOUNT,
                -money.of("TotalDiscount", "TotalDiscountFC"),
                chosen.discount_account,
                "discount_account",
            ),
            (
                LineKind.ROUNDING,
                money.of("RoundingDiffAmount", "RoundingDiffAmountFC"),
                chosen.rounding_account,
                "rounding_account",
            ),
            (
                LineKind.WITHHOLDING,
                -money.of("WTAmount", "WTAmountFC"),
                chosen.withholding_account,
                "withholding_account",
            ),
        )
        for kind, value, account, setting in header:
            if value != 0:
                yield InvoiceLine(
                    line_key=str(kind),
                    kind=kind,
                    amount=value,
                    account=self._account(account or None, str(kind), setting, money.about),
                )

    def _account(self, account: str | None, what: str, where: str, about: str) -> str:
        if account is not None:
            return account
        todo = (
            "Give the line an account in SAP Business One."
            if where == "AccountCode"
            else f"Set {where} in the Connection's settings."
        )
        raise Unsound(f"unmapped_code: The {what} of {about} has no account. {todo}")

    def _one_installment(self, row: Json, about: str) -> None:
        if len(members(row, "DocumentInstallments")) > 1:
            raise Unsound(
                f"installments: {opening(about)} is due in several installments, which cannot be sent as one bill. "
                "Enter it with one due date, or handle it by hand."
            )

    def _hold(self, row: Json) -> str | None:
        """Why the document may not be paid, if so."""
        if yes(row, "PaymentBlock"):
            return "blocked for payment in SAP Business One"
        status = words(row, "AuthorizationStatus")
        if status is not None and status not in self._options.approved_statuses:
            return f"not approved in SAP Business One: {status}"
        return None

    def _corrects(self, row: Json) -> str | None:
        """The one invoice that a credit note is based on."""
        if self.kind is INVOICES:
            return None
        based = {line["BaseEntry"] for line in members(row, "DocumentLines") if line.get("BaseType") == INVOICE}
        return INVOICES.key(based.pop()) if len(based) == 1 else None

    def _observed(self, row: Json, gross: Decimal, foreign: bool) -> dict[str, str]:  # noqa: FBT001
        """Paid and open, as far as the release says; closed without a payment is not paid. A credit note that is based
        on an invoice counts as paid on it."""
        name = "PaidToDateFC" if foreign else "PaidToDate"
        if name not in row:
            return {}
        paid = number(row, name)
        closed = part(row, "DocumentStatus") not in {"bost_Open", "O"}
        counts = {"paid_counts": "credits"} if self.kind is INVOICES else {}
        return {"paid": str(paid), "open": str(ZERO if closed else gross - paid), **counts}


class Money:
    """The amounts of one document in its own currency. Raises Unsound where that is not known."""

    def __init__(self, row: Json, currency: str, about: str, *, foreign: bool) -> None:
        if not currency:
            raise Unsound(
                f"unmapped_code: Currency {words(row, 'DocCurrency')!r} of {about} is no ISO 4217 code. Enter the ISO "
                "code as the currency's code in SAP Business One."
            )
        self._row = row
        self._currency = currency
        self._foreign = foreign
        self.about = about

    def of(self, local: str, foreign: str, row: Json | None = None) -> Decimal:
        """The field of the document's currency. Raises Unsound for digits that the currency does not have."""
        return amount(number(self._row if row is None else row, foreign if self._foreign else local), self._currency)


def payable(lines: tuple[InvoiceLine, ...], total: Decimal, withheld: Decimal, about: str) -> Decimal:
    """What is to be paid: what the lines add up to, which must be the total, with or without withholding (R22)."""
    whole_sum = sum((line.amount for line in lines), ZERO)
    if whole_sum in {total, total - withheld}:
        return whole_sum
    raise Unsound(
        f"totals_differ: The lines of {about} add up to {whole_sum} with tax, freight, discount and rounding, its "
        f"total is {total}. Down payments that were drawn are not carried over."
    )


def orders_named(rows: list[Json]) -> list[int]:
    """DocEntry of the purchase orders that lines are based on."""
    lines = (line for row in rows for line in members(row, "DocumentLines"))
    return sorted({line["BaseEntry"] for line in lines if line.get("BaseType") == ORDER and line.get("BaseEntry")})


def _base(row: Json, local: str) -> Decimal | None:
    try:
        return amount(number(row, "DocTotal"), local)
    except Unsound:
        return None


def _optional(row: Json, name: str) -> str | None:
    """A text of localizations that not every company has."""
    value = row.get(name)
    return value.strip() or None if isinstance(value, str) else None
