"""What a Mapping was at an earlier version, what changed between two, and an earlier one made the newest again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q

from ml_connector.sync.mapping_checks import MappingFault, MappingRefused
from ml_connector.sync.mappings import TAKEN_OUT, history, mapped
from ml_connector.sync.models import Approval, Integration, MappingEntry, MappingVersion
from ml_connector.sync.second_person import publish_mapping


@dataclass(frozen=True)
class Change:
    """One code that two states of a Mapping map differently; None where it is not mapped."""

    source: str
    before: str | None
    after: str | None


def state_at(integration: Integration, name: str, number: int) -> dict[str, str]:
    """What was published up to and with a version: source codes to target codes. 0: nothing."""
    rows = MappingEntry.objects.of(integration.workspace_id).filter(
        mapping__integration=integration, mapping__name=name, since__lte=number
    )
    rows = rows.filter(Q(until=None) | Q(until__gt=number)).exclude(target=TAKEN_OUT)
    return dict(rows.values_list("source", "target"))


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """By source code."""
    return [
        Change(source, before.get(source), after.get(source))
        for source in sorted({*before, *after})
        if before.get(source) != after.get(source)
    ]


def difference(integration: Integration, name: str, earlier: int, later: int) -> list[Change]:
    """What the versions after `earlier` up to `later` changed. Raises MappingRefused for a version there is not."""
    _known(integration, name, earlier, later)
    return changes(state_at(integration, name, earlier), state_at(integration, name, later))


def restore(integration: Integration, name: str, number: int, actor: str) -> MappingVersion | Approval:
    """Publishes an earlier version as a new one, or asks for it. History is never rewritten (R48).

    Codes that cannot be used any more refuse it as they would refuse any other version. Raises MappingRefused.
    """
    _known(integration, name, number)
    wanted = changes(mapped(integration, name), state_at(integration, name, number))
    if not wanted:
        raise MappingRefused([MappingFault("", "", "", f"Version {number} says what is in force already.")])
    entries = {change.source: change.after for change in wanted}
    return publish_mapping(integration, name, entries, actor, f"Version {number} again.")


def _known(integration: Integration, name: str, *numbers: int) -> None:
    known = {0, *(version.number for version in history(integration, name))}
    for number in numbers:
        if number not in known:
            raise MappingRefused([MappingFault("", "", "", f"{name} has no version {number}.")])
