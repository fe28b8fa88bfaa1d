"""Vendors, codes, orders and invoices over a real server, under the shipped map and under one of other names."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.domain.approvals import ApprovalState
from ml_connector.domain.orders import OrderStatus, PurchaseOrder, PurchaseOrderLine
from ml_connector.domain.records import (
    AccountType,
    Address,
    CostCenter,
    GlAccount,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Supplier,
)
from ml_connector.systems.avidxchange import paths
from ml_connector.systems.base import NoLonger, OutcomeUnknown, Ref, Refused

from .platform import LOST, TODAY, Reply

MARK, OTHER = "mlc0123456789", "mlcABCDEFGHJK"
DAY = dt.date(2026, 11, 10)


def supplier(**changes: Any) -> Supplier:
    values = {"code": "ELC001", "name": "Electra", "tax_id": "12-3456789", "currency": "USD"}
    return Supplier(**{**values, "address": Address(line1="1 Main St", city="Reno"), **changes})


def invoice(**changes: Any) -> Invoice:
    gross = changes.pop("gross", Decimal("1620.00"))
    values: dict[str, Any] = {
        "number": "ELC-1001", "supplier": "ELC001", "date": DAY, "due_date": dt.date(2026, 12, 10), "currency": "USD",
        "gross": gross, "net": gross, "orders": ("150",),
        "lines": (InvoiceLine(line_key="1", amount=gross, account="10-6000", cost_center="N"),),
    }  # fmt: skip
    return Invoice(**{**values, **changes})


def order(**changes: Any) -> PurchaseOrder:
    lines = (
        PurchaseOrderLine(line_key="1", number="1", description="Bolts", sku="B1", quantity=Decimal("6"),
                          unit_price=Decimal("110.00000"), amount=Decimal("660.00"), account="10-6000"),
        PurchaseOrderLine(line_key="2", number="2", description="Nuts", quantity=Decimal(1), unit_price=Decimal(9),
                          amount=Decimal(9), status=OrderStatus.CANCELLED),
    )  # fmt: skip
    values = {"number": "151", "supplier": "ELC001", "date": DAY, "currency": "USD", "total": Decimal("672.50")}
    return PurchaseOrder(**{**values, "freight": Decimal("12.50"), "lines": lines, **changes})


def test_a_vendor_is_created_found_changed_and_made_inactive_without_its_remit_address(avid):  # R52
    target = avid.client.target("supplier", {})
    assert target.find(supplier(), MARK) == []
    assert target.create(supplier(), MARK) == Ref("ELC001")
    assert b"Main St" not in avid.platform.calls("vendor_put")[0].content
    (found,) = target.find(supplier(), MARK)
    assert (found.key, target.differences(supplier(), found.record)) == ("ELC001", [])
    assert target.differences(supplier(name="Electra Inc."), found.record) == ["name"]
    target.update(Ref("ELC001"), supplier(name="Electra Inc."), MARK)
    assert target.get("ELC001").record.name == "Electra Inc."
    target.cancel(Ref("ELC001"), "closed")
    target.cancel(Ref("ELC001"), "closed")
    assert target.get("ELC001").record.on_hold
    assert len(avid.platform.calls("vendor_put")) == 3


def test_the_remit_address_goes_out_only_where_the_policy_releases_it(avid):  # R52
    avid.client.target("supplier", {"send_remit_address": True}).create(supplier(), MARK)
    assert b"Main St" in avid.platform.calls("vendor_put")[0].content
    (page, _) = avid.client.source("supplier", {}).changes(None)
    assert page.items[0].record.address is None


def test_a_vendor_is_read_by_the_part_of_its_code_before_the_bar(avid):
    avid.platform.add("vendors", code="ELC001|R2", name="Electra", active=True, modified=TODAY)
    (page, last) = avid.client.source("supplier", {}).changes(None)
    assert [item.key for item in page.items] == ["ELC001"]
    assert last.cursor == {"day": "2026-11-16"}


def test_accounts_and_cost_centers_go_into_their_groups(avid):
    account = GlAccount(code="10-6000", name="Supplies", type=AccountType.EXPENSE, postable=True)
    target = avid.client.target("gl_account", {})
    target.create(account, MARK)
    avid.client.target("cost_center", {}).create(CostCenter(code="N", name="North", dimension="x"), MARK)
    (found,) = target.find(account, MARK)
    assert found.mark == avid.platform.contract.account_group
    (item,) = next(avid.client.source("cost_center", {}).changes(None)).items
    assert (item.key, item.record.name, item.record.dimension) == ("N", "North", "Branch")
    target.cancel(Ref("10-6000"), "held")
    assert not target.get("10-6000").record.postable


def test_a_group_that_is_not_there_is_refused_before_anything_is_written(connect):
    opened = connect({"cost_center_group": "Ward"})
    with pytest.raises(Refused, match="no group of codes called 'Ward'; it has Branch"):
        opened.client.target("cost_center", {})
    assert opened.platform.calls("code_put") == []


def test_an_order_goes_whole_with_its_charges_as_lines_and_is_cancelled_by_its_status(avid):
    target = avid.client.target("purchase_order", {})
    assert target.create(order(), MARK) == Ref(MARK)
    found = target.get(MARK)
    assert [(line.description, line.amount) for line in found.record.lines] == [
        ("Bolts", Decimal("660.00")),
        ("Freight", Decimal("12.50")),
    ]
    assert found.record.adds_up()
    assert target.differences(order(), found.record) == []
    assert "total" in target.differences(order(freight=Decimal(0), total=Decimal(660)), found.record)
    target.cancel(Ref(MARK), "cancelled")
    assert target.get(MARK).record.status is OrderStatus.CANCELLED
    assert len(avid.platform.rows["orders"]) == 1


def test_a_credit_note_is_negative_there_and_positive_here(avid):  # R26
    target = avid.client.target("invoice", {})
    credit = invoice(kind=InvoiceKind.CREDIT_NOTE, number="PK-501", gross=Decimal("75.00"))
    target.create(credit, MARK)
    (row,) = avid.platform.rows["invoices"]
    fields = avid.platform.contract.records
    assert str(paths.read(row, fields.invoice.gross.at)) == "-75.0"
    (line,) = paths.read(row, fields.invoice.lines.at)
    assert paths.read(line, fields.invoice_line.amount.at) == -75
    (found,) = target.find(credit, MARK)
    assert (found.record.kind, found.record.gross) == (InvoiceKind.CREDIT_NOTE, Decimal("75.00"))
    assert target.differences(credit, found.record) == []
    assert b"-75.00" in avid.platform.calls("invoice_put")[0].content


def test_an_invoice_whose_answer_is_lost_is_found_by_its_mark(avid):  # R3, R5
    target = avid.client.target("invoice", {})
    avid.platform.answers["invoice_put"] = [LOST]
    with pytest.raises(OutcomeUnknown):
        target.create(invoice(), MARK)
    (found,) = target.find(invoice(), MARK)
    assert (found.key, found.mark) == (MARK, MARK)
    assert target.identity_differences(invoice(), found.record) == []
    assert len(avid.platform.calls("invoice_put")) == 1


def test_an_invoice_typed_by_hand_is_found_by_vendor_and_number(avid):  # R5
    values = {"vendor": "ELC001", "date": DAY, "status": "x", "lines": [], "modified": TODAY}
    avid.platform.add("invoices", id=5, number="elc 01001", gross=Decimal(1620), **values)
    avid.platform.add("invoices", id=6, number="ELC-1001", gross=Decimal(-1620), **values)
    avid.platform.add("invoices", id=7, number="ELC-1001", gross=Decimal(1), **{**values, "vendor": "HYD001"})
    assert [hit.key for hit in avid.client.target("invoice", {}).find(invoice(), MARK)] == ["5"]


def test_an_invoice_in_workflow_is_neither_changed_nor_taken_back(avid):
    target = avid.client.target("invoice", {})
    ref = target.create(invoice(), MARK)
    assert target.update(ref, invoice(), MARK).key == MARK
    with pytest.raises(NoLonger, match="due_date") as refused:
        target.update(ref, invoice(due_date=DAY), MARK)
    assert refused.value.code == "edit_after_posting"
    with pytest.raises(NoLonger, match="reject it there"):
        target.cancel(ref, "voided")
    fields, words = avid.platform.contract.records.invoice, avid.platform.contract.words.invoice
    paths.put(avid.platform.rows["invoices"][0], fields.status.at, words[ApprovalState.REJECTED][0])
    assert target.cancel(ref, "voided") is None
    assert len(avid.platform.calls("invoice_put")) == 1


@pytest.mark.parametrize(("ok", "single"), [(False, False), ("false", True)])
def test_an_item_that_is_refused_under_200_is_refused(avid, ok, single):  # R63
    body = avid.platform.result(ok=ok, code="E7", text="vendor is unknown", single=single)
    avid.platform.answers["invoice_put"] = [Reply(200, body)]
    with pytest.raises(Refused, match="vendor is unknown") as refused:
        avid.client.target("invoice", {}).create(invoice(), MARK)
    assert refused.value.code == "E7"
    assert avid.platform.rows["invoices"] == []


@pytest.mark.parametrize("body", [{}, b"<html>", {"zz": 1}])
def test_an_answer_to_a_write_that_says_nothing_leaves_it_in_doubt(avid, body):  # R12
    avid.platform.answers["invoice_put"] = [Reply(200, body)]
    with pytest.raises(OutcomeUnknown):
        avid.client.target("invoice", {}).create(invoice(), MARK)


def test_more_than_two_decimals_are_refused_before_anything_leaves(avid):
    with pytest.raises(Refused, match="two decimals"):
        avid.client.target("invoice", {}).create(invoice(gross=Decimal("1.005"), currency="KWD"), MARK)
    assert avid.platform.seen == []


def test_a_listing_finds_what_was_written_before(avid):  # R40
    target = avid.client.target("invoice", {})
    target.create(invoice(), MARK)
    target.create(invoice(number="ELC-1002"), OTHER)
    found = [hit for page in target.listing(None) for hit in page]
    assert [hit.mark for hit in found] == [MARK, OTHER]
    assert target.listing_cursor(found[0]) == {"day": "2026-11-16"}


def test_the_state_of_approval_is_read_under_the_key_of_the_link(avid):
    target = avid.client.target("invoice", {})
    target.create(invoice(), MARK)
    row = avid.platform.rows["invoices"][0]
    at = avid.platform.contract.records.invoice.status.at
    source = avid.client.source("invoice_approval", {})
    paths.put(row, at, avid.platform.contract.words.invoice[ApprovalState.ON_HOLD][0].upper())
    item = source.get(MARK)
    assert (item.key, item.record.invoice, item.record.state) == (MARK, MARK, ApprovalState.ON_HOLD)
    paths.put(row, at, "Somewhere")
    (state,) = [one.record for page in source.changes({"day": "2026-11-16"}) for one in page.items]
    assert (state.state, state.state_text) == (ApprovalState.UNKNOWN, "Somewhere")
    query = avid.platform.contract.operations.invoices.query
    assert avid.platform.seen[-1].query[query.since] == "2026-11-15"
