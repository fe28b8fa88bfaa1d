"""Accepted is not done: what Basware takes at once and decides later (R12)."""

from __future__ import annotations

import itertools

import pytest

from ml_connector import clock
from ml_connector.audit.models import AuditEntry
from ml_connector.audit.verify import verify
from ml_connector.jobs import schedule
from ml_connector.sync import accepted, preview, problems, replay
from ml_connector.sync.deliver import Delivery
from ml_connector.sync.models import Problem, ProblemRecord, RunKind, RunState
from ml_connector.sync.queries.problem_page import problem_view
from ml_connector.sync.queries.record_page import record_view
from ml_connector.systems.base import Transient
from ml_connector.systems.basware.masters import Masters
from ml_connector.systems.basware.settings import PARALLEL
from tests.sync.office import OfficePair, account, center, office_pair, supplier, term

ACCOUNT = "RIL_A_10-6100"


@pytest.fixture
def pair(workspace, monkeypatch):
    with office_pair(workspace, monkeypatch) as made:
        made.office.put("gl_account", account("10-6100"))
        yield made
        assert made.adds_up()  # R76
        assert verify(workspace).holds  # R66


def push(pair: OfficePair, flow: str = "accounts"):
    schedule.claim(pair.flow(flow).pk, RunKind.PUSH)
    return pair.run(flow, RunKind.PUSH)


def sent(pair: OfficePair) -> None:
    """The account is posted, and nobody has asked yet."""
    pair.run("accounts", RunKind.PULL)
    push(pair)


def actions(pair: OfficePair, key: str = "10-6100") -> list[str]:
    record = pair.one("accounts", key)
    rows = AuditEntry.objects.of(pair.workspace).filter(subject=f"record:{record.pk}").order_by("sequence")
    return list(rows.values_list("action", flat=True))


def test_a_record_is_confirmed_and_linked_only_once_the_target_has_decided(pair):  # R12
    pair.run("accounts", RunKind.PULL)
    run = push(pair)
    record, (attempt,) = pair.one("accounts", "10-6100"), pair.attempts("accounts", "10-6100")
    assert (record.state, attempt.outcome, bool(attempt.handle)) == ("in_flight", "pending", True)
    assert attempt.accepted_at == clock.now()
    assert pair.link("gl_account", "10-6100") is None
    assert (run.state, run.counts["accepted"], run.counts["waiting"]) == (RunState.UNDECIDED, 1, 1)
    assert pair.flow("accounts").next_push_at == clock.now() + accepted.FIRST_ASKED

    pair.later(accepted.FIRST_ASKED)
    run = push(pair)
    link = pair.link("gl_account", "10-6100")
    assert (pair.one("accounts", "10-6100").state, link and link.target_key) == ("confirmed", ACCOUNT)
    assert (run.state, run.counts["created"], run.counts["waiting"]) == (RunState.SUCCEEDED, 1, 0)
    assert pair.posted("/v1/accounts") == 1
    assert actions(pair) == ["decision", "intent", "accepted", "link", "outcome", "decision"]


def test_people_read_that_it_was_accepted_and_waits(pair):  # R12
    sent(pair)
    view = record_view(pair.workspace, pair.one("accounts", "10-6100").pk)
    assert view is not None
    assert (view.story.record.shown_state, view.attempts[0].outcome) == ("accepted", "accepted")
    (event,) = [event for event in view.events if event.what == "accepted"]
    assert view.attempts[0].handle in event.text
    pair.later(seconds=10)
    push(pair)
    view = record_view(pair.workspace, pair.one("accounts", "10-6100").pk)
    assert view is not None and view.story.record.shown_state == "confirmed"


def test_what_the_target_does_not_take_is_a_problem_with_its_words(pair):  # R12, R63
    pair.office.put("gl_account", account("10-6200"))
    pair.says("Account", ACCOUNT, message="Account group 7 is locked.")
    sent(pair)
    pair.later(seconds=10)
    run = push(pair)
    assert run.state == RunState.WITH_PROBLEMS
    assert pair.one("accounts", "10-6100").state == "blocked"
    assert pair.one("accounts", "10-6200").state == "confirmed", "of one request, each record has its own outcome"
    problem = pair.problem("refused_by_target")
    assert "Account group 7 is locked." in problem.text and "10-6100" in problem.text
    posted = pair.posted("/v1/accounts")
    pair.later(hours=2)
    push(pair)
    assert pair.posted("/v1/accounts") == posted, "it is never repeated blindly"

    problems.solve(problem, "retry", "", "person:anna")
    push(pair)
    pair.later(seconds=10)
    push(pair)
    assert pair.one("accounts", "10-6100").state == "confirmed"


def test_what_came_to_nothing_through_no_fault_of_its_own_is_sent_again(pair):  # R12
    pair.says("Account", ACCOUNT, category="Technical", message="The database is being moved.")
    sent(pair)
    pair.later(seconds=10)
    push(pair)
    record = pair.one("accounts", "10-6100")
    assert (record.state, record.tries) == ("ready", 1)
    pair.later(minutes=1)
    push(pair)
    pair.later(seconds=10)
    push(pair)
    assert pair.one("accounts", "10-6100").state == "confirmed"
    assert [row.outcome for row in pair.attempts("accounts", "10-6100")] == ["not_done", "confirmed"]
    assert len(pair.basware.state("p2p.accounts")) == 1


def test_it_is_asked_for_less_and_less_often_and_people_are_told_after_a_day(workspace, monkeypatch):  # R12
    with office_pair(workspace, monkeypatch, processing_seconds=10**6) as pair:
        pair.office.put("gl_account", account("10-6100"))
        sent(pair)
        began, asked_at = clock.now(), []
        while clock.now() < began + accepted.TOO_LONG:
            due = pair.flow("accounts").next_push_at
            assert due is not None
            pair.later(due - clock.now())
            before = pair.asked()
            run = push(pair)
            assert (pair.asked() - before, run.state, run.counts["waiting"]) == (1, RunState.UNDECIDED, 1)
            asked_at.append(clock.now() - began)
        waits = [after - before for before, after in itertools.pairwise(asked_at)]
        assert asked_at[0] == accepted.FIRST_ASKED
        assert waits == sorted(waits) and waits[0] == accepted.SHORTEST and waits[-1] == accepted.LONGEST

        (attempt,) = pair.attempts("accounts", "10-6100")
        problem = pair.problem("not_decided")
        assert attempt.handle in problem.text and "on 2026-11-16" in problem.text and "12:00 UTC" in problem.text
        assert "10-6100" in problem.text and not problem.blocks
        view = problem_view(workspace, problem.pk)
        assert view is not None and {action.name for action in view.actions} == {"retry", "accept"}
        assert pair.one("accounts", "10-6100").state == "in_flight", "nothing is sent beside it"
        assert pair.posted("/v1/accounts") == 1


def test_a_decision_that_comes_late_ends_what_people_were_told(workspace, monkeypatch):  # R12
    with office_pair(workspace, monkeypatch, processing_seconds=25 * 3600) as pair:
        pair.office.put("gl_account", account("10-6100"), account("10-6200"))
        sent(pair)
        pair.later(hours=24, minutes=1)
        push(pair)
        problem = pair.problem("not_decided")
        assert ProblemRecord.objects.of(workspace).filter(problem=problem).count() == 2, (
            "one Problem for all that waits since a day"
        )
        pair.later(hours=2)
        push(pair)
        assert pair.one("accounts", "10-6100").state == "confirmed"
        assert not Problem.objects.of(workspace).filter(state="open").exists()


def test_who_gives_up_waiting_has_it_searched_for_and_sent_again(workspace, monkeypatch):  # R12, R3
    with office_pair(workspace, monkeypatch, status_seconds=10**6) as pair:
        # P2P has taken it, but the status of its request is never shown.
        pair.office.put("gl_account", account("10-6100"))
        sent(pair)
        pair.later(hours=25)
        push(pair)
        problems.solve(pair.problem("not_decided"), "retry", "", "person:anna")
        push(pair)
        record = pair.one("accounts", "10-6100")
        (attempt,) = pair.attempts("accounts", "10-6100")
        assert (record.state, attempt.outcome) in {("in_doubt", "unknown"), ("confirmed", "adopted")}
        pair.later(minutes=10)
        push(pair)
        assert pair.one("accounts", "10-6100").state == "confirmed"
        assert pair.posted("/v1/accounts") == 1 and len(pair.basware.state("p2p.accounts")) == 1


def test_a_change_meanwhile_is_sent_after_the_decision_and_not_beside_it(pair):  # R12, R55
    sent(pair)
    pair.office.put("gl_account", account("10-6100", "Components and parts"))
    pair.run("accounts", RunKind.PULL)
    push(pair)
    assert pair.posted("/v1/accounts") == 1
    pair.later(seconds=10)
    push(pair)
    assert [row.outcome for row in pair.attempts("accounts", "10-6100")] == ["confirmed", "pending"]
    pair.later(seconds=10)
    push(pair)
    record = pair.one("accounts", "10-6100")
    assert (record.state, bytes(record.sent_hash or b"")) == ("confirmed", bytes(record.hash))
    (held,) = pair.basware.state("p2p.accounts")
    assert held["accountNames"][0]["translation"] == "Components and parts"


def test_an_update_that_was_not_taken_does_not_pass_for_an_edit_of_people(pair):  # R12, R45
    sent(pair)
    pair.later(seconds=10)
    push(pair)
    pair.says("Account", ACCOUNT, message="Names may not begin with X.")
    pair.office.put("gl_account", account("10-6100", "X parts"))
    pair.run("accounts", RunKind.PULL)
    push(pair)
    pair.later(seconds=10)
    push(pair)
    assert pair.one("accounts", "10-6100").state == "blocked"
    pair.office.put("gl_account", account("10-6100", "Parts"))
    pair.run("accounts", RunKind.PULL)
    push(pair)
    pair.later(seconds=10)
    push(pair)
    assert pair.one("accounts", "10-6100").state == "confirmed"
    assert not Problem.objects.of(pair.workspace).filter(cause="conflict").exists()


def test_a_cancel_is_done_once_it_is_decided(pair):  # R12
    pair.office.put("supplier", supplier("ELC001"), supplier("PAK003", "Pakko Packaging LLC"))
    flow = pair.flow("suppliers")
    flow.policies = {"supplier_gone": "archive"}
    flow.save()
    pair.run("suppliers", RunKind.PULL)
    push(pair, "suppliers")
    pair.later(seconds=10)
    push(pair, "suppliers")
    del pair.office.records["supplier"]["ELC001"]
    pair.run("suppliers", RunKind.SWEEP)
    push(pair, "suppliers")
    record = pair.one("suppliers", "ELC001")
    assert (record.state, pair.attempts("suppliers", "ELC001")[-1].operation) == ("in_flight", "cancel")
    pair.later(seconds=10)
    run = push(pair, "suppliers")
    assert run.counts["cancelled"] == 1
    assert pair.one("suppliers", "ELC001").state == "confirmed"


def test_a_child_waits_until_its_parent_is_decided(pair):  # R56
    pair.office.put("payment_term", term("30"))
    pair.office.put("supplier", supplier("ELC001", terms="30"))
    pair.sync("terms", "suppliers")
    assert pair.one("terms", "30").state == "in_flight"
    assert pair.one("suppliers", "ELC001").state == "blocked"
    problem = pair.problem("parent_not_confirmed")
    assert problem.subject == "payment_term:30" and pair.posted("/v1/vendors") == 0
    pair.later(seconds=10)
    push(pair, "terms")
    assert pair.flow("suppliers").next_push_at == clock.now(), "it is judged again as soon as its parent is there"
    push(pair, "suppliers")
    assert pair.one("suppliers", "ELC001").state == "in_flight"


def test_the_handle_outlives_the_process(pair, monkeypatch):  # R9, R12
    sent(pair)
    (before,) = pair.attempts("accounts", "10-6100")

    def dies(*_args):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("ml_connector.sync.accepted._Asking.store", dies)
        pair.later(seconds=10)
        assert push(pair).state == RunState.FAILED
    assert pair.attempts("accounts", "10-6100")[0].handle == before.handle
    pair.later(minutes=1)
    push(pair)
    assert pair.one("accounts", "10-6100").state == "confirmed"
    assert pair.posted("/v1/accounts") == 1


def test_a_write_whose_acceptance_was_never_stored_is_searched_for(pair, monkeypatch):  # R9, R12
    def dies(*_args):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(Delivery, "_store", dies)
        pair.run("accounts", RunKind.PULL)
        push(pair)
    (attempt,) = pair.attempts("accounts", "10-6100")
    assert (attempt.outcome, attempt.handle, pair.posted("/v1/accounts")) == ("pending", "", 1)
    pair.later(minutes=1)
    push(pair)
    pair.later(minutes=10)
    push(pair)
    assert pair.one("accounts", "10-6100").state == "confirmed"
    assert pair.posted("/v1/accounts") == 1 and len(pair.basware.state("p2p.accounts")) == 1


def test_a_lost_answer_to_an_update_is_not_settled_by_what_was_only_accepted(pair):  # R3, R12
    sent(pair)
    pair.later(seconds=10)
    push(pair)
    pair.office.put("gl_account", account("10-6100", "X parts"))
    pair.run("accounts", RunKind.PULL)
    pair.says("Account", ACCOUNT, message="Names may not begin with X.")
    match = {"method": "POST", "path": "/v1/accounts"}
    pair.basware.faults([{"match": match, "do": "commit_then_reset", "times": 1}])
    push(pair)
    assert pair.one("accounts", "10-6100").state == "in_doubt"
    for _ in range(4):
        pair.later(minutes=10)
        push(pair)
    names = [row["accountNames"][0]["translation"] for row in pair.basware.state("p2p.accounts")]
    record = pair.one("accounts", "10-6100")
    assert (record.state, names) == ("confirmed", ["X parts"]), "confirmed only because P2P took it the second time"
    assert pair.posted("/v1/accounts") == 3


def test_a_preview_says_what_waits_and_writes_nothing(pair):  # R12
    sent(pair)
    pair.office.put("gl_account", account("10-6200"))
    found = preview.preview(pair.integration, "test")
    (flow,) = [flow for flow in found.flows if flow.flow == "accounts"]
    assert (flow.on_the_way.records, flow.created.records, flow.blocked.records) == (1, 1, 0)
    assert pair.posted("/v1/accounts") == 1
    assert pair.one("accounts", "10-6100").state == "in_flight"


def test_a_replay_asks_now_and_sends_nothing(pair):  # R10, R12
    sent(pair)
    pair.later(seconds=10)
    pair.basware.options({"status_seconds": 60})
    push(pair)
    record = pair.one("accounts", "10-6100")
    assert record.next_attempt_at is not None and record.next_attempt_at > clock.now()
    pair.later(seconds=60)
    said = replay.replay(pair.workspace, [record.pk], "person:anna")[record.pk]
    assert "not decided" in said
    push(pair)
    assert pair.one("accounts", "10-6100").state == "confirmed"
    assert pair.posted("/v1/accounts") == 1


def test_an_outage_while_asking_sends_nothing_again(pair):  # R12, R59
    pair.office.put("gl_account", *(account(f"10-{number}") for number in range(5)))
    sent(pair)
    posted = pair.posted("/v1/accounts")
    pair.later(seconds=10)
    down = {"match": {"method": "GET", "path": "/v1/requestStatus/*"}, "do": "status", "status": 503}
    pair.basware.faults([down])
    run = push(pair)
    assert run.state == RunState.FAILED, "several in a row are the Connection"
    assert pair.states("accounts") == {"in_flight": 6}
    pair.basware.faults([])
    pair.later(minutes=5)
    push(pair)
    assert pair.states("accounts") == {"confirmed": 6}
    assert pair.posted("/v1/accounts") == posted


@pytest.mark.parametrize("failing", [1, 3])
def test_a_search_that_fails_holds_its_record_and_several_in_a_row_end_the_run(pair, monkeypatch, failing):  # R63
    pair.office.put("gl_account", *(account(f"10-{number}") for number in range(5)))
    find = Masters.find
    unknown = {f"10-{number}" for number in range(failing)}

    def finding(self, record, mark):
        if record.code in unknown:
            raise Transient(f"Nobody can say yet what became of {record.code}.")
        return find(self, record, mark)

    monkeypatch.setattr(Masters, "find", finding)
    monkeypatch.setattr("ml_connector.systems.basware.client.Client.parallel", 1)
    pair.office.put("gl_account", pair.office.records["gl_account"].pop("10-6100"))  # asked for last
    pair.run("accounts", RunKind.PULL)
    run = push(pair)
    ready = {key for key in unknown if pair.one("accounts", key).state == "ready"}
    assert ready == unknown
    if failing == 1:
        assert run.state == RunState.WITH_PROBLEMS
        assert pair.states("accounts") == {"ready": 1, "in_flight": 5}
        assert pair.one("accounts", "10-0").next_attempt_at > clock.now()
    else:
        assert run.state == RunState.FAILED


def test_people_are_told_of_a_record_that_gets_no_definite_answer(pair, monkeypatch):  # R63
    def finding(self, record, mark):
        raise Transient("Nobody can say yet.")

    with monkeypatch.context() as patched:
        patched.setattr(Masters, "find", finding)
        pair.run("accounts", RunKind.PULL)
        for _ in range(10):
            push(pair)
            pair.later(minutes=31)
    assert "Nobody can say yet." in pair.problem("unanswered").text
    push(pair)
    pair.later(seconds=10)
    push(pair)
    assert pair.one("accounts", "10-6100").state == "confirmed"
    assert not Problem.objects.of(pair.workspace).filter(state="open").exists()


def test_codes_of_different_kinds_that_are_written_alike_have_each_their_own_problem(pair):  # R12
    pair.office.put("gl_account", account("X1"))
    pair.office.put("cost_center", center("X1"))
    pair.says("Account", "RIL_A_X1", message="This account is wrong.")
    pair.says("CostCenter", "RIL_C_X1", message="This cost center is wrong.")
    pair.sync("accounts", "cost_centers")
    pair.later(seconds=10)
    push(pair)
    push(pair, "cost_centers")
    texts = [row.text for row in Problem.objects.of(pair.workspace).filter(state="open").order_by("pk")]
    assert len(texts) == 2 and "This account is wrong." in texts[0] and "This cost center is wrong." in texts[1]


def test_a_first_load_in_batches_is_asked_for_in_full(pair):  # R12
    pair.office.put("gl_account", *(account(f"20-{number:03}") for number in range(60)))
    sent(pair)
    assert pair.posted("/v1/accounts") == 1, "one request for all"
    pair.says("Account", "RIL_A_20-007", message="No.")
    assert pair.states("accounts") == {"in_flight": 61}
    pair.later(seconds=10)
    run = push(pair)
    assert pair.states("accounts") == {"confirmed": 60, "blocked": 1}
    assert (run.counts["created"], run.counts["blocked"]) == (60, 1)
    assert pair.asked() <= PARALLEL, "the records of one request are asked for by one"
