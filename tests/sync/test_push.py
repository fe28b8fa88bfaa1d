"""A push sends what it has resolved while the rest still waits, and leaves nobody uninformed when it is cut short."""

from __future__ import annotations

from ml_connector import clock
from ml_connector.audit.models import AuditEntry
from ml_connector.sync.deliver import LOOKED_UP
from ml_connector.sync.models import Attempt, Record, RunKind, TargetEntry
from tests.sync.acts import post
from tests.sync.pair import Pair


def enter(pair: Pair, count: int) -> None:
    for number in range(count):
        post(pair, f"PSH-{number:03}", f"{50 + number}.00")
    pair.run("invoices", RunKind.PULL)


def test_the_first_bill_is_sent_before_the_last_document_is_resolved(delivered):
    enter(delivered, 2 * LOOKED_UP)

    run = delivered.run("invoices", RunKind.PUSH)

    entries = AuditEntry.objects.of(delivered.workspace).filter(run=run.pk)
    resolved = entries.filter(action="decision", detail__contains='"state":"ready"').values_list("sequence", flat=True)
    sent = entries.filter(action="intent").values_list("sequence", flat=True)
    assert run.counts["created"] == len(resolved) == len(sent) == 2 * LOOKED_UP
    assert min(sent) < max(resolved)
    assert all(ready < intent for ready, intent in zip(sorted(resolved), sorted(sent), strict=True))


def test_a_document_that_waits_for_people_is_shown_although_the_target_sends_us_away(delivered):  # R49, R59
    post(delivered, "PSH-UNMAPPED", account="10-6999")
    enter(delivered, 2 * LOOKED_UP)
    post(delivered, "PSH-UNMAPPED-2", account="10-6999")
    delivered.run("invoices", RunKind.PULL)
    delivered.bill.faults([{"match": {"method": "POST", "path": "/v3/bills"}, "do": "throttle"}])

    delivered.run("invoices", RunKind.PUSH)

    ours = Record.objects.of(delivered.workspace).filter(number__startswith="PSH-")
    assert not ours.filter(state="staged").exists()
    assert ours.filter(state="blocked").count() == 2


def test_a_push_that_ran_out_of_time_goes_on_at_once_and_lists_the_target_only_then(delivered):
    enter(delivered, 2 * LOOKED_UP)
    slow = {"match": {"method": "POST", "path": "/v3/bills"}, "do": "delay", "seconds": 0.5, "when": "after"}
    delivered.bill.faults([slow])

    run = delivered.run("invoices", RunKind.PUSH, seconds=5)

    assert run.counts["unfinished"]
    assert 0 < run.counts["created"] < 2 * LOOKED_UP
    assert last_request(delivered) == "POST"
    assert delivered.flow("invoices").next_push_at <= clock.now()

    delivered.bill.faults([])
    delivered.run("invoices", RunKind.PUSH)
    assert last_request(delivered) == "GET"
    assert TargetEntry.objects.of(delivered.workspace).filter(mark__in=marks(delivered)).count() == 2 * LOOKED_UP


def last_request(pair: Pair) -> str:
    """The method of the last request that had to do with bills."""
    return [row["method"] for row in pair.bill.requests() if row["path"].endswith("/v3/bills")][-1]


def marks(pair: Pair) -> list[str]:
    attempts = Attempt.objects.of(pair.workspace).filter(record__number__startswith="PSH-", outcome="confirmed")
    return list(attempts.values_list("mark", flat=True))
