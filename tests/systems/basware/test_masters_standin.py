"""Master data against the stand-in: posted, handled by P2P later, and only then taken for there."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.domain.records import (
    AccountType,
    Address,
    CostCenter,
    GlAccount,
    PaymentTerm,
    Record,
    Supplier,
    TaxCode,
    TaxIdKind,
)
from ml_connector.systems.base import DocumentState, OutcomeUnknown, Refused, Transient

from .conftest import MARK, Met

TERM = PaymentTerm(code="30", name="30 days, 2 % in 10", due_days=30, discount_percent=Decimal("2.5"), discount_days=10)
ACCOUNT = GlAccount(code="10-6100", name="Components", type=AccountType.EXPENSE, postable=True)
CENTER = CostCenter(code="WH1", name="Warehouse 1", dimension="analysis")
TAX = TaxCode(code="S", name="Sales tax", percent=Decimal("8.875"))
SUPPLIER = Supplier(
    code="NOR002",
    name="Nordkabel GmbH",
    tax_id="DE123456789",
    tax_id_kind=TaxIdKind.VAT,
    currency="EUR",
    address=Address(
        line1="Große Elbstraße 145, Fischereihafen, Halle 7 bis 9, Tor Süd",
        line2="Warenannahme",
        city="Hamburg",
        region="HH",
        postal_code="22767",
        country="DE",
    ),
    email="rechnung@nordkabel.example",
    phone="+49 40 123456",
    contact="Frau Jansen",
)

KINDS: list[tuple[str, Record, str, str]] = [
    ("payment_term", TERM, "paymentTerms", "RIL_T_30"),
    ("gl_account", ACCOUNT, "accounts", "RIL_A_10-6100"),
    ("cost_center", CENTER, "costCenters", "RIL_C_WH1"),
    ("tax_code", TAX, "taxCodes", "RIL_X_S"),
    ("supplier", SUPPLIER, "vendors", "RIL_V_NOR002"),
]
each_kind = pytest.mark.parametrize(("record_type", "record", "name", "key"), KINDS, ids=[one[0] for one in KINDS])


@pytest.fixture(params=["bare", "wrapped"])
def lists(request: Any) -> list[str]:
    """Lists that come as a bare array: none of them, or all."""
    wrapped: list[str] = []
    every = ["vendors", "accounts", "costCenters", "paymentTerms", "taxCodes", "matchingOrders", "matchingOrderLines"]
    return wrapped if request.param == "wrapped" else every


@each_kind
def test_a_record_is_there_once_p2p_has_taken_it(  # R12
    meet: Callable[..., Met], lists: list[str], record_type: str, record: Any, name: str, key: str
) -> None:
    met = meet(bare_lists=lists)
    target = met.client.target(record_type, {})
    assert target.find(record, MARK) == []
    accepted = target.create(record, MARK)
    assert target.outcome(accepted.handle, record, MARK) is None
    assert met.inside(name) == []
    ref = met.settled(target, accepted, record)
    assert ref is not None and ref.key == key
    assert [row["externalCode"] for row in met.inside(name)] == [key]
    (found,) = target.find(record, MARK)
    assert (found.key, found.state) == (key, DocumentState.OPEN)
    assert target.differences(record, found.record) == []


@each_kind
def test_the_same_record_again_is_unchanged_and_that_is_a_success(
    met: Met, record_type: str, record: Any, name: str, key: str
) -> None:
    """`NotProcessed` of a record against which no error stands (R12)."""
    met.put(record_type, record)
    before = met.inside(name)
    assert met.put(record_type, record).key == key
    assert met.basware.state("requestStatus")[-1]["systems"][0]["items"][0]["status"] == "NotProcessed"
    assert met.inside(name) == before


@each_kind
def test_a_change_overwrites_the_record_and_makes_no_second_one(
    met: Met, record_type: str, record: Any, name: str, key: str
) -> None:
    ref = met.put(record_type, record)
    target = met.client.target(record_type, {})
    changed = type(record)(**{**{f: getattr(record, f) for f in record.__struct_fields__}, "name": "Another name"})
    assert target.differences(changed, target.get(key).record) == ["name"]
    assert met.settled(target, target.update(ref, changed, MARK), changed) == ref
    assert [row["externalCode"] for row in met.inside(name)] == [key]
    assert target.differences(changed, target.get(key).record) == []


@each_kind
def test_what_goes_is_made_inactive_once_and_never_deleted(
    met: Met, record_type: str, record: Any, name: str, key: str
) -> None:
    ref = met.put(record_type, record)
    target = met.client.target(record_type, {})
    accepted = target.cancel(ref, "gone")
    assert met.settled(target, accepted, record) == ref
    assert target.get(key).state is DocumentState.ARCHIVED
    assert target.cancel(ref, "gone") is None
    assert [row["externalCode"] for row in met.inside(name)] == [key]
    assert not met.calls("DELETE", f"/v1/{name}")


@each_kind
def test_what_p2p_did_not_take_is_told_and_the_next_try_is_no_unchanged_record(  # R12
    meet: Callable[..., Met], record_type: str, record: Any, name: str, key: str
) -> None:
    met = meet(unchanged_after_error="skip")
    entity = {"supplier": "Vendor"}.get(record_type, name[0].upper() + name[1:-1])
    complain(met, entity, key, message="Organization RIL is closed.")
    target = met.client.target(record_type, {})
    with pytest.raises(Refused, match="Organization RIL is closed") as refused:
        met.settled(target, target.create(record, MARK), record)
    assert refused.value.code == "not_taken_by_p2p"
    assert target.find(record, MARK) == []
    if record_type == "tax_code":
        with pytest.raises(Refused, match="did not change"):
            target.create(record, MARK)
        return
    ref = met.settled(target, target.create(record, MARK), record)
    assert ref is not None and [row["externalCode"] for row in met.inside(name)] == [key]


def test_the_error_of_one_record_of_a_batch_lands_on_that_record(met: Met) -> None:  # R12
    target = met.client.target("supplier", {})
    records = [Supplier(code=code, name=f"{code} Inc.") for code in ("ELC001", "PAK003", "TRN004")]
    complain(met, "Vendor", "RIL_V_PAK003", message="Vendor class X is not set up.")
    accepted = target.create_batch([(record, MARK) for record in records])
    assert len(met.calls("POST", "/v1/vendors")) == 1
    met.wait()
    first, second, third = zip(records, accepted, strict=True)
    assert target.outcome(first[1].handle, first[0], MARK).key == "RIL_V_ELC001"
    with pytest.raises(Refused, match=r"Vendor class X is not set up.*RIL_V_PAK003"):
        target.outcome(second[1].handle, second[0], MARK)
    assert target.outcome(third[1].handle, third[0], MARK).key == "RIL_V_TRN004"
    assert [row["vendorCode"] for row in met.inside("vendors")] == ["ELC001", "TRN004"]


def test_a_batch_with_a_record_that_breaks_the_contract_is_refused_whole_and_names_it(met: Met) -> None:
    target = met.client.target("supplier", {})
    whole = Supplier(code="ELC001", name="Electra", address=Address(line1="Main St 1", country="US"))
    wrong = Supplier(code="PAK003", name="Pakko", address=Address(line1="Main St 2", country="USA"))
    with pytest.raises(Refused, match="RIL_V_PAK003"):
        target.create_batch([(whole, MARK), (wrong, MARK)])
    met.wait()
    assert met.inside("vendors") == []


def test_a_technical_error_is_nobodys_fault_and_comes_again(met: Met) -> None:  # R12
    target = met.client.target("supplier", {})
    complain(met, "Vendor", "RIL_V_NOR002", category="Technical", message="The queue is not available.")
    with pytest.raises(Transient, match="technical error"):
        met.settled(target, target.create(SUPPLIER, MARK), SUPPLIER)
    assert met.settled(target, target.create(SUPPLIER, MARK), SUPPLIER) is not None


def test_a_warning_is_in(met: Met) -> None:  # R12
    target = met.client.target("supplier", {})
    complain(met, "Vendor", "RIL_V_NOR002", severity="Warning", message="Scheme GLN is not set up.")
    assert met.settled(target, target.create(SUPPLIER, MARK), SUPPLIER) is not None


def test_a_vendor_whose_term_is_not_there_yet_is_refused_and_goes_once_it_is(met: Met) -> None:  # R12
    target = met.client.target("supplier", {})
    supplier = Supplier(code="ELC001", name="Electra", terms="30")
    with pytest.raises(Refused, match="Payment term 30 does not exist"):
        met.settled(target, target.create(supplier, MARK), supplier)
    met.put("payment_term", TERM)
    assert met.settled(target, target.create(supplier, MARK), supplier) is not None


def test_an_error_that_takes_minutes_is_waited_for(meet: Callable[..., Met]) -> None:  # R12
    met = meet(error_seconds=120)
    target = met.client.target("supplier", {})
    supplier = Supplier(code="ELC001", name="Electra", terms="30")
    accepted = target.create(supplier, MARK)
    for _ in range(3):
        met.wait(20)
        assert target.outcome(accepted.handle, supplier, MARK) is None
    with pytest.raises(Refused, match="Payment term 30 does not exist"):
        for _ in range(10):
            met.wait(20)
            target.outcome(accepted.handle, supplier, MARK)


def test_a_status_that_is_not_to_be_found_yet_is_no_failure(meet: Callable[..., Met]) -> None:  # R12
    met = meet(status_seconds=60)
    target = met.client.target("gl_account", {})
    accepted = target.create(ACCOUNT, MARK)
    met.wait(30)
    assert target.outcome(accepted.handle, ACCOUNT, MARK) is None
    met.wait(31)
    assert target.outcome(accepted.handle, ACCOUNT, MARK).key == "RIL_A_10-6100"


@pytest.mark.parametrize("fault", ["commit_then_reset", "reset"])
def test_a_write_whose_answer_was_lost_is_found_or_sent_again_and_is_there_once(met: Met, fault: str) -> None:  # R3, R8
    target = met.client.target("supplier", {})
    met.basware.faults([{"match": {"method": "POST", "path": "/v1/vendors"}, "do": fault, "times": 1}])
    with pytest.raises(OutcomeUnknown):
        target.create(SUPPLIER, MARK)
    assert len(met.calls("POST", "/v1/vendors")) == 1
    if fault == "commit_then_reset":
        with pytest.raises(Transient):
            target.find(SUPPLIER, MARK)
        met.wait()
        (found,) = target.find(SUPPLIER, MARK)
        assert (found.key, target.differences(SUPPLIER, found.record)) == ("RIL_V_NOR002", [])
    else:
        met.wait()
        assert target.find(SUPPLIER, MARK) == []
        assert met.settled(target, target.create(SUPPLIER, MARK), SUPPLIER) is not None
    assert [row["vendorCode"] for row in met.inside("vendors")] == ["NOR002"]


def test_a_vendor_on_hold_is_denied_payment(met: Met) -> None:  # R47
    met.put("supplier", Supplier(code="TRN004", name="Trans-Freight Co.", on_hold=True))
    (row,) = met.inside("vendors")
    assert row["processingStatus"] == {"active": True, "paymentDenied": True}


def test_no_bank_detail_goes_over(met: Met) -> None:  # R52
    met.put("supplier", SUPPLIER)
    (row,) = met.inside("vendors")
    assert row["paymentMeans"] == [{"paymentMeansCode": "BANK", "currencyCode": "EUR", "default": True}]


def test_cost_centers_go_to_a_general_list_where_the_site_has_them_there(meet: Callable[..., Met]) -> None:
    met = meet({"cost_center_list": "ACC_LIST_1"})
    met.put("cost_center", CENTER)
    assert [(row["listKey"], row["text_1"]) for row in met.inside("lists")] == [("ACC_LIST_1", "WH1")]
    assert [item.key for page in met.client.source("cost_center", {}).changes(None) for item in page.items] == ["WH1"]
    steps = {step.name: step.ok for step in met.client.ping(["cost_center"])}
    assert all(steps.values()) and "read lists/ACC_LIST_1" in steps


def test_a_list_of_several_pages_is_read_to_its_end_by_the_token_that_goes_both_ways(  # R18
    meet: Callable[..., Met], lists: list[str]
) -> None:
    met = meet({"page_size": 2}, bare_lists=lists)
    target = met.client.target("gl_account", {})
    accounts = [GlAccount(code=f"6{n}", name=f"Account {n}", type=AccountType.EXPENSE, postable=True) for n in range(5)]
    target.create_batch([(account, MARK) for account in accounts])
    met.wait()
    pages = list(met.client.source("gl_account", {}).changes(None))
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert [item.record.code for page in pages for item in page.items] == [account.code for account in accounts]
    assert len(met.calls("GET", "/v1/accounts")) == 3


def test_a_list_without_rows_is_empty(met: Met) -> None:
    for record_type in ("gl_account", "cost_center", "payment_term", "tax_code", "supplier", "invoice"):
        source = met.client.source(record_type, {})
        assert [item for page in source.changes(None) for item in page.items] == [], record_type
        assert source.get("nobody") is None, record_type


def test_enriched_suppliers_are_read_since_their_newest_stamp(meet: Callable[..., Met]) -> None:  # R16
    met = meet({"overlap_minutes": 0})
    met.put("payment_term", TERM)
    ref = met.put("supplier", SUPPLIER)
    source = met.client.source("supplier", {})
    pages = list(source.changes(None))
    cursor = pages[-1].cursor
    assert [item.key for page in pages for item in page.items] == [ref.key]
    met.wait()
    assert [item.key for page in source.changes(cursor) for item in page.items] == []
    met.basware.edit("vendors", {"externalCode": ref.key, "paymentTerms": {"paymentTermCode": "30"}})
    (item,) = [item for page in source.changes(cursor) for item in page.items]
    assert (item.key, item.record.terms) == (ref.key, "30")


def test_failed_requests_are_swept_and_acknowledged_once(met: Met) -> None:  # R12
    target = met.client.target("supplier", {})
    since = met.clock[-1]
    supplier = Supplier(code="ELC001", name="Electra", terms="30")
    accepted = target.create(supplier, MARK)
    met.wait()
    (row,) = met.client.statuses.errors(since)
    assert row["requestId"] == accepted.handle.partition("|")[0]
    for _ in range(2):
        met.client.statuses.acknowledge([row["requestId"]])
    assert list(met.client.statuses.errors(since)) == []
    with pytest.raises(Refused, match="Payment term 30"):
        target.outcome(accepted.handle, supplier, MARK)


def complain(met: Met, entity: str, code: str, **said: str) -> None:
    """What P2P will say next to a record."""
    met.basware.edit("actions", {"do": "answer_next", "entityType": entity, "externalCode": code, **said})
