"""Rounding differences: up to a set tolerance they travel as a line of their own, above it nothing travels (R23)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from ml_connector.audit.models import AuditEntry
from ml_connector.domain.records import Invoice, decode
from ml_connector.integrations.base import Side
from ml_connector.sync import mappings
from ml_connector.sync.apply import apply
from ml_connector.sync.configfile import ConfigurationRefused
from ml_connector.sync.export import export
from ml_connector.sync.models import Attempt, Flow, Record
from ml_connector.sync.problems import solve
from ml_connector.sync.queries.story import story
from ml_connector.sync.replay import replay
from ml_connector.sync.tieout import tie_out
from tests.sync.acts import (
    account,
    causes,
    change,
    correct,
    held_for,
    post,
    problem,
    remove,
    supplier,
    typed_by_hand,
    vendor,
)
from tests.sync.pair import Pair, base_pair

ACCOUNT = "10-6200"


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """Applies policies to the bench's Integration, as a person does; one value per line."""

    def apply_policies(**policies: str) -> None:
        path = tmp_path / "rounding.yaml"
        lines = ["workspace: acme", "integrations:", "  bench:", "    policies:"]
        path.write_text("\n".join([*lines, *(f"      {name}: {value}" for name, value in policies.items())]) + "\n")
        apply(path, actor="controller")

    return apply_policies


def off_by(pair: Pair, number: str, gross: str, cents: str) -> dict[str, Any]:
    """An invoice whose one ledger row is `cents` away from its header; gives the row as it should be."""
    post(pair, number, gross)
    return mistype(pair, gross, cents)


def mistype(pair: Pair, booked: str, by: str) -> dict[str, Any]:
    [row] = [row for row in pair.syspro.state("ApJnlDistrib") if row["DistrValue"] == Decimal(booked)]
    pair.syspro.edit("ApJnlDistrib", {**row, "DistrValue": row["DistrValue"] + Decimal(by)})
    return row


def lines(document: dict[str, Any], field: str = "billLineItems") -> list[tuple[Decimal, str]]:
    """Amount and account of each line in BILL."""
    return [(Decimal(str(row["amount"])), row["classifications"]["chartOfAccountId"]) for row in document[field]]


def entries(pair: Pair, record: Record) -> list[dict[str, Any]]:
    rows = AuditEntry.objects.of(pair.workspace).filter(action="rounding", subject=f"record:{record.pk}")
    return [msgspec.json.decode(row.detail) for row in rows.order_by("sequence")]


def assert_quiet(pair: Pair) -> None:
    before = pair.writes(Side.PLATFORM)
    pair.sync()
    pair.later(hours=1)
    pair.sync()
    assert pair.writes(Side.PLATFORM) == before


def test_a_difference_within_the_tolerance_travels_as_a_line_of_its_own(delivered, file):  # R23
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    off_by(delivered, "RND-1", "130.00", "-0.05")
    delivered.sync("invoices")
    [bill] = delivered.bills("RND-1")
    components, sundry = account(delivered, "10-6100")["id"], account(delivered, ACCOUNT)["id"]
    assert lines(bill) == [(Decimal("129.95"), components), (Decimal("0.05"), sundry)]
    assert bill["billLineItems"][1]["description"] == "Rounding"
    assert Decimal(str(bill["amount"])) == Decimal("130.00")
    record = delivered.record("RND-1")
    assert record.state == "confirmed"
    stored = Invoice.from_payload(bytes(record.payload))
    assert (stored.gross, [line.amount for line in stored.lines]) == (Decimal("130.00"), [Decimal("129.95")])


def test_the_adjustment_has_an_entry_of_its_own_that_names_the_policy(delivered, file):  # R23
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    off_by(delivered, "RND-1", "130.00", "0.02")
    delivered.sync("invoices")
    record = delivered.record("RND-1")
    [entry] = entries(delivered, record)
    policy = AuditEntry.objects.of(delivered.workspace).get(sequence=entry.pop("policy"))
    assert entry == {"amount": "-0.02", "currency": "USD", "account": ACCOUNT, "tolerance": "0.05"}
    assert (policy.action, policy.actor) == ("config_change", "controller")
    assert "policies.rounding_tolerance" in policy.detail
    told = story(delivered.workspace, record.pk)
    assert told is not None
    [event] = [event for event in told.events if event.what == "rounded"]
    assert "-0.02" in event.text
    assert ACCOUNT in event.text


def test_a_difference_above_the_tolerance_is_held_with_every_figure(delivered, file):  # R22, R23
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    off_by(delivered, "RND-1", "1130.00", "-0.06")
    delivered.sync("invoices")
    found = problem(delivered, "totals_differ")
    for figure in ("RND-1", "USD 1,130.00", "1,129.94", "0.06 less", "USD 0.05"):
        assert figure in found.text
    assert "rounding_tolerance" in found.fix
    assert delivered.bills("RND-1") == []
    assert entries(delivered, delivered.record("RND-1")) == []
    file(rounding_tolerance="{USD: 0.06}")
    delivered.sync("invoices")
    assert len(delivered.bills("RND-1")) == 1
    assert "totals_differ" not in causes(delivered)


def test_nothing_is_adjusted_unless_somebody_says_so(delivered):  # R22, R23
    off_by(delivered, "RND-1", "130.00", "-0.01")
    delivered.sync("invoices")
    assert "USD 0.00" in problem(delivered, "totals_differ").text
    assert delivered.bills("RND-1") == []


def test_a_tolerance_for_one_currency_is_none_for_another(delivered, file):  # R23, R24
    file(rounding_tolerance="{EUR: 0.05}", rounding_account=ACCOUNT)
    off_by(delivered, "RND-1", "130.00", "-0.01")
    delivered.sync("invoices")
    assert "USD 0.00" in problem(delivered, "totals_differ").text


def test_a_document_without_lines_is_never_all_rounding(delivered, file):  # R22, R23
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    post(delivered, "RND-1", "0.04")
    [row] = [row for row in delivered.syspro.state("ApJnlDistrib") if row["DistrValue"] == Decimal("0.04")]
    remove(delivered, "ApJnlDistrib", row)
    delivered.sync("invoices")
    assert "0.04 less" in problem(delivered, "totals_differ").text
    assert delivered.bills("RND-1") == []


def test_a_tolerance_without_an_account_is_refused_at_its_line(empty, file):  # R23
    with pytest.raises(ConfigurationRefused) as refused:
        file(highest_amount="250000.00", rounding_tolerance="{USD: 0.05}")
    text = str(refused.value)
    assert "rounding.yaml:6: integrations.bench.policies.rounding_tolerance needs rounding_account" in text
    assert "account that rounding differences are coded to" in text
    assert text.endswith("Nothing was changed.")
    empty.integration.refresh_from_db()
    assert empty.integration.policies == {}


def test_an_account_that_is_still_needed_cannot_be_taken_out(empty, file):  # R23
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    with pytest.raises(ConfigurationRefused, match=r"yaml:5: .*rounding_account is needed by rounding_tolerance"):
        file(rounding_account="~")
    file(rounding_account="~", rounding_tolerance="~")
    empty.integration.refresh_from_db()
    assert empty.integration.policies == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{USD: 0.005}", "must be an amount of USD above zero, such as 0.01"),
        ("{JPY: 0.5}", "must be an amount of JPY above zero, such as 1"),
        ("{USD: 0}", "above zero"),
        ("{USD: -0.05}", "above zero"),
        ("{USD: .nan}", "above zero"),
        ("{USD: [0.05]}", "above zero"),
        ("{usd: 0.05}", "is no ISO 4217 currency code"),
        ("0.05", "must hold names and values"),
    ],
)
def test_a_tolerance_is_money(empty, file, given, said):  # R23, R24
    with pytest.raises(ConfigurationRefused) as refused:
        file(rounding_tolerance=given, rounding_account=ACCOUNT)
    assert "rounding.yaml:5: integrations.bench.policies.rounding_tolerance" in str(refused.value)
    assert said in str(refused.value)


def test_a_flow_may_round_otherwise_than_its_integration(delivered, file, tmp_path):
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    path = tmp_path / "flow.yaml"
    path.write_text(
        "workspace: acme\nintegrations: {bench: {flows: {invoices: {policies: {rounding_tolerance: {}}}}}}\n"
    )
    apply(path, actor="controller")
    off_by(delivered, "RND-1", "130.00", "-0.01")
    delivered.sync("invoices")
    assert "USD 0.00" in problem(delivered, "totals_differ").text
    exported = yaml.safe_load(export(delivered.workspace))["integrations"]["bench"]
    assert exported["policies"] == {"rounding_tolerance": {"USD": "0.05"}, "rounding_account": ACCOUNT}
    assert exported["flows"]["invoices"]["policies"] == {"rounding_tolerance": {}}


def test_an_unmapped_rounding_account_is_a_problem_like_any_other(delivered, file):  # R23, R49
    file(rounding_tolerance="{USD: 0.05}", rounding_account="10-6999")
    off_by(delivered, "RND-1", "130.00", "-0.01")
    delivered.sync("invoices")
    assert ("unmapped_code", "HU-2201, RND-1") in delivered.problems()
    assert delivered.bills("RND-1") == []
    target = account(delivered, ACCOUNT)["id"]
    mappings.set_entries(delivered.integration, "gl_account", {"10-6999": target}, actor="clerk")
    delivered.sync("invoices")
    assert lines(delivered.bills("RND-1")[0])[1] == (Decimal("0.01"), target)


def test_an_archived_rounding_account_is_a_problem_like_any_other(delivered, file):  # R23, R49
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    off_by(delivered, "RND-1", "130.00", "-0.01")
    delivered.bill.edit("chart-of-accounts", {"id": account(delivered, ACCOUNT)["id"], "archived": True})
    delivered.later(minutes=20)
    delivered.sync("accounts", "invoices")
    assert ("code_not_postable", "ELC1001, RND-1") in delivered.problems()
    assert delivered.bills("RND-1") == []


def test_a_second_run_a_replay_and_the_tie_out_find_nothing_to_do(delivered, file):  # R10, R23
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    before = tie_out(delivered.integration)
    off_by(delivered, "RND-1", "130.00", "0.03")
    delivered.sync()
    assert_quiet(delivered)
    record = delivered.record("RND-1")
    replay(delivered.workspace, [record.pk], actor="clerk")
    assert_quiet(delivered)
    assert len(delivered.bills("RND-1")) == len(entries(delivered, record)) == 1
    after = tie_out(delivered.integration)
    open_before, open_after = totals(before, "USD"), totals(after, "USD")
    assert open_after == (open_before[0] + 130, open_before[1] + 130, open_before[2])


def totals(report: Any, currency: str) -> tuple[Decimal, Decimal, Decimal]:
    """What is open in SYSPRO and in BILL, and what of their difference is not explained."""
    [row] = [row for row in report.totals if row.currency == currency]
    return row.source, row.target, row.unexplained


def test_a_lost_answer_is_settled_with_the_rounding_line_in_it(delivered, file):  # R3, R23
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    off_by(delivered, "RND-1", "130.00", "-0.05")
    match = {"method": "POST", "path": "/v3/bills"}
    delivered.bill.faults([{"match": match, "times": 1, "do": "commit_then_reset"}])
    delivered.settle("invoices")
    [bill] = delivered.bills("RND-1")
    assert [amount for amount, _ in lines(bill)] == [Decimal("129.95"), Decimal("0.05")]
    assert delivered.record("RND-1").state == "confirmed"


def test_a_bill_typed_by_hand_gets_the_line_once(delivered, file):  # R23, R40
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    typed_by_hand(delivered, "RND-1", "130.00")
    off_by(delivered, "RND-1", "130.00", "-0.05")
    delivered.sync("invoices")
    [bill] = delivered.bills("RND-1")
    assert [amount for amount, _ in lines(bill)] == [Decimal("129.95"), Decimal("0.05")]
    assert len(entries(delivered, delivered.record("RND-1"))) == 1
    assert_quiet(delivered)


def test_the_line_goes_when_the_source_is_corrected(delivered, file):  # R23
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    right = off_by(delivered, "RND-1", "130.00", "-0.05")
    delivered.sync("invoices")
    first = delivered.bills("RND-1")[0]["id"]
    delivered.syspro.edit("ApJnlDistrib", right)
    delivered.sync("invoices")
    [bill] = delivered.bills("RND-1")
    assert bill["id"] == first
    assert [amount for amount, _ in lines(bill)] == [Decimal("130.00")]
    assert Decimal(str(bill["amount"])) == Decimal("130.00")
    record = delivered.record("RND-1")
    sent = Attempt.objects.of(delivered.workspace).filter(record=record).order_by("-pk").first()
    assert sent is not None
    assert len(decode("invoice", bytes(sent.request)).lines) == 1
    assert len(entries(delivered, record)) == 1
    assert_quiet(delivered)


def test_a_rounded_bill_is_archived_when_its_invoice_is_reversed(delivered, file):  # R23
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    off_by(delivered, "RND-1", "130.00", "-0.05")
    delivered.sync("invoices")
    delivered.syspro.edit("actions", {"do": "reverse", "supplier": "ELC001", "invoice": "RND-1"})
    delivered.sync("invoices")
    assert delivered.bills("RND-1")[0]["archived"] is True
    assert len(entries(delivered, delivered.record("RND-1"))) == 1
    assert_quiet(delivered)


def test_a_header_that_moves_within_the_tolerance_amends_the_line(delivered, file):  # R23
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    off_by(delivered, "RND-1", "130.00", "-0.05")
    delivered.sync("invoices")
    change(delivered, "RND-1", OrigInvValue=Decimal("129.93"), MthInvBal1=Decimal("129.93"))
    delivered.sync("invoices")
    [bill] = delivered.bills("RND-1")
    assert [amount for amount, _ in lines(bill)] == [Decimal("129.95"), Decimal("-0.02")]
    assert Decimal(str(bill["amount"])) == Decimal("129.93")
    assert [entry["amount"] for entry in entries(delivered, delivered.record("RND-1"))] == ["0.05", "-0.02"]
    assert_quiet(delivered)


def test_a_credit_note_is_rounded_in_its_own_direction(delivered, file):  # R23, R26
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    correct(delivered, "credit", "ELC-1002", "41.00")
    mistype(delivered, "41.00", "-0.02")
    correct(delivered, "credit", "ELC-1002", "43.00")
    mistype(delivered, "43.00", "0.01")
    delivered.sync("credit_notes")
    credits = {
        Decimal(str(row["amount"])): [amount for amount, _ in lines(row, "vendorCreditLineItems")]
        for row in delivered.bill.state("vendor-credits")
    }
    assert credits[Decimal("41.00")] == [Decimal("40.98"), Decimal("0.02")]
    assert credits[Decimal("43.00")] == [Decimal("43.01"), Decimal("-0.01")]
    assert_quiet(delivered)


@pytest.mark.parametrize(
    ("currency", "tolerance", "gross", "by", "expected"),
    [
        ("JPY", "5", "13000", "-5", [12995, 5]),
        ("JPY", "5", "13000", "6", None),
        ("KWD", "0.020", "130.00", "-0.02", [Decimal("129.98"), Decimal("0.02")]),
        ("KWD", "0.020", "130.00", "-0.03", None),
    ],
)
def test_each_currency_has_its_own_tolerance_in_its_own_units(
    workspace, file, currency, tolerance, gross, by, expected
):  # R23, R24
    with base_pair(workspace, distribution_currency="invoice") as pair:
        file(rounding_tolerance=f"{{USD: 0.01, {currency}: {tolerance}}}", rounding_account=ACCOUNT)
        pair.map_accounts()
        pair.syspro.edit("TblCurrency", {"Currency": currency, "Description": currency, "BuyExchangeRate": 1})
        supplier(pair, "ELC001", Currency=currency)
        off_by(pair, "RND-1", gross, by)
        pair.sync()
        assert vendor(pair, "ELC001")["billCurrency"] == currency
        bills = pair.bills("RND-1")
        assert [[amount for amount, _ in lines(bill)] for bill in bills] == ([expected] if expected else [])
        if not expected:
            [found] = held_for(pair.record("RND-1"))
            assert f"{currency} {tolerance}" in found.text
            return
        assert Decimal(str(bills[0]["amount"])) == Decimal(gross)
        assert_quiet(pair)


def test_rows_in_the_companys_currency_are_not_taken_for_the_documents(delivered, file):  # R23, R25
    file(rounding_tolerance="{EUR: 100.00}", rounding_account=ACCOUNT)
    rate = Decimal("1.08")
    delivered.syspro.edit(
        "actions",
        {
            "do": "post_invoice", "supplier": "NOR002", "invoice": "RND-E",
            "lines": [{"account": "10-6100", "amount": Decimal("100.00")}],
        },
    )  # fmt: skip
    mistype(delivered, str(100 * rate), "-7.00")
    delivered.sync("invoices")
    assert delivered.bills("RND-E") == []
    assert "RND-E" in problem(delivered, "totals_differ").text


def test_a_rounded_document_is_still_searched_for_its_twin(delivered, file):  # R23, R39
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    off_by(delivered, "RND-1", "130.00", "-0.05")
    delivered.sync("invoices")
    off_by(delivered, "RND1", "130.00", "-0.05")
    delivered.sync("invoices")
    assert ("duplicate_invoice", "RND1") in delivered.problems()
    assert delivered.bills("RND1") == []


def test_a_person_may_skip_what_is_above_the_tolerance(delivered, file):  # R23
    file(rounding_tolerance="{USD: 0.05}", rounding_account=ACCOUNT)
    off_by(delivered, "RND-1", "130.00", "-1.00")
    delivered.sync("invoices")
    solve(problem(delivered, "totals_differ"), "skip", "Entered in BILL by hand.", actor="clerk")
    delivered.sync("invoices")
    assert delivered.record("RND-1").state == "skipped"
    assert Flow.objects.of(delivered.workspace).get(name="invoices").policies == {}
