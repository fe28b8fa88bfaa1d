"""The port to the job engine, DBOS, used as a durable queue and nothing else. No other module imports it.

One queue, partitioned by Connection, one job of a partition at a time. No recorded steps: what a job has done
stands in our own tables.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dbos import (
    DBOS,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    SetEnqueueOptions,
    SetWorkflowID,
    SetWorkflowTimeout,
)

QUEUE = "connections"
POLL_SECONDS = 0.25
BACKSTOP_SECONDS = 600.0
"""After this long the engine gives a job up and frees its partition. Well above the time that a job takes."""
FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

Body = Callable[[str, int, str], None]
"""Runs the job of this id, Flow and kind."""


@dataclass(frozen=True, slots=True)
class Item:
    """A job that the engine has and that is not finished."""

    id: str
    connection_id: int
    running: bool


class Engine:
    """The queue, and the threads of this process that work on it. One per process."""

    def __init__(self, url: str, worker: str, session: str, concurrency: int, body: Body) -> None:
        """`worker` must be unique among all processes: it keeps two from running each other's jobs again. `session`
        names the database sessions, where the database has names for them."""
        # Else it writes to the console by itself.
        logging.getLogger("dbos").addHandler(logging.NullHandler())
        self._concurrency = concurrency
        DBOS(
            config=DBOSConfig(
                name="ml-connector",
                # Constant: the default changes with each release and strands what was queued before it.
                application_version="1",
                executor_id=worker,
                system_database_url=url,
                dbos_system_schema="engine",
                serializer=DBOSPortableJSONSerializer(),
                use_listen_notify=False,
                sys_db_pool_size=min(4 + concurrency // 4, 20),
                db_engine_kwargs=_connecting(url, session),
                log_level="WARNING",
            )
        )

        @DBOS.workflow(name="job")
        def job(flow_id: int, kind: str) -> None:
            body(str(DBOS.workflow_id), flow_id, kind)

        self._job = job

    def start(self) -> None:
        """Creates the engine's tables where they are missing, and begins to work on the queue."""
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self._concurrency,
            # Any other value leaves the one cheap query with which jobs are taken.
            partition_concurrency=1,
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )

    def stop(self, patience: int) -> None:
        """Takes no more jobs and waits for those that run, at most this many seconds."""
        DBOS.destroy(workflow_completion_timeout_sec=patience)

    def enqueue(self, job_id: str, flow_id: int, kind: str, connection_id: int) -> None:
        """Puts a job on the queue; does nothing when one of this id was put there before."""
        with (
            SetWorkflowID(job_id),
            SetEnqueueOptions(queue_partition_key=str(connection_id)),
            SetWorkflowTimeout(BACKSTOP_SECONDS),
        ):
            DBOS.enqueue_workflow(QUEUE, self._job, flow_id, kind)

    def items(self) -> list[Item]:
        """What waits and what runs, of all workers."""
        return [
            Item(status.workflow_id, int(status.queue_partition_key or 0), status.status == "PENDING")
            for status in DBOS.list_queued_workflows(queue_name=QUEUE, load_input=False, load_output=False)
        ]

    def forget(self, job_ids: Sequence[str]) -> None:
        """Frees the partitions of jobs that no longer run, whatever the engine believes."""
        if job_ids:
            DBOS.cancel_workflows(list(job_ids))

    def delete_finished(self, age: timedelta, at_most: int) -> int:
        """Deletes finished jobs older than `age`; says how many."""
        before = datetime.now(UTC) - age
        finished = DBOS.list_workflows(
            status=FINISHED, completed_before=before.isoformat(), limit=at_most, load_input=False, load_output=False
        )
        if finished:
            DBOS.delete_workflows([status.workflow_id for status in finished])
        return len(finished)


def _connecting(url: str, session: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {}
    # What a crash of the database takes from the engine is due again by our rows: it need not wait for the disk.
    return {"connect_args": {"application_name": session, "options": "-c synchronous_commit=off"}}


def fresh_sqlite(path: Path) -> str:
    """The URL of an empty engine file. Nothing in the old one is needed, and an empty one holds no jobs of a worker
    that died. WAL, so that the engine's readers do not wait for its writers; DBOS sets the rest itself."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA journal_mode=WAL")
    file.close()
    return f"sqlite:///{path}"
