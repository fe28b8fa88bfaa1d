"""Suppliers added to and changed in the stand-in: found again by our mark, changed only in what the Flow owns."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from ml_connector.domain.records import Address, Supplier
from ml_connector.systems.base import OutcomeUnknown, Ref, Refused

from .conftest import Pair
from .papers import LOST, only

MARK = "mlc0123456789"
OTHER = "mlcZZZZZZZZZZ"
D = Decimal

LODZ = Supplier(
    code="V-17",
    name="Żółw & Söhne",
    contact="Jo Ferrer",
    phone="+48 42 555 0117",
    email="ap@zolw.example",
    currency="EUR",
    terms="30",
    tax_id="PL1234567890",
    address=Address(line1="Main 1", line2="Unit 2", city="Lodz", region="LD", postal_code="90-001", country="POL"),
)


def stored(pair: Pair, code: str) -> dict[str, Any]:
    return pair.row("ApSupplierAddr", Supplier=code) | pair.row("ApSupplier", Supplier=code)


def test_a_supplier_is_added_read_back_and_found(both_ways: Pair) -> None:  # R6, R52
    target = both_ways.target("supplier")
    ref = target.create(LODZ, MARK)
    assert ref == Ref("ZOW006")
    row = stored(both_ways, "ZOW006")
    names = ("SupplierName", "Branch", "TermsCode", "Currency", "UserField1", "OnHold")
    assert {name: row[name] for name in names} == {
        "SupplierName": "Zólw & Söhne", "Branch": "10", "TermsCode": "30", "Currency": "EUR", "UserField1": MARK,
        "OnHold": "N",
    }  # fmt: skip
    assert {row[name] for name in ("BankAccount", "BankBranch", "RemitName", "RemitEmail", "PayByEft")} == {""}
    found = only(target.find(LODZ, MARK))
    assert (found.key, found.mark) == ("ZOW006", MARK)
    assert target.identity_differences(LODZ, found.record) == []
    assert target.differences(LODZ, found.record) == []
    assert target.update(ref, LODZ, MARK) == ref
    assert len(both_ways.posts("APSSSP")) == 1
    assert target.find(LODZ, OTHER) == []


def test_codes_go_on_from_the_highest_and_are_the_sources_where_the_site_says_so(pair: Pair) -> None:
    target = pair.target("supplier")
    assert [target.create(replace(LODZ, name=name), mark).key for name, mark in (("Abc", MARK), ("1 & 2", OTHER))] == [
        "ABC006", "XXX007"
    ]  # fmt: skip
    assert pair.target("supplier", code_rule="source").create(LODZ, "mlcAAAAAAAAAA").key == "V-17"
    with pytest.raises(Refused) as refused:
        pair.target("supplier", code_rule="ask").create(LODZ, "mlcBBBBBBBBBB")
    assert refused.value.code == "code_needed"


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: fault["do"])
@pytest.mark.parametrize("field", ["UserField1", "none"])
def test_a_lost_answer_never_leads_to_a_second_supplier(
    pair: Pair, fault: dict[str, Any], field: str
) -> None:  # R3, R46
    pair.fail(**fault)
    with pytest.raises(OutcomeUnknown):
        pair.target("supplier", supplier_mark_field=field).create(LODZ, MARK)
    there = pair.rows("ApSupplier", SupplierName="Zólw & Söhne")
    target = pair.target("supplier", supplier_mark_field=field)
    found = target.find(LODZ, MARK)
    assert [each.key for each in found] == [row["Supplier"] for row in there]
    assert all(target.identity_differences(LODZ, each.record) == [] for each in found)
    if not there:
        target.create(LODZ, MARK)
    assert len(pair.rows("ApSupplier", SupplierName="Zólw & Söhne")) == 1


def test_only_what_the_flow_owns_is_changed_and_nothing_is_emptied(both_ways: Pair) -> None:  # R45
    both_ways.syspro.options({"blank_on_update": "clear"})
    target = both_ways.target("supplier")
    before = stored(both_ways, "HYD005")
    moved = Address(line1="2 Waterworks Plaza", city="Evanston", postal_code="60201")
    record = Supplier(code="V-5", name="Hydra Holding", phone="+1 847 555 0105", currency="EUR", terms="30",
                      tax_id="X", address=moved)  # fmt: skip
    target.update(Ref("HYD005"), record, MARK)
    after = stored(both_ways, "HYD005")
    changed = {name: after[name] for name in after if after[name] != before[name] and name != "TimeStamp"}
    assert changed == {"SupAddr1": "2 Waterworks Plaza", "SupAddr3Loc": "Evanston", "SupPostalCode": "60201",
                       "Telephone": "+1 847 555 0105"}  # fmt: skip
    assert target.differences(record, target.get("HYD005").record) == []


def test_fields_that_a_flow_names_are_its_own(pair: Pair) -> None:  # R45
    target = pair.target("supplier", {"owns": ["terms", "tax_id"]})
    record = Supplier(code="V-5", name="Hydra", phone="1", terms="30", tax_id="US 36")
    assert target.differences(record, target.get("HYD005").record) == ["terms", "tax_id"]
    target.update(Ref("HYD005"), record, MARK)
    row = stored(pair, "HYD005")
    assert (row["TermsCode"], row["TaxRegnNum"], row["Telephone"]) == ("30", "US 36", "+1 312 555 0105")


def test_a_long_name_is_refused_or_shortened_visibly(pair: Pair) -> None:  # R31
    record = replace(LODZ, name="The Very Long Name of a Company in Many Words " * 2)
    with pytest.raises(Refused) as refused:
        pair.target("supplier").create(record, MARK)
    assert (refused.value.code, refused.value.field) == ("field_too_long", "SupplierName")
    target = pair.target("supplier", {"shorten_names": True})
    ref = target.create(record, MARK)
    assert stored(pair, ref.key)["SupplierName"].endswith("…")
    assert target.identity_differences(record, target.get(ref.key).record) == []


def test_a_supplier_that_is_gone_is_put_on_hold_once(pair: Pair) -> None:
    target = pair.target("supplier")
    target.cancel(Ref("HYD005"), "gone")
    target.cancel(Ref("HYD005"), "gone")
    assert (stored(pair, "HYD005")["OnHold"], len(pair.posts("APSSSP"))) == ("Y", 1)


@pytest.mark.parametrize("validates", [True, False])
@pytest.mark.parametrize(
    ("record", "settings", "code", "field"),
    [
        (replace(LODZ, terms="99"), {}, "100001", "termscode"),
        (replace(LODZ, default_account="10-9999"), {}, "100001", "merchglcode"),
        (LODZ, {"default_branch_code": "77"}, "100001", "branch"),
        (LODZ, {"default_branch_code": ""}, "field_missing", "default_branch_code"),
        (replace(LODZ, currency="JPY"), {}, "currency_not_allowed", "Currency"),
        (replace(LODZ, code="ELC001"), {"code_rule": "source"}, "130301", "supplier"),
    ],
)
def test_a_refusal_names_supplier_field_and_cause(
    pair: Pair, record: Supplier, settings: dict[str, str], code: str, field: str, validates: bool
) -> None:  # R63
    with pytest.raises(Refused) as refused:
        pair.target("supplier", {"validate_first": validates}, **settings).create(record, MARK)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert "Żółw" in str(refused.value)
    assert len(pair.rows("ApSupplier")) == 5


def test_no_refusal_repeats_a_tax_id(pair: Pair) -> None:  # R71
    with pytest.raises(Refused) as refused:
        pair.target("supplier").create(replace(LODZ, tax_id="PL" + "1234567890" * 2), MARK)
    assert "1234567890" not in str(refused.value)
