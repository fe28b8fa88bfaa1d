"""The stand-in, a Connection to it, and what the engine lends: a session, counters, a clock."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from ml_connector import sandbox
from ml_connector.domain.records import Address, Invoice, InvoiceLine, Supplier
from ml_connector.systems.base import Access, Throttled
from ml_connector.systems.bill import SYSTEM
from ml_connector.systems.bill.client import BillClient

NOW = datetime(2026, 11, 16, 6, 40, tzinfo=UTC)


class Session:
    """One shared session, renewed by one thread at a time."""

    def __init__(self) -> None:
        self.value: str | None = None
        self.uses = 0
        self._lock = threading.Lock()

    def current(self) -> str | None:
        return self.value

    def renew(self, stale: str | None, sign_in: Callable[[], str]) -> str:
        with self._lock:
            if self.value is None or self.value == stale:
                self.value = sign_in()
            return self.value

    def used(self) -> None:
        self.uses += 1


class Counters:
    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self.limits: dict[str, int] = {}

    def spend(self, allowance: str, limit: int, seconds: int) -> None:
        self.spent[allowance] += 1
        if self.spent[allowance] > self.limits.get(allowance, limit):
            raise Throttled(f"The allowance {allowance} is used up.", seconds)


@dataclass
class Opened:
    """A stand-in and the client connected to it."""

    bill: Any
    client: BillClient
    session: Session
    counters: Counters
    wrote: list[bool] = field(default_factory=list)

    def calls(self, method: str, path: str) -> list[Any]:
        """Requests that the stand-in saw."""
        return [
            row
            for row in self.bill.requests()
            if row["method"] == method and row["path"].removeprefix("/connect") == path
        ]

    def bills(self, policy: dict[str, Any] | None = None) -> Any:
        return self.client.target("invoice", {"only": "invoice", "source_label": "SYSPRO RIL", **(policy or {})})

    def credits(self) -> Any:
        return self.client.target("invoice", {"only": "credit_note", "source_label": "SYSPRO RIL"})

    def vendors(self) -> Any:
        return self.client.target("supplier", {})

    def account(self, position: int = 0) -> str:
        """An account that bills can be coded to."""
        items = [item for page in self.client.source("gl_account", {}).changes(None) for item in page.items]
        return sorted(item.key for item in items if item.record.postable)[position]

    def department(self, position: int = 0) -> str:
        items = [item for page in self.client.source("cost_center", {}).changes(None) for item in page.items]
        return sorted(item.key for item in items)[position]


@pytest.fixture
def connect() -> Iterator[Callable[..., Opened]]:
    opened: list[Opened] = []

    def make(settings: dict[str, Any] | None = None, secrets: dict[str, str] | None = None, **options: Any) -> Opened:
        bill = sandbox.start("bill", seed=1, options=options)
        session, counters, wrote = Session(), Counters(), []
        access = Access(
            settings={**bill.settings, **(settings or {})},
            secrets={**bill.secrets, **(secrets or {})},
            sessions=session,
            budget=counters,
            now=lambda: NOW,
            may_write=lambda: wrote.append(True),
        )
        opened.append(Opened(bill, SYSTEM.connect(access), session, counters, wrote))
        return opened[-1]

    yield make
    for each in opened:
        each.client.close()
        each.bill.stop()


@pytest.fixture
def pair(connect: Callable[..., Opened]) -> Opened:
    return connect()


def supplier(code: str = "ELC001", name: str = "Electra Components Inc.", **other: Any) -> Supplier:
    address = Address(line1="1 Main Street", city="San Jose", region="CA", postal_code="95002", country="US")
    given = {"currency": "USD", "tax_id": "12-3456789", "email": "ap@electra.example", "address": address, **other}
    return Supplier(code=code, name=name, **given)


def invoice(vendor: str, account: str, number: str = "ELC-1001", **other: Any) -> Invoice:
    lines = (
        InvoiceLine(line_key="1", description="Components", amount=Decimal("1200.00"), account=account),
        InvoiceLine(line_key="2", description="Packaging", amount=Decimal("300.00"), account=account),
        InvoiceLine(line_key="3", description="Tax", amount=Decimal("120.00"), account=account),
    )
    gross = sum((line.amount for line in other.get("lines", lines)), Decimal(0))
    given = {
        "date": date(2026, 11, 10),
        "due_date": date(2026, 12, 10),
        "currency": "USD",
        "gross": gross,
        "net": gross,
        "memo": "November",
        "voucher": "000123",
        "orders": ("PO 150",),
        "lines": lines,
        **other,
    }
    return Invoice(number=number, supplier=vendor, **given)


@pytest.fixture
def make_supplier() -> Callable[..., Supplier]:
    return supplier


@pytest.fixture
def make_invoice() -> Callable[..., Invoice]:
    return invoice
