"""Who owns a field, renames, holds, and what waits for its parent (R45 to R47, R56)."""

from __future__ import annotations

from ml_connector.sync import problems
from ml_connector.sync.models import Link
from tests.sync.acts import causes, held_for, post, problem, requests, supplier, vendor


def test_a_field_edited_on_both_sides_is_a_conflict_until_a_person_decides(mapped):  # R45
    mapped.later(minutes=1)
    supplier(mapped, "ELC001", Telephone="+1 312 555 0001")
    mapped.bill.edit("vendors", {"id": vendor(mapped, "ELC001")["id"], "phone": "+1 312 555 9999"})
    mapped.sync("suppliers")
    held = problem(mapped, "conflict")
    assert held.detail["fields"] == ["phone"]
    assert "phone" in held.text
    assert vendor(mapped, "ELC001")["phone"] == "+1 312 555 9999"
    mapped.sync("suppliers")
    assert vendor(mapped, "ELC001")["phone"] == "+1 312 555 9999", "nothing is overwritten by waiting"

    mapped.later(minutes=1)
    problems.solve(held, "retry", "", "clerk")
    mapped.sync("suppliers")
    assert vendor(mapped, "ELC001")["phone"] == "+1 312 555 0001"
    assert "conflict" not in causes(mapped)


def test_an_edit_in_the_target_alone_is_not_undone_by_the_sources_next_change_of_another_field(mapped):  # R45
    mapped.bill.edit("vendors", {"id": vendor(mapped, "ELC001")["id"], "phone": "+1 312 555 9999"})
    supplier(mapped, "ELC001", Email="new@electra.example")
    mapped.sync("suppliers")
    assert vendor(mapped, "ELC001")["phone"] == "+1 312 555 9999"
    assert problem(mapped, "conflict").detail["fields"] == ["phone"]


def test_a_field_that_bill_owns_is_left_alone(mapped):  # R45
    mapped.bill.edit("vendors", {"id": vendor(mapped, "ELC001")["id"], "accountNumber": "A-77"})
    supplier(mapped, "ELC001", Email="new@electra.example")
    mapped.sync("suppliers")
    there = vendor(mapped, "ELC001")
    assert (there["accountNumber"], there["email"]) == ("A-77", "new@electra.example")


def test_a_renamed_supplier_keeps_its_vendor(mapped):  # R46
    key = vendor(mapped, "ELC001")["id"]
    supplier(mapped, "ELC001", SupplierName="Voltaic Holdings Corp.")
    mapped.sync("suppliers")
    there = vendor(mapped, "ELC001")
    assert (there["id"], there["name"]) == (key, "Voltaic Holdings Corp.")
    assert Link.objects.of(mapped.workspace).get(type="supplier", source_key="ELC001").target_key == key
    assert len(mapped.bill.state("vendors")) == 5


def test_a_hold_blocks_documents_and_its_end_releases_them(delivered):  # R47
    delivered.syspro.edit("actions", {"do": "hold_supplier", "supplier": "ELC001", "on_hold": True})
    for number in ("HOLD-1", "HOLD-2"):
        post(delivered, number)
    delivered.sync("suppliers", "invoices")
    held = {row.subject for row in held_for(delivered.record("HOLD-1"))}
    assert held == {row.subject for row in held_for(delivered.record("HOLD-2"))} == {"ELC001"}
    assert delivered.bills("HOLD-1") == delivered.bills("HOLD-2") == []
    delivered.syspro.edit("actions", {"do": "hold_supplier", "supplier": "ELC001", "on_hold": False})
    delivered.sync("suppliers", "invoices")
    assert len(delivered.bills("HOLD-1")) == len(delivered.bills("HOLD-2")) == 1


def test_documents_wait_for_their_supplier_and_follow_it(mapped):  # R56
    address = {"Supplier": "NEW006", "SupAddr1": "1 New Street", "SupAddr3Loc": "Reno", "SupPostalCode": "89501"}
    row = next(row for row in mapped.syspro.state("ApSupplier") if row["Supplier"] == "PAK003")
    named = {"Supplier": "NEW006", "SupplierName": "", "WithTaxId": "", "TaxRegnNum": ""}
    mapped.syspro.edit("ApSupplier", {**row, **named})
    mapped.syspro.edit("ApSupplierAddr", address)
    post(mapped, "NEW-1", supplier="NEW006")
    mapped.sync("invoices")
    assert ("supplier_missing", "NEW-1") in mapped.problems()
    mapped.sync("suppliers", "invoices")
    assert ("parent_not_confirmed", "NEW-1") in mapped.problems()
    assert mapped.bills("NEW-1") == []
    bills = requests(mapped, "POST", "/v3/bills")
    mapped.sync("invoices")
    assert requests(mapped, "POST", "/v3/bills") == bills
    supplier(mapped, "NEW006", SupplierName="Newcomer Works")
    mapped.sync("suppliers", "invoices")
    assert len(mapped.bills("NEW-1")) == 1
    assert {"supplier_missing", "parent_not_confirmed"}.isdisjoint(causes(mapped))
