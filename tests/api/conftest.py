"""A Workspace with work in it, and programs that hold tokens."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from ml_connector import clock, tokens
from ml_connector.api.v1.document import PREFIX, document
from ml_connector.tokens import SCOPES
from ml_connector.workspaces.models import Workspace
from tests.sync.pair import Pair, base_pair


@dataclass(frozen=True)
class Said:
    """An answer of the API."""

    status: int
    headers: dict[str, str]
    body: Any


class Program:
    """Somebody's program with a token."""

    def __init__(self, workspace: str, token: str) -> None:
        self.token, self._base = token, f"{PREFIX}/w/{workspace}"
        self._client = Client(headers={"host": "localhost"})

    def get(self, path: str, **query: Any) -> Said:
        return self.ask("GET", self._base + path, query=query)

    def post(self, path: str, body: object = None, **headers: str) -> Said:
        return self.ask("POST", self._base + path, body=body, headers=headers)

    def ask(
        self,
        method: str,
        address: str,
        *,
        body: object = None,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Said:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        sent |= {"authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self._client.generic(
            method, address, content, content_type="application/json", query_params=query, headers=sent
        )
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Said(answer.status_code, found, json.loads(answer.content) if answer.content else None)

    def all(self, path: str, **query: Any) -> list[Any]:
        """Every row of a list, page by page."""
        rows, cursor = [], ""
        while cursor is not None:
            said = self.get(path, **query, cursor=cursor)
            assert said.status == 200, said
            rows += said.body["items"]
            cursor = said.body["next"]
        return rows


def program(workspace: Workspace, *scopes: str, name: str = "") -> Program:
    made = tokens.make(workspace, name or "-".join(scopes), scopes, 30, "person:1")
    return Program(workspace.name, made)


@pytest.fixture
def pair(workspace: Workspace) -> Iterator[Pair]:
    """Suppliers, invoices and credits read and delivered once: some confirmed, three held, one Problem each."""
    with base_pair(workspace) as made:
        made.map_accounts()
        made.link_hydra()
        made.sync()
        yield made


@pytest.fixture(autouse=True)
def _tests_of_connections_end() -> Iterator[None]:
    """They run beside the call that asked for them; none outlives its database."""
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("ping "):
            thread.join(30)


@pytest.fixture
def robot(workspace: Workspace) -> Program:
    """A program that may do all that a program can be allowed."""
    return program(workspace, *[scope.value for scope in SCOPES], name="robot")


@pytest.fixture
def other(database: Any) -> Workspace:
    return Workspace.objects.create(name="other", created_at=clock.now())


@pytest.fixture
def stranger(other: Workspace) -> Program:
    """A program of another Workspace that may do everything there."""
    return program(other, *[scope.value for scope in SCOPES], name="stranger")


# --- every operation, from the document


@dataclass(frozen=True)
class Operation:
    """One operation as the document describes it."""

    id: str
    method: str
    path: str
    scope: str
    changes: bool
    body: Any
    """A body of the right form, or None."""
    of_a_thing: bool
    """Its address names something of the Workspace."""

    def address(self, parts: dict[str, Any]) -> str:
        found = self.path
        for name in re.findall(r"{(\w+)}", self.path):
            assert name in parts, f"Say what stands for the new part {name} of {self.path}."
            found = found.replace(f"{{{name}}}", str(parts[name]))
        return found


def operations() -> list[Operation]:
    return [
        Operation(
            operation["operationId"],
            method.upper(),
            path,
            operation["x-scope"],
            operation["x-changes"],
            _body(operation),
            len(re.findall(r"{", path)) > 1,
        )
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]


def _body(operation: dict[str, Any]) -> Any:
    body = operation.get("requestBody")
    return _sample(body["content"]["application/json"]["schema"]) if body else None


def _sample(schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _sample(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0])
    if schema["type"] == "object":
        required = schema.get("required", [])
        return {name: _sample(part) for name, part in schema.get("properties", {}).items() if name in required}
    assert schema["type"] == "string", f"Say what stands for {schema}."
    return "2026-11-01" if schema.get("format") == "date" else "bench"


def parts_of(pair: Pair, workspace: str = "acme") -> dict[str, Any]:
    """Things of the Workspace that there are."""
    from ml_connector.sync.models import Ping, Problem, ReceivedEvent, Run

    event, _ = ReceivedEvent.objects.of(pair.workspace).get_or_create(
        connection=pair.platform, event_id="e1",
        defaults={"workspace": pair.workspace, "type": "vendor.updated", "record_type": "supplier", "key": "009X",
                  "received_at": clock.now(), "via": "webhook", "state": "ignored", "text": "No Flow reads it."},
    )  # fmt: skip

    ping = Ping.objects.of(pair.workspace).first() or Ping.objects.create(
        workspace=pair.workspace, connection=pair.erp, asked_by="t", started_at=clock.now(), said_at=clock.now(),
        state="good",
    )  # fmt: skip
    return {
        "workspace": workspace,
        "integration": pair.integration.name,
        "name": "gl_account",
        "list_name": "gl_account",
        "problem": Problem.objects.of(pair.workspace).filter(state="open").order_by("pk")[0].pk,
        "record": pair.record("ELC-1001").pk,
        "run": Run.objects.of(pair.workspace).order_by("pk")[0].pk,
        "connection": pair.erp.pk,
        "ping": ping.pk,
        "event": event.pk,
    }
