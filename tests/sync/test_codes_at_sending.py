"""Codes are judged before any request leaves, and the version that was used is kept (R48 to R51)."""

from __future__ import annotations

import pytest

import ml_connector.sandbox
from ml_connector import clock, vault
from ml_connector.sync import mappings
from ml_connector.sync.mapping_checks import MappingRefused
from ml_connector.sync.models import Attempt, Health, RunKind, RunState
from tests.sync.acts import account, causes, post, problem, requests
from tests.sync.pair import Pair


def test_an_unmapped_account_is_held_before_any_request(delivered):  # R49
    before = requests(delivered, "POST", "/v3/bills")
    post(delivered, "SUN-1", account="10-6999")
    post(delivered, "SUN-2", account="10-6999")
    delivered.sync("invoices")
    held = problem(delivered, "unmapped_code")
    assert "10-6999" in held.text
    assert "BILL" in held.text
    assert "line 1" in held.fix
    assert ("unmapped_code", "HU-2201, SUN-1, SUN-2") in delivered.problems()
    assert requests(delivered, "POST", "/v3/bills") == before


def test_an_account_archived_after_mapping_holds_all_its_documents_until_it_is_restored(delivered):  # R49, R50
    found = account(delivered, "10-6100")
    delivered.bill.edit("chart-of-accounts", {"id": found["id"], "archived": True})
    delivered.later(minutes=20)
    for number in ("ARC-1", "ARC-2"):
        post(delivered, number)
    post(delivered, "ARC-3", account="10-6200")
    before = requests(delivered, "POST", "/v3/bills")
    delivered.sync("invoices")
    assert ("code_not_postable", "ARC-1, ARC-2, ELC1001") in delivered.problems()
    assert requests(delivered, "POST", "/v3/bills") == before + 1
    assert delivered.record("ARC-3").state == "confirmed"

    delivered.bill.edit("chart-of-accounts", {"id": found["id"], "archived": False})
    delivered.later(minutes=20)
    delivered.sync("invoices")
    assert len(delivered.bills("ARC-1")) == len(delivered.bills("ARC-2")) == 1
    assert "code_not_postable" not in causes(delivered)


@pytest.mark.parametrize("kind", ["ACCOUNTS_PAYABLE", "BANK"])
def test_an_account_that_takes_no_postings_is_not_mapped(mapped, kind):  # R50
    (made,) = mapped.bill.edit(
        "chart-of-accounts", {"name": "Control", "account": {"number": "2100", "type": kind}, "archived": False}
    )
    mapped.run("accounts", RunKind.PUSH)
    with pytest.raises(MappingRefused):
        mappings.set_entries(mapped.integration, "gl_account", {"10-6999": made["id"]}, actor="clerk")


def test_each_attempt_keeps_the_version_of_the_mappings_it_used(delivered):  # R48
    def used(number: str) -> dict[str, int]:
        return Attempt.objects.of(delivered.workspace).filter(record__number=number).latest("pk").mapping_versions

    first = used("ELC-1002")["gl_account"]
    target = account(delivered, "10-6200")["id"]
    version = mappings.set_entries(delivered.integration, "gl_account", {"10-6100": target}, actor="clerk")
    assert version.number == first + 1
    post(delivered, "VER-1")
    delivered.sync("invoices")
    assert used("VER-1")["gl_account"] == first + 1
    assert used("ELC-1002")["gl_account"] == first
    (bill,) = delivered.bills("VER-1")
    assert bill["billLineItems"][0]["classifications"]["chartOfAccountId"] == target


def point(pair: Pair, stand_in) -> None:
    pair.platform.settings = {**pair.platform.settings, **stand_in.settings}
    pair.platform.save(update_fields=["settings"])
    for field, value in stand_in.secrets.items():
        vault.put(pair.workspace, "connection:platform", field, value)


def test_a_connection_pointed_at_another_organisation_is_refused(delivered):  # R51
    post(delivered, "ORG-1")
    with ml_connector.sandbox.start("bill", seed=2, data={"vendors": []}) as other:
        point(delivered, other)
        delivered.later(hours=1)
        other.clock(now=clock.now().isoformat(), running=False)
        runs = delivered.sync("suppliers", "invoices")
        assert other.summary()["writes"] == 0
    pushes = [run for run in runs if run.kind == RunKind.PUSH]
    assert {run.state for run in pushes} == {RunState.FAILED}
    delivered.platform.refresh_from_db()
    assert delivered.platform.health == Health.CIRCUIT_OPEN
    assert "wrong_company" in causes(delivered)
    assert delivered.record("ORG-1").state == "staged"

    point(delivered, delivered.bill)
    delivered.platform.health = Health.UNKNOWN
    delivered.platform.save(update_fields=["health"])
    delivered.later(hours=1)
    delivered.sync("invoices")
    assert len(delivered.bills("ORG-1")) == 1
    assert "wrong_company" not in causes(delivered)


def test_a_syspro_that_is_another_company_is_neither_read_nor_believed(delivered):  # R51
    delivered.erp.identity = "RIL|Another Company Inc.|9"
    delivered.erp.save(update_fields=["identity"])
    post(delivered, "ORG-2")
    delivered.later(hours=1)
    run = delivered.run("invoices", RunKind.PULL)
    assert run.state == RunState.FAILED
    assert "wrong_company" in causes(delivered)
    assert not delivered.states("invoices").get("staged")
