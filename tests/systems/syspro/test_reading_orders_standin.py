"""Purchase orders read over real sockets, by both routes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector import sandbox
from ml_connector.domain.orders import OrderLineKind, OrderStatus

from .conftest import Site

ORDERS = "purchase_order"


@pytest.fixture(params=["odata", "comfnd"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with sandbox.start("syspro", options={"base_set": "basware"}) as syspro:
        syspro.clock(now="2026-11-16T12:00:00Z", running=False)
        yield Site(syspro, request.param)


def orders(site: Site, **settings: Any) -> dict[str, Any]:
    """By number. The site keeps its cost centers in an analysis category, unless a test says otherwise."""
    given = {"cost_centre_source": "analysis(CC)", **settings}
    return {item.record.number: item for item in site.read(ORDERS, **given).values()}


def test_orders_of_the_base_set_are_read_with_lines_and_totals(site: Site) -> None:  # R22, R42
    found = orders(site)
    assert {number: item.record.total for number, item in found.items()} == {
        "150": Decimal("1500.00"), "151": Decimal("640.00"), "152": Decimal("400.00"),
    }  # fmt: skip
    assert all(item.invalid is None and item.record.adds_up() for item in found.values())
    order = found["150"].record
    assert (order.supplier, order.currency, order.date, order.status) == (
        "ELC001", "USD", date(2026, 11, 4), OrderStatus.OPEN,
    )  # fmt: skip
    first, second = order.lines
    assert (first.line_key, first.sku, first.quantity, first.unit_price, first.amount) == (
        "1", "RLY-24", 100, 12, Decimal("1200.00"),
    )  # fmt: skip
    assert (first.account, second.account) == ("10-6100-000-000-0000-MFG-EU", "10-6200")
    assert (first.kind, first.unit, first.due_date) == (OrderLineKind.STOCK, "EA", date(2026, 11, 18))


def test_every_page_size_reads_the_same_and_one_alone_too(site: Site) -> None:
    wanted = site.read(ORDERS)
    assert site.read(ORDERS, odata_page_size=1) == wanted
    source = site.connect(odata_page_size=1).source(ORDERS, {})
    assert set(source.keys()) == set(wanted)
    for key, item in wanted.items():
        assert source.get(key) == item
    assert source.get("999") is None


def test_an_amended_line_is_the_same_line(site: Site) -> None:  # R42
    before = orders(site)["151"]
    site.act({"do": "change_order", "order": "151", "line": 1, "quantity": 66, "price": 10.00})
    after = orders(site)["151"]
    assert (after.record.total, after.record.lines[0].quantity) == (660, 66)
    assert after.record.lines[0].line_key == before.record.lines[0].line_key
    assert after.key == before.key


def test_a_cancelled_order_is_still_read_with_its_lines_cancelled(site: Site) -> None:
    site.act({"do": "cancel_order", "order": "152"})
    order = orders(site)["152"].record
    assert (order.status, order.total) == (OrderStatus.CANCELLED, 0)
    assert [line.status for line in order.lines] == [OrderStatus.CANCELLED]


def test_what_was_received_stands_in_its_line(site: Site) -> None:
    site.act(
        {"do": "receive_goods", "order": "150", "line": 1, "quantity": 40, "grn": "000031", "delivery_note": "LS 7"},
        {"do": "receive_goods", "order": "151", "line": 1, "quantity": 64, "grn": "000032"},
    )
    found = orders(site)
    first, second = found["150"].record.lines
    (receipt,) = first.receipts
    assert (first.received, receipt.number, receipt.quantity, receipt.delivery_note, receipt.date) == (
        40, "000031", 40, "LS 7", date(2026, 11, 16),
    )  # fmt: skip
    assert (second.received, second.receipts) == (None, ())
    assert (found["151"].record.status, found["151"].record.lines[0].status) == (OrderStatus.CLOSED,) * 2


def test_an_order_in_process_is_not_approved_and_yet_not_gone(site: Site) -> None:  # R18
    key = orders(site)["151"].key
    site.syspro.edit("PorMasterHdr", [{"PurchaseOrder": key, "OrderStatus": "0"}])
    assert set(orders(site)) == {"150", "152"}
    assert key in set(site.connect().source(ORDERS, {}).keys())


def test_orders_closed_long_ago_are_left_out_and_open_ones_are_not(site: Site) -> None:
    found = orders(site)
    for number, status in (("151", "9"), ("152", "1")):
        site.syspro.edit(
            "PorMasterHdr",
            [
                {
                    "PurchaseOrder": found[number].key,
                    "OrderStatus": status,
                    "OrderEntryDate": "2025-09-01T00:00:00",
                }
            ],
        )
    assert set(orders(site)) == {"150", "152"}
    assert len(set(site.connect().source(ORDERS, {}).keys())) == 3


def test_quantities_and_prices_have_units_of_their_own(site: Site) -> None:
    """Ordered by the box of ten, priced by the hundred, less 10 % and another 5 %."""
    key = orders(site)["151"].key
    changes = {
        "MOrderQty": 20, "MConvFactOrdUm": 10, "MMulDivAlloc": "M", "MConvFactPrcUm": 100, "MMulDivPrc": "M",
        "MPrice": 50, "MForeignPrice": 50, "MDiscPct1": 10, "MDiscPct2": 5,
    }  # fmt: skip
    site.syspro.edit("PorMasterDetail", [{"PurchaseOrder": key, "Line": 1, **changes}])
    (line,) = orders(site)["151"].record.lines
    assert (line.quantity, line.unit_price, line.amount) == (20, Decimal("4.275"), Decimal("85.50"))


@pytest.mark.parametrize(
    ("table", "changes", "cause"),
    [
        ("PorMasterHdr", {"Currency": "XX"}, "unmapped_code"),
        ("PorMasterDetail", {"Line": 1, "MDiscValue": 5}, "totals_differ"),
    ],
)
def test_one_order_that_cannot_travel_says_why(site: Site, table: str, changes: dict[str, Any], cause: str) -> None:
    site.syspro.edit(table, [{"PurchaseOrder": orders(site)["151"].key, **changes}])
    found = orders(site)
    assert found["151"].invalid.startswith(f"{cause}: ") and "151" in found["151"].invalid
    assert found["150"].invalid is None


def test_cost_centers_are_split_off_the_ledger_code(site: Site) -> None:
    key = orders(site)["151"].key
    site.syspro.edit("PorMasterDetail", [{"PurchaseOrder": key, "Line": 1, "MGlCode": "10-6400-WH1"}])
    (line,) = orders(site, cost_centre_source="segment(9,3,-)")["151"].record.lines
    assert (line.account, line.cost_center) == ("10-6400", "WH1")


def test_the_test_of_a_connection_reads_the_tables_of_orders(site: Site) -> None:  # R20
    steps = {step.name: step for step in site.connect().ping([ORDERS])}
    assert steps[f"tables of {ORDERS}"].ok, steps[f"tables of {ORDERS}"].text
