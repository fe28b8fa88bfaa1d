"""Limits cost a record nothing, and signing in happens once (R59 to R62)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ml_connector import vault
from ml_connector.sync.models import Health, Record, RunKind, RunState
from ml_connector.sync.pinging import ping_connection
from tests.sync.acts import causes, logons, post
from tests.sync.pair import base_pair

DEAD = "The supplied UserID is invalid. Either you were not logged in; or your session has expired."


def enter(pair, count: int) -> None:
    for number in range(count):
        post(pair, f"LIM-{number:03}", str(Decimal(50 + number)))


def unsettled(pair):
    return Record.objects.of(pair.workspace).filter(number__startswith="LIM-").exclude(state="confirmed")


def test_never_more_than_three_requests_at_a_time(delivered):  # R59
    enter(delivered, 100)
    delivered.bill.options({"latency": 0.02})
    delivered.bill.clear_requests()
    delivered.sync("invoices")
    assert not unsettled(delivered).exists()
    assert max(delivered.bill.summary()["max_in_flight"].values()) == 3


@pytest.mark.parametrize(
    "limit", [{"status": 429}, {"code": "BDC_1144"}, {"code": "BDC_1322"}, {"retry_after": 30}], ids=str
)
def test_a_storm_of_limits_uses_up_no_tries_and_ends_well(delivered, limit):  # R59
    enter(delivered, 12)
    delivered.bill.faults(
        [{"match": {"method": "POST", "path": "/v3/bills", "probability": 0.5}, "do": "throttle", **limit}]
    )
    delivered.run("invoices", RunKind.PULL)
    for _ in range(40):
        delivered.run("invoices", RunKind.PUSH)
        assert set(unsettled(delivered).values_list("tries", flat=True)) <= {0}
        assert {"refused_by_target", "target_unavailable"}.isdisjoint(causes(delivered))
        if not unsettled(delivered).exists():
            break
        delivered.later(minutes=61)
    assert not unsettled(delivered).exists()
    numbers = [bill["invoice"]["invoiceNumber"] for bill in delivered.bills()]
    assert len(numbers) == len(set(numbers)) == 8 + 12


def logins(pair) -> int:
    return len(pair.bill.state("logins"))


def test_parallel_requests_on_an_expired_session_sign_in_once(delivered):  # R60, R62
    enter(delivered, 30)
    delivered.run("invoices", RunKind.PULL)
    before = logins(delivered)
    delivered.bill.options({"latency": 0.02})
    match = {"method": "POST", "path": "/v3/bills", "nth": 5}
    delivered.bill.faults([{"match": match, "do": "expire_session", "all": True}])
    for _ in range(3):
        delivered.run("invoices", RunKind.PUSH)
        delivered.later(minutes=2)
    assert logins(delivered) == before + 1
    assert not unsettled(delivered).exists()
    numbers = [bill["invoice"]["invoiceNumber"] for bill in delivered.bills()]
    assert len(numbers) == len(set(numbers))


def test_sessions_that_die_at_once_for_a_while_need_no_person(delivered):  # R3, R61, R62
    enter(delivered, 6)
    before = logins(delivered)
    delivered.bill.faults([{"match": {"method": "POST", "path": "/v3/bills"}, "do": "commit_then_expire_session"}])
    delivered.run("invoices", RunKind.PULL)
    delivered.run("invoices", RunKind.PUSH)
    assert logins(delivered) <= before + 2
    delivered.bill.faults([])
    delivered.settle("invoices")
    assert "credentials_refused" not in causes(delivered)
    assert not unsettled(delivered).exists()
    numbers = [bill["invoice"]["invoiceNumber"] for bill in delivered.bills()]
    assert len(numbers) == len(set(numbers)) == 8 + 6


def test_a_wrong_password_is_tried_once_and_work_resumes_when_it_is_corrected(delivered):  # R61
    right = delivered.bill.secrets["password"]
    vault.put(delivered.workspace, "connection:platform", "password", "wrong-Pw-1")
    enter(delivered, 3)
    delivered.later(hours=2)
    before = logins(delivered)
    for _ in range(6):
        runs = delivered.sync("suppliers", "invoices")
        delivered.later(minutes=10)
    assert logins(delivered) == before + 1
    assert {run.state for run in runs if run.kind == RunKind.PUSH} == {RunState.FAILED}
    assert {run.state for run in runs if run.kind == RunKind.PULL} == {RunState.SUCCEEDED}, "the other side works on"
    assert causes(delivered)["credentials_refused"] == 1
    delivered.platform.refresh_from_db()
    assert delivered.platform.health == Health.CIRCUIT_OPEN

    vault.put(delivered.workspace, "connection:platform", "password", right)
    assert all(step.ok is not False for step in ping_connection(delivered.platform, "clerk"))
    delivered.sync("invoices")
    assert not unsettled(delivered).exists()
    assert "credentials_refused" not in causes(delivered)


@pytest.fixture
def read(workspace):
    """Everything is read through e.net, three rows at a time; the suppliers were."""
    with base_pair(workspace, odata_page_size=3, odata_root="") as pair:
        pair.run("suppliers", RunKind.PULL)
        yield pair
        assert pair.states("invoices") == {"staged": 11}
        assert pair.adds_up()  # R76


@pytest.mark.parametrize(
    ("what", "signs_in"),
    [
        ({"do": "expire_session"}, 1),
        ({"do": "in_band_error", "text": DEAD}, 1),
        ({"do": "truncate"}, 0),
        ({"do": "status", "status": 503}, 0),
        ({"do": "reset"}, 0),
    ],
    ids=["evicted", "dead session", "truncated", "unavailable", "cut off"],
)
def test_a_page_that_is_lost_is_read_again_with_at_most_one_new_session(read, what, signs_in):  # R60, R62
    before = logons(read)
    read.syspro.faults([{"match": {"path": "*/query/query", "nth": 6}, **what}])
    for _ in range(2):
        read.run("invoices", RunKind.PULL)
        read.later(minutes=10)
    assert read.syspro.faults()[0]["fired"] == 1
    assert logons(read) == before + signs_in


def test_an_error_inside_a_good_answer_is_a_failure_and_the_next_poll_is_complete(read):  # R12, R19
    match = {"path": "*/query/query", "nth": list(range(4, 60))}
    read.syspro.faults([{"match": match, "do": "in_band_error", "text": "Unexpected failure"}])
    run = read.run("invoices", RunKind.PULL)
    assert run.state == RunState.FAILED
    assert "Unexpected failure" in run.text
    read.syspro.faults([])
    read.later(minutes=10)
    assert read.run("invoices", RunKind.PULL).state == RunState.SUCCEEDED


def test_a_person_who_signs_in_as_the_operator_costs_one_new_session(read):  # R60
    before = logons(read)
    read.syspro.edit("actions", {"do": "log_in", "operator": read.erp.settings["operator"]})
    assert read.run("invoices", RunKind.PULL).state == RunState.SUCCEEDED
    assert logons(read) == before + 1
