"""Payment -> the documents of APSTPM (a payment made elsewhere), APSTPY (its run) and APSTPV (its void). Pure.

SYSPRO: a manual payment belongs to a run that exists, and releases invoices of one supplier: gross less discount is
the cheque. A credit is booked on its invoice, so what a payment uses of it lowers that invoice's gross. Nothing stops
a second payment but the balance. The elements of APSTPV, and the letter that makes a run a manual one, are not
published: both are settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.domain.records import Payment
from ml_connector.systems.base import Refused
from ml_connector.systems.syspro.writing.form import WIDTHS, Form, element, stripped
from ml_connector.systems.syspro.writing.poster import Posting
from ml_connector.systems.syspro.writing.settings import Writing

BUSINESS_OBJECT, ROOT = "APSTPM", "PostApManualPay"
RUN_OBJECT, RUN_ROOT = "APSTPY", "PostApPaymentMaint"
VOID_OBJECT, VOID_ROOT = "APSTPV", "PostApVoidPay"
RUN_PARAMETERS = {"IgnoreWarnings": "N", "ApplyIfEntireDocumentValid": "Y", "ValidateOnly": "N"}
ZERO = Decimal(0)

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Owed:
    """An invoice as it stands before it is paid."""

    supplier: str
    invoice: str
    currency: str
    open: Decimal


@dataclass(frozen=True, slots=True)
class Release:
    """What a payment settles of one invoice."""

    gross: Decimal = ZERO
    discount: Decimal = ZERO

    def plus(self, gross: Decimal, discount: Decimal) -> Release:
        return Release(self.gross + gross, self.discount + discount)


def about(payment: Payment) -> str:
    return f"the payment of {payment.amount} {payment.currency} on {payment.date} to {payment.supplier}"


def releases(payment: Payment, corrected: Mapping[str, str]) -> dict[str, Release]:
    """What is settled of each invoice, by its key. `corrected`: the invoice that each credit note is booked on."""
    result: dict[str, Release] = {}
    for paid in payment.allocations:
        key = corrected.get(paid.invoice, paid.invoice)
        result[key] = result.get(key, Release()).plus(paid.gross - paid.credit, paid.discount)
    return result


def check(payment: Payment, released: Mapping[str, Release], owed: Mapping[str, Owed]) -> None:
    """Raises Refused for what should not be posted: another supplier's invoice, more than is open, an odd sum (R28)."""
    form = Form(about(payment))
    if not released:
        raise Refused("field_missing", f"{form.opening} names no invoice that it pays.", "ReleasedInvoice")
    total = sum((each.gross - each.discount for each in released.values()), ZERO)
    if total != payment.amount:
        raise Refused(
            "totals_differ",
            f"{form.opening} is split over its invoices as {total} {payment.currency}, which is another amount.",
            "ChequeValue",
        )
    for key, release in released.items():
        invoice = owed.get(key)
        if invoice is None:
            raise Refused("reference_missing", f"SYSPRO has no invoice {key}, which {form.about} settles.", "Invoice")
        if invoice.supplier != payment.supplier:
            raise Refused(
                "reference_missing",
                f"Invoice {invoice.invoice} belongs to {invoice.supplier}; {form.about} is for another supplier.",
                "Supplier",
            )
        if invoice.currency != payment.currency:
            raise Refused(
                "currency_not_allowed",
                f"Invoice {invoice.invoice} is in {invoice.currency}; {form.about} is not.",
                "ReleasedInvoice",
            )
        if release.gross <= 0 or release.discount < 0:
            raise Refused(
                "totals_differ",
                f"{form.opening} settles {release.gross} of invoice {invoice.invoice}; SYSPRO takes amounts above "
                "zero. Credits that exceed their invoice are settled by hand.",
                "GrossPayValue",
            )
        if release.gross > invoice.open:
            raise Refused(
                "over_application",
                f"Of invoice {invoice.invoice} {invoice.open} {invoice.currency} are open in SYSPRO; {form.about} "
                f"would settle {release.gross}. Look up what was paid already.",
                "GrossPayValue",
            )


def to_apstpm(
    payment: Payment, mark: str, run: str, released: Mapping[str, Release], owed: Mapping[str, Owed], letter: str,
    rate: Decimal | None,
) -> Posting:  # fmt: skip
    """The call that records it, after `check`. `rate`: as SYSPRO writes it; None leaves it to SYSPRO."""
    named = about(payment)
    form = Form(named)
    item = element(
        "Item",
        form.code("PaymentNumber", run, required=True),
        form.code("Supplier", payment.supplier, required=True),
        form.day("ChequeDate", payment.date),
        form.code("Cheque", cheque(payment, mark), required=True),
        form.amount("ChequeValue", payment.amount),
        form.code("PaymentReference", reference(payment, mark)),
        form.rate("PayConvRte", rate),
        *(
            element(
                "ReleasedInvoice",
                form.key("Invoice", owed[key].invoice),
                form.amount("GrossPayValue", release.gross),
                form.amount("DiscPayValue", release.discount),
            )
            for key, release in released.items()
        ),
    )
    return Posting(named, BUSINESS_OBJECT, ROOT, parameters(letter), item)


def to_run(currency: str, payment: Payment, mark: str, settings: Writing) -> Posting:
    """The call that opens a manual run. `currency`: SYSPRO's own code."""
    form = Form(f"a payment run in {payment.currency}")
    item = element(
        "Item",
        element(
            "AddPaymentRun",
            form.code("Bank", settings.clearing_bank, required=True),
            form.code("Currency", currency),
            element("PaymentType", settings.manual_run_type),
            form.code("PaymentReference", mark),
            form.day("CheckDate", payment.date),
        ),
    )
    return Posting(form.about, RUN_OBJECT, RUN_ROOT, RUN_PARAMETERS, item)


def to_void(values: Mapping[str, str], letter: str, settings: Writing, named: str) -> Posting:
    """The call that voids it, in the elements that the site's settings name. `values`: by what they stand for."""
    form = Form(named)
    parts = []
    for name, meaning in settings.void_elements.items():
        value = values.get(meaning, "")
        parts.append(form.code(name, value) if name in WIDTHS else element(name, stripped(value)))
    return Posting(named, VOID_OBJECT, VOID_ROOT, parameters(letter), element("Item", *parts))


def sample() -> Posting:
    """What asks whether the object is licensed: a payment of nothing."""
    return Posting(
        "an empty payment", BUSINESS_OBJECT, ROOT, parameters("C"), "<Item><ChequeValue>0</ChequeValue></Item>"
    )


def run_sample() -> Posting:
    """The same of the object that opens runs: one without a bank."""
    return Posting("an empty payment run", RUN_OBJECT, RUN_ROOT, RUN_PARAMETERS, "<Item><AddPaymentRun/></Item>")


def void_sample() -> Posting:
    """The same of the object that voids: nothing."""
    return Posting("an empty void", VOID_OBJECT, VOID_ROOT, parameters("C"), "<Item/>")


def parameters(letter: str) -> dict[str, str]:
    return {
        "PostingPeriod": letter,
        "IgnoreWarnings": "N",
        "ApplyIfEntireDocumentValid": "Y",
        "ValidateOnly": "N",
        "IncludeDimensionAnalysis": "N",
    }


def cheque(payment: Payment, mark: str) -> str:
    """A number of up to 15 digits: that of a check, else one made of the mark, so that it is the same each time."""
    digits = re.sub(r"[^0-9]", "", payment.reference or "").lstrip("0")
    if payment.method == "check" and 0 < len(digits) <= WIDTHS["Cheque"]:
        return digits
    number = 0
    for letter in mark.removeprefix("mlc"):
        number = number * 32 + max(_CROCKFORD.find(letter), 0)
    return str(number % 10 ** WIDTHS["Cheque"])


def reference(payment: Payment, mark: str) -> str:
    """Mark, method, and the other system's reference as far as there is room; what is left out shows as an ellipsis."""
    said = stripped(f"{payment.method} {payment.reference or ''}").encode("cp1252", "replace").decode("cp1252")
    text, width = f"{mark} {said}", WIDTHS["PaymentReference"]
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"
