"""The command line as people run it: real processes, from the stand-ins' first line to the bill in BILL."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.cli.conftest import DATA

COMMAND = [sys.executable, "-m", "ml_connector"]
PATIENCE = 60

Give = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def give(database: Path) -> Give:
    """Runs a command to its end, in the directory of an installation of its own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments], cwd=database, capture_output=True, text=True, timeout=120, check=False
        )

    return run


@contextmanager
def process(*arguments: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen([*COMMAND, *arguments], cwd=cwd, stdout=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.terminate()
        assert running.wait(PATIENCE) == 0
        assert running.stdout is not None
        running.stdout.close()


@pytest.fixture
def pair(database: Path) -> Iterator[dict[str, Any]]:
    """Two stand-ins as processes, and a configuration file that leads to them: what their first lines said."""
    with ExitStack() as stack:
        ready = {}
        for name, system in (("erp", "syspro"), ("bill", "bill")):
            data = str(DATA / f"base_set.{system}.json")
            running = stack.enter_context(process("sandbox", system, "--data", data, cwd=database))
            assert running.stdout is not None
            ready[name] = json.loads(running.stdout.readline())
        yield ready


def write(ready: dict[str, Any], directory: Path) -> None:
    connections = {}
    for name, system in (("erp", "syspro"), ("bill", "bill")):
        secrets = {field: value for field, value in ready[name]["secrets"].items() if value}
        for field, value in secrets.items():
            (directory / f"{name}-{field}").write_text(value)
        connections[name] = {
            "system": system,
            "settings": ready[name]["settings"],
            "secrets": {field: {"file": f"{name}-{field}"} for field in secrets},
        }
    accounts = {f"10-{code}": f"10-{code}" for code in (2250, 6100, 6200, 6300, 6400)}
    mappings = {"country": {"entries": {"USA": "US", "DEU": "DE"}}, "gl_account": {"entries": accounts}}
    payables = {"kind": "syspro-bill", "erp": "erp", "platform": "bill", "mappings": mappings}
    content = {"workspace": "acme", "connections": connections, "integrations": {"payables": payables}}
    (directory / "acme.yaml").write_text(yaml.safe_dump(content))


def bills(ready: dict[str, Any]) -> set[str]:
    rows = httpx2.get(f"{ready['bill']['control']}state/bills").json()
    return {row["invoice"]["invoiceNumber"] for row in rows}


def test_from_nothing_to_bills_in_bill(give: Give, pair: dict[str, Any], database: Path) -> None:
    assert pair["erp"]["ready"] is True
    write(pair, database)
    assert give("apply", "acme.yaml").returncode == 0
    assert give("ping", "erp").returncode == 0
    assert give("ping", "bill").returncode == 0
    said = give("sync", "payables", "--until-idle")
    assert said.returncode == 1, said.stderr
    assert {"ELC-1001", "PK-500", "NK-77"} <= bills(pair)
    rows = json.loads(give("records", "--state", "confirmed", "--json").stdout)
    assert len(rows) == len({row["target_key"] for row in rows})
    assert json.loads(give("status", "--json").stdout)["invariant"]["holds"] is True


@pytest.mark.skipif("config.getoption('--database') != 'sqlite'", reason="`serve` keeps a worker on SQLite only")
def test_serve_answers_and_its_worker_delivers(give: Give, pair: dict[str, Any], database: Path) -> None:
    write(pair, database)
    give("apply", "acme.yaml")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with process("serve", "--port", str(port), cwd=database):
        _until(lambda: _ready(url))
        assert httpx2.get(f"{url}/healthz").text == "ok\n"
        said = give("sync", "payables")
        assert said.returncode == 1, said.stderr
        assert {"ELC-1001", "PK-500"} <= bills(pair)
        assert 'ml_connector_records{flow="invoices",integration="payables",state="confirmed"' in (
            httpx2.get(f"{url}/metrics").text
        )
        refused = give("worker")
        assert refused.returncode == 1
        assert refused.stderr.startswith("A worker is running already")
        taken = give("serve", "--port", str(port))
        assert taken.returncode == 1
        assert "Choose another with --host and --port." in taken.stderr
    assert "none runs" in give("status").stdout


def test_the_demo_tells_the_whole_story(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"ML_CONNECTOR_DATA"}}
    said = subprocess.run(
        [*COMMAND, "demo"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert said.returncode == 0, said.stdout[-2000:] + said.stderr
    for text in (
        "GL account 10-6999 has no BILL account.",
        "no answer",
        "In BILL: ",
        "Every difference is explained.",
        "The trail of workspace acme holds",
        "All 17 records ever staged are accounted for: 15 confirmed + 2 blocked.",
    ):
        assert text in said.stdout
    assert list(tmp_path.iterdir()) == []


def _ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def _until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.2)
