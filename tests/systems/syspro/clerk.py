"""Whoever writes to SYSPRO as the engine does: searches first, writes once, and searches when in doubt (R3, R5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ml_connector.domain.numbers import mark
from ml_connector.domain.orders import OrderStatus, PurchaseOrder
from ml_connector.domain.records import Invoice
from ml_connector.systems.base import (
    AuthFailed,
    Found,
    NoLonger,
    OutcomeUnknown,
    Ref,
    Refused,
    Throttled,
    Transient,
)

SETTLES = 60
"""Seconds after which the stand-in shows what was posted."""


class State(StrEnum):
    WAITING = "waiting"
    DOUBTFUL = "doubtful"
    DONE = "done"
    WITHDRAWN = "withdrawn"


@dataclass
class Paper:
    """One document on its way."""

    record_type: str
    key: str
    record: Any
    """As it is to be in SYSPRO."""
    state: State = State.WAITING
    ref: Ref | None = None
    since: float = 0.0
    """When its answer was lost."""
    said: list[str] = field(default_factory=list)

    @property
    def mark(self) -> str:
        return mark("acme", "pair", self.record_type, self.key, self.record_type)


@dataclass
class Clerk:
    """Works on papers with the Targets of one process."""

    targets: dict[str, Any]
    now: float = 0.0

    def work(self, paper: Paper) -> None:
        """One attempt; what keeps it from ending well leaves the paper waiting or doubtful."""
        target = self.targets[paper.record_type]
        if paper.state is State.DOUBTFUL and self.now < paper.since + SETTLES:
            return
        try:
            if paper.ref is None:
                self._create(paper, target)
            else:
                self._update(paper, target, paper.ref)
        except OutcomeUnknown as unknown:
            paper.state, paper.since = State.DOUBTFUL, self.now
            paper.said.append(str(unknown))
        except NoLonger as refused:
            paper.state = State.DONE
            paper.said.append(str(refused))
        except (Transient, Throttled, AuthFailed, Refused) as failure:
            paper.said.append(str(failure))

    def _create(self, paper: Paper, target: Any) -> None:
        same = [hit for hit in target.find(paper.record, paper.mark) if _ours(paper, target, hit)]
        assert len(same) < 2, f"{paper.key} is there {len(same)} times"
        if same:
            paper.ref = Ref(same[0].key, same[0].lines)
            paper.state = State.WAITING
            self._update(paper, target, paper.ref)
            return
        made = target.create(paper.record, paper.mark)
        paper.ref, paper.state = Ref(made.key, made.lines), State.DONE

    def _update(self, paper: Paper, target: Any, ref: Ref) -> None:
        if _withdrawn(paper.record):
            target.cancel(ref, "withdrawn")
        else:
            made = target.update(ref, paper.record, paper.mark)
            paper.ref = Ref(made.key, made.lines)
        paper.state = State.DONE


def _ours(paper: Paper, target: Any, hit: Found[Any]) -> bool:
    """Whether it may be adopted (R5): an order whose lines were changed in the meantime is known by its mark."""
    different = target.identity_differences(paper.record, hit.record)
    marked = hit.mark == paper.mark
    return not different or (marked and isinstance(paper.record, PurchaseOrder) and different == ["total"])


def _withdrawn(record: Invoice | PurchaseOrder) -> bool:
    return isinstance(record, PurchaseOrder) and record.status is OrderStatus.CANCELLED
