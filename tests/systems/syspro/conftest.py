"""The stand-in with the base set, a Connection to it by either route, and what the engine lends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ml_connector import sandbox
from ml_connector.systems.base import Access, Item
from ml_connector.systems.syspro import SYSTEM
from ml_connector.systems.syspro.client import Client
from ml_connector.systems.syspro.tables import AdmTax, GenControl, Row, TblCurrency, columns

from .enet import Enet

NOW = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
BASE_SET = Path(sandbox.__file__).parent / "data" / "base_set.syspro.json"


class Session:
    """One shared session."""

    def __init__(self) -> None:
        self.value: str | None = None
        self.logons = 0

    def current(self) -> str | None:
        return self.value

    def renew(self, stale: str | None, sign_in: Callable[[], str]) -> str:
        if self.value is None or self.value == stale:
            self.logons += 1
            self.value = sign_in()
        return self.value

    def used(self) -> None:
        pass


class NoBudget:
    def spend(self, allowance: str, limit: int, seconds: int) -> None:
        raise AssertionError("SYSPRO counts nothing")


def refused() -> None:
    raise AssertionError("reading asks for no right to write")


@dataclass
class Site:
    """A stand-in and clients connected to it."""

    syspro: Any
    route: str = "odata"
    session: Session = field(default_factory=Session)

    def connect(self, **settings: Any) -> Client:
        given = {**self.syspro.settings, **settings}
        if self.route == "comfnd":
            given["odata_root"] = ""
        access = Access(given, self.syspro.secrets, self.session, NoBudget(), lambda: NOW, refused)
        client = SYSTEM.connect(access)
        assert isinstance(client, Client)
        return client

    def read(
        self, record_type: str, policy: Mapping[str, Any] | None = None, since: Any = None, **settings: Any
    ) -> dict[str, Item[Any]]:
        """Everything that `changes` yields, by key."""
        return self.read_on(record_type, policy, since, **settings)[0]

    def read_on(
        self, record_type: str, policy: Mapping[str, Any] | None = None, since: Any = None, **settings: Any
    ) -> tuple[dict[str, Item[Any]], Any]:
        """The same with the cursor after it."""
        source = self.connect(**settings).source(record_type, policy or {})
        items: dict[str, Item[Any]] = {}
        cursor = since
        for page in source.changes(since):
            items |= {item.key: item for item in page.items}
            cursor = page.cursor
        return items, cursor

    def act(self, *actions: dict[str, Any]) -> None:
        self.syspro.edit("actions", list(actions))


@pytest.fixture(scope="session")
def base_set() -> Any:
    return json.loads(BASE_SET.read_text(), parse_float=Decimal)


@pytest.fixture
def syspro(base_set: Any) -> Iterator[Any]:
    with sandbox.start("syspro", seed=1, data=base_set) as running:
        running.clock(now="2026-11-16T12:00:00Z", running=False)
        yield running


@pytest.fixture
def site(syspro: Any) -> Site:
    return Site(syspro)


@dataclass
class Pair:
    """A stand-in that is written to, and the client of a Connection that may write."""

    syspro: Any
    route: str = "odata"
    session: Session = field(default_factory=Session)
    asked: int = 0
    """How often the right to write was asked for."""

    def connect(self, **settings: Any) -> Client:
        """A client as a process has it that has just started: it remembers nothing but the shared session."""
        given = {**self.syspro.settings, **settings}
        if self.route == "comfnd":
            given["odata_root"] = ""
        access = Access(given, self.syspro.secrets, self.session, NoBudget(), lambda: NOW, self._may_write)
        client = SYSTEM.connect(access)
        assert isinstance(client, Client)
        return client

    def target(self, record_type: str, policy: Mapping[str, Any] | None = None, **settings: Any) -> Any:
        return self.connect(**settings).target(record_type, policy or {})

    def rows(self, table: str, **wanted: Any) -> list[dict[str, Any]]:
        """Rows of a table whose columns have these values."""
        return [row for row in self.syspro.state(table) if all(row[name] == value for name, value in wanted.items())]

    def row(self, table: str, **wanted: Any) -> dict[str, Any]:
        (found,) = self.rows(table, **wanted)
        return found

    def posts(self, business_object: str) -> list[dict[str, Any]]:
        """The requests that could have written by a business object."""
        return [
            row
            for row in self.syspro.requests()
            if row["write"] and f"BusinessObject={business_object}&" in f"{row['query']}&"
        ]

    def fail(self, do: str, **more: Any) -> None:
        """Something goes wrong with the next request that would write, and not only be checked."""
        wanted = {"contains": "<ValidateOnly>N<"}
        self.syspro.faults([{"match": wanted, "do": do, "times": 1, **more}])

    def act(self, *actions: dict[str, Any]) -> None:
        self.syspro.edit("actions", list(actions))

    def _may_write(self) -> None:
        self.asked += 1


@pytest.fixture
def pair(syspro: Any) -> Pair:
    return Pair(syspro)


@pytest.fixture(params=["odata", "comfnd"])
def both_ways(syspro: Any, request: pytest.FixtureRequest) -> Pair:
    """The same stand-in, read back by each route."""
    return Pair(syspro, request.param)


@pytest.fixture(params=["odata", "comfnd"])
def either(syspro: Any, request: pytest.FixtureRequest) -> Site:
    """The same site read by each route."""
    return Site(syspro, request.param)


@dataclass
class Erp:
    """A small e.net server with tables of the test's own, and Targets connected to it."""

    enet: Enet = field(default_factory=Enet)
    session: Session = field(default_factory=Session)
    asked: int = 0
    """How often the right to write was asked for."""

    def connect(self, **settings: Any) -> Client:
        given = {
            "enet_rest_base": self.enet.base,
            "operator": "MLCONN",
            "company_id": "RIL",
            "company_time_zone": "America/Chicago",
            **settings,
        }
        secrets = {"operator_password": "canary-operator"}
        access = Access(given, secrets, self.session, NoBudget(), lambda: NOW, self._may_write)
        client = SYSTEM.connect(access)
        assert isinstance(client, Client)
        return client

    def target(self, record_type: str, policy: Mapping[str, Any] | None = None, **settings: Any) -> Any:
        return self.connect(**settings).target(record_type, policy or {})

    def put(self, table: type[Row], *rows: Mapping[str, Any]) -> None:
        """Rows of a table, whose other columns are blank. Kept beside what other selections of it have put there."""
        for values in rows:
            blank = {column.name: column.kind() for column in columns(table)}
            self.enet.tables.setdefault(table.NAME, []).append(blank | dict(values))

    def _may_write(self) -> None:
        self.asked += 1


@pytest.fixture
def erp() -> Iterator[Erp]:
    made = Erp()
    made.put(
        GenControl,
        {"Company": "RIL", "GlYear": 2026, "GlPeriod": 11}
        | {f"CurYrPrdEnd{month}": f"2026-{month:02}-28" for month in range(1, 13)}
        | {f"PrvYrPrdEnd{month}": f"2025-{month:02}-28" for month in range(1, 13)},
    )
    made.put(TblCurrency, {"Currency": "USD"}, {"Currency": "EUR", "BuyExchangeRate": "1.08", "BuyMulDiv": "M"})
    made.put(AdmTax, {"TaxCode": "A", "CurTaxRate": Decimal("8"), "ApTaxGlCode": "10-2250"})
    yield made
    made.enet.close()
