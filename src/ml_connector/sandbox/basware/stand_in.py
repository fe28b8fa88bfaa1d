"""The Basware stand-in as the kernel sees it: one tenant in one region."""

import asyncio
import random
import re
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from ml_connector.sandbox.basware.access import CONFIGURATION, KEYS, TOKENS, Access
from ml_connector.sandbox.basware.calls import Call, Routes
from ml_connector.sandbox.basware.desk import Desk
from ml_connector.sandbox.basware.documents import Documents
from ml_connector.sandbox.basware.errors import UNEXPECTED, Bare, Error, Refused, no_rows, parameter
from ml_connector.sandbox.basware.files import PREFIX as FILES
from ml_connector.sandbox.basware.files import SIGNATURE, Files
from ml_connector.sandbox.basware.listing import Lister
from ml_connector.sandbox.basware.masters import Masters
from ml_connector.sandbox.basware.options import BaswareOptions
from ml_connector.sandbox.basware.output import rendered, uuid4
from ml_connector.sandbox.basware.p2p import P2P
from ml_connector.sandbox.basware.processing import Processing
from ml_connector.sandbox.basware.seeded import COMPANY, ELEMENT, fill
from ml_connector.sandbox.basware.statuses import Statuses
from ml_connector.sandbox.basware.subscriptions import Subscriptions
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.standin import Row, StandIn

LARGEST_BODY = 6 * 1024 * 1024
REQUEST_ID = "x-bw-request-id"
TICK_S = 0.05
"""How often P2P looks for what is due when nobody asks."""
_uuid4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
SUBSCRIPTIONS = "/v1/subscriptions"
NOT_A_WRITE = (TOKENS, SUBSCRIPTIONS, "/v1/requestStatus/acknowledge")


class Basware(StandIn):
    """One tenant: its API, P2P behind it, and the people who work there (see desk)."""

    name = "basware"
    secret_parameters = frozenset({SIGNATURE.lower()})
    options: BaswareOptions

    def __init__(self, seed: int, data: Mapping[str, list[Row]], clock: Clock, options: BaswareOptions) -> None:
        self.options = options
        self._ids = random.Random(f"basware requests {seed}")
        self._access = Access(seed, options, clock)
        self._files = Files(seed, clock)
        lister = Lister(options, clock)
        self._p2p = P2P(options)
        subscriptions = self._subscriptions = Subscriptions(seed, lister, options, clock)
        self._processing = Processing(self._p2p, options, clock, subscriptions.announce)
        masters = Masters(self._p2p, self._processing, lister, options, clock)
        documents = Documents(self._processing, lister, self._files, options, clock, subscriptions.announce)
        statuses = Statuses(self._processing, lister, options, clock)
        self._lister = lister
        self._routes = Routes()
        for part in (masters, documents, statuses, subscriptions):
            part.add_routes(self._routes)
        self._routes.add("GET /v1/companies", "companies.read", self._list_companies)
        self._routes.add("GET /v1/companies/{id}", "companies.read", self._get_company)
        self._desk = Desk(self._p2p, self._processing, masters, documents, statuses, subscriptions, self._access)
        fill(self._desk, seed, options, data)

    def settings(self, url: str) -> Row:
        self._access.url = url
        self._files.serve_at(url)
        user = (
            {"client_id": self._access.client_id}
            if self.options.credential_kind == "oauth2"
            else {"api_user": self._access.api_user}
        )
        return {
            "region": self.options.region,
            "environment": "test",
            "base_url": url,
            **user,
            "company_map": {COMPANY: f"{COMPANY}/{ELEMENT}"},
            "source_system": "SYSPRO",
            "tax_scheme_id": self.options.identifier_schemes[0],
            "webhook_header": self.options.webhook_header,
        }

    def secrets(self) -> Row:
        if self.options.credential_kind == "oauth2":
            return {"client_secret": self._access.client_secret}
        return {"api_password": self._access.api_password}

    # --- requests ------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        self._processing.settle()
        if request.path.startswith(FILES):
            return self._files.serve(request)
        request_id = uuid4(self._ids)
        try:
            response = self._answer(request, request_id)
        except Refused as refused:
            response = refused.response(request_id, self.options.bare_errors)
        response.headers.append(("x-amzn-RequestId", request_id))
        return response

    def _answer(self, request: Request, request_id: str) -> Response:
        open_to_all = {
            ("POST", TOKENS): self._access.token,
            ("GET", KEYS): self._access.keys,
            ("GET", CONFIGURATION): self._access.configuration,
        }
        if (request.method, request.path) in open_to_all:
            return open_to_all[request.method, request.path](request)
        found = self._routes.find(request.method, request.path)
        if found is None:
            self._access.check_any(request)
            raise Bare(405 if self._routes.knows(request.path) else 404)
        route, ids = found
        by = self._access.check(request, route.scope)
        self._check_headers(request)
        return route.handler(Call(request, request_id, by, ids))

    def _check_headers(self, request: Request) -> None:
        given = request.headers.get(REQUEST_ID)
        if self.options.request_id == "require" and given is None:
            raise parameter("X-BW-REQUEST-ID is required.")
        if self.options.request_id != "ignore" and given is not None and not _uuid4.fullmatch(given):
            raise parameter("X-BW-REQUEST-ID must be a UUID of version 4.")
        if request.method in {"POST", "PATCH"} and self.options.content_type == "require":
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise parameter("Content-Type must be application/json.")
        if len(request.body) > LARGEST_BODY:
            raise Bare(413)

    def _list_companies(self, call: Call) -> Response:
        query = call.query
        size = query.page_size(500, 500)
        page = self._lister.page(self._p2p.companies.numbered(), call.request, self._lister.since(query), size)
        rows = [rendered("Company", row, self.options) for row in page.rows]
        return Response.json(
            rows if "companies" in self.options.bare_lists else {"companies": rows}, headers=page.headers
        )

    def _get_company(self, call: Call) -> Response:
        row = self._p2p.companies.get(call.ids[0])
        if row is None:
            raise no_rows()
        return Response.json(rendered("Company", row, self.options))

    def request_key(self, request: Request) -> str | None:
        return self._access.key(request)

    def admit(self, request: Request) -> Response | None:
        most = self.options.parallel_limit
        return None if not most or request.in_flight <= most else self.throttled(request, None)

    def is_write(self, request: Request) -> bool:
        return super().is_write(request) and request.path not in NOT_A_WRITE

    def throttled(self, request: Request, code: str | None) -> Response:
        return Bare(429).response(uuid4(self._ids), self.options.bare_errors)

    def in_band_error(self, request: Request, text: str) -> Response:
        refused = Refused(200, Error(UNEXPECTED, text))
        return refused.response(uuid4(self._ids), self.options.bare_errors)

    def expire_session(self, request: Request | None) -> None:
        self._access.expire(request)

    def call_back(self, request: Request) -> Coroutine[Any, Any, None] | None:
        """The connection test of a subscription, for a client that may subscribe."""
        if not self.options.connection_test or (request.method, request.path) != ("POST", SUBSCRIPTIONS):
            return None
        try:
            self._access.check(request, "subscriptions.write")
            self._check_headers(request)
        except Refused:
            return None
        return self._subscriptions.test_connections(request)

    async def background(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._subscriptions.delivery.run())
            tasks.create_task(self._keep_processing())

    async def _keep_processing(self) -> None:
        """Outcomes are announced by themselves, also when nobody asks."""
        while True:
            await asyncio.sleep(TICK_S)
            self._processing.settle()

    # --- control -------------------------------------------------------------------------------------------

    def types(self) -> Sequence[str]:
        return self._desk.types()

    def state(self, type_name: str) -> list[Row]:
        self._processing.settle()
        return self._desk.state(type_name)

    def edit(self, type_name: str, rows: list[Row]) -> list[Row]:
        self._processing.settle()
        return self._desk.edit(type_name, rows)


def create(seed: int, data: Mapping[str, list[Row]] | None, clock: Clock, options: Mapping[str, Any] | None) -> Basware:
    """A tenant whose invoices wait for transfer and to which nothing was posted yet; `data` replaces its types."""
    switches = BaswareOptions()
    switches.change(options or {})
    return Basware(seed, data or {}, clock, switches)
