"""A small ERP of the tests, and its pair with Basware: what it holds is what a test puts there.

The other side is Basware's stand-in: it takes writes at once and decides on them later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

import ml_connector.sandbox
from ml_connector.conformance.bench import Bench, clocks_at
from ml_connector.domain.orders import OrderStatus, PurchaseOrder, PurchaseOrderLine
from ml_connector.domain.records import AccountType, CostCenter, GlAccount, PaymentTerm, Supplier
from ml_connector.integrations import INTEGRATIONS, SYSTEMS
from ml_connector.integrations.base import Side
from ml_connector.integrations.syspro_basware import SYSPRO_BASWARE
from ml_connector.sandbox import Running
from ml_connector.sync.models import Attempt, Link, Problem, Record
from ml_connector.systems.base import Cursor, Identity, Item, Page, Source, Step, System, Target
from ml_connector.workspaces.models import Workspace

MONDAY = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
KIND = "office-basware"


@dataclass
class Office:
    """What the ERP holds, by record type and key. Also stands where a bench wants a stand-in."""

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def put(self, record_type: str, *records: Any) -> None:
        kept = self.records.setdefault(record_type, {})
        for record in records:
            kept[record.number if isinstance(record, PurchaseOrder) else record.code] = record

    def clock(self, **_given: Any) -> None:
        """It has none."""

    def requests(self) -> list[dict[str, Any]]:
        return []

    def system(self) -> System:
        return System(
            name="office",
            label="Office",
            form=(),
            connect=lambda _access: OfficeClient(self),
            credential=lambda _settings, _secrets: "office",
            reads=SYSPRO_BASWARE.erp.reads,
        )


class OfficeClient:
    parallel = 1

    def __init__(self, office: Office) -> None:
        self._office = office

    def source(self, record_type: str, policy: Mapping[str, Any]) -> Source[Any]:
        return OfficeSource(self._office.records.setdefault(record_type, {}))

    def target(self, record_type: str, policy: Mapping[str, Any]) -> Target[Any]:
        raise KeyError(record_type)

    def identity(self) -> Identity:
        return Identity("office", "The office")

    def ping(self, record_types: Sequence[str], *, try_writing: bool = False) -> Iterator[Step]:
        yield Step("sign in", ok=True, text="It is here.")

    def server_time(self) -> datetime | None:
        return None

    def close(self) -> None:
        """Nothing is open."""


class OfficeSource:
    def __init__(self, records: dict[str, Any]) -> None:
        self._records = records

    def changes(self, since: Cursor | None) -> Iterator[Page[Any]]:
        items = [Item(key, record) for key, record in self._records.items()]
        yield Page(items, None, hashlib.sha256(repr(items).encode()).hexdigest())

    def keys(self) -> Iterator[str]:
        yield from self._records

    def get(self, key: str) -> Item[Any] | None:
        return Item(key, self._records[key]) if key in self._records else None


class OfficePair(Bench):
    """A bench between the office and Basware's stand-in."""

    def __init__(self, office: Office, basware: Running, workspace: Workspace) -> None:
        stand_ins: dict[Side, Any] = {Side.ERP: office, Side.PLATFORM: basware}
        super().__init__(workspace, KIND, stand_ins)
        self.office, self.basware = office, basware

    def one(self, flow: str, key: str) -> Record:
        return Record.objects.of(self.workspace).get(flow__name=flow, key=key)

    def attempts(self, flow: str, key: str) -> list[Attempt]:
        return list(Attempt.objects.of(self.workspace).filter(record=self.one(flow, key)).order_by("pk"))

    def link(self, link_type: str, key: str) -> Link | None:
        return Link.objects.of(self.workspace).filter(type=link_type, source_key=key).first()

    def problem(self, cause: str) -> Problem:
        return Problem.objects.of(self.workspace).get(cause=cause, state="open")

    def posted(self, path: str) -> int:
        """Requests that posted to a collection."""
        return sum(1 for row in self.basware.requests() if row["method"] == "POST" and row["path"].endswith(path))

    def asked(self) -> int:
        """Requests for the status of a request."""
        return sum(1 for row in self.basware.requests() if "/v1/requestStatus/" in row["path"])

    def says(self, entity: str, key: str, **answer: str) -> None:
        """What P2P says to the next version of a record."""
        self.basware.edit("actions", {"do": "answer_next", "entityType": entity, "externalCode": key, **answer})


@contextmanager
def office_pair(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Iterator[OfficePair]:
    """An empty office and an empty tenant, at Monday noon. `options` are the stand-in's."""
    office = Office()
    system = office.system()
    monkeypatch.setitem(SYSTEMS, system.name, system)
    outward = tuple(flow for flow in SYSPRO_BASWARE.flows if flow.source is Side.ERP and not flow.told_of)
    monkeypatch.setitem(INTEGRATIONS, KIND, replace(SYSPRO_BASWARE, kind=KIND, erp=system, flows=outward))
    with ml_connector.sandbox.start("basware", seed=1, data={"accountingDocuments": []}, options=options) as basware:
        stand_ins: dict[Side, Any] = {Side.ERP: office, Side.PLATFORM: basware}
        with clocks_at(MONDAY, stand_ins):
            yield OfficePair(office, basware, workspace)


def account(code: str, name: str = "Components", *, postable: bool = True) -> GlAccount:
    return GlAccount(code=code, name=name, type=AccountType.EXPENSE, postable=postable)


def center(code: str, name: str = "Warehouse") -> CostCenter:
    return CostCenter(code=code, name=name, dimension="cost_center")


def term(code: str, days: int = 30) -> PaymentTerm:
    return PaymentTerm(code=code, name=f"{days} days", due_days=days)


def supplier(code: str, name: str = "Electra Components Inc.", terms: str | None = None) -> Supplier:
    return Supplier(code=code, name=name, terms=terms)


def line(key: str, quantity: str, price: str, account: str = "10-6100", **more: Any) -> PurchaseOrderLine:
    return PurchaseOrderLine(
        line_key=key,
        number=key,
        description=f"Part {key}",
        unit="EA",
        quantity=Decimal(quantity),
        unit_price=Decimal(price),
        amount=Decimal(quantity) * Decimal(price),
        account=account,
        **more,
    )


def order(number: str, *lines: PurchaseOrderLine, supplier: str = "ELC001", **more: Any) -> PurchaseOrder:
    alive = [one.amount for one in lines if one.status is not OrderStatus.CANCELLED]
    return PurchaseOrder(
        number=number,
        supplier=supplier,
        date=date(2026, 11, 2),
        currency="USD",
        total=sum(alive, Decimal(0)),
        lines=lines,
        **more,
    )
