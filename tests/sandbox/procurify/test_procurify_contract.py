"""What the stand-in knows of the bodies, field by field, and of the parameters, against the vendor's description."""

import pytest
from tests.sandbox.procurify.published import FILE, Contract, needed

from ml_connector.sandbox.procurify.requests import TYPES

NAMES = {
    "Vendor": "OptimizedVendorRequest",
    "Named": "PaymentTermRequest",
    "AccountCode": "AccountCodeCreateRequest",
    "AccountCodeUpdate": "AccountCodeUpdateRequest",
    "Department": "DepartmentUpsertRequest",
    "Address": "AddressRequest",
    "Location": "LocationCreateUpsertRequest",
    "MarkAsPaid": "MarkBillsAsPaidRequest",
    "Receipt": "ItemWriteRequest",
    "Order": "PurchaseOrderUpdateRequest",
    "OrderLine": "OrderItemPurchaseEditRequest",
    "Requisition": "RequisitionCreateRequest",
    "RequisitionLine": "RequisitionLineCreateRequest",
    "LineField": "LineItemCustomFieldRequest",
}
"""The vendor's names of our types. `Bill`, the body of the undocumented PATCH, has none."""
DAYS = {("MarkAsPaid", "payment_date")}
"""Plain texts in the description, which the vendor's prose bounds further."""

pytestmark = needed


@pytest.fixture(scope="module")
def contract():
    return Contract(FILE)


def resolved(contract, schema):
    """The schema behind references, with what stands beside them."""
    for step in [schema] if "$ref" in schema else schema.get("allOf", []):
        if "$ref" in step:
            found = contract.schemas[step["$ref"].rpartition("/")[2]]
            schema = {**found, **{name: value for name, value in schema.items() if name not in {"$ref", "allOf"}}}
    return schema


def published(contract, schema):
    """(kind, shortest, longest, digits, choices, nullable) of a property."""
    whole = resolved(contract, schema)
    kind, pattern = whole.get("type", "object"), whole.get("pattern", "")
    kinds = {"integer": "whole", "boolean": "flag", "array": "list", "object": "object", "string": "text"}
    kind = {"date": "day", "date-time": "instant", "email": "mail"}.get(whole.get("format"), kinds[kind])
    digits = (0, 0)
    if "\\d{0," in pattern:
        kind, parts = "decimal", pattern.split("\\d{0,")
        digits = tuple(int(part.partition("}")[0]) for part in parts[1:])
    choices = tuple(sorted(whole.get("enum", ())))
    text = kind == "text"
    lengths = (whole.get("minLength", 0), whole.get("maxLength")) if text else (0, None)
    return ("choice" if choices else kind, *lengths, digits, choices, whole.get("nullable", False))


@pytest.mark.parametrize("name", NAMES)
def test_every_field_of_a_body_is_as_published(contract, name):
    schema = contract.schemas[NAMES[name]]
    required = set(schema.get("required", []))
    assert set(TYPES[name]) == set(schema["properties"])
    assert {field.name for field in TYPES[name].values() if field.required} == required
    for field in TYPES[name].values():
        if (name, field.name) in DAYS:
            continue
        mine = (field.kind, field.shortest, field.longest, field.digits, field.choices, field.nullable)
        theirs = published(contract, schema["properties"][field.name])
        lengths = theirs[1:3] if field.kind == "text" else (0, None)
        assert mine == (theirs[0], *lengths, *theirs[3:]), field.name


def test_only_what_is_said_to_be_left_out_is_not_served(contract):
    from ml_connector.sandbox.clock import Clock
    from ml_connector.sandbox.procurify import create

    served = create(1, None, Clock(), {"base_set": "syspro"})._routes
    missing = {
        f"{method.upper()} {path}"
        for path, operations in contract.paths.items()
        for method in operations
        if method in {"get", "post", "put", "patch", "delete"} and path != "/oauth/token"
        if served.find(method.upper(), path) is None
    }
    assert missing == {
        "POST /api/v2/ap/company-payment-methods/",
        "POST /api/v2/ap/vendor-payment-methods/",
        "GET /api/v2/ap/payments/{id}/approver-choices/",
        "POST /api/v3/users/",
        "PUT /api/v3/users/{id}/",
        "DELETE /api/v3/users/{id}/",
    }
