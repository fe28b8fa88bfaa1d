"""The stand-in, a Connection to it, and what the engine lends: a session, counters, a clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from ml_connector import sandbox
from ml_connector.domain.records import Payment, PaymentAllocation, PaymentStatus
from ml_connector.systems.base import Access
from ml_connector.systems.sapb1 import SYSTEM

NOW = datetime(2026, 11, 16, 18, 0, tzinfo=UTC)
"""Noon in Chicago, where the stand-in's server stands."""
ACCOUNTS = {
    "tax_account": "10-2250",
    "freight_account": "10-6300",
    "discount_account": "10-6999",
    "rounding_account": "10-6999",
    "withholding_account": "10-6999",
}


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


class Unlimited:
    def spend(self, allowance: str, limit: int, seconds: int) -> None:
        """The Service Layer counts nothing."""


@dataclass
class Opened:
    """A stand-in and the client connected to it."""

    b1: Any
    client: Any
    session: Session
    wrote: list[bool] = field(default_factory=list)

    def calls(self, method: str, path: str) -> list[Any]:
        """Requests that the stand-in saw, by the path behind the version."""
        return [
            row
            for row in self.b1.requests()
            if row["method"] == method and row["path"].split("/b1s/")[-1].partition("/")[2] == path
        ]

    def items(self, record_type: str, policy: dict[str, Any] | None = None, since: Any = None) -> list[Any]:
        source = self.client.source(record_type, policy or {})
        return [item for page in source.changes(since) for item in page.items]

    def read(self, source: Any, since: Any = None) -> tuple[list[Any], Any]:
        """All items since a cursor, and the cursor after them."""
        items: list[Any] = []
        for page in source.changes(since):
            items.extend(page.items)
            since = page.cursor or since
        return items, since

    def open_invoices(self, currency: str = "USD") -> list[Any]:
        """Open, unpaid invoices that may be paid, in the order of their keys."""
        items = [item for item in self.items("invoice") if item.invalid is None and not item.record.hold]
        items = [item for item in items if item.record.currency == currency and item.observed["paid"] in {"0", "0.0"}]
        return sorted(items, key=lambda item: int(item.key))

    def payments(self) -> Any:
        return self.client.target("payment", {})


@pytest.fixture
def connect() -> Iterator[Callable[..., Opened]]:
    opened: list[Opened] = []

    def make(
        settings: dict[str, Any] | None = None,
        secrets: dict[str, str] | None = None,
        version: str = "v2",
        data: dict[str, Any] | None = None,
        **options: Any,
    ) -> Opened:
        b1 = sandbox.start("sapb1", seed=1, data=data, options={"invoices": 60, **options})
        b1.clock(now=NOW.isoformat(), running=False)
        session, wrote = Session(), []
        given = {**b1.settings, **ACCOUNTS, "server_time_zone": "America/Chicago"}
        given["base_url"] = given["base_url"].removesuffix("v2") + version
        access = Access(
            settings={**given, **(settings or {})},
            secrets={**b1.secrets, **(secrets or {})},
            sessions=session,
            budget=Unlimited(),
            now=lambda: NOW,
            may_write=lambda: wrote.append(True),
        )
        try:
            client = SYSTEM.connect(access)
        except Exception:
            b1.stop()
            raise
        opened.append(Opened(b1, client, session, wrote))
        return opened[-1]

    yield make
    for each in opened:
        each.client.close()
        each.b1.stop()


@pytest.fixture(params=["v1", "v2"])
def either(request: Any, connect: Callable[..., Opened]) -> Opened:
    """Each version of the service in turn."""
    return connect(version=request.param)


@pytest.fixture
def pair(connect: Callable[..., Opened]) -> Opened:
    return connect()


def payment(invoice: Any, amount: Decimal | str | None = None, **other: Any) -> Payment:
    record = invoice.record
    value = record.gross if amount is None else Decimal(amount)
    given = {
        "supplier": record.supplier,
        "date": date(2026, 11, 16),
        "amount": value,
        "currency": record.currency,
        "reference": "P-4711",
        "status": PaymentStatus.CLEARED,
        "allocations": (PaymentAllocation(invoice=invoice.key, gross=value, net=value),),
        **other,
    }
    return Payment(**given)


@pytest.fixture
def make_payment() -> Callable[..., Payment]:
    return payment
