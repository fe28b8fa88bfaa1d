"""An edit, a deletion, a re-ordering and a truncation are found, in the database and in an export (R67)."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from ml_connector import audit, clock
from ml_connector.audit import offline_verify
from ml_connector.audit.chain import values
from ml_connector.audit.checkpoints import checkpoint
from ml_connector.audit.export import export
from ml_connector.audit.models import AuditEntry, ChainHead, Checkpoint
from ml_connector.audit.verify import Verdict, verify
from ml_connector.workspaces.models import Workspace

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw().hex()


@pytest.fixture
def trail(workspace: Workspace) -> Iterator[Workspace]:
    """Ten entries, a checkpoint at the tenth, its entry, and five more; unprotected."""
    clock.hold(datetime(2026, 11, 16, 12, 0, tzinfo=UTC))
    for number in range(10):
        audit.note(workspace, "worker", "decision", f"record:{number}", state="ready", text='Zoë, \u2028 \x07 \\ "')
    checkpoint(workspace, KEY, "worker")
    for number in range(10, 15):
        audit.note(workspace, "worker", "decision", f"record:{number}", state="ready")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in ("audit_auditentry", "audit_checkpoint"):
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")
    yield workspace


def anchor(workspace: Workspace) -> tuple[int, str]:
    head = ChainHead.objects.of(workspace).get()
    return head.sequence, bytes(head.hash).hex()


def at(workspace: Workspace, sequence: int) -> Any:
    return AuditEntry.objects.of(workspace).filter(sequence=sequence)


def chain_anew(workspace: Workspace, *, head: bool = True) -> None:
    """What one does who can write to the database and knows how the chain is made."""
    last, sequence = offline_verify.beginning(workspace.name), 0
    for entry in AuditEntry.objects.of(workspace).order_by("sequence"):
        sequence = entry.sequence
        last = hashlib.sha256(last + offline_verify.canonical(values(entry))).digest()
        at(workspace, sequence).update(hash=last)
    if head:
        ChainHead.objects.of(workspace).update(sequence=sequence, hash=last)


def swap(workspace: Workspace, one: int, other: int) -> None:
    at(workspace, one).update(sequence=-1)
    at(workspace, other).update(sequence=one)
    at(workspace, -1).update(sequence=other)


def bad(verdict: Verdict) -> int | None:
    assert not verdict.holds
    return verdict.bad


def test_an_untouched_trail_holds(trail: Workspace) -> None:
    verdict = verify(trail, anchor(trail), PUBLIC)
    assert (verdict.holds, verdict.entries, verdict.bad) == (True, 16, None)
    assert "unbroken" in verdict.text


def test_an_empty_trail_holds(workspace: Workspace) -> None:
    assert verify(workspace).holds
    assert checkpoint(workspace, KEY, "worker") is None


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "someone"},
        {"detail": '{"state":"skipped"}'},
        {"at": datetime(2026, 11, 15, 12, 0, tzinfo=UTC)},
        {"run": 5},
        {"transaction": "0" * 32},
        {"action": "skip"},
        {"subject": "record:99"},
        {"source_version": "f" * 64},
        {"hash": b"0" * 32},
    ],
)
def test_an_edit_is_found(trail: Workspace, change: dict[str, Any]) -> None:
    at(trail, 4).update(**change)
    assert bad(verify(trail)) == 4


def test_a_deletion_is_found(trail: Workspace) -> None:
    at(trail, 4).delete()
    assert bad(verify(trail)) == 4


def test_a_deletion_that_was_closed_up_is_found(trail: Workspace) -> None:
    at(trail, 4).delete()
    for sequence in range(5, 17):
        at(trail, sequence).update(sequence=sequence - 1)
    assert bad(verify(trail)) == 4


def test_a_re_ordering_is_found(trail: Workspace) -> None:
    swap(trail, 4, 7)
    assert bad(verify(trail)) == 4


def test_a_chain_that_was_made_anew_disagrees_with_its_checkpoint(trail: Workspace) -> None:
    at(trail, 4).update(detail="{}")
    chain_anew(trail)
    assert bad(verify(trail)) == 10


def test_a_chain_made_anew_behind_the_checkpoint_disagrees_with_the_anchor(trail: Workspace) -> None:
    kept = anchor(trail)
    at(trail, 14).update(detail="{}")
    chain_anew(trail)
    assert verify(trail).holds
    assert bad(verify(trail, kept)) == 16


def test_a_truncation_is_found_by_the_head(trail: Workspace) -> None:
    AuditEntry.objects.of(trail).filter(sequence__gt=12).delete()
    assert bad(verify(trail)) == 13


def test_a_truncation_with_its_head_is_found_by_the_checkpoint(trail: Workspace) -> None:
    AuditEntry.objects.of(trail).filter(sequence__gt=8).delete()
    chain_anew(trail)
    assert bad(verify(trail)) == 9


def test_a_truncation_with_head_and_checkpoint_is_found_by_the_anchor(trail: Workspace) -> None:
    kept = anchor(trail)
    AuditEntry.objects.of(trail).filter(sequence__gt=8).delete()
    Checkpoint.objects.of(trail).delete()
    chain_anew(trail)
    assert verify(trail).holds
    assert bad(verify(trail, kept)) == 9


def test_an_emptied_trail_is_found_by_the_anchor(trail: Workspace) -> None:
    kept = anchor(trail)
    for model in (AuditEntry, Checkpoint, ChainHead):
        model.objects.of(trail).delete()
    assert bad(verify(trail, kept)) == 1


def test_a_removed_head_is_found(trail: Workspace) -> None:
    ChainHead.objects.of(trail).delete()
    assert not verify(trail).holds


def test_entries_behind_the_head_are_found(trail: Workspace) -> None:
    ChainHead.objects.of(trail).update(sequence=12, hash=bytes(at(trail, 12).get().hash))
    assert bad(verify(trail)) == 13


def test_a_trail_cannot_pass_for_another_workspace_s(trail: Workspace) -> None:
    other = Workspace.objects.create(name="other", created_at=clock.now())
    for model in (AuditEntry, Checkpoint, ChainHead):
        model.objects.of(trail).update(workspace=other)
    assert bad(verify(other)) == 1


def test_a_checkpoint_that_another_key_signed_is_found(trail: Workspace) -> None:
    forged = Ed25519PrivateKey.generate()
    row = Checkpoint.objects.of(trail).get()
    message = offline_verify.statement("acme", 10, bytes(row.hash).hex(), "2026-11-16T12:00:00.000000Z")
    Checkpoint.objects.of(trail).update(
        signature=forged.sign(message), public_key=forged.public_key().public_bytes_raw().hex()
    )
    assert bad(verify(trail, public_key=PUBLIC)) == 10
    Checkpoint.objects.of(trail).update(public_key=PUBLIC)
    assert bad(verify(trail, public_key=PUBLIC)) == 10


def test_a_checkpoint_is_made_once_where_nothing_happened_since(trail: Workspace, caplog: Any) -> None:
    with caplog.at_level("INFO"):
        first = checkpoint(trail, KEY, "worker")
    assert first is not None
    assert first.sequence == 16
    assert first.anchor in caplog.text
    assert checkpoint(trail, KEY, "worker") == first
    assert verify(trail, anchor(trail), PUBLIC).holds


# --- exports


@pytest.fixture
def lines(trail: Workspace) -> list[str]:
    stream = io.StringIO()
    assert export(trail, stream) == 16
    stream.seek(0)
    return list(stream)


def edited(lines: list[str], number: int, change: Callable[[dict[str, Any]], None]) -> list[str]:
    row = json.loads(lines[number])
    change(row)
    return [*lines[:number], json.dumps(row) + "\n", *lines[number + 1 :]]


def broken(lines: list[str], anchor: tuple[int, str] | None = None) -> int:
    with pytest.raises(offline_verify.Broken) as error:
        offline_verify.verify(lines, anchor, PUBLIC)
    return error.value.sequence


def test_an_untouched_export_is_unbroken(trail: Workspace, lines: list[str]) -> None:
    assert "16 entries, unbroken" in offline_verify.verify(lines, anchor(trail), PUBLIC)


def test_an_edit_of_an_export_is_found(lines: list[str]) -> None:
    assert broken(edited(lines, 4, lambda row: row["entry"].__setitem__(2, "someone"))) == 4


def test_a_deletion_from_an_export_is_found(lines: list[str]) -> None:
    assert broken(lines[:4] + lines[5:]) == 4


def test_a_re_ordering_of_an_export_is_found(lines: list[str]) -> None:
    assert broken([*lines[:4], lines[5], lines[4], *lines[6:]]) == 4


def test_a_cut_off_export_is_found(lines: list[str]) -> None:
    assert broken(lines[:8]) == 8
    with pytest.raises(offline_verify.Broken, match="not readable"):
        offline_verify.verify([*lines[:8], lines[8][:20]])


def test_an_export_cut_off_and_ended_anew_is_found_by_the_anchor(trail: Workspace, lines: list[str]) -> None:
    end = json.dumps({"end": 8, "hash": json.loads(lines[8])["hash"]})
    assert "unbroken" in offline_verify.verify([*lines[:9], end])
    assert broken([*lines[:9], end], anchor(trail)) == 9


def test_what_follows_the_end_of_an_export_is_found(lines: list[str]) -> None:
    assert broken([*lines, lines[3]]) == 17


def test_a_false_signature_in_an_export_is_found(lines: list[str]) -> None:
    [number] = [number for number, line in enumerate(lines) if line.startswith('{"checkpoint"')]
    assert broken(edited(lines, number, lambda row: row.update(signature="00" * 64))) == 10


def test_an_export_may_begin_later(trail: Workspace) -> None:
    stream = io.StringIO()
    assert export(trail, stream, since=12) == 4
    stream.seek(0)
    lines = list(stream)
    assert "Entries up to 12 were not given" in offline_verify.verify(lines, anchor(trail), PUBLIC)
    early = (4, bytes(at(trail, 4).get().hash).hex())
    assert "was not compared" in offline_verify.verify(lines, early)
    assert broken(lines, (12, "0" * 64)) == 12


def offline(file: Path, *arguments: str) -> tuple[int, str]:
    """The script, copied elsewhere, in an interpreter that has none of our packages."""
    script = file.with_name("check.py")
    script.write_text(Path(offline_verify.__file__).read_text())
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), str(file), *arguments], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_the_script_runs_alone(tmp_path: Path, trail: Workspace, lines: list[str]) -> None:
    file = tmp_path / "trail.jsonl"
    file.write_text("".join(lines), encoding="utf-8")
    sequence, digest = anchor(trail)
    status, text = offline(file, "--anchor", f"{sequence}:{digest}", "--public-key", PUBLIC)
    assert status == 0
    assert "16 entries, unbroken" in text
    assert "1 signatures not checked: the cryptography package is missing" in text
    file.write_text("".join(lines[:4] + lines[5:]), encoding="utf-8")
    assert offline(file) == (1, "NOT UNBROKEN: Entry 4 is missing; 5 stands in its place.\n")
    file.write_text("something else")
    assert offline(file)[0] != 0
