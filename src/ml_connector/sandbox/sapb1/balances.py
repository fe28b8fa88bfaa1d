"""What is open on an invoice or a credit note, and what settles it, in local and in document currency."""

import datetime as dt
from decimal import Decimal

from ml_connector.sandbox.sapb1.books import LOCAL_CURRENCY, ZERO
from ml_connector.sandbox.standin import Row


def is_foreign(document: Row) -> bool:
    return bool(document["DocCurrency"] != LOCAL_CURRENCY)


def is_open(document: Row) -> bool:
    return document.get("DocumentStatus") == "bost_Open" and document.get("Cancelled", "tNO") == "tNO"


def open_local(document: Row) -> Decimal:
    return Decimal(document["DocTotal"] - document.get("PaidToDate", ZERO))


def open_amount(document: Row, installment: int | None = None) -> Decimal:
    """In the document's currency; of one installment, or of all."""
    if installment is not None:
        due = _installment(document, installment)
        return Decimal((due["TotalFC"] if is_foreign(document) else due["Total"]) - due.get("_paid", ZERO))
    if is_foreign(document):
        return Decimal(document["DocTotalFc"] - document.get("PaidToDateFC", ZERO))
    return open_local(document)


def has_installment(document: Row, number: int) -> bool:
    return any(row["InstallmentId"] == number for row in document["DocumentInstallments"])


def local_part(document: Row, amount: Decimal) -> Decimal:
    """The local value, at the document's own rate, of an amount in its currency; the last part takes the rest."""
    if not is_foreign(document):
        return amount
    if amount == open_amount(document):
        return open_local(document)
    return (Decimal(document["DocTotal"]) * amount / Decimal(document["DocTotalFc"])).quantize(Decimal("0.01"))


def settle(document: Row, amount: Decimal, local: Decimal, today: dt.date, installment: int = 1) -> None:
    """Takes an amount, in document currency and in local value, off the open balance; at zero the document closes.

    A negative amount gives it back, and opens the document again.
    """
    document["PaidToDate"] = document.get("PaidToDate", ZERO) + local
    document["PaidToDateSys"] = document["PaidToDate"]
    if is_foreign(document):
        document["PaidToDateFC"] = document.get("PaidToDateFC", ZERO) + amount
    due = _installment(document, installment)
    due["_paid"] = due.get("_paid", ZERO) + amount
    closed = open_amount(document) == ZERO
    set_status(document, closed=closed)
    document["ClosingDate"] = today if closed else None


def settle_in_order(document: Row, amount: Decimal, local: Decimal, today: dt.date) -> None:
    """As `settle`, over the installments from the first that is open."""
    for due in document["DocumentInstallments"]:
        part = min(amount, open_amount(document, due["InstallmentId"]))
        if part > ZERO:
            share = local if part == amount else local_part(document, part)
            settle(document, part, share, today, due["InstallmentId"])
            amount, local = amount - part, local - share


def unsettle_in_order(document: Row, amount: Decimal, local: Decimal, today: dt.date) -> None:
    """Gives back what `settle_in_order` took, from the last installment that is paid."""
    for due in reversed(document["DocumentInstallments"]):
        part = min(amount, due.get("_paid", ZERO))
        if part > ZERO:
            share = local if part == amount else (local * part / amount).quantize(Decimal("0.01"))
            settle(document, -part, -share, today, due["InstallmentId"])
            amount, local = amount - part, local - share


def set_status(document: Row, *, closed: bool) -> None:
    status = "bost_Close" if closed else "bost_Open"
    document["DocumentStatus"] = status
    for line in document["DocumentLines"]:
        line["LineStatus"] = status
        line["OpenAmount"] = ZERO if closed else line["LineTotal"]
        line["OpenAmountFC"] = ZERO if closed else line.get("RowTotalFC", ZERO)


def _installment(document: Row, number: int) -> Row:
    found: Row = next(row for row in document["DocumentInstallments"] if row["InstallmentId"] == number)
    return found
