"""A Connection to the site or to the stand-in, and what the engine lends: a session, counters, a clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ml_connector import sandbox
from ml_connector.domain.records import Supplier
from ml_connector.systems.base import Accepted, Access, Ref
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


# --- the stand-in ---

MARK = "mlc0000000001"
MEANT = {"tax_account": "10-2250", "default_means_code": "BANK"}
"""What the stand-in's ready settings leave to people."""


@dataclass
class Met:
    """The stand-in and the client connected to it, under one clock that only moves when it is told to."""

    basware: sandbox.Running
    client: Any
    session: Session
    clock: list[datetime]
    wrote: list[bool]

    def wait(self, seconds: float = 10) -> None:
        """P2P takes a second over a record, and what it said is good for a few."""
        self.clock.append(self.clock[-1] + timedelta(seconds=seconds))
        self.basware.clock(advance=seconds)

    def settled(self, target: Any, accepted: Accepted, record: Any) -> Ref | None:
        """What became of an accepted write once P2P has had its time. Raises what its outcome raises."""
        self.wait()
        found: Ref | None = target.outcome(accepted.handle, record, MARK)
        return found

    def put(self, record_type: str, record: Any) -> Ref:
        """A record that is in P2P."""
        target = self.client.target(record_type, {})
        ref = self.settled(target, target.create(record, MARK), record)
        assert ref is not None
        return ref

    def inside(self, name: str) -> list[dict[str, Any]]:
        """What P2P has of a collection."""
        return self.basware.state(f"p2p.{name}")

    def calls(self, method: str, path: str) -> list[Any]:
        return [row for row in self.basware.requests() if (row["method"], row["path"]) == (method, path)]


@pytest.fixture
def meet() -> Iterator[Callable[..., Met]]:
    """Starts a stand-in of its own for each Connection; `options` are its switches."""
    met: list[Met] = []

    def make(
        settings: dict[str, Any] | None = None,
        secrets: dict[str, str] | None = None,
        data: dict[str, Any] | None = None,
        **options: Any,
    ) -> Met:
        basware = sandbox.start("basware", data={"accountingDocuments": [], **(data or {})}, options=options)
        basware.clock(now=NOW.isoformat(), running=False)
        session, clock, wrote = Session(), [NOW], []
        access = Access(
            settings={**basware.settings, **MEANT, **(settings or {})},
            secrets={**basware.secrets, **(secrets or {})},
            sessions=session,
            budget=Counted(),
            now=lambda: clock[-1],
            may_write=lambda: wrote.append(True),
        )
        try:
            met.append(Met(basware, SYSTEM.connect(access), session, clock, wrote))
        except Exception:
            basware.stop()
            raise
        return met[-1]

    yield make
    for each in met:
        each.client.close()
        each.basware.stop()


@pytest.fixture
def met(meet: Callable[..., Met]) -> Met:
    return meet()
