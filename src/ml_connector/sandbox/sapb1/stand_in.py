"""The SAP Business One stand-in as the kernel sees it: one company, its users, both versions."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.sapb1 import errors, metadata
from ml_connector.sandbox.sapb1.addresses import PREFIXES, Address, address_of, root_of
from ml_connector.sandbox.sapb1.books import FREIGHT, INPUT_TAX, Books
from ml_connector.sandbox.sapb1.desk import Desk
from ml_connector.sandbox.sapb1.errors import Refused, not_supported
from ml_connector.sandbox.sapb1.options import SapB1Options
from ml_connector.sandbox.sapb1.output import Version, answer, context
from ml_connector.sandbox.sapb1.reads import Reads, check_set, metadata_answer
from ml_connector.sandbox.sapb1.seeded import CLEARING, fill
from ml_connector.sandbox.sapb1.services import COMPANY_DB, Services
from ml_connector.sandbox.sapb1.sessions import VERSION, Session, Sessions, User, cookies_of, session_id
from ml_connector.sandbox.sapb1.writes import Writes
from ml_connector.sandbox.standin import BadInput, Row, StandIn

INTEGRATION = "MLCONN"
LOGIN, LOGOUT = "Login", "Logout"
UNIMPLEMENTED = {"$batch", "$crossjoin", "QueryService_PostQuery", "SQLQueries"}


class SapB1(StandIn):
    """Types: the sets, and those of the desk (see desk): periods, rates, users, sessions, actions."""

    name = "sapb1"
    prefixes = tuple(PREFIXES)
    options: SapB1Options

    def __init__(
        self,
        seed: int,
        data: Mapping[str, list[Row]],
        clock: Clock,
        options: SapB1Options,
    ) -> None:
        self.options = options
        self._scheme = "http"
        self._clock = clock
        self._users = [User(INTEGRATION, _password(seed, INTEGRATION)), User("manager", _password(seed, "manager"))]
        self._sessions = Sessions(COMPANY_DB, self._users, options, clock.now)
        self._books = Books(options, clock.now)
        self._reads = Reads(self._books)
        self._writes = Writes(self._books, self._reads)
        self._services = Services(self._books, self._reads, self._writes)
        self._desk = Desk(self._books, self._writes, self._sessions)
        fill(self._books, self._writes, self._desk, seed, options, data)

    def settings(self, url: str) -> Row:
        self._scheme = url.partition(":")[0]
        return {
            "base_url": f"{url}/b1s/v2",
            "company_db": COMPANY_DB,
            "user": INTEGRATION,
            "bill_clearing_account": self._books.account_code(CLEARING),
            "tax_account": self._books.account_code(INPUT_TAX),
            "freight_account": self._books.account_code(FREIGHT),
        }

    def secrets(self) -> Row:
        return {"password": self._sessions.users[INTEGRATION].password}

    # --- requests ------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        if request.path.startswith("/ping"):
            now = f"{self._clock.now().timestamp():.3f}"
            return Response.json({"message": "pong", "sender": "load balancer", "timestamp": now})
        version = version_of(request)
        if version is None:
            return Response.text("<html><body><h1>Not Found</h1></body></html>", 404, "text/html; charset=iso-8859-1")
        override = request.headers.get("x-http-method-override")
        if override and request.method == "POST":
            request.method = override.upper()
        try:
            address = address_of(request)
            assert address is not None
            return self._answer(request, address, root_of(request, self._scheme, version))
        except Refused as refused:
            return refused.response(version)

    def _answer(self, request: Request, address: Address, root: str) -> Response:
        if address.name == LOGIN and request.method == "POST":
            return self._logged_in(self._sessions.log_in(request), address.version, root)
        session = self._sessions.use(request)
        if address.name == LOGOUT and request.method == "POST":
            self._sessions.end(session.id)
            return Response(204)
        if address.name == "$metadata" and request.method == "GET":
            text = metadata.metadata(self._books.schema, address.version, self._books.lacks)
            return metadata_answer(text, address)
        if self._services.knows(address.name):
            return self._services.call(request, address, root)
        if address.name in UNIMPLEMENTED:
            raise not_supported()
        check_set(address.name, self.options.service_not_found_status)
        self._check_right(session, address.name, request.method)
        return self._served(request, address, root)

    def _served(self, request: Request, address: Address, root: str) -> Response:  # noqa: PLR0911 (one per kind)
        has_key, method = address.arguments is not None, request.method
        if not has_key and address.rest == "$count" and method == "GET":
            return self._reads.count(request, address)
        if not has_key and not address.rest:
            if method == "GET":
                return self._reads.collection(request, address, root)
            if method == "POST":
                return self._writes.create(request, address, root)
        if has_key and not address.rest:
            match method:
                case "GET":
                    return self._reads.one(request, address, root)
                case "PATCH" | "MERGE" | "PUT":
                    return self._writes.change(request, address, whole=method == "PUT")
                case "DELETE":
                    return self._writes.delete(request, address)
        if has_key and method == "GET":
            return self._reads.property(address, root)
        if has_key and method == "POST":
            return self._writes.act(request, address)
        raise not_supported()

    def _logged_in(self, session: Session, version: Version, root: str) -> Response:
        suffix = "@Element" if version == "v1" else "$entity"
        body = {
            context(version): f"{root}/$metadata#B1Sessions/{suffix}",
            "SessionId": session.id,
            "Version": VERSION,
            "SessionTimeout": self.options.session_minutes,
        }
        return answer(body, version, headers=cookies_of(session))

    def _check_right(self, session: Session, set_name: str, method: str) -> None:
        if session.user != INTEGRATION:
            return
        refused = self.options.no_rights
        if set_name in refused or (method != "GET" and f"{set_name} write" in refused):
            text = "You are not permitted to perform this action"
            raise Refused(self.options.no_rights_status, errors.NO_RIGHT, text)

    def request_key(self, request: Request) -> str | None:
        """Logins are counted together, other calls by their session."""
        if request.path.endswith(f"/{LOGIN}"):
            return LOGIN
        id_ = session_id(request)
        return None if id_ is None else f"session {id_}"

    def admit(self, request: Request) -> Response | None:
        """A storm of logins breaks some of them; too much in one session is refused by the gateway."""
        if request.path.endswith(f"/{LOGIN}"):
            if request.in_flight <= self.options.parallel_logins:
                return None
            return Refused(500, errors.NODE_BROKEN, "SAML Login Failed").response(version_of(request) or "v2")
        most = self.options.parallel_sessions
        return None if not most or request.in_flight <= most else self.throttled(request, None)

    def is_write(self, request: Request) -> bool:
        name = request.path.rpartition("/")[2]
        return request.method not in {"GET", "HEAD"} and name not in (LOGIN, LOGOUT) and "_Get" not in name

    def throttled(self, request: Request, code: str | None) -> Response:
        """The Service Layer has no limit of its own; the Apache in front says this."""
        page = (
            "<html><head><title>503 Service Unavailable</title></head><body><h1>Service Unavailable</h1></body></html>"
        )
        return Response.text(page, 503, "text/html; charset=iso-8859-1")

    def in_band_error(self, request: Request, text: str) -> Response:
        version = version_of(request) or "v2"
        return answer({"error": {"code": -1, "message": text}}, version)

    def expire_session(self, request: Request | None) -> None:
        if request is None:
            self._sessions.end_all()
        else:
            self._sessions.end(session_id(request))

    async def background(self) -> None:
        """Webhooks came with later releases and are not served: nothing is sent by itself."""

    # --- control -------------------------------------------------------------------------------------------

    def types(self) -> Sequence[str]:
        return self._desk.types()

    def state(self, type_name: str) -> list[Row]:
        return self._desk.state(type_name)

    def edit(self, type_name: str, rows: list[Row]) -> list[Row]:
        try:
            return self._desk.edit(type_name, rows)
        except Refused as refused:
            raise BadInput(f"{type_name}: {refused.text}") from None


def create(seed: int, data: Mapping[str, list[Row]] | None, clock: Clock, options: Mapping[str, Any] | None) -> SapB1:
    switches = SapB1Options()
    switches.change(options or {})
    return SapB1(seed, data or {}, clock, switches)


def version_of(request: Request) -> Version | None:
    return next((version for prefix, version in PREFIXES.items() if f"{prefix}/" in request.path), None)


def _password(seed: int, user: str) -> str:
    """The same for the same seed; a stand-in guards nothing."""
    return f"{random.Random(f'{user} {seed}').getrandbits(64):016x}"
