"""Suggestions for the rows that a Mapping lacks.

The rules are tried in this order, and the first that finds a candidate decides; two candidates that cannot be told
apart are no suggestion. Nothing is applied without a person, except the first rule where the policy
`auto_map_exact` says so.

    1  the same code or number
    2  the same code without separators and leading zeros; without its company segment; its last segment
    3  the same name, legal forms and punctuation left out, within the same type
    4  a similar name within the same type
    5  what another Integration of the Workspace maps the same code to
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from ml_connector.integrations.base import Side
from ml_connector.sync import likeness, mappings
from ml_connector.sync.codes import NEVER_POSTED_TO, CodeIndex, ListedCode, code_index, fault
from ml_connector.sync.flows import declaration, side
from ml_connector.sync.models import Integration, MappingVersion

AUTOMATIC = "auto_map_exact"
"""Policy of an Integration: rows that rule 1 finds are published by themselves."""

SAME_CODE, SAME_FORM, NO_COMPANY, LAST_SEGMENT, SAME_NAME, ELSEWHERE = 1.0, 0.98, 0.94, 0.9, 0.95, 0.85


@dataclass(frozen=True, slots=True)
class Code:
    """What the rules look at of a code."""

    code: str
    number: str
    name: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A row that could be added to a Mapping."""

    source: str
    target: str
    """The target's code: what is stored."""
    number: str
    """What people know the target by."""
    name: str
    score: float
    why: str
    rule: int


Scored = tuple[float, str, Code]


class Candidates:
    """The target's codes that can be posted to, indexed once for all rules."""

    def __init__(self, codes: Iterable[Code], elsewhere: Mapping[str, Collection[str]] | None = None) -> None:
        """`elsewhere`: source codes, and the targets that other Integrations map them to."""
        self.codes = tuple(codes)
        self._elsewhere = elsewhere or {}
        self._spelled: dict[str, list[Code]] = {}
        self._forms: dict[str, list[Code]] = {}
        self._names: dict[tuple[str, ...], list[Code]] = {}
        self._words = {code.code: likeness.words(code.name) for code in self.codes}
        for code in self.codes:
            for spelling in {code.code, code.number}:
                self._spelled.setdefault(spelling, []).append(code)
                form = likeness.code_form(likeness.segments(spelling))
                self._forms.setdefault(form, []).append(code)
            self._names.setdefault(self._words[code.code], []).append(code)

    def suggest(self, source: Code) -> Suggestion | None:
        """The best target of a source code, or None where nothing fits or two fit alike."""
        rules = (self._same_code, self._same_form, self._same_name, self._similar_name, self._mapped_elsewhere)
        for number, rule in enumerate(rules, start=1):
            found = rule(source)
            if found:
                return _clear(source, found, number)
        return None

    def _same_code(self, source: Code) -> list[Scored]:
        return [
            (SAME_CODE, "same code", code)
            for spelling in {source.code, source.number}
            for code in self._spelled.get(spelling, [])
            if _types_allow(source, code)
        ]

    def _same_form(self, source: Code) -> list[Scored]:
        parts = likeness.segments(source.number)
        forms = [(SAME_FORM, "same code but for separators and zeros", parts)]
        if len(parts) > 1:
            forms.append((NO_COMPANY, "same code without its company segment", parts[1:]))
        if len(parts) > 2:
            forms.append((LAST_SEGMENT, "same last segment", parts[-1:]))
        return [
            (score, why, code)
            for score, why, form in forms
            if form
            for code in self._forms.get(likeness.code_form(form), [])
            if _types_allow(source, code)
        ]

    def _same_name(self, source: Code) -> list[Scored]:
        wanted = likeness.words(source.name)
        same = self._names.get(wanted, []) if wanted else []
        return [(SAME_NAME, "same name", code) for code in same if _same_type(source, code)]

    def _similar_name(self, source: Code) -> list[Scored]:
        wanted = likeness.words(source.name)
        scores = ((likeness.similarity(wanted, self._words[code.code]), code) for code in self.codes)
        return [
            (round(score, 4), "similar name", code)
            for score, code in scores
            if score >= likeness.SIMILAR and _same_type(source, code)
        ]

    def _mapped_elsewhere(self, source: Code) -> list[Scored]:
        return [
            (ELSEWHERE, "mapped so in another integration", code)
            for spelling in self._elsewhere.get(source.code, ())
            for code in self._spelled.get(spelling, [])
            if _types_allow(source, code)
        ]


def suggest(
    integration: Integration,
    name: str,
    only: Collection[str] | None = None,
    listed: Mapping[Side, CodeIndex] | None = None,
) -> list[Suggestion]:
    """Suggestions for the source codes that are not mapped, by source code. None for a Mapping without code lists.
    `only`: for no other codes than these. `listed`: the code lists, where the caller has them already.

    Raises MappingRefused for a Mapping that the Integration does not have.
    """
    spec = mappings.spec_of(integration, name)
    if not spec.list:
        return []
    listed = listed or mappings.code_lists(integration, spec)
    mapped = mappings.mapped(integration, name)
    missing = [
        _code(entry)
        for entry in listed[spec.source]
        if (only is None or entry.code in only)
        and not entry.gone
        and entry.code not in mapped
        and entry.type not in NEVER_POSTED_TO
    ]
    if not missing:
        return []
    candidates = Candidates(
        (_code(entry) for entry in listed[spec.source.other] if fault(entry) is None),
        _elsewhere(integration, name, spec.source),
    )
    found = (candidates.suggest(code) for code in missing)
    return sorted((suggestion for suggestion in found if suggestion), key=attrgetter("source"))


def map_exact(integration: Integration, name: str) -> MappingVersion | None:
    """Publishes what rule 1 suggests, where the policy `auto_map_exact` is on; None where there is nothing to do.

    To be called after a reading of either side's list.
    """
    if integration.policies.get(AUTOMATIC) is not True:
        return None
    exact = {found.source: found.target for found in suggest(integration, name) if found.rule == 1}
    if not exact:
        return None
    return mappings.set_entries(integration, name, exact, AUTOMATIC, "Same code on both sides.")


def _clear(source: Code, found: list[Scored], rule: int) -> Suggestion | None:
    """The best of the candidates of one rule, unless another one is as good."""
    ranked = sorted(found, key=lambda candidate: (-candidate[0], candidate[2].code))
    score, why, best = ranked[0]
    rivals = [other for other in ranked[1:] if other[2].code != best.code and score - other[0] <= likeness.CLOSE]
    if rivals:
        return None
    return Suggestion(source.code, best.code, best.number, best.name, score, why, rule)


def _types_allow(source: Code, target: Code) -> bool:
    return {source.type, target.type} != {"expense", "revenue"}


def _same_type(source: Code, target: Code) -> bool:
    return not source.type or not target.type or source.type == target.type


def _code(entry: ListedCode) -> Code:
    return Code(entry.code, entry.number, entry.name, entry.type)


def _elsewhere(integration: Integration, name: str, source: Side) -> dict[str, set[str]]:
    """What Integrations with the same source map its codes to: by the target's code and by its number there."""
    others = (
        Integration.objects.of(integration.workspace_id)
        .filter(**{source.value: side(integration, source)})
        .exclude(pk=integration.pk)
        .select_related("erp", "platform")
    )
    found: dict[str, set[str]] = {}
    for other in others:
        spec = declaration(other).mapping(name)
        if spec is None or spec.source is not source or not spec.list:
            continue
        theirs = code_index(side(other, source.other), spec.list)
        for code, target in mappings.mapped(other, name).items():
            entry = theirs.get(target)
            found.setdefault(code, set()).update({target, entry.number} if entry else {target})
    return found
