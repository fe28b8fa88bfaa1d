"""What a person does in SYSPRO behind the product's back: the rows of `POST state/actions`.

    {"do": "post_invoice", "supplier": "ELC001", "invoice": "ELC-1009", "date": "2026-11-16",
     "lines": [{"account": "10-6100", "amount": 120.00, "text": "Relays"}]}
    {"do": "credit", "supplier": "PAK003", "invoice": "PK-500", "lines": [...]}
    {"do": "debit", ...}                          as credit; the open balance rises
    {"do": "adjust", ...}                         as credit, with signed amounts
    {"do": "reverse", "supplier": "ELC001", "invoice": "ELC-1004"}
    {"do": "manual_cheque", "supplier": "PAK003", "invoice": "PK-502", "amount": 250.00}
    {"do": "change_supplier", "supplier": "HYD005", "columns": {"Telephone": "...", "SupAddr1": "..."}}
    {"do": "hold_supplier", "supplier": "PAK003", "on_hold": true}
    {"do": "log_in", "operator": "MLCONN"}        a person takes the operator: its other session ends

Each is dated with the company's today and booked in the ledger's current period. Amounts are in the supplier's
currency.
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from ml_connector.sandbox.standin import BadInput
from ml_connector.sandbox.syspro.books import COMPANY_ID, Books, Coding
from ml_connector.sandbox.syspro.schema import TABLES
from ml_connector.sandbox.syspro.sessions import Sessions


class Line(msgspec.Struct, forbid_unknown_fields=True):
    account: str
    amount: Decimal
    text: str = ""
    expense_type: str = "M"


class _Action(msgspec.Struct, forbid_unknown_fields=True, tag_field="do"):
    pass


class PostInvoice(_Action, tag="post_invoice"):
    supplier: str
    invoice: str
    lines: list[Line]
    date: dt.date | None = None
    due_date: dt.date | None = None
    reference: str = ""
    tax_code: str = ""


class Credit(_Action, tag="credit"):
    supplier: str
    invoice: str
    lines: list[Line]


class Debit(_Action, tag="debit"):
    supplier: str
    invoice: str
    lines: list[Line]


class Adjust(_Action, tag="adjust"):
    supplier: str
    invoice: str
    lines: list[Line]


class Reverse(_Action, tag="reverse"):
    supplier: str
    invoice: str


class ManualCheque(_Action, tag="manual_cheque"):
    supplier: str
    invoice: str
    amount: Decimal
    cheque: int | None = None
    reference: str = ""


class ChangeSupplier(_Action, tag="change_supplier"):
    supplier: str
    columns: dict[str, Any]


class HoldSupplier(_Action, tag="hold_supplier"):
    supplier: str
    on_hold: bool = True


class LogIn(_Action, tag="log_in"):
    operator: str


Action = PostInvoice | Credit | Debit | Adjust | Reverse | ManualCheque | ChangeSupplier | HoldSupplier | LogIn


def perform(row: dict[str, Any], books: Books, sessions: Sessions) -> None:
    """Raises BadInput, naming the field, for an action that is unknown or cannot be done."""
    try:
        action: Action = msgspec.convert(row, Action)
    except msgspec.ValidationError as error:
        raise BadInput(f"actions: {error}") from None
    match action:
        case PostInvoice(supplier, invoice, lines):
            date = action.date or books.today()
            books.post_invoice(
                supplier,
                _fitting("ApInvoice", "Invoice", invoice),
                _codings(lines),
                date=date,
                due_date=action.due_date or date + dt.timedelta(days=books.terms_days(supplier)),
                reference=_fitting("ApInvoice", "Reference", action.reference),
                tax_code=action.tax_code,
            )
        case Credit(supplier, invoice, lines):
            books.credit(supplier, invoice, _codings(lines))
        case Debit(supplier, invoice, lines):
            books.debit(supplier, invoice, _codings(lines))
        case Adjust(supplier, invoice, lines):
            books.adjust(supplier, invoice, _codings(lines))
        case Reverse(supplier, invoice):
            books.reverse(supplier, invoice)
        case ManualCheque(supplier, invoice, amount, cheque, reference):
            books.manual_cheque(supplier, invoice, _cents(amount), cheque=cheque, reference=reference)
        case ChangeSupplier(supplier, columns):
            books.change_supplier(supplier, columns)
        case HoldSupplier(supplier, on_hold):
            books.hold_supplier(supplier, on_hold=on_hold)
        case LogIn(operator):
            sessions.open(operator, COMPANY_ID)


def _codings(lines: Sequence[Line]) -> list[Coding]:
    return [
        Coding(
            line.account,
            _cents(line.amount),
            _fitting("ApJnlDistrib", "Reference", line.text),
            line.expense_type,
        )
        for line in lines
    ]


def _fitting(table: str, column: str, text: str) -> str:
    return str(TABLES[table].column(column).value(text))


def _cents(amount: Decimal) -> Decimal:
    exact = amount.quantize(Decimal("0.01"))
    if exact != amount:
        raise BadInput(f"actions: {amount} has more than 2 decimals")
    return exact
