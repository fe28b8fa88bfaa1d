"""A Connection to the platform under both maps, and what the engine lends: a session, counters, a clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from ml_connector.systems.avidxchange import SYSTEM
from ml_connector.systems.avidxchange.contract import load
from ml_connector.systems.base import Access

from .platform import COMPANY, TODAY, Platform, renamed

SECRETS = {
    "client_secret": "s3cret-of-the-client",
    "company_token": "c0mpany-token",
    "user_token": "us3r-token",
    "gateway_key": "gat3way-key",
    "password": "pass-of-the-user",
}


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
    platform: Platform
    client: Any
    session: Session
    budget: Counted
    clock: list[datetime]


@pytest.fixture(params=["shipped", "renamed"])
def overlay(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "shipped" else renamed()


@pytest.fixture
def platform(overlay: str) -> Iterator[Platform]:
    made = Platform(load(overlay))
    yield made
    made.close()


@pytest.fixture
def connect(platform: Platform, overlay: str) -> Iterator[Callable[..., Opened]]:
    opened: list[Opened] = []
    session = Session()

    def make(settings: dict[str, Any] | None = None, secrets: dict[str, str] | None = None) -> Opened:
        budget, clock = Counted(), [TODAY]
        access = Access(
            settings={
                "base_url": platform.url,
                "company_id": COMPANY,
                "client_id": "client-1",
                "contract_map": overlay,
                "cost_center_group": "Branch",
                **(settings or {}),
            },
            secrets={**SECRETS, **(secrets or {})},
            sessions=session,
            budget=budget,
            now=lambda: clock[-1],
            may_write=lambda: None,
        )
        opened.append(Opened(platform, SYSTEM.connect(access), session, budget, clock))
        return opened[-1]

    yield make
    for each in opened:
        each.client.close()


@pytest.fixture
def avid(connect: Callable[..., Opened]) -> Opened:
    return connect()
