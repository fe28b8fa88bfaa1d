"""What a worker sends to people: a thread that empties the outbox. No Run waits for it."""

from __future__ import annotations

import logging
import threading

from django.db import Error, connection

from ml_connector.sync.notify import gather, sending, silence

LOOK_SECONDS = 5.0
LOOKS_PER_MINUTE = 12
LOOKS_PER_DAY = 24 * 60 * LOOKS_PER_MINUTE

log = logging.getLogger(__name__)


def keep_telling(stop: threading.Event) -> None:
    """Looks every few seconds until `stop` is set. To be run in a thread of its own."""
    looks = 0
    while not stop.wait(LOOK_SECONDS):
        try:
            looks += 1
            # Not at once: a worker that has just begun has what it missed still before it.
            if looks % LOOKS_PER_MINUTE == 0:
                silence.check_schedules()
                gather.put_digests()
            if looks % LOOKS_PER_DAY == LOOKS_PER_MINUTE:
                silence.check_quiet()
                gather.forget()
            tell(stop)
        except Error as error:
            log.warning("The outbox cannot be read: %s", error)
        except Exception:
            log.exception("The outbox could not be emptied.")
        finally:
            connection.close()


def tell(stop: threading.Event | None = None) -> int:
    """Makes Messages of what waits and sends what is due, unless `stop` is set; says how many were tried."""
    gather.gather()
    tried = 0
    while not (stop and stop.is_set()) and (now := sending.send_due()):
        tried += now
    return tried
