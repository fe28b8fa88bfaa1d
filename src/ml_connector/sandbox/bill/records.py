"""What vendors, bills, credits, payments and classifications have in common: lists, ids, archive, bulk, edits."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ml_connector.sandbox.bill.errors import APPLICATION, Error, Refused, no_such, not_found
from ml_connector.sandbox.bill.ids import Ids
from ml_connector.sandbox.bill.listing import Listing, Rules
from ml_connector.sandbox.bill.options import BillOptions
from ml_connector.sandbox.bill.reading import Reader, body_of, merged, rows_of
from ml_connector.sandbox.bill.sessions import Session
from ml_connector.sandbox.bill.tables import Table
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.standin import BadInput, Row

KINDS = ("chart-of-accounts", "accounting-classes", "departments", "locations", "jobs", "items", "employees")
CLASSIFICATIONS = {
    "chartOfAccountId": "chart-of-accounts",
    "accountingClassId": "accounting-classes",
    "departmentId": "departments",
    "locationId": "locations",
    "jobId": "jobs",
    "itemId": "items",
    "employeeId": "employees",
    "customerId": None,
}
"""The classification fields of a line, and the kind that each one names; customers are not served here."""
STAMPS = ("createdTime", "updatedTime")


@dataclass(frozen=True)
class Call:
    """A request of a logged-in client, with the ids in its path."""

    request: Request
    session: Session
    ids: tuple[str, ...] = ()


def nobody_listens(event: str, row: Row) -> None:
    """The announcement before the webhooks are there."""


class Books:
    """The organisation's data, and what every part of the stand-in needs to change them."""

    def __init__(self, ids: Ids, clock: Clock, options: BillOptions) -> None:
        self.ids, self.clock, self.options = ids, clock, options
        self.listing = Listing(options)
        self.vendors = Table("name")
        self.bills = Table("vendorId", "invoice.invoiceNumber")
        self.credits = Table("vendorId")
        self.payments = Table("vendorId")
        self.classifications = {kind: Table("name", "parentId") for kind in KINDS}
        self.announce: Callable[[str, Row], None] = nobody_listens

    def stamp(self) -> str:
        return self.clock.now().isoformat(timespec="milliseconds")

    def vendor_name(self, identifier: str) -> str:
        """The name to show beside a vendor's id; the id itself for a vendor that was deleted from outside."""
        vendor = self.vendors.get(identifier)
        return identifier if vendor is None else str(vendor["name"])

    def vendor_currency(self, identifier: str) -> str:
        vendor = self.vendors.get(identifier)
        return "USD" if vendor is None else str(vendor.get("billCurrency", "USD"))

    def require(self, references: Iterable[tuple[Table | None, str]]) -> None:
        """Refuses (`BDC_1205`) when one of the referenced objects is unknown or archived."""
        errors = []
        for table, identifier in references:
            row = None if table is None else table.get(identifier)
            if row is None or row["archived"]:
                errors.append(no_such(identifier))
        if errors:
            raise Refused(self.options.reference_status, *errors)


class Records:
    """One kind of object: what all kinds have in common."""

    wrapper: str | None = None
    """The property under which a bulk reply comes; None is a bare array."""
    most = 100
    events: str | None = None
    """The prefix of its webhook events."""
    watched: tuple[str, ...] = ()
    """The fields whose change makes an `updated` event."""

    def __init__(self, books: Books, table: Table, rules: Rules, prefix: str) -> None:
        self.books, self.table, self.rules, self.prefix = books, table, rules, prefix

    def show(self, row: Row, *, listed: bool = False) -> Row:
        """The row as GET (or a list) gives it."""
        return row

    def reply(self, row: Row) -> Row:
        """The row as the reply of a create or change gives it."""
        return self.show(row)

    def defaults(self, row: Row) -> Row:
        """What a row that is inserted from outside must have; overridden by the row."""
        return {}

    def page(self, call: Call) -> Response:
        rows, links = self.books.listing.page(self.table, call.request, self.rules_now())
        return Response.json({"results": [self.show(row, listed=True) for row in rows], **links})

    def rules_now(self) -> Rules:
        return self.rules

    def get(self, call: Call) -> Response:
        return Response.json(self.show(self.find(call.ids[0])))

    def archive(self, call: Call) -> Response:
        row = self.find(call.ids[0])
        self.set_archived(row, archived=True)
        return Response.json(self.reply(row))

    def restore(self, call: Call) -> Response:
        row = self.find(call.ids[0])
        self.set_archived(row, archived=False)
        return Response.json(self.reply(row))

    def set_archived(self, row: Row, *, archived: bool) -> None:
        """Idempotent: what is archived already keeps its updatedTime."""
        if row["archived"] is archived:
            return
        row["archived"] = archived
        self.touch(row)
        self.announce("archived" if archived else "restored", row)

    def add(self, draft: Row) -> Row:
        now = self.books.stamp()
        row = {"id": self.books.ids.new(self.prefix), "archived": False, **draft}
        row |= {"createdTime": now, "updatedTime": now}
        self.table.put(row)
        self.announce("created", row)
        return row

    def change(self, row: Row, changed: Row) -> Row:
        """Stores the changed copy of a row with a new updatedTime."""
        self.touch(changed)
        if any(row.get(field) != changed.get(field) for field in self.watched):
            self.announce("updated", changed)
        return changed

    def touch(self, row: Row) -> None:
        row["updatedTime"] = self.books.stamp()
        self.table.put(row)

    def announce(self, what: str, row: Row) -> None:
        if self.events is not None:
            self.books.announce(f"{self.events}.{what}", row)

    def find(self, identifier: str) -> Row:
        row = self.table.get(identifier)
        if row is None:
            raise not_found(identifier)
        return row

    def find_many(self, call: Call) -> list[Row]:
        """The objects of `?ids=a,b`."""
        given = call.request.parameter("ids") or ""
        identifiers = [identifier for identifier in given.split(",") if identifier]
        if not 1 <= len(identifiers) <= self.most:
            raise Refused(400, Error(f"ids: size must be between 1 and {self.most}"))
        return [self.find(identifier) for identifier in identifiers]

    def bulk_reply(self, rows: list[Row], status: int = 200) -> Response:
        shown = [self.reply(row) for row in rows]
        return Response.json(shown if self.wrapper is None else {self.wrapper: shown}, status)

    def taken(self, reader: Reader) -> Row:
        return reader.done(self.books.options.unknown_property)

    def state(self) -> list[Row]:
        return [self.show(row) for row in self.table]

    def edit(self, rows: list[Row]) -> list[Row]:
        """The change of a person in BILL's own pages: no validation, own stamps, webhooks as for any change."""
        return [self.show(row) for row in map(self._edit_one, rows) if row is not None]

    def _edit_one(self, given: Row) -> Row | None:
        delete = given.pop("_delete", False)
        known = self.table.get(str(given.get("id")))
        if delete:
            if known is not None:
                self.forget(known)
            return None
        for name in STAMPS:
            if name in given:
                given[name] = normal_stamp(given[name])
        now = self.books.stamp()
        if known is None:
            fresh = {"id": given.get("id") or self.books.ids.new(self.prefix), "archived": False}
            row = {**fresh, "createdTime": now, "updatedTime": now, **self.defaults(given), **given}
        else:
            row = merged(known, given)
            row["updatedTime"] = given.get("updatedTime", now)
        self.place(row, known, given)
        return row

    def place(self, row: Row, known: Row | None, given: Row) -> None:
        """Stores an edited row."""
        self.table.put(row)
        self.announce_edit(row, known)

    def forget(self, row: Row) -> None:
        self.table.remove(row["id"])

    def announce_edit(self, row: Row, known: Row | None) -> None:
        if known is None:
            self.announce("created", row)
        elif known["archived"] != row["archived"]:
            self.announce("archived" if row["archived"] else "restored", row)
        elif any(known.get(field) != row.get(field) for field in self.watched):
            self.announce("updated", row)


class Creatable(Records, ABC):
    """A kind that clients create. It says how a body becomes a draft."""

    @abstractmethod
    def draft(self, body: object, batch: list[Row]) -> Row:
        """A new object's fields. Raises Refused. `batch` has the drafts before it in the same bulk."""

    def create(self, call: Call) -> Response:
        row = self.add(self.draft(body_of(call.request), []))
        return Response.json(self.reply(row), 201)

    def create_bulk(self, call: Call) -> Response:
        """All or nothing: when one fails the others get `BDC_1246`."""
        bodies = rows_of(call.request, self.most)
        drafts: list[Row] = []
        failures: dict[int, Refused] = {}
        for number, body in enumerate(bodies):
            try:
                drafts.append(self.draft(body, drafts))
            except Refused as refused:
                failures[number] = refused
        if failures:
            raise rolled_back(failures, len(bodies))
        return self.bulk_reply([self.add(draft) for draft in drafts], 201)


def rolled_back(failures: dict[int, Refused], size: int) -> Refused:
    """The refusal of a whole bulk: the errors of the bad members, and `BDC_1246` for each of the others."""
    text = "Rolled back because another member of the bulk request failed."
    errors: list[Error] = []
    for number in range(size):
        refused = failures.get(number)
        members = (Error(text, "BDC_1246", APPLICATION),) if refused is None else refused.errors
        errors += [replace(error, params={**error.params, "index": number}) for error in members]
    return Refused(next(iter(failures.values())).status, *errors)


def normal_stamp(given: object) -> str:
    """A time as BILL writes it, so that times compare as text. Raises BadInput."""
    try:
        instant = dt.datetime.fromisoformat(str(given))
    except ValueError:
        raise BadInput(f"{given!r} is no ISO instant") from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=dt.UTC)
    return instant.astimezone(dt.UTC).isoformat(timespec="milliseconds")
