"""Reading from the stand-in: pages, cursors, sweeps, what changes and what is missing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from ml_connector.domain.records import InvoiceStatus
from ml_connector.systems.base import Conflict, ShapeChanged, Transient

ALL_OF_THEM = {"open_only": False}


def keys(items):
    return [item.key for item in items]


def line(amount=100, **changes):
    return {"ItemDescription": "Goods", "LineTotal": amount, "AccountCode": "10-6100", **changes}


def document(number="ELC-1", supplier="ALB170", amount=100, **changes):
    return {
        "CardCode": supplier, "DocDate": "2026-11-16", "TaxDate": "2026-11-10", "DocDueDate": "2026-12-10",
        "DocType": "dDocument_Service", "NumAtCard": number, "DocumentLines": [line(amount)], **changes,
    }  # fmt: skip


@pytest.fixture
def supplier(pair):
    """A supplier that invoices can be entered for, in the company's own currency."""
    row = {"CardCode": "ELC001", "CardName": "Electra", "CardType": "cSupplier", "Currency": "USD"}
    pair.b1.edit("BusinessPartners", row)
    return "ELC001"


def enter(pair, set_name="PurchaseInvoices", **changes):
    return pair.b1.edit(set_name, document(**changes))[0]["DocEntry"]


# --- pages ---


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("record_type", "policy"),
    [("invoice", ALL_OF_THEM), ("payment", {}), ("gl_account", {}), ("cost_center", {})],
)
def test_the_size_of_a_page_changes_nothing(connect, size, record_type, policy):  # R16
    whole = connect().items(record_type, policy)
    pair = connect({"page_size": size})
    found = pair.items(record_type, policy)
    assert len(found) == len(set(keys(found)))
    assert sorted(keys(found)) == sorted(keys(whole))
    assert sorted(pair.client.source(record_type, policy).keys()) == sorted(keys(whole))


@pytest.mark.parametrize("page_size", [3, 20])
def test_a_server_with_smaller_pages_of_its_own_is_read_to_the_end(connect, page_size):
    pair = connect({"page_size": 1000}, page_size=page_size)
    assert len(set(keys(pair.items("invoice", ALL_OF_THEM)))) == 60


@pytest.mark.parametrize("next_link", ["relative", "absolute"])
def test_next_links_of_either_spelling_are_followed(connect, next_link):
    pair = connect({"page_size": 4}, next_link=next_link, minute_times=True)
    pair.b1.edit("PurchaseInvoices", [
        {"DocEntry": entry, "UpdateDate": "2026-11-15", "UpdateTime": "10:00:00"} for entry in range(1, 14)
    ])  # fmt: skip
    assert len(set(keys(pair.items("invoice", ALL_OF_THEM)))) == 60


def test_rows_put_in_and_taken_out_between_pages_shift_no_other(connect):  # R16, R18
    pair = connect({"page_size": 10})
    before = set(keys(pair.items("supplier")))
    seen = []
    for number, key in enumerate(pair.client.source("supplier", {}).keys()):
        seen.append(key)
        if number % 9 == 0:
            row = {"CardName": "New", "CardType": "cSupplier", "Currency": "USD"}
            pair.b1.edit("BusinessPartners", {"CardCode": f"AAA{number:03}", **row})
    assert before <= set(seen)
    assert len(seen) == len(set(seen))


def test_documents_changed_while_they_are_read_are_neither_lost_nor_read_twice(connect):  # R16
    pair = connect({"page_size": 5})
    source = pair.client.source("invoice", ALL_OF_THEM)
    states = []
    for number, page in enumerate(source.changes(None)):
        states += [(item.key, item.record.memo) for item in page.items]
        if number < 4:
            pair.b1.clock(advance=1)
            row = {"DocEntry": 50 + number, "Comments": f"edit {number}"}
            pair.b1.edit("PurchaseInvoices", {**row, "UpdateDate": "2026-11-16", "UpdateTime": f"12:0{number}:00"})
    assert len(states) == len(set(states))
    assert {key for key, _ in states} == {str(entry) for entry in range(1, 61)}
    assert {(str(50 + number), f"edit {number}") for number in range(4)} <= set(states)


# --- cursors ---


def test_each_pages_cursor_is_true_and_going_on_from_it_loses_nothing(connect):  # R15
    pair = connect({"page_size": 6})
    source = pair.client.source("invoice", ALL_OF_THEM)
    pages = list(source.changes(None))
    cursors = [page.cursor["updated"] for page in pages if page.cursor]
    assert all(one <= other for one, other in pairwise(cursors))
    for count, page in enumerate(pages, start=1):
        read = {item.key for each in pages[:count] for item in each.items}
        rest = {item.key for each in source.changes(page.cursor) for item in each.items}
        assert read | rest == {str(entry) for entry in range(1, 61)}


def test_many_rows_of_one_stamp_are_read_across_pages(connect):  # R16
    pair = connect({"page_size": 3})
    stamp = {"UpdateDate": "2026-11-16", "UpdateTime": "11:30:00"}
    pair.b1.edit("PurchaseInvoices", [{"DocEntry": entry, **stamp} for entry in range(1, 21)])
    source = pair.client.source("invoice", ALL_OF_THEM)
    items, cursor = pair.read(source)
    assert sorted(keys(items), key=int) == [str(entry) for entry in range(1, 61)]
    assert cursor["updated"] == "2026-11-16T11:30:00"
    again, _ = pair.read(source, cursor)
    assert sorted(keys(again), key=int) == [str(entry) for entry in range(1, 21)]


def test_a_change_on_the_same_day_is_seen_by_the_next_poll(pair):  # R14
    source = pair.client.source("invoice", ALL_OF_THEM)
    _, cursor = pair.read(source)
    stamp = {"UpdateDate": "2026-11-16", "UpdateTime": "12:05:00"}
    pair.b1.edit("PurchaseInvoices", {"DocEntry": 4, "Comments": "changed", **stamp})
    items, after = pair.read(source, cursor)
    assert [item.record.memo for item in items if item.key == "4"] == ["changed"]
    assert after["updated"] == "2026-11-16T12:05:00"


def test_a_commit_that_is_older_than_the_cursor_is_read_by_the_overlap(pair):  # R14
    source = pair.client.source("invoice", ALL_OF_THEM)
    late = {"DocEntry": 4, "Comments": "late", "UpdateDate": "2026-11-09", "UpdateTime": "23:55:30"}
    pair.b1.edit("PurchaseInvoices", late)
    items, _ = pair.read(source, {"updated": "2026-11-10T00:03:00"})
    assert "4" in keys(items)
    items, _ = pair.read(source, {"updated": "2026-11-10T00:06:00"})
    assert "4" not in keys(items)


def test_a_back_dated_document_is_picked_up(pair, supplier):  # R13
    source = pair.client.source("invoice", {})
    _, cursor = pair.read(source)
    pair.b1.clock(advance=60)
    entry = enter(pair, supplier=supplier, TaxDate="2026-01-05")
    items, _ = pair.read(source, cursor)
    found = next(item for item in items if item.key == str(entry))
    assert found.record.date == date(2026, 1, 5)


@pytest.mark.parametrize("stamped", [False, True])
def test_a_new_supplier_is_seen_with_and_without_a_stamp(connect, stamped):  # R13
    pair = connect(fresh_partner_stamp=stamped)
    source = pair.client.source("supplier", {})
    _, cursor = pair.read(source)
    row = {"CardCode": "ELC001", "CardName": "Electra", "CardType": "cSupplier", "Currency": "USD"}
    pair.b1.clock(now="2026-12-01T18:00:00Z", running=False)
    pair.b1.edit("BusinessPartners", row)
    items, after = pair.read(source, cursor)
    assert "ELC001" in keys(items)
    assert stamped or keys(items) == ["ELC001"]
    pair.b1.edit(
        "BusinessPartners", {**row, "CardName": "Electra II", "UpdateDate": "2026-12-01", "UpdateTime": "12:30"}
    )
    items, _ = pair.read(source, after)
    assert [item.record.name for item in items if item.key == "ELC001"] == ["Electra II"]


def test_customers_are_no_suppliers(pair):
    row = {"CardCode": "CUS001", "CardName": "Somebody", "CardType": "cCustomer", "Currency": "USD"}
    pair.b1.edit("BusinessPartners", row)
    source = pair.client.source("supplier", {})
    assert source.get("CUS001") is None
    assert "CUS001" not in set(source.keys())


def test_a_key_with_a_quote_is_one_key(pair):
    row = {"CardCode": "O'N & 1/2", "CardName": "O'Neill", "CardType": "cSupplier", "Currency": "USD"}
    pair.b1.edit("BusinessPartners", row)
    assert pair.client.source("supplier", {}).get("O'N & 1/2").record.name == "O'Neill"


def test_a_frozen_supplier_is_on_hold(pair):  # R47
    pair.b1.edit("actions", {"do": "freeze_supplier", "supplier": "ALB170", "frozen": True, "first": "2026-11-01"})
    assert pair.client.source("supplier", {}).get("ALB170").record.on_hold is True


# --- documents ---


def test_a_first_load_that_was_broken_off_goes_on_with_what_is_open(connect):  # R15
    pair = connect({"page_size": 3})
    source = pair.client.source("invoice", {})
    whole = set(keys(pair.read(source)[0]))
    pages = source.changes(None)
    first = [next(pages), next(pages), next(pages)]
    items, cursor = pair.read(source, first[-1].cursor)
    assert {item.key for page in first for item in page.items} | set(keys(items)) == whole
    assert set(keys(items)) <= whole
    assert "loading" in first[-1].cursor
    assert "loading" not in cursor


def test_a_first_load_reads_what_is_open_and_a_poll_what_became_of_it(pair, supplier):
    source = pair.client.source("invoice", {})
    items, cursor = pair.read(source)
    assert 0 < len(items) < 60
    entry = enter(pair, supplier=supplier)
    items, cursor = pair.read(source, cursor)
    assert str(entry) in keys(items)
    pair.b1.clock(advance=120)
    pair.b1.edit("actions", {"do": "cancel", "set": "PurchaseInvoices", "entry": entry})
    assert source.get(str(entry)).record.status is InvoiceStatus.VOIDED


@pytest.mark.parametrize("shown", [False, True])
def test_the_second_row_of_a_cancellation_is_never_read(connect, shown):  # R29
    pair = connect(cancellation_row_cancelled=shown)
    row = {"CardCode": "ELC001", "CardName": "Electra", "CardType": "cSupplier", "Currency": "USD"}
    pair.b1.edit("BusinessPartners", row)
    entry = enter(pair, supplier="ELC001")
    pair.b1.edit("actions", {"do": "cancel", "set": "PurchaseInvoices", "entry": entry})
    source = pair.client.source("invoice", ALL_OF_THEM)
    items = [item for item in pair.items("invoice", ALL_OF_THEM) if item.record.supplier == "ELC001"]
    assert [(item.key, item.record.status) for item in items] == [(str(entry), InvoiceStatus.VOIDED)]
    assert len(pair.b1.state("PurchaseInvoices")) == 62
    assert len(list(source.keys())) == 61
    assert source.get(str(entry + 1)) is None
    swept = {item.key: item.record.status for page in source.sweep() for item in page.items}
    assert swept[str(entry)] is InvoiceStatus.VOIDED
    assert str(entry + 1) not in swept


def test_a_sweep_sees_what_left_no_stamp(pair, supplier):  # R17
    entry = enter(pair, supplier=supplier)
    source = pair.client.source("invoice", {})
    pair.b1.clock(advance=3600)
    pair.b1.edit("actions", {"do": "reconcile", "entry": entry, "amount": 40.00})
    assert str(entry) not in keys(pair.read(source, {"updated": "2026-11-16T12:30:00"})[0])
    swept = {item.key: item for page in source.sweep() for item in page.items}
    assert swept[str(entry)].observed == {"paid": "40.0", "open": "60.00", "paid_counts": "credits"}
    pair.b1.edit("actions", {"do": "reconcile", "entry": entry, "amount": 60.00})
    swept = {item.key: item for page in source.sweep() for item in page.items}
    assert Decimal(swept[str(entry)].observed["open"]) == 0


def test_a_draft_that_waits_for_approval_is_never_read(connect):
    pair = connect(approval_above=50)
    before = len(pair.items("invoice", ALL_OF_THEM))
    body = document(supplier="ALB170")
    pair.client._layer.signed_in()
    with pytest.raises(Exception, match=r"draft|approval|reference"):
        pair.client._layer.write("POST", "PurchaseInvoices", body, about="a trial")
    assert len(pair.items("invoice", ALL_OF_THEM)) == before


def test_an_order_is_named_by_the_number_that_people_know(pair, supplier):
    order = pair.b1.edit("PurchaseOrders", {**document(supplier=supplier), "DocNum": 4500})[0]
    entry = enter(
        pair,
        supplier=supplier,
        DocumentLines=[line(BaseType=22, BaseEntry=order["DocEntry"], BaseLine=0)],
    )
    assert pair.client.source("invoice", {}).get(str(entry)).record.orders == (str(order["DocNum"]),)


def test_every_document_of_the_stand_in_adds_up_to_its_balance(connect):  # R22, R28
    pair = connect(invoices=400)
    items = pair.items("invoice", ALL_OF_THEM)
    assert [item.invalid for item in items if item.invalid] == []
    assert all(item.record.adds_up() for item in items)
    foreign = [item.record for item in items if item.record.currency != "USD"]
    assert foreign
    assert all(abs(record.base_difference()) <= Decimal("0.01") * len(record.lines) for record in foreign)


def test_credit_notes_are_read_apart_and_name_their_invoice(pair):  # R26, R27
    found = pair.items("invoice", {"only": "credit_note", **ALL_OF_THEM})
    assert found
    assert all(item.key.startswith("CN-") and item.record.kind == "credit_note" for item in found)
    invoices = pair.client.source("invoice", {})
    assert all(invoices.get(item.record.corrects) for item in found if item.record.corrects)
    assert pair.client.source("invoice", {"only": "credit_note"}).get(found[0].key) == found[0]
    assert invoices.get(found[0].key) is None


def test_documents_before_the_cut_over_are_left_out(pair):
    found = pair.items("invoice", {"from_date": "2026-06-01", **ALL_OF_THEM})
    assert 0 < len(found) < 60
    assert min(item.record.posting_date for item in found) >= date(2026, 6, 1)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_both_versions_read_the_same(connect, version):
    one, other = connect(version="v2"), connect(version=version)
    for record_type in ("supplier", "invoice", "payment", "gl_account", "cost_center"):
        assert one.items(record_type, {}) == other.items(record_type, {})


def test_segmented_accounts_are_known_by_their_number(connect):
    pair = connect(segmented_accounts=True)
    found = next(item.record for item in pair.items("gl_account") if item.record.postable)
    assert found.code.startswith("_SYS")
    assert found.number
    assert found.number != found.code


def test_frozen_and_title_accounts_are_read_and_not_postable(pair):  # R50
    pair.b1.edit("ChartOfAccounts", {"Code": "10-6100", "FrozenFor": "tYES"})
    found = {item.key: item.record for item in pair.items("gl_account")}
    assert found["10-6100"].postable is False
    assert found["10-2100"].control is True
    assert {found[code].type for code in ("100000", "600000")} == {"heading"}


# --- shape ---


def test_a_field_that_is_gone_stops_the_reading_by_name(connect):  # R20
    pair = connect(hide={"Document": ["NumAtCard"]})
    with pytest.raises(ShapeChanged) as changed:
        pair.items("invoice")
    assert changed.value.field == "PurchaseInvoices.NumAtCard"


def test_an_old_release_is_read_without_what_it_lacks(connect):
    pair = connect(old_release=True)
    found = pair.items("invoice", ALL_OF_THEM)
    assert len(found) == 60
    assert all(item.observed == {} for item in found)


def test_a_sweep_that_breaks_off_does_not_end_normally(connect):  # R18
    pair = connect({"page_size": 10})
    source = pair.client.source("invoice", ALL_OF_THEM)
    pair.client.identity()
    fault = {"match": {"path": "/b1s/*/PurchaseInvoices", "nth": [3]}, "do": "status", "status": 503}
    pair.b1.faults([fault])
    with pytest.raises(Transient):
        list(source.keys())


def test_a_filter_that_the_server_refuses_is_no_empty_list(pair):  # R19
    said = "Query string error - Invalid filter condition"
    body = f'{{"error": {{"code": 201, "message": {{"lang": "en-us", "value": "{said}"}}}}}}'
    pair.client.identity()
    pair.b1.faults([{"match": {"path": "/b1s/*/PurchaseInvoices"}, "do": "status", "status": 400, "body": body}])
    with pytest.raises(Exception, match="PurchaseInvoices") as refused:
        pair.items("invoice")
    assert not isinstance(refused.value, Conflict)
