"""The tables of the SYSPRO stand-in stay in agreement with each other, whatever is done to them."""

import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from ml_connector import sandbox
from ml_connector.sandbox.http import decode

DATA = Path(sandbox.__file__).parent / "data"
MONDAY = "2026-11-16T12:00:00Z"


@pytest.fixture(scope="module")
def base_set():
    return decode((DATA / "base_set.syspro.json").read_bytes())


@pytest.fixture
def syspro(base_set):
    with sandbox.start("syspro", data=base_set) as stand_in:
        stand_in.clock(now=MONDAY, running=False)
        yield stand_in


def invoice(syspro, number):
    return next(row for row in syspro.state("ApInvoice") if row["Invoice"] == number)


def postings(syspro, number):
    """Summary rows of an invoice, each with its distribution."""
    lines = defaultdict(list)
    for row in syspro.state("ApJnlDistrib"):
        lines[row["TrnYear"], row["TrnMonth"], row["Journal"], row["EntryNumber"]].append(row)
    return [
        (row, lines[row["TrnYear"], row["TrnMonth"], row["Journal"], row["EntryNumber"]])
        for row in syspro.state("ApJnlSummary")
        if row["Invoice"] == number
    ]


def assert_consistent(syspro):
    """Distribution adds up to the document; value, adjustments, credits and payments to the balance."""
    lines, summaries, settled = defaultdict(Decimal), defaultdict(list), defaultdict(Decimal)
    rates = {row["Currency"]: (row["BuyExchangeRate"], row["BuyMulDiv"]) for row in syspro.state("TblCurrency")}
    for row in syspro.state("ApJnlDistrib"):
        lines[row["TrnYear"], row["TrnMonth"], row["Journal"], row["EntryNumber"]] += row["DistrValue"]
    for row in syspro.state("ApJnlSummary"):
        summaries[row["Supplier"], row["Invoice"]].append(row)
    for row in syspro.state("ApInvoicePay"):
        sign = {"A": 1, "D": 1, "P": -1, "C": -1}[row["TrnType"]]
        settled[row["Supplier"], row["Invoice"]] += sign * row["TrnValue"]
    invoices = syspro.state("ApInvoice")
    assert {(row["Supplier"], row["Invoice"]) for row in invoices} == set(summaries)
    for row in invoices:
        key = row["Supplier"], row["Invoice"]
        rate, mul_div = rates[row["Currency"]]
        for posted in summaries[key]:
            local = posted["InvoiceValue"] * rate if mul_div == "M" else posted["InvoiceValue"] / rate
            entry = posted["TrnYear"], posted["TrnMonth"], posted["Journal"], posted["EntryNumber"]
            assert lines[entry] == local.quantize(Decimal("0.01"))
        assert row["OrigInvValue"] == next(p["InvoiceValue"] for p in summaries[key] if p["TransactionCode"] == "I")
        assert row["MthInvBal1"] == row["OrigInvValue"] + settled[key]
        assert (row["YearInvBalZero"] > 0) == (row["MthInvBal1"] == 0)


# --- the base set ----------------------------------------------------------------------------------------


def test_the_base_set_has_its_control_totals(syspro):
    invoices = syspro.state("ApInvoice")
    assert len(syspro.state("ApSupplier")) == len(syspro.state("ApSupplierAddr")) == 5
    assert len(invoices) == 11
    dollars = sum(row["OrigInvValue"] for row in invoices if row["Currency"] == "USD")
    assert dollars == Decimal("7306.19")
    assert sum(row["MthInvBal1"] for row in invoices if row["Currency"] == "USD") == Decimal("7231.19")
    assert [row["OrigInvValue"] for row in invoices if row["Currency"] == "EUR"] == [Decimal("2500.00")]
    held = {row["Supplier"] for row in syspro.state("ApSupplier") if row["OnHold"] == "Y"}
    assert held == {"TRN004"}
    blocked = [r["MthInvBal1"] for r in invoices if r["Invoice"] in {"TF-90", "HU-2201", "ELC1001"}]
    assert sum(blocked) == Decimal("2238.40")


def test_the_base_set_adds_up(syspro):
    assert_consistent(syspro)


def test_the_credit_note_is_a_transaction_on_its_invoice(syspro):
    (first, _), (credit, lines) = postings(syspro, "PK-500")
    assert (first["TransactionCode"], credit["TransactionCode"]) == ("I", "C")
    assert [(line["ExpenseGlCode"], line["DistrValue"]) for line in lines] == [("10-6200", Decimal("75.00"))]
    assert invoice(syspro, "PK-500")["MthInvBal1"] == Decimal("600.00")


def test_the_foreign_invoice_is_distributed_in_local_currency(syspro):
    [(summary, lines)] = postings(syspro, "NK-77")
    assert summary["InvoiceValue"] == Decimal("2500.00")
    assert [line["DistrValue"] for line in lines] == [Decimal("2160.00"), Decimal("540.00")]


def test_the_back_dated_and_the_twice_entered_document_come_in_late(syspro):
    assert invoice(syspro, "HU-2202")["InvoiceDate"] == "2026-09-30"
    assert invoice(syspro, "HU-2202")["JournalDate"] == "2026-11-14"
    assert invoice(syspro, "ELC1001")["Journal"] > invoice(syspro, "ELC-1001")["Journal"]
    assert max(row["JournalDate"] for row in syspro.state("ApInvoice")) == "2026-11-16"


def test_the_cost_centers_are_a_segment_of_the_ledger_code(syspro):
    [(_, lines)] = postings(syspro, "HU-2203")
    codes = [line["ExpenseGlCode"] for line in lines]
    assert syspro.settings["cost_centre_source"] == "segment(9,3,-)"
    assert [(code[:7], code[8:11]) for code in codes] == [("10-6400", "WH1"), ("10-6400", "WH2")]
    ledger = {row["GlCode"] for row in syspro.state("GenMaster")}
    assert {line["ExpenseGlCode"] for line in syspro.state("ApJnlDistrib")} <= ledger
    assert [row["AnalysisCode"] for row in syspro.state("GenAnalysisCode")] == ["WH1", "WH2"]


def test_the_other_side_has_every_account_but_the_sundry_one(base_set):
    bill = json.loads((DATA / "base_set.bill.json").read_text())
    numbers = {row["account"]["number"] for row in bill["chart-of-accounts"]}
    ledger = {row["GlCode"][:7] for row in base_set["GenMaster"]}
    assert ledger - numbers == {"10-6999"}
    assert [row["shortName"] for row in bill["departments"]] == ["WH1", "WH2"]
    assert [row["name"] for row in bill["vendors"]] == ["Hydra Utilities, Inc."]


# --- what people do --------------------------------------------------------------------------------------


def test_an_invoice_is_posted_with_summary_and_distribution_on_the_companys_date(syspro):
    syspro.clock(now="2026-11-17T04:00:00Z", running=False)  # still the 16th in Chicago
    lines = [{"account": "10-6100", "amount": 100.10}, {"account": "10-6200", "amount": 0.9}]
    action = {"do": "post_invoice", "supplier": "NOR002", "invoice": "NK-78", "lines": lines}
    syspro.edit("actions", action)
    posted = invoice(syspro, "NK-78")
    assert (posted["JournalDate"], posted["DueDate"]) == ("2026-11-16", "2026-12-16")
    assert posted["Journal"] == 1047
    assert posted["OrigInvValue"] == posted["MthInvBal1"] == Decimal("101.00")
    assert_consistent(syspro)
    with pytest.raises(sandbox.BadInput, match="already has invoice NK-78"):
        syspro.edit("actions", action)


def test_a_reversal_leaves_nothing_open_and_says_so_in_the_adjustments(syspro):
    for supplier, number in (("ELC001", "ELC-1004"), ("NOR002", "NK-77")):
        syspro.edit("actions", {"do": "reverse", "supplier": supplier, "invoice": number})
        row = invoice(syspro, number)
        assert row["OrigInvValue"] + row["TotalAdjustments"] == row["MthInvBal1"] == 0
        assert (row["YearInvBalZero"], row["MonthInvBalZero"]) == (2026, 11)
        assert [p["TransactionCode"] for p, _ in postings(syspro, number)] == ["I", "A"]
    assert_consistent(syspro)


def test_a_manual_cheque_pays_in_part_and_leaves_a_payment_row(syspro):
    syspro.edit(
        "actions", {"do": "manual_cheque", "supplier": "PAK003", "invoice": "PK-502", "amount": Decimal("250.00")}
    )
    assert invoice(syspro, "PK-502")["MthInvBal1"] == Decimal("750.00")
    pay = syspro.state("ApInvoicePay")[-1]
    assert (pay["TrnType"], pay["TrnValue"], pay["JournalDate"]) == ("P", Decimal("250.00"), "2026-11-16")
    run = syspro.state("ApPayRunDet")[-1]
    assert (run["Invoice"], run["PaymentNumber"]) == ("PK-502", pay["PaymentNumber"])
    assert_consistent(syspro)


@pytest.mark.parametrize(
    ("do", "amount", "balance"),
    [("credit", "10.00", "190.00"), ("debit", "10.00", "210.00"), ("adjust", "-10.00", "190.00")],
)
def test_corrections_move_the_balance_of_their_invoice(syspro, do, amount, balance):
    line = {"account": "10-6400", "amount": Decimal(amount)}
    syspro.edit("ApInvoice", {"Supplier": "HYD005", "Invoice": "HU-2202", "Reference": "seen"})
    syspro.edit("actions", {"do": do, "supplier": "HYD005", "invoice": "HU-2202", "lines": [line]})
    row = invoice(syspro, "HU-2202")
    assert row["MthInvBal1"] == Decimal(balance) - Decimal("0.40")
    assert row["TotalAdjustments"] == (Decimal("-10.00") if do == "adjust" else 0)
    assert_consistent(syspro)


def test_a_supplier_changes_in_both_of_its_tables(syspro):
    columns = {"Telephone": "+1 312 555 9999", "SupAddr1": "2 Waterworks Plaza"}
    syspro.edit("actions", {"do": "change_supplier", "supplier": "HYD005", "columns": columns})
    supplier = next(row for row in syspro.state("ApSupplier") if row["Supplier"] == "HYD005")
    address = next(row for row in syspro.state("ApSupplierAddr") if row["Supplier"] == "HYD005")
    assert (supplier["Telephone"], address["SupAddr1"]) == ("+1 312 555 9999", "2 Waterworks Plaza")


def test_every_write_raises_the_rowversion(syspro):
    before = max(row["TimeStamp"] for table in ("ApSupplier", "GenMaster") for row in syspro.state(table))
    syspro.edit("ApSupplier", {"Supplier": "ELC001", "Contact": "Someone"})
    rows = {row["Supplier"]: row["TimeStamp"] for row in syspro.state("ApSupplier")}
    assert rows["ELC001"] > before
    assert max(rows.values()) == rows["ELC001"]


@pytest.mark.parametrize(
    ("table", "row", "text"),
    [
        ("ApSupplier", {"Supplier": "ELC001", "SupplierNme": "x"}, "has no column SupplierNme"),
        ("ApSupplier", {"SupplierName": "x"}, "Supplier is missing"),
        ("ApSupplier", {"Supplier": "ELC001", "SupplierName": "x" * 51}, "longer than 50"),
        ("ApSupplier", {"Supplier": "ELC001", "SupplierName": "日本"}, "Windows-1252"),
        ("ApInvoice", {"Supplier": "a", "Invoice": "b", "OrigInvValue": Decimal("1.005")}, "2 decimals"),
        ("actions", {"do": "post_invoce"}, "post_invoce"),
        (
            "actions",
            {"do": "credit", "supplier": "PAK003", "invoice": "PK-500", "lines": [{"account": "99", "amount": 1}]},
            "ledger code '99'",
        ),
        (
            "actions",
            {"do": "post_invoice", "supplier": "PAK003", "invoice": "x" * 21, "lines": []},
            "longer than 20",
        ),
        ("actions", {"do": "reverse", "supplier": "ELC001", "invoice": "none"}, "no invoice 'none'"),
    ],
)
def test_an_edit_that_the_tables_cannot_hold_says_why(syspro, table, row, text):
    with pytest.raises(sandbox.BadInput, match=text):
        syspro.edit(table, row)


def test_a_row_can_vanish(syspro):
    syspro.edit("ApSupplier", {"Supplier": "TRN004", "_delete": True})
    assert len(syspro.state("ApSupplier")) == 4


# --- the seeded company ----------------------------------------------------------------------------------


def test_the_seeded_company_adds_up_and_is_the_same_for_the_same_seed():
    first, again = (sandbox.start("syspro", seed=3, options={"invoices": 500}) for _ in range(2))
    with first, again:
        assert_consistent(first)
        for table in ("ApSupplier", "ApInvoice", "ApInvoicePay", "ApJnlDistrib", "GenMaster"):
            assert first.state(table) == again.state(table)
        assert first.secrets == again.secrets


def test_the_seeded_ledger_is_postable_but_for_control_held_and_template_accounts():
    with sandbox.start("syspro", seed=1) as syspro:
        ledger = {row["GlCode"]: row for row in syspro.state("GenMaster")}
        used = {row["ExpenseGlCode"] for row in syspro.state("ApJnlDistrib")}
        assert len(syspro.state("ApInvoice")) == 2000
        assert all(ledger[code]["AccOnHldFlag"] == ledger[code]["ControlAccFlag"] == "N" for code in used)
        assert any(len(code) == len("10-6400-WH1") for code in used)
        assert sum(row["AccOnHldFlag"] == "Y" for row in ledger.values()) == 1
