"""Replacing the key-encryption key while everything runs (R75).

The new key is put on the ring beside the old one, and every process sees that at its next use. Then the data keys are
wrapped anew, a batch at a time. The old key goes when no row can need it any more.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from ml_connector.vault.keys import Keys, key_id, provider
from ml_connector.vault.models import KeyCanary, Secret
from ml_connector.vault.secrets import check, open_canary, unwrap, wrap, wrap_canary

BATCH = 200


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation came to."""

    key_id: str
    secrets: int
    """Secrets whose data key was wrapped anew."""


def rotate() -> Rotation:
    """Wraps every data key with a new key-encryption key and drops the old one.

    Interrupted, it goes on when called again. Raises KeyUnusable, KeyMissing and WrongKey.
    """
    check()
    holder = provider(settings.DATA)
    with holder.rotating():
        keys = holder.renew()
        count = 0
        while done := _batch(keys):
            count += done
        with transaction.atomic():
            _keep_writers_out()
            while done := _batch(keys):
                count += done
            canary = KeyCanary.objects.select_for_update().get()
            wrap_canary(canary, open_canary(canary, keys), keys.current)
            canary.save()
        holder.retire()
    return Rotation(key_id(keys.current), count)


def _batch(keys: Keys) -> int:
    current = key_id(keys.current)
    with transaction.atomic():
        stale = Secret.objects.across_workspaces().exclude(key_id=current).select_related("workspace")
        rows = list(stale.select_for_update(of=("self",)).order_by("pk")[:BATCH])
        for row in rows:
            wrap(row, unwrap(row, keys, row.workspace.name), keys.current, row.workspace.name)
        if rows:
            Secret.objects.across_workspaces().bulk_update(rows, ["key_id", "wrapped_key"])
    return len(rows)


def _keep_writers_out() -> None:
    """Waits for transactions that sealed something before the new key was there, so that their rows are seen. On
    SQLite the transaction itself does that."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE vault_secret IN SHARE ROW EXCLUSIVE MODE")
