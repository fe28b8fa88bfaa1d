"""Changing a Connection's settings and secrets: the one place where it is done, whoever asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_connector import audit, vault
from ml_connector.integrations import SYSTEMS
from ml_connector.sync.connections import credential_fingerprint
from ml_connector.sync.models import Connection, Health
from ml_connector.sync.sessions import FIELD as SESSION


class CredentialShared(ValueError):
    """Another Connection signs in with the same credential. Nothing was changed."""


def owner(row: Connection) -> str:
    """Under which its secrets lie in the vault."""
    return f"connection:{row.name}"


def stored_secrets(row: Connection) -> dict[str, str]:
    """The Connection's own secrets; a session, which is sealed beside them, is none."""
    names = {setting.name for setting in SYSTEMS[row.system].secrets()}
    sealed = vault.get_all(row.workspace, owner(row))
    return {name: value for name, value in sealed.items() if name in names}


def merged(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored with what is given; an empty value takes the stored one out, back to the default."""
    both = {**stored, **given}
    return {name: value for name, value in both.items() if value is not None}


def changed_fields(row: Connection, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> list[str]:
    """Names of what would change: `settings.NAME`, `secrets.NAME`."""
    after, before = merged(row.settings, settings), stored_secrets(row)
    fields = [
        f"settings.{name}" for name in sorted({*row.settings, *after}) if row.settings.get(name) != after.get(name)
    ]
    return fields + [f"secrets.{name}" for name in sorted(secrets) if before.get(name) != secrets[name]]


def check_credential(row: Connection, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """The fingerprint of the credential after the change. Raises CredentialShared."""
    system = SYSTEMS[row.system]
    credential = credential_fingerprint(system, merged(row.settings, settings), {**stored_secrets(row), **secrets})
    others = Connection.objects.across_workspaces().filter(credential=credential).exclude(pk=row.pk)
    other = others.select_related("workspace").first()
    if other is not None:
        raise CredentialShared(
            f"It would sign in with the same credential as connection {other.name} of workspace"
            f" {other.workspace.name}; its vendor counts the two as one user. Give it a user of its own."
        )
    return credential


def change(
    trail: audit.Trail, row: Connection, settings: Mapping[str, Any], secrets: Mapping[str, str], second_person: str
) -> list[str]:
    """Puts new settings and secrets in force; says which fields changed. A stored session ends, and a refused
    sign-in is forgotten. `second_person` is what the trail says of one. Raises CredentialShared."""
    fields = changed_fields(row, settings, secrets)
    if not fields:
        return []
    row.credential = check_credential(row, settings, secrets)
    row.settings = merged(row.settings, settings)
    row.health, row.health_text, row.not_before, row.failures = Health.UNKNOWN, "", None, 0
    row.session_serial += 1
    row.save(
        update_fields=[
            "settings", "credential", "health", "health_text", "not_before", "failures", "session_serial",
        ]
    )  # fmt: skip
    vault.delete(row.workspace, owner(row), SESSION)
    for field in fields:
        kind, _, name = field.partition(".")
        if kind == "secrets":
            vault.put(row.workspace, owner(row), name, secrets[name])
    trail.add("config_change", f"connection:{row.pk}", fields=fields, second_person=second_person)
    return fields
