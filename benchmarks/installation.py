"""An installation to measure in: a data directory of its own, the product's settings, stand-ins beside it.

Stand-ins and preparing are processes of their own, so that neither their CPU nor their memory counts. Child
processes find the installation in ML_CONNECTOR_DATA (and DATABASE_URL) as the product's own processes do.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

READY = "stand-ins.json"
BYTECODE = Path(tempfile.gettempdir()) / "ml-connector-bench-bytecode"
"""Children have compiled modules, as an installation has, even where the environment forbids to write them."""


@contextmanager
def installed(invoices: int, latency: float, database: str, **settings: Any) -> Iterator[Path]:
    """The data directory of an installation that is yet to be prepared, its stand-ins running.

    `settings` are further ones of the SYSPRO Connection; `database` is a DATABASE_URL, empty for SQLite.
    """
    with tempfile.TemporaryDirectory(prefix="ml-connector-bench-") as home, ExitStack() as stack:
        starting = [stack.enter_context(_started("syspro", invoices)), stack.enter_context(_started("bill", latency))]
        syspro, bill = (json.loads(process.stdout.readline()) for process in starting if process.stdout)
        syspro["settings"].update(settings)
        (Path(home) / READY).write_text(json.dumps({"erp": syspro, "bill": bill}))
        os.environ.update(ML_CONNECTOR_DATA=home, DATABASE_URL=database, PYTHONPYCACHEPREFIX=str(BYTECODE))
        os.environ["DJANGO_SETTINGS_MODULE"] = "ml_connector.settings"
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        yield Path(home)


@contextmanager
def _started(system: str, value: object) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "benchmarks.stand_in", system, str(value)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.terminate()


def child(module: str, *arguments: str) -> str:
    """Runs one of our modules as a process of its own; gives what it printed last."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return said.strip().rpartition("\n")[2]


def stand_ins() -> dict[str, Any]:
    """The first line of each stand-in, by the name of its Connection."""
    ready: dict[str, Any] = json.loads((Path(os.environ["ML_CONNECTOR_DATA"]) / READY).read_text())
    return ready


def start_django() -> None:
    import django

    django.setup()


def create() -> None:
    """Tables, one Workspace, both Connections, the Integration `payables` and its Flows."""
    start_django()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    set_up("bench")


def set_up(workspace_name: str, name: str = "payables", **settings: str) -> Any:
    """An Integration of this name in a Workspace, with both Connections and its Flows, none scheduled yet.

    All use the same stand-ins. `settings` replace those of the SYSPRO Connection: an operator of its own, say. What
    BILL counts by credential is counted for each Connection by itself.
    """
    from ml_connector import clock, vault
    from ml_connector.integrations import SYSTEMS
    from ml_connector.integrations.syspro_bill import SYSPRO_BILL
    from ml_connector.sync.connections import credential_fingerprint
    from ml_connector.sync.models import Connection, Flow, Integration
    from ml_connector.workspaces.models import Workspace

    workspace, _ = Workspace.objects.get_or_create(name=workspace_name, defaults={"created_at": clock.now()})
    rows = {}
    for side, system in (("erp", "syspro"), ("bill", "bill")):
        ready = stand_ins()[side]
        if side == "erp":
            ready["settings"].update(settings)
        used = credential_fingerprint(SYSTEMS[system], ready["settings"], ready["secrets"])
        rows[side] = Connection.objects.create(
            workspace=workspace,
            name=f"{name}-{side}",
            system=system,
            settings=ready["settings"],
            credential=hashlib.sha256(f"{workspace_name} {name} {used}".encode()).hexdigest(),
        )
        for field, value in ready["secrets"].items():
            vault.put(workspace, f"connection:{name}-{side}", field, value)
    integration = Integration.objects.create(
        workspace=workspace,
        name=name,
        kind=SYSPRO_BILL.kind,
        erp=rows["erp"],
        platform=rows["bill"],
        policies={"auto_map_exact": True},
    )
    for position, spec in enumerate(SYSPRO_BILL.flows):
        Flow.objects.create(
            workspace=workspace, integration=integration, name=spec.name, position=position, every=spec.every
        )
    return integration


@contextmanager
def leased(name: str, kind: Any) -> Iterator[tuple[Any, Any]]:
    """A Flow and the lease of the Connection that a Run of this kind uses."""
    from ml_connector.sync import flows, leases
    from ml_connector.sync.models import Integration

    flow = flows.flow_named(Integration.objects.across_workspaces().get(), name)
    with leases.held(flows.connection_for(flow, kind).pk, f"bench {name} {kind}") as lease:
        yield flow, lease


def run(name: str, kind: Any) -> Any:
    """One Run of a Flow, as a worker does it, without a limit of time. Raises for one that failed."""
    from ml_connector.sync import runs
    from ml_connector.sync.models import RunState

    with leased(name, kind) as (flow, lease):
        done = runs.execute(flow, kind, lease, seconds=3600)
    if done.state not in {RunState.SUCCEEDED, RunState.WITH_PROBLEMS}:
        raise RuntimeError(f"{kind} of {name}: {done.state}, {done.text}")
    return done
