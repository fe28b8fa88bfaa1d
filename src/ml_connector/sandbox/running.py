"""A running stand-in: in a thread of a test, or as the process itself."""

import asyncio
import contextlib
import copy
import importlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from ml_connector.sandbox.authority import Authority
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.control import PREFIX, data_from
from ml_connector.sandbox.faults import BadFault
from ml_connector.sandbox.http import BadJson, decode, encode
from ml_connector.sandbox.kernel import Kernel
from ml_connector.sandbox.server import Connection
from ml_connector.sandbox.standin import BadInput, BadOption, Row, StandIn

SYSTEMS = ("avidxchange", "basware", "bill", "sapb1", "syspro")

T = TypeVar("T")


class Site:
    """A kernel that listens on a port of 127.0.0.1."""

    def __init__(
        self,
        system: str,
        seed: int,
        data: Mapping[str, list[Row]] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if system not in SYSTEMS:
            raise BadOption(f"system {system} is unknown; known: {', '.join(SYSTEMS)}")
        module = importlib.import_module(f"ml_connector.sandbox.{system}")
        clock = Clock()
        self.stand_in: StandIn = module.create(seed, data, clock, options)
        self.kernel = Kernel(self.stand_in, clock, seed)
        self._authority = Authority() if self.stand_in.options.tls else None
        self.url = ""
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._background: asyncio.Task[None] | None = None
        self._reopening: asyncio.Task[None] | None = None
        self._bound: socket.socket
        self._port = 0
        self.kernel.refusing = self.refuse

    async def open(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        await self._listen(_bound(port))
        self.url = f"{'http' if self._authority is None else 'https'}://127.0.0.1:{self._port}"
        self.settings = self.stand_in.settings(self.url)
        if self._authority is not None:
            self.settings["tls_ca_bundle"] = self._authority.pem
        self._background = loop.create_task(self.stand_in.background())

    def refuse(self, seconds: float) -> None:
        """Closes the port and resets every connection; listens again after the seconds. A second call starts anew.

        The port stays bound meanwhile, so that nobody else takes it and a connect is refused at once.
        """
        if self._reopening is not None:
            self._reopening.cancel()
        if self._server is not None:
            self._server.close()
            self._server = None
            self._bound = _bound(self._port)
        self.kernel.refuses = True
        for connection in list(self._connections):
            connection.reset()
        self._reopening = asyncio.get_running_loop().create_task(self._reopen(seconds))

    async def _reopen(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.kernel.refuses = False
        await self._listen(self._bound)

    async def _listen(self, bound: socket.socket) -> None:
        self._bound, self._port = bound, bound.getsockname()[1]
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self.kernel, self._connections),
            sock=bound,
            backlog=1024,
            ssl=None if self._authority is None else self._authority.context,
        )

    async def close(self) -> None:
        await self.kernel.stop()
        if self._reopening is not None:
            self._reopening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reopening
            if self._server is None:
                self._bound.close()
        if self._background is not None:
            self._background.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._background
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()

    @property
    def control(self) -> str:
        return f"{self.url}{PREFIX}"


class Running:
    """A stand-in on real sockets in a thread of this process; stops when its `with` block ends.

    The methods do what the control URL does, without HTTP.
    """

    def __init__(self, site: Site, port: int) -> None:
        self._site = site
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(site.open(port), self._loop).result()
        except BaseException:
            self._end()
            raise
        self.url = site.url
        self.control = site.control
        self.settings = site.settings
        self.secrets = site.stand_in.secrets()

    def __enter__(self) -> "Running":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def state(self, type_name: str) -> list[Row]:
        """A copy of all rows of a type."""
        return self._do(lambda: copy.deepcopy(self._site.kernel.control.rows(type_name)))

    def edit(self, type_name: str, rows: Row | Sequence[Row]) -> list[Row]:
        """Merges, inserts or deletes rows behind the product's back; returns them as stored."""
        given = copy.deepcopy(rows if isinstance(rows, dict) else list(rows))
        return self._do(lambda: copy.deepcopy(self._site.kernel.control.edit(type_name, given)))

    def faults(self, faults: Sequence[Row] | None = None) -> list[Row]:
        """Replaces the fault list when one is given; returns it with its counters."""
        if faults is not None:
            given = list(faults)
            self._do(lambda: self._site.kernel.faults.replace(given))
        return self._do(self._site.kernel.faults.rows)

    def refuse(self, seconds: float) -> None:
        """Refuses every connection for that long, and resets those that are open."""
        self._do(lambda: self._site.refuse(seconds))

    def clock(self, **wish: Any) -> Row:
        """`clock(now=..., running=False)`, `clock(advance=60)`; `clock()` goes back to real time."""
        return self._do(lambda: self._site.kernel.control.set_clock(wish))

    def requests(self) -> list[Row]:
        """The requests since the start or the last `clear_requests`."""
        return self._do(self._site.kernel.journal.rows)

    def clear_requests(self) -> None:
        self._do(self._site.kernel.journal.clear)

    def summary(self) -> Row:
        """Counts of requests by path, writes, and the greatest number in flight by key."""
        return self._do(self._site.kernel.journal.summary)

    def options(self, wishes: Row | None = None) -> Row:
        """Sets switches; returns all of them."""
        return self._do(lambda: self._site.kernel.control.set_options(wishes or {}))

    def stop(self) -> None:
        """Closes the port and every connection. May be called twice."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._site.close(), self._loop).result()
            self._end()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _do(self, action: Callable[[], T]) -> T:
        async def act() -> T:
            return action()

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result()


def start(
    system: str,
    seed: int = 1,
    data: Mapping[str, list[Row]] | None = None,
    port: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Running:
    """Starts the stand-in of a system in a thread: `with start("bill", seed=1) as bill:`. Port 0 takes a free one."""
    return Running(Site(system, seed, copy.deepcopy(data), options), port)


def run(
    system: str,
    port: int = 0,
    seed: int = 1,
    data: Path | None = None,
    faults: Path | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    tied: bool = False,
) -> int:
    """Runs the stand-in as this process until SIGTERM or SIGINT; returns the exit code. `tied`: also until standard
    input ends, which it does with the process that started it, however that ends.

    The first line on standard output is JSON: `{"ready": true, "settings", "secrets", "control"}`. A file or option
    that cannot be taken is explained on standard error, exit code 2.
    """
    try:
        rows = None if data is None else data_from(_read(data))
        site = Site(system, seed, rows, options)
        if faults is not None:
            site.kernel.faults.replace(_read(faults))
    except BadOption as error:
        return _refuse(str(error))
    except BadFault as error:
        return _refuse(f"{faults}: {error}")
    except BadInput as error:
        return _refuse(f"{data}: {error}")
    except _Unreadable as error:
        return _refuse(str(error))
    return asyncio.run(_serve(site, port, tied=tied))


def _bound(port: int) -> socket.socket:
    """A socket that has the port but does not listen: a connect to it is refused."""
    # Named as TCP, or asyncio leaves small packets to wait for each other: 40 ms an answer.
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind(("127.0.0.1", port))
    except OSError:
        tcp.close()
        raise
    return tcp


class _Unreadable(Exception):
    """A file that cannot be read as JSON."""


def _read(path: Path) -> Any:
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise _Unreadable(f"{path}: {error.strerror}") from None
    except BadJson as error:
        raise _Unreadable(f"{path}: no valid JSON: {error}") from None


def _refuse(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return 2


def _stop_at_end(file: int, stop: asyncio.Event) -> None:
    if not os.read(file, 4096):
        stop.set()


async def _serve(site: Site, port: int, *, tied: bool) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if tied:
        loop.add_reader(sys.stdin.fileno(), _stop_at_end, sys.stdin.fileno(), stop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await site.open(port)
    except OSError as error:
        return _refuse(f"port {port}: {error.strerror}")
    ready = {
        "ready": True,
        "settings": site.settings,
        "secrets": site.stand_in.secrets(),
        "control": site.control,
    }
    print(encode(ready).decode(), flush=True)
    await stop.wait()
    await site.close()
    return 0
