"""Procurify -> SYSPRO on the stand-ins: real sockets, a real database, the engine run flow by flow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import ml_connector.sandbox
from ml_connector.conformance.bench import Bench, clocks_at
from ml_connector.integrations.base import NOTHING, Side
from ml_connector.sandbox import Running
from ml_connector.sync import links, mappings
from ml_connector.sync.models import Record, RunKind
from ml_connector.workspaces.models import Workspace
from tests.sync.pair import MONDAY

LISTS = ("accounts", "departments", "terms")
SUPPLIERS = ("suppliers_in", "suppliers_out")
DOCUMENTS = ("purchase_orders", "bills")
ACCOUNTS = ("10-2250", "10-6100", "10-6200", "10-6300", "10-6400", "10-6400-WH1", "10-6400-WH2")
"""Written alike on both sides. 10-6999 has no counterpart."""
SYSPRO = {
    "default_branch_code": "10",
    "default_terms": "30",
    "default_currency": "USD",
    "default_product_class": "COMP",
    "cost_centre_source": "analysis(CC)",
    "currency_codes": {"E": "EUR"},
}


class ProcurifyPair(Bench):
    """A bench whose two sides are SYSPRO and Procurify."""

    def __init__(
        self, syspro: Running, procurify: Running, workspace: Workspace, settings: dict[Side, dict[str, Any]]
    ) -> None:
        super().__init__(workspace, "procurify-syspro", {Side.ERP: syspro, Side.PLATFORM: procurify}, settings)
        self.syspro, self.procurify = syspro, procurify

    def map_codes(self) -> None:
        """Reads the lists of both sides; Operations needs no cost center."""
        for name in LISTS:
            self.run(name, RunKind.PULL)
            self.run(name, RunKind.PUSH)
        mappings.set_entries(self.integration, "gl_account", {code: code for code in ACCOUNTS}, actor="clerk")
        mappings.set_entries(self.integration, "cost_center", {self.department("Operations"): NOTHING}, actor="clerk")
        mappings.set_entries(self.integration, "payment_term", {days: days for days in ("14", "15", "30")}, "clerk")

        mappings.set_entries(self.integration, "country", {"Germany": "DE"}, actor="clerk")

    def link_suppliers(self) -> None:
        """Suppliers of both sides, those that two are alike by name linked by a person."""
        self.sync(*SUPPLIERS)
        self.sync(*SUPPLIERS)
        for name, code in (("Electra Components Inc.", "ELC001"), ("Pakko Packaging LLC", "PAK003")):
            record = self.records("suppliers_in").get(key=str(self.vendor(name)["id"]))
            links.accept(record, code, actor="clerk")
        self.sync(*SUPPLIERS)
        self.later(minutes=15)
        self.sync(*SUPPLIERS)

    def policies(self, name: str, **values: Any) -> None:
        """Sets policies of a Flow."""
        flow = self.flow(name)
        flow.policies = {**flow.policies, **values}
        flow.save(update_fields=["policies"])

    def records(self, name: str) -> Any:
        return Record.objects.of(self.workspace).filter(flow=self.flow(name))

    # --- Procurify

    def act(self, do: str, **more: Any) -> None:
        """What a person does in Procurify."""
        self.procurify.edit("actions", {"do": do, **more})

    def vendor(self, name: str) -> dict[str, Any]:
        return next(row for row in self.procurify.state("vendors") if row["name"] == name)

    def department(self, name: str) -> str:
        return str(next(row["id"] for row in self.procurify.state("departments") if row["name"] == name))

    def patches(self, name: str) -> list[str]:
        """Bodies of what was written to a vendor."""
        path = f"/api/v3/vendors/{self.vendor(name)['id']}/"
        return [row["path"] for row in self.procurify.requests() if row["write"] and row["path"] == path]

    # --- SYSPRO

    def supplier(self, code: str) -> dict[str, Any]:
        return next(row for row in self.syspro.state("ApSupplier") if row["Supplier"].strip() == code)

    def posted(self, number: str | None = None) -> list[dict[str, Any]]:
        """Invoices in accounts payable."""
        return [row for row in self.syspro.state("ApInvoice") if number in {None, row["Invoice"].strip()}]

    def open(self, currency: str = "USD") -> Decimal:
        """What SYSPRO owes in its own code of a currency."""
        suppliers = {row["Supplier"] for row in self.syspro.state("ApSupplier") if row["Currency"].strip() == currency}
        rows = [row for row in self.posted() if row["Supplier"] in suppliers]
        return sum((Decimal(str(row["MthInvBal1"])) for row in rows), Decimal(0))

    def orders(self, number: str) -> list[dict[str, Any]]:
        """SYSPRO's orders for one of Procurify's."""
        rows = self.syspro.state("PorMasterHdr")
        return [row for row in rows if (row["CustomerPoNumber"] or "").split(" ")[0] == number]

    def order_lines(self, number: str) -> list[dict[str, Any]]:
        keys = {row["PurchaseOrder"] for row in self.orders(number)}
        return [row for row in self.syspro.state("PorMasterDetail") if row["PurchaseOrder"] in keys]


@contextmanager
def procurify_pair(
    workspace: Workspace, *, procurify: dict[str, Any] | None = None, **settings: Any
) -> Iterator[ProcurifyPair]:
    """The base set on both sides, at Monday 06:00: orders and approved bills in Procurify, none in SYSPRO."""
    with (
        ml_connector.sandbox.start("syspro", seed=1, options={"base_set": "procurify"}) as syspro,
        ml_connector.sandbox.start("procurify", seed=1, options={"base_set": "syspro"}) as running,
        clocks_at(MONDAY, {Side.ERP: syspro, Side.PLATFORM: running}),
    ):
        yield ProcurifyPair(
            syspro,
            running,
            workspace,
            {
                Side.ERP: {**SYSPRO, **settings},
                Side.PLATFORM: {
                    "tax_account": "10-2250",
                    "requests_per_second": 1000,
                    "default_branch": "1",
                    **(procurify or {}),
                },
            },
        )
