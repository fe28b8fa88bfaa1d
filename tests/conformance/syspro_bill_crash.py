"""What the crash harness is told of SYSPRO -> BILL."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import ml_connector.sandbox
from ml_connector.conformance.crash import Ground, running_from
from ml_connector.conformance.crash.ground import Identity
from ml_connector.integrations.base import Side
from ml_connector.workspaces.models import Workspace
from tests.conformance.syspro_bill import SYSPRO_BILL as DECLARATION
from tests.sync.pair import DATA, MONDAY, Pair

SUPPLIERS = 45
"""More than two batches of vendors."""
INVOICES = 130
"""More than one batch of bills."""
LATENCY = 0.02
"""Seconds that BILL takes to answer, in which a process can die."""
ACCOUNTS = ("10-6100", "10-6300")
Row = dict[str, Any]
DOCUMENTS = ("ApInvoice", "ApInvoicePay", "ApJnlSummary", "ApJnlDistrib", "ApPayRunHdr", "ApPayRunDet")


@contextmanager
def opened(workspace: Workspace, rng: random.Random) -> Iterator[Pair]:
    """Suppliers and invoices that wait to be delivered for the first time."""
    load = {
        name: json.loads((DATA / f"base_set.{name}.json").read_text(), parse_float=Decimal)
        for name in ("syspro", "bill")
    }
    load["bill"]["vendors"] = []
    syspro_data = load["syspro"] | {table: [] for table in DOCUMENTS}
    for table in ("ApSupplier", "ApSupplierAddr"):
        (model,) = [row for row in syspro_data[table] if row["Supplier"] == "ELC001"]
        syspro_data[table] = [_supplier(model, f"CRS{number:03}") for number in range(SUPPLIERS)]
    with (
        ml_connector.sandbox.start("syspro", seed=1, data=syspro_data) as syspro,
        ml_connector.sandbox.start("bill", seed=1, data=load["bill"], options={"latency": LATENCY}) as bill,
        running_from(MONDAY, {Side.ERP: syspro, Side.PLATFORM: bill}),
    ):
        pair = Pair(syspro, bill, workspace)
        pair.integration.policies = {"settle_wait": 1, "auto_map_exact": True}
        pair.integration.save()
        for _ in range(INVOICES):
            enter(pair, rng)
        yield pair


def _supplier(model: Mapping[str, Any], code: str) -> Row:
    named = {"SupplierName": f"Supplier {code}", "WithTaxId": ""} if "SupplierName" in model else {}
    return {**model, "Supplier": code, **named}


# --- what people do in SYSPRO


def enter(pair: Pair, rng: random.Random) -> None:
    number = f"INV-{len(pair.syspro.state('ApInvoice')) + 1:05}"
    lines = [{"account": rng.choice(ACCOUNTS), "amount": _cents(rng)} for _ in range(rng.randint(1, 3))]
    supplier = f"CRS{rng.randrange(SUPPLIERS):03}"
    pair.syspro.edit("actions", {"do": "post_invoice", "supplier": supplier, "invoice": number, "lines": lines})


def credit(pair: Pair, rng: random.Random) -> None:
    """Less than what is open, so that the invoice stays in force."""
    row = _one_in_force(pair, rng)
    if row is not None:
        line = {"account": rng.choice(ACCOUNTS), "amount": Decimal(rng.randint(1, int(row["MthInvBal1"] * 50))) / 100}
        named = {"supplier": row["Supplier"], "invoice": row["Invoice"]}
        pair.syspro.edit("actions", {"do": "credit", **named, "lines": [line]})


def amend(pair: Pair, rng: random.Random) -> None:
    """The due date, the account of a line, or the supplier's telephone."""
    what = rng.choice(("due date", "account", "telephone"))
    if what == "telephone":
        code = f"CRS{rng.randrange(SUPPLIERS):03}"
        phone = f"312-555-{rng.randrange(10_000):04}"
        pair.syspro.edit("actions", {"do": "change_supplier", "supplier": code, "columns": {"Telephone": phone}})
        return
    row = _one_in_force(pair, rng)
    if row is not None and what == "due date":
        day = f"2026-12-{rng.randint(1, 28):02}"
        pair.syspro.edit("ApInvoice", {"Supplier": row["Supplier"], "Invoice": row["Invoice"], "DueDate": day})
    elif row is not None:
        line = _lines(pair, row)[0]
        (other,) = {*ACCOUNTS} - {line["ExpenseGlCode"]}
        pair.syspro.edit("ApJnlDistrib", {**line, "ExpenseGlCode": other})


def void(pair: Pair, rng: random.Random) -> None:
    row = _one_in_force(pair, rng, untouched=True)
    if row is not None:
        named = {"supplier": row["Supplier"], "invoice": row["Invoice"]}
        pair.syspro.edit("actions", {"do": "reverse", **named})


def _one_in_force(pair: Pair, rng: random.Random, *, untouched: bool = False) -> Row | None:
    rows = [row for row in pair.syspro.state("ApInvoice") if row["MthInvBal1"] != 0]
    if untouched:
        rows = [row for row in rows if row["MthInvBal1"] == row["OrigInvValue"]]
    return rng.choice(rows) if rows else None


def _cents(rng: random.Random) -> Decimal:
    return Decimal(rng.randint(100, 500_000)) / 100


# --- both sides' own books


def owed(pair: Pair) -> dict[Identity, str | None]:
    booked: dict[tuple[Any, Any], list[Row]] = {}
    for line in pair.syspro.state("ApJnlDistrib"):
        booked.setdefault((line["Journal"], line["EntryNumber"]), []).append(line)
    due: dict[Identity, str | None] = {("supplier", row["Supplier"]): row["Telephone"] for row in _suppliers(pair)}
    for row in pair.syspro.state("ApInvoice"):
        lines = [(line["ExpenseGlCode"], line["DistrValue"]) for line in booked[row["Journal"], row["EntryNumber"]]]
        reversed_ = row["TotalAdjustments"] == -row["OrigInvValue"]
        due["invoice", row["Supplier"], row["Invoice"]] = None if reversed_ else _version(row["DueDate"], lines)
    for row in pair.syspro.state("ApInvoicePay"):
        if row["TrnType"] == "C":
            number = f"{row['Invoice']}-C{row['Journal']}{row['SummaryEntryNumber']:03}"
            due["credit note", row["Supplier"], number] = f"{row['TrnValue']:.2f}"
    return due


def there(pair: Pair) -> Sequence[tuple[Identity, str | None]]:
    vendors = pair.bill.state("vendors")
    codes = {row["id"]: row["shortName"] for row in vendors}
    numbers = {row["id"]: row["account"]["number"] for row in pair.bill.state("chart-of-accounts")}
    found: list[tuple[Identity, str | None]] = [(("supplier", row["shortName"]), row["phone"]) for row in vendors]
    for bill in pair.bills():
        lines = [
            (numbers[line["classifications"]["chartOfAccountId"]], line["amount"]) for line in bill["billLineItems"]
        ]
        identity = ("invoice", codes[bill["vendorId"]], bill["invoice"]["invoiceNumber"])
        found.append((identity, None if bill["archived"] else _version(bill["dueDate"], lines)))
    for row in pair.bill.state("vendor-credits"):
        identity = ("credit note", codes[row["vendorId"]], row["referenceNumber"])
        found.append((identity, None if row["archived"] else f"{row['amount']:.2f}"))
    return found


def _suppliers(pair: Pair) -> list[Row]:
    return pair.syspro.state("ApSupplier")


def _lines(pair: Pair, invoice: Row) -> list[Row]:
    place = (invoice["Journal"], invoice["EntryNumber"])
    return [row for row in pair.syspro.state("ApJnlDistrib") if (row["Journal"], row["EntryNumber"]) == place]


def _version(due: str, lines: Sequence[tuple[str, Decimal]]) -> str:
    coded = " ".join(f"{account}:{amount:.2f}" for account, amount in sorted(lines))
    return f"due {due[:10]}, {coded}"


SYSPRO_BILL = Ground(
    name="SYSPRO -> BILL",
    open=opened,
    edits={"create": enter, "credit": credit, "update": amend, "cancel": void},
    owed=owed,
    there=there,
    writes=tuple(call.match for call in DECLARATION.writes),
)
