"""APSTPV: voiding a payment, by which what a cheque settled is owed again.

None of its elements is public. ASSUMED: an Item names PaymentNumber, Supplier and Cheque, and Reference for the text.
"""

from typing import Any

from ml_connector.sandbox.syspro.books import Books, added
from ml_connector.sandbox.syspro.conditions import And, Compare
from ml_connector.sandbox.syspro.documents import Node
from ml_connector.sandbox.syspro.item import NOT_FOUND, Item
from ml_connector.sandbox.syspro.payables import Payables
from ml_connector.sandbox.syspro.payment_runs import book_cheques, counters_of
from ml_connector.sandbox.syspro.periods import posting_period
from ml_connector.sandbox.syspro.posting import BusinessObject, Call, Tally
from ml_connector.sandbox.syspro.schema import TABLES
from ml_connector.sandbox.syspro.vouchers import Journal


class Voids:
    """One APSTPV document: what a cheque settled is owed again."""

    def __init__(self, call: Call) -> None:
        self.call, self.books = call, call.books
        self.payables = Payables(call.books)

    def named(self, item: Item, number: int) -> list[Node]:
        key: list[Node] = [("PaymentNumber", item.plain("PaymentNumber"))]
        return [("Key", key), ("Supplier", item.plain("Supplier")), ("Cheque", item.plain("Cheque"))]

    def post(self, item: Item, number: int) -> list[Node]:
        period = posting_period(self.call, item)
        item.code(self.books, "PaymentNumber", "ApPayRunHdr")
        item.code(self.books, "Supplier", "ApSupplier")
        for path in ("PaymentNumber", "Supplier", "Cheque"):
            item.needs(path)
        cheque = item.number("Cheque", "ApPayRunDet.Cheque")
        reference = item.text("Reference", "ApInvoicePay.PaymentReference")
        if item.is_refused or cheque is None or period is None:
            return []
        paid = paid_by(self.books, item.plain("PaymentNumber"), item.plain("Supplier"), int(cheque))
        if not paid:
            item.wrong("Cheque", NOT_FOUND, f"Cheque {int(cheque)} has paid nothing in this run, or is void")
            return []
        journal = self.payables.open_journal(period=period)
        void(self.payables, journal, paid, reference)
        keys = [(row["PaymentNumber"], row["Supplier"], row["Invoice"], row["Cheque"]) for row in paid]
        book_cheques(self.call, journal, keys, void=True)
        total = added(row["GrossPayValue"] for row in paid)
        invoices = f"{len(paid):6d}"
        return [*self.named(item, number), ("NumberOfInvoices", invoices), ("GrossValue", f"{total:16.2f}")]

    def close(self, tally: Tally, *, posted: bool) -> list[Node]:
        return counters_of(tally)


def paid_by(books: Books, run: str, supplier: str, cheque: int) -> list[dict[str, Any]]:
    """The ApPayRunDet rows of a cheque that are not void."""
    names = TABLES["ApPayRunDet"].index
    wanted = {"PaymentNumber": run, "Supplier": supplier, "Cheque": cheque}
    condition = And((*(Compare(name, "eq", value) for name, value in wanted.items()), Compare("Voided", "ne", "Y")))
    return [dict(zip(names, row, strict=True)) for row in books.tables["ApPayRunDet"].select(condition)]


def void(payables: Payables, journal: Journal, paid: list[dict[str, Any]], reference: str = "") -> None:
    """Takes the payments back, each on its invoice."""
    for row in paid:
        text = reference or f"Void cheque {row['Cheque']}"
        payables.void(row["Supplier"], row["Invoice"], row["Cheque"], journal, run=row["PaymentNumber"], reference=text)


APSTPV = BusinessObject("APSTPV", "PostApVoidPay", "postapvoidpay", Voids)
