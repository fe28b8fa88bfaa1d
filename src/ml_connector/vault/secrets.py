"""Sealing and opening secrets."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction

from ml_connector import clock, redaction
from ml_connector.vault.errors import KeyMissing, SecretMissing, WrongKey
from ml_connector.vault.keys import FILE_NAME, KEY, Keys, key_id, provider
from ml_connector.vault.models import KeyCanary, Secret
from ml_connector.vault.sealing import NotSealedSo, binding, derived, new_key, seal, unseal
from ml_connector.workspaces.models import Workspace

_CANARY = 1
"""Primary key of its only row."""


def put(workspace: Workspace, owner: str, field: str, value: str) -> None:
    """Seals a secret; replaces the one before. From then on redaction knows the value."""
    redaction.register(value)
    row = Secret(workspace=workspace, owner=owner, field=field, changed_at=clock.now())
    data_key = new_key()
    row.ciphertext = seal(data_key, value.encode(), binding("secret", workspace.name, owner, field))
    with transaction.atomic():
        used = None
        # A rotation that begins meanwhile may have looked for rows before this one was there, and be over already.
        while used != (current := keys_in_force().current):
            used = current
            wrap(row, data_key, current, workspace.name)
            Secret.objects.bulk_create(
                [row],
                update_conflicts=True,
                unique_fields=["workspace", "owner", "field"],
                update_fields=["key_id", "wrapped_key", "ciphertext", "changed_at"],
            )


def get(workspace: Workspace, owner: str, field: str) -> str:
    """Opens a secret. Raises SecretMissing, WrongKey."""
    row = Secret.objects.of(workspace).filter(owner=owner, field=field).first()
    if row is None:
        raise SecretMissing(f"No {field} is stored for {owner}. Give it in the configuration file and apply it.")
    return _open(workspace, row)


def get_all(workspace: Workspace, owner: str) -> dict[str, str]:
    """Every secret of an owner, by field. Raises WrongKey."""
    return {row.field: _open(workspace, row) for row in Secret.objects.of(workspace).filter(owner=owner)}


def delete(workspace: Workspace, owner: str, field: str) -> None:
    Secret.objects.of(workspace).filter(owner=owner, field=field).delete()


def check() -> None:
    """Refuses a wrong key-encryption key; to be called at every start. Makes key and canary at the first.

    Raises KeyMissing, KeyUnusable, WrongKey.
    """
    _fingerprint_key()


def fingerprint(text: str) -> str:
    """64 hex digits that tell whether two texts are equal and nothing else. Survives a rotation of the keys."""
    return hmac.new(_fingerprint_key(), text.encode(), hashlib.sha256).hexdigest()


def signing_key() -> Ed25519PrivateKey:
    """What checkpoints of the trail are signed with. Lies with the key-encryption key, never in the database."""
    return Ed25519PrivateKey.from_private_bytes(derived(keys_in_force().signing_seed, "checkpoint"))


def keys_in_force() -> Keys:
    """The keys as they are now. Makes those of an installation that has sealed nothing yet.

    Raises KeyUnusable, and KeyMissing where something was sealed: a new key would open none of it.
    """
    keys = provider(settings.DATA)
    try:
        return keys.keys()
    except KeyMissing as missing:
        text = str(missing)
    if KeyCanary.objects.exists() or Secret.objects.across_workspaces().exists():
        raise KeyMissing(
            f"{text} The database holds secrets that only this key opens. Restore {FILE_NAME} from its backup, or set"
            f" {KEY}. Nothing was changed."
        )
    keys.make()
    return keys.keys()


def wrap(row: Secret, data_key: bytes, key: bytes, workspace: str) -> None:
    """Puts the data key into the row, wrapped with this key-encryption key."""
    row.key_id = key_id(key)
    row.wrapped_key = seal(_wrapping_key(key, workspace), data_key, _key_binding(row, workspace))


def unwrap(row: Secret, keys: Keys, workspace: str) -> bytes:
    """The row's data key. Raises WrongKey."""
    try:
        key = _wrapping_key(keys.named(row.key_id), workspace)
        return unseal(key, bytes(row.wrapped_key), _key_binding(row, workspace))
    except NotSealedSo:
        raise _does_not_open(row) from None


def wrap_canary(canary: KeyCanary, content: bytes, key: bytes) -> None:
    """Seals the canary with this key-encryption key."""
    if canary.key_id != key_id(key):
        canary.since = clock.now()
    canary.key_id = key_id(key)
    canary.ciphertext = seal(key, content, binding("canary", canary.key_id))


def open_canary(canary: KeyCanary, keys: Keys) -> bytes:
    """Raises WrongKey."""
    try:
        return unseal(keys.named(canary.key_id), bytes(canary.ciphertext), binding("canary", canary.key_id))
    except NotSealedSo:
        raise WrongKey(
            "The row by which a wrong key is told was changed. Restore the database from its backup."
        ) from None


def _open(workspace: Workspace, row: Secret) -> str:
    data_key = unwrap(row, _keys_for(row), workspace.name)
    try:
        bound = binding("secret", workspace.name, row.owner, row.field)
        value = unseal(data_key, bytes(row.ciphertext), bound).decode()
    except NotSealedSo:
        raise _does_not_open(row) from None
    redaction.register(value)
    return value


def _keys_for(row: Secret | KeyCanary) -> Keys:
    """The keys in force. Reads the row anew where a whole rotation fell between reading it and reading them."""
    while row.key_id not in map(key_id, (keys := keys_in_force()).ring):
        seen = row.key_id
        row.refresh_from_db()
        if row.key_id == seen:
            break
    return keys


def _fingerprint_key() -> bytes:
    canary = KeyCanary.objects.filter(pk=_CANARY).first()
    if canary is None:
        keys = keys_in_force()
        for used in Secret.objects.across_workspaces().values_list("key_id", flat=True)[:1]:
            keys.named(used)
        made = KeyCanary(pk=_CANARY)
        wrap_canary(made, new_key(), keys.current)
        KeyCanary.objects.bulk_create([made], ignore_conflicts=True)
        canary = KeyCanary.objects.get(pk=_CANARY)
    return open_canary(canary, _keys_for(canary))


def _wrapping_key(key: bytes, workspace: str) -> bytes:
    """Data keys are wrapped per Workspace (R75)."""
    return derived(key, "workspace", workspace)


def _key_binding(row: Secret, workspace: str) -> bytes:
    return binding("data key", row.key_id, workspace, row.owner, row.field)


def _does_not_open(row: Secret) -> WrongKey:
    return WrongKey(
        f"The stored {row.field} of {row.owner} does not open: it was changed or moved. Give it again in the"
        " configuration file and apply it."
    )
