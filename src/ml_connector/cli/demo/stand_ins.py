"""The two stand-ins of the demo, as processes of their own that are spoken to over HTTP only."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2

from ml_connector import sandbox

DATA = Path(sandbox.__file__).parent / "data"
PATIENCE_SECONDS = 30


class DemoFailed(Exception):
    """The demo cannot go on; the text says why."""


@dataclass(frozen=True)
class StandIn:
    """A stand-in that has said that it is ready."""

    system: str
    process: subprocess.Popen[str]
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    control: str

    def state(self, type_name: str) -> list[dict[str, Any]]:
        """The rows of a type, as the system holds them."""
        answer = httpx2.get(f"{self.control}state/{type_name}").raise_for_status()
        rows: list[dict[str, Any]] = json.loads(answer.content, parse_float=Decimal)
        return rows

    def post(self, path: str, content: object) -> None:
        """Does something behind the product's back."""
        httpx2.post(f"{self.control}{path}", json=content).raise_for_status()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()


def start(system: str, log: Path) -> StandIn:
    """Starts `ml-connector sandbox SYSTEM` with the base set, on a free port. Raises DemoFailed."""
    data = DATA / f"base_set.{system}.json"
    command = [sys.executable, "-m", "ml_connector", "sandbox", system, "--port", "0", "--data", str(data)]
    with log.open("w") as errors:
        process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            command, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        )
    line = _first_line(process)
    if not line:
        process.kill()
        raise DemoFailed(f"The stand-in of {system} did not start: {log.read_text().strip() or 'it said nothing.'}")
    ready = json.loads(line)
    return StandIn(system, process, ready["settings"], ready["secrets"], ready["control"])


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        if select.select([process.stdout], [], [], 0.2)[0]:
            return process.stdout.readline()
    return ""
