"""The Target of purchase orders: two lists of Basware, written in their order and decided together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ml_connector.domain.orders import PurchaseOrder
from ml_connector.systems.base import Accepted, DocumentState, Found, NotFound, Ref
from ml_connector.systems.basware import orders
from ml_connector.systems.basware.errors import NAME
from ml_connector.systems.basware.keys import LINE, ORDER, external_code
from ml_connector.systems.basware.masters import THEIRS, agrees, posted, touched_text, unchanged
from ml_connector.systems.basware.reading import one, rows
from ml_connector.systems.basware.rows import flag, instant, text, words
from ml_connector.systems.basware.session import P2P, Json
from ml_connector.systems.basware.settings import Company, Options
from ml_connector.systems.basware.statuses import NO_REQUEST, NOTHING_SENT, Handle, Statuses
from ml_connector.systems.basware.vendors import VendorCodes

HEADERS = "/v1/matchingOrders"
LINES = "/v1/matchingOrderLines"
HEADERS_KEY, LINES_KEY = "matchingOrders", "matchingOrderLines"
HEADER_ENTITY, LINE_ENTITY = "MatchingOrder", "MatchingOrderLine"

LINES_PER_REQUEST = 100
IDENTITY = ("number", "supplier", "currency")
COMPARED = ("number", "supplier", "currency", "date", "due_date", "status", "terms", "note", "lines")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order as it goes to Basware."""

    header: Json
    lines: list[Json]
    keys: tuple[str, ...]
    """Of all the order's lines, in their order; empty for one that Basware cannot hold."""


class Orders:
    """Target of PurchaseOrder; decided later. A repeated write overwrites, so it makes no second order."""

    def __init__(self, p2p: P2P, statuses: Statuses, company: Company, vendors: VendorCodes, now: str) -> None:
        self.p2p = p2p
        self.statuses = statuses
        self.company = company
        self.vendors = vendors
        self.options: Options = p2p.options
        touch = self.options.touch_fields
        self._touch_header = touched_text(touch["order"], now, 250)
        self._touch_line = touched_text(touch["order_line"], now, 250)
        self._failed: set[str] = set()
        """Orders against which, or against whose lines, an error stood when it was last looked for."""
        self._begun: dict[str, Json] = {}
        """Headers that P2P has while lines are missing, as they were last seen."""

    def find(self, record: PurchaseOrder, mark: str) -> list[Found[PurchaseOrder]]:
        """The order under its key, where P2P has it with all its lines. Raises Transient while that is not decided."""
        key = self._key(record)
        header = self._header(key)
        if header is None:
            return []
        copies = self._copies(key)
        wanted = {line["externalCode"] for line in self._wanted(record).lines}
        about = f"order {record.number}"
        failed = self.statuses.refused_before(HEADER_ENTITY, {key}, instant(header, "lastUpdated"), about)
        there = [row for row in copies if text(row, "externalCode") in wanted]
        if there:
            named = {text(row, "externalCode") for row in there}
            newest = max((stamp for row in there if (stamp := instant(row, "lastUpdated"))), default=None)
            failed |= self.statuses.refused_before(LINE_ENTITY, named, newest, f"the lines of {about}")
        if failed:
            self._failed.add(key)
            self._begun.pop(key, None)
            return []
        self._failed.discard(key)
        if len(there) < len(wanted):
            self._begun[key] = header
            return []
        return [replace(self._found(header, copies, mark), lines=self._wanted(record).keys)]

    def get(self, key: str) -> Found[PurchaseOrder] | None:
        header = self._header(key)
        return None if header is None else self._found(header, self._copies(key))

    def create(self, record: PurchaseOrder, mark: str) -> Accepted:
        """The header, then the lines; of an order whose header is there already, the lines alone. Everything that
        Basware would not take is refused before the first request."""
        key = self._key(record)
        wanted = self._wanted(record)
        begun = self._begun.pop(key, None)
        if begun is not None and agrees(wanted.header, begun):
            return self._sent(record.number, key, None, wanted.lines)
        if key in self._failed:
            copies = {text(row, "externalCode"): row for row in self._copies(key)}
            wanted = self._touched(wanted, self._header(key) or {}, copies)
        return self._sent(record.number, key, wanted.header, wanted.lines)

    def update(self, ref: Ref, record: PurchaseOrder, mark: str) -> Accepted:
        """All lines again, as Basware skips those that did not change; the header only where it did. Lines that the
        order no longer has are marked deleted."""
        header = self._header(ref.key)
        if header is None:
            raise NotFound(f"{NAME} has no order {ref.key} any more.")
        copies = {text(row, "externalCode"): row for row in self._copies(ref.key)}
        wanted = self._wanted(record)
        named = {line["externalCode"] for line in wanted.lines}
        dropped = [orders.gone(row) for key, row in copies.items() if key not in named and not flag(row, "isDeleted")]
        same_header = agrees(wanted.header, header)
        if same_header and not dropped and all(agrees(line, copies.get(line["externalCode"])) for line in wanted.lines):
            wanted, same_header = self._touched(wanted, header, copies), False
        return self._sent(record.number, ref.key, None if same_header else wanted.header, [*wanted.lines, *dropped])

    def cancel(self, ref: Ref, reason: str) -> Accepted | None:
        """Closes the order and marks its lines deleted. Done twice is done once."""
        header = self._header(ref.key)
        if header is None:
            raise NotFound(f"{NAME} has no order {ref.key} any more.")
        lines = [orders.gone(row) for row in self._copies(ref.key) if not flag(row, "isDeleted")]
        if flag(header, "isClosed") and not lines:
            return None
        body = {name: value for name, value in header.items() if name not in THEIRS and value is not None}
        return self._sent(str(header.get("orderNumber")), ref.key, {**body, "isClosed": True}, lines)

    def outcome(self, handle: str, record: PurchaseOrder, mark: str) -> Ref | None:
        """Decided when the header is, and every line: the first that P2P did not take is raised."""
        key = self._key(record)
        wanted = self._wanted(record).keys
        lines = [line_key for line_key in wanted if line_key]
        about = f"order {record.number}"
        first, *others = Handle.read(handle).requests
        decided = self.statuses.decided(first, HEADER_ENTITY, [key], about)
        if first == NO_REQUEST and not others and lines:
            others = [NO_REQUEST]
        for request_id in others:
            decided = self.statuses.decided(request_id, LINE_ENTITY, lines, about, whole=True) and decided
        return Ref(key, wanted) if decided else None

    def identity_differences(self, sent: PurchaseOrder, found: PurchaseOrder) -> list[str]:
        return [name for name in self.differences(sent, found) if name in IDENTITY]

    def differences(self, sent: PurchaseOrder, found: PurchaseOrder) -> list[str]:
        """Names of the fields that Basware would hold otherwise had it what is sent."""
        wanted = self._wanted(sent)
        there = orders.from_order(wanted.header, wanted.lines, self.company)
        return [name for name in COMPARED if getattr(there, name) != getattr(found, name)]

    # --- steps ---

    def _sent(self, number: str, key: str, header: Json | None, lines: Sequence[Json]) -> Accepted:
        about = f"order {number}"
        ids = [posted(self.p2p, HEADERS, [header], about).request_id if header else NOTHING_SENT]
        for start in range(0, len(lines), LINES_PER_REQUEST):
            group = lines[start : start + LINES_PER_REQUEST]
            ids.append(posted(self.p2p, LINES, group, f"the lines of {about}").request_id)
        return Handle(tuple(ids), key).accepted()

    def _wanted(self, record: PurchaseOrder) -> Wanted:
        key = self._key(record)
        header = orders.to_header(record, key, self.vendors.of(record.supplier), self.options, self.company)
        keyed = [(line, external_code(self.company.code, LINE, record.number, line.line_key)) for line in record.lines]
        bodies = [orders.to_line(record, line, (key, line_key), self.options) for line, line_key in keyed]
        keys = tuple(body["externalCode"] if body is not None else "" for body in bodies)
        return Wanted(header, [body for body in bodies if body is not None], keys)

    def _touched(self, wanted: Wanted, header: Json, copies: dict[str, Json]) -> Wanted:
        """The same with a change that says nothing: Basware would skip what it has seen before."""
        lines = [self._touch_line(line, copies.get(line["externalCode"])) for line in wanted.lines]
        same = {
            key
            for touched, line in zip(lines, wanted.lines, strict=True)
            if touched is None and agrees(line, copies.get(key := line["externalCode"]))
        }
        if same and self.statuses.failed(LINE_ENTITY, same):
            raise unchanged(f"order {wanted.header['orderNumber']}")
        return Wanted(
            self._touch_header(wanted.header, header) or wanted.header,
            [touched or line for touched, line in zip(lines, wanted.lines, strict=True)],
            wanted.keys,
        )

    def _key(self, record: PurchaseOrder) -> str:
        return external_code(self.company.code, ORDER, record.number)

    def _header(self, key: str) -> Json | None:
        return one(self.p2p, HEADERS, key, about=f"order {key}", key=HEADERS_KEY)

    def _copies(self, key: str) -> list[Json]:
        params = {"orderExternalCode": key}
        return list(rows(self.p2p, LINES, LINES_KEY, params, most=LINES_PER_REQUEST, about=f"the lines of order {key}"))

    def _found(self, header: Json, lines: Sequence[Json], mark: str | None = None) -> Found[PurchaseOrder]:
        record = orders.from_order(header, lines, self.company)
        closed = flag(header, "isClosed") is True and not record.lines
        return Found(
            text(header, "externalCode"),
            record,
            mark,
            DocumentState.ARCHIVED if closed else DocumentState.OPEN,
            updated=words(header, "lastUpdated"),
            lines=tuple(line.line_key for line in record.lines),
        )
