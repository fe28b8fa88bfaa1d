"""What people do in Procurify, as `POST state/actions`.

{"do": "request", "department": "Operations", "lines": [{"name": "Relays", "vendor": "Pakko ...", "account": "10-6100",
 "price": "12.00", "quantity": 100}]}
{"do": "approve_requisition", "requisition": 1}, also deny_requisition
{"do": "purchase", "requisition": 1, "number": "PF150"}
{"do": "edit_order", "order": "PF151", "lines": [{"line": 1, "quantity": 66}], "fields": {"promise_date": "..."}}
{"do": "add_line", "order": "PF151", "name": "...", "account": "10-6200", "quantity": 1, "price": "5.00"}
{"do": "cancel_line", "order": "PF151", "line": 2}
{"do": "cancel_order", "order": "PF152"}, also close_order, reopen_order, pay_order
{"do": "receive", "order": "PF150", "line": 1, "quantity": 40, "failed": 0}
{"do": "enter_bill", "invoice": "ELC-1009", "vendor": "...", "items": [{"account": "10-6100", "unit_cost": "12.00"}]}
{"do": "submit_bill", "invoice": "ELC-1009"}, also approve_bill, deny_bill, withdraw_bill
{"do": "edit_bill", "invoice": "ELC-1002", "fields": {"due_date": "2026-12-18T00:00:00Z"}}
{"do": "pay_bill", "invoice": "PK-500", "date": "2026-11-20", "reference": "CHK 7"}
{"do": "edit_vendor", "vendor": "Pakko Packaging LLC", "fields": {"phoneOne": "..."}}
"""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from ml_connector.sandbox.procurify.bills import Bills
from ml_connector.sandbox.procurify.books import BOUND_USER, Books
from ml_connector.sandbox.procurify.entry import Entry
from ml_connector.sandbox.procurify.errors import Refused
from ml_connector.sandbox.procurify.purchasing import Purchasing
from ml_connector.sandbox.procurify.states import (
    APPROVED,
    BILL_APPROVED,
    BILL_DENIED,
    BILL_DRAFT,
    BILL_SUBMITTED,
    BILL_WITHDRAWN,
    CANCELLED,
    CLOSED,
    DENIED,
    LINE_CANCELLED,
    LINE_DENIED,
    LINE_RECEIVABLE,
    LINE_WAITS,
    OPEN,
    PAID,
    PENDING,
    PURCHASED,
    REOPENED,
)
from ml_connector.sandbox.standin import BadInput, Row

MOVES: dict[str, tuple[frozenset[int], int]] = {
    "submit_bill": (frozenset({BILL_DRAFT, BILL_DENIED, BILL_WITHDRAWN}), BILL_SUBMITTED),
    "approve_bill": (frozenset({BILL_SUBMITTED}), BILL_APPROVED),
    "deny_bill": (frozenset({BILL_SUBMITTED, BILL_APPROVED}), BILL_DENIED),
    "withdraw_bill": (frozenset({BILL_SUBMITTED, BILL_APPROVED}), BILL_WITHDRAWN),
}
"""From which states of a bill a person takes it where."""
STATES: dict[str, tuple[frozenset[int], int]] = {
    "cancel_order": (OPEN, CANCELLED),
    "close_order": (OPEN, CLOSED),
    "reopen_order": (frozenset({CLOSED}), REOPENED),
    "pay_order": (OPEN | {CLOSED}, PAID),
}


class People:
    def __init__(self, books: Books, bills: Bills, purchasing: Purchasing, entry: Entry) -> None:
        self._books = books
        self._bills = bills
        self._purchasing = purchasing
        self._entry = entry
        self.done: list[Row] = []
        self._known: dict[str, Callable[[Row], object]] = {
            "request": self._request,
            "approve_requisition": self._approve_requisition,
            "deny_requisition": self._deny_requisition,
            "purchase": self._purchase,
            "edit_order": self._edit_order,
            "add_line": self._add_line,
            "cancel_line": self._cancel_line,
            **dict.fromkeys(STATES, self._move_order),
            "receive": self._receive,
            "enter_bill": self._enter_bill,
            **dict.fromkeys(MOVES, self._move_bill),
            "edit_bill": self._edit_bill,
            "pay_bill": self._pay_bill,
            "edit_vendor": self._edit_vendor,
        }

    def perform(self, action: Row) -> Row:
        """Raises BadInput when it cannot be done."""
        do = action.get("do")
        if do not in self._known:
            raise BadInput(f"actions: {do!r} is unknown; known: {', '.join(self._known)}")
        try:
            self._known[str(do)](action)
        except Refused as refused:
            raise BadInput(f"{do}: {refused}") from None
        self.done.append(action)
        return action

    # --- requisitions --------------------------------------------------------------------------------------

    def _request(self, action: Row) -> None:
        department = str(action.get("department", "Operations"))
        found = self._books.find("departments", lambda row: bool(row["name"] == department))
        if found is None:
            raise BadInput(f"request: there is no department {department}")
        place = self._books.row("locations", found["branch"])["name"]
        lines = [
            {
                "item_name": str(line.get("name", "Goods")),
                "vendor_name": str(line.get("vendor", "")),
                "account_code": str(line.get("account", "")),
                "unit_price": _number(action, line.get("price", 1), "price"),
                "quantity": _number(action, line.get("quantity", 1), "quantity"),
                "unit": str(line.get("unit", "EA")),
                "currency_code": str(line.get("currency", "USD")),
            }
            for line in _rows(action, "lines")
        ]
        wanted = self._books.today() + dt.timedelta(days=14)
        given = {"location_name": place, "department_name": department, "required_date": wanted, "line_items": lines}
        self._purchasing.enter(given)

    def _approve_requisition(self, action: Row) -> None:
        requisition = self._requisition(action, PENDING)
        now = self._books.now()
        for item in self._lines_of(requisition):
            approved = {"approved_quantity": item["quantity"], "approved_price": item["price"]}
            self._books.edit(
                "order-items", {"id": item["id"], "approved_datetime": now, "status": LINE_WAITS, **approved}
            )
        self._books.edit("requisitions", {"num": requisition["num"], "status": APPROVED})

    def _deny_requisition(self, action: Row) -> None:
        requisition = self._requisition(action, PENDING)
        for item in self._lines_of(requisition):
            self._books.edit(
                "order-items", {"id": item["id"], "status": LINE_DENIED, "is_active": False, "active": False}
            )
        self._books.edit("requisitions", {"num": requisition["num"], "status": DENIED})

    def _purchase(self, action: Row) -> None:
        """One order for every vendor and currency of the requisition."""
        requisition = self._requisition(action, APPROVED)
        groups: dict[tuple[int, int], list[Row]] = {}
        for item in self._lines_of(requisition):
            groups.setdefault((item["vendor"], item["currency"]), []).append(item)
        number = action.get("number")
        if number is not None and len(groups) > 1:
            raise BadInput(
                f"purchase: requisition {requisition['num']} makes {len(groups)} orders; leave out the number"
            )
        for (vendor, currency), items in groups.items():
            fields: Row = {"vendor": vendor, "currency": currency, "promise_date": requisition["dateRequired"]}
            order = self._entry.order({**fields, **({} if number is None else {"number": str(number)})})
            for index, item in enumerate(items, 1):
                line = {"purchase_order": order["procurify_PO"], "PO_line_num": index, "status": LINE_RECEIVABLE}
                self._books.edit("order-items", {"id": item["id"], "purchased_date": self._books.now(), **line})
        self._books.edit("requisitions", {"num": requisition["num"], "status": PURCHASED})

    def _requisition(self, action: Row, status: int) -> Row:
        number = action.get("requisition")
        row = self._books["requisitions"].get(number if isinstance(number, int) else None)
        if row is None:
            raise BadInput(f"{action['do']}: no requisition {number}")
        if row["status"] != status:
            raise BadInput(f"{action['do']}: requisition {number} has status {row['status']}, not {status}")
        return row

    def _lines_of(self, requisition: Row) -> list[Row]:
        return [item for item in self._books["order-items"] if item["orderNum"] == requisition["num"]]

    # --- orders --------------------------------------------------------------------------------------------

    def _edit_order(self, action: Row) -> None:
        order = self._open_order(action)
        for line in _rows(action, "lines", default=[]):
            changes = {name: value for name, value in line.items() if name != "line"}
            for name in ("quantity", "price"):
                if name in changes:
                    changes[f"approved_{name}"] = changes[name]
            self._books.edit("order-items", {**changes, "id": self._line(action, order, line.get("line"))["id"]})
        self._raise(order, action.get("fields", {}))

    def _add_line(self, action: Row) -> None:
        order = self._open_order(action)
        line = {name: value for name, value in action.items() if name not in {"do", "order"}}
        self._entry.line(order, line)
        self._raise(order, {})

    def _cancel_line(self, action: Row) -> None:
        order = self._open_order(action)
        item = self._line(action, order, action.get("line"))
        self._books.edit(
            "order-items", {"id": item["id"], "status": LINE_CANCELLED, "is_active": False, "active": False}
        )
        self._raise(order, {})

    def _move_order(self, action: Row) -> None:
        do = str(action["do"])
        order = self._order(action)
        allowed, state = STATES[do]
        if order["state"] not in allowed:
            raise BadInput(f"{do}: order {order['number']} is in state {order['state']}")
        closed = self._books.now() if state == CLOSED else None
        self._books.edit(
            "purchase-orders", {"procurify_PO": order["procurify_PO"], "state": state, "closed_date": closed}
        )

    def _receive(self, action: Row) -> None:
        order = self._order(action)
        item = self._line(action, order, action.get("line", 1))
        failed = _number(action, action.get("failed", 0), "failed")
        self._purchasing.receive(item["id"], _number(action, action.get("quantity", 0), "quantity"), failed)

    def _raise(self, order: Row, fields: Any) -> None:
        """An edit after approval raises the version."""
        if not isinstance(fields, dict) or {"procurify_PO", "version"} & set(fields):
            raise BadInput("edit_order: fields must be an object without procurify_PO and version")
        changes = {"procurify_PO": order["procurify_PO"], "version": order["version"] + 1}
        self._books.edit("purchase-orders", {**fields, **changes})

    def _order(self, action: Row) -> Row:
        number = action.get("order")
        row = self._books.find("purchase-orders", lambda row: number in (row["number"], row["procurify_PO"]))
        if row is None:
            raise BadInput(f"{action['do']}: no order {number}")
        return row

    def _open_order(self, action: Row) -> Row:
        order = self._order(action)
        if order["state"] not in OPEN:
            raise BadInput(f"{action['do']}: order {order['number']} is in state {order['state']}, not open")
        return order

    def _line(self, action: Row, order: Row, number: object) -> Row:
        for item in self._books.items(order):
            if item["PO_line_num"] == number:
                return item
        raise BadInput(f"{action['do']}: order {order['number']} has no line {number}")

    # --- bills and vendors ---------------------------------------------------------------------------------

    def _enter_bill(self, action: Row) -> None:
        given = {name: value for name, value in action.items() if name not in {"do", "invoice"}}
        self._entry.bill({"invoice_number": str(action.get("invoice", "")), **given})

    def _move_bill(self, action: Row) -> None:
        do = str(action["do"])
        bill = self._bill(action)
        allowed, status = MOVES[do]
        if bill["status"] not in allowed:
            raise BadInput(f"{do}: bill {bill['invoice_number']} has status {bill['status']}")
        changes: Row = {"status": status, "statuses": self._bills.history(bill, status)}
        if status == BILL_SUBMITTED:
            changes |= {"submitted_date": self._books.now()}
        if status == BILL_APPROVED:
            changes |= {"approver": BOUND_USER}
        self._books.edit("bills", {"id": bill["id"], **changes})

    def _edit_bill(self, action: Row) -> None:
        bill = self._bill(action)
        fields = action.get("fields", {})
        if not isinstance(fields, dict) or {"id", "uuid", "version"} & set(fields):
            raise BadInput("edit_bill: fields must be an object without id, uuid and version")
        self._entry.bill({**fields, "id": bill["id"], "version": bill["version"] + 1})

    def _pay_bill(self, action: Row) -> None:
        bill = self._bill(action)
        if bill["status"] != BILL_APPROVED or bill["payment"] is not None:
            raise BadInput(f"pay_bill: bill {bill['invoice_number']} is not approved, or has a payment")
        day = str(action.get("date", self._books.today().isoformat()))
        self._bills.pay(bill, day, str(action.get("reference", "")))

    def _bill(self, action: Row) -> Row:
        """By its invoice number, which must be of one bill only, or by its UUID."""
        wanted = action.get("invoice")
        found = [row for row in self._books["bills"] if wanted in (row["invoice_number"], row["uuid"])]
        if len(found) != 1:
            raise BadInput(f"{action['do']}: {len(found) or 'no'} bills {wanted}")
        return found[0]

    def _edit_vendor(self, action: Row) -> None:
        vendor = self._entry.vendor(action.get("vendor"), "edit_vendor")
        fields = action.get("fields", {})
        if not isinstance(fields, dict) or "id" in fields:
            raise BadInput("edit_vendor: fields must be an object without id")
        self._books.edit("vendors", {**fields, "id": vendor})


def _rows(action: Row, name: str, default: list[Row] | None = None) -> list[Row]:
    value = action.get(name, default)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadInput(f"{action['do']}: {name} must be a list of objects")
    return value


def _number(action: Row, value: object, name: str) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise BadInput(f"{action['do']}: {name} must be a number, not {value!r}") from None
