"""Leases: a Connection is used by one job at a time, over all processes and machines.

The truth is three columns of the Connection's row: who holds it, a fencing number that rises with every holder, and
until when, by the database's clock. A holder renews in the background. It stops by itself when it could not renew
for a while (`Lease.check`), well before the lease lapses and another may take it; what it has to say after that is
refused in the transaction that would store it (`Lease.confirm`), because the number has risen (R9).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error, connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, Q, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from ml_connector.sync.models import Connection, Run, RunState

LEASE_SECONDS = 30
"""A lease that was not renewed for this long may be taken by another."""
RENEW_SECONDS = 3
SELF_FENCE_SECONDS = 10
"""A holder that could not renew for this long sends nothing more."""

Sql = tuple[str, tuple[str | int, ...]]

log = logging.getLogger(__name__)


class LeaseTaken(Exception):
    """Another job holds the Connection."""

    def __init__(self, connection_id: int, holder: str) -> None:
        super().__init__(f"Connection {connection_id} is in use by {holder or 'another job'}.")
        self.connection_id = connection_id
        self.holder = holder


class LeaseLost(Exception):
    """The Connection is no longer ours: send nothing more, store nothing more, end."""


class NotSent(Exception):
    """Raised in a preview by what is asked before each request that changes something: the request does not leave."""


class Lease:
    """One holder's right to use a Connection. Its methods may be called from several threads."""

    def __init__(self, connection_id: int, holder: str, fence: int, since: Instant) -> None:
        self.connection_id = connection_id
        self.holder = holder
        self.fence = fence
        self._renewed = since
        self._lost = False

    def check(self) -> None:
        """Raises LeaseLost when the lease is lost or was not renewed lately. To be called before each request that
        writes; costs no query. Once lost, it stays lost."""
        if self._renewed.age() > SELF_FENCE_SECONDS:
            self._lost = True
        if self._lost:
            raise LeaseLost(f"{self.holder} no longer holds Connection {self.connection_id}.")

    def confirm(self) -> None:
        """Raises LeaseLost unless the database agrees that the lease is ours and in force.

        To be called first in the transaction that stores what a request did: until its end nobody else can take
        the Connection, so a late result of a former holder is never stored.
        """
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError("A lease is confirmed inside the transaction it protects.")
        row = Connection.objects.across_workspaces().select_for_update(no_key=True).filter(_in_force([self]))
        if not row.values_list("pk").first():
            self._lost = True
        self.check()
        if self._renewed.age() > RENEW_SECONDS:
            self._renew_with_this_transaction()

    def _renew_with_this_transaction(self) -> None:
        """On SQLite, transactions one after the other can keep the renewing thread from its turn; so they renew."""
        since = Instant()
        row = Connection.objects.across_workspaces().filter(_held_by([self]))
        row.update(lease_until=DatabaseTime(LEASE_SECONDS))
        transaction.on_commit(lambda: self._renewed_at(since))

    def _renewed_at(self, instant: Instant) -> None:
        self._renewed = instant

    def _gone(self) -> None:
        self._lost = True


def acquire(connection_id: int, holder: str) -> Lease | None:
    """Takes the Connection for LEASE_SECONDS, or returns None when another holds it. `holder` says who, in at most
    80 characters, and is unique: nobody takes the same lease twice."""
    since = Instant()
    rows = Connection.objects.across_workspaces().filter(pk=connection_id)
    with transaction.atomic():
        if not rows.filter(_FREE).update(
            lease_holder=holder, lease_fence=F("lease_fence") + 1, lease_until=DatabaseTime(LEASE_SECONDS)
        ):
            return None
        fence = rows.values_list("lease_fence", flat=True).get()
    return Lease(connection_id, holder, fence, since)


def release(lease: Lease) -> None:
    """Gives the Connection back, if it is still ours."""
    lease._gone()
    Connection.objects.across_workspaces().filter(_held_by([lease])).update(lease_holder="", lease_until=None)


@contextmanager
def held(connection_id: int, holder: str) -> Iterator[Lease]:
    """The Connection's lease for the length of the block, kept alive. Raises LeaseTaken when another holds it."""
    lease = acquire(connection_id, holder)
    if lease is None:
        raise LeaseTaken(connection_id, holder_of(connection_id))
    _keeper.add(lease)
    try:
        yield lease
    finally:
        _keeper.remove(lease)
        try:
            release(lease)
        except Error:
            log.warning("The lease on Connection %s could not be given back; it lapses by itself.", connection_id)


def holder_of(connection_id: int) -> str:
    """Who holds the Connection now, or an empty text."""
    rows = Connection.objects.across_workspaces().filter(IN_FORCE, pk=connection_id)
    return rows.values_list("lease_holder", flat=True).first() or ""


def revoke(connection_id: int) -> bool:
    """Ends a lapsed lease for good, so that its former holder cannot come back. False when there was none."""
    rows = Connection.objects.across_workspaces().filter(_FREE, pk=connection_id).exclude(lease_holder="")
    return bool(rows.update(lease_holder="", lease_fence=F("lease_fence") + 1, lease_until=None))


def lapsed() -> QuerySet[Run]:
    """Runs that are marked live although the lease under which they ran is no longer in force: their workers died,
    hang, or lost the database."""
    live = Run.objects.across_workspaces().filter(state=RunState.LIVE)
    out_of_force = Q(connection__lease_until__isnull=True) | Q(connection__lease_until__lte=DatabaseTime())
    return live.filter(out_of_force | ~Q(connection__lease_fence=F("fence")))


class DatabaseTime(Func):
    """The database's clock, now or some seconds ahead; it moves on inside a transaction."""

    output_field = models.DateTimeField()

    def __init__(self, ahead: int = 0) -> None:
        super().__init__()
        self.ahead = ahead

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_context: Any) -> Sql:
        # In the form in which Django stores instants, so that texts compare like instants.
        return "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s)", (f"+{self.ahead} seconds",)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_context: Any) -> Sql:
        return "(clock_timestamp() + make_interval(secs => %s))", (self.ahead,)


class Instant:
    """A moment of this process, for measuring what has passed since."""

    def __init__(self) -> None:
        self._monotonic = time.monotonic()
        self._wall = time.time()

    def age(self) -> float:
        """Seconds since. The larger of two clocks: one runs on while the process is stopped but not while the
        machine is suspended, the other does both but may be set."""
        return max(time.monotonic() - self._monotonic, time.time() - self._wall)


IN_FORCE = Q(lease_until__gt=DatabaseTime())
"""Connections that somebody holds."""
_FREE = Q(lease_until__isnull=True) | Q(lease_until__lte=DatabaseTime())


def _held_by(leases: list[Lease]) -> Q:
    matches = Q(pk__in=[])
    for lease in leases:
        matches |= Q(pk=lease.connection_id, lease_holder=lease.holder, lease_fence=lease.fence)
    return matches


def _in_force(leases: list[Lease]) -> Q:
    return _held_by(leases) & IN_FORCE


class _Keeper:
    """Renews all leases of this process from one thread, with one database connection."""

    def __init__(self) -> None:
        self._leases: set[Lease] = set()
        self._lock = threading.Lock()
        self._running = False

    def add(self, lease: Lease) -> None:
        with self._lock:
            self._leases.add(lease)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="lease-keeper", daemon=True).start()

    def remove(self, lease: Lease) -> None:
        with self._lock:
            self._leases.discard(lease)

    def _run(self) -> None:
        while True:
            time.sleep(RENEW_SECONDS)
            with self._lock:
                leases = list(self._leases)
                if not leases:
                    self._running = False
                    return
            try:
                _renew(leases)
            except Error as error:
                # Tried again soon; should it go on, each holder stops by itself.
                log.warning("Leases could not be renewed: %s", error)
            finally:
                connection.close()


def _renew(leases: list[Lease]) -> None:
    """Renews what is ours and in force. A row that its own job has locked just now is left for the next time, so
    that one long transaction does not hold up the others."""
    since = Instant()
    rows = Connection.objects.across_workspaces()
    with transaction.atomic():
        free = rows.select_for_update(skip_locked=True, no_key=True).filter(_in_force(leases))
        renewed = set(free.values_list("pk", flat=True))
        rows.filter(pk__in=renewed).update(lease_until=DatabaseTime(LEASE_SECONDS))
    for lease in leases:
        if lease.connection_id in renewed:
            lease._renewed_at(since)


_keeper = _Keeper()
