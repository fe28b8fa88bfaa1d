"""The gateway, and AvidXchange behind it: each call through credentials, limits and the contract to what answers it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ml_connector.sandbox.avidxchange import contract as contracts
from ml_connector.sandbox.avidxchange.access import Access
from ml_connector.sandbox.avidxchange.books import Books, Wrong
from ml_connector.sandbox.avidxchange.contract import Call
from ml_connector.sandbox.avidxchange.desk import Desk
from ml_connector.sandbox.avidxchange.faults import KNOWN, GatewayFault, Refused, refusal, rendered
from ml_connector.sandbox.avidxchange.invoices import Invoices
from ml_connector.sandbox.avidxchange.listing import Listing
from ml_connector.sandbox.avidxchange.masters import Masters
from ml_connector.sandbox.avidxchange.options import AvidXchangeOptions
from ml_connector.sandbox.avidxchange.orders import Orders
from ml_connector.sandbox.avidxchange.payments import Payments
from ml_connector.sandbox.avidxchange.places import get
from ml_connector.sandbox.avidxchange.seeded import COST_CENTER, SYSTEM, fill
from ml_connector.sandbox.avidxchange.throttling import Throttling
from ml_connector.sandbox.avidxchange.wire import Wire
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import BadJson, Request, Response
from ml_connector.sandbox.standin import Row, StandIn

JSON = "application/json"


class AvidXchange(StandIn):
    """One customer of AvidXchange, its ERP connection, and the people who work there (see desk)."""

    name = "avidxchange"
    options: AvidXchangeOptions

    def __init__(self, seed: int, data: Mapping[str, list[Row]], clock: Clock, options: AvidXchangeOptions) -> None:
        self.options = options
        self._clock = clock
        self._contract = contracts.load(options.contract)
        self.prefixes = (self._contract.root,)
        self._access = Access(seed, self._contract, clock, options)
        self._throttling = Throttling(clock, options)
        books = self._books = Books(seed, clock, options, Wire(self._contract, options))
        self._listing = Listing(books)
        self._masters = Masters(books)
        self._orders = Orders(books)
        self._invoices = Invoices(books)
        self._payments = Payments(books, self._invoices)
        self._desk = Desk(books, self._masters, self._invoices, self._payments, self._access, self._throttling)
        self._writes: dict[str, Callable[[Row], Row]] = {
            "vendors.write": self._masters.write_vendor,
            "codes.write": self._masters.write_code,
            "orders.write": self._orders.write,
            "invoices.write": self._invoices.write,
        }
        self._lists = {
            "accounting_systems.list": books.systems,
            "vendors.list": books.vendors,
            "codes.list": books.codes,
            "dimensions.list": books.dimensions,
            "orders.list": books.orders,
            "invoices.list": books.invoices,
            "payments.list": books.payments,
            "runs.list": books.runs,
        }
        self._prepared: dict[str, Callable[[Row], Row]] = {
            "vendors.list": self._vendor,
            "invoices.list": self._invoice,
            "payments.list": self._payments.shown,
            "runs.list": lambda row: {**row, "status": self._payments.run_status(row["id"])},
        }
        fill(self._desk, books, seed, options, data)

    def settings(self, url: str) -> Row:
        return {
            "base_url": url,
            **self._access.settings(),
            "accounting_system_name": SYSTEM,
            "cost_center_group": COST_CENTER,
        }

    def secrets(self) -> Row:
        return self._access.secrets()

    # --- requests ------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        try:
            return self._answer(request)
        except GatewayFault as fault:
            return self._fault(fault)
        except Refused as refused:
            return refusal(refused, self._contract)

    def _answer(self, request: Request) -> Response:
        self._throttling.check_ordered(request)
        if self._access.is_token_request(request):
            return self._access.token(request)
        root = self._contract.root
        if not request.path.startswith(f"{root}/"):
            raise GatewayFault("404", "The requested resource is not available.")
        self._access.check(request)
        if not self.options.subscribed:
            raise GatewayFault("900908", "User is NOT authorized to access the Resource. API Subscription needed.")
        path = request.path.removeprefix(root)
        found = self._contract.find(request.method, path)
        if found is None:
            if self._contract.methods(path):
                raise GatewayFault("405", f"Method not allowed for given API resource: {request.method}")
            raise GatewayFault("900906", status=self.options.no_resource_status)
        name, call, values = found
        if name in self.options.denied:
            raise GatewayFault("900910", "User is NOT authorized to access the Resource. Scope validation failed.")
        self._throttling.count(name)
        self._access.check_company(request)
        given = self._listing.check(name, call, request)
        if request.method == "GET":
            return Response.json(self._read(name, call, request, values, given))
        if name == "batches.acknowledge":
            return self._acknowledge(call, self._body(request))
        return self._write(name, call, request)

    def _read(self, name: str, call: Call, request: Request, values: dict[str, str], given: dict[str, str]) -> Any:
        books, listing = self._books, self._listing
        match name:
            case "vendors.get":
                return listing.single(call.record, self._vendor(_found(books.vendors.get(values["id"]))))
            case "invoices.get":
                return listing.single(call.record, self._invoice(_found(books.invoices.get(values["id"]))))
            case "batches.list":
                return self._batches(call, request, values, given)
            case "batches.get":
                return self._batch(call, request, values, given)
            case "payments.history":
                _found(books.payments.get(int(values["id"])) if values["id"].isdigit() else None)
                entries = books.history.all(("payment",), int(values["id"]))
                return [books.wire.show(call.record, entry) for entry in entries]
        rows = listing.filtered(self._lists[name], given)
        return listing.page(call, request, given, rows, self._prepared.get(name, dict))

    def _batches(self, call: Call, request: Request, values: dict[str, str], given: dict[str, str]) -> Row:
        if values["system"] not in {str(row["id"]) for row in self._books.systems}:
            raise Refused(404, "NotFound", f"There is no accounting system {values['system']}.")
        hidden = self.options.acknowledged_batches == "hidden"
        batches = [row for row in self._books.batches if not (hidden and row["acknowledged"])]
        rows = self._listing.filtered(batches, given, stamp="closed")
        return self._listing.page(call, request, given, rows, self._described)

    def _batch(self, call: Call, request: Request, values: dict[str, str], given: dict[str, str]) -> Row:
        """The batch, and a page of its invoices beside it."""
        batch = _found(self._books.batches.get(values["id"]))
        invoices = self._invoices.of_batch(batch)
        head = self._books.wire.show(call.record, self._described(batch))
        return {**head, **self._listing.page(call, request, given, invoices, self._invoice, "invoice")}

    def _described(self, batch: Row) -> Row:
        steps = self._contract.calls["batches.get"].steps
        path = "/" + "/".join(batch["id"] if step.startswith("{") else step for step in steps)
        address = self._listing.link(path)
        links = [] if address is None else [{"relation": "full-details", "address": address}]
        return {**self._invoices.described(batch), "links": links}

    def _write(self, name: str, call: Call, request: Request) -> Response:
        """Each record for itself: what is wrong with one is said in its result."""
        body, writes = self._body(request), self._contract.writes
        items = get(body, writes.items) if isinstance(body, dict) else None
        if not isinstance(items, list) or set(body) != {writes.items.partition(".")[0]}:
            raise Refused(400, "BadRequest", f"Expected an object with a list as {writes.items}, and nothing else.")
        if not 1 <= len(items) <= writes.most:
            raise Refused(400, "BadRequest", f"{writes.items} must have 1 to {writes.most} records.")
        outcomes = [self._written(self._writes[name], call.record, item) for item in items]
        return Response.json(self._listing.results(call.record, outcomes))

    def _written(self, write: Callable[[Row], Row], record: str, body: Any) -> Row | Wrong:
        row, wrong = self._books.wire.read(record, body)
        if wrong:
            return Wrong(*wrong)
        try:
            stored = write(row)
        except Wrong as refused:
            return refused
        return self._invoice(stored) if record == "invoice" else stored

    def _acknowledge(self, call: Call, body: Any) -> Response:
        outcome = self._written(self._invoices.acknowledge, call.record, body)
        return Response.json(self._listing.results(call.record, [outcome]))

    def _body(self, request: Request) -> Any:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise Refused(415, "UnsupportedMediaType", f"Content-Type must be {JSON}.")
        try:
            return request.json()
        except BadJson:
            raise Refused(400, "BadRequest", "The body is no JSON.") from None

    def _vendor(self, row: Row) -> Row:
        return {**row, "code": f"{row['code']}|{row['remit']}"} if row.get("remit") else row

    def _invoice(self, row: Row) -> Row:
        """With the number of its status, the remit address in the reference to its vendor, and described codes."""
        number = self._contract.number("invoice_status", row["status"])
        vendor = self._books.vendor(row["vendor"]) or {"code": row["vendor"]}
        lines = [{**line, "codes": [self._coding(one) for one in line.get("codes") or ()]} for line in row["lines"]]
        return {**row, "status_number": number, "vendor": self._vendor(vendor)["code"], "lines": lines}

    def _coding(self, one: Row) -> Row:
        known = self._books.codes.find(("group", "code"), one["group"], one["code"])
        return one if known is None else {**one, "description": known["description"], "active": known["active"]}

    def _fault(self, fault: GatewayFault) -> Response:
        return rendered(
            fault,
            self._contract,
            fault.shape or self.options.fault_shape,
            fault.retry_after or self.options.retry_after,
            self._clock.now(),
            next_access=self.options.next_access,
        )

    def request_key(self, request: Request) -> str | None:
        return self._access.key(request)

    def is_write(self, request: Request) -> bool:
        return super().is_write(request) and not self._access.is_token_request(request)

    def throttled(self, request: Request, code: str | None) -> Response:
        """Without a time: the fault may name one. Action gateway_fault says when a limit ends, in the gateway's way."""
        return self._fault(GatewayFault(code if code in KNOWN else "900804"))

    def in_band_error(self, request: Request, text: str) -> Response:
        return Response.json(self._listing.results("vendor", [Wrong(text, code="Unknown")]))

    def expire_session(self, request: Request | None) -> None:
        self._access.expire(request)

    async def background(self) -> None:
        """AvidXchange sends nothing by itself: there are no webhooks."""

    # --- control -------------------------------------------------------------------------------------------

    def types(self) -> Sequence[str]:
        return self._desk.types()

    def state(self, type_name: str) -> list[Row]:
        return self._desk.state(type_name)

    def edit(self, type_name: str, rows: list[Row]) -> list[Row]:
        return self._desk.edit(type_name, rows)


def create(
    seed: int, data: Mapping[str, list[Row]] | None, clock: Clock, options: Mapping[str, Any] | None
) -> AvidXchange:
    """A customer whose ERP has written nothing yet; `data` replaces the rows of its types."""
    switches = AvidXchangeOptions()
    switches.change(options or {})
    return AvidXchange(seed, data or {}, clock, switches)


def _found(row: Row | None) -> Row:
    if row is None:
        raise Refused(404, "NotFound", "There is no such record.")
    return row
