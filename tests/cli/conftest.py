"""An installation that the command line set up itself, on stand-ins with the base set."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import ml_connector.sandbox
from ml_connector.cli.app import app
from ml_connector.sandbox import Running

DATA = Path(ml_connector.sandbox.__file__).parent / "data"


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def run(database: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Gives a command to the command line, in the directory of the installation."""
    monkeypatch.chdir(database)
    monkeypatch.setenv("COLUMNS", "160")

    def give(*arguments: str) -> Said:
        result = CliRunner().invoke(app, list(arguments))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    return give


@pytest.fixture
def stand_ins() -> Iterator[dict[str, Running]]:
    load = {
        name: json.loads((DATA / f"base_set.{name}.json").read_text(), parse_float=Decimal)
        for name in ("syspro", "bill")
    }
    with (
        ml_connector.sandbox.start("syspro", seed=1, data=load["syspro"]) as syspro,
        ml_connector.sandbox.start("bill", seed=1, data=load["bill"]) as bill,
    ):
        yield {"syspro": syspro, "bill": bill}


@pytest.fixture
def configuration(stand_ins: dict[str, Running], run: Run) -> dict[str, Any]:
    """The file that leads to the stand-ins, as a value; secrets stand in files of the directory."""
    connections = {}
    for name, system in (("erp", "syspro"), ("bill", "bill")):
        running = stand_ins[system]
        secrets = {}
        for field, value in running.secrets.items():
            if value:
                Path(f"{name}-{field}").write_text(value)
                secrets[field] = {"file": f"{name}-{field}"}
        connections[name] = {"system": system, "settings": dict(running.settings), "secrets": secrets}
    countries = {"country": {"entries": {"USA": "US", "DEU": "DE"}}}
    payables = {"kind": "syspro-bill", "erp": "erp", "platform": "bill", "mappings": countries}
    return {"workspace": "acme", "connections": connections, "integrations": {"payables": payables}}


Write = Callable[[dict[str, Any]], str]


@pytest.fixture
def write(run: Run) -> Write:
    """Writes a configuration file; gives its name."""

    def to_file(content: dict[str, Any]) -> str:
        Path("acme.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        return "acme.yaml"

    return to_file


@pytest.fixture
def applied(run: Run, write: Write, configuration: dict[str, Any]) -> Run:
    """An installation after `apply`."""
    said = run("apply", write(configuration))
    assert said.status == 0, said.err
    return run


@pytest.fixture
def decided(applied: Run) -> Run:
    """After a first sync, with accounts mapped and the similar supplier linked."""
    applied("sync", "payables")
    for mapping in ("gl_account", "cost_center"):
        assert applied("mapping", "suggest", mapping, "--accept-exact").status == 0
    assert applied("links", "accept", "--all").status == 0
    return applied


@pytest.fixture
def travelled(decided: Run) -> Run:
    """After everything that can travel has arrived."""
    assert decided("sync", "payables", "--until-idle").status == 1
    return decided
