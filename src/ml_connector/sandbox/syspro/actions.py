"""What a person does in SYSPRO behind the product's back: the rows of `POST state/actions`.

    {"do": "post_invoice", "supplier": "ELC001", "invoice": "ELC-1009", "date": "2026-11-16",
     "lines": [{"account": "10-6100", "amount": 120.00, "text": "Relays"}]}
    {"do": "credit", "supplier": "PAK003", "invoice": "PK-500", "lines": [...]}
    {"do": "debit", ...}                          as credit; the open balance rises
    {"do": "adjust", ...}                         as credit, with signed amounts
    {"do": "reverse", "supplier": "ELC001", "invoice": "ELC-1004"}
    {"do": "manual_cheque", "supplier": "PAK003", "invoice": "PK-502", "amount": 250.00}
    {"do": "void_cheque", "payment_run": "M001048USD", "supplier": "PAK003", "cheque": 501048}
    {"do": "change_supplier", "supplier": "HYD005", "columns": {"Telephone": "...", "SupAddr1": "..."}}
    {"do": "hold_supplier", "supplier": "PAK003", "on_hold": true}
    {"do": "change_order", "order": "151", "line": 1, "quantity": 66, "price": 10.00}
    {"do": "print_order", "order": "151"}
    {"do": "cancel_order", "order": "152"}
    {"do": "receive_goods", "order": "150", "line": 1, "quantity": 40, "grn": "000031", "delivery_note": "LS 7"}
    {"do": "integrate", "year": 2026, "month": 11, "journal": 1048}     an AP journal goes into the ledger
    {"do": "set_period", "year": 2026, "period": 10, "open": false}
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
from ml_connector.sandbox.syspro.books import COMPANY_ID, Books
from ml_connector.sandbox.syspro.conditions import Compare
from ml_connector.sandbox.syspro.definition import Value
from ml_connector.sandbox.syspro.ledger import Ledger
from ml_connector.sandbox.syspro.options import SysproOptions
from ml_connector.sandbox.syspro.orders import Orders, local_price
from ml_connector.sandbox.syspro.payables import Payables
from ml_connector.sandbox.syspro.schema import TABLES
from ml_connector.sandbox.syspro.sessions import Sessions
from ml_connector.sandbox.syspro.voids import paid_by, void
from ml_connector.sandbox.syspro.vouchers import Coding, Document, Journal

CLERK = "ADMIN"


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


class VoidCheque(_Action, tag="void_cheque"):
    payment_run: str
    supplier: str
    cheque: int


class ChangeSupplier(_Action, tag="change_supplier"):
    supplier: str
    columns: dict[str, Any]


class HoldSupplier(_Action, tag="hold_supplier"):
    supplier: str
    on_hold: bool = True


class ChangeOrder(_Action, tag="change_order"):
    order: str
    line: int
    quantity: Decimal | None = None
    price: Decimal | None = None


class PrintOrder(_Action, tag="print_order"):
    order: str


class CancelOrder(_Action, tag="cancel_order"):
    order: str


class ReceiveGoods(_Action, tag="receive_goods"):
    order: str
    line: int
    quantity: Decimal
    grn: str = ""
    delivery_note: str = ""


class Integrate(_Action, tag="integrate"):
    year: int
    month: int
    journal: int


class SetPeriod(_Action, tag="set_period"):
    year: int
    period: int
    open: bool


class LogIn(_Action, tag="log_in"):
    operator: str


OnInvoice = PostInvoice | Credit | Debit | Adjust | Reverse | ManualCheque | VoidCheque
OnOrder = ChangeOrder | PrintOrder | CancelOrder | ReceiveGoods
Action = OnInvoice | OnOrder | ChangeSupplier | HoldSupplier | Integrate | SetPeriod | LogIn


class Desk:
    """What a person at a SYSPRO screen works with."""

    def __init__(self, books: Books, sessions: Sessions, options: SysproOptions) -> None:
        self.books, self.sessions = books, sessions
        self.payables, self.orders, self.ledger = Payables(books), Orders(books, options), Ledger(books)

    def change_supplier(self, supplier: str, columns: dict[str, Any]) -> None:
        """Sets columns of ApSupplier and ApSupplierAddr, each in its table. Raises BadInput."""
        self.books.supplier(supplier)
        address = {name: columns[name] for name in columns if name in TABLES["ApSupplierAddr"].index}
        if address:
            self.books.edit("ApSupplierAddr", [{"Supplier": supplier, **address}])
        rest = {name: value for name, value in columns.items() if name not in address}
        if rest:
            self.books.edit("ApSupplier", [{"Supplier": supplier, **rest}])

    def change_order(self, action: ChangeOrder) -> None:
        header = self.orders.get(action.order)
        self.orders.line(header["PurchaseOrder"], action.line)
        columns: dict[str, Value] = {}
        if action.quantity is not None:
            columns["MOrderQty"] = _exact("PorMasterDetail", "MOrderQty", action.quantity)
        if action.price is not None:
            price = _exact("PorMasterDetail", "MForeignPrice", action.price)
            columns |= {"MForeignPrice": price, "MPrice": local_price(price, header["ExchangeRate"], header["MulDiv"])}
        self.orders.change_line(header["PurchaseOrder"], action.line, columns)
        self.orders.change(header["PurchaseOrder"], {})

    def print_order(self, order: str) -> None:
        header = self.orders.get(order)
        self.books.edit("PorMasterHdr", [{"PurchaseOrder": header["PurchaseOrder"], "OrderStatus": "4"}])

    def integrate(self, year: int, month: int, number: int) -> None:
        """An AP journal of invoices or of cheques goes into the ledger. Raises BadInput."""
        payments = self.books.tables["ApPayRunDet"].select(Compare("ChRegister", "eq", number))
        if not payments:
            self.ledger.integrate(year, month, number, CLERK)
            return
        names = TABLES["ApPayRunDet"].index
        journal = Journal(year, month, number, self.books.today())
        rows = [dict(zip(names, row, strict=True)) for row in payments]
        self.ledger.integrate_payments(journal, rows, CLERK)

    def set_period(self, action: SetPeriod) -> None:
        year, _ = self.books.current_period()
        names = {year: "CurYrPrdStat", year - 1: "PrvYrPrdStat"}
        if action.year not in names:
            raise BadInput(f"the periods of {action.year} are not kept")
        status = {f"{names[action.year]}{action.period}": "O" if action.open else "C"}
        self.books.edit("GenControl", [{"Company": COMPANY_ID, **status}])


def perform(row: dict[str, Any], desk: Desk) -> None:
    """Raises BadInput, naming the field, for an action that is unknown or cannot be done."""
    try:
        action: Action = msgspec.convert(row, Action)
    except msgspec.ValidationError as error:
        raise BadInput(f"actions: {error}") from None
    match action:
        case ChangeSupplier(supplier, columns):
            desk.change_supplier(supplier, columns)
        case HoldSupplier(supplier, on_hold):
            desk.change_supplier(supplier, {"OnHold": "Y" if on_hold else "N"})
        case Integrate(year, month, journal):
            desk.integrate(year, month, journal)
        case SetPeriod():
            desk.set_period(action)
        case LogIn(operator):
            desk.sessions.open(operator, COMPANY_ID)
        case ChangeOrder() | PrintOrder() | CancelOrder() | ReceiveGoods():
            _on_order(action, desk)
        case _:
            _on_invoice(action, desk)


def _on_invoice(action: OnInvoice, desk: Desk) -> None:
    payables = desk.payables
    match action:
        case PostInvoice(supplier, invoice, lines):
            date = action.date or desk.books.today()
            payables.post_invoice(
                supplier,
                str(_exact("ApInvoice", "Invoice", invoice)),
                Document(_codings(lines), reference=str(_exact("ApInvoice", "Reference", action.reference))),
                payables.open_journal(),
                date=date,
                due_date=action.due_date or date + dt.timedelta(days=desk.books.terms_days(supplier)),
                tax_code=action.tax_code,
            )
        case Credit(supplier, invoice, lines):
            payables.correct(supplier, invoice, "C", Document(_codings(lines)), payables.open_journal())
        case Debit(supplier, invoice, lines):
            payables.correct(supplier, invoice, "D", Document(_codings(lines)), payables.open_journal())
        case Adjust(supplier, invoice, lines):
            payables.correct(supplier, invoice, "A", Document(_codings(lines)), payables.open_journal())
        case Reverse(supplier, invoice):
            payables.reverse(supplier, invoice)
        case ManualCheque(supplier, invoice, amount, cheque, reference):
            payables.manual_cheque(supplier, invoice, _cents(amount), cheque=cheque, reference=reference)
        case VoidCheque(payment_run, supplier, cheque):
            paid = paid_by(desk.books, payment_run, supplier, cheque)
            if not paid:
                raise BadInput(f"cheque {cheque} of run {payment_run} has paid nothing, or is void")
            void(payables, payables.open_journal(), paid)


def _on_order(action: OnOrder, desk: Desk) -> None:
    match action:
        case ChangeOrder():
            desk.change_order(action)
        case PrintOrder(order):
            desk.print_order(order)
        case CancelOrder(order):
            desk.orders.cancel(order)
        case ReceiveGoods(order, line, quantity, grn, delivery_note):
            exact = Decimal(str(_exact("PorMasterDetail", "MReceivedQty", quantity)))
            note = str(_exact("GrnDetails", "DeliveryNote", delivery_note))
            desk.orders.receive(order, line, exact, grn=grn, delivery_note=note)


def _codings(lines: Sequence[Line]) -> list[Coding]:
    return [
        Coding(
            line.account,
            _cents(line.amount),
            str(_exact("ApJnlDistrib", "Reference", line.text)),
            line.expense_type,
        )
        for line in lines
    ]


def _exact(table: str, column: str, given: str | Decimal) -> Any:
    return TABLES[table].column(column).value(given)


def _cents(amount: Decimal) -> Decimal:
    exact = amount.quantize(Decimal("0.01"))
    if exact != amount:
        raise BadInput(f"actions: {amount} has more than 2 decimals")
    return exact
