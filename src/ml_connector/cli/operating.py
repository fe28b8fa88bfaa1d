"""serve, worker, migrate: the processes of an installation."""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Annotated

import typer
from django.conf import settings
from django.db import connection
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from ml_connector import logs
from ml_connector.cli import installation
from ml_connector.cli.output import failed, log_level, say
from ml_connector.cli.people import join_link
from ml_connector.cli.work import work
from ml_connector.console import stand_ins
from ml_connector.console.people import first_owner_code, nobody_yet
from ml_connector.jobs.presence import WorkerRunning, workers_alive

CONCURRENCY = 8
"""Jobs at a time: each uses one Connection and one database connection."""
THREADS = 8
"""Requests at a time: most wait for the database, and the test of a Connection takes one for as long as it runs."""
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 (what a container listens on)
RESTART_SECONDS = 2.0
"""How long after its end the worker of `serve` is started again."""


def worker(
    concurrency: Annotated[
        int, typer.Option("--concurrency", metavar="N", min=1, max=256, help="Jobs at a time.")
    ] = CONCURRENCY,
) -> None:
    """Run what is due, until stopped. On PostgreSQL as many as you like; on SQLite one."""
    logs.configure(log_level("INFO"))
    installation.use()
    # Imported here: the job engine takes longer to import than most commands take to run.
    jobs = importlib.import_module("ml_connector.jobs.worker")
    stop = jobs.stop_on_signals()
    try:
        jobs.run_worker(work(), concurrency, stop)
    except WorkerRunning as running:
        failed(str(running))


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=1, max=65_535)] = 8000,
    concurrency: Annotated[
        int, typer.Option("--concurrency", metavar="N", min=1, max=256, help="Jobs at a time of its own worker.")
    ] = CONCURRENCY,
) -> None:
    """Answer over HTTP: the console, health and metrics. On SQLite it also keeps the one worker running."""
    logs.configure(log_level("INFO"))
    installation.use(may_set_up=True)
    _check_free(host, port)
    with contextlib.ExitStack() as stack:
        if connection.vendor == "sqlite" and not workers_alive():
            stack.enter_context(_own_worker(concurrency))
        os.environ[stand_ins.KEPT] = "1"
        stand_ins.pause_what_is_gone()
        here = settings.PUBLIC_URL or f"http://{'localhost' if host in EVERY_ADDRESS else host}:{port}"
        say(f"The console: {here}\n/healthz and /readyz say how it is, /metrics in figures. Stop with Ctrl-C.")
        if nobody_yet():
            say(f"Nobody can sign in yet. Create the owner here; the link works once, for 24 hours:\n"
                f"{join_link(first_owner_code(), here)}")  # fmt: skip
        connection.close()
        Server(
            "ml_connector.api.wsgi:application",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=1,
            blocking_threads=max(THREADS, os.cpu_count() or 1),
            log_level=LogLevels.error,
        ).serve()


def _check_free(host: str, port: int) -> None:
    """Refuses a taken port: the server itself would share it with another one without a word."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        failed(f"{host}:{port} cannot be listened on ({error.strerror}). Choose another with --host and --port.")


def migrate() -> None:
    """Make the database's tables, or bring them up to this release. Make a backup first."""
    if installation.set_up():
        say("The database is up to date now.")
    else:
        say("The database was up to date already. Nothing was changed.")


@contextlib.contextmanager
def _own_worker(concurrency: int) -> Iterator[None]:
    """A worker process beside the server, started again when it dies, ended with the server."""
    command = [sys.executable, "-m", "ml_connector", "worker", "--concurrency", str(concurrency)]
    stop = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not stop.is_set():
            process = subprocess.Popen(command)  # noqa: S603 (our own interpreter and module)
            running[:] = [process]
            process.wait()
            stop.wait(RESTART_SECONDS)

    keeper = threading.Thread(target=keep, name="worker-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        for process in running:
            process.terminate()
        keeper.join()
