"""What an Integration is made of: Flows between two sides, their policies, and the Mappings that they need.

A pair is one short file of these values. The engine reads them; nothing here runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from ml_connector.domain.money import Money
from ml_connector.systems.base import Setting, System

MINUTE = 60
HOUR = 60 * MINUTE


ROUNDING_TOLERANCE = Setting(
    "rounding_tolerance",
    "Largest rounding difference, per currency of the document, that travels as a line of its own (R23), for example"
    " {USD: 0.05, JPY: 1}. A currency that is not named: 0, nothing is adjusted.",
    type=Money,
    needs="rounding_account",
)
ROUNDING_ACCOUNT = Setting(
    "rounding_account",
    "The source's account that rounding differences are coded to; it is mapped like any other account.",
)

NEAR_DUPLICATE_DAYS = Setting(
    "near_duplicate_days",
    "Same supplier and amount within so many days is reported as a near duplicate. 0 turns the report off.",
    type=int,
    default=0,
)
AUTO_MAP_EXACT = Setting(
    "auto_map_exact",
    "Map codes that are written the same on both sides without asking. Off: they are only suggested.",
    type=bool,
    default=False,
)
HIGHEST_AMOUNT = Setting(
    "highest_amount",
    "Documents above this amount wait for a person (R31).",
    type=Decimal,
    default=Decimal("999999999.99"),
)
BANK_CHANGE_DAYS = Setting(
    "bank_change_days",
    "When a supplier's bank or payment details change, the Problem names the bills that are due within so many days"
    " (R54). Its documents wait in any case.",
    type=int,
    default=30,
)
ON_PROBLEM = Setting(
    "on_problem",
    "What to do with a document that was taken over and cannot be posted: hold keeps it until a person solves its"
    " Problem, at most for hold_hours; answer gives it back at once, so that it is corrected where it was approved. By"
    " cause, or cause and mapping: {unmapped_code:cost_center: answer, duplicate_invoice: answer}; '*' is every other.",
    type=dict,
    default={},
)
HOLD_HOURS = Setting(
    "hold_hours",
    "Hours for which such a document is held before it is given back as failed, with the reason. 0: until a person"
    " decides.",
    type=int,
    default=24,
)


NOTHING = "-"
"""What a code is mapped to that the target needs nothing for."""


class Side(StrEnum):
    ERP = "erp"
    PLATFORM = "platform"

    @property
    def other(self) -> Side:
        return Side.PLATFORM if self is Side.ERP else Side.ERP


class FlowKind(StrEnum):
    REFERENCE = "reference"
    """Reads a code list on both sides and feeds a Mapping; writes nothing."""
    DOCUMENTS = "documents"
    """Reads records on one side and writes them to the other."""
    OBSERVED = "observed"
    """Reads what happened to documents on one side; opens Problems where the other must not go on."""
    COMPARED = "compared"
    """Reads the suppliers of the side that is written to and compares them with the other's; writes nothing."""
    PROPOSED = "proposed"
    """Reads the suppliers of the side that is written to; what its people changed in fields that the other side owns
    is written back once somebody agrees."""


@dataclass(frozen=True)
class FlowSpec:
    """One record type in one direction."""

    name: str
    record_type: str
    kind: FlowKind
    source: Side
    every: int
    """Seconds between two pulls, unless the configuration says otherwise."""
    link_type: str = ""
    """Key space of the Links; Flows whose documents share one on both sides name the same."""
    after: tuple[str, ...] = ()
    """Flows whose records are parents of this one's."""
    reads: Mapping[str, Any] = field(default_factory=dict)
    """Passed to the source: which records of the type belong to this Flow."""
    mapping: str = ""
    """The Mapping that a reference Flow feeds. Of a Flow that writes codes: what gives their codes in the target."""
    policies: tuple[Setting, ...] = ()
    marked_by_key: bool = False
    """The mark written into the target is the source's key itself: people of both sides know the document by it."""
    handed_over: bool = False
    """The source HandsOver its documents: each is claimed before it is sent on, and answered with what became of it."""
    mirrors: str = ""
    """The Flow that moves the same things the other way: what either has linked, the other does not make once more."""
    told_of: str = ""
    """Of payments: the Flow whose handed over documents they paid. Their source is told of them, one payment of a
    document at a time, and not before it has taken the answer that the document is posted."""
    label: str = ""
    """What people call the records, in the plural."""

    @property
    def target(self) -> Side:
        return self.source.other


@dataclass(frozen=True)
class MappingSpec:
    """A code table of the pair: from the source side's codes to the target side's."""

    name: str
    label: str
    source: Side
    list: str = ""
    """The code list on both sides; empty where there is none to check against."""
    identity: bool = False
    """Codes are equal unless an entry says otherwise."""
    optional: bool = False
    """A code may be mapped to NOTHING: a line that bears it is sent without."""


@dataclass(frozen=True)
class IntegrationSpec:
    """A pair of systems: its Flows in order, its policies, its Mappings."""

    kind: str
    label: str
    erp: System
    platform: System
    flows: tuple[FlowSpec, ...]
    mappings: tuple[MappingSpec, ...]
    policies: tuple[Setting, ...] = ()
    not_transferred: tuple[str, ...] = ()
    """What a user could expect to travel and does not, as the Flow's page says it."""

    @property
    def between(self) -> str:
        """The two systems, as people read which way documents go."""
        if self._targets == {Side.ERP}:
            return f"{self.platform.label} → {self.erp.label}"
        return f"{self.erp.label} {'↔' if self._targets == set(Side) else '→'} {self.platform.label}"

    @property
    def written_to(self) -> str:
        """Where documents go, as it stands in a sentence."""
        return " or ".join(self.system(side).label for side in (Side.PLATFORM, Side.ERP) if side in self._targets)

    @property
    def _targets(self) -> set[Side]:
        return {flow.target for flow in self.flows if flow.kind is FlowKind.DOCUMENTS}

    def flow(self, name: str) -> FlowSpec:
        """Raises KeyError."""
        return {flow.name: flow for flow in self.flows}[name]

    @property
    def flow_names(self) -> tuple[str, ...]:
        return tuple(flow.name for flow in self.flows)

    def mapping(self, name: str) -> MappingSpec | None:
        return next((mapping for mapping in self.mappings if mapping.name == name), None)

    def system(self, side: Side) -> System:
        return self.erp if side is Side.ERP else self.platform
