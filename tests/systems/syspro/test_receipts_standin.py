"""Invoices of goods that were received, matched in the stand-in: in part, to the end, never beyond."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ml_connector.domain.records import Invoice
from ml_connector.systems.base import Refused

from .conftest import Pair
from .papers import MARK, OTHER, D, booked, invoice, line


def order_received(pair: Pair, quantity: str, *, supplier: str = "ELC001", price: str = "12.00") -> None:
    """Order 150 over 100 of one thing, of which some came in."""
    head = {"Supplier": supplier, "OrderStatus": "1", "Currency": "EUR" if supplier == "NOR002" else "USD"}
    rate = {"ExchangeRate": D("1.08") if supplier == "NOR002" else D(1), "MulDiv": "M", "NextDetailLine": 2}
    pair.syspro.edit("PorMasterHdr", {"PurchaseOrder": "000150", **head, **rate})
    one = {"MOrderQty": D(100), "MForeignPrice": D(price), "MPrice": D(price), "LineType": "7", "MStockCode": "RLY-24"}
    factors = {"MConvFactOrdUm": D(1), "MMulDivAlloc": "M", "MConvFactPrcUm": D(1), "MMulDivPrc": "M"}
    pair.syspro.edit("PorMasterDetail", {"PurchaseOrder": "000150", "Line": 1, "MOrderUom": "EA", **one, **factors})
    pair.syspro.edit("ApSupplier", {"Supplier": supplier, "GrnMatchReqd": "Y"})
    pair.act({"do": "receive_goods", "order": "150", "line": 1, "quantity": D(quantity), "grn": "G-1"})


def matched(pair: Pair) -> tuple[Decimal, str]:
    note = pair.row("GrnDetails", Grn="G-1")
    return note["MatchedValue"], note["GrnMatchedFlag"]


def ordered(amount: str, quantity: str, **more: Any) -> Invoice:
    return invoice(line("1", amount, quantity=D(quantity), order_line="000150/1"), **more)


def test_an_invoice_is_matched_with_what_was_received_in_parts_and_to_its_end(pair: Pair) -> None:  # R43, R44
    order_received(pair, "40")
    target = pair.target("invoice")
    ref = target.create(ordered("120.00", "10"), MARK)
    assert (ref.amount, matched(pair), booked(pair)) == (
        D("120.00"), (D("120.00"), "N"), [("10-2150", D("120.00"), "GRN G-1")]
    )  # fmt: skip
    assert target.differences(ordered("120.00", "10"), target.get(ref.key).record) == []
    target.create(ordered("360.00", "30", number="ELC-2002"), OTHER)
    assert matched(pair) == (D("480.00"), "Y")


def test_what_was_not_received_is_not_booked_elsewhere(pair: Pair) -> None:  # R43, R44
    order_received(pair, "40")
    with pytest.raises(Refused) as refused:
        pair.target("invoice").create(ordered("492.00", "41"), MARK)
    assert (refused.value.code, pair.posts("APSTIN")) == ("over_invoiced", [])
    with pytest.raises(Refused) as unmatched:
        pair.target("invoice").create(invoice(), MARK)
    assert unmatched.value.code == "receipt_needed"


def test_goods_of_a_foreign_order_are_matched_in_its_currency(pair: Pair) -> None:  # R25, R44
    order_received(pair, "40", supplier="NOR002")
    foreign = {"supplier": "NOR002", "currency": "EUR"}
    target = pair.target("invoice")
    ref = target.create(ordered("120.00", "10", **foreign), MARK)
    assert (matched(pair), booked(pair)[0][1]) == ((D("129.60"), "N"), D("129.60"))
    assert target.differences(ordered("120.00", "10", **foreign), target.get(ref.key).record) == []
    with pytest.raises(Refused) as refused:
        pair.target("invoice").create(ordered("360.01", "30", number="ELC-2002", **foreign), OTHER)
    assert refused.value.code == "over_invoiced"
    target.create(ordered("360.00", "30", number="ELC-2002", **foreign), OTHER)
    assert matched(pair) == (D("518.40"), "Y")
