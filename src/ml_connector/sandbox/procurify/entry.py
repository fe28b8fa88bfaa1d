"""Entering orders and bills as people and data files have them: by the names, codes and numbers that they know.

A vendor goes by name, `external_id` or key; a currency by its code; an account by its code, of the department that is
named or else of the first one that has it. An item without allocations is coded to its `account` as a whole.
"""

import copy
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ml_connector.sandbox.procurify.amounts import item_net
from ml_connector.sandbox.procurify.books import Books, numbers
from ml_connector.sandbox.procurify.fields import BILL_COST, BILL_ITEM
from ml_connector.sandbox.standin import BadInput, Row


class Entry:
    def __init__(self, books: Books) -> None:
        self._books = books
        self._last = {"items": 0, "costs": 0, "orders": 100}

    # --- orders --------------------------------------------------------------------------------------------

    def order(self, given: Row) -> Row:
        """Inserts or changes an order; `lines` are entered with it. Raises BadInput."""
        if given.get("_delete") is True:
            return self._books.edit("purchase-orders", given)
        fields = self._referring(given, "purchase-orders")
        lines = fields.pop("lines", [])
        if not isinstance(lines, list):
            raise BadInput("purchase-orders: lines must be a list of objects")
        known = self._books["purchase-orders"].get(fields.get("procurify_PO"))
        if known is None:
            fields = {"number": self._next_number(), "promise_date": self._books.now(), **fields}
            vendor = self._books["vendors"].get(fields.get("vendor", 1))
            if vendor is not None:
                fields = {"payment_term": vendor["payment_term_ref"], **fields}
            for name, kind in (("shipping_term", "shipping-terms"), ("shipping_method", "shipping-methods")):
                usual = next(iter(self._books[kind]), None)
                fields.setdefault(name, None if usual is None else usual["id"])
            if any(row["number"] == fields["number"] for row in self._books["purchase-orders"]):
                raise BadInput(f"purchase-orders: number {fields['number']} is in use")
        order = self._books.edit("purchase-orders", fields)
        for line in lines:
            self.line(order, line)
        if "last_modified" in given:
            order["last_modified"] = given["last_modified"]
        return order

    def line(self, order: Row, given: Any) -> Row:
        """A line of an order, approved as it is given. Raises BadInput."""
        if not isinstance(given, dict):
            raise BadInput("purchase-orders: a line must be an object")
        items = self._books.items(order)
        line = {
            "purchase_order": order["procurify_PO"],
            "PO_line_num": max((item["PO_line_num"] for item in items), default=0) + 1,
            "vendor": order["vendor"],
            "currency": order["currency"],
            "status": 2,
            "approved_quantity": given.get("quantity"),
            "approved_price": given.get("price"),
            "approved_datetime": order["date"],
            "purchased_date": order["date"],
            "created_at": order["date"],
            "last_modified": order["last_modified"],
            **self._referring(given, "order-items"),
        }
        line["allocations"] = self._allocations(line.get("allocations", []))
        return self._books.add("order-items", line)

    def _next_number(self) -> str:
        taken = {row["number"] for row in self._books["purchase-orders"]}
        while True:
            self._last["orders"] += 1
            number = f"PF{self._last['orders']}"
            if number not in taken:
                return number

    # --- bills ---------------------------------------------------------------------------------------------

    def bill(self, given: Row) -> Row:
        """Inserts or changes a bill; items and costs that are given replace those that it has. Raises BadInput."""
        if given.get("_delete") is True:
            return self._books.edit("bills", given)
        fields = self._referring(given, "bills")
        number = fields.get("invoice_number", fields.get("id"))
        when = fields.get("submitted_date") or self._books.now()
        for name, entered, made in (("items", self._item, {"created_at": when}), ("costs", self._cost, {})):
            if name in fields:
                if not isinstance(fields[name], list) or not all(isinstance(one, dict) for one in fields[name]):
                    raise BadInput(f"bills {number}: {name} must be a list of objects")
                where = f"bills {number}: {name}"
                fields[name] = [entered({**made, **one}, f"{where}[{n}]") for n, one in enumerate(fields[name])]
        known = self._books["bills"].get(fields.get("id"))
        if known is None:
            status = fields.get("status", 0)
            fields = {"statuses": [{"user": 1, "date": when, "status": status}], **fields}
        return self._books.edit("bills", fields)

    def _item(self, given: Row, where: str) -> Row:
        row = self._filled(BILL_ITEM, given, where, "items", extra=("account", "department", "order", "line"))
        row["orderitem"] = self._order_line(given, where, row["orderitem"])
        if "account" in given:
            account = self.account(given["account"], given.get("department"))
            row["allocations"] = [{"account": account, "amount": item_net(row)}]
        else:
            row["allocations"] = self._allocations(row["allocations"])
        coded = sum((one["amount"] for one in row["allocations"]), Decimal(0))
        if coded != item_net(row):
            raise BadInput(f"{where}: allocations come to {coded}, the item to {item_net(row)}")
        return row

    def _cost(self, given: Row, where: str) -> Row:
        row = self._filled(BILL_COST, given, where, "costs", extra=("department",))
        row["account"] = self.account(row["account"], given.get("department"))
        return row

    def _filled(self, defaults: Mapping[str, Any], given: Row, where: str, kind: str, extra: tuple[str, ...]) -> Row:
        unknown = sorted(set(given) - set(defaults) - set(extra))
        if unknown:
            raise BadInput(f"{where}: unknown {', '.join(unknown)}; known: {', '.join((*defaults, *extra))}")
        known = {name: value for name, value in given.items() if name in defaults}
        row: Row = {**copy.deepcopy(dict(defaults)), **numbers(known, where, "")}
        if row["id"] is None:
            self._last[kind] += 1
            row["id"] = self._last[kind]
        self._last[kind] = max(self._last[kind], row["id"])
        return row

    def _order_line(self, given: Row, where: str, known: int | None) -> int | None:
        """The key of the line that `order` and `line` name."""
        if "order" not in given:
            return known
        order = self._books.find("purchase-orders", lambda row: bool(row["number"] == given["order"]))
        items = [] if order is None else self._books.items(order)
        for item in items:
            if item["PO_line_num"] == given.get("line", 1):
                return int(item["id"])
        raise BadInput(f"{where}: no line {given.get('line', 1)} of order {given['order']}")

    # --- references ----------------------------------------------------------------------------------------

    def vendor(self, value: object, where: str) -> int:
        """The key of a vendor. Raises BadInput."""
        row = self._books.find("vendors", lambda row: value in (row["id"], row["name"], row["external_id"]))
        if row is None:
            raise BadInput(f"{where}: no vendor {value}")
        return int(row["id"])

    def account(self, value: object, department: object = None) -> int:
        """The key of an account: of a code in a department, made when both exist. Raises BadInput."""
        if isinstance(value, int) and not isinstance(value, bool) and value in self._books["accounts"]:
            return value
        code = self._books.find("account-codes", lambda row: bool(row["code"] == value))
        if code is None:
            raise BadInput(f"accounts: no account code {value}")
        place = self._books.find("departments", lambda row: department in (None, row["id"], row["name"]))
        if place is None:
            raise BadInput(f"accounts: no department {department}")
        mine = [row for row in self._books["accounts"] if row["account_code"] == code["id"]]
        for row in mine:
            if department is None or row["department"] == place["id"]:
                return int(row["id"])
        return int(self._books.add("accounts", {"account_code": code["id"], "department": place["id"]})["id"])

    def _allocations(self, given: Any) -> list[Row]:
        if not isinstance(given, list) or not all(isinstance(one, dict) and "amount" in one for one in given):
            raise BadInput("allocations must be a list of objects with account and amount")
        amounts = numbers([{"amount": one["amount"]} for one in given], "allocations", "")
        return [
            {"account": self.account(one.get("account"), one.get("department")), "amount": amount["amount"]}
            for one, amount in zip(given, amounts, strict=True)
        ]

    def _referring(self, given: Row, where: str) -> Row:
        """The row with keys for the vendor, currency and account that it names."""
        row = dict(given)
        if "vendor" in row:
            row["vendor"] = self.vendor(row["vendor"], where)
        if isinstance(row.get("currency"), str):
            currency = self._books.find("currencies", lambda one: bool(one["name"] == row["currency"]))
            if currency is None:
                raise BadInput(f"{where}: no currency {row['currency']}")
            row["currency"] = currency["id"]
        if "account" in row:
            row["account"] = self.account(row["account"], row.pop("department", None))
        return row
