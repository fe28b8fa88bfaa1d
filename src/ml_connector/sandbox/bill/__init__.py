"""The BILL stand-in: BILL's v3 API for accounts payable, its classifications and its webhooks.

Both of BILL's hosts answer on one port, under `/connect/v3/...` and `/connect-events/v3/...`. What BILL's
documentation leaves open is an option (see `options`). Written from the vendor's facts alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ml_connector.sandbox.bill.approvals import Approvals
from ml_connector.sandbox.bill.bills import Bills
from ml_connector.sandbox.bill.classifications import Classifications
from ml_connector.sandbox.bill.credits import VendorCredits
from ml_connector.sandbox.bill.errors import Error, Refused, concurrency_limit, hourly_limit
from ml_connector.sandbox.bill.ids import Ids
from ml_connector.sandbox.bill.ledger import Ledger
from ml_connector.sandbox.bill.options import BillOptions
from ml_connector.sandbox.bill.payments import Payments
from ml_connector.sandbox.bill.records import KINDS, Books, Call, Creatable, Records
from ml_connector.sandbox.bill.routes import Routes
from ml_connector.sandbox.bill.seed import plant
from ml_connector.sandbox.bill.sessions import LOGIN, Sessions
from ml_connector.sandbox.bill.vendors import Vendors
from ml_connector.sandbox.bill.webhooks import Webhooks
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.standin import BadInput, Row, StandIn

MAIN, EVENTS = "/connect", "/connect-events"
WEBHOOK_LIMIT_STATUS = 429  # documented for the webhook API, unlike for the main one
NOT_A_WRITE = (LOGIN, "/v3/logout")


def create(
    seed: int, data: Mapping[str, list[Row]] | None, clock: Clock, options: Mapping[str, Any] | None
) -> "BillStandIn":
    """An organisation with its chart of accounts and departments; `data` replaces the rows of its types."""
    switches = BillOptions()
    switches.change(options or {})
    return BillStandIn(seed, data or {}, clock, switches)


class BillStandIn(StandIn):
    """One BILL organisation and everybody who may log in to it."""

    name = "bill"
    prefixes = (EVENTS, MAIN)
    options: BillOptions

    def __init__(self, seed: int, data: Mapping[str, list[Row]], clock: Clock, options: BillOptions) -> None:
        self.options = options
        self._clock = clock
        ids = Ids(seed)
        self._sessions = Sessions(ids, clock, options)
        books = Books(ids, clock, options)
        ledger = Ledger(books)
        self._approvals = Approvals(books)
        self._vendors = Vendors(books)
        self._bills = Bills(books, ledger, self._approvals)
        self._credits = VendorCredits(books, ledger)
        user = self._sessions.credentials["user"].user_id
        self._payments = Payments(books, ledger, user, self._sessions.bank_account)
        self._classifications = {kind: Classifications(books, kind) for kind in KINDS}
        self._webhooks = Webhooks(books, self._sessions)
        self._records: dict[str, Records] = {
            "vendors": self._vendors,
            "bills": self._bills,
            "vendor-credits": self._credits,
            "payments": self._payments,
            **self._classifications,
        }
        self._main, self._events = self._main_routes(), self._event_routes()
        plant(seed, self._records)
        self._load(data)

    def handle(self, request: Request) -> Response:
        try:
            return self._answer(request)
        except Refused as refused:
            return refused.response(self._clock.now())

    def types(self) -> Sequence[str]:
        return (*self._records, "subscriptions", "events", "sessions", "logins")

    def state(self, type_name: str) -> list[Row]:
        match type_name:
            case "subscriptions":
                return self._webhooks.state()
            case "events":
                return self._webhooks.events_state()
            case "sessions":
                return self._sessions.rows()
            case "logins":
                return self._sessions.logins()
        return self._records[type_name].state()

    def edit(self, type_name: str, rows: list[Row]) -> list[Row]:
        if type_name in self._records:
            return _edit(type_name, self._records[type_name], rows)
        if type_name == "subscriptions":
            return self._webhooks.edit(rows)
        if type_name == "sessions":
            return self._sessions.edit(rows)
        raise BadInput(f"{type_name} cannot be edited")

    def settings(self, url: str) -> Row:
        kind = self.options.credential_kind
        return {
            "environment": "sandbox",
            "base_url": f"{url}{MAIN}",
            "events_base_url": f"{url}{EVENTS}",
            "username": self._sessions.credentials[kind].username,
            "organizationId": self._sessions.organisation,
            "credential_kind": kind,
        }

    def secrets(self) -> Row:
        credential = self._sessions.credentials[self.options.credential_kind]
        return {"password": credential.password, "devKey": self._sessions.developer_key}

    def request_key(self, request: Request) -> str | None:
        return self._sessions.key(request)

    def admit(self, request: Request) -> Response | None:
        if request.in_flight <= self.options.concurrent_limit:
            return None
        return concurrency_limit(self._limit_status(request)).response(self._clock.now())

    def is_write(self, request: Request) -> bool:
        return super().is_write(request) and not request.path.endswith(NOT_A_WRITE)

    def throttled(self, request: Request, code: str | None) -> Response:
        status = self._limit_status(request)
        if code == "BDC_1144":
            return hourly_limit(status, self.options.requests_per_hour).response(self._clock.now())
        return concurrency_limit(status).response(self._clock.now())

    def in_band_error(self, request: Request, text: str) -> Response:
        """The v2 API's shape, which fails with status 200."""
        data = {"error_code": "BDC_1002", "error_message": text}
        return Response.json({"response_status": 1, "response_message": "Error", "response_data": data})

    def expire_session(self, request: Request | None) -> None:
        self._sessions.expire(request)

    async def background(self) -> None:
        await self._webhooks.delivery.run()

    def _answer(self, request: Request) -> Response:
        self._sessions.count_request(self._limit_status(request))
        routes, path = self._host(request.path)
        if (request.method, path) == ("POST", LOGIN) and routes is self._main:
            return self._sessions.login(request)
        session = self._sessions.session(request)
        found = routes.find(request.method, path)
        if found is None:
            raise Refused(404, Error(f"API is not supported: {request.method} {path}.", "BDC_1121"))
        route, ids = found
        if route.operation in self.options.denied_operations:
            raise Refused(403, Error("Permission denied for this operation.", "BDC_1145"))
        return route.handler(Call(request, session, ids))

    def _host(self, path: str) -> tuple[Routes, str]:
        if path.startswith(f"{EVENTS}/"):
            return self._events, path.removeprefix(EVENTS)
        if path.startswith(f"{MAIN}/"):
            return self._main, path.removeprefix(MAIN)
        raise Refused(404, Error(f"API is not supported: {path}.", "BDC_1121"))

    def _limit_status(self, request: Request) -> int:
        return WEBHOOK_LIMIT_STATUS if request.path.startswith(EVENTS) else self.options.rate_limit_status

    def _load(self, data: Mapping[str, list[Row]]) -> None:
        unknown = data.keys() - self._records.keys()
        if unknown:
            raise BadInput(f"{', '.join(sorted(unknown))}: unknown type; known: {', '.join(self._records)}")
        for type_name, records in self._records.items():
            if type_name in data:
                records.table.clear()
                _edit(type_name, records, data[type_name])

    def _main_routes(self) -> Routes:
        routes = Routes()
        routes.add("GET /v3/login/session", lambda call: self._sessions.describe(call.session))
        routes.add("POST /v3/logout", lambda call: self._sessions.logout(call.session))
        for name, records in self._records.items():
            base = f"/v3/classifications/{name}" if name in KINDS else f"/v3/{name}"
            _add_reading(routes, base, records)
            if isinstance(records, Creatable):
                _add_writing(routes, base, records)
        for kind, classifications in self._classifications.items():
            base = f"/v3/classifications/{kind}"
            routes.add(f"PATCH {base}/bulk", classifications.patch_bulk)
            routes.add(f"PATCH {base}/{{id}}", classifications.patch)
            routes.add(f"POST {base}/bulk/archive", classifications.archive_bulk)
            routes.add(f"POST {base}/bulk/restore", classifications.restore_bulk)
            routes.add(f"POST {base}/{{id}}/restore", classifications.restore)
        routes.add("PATCH /v3/vendors/{id}", self._vendors.patch)
        routes.add("POST /v3/vendors/{id}/restore", self._vendors.restore)
        routes.add("PATCH /v3/bills/{id}", self._bills.patch)
        routes.add("PUT /v3/bills/{id}", self._bills.put)
        routes.add("POST /v3/bills/{id}/restore", self._bills.restore)
        routes.add("POST /v3/bills/record-payment", self._payments.record)
        routes.add("PATCH /v3/vendor-credits/{id}", self._credits.patch)
        routes.add("PUT /v3/vendor-credits/{id}", self._credits.put)
        routes.add("POST /v3/vendor-credits/bulk/archive", self._credits.archive_bulk)
        routes.add("POST /v3/payments", self._payments.refuse)
        routes.add("POST /v3/payments/bulk", self._payments.refuse)
        routes.add("POST /v3/payments/{id}/cancel", self._payments.cancel)
        routes.add("POST /v3/payments/{id}/void", self._payments.void)
        approvals = "/v3/bill-approvals"
        routes.add(f"POST {approvals}/actions", self._approvals.act)
        routes.add(f"GET {approvals}/pending-user-approvals", self._approvals.pending)
        routes.add(f"GET {approvals}/policies", self._approvals.list_policies)
        routes.add(f"POST {approvals}/policies", self._approvals.create_policy)
        routes.add(f"PUT {approvals}/policies/{{id}}", self._approvals.replace_policy)
        routes.add(f"DELETE {approvals}/policies/{{id}}", self._approvals.delete_policy)
        return routes

    def _event_routes(self) -> Routes:
        routes, webhooks = Routes(), self._webhooks
        routes.add("GET /v3/events/catalog", webhooks.catalog)
        routes.add("GET /v3/events/subscription/{id}", webhooks.list_events)
        routes.add("POST /v3/events/subscription/{id}/event/{eventId}", webhooks.resend)
        routes.add("GET /v3/subscriptions", webhooks.page)
        routes.add("POST /v3/subscriptions", webhooks.create)
        routes.add("GET /v3/subscriptions/{id}", webhooks.get)
        routes.add("PUT /v3/subscriptions/{id}", webhooks.put)
        routes.add("PATCH /v3/subscriptions/{id}", webhooks.patch)
        routes.add("DELETE /v3/subscriptions/{id}", webhooks.delete)
        routes.add("POST /v3/subscriptions/{id}/security_key", webhooks.new_security_key)
        routes.add("POST /v3/subscriptions/{id}/security-key", webhooks.new_security_key)
        routes.add("POST /v3/subscriptions/{id}/test", webhooks.test)
        return routes


def _edit(type_name: str, records: Records, rows: list[Row]) -> list[Row]:
    try:
        return records.edit(rows)
    except BadInput:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise BadInput(f"{type_name}: a row is not of BILL's shape ({error!r})") from None


def _add_reading(routes: Routes, base: str, records: Records) -> None:
    routes.add(f"GET {base}", records.page)
    routes.add(f"GET {base}/{{id}}", records.get)


def _add_writing(routes: Routes, base: str, records: Creatable) -> None:
    routes.add(f"POST {base}", records.create)
    routes.add(f"POST {base}/bulk", records.create_bulk)
    routes.add(f"POST {base}/{{id}}/archive", records.archive)
