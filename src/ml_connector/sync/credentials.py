"""Replacing secrets by two people (R72): what one typed waits, sealed, until another one lets it take effect."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from ml_connector import audit, vault
from ml_connector.sync import apply as applying
from ml_connector.sync.models import Connection


class NotYours(ValueError):
    """Who asks may not decide; or nothing waits. The text says which. Nothing was changed."""


def replace(row: Connection, typed: Mapping[str, str], actor: str, *, alone: bool) -> bool:
    """Stores new secrets, at once where there is nobody else who may approve (`alone`), which the trail then says.

    True when something is changed now. Raises ConfigurationRefused.
    """
    if alone:
        with transaction.atomic(), audit.recording(row.workspace, actor=actor) as trail:
            plan = applying.change(_nothing_else(row), {row.name: typed}, actor)
            if plan.changes:
                trail.add("config_change", f"connection:{row.pk}", fields=_fields(typed), second_person="nobody may")
        return bool(plan.changes)
    with transaction.atomic(), audit.recording(row.workspace, actor=actor) as trail:
        _forget(row)
        for name, value in typed.items():
            vault.put(row.workspace, _waiting(row), name, value)
        row.asked_by = actor
        row.save(update_fields=["asked_by"])
        trail.add("config_change", f"connection:{row.pk}", fields=_fields(typed), asked=True)
    return False


def names_waiting(row: Connection) -> list[str]:
    """Which secrets wait for a second person."""
    return sorted(vault.get_all(row.workspace, _waiting(row))) if row.asked_by else []


def approve(row: Connection, actor: str) -> None:
    """Lets what waits take effect. Raises NotYours, ConfigurationRefused."""
    if not row.asked_by:
        raise NotYours("Nothing waits for approval here.")
    if row.asked_by == actor:
        raise NotYours("You asked for it: somebody else must approve it.")
    typed = vault.get_all(row.workspace, _waiting(row))
    with transaction.atomic(), audit.recording(row.workspace, actor=actor) as trail:
        applying.change(_nothing_else(row), {row.name: typed}, actor)
        trail.add("config_change", f"connection:{row.pk}", fields=_fields(typed), asked_by=row.asked_by)
        _forget(row)


def withdraw(row: Connection, actor: str) -> None:
    """Drops what waits. Raises NotYours where nothing does."""
    if not row.asked_by:
        raise NotYours("Nothing waits here.")
    with transaction.atomic(), audit.recording(row.workspace, actor=actor) as trail:
        trail.add("config_change", f"connection:{row.pk}", fields=_fields(dict.fromkeys(names_waiting(row), "")),
                  withdrawn=True)  # fmt: skip
        _forget(row)


def _forget(row: Connection) -> None:
    for name in vault.get_all(row.workspace, _waiting(row)):
        vault.delete(row.workspace, _waiting(row), name)
    Connection.objects.of(row.workspace_id).filter(pk=row.pk).update(asked_by="")


def _waiting(row: Connection) -> str:
    """Under which owner what waits is sealed: not that of the Connection's own secrets."""
    return f"asked:{row.name}"


def _fields(typed: Mapping[str, str]) -> list[str]:
    return [f"secrets.{name}" for name in sorted(typed)]


def _nothing_else(row: Connection) -> dict[str, object]:
    return {"workspace": row.workspace.name, "connections": {row.name: {}}}
