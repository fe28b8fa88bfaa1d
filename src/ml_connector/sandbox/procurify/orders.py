"""Purchase orders: the list, one order, revising, closing and reopening.

Procurify: there is one list, by role and status; its rows have no lines. A revision carries the whole order and the
version that it was read with, keeps the number and raises the version. A line that a revision leaves out is cancelled.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

from ml_connector.sandbox.http import Response
from ml_connector.sandbox.procurify.amounts import fulfilment, total
from ml_connector.sandbox.procurify.books import Books
from ml_connector.sandbox.procurify.calls import Call, Routes
from ml_connector.sandbox.procurify.errors import Invalid, Refused, Wrong, invalid
from ml_connector.sandbox.procurify.incoming import body_of
from ml_connector.sandbox.procurify.listing import (
    Filter,
    Filters,
    Lists,
    choice,
    flag,
    ignored,
    number,
    same,
    single,
    whole,
)
from ml_connector.sandbox.procurify.order_shapes import PARTY, OrderShapes
from ml_connector.sandbox.procurify.requests import TYPES
from ml_connector.sandbox.procurify.states import (
    BILL_DENIED,
    BILL_WITHDRAWN,
    CANCELLED,
    CLOSED,
    LINE_CANCELLED,
    OPEN,
    PAID,
    REOPENED,
)
from ml_connector.sandbox.standin import Row

ROLES = ("purchased", "receivable")
STATUSES: Mapping[str, Callable[[Row, str], bool]] = {
    "all": lambda order, got: True,
    "open": lambda order, got: order["state"] in OPEN and got == "empty",
    "partial": lambda order, got: order["state"] in OPEN and got == "partial",
    "closed": lambda order, got: order["state"] == CLOSED,
    "cancelled": lambda order, got: order["state"] == CANCELLED,
    "paid": lambda order, got: order["state"] == PAID,
}
MODIFIERS = ("amount", "percentage")
BASE = "/api/v3/purchase-orders"


class Orders:
    def __init__(self, books: Books, shapes: OrderShapes, lists: Lists) -> None:
        self._books = books
        self._shapes = shapes
        self._lists = lists

    def add_routes(self, routes: Routes) -> None:
        routes.add("GET /api/v2/purchase_orders/{role}/{status}/", "purchase-orders", self._list)
        routes.add("GET /api/v2/purchase_orders/{id}/", "purchase-orders", self._get)
        routes.add("PUT /api/v2/purchase_order/revise/{procurify_PO}/", "purchase-orders", self._revise_old)
        routes.add(f"GET {BASE}/billing-history/", "purchase-orders", self._billing_history)
        routes.add(f"PUT {BASE}/{{procurify_PO}}/", "purchase-orders", self._revise)
        routes.add(f"POST {BASE}/{{procurify_PO}}/close/", "purchase-orders", self._close)
        routes.add(f"POST {BASE}/{{procurify_PO}}/reopen/", "purchase-orders", self._reopen)

    # --- reading -------------------------------------------------------------------------------------------

    def _list(self, call: Call) -> Response:
        role, status = call.ids
        if role not in ROLES or status not in STATUSES:
            raise Refused(404)
        of_role = [row for row in reversed(list(self._books["purchase-orders"])) if self._belongs(row, role)]
        rows = [row for row in of_role if STATUSES[status](row, self._fulfilment(row))]
        found = self._lists.chosen(call.request, rows, self._filters(), ("number", "PO_Num", "comment"))
        return self._lists.answer(call.request, found, self._shapes.listed_order, self._counts)

    def _belongs(self, order: Row, role: str) -> bool:
        return role == "purchased" or (order["state"] in OPEN and self._fulfilment(order) != "full")

    def _fulfilment(self, order: Row) -> str:
        return fulfilment(self._books.items(order))

    def _filters(self) -> Filters:
        books = self._books

        def lines(wanted: Callable[[Row, int], bool]) -> Filter:
            return Filter(whole, lambda order, value: any(wanted(item, value) for item in books.items(order)))

        def cost(order: Row) -> Decimal:
            return total(order, books.items(order))

        def requested_by(item: Row, user: int) -> bool:
            requisition = books["requisitions"].get(item["orderNum"])
            return requisition is not None and bool(requisition["user"] == user)

        days = self._lists.days
        return {
            **days("date", "date"),
            **days("modified_date", "last_modified"),
            **days("promise_date", "promise_date"),
            **days("expiry_date", "expiry_date"),
            "pref_vendor": same("vendor"),
            "currency": same("currency"),
            "purchaser": same("purchaser"),
            "purchase_order": same("procurify_PO"),
            "requester": lines(requested_by),
            "account_code": lines(lambda item, code: books.row("accounts", item["account"])["account_code"] == code),
            "total_0": Filter(number, lambda order, value: cost(order) >= value),
            "total_1": Filter(number, lambda order, value: cost(order) <= value),
            "has_blanket_order_items": Filter(
                flag, lambda order, value: any(item["type"] == 2 for item in books.items(order)) == value
            ),
            "contract": ignored(whole),
        }

    def _counts(self, rows: list[Row]) -> Row:
        counts: Row = {}
        for role in ROLES:
            mine = [row for row in self._books["purchase-orders"] if self._belongs(row, role)]
            states = [(row, self._fulfilment(row)) for row in mine]
            known = ("all", "open", "partial", "closed", "cancelled")
            counts[role] = {name: sum(1 for row, got in states if STATUSES[name](row, got)) for name in known}
            counts[role]["page"] = len(rows)
        return {"counts": counts}

    def _get(self, call: Call) -> Response:
        rights = {"can_edit": True, "can_delete": False}
        return single(call.request, self._shapes.order(self._find(call)), rights)

    def _find(self, call: Call) -> Row:
        """By number or by UUID, with or without dashes."""
        text = call.ids[0]
        bare = text.replace("-", "").lower()
        if len(bare) == 32:
            row = self._books.find("purchase-orders", lambda row: bool(row["uuid"].replace("-", "") == bare))
        else:
            row = self._books["purchase-orders"].get(call.number())
        if row is None:
            raise Refused(404)
        return row

    def _billing_history(self, call: Call) -> Response:
        billed: dict[int, Decimal] = {}
        for bill in self._books["bills"]:
            for item in bill["items"]:
                if item["orderitem"] is not None and bill["status"] not in {BILL_DENIED, BILL_WITHDRAWN}:
                    line = item["orderitem"]
                    billed[line] = billed.get(line, Decimal(0)) + Decimal(item["quantity"])
        data = []
        for order in self._books["purchase-orders"]:
            rows = [
                {
                    "id": item["id"],
                    "billed_qty": f"{billed.get(item['id'], Decimal(0)):.8f}",
                    "received_qty": f"{Decimal(item['receivedPassQty']):.5f}",
                }
                for item in self._books.items(order)
            ]
            left = any(Decimal(row["billed_qty"]) == 0 and Decimal(row["received_qty"]) == 0 for row in rows)
            number = order["number"]
            data.append(
                {"id": order["procurify_PO"], "number": number, "has_unbilled_unreceived_items": left, "items": rows}
            )
        return Response.json({"metadata": {}, "data": data})

    # --- writing -------------------------------------------------------------------------------------------

    def _revise(self, call: Call) -> Response:
        order = self._revised(call)
        return single(call.request, self._update_shape(order))

    def _revise_old(self, call: Call) -> Response:
        """The deprecated path: the same, answered with the whole order."""
        confirm = call.request.parameter("confirm_duplicate_external_po_number")
        if confirm is not None:
            try:
                choice(("False", "True"))(confirm)
            except ValueError as error:
                raise invalid("confirm_duplicate_external_po_number", str(error)) from None
        return single(call.request, self._shapes.order(self._revised(call)))

    def _revised(self, call: Call) -> Row:
        order = self._find(call)
        given = body_of(call.request, TYPES, "Order")
        if order["state"] not in OPEN:
            raise invalid("state", f"The order is in state {order['state']} and cannot be edited.", "NOT_EDITABLE")
        if given["version"] != order["version"]:
            text = f"The order has version {order['version']}; version {given['version']} was sent."
            raise invalid("version", text, "STALE")
        items = {item["id"]: item for item in self._books.items(order)}
        self._check(given, items)
        named = {line["id"]: line for line in given["order_items"]}
        for key in items:
            if key in named:
                wish = {name: named[key][name] for name in _LINE if name in named[key]}
                changes = {**wish, "approved_quantity": wish["quantity"], "approved_price": wish["price"]}
            else:
                changes = {"is_active": False, "active": False, "status": LINE_CANCELLED}
            self._books.edit("order-items", {**changes, "id": key})
        head: Row = {name: given[name] for name in ("PO_Num", "comment", "freight", "other") if name in given}
        for name in ("promise_date", "expiry_date"):
            if given.get(name) is not None:
                head[name] = given[name].isoformat().replace("+00:00", "Z")
        for role in ("buyer", "receiver"):
            head[f"{role}_address"] = given[f"{role}_address"]
            head[role] = {name: given[f"{role}_{name}"] for name in PARTY if f"{role}_{name}" in given}
        head |= {name: given[name] for name in ("tax", "discount")}
        raised = {"procurify_PO": order["procurify_PO"], "version": order["version"] + 1}
        return self._books.edit("purchase-orders", {**head, **raised})

    def _check(self, given: Row, items: Mapping[int, Row]) -> None:
        """Raises Invalid for what does not fit the order."""
        wrong: dict[str, Wrong] = {}
        for index, line in enumerate(given["order_items"]):
            if line["id"] not in items:
                wrong[f"order_items.{index}.id"] = Wrong(f"Item {line['id']} is not on this order.", "DOES_NOT_EXIST")
            elif line["quantity"] < Decimal(items[line["id"]]["receivedPassQty"]):
                wrong[f"order_items.{index}.quantity"] = Wrong("Less than what was received.")
        for name in ("tax", "discount"):
            value = given[name].get("value")
            if given[name].get("type") not in MODIFIERS or isinstance(value, bool) or not _is_number(value):
                wrong[name] = Wrong("Expected value, a number, and type: amount or percentage.")
        for role in ("buyer_address", "receiver_address"):
            if given[role] not in self._books["addresses"]:
                wrong[role] = Wrong(f'Invalid pk "{given[role]}" - object does not exist.', "DOES_NOT_EXIST")
        if wrong:
            raise Invalid(wrong)

    def _update_shape(self, order: Row) -> Row:
        shown = self._shapes.order(order)
        parties = [f"{role}_{name}" for role in ("buyer", "receiver") for name in PARTY]
        heads = ("version", "PO_Num", "comment", "promise_date", "freight", "discount", "tax", "other", "expiry_date")
        lines = ("id", "name", "sku", "unit", "price", "po_note", "custom_fields", "tax_amount", "shipping_amount")
        quantities = {item["id"]: self._shapes.listed_line(item)["quantity"] for item in self._books.items(order)}
        return {
            **{name: shown[name] for name in (*heads, *parties)},
            "buyer_address": order["buyer_address"],
            "receiver_address": order["receiver_address"],
            "order_items": [
                {**{name: item[name] for name in lines}, "quantity": quantities[item["id"]]}
                for item in shown["order_items"]
                if item["is_active"]
            ],
        }

    def _close(self, call: Call) -> Response:
        order = self._find(call)
        if order["state"] not in OPEN:
            raise invalid("state", f"The order is in state {order['state']} and cannot be closed.", "NOT_OPEN")
        changes = {"procurify_PO": order["procurify_PO"], "state": CLOSED, "closed_date": self._books.now()}
        return single(call.request, self._shapes.docs_order(self._books.edit("purchase-orders", changes)))

    def _reopen(self, call: Call) -> Response:
        order = self._find(call)
        if order["state"] != CLOSED:
            raise invalid("state", f"The order is in state {order['state']}, not closed.", "NOT_CLOSED")
        changes = {"procurify_PO": order["procurify_PO"], "state": REOPENED, "closed_date": None}
        self._books.edit("purchase-orders", changes)
        return Response(200)


_LINE = ("name", "sku", "unit", "quantity", "price", "po_note", "tax_amount", "shipping_amount")


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal)
