"""Requisitions and receipts.

Procurify: a requisition names its place, vendors, accounts and currencies by name or code, and is approved by people;
a receipt is one receiving action on a line of an order.
"""

from decimal import Decimal

from ml_connector.sandbox.http import Response
from ml_connector.sandbox.procurify.amounts import line_quantity, line_total
from ml_connector.sandbox.procurify.books import BOUND_USER, Books
from ml_connector.sandbox.procurify.calls import Call, Routes
from ml_connector.sandbox.procurify.errors import Invalid, Wrong, invalid
from ml_connector.sandbox.procurify.incoming import body_of
from ml_connector.sandbox.procurify.listing import Filter, Filters, Lists, flag, moment, number, same, single
from ml_connector.sandbox.procurify.order_shapes import OrderShapes
from ml_connector.sandbox.procurify.requests import TYPES
from ml_connector.sandbox.procurify.states import LINE_FULFILLED, LINE_RECEIVED_IN_PART, OPEN
from ml_connector.sandbox.standin import Row

RECEIPTS = "/api/v3/receipt/items/"


class Purchasing:
    def __init__(self, books: Books, shapes: OrderShapes, lists: Lists) -> None:
        self._books = books
        self._shapes = shapes
        self._lists = lists

    def add_routes(self, routes: Routes) -> None:
        routes.add("GET /api/v2/global/orders/", "requisitions", self._list)
        routes.add("POST /api/v3/requisitions/", "requisitions", self._post)
        routes.add(f"GET {RECEIPTS}", "receipts", self._receipts)
        routes.add(f"POST {RECEIPTS}", "receipts", self._receive)

    # --- requisitions --------------------------------------------------------------------------------------

    def _list(self, call: Call) -> Response:
        def items(row: Row) -> list[Row]:
            return [item for item in self._books["order-items"] if item["orderNum"] == row["num"]]

        days = self._lists.days
        filters: Filters = {
            **days("date", "date"),
            **days("modified_date", "dateModified"),
            **days("required_date", "dateRequired"),
            "branch": same("location"),
            "location": same("location"),
            "department": same("department"),
            "status": same("status"),
            "dateRequired": Filter(moment, lambda row, value: moment(row["dateRequired"]) == value),
            "lineCount": Filter(number, lambda row, value: len(items(row)) == value),
            "totalPrice": Filter(
                number, lambda row, value: sum((line_total(item) for item in items(row)), Decimal(0)) == value
            ),
            "is_punchout": Filter(flag, lambda row, value: not value),
            "has_blanket_order_items": Filter(
                flag, lambda row, value: any(item["type"] == 2 for item in items(row)) == value
            ),
        }
        rows = reversed(list(self._books["requisitions"]))
        found = self._lists.chosen(call.request, rows, filters, ("num", "description"))
        return self._lists.answer(call.request, found, self._shapes.requisition)

    def _post(self, call: Call) -> Response:
        row = self.enter(body_of(call.request, TYPES, "Requisition"))
        return single(call.request, {"uuid": row["uuid"]}, status=201)

    def enter(self, given: Row) -> Row:
        """A pending requisition of what a body or a person asks for. Raises Invalid."""
        wrong: dict[str, Wrong] = {}
        location = self._named("locations", "name", given["location_name"], "location_name", wrong)
        department = self._named("departments", "name", given["department_name"], "department_name", wrong)
        if not given["line_items"]:
            wrong["line_items"] = Wrong("This list may not be empty.", "REQUIRED")
        lines = [self._line(index, line, department, wrong) for index, line in enumerate(given["line_items"])]
        if wrong:
            raise Invalid(wrong)
        assert location is not None
        assert department is not None
        required = f"{given['required_date'].isoformat()}T00:00:00Z"
        fields = {"department": department["id"], "location": location["id"], "user": BOUND_USER}
        requisition = self._books.add("requisitions", {**fields, "dateRequired": required})
        for line in lines:
            self._books.add("order-items", {**line, "orderNum": requisition["num"]})
        return requisition

    def _line(self, index: int, given: Row, department: Row | None, wrong: dict[str, Wrong]) -> Row:
        where = f"line_items.{index}"
        vendor = self._named("vendors", "name", given["vendor_name"], f"{where}.vendor_name", wrong)
        code = self._named("account-codes", "code", given["account_code"], f"{where}.account_code", wrong)
        currency = self._named("currencies", "name", given["currency_code"], f"{where}.currency_code", wrong)
        account = None
        if code is not None and department is not None:
            account = self._account(code, department)
            if account is None:
                wrong[f"{where}.account_code"] = Wrong("The department has no account of this code.", "DOES_NOT_EXIST")
        if given["quantity"] <= 0:
            wrong[f"{where}.quantity"] = Wrong("Ensure this value is greater than 0.")
        keys = {"vendor": vendor, "currency": currency, "account": account}
        return {
            "name": given["item_name"],
            "unit": given["unit"],
            "quantity": given["quantity"],
            "price": given["unit_price"],
            **{name: row["id"] for name, row in keys.items() if row is not None},
        }

    def _named(self, type_name: str, field: str, value: str, where: str, wrong: dict[str, Wrong]) -> Row | None:
        row = self._books.find(type_name, lambda row: bool(row[field] == value and row["active"]))
        if row is None:
            wrong[where] = Wrong(f'"{value}" does not exist.', "DOES_NOT_EXIST")
        return row

    def _account(self, code: Row, department: Row) -> Row | None:
        pair = (code["id"], department["id"])
        return self._books.find("accounts", lambda row: (row["account_code"], row["department"]) == pair)

    # --- receipts ------------------------------------------------------------------------------------------

    def _receipts(self, call: Call) -> Response:
        filters: Filters = {"order_item": same("order_item")}
        found = self._lists.chosen(call.request, self._books["receipts"], filters, ())
        return self._lists.answer(call.request, found, self._shapes.receipt, place="top")

    def _receive(self, call: Call) -> Response:
        given = body_of(call.request, TYPES, "Receipt")
        row = self.receive(given["order_item"], given["pass_quantity"], given["fail_quantity"])
        return Response.json(self._shapes.receipt(row), 201)

    def receive(self, key: int, passed: Decimal, failed: Decimal) -> Row:
        """Goods come in, or go back with a quantity below zero. Raises Invalid."""
        item = self._books["order-items"].get(key)
        order = None if item is None else self._books["purchase-orders"].get(item["purchase_order"])
        if item is None or order is None:
            raise invalid("order_item", f'Invalid pk "{key}" - object does not exist.', "DOES_NOT_EXIST")
        if order["state"] not in OPEN or not item["is_active"]:
            raise invalid("order_item", "Nothing can be received on this item.", "NOT_RECEIVABLE")
        got = Decimal(item["receivedPassQty"]) + passed
        lost = Decimal(item["receivedFailQty"]) + failed
        if got < 0 or lost < 0:
            raise invalid("pass_quantity" if got < 0 else "fail_quantity", "More is taken back than was received.")
        status = LINE_FULFILLED if got >= line_quantity(item) else LINE_RECEIVED_IN_PART
        self._books.edit("order-items", {"id": key, "receivedPassQty": got, "receivedFailQty": lost, "status": status})
        self._books.touch("purchase-orders", order)
        day = self._books.today().isoformat()
        fields = {"order_item": key, "pass_quantity": passed, "fail_quantity": failed, "received_at": day}
        return self._books.add("receipts", fields)
