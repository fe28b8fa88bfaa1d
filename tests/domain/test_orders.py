"""Purchase orders have one canonical form, and their arithmetic holds (R22, R42)."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from ml_connector.domain.canonical import content_hash
from ml_connector.domain.orders import OrderStatus, PurchaseOrder, PurchaseOrderLine, Receipt
from ml_connector.domain.records import decode


def line(key, quantity, price, **changes):
    fields = {
        "line_key": key,
        "number": key,
        "description": "Relay 24 V",
        "quantity": Decimal(quantity),
        "unit_price": Decimal(price),
        "amount": Decimal(quantity) * Decimal(price),
    }
    return PurchaseOrderLine(**{**fields, **changes})


def order(**changes):
    fields = {
        "number": "150",
        "supplier": "ELC001",
        "date": dt.date(2026, 11, 2),
        "currency": "USD",
        "total": Decimal("1500.00"),
        "lines": (line("1", "100", "12.00", account="10-6100"), line("2", "30", "10.00", account="10-6200")),
    }
    return PurchaseOrder(**{**fields, **changes})


def test_an_order_comes_back_from_its_payload_unchanged():  # R21
    receipt = Receipt(receipt_key="G7-1", order_line="1", quantity=Decimal("-2.5"), date=dt.date(2026, 11, 9))
    made = order(lines=(line("1", "125", "12.000", receipts=(receipt,), received=Decimal("-2.5")),))
    again = decode("purchase_order", made.payload())
    assert again == made
    assert content_hash(again.payload()) == content_hash(made.payload())


def test_cancelled_lines_do_not_count_and_header_charges_do():  # R22
    made = order(
        total=Decimal("1209.50"),
        freight=Decimal("20.00"),
        other=Decimal("5.00"),
        tax=Decimal("4.50"),
        discount=Decimal("20.00"),
        lines=(line("1", "100", "12.00"), line("2", "30", "10.00", status=OrderStatus.CANCELLED)),
    )
    assert made.adds_up()
    assert not msgspec.structs.replace(made, total=Decimal("1209.51")).adds_up()
    assert not msgspec.structs.replace(made, discount=Decimal(0)).adds_up()


@pytest.mark.parametrize("changes", [{"quantity": Decimal(66)}, {"unit_price": Decimal("9.99")}, {"unit": "BOX"}])
def test_a_changed_line_is_a_new_version_of_its_order(changes):  # R42
    changed = order(lines=(msgspec.structs.replace(order().lines[0], **changes), order().lines[1]))
    assert changed.lines[0].line_key == order().lines[0].line_key
    assert content_hash(changed.payload()) != content_hash(order().payload())
