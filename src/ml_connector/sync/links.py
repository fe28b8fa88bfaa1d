"""Links of suppliers: which one of the target's a supplier is, and who says so (R46).

A name is only ever a suggestion. A supplier that resembles one of the target's waits until a person links the two
(`accept`, `set_link`) or says that a new one is to be made (`create_instead`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from ml_connector import audit, clock
from ml_connector.domain.numbers import normalised_code
from ml_connector.domain.records import Supplier, decode
from ml_connector.integrations.base import FlowKind, FlowSpec
from ml_connector.sync import likeness, mirroring, problems
from ml_connector.sync.flows import declaration, document_flows, side, spec_of, target_of
from ml_connector.sync.models import Flow, Integration, Link, Problem, ProblemState, Record, State, TargetEntry
from ml_connector.systems.base import DocumentState

CAUSE = "supplier_ambiguous"
"""The Problem that asks which of the target's suppliers one is; its subject is the source key."""

UNKNOWN_VENDOR = "supplier_missing"
"""The Problem that reports one of the target's suppliers that is none of the source's."""

SAME_TAX_ID, SAME_NAME = 1.0, 0.98

_SHORTLIST = 40
"""Names compared letter by letter, of those that share the rarest words."""


def unknown_vendor(target_key: str) -> str:
    """Subject of the Problem about one of the target's suppliers."""
    return f"vendor:{target_key}"


class LinkRefused(ValueError):
    """A Link that cannot be made. Nothing was changed; the text says what to do."""


@dataclass(frozen=True, slots=True)
class LinkSuggestion:
    """A supplier of the target that may be the source's."""

    target_key: str
    name: str
    """As the target spells it."""
    score: float
    why: str
    rivals: tuple[str, ...] = ()
    """Target keys of others that are as likely; a person has to tell them apart."""
    source_key: str = ""
    source_name: str = ""


class SupplierIndex:
    """Suppliers of one side by their keys, indexed once: fast for thousands of them."""

    def __init__(self, suppliers: Iterable[tuple[str, Supplier]]) -> None:
        self._codes: set[str] = set()
        self._names: dict[str, str] = {}
        self._words: dict[str, tuple[str, ...]] = {}
        self._by_tax_id: dict[str, list[str]] = {}
        self._by_name: dict[tuple[str, ...], list[str]] = {}
        self._by_part: dict[str, list[str]] = {}
        for key, supplier in suppliers:
            self._add(key, supplier)

    def suggest(self, supplier: Supplier) -> LinkSuggestion | None:
        """The likeliest of them, by tax id, then by name, then by a similar name; or None.

        None too where one bears the supplier's own code: that is how we made it, and how the search before a create
        finds it again.
        """
        if normalised_code(supplier.code) in self._codes:
            return None
        return self.resembling(supplier)

    def resembling(self, supplier: Supplier) -> LinkSuggestion | None:
        """The same, whatever codes they bear."""
        tax_id = likeness.tax_form(supplier.tax_id) if supplier.tax_id else ""
        same_tax_id = self._by_tax_id.get(tax_id, []) if tax_id else []
        if same_tax_id:
            return self._best([(SAME_TAX_ID, key) for key in same_tax_id], "same tax id")
        words = likeness.words(supplier.name)
        same_name = self._by_name.get(words, []) if words else []
        if same_name:
            return self._best([(SAME_NAME, key) for key in same_name], "same name but for its legal form or spelling")
        scores = ((likeness.similarity(words, self._words[key]), key) for key in self._shortlist(words))
        return self._best([(score, key) for score, key in scores if score >= likeness.SIMILAR], "similar name")

    def __len__(self) -> int:
        return len(self._names)

    def _add(self, key: str, supplier: Supplier) -> None:
        words = likeness.words(supplier.name)
        self._codes.add(normalised_code(supplier.code))
        self._names[key], self._words[key] = supplier.name, words
        tax_id = likeness.tax_form(supplier.tax_id) if supplier.tax_id else ""
        if tax_id:
            self._by_tax_id.setdefault(tax_id, []).append(key)
        self._by_name.setdefault(words, []).append(key)
        for part in _parts(words):
            self._by_part.setdefault(part, []).append(key)

    def _shortlist(self, words: tuple[str, ...]) -> list[str]:
        """Those that share words or beginnings of words, the rarer the better."""
        weights: dict[str, float] = {}
        for part in _parts(words):
            having = self._by_part.get(part, [])
            for key in having:
                weights[key] = weights.get(key, 0.0) + 1 / len(having)
        return sorted(weights, key=lambda key: (-weights[key], key))[:_SHORTLIST]

    def _best(self, scored: list[tuple[float, str]], why: str) -> LinkSuggestion | None:
        if not scored:
            return None
        score, key = min(scored, key=lambda found: (-found[0], found[1]))
        rivals = tuple(sorted(other for value, other in scored if other != key and score - value <= likeness.CLOSE))
        return LinkSuggestion(key, self._names[key], round(score, 4), why, rivals)


def supplier_index(flow: Flow) -> SupplierIndex:
    """The suppliers of a Flow's target that no supplier of the source is linked to."""
    link_type = spec_of(flow).link_type
    linked = set(_links(flow.integration, link_type).values_list("target_key", flat=True))
    other = mirroring.mirror(flow.integration, spec_of(flow))
    if other is not None:
        return SupplierIndex((key, supplier) for key, supplier in _read(other) if key not in linked)
    entries = TargetEntry.objects.of(flow.workspace_id).filter(connection=target_of(flow), type=link_type)
    return SupplierIndex(known(entry for entry in entries.iterator() if entry.key not in linked))


def _read(flow: Flow) -> Iterator[tuple[str, Supplier]]:
    """A Flow's suppliers as last read, by their keys."""
    rows = Record.objects.of(flow.workspace_id).filter(flow=flow, gone=False, invalid="", erased_at=None)
    for key, payload in rows.values_list("key", "payload").iterator():
        yield key, decode("supplier", bytes(payload))


def known(entries: Iterable[TargetEntry]) -> Iterator[tuple[str, Supplier]]:
    """Suppliers of the target by their keys. Archived ones are left out: nothing can be posted to them."""
    for entry in entries:
        if entry.state != DocumentState.ARCHIVED:
            yield entry.key, decode("supplier", bytes(entry.payload))


def suggest_links(flow: Flow) -> list[LinkSuggestion]:
    """A suggestion for each supplier that is not linked and that nobody wants to be created, best first."""
    index = supplier_index(flow)
    linked = set(_links(flow.integration, spec_of(flow).link_type).values_list("source_key", flat=True))
    answered = set(_wanting_creation(flow.integration).values_list("subject", flat=True))
    suggestions = []
    for key, supplier in _read(flow):
        if key in linked or key in answered:
            continue
        found = index.suggest(supplier)
        if found is not None:
            suggestions.append(replace(found, source_key=key, source_name=supplier.name))
    return sorted(suggestions, key=lambda suggestion: (-suggestion.score, suggestion.source_key))


def accept(record: Record, target_key: str, actor: str) -> Link:
    """Links a supplier to one of the target's. Raises LinkRefused."""
    flow = record.flow
    return set_link(flow.integration, spec_of(flow).link_type, record.key, target_key, actor)


def set_link(integration: Integration, link_type: str, source_key: str, target_key: str, actor: str) -> Link:
    """Makes a Link by a person's word; what waits for it is judged again at the next push. Raises LinkRefused."""
    workspace = integration.workspace_id
    with audit.recording(integration.workspace, actor=actor) as trail:
        record = _linkable(integration, link_type, source_key, target_key)
        link = Link.objects.create(
            workspace_id=workspace,
            integration=integration,
            type=link_type,
            source_key=source_key,
            target_key=target_key,
            made_by=actor[:60],
            made_at=clock.now(),
        )
        trail.add("link", f"record:{record.pk}", target_key=target_key, made_by="person")
        mirroring.link_back(trail, integration, link)
        problems.recheck(integration, [CAUSE], [source_key])
        problems.end_problem(trail, integration, UNKNOWN_VENDOR, subject=unknown_vendor(target_key))
        problems.recheck(integration, ["payment_unmatched"])
    return link


def answer(integration: Integration, key: str, actor: str, *, record: int, vendor: str = "") -> Link:
    """Links by the answer to a Problem: to `key`, one of the target's suppliers, the supplier of a Record (its id); or,
    where the Problem is about a supplier of the target (`vendor`), that one to the source's supplier `key`.

    Raises LinkRefused.
    """
    if vendor:
        return set_link(integration, "supplier", key, vendor, actor)
    rows = Record.objects.of(integration.workspace_id).select_related("flow__integration__workspace")
    return accept(rows.get(pk=record), key, actor)


def create_instead(record: Record, actor: str, reason: str = "None of the target's suppliers is this one.") -> None:
    """A person says that the supplier is to be created although one resembles it. The answer lasts.

    Raises LinkRefused where nobody asked, or where the supplier is linked already.
    """
    flow = record.flow
    link = _links(flow.integration, spec_of(flow).link_type).filter(source_key=record.key).first()
    if link is not None:
        raise LinkRefused(f"Supplier {record.number or record.key} is linked to {link.target_key} already.")
    problem = (
        Problem.objects.of(record.workspace_id)
        .filter(integration=flow.integration, cause=CAUSE, subject=record.key, state=ProblemState.OPEN)
        .first()
    )
    if problem is None:
        raise LinkRefused(
            f"Supplier {record.number or record.key} does not wait for a decision: it resembles none of the target's,"
            " and is created by itself."
        )
    problems.solve(problem, "create", reason, actor)


def wants_creation(record: Record) -> bool:
    """A person decided that this supplier is to be created, whatever it resembles."""
    return _wanting_creation(record.flow.integration).filter(subject=record.key).exists()


def _linkable(integration: Integration, link_type: str, source_key: str, target_key: str) -> Record:
    """The source's Record, when both sides are known and free. Raises LinkRefused."""
    page = declaration(integration)
    flows = document_flows(integration, link_type)
    if not flows:
        raise LinkRefused(f"{integration.name} has no records of the type {link_type!r} to link.")
    spec = spec_of(flows[0])
    source_label, target_label = page.system(spec.source).label, page.system(spec.target).label
    record = (
        Record.objects.of(integration.workspace_id)
        .select_for_update()
        .filter(flow__in=[flow.pk for flow in flows], key=source_key)
        .first()
    )
    if record is None:
        raise LinkRefused(f"No {link_type} {source_key!r} was read from {source_label}. Check the key.")
    taken = _links(integration, link_type).filter(source_key=source_key).first()
    if taken is not None:
        raise LinkRefused(
            f"{source_label} {link_type} {source_key} is linked already, to {target_label} {taken.target_key}"
            f" (by {taken.made_by}). A Link is never moved."
        )
    taken = _links(integration, link_type).filter(target_key=target_key).first()
    if taken is not None:
        raise LinkRefused(
            f"{target_label} {link_type} {target_key} is linked already, to {source_label} {taken.source_key}"
            f" (by {taken.made_by}). Choose another one, or merge the two in {source_label}."
        )
    listed = TargetEntry.objects.of(integration.workspace_id).filter(
        connection=side(integration, spec.target), type=link_type, key=target_key
    )
    if not listed.exists() and not _compared(integration, spec, target_key):
        raise LinkRefused(
            f"{target_label} had no {link_type} {target_key!r} when it was last listed. Check the key, or run the flow"
            f" {flows[0].name} and try again."
        )
    if record.state in {State.IN_FLIGHT, State.IN_DOUBT}:
        raise LinkRefused(
            f"A write of {link_type} {source_key} to {target_label} is still open ({record.state}). Wait until it is"
            " settled; it may have made one there."
        )
    return record


def _compared(integration: Integration, spec: FlowSpec, target_key: str) -> bool:
    """Whether a Flow that compares the target's suppliers, or writes them the other way, has read this one."""
    rows = Flow.objects.of(integration.workspace_id).filter(integration=integration).select_related("integration")
    flows = [flow.pk for flow in rows if spec_of(flow).kind is FlowKind.COMPARED or flow.name == spec.mirrors]
    return Record.objects.of(integration.workspace_id).filter(flow__in=flows, key=target_key, gone=False).exists()


def _links(integration: Integration, link_type: str) -> QuerySet[Link]:
    return Link.objects.of(integration.workspace_id).filter(integration=integration, type=link_type)


def _wanting_creation(integration: Integration) -> QuerySet[Problem]:
    return Problem.objects.of(integration.workspace_id).filter(
        integration=integration, cause=CAUSE, state=ProblemState.HANDLED, action="create"
    )


def _parts(words: tuple[str, ...]) -> set[str]:
    """Words and their beginnings, by which names are found that differ in a letter or two."""
    return {part for word in words for part in (word, word[:3] + "*")}
