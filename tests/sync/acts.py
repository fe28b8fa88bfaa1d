"""What people do in the two systems, and what a test looks at."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from ml_connector.sync.models import Problem, Record
from tests.sync.pair import Pair


def post(pair: Pair, number: str, amount: str = "100.00", account: str = "10-6100", **more: Any) -> None:
    """A clerk enters an invoice in SYSPRO."""
    line = {"account": account, "amount": Decimal(amount)}
    pair.syspro.edit(
        "actions", {"do": "post_invoice", "supplier": "ELC001", "invoice": number, "lines": [line], **more}
    )


def correct(pair: Pair, do: str, number: str, amount: str, account: str = "10-6100", supplier: str = "ELC001") -> None:
    """A clerk books a credit, a debit or an adjustment on an invoice in SYSPRO."""
    line = {"account": account, "amount": Decimal(amount)}
    pair.syspro.edit("actions", {"do": do, "supplier": supplier, "invoice": number, "lines": [line]})


def change(pair: Pair, number: str, **columns: Any) -> None:
    """Changes an invoice's header in SYSPRO, without any stamp."""
    row = header(pair, number)
    pair.syspro.edit("ApInvoice", {"Supplier": row["Supplier"], "Invoice": row["Invoice"], **columns})


def supplier(pair: Pair, code: str, **columns: Any) -> None:
    """Changes a supplier in SYSPRO."""
    pair.syspro.edit("actions", {"do": "change_supplier", "supplier": code, "columns": columns})


def header(pair: Pair, number: str) -> dict[str, Any]:
    return next(row for row in pair.syspro.state("ApInvoice") if row["Invoice"] == number)


def remove(pair: Pair, table: str, row: dict[str, Any]) -> None:
    pair.syspro.edit(table, {**row, "_delete": True})


def vendor(pair: Pair, code: str) -> dict[str, Any]:
    return next(row for row in pair.bill.state("vendors") if row.get("shortName") == code)


def account(pair: Pair, number: str) -> dict[str, Any]:
    return next(row for row in pair.bill.state("chart-of-accounts") if row["account"].get("number") == number)


def typed_by_hand(pair: Pair, number: str, amount: str, supplier: str = "ELC001", **more: Any) -> dict[str, Any]:
    """Somebody enters a bill in BILL; gives it as stored."""
    values: dict[str, Any] = {
        "vendorId": vendor(pair, supplier)["id"],
        "dueDate": "2026-12-16",
        "invoice": {"invoiceNumber": number, "invoiceDate": "2026-11-16"},
        "billLineItems": [
            {"amount": Decimal(amount), "classifications": {"chartOfAccountId": account(pair, "10-6100")["id"]}}
        ],
        **more,
    }
    return pair.bill.edit("bills", values)[0]


def problem(pair: Pair, cause: str) -> Problem:
    """The one open Problem of a cause."""
    return Problem.objects.of(pair.workspace).get(cause=cause, state="open")


def causes(pair: Pair) -> Counter[str]:
    """How many Problems of each cause are open."""
    return Counter(Problem.objects.of(pair.workspace).filter(state="open").values_list("cause", flat=True))


def requests(pair: Pair, method: str, path: str) -> int:
    """How many requests of a method and path BILL got."""
    return sum(1 for row in pair.bill.requests() if row["method"] == method and row["path"].endswith(path))


def logons(pair: Pair) -> int:
    """How often somebody signed in to SYSPRO's e.net."""
    return sum(1 for row in pair.syspro.requests() if row["path"].endswith("/Logon"))


def held_for(record: Record) -> list[Problem]:
    """The open Problems that block a Record."""
    return list(Problem.objects.of(record.workspace_id).filter(holds__record=record, blocks=True, state="open"))
