"""Whose a Problem is, what people say of it, until when it sleeps; and decisions on several at once."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta

import pytest
from django.utils import timezone

from ml_connector import audit, clock
from ml_connector.audit.models import AuditEntry
from ml_connector.audit.verify import verify
from ml_connector.console import people as persons
from ml_connector.sync import problems as deciding
from ml_connector.sync import triage
from ml_connector.sync.models import Problem, ProblemComment, ProblemRecord, Record
from ml_connector.sync.problems import Cause, DecisionRefused
from ml_connector.sync.queries import imbalances, one_problem
from ml_connector.sync.queries.problem_list import NOBODY, Wanted, preview, problem_list


@pytest.fixture
def problem(pair):
    return Problem.objects.of(pair.workspace).select_related("workspace").get(cause="unmapped_code", state="open")


def entries(problem, action: str) -> list[tuple[str, dict]]:
    rows = AuditEntry.objects.of(problem.workspace).filter(action=action, subject=f"problem:{problem.pk}")
    return [(row.actor, json.loads(row.detail)) for row in rows.order_by("sequence")]


def today() -> date:
    return timezone.localdate(clock.now())


def held_again(pair, problem, due: date | None = None) -> None:
    """Another document meets the same cause."""
    record = Record.objects.of(pair.workspace).filter(flow__name="invoices", state="confirmed").first()
    record.due_date = due
    record.save()
    with audit.recording(pair.workspace, actor="test") as trail:
        cause = Cause(problem.cause, problem.subject, problem.text, problem.fix)
        deciding.hold(trail, pair.flow("invoices"), record, [cause])


# --- owner


def test_a_problem_is_given_to_somebody_and_found_as_mine_and_nobodys(pair, problem, people, sign_in):  # R69
    client, path = sign_in("operator"), f"/w/acme/problems/{problem.pk}"
    assert client.post(f"{path}/owner", {"owner": people["operator"].pk}).status_code == 302
    problem.refresh_from_db()
    assert problem.owner == people["operator"]
    title = f'href="{path}"'
    assert title in client.get("/w/acme/problems?owner=mine").content.decode()
    assert title not in client.get("/w/acme/problems?owner=nobody").content.decode()
    assert title not in sign_in("owner").get("/w/acme/problems?owner=mine").content.decode()
    # The trail names people by id only.
    assert entries(problem, "problem_assigned") == [
        (people["operator"].actor, {"owner": people["operator"].actor}),
    ]
    assert client.post(f"{path}/owner", {"owner": ""}).status_code == 302
    problem.refresh_from_db()
    assert problem.owner is None and len(entries(problem, "problem_assigned")) == 2
    assert verify(pair.workspace).holds


def test_only_somebody_of_the_workspace_can_own_its_problems(pair, problem, people, sign_in):  # R74
    path = f"/w/acme/problems/{problem.pk}/owner"
    for stranger in (people["stranger"].pk, 10**15, "x"):
        answer = sign_in("operator").post(path, {"owner": stranger})
        assert answer.status_code == 400 and "Nothing was changed" in answer.content.decode()
    with pytest.raises(DecisionRefused):
        triage.assign(problem, people["stranger"], "test")
    problem.refresh_from_db()
    assert problem.owner is None


def test_who_leaves_the_workspace_leaves_their_problems_to_nobody(pair, problem, people):
    triage.assign(problem, people["operator"], "test")
    persons.remove(pair.workspace, "operator@acme.test", "test")
    problem.refresh_from_db()
    assert problem.owner is None


# --- comments


def test_comments_stay_as_they_were_written_with_author_and_time(pair, problem, people, sign_in):  # R69, R71
    client, path = sign_in("operator"), f"/w/acme/problems/{problem.pk}"
    text = "<i>Asked Hydra</i>, password=hunter22\nThey answer on Friday."
    assert client.post(f"{path}/comment", {"text": text}).status_code == 302
    row = ProblemComment.objects.of(pair.workspace).get()
    assert (row.author, row.at) == (people["operator"].actor, clock.now())
    assert "hunter22" not in row.text and "They answer on Friday." in row.text
    shown = sign_in("auditor").get(path).content.decode()
    assert "&lt;i&gt;Asked Hydra" in shown and "Operator" in shown and "Add a comment" not in shown
    # The trail proves the text without holding it: it can be erased with the person.
    ((actor, facts),) = entries(problem, "problem_commented")
    assert actor == people["operator"].actor
    assert facts == {"comment": row.pk, "sha256": hashlib.sha256(row.text.encode()).hexdigest()}


def test_no_address_changes_or_deletes_a_comment(problem, sign_in):
    from django.urls import get_resolver

    from tests.console.test_access import patterns

    assert [route for route, _ in patterns(get_resolver()) if "comment" in route] == [
        "w/<str:workspace>/problems/<int:problem>/comment"
    ]
    triage.comment(problem, "Once", "test")
    for client in (sign_in("owner"), sign_in("operator")):
        client.post(f"/w/acme/problems/{problem.pk}/comment", {"text": "Once more", "comment": "1", "id": "1"})
    texts = ProblemComment.objects.of(problem.workspace).order_by("pk").values_list("text", flat=True)
    assert list(texts) == ["Once", "Once more", "Once more"]


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2_001])
def test_a_comment_that_says_nothing_or_too_much_is_refused(problem, sign_in, text):
    answer = sign_in("operator").post(f"/w/acme/problems/{problem.pk}/comment", {"text": text})
    assert answer.status_code == 400
    assert not ProblemComment.objects.of(problem.workspace).exists()


def test_a_problem_that_is_over_is_still_commented_but_no_longer_given_away(problem, people):
    deciding.solve(problem, "skip", "Paid by card", "test")
    triage.comment(problem, "Card statement of May", "test")
    for change in (
        lambda: triage.assign(problem, people["operator"], "test"),
        lambda: triage.snooze(problem, today() + timedelta(days=2), today(), "test"),
    ):
        with pytest.raises(DecisionRefused, match="handled already"):
            change()


# --- snooze


def test_a_snoozed_problem_still_counts_and_comes_back_by_itself(pair, problem, people, sign_in):  # R76
    client = sign_in("operator")
    before = problem_list(pair.workspace, Wanted())
    until = today() + timedelta(days=2)
    assert client.post(f"/w/acme/problems/{problem.pk}/snooze", {"until": until.isoformat()}).status_code == 302
    after = problem_list(pair.workspace, Wanted())
    assert (after.records, after.amount, after.found) == (before.records, before.amount, before.found)
    assert imbalances(pair.workspace) == []
    assert "Snoozed until" in client.get("/w/acme/problems").content.decode()
    assert [row.id for row in problem_list(pair.workspace, Wanted(snoozed=True)).rows] == [problem.pk]
    assert problem.pk not in [row.id for row in problem_list(pair.workspace, Wanted(snoozed=False)).rows]
    pair.later(days=2)
    assert one_problem(pair.workspace, problem.pk).snoozed_until is None
    assert [actor for actor, _ in entries(problem, "problem_snoozed")] == [people["operator"].actor]


def test_a_snoozed_problem_wakes_at_a_new_document(pair, problem):
    triage.snooze(problem, today() + timedelta(days=2), today(), "test")
    held_again(pair, problem)
    assert one_problem(pair.workspace, problem.pk).snoozed_until is None
    assert entries(problem, "problem_snoozed")[-1][1]["reason"] == "it got new documents"


def test_a_snooze_ends_before_the_earliest_due_date(pair, problem):
    due = today() + timedelta(days=20)
    Record.objects.of(pair.workspace).filter(problems__problem=problem).update(due_date=due)
    said = triage.snooze(problem, today() + timedelta(days=60), today(), "test")
    assert (due - triage.DUE_NEAR).isoformat() in said and due.isoformat() in said
    assert one_problem(pair.workspace, problem.pk).snoozed_until == due - triage.DUE_NEAR
    # The source brings the due date forward: the Problem is awake at once.
    Record.objects.of(pair.workspace).filter(problems__problem=problem).update(due_date=due - timedelta(days=5))
    assert one_problem(pair.workspace, problem.pk).snoozed_until is None


def test_what_is_due_already_can_be_snoozed_all_the_same(pair, problem):
    Record.objects.of(pair.workspace).filter(problems__problem=problem).update(due_date=today() - timedelta(days=9))
    until = today() + timedelta(days=4)
    triage.snooze(problem, until, today(), "test")
    assert one_problem(pair.workspace, problem.pk).snoozed_until == until


def test_no_day_of_the_past_and_none_beyond_a_year(problem, sign_in):
    for until in (today(), today() - timedelta(days=1), today() + timedelta(days=400), "tomorrow"):
        answer = sign_in("operator").post(f"/w/acme/problems/{problem.pk}/snooze", {"until": str(until)})
        assert answer.status_code == 400, until
    problem.refresh_from_db()
    assert problem.snoozed_until is None


# --- the list and several at once


def test_the_address_narrows_the_list(pair, problem):
    def found(**wanted) -> set[int]:
        return {row.id for row in problem_list(pair.workspace, Wanted(**wanted)).rows}

    everything = found()
    assert problem.pk in everything and len(everything) > 1
    assert found(cause="unmapped_code") == {problem.pk}
    assert found(integration="bench") == everything and found(integration="other") == set()
    assert found(owner=NOBODY) == everything
    assert found(older_than=7) == set()
    pair.later(days=8)
    assert found(older_than=7) == everything and found(older_than=30) == set()


def test_pages_of_the_list_leave_nothing_out(pair, monkeypatch):
    from ml_connector.sync.queries import problem_list as listing

    monkeypatch.setattr(listing, "PAGE", 1)
    first = problem_list(pair.workspace, Wanted())
    seen = [problem_list(pair.workspace, Wanted(), page).rows[0].id for page in range(1, first.pages + 1)]
    assert len(set(seen)) == first.found == first.pages > 1


def test_a_preview_counts_each_document_once_and_changes_nothing(pair, problem, sign_in):
    # A second Problem that holds one of the same documents.
    record = Record.objects.of(pair.workspace).filter(problems__problem=problem).first()
    second = Problem.objects.of(pair.workspace).exclude(pk=problem.pk).filter(state="open").first()
    ProblemRecord.objects.of(pair.workspace).get_or_create(
        problem=second, record=record, defaults={"workspace_id": pair.workspace.pk}
    )
    found = preview(pair.workspace, [problem.pk, second.pk], "retry")
    held = Record.objects.of(pair.workspace).filter(problems__problem__in=[problem.pk, second.pk]).distinct()
    assert found.records == held.count()
    assert sum(found.amount.values()) * 10_000 == sum(row.amount or 0 for row in held)
    values = {"action": "skip", "problem": [problem.pk, second.pk]}
    text = sign_in("operator").post("/w/acme/problems/chosen", values).content.decode()
    assert "Nothing has happened yet" in text and "needs a reason" not in text
    assert Problem.objects.of(pair.workspace).filter(pk__in=[problem.pk, second.pk], state="open").count() == 2


def test_several_are_skipped_with_one_reason(pair, problem, people, sign_in):
    ids = list(Problem.objects.of(pair.workspace).filter(state="open", blocks=True).values_list("pk", flat=True))
    held = Record.objects.of(pair.workspace).filter(problems__problem__in=ids).distinct()
    numbers = sorted(held.values_list("pk", flat=True))
    client, values = sign_in("operator"), {"action": "skip", "problem": ids}
    refused = client.post("/w/acme/problems/chosen/do", {**values, "reason": " "})
    assert refused.status_code == 400 and "needs a reason" in refused.content.decode()
    assert client.post("/w/acme/problems/chosen/do", {**values, "reason": "Paid by card"}).status_code == 302
    rows = Problem.objects.of(pair.workspace).filter(pk__in=ids)
    assert {row.ended_by for row in rows if row.action} == {people["operator"].actor}
    assert not rows.filter(state="open").exists()
    skipped = Record.objects.of(pair.workspace).filter(pk__in=numbers, state="skipped", reason="Paid by card")
    assert sorted(skipped.values_list("pk", flat=True)) == numbers
    assert verify(pair.workspace).holds and imbalances(pair.workspace) == []


def test_a_decision_that_does_not_fit_leaves_that_problem_as_it_is(pair, problem, sign_in):
    found = preview(pair.workspace, [problem.pk], "accept")
    assert found.rows == () and "would lose them" in found.unfit[0][1]
    values = {"action": "accept", "problem": [problem.pk], "reason": "It is known."}
    text = sign_in("operator").post("/w/acme/problems/chosen/do", values, follow=True).content.decode()
    assert "1 left as they are" in text
    problem.refresh_from_db()
    assert problem.state == "open"


def test_what_needs_a_second_person_is_not_done_to_several(pair, problem, sign_in):  # R72
    for action in ("write_off", "override", "create", "", "x"):
        values = {"action": action, "problem": [problem.pk], "reason": "Gone."}
        sign_in("operator").post("/w/acme/problems/chosen/do", values)
    problem.refresh_from_db()
    assert problem.state == "open" and "asked_for" not in problem.detail


def test_several_are_given_away_and_snoozed_at_once(pair, people, sign_in):
    ids = list(Problem.objects.of(pair.workspace).filter(state="open").values_list("pk", flat=True))
    client = sign_in("operator")
    given = {"action": "assign", "problem": ids, "owner": people["approver"].pk}
    client.post("/w/acme/problems/chosen/do", given)
    until = (today() + timedelta(days=1)).isoformat()
    client.post("/w/acme/problems/chosen/do", {"action": "snooze", "problem": ids, "until": until})
    rows = Problem.objects.of(pair.workspace).filter(pk__in=ids)
    assert {row.owner for row in rows} == {people["approver"]}
    assert all(row.snoozed_until for row in rows)
    assert client.post("/w/acme/problems/chosen/do", {"action": "snooze", "problem": ids}).status_code == 400


def test_a_decision_on_several_leads_back_to_the_list_as_it_was_and_nowhere_else(pair, problem, sign_in):
    client, values = sign_in("operator"), {"action": "retry", "problem": [problem.pk]}
    for back, leads in (
        ("/w/acme/problems?owner=mine&age=7", "/w/acme/problems?owner=mine&age=7"),
        ("https://elsewhere.test/w/acme/problems?", "/w/acme/problems"),
        ("//elsewhere.test", "/w/acme/problems"),
        ("/w/other/problems?x", "/w/acme/problems"),
    ):
        answer = client.post("/w/acme/problems/chosen/do", {**values, "back": back})
        assert answer.headers["location"] == leads


def test_problems_of_another_workspace_are_not_touched(pair, problem, sign_in):  # R74
    client = sign_in("stranger")
    values = {"action": "retry", "problem": [problem.pk], "reason": "x"}
    assert client.post("/w/other/problems/chosen/do", values).status_code == 302
    for part in ("owner", "comment", "snooze"):
        assert client.post(f"/w/other/problems/{problem.pk}/{part}", {"text": "x"}).status_code == 404
    problem.refresh_from_db()
    assert problem.state == "open"
