"""A process of the product that is killed when it passes a point.

    python -m ml_connector.conformance.crash.doomed --at "create answered" --nth 2 --note FILE -- sync acme

runs `ml-connector sync acme` and sends itself SIGKILL as it passes the point for the second time, after a line in FILE
that says so. Without `--at` it runs to its end, or until somebody else kills it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import django

from ml_connector import clock


@dataclass(frozen=True)
class Doom:
    """Where a process is to die."""

    point: str
    nth: int
    note: Path
    """What it writes into as it dies, so that others can tell that it died there."""


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser("python -m ml_connector.conformance.crash.doomed", description=__doc__)
    parser.add_argument("--at", metavar="POINT")
    parser.add_argument("--nth", type=int, default=1)
    parser.add_argument("--note", type=Path)
    parser.add_argument("--ahead", type=float, default=0.0, help="seconds by which its clock is ahead")
    parser.add_argument("command", nargs="+", help="what ml-connector is told")
    given = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ml_connector.settings")
    django.setup()
    doom = Doom(given.at, given.nth, given.note) if given.at else None
    live(given.command, timedelta(seconds=given.ahead), doom)


def live(command: Sequence[str], ahead: timedelta, doom: Doom | None) -> None:
    """Is `ml-connector COMMAND` from here on, at a clock that is ahead, until its end or its doom.

    Raises PointGone where the function of the point is no longer there, KeyError for a point that is none.
    """
    from ml_connector.cli import app  # noqa: PLC0415 - needs settings
    from ml_connector.conformance.crash.points import BY_NAME, lay  # noqa: PLC0415

    clock.run_ahead(ahead)
    if doom is not None:
        lay(BY_NAME[doom.point], doom.nth, lambda: _die(doom))
    sys.argv = ["ml-connector", *command]
    app.run()


def _die(doom: Doom) -> None:
    note = os.open(doom.note, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(note, f"{os.getpid()} {doom.point}\n".encode())
    os.close(note)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
