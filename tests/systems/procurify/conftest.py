"""A Connection to the site, and what the engine lends: a session, counters, a clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_connector.domain.records import Address, Supplier
from ml_connector.systems.base import Access
from ml_connector.systems.procurify import SYSTEM

from .domain import Site, token
from .payloads import EUR, USD

NOW = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
SETTINGS = {
    "subdomain": "acme",
    "client_id": "client-1",
    "company_time_zone": "America/New_York",
    "default_branch": "1",
    "requests_per_second": 1000,
    "parallel": 8,
}
SECRETS = {"client_secret": "s3cret-of-the-client"}


class Session:
    """One shared session, renewed by one thread at a time."""

    def __init__(self) -> None:
        self.value: str | None = None
        self._lock = threading.Lock()

    def current(self) -> str | None:
        return self.value

    def renew(self, stale: str | None, sign_in: Callable[[], str]) -> str:
        with self._lock:
            if self.value is None or self.value == stale:
                self.value = sign_in()
            return self.value

    def used(self) -> None:
        """Its life does not hang on its use."""


@dataclass
class Counted:
    spent: list[tuple[str, int, int]] = field(default_factory=list)

    def spend(self, allowance: str, limit: int, seconds: int) -> None:
        self.spent.append((allowance, limit, seconds))


@dataclass
class Opened:
    site: Site
    client: Any
    session: Session
    budget: Counted
    clock: list[datetime]
    """What time it is, last."""
    wrote: list[bool]

    def wait(self, later: datetime) -> None:
        self.clock.append(later)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    made.on("POST", "/oauth/token", token())
    made.rows("/api/v2/currencies/", [USD, EUR])
    yield made
    made.close()


@pytest.fixture
def connect(site: Site) -> Iterator[Callable[..., Opened]]:
    opened: list[Opened] = []

    def make(
        settings: dict[str, Any] | None = None, secrets: dict[str, str] | None = None, session: Session | None = None
    ) -> Opened:
        budget, clock, wrote = Counted(), [NOW], list[bool]()
        shared = session or Session()
        access = Access(
            settings={**SETTINGS, "base_url": site.url, **(settings or {})},
            secrets={**SECRETS, **(secrets or {})},
            sessions=shared,
            budget=budget,
            now=lambda: clock[-1],
            may_write=lambda: wrote.append(True),
            fingerprint=lambda text: f"{hash(text) & (1 << 128) - 1:032x}",
        )
        opened.append(Opened(site, SYSTEM.connect(access), shared, budget, clock, wrote))
        return opened[-1]

    yield make
    for each in opened:
        each.client.close()


@pytest.fixture
def opened(connect: Callable[..., Opened]) -> Opened:
    return connect()


@pytest.fixture
def make_supplier() -> Callable[..., Supplier]:
    def make(code: str = "HYD005", **changes: Any) -> Supplier:
        given = {
            "code": code,
            "name": "Hydra Utilities",
            "currency": "USD",
            "email": "ap@hydra.example",
            "address": Address(line1="9 Water St", line2="Floor 2", line3="East", city="Dayton", country="US"),
        }
        return Supplier(**{**given, **changes})

    return make
