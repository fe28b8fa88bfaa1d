"""The fields of the rows that the stand-in holds, with their defaults.

They have the API's names where the API shows them as they are. References are keys. A bill holds its items and costs,
an item its allocations: `{"account": 3, "amount": ...}`.
"""

from decimal import Decimal
from typing import Any

ZERO, ONE = Decimal(0), Decimal(1)

_NAMED: dict[str, Any] = {"id": None, "name": "", "description": "", "active": True}

FIELDS: dict[str, dict[str, Any]] = {
    "currencies": {**_NAMED, "rate": ONE, "base": False},
    "locations": {
        **{"id": None, "name": "", "currency": 1, "external_id": None, "headquarter": False, "active": True},
        **{"phoneOne": "", "fax": None, "email": None, "url": None, "locationTimezone": None, "language": 1},
        **{"primary_billing_address": 1, "primary_shipping_address": 1, "shipping_addresses": []},
    },
    "addresses": {
        **{"id": None, "name": "", "addressLineOne": "", "addressLineTwo": "", "city": "", "postalCode": ""},
        **{"state_province": "", "country": "US", "created_at": ""},
    },
    "departments": {
        **{"id": None, "name": "", "branch": 1, "external_id": None, "active": True, "punchout_email": None},
    },
    "account-codes": {
        **{"id": None, "code": "", "description": "", "account_type": 2, "active": True, "parent": None},
    },
    "accounts": {
        **{"id": None, "account_code": 1, "department": 1, "start_datetime": None, "end_datetime": None},
        **{"budget": ZERO, "active": True},
    },
    "payment-terms": _NAMED,
    "shipping-terms": _NAMED,
    "shipping-methods": _NAMED,
    "vendor-methods": _NAMED,
    "payment-methods": {
        **{"id": None, "name": "", "type": 0, "data": {}, "currency": 1, "gl_code": "", "vendor": None},
        **{"payment_rail": "", "managed": False},
    },
    "users": {
        **{"id": None, "firstName": "", "lastName": "", "email": "", "position": None, "is_active": True},
        **{"role": 10, "department": None, "location": None, "created_at": ""},
    },
    "vendors": {
        **{"id": None, "name": "", "active": True, "external_id": None, "type": 3, "email": [], "contact": ""},
        **{"phoneOne": "", "phoneTwo": "", "fax": "", "addressLineOne": "", "addressLineTwo": "", "city": ""},
        **{"state_province": "", "postalCode": "", "country": "", "url": "", "comments": "", "currency": None},
        **{"payment_term_ref": None, "shipping_term_ref": None, "payment_method_ref": None},
        **{"shipping_method_ref": None, "default_payment_method": None, "tax": None, "is_1099_eligible": None},
        **{"overall_score": None, "is_auto_email_po_enabled": False, "po_pdf_labels": ""},
        **{"email_configurations": {}, "dateModified": ""},
    },
    "requisitions": {
        **{"num": None, "uuid": "", "description": None, "department": 1, "location": 1, "user": 1, "status": 0},
        **{"date": "", "dateRequired": "", "dateModified": ""},
    },
    "order-items": {
        **{"id": None, "orderNum": None, "purchase_order": None, "PO_line_num": 0, "num": "", "name": ""},
        **{"sku": "", "unit": "EA", "quantity": ZERO, "approved_quantity": None, "price": ZERO},
        **{"approved_price": None, "receivedPassQty": ZERO, "receivedFailQty": ZERO, "tax_amount": None},
        **{"shipping_amount": None, "account": 1, "currency": 1, "vendor": 1, "status": 0, "type": 0},
        **{"receive_method": 0, "approved_datetime": None, "purchased_date": None, "po_note": ""},
        **{"lineComment": None, "external_id": "", "is_active": True, "active": True, "allocations": []},
        **{"created_at": "", "last_modified": ""},
    },
    "purchase-orders": {
        **{"procurify_PO": None, "uuid": "", "number": "", "PO_Num": None, "date": "", "last_modified": ""},
        **{"closed_date": None, "expiry_date": None, "promise_date": "", "state": 0, "active": True, "version": 1},
        **{"purchaser": 1, "vendor": 1, "buyer_address": 1, "receiver_address": 1, "payment_term": None},
        **{"shipping_term": None, "shipping_method": None, "freight": ZERO, "other": ZERO, "comment": None},
        **{"tax": {"value": ZERO, "type": "amount"}, "discount": {"value": ZERO, "type": "amount"}},
        **{"currency": 1, "rate": None, "staged_for_export": False, "buyer": {}, "receiver": {}},
    },
    "receipts": {
        **{"id": None, "order_item": 0, "pass_quantity": ZERO, "fail_quantity": ZERO, "created_at": ""},
        **{"received_at": None, "created_by": 1, "is_edited": False},
    },
    "bills": {
        **{"id": None, "uuid": "", "invoice_number": "", "status": 0, "type": 0, "version": 1, "vendor": 1},
        **{"currency": 1, "items": [], "costs": [], "invoice_date": None, "due_date": None, "gl_post_date": None},
        **{"submitted_date": None, "last_modified_datetime": "", "last_export_date": None, "group": None},
        **{"user": 1, "creator": 1, "approver": None, "payment_terms": "", "payment_method": None, "note": ""},
        **{"payment": None, "statuses": [], "attachments": [], "active": True, "rate": None},
    },
    "payments": {
        **{"id": None, "uuid": "", "amount": ZERO, "currency": 1, "status": "draft", "processing_date": None},
        **{"posted_date": None, "created_at": "", "updated_at": "", "creator": 1, "vendor": None, "gl_code": None},
        **{"source": "external", "memo": "", "reference_number": "", "bill_groups": [], "method": None},
    },
}

BILL_ITEM: dict[str, Any] = {
    **{"id": None, "description": "", "sku": "", "quantity": ONE, "unit": "EA", "unit_cost": ZERO},
    **{"tax_name": "", "tax_percentage": None, "tax_amount": ZERO, "tax_is_inclusive": False},
    **{"shipping_amount": None, "orderitem": None, "received_on": None, "allocations": [], "created_at": ""},
    **{"bill_by_cost": False},
}
BILL_COST: dict[str, Any] = {"id": None, "name": "", "amount": ZERO, "account": 1}

KEYS = dict.fromkeys(FIELDS, "id") | {"requisitions": "num", "purchase-orders": "procurify_PO"}

DOCUMENTS = {
    "vendors": "dateModified",
    "requisitions": "dateModified",
    "order-items": "last_modified",
    "purchase-orders": "last_modified",
    "bills": "last_modified_datetime",
    "payments": "updated_at",
}
"""The types whose rows say when they were changed, and where."""

NUMBERS = frozenset(
    {
        *("rate", "budget", "quantity", "approved_quantity", "price", "approved_price", "receivedPassQty", "amount"),
        *("receivedFailQty", "tax_amount", "shipping_amount", "freight", "other", "value", "pass_quantity"),
        *("fail_quantity", "unit_cost", "tax_percentage", "overall_score"),
    }
)
