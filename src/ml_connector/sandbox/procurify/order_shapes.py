"""How orders, their lines and requisitions look in answers.

A line has two looks: in lists of lines what it refers to are keys and its quantities are texts; in an order they are
objects and JSON numbers.
"""

from decimal import Decimal

from ml_connector.sandbox.procurify.amounts import (
    cents,
    fulfilment,
    line_quantity,
    line_total,
    modifier,
    subtotal,
    total,
)
from ml_connector.sandbox.procurify.shapes import Shapes, dec, num, text
from ml_connector.sandbox.standin import Row

CONTRACT = {"id": 1, "uuid": "5d0f7c52-1f0a-4c8e-9f55-0a5b5b1d8a10", "name": "General terms"}
"""Every order is under it: the contract has an object there."""
NO_TERM = {"id": 0, "name": "", "description": "", "active": True}
PARTY = ("name", "contact", "addressLineOne", "city", "state_province", "postalCode", "country")


class OrderShapes(Shapes):
    # --- orders --------------------------------------------------------------------------------------------

    def listed_order(self, order: Row) -> Row:
        return {**self._order(order), "shipping_method": self._method(order)["name"]}

    def order(self, order: Row) -> Row:
        """One order with its lines."""
        items = self._books.items(order)
        whole = total(order, items)
        rate = self._rate(order)
        net = subtotal(items)
        return {
            **self._order(order),
            "shipping_method": self._method(order),
            "order_items": [self.line(item) for item in items],
            "payment_term": self._term("payment-terms", order["payment_term"]),
            "shipping_term": self._term("shipping-terms", order["shipping_term"]),
            "creditcard": None,
            "creditcard_is_editable": False,
            "custom_fields": [],
            "cost_details": {
                "subtotal": text(net),
                "total_cost": text(whole),
                "total_cost_in_base_currency": text(cents(whole * rate)),
                "tax_amount": text(modifier(order["tax"], net)),
            },
        }

    def docs_order(self, order: Row) -> Row:
        """What closing an order answers."""
        shown = self._order(order)
        names = (
            *("version", "PO_Num", "date", "discount", "freight", "fulfilment_status", "item_count", "last_modified"),
            *("number", "other", "procurify_PO", "promise_date", "punchout_system", "purchase_agreement"),
            *("purchased_currency_rate", "state", "subtotal", "total", "uuid", "has_blanket_order_items"),
            *("expiry_date",),
        )
        currency = shown["purchased_currency"]
        return {
            "id": order["procurify_PO"],
            **{name: shown[name] for name in names},
            "pref_vendor": {name: shown["pref_vendor"][name] for name in ("id", "name", "active")},
            "purchased_currency": {name: currency[name] for name in ("id", "name", "rate")},
            "purchaser": self.simple_person(order["purchaser"]),
            "total_amount": shown["total"],
            "currency": currency["name"],
        }

    def _order(self, order: Row) -> Row:
        items = self._books.items(order)
        vendor = self.inner_vendor(order["vendor"])
        term, shipping = (
            self._term("payment-terms", order["payment_term"]),
            self._term("shipping-terms", order["shipping_term"]),
        )
        return {
            "procurify_PO": order["procurify_PO"],
            "uuid": order["uuid"],
            "number": order["number"],
            "PO_Num": order["PO_Num"],
            **{name: order[name] for name in ("date", "last_modified", "closed_date", "expiry_date", "promise_date")},
            "recorded_date": None,
            "state": order["state"],
            "active": order["active"],
            "fulfilment_status": fulfilment(items),
            "version": order["version"],
            "most_recent_version": order["version"],
            "item_count": len(items),
            "purchaser": self.person(order["purchaser"]),
            "pref_vendor": vendor,
            "vendor_name": vendor["name"],
            "vendor_contact": vendor["contact"],
            **{f"vendor_{name}": vendor[name] for name in PARTY[2:]},
            **self._party("buyer", order),
            **self._party("receiver", order),
            "payment_terms": term["name"],
            "shipping_terms": shipping["name"],
            "subtotal": dec(subtotal(items), 2),
            "total": dec(total(order, items), 2),
            "freight": dec(order["freight"], 6),
            "other": dec(order["other"], 6),
            "tax": {"value": num(order["tax"]["value"]), "type": order["tax"]["type"]},
            "discount": {"value": num(order["discount"]["value"]), "type": order["discount"]["type"]},
            "comment": order["comment"],
            "purchased_currency": self.currency_summary(order["currency"]),
            "purchased_currency_rate": dec(self._rate(order), 6),
            "staged_for_export": order["staged_for_export"],
            "has_blanket_order_items": any(item["type"] == 2 for item in items),
            "punchout_system": None,
            "purchase_agreement": None,
            "contract": CONTRACT,
        }

    def _party(self, role: str, order: Row) -> Row:
        """Name and address as they were put on the order, and the address they came from."""
        address = self.address(order[f"{role}_address"])
        buyer = self._books.row("users", order["purchaser"])
        standing = {
            "contact": f"{buyer['firstName']} {buyer['lastName']}",
            **{name: address[name] for name in PARTY if name in address},
        }
        given = {**standing, **order[role]}
        return {f"{role}_{name}": given[name] for name in PARTY} | {f"{role}_address": address}

    def _rate(self, order: Row) -> Decimal:
        return Decimal(order["rate"] or self._books.row("currencies", order["currency"])["rate"])

    def _method(self, order: Row) -> Row:
        return self._term("shipping-methods", order["shipping_method"])

    def _term(self, type_name: str, key: int | None) -> Row:
        """The contract has an object even for an order without a term."""
        return self.named(type_name, key) or NO_TERM

    # --- lines ---------------------------------------------------------------------------------------------

    def listed_line(self, item: Row) -> Row:
        """As the lists of lines have it."""
        approved = item["approved_quantity"]
        return {
            **self._line(item),
            "account": item["account"],
            "currency": item["currency"],
            "pref_vendor": item["vendor"],
            "purchaser": self._purchaser(item),
            "catalog_item": None,
            "item_attachments": [],
            "quantity": dec(item["quantity"], 5),
            "approved_quantity": dec(approved, 5),
            "receivedPassQty": dec(item["receivedPassQty"], 5),
            "receivedFailQty": dec(item["receivedFailQty"], 5),
        }

    def line(self, item: Row) -> Row:
        """As an order or a bill has it."""
        order = self._books["purchase-orders"].get(item["purchase_order"])
        requisition = self._books["requisitions"].get(item["orderNum"])
        buyer = self._purchaser(item) or 1
        whole = text(line_total(item))
        blanket = item["quantity"] is None
        return {
            **self._line(item),
            "account": self.account(item["account"]),
            "currency": self.currency_summary(item["currency"]),
            "pref_vendor": self.inner_vendor(item["vendor"]),
            "purchaser": self.person(buyer),
            "catalog_item": None,
            "attachments": None,
            "item_attachments": [],
            "quantity": None if blanket else num(item["quantity"]),
            "approved_quantity": num(line_quantity(item)),
            "receivedPassQty": num(item["receivedPassQty"]),
            "receivedFailQty": num(item["receivedFailQty"]),
            "recurrence": None,
            "custom_fields": [],
            "comments": [],
            "logs": [],
            "approval_history": [],
            "flags": [],
            "taxes": [],
            "receive_log_count": sum(1 for one in self._books["receipts"] if one["order_item"] == item["id"]),
            "spend_allocation": [self._allocation(item, one, index) for index, one in enumerate(item["allocations"])],
            "cost_details": {
                "total_cost": whole,
                "total_cost_in_base_currency": whole,
                "tax_amount": text(item["tax_amount"] or 0),
            },
            "requester": self.simple_person(buyer if requisition is None else requisition["user"]),
            "confirmation_status": None,
            **({} if order is None else _of_order(order)),
            **({} if requisition is None else _of_requisition(requisition)),
        }

    def _line(self, item: Row) -> Row:
        order = item["purchase_order"]
        account = self._books.row("accounts", item["account"])
        return {
            "id": item["id"],
            "PO": [] if order is None else [order],
            "purchase_order": order,
            "PO_line_num": item["PO_line_num"],
            "orderNum": item["orderNum"],
            "order_number": item["orderNum"],
            **{name: item[name] for name in ("num", "name", "sku", "unit", "status", "type", "receive_method")},
            "price": dec(item["price"], 8),
            "approved_price": dec(item["approved_price"], 8),
            "total_cost": dec(line_total(item), 2),
            "tax_amount": dec(item["tax_amount"], 8),
            "shipping_amount": dec(item["shipping_amount"], 8),
            "accountCode": self._books.row("account-codes", account["account_code"])["code"],
            "vendor": self._books.row("vendors", item["vendor"])["name"][:100],
            **{name: item[name] for name in ("approved_datetime", "last_modified", "created_at")},
            "updated_at": item["last_modified"],
            **{name: item[name] for name in ("external_id", "po_note", "lineComment", "is_active", "active")},
        }

    def _purchaser(self, item: Row) -> int | None:
        order = self._books["purchase-orders"].get(item["purchase_order"])
        return None if order is None else int(order["purchaser"])

    def _allocation(self, item: Row, one: Row, index: int) -> Row:
        """A share of a line that is coded to an account of its own."""
        account = self.account(one["account"])
        code = account["account_code"]
        branch = self._books.row("locations", self._books.row("departments", account["department"]["id"])["branch"])
        place = {"id": branch["id"], "name": branch["name"], "phoneOne": branch["phoneOne"], "localCurrency": 1}
        return {
            "id": item["id"] * 100 + index,
            "amount": dec(one["amount"], 8),
            "account": {
                "id": account["id"],
                "account_code": {
                    name: value for name, value in code.items() if name not in ("parent", "applied_accounts_count")
                },
                "department": {**account["department"], "branch": place},
                "active": account["active"],
            },
        }

    # --- the rest ------------------------------------------------------------------------------------------

    def requisition(self, row: Row) -> Row:
        items = [item for item in self._books["order-items"] if item["orderNum"] == row["num"]]
        whole = sum((line_total(item) for item in items), Decimal("0.00"))
        location = self._books.row("locations", row["location"])
        currency = items[0]["currency"] if items else 1
        rate = Decimal(self._books.row("currencies", currency)["rate"])
        return {
            **{name: row[name] for name in ("num", "uuid", "description", "status", "date", "dateRequired")},
            "dateModified": row["dateModified"],
            "branch": {
                "id": location["id"],
                "name": location["name"],
                "phoneOne": location["phoneOne"],
                "localCurrency": 1,
            },
            "user": self.person(row["user"]),
            "department": self.department_summary(row["department"]),
            "currency": self.currency_summary(currency),
            "total_cost_in_base_currency": num(whole * rate),
            "totalPrice": dec(whole, 2),
            "logs": [],
            "item_count": len(items),
            "lineCount": len(items),
            "purchasedCount": sum(1 for item in items if item["purchase_order"] is not None),
            "next_approver": self.person(1),
            "has_blanket_order_items": any(item["type"] == 2 for item in items),
        }

    def receipt(self, row: Row) -> Row:
        passed, failed = Decimal(row["pass_quantity"]), Decimal(row["fail_quantity"])
        return {
            "id": row["id"],
            "order_item": row["order_item"],
            "pass_quantity": dec(passed, 5),
            "fail_quantity": dec(failed, 5),
            "total_quantity": dec(passed + failed, 5),
            "created_at": row["created_at"],
            "received_at": row["received_at"],
            "created_by": self.simple_person(row["created_by"]),
            "is_edited": row["is_edited"],
        }


def _of_order(order: Row) -> Row:
    return {"purchase_order_number": order["number"], "purchase_order_uuid": order["uuid"]}


def _of_requisition(requisition: Row) -> Row:
    dates = {"date_required": requisition["dateRequired"], "submitted_date": requisition["date"]}
    return {**dates, "order_uuid": requisition["uuid"]}
