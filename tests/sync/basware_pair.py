"""SYSPRO <-> Basware on the stand-ins: real sockets, a real database, the engine run flow by flow."""

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
from ml_connector.sync import mappings
from ml_connector.sync.models import RunKind, Transfer
from ml_connector.workspaces.models import Workspace
from tests.sync.pair import DATA, MONDAY

INVOICES = "approved_invoices"
LONG = "10-6100-000-000-0000-MFG-EU"
"""SYSPRO's code of the components account, too long for Basware."""
ACCOUNTS = {
    "10-6100": LONG,
    **{code: code for code in ("10-6200", "10-6300", "10-6400", "10-2250")},
}
"""By Basware's codes. 10-6999 has no counterpart."""
CENTERS = {"WH1": "WH1", "WH2": "WH2"}


class BaswarePair(Bench):
    """A bench whose two sides are SYSPRO and Basware."""

    def __init__(
        self, syspro: Running, basware: Running, workspace: Workspace, settings: dict[Side, dict[str, Any]]
    ) -> None:
        super().__init__(workspace, "syspro-basware", {Side.ERP: syspro, Side.PLATFORM: basware}, settings)
        self.syspro, self.basware = syspro, basware

    def map_codes(self) -> None:
        """Reads SYSPRO's codes and suppliers, and maps Basware's codes to them."""
        for name in ("account_codes", "cost_center_codes"):
            self.run(name, RunKind.PUSH)
        self.run("suppliers", RunKind.PULL)
        for name, entries in (("gl_account", ACCOUNTS), ("cost_center", CENTERS)):
            mappings.set_entries(self.integration, name, entries, actor="clerk", before_reading=True)

    def policies(self, **values: Any) -> None:
        """Sets policies of the Flow of approved invoices."""
        flow = self.flow(INVOICES)
        flow.policies = {**flow.policies, **values}
        flow.save(update_fields=["policies"])

    def take_in(self, rounds: int = 1) -> None:
        """Claims what waits, posts it, and answers."""
        for _ in range(rounds):
            self.run(INVOICES, RunKind.PULL)
            self.run(INVOICES, RunKind.PUSH)
        self.run(INVOICES, RunKind.PULL)

    # --- Basware

    def document(self, number: str) -> dict[str, Any]:
        return next(row for row in self.basware.state("accountingDocuments") if row["invoiceNumber"] == number)

    def statuses(self) -> dict[str, str]:
        return {row["invoiceNumber"]: row["processingStatus"] for row in self.basware.state("accountingDocuments")}

    def approve(self, number: str, net: str = "100.00", *, like: str = "PK-502", **changes: Any) -> str:
        """Approves another invoice in P2P, coded to packaging; its key."""
        row = {name: value for name, value in self.document(like).items() if name not in NOT_COPIED}
        coding = {"externalCode": f"{number}-1", "rowIndex": 0, "accountCode": "10-6200", "netTotal": Decimal(net)}
        sums = {name: Decimal(net) for name in ("netSum", "grossSum", "netSumCompany", "grossSumCompany")}
        self.basware.edit(
            "accountingDocuments",
            {
                **row, **sums, "taxSum1": 0, "invoiceNumber": number, "invoiceId": f"id-{number}",
                "codingRows": [coding], "processingStatus": "WaitingForTransfer", **changes,
            },
        )  # fmt: skip
        return f"id-{number}"

    def act(self, do: str, number: str, **more: Any) -> None:
        """What a person does in P2P with an invoice."""
        self.basware.edit("actions", {"do": do, "invoiceId": self.document(number)["invoiceId"], **more})

    def answers(self, number: str) -> list[dict[str, Any]]:
        return list(self.document(number).get("transferResponses", []))

    def asked(self, path: str, number: str = "") -> int:
        """How many requests of a document, or of all, ended with this path."""
        key = self.document(number)["invoiceId"] if number else ""
        return sum(
            1 for row in self.basware.requests()
            if row["method"] == "POST" and row["path"].endswith(f"/{path}") and key in row["path"]
        )  # fmt: skip

    # --- SYSPRO

    def posted(self, number: str | None = None) -> list[dict[str, Any]]:
        """Invoices in accounts payable."""
        return [row for row in self.syspro.state("ApInvoice") if number in {None, row["Invoice"].strip()}]

    def open(self, currency: str = "USD") -> Decimal:
        """What SYSPRO owes in a currency."""
        suppliers = {row["Supplier"] for row in self.syspro.state("ApSupplier") if row["Currency"] == currency}
        rows = [row for row in self.posted() if row["Supplier"] in suppliers]
        return sum((Decimal(str(row["MthInvBal1"])) for row in rows), Decimal(0))

    # --- ours

    def transfer(self, number: str) -> Transfer:
        """The newest of a document."""
        return Transfer.objects.of(self.workspace).get(record=self.record(number), current=True)


NOT_COPIED = ("lastUpdated", "transferResponses", "voucherNumber1", "voucherNumber2", "referenceNumber")


@contextmanager
def basware_pair(
    workspace: Workspace, *, documents: bool = True, basware: dict[str, Any] | None = None, **settings: Any
) -> Iterator[BaswarePair]:
    """The base set on both sides, at Monday 06:00, all documents waiting for transfer. `settings` are those of the
    Connection to Basware, `basware` the stand-in's options."""
    load = json.loads((DATA / "base_set.basware.json").read_text(), parse_float=Decimal)
    if not documents:
        load["accountingDocuments"] = []
    with (
        ml_connector.sandbox.start("syspro", seed=1, options={"base_set": "basware"}) as syspro,
        ml_connector.sandbox.start("basware", seed=1, data=load, options=basware or {}) as running,
        clocks_at(MONDAY, {Side.ERP: syspro, Side.PLATFORM: running}),
    ):
        yield BaswarePair(
            syspro,
            running,
            workspace,
            {Side.ERP: {"cost_centre_source": "analysis(CC)"}, Side.PLATFORM: {"tax_account": "10-2250", **settings}},
        )
