"""SAP Business One <-> BILL on the stand-ins: real sockets, a real database, the engine run flow by flow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import ml_connector.sandbox
from ml_connector.conformance.bench import Bench, clocks_at
from ml_connector.integrations.base import Side
from ml_connector.sandbox import Running
from ml_connector.sync import links, mappings, suggestions
from ml_connector.sync.models import Record
from ml_connector.workspaces.models import Workspace
from tests.sync.pair import DATA, MONDAY

CLEARING = "10-1090"
ACCOUNTS = {"tax_account": "10-2250", "freight_account": "10-6300"}


class B1Pair(Bench):
    """A bench whose two sides are SAP Business One and BILL."""

    def __init__(self, b1: Running, bill: Running, workspace: Workspace, settings: dict[Side, dict[str, Any]]) -> None:
        stand_ins = {Side.ERP: b1, Side.PLATFORM: bill}
        super().__init__(workspace, "sapb1-bill", stand_ins, settings)
        self.b1, self.bill = b1, bill

    def map_accounts(self) -> None:
        """Every account and cost center that has the same number on both sides."""
        self.sync("accounts", "departments")
        for name in ("gl_account", "cost_center"):
            found = [s for s in suggestions.suggest(self.integration, name) if s.rule == 1]
            mappings.set_entries(self.integration, name, {s.source: s.target for s in found}, actor="test")

    def link_hydra(self) -> None:
        self.sync("suppliers")
        vendor = next(row for row in self.bill.state("vendors") if row["name"].startswith("Hydra"))
        links.accept(self.record("HYD005"), vendor["id"], actor="test")

    # --- BILL

    def bills(self, number: str | None = None) -> list[dict[str, Any]]:
        rows = self.bill.state("bills")
        return [row for row in rows if number in {None, row["invoice"]["invoiceNumber"]}]

    def pay(
        self, key: str, status: str = "CLEARED", /, *, credit: str = "0", funding: str = "", **amounts: str
    ) -> None:
        """A payment made in BILL: `amounts` are the cash by bill, a `_` in a number standing for a hyphen. `credit` of
        the one vendor credit goes to the last of the bills. `funding`: the money that was drawn in USD."""
        parts: list[dict[str, Any]] = [
            {"billId": self.bills(number.replace("_", "-"))[0]["id"], "amount": Decimal(cash)}
            for number, cash in amounts.items()
        ]
        if Decimal(credit):
            (note,) = self.bill.state("vendor-credits")
            parts[-1]["vendorCredits"] = [{"id": note["id"], "amount": Decimal(credit)}]
        drawn = {"fundingAmount": Decimal(funding)} if funding else {}
        self.bill.edit("payments", {"id": key, "billPayments": parts, "singleStatus": status, **drawn})

    def change(self, key: str, **fields: Any) -> None:
        """What becomes of a payment in BILL, now unless `updatedTime` says otherwise."""
        row = next(row for row in self.bill.state("payments") if row["id"] == key)
        changed = {name: value for name, value in row.items() if name not in {"status", "vendorName", "updatedTime"}}
        self.bill.edit("payments", {**changed, **fields})

    # --- SAP Business One

    def invoice(self, number: str) -> dict[str, Any]:
        return next(row for row in self.b1.state("PurchaseInvoices") if row["NumAtCard"] == number)

    def open(self, number: str) -> Decimal:
        """What is left to pay of an invoice, in its own currency."""
        row = self.invoice(number)
        total, paid = ("DocTotal", "PaidToDate") if row["DocCurrency"] == "USD" else ("DocTotalFc", "PaidToDateFC")
        return Decimal(str(row[total])) - Decimal(str(row[paid]))

    def posted(self, key: str | None = None) -> list[dict[str, Any]]:
        """Vendor payments, by the key of BILL's."""
        rows = self.b1.state("VendorPayments")
        return [row for row in rows if key is None or str(row["TransferReference"]).partition("/")[0] == key]

    def clearing(self) -> Decimal:
        """What was paid out of the clearing account."""
        row = next(row for row in self.b1.state("ChartOfAccounts") if row["Code"] == CLEARING)
        return -Decimal(str(row.get("Balance", 0)))

    def payment(self, key: str) -> Record:
        """The Record of a payment."""
        return Record.objects.of(self.workspace).get(flow__name="payments", key=key)

    def number(self, key: str) -> str:
        return self.payment(key).number


def stp(number: int) -> str:
    """The id of a payment in BILL, of 20 characters."""
    return f"stp01STORYPAYMENT0{number:02}"


@contextmanager
def sapb1_pair(workspace: Workspace, make: type[B1Pair] = B1Pair, **settings: Any) -> Iterator[Any]:
    """The base set of documents on both sides, at Monday 06:00. `settings` are those of SAP Business One."""
    load = {
        name: json.loads((DATA / f"base_set.{name}.json").read_text(), parse_float=Decimal)
        for name in ("sapb1", "bill")
    }
    for row in load["bill"]["vendors"]:
        row |= {"createdTime": MONDAY.isoformat(), "updatedTime": MONDAY.isoformat()}
    with (
        ml_connector.sandbox.start("sapb1", seed=1, data=load["sapb1"]) as b1,
        ml_connector.sandbox.start("bill", seed=1, data=load["bill"]) as bill,
        clocks_at(MONDAY, {Side.ERP: b1, Side.PLATFORM: bill}),
    ):
        yield make(b1, bill, workspace, {Side.ERP: {**ACCOUNTS, **settings}})
