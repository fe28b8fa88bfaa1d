"""Adding and changing suppliers: codes, owned fields, holds, and what is never written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree
from msgspec.structs import replace

from ml_connector.domain.records import Address, Supplier
from ml_connector.systems.base import NotFound, OutcomeUnknown, Ref, Refused
from ml_connector.systems.syspro.policies import MAY_OWN
from ml_connector.systems.syspro.settings import Options, options
from ml_connector.systems.syspro.tables import ApSupplier, ApSupplierAddr
from ml_connector.systems.syspro.writing.apsssp import ORDER, new_code, to_add, to_update
from ml_connector.systems.syspro.writing.tables import Payee, SupplierCode

from .conftest import Erp
from .enet import DROP, Call

MARK = "mlc0123456789"
SITE = {"default_branch_code": "10", "default_terms": "30", "default_currency": "USD", "default_class": "TRADE"}
HYDRA = Supplier(
    code="5b1f",
    name="Hydra Utilities",
    currency="USD",
    phone="+1 555 0100",
    email="ap@hydra.example",
    contact="J. Doe",
    tax_id="98-7654321",
    address=Address(line1="1 Main St", line2="Suite 5", city="Austin", region="TX", postal_code="78701", country="USA"),
)


def chosen(**settings: Any) -> Options:
    base = {"enet_rest_base": "http://x", "operator": "A", "company_id": "RIL", "company_time_zone": "UTC"}
    return options(base | SITE | settings)


def item(posting: Any) -> dict[str, str]:
    root = etree.fromstring(posting.texts(validate=False)["XmlIn"].encode())
    return {each.tag: each.text for each in root.find("Item").iter() if len(each) == 0}


def test_a_new_supplier_has_its_own_fields_and_the_sites_defaults() -> None:
    posting = to_add(HYDRA, "HYD005", MARK, "$", chosen())
    assert (posting.operation, posting.business_object) == ("Setup/Add", "APSSSP")
    assert item(posting) == {
        "Supplier": "HYD005",
        "SupplierName": "Hydra Utilities",
        "Telephone": "+1 555 0100",
        "Contact": "J. Doe",
        "Branch": "10",
        "TermsCode": "30",
        "Currency": "$",
        "SupAddr1": "1 Main St",
        "SupAddr2": "Suite 5",
        "SupAddr4": "Austin",
        "SupAddr5": "TX",
        "SupPostalCode": "78701",
        "SupplierClass": "TRADE",
        "UserField1": MARK,
        "TaxRegnNum": "98-7654321",
        "OnHold": "N",
        "GrnMatchReqd": "N",
        "Email": "ap@hydra.example",
        "Nationality": "USA",
    }


def test_an_update_carries_the_changed_fields_and_no_other() -> None:  # R45
    changed = to_update(HYDRA, "HYD005", ["phone", "address.city"], {"SupAddr3Loc": "Old town"}, chosen())
    assert item(changed) == {"Supplier": "HYD005", "Telephone": "+1 555 0100", "SupAddr3Loc": "Austin"}
    assert changed.operation == "Setup/Update"


def test_nothing_of_banks_and_remittance_can_be_written() -> None:  # R52
    names = " ".join(ORDER)
    assert not any(word in names for word in ("Bank", "Remit", "Eft", "PayBy", "Cheque"))
    everything = to_update(HYDRA, "HYD005", MAY_OWN, {}, chosen())
    assert set(item(everything)) <= {"Supplier", *ORDER}


@pytest.mark.parametrize("setting", ["default_branch_code", "default_terms"])
def test_a_default_that_is_missing_is_named(setting: str) -> None:
    with pytest.raises(Refused) as raised:
        to_add(HYDRA, "HYD005", MARK, "USD", chosen(**{setting: ""}))
    assert raised.value.field == setting


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "N" * 51}, "SupplierName"),
        ({"name": " "}, "SupplierName"),
        ({"phone": "1" * 21}, "Telephone"),
        ({"terms": "N30"}, "TermsCode"),
        ({"tax_id": "canary" * 4}, "TaxRegnNum"),
        ({"address": Address(line1="L" * 41)}, "SupAddr1"),
    ],
)
def test_what_does_not_fit_is_refused_by_field_and_never_cut(change: dict[str, Any], field: str) -> None:  # R31, R71
    with pytest.raises(Refused) as raised:
        to_add(replace(HYDRA, **change), "HYD005", MARK, "USD", chosen())
    assert raised.value.field == field and "canary" not in str(raised.value)


def test_a_long_name_is_shortened_visibly_where_the_flow_says_so() -> None:  # R31
    shown = item(to_add(replace(HYDRA, name="N" * 60), "HYD005", MARK, "USD", chosen(), shorten=True))["SupplierName"]
    assert shown == "N" * 49 + "…"


@pytest.mark.parametrize(
    ("name", "taken", "code"),
    [
        ("Hydra Utilities", ["ELC001", "TRN004", "odd", "X9"], "HYD005"),
        ("3M & Co", [], "MCO001"),
        ("Ö", ["ZZZ999"], "OXX1000"),
        ("漢字", [], "XXX001"),
    ],
)
def test_a_code_is_made_of_the_name_and_the_next_number(name: str, taken: list[str], code: str) -> None:
    assert new_code(replace(HYDRA, name=name), taken, "from_name") == code


def test_the_sources_code_is_taken_or_a_person_asked_where_the_site_says_so() -> None:
    assert new_code(HYDRA, (), "source") == "5b1f"
    for rule, record in (("ask", HYDRA), ("source", replace(HYDRA, code="C" * 16))):
        with pytest.raises(Refused) as raised:
            new_code(record, (), rule)
        assert raised.value.field == "Supplier"


ROW_TABLES = (ApSupplier, Payee, SupplierCode)


@pytest.fixture
def erp(erp: Erp) -> Erp:
    add_row(erp, "TRN004", SupplierName="Trans-Freight Co.", Currency="USD")
    erp.enet.answer["APSSSP"] = maintained(erp)
    return erp


def add_row(erp: Erp, code: str, **values: Any) -> None:
    whole: dict[str, Any] = {}
    for table in ROW_TABLES:
        erp.put(table, {})
        whole |= erp.enet.tables["ApSupplier"].pop()
    erp.enet.tables["ApSupplier"].append(whole | {"Supplier": code} | values)
    erp.put(ApSupplierAddr, {"Supplier": code})


def maintained(erp: Erp) -> Callable[[Call], str]:
    def write(call: Call) -> str:
        code = call.value("Item/Key/Supplier")
        values = {each.tag: each.text or "" for each in call.document.find("Item") if len(each) == 0}
        if call.operation == "Setup/Add":
            add_row(erp, code)
        for name in ("ApSupplier", "ApSupplierAddr"):
            for row in erp.enet.tables[name]:
                if row["Supplier"] == code:
                    row |= {column: value for column, value in values.items() if column in row}
        return (
            f"<setupapsupplier><item><key><supplier>{code}</supplier></key></item><StatusOfItems><RecordsRead>     1"
            "</RecordsRead><RecordsInvalid>     0</RecordsInvalid></StatusOfItems></setupapsupplier>"
        )

    return write


def suppliers(erp: Erp, **policy: Any) -> Any:
    return erp.target("supplier", policy, **SITE)


def test_a_supplier_is_added_once_and_found_by_its_mark_whatever_its_code(erp: Erp) -> None:  # R6, R11
    target = suppliers(erp)
    ref = target.create(HYDRA, MARK)
    assert ref.key == "HYD005"
    (hit,) = target.find(HYDRA, MARK)
    assert (hit.key, hit.mark) == ("HYD005", MARK)
    assert target.identity_differences(HYDRA, hit.record) == target.differences(HYDRA, hit.record) == []
    assert [(call.operation, call.validates) for call in erp.enet.calls] == [("Setup/Add", True), ("Setup/Add", False)]


def test_a_lost_answer_is_found_again(erp: Erp) -> None:  # R3
    write = maintained(erp)
    erp.enet.answer["APSSSP"] = lambda call: DROP if write(call) else ""
    target = suppliers(erp)
    with pytest.raises(OutcomeUnknown):
        target.create(HYDRA, MARK)
    assert [hit.key for hit in target.find(HYDRA, MARK)] == ["HYD005"]


def test_without_a_mark_the_exact_name_finds_it(erp: Erp) -> None:
    target = erp.target("supplier", {}, supplier_mark_field="none", **SITE)
    target.create(HYDRA, MARK)
    assert erp.enet.posts()[0].values("Item/UserField1") == []
    assert [hit.key for hit in target.find(HYDRA, MARK)] == ["HYD005"]


def test_a_code_alone_adopts_nobody(erp: Erp) -> None:  # R46
    target = suppliers(erp)
    (hit,) = target.find(replace(HYDRA, code="TRN004"), MARK)
    assert target.identity_differences(HYDRA, hit.record) == ["name"]


def test_only_owned_fields_are_compared_and_sent(erp: Erp) -> None:  # R45
    target = suppliers(erp)
    ref = target.create(HYDRA, MARK)
    edited = replace(HYDRA, name="Hydra Ltd", tax_id="11-1111111", phone="+1 555 0199")
    assert target.differences(edited, target.get(ref.key).record) == ["phone"]
    target.update(ref, edited, MARK)
    assert [each.tag for each in erp.enet.posts()[-1].document.find("Item")] == ["Key", "Telephone"]
    target.update(ref, edited, MARK)
    assert len(erp.enet.posts()) == 2
    enriched = suppliers(erp, owns=["terms", "tax_id"])
    assert enriched.differences(replace(edited, terms="15"), target.get(ref.key).record) == ["terms", "tax_id"]


def test_how_a_number_is_spaced_is_no_change(erp: Erp) -> None:
    target = suppliers(erp)
    ref = target.create(HYDRA, MARK)
    respelt = replace(HYDRA, phone="+1-555-0100", email="AP@hydra.example")
    assert target.differences(respelt, target.get(ref.key).record) == []


def test_a_supplier_is_put_on_hold_once(erp: Erp) -> None:  # R47
    target = suppliers(erp)
    for _ in range(2):
        target.cancel(Ref("TRN004"), "gone")
    (call,) = erp.enet.posts()
    assert (call.operation, call.value("Item/Key/Supplier"), call.value("Item/OnHold")) == (
        "Setup/Update",
        "TRN004",
        "Y",
    )
    with pytest.raises(NotFound):
        target.cancel(Ref("NONE"), "gone")


def test_an_error_beside_the_key_names_the_field(erp: Erp) -> None:  # R12
    erp.enet.answer["APSSSP"] = lambda call: (
        "<setupapsupplier><item><key><supplier>HYD005</supplier></key><branch><Value>10</Value><ErrorNumber>000210"
        "</ErrorNumber><ErrorDescription>Branch '10' not found</ErrorDescription></branch></item><StatusOfItems>"
        "<RecordsRead>1</RecordsRead><RecordsInvalid>1</RecordsInvalid></StatusOfItems></setupapsupplier>"
    )
    with pytest.raises(Refused, match="Branch '10' not found") as raised:
        suppliers(erp).create(HYDRA, MARK)
    assert raised.value.field == "branch"


def test_an_answer_about_another_supplier_is_none(erp: Erp) -> None:  # R12
    write = maintained(erp)
    erp.enet.answer["APSSSP"] = lambda call: write(call).replace("HYD005", "XYZ001")
    with pytest.raises(OutcomeUnknown):
        suppliers(erp).create(HYDRA, MARK)


def test_a_currency_that_syspro_does_not_have_is_refused(erp: Erp) -> None:  # R25
    with pytest.raises(Refused) as raised:
        suppliers(erp).create(replace(HYDRA, currency="CHF"), MARK)
    assert (raised.value.code, erp.enet.calls) == ("currency_not_allowed", [])
