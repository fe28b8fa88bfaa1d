"""Whether entries of a Mapping may be published: both codes exist, the target can be posted to, types agree (R50)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ml_connector.integrations.base import NOTHING, IntegrationSpec, MappingSpec, Side
from ml_connector.sync.codes import LABELS, CodeIndex, ListedCode, fault, shown


@dataclass(frozen=True)
class MappingFault:
    """One entry that cannot be published, and what to do about it."""

    source: str
    """The source code of the entry; empty where the fault is not about one entry."""
    code: str
    """The code at fault, of either side."""
    side: str
    """Label of the system whose code is at fault."""
    text: str


class MappingRefused(ValueError):
    """Entries that cannot be published. Nothing was changed. The text lists every fault, one a line."""

    def __init__(self, faults: Iterable[MappingFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(fault.text for fault in self.faults))


@dataclass(frozen=True)
class Checked:
    """Entries that may be published: targets by code, None for those that are taken out."""

    entries: dict[str, str | None]
    warnings: tuple[str, ...]


class Judge:
    """Judges entries of a Mapping whose codes are listed on both sides."""

    def __init__(
        self, page: IntegrationSpec, spec: MappingSpec, lists: Mapping[Side, CodeIndex], known: Mapping[str, str]
    ) -> None:
        self.sources, self.targets = lists[spec.source], lists[spec.source.other]
        self.source_label = page.system(spec.source).label
        self.target_label = page.system(spec.source.other).label
        self.noun = LABELS.get(spec.list, spec.list)
        self.optional = spec.optional
        self.known = known
        """What is mapped already: it can be taken out whatever has become of its code."""
        self.faults: list[MappingFault] = []
        self.warnings: list[str] = []

    def need_both_lists(self) -> None:
        """Raises MappingRefused where one side's list was never read: nothing can be judged then."""
        for label, codes in ((self.source_label, self.sources), (self.target_label, self.targets)):
            if not len(codes):
                text = (
                    f"The {self.noun}s of {label} were never read, so no code can be checked. Sync the integration once"
                    " and publish then."
                )
                raise MappingRefused([MappingFault("", "", label, text)])

    def target_of(self, source: str, target: str | None) -> str | None:
        """The target's code; None where it is taken out or where a fault was noted."""
        if target is None and source in self.known:
            return None
        theirs = self.sources.get(source)
        if theirs is None:
            self._fault(
                source,
                source,
                self.source_label,
                f"{self.source_label} has no {self.noun} {source!r}. Check the spelling, or read the list again"
                " if it was made there just now.",
            )
            return None
        if target == NOTHING and self.optional:
            return NOTHING
        found = self._find(source, target) if target is not None else None
        if found is None:
            return None
        unusable = fault(found)
        if unusable:
            self._fault(
                source,
                found.code,
                self.target_label,
                f"{self.noun} {source} cannot be mapped to {self.target_label}: {unusable} Restore it there, or choose"
                " another one.",
            )
            return None
        self._compare(source, theirs, found)
        return found.code

    def advice(self, source: str, target: str) -> str:
        """What to do about an entry that was published and whose codes have changed since; empty where nothing."""
        if target == NOTHING and self.optional:
            return ""
        ours, theirs = self.sources.get(source), self.targets.named(target)
        if theirs is None or fault(theirs):
            return f"Restore it in {self.target_label}, or choose another one here; what waits follows by itself."
        if ours is not None and ours.gone:
            return (
                f"{source} is no longer among the {self.noun}s of {self.source_label}: take the entry out once no"
                " document carries the code any more."
            )
        if ours is None or not ours.type or not theirs.type or ours.type == theirs.type:
            return ""
        return (
            f"{source} is of type {ours.type} in {self.source_label}, {shown(theirs)} of type {theirs.type} in"
            f" {self.target_label}: choose one of type {ours.type}, or leave it if it is meant so."
        )

    def _find(self, source: str, target: str) -> ListedCode | None:
        exact = self.targets.get(target)
        numbered = [exact] if exact is not None else self.targets.numbered(target)
        if len(numbered) == 1:
            return numbered[0]
        if numbered:
            codes = ", ".join(f"{entry.code} ({entry.name})" for entry in numbered)
            text = (
                f"{target!r} is the number of several {self.noun}s in {self.target_label}: {codes}. Give the code of"
                f" the one that {source} is to be mapped to."
            )
        else:
            text = (
                f"{self.target_label} has no {self.noun} {target!r} that {source} could be mapped to. Check the"
                " spelling, or create it there and read the list again."
            )
        self._fault(source, target, self.target_label, text)
        return None

    def _compare(self, source: str, theirs: ListedCode, found: ListedCode) -> None:
        """Types must agree (R50): expense to income is refused, anything else that differs is a warning."""
        if not theirs.type or not found.type or theirs.type == found.type:
            return
        text = (
            f"{self.noun} {shown(theirs)} is of type {theirs.type} in {self.source_label}, and {shown(found)} of type"
            f" {found.type} in {self.target_label}."
        )
        if {theirs.type, found.type} == {"expense", "revenue"}:
            self._fault(source, found.code, self.target_label, f"{text} Choose a target of type {theirs.type}.")
        else:
            self.warnings.append(text)

    def _fault(self, source: str, code: str, label: str, text: str) -> None:
        self.faults.append(MappingFault(source, code, label, text[0].upper() + text[1:]))
