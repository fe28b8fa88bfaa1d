"""A preview says what the next sync does, and does nothing itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from ml_connector.audit.models import AuditEntry, ChainHead
from ml_connector.audit.verify import verify
from ml_connector.domain.money import from_units
from ml_connector.integrations.base import Side
from ml_connector.sync import shadow
from ml_connector.sync.leases import LeaseTaken, held
from ml_connector.sync.models import Attempt, Connection, Link, Operation, Problem, ProblemRecord, Record, State
from ml_connector.sync.preview import Preview, PreviewFailed, Stopped, preview

BY_OPERATION = {Operation.CREATE: "created", Operation.UPDATE: "updated", Operation.CANCEL: "cancelled"}


@pytest.fixture
def coded(empty):
    """Accounts and cost centers are mapped; neither a supplier nor a document was read."""
    empty.map_accounts()
    return empty


def everything(pair) -> dict[str, Any]:
    """All rows of the Workspace that a sync could change, but for the trail."""
    found: dict[str, Any] = {}
    for model in shadow.tables():
        if model not in {AuditEntry, ChainHead}:
            found[model.__name__] = sorted(map(repr, model.objects.of(pair.workspace).values_list()))
    return found


def done(pair, since: int = 0) -> dict[str, dict[str, Any]]:
    """What became of each Flow's Records since an Attempt, as the real tables say it."""
    found = {}
    for name in ("suppliers", "invoices", "credit_notes"):
        flow = pair.flow(name)
        rows = Record.objects.of(pair.workspace).filter(flow=flow)
        attempts = Attempt.objects.of(pair.workspace).filter(record__flow=flow, pk__gt=since, outcome="confirmed")
        groups = {BY_OPERATION[kind]: rows.filter(pk__in=attempts.filter(operation=kind).values("record"))
                  for kind in Operation}  # fmt: skip
        groups |= {"skipped": rows.filter(state=State.SKIPPED), "blocked": rows.filter(state=State.BLOCKED)}
        causes: dict[str, set[int]] = {}
        held_rows = ProblemRecord.objects.of(pair.workspace).filter(
            record__flow=flow, record__state=State.BLOCKED, problem__state="open", problem__blocks=True
        )
        for cause, record in held_rows.values_list("problem__cause", "record"):
            causes.setdefault(cause, set()).add(record)
        found[name] = {
            **{group: tallied(list(rows)) for group, rows in groups.items()},
            "causes": {cause: len(records) for cause, records in causes.items()},
        }
    return found


def tallied(rows: list[Record]) -> tuple[int, dict[str, Decimal]]:
    sums: dict[str, Decimal] = {}
    for row in rows:
        if row.amount is not None:
            sums[row.currency] = sums.get(row.currency, Decimal(0)) + from_units(row.amount, row.currency)
    return len(rows), sums


def told(found: Preview) -> dict[str, dict[str, Any]]:
    return {
        flow.flow: {
            **{
                group: (getattr(flow, group).records, getattr(flow, group).amount)
                for group in ("created", "updated", "cancelled", "skipped", "blocked")
            },
            "causes": {held.cause: held.tally.records for held in flow.causes},
        }
        for flow in found.flows
    }


def test_a_preview_counts_what_the_first_sync_then_does_to_the_cent(coded):
    foreseen = told(preview(coded.integration, "test"))
    coded.settle()
    assert foreseen == done(coded)
    assert foreseen["invoices"]["created"][0] > 3 and foreseen["invoices"]["created"][1]["USD"] > 1000
    assert foreseen["suppliers"]["created"][0] > 2
    assert "unmapped_code" in foreseen["invoices"]["causes"]
    assert foreseen["suppliers"]["causes"] == {"supplier_ambiguous": 1}


def test_it_counts_from_nothing_read_at_all(empty):
    """Codes, suppliers and documents are read for it; without Mappings every document waits."""
    found = told(preview(empty.integration, "test"))
    empty.settle()
    assert found == done(empty)
    assert found["invoices"]["created"] == (0, {})
    assert found["invoices"]["blocked"][0] > 5


def test_it_writes_nothing_to_the_target_and_leaves_nothing_behind(coded):  # R6, R76
    before, rows = coded.writes(Side.PLATFORM), everything(coded)
    bills, vendors = coded.bill.state("bills"), coded.bill.state("vendors")
    links = Link.objects.of(coded.workspace).count()
    found = preview(coded.integration, "test")
    assert found.flows[1].created.records > 0, "there was something to write"
    assert coded.writes(Side.PLATFORM) == before == 0
    assert (coded.bill.state("bills"), coded.bill.state("vendors")) == (bills, vendors)
    assert everything(coded) == rows
    assert Link.objects.of(coded.workspace).count() == links
    assert coded.adds_up()
    assert verify(coded.workspace).holds
    assert not Connection.objects.of(coded.workspace).exclude(lease_holder="").exists()


def test_a_second_preview_and_the_sync_after_it_say_the_same(coded):
    first, second = preview(coded.integration, "test"), preview(coded.integration, "test")
    assert told(first) == told(second)
    coded.settle()
    assert told(second) == done(coded)


def test_what_was_delivered_already_is_foreseen_as_done_and_an_edit_as_an_update(delivered):
    last = Attempt.objects.of(delivered.workspace).order_by("-pk").first().pk
    nothing = told(preview(delivered.integration, "test"))
    assert all(flow[group][0] == 0 for flow in nothing.values() for group in ("created", "updated", "cancelled"))
    assert nothing["invoices"]["blocked"][0] > 0, "what is held stays held"
    supplier = next(row for row in delivered.syspro.state("ApSupplier") if row["Supplier"].strip() == "ELC001")
    supplier["SupplierName"] = "Electra Components Limited"
    delivered.syspro.edit("ApSupplier", supplier)
    delivered.later(minutes=30)
    found = told(preview(delivered.integration, "test"))
    assert found["suppliers"]["updated"][0] == 1
    delivered.sync()
    after = done(delivered, since=last)
    assert {name: flow["updated"] for name, flow in found.items()} == {
        name: flow["updated"] for name, flow in after.items()
    }


def test_the_trail_says_that_a_preview_was_made_and_keeps_its_chain(mapped):  # R66
    preview(mapped.integration, "person:7")
    entry = AuditEntry.objects.of(mapped.workspace).order_by("-sequence").first()
    assert (entry.action, entry.actor, entry.subject) == ("preview", "person:7", f"integration:{mapped.integration.pk}")
    assert '"create"' in entry.detail
    assert verify(mapped.workspace).holds


def test_a_system_that_does_not_answer_ends_it_with_a_sentence_and_without_a_trace(mapped):  # R19
    rows = everything(mapped)
    mapped.bill.faults([{"match": {"path": "/v3/vendors"}, "do": "status", "status": 503, "times": 50}])
    with pytest.raises(PreviewFailed, match="Nothing was written"):
        preview(mapped.integration, "test")
    assert everything(mapped) == rows
    health = Connection.objects.of(mapped.workspace).values_list("health", flat=True)
    assert set(health) <= {"ok", "unknown"}, "a look does not judge a Connection"
    mapped.bill.faults([])
    preview(mapped.integration, "test")


def test_it_waits_for_nobody_and_says_who_holds_a_connection(mapped):
    with held(mapped.platform.pk, "somebody"), pytest.raises(LeaseTaken, match="somebody"):
        preview(mapped.integration, "test")


def test_it_can_be_stopped_on_its_way(mapped):
    rows = everything(mapped)

    def stop(text: str) -> None:
        if text.startswith("Judging invoices"):
            raise Stopped

    with pytest.raises(Stopped):
        preview(mapped.integration, "test", stop)
    assert everything(mapped) == rows
    assert not Connection.objects.of(mapped.workspace).exclude(lease_holder="").exists()


def test_every_table_of_the_engine_is_shadowed_but_that_of_connections(database):
    names = {model._meta.db_table for model in shadow.tables()}
    of_engine = {model._meta.db_table for room in ("sync", "audit") for model in apps.get_app_config(room).get_models()}
    assert of_engine - names == {"sync_connection", "sync_allowance"}


def test_a_shadow_begins_outside_of_a_transaction(workspace):
    from django.db import transaction

    with transaction.atomic(), pytest.raises(shadow.NotShadowed), shadow.shadowed(workspace):
        pass
    assert connection.ensure_connection() is None
    assert Problem.objects.of(workspace).count() == 0
