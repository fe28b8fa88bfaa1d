"""Codes and purchase orders as records that are written: each in the target's terms, parents before children."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ml_connector.audit.verify import verify
from ml_connector.domain.orders import OrderLineKind, OrderStatus
from ml_connector.jobs import schedule
from ml_connector.sync import listing, mappings, problems, retention
from ml_connector.sync.models import Link, Problem, RunKind
from tests.sync.office import OfficePair, account, center, line, office_pair, order, supplier, term

LONG = "10-6100-000-000-0000-MFG-EU"
CODES = ("terms", "accounts", "cost_centers", "suppliers")


@pytest.fixture
def pair(workspace, monkeypatch):
    with office_pair(workspace, monkeypatch) as made:
        yield made
        assert made.adds_up()  # R76
        assert verify(workspace).holds  # R66


@pytest.fixture
def coded(pair):
    """Two accounts, a cost center, terms and a supplier are in Basware."""
    pair.office.put("payment_term", term("30"))
    pair.office.put("gl_account", account("10-6100"), account("10-6200", "Packaging"))
    pair.office.put("cost_center", center("WH1"))
    pair.office.put("supplier", supplier("ELC001", terms="30"))
    round_of(pair, *CODES)
    assert pair.states(*CODES) == {"confirmed": 5}
    return pair


def push(pair: OfficePair, flow: str):
    schedule.claim(pair.flow(flow).pk, RunKind.PUSH)
    return pair.run(flow, RunKind.PUSH)


def round_of(pair: OfficePair, *names: str) -> None:
    """Reads and sends, flow by flow, each until what it sent is decided."""
    for name in names:
        pair.run(name, RunKind.PULL)
        push(pair, name)
        pair.later(seconds=10)
        push(pair, name)


def lines_of(pair: OfficePair, number: str) -> dict[str, dict]:
    """What P2P holds of an order, by number of the line."""
    key = f"RIL_O_{number}"
    rows = pair.basware.state("p2p.matchingOrderLines")
    return {row["lineNumber"]: row for row in rows if row["orderExternalCode"] == key}


def test_codes_and_suppliers_arrive_as_they_are_named(coded):  # R46
    (vendor,) = coded.basware.state("p2p.vendors")
    assert vendor["paymentTerms"]["paymentTermCode"] == "30"
    assert {row["accountCode"] for row in coded.basware.state("p2p.accounts")} == {"10-6100", "10-6200"}
    assert [row["costCenterCode"] for row in coded.basware.state("p2p.costCenters")] == ["WH1"]
    assert {row.type for row in Link.objects.of(coded.workspace)} == {
        "payment_term", "gl_account", "cost_center", "supplier"
    }  # fmt: skip


def test_a_code_that_is_too_long_goes_by_its_short_code_and_orders_name_that(coded):  # R31, R48
    coded.office.put("gl_account", account(LONG, "Components of the works in Europe"))
    coded.office.put("purchase_order", order("150", line("1", "100", "12.00", account=LONG)))
    round_of(coded, "accounts", "purchase_orders")
    assert coded.one("accounts", LONG).state == "blocked"
    assert "Mapping" in coded.problem("field_too_long").text
    assert coded.problem("parent_not_confirmed").subject == f"gl_account:{LONG}"

    mappings.set_entries(coded.integration, "account_code", {LONG: "6100-EU"}, actor="test")

    problems.solve(coded.problem("field_too_long"), "retry", "", "person:anna")
    round_of(coded, "accounts", "purchase_orders")
    assert coded.one("accounts", LONG).state == "confirmed"
    assert coded.one("purchase_orders", "150").state == "confirmed"
    (held,) = lines_of(coded, "150").values()
    assert held["orderLineCoding"][0]["accountCode"] == "6100-EU"
    (attempt,) = coded.attempts("purchase_orders", "150")
    assert attempt.outcome == "confirmed"


def test_what_another_interface_made_is_linked_and_brought_up_to_date(pair):  # R40, R46
    names = [{"translation": "Old name", "language": "en-US"}]
    companies = [{"companyCode": "RIL", "inherit": True, "active": True}]
    theirs = {"externalCode": "OTHER-1", "accountCode": "10-6100", "accountNames": names, "companies": companies}
    pair.basware.edit("accounts", theirs)
    pair.office.put("gl_account", account("10-6100"))
    round_of(pair, "accounts")
    pair.later(seconds=10)
    push(pair, "accounts")
    link = pair.link("gl_account", "10-6100")
    assert (pair.one("accounts", "10-6100").state, link and link.target_key) == ("confirmed", "OTHER-1")
    (held,) = pair.basware.state("p2p.accounts")
    assert (held["externalCode"], held["accountNames"][0]["translation"]) == ("OTHER-1", "Components")


def test_two_records_never_go_by_one_code(coded):  # R49
    coded.office.put("gl_account", account(LONG))
    mappings.set_entries(coded.integration, "account_code", {LONG: "10-6200"}, actor="test")
    round_of(coded, "accounts")
    problem = coded.problem("code_taken")
    assert coded.one("accounts", LONG).state == "blocked" and "10-6200" in problem.text
    names = {row["accountCode"]: row["accountNames"][0]["translation"] for row in coded.basware.state("p2p.accounts")}
    assert names["10-6200"] == "Packaging"
    mappings.set_entries(coded.integration, "account_code", {LONG: "6100-EU"}, actor="test")
    round_of(coded, "accounts")
    assert coded.one("accounts", LONG).state == "confirmed"


def test_a_short_code_that_was_changed_counts_once_the_account_was_sent_by_it(coded):  # R48
    coded.office.put("gl_account", account(LONG))
    mappings.set_entries(coded.integration, "account_code", {LONG: "6100-EU"}, actor="test")
    round_of(coded, "accounts")
    mappings.set_entries(coded.integration, "account_code", {LONG: "61-EU"}, actor="test")
    coded.office.put("purchase_order", order("150", line("1", "1", "12.00", account=LONG)))
    round_of(coded, "purchase_orders")
    (held,) = lines_of(coded, "150").values()
    assert held["orderLineCoding"][0]["accountCode"] == "6100-EU", "what Basware knows the account by"


def test_an_order_goes_with_its_supplier_accounts_and_cost_centers(coded):  # R42
    made = order(
        "150",
        line("1", "100", "12.00", cost_center="WH1"),
        line("2", "30", "10.00", account="10-6200", sku="BOX-1", tax_code="A"),
        terms="30",
    )
    coded.office.put("purchase_order", made)
    round_of(coded, "purchase_orders")
    (header,) = coded.basware.state("p2p.matchingOrders")
    assert (header["orderNumber"], header["supplierCode"], header["paymentTermCode"]) == ("150", "ELC001", "30")
    held = lines_of(coded, "150")
    assert held["1"]["orderLineCoding"][0]["costCenterCode"] == "WH1"
    assert held["2"]["orderLineCoding"][0]["accountCode"] == "10-6200"
    assert "taxCode" not in held["2"], "Basware's tax codes are its own"
    record = coded.one("purchase_orders", "150")
    assert (record.number, record.amount, record.currency) == ("150", 15_000_000, "USD")


def test_lines_keep_their_ids_through_every_change(coded):  # R42
    first, second = line("1", "100", "12.00"), line("2", "30", "10.00", account="10-6200")
    comment = line("9", "0", "0", kind=OrderLineKind.COMMENT)
    coded.office.put("purchase_order", order("150", first, comment, second))
    round_of(coded, "purchase_orders")
    before = coded.link("purchase_order", "150")
    assert before is not None and before.lines == ["RIL_L_150_1", "", "RIL_L_150_2"]

    coded.office.put("purchase_order", order("150", line("1", "110", "12.50"), comment, second))
    round_of(coded, "purchase_orders")
    after = coded.link("purchase_order", "150")
    assert after is not None and after.lines == before.lines
    held = lines_of(coded, "150")
    assert set(held) == {"1", "2"}
    assert (held["1"]["externalCode"], str(held["1"]["quantity"])) == ("RIL_L_150_1", "110")
    assert [row.operation for row in coded.attempts("purchase_orders", "150")] == ["create", "update"]


def test_an_order_waits_for_its_supplier_and_its_codes_and_then_goes_by_itself(pair):  # R56
    pair.office.put("gl_account", account("10-6100"))
    pair.office.put("supplier", supplier("ELC001"))
    pair.office.put("cost_center", center("WH1"))
    pair.office.put("purchase_order", order("150", line("1", "1", "12.00", cost_center="WH1")))
    pair.sync()
    record = pair.one("purchase_orders", "150")
    held_by = Problem.objects.of(pair.workspace).filter(holds__record=record, state="open")
    assert record.state == "blocked"
    assert {row.subject for row in held_by} == {"supplier:ELC001", "gl_account:10-6100", "cost_center:WH1"}
    assert {row.cause for row in held_by} == {"parent_not_confirmed"}
    assert pair.posted("/v1/matchingOrders") == 0
    pair.later(seconds=10)
    for name in ("accounts", "cost_centers", "suppliers", "purchase_orders"):
        push(pair, name)
    pair.later(seconds=10)
    push(pair, "purchase_orders")
    assert pair.one("purchase_orders", "150").state == "confirmed"
    assert not Problem.objects.of(pair.workspace).filter(state="open").exists()


def test_an_order_that_names_what_was_never_read_says_what(coded):  # R49, R56
    coded.office.put("purchase_order", order("150", line("1", "1", "12.00", account="10-9999"), supplier="XXX999"))
    round_of(coded, "purchase_orders")
    assert "GL account 10-9999 was never read" in coded.problem("parent_not_confirmed").text
    assert coded.problem("supplier_missing").subject == "XXX999"


def test_an_order_whose_total_does_not_add_up_is_held(coded):  # R22

    wrong = msgspec.structs.replace(order("150", line("1", "1", "12.00")), total=Decimal("12.50"))
    coded.office.put("purchase_order", wrong)
    round_of(coded, "purchase_orders")
    assert "0.50" in coded.problem("totals_differ").text
    assert coded.posted("/v1/matchingOrders") == 0


def test_a_cancelled_order_is_closed_there_and_its_lines_are_marked(coded):  # R26, R42
    lines = (line("1", "4", "100.00"), line("2", "1", "5.00"))
    coded.office.put("purchase_order", order("152", *lines), order("153", line("1", "1", "1.00")))
    round_of(coded, "purchase_orders")
    coded.office.put("purchase_order", order("152", *lines, status=OrderStatus.CANCELLED))
    round_of(coded, "purchase_orders")
    assert coded.one("purchase_orders", "152").state == "confirmed"
    assert coded.attempts("purchase_orders", "152")[-1].operation == "cancel"
    headers = {row["orderNumber"]: row["isClosed"] for row in coded.basware.state("p2p.matchingOrders")}
    assert headers == {"152": True, "153": False}
    assert {row["isDeleted"] for row in lines_of(coded, "152").values()} == {True}


def test_an_order_that_was_over_before_it_was_sent_stays_here(coded):
    coded.office.put(
        "purchase_order",
        order("1", line("1", "1", "1.00"), status=OrderStatus.CANCELLED),
        order("2", line("1", "1", "1.00"), status=OrderStatus.CLOSED),
    )
    round_of(coded, "purchase_orders")
    assert coded.states("purchase_orders") == {"skipped": 2}
    assert coded.posted("/v1/matchingOrders") == 0


def test_a_line_that_p2p_does_not_take_yet_holds_the_order_and_is_sent_again(pair):  # R12
    """The vendor's outcome comes after the order was sent: its lines fail, and succeed once it is there."""
    pair.office.put("gl_account", account("10-6100"))
    pair.office.put("supplier", supplier("PAK003"))
    pair.office.put("purchase_order", order("151", line("1", "66", "10.00"), supplier="PAK003"))
    round_of(pair, "accounts", "suppliers")
    pair.says("MatchingOrderLine", "RIL_L_151_1", category="Technical", message="Vendor PAK003 does not exist.")
    round_of(pair, "purchase_orders")
    assert pair.one("purchase_orders", "151").state == "ready"
    pair.later(minutes=1)
    round_of(pair, "purchase_orders")
    assert pair.one("purchase_orders", "151").state == "confirmed"
    assert str(lines_of(pair, "151")["1"]["netSum"]) == "660"


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (account("10-6100"), "10-6100"),
        (center("WH1"), "WH1"),
        (term("30"), "30"),
        (supplier("ELC001"), "ELC001"),
        (order("150", line("1", "1", "1.00")), "150"),
    ],
)
def test_each_record_type_has_its_natural_key(record, key):  # R7
    assert listing.natural_key(record) == key


def test_codes_are_kept_as_long_as_the_source_has_them(coded):  # R70

    coded.later(days=366 * 8)
    retention.remove(coded.workspace, "worker")
    assert coded.one("accounts", "10-6100").erased_at is None
