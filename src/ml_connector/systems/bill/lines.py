"""Lines of a bill or a vendor credit, and which line of BILL is which of ours.

BILL has no tax fields: tax and freight are lines of their own. PATCH changes lines by their id and can neither add
nor drop one; PUT keeps a line sent with its id, adds one sent without, and removes what is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ml_connector.domain.money import NotAnAmount, quantise
from ml_connector.domain.records import Invoice, InvoiceLine
from ml_connector.systems.base import Refused
from ml_connector.systems.bill.lists import amount, number, part, text, words
from ml_connector.systems.bill.session import Json
from ml_connector.systems.bill.wording import line_text

AMOUNT_DIGITS = 2
"""Most fraction digits of an amount in BILL."""


def to_line(line: InvoiceLine, position: int, currency: str, axis_field: str, about: str) -> Json:
    """Raises Refused for an amount that BILL cannot hold exactly."""
    classifications = {"chartOfAccountId": line.account}
    if line.cost_center:
        classifications[axis_field] = line.cost_center
    return {
        "amount": exact(line.amount, currency, about),
        "description": line_text(line, position),
        "classifications": classifications,
    }


def from_line(row: Json, currency: str, axis_field: str) -> InvoiceLine:
    value = number(row, "amount")
    if value is None:
        value = (number(row, "quantity") or Decimal(0)) * (number(row, "price") or Decimal(0))
    return InvoiceLine(
        line_key=text(row, "id"),
        description=words(row, "description"),
        amount=amount(value, currency),
        account=words(row, "classifications.chartOfAccountId") or "",
        cost_center=words(row, f"classifications.{axis_field}"),
    )


def exact(value: Decimal, currency: str, about: str) -> Decimal:
    """The amount as BILL holds it. Raises Refused rather than round (R31)."""
    try:
        sent = quantise(value, currency)
    except NotAnAmount:
        sent = value
    digits = sent.normalize().as_tuple().exponent
    if isinstance(digits, int) and -digits <= AMOUNT_DIGITS:
        return sent
    raise Refused(
        "amount_too_precise",
        f"{about.capitalize()} has the amount {value} {currency}; BILL holds two fraction digits at most.",
        "amount",
    )


def line_differences(sent: Sequence[InvoiceLine], found: Sequence[InvoiceLine]) -> list[str]:
    """`lines` where the number differs, else `lines[2].amount` and the like, counted from 1."""
    if len(sent) != len(found):
        return ["lines"]
    return [
        f"lines[{position}].{name}"
        for position, (ours, theirs) in enumerate(zip(sent, found, strict=True), start=1)
        for name in _differing(ours, theirs, position)
    ]


def corresponding(invoice: Invoice, known: Sequence[str], rows: Sequence[Json], axis_field: str) -> list[str | None]:
    """BILL's line id for each of our lines, None for a line that BILL does not have.

    `known` are the ids linked so far, in the order of our lines; where they do not fit, equal contents decide:
    everything equal first, then account and amount.
    """
    current = {text(row, "id"): from_line(row, invoice.currency, axis_field) for row in rows}
    if len(known) == len(invoice.lines):
        return [key if key in current else None for key in known]
    ids: list[str | None] = [None] * len(invoice.lines)
    left = dict(current)
    for names in ((), ("cost_center", "description"), ("amount", "description", "cost_center")):
        for index, line in enumerate(invoice.lines):
            if ids[index] is None:
                same = (key for key, row in left.items() if not set(_differing(line, row, index + 1)) - set(names))
                ids[index] = next(same, None)
                left.pop(ids[index] or "", None)
    return ids


def reply_ids(invoice: Invoice, rows: object, axis_field: str) -> tuple[str, ...]:
    """The ids that BILL gave to the lines just sent, in their order; none where the reply does not tell."""
    if not isinstance(rows, list) or len(rows) != len(invoice.lines):
        return ()
    if not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
        return ()
    amounts = [number(row, "amount") for row in rows]
    if all(theirs is None or theirs == line.amount for theirs, line in zip(amounts, invoice.lines, strict=True)):
        return tuple(row["id"] for row in rows)
    ids = corresponding(invoice, (), rows, axis_field)
    return tuple(key for key in ids if key) if all(ids) else ()


def line_changes(invoice: Invoice, ids: Sequence[str | None], rows: Sequence[Json], axis_field: str) -> list[Json]:
    """For a PATCH: the lines that differ, by id, with everything on them that is not ours kept."""
    current = {text(row, "id"): row for row in rows}
    changed = []
    for position, (line, key) in enumerate(zip(invoice.lines, ids, strict=True), start=1):
        row = current[key or ""]
        if _differing(line, from_line(row, invoice.currency, axis_field), position):
            changed.append(_merged(to_line(line, position, invoice.currency, axis_field, "the line"), row))
    return changed


def all_lines(invoice: Invoice, ids: Sequence[str | None], rows: Sequence[Json], axis_field: str) -> list[Json]:
    """For a PUT: every line, the known ones with their id."""
    current = {text(row, "id"): row for row in rows}
    return [
        _merged(to_line(line, position, invoice.currency, axis_field, "the line"), current.get(key or ""))
        for position, (line, key) in enumerate(zip(invoice.lines, ids, strict=True), start=1)
    ]


def _merged(line: Json, row: Json | None) -> Json:
    """Our line over BILL's: job, item, employee and the like stay as people set them."""
    if row is None:
        return line
    kept = part(row, "classifications")
    classifications = {**(kept if isinstance(kept, dict) else {}), **line["classifications"]}
    return {**line, "id": text(row, "id"), "classifications": classifications}


def _differing(ours: InvoiceLine, theirs: InvoiceLine, position: int) -> list[str]:
    pairs = {
        "account": (ours.account, theirs.account),
        "amount": (ours.amount, theirs.amount),
        "cost_center": (ours.cost_center, theirs.cost_center),
        "description": (line_text(ours, position).split(), (theirs.description or "").split()),
    }
    return [name for name, (left, right) in pairs.items() if left != right]
