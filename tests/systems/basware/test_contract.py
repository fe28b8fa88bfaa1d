"""Every request that the client makes, against the vendor's own OpenAPI files.

Opt-in: BASWARE_OPENAPI names a directory with them (`p2p*.json`, `authentication*.json`, `push-notification*.json`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema
import pytest

from ml_connector.domain.orders import OrderLineKind, OrderStatus, PurchaseOrder, PurchaseOrderLine, Receipt
from ml_connector.domain.records import (
    AccountType,
    Address,
    CostCenter,
    GlAccount,
    Payment,
    PaymentAllocation,
    PaymentStatus,
    PaymentTerm,
    Supplier,
    TaxCode,
)
from ml_connector.systems.base import Ref, SystemFailure, Wanted
from ml_connector.systems.basware.handshake import Outcome

from .conftest import NOW
from .site import Reply, Seen, echo, jwt, token

FOLDER = os.environ.get("BASWARE_OPENAPI", "")
MARK = "mlc0000000001"
LINES = "/v1/matchingOrderLines"
DAY = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?Z?)?$"
"""What is sent as date-time; plain days stand in the vendor's own examples."""

pytestmark = pytest.mark.skipif(
    not FOLDER, reason="BASWARE_OPENAPI is not set: it names the directory of Basware's OpenAPI files"
)

UNDECLARED = {"authorization", "x-bw-request-id", "accept", "host", "user-agent", "content-length", "accept-encoding"}
"""Headers that no operation declares: of HTTP itself, of the sign-in, and of the Network API."""

SUPPLIER = Supplier(
    code="ELC001",
    name="Electra Components Inc.",
    tax_id="12-3456789",
    currency="USD",
    terms="30",
    address=Address(
        line1="Industriepark am Alten Gueterbahnhof Nordwest 17 Hinterhaus",
        line2="Dock 4",
        city="Dayton",
        region="OH",
        postal_code="45402",
        country="US",
    ),
    email="ap@electra.example",
    phone="+1 937 555 0100",
)


def order() -> PurchaseOrder:
    receipt = Receipt(
        receipt_key="G7-1", order_line="1", quantity=Decimal(4), date=date(2026, 11, 9), delivery_note="D"
    )
    common = {"description": "Relay 24 V", "unit": "EA", "unit_price": Decimal("1.25"), "account": "6100", "sku": "R"}
    lines = (
        PurchaseOrderLine(
            line_key="1", number="1", quantity=Decimal(8), amount=Decimal(10), receipts=(receipt,), cost_center="WH1",
            tax_code="V8", due_date=date(2026, 12, 1), **common,
        ),
        PurchaseOrderLine(line_key="2", number="2", quantity=Decimal(-8), amount=Decimal(-10), **common),
        PurchaseOrderLine(
            line_key="3", number="3", quantity=Decimal(1), amount=Decimal(5), kind=OrderLineKind.SERVICE,
            status=OrderStatus.CLOSED, **common,
        ),
    )  # fmt: skip
    return PurchaseOrder(
        number="150",
        supplier="100_V_ELC001",
        date=date(2026, 11, 2),
        due_date=date(2026, 12, 1),
        currency="USD",
        terms="30",
        note="Deliver to dock 4",
        total=Decimal(5),
        lines=lines,
    )


RECORDS = {
    "supplier": SUPPLIER,
    "gl_account": GlAccount(code="6100", name="X", type=AccountType.EXPENSE, postable=True),
    "cost_center": CostCenter(code="WH1", name="Warehouse", dimension="costCenters", postable=False),
    "payment_term": PaymentTerm(
        code="30", name="30 days", due_days=30, discount_days=10, discount_percent=Decimal("2.5")
    ),
    "tax_code": TaxCode(code="V19", name="VAT", percent=Decimal("19.5")),
    "purchase_order": order(),
}


def held(site: Any) -> None:
    """Has the site give back each record as it was sent, so that amendments have something to amend."""

    def store(request: Seen) -> Reply:
        if request.path == LINES:
            site.on("GET", LINES, Reply(200, request.json))
            return echo(request)
        for row in request.json:
            site.on("GET", f"{request.path}/{row['externalCode']}", Reply(200, row))
        return echo(request)

    for path in ("vendors", "accounts", "costCenters", "paymentTerms", "taxCodes", "matchingOrders"):
        site.on("POST", f"/v1/{path}", store)
    site.on("POST", LINES, store)


def play(opened: Any) -> None:
    """Everything that the client can do, once."""
    site, client = opened.site, opened.client
    site.on("POST", "/v1/tokens", token(jwt(bwcid="123456-TEST1")))
    held(site)
    list(client.ping([]))
    for name, record in RECORDS.items():
        target = client.target(name, {})
        target.find(record, MARK)
        accepted = target.create(record, MARK)
        for handle in (accepted.handle, f"-|{accepted.handle.partition('|')[2]}"):
            try:
                target.outcome(handle, record, MARK)
            except SystemFailure:
                continue
        (found,) = target.find(record, MARK)
        target.update(Ref(found.key), record, MARK)
        target.cancel(Ref(found.key), "gone")
        if name != "purchase_order":
            target.create_batch([(record, MARK)])
            list(client.source(name, {}).changes({"updated": "2026-11-15T10:00:00+00:00"}))
            list(client.source(name, {}).keys())
    with_bank(site, client)
    invoices(site, client)
    site.on("POST", "/v1/subscriptions", echo)
    subscriptions = client.subscriptions()
    made = subscriptions.make(Wanted("ours", "https://hooks.example/in/4b1d", frozenset({"invoice"})), "attempt")
    subscribed = {
        "taskType": "AccountingDocuments", "taskSubType": "WaitingForTransfer", "subscriptionType": "Webhook",
        "notificationWebhookURL": made.url, "webhookAuthenticationToken": "s3cret",
    }  # fmt: skip
    site.on("GET", "/v1/subscriptions", Reply(200, {"subscriptions": [subscribed]}))
    subscriptions.new_key(made.id, "attempt")
    list(subscriptions.events(made.id, NOW))
    subscriptions.remove(made.id)
    list(client.statuses.errors(NOW))
    client.statuses.acknowledge(["request-1"])


def with_bank(site: Any, client: Any) -> None:
    target = client.target("supplier", {})
    key = target.kind.key(SUPPLIER)
    row = json.loads(json.dumps(target.kind.to_wire(SUPPLIER, key)))
    row["paymentMeans"][0]["financialAccounts"] = [{"financialAccountIdentifiers": [{"schemeId": "BBAN", "id": "1"}]}]
    site.on("GET", f"/v1/vendors/{key}", Reply(200, row))
    site.on("PATCH", f"/v1/vendors/{key}", echo)
    target.update(Ref(key), SUPPLIER, MARK)
    target.cancel(Ref(key), "gone")


def invoices(site: Any, client: Any) -> None:
    row = {
        "invoiceId": "inv-1",
        "companyCode": "100",
        "currencyCode": "USD",
        "supplierCode": "ELC001",
        "processingStatus": "TransferInProgress",
        "paymentBlock": False,
    }
    one = "/v1/accountingDocuments/inv-1"
    listed = {"x-amz-meta-continuationtoken": "two"}
    site.on("GET", "/v1/accountingDocuments", Reply(200, [], listed), Reply(404))
    source = client.source("invoice", {"company": "RIL"})
    list(source.changes(None))
    list(source.keys())
    site.on("GET", one, Reply(200, {"accountingDocuments": [row]}))
    for call in ("acknowledge", "transferResponses", "paymentResponses"):
        site.on("POST", f"{one}/{call}", Reply(200, "inv-1"))
    client.transfers.claim("inv-1")
    for outcome in (Outcome(True, "Posted.", "17-001", "J-9", date(2026, 11, 16)), Outcome(False, "WH9 is unknown")):
        client.transfers.answer("inv-1", outcome, 1)
    payment = Payment(
        supplier="100_V_ELC001",
        date=date(2026, 11, 16),
        amount=Decimal("250.00"),
        currency="USD",
        method="check",
        reference="70011",
        status=PaymentStatus.ISSUED,
        allocations=(
            PaymentAllocation(
                invoice="inv-1", gross=Decimal("255.00"), net=Decimal("250.00"), discount=Decimal("5.00")
            ),
        ),
    )
    client.target("payment", {}).create(payment, MARK)


# --- the contract ---


def tolerant(schema: Any) -> Any:
    """A schema of OpenAPI 3.0 as JSON Schema: nullable is a type of its own there."""
    if not isinstance(schema, dict):
        return schema
    found = {name: part for name, part in schema.items() if name not in {"nullable", "example", "format"}}
    for name, part in found.items():
        if name == "properties":
            found[name] = {field: tolerant(value) for field, value in part.items()}
        elif name in {"allOf", "anyOf", "oneOf"}:
            found[name] = [tolerant(value) for value in part]
        elif name in {"items", "additionalProperties"}:
            found[name] = tolerant(part)
    if found.get("type") != "string":
        found.pop("pattern", None)
    if schema.get("format") == "date-time":
        found["pattern"] = DAY
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") is True else found


class Contract:
    """The operations and schemas of all files."""

    def __init__(self, folder: Path) -> None:
        self.operations: list[tuple[str, re.Pattern[str], dict[str, Any], dict[str, Any]]] = []
        for name in ("p2p", "authentication", "push-notification"):
            (*_, file) = sorted(folder.glob(f"{name}*.json"))
            document = json.loads(file.read_text(encoding="utf-8"))
            schemas = {field: tolerant(value) for field, value in document["components"]["schemas"].items()}
            components = {"schemas": schemas}
            for path, methods in document["paths"].items():
                parts = [re.escape(part) for part in re.split(r"\{[^}]+\}", path)]
                pattern = re.compile("[^/]+".join(parts))
                for method, operation in methods.items():
                    self.operations.append((method.upper(), pattern, operation, {"components": components}))

    def faults(self, seen: Seen) -> Iterator[str]:
        """What of a request the contract does not allow."""
        matching = [one for one in self.operations if one[0] == seen.method and one[1].fullmatch(seen.path)]
        exact = [one for one in matching if "[^/]+" not in one[1].pattern] or matching
        if not exact:
            yield "there is no such operation"
            return
        _, _, operation, root = exact[0]
        declared = {
            (one["name"].lower() if one["in"] == "header" else one["name"], one["in"]): one
            for one in operation.get("parameters", [])
        }
        for name, value in seen.query.items():
            if (name, "query") not in declared:
                yield f"the parameter {name} is not declared"
                continue
            allowed = declared[name, "query"]["schema"].get("enum")
            if allowed and value not in allowed:
                yield f"the parameter {name} may not be {value}"
        for (name, where), one in declared.items():
            if one.get("required") and where == "query" and name not in seen.query:
                yield f"the parameter {name} is missing"
        for name in set(seen.headers) - UNDECLARED - {"content-type", "connection"}:
            if (name, "header") not in declared:
                yield f"the header {name} is not declared"
        yield from self._body(seen, operation, root)

    def _body(self, seen: Seen, operation: dict[str, Any], root: dict[str, Any]) -> Iterator[str]:
        wanted = operation.get("requestBody", {}).get("content", {})
        if not wanted:
            if seen.content:
                yield "it has a body, and none is declared"
            return
        kind = seen.headers.get("content-type", "")
        if kind not in wanted:
            yield f"the content type {kind} is not declared"
            return
        body = dict(parse_qsl(seen.content.decode())) if "form" in kind else seen.json
        schema = {**root, **tolerant(wanted[kind]["schema"])}
        for error in jsonschema.Draft202012Validator(schema).iter_errors(body):
            yield f"{error.json_path}: {error.message}"


@pytest.mark.parametrize("changes", [{}, {"receipt_matching": True}, {"cost_center_list": "ACC_LIST_3"}])
def test_every_request_of_the_client_is_as_the_vendor_describes_it(connect, changes):
    opened = connect(changes)
    if "cost_center_list" in changes:
        opened.site.on("POST", "/v1/lists/ACC_LIST_3", echo)
        opened.client.target("cost_center", {}).create(RECORDS["cost_center"], MARK)
    else:
        play(opened)
    contract = Contract(Path(FOLDER))
    faults = {
        f"{seen.method} {seen.path} {seen.query}: {fault}"
        for seen in opened.site.seen
        for fault in contract.faults(seen)
    }
    assert faults == set()
    if not changes:
        wrote = {(method, path.replace("inv-1", "*")) for method, path in opened.site.writes()}
        assert len(wrote) >= 14


def test_the_contract_notices_what_is_not_in_it():
    contract = Contract(Path(FOLDER))
    headers = {"content-type": "application/json"}
    vendor = {"externalCode": "a", "vendorCode": "A", "name": "E", "companies": [{"companyCode": "100"}]}

    def faults(method: str, path: str, query: dict[str, str], body: Any) -> list[str]:
        content = json.dumps(body).encode() if body is not None else b""
        return list(contract.faults(Seen(method, path, query, headers, content)))

    assert faults("POST", "/v1/vendors", {}, [vendor]) == []
    assert faults("POST", "/v1/vendors", {}, [{**vendor, "iban": "x"}])
    assert faults("POST", "/v1/vendors", {}, [{**vendor, "vendorCode": "V" * 26}])
    assert faults("POST", "/v1/vendors", {}, vendor)
    assert faults("GET", "/v1/accountingDocuments", {"processingStatus": "WaitingForTransfer"}, None)
    assert faults("GET", "/v1/accountingDocuments", {"ProcessingStatus": "Approved"}, None)
    assert faults("GET", "/v1/matchingOrderLines", {}, None)
    assert faults("PUT", "/v1/vendors", {}, [vendor])
