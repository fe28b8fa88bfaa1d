"""How a domain begins: the believable distributor's, or the small company of the acceptance story.

The distributor's bills are its last invoices and credit notes, approved; an invoice that names an order is on one.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from ml_connector import sandbox
from ml_connector.sandbox import company
from ml_connector.sandbox.http import decode
from ml_connector.sandbox.procurify.desk import Desk
from ml_connector.sandbox.procurify.fields import FIELDS
from ml_connector.sandbox.procurify.options import ProcurifyOptions
from ml_connector.sandbox.standin import BadInput, Row

ENTERED = 2000
"""Invoices of the distributor's year, of which the last ones are bills."""
RATES = {"USD": ("US Dollar", "1"), "EUR": ("Euro", "1.08"), "GBP": ("Pound sterling", "1.27")}
RATES["CAD"] = ("Canadian dollar", "0.729927")
CODE_TYPES = {"asset": 0, "liability": 1, "expense": 2, "revenue": 3, "capital": 4}
ORDER_OF_LOADING = (
    *("currencies", "addresses", "locations", "departments", "users", "account-codes", "accounts", "payment-terms"),
    *("shipping-terms", "shipping-methods", "vendor-methods", "vendors", "payment-methods", "requisitions"),
    *("purchase-orders", "order-items", "receipts", "payments", "bills"),
)


def fill(desk: Desk, seed: int, options: ProcurifyOptions, data: Mapping[str, list[Row]]) -> None:
    """Takes every type from the data or, when that does not name it, seeds it. Raises BadInput, naming the type."""
    for type_name in data:
        if type_name not in FIELDS:
            raise BadInput(f"{type_name}: unknown type; known: {', '.join(FIELDS)}")
    if options.base_set:
        path = Path(sandbox.__file__).parent / "data" / "base_set.procurify.json"
        begun = decode(path.read_bytes())
    else:
        begun = _distributor(seed, options.bills, data)
    rows = {**_setting(), **begun, **data}
    for type_name in ORDER_OF_LOADING:
        desk.edit(type_name, rows.get(type_name, []))


def _setting() -> dict[str, list[Row]]:
    """What every domain has: places, people and terms."""
    kinzie = {"addressLineOne": "410 West Kinzie Street", "city": "Chicago", "postalCode": "60654", "country": "USA"}
    created = {"created_at": "2024-01-08T17:00:00Z"}
    address = {"id": 1, "name": "Rilling Distribution Inc.", "state_province": "IL", **kinzie, **created}
    place = {"id": 1, "name": "Chicago", "headquarter": True, "phoneOne": "+1 312 555 0100"}
    api = {"id": 1, "firstName": "Ada", "lastName": "Connor", "email": "integration@rilling.example", "position": "API"}
    buyer = {"id": 2, "firstName": "Bo", "lastName": "Larsen", "email": "bo.larsen@rilling.example", "role": 3}
    home = {"department": 1, "location": 1, **created}
    return {
        "addresses": [address],
        "locations": [{**place, "locationTimezone": "America/Chicago", "shipping_addresses": [1]}],
        "departments": [{"id": 1, "name": "Operations"}, {"id": 2, "name": "R&D"}],
        "users": [{**api, **home}, {**buyer, **home}],
        "payment-terms": [{"id": days, "name": f"{days} days"} for days in (7, 14, 15, 30, 45, 60)],
        "shipping-terms": [{"id": 1, "name": "Delivered"}],
        "shipping-methods": [{"id": 1, "name": "Ground"}],
        "vendor-methods": [{"id": 1, "name": "Check"}],
        "currencies": [
            {"id": key, "name": code, "description": name, "rate": rate, "base": code == company.LOCAL_CURRENCY}
            for key, (code, (name, rate)) in enumerate(RATES.items(), 1)
        ],
    }


def _distributor(seed: int, count: int, data: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The rows of the seeded company; no documents beside data that bring what documents refer to."""
    accounts = [row for row in company.accounts(seed) if row.type in CODE_TYPES and not row.control and not row.held]
    codes = [
        {"id": key, "code": row.code, "description": row.name, "account_type": CODE_TYPES[row.type]}
        for key, row in enumerate(accounts, 1)
    ]
    centers = [{"name": row.name, "external_id": row.code} for row in company.cost_centers(seed)]
    departments = [{"id": key, **row} for key, row in enumerate([{"name": "Operations"}, *centers], 1)]
    rows: dict[str, list[Row]] = {
        "account-codes": codes,
        "departments": departments,
        "accounts": [{"account_code": row["id"], "department": 1} for row in codes],
        "vendors": [_vendor(row) for row in company.suppliers(seed)],
    }
    if {"vendors", "account-codes", "accounts", "departments", "currencies"}.isdisjoint(data):
        names = {row.code: row.name for row in company.cost_centers(seed)}
        documents = _entered(seed, count)
        ordered = _ordered(documents)
        rows["purchase-orders"] = [_order(number, invoice, names) for number, invoice in ordered.items()]
        rows["bills"] = [
            _bill(invoice, credit, names, has_order=ordered.get(_number(invoice)) is invoice)
            for invoice, credit in documents
        ]
    return rows


def _vendor(row: company.Supplier) -> Row:
    return {
        "name": row.name or f"Vendor {row.code}",
        "external_id": row.code,
        "type": 4,
        "email": [row.email],
        "contact": row.contact,
        "phoneOne": row.phone[:20],
        "addressLineOne": row.line1,
        "addressLineTwo": row.line2,
        "city": row.city,
        "state_province": row.region,
        "postalCode": row.postal_code,
        "country": row.country,
        "currency": list(RATES).index(row.currency) + 1 if row.currency in RATES else 1,
        "payment_term_ref": int(row.terms),
        "dateModified": "2026-01-05T17:00:00Z",
    }


Entered = tuple[company.Invoice, company.Credit | None]


def _entered(seed: int, count: int) -> list[Entered]:
    """The last `count` invoices and credit notes, oldest first."""
    if count < 1:
        return []
    found: list[tuple[dt.date, Entered]] = []
    for invoice in company.invoices(seed, max(count, ENTERED)):
        found.append((invoice.entered, (invoice, None)))
        found += [(credit.entered, (invoice, credit)) for credit in invoice.credits]
    found.sort(key=lambda one: one[0])
    return [document for _, document in found[-count:]]


def _number(invoice: company.Invoice) -> str:
    return invoice.reference.replace("PO ", "PF")


def _ordered(documents: list[Entered]) -> dict[str, company.Invoice]:
    """The invoice of each order: the first that names its number."""
    first: dict[str, company.Invoice] = {}
    for invoice, credit in documents:
        if credit is None and invoice.reference:
            first.setdefault(_number(invoice), invoice)
    return first


def _order(number: str, invoice: company.Invoice, departments: Mapping[str, str]) -> Row:
    when = f"{(invoice.date - dt.timedelta(days=7)).isoformat()}T15:00:00Z"
    return {
        "number": number,
        "vendor": invoice.supplier,
        "currency": invoice.currency,
        "date": when,
        "last_modified": when,
        "promise_date": f"{invoice.date.isoformat()}T00:00:00Z",
        "lines": [
            {"name": line.text, "quantity": 1, "price": line.amount, **_coded(line, departments)}
            for line in invoice.lines
            if line.kind == "item"
        ],
    }


def _bill(
    invoice: company.Invoice, credit: company.Credit | None, departments: Mapping[str, str], *, has_order: bool
) -> Row:
    """An approved bill; the amounts of a credit note are below zero. Tax goes to the first item, freight is a cost."""
    sign = 1 if credit is None else -1
    lines = invoice.lines if credit is None else credit.lines
    entered = (invoice if credit is None else credit).entered.isoformat()
    coded = [line for line in lines if line.kind == "item"] or list(lines)
    rest = [line for line in lines if line not in coded]
    tax = sum((line.amount for line in rest if line.kind == "tax"), Decimal(0)) * sign
    items: list[Row] = [
        {"description": line.text, "unit_cost": line.amount * sign, **_coded(line, departments)} for line in coded
    ]
    items[0] |= {"tax_amount": tax, "tax_name": "Tax"} if tax else {}
    if credit is None and has_order:
        for index, item in enumerate(items, 1):
            item |= {"order": _number(invoice), "line": index}
    when = f"{entered}T18:00:00Z"
    return {
        "invoice_number": invoice.number if credit is None else f"{invoice.number}-C",
        "vendor": invoice.supplier,
        "currency": invoice.currency,
        "status": 2,
        "approver": 2,
        "invoice_date": f"{(invoice.date if credit is None else credit.entered).isoformat()}T00:00:00Z",
        "due_date": f"{(invoice.due_date if credit is None else credit.entered).isoformat()}T00:00:00Z",
        "gl_post_date": f"{entered}T00:00:00Z",
        "submitted_date": when,
        "last_modified_datetime": when,
        "note": "" if credit is None else credit.text,
        "items": items,
        "costs": [
            {"name": "Freight", "amount": line.amount * sign, "account": line.account}
            for line in rest
            if line.kind == "freight"
        ],
    }


def _coded(line: company.Line, departments: Mapping[str, str]) -> Row:
    named = {"department": departments[line.cost_center]} if line.cost_center else {}
    return {"account": line.account, **named}
