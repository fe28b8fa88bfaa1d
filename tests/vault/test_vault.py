from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection, connections

from ml_connector import clock, vault
from ml_connector.redaction import redacted
from ml_connector.vault import rotation
from ml_connector.vault import secrets as sealed_secrets
from ml_connector.vault.keys import KeyFile, key_id
from ml_connector.vault.models import KeyCanary, Secret
from ml_connector.workspaces.models import Workspace

OWNER = "connection:erp"


def row(workspace: Workspace, field: str = "password") -> Secret:
    return Secret.objects.of(workspace).get(owner=OWNER, field=field)


def new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


# --- putting and taking


def test_what_is_put_is_got_and_replaced(workspace: Workspace) -> None:
    vault.put(workspace, OWNER, "password", "grüner Tee, 3 Löffel")
    vault.put(workspace, OWNER, "password", "schwarzer Tee")
    vault.put(workspace, OWNER, "devKey", "01ABC")
    assert vault.get(workspace, OWNER, "password") == "schwarzer Tee"
    assert vault.get_all(workspace, OWNER) == {"password": "schwarzer Tee", "devKey": "01ABC"}
    vault.delete(workspace, OWNER, "devKey")
    assert vault.get_all(workspace, OWNER) == {"password": "schwarzer Tee"}


def test_a_missing_secret_is_named(workspace: Workspace) -> None:
    with pytest.raises(vault.SecretMissing, match="No password is stored for connection:erp"):
        vault.get(workspace, OWNER, "password")


def test_the_database_holds_no_secret_in_plain(workspace: Workspace) -> None:  # R75
    vault.put(workspace, OWNER, "password", "open sesame 4711")
    stored = row(workspace)
    assert b"sesame" not in bytes(stored.ciphertext) + bytes(stored.wrapped_key)


def test_equal_secrets_look_different(workspace: Workspace) -> None:
    vault.put(workspace, OWNER, "a", "open sesame")
    vault.put(workspace, OWNER, "b", "open sesame")
    assert bytes(row(workspace, "a").ciphertext) != bytes(row(workspace, "b").ciphertext)


def test_a_row_that_was_moved_to_another_workspace_does_not_open(workspace: Workspace) -> None:  # R74, R75
    vault.put(workspace, OWNER, "password", "open sesame")
    other = Workspace.objects.create(name="other", created_at=clock.now())
    Secret.objects.of(workspace).update(workspace=other)
    with pytest.raises(vault.WrongKey, match="changed or moved"):
        vault.get(other, OWNER, "password")


@pytest.mark.parametrize("change", [{"owner": "connection:bill"}, {"field": "company_password"}])
def test_a_row_that_was_moved_to_another_owner_or_field_does_not_open(
    workspace: Workspace, change: dict[str, str]
) -> None:
    vault.put(workspace, OWNER, "password", "open sesame")
    Secret.objects.of(workspace).update(**change)
    with pytest.raises(vault.WrongKey):
        vault.get_all(workspace, change.get("owner", OWNER))


@pytest.mark.parametrize("column", ["ciphertext", "wrapped_key"])
def test_a_changed_row_does_not_open_and_its_error_holds_no_secret(workspace: Workspace, column: str) -> None:
    vault.put(workspace, OWNER, "password", "open sesame")
    stored = row(workspace)
    content = bytearray(bytes(getattr(stored, column)))
    content[-1] ^= 1
    Secret.objects.of(workspace).update(**{column: bytes(content)})
    with pytest.raises(vault.WrongKey) as error:
        vault.get(workspace, OWNER, "password")
    assert "sesame" not in repr(error.value)
    assert error.value.__cause__ is None


def test_a_workspace_s_data_keys_do_not_open_with_another_s_wrapping_key(workspace: Workspace) -> None:  # R75
    vault.put(workspace, OWNER, "password", "open sesame")
    Workspace.objects.filter(pk=workspace.pk).update(name="renamed")
    with pytest.raises(vault.WrongKey):
        vault.get(Workspace.objects.get(pk=workspace.pk), OWNER, "password")


def test_opened_and_sealed_secrets_are_never_shown(workspace: Workspace) -> None:  # R71
    vault.put(workspace, OWNER, "password", "horse-battery")
    assert redacted("logon refused for horse-battery") == "logon refused for ***"


# --- the key


def test_the_key_file_is_made_for_its_owner_only(database: Path) -> None:
    vault.check()
    assert (database / "vault.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in database.iterdir() if "vault" in path.name] == ["vault.key"]


def test_a_key_file_that_others_can_read_is_refused(database: Path) -> None:
    vault.check()
    (database / "vault.key").chmod(0o640)
    with pytest.raises(vault.KeyUnusable, match=r"can be read by others .mode 640.*chmod 600"):
        vault.check()


@pytest.mark.parametrize("content", ["", "[]", '{"keys": []}', '{"keys": ["AAAA"], "signing_seed": "AAAA"}'])
def test_a_damaged_key_file_is_refused(database: Path, content: str) -> None:
    vault.check()
    (database / "vault.key").write_text(content)
    with pytest.raises(vault.KeyUnusable):
        vault.check()


def test_two_processes_that_start_together_make_one_key(tmp_path: Path) -> None:
    files = [KeyFile(tmp_path / "vault.key") for _ in range(8)]
    together = threading.Barrier(len(files))

    def make(file: KeyFile) -> None:
        together.wait()
        file.make()

    threads = [threading.Thread(target=make, args=[file]) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({file.keys().current for file in files}) == 1


def test_another_key_is_refused_at_start_with_what_to_do(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.check()
    monkeypatch.setenv("ML_CONNECTOR_KEY", new_key())
    with pytest.raises(vault.WrongKey, match=r"Restore vault.key from its backup, or set ML_CONNECTOR_KEY"):
        vault.check()


def test_a_lost_key_file_is_not_made_anew_over_sealed_secrets(workspace: Workspace, database: Path) -> None:
    vault.put(workspace, OWNER, "password", "open sesame")
    (database / "vault.key").unlink()
    with pytest.raises(vault.KeyMissing, match=r"Restore vault.key from its backup"):
        vault.check()
    with pytest.raises(vault.KeyMissing):
        vault.put(workspace, OWNER, "password", "another")
    assert not (database / "vault.key").exists()


def test_the_file_s_key_may_move_to_the_environment(
    workspace: Workspace, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.put(workspace, OWNER, "password", "open sesame")
    monkeypatch.setenv("ML_CONNECTOR_KEY", json.loads((database / "vault.key").read_text())["keys"][0])
    vault.check()
    assert vault.get(workspace, OWNER, "password") == "open sesame"


def test_a_key_that_is_no_key_is_refused_without_showing_it(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_CONNECTOR_KEY", "hunter2hunter2")
    with pytest.raises(vault.KeyUnusable) as error:
        vault.check()
    assert "hunter2" not in str(error.value)


def test_keys_are_not_part_of_a_repr(database: Path) -> None:
    vault.check()
    keys = KeyFile(database / "vault.key").keys()
    assert repr(keys.current) not in repr(keys)


# --- rotation


def test_a_rotation_wraps_all_anew_and_drops_the_old_key(
    workspace: Workspace, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # R75
    monkeypatch.setattr(rotation, "BATCH", 3)
    for number in range(10):
        vault.put(workspace, OWNER, f"field{number}", f"secret {number}")
    file = KeyFile(database / "vault.key")
    old = file.keys()
    print_before, public_before = vault.fingerprint("x"), vault.signing_key().public_key()
    sealed = bytes(row(workspace, "field3").ciphertext)

    done = vault.rotate()

    assert done.secrets == 10
    assert len(file.keys().ring) == 1
    assert file.keys().current != old.current
    assert done.key_id == key_id(file.keys().current) == KeyCanary.objects.get().key_id
    assert set(Secret.objects.of(workspace).values_list("key_id", flat=True)) == {done.key_id}
    assert bytes(row(workspace, "field3").ciphertext) == sealed
    assert vault.get_all(workspace, OWNER) == {f"field{n}": f"secret {n}" for n in range(10)}
    vault.check()
    assert vault.fingerprint("x") == print_before
    assert vault.signing_key().public_key() == public_before


def test_an_interrupted_rotation_goes_on_where_it_was(
    workspace: Workspace, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        vault.put(workspace, OWNER, f"field{number}", f"secret {number}")
    with monkeypatch.context() as interrupted, pytest.raises(ZeroDivisionError):
        interrupted.setattr(rotation, "BATCH", 2)
        interrupted.setattr(rotation, "_keep_writers_out", lambda: 1 / 0)
        vault.rotate()
    begun = KeyFile(database / "vault.key").keys()
    assert len(begun.ring) == 2
    assert vault.get_all(workspace, OWNER) == {f"field{n}": f"secret {n}" for n in range(5)}
    vault.put(workspace, OWNER, "field5", "secret 5")
    assert vault.rotate().key_id == key_id(begun.current)
    assert len(KeyFile(database / "vault.key").keys().ring) == 1
    assert vault.get(workspace, OWNER, "field5") == "secret 5"


def test_writers_and_readers_go_on_during_rotations(workspace: Workspace) -> None:  # R75: without downtime
    vault.put(workspace, OWNER, "password", "value 0")
    stop = threading.Event()
    errors: list[BaseException] = []
    written = [0]

    def write() -> None:
        try:
            while not stop.is_set():
                written[0] += 1
                vault.put(workspace, OWNER, "password", f"value {written[0]}")
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    def read() -> None:
        try:
            while not stop.is_set():
                assert vault.get(workspace, OWNER, "password").startswith("value ")
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        vault.rotate()
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert vault.get(workspace, OWNER, "password") == f"value {written[0]}"


@pytest.mark.parametrize("act", ["read", "write", "fingerprint"])
def test_a_whole_rotation_between_two_steps_of_ours_does_no_harm(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:  # R75: without downtime
    vault.put(workspace, OWNER, "password", "value")
    before = vault.fingerprint("x")
    provided = sealed_secrets.provider
    left = [1]

    def provider_after_a_rotation(data: Path) -> object:
        if left:
            left.clear()
            if act in {"write", "fingerprint"}:
                keys = provided(data).keys()
                vault.rotate()
                return SimpleNamespace(keys=lambda: keys)
            vault.rotate()
        return provided(data)

    monkeypatch.setattr(sealed_secrets, "provider", provider_after_a_rotation)
    if act == "write":
        vault.put(workspace, OWNER, "password", "value 2")
    if act == "fingerprint":
        assert vault.fingerprint("x") == before
    assert vault.get(workspace, OWNER, "password") == ("value 2" if act == "write" else "value")
    assert not left


def test_another_process_sees_the_new_key_at_once(workspace: Workspace, database: Path) -> None:
    vault.put(workspace, OWNER, "password", "open sesame")
    script = (
        "import django; django.setup()\n"
        "from ml_connector import vault\n"
        "from ml_connector.workspaces.models import Workspace\n"
        "space = Workspace.objects.get()\n"
        "print(vault.get(space, 'connection:erp', 'password'), flush=True)\n"
        "input()\n"
        "print(vault.get(space, 'connection:erp', 'password'), flush=True)\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "ml_connector.settings", "PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open sesame\n"
        vault.rotate()
        assert process.communicate("\n")[0] == "open sesame\n"


def test_a_second_rotation_at_the_same_time_is_refused(workspace: Workspace, database: Path) -> None:
    vault.check()
    with KeyFile(database / "vault.key").rotating(), pytest.raises(vault.KeyUnusable, match="Another command"):
        vault.rotate()


def test_the_environment_s_key_is_rotated_in_the_environment(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = new_key(), new_key()
    monkeypatch.setenv("ML_CONNECTOR_KEY", old)
    monkeypatch.setenv("ML_CONNECTOR_SIGNING_KEY", new_key())
    vault.put(workspace, OWNER, "password", "open sesame")
    with pytest.raises(vault.KeyUnusable, match="Put a new key before the old one"):
        vault.rotate()
    monkeypatch.setenv("ML_CONNECTOR_KEY", f"{new},{old}")
    assert vault.rotate().secrets == 1
    monkeypatch.setenv("ML_CONNECTOR_KEY", new)
    vault.check()
    assert vault.get(workspace, OWNER, "password") == "open sesame"


# --- fingerprints


def test_a_fingerprint_is_keyed_and_stable(workspace: Workspace) -> None:
    assert vault.fingerprint("bank 4711") == vault.fingerprint("bank 4711") != vault.fingerprint("bank 4712")
    assert len(vault.fingerprint("x")) == 64
    before = vault.fingerprint("bank 4711")
    KeyCanary.objects.all().delete()
    assert vault.fingerprint("bank 4711") != before


def test_the_signing_key_is_not_in_the_database(workspace: Workspace, database: Path) -> None:
    vault.put(workspace, OWNER, "password", "open sesame")
    seed = json.loads((database / "vault.key").read_text())["signing_seed"]
    with connection.cursor() as cursor:
        for table in ("vault_secret", "vault_keycanary"):
            cursor.execute(f"SELECT * FROM {table}")
            assert base64.b64decode(seed) not in repr(cursor.fetchall()).encode()
