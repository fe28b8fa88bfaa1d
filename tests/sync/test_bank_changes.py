"""A change of where a supplier's money goes: seen by a keyed hash, held until two people release it (R52 to R54)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.audit.models import AuditEntry
from ml_connector.integrations.base import Side
from ml_connector.sync import approvals, problems, second_person
from ml_connector.sync.models import Approval, Problem, Record, RunKind
from ml_connector.sync.problems import DecisionRefused
from ml_connector.systems import fingerprint
from tests.sync.acts import post, supplier
from tests.sync.sapb1_pair import B1Pair, sapb1_pair

NEW_ACCOUNT = "77001122334455"
CALLED = "Called Dana Whitfield on +1 312 555 0101, the number of the 2024 contract; she confirms it."


@pytest.fixture
def pair(workspace: Any) -> Iterator[B1Pair]:
    """Suppliers and vendors read once; documents not yet."""
    with sapb1_pair(workspace) as made:
        made.map_accounts()
        made.link_hydra()
        made.sync("suppliers", "vendors_back")
        made.later(minutes=1)
        yield made
        made.check()


def change_in_b1(pair: B1Pair, code: str, account: str = NEW_ACCOUNT) -> None:
    """Somebody enters another bank account of a supplier in SAP Business One."""
    partner = next(row for row in pair.b1.state("BusinessPartners") if row["CardCode"] == code)
    accounts = [{**partner["BPBankAccounts"][0], "AccountNo": account}]
    pair.b1.edit("BusinessPartners", {"CardCode": code, "BPBankAccounts": accounts})
    pair.later(minutes=1)


def change_in_bill(pair: B1Pair, code: str, **information: Any) -> None:
    """Somebody enters other payment information of a vendor in BILL."""
    vendor = next(row for row in pair.bill.state("vendors") if row.get("shortName") == code)
    given = information or {"payByType": "ACH", "bankAccount": {"accountNumber": NEW_ACCOUNT, "routingNumber": "999"}}
    pair.bill.edit("vendors", {"id": vendor["id"], "paymentInformation": given})
    pair.later(minutes=1)


def bank_change(pair: Any) -> Problem:
    return Problem.objects.of(pair.workspace).get(cause="bank_change", state="open")


def test_a_new_account_in_the_erp_holds_the_suppliers_documents_until_two_people_release_it(pair):  # R53
    change_in_b1(pair, "ELC001")
    pair.sync("suppliers", "invoices")
    problem = bank_change(pair)
    assert "Supplier ELC001 (Electra Components Inc.): the bank account changed in SAP Business One" in problem.text
    held = set(Record.objects.of(pair.workspace).filter(problems__problem=problem).values_list("number", flat=True))
    assert {"ELC-1001", "ELC-1002", "ELC-1004"} <= held
    assert pair.bills("ELC-1001") == []
    assert len(pair.bills("PK-500")) == 1, "other suppliers go on"

    said = problems.solve(problem, "release", "It is theirs.", "person:1", CALLED)
    assert "second person" in said
    pair.sync("invoices")
    assert pair.bills("ELC-1001") == [], "one person releases nothing"
    asked = Approval.objects.of(pair.workspace).get(kind="release")
    assert asked.evidence == CALLED
    with pytest.raises(approvals.NotDecided, match="somebody else"):
        second_person.approve(asked, "person:1", "me again")
    second_person.approve(asked, "person:2", "I know Dana.")
    pair.sync("invoices")
    assert len(pair.bills("ELC-1001")) == 1
    assert not Problem.objects.of(pair.workspace).filter(cause="bank_change", state="open").exists()


def test_a_change_in_the_platform_holds_the_same_documents(pair):  # R53
    change_in_bill(pair, "PAK003")
    pair.sync("vendors_back", "invoices")
    problem = bank_change(pair)
    assert problem.subject == "PAK003"
    assert "changed in BILL" in problem.text
    assert pair.bills("PK-500") == []
    assert len(pair.bills("ELC-1001")) == 1


def test_what_is_open_in_the_platform_is_named_with_what_is_due_soon(pair):  # R54
    pair.sync("invoices")
    change_in_bill(pair, "PAK003")
    pair.sync("vendors_back")
    assert "In BILL 2 of its bills over USD 1,675.00 are open, 2 of them scheduled or due by" in bank_change(pair).text
    assert "Stop by hand what BILL is about to pay" in bank_change(pair).fix


def test_the_new_values_are_nowhere(pair):  # R52, R71
    change_in_b1(pair, "ELC001")
    change_in_bill(pair, "PAK003", bankAccount={"accountNumber": NEW_ACCOUNT, "routingNumber": "999"})
    pair.sync("suppliers", "vendors_back", "invoices")
    assert Problem.objects.of(pair.workspace).filter(cause="bank_change").count() == 2
    for model in (Problem, Record, AuditEntry):
        for row in model.objects.of(pair.workspace).values():
            assert NEW_ACCOUNT not in repr(row), model


def test_only_a_release_with_evidence_ends_it(pair):  # R53
    change_in_b1(pair, "ELC001")
    pair.sync("suppliers", "invoices")
    problem = bank_change(pair)
    for action in ("retry", "skip", "accept", "write_off", "override", "create"):
        with pytest.raises(DecisionRefused, match="does not fit"):
            problems.solve(problem, action, "go on", "person:1")
    with pytest.raises(DecisionRefused, match="evidence"):
        problems.solve(problem, "release", "It is theirs.", "person:1")
    change_in_b1(pair, "ELC001", account="5500410011")
    pair.sync("suppliers", "invoices")
    assert bank_change(pair).pk == problem.pk, "not even the change back ends it"
    for number in ("ELC-1001", "ELC-1002", "ELC-1004", "ELC1001"):
        pair.b1.edit("actions", {"do": "cancel", "set": "PurchaseInvoices", "entry": pair.invoice(number)["DocEntry"]})
    pair.later(minutes=1)
    pair.sync("invoices")
    assert bank_change(pair).pk == problem.pk, "nor that it holds nothing any more"


def test_a_further_change_takes_the_request_for_release_back(pair):  # R53
    change_in_b1(pair, "ELC001")
    pair.sync("suppliers", "invoices")
    problem = bank_change(pair)
    problems.solve(problem, "release", "It is theirs.", "person:1", CALLED)
    change_in_b1(pair, "ELC001", account="1")
    pair.sync("suppliers")
    assert Approval.objects.of(pair.workspace).get(kind="release").state == "lapsed"
    assert bank_change(pair).text.count("changed in SAP Business One") == 2


def test_the_suppliers_own_change_does_not_reach_the_vendor_meanwhile(pair):  # R53
    partner = next(row for row in pair.b1.state("BusinessPartners") if row["CardCode"] == "ELC001")
    elsewhere = {**partner["BPAddresses"][0], "Street": "9 Elsewhere Road"}
    pair.b1.edit("BusinessPartners", {"CardCode": "ELC001", "BPAddresses": [elsewhere]})
    pair.later(minutes=1)
    pair.sync("suppliers")
    assert "address for payments" in bank_change(pair).text
    vendor = next(row for row in pair.bill.state("vendors") if row.get("shortName") == "ELC001")
    assert vendor["address"]["line1"] == "410 Kinzie Street"


def test_a_change_without_a_stamp_is_found_by_the_sweep(pair):  # R17, R53
    vendors = {row.get("shortName"): row for row in pair.bill.state("vendors")}
    vendor = vendors["PAK003"]
    pair.later(hours=2)
    pair.bill.edit("vendors", {"id": vendors["ELC001"]["id"], "accountNumber": "A-1"})
    pair.sync("vendors_back")
    information = {"payByType": "ACH", "bankAccount": {"accountNumber": NEW_ACCOUNT, "routingNumber": "999"}}
    old = vendor["updatedTime"]
    pair.bill.edit("vendors", {"id": vendor["id"], "paymentInformation": information, "updatedTime": old})
    pair.sync("vendors_back")
    assert not Problem.objects.of(pair.workspace).filter(cause="bank_change").exists()
    pair.run("vendors_back", RunKind.SWEEP)
    assert bank_change(pair).subject == "PAK003"


def test_a_new_vendor_with_the_account_of_another_one_is_reported(pair):  # R54
    same = {"payByType": "ACH", "bankAccount": {"accountNumber": NEW_ACCOUNT, "routingNumber": "999"}}
    pair.bill.edit("vendors", {"name": "Old Vendor", "paymentInformation": same, "address": ADDRESS})
    pair.later(minutes=1)
    pair.sync("vendors_back")
    assert not Problem.objects.of(pair.workspace).filter(cause="bank_shared").exists()
    pair.bill.edit("vendors", {"name": "New Vendor", "paymentInformation": same, "address": ADDRESS})
    pair.later(minutes=1)
    pair.sync("vendors_back")
    problem = Problem.objects.of(pair.workspace).get(cause="bank_shared", state="open")
    assert "New Vendor" in problem.text
    assert "Old Vendor" in problem.text
    assert not problem.blocks
    assert NEW_ACCOUNT not in problem.text


ADDRESS = {"line1": "1 Main Street", "city": "Reno", "zipOrPostalCode": "89501", "country": "US"}


def test_two_equal_fingerprints_of_one_system_are_one_account():  # R54
    def keyed(text: str) -> str:
        return text.encode().hex()[-64:]

    ours = fingerprint.observed(keyed, {"account": {"accountNumber": "12 34"}, "method": "ACH"})
    theirs = fingerprint.observed(keyed, {"account": {"accountNumber": " 12 34 "}, "method": None})
    first, second = (fingerprint.parts_of(one["bank_fingerprint"]) for one in (ours, theirs))
    assert first["account"] == second["account"]
    assert second["method"] == fingerprint.NOTHING
    assert fingerprint.observed(None, {"account": "12 34"}) == {}


# --- SYSPRO


def test_syspros_bank_and_remit_columns_hold_documents_too(mapped):  # R53
    mapped.later(minutes=1)
    supplier(mapped, "ELC001", BankAccount=NEW_ACCOUNT)
    mapped.syspro.edit("ApSupplierAddr", {"Supplier": "PAK003", "RemitAddr1": "9 Elsewhere Road"})
    post(mapped, "BANK-1")
    mapped.sync("suppliers", "invoices")
    found = {row.subject: row.text for row in Problem.objects.of(mapped.workspace).filter(cause="bank_change")}
    assert found.keys() == {"ELC001", "PAK003"}
    assert "the bank account changed in SYSPRO" in found["ELC001"]
    assert "the address for payments changed in SYSPRO" in found["PAK003"]
    assert not any(NEW_ACCOUNT in text or "Elsewhere" in text for text in found.values())
    assert mapped.bills("BANK-1") == []
    assert Decimal(0) == sum(Decimal(str(row["amount"])) for row in mapped.bills("PK-500"))
    assert mapped.writes(Side.ERP) == 0
