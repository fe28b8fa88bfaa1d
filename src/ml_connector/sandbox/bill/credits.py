"""Vendor credits.

BILL: the API applies a credit to a bill only when the bill is created, or with a payment; PATCH changes lines
by id, PUT replaces them; there is an archive and no documented restore.
"""

from collections.abc import Iterator
from decimal import Decimal

from ml_connector.sandbox.bill.errors import Refused, invalid
from ml_connector.sandbox.bill.ids import CREDIT, CREDIT_LINE
from ml_connector.sandbox.bill.ledger import Ledger
from ml_connector.sandbox.bill.lines import (
    LONGEST_TEXT,
    new_lines,
    patched_lines,
    read_lines,
    references,
    replaced_lines,
    total,
)
from ml_connector.sandbox.bill.listing import AMONG, ANY_OF, RANGE, Rules, date, flag, text, time
from ml_connector.sandbox.bill.reading import Reader, body_of, merged, without_null
from ml_connector.sandbox.bill.records import Books, Call, Creatable
from ml_connector.sandbox.bill.tables import Table
from ml_connector.sandbox.http import Response
from ml_connector.sandbox.standin import BadInput, Row

LINES = "vendorCreditLineItems"
WRITABLE = frozenset(
    {
        "vendorId",
        "referenceNumber",
        "creditDate",
        "description",
        "applyToChartOfAccountId",
        "applyToBankAccountId",
        LINES,
    }
)
RULES = Rules(
    filters={
        "id": text(*AMONG),
        "archived": flag(),
        "vendorId": text("eq", "in"),
        "creditDate": date(*RANGE),
        "status": text(*ANY_OF),
        "createdTime": time(),
        "updatedTime": time(),
    },
    sorts=("archived", "referenceNumber", "creditDate", "amount", "createdTime", "updatedTime"),
)


class VendorCredits(Creatable):
    wrapper = "vendorCredits"

    def __init__(self, books: Books, ledger: Ledger) -> None:
        super().__init__(books, books.credits, RULES, CREDIT)
        self._ledger = ledger

    def draft(self, body: object, batch: list[Row]) -> Row:
        row = without_null(self._read(body, partial=False))
        row[LINES] = new_lines(row[LINES], self.books.ids, CREDIT_LINE, LINES)
        row["amount"] = _total(row)
        self.books.require(self._references(row, row[LINES]))
        return {"status": "NOT_APPLIED", **row}

    def patch(self, call: Call) -> Response:
        row = self.find(call.ids[0])
        return Response.json(self.reply(self.change(row, self._patched(row, body_of(call.request)))))

    def put(self, call: Call) -> Response:
        row = self.find(call.ids[0])
        given = without_null(self._read(body_of(call.request), partial=False))
        lines = replaced_lines(row[LINES], given.pop(LINES), self.books.ids, CREDIT_LINE, LINES)
        self.books.require(self._references(given, lines))
        kept = {name: value for name, value in row.items() if name not in WRITABLE}
        return Response.json(self.reply(self.change(row, self._settled({**kept, **given, LINES: lines}))))

    def archive_bulk(self, call: Call) -> Response:
        rows = self.find_many(call)
        for row in rows:
            self.set_archived(row, archived=True)
        return self.bulk_reply(rows)

    def place(self, row: Row, known: Row | None, given: Row) -> None:
        if "vendorId" not in row:
            raise BadInput("vendor-credits: vendorId is missing")
        lines = row.setdefault(LINES, [{"amount": row.get("amount", Decimal("0.00"))}])
        for line in lines:
            line.setdefault("id", self.books.ids.new(CREDIT_LINE))
        if LINES in given or "amount" not in row:
            row["amount"] = given.get("amount", total(lines))
        if "status" not in given:
            self._ledger.settle_credit(row)
        super().place(row, known, given)

    def _patched(self, row: Row, body: object) -> Row:
        taken = self._read(body, partial=True)
        given = taken.pop(LINES, None)
        changed = merged(row, taken)
        if given is not None:
            changed[LINES] = patched_lines(row[LINES], given, LINES)
        self.books.require(self._references(taken, given or ()))
        return self._settled(changed)

    def _settled(self, row: Row) -> Row:
        row["amount"] = _total(row)
        if self._ledger.unused(row) < 0:
            raise Refused(422, invalid(f"amount: more of {row['id']} has been applied already."))
        self._ledger.settle_credit(row)
        return row

    def _read(self, body: object, *, partial: bool) -> Row:
        reader = Reader(body, partial=partial)
        reader.text("vendorId", required=True)
        reader.text("referenceNumber", required=True)
        reader.date("creditDate", required=True)
        reader.text("description", longest=LONGEST_TEXT)
        reader.text("applyToChartOfAccountId")
        reader.text("applyToBankAccountId")
        read_lines(reader, LINES, quantities=False)
        return self.taken(reader)

    def _references(self, row: Row, lines: "list[Row] | tuple[()]") -> Iterator[tuple[Table | None, str]]:
        if row.get("vendorId") is not None:
            yield self.books.vendors, row["vendorId"]
        if row.get("applyToChartOfAccountId") is not None:
            yield self.books.classifications["chart-of-accounts"], row["applyToChartOfAccountId"]
        for line in lines:
            yield from references(self.books, line)


def _total(row: Row) -> Decimal:
    """A credit is entered with positive amounts."""
    amount = total(row[LINES])
    if amount <= 0:
        raise Refused(400, invalid("amount: must be greater than 0."))
    return amount
