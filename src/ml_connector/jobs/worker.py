"""The worker: a process that runs jobs until it is told to stop."""

from __future__ import annotations

import logging
import signal
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import Error, connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper as PostgreSQL

from ml_connector.jobs import job
from ml_connector.jobs.engine import Engine, fresh_sqlite
from ml_connector.jobs.job import Work
from ml_connector.jobs.notifying import keep_telling
from ml_connector.jobs.presence import SESSION, only_one_on_sqlite, process_name
from ml_connector.jobs.retention import Retention
from ml_connector.jobs.tasks import keep_doing_tasks
from ml_connector.jobs.ticker import TICK_SECONDS, Ticker
from ml_connector.jobs.upkeep import keep_up
from ml_connector.jobs.webhooks import keep_webhooks
from ml_connector.sync.models import RunKind

PATIENCE_SECONDS = 90
"""How long a worker that is told to stop waits for its jobs: their time box, and a request's limit."""
IDLE_IN_TRANSACTION_SECONDS = 20
OTHER_THREADS = 8
"""Those that use the database besides jobs: schedule, leases, tasks, telling, upkeep."""
GET_SESSION_SECONDS = 5.0
"""How long a thread waits for the database before it says that it is away."""

log = logging.getLogger(__name__)


def run_worker(work: Work, concurrency: int, stop: threading.Event) -> None:
    """Runs jobs, at most `concurrency` at a time, until `stop` is set; then waits for those that run.

    Raises WorkerRunning where the database allows one worker and there is one. On PostgreSQL all workers take the
    concurrency of the one that started last.
    """
    name = process_name()

    def body(job_id: str, flow_id: int, kind: str) -> None:
        job.run(work, name, job_id, flow_id, RunKind(kind))

    with only_one_on_sqlite(name):
        engine = Engine(_engine_url(), name, f"{SESSION}{name}", concurrency, body)
        _share_database_sessions(concurrency)
        engine.start()
        log.info("Worker %s runs up to %s jobs at a time.", name, concurrency)
        ticker, retention = Ticker(work, engine, concurrency), Retention(engine)
        threading.Thread(target=keep_up, args=(stop,), name="upkeep", daemon=True).start()
        threading.Thread(target=keep_doing_tasks, args=(name, stop), name="tasks", daemon=True).start()
        threading.Thread(target=keep_webhooks, args=(name, stop), name="webhooks", daemon=True).start()
        telling = threading.Thread(target=keep_telling, args=(stop,), name="telling", daemon=True)
        telling.start()
        try:
            pause = TICK_SECONDS
            while not stop.wait(pause):
                begun = time.monotonic()
                _look(ticker, retention)
                pause = max(0.0, TICK_SECONDS - (time.monotonic() - begun))
        finally:
            engine.stop(PATIENCE_SECONDS)
            # A message that is being sent ends; one that was cut off would never be known to have arrived.
            if stop.is_set():
                telling.join(PATIENCE_SECONDS)
            connection.close()
            if isinstance(ours := connections["default"], PostgreSQL):
                ours.close_pool()


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set. To be called in the main thread."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _look(ticker: Ticker, retention: Retention) -> None:
    """One look at the schedule; a database that is away is waited for."""
    try:
        ticker.tick()
        retention.look()
    except Error as error:
        log.warning("The schedule cannot be read: %s", error)
        connection.close()
    except Exception:
        log.exception("A look at the schedule failed.")
        connection.close()


def _share_database_sessions(concurrency: int) -> None:
    """Has the threads of this process take turns with sessions that stay open: on PostgreSQL each new one costs as much
    as a job that finds nothing. They end transactions that stand still, before leases lapse: what such a one locks
    would hold up those who take over."""
    if connection.vendor != "postgresql":
        return
    connection.close()
    options = connections.settings["default"]["OPTIONS"]
    limit = f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_SECONDS}s"
    options["options"] = f"{options.get('options', '')} {limit}".strip()
    options["pool"] = {"min_size": 0, "max_size": concurrency + OTHER_THREADS, "timeout": GET_SESSION_SECONDS}


def _engine_url() -> str:
    if connection.vendor == "sqlite":
        return fresh_sqlite(Path(settings.DATA) / "engine.sqlite3")
    given = connection.settings_dict
    user = ":".join(quote(given[part], safe="") for part in ("USER", "PASSWORD") if given[part])
    address = {part.lower(): given[part] for part in ("HOST", "PORT") if given[part]}
    return f"postgresql://{user}@/{quote(given['NAME'])}?{urlencode({**address, **given['OPTIONS']})}"
