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


@pytest.fixture(params=["odata", "comfnd"])
def either(syspro: Any, request: pytest.FixtureRequest) -> Site:
    """The same site read by each route."""
    return Site(syspro, request.param)
