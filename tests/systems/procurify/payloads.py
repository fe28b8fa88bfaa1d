"""Objects as Procurify answers them, in the forms that its description gives."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]

UUID_1 = "7d3f0a52-6c4b-4b0e-9a55-0e2b6f0c1a01"
UUID_2 = "7d3f0a52-6c4b-4b0e-9a55-0e2b6f0c1a02"

USD = {"id": 1, "name": "USD", "description": "US Dollar", "rate": "1.000000", "base": True, "active": True}
EUR = {"id": 2, "name": "EUR", "description": "Euro", "rate": "1.080000", "base": False, "active": True}


def vendor(key: int = 11, **more: Any) -> Row:
    row = {
        "id": key, "name": "Electra Components Inc.", "active": True, "external_id": "ELC001", "type": 3,
        "email": ["ap@electra.example", "sales@electra.example"], "contact": "Ann Ohm", "phoneOne": "+1 937 555 0100",
        "phoneTwo": None, "fax": None, "addressLineOne": "1 Relay Road", "addressLineTwo": "Dock 4", "city": "Dayton",
        "state_province": "OH", "postalCode": "45402", "country": "United States", "url": None, "comments": None,
        "currency": 1, "payment_term_ref": {"id": 5, "name": "Net 30", "description": "", "active": True},
        "payment_methods": [{"id": 3, "name": "ACH", "type": 2, "data": {"account_number": "****6789"}}],
        "default_payment_method": 3, "overall_score": None, "dateModified": "2026-11-10T09:00:00Z",
    }  # fmt: skip
    return {**row, **more}


def account(code: str = "6100", department: int = 21, **more: Any) -> Row:
    return {
        "id": 900,
        "account_code": {"id": 61, "code": code, "description": "Components", "account_type": 2, "active": True},
        "department": {"id": department, "name": "Warehouse 1", "branch": {"id": 1, "name": "HQ"}, "active": True},
        "budget": "1000.00",
        **more,
    }


def item(key: int = 501, line: int = 1, **more: Any) -> Row:
    """A line of an order as the order's own answer has it: related objects inside, quantities as numbers."""
    row = {
        "id": key, "PO_line_num": line, "purchase_order": 150, "PO": [150], "name": "Relay 24 V", "num": "R-24",
        "sku": "", "unit": "EA", "quantity": 100, "approved_quantity": 100, "receivedPassQty": 0, "receivedFailQty": 0,
        "price": "12.00000000", "approved_price": "12.00000000", "total_cost": "1200.00", "tax_amount": None,
        "shipping_amount": None, "account": account(), "accountCode": "6100", "catalog_item": None, "status": 2,
        "type": 0, "receive_method": 0, "active": True, "is_active": True, "spend_allocation": [],
    }  # fmt: skip
    return {**row, **more}


def order(key: int = 150, **more: Any) -> Row:
    row = {
        "procurify_PO": key, "uuid": UUID_1, "number": f"PF{key}", "PO_Num": None, "date": "2026-11-02T17:30:00Z",
        "last_modified": "2026-11-16T10:00:00.123456Z", "promise_date": "2026-12-01T00:00:00Z", "state": 0,
        "fulfilment_status": "empty", "active": True, "version": 1, "most_recent_version": 1,
        "pref_vendor": vendor(), "payment_terms": "Net 30", "payment_term": {"id": 5, "name": "Net 30"},
        "subtotal": "1500.00", "total": "1500.00", "freight": None, "other": None,
        "tax": {"value": 0, "type": "amount"}, "discount": {"value": 0, "type": "amount"}, "comment": "Dock 4",
        "purchased_currency": {"id": 1, "name": "USD", "rate": "1.000000", "base": True},
        "purchased_currency_rate": "1.000000", "cost_details": None,
        "order_items": [
            item(),
            item(
                502, 2, name="Carton", num="C-1", quantity=30, approved_quantity=30, price="10.00000000",
                approved_price=None, total_cost="300.00", account=account("6200"),
            ),
        ],
    }  # fmt: skip
    return {**row, **more}


def order_row(whole: Row) -> Row:
    """The order as the list has it: without lines, and with the shipping method as a text."""
    left_out = {"order_items", "payment_term", "cost_details"}
    return {**{name: value for name, value in whole.items() if name not in left_out}, "shipping_method": "Truck"}


def allocation(amount: str, code: str = "6100", department: int = 21, key: int = 801) -> Row:
    return {"id": key, "amount": amount, "budget": account(code, department), "currency": 1}


def bill_item(key: int = 701, cost: Any = 1200.0, **more: Any) -> Row:
    row = {
        "id": key, "type": "order", "description": "Relay 24 V", "sku": "", "quantity": "100.00000000", "unit": "EA",
        "unit_cost": 12.0, "bill_by_cost": False, "total_cost": cost, "total_cost_with_tax": cost, "tax_amount": 0,
        "tax_name": "", "tax_percentage": None, "tax_is_inclusive": False, "shipping_amount": None,
        "po": {"number": "PF150", "id": 150, "uuid": UUID_1}, "orderitem": item(), "archived": False,
        "cost_allocations": [allocation(f"{cost:.8f}")],
    }  # fmt: skip
    return {**row, **more}


def bill(number: str = "ELC-1001", **more: Any) -> Row:
    """Document 1 of the base set: two lines and tax on top of them."""
    row = {
        "id": 31, "uuid": UUID_1, "invoice_number": number, "status": 2, "type": 0, "version": 1, "locked": False,
        "vendor": vendor(), "currency": USD, "invoice_date": "2026-11-10", "due_date": "2026-12-10T00:00:00Z",
        "gl_post_date": None, "last_modified_datetime": "2026-11-16T10:00:00.500000Z", "group": 44, "note": "",
        "subtotal_cost": 1500.0, "total_cost": 1500.0, "exclusive_tax_amount": 120.0, "inclusive_tax_amount": 0,
        "tax_amount": 120.0, "total_cost_with_tax": 1620.0, "shipping_amount": 0, "invoice_total": 1620.0,
        "converted_total_cost": 1500.0, "costs": [], "added_purchase_orders": [], "bill_payment": None,
        "bill_statuses": [{"id": 1, "status": 1}, {"id": 2, "status": 2}],
        "items": [
            bill_item(tax_amount=96.0, tax_name="VAT", tax_percentage="8.00000000", total_cost_with_tax=1296.0),
            bill_item(
                702, 300.0, description="Carton", tax_amount=24.0, tax_name="VAT", tax_percentage="8.00000000",
                total_cost_with_tax=324.0, orderitem=item(502, 2), cost_allocations=[allocation("300", "6200")],
            ),
        ],
    }  # fmt: skip
    return {**row, **more}


def bill_row(whole: Row) -> Row:
    """The bill as the list has it: items as ids, the vendor as id and name."""
    names = (
        "id", "uuid", "invoice_number", "status", "type", "version", "locked", "total_cost_with_tax", "invoice_total",
        "invoice_date", "due_date", "gl_post_date", "last_modified_datetime", "group",
    )  # fmt: skip
    kept = {name: whole[name] for name in names}
    return {**kept, "vendor": {"id": 11, "name": "Electra"}, "items": [one["id"] for one in whole["items"]]}


def receipt(key: int = 401, **more: Any) -> Row:
    row = {
        "id": key, "order_item": 501, "pass_quantity": "40.00000", "fail_quantity": "2.00000",
        "total_quantity": "42.00000", "created_at": "2026-11-12T08:00:00Z", "received_at": "2026-11-11",
        "created_by": {"id": 1}, "is_edited": False,
    }  # fmt: skip
    return {**row, **more}
