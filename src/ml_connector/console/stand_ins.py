"""Stand-ins for a trial, kept by the web process: they run beside it on loopback ports and end with it.

A stand-in holds its data in memory. When the web process ends, however it ends, its end of their standard input is
closed and they end too; so a trial is either there whole or gone, and never half of it. Only `serve` lets this happen:
it has one web process.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection as database
from django.db import transaction

import ml_connector
from ml_connector import audit
from ml_connector.integrations.base import IntegrationSpec, Side
from ml_connector.sync import apply as applying
from ml_connector.sync import control
from ml_connector.sync.models import Connection, Integration
from ml_connector.workspaces.models import Workspace

DATA = Path(ml_connector.__file__).parent / "sandbox" / "data"
STARTS_WITHIN = 30.0
"""Seconds."""
KEPT = "ML_CONNECTOR_STAND_INS"
"""Set to 1 by `serve` in the environment of its web process."""
NAME = "trial"
"""What the Integration of a trial is called; further ones get a number."""


@dataclass(frozen=True)
class Beginning:
    """How a stand-in begins a trial of a pair, and what people would have set."""

    arguments: tuple[str, ...]
    settings: Mapping[str, Any]


OF_PAIRS = {
    ("syspro-basware", Side.ERP): Beginning(("--option", "base_set=basware"), {"cost_centre_source": "analysis(CC)"}),
    ("syspro-basware", Side.PLATFORM): Beginning(
        ("--data", str(DATA / "base_set.basware.json")), {"tax_account": "10-2250", "default_means_code": "BANK"}
    ),
    ("procurify-syspro", Side.ERP): Beginning(
        ("--option", "base_set=procurify"),
        {
            "cost_centre_source": "analysis(CC)",
            "currency_codes": {"E": "EUR"},
            "default_branch_code": "10",
            "default_terms": "30",
            "default_currency": "USD",
            "default_product_class": "COMP",
        },
    ),
    ("procurify-syspro", Side.PLATFORM): Beginning(
        ("--option", "base_set=syspro"), {"tax_account": "10-2250", "default_branch": "1", "requests_per_second": 50}
    ),
}
"""Those that need another company than the System's own base set, or settings that no stand-in can know."""


class StandInFailed(Exception):
    """A stand-in did not start; the text says why. Nothing was stored."""


@dataclass(frozen=True)
class StandIn:
    """One that has said that it is ready, and what its ready line says."""

    id: str
    process: subprocess.Popen[str]
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


_running: dict[str, StandIn] = {}
_lock = threading.Lock()


def offered(spec: IntegrationSpec) -> bool:
    """Whether a trial of this pair can be begun here: in the only web process of an installation, where Connections
    may lead to this machine. On PostgreSQL there may be several, and the others would take the stand-ins for gone."""
    here = os.environ.get(KEPT) == "1" and settings.ALLOW_LOOPBACK and database.vendor == "sqlite"
    return here and all((DATA / f"base_set.{spec.system(side).name}.json").is_file() for side in Side)


def alive(connections: Iterable[Connection]) -> bool:
    """Whether the stand-ins that these Connections lead to run, all of them."""
    found = [_running.get(connection.stand_in) for connection in connections]
    return all(stand_in is not None and stand_in.process.poll() is None for stand_in in found)


def begin(workspace: Workspace, spec: IntegrationSpec, actor: str) -> str:
    """Starts the stand-ins of a pair, makes its Connections and the Integration, paused; gives the latter's name.

    A trial of the pair that still runs is gone on with. Raises StandInFailed.
    """
    with _lock:
        for row in trials(workspace):
            if row.kind == spec.kind and alive((row.erp, row.platform)):
                return row.name
        started: dict[Side, StandIn] = {}
        try:
            for side in Side:
                started[side] = _start(spec, side)
            name = _configure(workspace, spec, started, actor)
        except BaseException:
            for stand_in in started.values():
                stand_in.stop()
            raise
        _running.update({stand_in.id: stand_in for stand_in in started.values()})
        return name


def end(integration: Integration, actor: str) -> None:
    """Pauses a trial and ends its stand-ins, with all that they hold."""
    control.set_paused(integration, actor, paused=True)
    with _lock:
        for connection in (integration.erp, integration.platform):
            stand_in = _running.pop(connection.stand_in, None)
            if stand_in is not None:
                stand_in.stop()


def trials(workspace: Workspace) -> list[Integration]:
    """The Integrations between stand-ins, also those whose stand-ins are gone."""
    rows = Integration.objects.of(workspace).select_related("workspace", "erp", "platform").order_by("pk")
    return [row for row in rows if row.erp.stand_in and row.platform.stand_in]


def pause_what_is_gone() -> None:
    """To be called when `serve` starts: no stand-in outlives it, so nothing is to be asked of them."""
    for workspace in Workspace.objects.order_by("pk"):
        for row in trials(workspace):
            control.set_paused(row, "serve", paused=True)


def _configure(workspace: Workspace, spec: IntegrationSpec, started: Mapping[Side, StandIn], actor: str) -> str:
    integration = _free_name(workspace)
    names = {side: f"{integration}-{spec.system(side).name}" for side in Side}
    content = {
        "workspace": workspace.name,
        "connections": {
            names[side]: {"system": spec.system(side).name, "settings": dict(stand_in.settings)}
            for side, stand_in in started.items()
        },
        "integrations": {
            integration: {"kind": spec.kind, "erp": names[Side.ERP], "platform": names[Side.PLATFORM], "paused": True}
        },
    }
    secrets = {
        names[side]: {name: value for name, value in stand_in.secrets.items() if value}
        for side, stand_in in started.items()
    }
    with transaction.atomic(), audit.recording(workspace, actor=actor) as trail:
        applying.change(content, secrets, actor)
        for side, stand_in in started.items():
            row = Connection.objects.of(workspace).get(name=names[side])
            row.stand_in = stand_in.id
            row.save(update_fields=["stand_in"])
            trail.add("config_change", f"connection:{row.pk}", fields=["stand_in"])
    return integration


def _free_name(workspace: Workspace) -> str:
    taken = set(Integration.objects.of(workspace).values_list("name", flat=True))
    taken |= {name.rpartition("-")[0] for name in Connection.objects.of(workspace).values_list("name", flat=True)}
    number = 1
    while (name := NAME if number == 1 else f"{NAME}-{number}") in taken:
        number += 1
    return name


def _start(spec: IntegrationSpec, side: Side) -> StandIn:
    system = spec.system(side).name
    usual = Beginning(("--data", str(DATA / f"base_set.{system}.json")), {})
    beginning = OF_PAIRS.get((spec.kind, side), usual)
    command = [sys.executable, "-m", "ml_connector.sandbox", system, "--port", "0", "--tied", *beginning.arguments]
    process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    line = _first_line(process)
    if not line:
        process.kill()
        raise StandInFailed(f"The stand-in of {system} did not start; the server's output says why.")
    ready = json.loads(line)
    return StandIn(uuid.uuid4().hex, process, {**ready["settings"], **beginning.settings}, ready["secrets"])


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    give_up = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < give_up and process.poll() is None:
        if select.select([process.stdout], [], [], 0.2)[0]:
            return process.stdout.readline()
    return ""


@atexit.register
def _stop_all() -> None:
    for stand_in in _running.values():
        stand_in.process.terminate()
