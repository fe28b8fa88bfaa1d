"""Every request that the client makes, against the vendor's own OpenAPI description.

Opt-in. PROCURIFY_OPENAPI names the file (YAML or JSON). PRISM names the program of that name, a mock server that is
generated from the description (`npm install @stoplight/prism-cli` in a folder that is thrown away): then the client
speaks to that as well.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from ml_connector.domain.records import (
    AccountType,
    Address,
    CostCenter,
    GlAccount,
    Payment,
    PaymentAllocation,
    PaymentStatus,
    Supplier,
)
from ml_connector.systems.base import OutcomeUnknown, Ref, Refused, Swept
from ml_connector.systems.procurify.client import READS

from .contract import Contract, mockable
from .domain import Reply, Seen, Site, made, single
from .payloads import UUID_1, bill, bill_row, order, order_row, receipt, vendor

FILE, PRISM = os.environ.get("PROCURIFY_OPENAPI", ""), os.environ.get("PRISM", "")
MARK = "mlc0000000001"
SINCE = {"changed": "2026-11-16T10:00:00+00:00", "seen": ""}

pytestmark = pytest.mark.skipif(
    not FILE, reason="PROCURIFY_OPENAPI is not set: it names the file of Procurify's OpenAPI description"
)

SUPPLIER = Supplier(
    code="ELC001",
    name="Electra Components Inc.",
    currency="USD",
    address=Address(
        line1="1 Relay Road", line2="Dock 4", city="Dayton", region="OH", postal_code="45402", country="US"
    ),
    email="ap@electra.example",
    phone="+1 937 555 0100",
    contact="Ann Ohm",
)
RECORDS = {
    "supplier": SUPPLIER,
    "gl_account": GlAccount(code="6100", name="Components", type=AccountType.EXPENSE, postable=True),
    "cost_center": CostCenter(code="WH1", name="Warehouse 1", dimension="segment"),
}
AMENDED = {
    "supplier": Supplier(code="ELC001", name="Electra Ltd", currency="EUR"),
    "gl_account": GlAccount(code="6100", name="Parts", type=AccountType.ASSET, postable=True),
    "cost_center": CostCenter(code="WH1", name="Warehouse One", dimension="segment", postable=False),
}


def paid(key: str, amount: Decimal, currency: str) -> Payment:
    return Payment(
        supplier="11",
        date=date(2026, 11, 16),
        amount=amount,
        currency=currency,
        status=PaymentStatus.ISSUED,
        allocations=(PaymentAllocation(invoice=key, gross=amount, net=amount),),
    )


def play(client: Any, keys: dict[str, str], amount: Decimal) -> None:
    """Everything that the client can do, once. What a mock answers to a write need not fit what was written."""
    list(client.ping([], try_writing=True))
    client.identity()
    for name in sorted(READS):
        source = client.source(name, {})
        for page in source.changes(None):
            assert all(item.key for item in page.items)
        list(source.changes(SINCE))
        list(source.keys())
        source.get(keys[name])
        if isinstance(source, Swept):
            list(source.sweep())
    for name, record in RECORDS.items():
        target = client.target(name, {"owns": ["name", "currency", "phone", "email", "contact", "address"]})
        target.find(record, MARK)
        target.get(keys["target"])
        for call in (
            lambda target=target, record=record: target.create(record, MARK),
            lambda target=target, name=name: target.update(Ref(keys["target"]), AMENDED[name], MARK),
            lambda target=target: target.cancel(Ref(keys["target"]), "gone"),
        ):
            with suppress(OutcomeUnknown, Refused):
                call()
    target = client.target("payment", {})
    payment = paid(keys["invoice"], amount, "USD")
    target.find(payment, MARK)
    with suppress(OutcomeUnknown, Refused):
        target.create(payment, MARK)


# --- against answers of ours


def served(site: Site) -> None:
    site.rows("/api/v3/vendors/", [vendor()])
    site.object("/api/v3/vendors/11/", vendor())
    site.rows("/api/v3/account-codes/", [{"id": 11, "code": "6100", "description": "Old", "active": True}])
    site.rows("/api/v3/departments/", [{"id": 11, "name": "Old", "branch": {"id": 1}, "external_id": "WH1"}])
    for path in ("/api/v3/vendors/", "/api/v3/account-codes/", "/api/v3/departments/"):
        site.on("POST", path, made(12))
        site.on("PUT", f"{path}11/", lambda seen: single({"id": 11, **seen.json}))
    site.rows("/api/v3/accounts/", [])
    site.rows("/api/v3/receipt/items/", [receipt()], top=True)
    site.rows("/api/public/v1/payments/", [])
    site.on("GET", "/api/v3/users/me/", single({"id": 7, "is_active": True}))
    site.rows("/api/v2/purchase_orders/purchased/all/", [order_row(order())])
    site.on("GET", "/api/v2/purchase_orders/150/", single(order()))
    site.rows("/api/v3/ap/bills/", [bill_row(bill())])
    site.on("GET", f"/api/v2/ap/bills/{UUID_1}/", single(bill()))
    site.on("POST", "/api/v3/ap/bills/mark-as-paid/", lambda seen: Reply(200, seen.json))


KEYS = {
    "supplier": "11", "gl_account": "6100", "cost_center": "11", "currency": "USD", "payment_term": "5",
    "purchase_order": "150", "invoice": UUID_1, "receipt": "401", "target": "11",
}  # fmt: skip


def faults_of(contract: Contract, seen: list[Seen]) -> set[str]:
    return {f"{one.method} {one.path} {one.query}: {fault}" for one in seen for fault in contract.faults(one)}


def test_every_request_of_the_client_is_as_the_vendor_describes_it(connect: Callable[..., Any], site: Site) -> None:
    served(site)
    opened = connect({"test_vendor": "11"})
    play(opened.client, KEYS, Decimal("1620.00"))
    assert faults_of(Contract(Path(FILE)), site.seen) == set()
    assert set(site.writes()) == {
        ("POST", "/api/v3/vendors/"), ("PATCH", "/api/v3/vendors/11/"), ("POST", "/api/v3/account-codes/"),
        ("PUT", "/api/v3/account-codes/11/"), ("POST", "/api/v3/departments/"), ("PUT", "/api/v3/departments/11/"),
        ("POST", "/api/v3/ap/bills/mark-as-paid/"),
    }  # fmt: skip


def test_the_contract_notices_what_is_not_in_it() -> None:
    contract = Contract(Path(FILE))

    def faults(method: str, path: str, query: dict[str, str], body: Any = None) -> list[str]:
        content = json.dumps(body).encode() if body is not None else b""
        headers = {"content-type": "application/json"}
        return list(contract.faults(Seen(method, path, query, headers, content)))

    department = {"name": "R&D", "branch": 1}
    assert faults("POST", "/api/v3/departments/", {}, department) == []
    assert faults("POST", "/api/v3/departments/", {}, {"name": "R&D"})
    assert faults("POST", "/api/v3/departments/", {}, {**department, "parent": 1})
    assert faults("POST", "/api/v3/departments/", {}, {**department, "name": "N" * 151})
    assert faults("GET", "/api/v3/ap/bills/", {"status": "2"})
    assert faults("GET", "/api/v3/ap/bills/", {"page": "one"})
    assert faults("GET", "/api/v2/purchase_orders/purchased/all/", {"modified_date_0": "today"})
    assert faults("DELETE", "/api/v3/vendors/11/", {})


# --- against a mock server that is made from the contract


class Front(Site):
    """Hands every request on to the mock server and keeps what was asked and how it was answered."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: list[tuple[str, str, int, bytes]] = []
        super().__init__()

    def reply(self, request: Seen) -> Reply | None:
        self.seen.append(request)
        onward = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        path = f"{request.path}?{urlencode(request.query)}" if request.query else request.path
        kept = {name: value for name, value in request.headers.items() if name not in {"host", "accept-encoding"}}
        onward.request(request.method, path, request.content or None, kept)
        answer = onward.getresponse()
        content = answer.read()
        onward.close()
        self.answers.append((request.method, request.path, answer.status, content))
        return Reply(answer.status, content)


@pytest.fixture
def mock(tmp_path: Path) -> Iterator[Front]:
    if not PRISM:
        pytest.skip("PRISM is not set: it names Prism's program, the mock server")
    contract = Contract(Path(FILE))
    (tmp_path / "contract.json").write_text(json.dumps(mockable(contract.document), default=str), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path / "prism.log").open("wb")
    process = subprocess.Popen(
        [PRISM, "mock", "--errors", "-p", str(port), str(tmp_path / "contract.json")], stdout=log, stderr=log
    )
    front: Front | None = None
    try:
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                front = Front(port)
                break
            assert process.poll() is None, (tmp_path / "prism.log").read_text()[-2000:]
            time.sleep(0.1)
        assert front is not None, "Prism did not begin to answer within a minute"
        yield front
    finally:
        process.terminate()
        process.wait(10)
        log.close()
        if front is not None:
            front.close()


def test_the_client_speaks_to_a_mock_server_that_is_made_from_the_contract(
    mock: Front, connect: Callable[..., Any]
) -> None:
    opened = connect({"base_url": mock.url, "subdomain": "", "test_vendor": "1", "vendor_types": ["1", "2", "3"]})
    keys = {**KEYS, "target": "0", "purchase_order": "0"}
    play(opened.client, keys, Decimal("0.00"))
    refused = [answer for answer in mock.answers if answer[2] >= 400]
    assert refused == []
    assert faults_of(Contract(Path(FILE)), mock.seen) == set()
    asked = {path for _, path, _, _ in mock.answers}
    assert {"/oauth/token", "/api/v3/ap/bills/", "/api/v3/receipt/items/", "/api/v2/currencies/"} <= asked
