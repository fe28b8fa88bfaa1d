"""A Connection to the site, and what the engine lends: a session, counters, a clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_connector.domain.records import Supplier
from ml_connector.systems.base import Access
from ml_connector.systems.basware import SYSTEM

from .site import Site, token

NOW = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
SETTINGS = {
    "region": "EU",
    "environment": "test",
    "client_id": "client-1",
    "company_map": {"RIL": "100/FINANCE"},
    "source_system": "SYSPRO",
    "tax_account": "2250",
    "default_means_code": "BANK",
    "tax_scheme_id": "VAT",
}
SECRETS = {"client_secret": "s3cret-of-the-client", "api_password": "pass-of-the-user"}


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
    made.on("POST", "/v1/tokens", token())
    yield made
    made.close()


@pytest.fixture
def elsewhere() -> Iterator[Site]:
    """Another server, to which answers point."""
    made = Site()
    yield made
    made.close()


@pytest.fixture
def connect(site: Site) -> Iterator[Callable[..., Opened]]:
    opened: list[Opened] = []

    def make(settings: dict[str, Any] | None = None, secrets: dict[str, str] | None = None) -> Opened:
        session, budget, clock, wrote = Session(), Counted(), [NOW], []
        access = Access(
            settings={**SETTINGS, "base_url": site.url, **(settings or {})},
            secrets={**SECRETS, **(secrets or {})},
            sessions=session,
            budget=budget,
            now=lambda: clock[-1],
            may_write=lambda: wrote.append(True),
        )
        opened.append(Opened(site, SYSTEM.connect(access), session, budget, clock, wrote))
        return opened[-1]

    yield make
    for each in opened:
        each.client.close()


@pytest.fixture
def p2p(connect: Callable[..., Opened]) -> Opened:
    return connect()


@pytest.fixture
def make_supplier() -> Callable[..., Supplier]:
    def make(code: str = "ELC001", **changes: Any) -> Supplier:
        return Supplier(**{"code": code, "name": f"{code} Inc.", "currency": "USD", **changes})

    return make
