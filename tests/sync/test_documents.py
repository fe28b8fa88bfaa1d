"""What a document must be before it travels; nothing is adjusted or cut silently (R22 to R31)."""

from __future__ import annotations

from decimal import Decimal

from ml_connector.domain.records import Invoice, Supplier, decode
from ml_connector.integrations.base import Side
from ml_connector.sync import leases, mappings
from ml_connector.sync.models import Attempt, Record, Run, RunKind
from ml_connector.sync.stage import encoded, stage
from ml_connector.systems.base import Item, Page
from tests.sync.acts import causes, change, correct, post, problem, supplier, vendor
from tests.sync.pair import Pair

PUSH = RunKind.PUSH


def value(pair: Pair, number: str) -> Invoice:
    return decode("invoice", bytes(pair.record(number).payload))


def stage_by_hand(pair: Pair, flow_name: str, *items: Item) -> None:
    """Stages what no stand-in would give."""
    flow = pair.flow(flow_name)
    with leases.held(pair.erp.pk, "test") as lease:
        run = Run.objects.create(
            workspace=pair.workspace, flow=flow, connection=pair.erp, kind=RunKind.PULL, fence=lease.fence,
            started_at="2026-11-16T12:00:00Z",
        )  # fmt: skip
        stage(flow, [encoded(Page(list(items), None, "0" * 64))], run, lease)


def test_an_invoice_that_does_not_add_up_waits_until_it_is_corrected(delivered):  # R22
    post(delivered, "SUM-1", "130.00")
    rows = [row for row in delivered.syspro.state("ApJnlDistrib") if row["DistrValue"] == Decimal("130.00")]
    delivered.syspro.edit("ApJnlDistrib", {**rows[0], "DistrValue": Decimal("100.00")})
    delivered.sync("invoices")
    text = problem(delivered, "totals_differ").text
    assert "SUM-1" in text
    assert "30.00" in text
    assert delivered.bills("SUM-1") == []
    delivered.syspro.edit("ApJnlDistrib", rows[0])
    delivered.sync("invoices")
    assert Decimal(str(delivered.bills("SUM-1")[0]["amount"])) == Decimal("130.00")
    assert "totals_differ" not in causes(delivered)


def test_a_foreign_invoice_carries_its_rate_and_agrees_with_what_was_posted(delivered):  # R24, R25
    invoice = value(delivered, "NK-77")
    assert (invoice.currency, invoice.gross, invoice.base_gross) == ("EUR", Decimal(2500), Decimal(2700))
    assert (invoice.rate, invoice.rate_source, str(invoice.rate_date)) == (Decimal("1.08"), "SYSPRO", "2026-11-09")
    assert invoice.base_difference() == 0
    assert vendor(delivered, "NOR002")["billCurrency"] == "EUR"


def test_a_currency_that_is_not_its_suppliers_is_held_before_any_request(delivered):  # R25
    post(delivered, "CUR-1")
    change(delivered, "CUR-1", Currency="EUR", ConvRate=Decimal(1), ExchangeRate=Decimal(1))
    before = delivered.writes(Side.PLATFORM)
    delivered.sync("invoices")
    text = problem(delivered, "currency_not_allowed").text
    assert "CUR-1" in text
    assert "EUR" in text
    assert delivered.writes(Side.PLATFORM) == before
    change(delivered, "CUR-1", Currency="USD")
    delivered.sync("invoices")
    assert len(delivered.bills("CUR-1")) == 1


def test_the_currency_that_bill_keeps_a_vendor_in_counts(mapped):  # R25
    mapped.bill.edit("vendors", {"id": vendor(mapped, "PAK003")["id"], "billCurrency": "CAD"})
    mapped.later(minutes=1)
    mapped.sync("suppliers")
    mapped.run("invoices", RunKind.PULL)
    mapped.run("invoices", PUSH)
    assert "CAD" in problem(mapped, "currency_not_allowed").text
    assert mapped.record("PK-500").state == "blocked"
    assert mapped.bills("PK-500") == []
    assert not Attempt.objects.of(mapped.workspace).filter(record__number="PK-500").exists()


def test_a_credit_note_is_positive_on_both_sides_and_waits_for_its_invoice(delivered):  # R26, R27
    post(delivered, "CRD-1", "300.00", account="10-6999")
    correct(delivered, "credit", "CRD-1", "40.00")
    delivered.sync("invoices", "credit_notes")
    credit = Record.objects.of(delivered.workspace).get(flow__name="credit_notes", number__startswith="CRD-1")
    assert credit.state == "blocked"
    held = problem(delivered, "credit_without_invoice")
    assert "CRD-1" in held.text
    assert len(delivered.bill.state("vendor-credits")) == 1

    found = delivered.bill.edit(
        "chart-of-accounts", {"name": "Sundry", "account": {"number": "10-6999", "type": "EXPENSE"}, "archived": False}
    )
    delivered.run("accounts", PUSH)
    mappings.set_entries(delivered.integration, "gl_account", {"10-6999": found[0]["id"]}, actor="clerk")
    delivered.sync("invoices", "credit_notes")
    assert len(delivered.bills("CRD-1")) == 1
    amounts = [Decimal(str(row["amount"])) for row in delivered.bill.state("vendor-credits")]
    assert sorted(amounts) == [40, 75]
    sent = decode("invoice", bytes(Attempt.objects.of(delivered.workspace).get(record=credit).request))
    assert (sent.kind, sent.gross, [line.amount for line in sent.lines]) == ("credit_note", 40, [40])


def test_what_is_too_long_or_too_much_is_held_with_a_reason_and_never_cut(delivered):  # R31
    number = "LONG-NUMBER-OF-20-CH"
    post(delivered, number)
    correct(delivered, "debit", number, "10.00")
    delivered.integration.policies = {"highest_amount": "5000.00"}
    delivered.integration.save(update_fields=["policies"])
    post(delivered, "MUCH-1", "5000.01")
    post(delivered, "MUCH-2", "5000.00")
    for _ in range(2):
        delivered.sync("invoices")
    assert len(delivered.bills(number)) == len(delivered.bills("MUCH-2")) == 1
    longer = problem(delivered, "number_too_long")
    assert "21" in longer.text
    assert number in longer.text
    assert "5,000.00" in problem(delivered, "amount_too_large").text
    numbers = [bill["invoice"]["invoiceNumber"] for bill in delivered.bills()]
    assert [n for n in numbers if n.startswith("LONG")] == [number]
    tries = Attempt.objects.of(delivered.workspace).count()
    delivered.sync("invoices")
    assert Attempt.objects.of(delivered.workspace).count() == tries, "what was refused is not tried again blindly"

    delivered.integration.policies = {}
    delivered.integration.save(update_fields=["policies"])
    delivered.sync("invoices")
    assert len(delivered.bills("MUCH-1")) == 1


def test_a_name_of_fifty_letters_travels_whole_and_one_of_a_hundred_and_one_does_not(mapped):  # R31
    longest = "Electra Components and Contactor Works of Illinois"
    assert len(longest) == 50
    supplier(mapped, "ELC001", SupplierName=longest)
    too_long = Supplier(code="WIDE", name="W" * 101)
    stage_by_hand(mapped, "suppliers", Item("WIDE", too_long))
    mapped.sync("suppliers")
    assert vendor(mapped, "ELC001")["name"] == longest
    held = problem(mapped, "field_too_long")
    assert "101" in held.text
    assert "WIDE" in held.text
    assert all(not row["name"].startswith("WWW") for row in mapped.bill.state("vendors"))
