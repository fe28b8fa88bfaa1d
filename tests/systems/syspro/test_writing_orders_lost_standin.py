"""Purchase orders whose answer is lost, or is no: one order whatever happens, and words that name it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ml_connector.domain.orders import OrderLineKind, PurchaseOrder
from ml_connector.systems.base import OutcomeUnknown, Ref, Refused

from .conftest import Pair
from .papers import LOST, only
from .test_portoi import line, order

MARK = "mlc0123456789"
OTHER = "mlcZZZZZZZZZZ"
D = Decimal

FIRST = order(line("a", "100", "12.00"), line("b", "30", "10.00", "10-6200"), freight=D("35.00"), other=D("4.00"))


# --- the answer is lost ----------------------------------------------------------------------------------


@pytest.mark.parametrize("returned", [True, False])
@pytest.mark.parametrize("fault", LOST, ids=lambda fault: fault["do"])
def test_a_lost_answer_never_leads_to_a_second_order(
    pair: Pair,
    fault: dict[str, Any],
    returned: bool,
) -> None:  # R3, R11
    pair.syspro.options({"order_number_returned": returned})
    pair.fail(**fault)
    with pytest.raises(OutcomeUnknown):
        pair.target("purchase_order").create(FIRST, MARK)
    there = pair.rows("PorMasterHdr")
    found = pair.target("purchase_order").find(FIRST, MARK)
    assert [(each.key, each.mark) for each in found] == [(row["PurchaseOrder"], MARK) for row in there]
    assert len(there) == int(fault["do"].startswith(("commit", "tr", "ga", "em")))
    if not there:
        pair.target("purchase_order").create(FIRST, MARK)
    assert len(pair.rows("PorMasterHdr")) == 1


@pytest.mark.parametrize("freight", ["36.00", "0"])
def test_an_order_that_changed_while_it_was_in_doubt_gets_no_charge_twice(pair: Pair, freight: str) -> None:  # R3, R42
    target = pair.target("purchase_order")
    pair.fail("commit_then_reset")
    with pytest.raises(OutcomeUnknown):
        target.create(FIRST, MARK)
    later = order(*FIRST.lines, freight=D(freight), other=D("4.00"))
    found = only(target.find(later, MARK))
    adopted = target.update(Ref(found.key), later, MARK)
    assert target.differences(later, target.get(found.key).record) == []
    charges = [row for row in pair.rows("PorMasterDetail") if row["NMscChargeFor"] and row["MCompleteFlag"] == "N"]
    assert len(charges) == (2 if D(freight) else 1)
    assert adopted.lines[-1] == "@other=3"


def test_a_charge_that_a_person_entered_stays(pair: Pair) -> None:
    target = pair.target("purchase_order")
    ref = target.create(FIRST, MARK)
    row = pair.row("PorMasterDetail", Line=4) | {"Line": 5, "NMscChargeFor": D("9.00"), "NComment": "By hand"}
    pair.syspro.edit("PorMasterDetail", {name: value for name, value in row.items() if name != "TimeStamp"})
    with pytest.raises(Refused) as refused:
        target.update(ref, order(*FIRST.lines, freight=D("36.00"), other=D("4.00")), MARK)
    assert refused.value.code == "partly_taken"
    assert pair.row("PorMasterDetail", Line=5)["MCompleteFlag"] == "N"
    assert pair.row("PorMasterDetail", Line=4)["NMscChargeFor"] == D("36.00")


def test_an_order_that_is_not_shown_yet_is_not_called_made(pair: Pair) -> None:  # R4, R11
    pair.syspro.options({"settle_seconds": 60})
    with pytest.raises(OutcomeUnknown):
        pair.target("purchase_order").create(FIRST, MARK)
    pair.syspro.clock(advance=61)
    assert only(pair.target("purchase_order").find(FIRST, MARK)).mark == MARK


def test_an_order_that_lacks_a_line_is_found_and_told_apart(pair: Pair) -> None:  # R5
    pair.syspro.options({"bad_order_line": "drop"})
    record = order(line("a", "1", "5.00"), line("b", "1", "7.00", "10-9999"))
    target = pair.target("purchase_order", {"validate_first": False})
    with pytest.raises(OutcomeUnknown, match="10-9999"):
        target.create(record, MARK)
    found = only(target.find(record, MARK))
    assert target.identity_differences(record, found.record) == ["total"]


@pytest.mark.parametrize("fault", LOST[:4], ids=lambda fault: fault["do"])
def test_a_lost_answer_to_a_change_is_settled_by_what_the_order_is(pair: Pair, fault: dict[str, Any]) -> None:  # R3
    target = pair.target("purchase_order")
    ref = target.create(FIRST, MARK)
    changed = order(line("a", "90", "12.00"), line("c", "5", "3.00"), freight=D("35.00"))
    pair.fail(**fault)
    with pytest.raises(OutcomeUnknown):
        target.update(ref, changed, MARK)
    done = target.differences(changed, target.get(ref.key).record) == []
    assert done == fault["do"].startswith("commit")
    again = target.update(ref, changed, MARK)
    assert target.differences(changed, target.get(ref.key).record) == []
    assert again.lines == ("a=1", "c=5", "@freight=4")
    assert len(pair.posts("PORTOI")) == (2 if done else 3)


# --- refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("validates", [True, False])
@pytest.mark.parametrize(
    ("record", "code", "field"),
    [
        (order(supplier="NOBODY"), "supplier_missing", "Supplier"),
        (order(currency="EUR"), "currency_not_allowed", "Currency"),
        (order(line("a", "1", "5.00", "10-9999")), "100001", "LedgerCode"),
        (order(line("a", "1", "5.00", None)), "100002", "LedgerCode"),
        (order(line("a", "1", "5.00", tax_code="Z")), "100001", "TaxCode"),
        (order(buyer="NOBODY"), "100001", "Buyer"),
        (order(terms="99"), "100001", "InvoiceTerms"),
        (order(line("a", "1", "5.00", kind=OrderLineKind.STOCK, sku="NONE")), "100001", "StockCode"),
    ],
)
def test_a_refusal_names_order_field_and_cause(
    pair: Pair,
    record: PurchaseOrder,
    code: str,
    field: str,
    validates: bool,
) -> None:  # R63
    with pytest.raises(Refused) as refused:
        pair.target("purchase_order", {"validate_first": validates}).create(record, MARK)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert "PF150" in str(refused.value)
    assert pair.rows("PorMasterHdr") == []


def test_a_supplier_that_takes_no_orders_is_told(pair: Pair) -> None:
    pair.syspro.edit("ApSupplier", {"Supplier": "ELC001", "PurchOrdAllowed": "N"})
    with pytest.raises(Refused, match="takes no purchase orders"):
        pair.target("purchase_order").create(FIRST, MARK)


def test_a_long_order_is_made_in_one_request_and_read_in_parts(pair: Pair) -> None:
    record = order(*(line(f"k{number}", "1", "5.00", description="word " * 30) for number in range(120)))
    target = pair.target("purchase_order", odata_page_size=50)
    ref = target.create(record, MARK)
    assert (len(ref.lines), len(pair.posts("PORTOI"))) == (120, 0)  # by PostLD, whose body the list does not show
    assert target.differences(record, target.get(ref.key).record) == []
    assert len(pair.rows("PorMasterHdr")) == 1
