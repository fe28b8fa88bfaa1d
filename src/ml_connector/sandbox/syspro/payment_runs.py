"""APSTPY: payment runs, of which only AddPaymentRun is served.

Only fragments of its elements are public. ASSUMED: a blank PaymentNumber takes the next one, a blank Currency the
bank's, and any PaymentType is good for manual payments.
"""

import contextlib
import datetime as dt
from collections.abc import Sequence
from typing import Any

from ml_connector.sandbox.standin import BadInput
from ml_connector.sandbox.syspro.books import Books
from ml_connector.sandbox.syspro.definition import Value, midnight
from ml_connector.sandbox.syspro.documents import Node
from ml_connector.sandbox.syspro.item import MISSING, Item
from ml_connector.sandbox.syspro.posting import BusinessObject, Call, Tally
from ml_connector.sandbox.syspro.vouchers import Journal

DUPLICATE = 130501


class PaymentRuns:
    """One APSTPY document; of its kinds of items only AddPaymentRun is served."""

    def __init__(self, call: Call) -> None:
        self.call, self.books = call, call.books

    def named(self, item: Item, number: int) -> list[Node]:
        return [("Key", [("PaymentNumber", item.plain("AddPaymentRun/PaymentNumber"))])]

    def post(self, item: Item, number: int) -> list[Node]:
        path = "AddPaymentRun/"
        if not item.has("AddPaymentRun"):
            item.wrong("AddPaymentRun", MISSING, "Only AddPaymentRun is served", "")
            return []
        bank = item.code(self.books, f"{path}Bank", "ApBank")
        if bank is None and not item.plain(f"{path}Bank"):
            item.wrong(f"{path}Bank", MISSING, "Bank is needed")
        currency = item.code(self.books, f"{path}Currency", "TblCurrency", (bank or {}).get("Currency", ""))
        run = item.text(f"{path}PaymentNumber", "ApPayRunHdr.PaymentNumber")
        if run and self.books.tables["ApPayRunHdr"].get(run) is not None:
            item.wrong(f"{path}PaymentNumber", DUPLICATE, f"Payment run '{run}' exists already")
        kind = item.text(f"{path}PaymentType", "ApPayRunHdr.PaymentType")
        reference = item.text(f"{path}PaymentReference", "ApPayRunHdr.PaymentReference")
        day = item.date(f"{path}CheckDate") or self.books.today()
        if item.is_refused or bank is None or currency is None:
            return []
        run = run or f"{self.books.next_number('payment_run'):05d}"
        columns: dict[str, Value] = {"Bank": bank["Bank"], "PaymentType": kind, "PaymentReference": reference}
        add_run(self.books, run, currency, day, columns)
        return [("Key", [("PaymentNumber", run)])]

    def close(self, tally: Tally, *, posted: bool) -> list[Node]:
        return counters_of(tally)


def add_run(books: Books, run: str, currency: dict[str, Any], day: dt.date, columns: dict[str, Value]) -> None:
    """Opens a payment run in a currency, a row of TblCurrency."""
    head: dict[str, Value] = {"PaymentNumber": run, "ChequeDate": midnight(day), "PostCurrency": currency["Currency"]}
    books.tables["ApPayRunHdr"].put(head | {"PostConvRate": currency["BuyExchangeRate"]} | columns)


def book_cheques(
    call: Call, journal: Journal, keys: Sequence[tuple[str, str, str, int]], *, void: bool = False
) -> None:
    """Has cheques, by their keys in ApPayRunDet, booked in the ledger where the site does that at once.

    A bank without a ledger code keeps them out of it, silently: the answers of these business objects have no
    place to say so.
    """
    if call.options.gl_integration == "immediate":
        rows = [call.books.row("ApPayRunDet", *key) or {} for key in keys]
        with contextlib.suppress(BadInput):
            call.ledger.integrate_payments(journal, rows, call.operator, void=void)


def counters_of(tally: Tally) -> list[Node]:
    """The tail of the payment business objects: counters padded with blanks."""
    counters: list[Node] = [
        ("ItemsProcessed", f"{tally.processed:6d}"),
        ("ItemsInvalid", f"{tally.invalid:6d}"),
    ]
    return [("StatusOfItems", counters)]


APSTPY = BusinessObject("APSTPY", "PostApPaymentMaint", "postappaymentmaint", PaymentRuns)
