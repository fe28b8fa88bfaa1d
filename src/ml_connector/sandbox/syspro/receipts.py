"""Goods received notes, and matching a supplier's invoice to them.

GrnMatchType O takes what is outstanding, U all of it at another value, P a part by quantity, value or both. A note is
named by its parts: supplier (the invoice's when blank), number, and where they are given source, journal and entry.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ml_connector.sandbox.syspro.books import CENT, Books
from ml_connector.sandbox.syspro.conditions import And, Compare
from ml_connector.sandbox.syspro.item import MISSING, NOT_ALLOWED, NOT_FOUND, Item
from ml_connector.sandbox.syspro.schema import TABLES
from ml_connector.sandbox.syspro.vouchers import Coding, Journal

MATCHED_ALREADY = 130201


@dataclass(frozen=True, slots=True)
class Match:
    """How much of a note an invoice takes; value in the currency of the invoice's lines."""

    note: dict[str, Any]
    value: Decimal
    quantity: Decimal
    local: Decimal
    """What of the note's own value it takes, in the company's currency."""
    closes: bool

    @property
    def coding(self) -> Coding:
        return Coding(self.note["DebitRecGlCode"], self.value, f"GRN {self.note['Grn']}")


def to_match(item: Item, supplier: dict[str, Any], books: Books, *, in_local: bool) -> list[Match]:
    """What the item's GrnDetails ask for; what cannot be done is said to the item."""
    found = []
    for part in item.parts("GrnDetails"):
        notes = _named(part, supplier["Supplier"], books)
        if len(notes) != 1:
            text = "not found" if not notes else "is not named by these parts alone"
            part.wrong("GrnDetails/GrnGrn", NOT_FOUND, f"GRN '{part.plain('GrnGrn')}' {text}", part.plain("GrnGrn"))
        elif notes[0]["GrnMatchedFlag"] == "Y":
            text = f"GRN '{notes[0]['Grn']}' is matched already"
            part.wrong("GrnDetails/GrnGrn", MATCHED_ALREADY, text, notes[0]["Grn"])
        else:
            match = _match(part, notes[0], in_local=in_local)
            if match is not None:
                found.append(match)
    return found


def match(matches: Sequence[Match], invoice: str, books: Books, journal: Journal) -> None:
    """Books the matches of an invoice that was posted."""
    for one in matches:
        note = one.note
        key = {name: note[name] for name in TABLES["GrnDetails"].key}
        matched = note["MatchedValue"] + one.local
        closed = one.closes or matched >= note["CurGrnValue"]
        books.tables["GrnDetails"].put(
            {
                **key,
                "MatchedValue": matched,
                "GrnMatchedFlag": "Y" if closed else "N",
                "GrnMatchedYear": journal.year if closed else 0,
                "GrnMatchedMonth": journal.month if closed else 0,
            }
        )
        books.tables["GrnMatching"].put(
            {**key, "Invoice": invoice, "MatchedValue": one.value, "MatchedQty": one.quantity}
        )


def _named(part: Item, supplier: str, books: Books) -> list[dict[str, Any]]:
    table = books.tables["GrnDetails"]
    wanted = [
        Compare("Supplier", "eq", part.plain("GrnSupplier") or supplier),
        Compare("Grn", "eq", part.plain("GrnGrn")),
    ]
    if part.plain("GrnFlag"):
        wanted.append(Compare("GrnSource", "eq", part.plain("GrnFlag")))
    for path, column in (("GrnJournal", "Journal"), ("GrnEntry", "JournalEntry")):
        number = part.number(path, f"GrnDetails.{column}", f"GrnDetails/{path}")
        if number:
            wanted.append(Compare(column, "eq", int(number)))
    names = TABLES["GrnDetails"].index
    return [dict(zip(names, row, strict=True)) for row in table.select(And(tuple(wanted)))]


def _match(part: Item, note: dict[str, Any], *, in_local: bool) -> Match | None:
    outstanding, all_of_it = _outstanding(note, in_local=in_local), _outstanding(note, in_local=True)
    where = "GrnDetails/"
    match part.plain("GrnMatchType").upper() or "O":
        case "O":
            return Match(note, outstanding, note["QtyReceived"], all_of_it, closes=True)
        case "U":
            value = part.number("GrnMatchValue", "GrnDetails.CurGrnValue", f"{where}GrnMatchValue")
            if value is None:
                part.wrong(f"{where}GrnMatchValue", MISSING, "GrnMatchValue is needed", "")
                return None
            return Match(note, value, note["QtyReceived"], all_of_it, closes=True)
        case "P":
            quantity = part.number(
                "GrnPartialMatchQuantity", "GrnDetails.QtyReceived", f"{where}GrnPartialMatchQuantity"
            )
            value = part.number("GrnPartialMatchValue", "GrnDetails.CurGrnValue", f"{where}GrnPartialMatchValue")
            received = note["QtyReceived"]
            if value is None and quantity is not None and received:
                worth = note["CurGrnValue"] if in_local else note["CurrencyValue"]
                value = (worth * quantity / received).quantize(CENT)
            if value is None or not 0 < value <= outstanding or (quantity or 0) > received:
                text = f"A partial match takes more than nothing and at most {outstanding} of {received}"
                part.wrong(f"{where}GrnPartialMatchValue", NOT_ALLOWED, text, str(value or ""))
                return None
            local = (all_of_it * value / outstanding).quantize(CENT)
            return Match(note, value, quantity or Decimal(0), local, closes=value == outstanding)
        case other:
            part.wrong(f"{where}GrnMatchType", NOT_ALLOWED, f"GrnMatchType '{other}' is not one of O, U, P", other)
            return None


def _outstanding(note: dict[str, Any], *, in_local: bool) -> Decimal:
    """What of a note's value is not matched yet, in local currency or the order's."""
    left: Decimal = note["CurGrnValue"] - note["MatchedValue"]
    if in_local or not note["CurGrnValue"]:
        return left
    return Decimal(left * note["CurrencyValue"] / note["CurGrnValue"]).quantize(CENT)


def note_values(day: dt.datetime, year: int, month: int, value: Decimal) -> dict[str, Any]:
    """The columns of a new note that follow from its day, period and value."""
    return {
        "OrigReceiptDate": day,
        "GrnYear": year,
        "GrnMonth": month,
        "OrigGrnValue": value,
        "CurGrnValue": value,
        "StdGrnValue": value,
        "OrigPurchValue": value,
        "GrnMatchedFlag": "N",
    }
