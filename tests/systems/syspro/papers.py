"""Invoices and credit notes as tests write them, and what the stand-in's tables have of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceLine, LineKind, Record
from ml_connector.systems.base import Found

from .conftest import Pair

MARK = "mlc0123456789"
OTHER = "mlcZZZZZZZZZZ"
D = Decimal
R = TypeVar("R", bound=Record)

LOST = [
    {"do": "reset"},
    {"do": "commit_then_reset"},
    {"do": "status", "status": 502},
    {"do": "commit_then_status", "status": 502},
    {"do": "truncate"},
    {"do": "garble"},
    {"do": "empty"},
    {"do": "expire_session"},
    {"do": "commit_then_expire_session", "answer": "refused"},
]
"""What can happen to a write so that its sender does not know what became of it."""


def line(key: str, amount: str, account: str = "10-6100", **more: Any) -> InvoiceLine:
    return InvoiceLine(line_key=key, amount=D(amount), account=account, **more)


def tax(amount: str, code: str | None = "A") -> InvoiceLine:
    return line("t", amount, "", kind=LineKind.TAX, tax_code=code)


def invoice(*lines: InvoiceLine, **more: Any) -> Invoice:
    lines = lines or (line("1", "1200.00", description="Relays"), line("2", "300.00", "10-6200"), tax("120.00"))
    kinds = {kind: sum((each.amount for each in lines if each.kind is kind), D(0)) for kind in LineKind}
    gross = sum((each.amount for each in lines), D(0))
    given: dict[str, Any] = {
        "number": "ELC-2001",
        "supplier": "ELC001",
        "date": date(2026, 11, 10),
        "due_date": date(2026, 12, 10),
        "currency": "USD",
        "gross": gross,
        "net": gross - kinds[LineKind.TAX] - kinds[LineKind.FREIGHT] - kinds[LineKind.CHARGE],
        "tax": kinds[LineKind.TAX],
        "freight": kinds[LineKind.FREIGHT],
        "charges": kinds[LineKind.CHARGE],
    }
    return Invoice(lines=lines, **(given | more))


def credit(*lines: InvoiceLine, **more: Any) -> Invoice:
    given = {"kind": InvoiceKind.CREDIT_NOTE, "number": "ELC-C7", "corrects": "ELC001/ELC-2001"}
    return invoice(*(lines or (line("1", "75.00", description="Relays returned"),)), **(given | more))


def booked(pair: Pair, number: str = "ELC-2001", code: str = "I") -> list[tuple[str, Decimal, str]]:
    """GL code, amount and text of each row of an entry."""
    entry = pair.row("ApJnlSummary", Invoice=number, TransactionCode=code)
    place = {name: entry[name] for name in ("TrnYear", "TrnMonth", "Journal", "EntryNumber")}
    rows = pair.rows("ApJnlDistrib", **place)
    return [(row["ExpenseGlCode"], row["DistrValue"], row["Reference"]) for row in rows]


def only(found: list[Found[R]]) -> Found[R]:
    (hit,) = found
    return hit
