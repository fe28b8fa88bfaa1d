"""The oldest entries are removed by age: the chain holds on from its signed beginning, and nothing else may go."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import DatabaseError, connection, connections, transaction

from ml_connector import audit, clock
from ml_connector.audit import cutting, offline_verify, reading
from ml_connector.audit.chain import cut_values, values
from ml_connector.audit.checkpoints import checkpoint
from ml_connector.audit.export import export, lines
from ml_connector.audit.models import AuditEntry, ChainHead, Checkpoint, Cut
from ml_connector.audit.offline_verify import Broken, cut_statement
from ml_connector.audit.reading import Narrowing
from ml_connector.audit.verify import Verdict, verify
from ml_connector.workspaces.models import Workspace
from tests.audit.test_tampering import KEY, PUBLIC, anchor, at, bad, broken, chain_anew, edited, offline

BEGIN = datetime(2020, 1, 1, 12, 0, tzinfo=UTC)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)


@pytest.fixture
def trail(workspace: Workspace) -> Iterator[Workspace]:
    """Three years from 2020 on, each of nine entries, a checkpoint and its entry; it is 2030."""
    for year in range(3):
        for number in range(9):
            clock.hold(BEGIN + timedelta(days=366 * year + number))
            audit.note(workspace, "worker", "decision", f"record:{number}", state="ready")
        checkpoint(workspace, KEY, "worker")
    clock.hold(datetime(2030, 6, 1, tzinfo=UTC))
    yield workspace


def found(workspace: Workspace, *, before: int, **narrower: Any) -> cutting.Stretch | None:
    return cutting.stretch(workspace, datetime(before, 1, 1, tzinfo=UTC), **narrower)


def cut(workspace: Workspace, *, before: int, key: Ed25519PrivateKey = KEY) -> Cut:
    """What is older than a year goes from the trail; its rows are left to `remove_rows`."""
    stretch = found(workspace, before=before)
    assert stretch is not None
    cutting.check(workspace, stretch, PUBLIC)
    with audit.recording(workspace, actor="worker") as trail:
        return cutting.cut(trail, workspace, stretch, 8, key)


@pytest.fixture
def cut_once(trail: Workspace) -> Workspace:
    """The first year's nine entries are gone: the chain begins at 10 and ends at 31."""
    cut(trail, before=2021)
    assert cutting.remove_rows(trail) == 9
    return trail


@pytest.fixture
def unprotected(cut_once: Workspace) -> Workspace:
    """In the hands of somebody who owns the tables."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in ("audit_auditentry", "audit_checkpoint", "audit_cut"):
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")
    return cut_once


def exported(workspace: Workspace, since: int = 0) -> list[str]:
    return list(lines(workspace, since))


def both(workspace: Workspace) -> tuple[int | None, int]:
    """Where the database's check, and that of an export, find the first fault."""
    return bad(verify(workspace, public_key=PUBLIC)), broken(exported(workspace))


def sign(row: Cut, key: Ed25519PrivateKey, workspace: str = "acme") -> dict[str, Any]:
    return {
        "signature": key.sign(cut_statement(workspace, cut_values(row))),
        "public_key": key.public_key().public_bytes_raw().hex(),
    }


# --- what goes


def test_entries_go_up_to_the_last_checkpoint_that_is_old_enough(trail: Workspace) -> None:  # R70
    assert found(trail, before=2020) is None
    first = found(trail, before=2021)
    assert first is not None
    assert (first.since, first.up_to, first.entries, first.start) == (0, 9, 9, b"")
    assert first.hash == bytes(at(trail, 9).get().hash)
    assert (first.oldest, first.newest) == (BEGIN, BEGIN + timedelta(days=8))
    all_of_it = found(trail, before=2030)
    assert all_of_it is not None and all_of_it.up_to == 29, "the newest checkpoint's own entry stays: there is a head"


def test_nothing_goes_that_no_checkpoint_vouches_for(workspace: Workspace) -> None:  # R70
    clock.hold(BEGIN)
    audit.note(workspace, "worker", "decision", "record:1")
    assert found(workspace, before=2030) is None


def test_an_entry_with_a_later_time_than_its_checkpoint_stays(trail: Workspace) -> None:  # R70
    """A machine's clock went ahead: the entry before it may go, and only up to a checkpoint."""
    clock.hold(datetime(2024, 1, 1, tzinfo=UTC))
    audit.note(trail, "worker", "decision", "record:1")
    clock.hold(datetime(2023, 1, 1, tzinfo=UTC))
    late = checkpoint(trail, KEY, "worker")
    assert late is not None and late.sequence == 31
    stretch = found(trail, before=2024)
    assert stretch is not None and stretch.up_to == 29


def test_a_hold_stops_it_before_the_first_entry_that_it_covers(trail: Workspace) -> None:  # R70
    stretch = found(trail, before=2030, first_held=25)
    assert stretch is not None and stretch.up_to == 19
    assert found(trail, before=2030, first_held=9) is None


def test_it_goes_a_part_at_a_time(trail: Workspace) -> None:  # R70
    stretch = found(trail, before=2030, at_most=20)
    assert stretch is not None and stretch.up_to == 19
    whole = found(trail, before=2030, at_most=5)
    assert whole is not None and whole.up_to == 9, "as far as the next checkpoint, however far that is"


# --- what holds afterwards


def test_a_trail_that_was_cut_holds_from_its_new_beginning(cut_once: Workspace) -> None:  # R67, R70
    left = AuditEntry.objects.of(cut_once).order_by("sequence").values_list("sequence", flat=True)
    assert list(left) == list(range(10, 32))
    verdict = verify(cut_once, anchor(cut_once), PUBLIC)
    assert (verdict.holds, verdict.entries, verdict.begins) == (True, 22, 10)
    said = (
        "22 entries, unbroken from entry 10 on,",
        "Entries 1 to 9 were removed by retention, once on 2030-06-01"
        " (1 to 9, of 2020-01-01 to 2020-01-09, kept for 8 years), signed.",
    )
    offline = offline_verify.verify(exported(cut_once), anchor(cut_once), PUBLIC)
    for text in said:
        assert text in verdict.text and text in offline
    assert "Whose key" not in offline and PUBLIC in offline_verify.verify(exported(cut_once))
    assert ChainHead.objects.of(cut_once).get().sequence == 31


def test_a_cut_stands_in_the_trail(cut_once: Workspace) -> None:  # R66, R70
    row = Cut.objects.of(cut_once).get()
    entry = at(cut_once, row.noted).get()
    assert (entry.action, entry.subject, entry.actor) == ("cut", "audit:9", "worker")
    assert json.loads(entry.detail) == {
        "hash": bytes(row.hash).hex(),
        "entries": 9,
        "since": 0,
        "years": 8,
        "oldest": "2020-01-01",
        "newest": "2020-01-09",
    }


def test_a_trail_is_cut_again_and_again(cut_once: Workspace) -> None:  # R67, R70
    cut(cut_once, before=2022)
    cutting.remove_rows(cut_once)
    last = cut(cut_once, before=2030)
    assert cutting.remove_rows(cut_once) == 10
    assert list(Cut.objects.of(cut_once).order_by("sequence").values_list("since", "sequence")) == [
        (0, 9), (9, 19), (19, 29),
    ]  # fmt: skip
    assert last.noted == 33
    verdict = verify(cut_once, anchor(cut_once), PUBLIC)
    assert verdict.holds and verdict.begins == 30
    assert "Entries 1 to 29 were removed by retention, 3 times, the last time on 2030-06-01" in verdict.text
    assert "unbroken from entry 30 on" in offline_verify.verify(exported(cut_once), anchor(cut_once), PUBLIC)
    audit.note(cut_once, "worker", "decision", "record:1")
    assert checkpoint(cut_once, KEY, "worker") is not None
    assert verify(cut_once, public_key=PUBLIC).holds


def test_rows_that_an_interrupted_removal_left_are_no_fault_and_are_not_shown(trail: Workspace) -> None:  # R67, R70
    cut(trail, before=2022)
    for left in range(3):
        assert verify(trail, public_key=PUBLIC).holds
        assert "unbroken from entry 20 on" in offline_verify.verify(exported(trail), public_key=PUBLIC)
        page = reading.trail_page(trail, Narrowing())
        assert [row.sequence for row in page.rows] == [*range(31, 19, -1)]
        assert cutting.kept(trail).count() == reading.chain_state(trail).entries == 12
        at(trail, left + 1).delete()
    assert cutting.remove_rows(trail) == 16
    assert cutting.remove_rows(trail) == 0


def test_the_trail_is_read_from_its_beginning(cut_once: Workspace) -> None:  # R70
    state = reading.chain_state(cut_once)
    assert state.entries == 22 and state.cut is not None and state.cut.sequence == 9
    page = reading.trail_page(cut_once, Narrowing(until=BEGIN + timedelta(days=380)))
    assert page.rows[-1].sequence == 10 and page.after is None
    narrowed = Narrowing(since=BEGIN, until=BEGIN + timedelta(days=367), action="decision")
    assert {row.sequence for row in reading.trail_page(cut_once, narrowed).rows} == {11}
    assert reading.actions(cut_once) == ("checkpoint", "cut", "decision")


def test_an_export_may_begin_behind_the_cut_or_before_it(cut_once: Workspace) -> None:  # R67, R70
    stream = io.StringIO()
    assert export(cut_once, stream, since=4) == 22, "what was removed cannot be given: all that there is"
    later = exported(cut_once, since=15)
    assert "Entries up to 15 were not given" in offline_verify.verify(later, anchor(cut_once), PUBLIC)
    assert not any('"cut":' in line[:10] for line in later)


def test_an_anchor_older_than_the_cut_is_compared_with_its_checkpoint(cut_once: Workspace) -> None:  # R67, R70
    kept = Checkpoint.objects.of(cut_once).order_by("sequence").first()
    assert kept is not None and kept.sequence == 9
    cut(cut_once, before=2022)
    cutting.remove_rows(cut_once)
    good = (9, bytes(kept.hash).hex())
    assert "was not compared" not in verify(cut_once, good, PUBLIC).text
    assert bad(verify(cut_once, (9, "0" * 64), PUBLIC)) == 9
    assert broken(exported(cut_once), (9, "0" * 64)) == 9
    assert "was not compared" in verify(cut_once, (5, "0" * 64), PUBLIC).text
    assert "was not compared" in offline_verify.verify(exported(cut_once), (5, "0" * 64), PUBLIC)


def test_the_chain_is_read_whole_while_its_beginning_goes(trail: Workspace) -> None:  # R67, R70
    errors: list[BaseException] = []

    def remove() -> None:
        try:
            for before in (2021, 2022, 2030):
                cut(trail, before=before)
                while (
                    first := AuditEntry.objects.of(trail).filter(sequence__lte=cutting.removed_up_to(trail))
                ).exists():
                    first.filter(sequence=first.order_by("sequence")[0].sequence).delete()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    removing = threading.Thread(target=remove)
    removing.start()
    checked = 0
    while removing.is_alive() or not checked:
        verdict = verify(trail, public_key=PUBLIC)
        assert verdict.holds, verdict.text
        offline_verify.verify(exported(trail), public_key=PUBLIC)
        checked += 1
    removing.join()
    assert errors == [] and verify(trail, public_key=PUBLIC).begins == 30


# --- what was tampered with does not go


@pytest.mark.parametrize("spoil", ["edit", "remove", "checkpoint"])
def test_what_was_tampered_with_is_not_signed_away(trail: Workspace, spoil: str) -> None:  # R67, R70
    _drop_protection()
    if spoil == "edit":
        at(trail, 4).update(actor="someone")
    elif spoil == "remove":
        at(trail, 4).delete()
    else:
        at(trail, 4).update(actor="someone")
        chain_anew(trail)
    with pytest.raises(Broken):
        cut(trail, before=2022)
    assert not Cut.objects.of(trail).exists()


def _drop_protection() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER USER")
        else:
            for verb in ("UPDATE", "DELETE"):
                cursor.execute(f"DROP TRIGGER audit_auditentry_{verb}")


# --- what the database lets through


def refused(statement: str, *values: object, why: str = "append-only") -> None:
    with pytest.raises(DatabaseError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_the_database_lets_only_the_cut_beginning_go(trail: Workspace) -> None:  # R68, R70
    refused("DELETE FROM audit_auditentry WHERE sequence = 1")
    cut(trail, before=2021)
    refused("DELETE FROM audit_auditentry WHERE sequence = 10")
    refused("DELETE FROM audit_auditentry")
    refused("UPDATE audit_auditentry SET actor = 'x' WHERE sequence = 1")
    assert AuditEntry.objects.of(trail).count() == 31
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditentry WHERE sequence <= 9")
    assert AuditEntry.objects.of(trail).count() == 22
    assert verify(trail, public_key=PUBLIC).holds


def test_a_cut_covers_its_own_workspace_only(cut_once: Workspace) -> None:  # R68, R74
    other = Workspace.objects.create(name="other", created_at=clock.now())
    audit.note(other, "worker", "decision", "record:1")
    refused("DELETE FROM audit_auditentry WHERE workspace_id = %s", other.pk)


def test_the_database_refuses_to_change_a_cut(cut_once: Workspace) -> None:  # R68
    refused("UPDATE audit_cut SET sequence = 19")
    refused("DELETE FROM audit_cut")
    if connection.vendor == "postgresql":
        refused("TRUNCATE audit_cut")


@pytest.mark.parametrize(
    ("sequence", "since", "digest"),
    [
        (15, 9, None),  # no checkpoint there
        (19, 0, None),  # overlaps the one before
        (19, 12, None),  # leaves a gap
        (9, 9, None),  # takes nothing
        (19, 9, b"0" * 32),  # another entry
        (99, 9, b"0" * 32),  # none at all
    ],
)
def test_the_database_refuses_a_cut_that_does_not_fit(
    cut_once: Workspace, sequence: int, since: int, digest: bytes | None
) -> None:  # R68
    entry = at(cut_once, sequence).first()
    row = Cut(
        workspace=cut_once, sequence=sequence, since=since, hash=digest or (bytes(entry.hash) if entry else b"1" * 32),
        oldest=BEGIN, newest=BEGIN, years=8, actor="worker", noted=32, at=clock.now(), signature=b"1" * 64,
        public_key=PUBLIC,
    )  # fmt: skip
    with pytest.raises(DatabaseError, match="ends at a checkpoint"), transaction.atomic():
        row.save()


def test_a_temporary_table_does_not_stand_for_the_cuts(trail: Workspace) -> None:  # R68
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE audit_cut (workspace_id bigint, sequence bigint)")
        try:
            cursor.execute("INSERT INTO audit_cut VALUES (%s, 31)", [trail.pk])
            refused("DELETE FROM audit_auditentry WHERE sequence = 1")
        finally:
            cursor.execute(f"DROP TABLE {'pg_temp' if connection.vendor == 'postgresql' else 'temp'}.audit_cut")


# --- what is found, in the database and in an export


@pytest.mark.parametrize("sequence", [10, 15, 31])
def test_an_edit_after_a_cut_is_found(unprotected: Workspace, sequence: int) -> None:  # R67
    at(unprotected, sequence).update(actor="someone")
    assert both(unprotected) == (sequence, sequence)


@pytest.mark.parametrize("sequence", [10, 15])
def test_a_deletion_after_a_cut_is_found(unprotected: Workspace, sequence: int) -> None:  # R67
    at(unprotected, sequence).delete()
    assert both(unprotected) == (sequence, sequence)


def test_a_longer_prefix_than_was_signed_is_found(unprotected: Workspace) -> None:  # R67, R70
    AuditEntry.objects.of(unprotected).filter(sequence__lte=19).delete()
    assert both(unprotected) == (10, 10)


def test_a_re_ordering_after_a_cut_is_found(unprotected: Workspace) -> None:  # R67
    for one, other in ((14, -1), (17, 14), (-1, 17)):
        at(unprotected, one).update(sequence=other)
    assert both(unprotected) == (14, 14)


def test_a_truncation_at_the_end_is_found_by_what_the_cut_signed(unprotected: Workspace) -> None:  # R67, R70
    """The head and the checkpoints behind are taken along; the cut knows of entry 31."""
    AuditEntry.objects.of(unprotected).filter(sequence__gt=25).delete()
    Checkpoint.objects.of(unprotected).filter(sequence__gt=25).delete()
    ChainHead.objects.of(unprotected).update(sequence=25, hash=bytes(at(unprotected, 25).get().hash))
    assert both(unprotected) == (26, 26)


def test_a_trail_emptied_by_a_forged_cut_is_found(unprotected: Workspace) -> None:  # R67, R70
    last = AuditEntry.objects.of(unprotected).order_by("-sequence")[0]
    row = Cut(
        workspace=unprotected, sequence=31, since=9, hash=bytes(last.hash), oldest=BEGIN, newest=BEGIN, years=8,
        actor="worker", noted=32, at=clock.now(), signature=b"",
    )  # fmt: skip
    for name, value in sign(row, OTHER).items():
        setattr(row, name, value)
    row.save()
    AuditEntry.objects.of(unprotected).delete()
    assert both(unprotected) == (10, 10)


def test_a_cut_without_a_signature_is_found(unprotected: Workspace) -> None:  # R67, R70
    Cut.objects.of(unprotected).update(signature=b"")
    assert both(unprotected) == (1, 1)
    assert bad(verify(unprotected)) == 1, "whatever key is asked for"


def test_a_cut_that_another_key_signed_is_found(unprotected: Workspace) -> None:  # R67, R70
    row = Cut.objects.of(unprotected).get()
    Cut.objects.of(unprotected).update(**sign(row, OTHER))
    assert both(unprotected) == (1, 1)
    assert OTHER.public_key().public_bytes_raw().hex() in verify(unprotected).text, "else it says which key it was"


def test_a_cut_of_another_workspace_is_found(unprotected: Workspace) -> None:  # R67, R74
    row = Cut.objects.of(unprotected).get()
    Cut.objects.of(unprotected).update(**sign(row, KEY, workspace="other"))
    assert both(unprotected) == (1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 12},
        {"sequence": 8},
        {"since": 3},
        {"hash": b"0" * 32},
        {"years": 1},
        {"actor": "person:1"},
        {"noted": 30},
        {"oldest": BEGIN - timedelta(days=1)},
        {"newest": BEGIN},
        {"at": BEGIN},
    ],
)
def test_a_moved_or_altered_beginning_is_found(unprotected: Workspace, change: dict[str, Any]) -> None:  # R67, R70
    Cut.objects.of(unprotected).update(**change)
    assert both(unprotected) == (1, 1)


def test_a_beginning_that_was_taken_away_is_found(unprotected: Workspace) -> None:  # R67, R70
    Cut.objects.of(unprotected).delete()
    assert both(unprotected) == (1, 1)


def test_a_cut_between_others_that_was_taken_away_is_found(cut_once: Workspace) -> None:  # R67, R70
    cut(cut_once, before=2022)
    cutting.remove_rows(cut_once)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_cut DISABLE TRIGGER USER")
        else:
            cursor.execute("DROP TRIGGER audit_cut_DELETE")
    Cut.objects.of(cut_once).filter(sequence=9).delete()
    assert both(cut_once) == (1, 1)


def test_a_cut_that_the_trail_does_not_tell_of_is_found(unprotected: Workspace) -> None:  # R67, R70
    """The entry that tells of the cut was rewritten, and the chain made anew behind it."""
    entry = at(unprotected, 31).get()
    entry.action = "decision"
    before = bytes(at(unprotected, 30).get().hash)
    digest = hashlib.sha256(before + offline_verify.canonical(values(entry))).digest()
    at(unprotected, 31).update(action="decision", hash=digest)
    ChainHead.objects.of(unprotected).update(hash=digest)
    assert both(unprotected) == (31, 31)


def test_a_changed_checkpoint_of_removed_entries_is_found(unprotected: Workspace) -> None:  # R67
    Checkpoint.objects.of(unprotected).filter(sequence=9).update(hash=b"0" * 32)
    assert bad(verify(unprotected, public_key=PUBLIC)) == 9


@pytest.mark.parametrize("sequence", [9, 3])
def test_entries_put_before_the_beginning_are_found(unprotected: Workspace, sequence: int) -> None:  # R67
    at(unprotected, 20).update(sequence=sequence)
    verdict = verify(unprotected, public_key=PUBLIC)
    assert not verdict.holds
    assert all(row.sequence > 9 for row in reading.trail_page(unprotected, Narrowing()).rows)


def test_entries_invented_before_the_beginning_are_found(unprotected: Workspace) -> None:  # R67
    entry = at(unprotected, 20).get()
    for sequence in (8, 9):
        entry.pk, entry.sequence = None, sequence
        entry.save(force_insert=True)
    assert bad(verify(unprotected, public_key=PUBLIC)) == 9


# --- the export's lines alone


def line_of(export: list[str], kind: str) -> int:
    [number] = [number for number, line in enumerate(export) if line.startswith(f'{{"{kind}"')]
    return number


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.update(signature=""),
        lambda row: row.pop("signature"),
        lambda row: row.pop("public_key"),
        lambda row: row.update(cut=12),
        lambda row: row.update(years=1),
        lambda row: row.update(public_key="00" * 32),
        lambda row: row.update(sign_of_another(row)),
    ],
)
def test_a_forged_beginning_in_an_export_is_found(
    cut_once: Workspace, change: Callable[[dict[str, Any]], None]
) -> None:  # R67, R70
    export = exported(cut_once)
    assert broken(edited(export, line_of(export, "cut"), change)) == 1


def sign_of_another(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "signature": OTHER.sign(cut_statement("acme", row)).hex(),
        "public_key": OTHER.public_key().public_bytes_raw().hex(),
    }


def test_a_beginning_taken_from_an_export_is_found(cut_once: Workspace) -> None:  # R67, R70
    export = exported(cut_once)
    number = line_of(export, "cut")
    assert broken(export[:number] + export[number + 1 :]) == 1
    assert broken([*export[:1], *export[2:8], export[number], *export[8:]]) == 1
    assert broken([*export[:2], export[number], *export[2:]]) == 10, "given twice"


def test_an_export_that_was_cut_has_every_other_fault_found_too(cut_once: Workspace) -> None:  # R67, R70
    export = exported(cut_once)
    first = line_of(export, "cut") + 1
    assert broken(edited(export, first, lambda row: row["entry"].__setitem__(2, "someone"))) == 10
    assert broken(export[:first] + export[first + 1 :]) == 10
    assert broken([*export[:first], export[first + 1], export[first], *export[first + 2 :]]) == 10
    short = export[: first + 5]
    assert broken(short) == 15
    end = json.dumps({"end": 14, "hash": json.loads(short[-1])["hash"]})
    assert broken([*short, end]) == 15, "the cut vouches for entry 31, so this is found without an anchor"


def test_the_script_tells_a_cut_with_and_without_the_package(tmp_path: Path, cut_once: Workspace) -> None:  # R67, R70
    file = tmp_path / "trail.jsonl"
    file.write_text("".join(exported(cut_once)), encoding="utf-8")
    status, text = offline(file, "--public-key", PUBLIC)
    assert status == 2, "whether it was signed cannot be told, so nothing is claimed"
    assert "entries 1 to 9 were removed" in text and "cryptography" in text
    script = Path(offline_verify.__file__)
    done = subprocess.run(
        [sys.executable, str(script), str(file), "--public-key", PUBLIC], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "unbroken from entry 10 on" in done.stdout
    spoiled = exported(cut_once)
    number = line_of(spoiled, "cut")
    file.write_text("".join(edited(spoiled, number, lambda row: row.update(signature="00" * 64))), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script), str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "The removal of entries 1 to 9 has a false signature" in done.stdout


def test_a_verdict_says_where_the_trail_begins(workspace: Workspace) -> None:
    audit.note(workspace, "worker", "decision", "record:1")
    verdict: Verdict = verify(workspace)
    assert verdict.begins == 1 and "removed" not in verdict.text
