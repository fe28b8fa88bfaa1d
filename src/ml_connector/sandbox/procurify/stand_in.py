"""The Procurify stand-in as the kernel sees it: one domain, its API, and the people who work in it."""

import random
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Request, Response, decode, encode
from ml_connector.sandbox.procurify.access import TOKEN, Access
from ml_connector.sandbox.procurify.bill_shapes import BillShapes
from ml_connector.sandbox.procurify.bills import Bills
from ml_connector.sandbox.procurify.books import BOUND_USER, Books
from ml_connector.sandbox.procurify.calls import Call, Routes
from ml_connector.sandbox.procurify.desk import Desk
from ml_connector.sandbox.procurify.entry import Entry
from ml_connector.sandbox.procurify.errors import WHOLE, Refused
from ml_connector.sandbox.procurify.listing import Lists, wants_csv
from ml_connector.sandbox.procurify.options import ProcurifyOptions
from ml_connector.sandbox.procurify.order_lines import OrderLines
from ml_connector.sandbox.procurify.orders import Orders
from ml_connector.sandbox.procurify.payments import Payments
from ml_connector.sandbox.procurify.people import People
from ml_connector.sandbox.procurify.purchasing import Purchasing
from ml_connector.sandbox.procurify.reference import Reference
from ml_connector.sandbox.procurify.seeded import fill
from ml_connector.sandbox.procurify.vendors import Vendors
from ml_connector.sandbox.standin import Row, StandIn

RETRY_S = 1
UNKNOWN_FIELD = "field_of_tomorrow"


class Procurify(StandIn):
    """One domain."""

    name = "procurify"
    options: ProcurifyOptions

    def __init__(self, seed: int, data: Mapping[str, list[Row]], clock: Clock, options: ProcurifyOptions) -> None:
        self.options = options
        self._clock = clock
        self._recent: deque[float] = deque()
        self._ids = random.Random(f"procurify requests {seed}")
        books = Books(seed, options, clock)
        self._access = Access(seed, options, clock, lambda: books.row("users", BOUND_USER))
        lists = self._lists = Lists(options)
        shapes = BillShapes(books)
        purchasing = Purchasing(books, shapes, lists)
        bills = Bills(books, shapes, lists)
        entry = Entry(books)
        self._routes = Routes()
        Reference(books, shapes, lists, self._access).add_routes(self._routes)
        for part in (Vendors, Orders, OrderLines, Payments):
            part(books, shapes, lists).add_routes(self._routes)
        purchasing.add_routes(self._routes)
        bills.add_routes(self._routes)
        self._desk = Desk(books, self._access, entry, People(books, bills, purchasing, entry))
        fill(self._desk, seed, options, data)

    def settings(self, url: str) -> Row:
        self._lists.origin = url
        return {"base_url": url, "client_id": self._access.client_id}

    def secrets(self) -> Row:
        return {"client_secret": self._access.client_secret}

    # --- requests ------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        try:
            response = self._answer(request)
        except Refused as refused:
            response = refused.response(self.options)
            if response.status == 401:
                response.headers.append(("WWW-Authenticate", "Bearer"))
        return self._dressed(response)

    def _answer(self, request: Request) -> Response:
        path = request.path
        if path == TOKEN:
            if request.method != "POST":
                raise Refused(405)
            return self._access.token(request)
        if not path.endswith("/") and self._routes.methods(f"{path}/"):
            return self._without_slash(request)
        methods = self._routes.methods(path)
        if not methods or any(path.startswith(gone) for gone in self.options.removed):
            raise Refused(self.options.removed_status if methods else 404, "Not found.")
        found = self._routes.find(request.method, path)
        if found is None:
            self._access.check(request, "")
            refused = Refused(405, f'Method "{request.method}" not allowed.').response(self.options)
            refused.headers.append(("Allow", ", ".join(methods)))
            return refused
        route, ids = found
        self._access.check(request, route.resource)
        wants_csv(request)  # a format that there is not changes nothing
        return route.handler(Call(request, ids))

    def _without_slash(self, request: Request) -> Response:
        """Django sends a reader to the path with its slash, and nobody else."""
        if request.method != "GET":
            raise Refused(404)
        query = f"?{request.raw_query}" if request.raw_query else ""
        return Response(301, headers=[("Location", f"{request.path}/{query}")])

    def _dressed(self, response: Response) -> Response:
        """The answer as the site has it: its number, fields that nobody knows, UUIDs without dashes."""
        response.headers.append(("X-Request-Id", f"{self._ids.getrandbits(128):032x}"))
        if response.content_type != "application/json" or response.status >= 300:
            return response
        if self.options.extra_fields:
            response.body = encode(_with_more(decode(response.body)))
        if self.options.hide:
            response.body = encode(_without(frozenset(self.options.hide), decode(response.body)))
        if not self.options.uuid_dashes:
            response.body = encode(_undashed(decode(response.body)))
        return response

    def request_key(self, request: Request) -> str | None:
        return self._access.key(request)

    def admit(self, request: Request) -> Response | None:
        if self.options.parallel_limit and request.in_flight > self.options.parallel_limit:
            return self._refused_for_now()
        if not self.options.requests_per_second:
            return None
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= self.options.requests_per_second:
            return self._refused_for_now()
        self._recent.append(now)
        return None

    def is_write(self, request: Request) -> bool:
        return super().is_write(request) and request.path != TOKEN

    def throttled(self, request: Request, code: str | None) -> Response:
        return Refused(429).response(self.options)

    def _refused_for_now(self) -> Response:
        response = Refused(429).response(self.options)
        match self.options.retry_after:
            case "seconds":
                response.headers.append(("Retry-After", str(RETRY_S)))
            case "date":
                when = datetime.now(UTC) + timedelta(seconds=RETRY_S)
                response.headers.append(("Retry-After", format_datetime(when, usegmt=True)))
        return response

    def in_band_error(self, request: Request, text: str) -> Response:
        return Response.json({"metadata": {}, "errors": {WHOLE: {"message": text, "code": "ERROR"}}})

    def expire_session(self, request: Request | None) -> None:
        self._access.expire(request)

    async def background(self) -> None:
        """Nothing is sent: there are no webhooks."""

    # --- control -------------------------------------------------------------------------------------------

    def types(self) -> Sequence[str]:
        return self._desk.types()

    def state(self, type_name: str) -> list[Row]:
        return self._desk.state(type_name)

    def edit(self, type_name: str, rows: list[Row]) -> list[Row]:
        return self._desk.edit(type_name, rows)


def _with_more(value: Any) -> Any:
    if isinstance(value, dict):
        return {**{name: _with_more(inner) for name, inner in value.items()}, UNKNOWN_FIELD: True}
    return [_with_more(one) for one in value] if isinstance(value, list) else value


def _without(hidden: frozenset[str], value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without(hidden, inner) for name, inner in value.items() if name not in hidden}
    return [_without(hidden, one) for one in value] if isinstance(value, list) else value


def _undashed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: inner.replace("-", "") if name.endswith("uuid") and isinstance(inner, str) else _undashed(inner)
            for name, inner in value.items()
        }
    return [_undashed(one) for one in value] if isinstance(value, list) else value


def create(
    seed: int, data: Mapping[str, list[Row]] | None, clock: Clock, options: Mapping[str, Any] | None
) -> Procurify:
    """The seeded distributor's domain, or that of the story; `data` replaces its types."""
    switches = ProcurifyOptions()
    switches.change(options or {})
    return Procurify(seed, data or {}, clock, switches)
