"""The client on the AvidXchange stand-in: one round of all records, however the platform writes what is not known."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from ml_connector import sandbox
from ml_connector.domain.approvals import ApprovalState
from ml_connector.domain.records import AccountType, GlAccount, InvoiceLine, PaymentStatus
from ml_connector.systems.avidxchange import SYSTEM
from ml_connector.systems.base import Access

from .conftest import Counted, Session
from .test_documents_http import MARK, invoice, order, supplier

GL = "GL Account"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"paging": "when_needed", "one_as_object": True, "text_flags": True, "single": "items", "times": "blank"},
        {"page_count": "other_count", "links": "root", "nulls": "omit", "times": "utc", "single": "bare"},
        {"links": "none", "jwt": True, "fault_shape": "xml", "remittance_keys": False},
    ],
)
def test_a_round_of_all_records_on_the_stand_in(options):
    with sandbox.start("avidxchange", seed=1) as platform:
        platform.options(options)
        access = Access(
            settings=platform.settings,
            secrets=platform.secrets,
            sessions=Session(),
            budget=Counted(),
            now=lambda: dt.datetime.now(dt.UTC),
            may_write=lambda: None,
        )
        client = SYSTEM.connect(access)
        assert [step.text for step in client.ping([]) if not step.ok] == []
        client.target("supplier", {}).create(supplier(), MARK)
        account = GlAccount(code="10-6000", name="Supplies", type=AccountType.EXPENSE, postable=True)
        client.target("gl_account", {}).create(account, MARK)
        orders, invoices = client.target("purchase_order", {}), client.target("invoice", {})
        orders.create(order(), MARK)
        assert orders.differences(order(), orders.get(MARK).record) == []
        sent = invoice(lines=(InvoiceLine(line_key="1", amount=Decimal("1620.00"), account="10-6000"),))
        invoices.create(sent, MARK)
        (found,) = invoices.find(sent, MARK)
        assert invoices.differences(sent, found.record) == []
        for action in (
            {"do": "approve_all"},
            {"do": "run", "run": "R", "payments": [{"id": 9001, "method": "check", "check_number": "70011",
             "status": "cleared", "remittances": [{"invoice": "ELC-1001", "gross": 1620.00, "discount": 0}]}]},
            {"do": "capture", "vendor": "ELC001", "number": "PK-700", "date": "2026-11-16",
             "lines": [{"amount": 80, "codes": [{"group": GL, "code": "10-6000"}]}]},
            {"do": "approve_all"},
            {"do": "close_batch", "name": "Monday"},
        ):  # fmt: skip
            platform.edit("actions", action)
        (captured,) = [item for page in client.source("invoice", {}).changes(None) for item in page.items]
        assert (captured.record.number, captured.record.gross, captured.invalid) == ("PK-700", Decimal("80.00"), None)
        now = dt.datetime.now(dt.UTC)
        client.batches.acknowledge(captured.observed["batch"], now, now)
        client.batches.acknowledge(captured.observed["batch"], now, now)
        (paid,) = [item for page in client.source("payment", {}).changes(None) for item in page.items]
        assert (paid.record.status, paid.record.allocations[0].invoice) == (PaymentStatus.CLEARED, MARK)
        assert client.source("invoice_approval", {}).get(MARK).record.state is ApprovalState.PAID
        client.close()
