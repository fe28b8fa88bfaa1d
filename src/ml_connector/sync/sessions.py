"""The shared session of a Connection: sealed in the vault, renewed once however many need it (R60).

Threads of one job wait for each other in memory. Processes wait by a claim in the Connection's row: its lease keeps a
second job away, but a job that lost its lease may still be signing in when the next one starts, and a vendor with one
session per operator would have the two end each other's. No database transaction is open while a log-in is under way.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import Error
from django.db.models import F, Q, QuerySet

from ml_connector import audit, clock, redaction, vault
from ml_connector.sync import threads
from ml_connector.sync.leases import DatabaseTime
from ml_connector.sync.models import Connection, Health
from ml_connector.systems.base import AuthFailed, Transient

FIELD = "session"
NOTED_EVERY = timedelta(seconds=30)
LOGIN_SECONDS = 90
"""A claim to sign in lapses after this: its process has died. Longer than a request may take."""
PATIENCE_SECONDS = 2 * LOGIN_SECONDS
_POLL_SECONDS = 0.05

log = logging.getLogger(__name__)


class SharedSession:
    """`systems.base.Sessions` for one Connection. Its methods may be called from several threads."""

    def __init__(self, connection: Connection, idle: timedelta, *, probing: bool = False) -> None:
        """`probing`: a person tests the Connection, so an open circuit does not keep from trying (R61)."""
        self.workspace, self.connection_id, self.name = connection.workspace, connection.pk, connection.name
        self.idle, self.probing = idle, probing
        self._owner_thread = threading.get_ident()
        self._lock = threading.Lock()
        self._session: str | None = None
        self._used_at = connection.session_used_at
        self._noted_at = connection.session_used_at
        self._loaded = False
        self._refused = ""

    @property
    def owner(self) -> str:
        return f"connection:{self.name}"

    def current(self) -> str | None:
        with self._lock:
            if not self._loaded:
                with threads.database(self._owner_thread):
                    self._load()
            return self._session if self._alive() else None

    def renew(self, stale: str | None, sign_in: Callable[[], str]) -> str:
        with self._lock, threads.database(self._owner_thread):
            claim = self._claimed_or_renewed(stale)
            if claim is None:
                return self._held()
            try:
                if self._renewed_elsewhere(stale):
                    return self._held()
                return self._signed_in(stale, sign_in, claim)
            finally:
                self._row().filter(login_holder=claim).update(login_holder="", login_until=None)

    def used(self) -> None:
        """Never raises: it is called between a request and its answer's use, and no answer may be lost over it."""
        now = clock.now()
        with self._lock:
            self._used_at = now
            if self._noted_at is not None and now - self._noted_at < NOTED_EVERY:
                return
            self._noted_at = now
            try:
                with threads.database(self._owner_thread):
                    self._row().update(session_used_at=now)
            except Error as error:
                log.warning("The use of the session of %s could not be noted: %s", self.owner, error)

    def _claimed_or_renewed(self, stale: str | None) -> str | None:
        """A claim to sign in, or None because another process has renewed the session meanwhile.

        Raises AuthFailed while the circuit is open, and Transient when others hold the claim for too long.
        """
        claim = f"{os.getpid()}-{secrets.token_hex(8)}"
        free = Q(login_until__isnull=True) | Q(login_until__lte=DatabaseTime())
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            if self._renewed_elsewhere(stale):
                return None
            self._refuse_open_circuit()
            if self._row().filter(free).update(login_holder=claim, login_until=DatabaseTime(LOGIN_SECONDS)):
                return claim
            if time.monotonic() > give_up:
                raise Transient(f"Another process has been signing in to {self.name} for too long. It is tried again.")
            time.sleep(_POLL_SECONDS)

    def _signed_in(self, stale: str | None, sign_in: Callable[[], str], claim: str) -> str:
        try:
            session = sign_in()
        except AuthFailed as refused:
            if self._renewed_elsewhere(stale):
                return self._held()
            self._open_circuit(redaction.redacted(str(refused)))
            raise
        redaction.register(session)
        now = clock.now()
        with audit.recording(self.workspace, actor="worker") as trail:
            if (
                not self._row()
                .filter(login_holder=claim)
                .update(session_serial=F("session_serial") + 1, session_used_at=now)
            ):
                raise Transient(f"Signing in to {self.name} took too long; another process has gone on with it.")
            vault.put(self.workspace, self.owner, FIELD, session)
            trail.add("login", f"connection:{self.connection_id}")
        self._session, self._loaded, self._used_at, self._noted_at = session, True, now, now
        return session

    def _renewed_elsewhere(self, stale: str | None) -> bool:
        """Whether the store holds a session that is not the stale one; then it is ours from now on."""
        self._load()
        return self._session is not None and self._session != stale and self._alive()

    def _load(self) -> None:
        self._used_at = self._noted_at = self._row().values_list("session_used_at", flat=True).get()
        try:
            self._session = vault.get(self.workspace, self.owner, FIELD)
        except vault.SecretMissing:
            self._session = None
        self._loaded = True

    def _alive(self) -> bool:
        return self._used_at is not None and clock.now() - self._used_at <= self.idle

    def _held(self) -> str:
        if self._session is None:
            raise AssertionError("a session was renewed and is not there")
        return self._session

    def _refuse_open_circuit(self) -> None:
        if self.probing:
            return
        if self._refused:
            raise AuthFailed(self._refused)
        if self._row().values_list("health", flat=True).get() == Health.CIRCUIT_OPEN:
            raise AuthFailed(f"The credentials of {self.name} were refused; nothing is tried until they are corrected.")

    def _open_circuit(self, text: str) -> None:
        """From now on nobody signs in, neither another thread of this job nor another job (R61)."""
        if self.probing:
            return
        self._refused = text
        with audit.recording(self.workspace, actor="worker") as trail:
            opened = self._row().exclude(health=Health.CIRCUIT_OPEN)
            if opened.update(health=Health.CIRCUIT_OPEN, health_text=text, health_at=clock.now()):
                trail.add("circuit_opened", f"connection:{self.connection_id}")

    def _row(self) -> QuerySet[Connection]:
        return Connection.objects.of(self.workspace).filter(pk=self.connection_id)
