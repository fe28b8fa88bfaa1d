"""A first load goes in batches; after it documents travel one by one."""

from __future__ import annotations

import pytest

from ml_connector.domain.records import decode
from ml_connector.sync import listing
from ml_connector.sync.deliver import Delivery
from ml_connector.sync.models import Link, Record, RunKind, State, TargetEntry
from tests.sync.pair import Pair, seeded_pair


@pytest.fixture
def pair(workspace):
    """Some 150 open invoices, read and not yet sent."""
    with seeded_pair(workspace, invoices=700, latency=0.0) as made:
        made.sync("suppliers")
        made.run("invoices", RunKind.PULL)
        made.bill.clear_requests()
        yield made


def creates(pair: Pair) -> tuple[int, int]:
    """Requests that create bills: singly, in batches."""
    paths = [row["path"] for row in pair.bill.requests() if row["method"] == "POST"]
    return (sum(path.endswith("/v3/bills") for path in paths), sum(path.endswith("/v3/bills/bulk") for path in paths))


def test_a_first_load_goes_in_batches_and_makes_each_bill_once(pair):
    run = pair.run("invoices", RunKind.PUSH)

    created = run.counts["created"]
    single, batches = creates(pair)
    assert created > 50
    assert batches >= 1
    assert single == 0
    assert len(pair.bills()) == len({row["id"] for row in pair.bills()}) == created
    linked = set(Link.objects.of(pair.workspace).filter(type="invoice").values_list("target_key", flat=True))
    assert linked == {row["id"] for row in pair.bills()}
    assert pair.adds_up()


def test_a_first_load_that_was_cut_short_goes_on_in_batches(pair):
    assert pair.run("invoices", RunKind.PUSH, seconds=0).counts["unfinished"]

    pair.run("invoices", RunKind.PUSH)

    assert creates(pair)[0] == 0


def test_one_bad_member_of_a_batch_keeps_no_other_from_travelling(pair):
    vendors = Link.objects.of(pair.workspace).filter(type="supplier").values_list("source_key", "target_key")
    waiting = Record.objects.of(pair.workspace).filter(flow__name="invoices", state=State.STAGED)
    supplier, vendor = next(
        (key, there) for key, there in vendors if waiting.filter(key__startswith=f"{key}/").exists()
    )
    pair.bill.edit("vendors", {"id": vendor, "archived": True})

    pair.run("invoices", RunKind.PUSH)

    confirmed = Record.objects.of(pair.workspace).filter(flow__name="invoices", state=State.CONFIRMED)
    assert confirmed.count() == len(pair.bills()) > 50
    assert not confirmed.filter(key__startswith=f"{supplier}/").exists()


def test_after_the_first_load_documents_travel_one_by_one(pair):
    Record.objects.of(pair.workspace).filter(flow__name="invoices").update(state=State.SKIPPED)
    pair.run("invoices", RunKind.PUSH)
    Record.objects.of(pair.workspace).filter(flow__name="invoices").update(state=State.STAGED)

    run = pair.run("invoices", RunKind.PUSH)

    assert creates(pair) == (run.counts["created"], 0)


def test_what_a_person_linked_meanwhile_is_not_created(pair, monkeypatch):  # R46
    """Linked after the look-up of what is to be sent, before its intent."""
    flow = pair.flow("invoices")
    ordinary, done = Delivery._intend, []

    def linked_first(self, requests):
        if not done:
            task = requests[0][0]
            done.append(task.record.key)
            Link.objects.create(
                workspace=pair.workspace, integration=flow.integration, type="invoice", source_key=task.record.key,
                target_key="typed by hand", made_by="ann", made_at=task.record.staged_at,
            )  # fmt: skip
        return ordinary(self, requests)

    monkeypatch.setattr(Delivery, "_intend", linked_first)
    pair.run("invoices", RunKind.PUSH)

    record = Record.objects.of(pair.workspace).get(flow=flow, key=done[0])
    vendor = Link.objects.of(pair.workspace).get(type="supplier", source_key=done[0].split("/")[0]).target_key
    assert record.number not in {row["invoice"]["invoiceNumber"] for row in pair.bills() if row["vendorId"] == vendor}


def test_the_list_of_the_target_is_asked_by_mark_first_then_by_number(pair):  # R5, R6
    pair.run("invoices", RunKind.PUSH)
    flow = pair.flow("invoices")
    entry = TargetEntry.objects.of(pair.workspace).filter(type="invoice").exclude(mark="").earliest("pk")
    record = decode("invoice", bytes(entry.payload))

    found = listing.hits(flow, {entry.mark: record, "mlc0000000000": record})

    assert [hit.key for hit in found[entry.mark]] == [entry.key]
    assert entry.key in [hit.key for hit in found["mlc0000000000"]]
    assert listing.hits(flow, {}) == {}
