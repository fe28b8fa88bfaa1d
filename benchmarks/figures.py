"""What a measurement found, and how a process measures itself."""

from __future__ import annotations

import json
import resource
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One line of the report. `met` is None where nothing was promised."""

    name: str
    value: str
    target: str = ""
    met: bool | None = None


def report(*figures: Figure) -> None:
    """Hands the figures to the process that started this one."""
    print(json.dumps([asdict(figure) for figure in figures]))


class Meter:
    """CPU of this process, user and system, and the time that passed, since it was made."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.monotonic()

    def cpu(self) -> float:
        return time.process_time() - self._cpu

    def wall(self) -> float:
        return time.monotonic() - self._wall


def peak_megabytes() -> float:
    """The most memory that this process ever had resident, the code of shared libraries included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident_megabytes(which: str = "VmRSS") -> float:
    """Resident now; `RssAnon` is what of it is the process's own, without the files that it maps. Linux only."""
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == which:
            return int(value.split()[0]) / 1024
    raise ValueError(which)
