"""APSTPM: payments made by hand, each a cheque in a payment run that APSTPY opened.

A cheque is worth the gross of its invoices less discount and withholding. It settles at once, and goes into the
ledger as invoices do, but the answer has no word of that. ASSUMED: a cheque that pays more than is open is refused, and
so is an invoice that the same cheque of the run has paid.
"""

from decimal import Decimal
from typing import Any

from ml_connector.sandbox.syspro.books import Period
from ml_connector.sandbox.syspro.documents import Node
from ml_connector.sandbox.syspro.item import MISSING, NOT_ALLOWED, NOT_FOUND, Item
from ml_connector.sandbox.syspro.payables import Payables
from ml_connector.sandbox.syspro.payment_runs import add_run, book_cheques, counters_of
from ml_connector.sandbox.syspro.periods import posting_period
from ml_connector.sandbox.syspro.posting import BusinessObject, Call, Tally
from ml_connector.sandbox.syspro.vouchers import Journal

DUPLICATE = 130401
ON_HOLD = 130402
NOT_THE_SUM = 130403
TOO_MUCH = 130404

INVOICE = "ReleasedInvoice"
MONEY = "ApInvoice.OrigInvValue"
NOTHING = Decimal("0.00")


class ManualPayments:
    """One APSTPM document: its cheques are entries of one payment journal."""

    def __init__(self, call: Call) -> None:
        self.call, self.books = call, call.books
        self.payables = Payables(call.books)
        self._journal: Journal | None = None
        self._paid: list[tuple[str, str, str, int]] = []
        """Keys of ApPayRunDet."""

    def named(self, item: Item, number: int) -> list[Node]:
        return [("Key", [("PaymentNumber", item.plain("PaymentNumber"))])]

    def post(self, item: Item, number: int) -> list[Node]:
        period = posting_period(self.call, item)
        supplier = self._supplier(item)
        run = self._run(item, supplier)
        if supplier is None or run is None or period is None:
            return []
        cheque = item.number("Cheque", "ApPayRunDet.Cheque")
        item.needs("Cheque")
        if cheque is not None and cheque <= 0:
            item.wrong("Cheque", NOT_ALLOWED, "Cheque must be above 0")
        date = item.date("ChequeDate") or self.books.today()
        reference = item.text("PaymentReference", "ApInvoicePay.PaymentReference")
        rate = item.number("PayConvRte", "ApPayRunHdr.PostConvRate")
        if rate is not None and rate <= 0:
            item.wrong("PayConvRte", NOT_ALLOWED, "PayConvRte must be above 0")
        released = self._released(item, supplier, run, int(cheque or 0))
        gross = sum((one[1] for one in released), NOTHING)
        net = gross - sum((one[2] for one in released), NOTHING)
        value = item.number("ChequeValue", MONEY)
        if value is None:
            item.needs("ChequeValue")
        elif value != net:
            item.wrong("ChequeValue", NOT_THE_SUM, f"ChequeValue is {value} where the invoices make {net}")
        if item.is_refused:
            return []
        kept = reference if self.call.options.reference_lands else ""
        journal = self._open(period)
        for invoice, paid, discount in released:
            self.payables.pay(
                supplier["Supplier"],
                invoice,
                journal,
                run=run["PaymentNumber"],
                cheque=int(cheque or 0),
                amount=paid - discount,
                discount=discount,
                date=date,
                reference=kept,
                rate=rate,
            )
            self._paid.append((run["PaymentNumber"], supplier["Supplier"], invoice, int(cheque or 0)))
        return [
            ("Key", [("PaymentNumber", run["PaymentNumber"])]),
            ("NumberOfInvoicesReleased", f"{len(released):6d}"),
            ("GrossValueReleased", f"{gross:16.2f}"),
            ("NetValueReleased", f"{net:16.2f}"),
        ]

    def close(self, tally: Tally, *, posted: bool) -> list[Node]:
        if posted and self._journal is not None:
            book_cheques(self.call, self._journal, self._paid)
        return counters_of(tally)

    def _supplier(self, item: Item) -> dict[str, Any] | None:
        item.needs("Supplier")
        row = item.code(self.books, "Supplier", "ApSupplier")
        if row is not None and row["OnHold"] == "Y":
            how = self.call.options.on_hold.get("APSTPM", "accept")
            item.judge(how, "Supplier", ON_HOLD, f"Supplier '{row['Supplier']}' is on hold")
        return row

    def _run(self, item: Item, supplier: dict[str, Any] | None) -> dict[str, Any] | None:
        given = item.text("PaymentNumber", "ApPayRunHdr.PaymentNumber")
        row = self.books.row("ApPayRunHdr", given) if given else None
        if row is None and supplier is not None and given and self.call.options.payment_run == "made":
            currency = self.books.row("TblCurrency", supplier["Currency"]) or {}
            add_run(self.books, given, currency, self.books.today(), {})
            row = self.books.row("ApPayRunHdr", given)
        if not given:
            item.needs("PaymentNumber")
        elif row is None:
            item.wrong("PaymentNumber", NOT_FOUND, f"Payment run '{given}' not found")
        elif supplier is not None and row["PostCurrency"] != supplier["Currency"]:
            text = f"The run pays in {row['PostCurrency']}, the supplier is owed {supplier['Currency']}"
            item.wrong("PaymentNumber", NOT_ALLOWED, text)
        return row

    def _released(
        self, item: Item, supplier: dict[str, Any], run: dict[str, Any], cheque: int
    ) -> list[tuple[str, Decimal, Decimal]]:
        """Each invoice with what is settled of it, and how much of that is discount and withholding."""
        released: list[tuple[str, Decimal, Decimal]] = []
        for part in item.parts(INVOICE):
            invoice = part.plain("Invoice")
            row = self.books.row("ApInvoice", supplier["Supplier"], invoice)
            gross = part.number("GrossPayValue", MONEY, f"{INVOICE}/GrossPayValue") or NOTHING
            off = part.number("DiscPayValue", MONEY, f"{INVOICE}/DiscPayValue") or NOTHING
            off += part.number("WithTaxValue", MONEY, f"{INVOICE}/WithTaxValue") or NOTHING
            if row is None:
                text = f"Invoice '{invoice}' of this supplier not found"
                part.wrong(f"{INVOICE}/Invoice", NOT_FOUND, text, invoice)
            elif not 0 < gross <= row["MthInvBal1"]:
                text = f"{gross} cannot be paid of {row['MthInvBal1']} open"
                part.wrong(f"{INVOICE}/GrossPayValue", TOO_MUCH, text, str(gross))
            elif not 0 <= off <= gross:
                part.wrong(f"{INVOICE}/DiscPayValue", NOT_ALLOWED, f"{off} cannot be deducted of {gross}", str(off))
            elif invoice in {one[0] for one in released}:
                part.wrong(f"{INVOICE}/Invoice", DUPLICATE, f"Invoice '{invoice}' is named twice", invoice)
            elif self._is_paid_by(run["PaymentNumber"], supplier["Supplier"], invoice, cheque):
                text = f"Cheque {cheque} of this run has paid invoice '{invoice}' already"
                part.wrong(f"{INVOICE}/Invoice", DUPLICATE, text, invoice)
            released.append((invoice, gross, off))
        if not released:
            item.wrong(INVOICE, MISSING, "A payment needs a ReleasedInvoice", "")
        return released

    def _is_paid_by(self, run: str, supplier: str, invoice: str, cheque: int) -> bool:
        row = self.books.row("ApPayRunDet", run, supplier, invoice, cheque)
        return row is not None and row["Voided"] != "Y"

    def _open(self, period: Period) -> Journal:
        if self._journal is None:
            self._journal = self.payables.open_journal(period=period)
        return self._journal


APSTPM = BusinessObject("APSTPM", "PostApManualPay", "postapmanualpay", ManualPayments)
