"""Policies that have no meaning alone: one that needs another is refused without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_connector.integrations.base import IntegrationSpec
from ml_connector.sync.configfile.tree import Entry
from ml_connector.systems.base import Setting

_FAULTY = object()
"""A value that the file gives and that was refused already."""


@dataclass(frozen=True)
class Level:
    """The policies of an Integration or of one Flow: what is stored, and what the file says over it."""

    stored: Mapping[str, Any]
    given: Mapping[str, Any]
    entry: Entry | None
    """Where the file says it."""

    def value(self, name: str) -> Any:
        """None where the level says nothing, or where the file takes it out."""
        if name in self.given:
            return self.given[name]
        return self.stored.get(name) if self.place(name) is None else _FAULTY

    def place(self, name: str) -> Entry | None:
        return self.entry.table().get(name) if self.entry is not None else None


def check(entry: Entry, spec: IntegrationSpec, own: Level, flows: Mapping[str, Level]) -> None:
    """Notes a fault for each policy that would hold for a Flow without the one that it needs.

    A Flow's own value comes before the Integration's. `entry` is the Integration's.
    """
    for flow in spec.flows:
        levels = [flows[flow.name], own]
        form = {setting.name: setting for setting in (*flow.policies, *spec.policies)}
        for setting in form.values():
            if setting.needs and _effective(levels, setting.name) and not _effective(levels, setting.needs):
                _refuse(entry, levels, setting, form[setting.needs])


def _effective(levels: Sequence[Level], name: str) -> Any:
    return next((value for level in levels if (value := level.value(name)) is not None), None)


def _refuse(entry: Entry, levels: Iterable[Level], setting: Setting, needed: Setting) -> None:
    for name in (setting.name, needed.name):
        place = next((found for level in levels if (found := level.place(name)) is not None), None)
        if place is not None and name == setting.name:
            place.fault(f"needs {needed.name}, which is not set. Set it beside it: {needed.help}")
            return
        if place is not None:
            place.fault(f"is needed by {setting.name}. Keep it, or take that out too.")
            return
    entry.fault(f"has {setting.name} without {needed.name}. Set it under policies: {needed.help}")
