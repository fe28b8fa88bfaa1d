"""A test of the tests: each safeguard of the engine is taken out, and a test of the suite has to notice."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from ml_connector.conformance.faults import MATRIX
from ml_connector.conformance.suite import suite
from ml_connector.domain.numbers import mark
from ml_connector.integrations.base import Side
from ml_connector.sync import backoff, deliver, leases, listing, outcomes, pull, runs, settle, stage
from ml_connector.sync.deliver import Delivery
from ml_connector.sync.models import Attempt, Flow, Link, Operation
from ml_connector.sync.sessions import SharedSession
from ml_connector.systems.bill.bills import Bills
from ml_connector.systems.transport import tls
from tests.conformance.syspro_bill import SYSPRO_BILL

Suite = suite(SYSPRO_BILL)

CALLS = {call.name: call for call in SYSPRO_BILL.writes}
READS = {read.name: read for read in SYSPRO_BILL.reads}
FAULTS = {fault.name: fault for fault in MATRIX}
"""Looked up by name, so that a renamed cell is noticed here."""


def cell(call: str, fault: str) -> Callable[..., None]:
    return lambda workspace: Suite().test_one_effect_whatever_happens(
        workspace, CALLS[call], FAULTS[fault], lambda *_: None
    )


def two_workers(call: str, late: str) -> Callable[..., None]:
    return lambda workspace: Suite().test_one_effect_when_two_workers_deliver_the_same(
        workspace, CALLS[call], late, lambda *_: None
    )


def reading(test: str, read: str, **more: Any) -> Callable[..., None]:
    return lambda workspace: getattr(Suite(), test)(workspace, READS[read], record_property=lambda *_: None, **more)


def limits(test: str, **more: Any) -> Callable[..., None]:
    return lambda workspace: getattr(Suite(), test)(
        workspace, SYSPRO_BILL.limits[0], record_property=lambda *_: None, **more
    )


def certificate(workspace: Any) -> None:
    with tempfile.TemporaryDirectory() as directory:
        Suite().test_a_certificate_is_checked_and_a_private_authority_can_be_given(
            workspace, Path(directory), Side.PLATFORM, lambda *_: None
        )


# --- the safeguards, taken out


def intent_with_the_outcome(patch: pytest.MonkeyPatch) -> None:
    """R1: the intent is committed together with the outcome, not before the request."""
    intend, store = Delivery._intend, Delivery._store

    def not_committed(self: Delivery, requests: Any) -> Any:
        with transaction.atomic():
            intended = intend(self, requests)
            transaction.set_rollback(True)
        return intended

    def with_outcome(self: Delivery, answered: Any) -> None:
        with transaction.atomic():
            for tasks, _ in answered:
                for task in tasks:
                    task.attempt.save(force_insert=True)
            store(self, answered)

    patch.setattr(Delivery, "_intend", not_committed)
    patch.setattr(Delivery, "_store", with_outcome)


def no_look_up_before_sending_again(patch: pytest.MonkeyPatch) -> None:
    """R3: a lost answer means that nothing happened."""

    def not_there(flow: Any, record: Any, attempt: Attempt, sent: Any, target: Any, run: Any, lease: Any) -> None:
        with settle.audit.recording(flow.workspace, actor="worker", run=run.pk) as trail:
            outcomes.not_done(trail, record, attempt, "Not looked for.")

    patch.setattr(settle, "_settle_create", not_there)
    patch.setattr(settle, "_settle_change", not_there)
    patch.setattr(listing, "hits", lambda flow, wanted: {})


def no_settling_time(patch: pytest.MonkeyPatch) -> None:
    """R4: 'not found' counts at once."""
    patch.setattr(outcomes, "settle_wait", lambda flow: settle.clock.now() - settle.clock.now())


def no_link(patch: pytest.MonkeyPatch) -> None:
    """R2: the Link is not part of the transaction that stores the outcome; a later step that never comes makes it."""

    def forgotten(trail: Any, flow: Flow, record: Any, target_key: str, lines: Any, made_by: str) -> Link:
        return Link(source_key=record.key, target_key=target_key)

    patch.setattr(outcomes, "link", forgotten)
    patch.setattr(outcomes, "_link_all", lambda trail, flow, done, made_by: None)


def no_fence(patch: pytest.MonkeyPatch) -> None:
    """R9: a result is stored whoever holds the Connection meanwhile."""
    patch.setattr(leases.Lease, "confirm", lambda self: None)
    patch.setattr(leases.Lease, "check", lambda self: None)


def no_recovery(patch: pytest.MonkeyPatch) -> None:
    """R9: what a dead worker left in flight stays there."""
    patch.setattr(settle, "recover", lambda flow, run, lease: 0)


def every_mark_differs(patch: pytest.MonkeyPatch) -> None:
    """R6: a document does not bear its own mark, so it cannot be told from one that people typed."""
    count = iter(range(10**6))
    patch.setattr(deliver, "mark", lambda *parts: mark(*parts[:-1], f"{parts[-1]}{next(count)}"))
    patch.setattr(Bills, "identity_differences", lambda self, sent, found: ["number"])


def an_update_is_settled_unseen(patch: pytest.MonkeyPatch) -> None:
    """R3: an amendment whose answer was lost is taken for done."""
    patch.setattr(settle, "_took_effect", lambda attempt, sent, there, target: attempt.operation != Operation.CREATE)


def throttling_counts_as_a_try(patch: pytest.MonkeyPatch) -> None:
    """R59: a limit uses up a document's tries."""
    original = outcomes.not_done

    def counted(trail: Any, record: Any, attempt: Any, text: str, *, wait: float = 0, failed: bool = False) -> None:
        original(trail, record, attempt, text, wait=wait, failed=True)

    patch.setattr(outcomes, "not_done", counted)
    patch.setattr(backoff, "after", lambda tries: 0.0)


def the_cursor_alone(patch: pytest.MonkeyPatch) -> None:
    """R15: the cursor is stored although its page is not."""
    original = stage._store

    def only_the_cursor(flow: Flow, rows: Any, staged: Any) -> None:
        original(flow, rows[: len(rows) // 2], staged)

    patch.setattr(stage, "_store", only_the_cursor)


def an_incomplete_sweep_counts(patch: pytest.MonkeyPatch) -> None:
    """R18: what a broken sweep did not see is gone."""
    original = runs.execute

    def as_if_complete(flow: Flow, kind: Any, lease: Any, *arguments: Any, **options: Any) -> Any:
        done = original(flow, kind, lease, *arguments, **options)
        if kind == "sweep" and done.state == "failed":
            stage.mark_gone(flow, [], done, lease)
        return done

    patch.setattr(runs, "execute", as_if_complete)


def edits_without_a_stamp_are_believed_impossible(patch: pytest.MonkeyPatch) -> None:
    """R14, R17: what was read once is not compared again."""
    original = stage._store

    def only_new(flow: Flow, rows: Any, staged: Any) -> None:
        known = set(pull._known(flow).values_list("key", flat=True))
        original(flow, [row for row in rows if row[0] not in known], staged)

    patch.setattr(stage, "_store", only_new)


def a_session_for_each(patch: pytest.MonkeyPatch) -> None:
    """R60: everybody who finds the session ended signs in."""
    patch.setattr(SharedSession, "renew", lambda self, stale, sign_in: self._signed_in(stale, sign_in, "x"))


def one_more_at_a_time(patch: pytest.MonkeyPatch) -> None:
    """R59: the vendor's limit is taken for four."""
    patch.setattr("ml_connector.systems.bill.client.PARALLEL", 4)
    patch.setattr("ml_connector.systems.bill.client.BillClient.parallel", 4)
    patch.setattr("ml_connector.systems.bill.session.PARALLEL", 4)


def any_certificate_will_do(patch: pytest.MonkeyPatch) -> None:
    """R64: certificates are not checked."""
    patch.setattr("ml_connector.systems.transport.http.verifying", lambda *_: tls.ssl._create_unverified_context())


BILL = "BILL: create a bill"

TAKEN_OUT = [
    (intent_with_the_outcome, two_workers("BILL: create a vendor credit", "before")),
    (no_look_up_before_sending_again, cell(BILL, "committed, then reset")),
    (no_look_up_before_sending_again, cell("BILL: create a vendor", "committed, answer cut short")),
    (no_settling_time, cell("BILL: create a vendor credit", "504 first, committed later")),
    (no_link, cell(BILL, "throttled")),
    (no_fence, two_workers(BILL, "after")),
    (no_recovery, two_workers(BILL, "after")),
    (every_mark_differs, cell(BILL, "committed, then 502")),
    (an_update_is_settled_unseen, cell("BILL: amend a bill", "reset after the request, nothing committed")),
    (an_update_is_settled_unseen, cell("BILL: restore a vendor", "500, nothing committed")),
    (
        the_cursor_alone,
        reading("test_equal_stamps_across_pages_are_each_read_once", "SYSPRO: invoices by OData", beyond=0),
    ),
    (
        edits_without_a_stamp_are_believed_impossible,
        reading("test_an_edit_later_on_the_same_day_arrives_by_the_next_poll", "SYSPRO: invoices by OData"),
    ),
    (
        edits_without_a_stamp_are_believed_impossible,
        reading("test_the_sweep_finds_what_the_cursor_missed", "SYSPRO: suppliers by OData"),
    ),
    (
        an_incomplete_sweep_counts,
        reading("test_absence_is_deletion_only_after_a_complete_sweep", "SYSPRO: invoices by OData"),
    ),
    (throttling_counts_as_a_try, limits("test_a_storm_of_throttling_uses_up_no_tries", wait=None)),
    (one_more_at_a_time, limits("test_never_more_requests_at_a_time_than_allowed")),
    (a_session_for_each, limits("test_a_session_that_ends_under_parallel_requests_costs_one_sign_in")),
    (any_certificate_will_do, certificate),
]


@pytest.mark.parametrize(
    ("take_out", "test"), TAKEN_OUT, ids=[f"{take_out.__name__}-{n}" for n, (take_out, _) in enumerate(TAKEN_OUT)]
)
def test_a_safeguard_that_is_taken_out_is_missed(workspace, monkeypatch, take_out, test):
    with monkeypatch.context() as patch:
        take_out(patch)
        with pytest.raises(Exception) as missed:
            test(workspace)
    assert not isinstance(missed.value, (AttributeError, TypeError, NameError)), "the mutation itself is broken"
