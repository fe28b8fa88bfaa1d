"""The tie-out with payments that come back, and the clearing account (R28, R30, R36)."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.sync import problems
from ml_connector.sync.differences import Reason
from ml_connector.sync.models import Problem, ProblemRecord, RunKind
from ml_connector.sync.packs import freeze
from ml_connector.sync.results import compute
from ml_connector.sync.tieout import TieOut, tie_out
from tests.sync.sapb1_pair import B1Pair, sapb1_pair, stp


@pytest.fixture
def pair(workspace: Any) -> Iterator[B1Pair]:
    """The base set delivered; nothing paid."""
    with sapb1_pair(workspace) as made:
        made.map_accounts()
        made.link_hydra()
        made.sync()
        made.later(minutes=1)
        yield made
        made.check()


def listed(pair: B1Pair) -> TieOut:
    """Both sides' balances read again, no payment posted; then compared."""
    pair.later(minutes=1)
    for flow in ("invoices", "credit_notes"):
        pair.run(flow, RunKind.SWEEP)
        pair.run(flow, RunKind.PUSH)
    pair.run("accounts", RunKind.PULL)
    return tie_out(pair.integration)


def reasons(found: TieOut) -> dict[str, Decimal]:
    """By reason, of US dollars, without what the base set holds back."""
    (total,) = [total for total in found.totals if total.currency == "USD"]
    return {reason.value: amount for reason, amount in total.by_reason.items() if reason is not Reason.BLOCKED}


def test_a_payment_is_explained_at_each_step_until_both_sides_agree(pair):  # R28, R30
    before = reasons(listed(pair))
    pair.pay(stp(1), "PROCESSED", PK_502="250.00")
    pair.sync("payments")
    assert reasons(listed(pair)) == {**before, "payment_under_way": Decimal("250.00")}
    pair.change(stp(1), singleStatus="CLEARED")
    pair.later(minutes=1)
    pair.run("payments", RunKind.PULL)
    assert reasons(listed(pair)) == {**before, "payment_to_post": Decimal("250.00")}
    unread = {"method": "GET", "path": "*/PurchaseInvoices(*)"}
    pair.b1.faults([{"match": unread, "do": "status", "status": 503}])
    pair.run("payments", RunKind.PUSH)
    pair.b1.faults([])
    posted = tie_out(pair.integration)
    assert reasons(posted) == {**before, "payment_posted": Decimal("250.00")}
    (line,) = [line for row in posted.rows for line in row.lines if line.reason is Reason.PAYMENT_POSTED]
    assert line.number == "PK-502"
    assert line.text == f"Posted in SAP Business One; its balance was read before that. Payment {pair.number(stp(1))}."
    after = listed(pair)
    assert reasons(after) == before
    assert after.unexplained == {}


def test_a_payment_that_waits_for_people_says_for_what(pair):  # R30
    before = reasons(listed(pair))
    vendor = next(row for row in pair.bill.state("vendors") if row.get("shortName") == "PAK003")
    pair.bill.edit("vendors", {"id": vendor["id"], "paymentInformation": {"payByType": "ACH"}})
    pair.pay(stp(1), PK_502="250.00")
    pair.later(minutes=1)
    pair.sync("vendors_back", "payments")
    assert pair.posted() == [], "where its supplier's details changed, no payment is posted (R53)"
    found = listed(pair)
    assert reasons(found) == {**before, "payment_held": Decimal("250.00")}
    (line,) = [line for row in found.rows for line in row.lines if line.reason is Reason.PAYMENT_HELD]
    problem = Problem.objects.of(pair.workspace).get(cause="bank_change", state="open")
    assert (line.problem, line.record) == (problem.pk, pair.payment(stp(1)).pk)
    assert problem.text in line.text

    problems.solve(problem, "release", "Known.", "person:1", "Called Pakko on +1 312 555 0103: they confirm it.")
    problems.solve(problem, "release", "Known.", "person:2")
    pair.sync("payments")
    assert len(pair.posted()) == 1
    assert reasons(listed(pair)) == before


def test_a_void_is_explained_until_its_posting_is_cancelled(pair):  # R29, R30
    pair.pay(stp(1), HU_2202="199.60")
    pair.sync("payments")
    before = reasons(listed(pair))
    pair.change(stp(1), singleStatus="VOIDED")
    pair.later(minutes=1)
    pair.run("payments", RunKind.PULL)
    found = listed(pair)
    assert reasons(found) == {**before, "payment_to_cancel": Decimal("-199.60")}
    assert found.clearing is not None
    assert (found.clearing.paid, found.clearing.to_cancel) == (Decimal("0.00"), Decimal("199.60"))
    pair.run("payments", RunKind.PUSH)
    assert reasons(listed(pair)) == before


def test_the_clearing_account_holds_what_was_posted_and_what_others_booked(pair):  # R30
    empty = listed(pair).clearing
    assert empty is not None
    assert (empty.account, empty.balance, empty.paid, empty.others) == ("10-1090", 0, 0, 0)
    pair.pay(stp(1), ELC_1001="1620.00", ELC_1002="500.00")
    pair.pay(stp(2), PK_502="250.00")
    pair.sync("payments")
    pair.pay(stp(3), "CLEARED", HU_2202="199.60")
    pair.later(minutes=1)
    pair.run("payments", RunKind.PULL)
    one = listed(pair).clearing
    assert one is not None
    assert one.posted == pair.clearing() == Decimal("2370.00")
    assert (one.paid, one.to_post, one.balance, one.others) == (
        Decimal("2569.60"), Decimal("199.60"), Decimal("-2370.00"), Decimal("0.00"),
    )  # fmt: skip
    pair.b1.edit("ChartOfAccounts", {"Code": "10-1090", "Balance": Decimal("-370.00")})
    banked = listed(pair).clearing
    assert banked is not None
    assert banked.others == Decimal("2000.00"), "what the bank has debited"


def test_a_kept_tie_out_keeps_the_clearing_account(pair):  # R36
    pair.pay(stp(1), PK_502="250.00")
    pair.sync("payments")
    found = listed(pair)
    stored = compute(pair.integration)
    assert found.clearing is not None
    assert stored.clearing == found.clearing.to_json()
    assert stored.clearing["posted"] == "250.00"


def test_a_payment_that_is_to_be_posted_in_a_frozen_month_is_told(pair):  # R36
    pair.pay(stp(1), "PROCESSED", PK_502="250.00")
    pair.change(stp(1), processDate="2026-10-30")
    pair.sync()
    pack = freeze(pair.integration, "2026-10", "person:1")
    pair.change(stp(1), singleStatus="SENT")
    pair.later(minutes=1)
    pair.sync("payments")
    assert not Problem.objects.of(pair.workspace).filter(cause="period_changed").exists(), "nothing is posted for it"
    pair.change(stp(1), singleStatus="CLEARED")
    pair.later(minutes=1)
    pair.sync("payments")
    problem = Problem.objects.of(pair.workspace).get(cause="period_changed", state="open")
    assert problem.subject == "period:2026-10"
    holds = ProblemRecord.objects.of(pair.workspace).filter(problem=problem)
    assert list(holds.values_list("record__key", flat=True)) == [stp(1)]
    pack.refresh_from_db()
    assert hashlib.sha256(zlib.decompress(bytes(pack.content))).hexdigest() == pack.hash
