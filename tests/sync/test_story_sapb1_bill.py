"""The acceptance story of SAP Business One <-> BILL, to the cent on both sides, with exactly its Problems."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ml_connector.integrations.base import Side
from ml_connector.sync import mappings
from ml_connector.sync.differences import Reason
from ml_connector.sync.models import Attempt, Connection, Link, Outcome, Record, RunKind
from ml_connector.sync.replay import replay
from ml_connector.sync.tieout import tie_out
from tests.sync.sapb1_pair import sapb1_pair, stp

D = Decimal
POST = {"method": "POST", "path": "/b1s/*/VendorPayments"}
PROBLEMS = {
    ("supplier_on_hold", "TF-90"),
    ("unmapped_code", "HU-2201"),
    ("duplicate_invoice", "ELC1001"),
}


@pytest.fixture
def pair(workspace):
    with sapb1_pair(workspace, page_size=1000) as made:
        yield made
        made.check()


@pytest.fixture(
    params=[pytest.param(1, id="pages of 1"), pytest.param(1000, id="pages of 1000", marks=pytest.mark.every_cell)]
)
def paged(workspace, request):
    with sapb1_pair(workspace, page_size=request.param) as made:
        yield made
        made.check()


def to_bill(pair):
    """Accounts by exact code, the Hydra link accepted, everything sent; then what people edit in SAP Business One."""
    pair.map_accounts()
    pair.link_hydra()
    pair.sync()
    pair.later(minutes=10)
    pair.b1.edit("PurchaseInvoices", {"DocEntry": pair.invoice("ELC-1002")["DocEntry"], "DocDueDate": "2026-12-18"})
    pair.b1.edit("actions", {"do": "cancel", "set": "PurchaseInvoices", "entry": pair.invoice("ELC-1004")["DocEntry"]})
    pair.sync()


def payments_back(pair):
    """What BILL pays; the answer to the first posting is a 502 after its commit; the fifth is voided after it."""
    pair.b1.faults([{"match": POST, "do": "commit_then_status", "status": 502, "times": 1}])
    pair.pay(stp(1), ELC_1001="1620.00", ELC_1002="500.00")
    pair.sync("payments")
    pair.later(minutes=15)
    pair.pay(stp(2), ELC_1002="413.19")
    pair.pay(stp(3), NK_77="2500.00", funding="2750.00")
    pair.pay(stp(4), PK_500="600.00", credit="75.00")
    pair.pay(stp(5), HU_2202="199.60")
    pair.pay(stp(6), PK_502="250.00")
    pair.pay(stp(7), "PROCESSED", HU_2203="150.00")
    pair.sync()
    assert len(pair.posted()) == 6
    assert pair.open("HU-2202") == 0
    pair.later(minutes=15)
    pair.change(stp(5), singleStatus="VOIDED")
    pair.sync()
    pair.later(minutes=15)
    pair.sync()


def whole_story(pair):
    to_bill(pair)
    payments_back(pair)


def test_what_goes_to_bill_ends_as_written(paged):
    to_bill(paged)
    vendors = {row["name"]: row for row in paged.bill.state("vendors")}
    assert len(vendors) == 5
    assert {"Hydra Utilities", "Trans-Freight Co."} <= vendors.keys()
    bills = {row["invoice"]["invoiceNumber"]: row for row in paged.bills()}
    assert len(bills) == len(paged.bills()) == 8, "neither the draft nor the row of the cancellation is sent"
    usd = ["ELC-1001", "ELC-1002", "PK-500", "HU-2202", "PK-502", "HU-2203"]
    assert sum(D(str(bills[number]["amount"])) for number in usd) == D("4557.79")
    assert D(str(bills["NK-77"]["amount"])) == 2500
    assert bills["ELC-1002"]["dueDate"] == "2026-12-18"
    assert bills["HU-2202"]["invoice"]["invoiceDate"] == "2026-09-30"
    assert (
        bills["ELC-1001"]["invoice"].get("purchaseOrderNumber", bills["ELC-1001"].get("purchaseOrderNumber")) == "150"
    )
    departments = [line["classifications"]["departmentId"] for line in bills["HU-2203"]["billLineItems"]]
    assert len(set(departments)) == 2
    assert [number for number, row in bills.items() if row["archived"]] == ["ELC-1004"]
    patches = [row for row in paged.bill.requests() if row["method"] == "PATCH" and "/bills/" in row["path"]]
    assert len(patches) == 1
    (credit,) = paged.bill.state("vendor-credits")
    assert (D(str(credit["amount"])), credit["status"]) == (75, "NOT_APPLIED")
    assert paged.problems() == PROBLEMS
    assert paged.states("invoices", "credit_notes") == {"confirmed": 9, "blocked": 3}
    assert paged.writes(Side.ERP) == 0


def test_the_payments_come_back_as_written(paged):  # R28, R29, R30
    whole_story(paged)
    paid_as_written(paged)


def paid_as_written(paged):
    """Every figure of the story's payments, on both sides."""
    open_ = {number: paged.open(number) for number in ("ELC-1001", "ELC-1002", "NK-77", "PK-500", "HU-2202", "PK-502")}
    assert open_ == {
        "ELC-1001": 0, "ELC-1002": 0, "NK-77": 0, "PK-500": 0, "HU-2202": D("199.60"), "PK-502": 750,
    }  # fmt: skip
    assert paged.open("HU-2203") == 150
    assert paged.clearing() == D("6133.19")
    usd = [row for row in paged.b1.state("PurchaseInvoices") if row["DocCurrency"] == "USD"]
    alive = [row for row in usd if row.get("CancelStatus") == "csNo"]
    assert sum(D(str(row["DocTotal"])) - D(str(row["PaidToDate"])) for row in alive) == D("3338.00")

    assert len(paged.posted()) == 6
    (first,) = paged.posted(stp(1))
    assert [D(str(row["SumApplied"])) for row in first["PaymentInvoices"]] == [1620, 500]
    assert D(str(first["TransferSum"])) == 2120
    (foreign,) = paged.posted(stp(3))
    assert (D(str(foreign["DocRate"])), foreign["DocCurrency"]) == (D("1.1"), "EUR")
    assert [D(str(row["AppliedFC"])) for row in foreign["PaymentInvoices"]] == [2500]
    (credited,) = paged.posted(stp(4))
    assert [D(str(row["SumApplied"])) for row in credited["PaymentInvoices"]] == [675, -75]
    assert D(str(credited["TransferSum"])) == 600
    (note,) = paged.b1.state("PurchaseCreditNotes")
    assert note["DocumentStatus"] == "bost_Close"
    (voided,) = paged.posted(stp(5))
    assert voided["Cancelled"] == "tYES"
    assert paged.posted(stp(7)) == []
    for row in paged.posted():
        assert row["TransferReference"] in row["Remarks"]

    assert paged.problems() == PROBLEMS
    assert paged.states("payments") == {"confirmed": 6, "skipped": 1}
    assert "PROCESSED" in paged.payment(stp(7)).reason
    assert paged.adds_up()  # R76


def test_a_lost_answer_makes_one_payment_and_a_second_run_writes_nothing(pair):  # R3, R5, R8
    whole_story(pair)
    before = pair.writes(Side.PLATFORM), pair.writes(Side.ERP)
    runs = pair.sync()
    assert (pair.writes(Side.PLATFORM), pair.writes(Side.ERP)) == before
    assert sum(run.counts.get("new", 0) + run.counts.get("changed", 0) for run in runs) == 0
    posts = [row for row in pair.b1.requests() if row["method"] == "POST" and row["path"].endswith("/VendorPayments")]
    assert len(posts) == 6
    story = pair.story(pair.number(stp(1)))
    assert story.count("intent") == 1
    assert "search" in story
    attempt = Attempt.objects.of(pair.workspace).get(record=pair.payment(stp(1)))
    assert (attempt.outcome, attempt.mark) == (Outcome.ADOPTED, stp(1))
    rows = Link.objects.of(pair.workspace).filter(type="payment")
    links = dict(rows.values_list("source_key", "target_key"))
    assert links.keys() == {stp(1), stp(2), stp(3), stp(4), f"{stp(5)}/1", stp(6)}
    entries = {str(row["DocEntry"]): row["TransferReference"] for row in pair.posted()}
    assert {key.partition("/")[0]: entries[target] for key, target in links.items()} == {
        key.partition("/")[0]: key.partition("/")[0] for key in links
    }


def test_replaying_everything_twice_changes_nothing(pair):  # R10
    whole_story(pair)
    before = pair.writes(Side.PLATFORM), pair.writes(Side.ERP)
    every = list(Record.objects.of(pair.workspace).values_list("pk", flat=True))
    states = pair.states("invoices", "credit_notes", "payments", "settled_in_sapb1")
    for _ in range(2):
        replay(pair.workspace, every, actor="clerk")
        pair.sync()
    assert (pair.writes(Side.PLATFORM), pair.writes(Side.ERP)) == before
    assert pair.states("invoices", "credit_notes", "payments", "settled_in_sapb1") == states
    assert pair.clearing() == D("6133.19")


def test_a_sweep_of_everything_finds_nothing_new_and_the_tie_out_explains_every_cent(pair):  # R17, R30
    whole_story(pair)
    before = pair.writes(Side.PLATFORM), pair.writes(Side.ERP)
    for name in ("suppliers", "invoices", "credit_notes", "payments"):
        assert not pair.run(name, RunKind.SWEEP).counts["missing"]
    pair.sync()
    assert (pair.writes(Side.PLATFORM), pair.writes(Side.ERP)) == before
    assert pair.problems() == PROBLEMS
    book = tie_out(pair.integration)
    usd = next(total for total in book.totals if total.currency == "USD")
    # BILL has taken HU-2203 off its open bills as soon as its payment went out; SAP Business One waits for CLEARED.
    assert (usd.source, usd.target) == (D("3338.00"), D("949.60"))
    assert usd.by_reason == {Reason.BLOCKED: D("2238.40"), Reason.PAYMENT_UNDER_WAY: D("150.00")}
    assert book.unexplained == {}
    # What BILL has drawn, without the void; all of it posted, nobody else has booked on the account (R30).
    assert book.clearing is not None
    assert (book.clearing.paid, book.clearing.balance, book.clearing.others) == (D("6133.19"), D("-6133.19"), D(0))


def test_the_unmapped_invoice_follows_by_itself(pair):  # R49
    whole_story(pair)
    pair.bill.edit(
        "chart-of-accounts", {"name": "Sundry", "account": {"number": "10-6999", "type": "EXPENSE"}, "archived": False}
    )
    pair.run("accounts", RunKind.PUSH)
    mappings.set_entries(pair.integration, "gl_account", {"10-6999": "10-6999"}, actor="clerk")
    pair.sync("invoices")
    (bill,) = pair.bills("HU-2201")
    assert D(str(bill["amount"])) == D("218.40")


def test_both_sides_agree_before_any_sweep(pair):  # R28, R30
    whole_story(pair)
    book = tie_out(pair.integration)
    usd = next(total for total in book.totals if total.currency == "USD")
    assert (usd.source, usd.target) == (D("3338.00"), D("949.60")), "what was paid was read again at once"
    assert book.unexplained == {}


def test_a_refusal_with_minus_5002_costs_no_sign_in(pair):  # R61, R62
    to_bill(pair)
    signed_in = len(logins(pair))
    body = {"error": {"code": "-5002", "message": "Invalid BP code  [OVPM.CardCode]"}}
    pair.b1.faults([{"match": POST, "do": "status", "status": 400, "body": body, "times": 1}])
    pair.pay(stp(1), ELC_1001="1620.00")
    pair.sync("payments")
    assert len(logins(pair)) == signed_in
    assert pair.problems() - PROBLEMS == {("refused_by_target", pair.number(stp(1)))}
    assert pair.posted() == []


def test_a_sign_in_that_is_refused_with_minus_5002_is_not_repeated(pair):  # R61
    to_bill(pair)
    pair.b1.edit("actions", {"do": "end_sessions"})
    body = {"error": {"code": "-5002", "message": "Invalid BP code"}}
    pair.b1.faults([{"match": {"method": "POST", "path": "*/Login"}, "do": "status", "status": 400, "body": body}])
    signed_in = len(logins(pair))
    pair.pay(stp(1), ELC_1001="1620.00")
    for _ in range(3):
        pair.sync("payments")
    assert len(logins(pair)) == signed_in + 1
    assert {cause for cause, _ in pair.problems() - PROBLEMS} == {"credentials_refused"}
    assert Connection.objects.of(pair.workspace).get(pk=pair.erp.pk).health == "circuit_open"
    assert pair.posted() == []


def logins(pair):
    return [row for row in pair.b1.requests() if row["path"].endswith("/Login")]
