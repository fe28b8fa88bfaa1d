"""What the commands of this package share."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import django

if TYPE_CHECKING:
    from ml_connector.conformance.crash.ground import Ground

SHOW_SECONDS = 1.0
SHOW_ELSEWHERE_SECONDS = 30.0
"""How often a line says how far it is: on a terminal, and in a log."""


def in_django() -> None:
    """Makes Django ready for a command of this package."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ml_connector.settings")
    django.setup()


def ground_named(place: str) -> Ground:
    """The Ground at MODULE:NAME, looked for below the current directory too."""
    sys.path.insert(0, str(Path.cwd()))
    module, _, name = place.partition(":")
    ground: Ground = getattr(importlib.import_module(module), name)
    return ground


def line_on(stream: TextIO) -> Callable[[str], None]:
    """Shows how far a command is, in one line that it overwrites, or now and then in a log."""
    shown = 0.0

    def show(line: str) -> None:
        nonlocal shown
        if time.monotonic() - shown < (SHOW_SECONDS if stream.isatty() else SHOW_ELSEWHERE_SECONDS):
            return
        shown = time.monotonic()
        print(f"\r\033[K{line}" if stream.isatty() else line, end="", file=stream, flush=True)
        if not stream.isatty():
            print(file=stream)

    return show
