"""A supplier's personal data goes on request, from every table, and what was sent is never sent again (R69)."""

from __future__ import annotations

import zlib

import msgspec
import pytest
from django.apps import apps
from django.db import connection

from ml_connector.audit.models import AuditEntry
from ml_connector.audit.verify import verify
from ml_connector.integrations.base import Side
from ml_connector.sync import erasing, holds, packs, problems
from ml_connector.sync.erasing import EraseRefused
from ml_connector.sync.models import (
    Attempt,
    Exchange,
    Pack,
    Problem,
    ProblemComment,
    Record,
    RunKind,
    State,
    TargetEntry,
)
from tests.sync import acts

NAME = "Electra Components Inc."


@pytest.fixture
def named(delivered):
    """What is known of ELC001 stands in a comment too."""
    problem = Problem.objects.of(delivered.workspace).first()
    ProblemComment.objects.create(
        workspace=delivered.workspace, problem=problem, author="test", at=problem.opened_at, text=f"I called {NAME}"
    )
    return delivered


def personal(pair) -> list[str]:
    supplier = msgspec.json.decode(bytes(pair.record("ELC001").payload))
    address = supplier["address"]
    found = [supplier.get(name) for name in ("name", "tax_id", "email", "phone", "contact")]
    return [value for value in (*found, address["line1"]) if value]


def where(values: list[str]) -> set[str]:
    """The tables and columns in which one of these stands, over the whole database."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        names = [field.column for field in model._meta.concrete_fields]
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT {", ".join(chr(34) + name + chr(34) for name in names)} FROM "{table}"')
            for row in cursor.fetchall():
                for name, cell in zip(names, row, strict=True):
                    text = bytes(cell).decode(errors="replace") if isinstance(cell, bytes | memoryview) else str(cell)
                    if any(value.casefold() in text.casefold() for value in values):
                        found.add(f"{table}.{name}")
    return found


def test_an_erased_supplier_stands_in_no_table(named):  # R69
    values = personal(named)
    assert NAME in values and len(values) >= 4
    before = where(values)
    assert {"sync_record.payload", "sync_targetentry.payload", "sync_attempt.request", "sync_exchange.request",
            "sync_exchange.answer", "sync_problemcomment.text"} <= before  # fmt: skip
    foreseen = erasing.preview(named.integration, "ELC001")
    assert where(values) == before, "a preview changes nothing"
    done = erasing.erase(named.integration, "ELC001", "Case 12", "test")
    assert where(values) == set()
    assert done.rows == foreseen.rows and done.rows["ProblemComment"] == 1 and done.packs == 0
    verdict = verify(named.workspace)
    assert verdict.holds
    entry = AuditEntry.objects.of(named.workspace).get(action="erase")
    assert entry.subject == f"record:{named.record('ELC001').pk}" and "Case 12" in entry.detail
    assert ProblemComment.objects.of(named.workspace).get().text == "I called (erased)"


def test_later_documents_of_an_erased_supplier_keep_working(named):  # R69, R76
    erasing.erase(named.integration, "ELC001", "Case 12", "test")
    writes = named.writes(Side.PLATFORM)
    named.sync()
    named.run("suppliers", RunKind.SWEEP)
    named.sync("suppliers")
    assert named.writes(Side.PLATFORM) == writes, "nothing is sent again"
    record = named.record("ELC001")
    assert record.erased_at is not None and record.state == State.CONFIRMED
    acts.post(named, "ELC-LATER", "55.00")
    named.settle("invoices")
    assert named.record("ELC-LATER").state == State.CONFIRMED and len(named.bills("ELC-LATER")) == 1
    named.check()


def test_a_change_of_an_erased_supplier_waits_for_a_person_where_the_target_differs(named):  # R45, R69
    erasing.erase(named.integration, "ELC001", "Case 12", "test")
    named.later(minutes=1)
    acts.supplier(named, "ELC001", Telephone="+1 312 555 0001")
    named.bill.edit("vendors", {"id": acts.vendor(named, "ELC001")["id"], "phone": "+1 312 555 9999"})
    named.sync("suppliers")
    held = acts.problem(named, "conflict")
    assert held.detail["fields"] == ["phone"] and "no longer kept" in held.text
    assert acts.vendor(named, "ELC001")["phone"] == "+1 312 555 9999"
    record = named.record("ELC001")
    assert record.erased_at is None and record.renewed_at is not None
    problems.solve(held, "retry", "", "test")
    named.later(minutes=1)
    named.sync("suppliers")
    assert acts.vendor(named, "ELC001")["phone"] == "+1 312 555 0001"


@pytest.mark.parametrize("on", ["supplier", "workspace", "document"])
def test_nothing_held_is_erased(named, on):  # R70
    if on == "supplier":
        holds.hold_supplier(named.integration, "ELC001", "Lawsuit", "test")
    elif on == "workspace":
        holds.hold_workspace(named.workspace, "Lawsuit", "test")
    else:
        holds.hold_record(named.workspace, named.record("ELC-1001").pk, "Lawsuit", "test")
    values = personal(named)
    before = where(values)
    with pytest.raises(EraseRefused, match="nothing of supplier ELC001 is erased"):
        erasing.erase(named.integration, "ELC001", "Case 12", "test")
    assert where(values) == before


def test_what_is_under_way_and_what_is_not_there_is_refused(named):  # R69
    with pytest.raises(EraseRefused, match="no supplier with the key NOBODY"):
        erasing.preview(named.integration, "NOBODY")
    with pytest.raises(EraseRefused, match="needs a reason"):
        erasing.erase(named.integration, "ELC001", " ", "test")
    with pytest.raises(EraseRefused, match="must not name them"):
        erasing.erase(named.integration, "ELC001", f"{NAME} wrote to us", "test")
    Record.objects.of(named.workspace).filter(number="ELC-1001").update(state=State.IN_DOUBT)
    with pytest.raises(EraseRefused, match="ELC-1001 of supplier ELC001 are being written"):
        erasing.erase(named.integration, "ELC001", "Case 12", "test")
    Record.objects.of(named.workspace).filter(number="ELC-1001").update(state=State.CONFIRMED)
    Record.objects.of(named.workspace).filter(number="ELC001").update(state=State.BLOCKED)
    with pytest.raises(EraseRefused, match="still to be written"):
        erasing.erase(named.integration, "ELC001", "Case 12", "test")
    Record.objects.of(named.workspace).filter(number="ELC001").update(state=State.CONFIRMED)


def test_other_suppliers_keep_theirs(named):  # R69
    others = Record.objects.of(named.workspace).filter(flow__name="suppliers").exclude(key="ELC001")
    before = {row.pk: bytes(row.payload) for row in others}
    exchanges = Exchange.objects.of(named.workspace).exclude(attempt__record__number__startswith="ELC").count()
    erasing.erase(named.integration, "ELC001", "Case 12", "test")
    assert {row.pk: bytes(row.payload) for row in others.all()} == before
    kept = Exchange.objects.of(named.workspace).exclude(attempt__record__number__startswith="ELC")
    assert kept.count() == exchanges
    sent = Attempt.objects.of(named.workspace).exclude(record__number__startswith="ELC")
    assert sent.exists() and not sent.filter(request=b"").exists()
    assert TargetEntry.objects.of(named.workspace).filter(type="supplier").exclude(payload=b"").count() > 1


def test_an_erased_supplier_that_leaves_the_source_is_archived_all_the_same(named):  # R18, R69
    named.integration.policies = {**named.integration.policies, "supplier_gone": "archive"}
    named.integration.save()
    erasing.erase(named.integration, "ELC001", "Case 12", "test")
    vendor = acts.vendor(named, "ELC001")["id"]
    row = next(row for row in named.syspro.state("ApSupplier") if row["Supplier"] == "ELC001")
    acts.remove(named, "ApSupplier", row)
    named.run("suppliers", RunKind.SWEEP)
    named.run("suppliers", RunKind.PUSH)
    gone = next(row for row in named.bill.state("vendors") if row["id"] == vendor)
    assert gone["archived"] is True and gone["name"] == NAME, "it is archived, not overwritten"
    record = named.record("ELC001")
    assert record.gone and record.erased_at is not None and record.state == State.CONFIRMED


def test_a_frozen_pack_that_names_the_supplier_stays_and_is_counted(named):  # R36, R69
    named.later(days=20)
    named.sync()
    packs.freeze(named.integration, "2026-11", "test")
    pack = Pack.objects.of(named.workspace).get()
    content = bytes(pack.content)
    assert NAME in zlib.decompress(content).decode()
    done = erasing.erase(named.integration, "ELC001", "Case 12", "test")
    pack.refresh_from_db()
    assert done.packs == 1 and bytes(pack.content) == content and done.rows["TieOutRow"] >= 1
