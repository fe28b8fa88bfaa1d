"""The lists of order lines, under two paths; they can only be read."""

from ml_connector.sandbox.http import Response
from ml_connector.sandbox.procurify.books import Books
from ml_connector.sandbox.procurify.calls import Call, Routes
from ml_connector.sandbox.procurify.listing import Filter, Filters, Lists, flag, ignored, number, one_of, same, through
from ml_connector.sandbox.procurify.order_shapes import OrderShapes
from ml_connector.sandbox.standin import Row


class OrderLines:
    def __init__(self, books: Books, shapes: OrderShapes, lists: Lists) -> None:
        self._books = books
        self._shapes = shapes
        self._lists = lists

    def add_routes(self, routes: Routes) -> None:
        routes.add("GET /api/v3/order-items/", "order-items", self._list)
        routes.add("GET /api/v2/global/order_items/", "order-items", self._list)

    def _list(self, call: Call) -> Response:
        rows = list(self._books["order-items"])
        found = self._lists.chosen(call.request, rows, self._filters(), ("name", "num", "sku"))
        return self._lists.answer(call.request, found, self._shapes.listed_line)

    def _filters(self) -> Filters:
        books, days = self._books, self._lists.days

        def account(item: Row) -> Row:
            return books.row("accounts", item["account"])

        def po_created(item: Row) -> Row:
            order = books["purchase-orders"].get(item["purchase_order"])
            return {} if order is None else order

        def requisition(item: Row) -> Row:
            return books["requisitions"].get(item["orderNum"]) or {}

        def branch(item: Row) -> Row:
            return {"branch": books.row("departments", account(item)["department"])["branch"]}

        texts = ("name", "num", "sku", "unit", "lineComment")
        wholes = ("account", "orderNum", "currency", "pref_vendor", "po_vendor", "type", "status")
        spelt = {"pref_vendor": "vendor", "po_vendor": "vendor"}
        numbers = ("price", "quantity", "approved_price", "approved_quantity", "receivedPassQty", "receivedFailQty")
        return {
            **days("last_modified", "last_modified"),
            **days("approved_datetime", "approved_datetime"),
            **days("purchased_date", "purchased_date"),
            **through(po_created, days("po_created_date", "date")),
            **through(requisition, days("order_created_date", "date")),
            **through(requisition, {"orderNum__status": same("status"), "requester": same("user")}),
            **through(po_created, {"purchaser": same("purchaser")}),
            **through(account, {"account_code": same("account_code"), "department": same("department")}),
            **through(account, {"departments": one_of("department")}),
            **through(branch, {"branch": same("branch"), "location": same("branch"), "locations": one_of("branch")}),
            **{name: same(name, str) for name in texts},
            **{name: same(spelt.get(name, name)) for name in wholes},
            **{name: same(name, number) for name in numbers},
            "active": same("active", flag),
            "is_purchased": Filter(flag, lambda item, value: (item["purchase_order"] is not None) == value),
            "fulfilment_status": ignored(),
            **{name: ignored(flag) for name in ("catalog", "exclude_punchout", "is_recurring")},
            **{name: ignored(number) for name in ("approver", "approver_id", "purchase_agreement", "last_changed_by")},
        }
