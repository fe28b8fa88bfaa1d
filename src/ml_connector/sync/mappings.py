"""Mappings: versioned code tables from the source side's codes to the target side's (R48).

    table          what applies on a day, loaded once per Run
    set_entries    publishes one new version: all of the changes or none of them
    check          the same validation without publishing, with its warnings
    entries        the table as people see it, what is missing first
    history        its versions

A version is a set of changes that is in force from its date on. Of several versions in force that say something
about the same code, the one published last counts; so a version published for next year neither hides nor delays
what is mapped meanwhile.
"""

from __future__ import annotations

import collections
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, QuerySet

from ml_connector import audit, clock
from ml_connector.domain.numbers import normalised_code
from ml_connector.integrations.base import NOTHING, MappingSpec, Side
from ml_connector.sync import approvals, problems
from ml_connector.sync.codes import CodeIndex, code_index, unique_by_form
from ml_connector.sync.flows import declaration, side
from ml_connector.sync.mapping_checks import Checked, Judge, MappingFault, MappingRefused
from ml_connector.sync.models import (
    Flow,
    Integration,
    MappingEntry,
    MappingVersion,
    Problem,
    ProblemState,
    Record,
    State,
)
from ml_connector.sync.models import (
    Mapping as MappingRow,
)
from ml_connector.sync.replay import judge_again
from ml_connector.sync.uses import Use, uses

CAUSES = ("unmapped_code", "code_not_postable", "code_taken")
"""The Problems that a change of a Mapping may solve."""

SENT_WITHOUT = "sent without one"
"""What people read of a code that is mapped to NOTHING."""

TAKEN_OUT = ""
"""Target of a stored row that says: from this version on the code is not mapped."""


class MappingMoved(ValueError):
    """Somebody published meanwhile, so the changes would hide theirs. Nothing was changed."""

    def __init__(self, name: str, after: int, now: int) -> None:
        super().__init__(
            f"Mapping {name} is at version {now} by now; these changes were made on version {after}. Read it again,"
            " compare, and publish what is still to be changed."
        )


class Table:
    """A Mapping as it applies on one day. `version` is the number that a document posted with it stores (R48)."""

    def __init__(self, version: int, targets: Mapping[str, str], *, identity: bool = False) -> None:
        self.version = version
        """0 while nothing is in force."""
        self.targets = dict(targets)
        self._identity = identity
        self._normalised = unique_by_form(self.targets)

    def get(self, source: str) -> str | None:
        """The target of a source code; None where it is not mapped. An identity Mapping gives the code itself."""
        target = self.targets.get(source)
        if target is None:
            target = self._normalised.get(normalised_code(source))
        return source if target is None and self._identity else target

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class EntryView:
    """One row of a Mapping as people see it."""

    source: str
    source_number: str
    source_name: str
    target: str | None
    target_number: str
    target_name: str
    fault: str | None
    """Why the target cannot be used, as a sentence."""
    waiting: int
    """Records that wait for this code now."""
    advice: str
    """What to do about an entry whose code was closed, deleted or retyped on either side; empty where nothing."""
    use: Use | None
    """Documents in the target that were sent with it."""


def spec_of(integration: Integration, name: str) -> MappingSpec:
    """The declaration of a Mapping. Raises MappingRefused, naming those there are."""
    found = declaration(integration).mapping(name)
    if found is None:
        names = ", ".join(spec.name for spec in declaration(integration).mappings)
        raise MappingRefused(
            [MappingFault("", name, "", f"{integration.name} has no mapping {name!r}. It has: {names or 'none'}.")]
        )
    return found


def subject(name: str, code: str) -> str:
    """What makes a Problem about a code of a Mapping one Problem."""
    return f"{name}:{code}"


def table(integration: Integration, name: str, on: date, *, version: int | None = None) -> Table:
    """The Mapping as it applies on a day; with `version`, as it applied before any later version was published.

    Raises MappingRefused for a Mapping that the Integration does not have.
    """
    spec = spec_of(integration, name)
    versions = _versions(integration, name).filter(effective_from__lte=on)
    if version is not None:
        versions = versions.filter(number__lte=version)
    in_force = set(versions.values_list("number", flat=True))
    rows = _rows(integration, name).order_by("since").values_list("source", "target", "since")
    last = {source: target for source, target, since in rows if since in in_force}
    targets = {source: target for source, target in last.items() if target != TAKEN_OUT}
    return Table(max(in_force, default=0), targets, identity=spec.identity)


def check(
    integration: Integration, name: str, entries: Mapping[str, str | None], *, before_reading: bool = False
) -> Checked:
    """Validates entries without publishing them (R50). Raises MappingRefused with every fault.

    A target may be given by its code or by the number that people know it by. Of the source's code only that it
    was ever read is asked, because documents may still carry a code that is gone by now. `before_reading`: where a
    code list was never read, entries pass as they are given; each is judged before a document is sent all the same.
    """
    spec = spec_of(integration, name)
    wanted = {source.strip(): (target or "").strip() or None for source, target in entries.items()}
    if not spec.list:
        empty = [
            MappingFault("", source, "", "An entry without a source code cannot be mapped.")
            for source in wanted
            if not source
        ]
        if empty:
            raise MappingRefused(empty)
        return Checked(wanted, ())
    lists = code_lists(integration, spec)
    if before_reading and not all(len(codes) for codes in lists.values()):
        return Checked(wanted, (f"The codes of {name} were not read yet: each is judged before a document is sent.",))
    judge = Judge(declaration(integration), spec, lists, _current(integration, name))
    judge.need_both_lists()
    result = {source: judge.target_of(source, target) for source, target in wanted.items()}
    if judge.faults:
        raise MappingRefused(judge.faults)
    return Checked(result, tuple(judge.warnings))


def set_entries(
    integration: Integration,
    name: str,
    entries: Mapping[str, str | None],
    actor: str,
    reason: str = "",
    effective_from: date | None = None,
    *,
    before_reading: bool = False,
    after: int | None = None,
    second_person: str = "",
) -> MappingVersion:
    """Publishes one new version with these changes; None takes an entry out. All of them or none.

    What waits for these codes is judged again at the next push. Entries that are in force already make no
    version: then the latest one comes back. `after`: the version that the changes were made on, 0 for none; another
    one meanwhile is refused. `second_person` is who agreed, or why nobody had to (R72); the command line is the host's
    hand. Raises MappingRefused and MappingMoved.
    """
    checked = check(integration, name, entries, before_reading=before_reading)
    starts = effective_from or clock.now().date()
    workspace = integration.workspace_id
    with audit.recording(integration.workspace, actor=actor) as trail:
        mapping, _ = MappingRow.objects.of(workspace).get_or_create(
            integration=integration, name=name, defaults={"workspace_id": workspace}
        )
        MappingRow.objects.of(workspace).select_for_update().get(pk=mapping.pk)
        latest = _versions(integration, name).order_by("number").last()
        must_be_latest(integration, name, after)
        changed = _changed(integration, name, checked.entries, starts)
        if not changed:
            if latest is None:
                raise MappingRefused(
                    [MappingFault("", "", "", f"Nothing to publish: {name} has no entries and got none.")]
                )
            return latest
        number = latest.number + 1 if latest else 1
        version = MappingVersion.objects.create(
            workspace_id=workspace,
            mapping=mapping,
            number=number,
            effective_from=starts,
            published_at=clock.now(),
            published_by=actor[:100],
            reason=reason[:300],
        )
        rows = MappingEntry.objects.of(workspace)
        rows.filter(mapping=mapping, until=None, source__in=list(changed)).update(until=number)
        MappingEntry.objects.bulk_create(
            MappingEntry(
                workspace_id=workspace, mapping=mapping, source=source, target=target or TAKEN_OUT, since=number
            )
            for source, target in changed.items()
        )
        trail.add(
            "mapping_change",
            f"mapping:{mapping.pk}",
            mapping=name,
            version=number,
            effective_from=starts.isoformat(),
            codes=sorted(changed),
            warnings=len(checked.warnings),
            second_person=second_person or approvals.host_of(actor),
        )
        problems.recheck(integration, CAUSES, [subject(name, source) for source in changed])
        _send_codes_again(trail, integration, name, list(changed))
    return version


def _send_codes_again(trail: audit.Trail, integration: Integration, name: str, codes: list[str]) -> None:
    """Has codes that are themselves written to the target, and held there for what they are called, go under their new
    names."""
    writers = [flow.name for flow in declaration(integration).flows if flow.mapping == name]
    rows = Record.objects.of(integration.workspace_id).filter(
        flow__integration=integration, flow__name__in=writers, key__in=codes, state=State.BLOCKED
    )
    for record in rows:
        judge_again(trail, record)
    due = Flow.objects.of(integration.workspace_id).filter(pk__in={record.flow_id for record in rows})
    due.update(next_push_at=clock.now())


def must_be_latest(integration: Integration, name: str, number: int | None) -> None:
    """Raises MappingMoved unless that is the number of the latest version, 0 for none, or None."""
    latest = _versions(integration, name).order_by("number").values_list("number", flat=True).last() or 0
    if number is not None and number != latest:
        raise MappingMoved(name, number, latest)


def history(integration: Integration, name: str) -> list[MappingVersion]:
    """The versions of a Mapping, newest first. Raises MappingRefused for one that does not exist."""
    spec_of(integration, name)
    return list(_versions(integration, name).order_by("-number"))


def entries(integration: Integration, name: str, listed: Mapping[Side, CodeIndex] | None = None) -> list[EntryView]:
    """The Mapping with what both sides call the codes: those that documents wait for first, then other codes
    without a target, then those whose target cannot be used, then the rest; each part by number.

    `listed`: the code lists, where the caller has them already.
    """
    spec = spec_of(integration, name)
    targets = _current(integration, name)
    waiting = _waiting(integration, name)
    listed = listed or code_lists(integration, spec)
    used = uses(integration, name)
    page = declaration(integration)
    judge = Judge(page, spec, listed, targets)
    codes = {*targets, *waiting, *(entry.code for entry in listed[spec.source] if not entry.gone)}
    views = [_view(judge, spec, code, targets.get(code), waiting.get(code, 0), used.get(code)) for code in codes]
    return sorted(
        views,
        key=lambda view: (
            -view.waiting,
            view.target is not None,
            view.fault is None and not view.advice,
            view.source_number,
            view.source,
        ),
    )


def mapped(integration: Integration, name: str) -> dict[str, str]:
    """Source codes to target codes as last published, also where that is not in force yet."""
    return _current(integration, name)


def code_lists(integration: Integration, spec: MappingSpec) -> dict[Side, CodeIndex]:
    """The code lists of both sides; empty ones for a Mapping that has none to check against."""
    return {
        which: code_index(side(integration, which), spec.list) if spec.list else CodeIndex(spec.list, ())
        for which in Side
    }


def _view(judge: Judge, spec: MappingSpec, source: str, target: str | None, waiting: int, use: Use | None) -> EntryView:
    ours = judge.sources.get(source)
    theirs = judge.targets.get(target) if target is not None else None
    nothing = spec.optional and target == NOTHING
    return EntryView(
        source=source,
        source_number=ours.number if ours else source,
        source_name=ours.name if ours else "",
        target=target,
        target_number=theirs.number if theirs else target or "",
        target_name=theirs.name if theirs else SENT_WITHOUT if nothing else "",
        fault=judge.targets.fault(target) if target is not None and spec.list and not nothing else None,
        waiting=waiting,
        advice=judge.advice(source, target) if target is not None and spec.list else "",
        use=use,
    )


def _changed(
    integration: Integration, name: str, entries: Mapping[str, str | None], starts: date
) -> dict[str, str | None]:
    """Those of the entries that say something new about the day they start or about a later one."""
    then = table(integration, name, starts).targets
    coming = _versions(integration, name).filter(effective_from__gt=starts).values_list("number", flat=True)
    later: dict[str, set[str]] = {}
    for source, target in _rows(integration, name).filter(since__in=list(coming)).values_list("source", "target"):
        later.setdefault(source, set()).add(target)
    return {
        source: target
        for source, target in entries.items()
        if then.get(source) != target or later.get(source, set()) - {target or TAKEN_OUT}
    }


def _current(integration: Integration, name: str) -> dict[str, str]:
    rows = _rows(integration, name).filter(until=None).exclude(target=TAKEN_OUT)
    return dict(rows.values_list("source", "target"))


def _waiting(integration: Integration, name: str) -> dict[str, int]:
    """How many Records wait for each code of a Mapping."""
    rows = (
        Problem.objects.of(integration.workspace_id)
        .filter(integration=integration, cause__in=CAUSES, state=ProblemState.OPEN, subject__startswith=f"{name}:")
        .values_list("subject")
        .annotate(held=Count("holds"))
    )
    counts: collections.Counter[str] = collections.Counter()
    for subject, held in rows:
        counts[subject.removeprefix(f"{name}:")] += held
    return dict(counts)


def _versions(integration: Integration, name: str) -> QuerySet[MappingVersion]:
    return MappingVersion.objects.of(integration.workspace_id).filter(
        mapping__integration=integration, mapping__name=name
    )


def _rows(integration: Integration, name: str) -> QuerySet[MappingEntry]:
    return MappingEntry.objects.of(integration.workspace_id).filter(
        mapping__integration=integration, mapping__name=name
    )
