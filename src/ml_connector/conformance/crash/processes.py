"""Starting processes of the product: as a person does, or from a process that has imported everything already.

Both are processes of their own, with connections and threads of their own; one of them costs a second and a half of
imports, the other a few milliseconds, which is what lets a thousand of them be killed in a coffee break.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from ml_connector.conformance.crash import doomed
from ml_connector.conformance.crash.doomed import Doom


class Process(Protocol):
    """A process of the product."""

    @property
    def pid(self) -> int: ...

    def ended(self, within: float) -> bool:
        """Whether it has ended, or does within so many seconds."""

    @property
    def status(self) -> int:
        """Its exit status, or minus the signal that ended it; only of one that has ended."""

    def kill(self) -> None:
        """SIGKILL."""

    def terminate(self) -> None:
        """SIGTERM."""


Start = Callable[[Sequence[str], Mapping[str, str], timedelta, Doom | None, Path], Process]
"""Starts `ml-connector COMMAND` on the installation of this environment, with its clock ahead; what it says goes
into a file."""


def fresh(
    command: Sequence[str], environment: Mapping[str, str], ahead: timedelta, doom: Doom | None, said: Path
) -> Process:
    """Starts a new interpreter."""
    at = ["--at", doom.point, "--nth", str(doom.nth), "--note", str(doom.note)] if doom else []
    with said.open("ab") as log:
        return _Fresh(
            subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", doomed.__name__, "--ahead", str(ahead.total_seconds()), *at, "--", *command],
                env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        )


def forked(
    command: Sequence[str], environment: Mapping[str, str], ahead: timedelta, doom: Doom | None, said: Path
) -> Process:
    """Starts a fork of a process that has no thread and no connection, and has imported the product."""
    process = _SERVER.Process(target=_be, args=(list(command), dict(environment), ahead, doom, said), daemon=True)
    process.start()
    return _Forked(process)


_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["ml_connector.conformance.crash.preload"])


def _be(
    command: Sequence[str], environment: Mapping[str, str], ahead: timedelta, doom: Doom | None, said: Path
) -> None:
    from ml_connector.conformance import databases  # noqa: PLC0415 - needs settings

    log = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(environment)
    databases.use(environment)
    doomed.live(command, ahead, doom)


class _Fresh:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def ended(self, within: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(within)
        return self._process.returncode is not None

    @property
    def status(self) -> int:
        return int(self._process.returncode)

    def kill(self) -> None:
        self._process.kill()

    def terminate(self) -> None:
        self._process.terminate()


class _Forked:
    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid = process.pid

    def ended(self, within: float) -> bool:
        self._process.join(within)
        return self._process.exitcode is not None

    @property
    def status(self) -> int:
        assert self._process.exitcode is not None
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()

    def terminate(self) -> None:
        self._process.terminate()
