"""How bills and payments look in answers: totals of bills as JSON numbers, everything else as texts."""

from decimal import Decimal

from ml_connector.sandbox.procurify.amounts import cents, item_net, totals
from ml_connector.sandbox.procurify.order_shapes import OrderShapes
from ml_connector.sandbox.procurify.shapes import dec, num
from ml_connector.sandbox.procurify.states import BILL_APPROVED, BILL_PAID
from ml_connector.sandbox.procurify.states import PAYMENTS as PAYMENT_STATES
from ml_connector.sandbox.standin import Row


class BillShapes(OrderShapes):
    # --- bills ---------------------------------------------------------------------------------------------

    def listed_bill(self, bill: Row) -> Row:
        """A row of the list: its items are keys."""
        currency = self.currency_summary(bill["currency"])
        vendor = self._books.row("vendors", bill["vendor"])
        return {
            **self._head(bill),
            "vendor": {"id": vendor["id"], "name": vendor["name"]},
            "currency": {name: currency[name] for name in ("id", "name", "rate")},
            "items": [item["id"] for item in bill["items"]],
            "user": self.simple_person(bill["user"]),
            "creator": self.simple_person(bill["creator"]),
            "approver": self._listed_approver(bill["approver"]),
            "past_due": self._is_past_due(bill),
            "invoice_created": bill["status"] == BILL_PAID,
        }

    def bill(self, bill: Row) -> Row:
        """One bill with its items and costs."""
        sums = totals(bill)
        vendor = self.inner_vendor(bill["vendor"])
        rate = Decimal(bill["rate"] or self._books.row("currencies", bill["currency"])["rate"])
        return {
            **self._head(bill),
            "active": bill["active"],
            "vendor": vendor,
            "vendor_name": vendor["name"][:100],
            "vendor_contact": vendor["contact"] or "",
            "vendor_address_one": vendor["addressLineOne"] or "",
            "vendor_address_two": vendor["addressLineTwo"] or "",
            "vendor_postal_code": (vendor["postalCode"] or "")[:10],
            "vendor_city": vendor["city"] or "",
            "vendor_state_province": vendor["state_province"] or "",
            "vendor_country": vendor["country"] or "",
            "currency": {**self.currency(bill["currency"]), "rate": dec(rate, 6)},
            "items": [self.bill_item(bill, item) for item in bill["items"]],
            "costs": [self._cost(bill, cost) for cost in bill["costs"]],
            "tax_amount": num(sums.inclusive + sums.exclusive),
            "inclusive_tax_amount": num(sums.inclusive),
            "exclusive_tax_amount": num(sums.exclusive),
            "subtotal_cost": num(sums.net),
            "total_cost": num(sums.cost),
            "converted_total_cost": num(cents(sums.cost * rate)),
            "shipping_amount": num(sums.shipping),
            "payment_terms": bill["payment_terms"],
            "note": bill["note"],
            "payment_method": bill["payment_method"],
            "payment_method_name": self._method_name(bill["payment_method"]),
            "added_purchase_orders": self._orders_of(bill),
            "bill_payment": self._bill_payment(bill),
            "bill_statuses": [
                {
                    "id": bill["id"] * 100 + index,
                    "user": self.person(one["user"]),
                    "date": one["date"],
                    "status": one["status"],
                    "bill": bill["id"],
                }
                for index, one in enumerate(bill["statuses"])
            ],
            "invoice_attachments": [self._attachment(one) for one in bill["attachments"]],
            "comments": [],
            "version_choices": [],
            "user": self.person(bill["user"]),
            "creator": self.person(bill["creator"]),
            "approver": self._approver(bill["approver"]),
            "approval_chain": None,
        }

    def bill_item(self, bill: Row, item: Row) -> Row:
        line = self._books["order-items"].get(item["orderitem"])
        order = None if line is None else self._books["purchase-orders"].get(line["purchase_order"])
        tax = Decimal(item["tax_amount"])
        return {
            "id": item["id"],
            "type": "order" if line is not None else "item",
            "item_type": 0 if line is not None else 1,
            **{name: item[name] for name in ("description", "sku", "unit", "tax_name", "tax_is_inclusive")},
            "quantity": dec(item["quantity"], 8),
            "unit_cost": num(item["unit_cost"]),
            "bill_by_cost": item["bill_by_cost"],
            "same_unit_cost": line is None or Decimal(item["unit_cost"]) == Decimal(line["price"]),
            "total_cost": num(item_net(item)),
            "total_cost_with_tax": num(item_net(item) + tax),
            "tax_amount": num(tax),
            "tax_percentage": dec(item["tax_percentage"], 8),
            "tax": None,
            "shipping_amount": dec(item["shipping_amount"], 8),
            "currency": self.currency(bill["currency"]),
            "vendor": self.inner_vendor(bill["vendor"]),
            "bill": bill["id"],
            "po": None
            if order is None
            else {"number": order["number"], "id": order["procurify_PO"], "uuid": order["uuid"]},
            "orderitem": None if line is None else {**self.line(line), "attachments": ""},
            "expense": None,
            "received_on": item["received_on"] or item["created_at"],
            "packing_slips": [],
            "cost_allocations": [
                self._budget(bill, item["id"] * 100 + index, one["account"], one["amount"])
                for index, one in enumerate(item["allocations"])
            ],
            "archived": False,
            "creditcard_item": None,
            "is_edited": False,
            "unit_cost_diff_log": None,
            "custom_fields": [],
        }

    def _head(self, bill: Row) -> Row:
        sums = totals(bill)
        names = ("id", "uuid", "invoice_number", "status", "type", "version", "group", "submitted_date", "invoice_date")
        exported = {} if bill["last_export_date"] is None else self._export(bill)
        return {
            **{name: bill[name] for name in (*names, "due_date", "gl_post_date", "last_modified_datetime")},
            "locked": bill["status"] in {BILL_APPROVED, BILL_PAID},
            "total_cost_with_tax": num(sums.with_tax),
            "invoice_total": num(sums.gross),
            "invoice_uuid": bill["uuid"],
            **exported,
        }

    def _export(self, bill: Row) -> Row:
        return {"last_export_date": bill["last_export_date"], "last_export_user": self.simple_person(bill["user"])}

    def _cost(self, bill: Row, cost: Row) -> Row:
        return {
            "id": cost["id"],
            "name": cost["name"],
            "amount": dec(cost["amount"], 8),
            "bill": bill["id"],
            "cost": None,
            "currency": bill["currency"],
            "cost_allocation": self._budget(bill, cost["id"] * 100, cost["account"], cost["amount"]),
        }

    def _budget(self, bill: Row, key: int, account: int, amount: Decimal) -> Row:
        """Where an amount of a bill is coded: that of the bill, not that of the order's line."""
        return {
            "id": key,
            "amount": dec(amount, 8),
            "budget": self.account(account),
            "object_id": bill["id"],
            "currency": self.currency(bill["currency"]),
            "created_on": bill["submitted_date"] or bill["last_modified_datetime"],
        }

    def _orders_of(self, bill: Row) -> list[Row]:
        keys: dict[int, None] = {}
        for item in bill["items"]:
            line = self._books["order-items"].get(item["orderitem"])
            if line is not None and line["purchase_order"] is not None:
                keys[line["purchase_order"]] = None
        shown = [self.docs_order(self._books.row("purchase-orders", key)) for key in keys]
        return [
            {"id": one["id"], "number": one["number"], "currency": one["currency"], "total_amount": one["total"]}
            for one in shown
        ]

    def _is_past_due(self, bill: Row) -> bool:
        due = bill["due_date"]
        return bool(due) and bill["status"] != BILL_PAID and str(due)[:10] < self._books.today().isoformat()

    def _method_name(self, key: int | None) -> str:
        method = self._books["payment-methods"].get(key)
        return "" if method is None else str(method["name"])

    def _listed_approver(self, key: int | None) -> Row | None:
        if key is None:
            return None
        person = self.simple_person(key)
        return {**person, "profile_image": None, "approval_delegatee": {**person}}

    def _approver(self, key: int | None) -> Row | None:
        if key is None:
            return None
        return {"id": key, "user": self.simple_person(key), "amount_limit": "100000.00", "approval_level": 1}

    def _attachment(self, one: Row) -> Row:
        return {**one, "user": 1, "created_at": one.get("created_at", self._books.now())}

    # --- payments ------------------------------------------------------------------------------------------

    def payment(self, row: Row) -> Row:
        """As the current list has it."""
        person = self._books.row("users", row["creator"])
        vendor = self._books["vendors"].get(row["vendor"])
        currency = self._books.row("currencies", row["currency"])
        return {
            "id": row["id"],
            "uuid": row["uuid"],
            "amount": dec(row["amount"], 2),
            "currency": {"id": currency["id"], "name": currency["name"]},
            **{name: row[name] for name in ("status", "processing_date", "posted_date", "created_at", "updated_at")},
            "creator": {"email": person["email"], "first_name": person["firstName"], "last_name": person["lastName"]},
            "vendor_name": None if vendor is None else vendor["name"],
            "gl_code": row["gl_code"],
            "payment_source_name": None,
            "payment_source_type": row["source"],
            "external_payment_source_id": None,
            "direct_debit_bank_account_mask": None,
            "vendor_payment_method_country_code": None,
            "vendor_payment_method_rail": None,
            "bill_groups": row["bill_groups"],
        }

    def old_payment(self, row: Row) -> Row:
        """As the old list has it, which is to be removed."""
        amount = dec(row["amount"], 2)
        return {
            "id": row["id"],
            "bill_payments": None,
            "payment_method_type": 0,
            "payment_method": None,
            "payment_date": row["processing_date"],
            "amount": dec(row["amount"], 8),
            "total_amount_with_tax": amount,
            "tax_amount": "0.00",
            "inclusive_tax_amount": "0.00",
            "exclusive_tax_amount": "0.00",
            "currency": self.currency(row["currency"]),
            "status": PAYMENT_STATES[row["status"]],
            "ach_number": 0,
        }

    def _bill_payment(self, bill: Row) -> Row | None:
        payment = self._books["payments"].get(bill["payment"])
        if payment is None:
            return None
        method = {
            "id": 0,
            "vendor": bill["vendor"],
            "name": "",
            "type": 0,
            "data": "",
            "currency": self.currency(bill["currency"]),
        }
        return {
            "id": payment["id"],
            "amount": dec(totals(bill).gross, 8),
            "payment_method": method,
            "transaction": None,
            "payment": {
                "id": payment["id"],
                "user": payment["creator"],
                "approver": None,
                "status": PAYMENT_STATES[payment["status"]],
                "currency": payment["currency"],
                "amount": dec(payment["amount"], 8),
                "payment_method": None,
                "payment_date": payment["processing_date"],
                "memo": payment["memo"],
                "reference_number": payment["reference_number"],
                "is_processed": payment["status"] == "paid",
            },
        }
