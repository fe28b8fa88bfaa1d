"""The one net.tcp client: where it may go, how long it takes, in which of the two modes, and what became of a call.

Every call opens a session of its own and ends it: one that idled would have to be found dead by a write. As long as
the envelope has not left nothing can have happened; afterwards a write without an answer is OutcomeUnknown (R3), and
nothing is sent twice (R8). What is raised holds neither what was sent nor a library's words (R71).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpcore2

from ml_connector.systems.base import OutcomeUnknown, Refused, SystemFailure, Transient
from ml_connector.systems.transport.http import CHECK, LOOPBACK_HOSTS, unconnected
from ml_connector.systems.transport.nettcp import refusals
from ml_connector.systems.transport.nettcp.element import Element, Limits, Malformed, as_xml
from ml_connector.systems.transport.nettcp.encoder import encode
from ml_connector.systems.transport.nettcp.envelope import Fault, answer, request
from ml_connector.systems.transport.nettcp.framing import BROKEN, TLS, WINDOWS, Closed, Faulted, Session
from ml_connector.systems.transport.network import AddressRefused, Network
from ml_connector.systems.transport.policy import NetworkPolicy
from ml_connector.systems.transport.tls import verifying
from ml_connector.systems.transport.wire import Body, Heard, listener

DEFAULT_PORT: Final = 808
LONGEST_VIA: Final = 2_048
"""Bytes of an address that .NET accepts in a preamble."""
OPENING: Final = 10.0
"""Seconds for the connection, and again for each step of the preamble."""

MEDIA_TYPE: Final = "application/soap+xml"
OK, FAULTED = 200, 500
"""What a result and a fault are shown as to whoever listens: the statuses that SOAP has over HTTP."""

_log = logging.getLogger("ml_connector.transport")


class NotOpened(Transient):
    """The service is there and opened no session, and did not say why. What it demands may tell."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is, and as what it is spoken to."""

    address: str
    """The address that the service itself listens on: it drops what is sent to another one."""
    via: str
    """Where the connection goes: another address than its own where a port is forwarded."""
    host: str
    port: int
    server: str
    """Whose certificate must be shown."""

    @classmethod
    def of(cls, address: str, via: str = "") -> Endpoint:
        """Raises Refused, naming nettcp_address or nettcp_via, for what is no address."""
        target = _parsed(address, "nettcp_address")
        way = _parsed(via, "nettcp_via") if via else target
        return cls(address, via or address, way[0], way[1], target[0])

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"


class NetTcp:
    """The way to one service for one Connection. Thread-safe; each call has a connection of its own."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        name: str,
        access_network: NetworkPolicy,
        may_write: Callable[[], None],
        tls: bool = False,
        ca_certificates: str | None = None,
        streamed: bool = False,
        total_timeout: float = 60,
        limits: Limits = Limits(),  # noqa: B008
    ) -> None:
        """`streamed`: the mode that is tried first; what the service takes instead is kept for the next call."""
        self.name = name
        self.endpoint = endpoint
        self.streamed = streamed
        self.tls = tls
        self._context = verifying(ca_certificates, name) if tls else None
        self._may_write = may_write
        self._total = total_timeout
        self._limits = limits
        self._network = Network(access_network)
        if not tls and self.endpoint.host not in LOOPBACK_HOSTS:
            _log.warning("plain net.tcp: data travel unencrypted", extra={"system": name, "host": self.endpoint.host})

    def read(self, action: str, operation: Element) -> Element | Fault:
        """A call that changes nothing. Raises Transient for no answer, Refused for a service that takes no calls."""
        return self._judged(self._called(action, operation, write=False))

    def write(self, action: str, operation: Element) -> Element | Fault:
        """A call that changes something; leaves at most once (R8), after `may_write` had no objection.

        Raises Transient or Refused while the envelope has not left or the service says that it did not take it,
        OutcomeUnknown once it has left and no whole answer came back.
        """
        started = time.monotonic()
        outcome = self._called(action, operation, write=True)
        heard = listener()
        if heard is not None:
            heard.append(self._heard(action, operation, outcome, started))
        return self._judged(outcome)

    def demands(self) -> list[str]:
        """Of TLS and Windows authentication, what the service agrees to begin with. Sends nothing but the wish.

        Empty where it agrees to neither, or where nothing is learnt.
        """
        return [wanted for wanted in (TLS, WINDOWS) if self._agrees(wanted)]

    # --- a call

    def _called(self, action: str, operation: Element, *, write: bool) -> Element | Fault | SystemFailure:
        """Failures are returned: raised from here, their traceback would lead through what was sent."""
        message_id = uuid4()
        try:
            document = encode(request(action, self.endpoint.address, message_id, operation))
        except ValueError:
            return Refused("request_invalid", f"A request to {self.name} holds text that is no Unicode.")
        with self._network.request(self._total):
            session = self._opened()
            if isinstance(session, SystemFailure):
                return session
            try:
                if write:
                    self._may_write()
                outcome = self._asked(session, document, message_id, write=write)
            finally:
                session.close()
        return outcome

    def _asked(self, session: Session, document: bytes, message_id: UUID, *, write: bool) -> _Outcome:
        try:
            said = answer(session.ask(document), message_id)
        except Faulted as refused:
            if refused.name == refusals.TOO_LARGE or not write:
                return refusals.of_framing(refused.name, self.name, self.endpoint.where)
            what = f"broke off ({refused.name})."
        except Malformed as broken:
            what = f"gave an answer that cannot be read. {broken}"
        except httpcore2.TimeoutException:
            what = f"did not answer within {self._total:g} s."
        except (Closed, *BROKEN):
            what = "closed the connection before its answer was complete."
        else:
            session.end()
            if not isinstance(said, Fault):
                return said
            if not refusals.is_nondescript(said):
                return refusals.of_soap(said, self.name) or said
            what = "failed inside and does not say of what."
        return self._unanswered(what, write=write)

    def _unanswered(self, what: str, *, write: bool) -> SystemFailure:
        text = f"{self.name} at {self.endpoint.where} (net.tcp) {what}"
        return OutcomeUnknown(f"{text} Whether it did what was asked is not known.") if write else Transient(text)

    def _judged(self, outcome: _Outcome) -> Element | Fault:
        if isinstance(outcome, SystemFailure):
            raise outcome
        return outcome

    # --- opening

    def _opened(self) -> Session | SystemFailure:
        """A session in the mode that worked last; in the other one where the service takes it instead.

        No envelope has left when the mode is refused, so trying the other one repeats nothing.
        """
        first = self._session(streamed=self.streamed)
        if isinstance(first, Session) or not first.other_mode:
            return first if isinstance(first, Session) else first.failure
        second = self._session(streamed=not self.streamed)
        if isinstance(second, Session):
            self.streamed = not self.streamed
            return second
        return second.failure if isinstance(second.failure, Refused) else first.failure

    def _session(self, *, streamed: bool) -> Session | _Unopened:
        stream = self._connected()
        if isinstance(stream, SystemFailure):
            return _Unopened(stream)
        session = Session(stream, self._limits, streamed=streamed, step=OPENING)
        outcome = self._unopened(session)
        if outcome is None:
            return session
        session.close()
        return outcome

    def _unopened(self, session: Session) -> _Unopened | None:
        """Opens it; why it could not be opened, or None."""
        where = self.endpoint.where
        try:
            session.open(self.endpoint.via, tls=self._context, host=self.endpoint.server)
        except Faulted as refused:
            other = refused.name in refusals.OTHER_MODE
            return _Unopened(refusals.of_framing(refused.name, self.name, where), other_mode=other)
        except Malformed:
            what = "answered with something that is no net.tcp. Check the port: http has another one."
            return _Unopened(NotOpened(f"{self.name} at {where} {what}"))
        except httpcore2.ConnectError as failed:  # of TLS: the connection is there
            cause = failed.args[0] if failed.args else None
            return _Unopened(Transient(f"{self.name} {unconnected(cause, where, 'net.tcp with TLS')}"))
        except httpcore2.TimeoutException:
            return _Unopened(NotOpened(f"{self.name} at {where} did not answer in time when a session was opened."))
        except (Closed, *BROKEN):
            return _Unopened(NotOpened(f"{self.name} at {where} {_SHUT}"), other_mode=True)
        return None

    def _connected(self) -> httpcore2.NetworkStream | SystemFailure:
        where = self.endpoint.where
        try:
            return self._network.connect_tcp(self.endpoint.host, self.endpoint.port, OPENING)
        except AddressRefused as refused:
            return Transient(f"{self.name} was not called: {refused}.")
        except httpcore2.TimeoutException:
            return Transient(f"{self.name} could not be connected to in time at {where}. {CHECK}")
        except httpcore2.ConnectError as failed:
            return Transient(f"{self.name} {unconnected(failed.args[0] if failed.args else None, where)}")

    def _agrees(self, wanted: str) -> bool:
        with self._network.request(2 * OPENING):
            stream = self._connected()
            if isinstance(stream, SystemFailure):
                return False
            session = Session(stream, self._limits, streamed=self.streamed, step=OPENING / 2)
            try:
                session.upgrade(self.endpoint.via, wanted)
            except (Faulted, Malformed, Closed, *BROKEN):
                return False
            finally:
                session.close()
            return True

    def _heard(self, action: str, operation: Element, outcome: _Outcome, started: float) -> Heard:
        failure = str(outcome) if isinstance(outcome, SystemFailure) else ""
        content, status = b"", None
        if isinstance(outcome, Fault):
            fault = Element("Fault", children=[Element("Code", parts=[outcome.code])])
            fault.children.append(Element("Reason", parts=[outcome.reason]))
            content, status = as_xml(fault), FAULTED
        elif isinstance(outcome, Element):
            content, status = as_xml(outcome), OK
        path = f"{urlsplit(self.endpoint.address).path} {action}"
        milliseconds = round((time.monotonic() - started) * 1000)
        sent = Body.of(as_xml(operation), MEDIA_TYPE)
        return Heard("NET.TCP", path, sent, status, Body.of(content, MEDIA_TYPE), failure, milliseconds)


_Outcome: TypeAlias = Element | Fault | SystemFailure

_SHUT = (
    "closed the connection when a session was opened, without saying why. It may want a protection that the "
    "Connection does not have (nettcp_security), or it is starting or stopping. The Connection's test tells which."
)


@dataclass(frozen=True, slots=True)
class _Unopened:
    """Why there is no session, and whether it may be for the mode."""

    failure: SystemFailure
    other_mode: bool = False


def _parsed(address: str, setting: str) -> tuple[str, int]:
    """Host and port."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or DEFAULT_PORT
    except ValueError:
        parts, host, port = urlsplit(""), None, 0
    plain = parts.scheme == "net.tcp" and host and not parts.username and not parts.query and not parts.fragment
    if not plain or not host or len(address.encode()) > LONGEST_VIA or any(c.isspace() for c in address):
        raise Refused(
            "bad_address",
            f"{setting} must be an address such as net.tcp://server:31001/SYSPROWCFService, without user or query.",
            setting,
        )
    return host, port
