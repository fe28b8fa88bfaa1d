"""Lists, pages and changes, over real HTTP."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.domain.orders import OrderStatus
from ml_connector.domain.records import InvoiceStatus
from ml_connector.systems.base import ShapeChanged, Swept, Transient

from .domain import Reply, page, single
from .payloads import UUID_1, UUID_2, bill, bill_row, item, order, order_row, receipt, vendor

VENDORS, BILLS = "/api/v3/vendors/", "/api/v3/ap/bills/"
ORDERS = "/api/v2/purchase_orders/purchased/all/"
RECEIPTS = "/api/v3/receipt/items/"


def items(opened, record_type: str, since: Any = None, policy: Any = None) -> tuple[list[Any], Any]:
    """What is read from a cursor, and the last cursor."""
    pages = list(opened.client.source(record_type, policy or {}).changes(since))
    return [item for page in pages for item in page.items], pages[-1].cursor


def keys(opened, record_type: str, since: Any = None, policy: Any = None) -> list[str]:
    return [item.key for item in items(opened, record_type, since, policy)[0]]


# --- pages


@pytest.mark.parametrize("top", [True, False])
def test_the_pages_are_counted_in_either_place(connect, top):
    opened = connect({"page_size": 2})
    opened.site.rows(VENDORS, [vendor(n) for n in range(1, 6)], top=top)
    assert keys(opened, "supplier") == ["1", "2", "3", "4", "5"]
    asked = [one.query for one in opened.site.calls("GET", VENDORS)]
    assert asked == [{"page": str(n), "page_size": "2"} for n in (1, 2, 3)]


def test_pages_may_be_smaller_than_asked_for_and_the_size_is_learned(opened):
    opened.site.rows(VENDORS, [vendor(n) for n in range(1, 31)], most=10)
    assert len(keys(opened, "supplier")) == 30
    opened.site.seen.clear()
    assert len(keys(opened, "supplier")) == 30
    assert {one.query["page_size"] for one in opened.site.calls("GET", VENDORS)} == {"10"}


def test_a_next_link_lends_its_query_and_not_its_host(opened):
    link = "https://elsewhere.example/api/v3/vendors/?page=2&page_size=100&cursor=abc"
    first = {"metadata": {"pagination": {"next": link, "count": 2}}, "data": [vendor(1)]}
    last = {"metadata": {"pagination": {"next": None, "count": 2}}, "data": [vendor(2)]}
    opened.site.on("GET", VENDORS, Reply(200, first), Reply(200, last))
    assert keys(opened, "supplier") == ["1", "2"]
    assert opened.site.calls("GET", VENDORS)[1].query == {"page": "2", "page_size": "100", "cursor": "abc"}


def test_a_page_beyond_the_last_one_ends_the_list(opened):
    block = {"pagination": {"num_pages": 2, "current_page": 1}}
    opened.site.on(
        "GET", VENDORS, Reply(200, {"metadata": block, "data": [vendor(1)]}), Reply(404, {"detail": "Invalid page."})
    )
    assert keys(opened, "supplier") == ["1"]


def test_a_list_that_is_gone_is_named(opened):  # R20
    with pytest.raises(ShapeChanged, match="/api/v3/vendors/") as gone:
        keys(opened, "supplier")
    assert gone.value.field == "path"


def test_a_list_that_does_not_say_whether_there_is_more_is_none(connect):  # R18
    opened = connect({"page_size": 1})
    opened.site.on("GET", VENDORS, Reply(200, {"metadata": {}, "data": [vendor(1)]}))
    with pytest.raises(ShapeChanged) as changed:
        keys(opened, "supplier")
    assert changed.value.field == "pagination"
    assert keys(connect(), "supplier") == ["1"]


def test_pages_that_do_not_end_are_noticed(opened):
    block = {"pagination": {"next": "https://x.example/?page=1", "num_pages": 9, "current_page": 1}}
    opened.site.on("GET", VENDORS, Reply(200, {"metadata": block, "data": [vendor(1)]}))
    with pytest.raises(ShapeChanged):
        keys(opened, "supplier")


def test_pages_that_are_always_the_same_are_noticed(opened):
    block = {"pagination": {"next": "more", "num_pages": 0, "current_page": 0}}
    opened.site.on("GET", VENDORS, Reply(200, {"metadata": block, "data": [vendor(1)]}))
    with pytest.raises(ShapeChanged):
        keys(opened, "supplier")
    assert len(opened.site.calls("GET", VENDORS)) == 2


def test_an_empty_page_in_the_middle_is_not_the_end(opened):  # R18
    block = {"pagination": {"num_pages": 3, "current_page": 1, "count": 3}}
    opened.site.on("GET", VENDORS, Reply(200, {"metadata": block, "data": []}))
    with pytest.raises(Transient):
        list(opened.client.source("supplier", {}).keys())


def test_a_list_that_breaks_off_is_not_complete(connect):  # R18
    opened = connect({"page_size": 1})
    rows = [vendor(1), vendor(2)]
    opened.site.on("GET", VENDORS, lambda seen: page(opened.site.url, seen, rows), Reply(500))
    with pytest.raises(Transient):
        list(opened.client.source("supplier", {}).keys())


def test_a_row_that_slipped_between_two_pages_is_found(connect):  # R16
    opened = connect({"page_size": 2})
    before = [vendor(n) for n in (1, 2, 3, 4)]
    after = [vendor(n) for n in (2, 3, 4, 1)]
    """Row 1 moved to the end after the first page: row 3 is on none of the two pages that are read."""
    opened.site.on(
        "GET",
        VENDORS,
        lambda seen: page(opened.site.url, seen, before),
        lambda seen: page(opened.site.url, seen, after),
    )
    assert sorted(keys(opened, "supplier")) == ["1", "2", "3", "4"]


def test_a_row_that_comes_twice_is_one(connect):  # R16
    opened = connect({"page_size": 2})
    rows = [vendor(1), vendor(2), vendor(2), vendor(3)]
    opened.site.rows(VENDORS, rows)
    assert keys(opened, "supplier") == ["1", "2", "3"]


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(connect):
    opened = connect({"page_size": 40})
    rows = [vendor(n) for n in range(1, 26)]

    def picky(seen: Any) -> Reply:
        if int(seen.query["page_size"]) > 20:
            return Reply(400, {"page_size": ["Ensure this value is less than or equal to 20."]})
        return page(opened.site.url, seen, rows)

    opened.site.on("GET", VENDORS, picky)
    assert len(keys(opened, "supplier")) == 25
    assert [one.query["page_size"] for one in opened.site.calls("GET", VENDORS)] == ["40", "20", "20"]


def test_a_page_that_takes_too_long_is_asked_for_in_smaller_ones(connect):
    import time

    opened = connect({"page_size": 20, "timeout_seconds": 1})
    rows = [vendor(n) for n in range(1, 6)]

    def slow(seen: Any) -> Reply:
        if int(seen.query["page_size"]) > 10:
            time.sleep(1.5)
        return page(opened.site.url, seen, rows)

    opened.site.on("GET", VENDORS, slow)
    assert len(keys(opened, "supplier")) == 5
    assert [one.query["page_size"] for one in opened.site.calls("GET", VENDORS)] == ["20", "10"]


# --- lists that are read as a whole


def test_only_vendors_of_the_chosen_types_are_suppliers(opened):
    opened.site.rows(VENDORS, [vendor(n, type=n) for n in (1, 2, 3, 4, 5, 6, 7)])
    assert keys(opened, "supplier") == ["3", "4", "7"]
    assert list(opened.client.source("supplier", {}).keys()) == ["3", "4", "7"]


def test_the_group_of_vendors_is_part_of_the_path(connect):
    opened = connect({"vendor_group": "all", "vendor_types": ["3"]})
    opened.site.rows("/api/v3/vendors/all/", [vendor(1), vendor(2, active=False)])
    read, _ = items(opened, "supplier")
    assert [(item.key, item.record.on_hold) for item in read] == [("1", False), ("2", True)]


def test_one_vendor_is_asked_for_by_its_id(opened):
    opened.site.object("/api/v3/vendors/11/", vendor(active=False))
    source = opened.client.source("supplier", {})
    found = source.get("11")
    assert found is not None and found.record.on_hold
    assert source.get("99") is None and source.get("ELC001") is None


def test_lists_of_codes(opened):
    codes = [
        {"id": 1, "code": "6100", "description": "Old", "account_type": 2, "active": False},
        {"id": 2, "code": "6100", "description": "Components", "account_type": 2, "active": True},
        {"id": 3, "code": "6200", "description": "Packaging", "account_type": 2, "active": True},
    ]
    opened.site.rows("/api/v3/account-codes/", codes)
    opened.site.rows("/api/v3/departments/", [{"id": 21, "name": "R&D", "branch": {"id": 1, "name": "HQ"}}])
    opened.site.rows(VENDORS, [vendor(1), vendor(2), vendor(3, payment_term_ref={"id": 6, "name": "Net 15"})])
    read = {name: items(opened, name)[0] for name in ("gl_account", "cost_center", "currency", "payment_term")}
    assert [(item.key, item.record.name) for item in read["gl_account"]] == [
        ("6100", "Components"),
        ("6200", "Packaging"),
    ]
    assert [item.key for item in read["cost_center"]] == ["21"]
    assert [(item.key, item.record.rate) for item in read["currency"]] == [("USD", None), ("EUR", Decimal("1.080000"))]
    assert [(item.key, item.record.name) for item in read["payment_term"]] == [("5", "Net 30"), ("6", "Net 15")]
    assert opened.client.source("gl_account", {}).get("6200").record.name == "Packaging"
    assert opened.client.source("payment_term", {}).get("9") is None


def test_receipts_are_read_with_the_pages_counted_beside_the_rows(connect):
    opened = connect({"page_size": 1})
    opened.site.rows(RECEIPTS, [receipt(401), receipt(402, pass_quantity="-5.00000")], top=True)
    read, cursor = items(opened, "receipt")
    assert [(item.key, item.record.quantity) for item in read] == [("401", Decimal(40)), ("402", Decimal(-5))]
    assert cursor is None


# --- orders: by the day of their change


def serve_orders(opened, *wholes: Any) -> None:
    opened.site.rows(ORDERS, [order_row(one) for one in wholes])
    for one in wholes:
        opened.site.on("GET", f"/api/v2/purchase_orders/{one['procurify_PO']}/", single(one))


def details(opened) -> list[str]:
    """Orders that were fetched, since last asked."""
    fetched = [one.path.split("/")[4] for one in opened.site.seen if one.path.count("/") == 5 and "orders" in one.path]
    opened.site.seen.clear()
    return fetched


def test_an_order_is_listed_once_and_fetched_with_its_lines(opened):
    serve_orders(opened, order(150), order(151, last_modified="2026-11-15T09:00:00Z"))
    read, cursor = items(opened, "purchase_order")
    assert [item.key for item in read] == ["151", "150"]
    assert len(read[0].record.lines) == 2
    assert cursor["changed"] == "2026-11-16T10:00:00.123456+00:00"
    assert opened.site.calls("GET", ORDERS)[0].query == {"page": "1", "page_size": "100"}


def test_what_did_not_change_is_listed_again_and_not_fetched(opened):  # R14
    serve_orders(opened, order(150), order(151))
    _, cursor = items(opened, "purchase_order")
    assert sorted(details(opened)) == ["150", "151"]
    again, cursor = items(opened, "purchase_order", cursor)
    assert again == []
    assert opened.site.calls("GET", ORDERS)[0].query["modified_date_0"] == "2026-11-14"
    assert details(opened) == []


def test_an_order_changed_later_on_the_same_day_is_read(opened):  # R14
    serve_orders(opened, order(150), order(151))
    _, cursor = items(opened, "purchase_order")
    changed = order(150, version=2, last_modified="2026-11-16T15:00:00Z")
    serve_orders(opened, changed, order(151))
    read, _ = items(opened, "purchase_order", cursor)
    assert [(item.key, item.record.revision) for item in read] == [("150", 2)]


def test_an_order_that_was_committed_late_is_read(opened):  # R16
    serve_orders(opened, order(150))
    _, cursor = items(opened, "purchase_order")
    serve_orders(opened, order(150), order(149, last_modified="2026-11-16T09:59:00Z"))
    assert keys(opened, "purchase_order", cursor) == ["149"]


@pytest.mark.parametrize("zone_hours", [-11, 0, 13])
def test_the_day_that_is_asked_for_leaves_a_whole_day_in_every_zone(opened, zone_hours):  # R14
    from datetime import datetime, timedelta, timezone

    zone = timezone(timedelta(hours=zone_hours))
    for hour in (0, 3, 11, 12, 23):
        serve_orders(opened, order(150, last_modified=f"2026-11-16T{hour:02}:30:00Z"))
        _, cursor = items(opened, "purchase_order")
        opened.site.seen.clear()
        items(opened, "purchase_order", cursor)
        asked = date.fromisoformat(opened.site.calls("GET", ORDERS)[0].query["modified_date_0"])
        theirs = datetime.fromisoformat(cursor["changed"]).astimezone(zone).date()
        assert theirs - asked >= timedelta(days=1)


def test_each_pages_cursor_is_true_and_a_stopped_reading_goes_on(opened):  # R15
    wholes = [order(n, last_modified=f"2026-11-{1 + n // 20:02}T10:{n % 20:02}:00Z") for n in range(1, 61)]
    serve_orders(opened, *reversed(wholes))
    source = opened.client.source("purchase_order", {})
    pages = source.changes(None)
    first = next(pages)
    assert [item.key for item in first.items] == [str(n) for n in range(1, 21)]
    pages.close()
    details(opened)
    rest = keys(opened, "purchase_order", first.cursor)
    assert rest == [str(n) for n in range(21, 61)]
    assert details(opened) == rest


def test_equal_stamps_across_pages_are_neither_lost_nor_fetched_twice(opened):  # R16
    serve_orders(opened, *(order(n) for n in range(100, 150)))
    pages = opened.client.source("purchase_order", {}).changes(None)
    first = next(pages)
    pages.close()
    details(opened)
    rest = keys(opened, "purchase_order", first.cursor)
    assert len(first.items) == 20 and len(rest) == 30
    assert not {item.key for item in first.items} & set(rest)


def test_an_order_without_a_stamp_stops_the_reading(opened):  # R20
    row = order_row(order())
    del row["last_modified"]
    opened.site.rows(ORDERS, [row])
    with pytest.raises(ShapeChanged) as changed:
        items(opened, "purchase_order")
    assert changed.value.field == "last_modified"


def test_the_cut_over_leaves_out_older_orders(opened):
    serve_orders(opened, order(150), order(90, date="2025-01-05T10:00:00Z"))
    assert keys(opened, "purchase_order", policy={"from_date": "2026-01-01"}) == ["150"]
    assert sorted(opened.client.source("purchase_order", {}).keys()) == ["150", "90"]


def test_an_order_that_vanished_between_list_and_fetch_is_passed_over(opened):
    serve_orders(opened, order(150))
    opened.site.rows(ORDERS, [order_row(order(150)), order_row(order(151))])
    assert keys(opened, "purchase_order") == ["150"]
    assert opened.client.source("purchase_order", {}).get("151") is None


def test_a_sweep_reads_every_open_order_again(opened):  # R17
    serve_orders(opened, order(150), order(151, state=3), order(152, state=5))
    source = opened.client.source("purchase_order", {})
    assert isinstance(source, Swept)
    swept = [item.key for page in source.sweep() for item in page.items]
    assert swept == ["150", "152"]


def test_a_cancelled_order_and_its_lines_are_read(opened):
    cancelled = item(status=7, active=False)
    serve_orders(opened, order(150, state=1, order_items=[cancelled], total="0.00"))
    ((read,), _) = items(opened, "purchase_order")
    assert read.invalid is None and read.record.status is OrderStatus.CANCELLED
    assert read.record.lines[0].status is OrderStatus.CANCELLED


# --- bills: by the instant of their change


def serve_bills(opened, *wholes: Any) -> None:
    opened.site.rows(BILLS, [bill_row(one) for one in wholes])
    for one in wholes:
        opened.site.on("GET", f"/api/v2/ap/bills/{one['uuid']}/", single(one))


def test_bills_are_listed_in_v3_and_fetched_in_v2(opened):
    serve_bills(opened, bill(), bill("PK-500", uuid=UUID_2, last_modified_datetime="2026-11-15T10:00:00Z"))
    read, cursor = items(opened, "invoice")
    assert [(item.key, item.record.number) for item in read] == [(UUID_2, "PK-500"), (UUID_1, "ELC-1001")]
    items(opened, "invoice", cursor)
    asked = opened.site.calls("GET", BILLS)[-1].query
    assert asked["last_modified_datetime_0"] == "2026-11-16T09:55:00.500Z"
    assert "modified_date_0" not in asked


def test_a_uuid_without_dashes_is_the_same_bill(opened):
    row = bill_row(bill())
    opened.site.rows(BILLS, [{**row, "uuid": UUID_1.replace("-", "")}])
    opened.site.on("GET", f"/api/v2/ap/bills/{UUID_1}/", single(bill()))
    assert keys(opened, "invoice") == [UUID_1]
    assert opened.client.source("invoice", {}).get(UUID_1.replace("-", "").upper()).key == UUID_1
    assert opened.client.source("invoice", {}).get("31") is None


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        ({"status": 2}, True), ({"status": 4}, False), ({"status": 6}, False), ({"type": 1}, False),
        ({"status": 0, "bill_statuses": [{"status": 0}]}, False), ({"status": 1, "bill_statuses": []}, False),
        ({"status": 3, "bill_statuses": [{"status": 1}, {"status": 3}]}, False),
    ],
)  # fmt: skip
def test_only_approved_bills_of_the_chosen_kinds_travel(opened, changes, read):
    serve_bills(opened, bill(**changes))
    assert keys(opened, "invoice") == ([UUID_1] if read else [])


def test_paid_bills_travel_where_the_settings_say_so(connect):
    opened = connect({"bill_statuses": ["2", "4"]})
    serve_bills(opened, bill(status=4))
    ((read,), _) = items(opened, "invoice")
    assert read.observed == {"status": "4", "paid": "1620.00", "open": "0.00"}


@pytest.mark.parametrize("status", [0, 1, 3, 5])
def test_a_bill_that_is_not_approved_any_more_was_taken_back(opened, status):
    serve_bills(opened, bill())
    _, cursor = items(opened, "invoice")
    history = [{"status": 1}, {"status": 2}, {"status": status}]
    serve_bills(
        opened, bill(status=status, bill_statuses=history, last_modified_datetime="2026-11-16T11:00:00.000000Z")
    )
    ((read,), _) = items(opened, "invoice", cursor)
    assert read.record.status is InvoiceStatus.VOIDED


def test_invoices_and_credit_notes_are_read_apart(opened):
    line = bill()["items"][1]
    below = {**line, "total_cost": -300.0, "tax_amount": -24.0, "cost_allocations": []}
    credit = bill(
        "PK-501", uuid=UUID_2, items=[below], invoice_total=-324.0, exclusive_tax_amount=-24.0, total_cost=-300.0,
        total_cost_with_tax=-324.0,
    )  # fmt: skip
    serve_bills(opened, bill(), credit)
    assert keys(opened, "invoice", policy={"only": "invoice"}) == [UUID_1]
    assert keys(opened, "invoice", policy={"only": "credit_note"}) == [UUID_2]


def test_a_back_dated_bill_is_read(opened):  # R13
    serve_bills(opened, bill())
    _, cursor = items(opened, "invoice")
    late = bill("HU-2202", uuid=UUID_2, invoice_date="2026-09-30", last_modified_datetime="2026-11-16T10:01:00.000000Z")
    serve_bills(opened, bill(), late)
    assert keys(opened, "invoice", cursor) == [UUID_2]


def test_a_bill_that_cannot_travel_does_not_keep_the_others(opened):
    serve_bills(opened, bill(), bill("X", uuid=UUID_2, due_date=None))
    read, _ = items(opened, "invoice")
    assert {item.key: item.invalid is None for item in read} == {UUID_1: True, UUID_2: False}


def test_bills_that_are_there_for_the_sweep(opened):  # R17, R18
    serve_bills(opened, bill(status=4), bill("E", uuid=UUID_2, type=1))
    source = opened.client.source("invoice", {})
    assert list(source.keys()) == [UUID_1]
    assert [item.key for page in source.sweep() for item in page.items] == []
