"""The suppliers and documents that the model of SYSPRO -> BILL knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ACCOUNTS = ("10-6100", "10-6200", "10-6300")
TODAY = "2026-11-16"
HAND_DUE = "2027-03-03"
"""A due date that only people in BILL enter."""
HELD_BY_ITSELF = frozenset({"unmapped_code", "code_not_postable", "supplier_on_hold"})


@dataclass(eq=False)
class Company:
    """A supplier in SYSPRO."""

    code: str
    name: str
    phone: str
    on_hold: bool = False
    gone: bool = False
    hand_phone: str = ""
    """What people in BILL made of the telephone."""
    overwrite: bool = False
    """A person said that BILL's value may be overwritten, or a write of ours was still out when it was typed."""
    row: dict[str, Any] = field(default_factory=dict)
    """Its row in SYSPRO, once removed."""

    @property
    def key(self) -> str:
        return self.code


@dataclass(eq=False)
class Paper:
    """An invoice, or a credit or debit note booked on one."""

    supplier: str
    number: str
    cents: int
    key: str
    flow: str = "invoices"
    due: str = ""
    memo: str = ""
    lines: int = 1
    parent: Paper | None = None
    children: list[Paper] = field(default_factory=list)
    voided: bool = False
    gone: bool = False
    paid: int = 0
    hand_due: bool = False
    """People in BILL gave it the due date HAND_DUE."""
    overwrite: bool = False
    closed: str = ""
    """What people did to its bill that BILL takes no edit after: archived, scheduled."""
    row: dict[str, Any] = field(default_factory=dict)
    """Its row in SYSPRO, once removed."""

    @property
    def open(self) -> int:
        further = sum(child.cents if child.flow == "invoices" else -child.cents for child in self.children)
        return self.cents + further - self.paid

    @property
    def untouched(self) -> bool:
        return not (self.children or self.paid or self.voided or self.gone)
