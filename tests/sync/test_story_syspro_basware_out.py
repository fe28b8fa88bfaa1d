"""The acceptance story between SYSPRO and Basware, outwards: codes, suppliers and orders, each taken by P2P itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

import ml_connector.sandbox
from ml_connector.conformance.bench import Bench, clocks_at
from ml_connector.integrations.base import Side
from ml_connector.sandbox import Running
from ml_connector.sync import mappings
from ml_connector.sync.models import Exchange, Problem
from ml_connector.sync.replay import replay
from ml_connector.workspaces.models import Workspace
from tests.sync.pair import MONDAY

OUT = ("terms", "accounts", "cost_centers", "suppliers", "purchase_orders")
LONG, SHORT = "10-6100-000-000-0000-MFG-EU", "10-6100"
ACCOUNTS = {SHORT, "10-2250", "10-6200", "10-6300", "10-6400", "10-6999"}


class OutPair(Bench):
    """A bench whose two sides are SYSPRO and Basware, with what P2P made of what came."""

    def __init__(self, workspace: Workspace, syspro: Running, basware: Running, settings: dict[str, Any]) -> None:
        sides = {Side.ERP: {"cost_centre_source": "analysis(CC)", "odata_page_size": 1000}, Side.PLATFORM: settings}
        super().__init__(workspace, "syspro-basware", {Side.ERP: syspro, Side.PLATFORM: basware}, sides)
        self.syspro, self.basware = syspro, basware
        # The site keeps cost centers in an analysis category; its ledger codes by warehouse are no longer posted to.
        for code in ("10-6400-WH1", "10-6400-WH2"):
            (row,) = [row for row in syspro.state("GenMaster") if row["GlCode"] == code]
            syspro.edit("GenMaster", {"Company": row["Company"], "GlCode": code, "AccOnHldFlag": "Y"})

    def shorten(self) -> None:
        mappings.set_entries(self.integration, "account_code", {LONG: SHORT}, actor="clerk")

    def out(self, *names: str, rounds: int = 8) -> None:
        self.settle(*(names or OUT), rounds=rounds)

    def inside(self, name: str) -> list[dict[str, Any]]:
        """What P2P has of a collection."""
        return self.basware.state(f"p2p.{name}")

    def codes(self, name: str, field: str) -> set[str]:
        return {row[field] for row in self.inside(name)}

    def order(self, number: str) -> tuple[bool, Decimal, list[bool]]:
        """Whether P2P has the order closed, what its lines come to, and which of them are deleted."""
        (header,) = [row for row in self.inside("matchingOrders") if row["orderNumber"] == number]
        lines = [row for row in self.inside("matchingOrderLines") if row["orderExternalCode"] == header["externalCode"]]
        left = sum((Decimal(str(row["netSum"])) for row in lines if not row["isDeleted"]), Decimal(0))
        return header["isClosed"], left, [row["isDeleted"] for row in lines]


@contextmanager
def out_pair(workspace: Workspace, basware: dict[str, Any] | None = None, **settings: Any) -> Iterator[OutPair]:
    """The base set of the story, at Monday 06:00. `basware` are the stand-in's options."""
    with (
        ml_connector.sandbox.start("syspro", seed=1, options={"base_set": "basware"}) as syspro,
        ml_connector.sandbox.start("basware", seed=1, data={"accountingDocuments": []}, options=basware) as running,
        clocks_at(MONDAY, {Side.ERP: syspro, Side.PLATFORM: running}),
    ):
        yield OutPair(workspace, syspro, running, {"default_means_code": "BANK", **settings})


@pytest.fixture
def pair(workspace: Workspace) -> Iterator[OutPair]:
    with out_pair(workspace) as made:
        yield made
        made.check()


def as_written(pair: OutPair) -> None:
    """The end state of the story."""
    assert pair.codes("paymentTerms", "paymentTermCode") == {"14", "15", "30"}
    usable = {row["accountCode"] for row in pair.inside("accounts") if row["companies"][0]["active"]}
    assert usable == ACCOUNTS
    assert pair.codes("costCenters", "costCenterCode") == {"WH1", "WH2"}
    vendors = {row["vendorCode"]: row for row in pair.inside("vendors")}
    assert set(vendors) == {"ELC001", "NOR002", "PAK003", "TRN004", "HYD005"}
    denied = {code for code, row in vendors.items() if row["processingStatus"]["paymentDenied"]}
    assert denied == {"TRN004"}
    assert all(row["processingStatus"]["active"] for row in vendors.values())
    assert pair.order("150") == (False, Decimal("1500.00"), [False, False])
    assert pair.order("151") == (False, Decimal("660.00"), [False])
    assert pair.order("152") == (True, Decimal("0"), [True])


@pytest.mark.parametrize(("rows", "shown"), [(1, 1), (1000, 500)])
def test_the_story_outwards_ends_as_written(workspace: Workspace, rows: int, shown: int) -> None:  # R12, R42, R47
    with out_pair(workspace, page_size=shown) as pair:
        pair.platform.refresh_from_db()
        type(pair.erp).objects.of(workspace).filter(pk=pair.erp.pk).update(
            settings={**pair.erp.settings, "odata_page_size": rows}
        )
        pair.shorten()
        pair.out()
        assert pair.problems() == set()
        assert pair.order("151") == (False, Decimal("640.00"), [False])
        terms = {row["vendorCode"]: row["paymentTerms"]["paymentTermCode"] for row in pair.inside("vendors")}
        assert terms == {"ELC001": "30", "NOR002": "30", "PAK003": "30", "TRN004": "15", "HYD005": "14"}
        lines = {row["externalCode"]: row for row in pair.inside("matchingOrderLines")}
        assert lines["RIL_L_150_1"]["orderLineCoding"][0]["accountCode"] == SHORT
        pair.syspro.edit(
            "actions",
            [
                {"do": "change_order", "order": "151", "line": 1, "quantity": 66, "price": 10.00},
                {"do": "cancel_order", "order": "152"},
            ],
        )
        pair.out()
        as_written(pair)
        assert set(pair.codes("matchingOrderLines", "externalCode")) == set(lines), "an amended line is no new line"
        pair.check_settled()
        written = pair.writes(Side.PLATFORM)
        pair.later(days=1)
        pair.out()
        assert pair.writes(Side.PLATFORM) == written, "what did not change is not sent again"
        pair.check_settled()


def test_a_code_too_long_for_basware_waits_for_a_short_one_and_its_order_with_it(pair: OutPair) -> None:  # R31, R56
    pair.out()
    assert pair.problems() == {("field_too_long", LONG), ("parent_not_confirmed", "150")}
    assert SHORT not in pair.codes("accounts", "accountCode")
    assert pair.codes("matchingOrders", "orderNumber") == {"151", "152"}
    pair.shorten()
    pair.out()
    assert pair.problems() == set()
    assert pair.order("150") == (False, Decimal("1500.00"), [False, False])


def test_lines_that_came_before_their_vendor_fail_and_succeed_after_its_success(pair: OutPair) -> None:  # R12
    """Somebody has made the vendor inactive in P2P by the time that the order's lines get there."""
    pair.shorten()
    pair.out("terms", "accounts", "cost_centers", "suppliers")
    (vendor,) = [row for row in pair.inside("vendors") if row["vendorCode"] == "PAK003"]
    inactive = {**vendor["processingStatus"], "active": False}
    pair.basware.edit("vendors", {"externalCode": vendor["externalCode"], "processingStatus": inactive})
    pair.out("purchase_orders")
    assert pair.problems() == {("refused_by_target", "151")}
    (problem,) = Problem.objects.of(pair.workspace).filter(state="open")
    assert "Supplier PAK003 is not active" in problem.text and "order 151" in problem.text
    assert pair.record("151").state == "blocked"
    assert pair.record("150").state == "confirmed"
    supplier = pair.record("PAK003")
    pair.syspro.edit(
        "actions", {"do": "change_supplier", "supplier": "PAK003", "columns": {"Telephone": "+1 312 555 0100"}}
    )
    pair.out("suppliers")
    assert (pair.record("PAK003").state, pair.record("PAK003").pk) == ("confirmed", supplier.pk)
    replay(pair.workspace, [pair.record("151").pk], "clerk")
    pair.out("purchase_orders")
    assert pair.order("151") == (False, Decimal("640.00"), [False])
    assert pair.problems() == set()


def test_nothing_counts_before_p2p_has_decided(workspace: Workspace) -> None:  # R12
    """P2P takes an hour over each record: no supplier goes before its term is in, no order before its supplier."""
    with out_pair(workspace, {"processing_seconds": 3600}) as pair:
        pair.shorten()
        pair.sync(*OUT)
        pair.later(minutes=30)
        pair.sync(*OUT)
        assert pair.states("terms") == {"in_flight": 3}
        assert pair.inside("vendors") == [] and pair.basware.state("vendors") == []
        pair.out(rounds=80)
        assert pair.problems() == set()
        assert pair.order("150") == (False, Decimal("1500.00"), [False, False])
        pair.check_settled()


@pytest.mark.parametrize("path", ["paymentTerms", "accounts", "vendors", "matchingOrders", "matchingOrderLines"])
def test_each_lost_answer_is_looked_up_and_nothing_is_there_twice(pair: OutPair, path: str) -> None:  # R3, R9
    pair.shorten()
    lost = {"match": {"method": "POST", "path": f"/v1/{path}"}, "do": "commit_then_reset", "times": 2}
    pair.basware.faults([lost])
    pair.out(rounds=20)
    assert pair.problems() == set()
    assert pair.order("150") == (False, Decimal("1500.00"), [False, False])
    for name in ("paymentTerms", "accounts", "costCenters", "vendors", "matchingOrders", "matchingOrderLines"):
        codes = [row["externalCode"] for row in pair.inside(name)]
        assert len(codes) == len(set(codes))
    pair.check_settled()


def test_no_bank_detail_and_no_secret_goes_anywhere(
    pair: OutPair, caplog: pytest.LogCaptureFixture
) -> None:  # R52, R71
    pair.shorten()
    pair.out()
    assert all("financialAccounts" not in str(row) for row in pair.inside("vendors"))
    stored = str(list(Exchange.objects.of(pair.workspace).values_list("request", "answer", "path")))
    for secret in (*pair.syspro.secrets.values(), *pair.basware.secrets.values()):
        assert not secret or (secret not in stored and secret not in caplog.text)
