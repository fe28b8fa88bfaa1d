"""The lines of bills and vendor credits: amounts, classifications, and which line is which on a change."""

from collections.abc import Iterator
from decimal import Decimal

from ml_connector.sandbox.bill.errors import Error, Refused, invalid, no_such
from ml_connector.sandbox.bill.ids import Ids
from ml_connector.sandbox.bill.reading import Reader, cents, merged, without_null
from ml_connector.sandbox.bill.records import CLASSIFICATIONS, Books
from ml_connector.sandbox.bill.tables import Table
from ml_connector.sandbox.standin import Row

LONGEST_TEXT = 4000


def read_lines(reader: Reader, name: str, *, quantities: bool) -> None:
    """The array of lines of a create or change."""
    for line in reader.rows(name, required=True) or ():
        line.text("id")
        line.text("description", longest=LONGEST_TEXT)
        read_classifications(line, CLASSIFICATIONS)
        line.number("amount")
        if quantities:
            line.number("quantity", places=6)
            line.number("price", places=6)


def read_classifications(reader: Reader, names: "dict[str, str | None]") -> None:
    inner = reader.inner("classifications")
    if inner is not None:
        for name in names:
            inner.text(name)


def references(books: Books, row: Row) -> Iterator[tuple[Table | None, str]]:
    """The classifications that a header or line names, to be required."""
    for name, identifier in (row.get("classifications") or {}).items():
        kind = CLASSIFICATIONS[name]
        if identifier is not None:
            yield (None if kind is None else books.classifications[kind]), identifier


def new_lines(given: list[Row], ids: Ids, prefix: str, where: str) -> list[Row]:
    """Lines of a create, each with a new id and its amount."""
    return [
        _with_amount({"id": ids.new(prefix), **without_null(_no_id(row))}, f"{where}[{n}]")
        for n, row in enumerate(given)
    ]


def patched_lines(known: list[Row], given: list[Row], where: str) -> list[Row]:
    """PATCH changes lines by their id; it can neither add nor drop lines."""
    changes = {}
    for number, row in enumerate(given):
        if row.get("id") is None:
            raise Refused(400, invalid(f"{where}[{number}].id: must not be null, lines cannot be added by PATCH"))
        changes[row["id"]] = row
    _check_known(known, changes)
    return [_changed(line, changes[line["id"]], where) if line["id"] in changes else line for line in known]


def replaced_lines(known: list[Row], given: list[Row], ids: Ids, prefix: str, where: str) -> list[Row]:
    """PUT: a line with its id is kept, one without gets a new id, one left out is removed."""
    _check_known(known, [row["id"] for row in given if row.get("id") is not None])
    return [
        _with_amount({"id": row.get("id") or ids.new(prefix), **without_null(_no_id(row))}, f"{where}[{number}]")
        for number, row in enumerate(given)
    ]


def total(lines: list[Row]) -> Decimal:
    return sum((cents(line["amount"]) for line in lines), Decimal("0.00"))


def _check_known(known: list[Row], wanted: "dict[str, Row] | list[str]") -> None:
    unknown = set(wanted) - {line["id"] for line in known}
    if unknown:
        raise Refused(404, *(no_such(identifier) for identifier in sorted(unknown)))


def _changed(line: Row, change: Row, where: str) -> Row:
    """A new quantity or price without an amount makes BILL multiply again."""
    row = merged(line, change)
    if "amount" not in change and ("quantity" in change or "price" in change):
        row.pop("amount", None)
    return _with_amount(row, where)


def _with_amount(line: Row, where: str) -> Row:
    """Amount as given; else quantity times price."""
    if line.get("amount") is None:
        if line.get("quantity") is None or line.get("price") is None:
            raise Refused(400, Error(f"{where}.amount: must not be null"))
        line["amount"] = cents(line["quantity"] * line["price"])
    return line


def _no_id(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "id"}
