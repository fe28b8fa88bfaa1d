from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from ml_connector import audit, clock
from ml_connector.audit import chain, offline_verify
from ml_connector.audit.models import AuditEntry, ChainHead, Checkpoint
from ml_connector.audit.verify import verify
from ml_connector.workspaces.models import Workspace


def entries(workspace: Workspace) -> list[AuditEntry]:
    return list(AuditEntry.objects.of(workspace).order_by("sequence"))


def actions(workspace: Workspace) -> list[str]:
    return [entry.action for entry in entries(workspace)]


def test_entries_of_a_transaction_are_chained_in_order(workspace: Workspace) -> None:  # R66
    clock.hold(datetime(2026, 11, 16, 12, 0, tzinfo=UTC))
    with audit.recording(workspace, actor="worker", run=7) as trail:
        trail.add("read_batch", "flow:1", source_version="ab" * 32, read=2)
        trail.add("decision", "record:1", state="ready", amount="12.50")
    first, second = entries(workspace)
    assert (first.sequence, first.actor, first.run, first.action, first.subject) == (
        1,
        "worker",
        7,
        "read_batch",
        "flow:1",
    )
    assert first.source_version == "ab" * 32
    assert first.at == datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
    assert json.loads(second.detail) == {"state": "ready", "amount": "12.50"}
    assert first.transaction == second.transaction
    assert verify(workspace).holds


def test_nothing_is_stored_of_a_transaction_that_fails(workspace: Workspace) -> None:
    with pytest.raises(ZeroDivisionError), audit.recording(workspace, actor="worker") as trail:
        trail.add("decision", "record:1")
        raise ZeroDivisionError
    assert entries(workspace) == []
    audit.note(workspace, "anna", "login", "person:anna")
    assert actions(workspace) == ["login"]


def test_a_detail_may_be_called_action_or_subject(workspace: Workspace) -> None:
    with audit.recording(workspace, actor="anna") as trail:
        trail.add("override", "problem:1", action="skip", subject="x")
    assert json.loads(entries(workspace)[0].detail) == {"action": "skip", "subject": "x"}


def test_a_recording_inside_another_joins_it(workspace: Workspace) -> None:
    with audit.recording(workspace, actor="worker") as outer:
        outer.add("intent", "record:1")
        with audit.recording(workspace, actor="anna") as inner:
            inner.add("outcome", "record:1")
        outer.add("link", "record:1")
        assert entries(workspace) == []
    assert [(entry.action, entry.actor) for entry in entries(workspace)] == [
        ("intent", "worker"),
        ("outcome", "anna"),
        ("link", "worker"),
    ]
    assert len({entry.transaction for entry in entries(workspace)}) == 1


def test_an_inner_recording_that_fails_leaves_neither_rows_nor_entries(workspace: Workspace) -> None:
    with audit.recording(workspace, actor="worker") as outer:
        outer.add("intent", "record:1")
        with pytest.raises(ZeroDivisionError), audit.recording(workspace, actor="worker") as inner:
            Workspace.objects.create(name="never", created_at=clock.now())
            inner.add("outcome", "record:1")
            raise ZeroDivisionError
    assert actions(workspace) == ["intent"]
    assert not Workspace.objects.filter(name="never").exists()


def test_workspaces_have_trails_of_their_own(workspace: Workspace) -> None:  # R74
    other = Workspace.objects.create(name="other", created_at=clock.now())
    with audit.recording(workspace, actor="worker") as mine, audit.recording(other, actor="worker") as theirs:
        mine.add("decision", "record:1")
        theirs.add("decision", "record:2")
    assert [entry.sequence for entry in entries(workspace) + entries(other)] == [1, 1]
    assert verify(workspace).holds
    assert verify(other).holds


def test_threads_that_write_at_once_make_one_chain(workspace: Workspace) -> None:
    import threading

    errors: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for number in range(20):
                with audit.recording(workspace, actor=name) as trail:
                    trail.add("decision", f"record:{number}")
                    trail.add("link", f"record:{number}")
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=[f"w{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert verify(workspace).holds  # beside running work
    for thread in threads:
        thread.join()
    assert errors == []
    assert verify(workspace).entries == 160


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_auditentry SET actor = 'someone else'",
        "DELETE FROM audit_auditentry",
        "UPDATE audit_checkpoint SET sequence = 2",
        "DELETE FROM audit_checkpoint",
    ],
)
def test_the_database_refuses_to_change_the_trail(workspace: Workspace, change: str) -> None:  # R68
    audit.note(workspace, "anna", "login", "person:1")
    Checkpoint.objects.create(
        workspace=workspace, sequence=1, hash=b"1" * 32, at=clock.now(), signature=b"1" * 64, public_key="1" * 64
    )
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_postgresql_refuses_to_truncate_the_trail(workspace: Workspace) -> None:  # R68
    if connection.vendor != "postgresql":
        pytest.skip("SQLite knows no TRUNCATE.")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_auditentry")


def test_the_order_of_the_columns_is_that_of_the_offline_verifier(workspace: Workspace) -> None:
    audit.note(workspace, "anna", "login", "person:1")
    entry = entries(workspace)[0]
    content = offline_verify.canonical(chain.values(entry))
    assert offline_verify.hashlib.sha256(offline_verify.beginning("acme") + content).digest() == bytes(entry.hash)
    assert ChainHead.objects.of(workspace).get().sequence == 1


@given(
    st.tuples(
        st.integers(1, 2**62), st.text(), st.text(), st.none() | st.integers(0, 2**62), st.text(), st.text(), st.text()
    )
)
def test_both_encoders_give_the_same_bytes(values: tuple[Any, ...]) -> None:
    assert chain.canonical(values) == offline_verify.canonical(values)


def test_an_instant_has_one_text() -> None:
    assert chain.instant(datetime(2026, 11, 16, 12, 0, tzinfo=UTC)) == "2026-11-16T12:00:00.000000Z"
    assert chain.instant(datetime(2026, 11, 16, 12, 0, 0, 5, tzinfo=UTC)) == "2026-11-16T12:00:00.000005Z"
