"""What a worker sees to besides its jobs: that the Records add up (R76), that the trail is signed now and then, that
nothing is kept for longer than it should be (R70), and that SQLite knows which of its indexes is worth something."""

from __future__ import annotations

import logging
import threading

from django.db import Error, connection

from ml_connector import audit, vault
from ml_connector.audit.checkpoints import checkpoint
from ml_connector.sync import problems, retention, trail_retention
from ml_connector.sync.models import Flow
from ml_connector.sync.problems import Cause
from ml_connector.sync.queries import imbalances
from ml_connector.workspaces.models import Workspace

CHECK_SECONDS = 3600.0
CHECKS_PER_DAY = 24

log = logging.getLogger(__name__)


def keep_up(stop: threading.Event) -> None:
    """Checks every hour, removes what is old and signs every day, until `stop` is set.

    To be run in a thread of its own.
    """
    checks = 0
    while not stop.wait(CHECK_SECONDS):
        checks += 1
        try:
            measure_indexes()
            check_records()
            # The first time after an hour: a worker that is started anew every day does it all the same.
            if checks % CHECKS_PER_DAY == 1:
                remove_old()
                sign_trails()
        except Error as error:
            log.warning("The hourly check could not be made: %s", error)
        finally:
            connection.close()


def measure_indexes() -> None:
    """Has SQLite look at a few hundred rows of each index. Without that it takes a Workspace for ten rows, and reads a
    million to find fifty by their ids. PostgreSQL does so by itself."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA analysis_limit = 400")
            cursor.execute("ANALYZE")


def check_records() -> int:
    """Opens a Problem for each Flow whose Records do not add up, and says how many there are."""
    found = 0
    for workspace in Workspace.objects.all():
        wrong = imbalances(workspace)
        with audit.recording(workspace, actor="worker") as trail:
            for flow in Flow.objects.of(workspace).exclude(pk__in=[flow.pk for flow, _ in wrong]):
                problems.end_problem(trail, flow.integration, "records_missing", subject=f"flow:{flow.name}")
        for flow, text in wrong:
            found += 1
            log.error("Workspace %s: %s", workspace.name, text)
            with audit.recording(workspace, actor="worker") as trail:
                problems.open_problem(
                    trail,
                    flow.integration,
                    Cause(
                        "records_missing",
                        f"flow:{flow.name}",
                        f"Records of {text}",
                        "Something outside changed our database. Compare it with a backup before going on.",
                        blocks=False,
                    ),
                    flow,
                )
    return found


def remove_old() -> None:
    """Removes what is older than each Workspace keeps it (R70)."""
    for workspace in Workspace.objects.all():
        try:
            _remove_old(workspace)
        except trail_retention.TrailBroken as broken:
            log.error("%s", broken)  # noqa: TRY400 - the text says it all
        except Exception:
            # Another Workspace's is removed all the same, and the thread that counts records lives on.
            log.exception("What is old in workspace %s could not be removed.", workspace.name)


def _remove_old(workspace: Workspace) -> None:
    found = retention.remove(workspace, "worker")
    if found.documents.count or found.wire.count:
        log.info(
            "Workspace %s: the content of %s documents and %s requests was removed by age.",
            workspace.name,
            found.documents.count,
            found.wire.count,
        )
    trail = trail_retention.remove(workspace, "worker")
    if trail.count:
        log.info("Workspace %s: %s entries of the audit trail were removed by age.", workspace.name, trail.count)


def sign_trails() -> None:
    """A checkpoint of each Workspace's trail, whose anchor goes into the log and so off the machine."""
    try:
        key = vault.signing_key()
    except vault.VaultError as error:
        # The thread that counts records lives on.
        log.warning("The trails could not be signed: %s", error)
        return
    for workspace in Workspace.objects.all():
        checkpoint(workspace, key, "worker")
