"""Supplier invoices and corrections posted to the SYSPRO stand-in by APSTIN."""

from decimal import Decimal

import pytest
from tests.sandbox.syspro_client import Client, said, text

from ml_connector import sandbox

MONDAY = "2026-11-16T12:00:00Z"


@pytest.fixture
def syspro():
    with sandbox.start("syspro", options={"base_set": "bill"}) as stand_in:
        stand_in.clock(now=MONDAY, running=False)
        yield stand_in


@pytest.fixture
def enet(syspro):
    client = Client(syspro).logon()
    yield client
    client.close()


def document(**other):
    """An invoice of Pakko over 675.00, or what is said otherwise."""
    lines = other.pop("lines", [("10-6200", "640.00"), ("10-6300", "35.00")])
    return {
        "Supplier": "PAK003",
        "TransactionCode": "I",
        "Invoice": "PK-600",
        "TransactionValue": "675.00",
        "TransactionReference": "mlcTEST",
        "InvoiceDate": "2026-11-12",
        **other,
        "LedgerDistribution": [
            {"LedgerCode": code, "LedgerNotation": "Goods", "LedgerValue": value} for code, value in lines
        ],
    }


def invoice(syspro, number):
    return next((row for row in syspro.state("ApInvoice") if row["Invoice"] == number), None)


def coded(syspro, journal):
    rows = [row for row in syspro.state("ApJnlDistrib") if row["Journal"] == journal]
    return [(row["ExpenseGlCode"], row["DistrValue"]) for row in rows]


# --- invoices --------------------------------------------------------------------------------------------


def test_an_invoice_goes_in_with_its_distribution_and_the_answer_has_its_journal(enet, syspro):
    answer = enet.post("APSTIN", document())
    assert answer.tag == "postapinvoice"
    key = answer.find("Item/Transaction/Key")
    assert [(one.tag, one.text) for one in key] == [
        ("TrnYear", "2026"),
        ("TrnMonth", "11"),
        ("Journal", "01047"),
        ("EntryNumber", "001"),
    ]
    assert [text(answer, f"Item/Transaction/{name}") for name in ("Supplier", "Invoice", "TransactionCode")] == [
        "PAK003",
        "PK-600",
        "I",
    ]
    assert (text(answer, "StatusOfItems/ItemsProcessed"), text(answer, "StatusOfItems/ItemsInvalid")) == ("000001", "")
    row = invoice(syspro, "PK-600")
    assert row["OrigInvValue"] == row["MthInvBal1"] == Decimal("675.00")
    assert (row["InvoiceDate"], row["JournalDate"], row["DueDate"]) == ("2026-11-12", "2026-11-16", "2026-12-12")
    assert (row["Reference"], row["Branch"], row["Currency"]) == ("mlcTEST", "10", "USD")
    assert coded(syspro, 1047) == [("10-6200", Decimal("640.00")), ("10-6300", Decimal("35.00"))]


def test_what_was_posted_is_read_back_by_comfnd_and_odata(enet):
    enet.post("APSTIN", document())
    assert enet.find("ApInvoice", "Invoice", "PK-600", "Supplier", "OrigInvValue") == [("PAK003", "675.00")]
    [row] = enet.odata("ApInvoice", "Supplier eq 'PAK003' and Invoice eq 'PK-600'")
    assert row["MthInvBal1"] == 675.00
    assert len(enet.odata("ApJnlDistrib", "Journal eq 1047")) == 2


def test_an_invoice_reaches_the_general_ledger_in_balance(enet, syspro):
    answer = enet.post("APSTIN", document(JournalNotation="From the platform"))
    assert text(answer, "StatusOfItems/GlJournal/GlJournal") == "00001"
    assert text(answer, "StatusOfItems/GlJournal/GlJournalError") == ""
    entries = syspro.state("GenTransaction")
    assert sum(row["EntryValue"] for row in entries) == 0
    assert {(row["GlCode"], row["EntryValue"]) for row in entries} == {
        ("10-6200", Decimal("640.00")),
        ("10-6300", Decimal("35.00")),
        ("10-2100", Decimal("-675.00")),
    }
    [control] = syspro.state("GenJournalCtl")
    assert (control["Source"], control["DebitAmount"], control["JnlStatus"]) == ("AP", Decimal("675.00"), "P")
    assert control["Notation"] == "From the platform"


def test_tax_apart_from_the_lines_is_booked_on_the_tax_codes_account(enet, syspro):
    lines = [("10-6100", "1200.00"), ("10-6200", "300.00")]
    taxed = {"TransactionValue": "1620.00", "TaxBasis": "E", "TaxCode": "A", "TaxValue": "120.00"}
    enet.post("APSTIN", document(lines=lines, **taxed))
    assert coded(syspro, 1047)[-1] == ("10-2250", Decimal("120.00"))
    assert invoice(syspro, "PK-600")["FirstTaxCode"] == "A"


def test_tax_within_the_lines_is_taken_out_of_them_to_the_cent(enet, syspro):
    lines = [("10-6100", "80.01"), ("10-6200", "20.02")]
    taxed = {"TransactionValue": "100.03", "TaxBasis": "I", "TaxCode": "A", "TaxValue": "7.41"}
    enet.post("APSTIN", document(lines=lines, **taxed))
    booked = coded(syspro, 1047)
    assert sum(value for _, value in booked) == Decimal("100.03")
    assert booked == [("10-6100", Decimal("74.08")), ("10-6200", Decimal("18.54")), ("10-2250", Decimal("7.41"))]


def test_tax_is_worked_out_or_held_against_the_variance_when_asked(enet, syspro):
    lines = [("10-6100", "100.00")]
    answer = enet.post(
        "APSTIN", document(lines=lines, TransactionValue="108.00", TaxCode="A"), AutomaticTaxCalculation="Y"
    )
    assert said(answer) == []
    assert coded(syspro, 1047)[-1] == ("10-2250", Decimal("8.00"))
    off = document(Invoice="PK-601", lines=lines, TransactionValue="108.10", TaxCode="A", TaxValue="8.10")
    answer = enet.post("APSTIN", off, AutomaticTaxCalculation="Y", PermissibleTaxVariance="0.05")
    assert [path for path, *_ in said(answer)] == ["TaxValue"]
    answer = enet.post("APSTIN", off, AutomaticTaxCalculation="Y", PermissibleTaxVariance="0.10")
    assert said(answer) == []


@pytest.mark.parametrize(
    ("style", "accepted"), [("either", "apart in_lines"), ("apart", "apart"), ("in_lines", "in_lines")]
)
def test_freight_comes_on_top_of_the_lines_or_within_them_as_the_site_has_it(enet, syspro, style, accepted):
    syspro.options({"freight_charge": style})
    for number, (name, lines) in enumerate(
        {"apart": [("10-6200", "640.00")], "in_lines": [("10-6200", "640.00"), ("10-6300", "35.00")]}.items()
    ):
        posted = document(Invoice=f"F-{number}", FreightCharge="35.00", lines=lines)
        answer = enet.post("APSTIN", posted)
        assert (said(answer) == []) == (name in accepted.split())
        if name == "apart" and name in accepted:
            assert coded(syspro, 1047) == [("10-6200", Decimal("640.00")), ("10-6300", Decimal("35.00"))]


def test_a_foreign_invoice_is_distributed_in_its_own_currency_when_asked(enet, syspro):
    lines = [("10-6100", "2000.00"), ("10-6300", "500.00")]
    foreign = document(Supplier="NOR002", TransactionValue="2500.00", lines=lines, ExchRateAtEntry="1.1")
    enet.post("APSTIN", foreign, LedgerDistributionCurrency="F")
    row = invoice(syspro, "PK-600")
    assert (row["Currency"], row["OrigInvValue"], row["ExchangeRate"]) == ("EUR", Decimal("2500.00"), Decimal("1.1"))
    assert coded(syspro, 1047) == [("10-6100", Decimal("2200.00")), ("10-6300", Decimal("550.00"))]


def test_a_foreign_invoice_is_distributed_in_local_currency_otherwise(enet, syspro):
    foreign = document(Supplier="NOR002", TransactionValue="2500.00", lines=[("10-6100", "2500.00")])
    [(path, kind, _)] = said(enet.post("APSTIN", foreign))
    assert (path, kind) == ("TransactionValue", "Error")
    foreign = document(Supplier="NOR002", TransactionValue="2500.00", lines=[("10-6100", "2700.00")])
    assert said(enet.post("APSTIN", foreign)) == []
    assert coded(syspro, 1047) == [("10-6100", Decimal("2700.00"))]


def test_each_item_is_an_entry_of_one_journal(enet):
    answer = enet.post("APSTIN", [document(), document(Invoice="PK-601"), document(Supplier="HYD005")])
    keys = [(text(key, "Journal"), text(key, "EntryNumber")) for key in answer.findall("Item/Transaction/Key")]
    assert keys == [("01047", "001"), ("01047", "002"), ("01047", "003")]


# --- what is wrong with an invoice -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Supplier": "NOBODY"}, "Supplier"),
        ({"Supplier": None}, "Supplier"),
        ({"Invoice": ""}, "Invoice"),
        ({"Invoice": "PK-500"}, "Invoice"),
        ({"Invoice": "P" * 21}, "Invoice"),
        ({"TransactionReference": "R" * 31}, "TransactionReference"),
        ({"TransactionCode": "V"}, "TransactionCode"),
        ({"TransactionValue": "675.01"}, "TransactionValue"),
        ({"TransactionValue": "six"}, "TransactionValue"),
        ({"TransactionValue": "-675.00"}, "TransactionValue"),
        ({"TransactionValue": "1000000000000.00"}, "TransactionValue"),
        ({"InvoiceDate": "12/11/2026"}, "InvoiceDate"),
        ({"InvoiceDate": "9999-12-31"}, "InvoiceDate"),
        ({"InvoiceDate": "0001-01-01"}, "InvoiceDate"),
        ({"DiscountDate": "soon"}, "DiscountDate"),
        ({"JournalNotation": "N" * 101}, "JournalNotation"),
        ({"Branch": "99"}, "Branch"),
        ({"TaxCode": "Q"}, "TaxCode"),
        ({"lines": [("10-7777", "675.00")]}, "LedgerDistribution/LedgerCode"),
        ({"lines": [("10-2100", "675.00")]}, "LedgerDistribution/LedgerCode"),
        ({"lines": [("10-6100", "675.001")]}, "LedgerDistribution/LedgerValue"),
        ({"lines": []}, "TransactionValue"),
    ],
)
def test_a_bad_field_carries_value_number_and_description_and_nothing_is_posted(enet, syspro, change, field):
    before = len(syspro.state("ApInvoice"))
    answer = enet.post("APSTIN", document(**change))
    item = answer.find("Item")
    assert field in [path for path, kind, _ in said(answer) if kind == "Error"]
    wrong = item.find(field)
    assert [one.tag for one in wrong] == ["Value", "ErrorNumber", "ErrorDescription"]
    assert int(wrong.findtext("ErrorNumber")) > 0
    assert text(answer, "StatusOfItems/ItemsInvalid") == "000001"
    assert item.find("Transaction") is None
    assert len(syspro.state("ApInvoice")) == before
    assert not [row for row in syspro.state("ApJnlSummary") if row["Journal"] > 1046]


def test_an_account_on_hold_or_in_want_of_analysis_takes_nothing(enet, syspro):
    syspro.edit("GenMaster", {"Company": "RIL", "GlCode": "10-6200", "AccOnHldFlag": "Y"})
    assert "on hold" in said(enet.post("APSTIN", document()))[0][2]
    syspro.edit("GenMaster", {"Company": "RIL", "GlCode": "10-6200", "AccOnHldFlag": "N", "AnalysisRequired": "Y"})
    assert "analysis" in said(enet.post("APSTIN", document()))[0][2]
    assert said(enet.post("APSTIN", document(), IgnoreAnalysis="Y")) == []


def test_an_element_that_nobody_knows_is_passed_over_in_silence(enet, syspro):
    answer = enet.post("APSTIN", document(InvoiceDte="2026-01-01", InvoiceDate=None))
    assert said(answer) == []
    assert invoice(syspro, "PK-600")["InvoiceDate"] == "2026-11-16"


def test_a_text_that_is_too_long_may_be_cut_in_silence(enet, syspro):
    syspro.options({"long_text": "cut"})
    assert said(enet.post("APSTIN", document(Invoice="P" * 25))) == []
    assert invoice(syspro, "P" * 20) is not None


def test_a_character_that_windows_1252_lacks_becomes_a_question_mark(enet, syspro):
    enet.post("APSTIN", document(TransactionReference="Größe 日"))
    assert invoice(syspro, "PK-600")["Reference"] == "Größe ?"


# --- periods ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("letter", "month", "balances"), [("C", 11, 1), ("P", 10, 2), ("B", 9, 3), ("", 11, 1)])
def test_the_period_is_current_previous_or_the_one_before(enet, syspro, letter, month, balances):
    enet.post("APSTIN", document(InvoiceDate="2026-01-31"), PostingPeriod=letter)
    row = invoice(syspro, "PK-600")
    assert (row["InvoiceYear"], row["InvoiceMonth"], row["InvoiceDate"]) == (2026, month, "2026-01-31")
    assert [row[f"MthInvBal{n}"] > 0 for n in (1, 2, 3)] == [n <= balances for n in (1, 2, 3)]


def test_a_closed_period_and_an_unknown_letter_are_refused(enet, syspro):
    syspro.edit("actions", {"do": "set_period", "year": 2026, "period": 10, "open": False})
    for letter in "PX":
        answer = enet.post("APSTIN", document(), PostingPeriod=letter)
        assert [(path, kind) for path, kind, _ in said(answer)] == [("PostingPeriod", "Error")]
    assert invoice(syspro, "PK-600") is None


# --- warnings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ignore", "posted", "told"), [("N", False, True), ("W", True, True), ("Y", True, False)])
def test_a_warning_rejects_is_told_or_is_not_looked_at(enet, syspro, ignore, posted, told):
    answer = enet.post("APSTIN", document(Supplier="TRN004"), IgnoreWarnings=ignore)
    assert (invoice(syspro, "PK-600") is not None) == posted
    assert bool(said(answer)) == told
    if told:
        assert "on hold" in answer.find("Item").findtext("WarningMessages/WarningMessage/WarningDescription")
        assert answer.find(".//ErrorDescription") is None
    assert text(answer, "StatusOfItems/ItemsInvalid") == ("" if posted else "000001")


@pytest.mark.parametrize(("how", "posted"), [("accept", True), ("warn", False), ("refuse", False)])
def test_an_invoice_of_a_supplier_on_hold_goes_as_the_site_has_it(enet, syspro, how, posted):
    syspro.options({"on_hold": {"APSTIN": how}})
    enet.post("APSTIN", document(Supplier="TRN004"))
    assert (invoice(syspro, "PK-600") is not None) == posted


# --- credit notes, debit notes, adjustments --------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "value", "balance", "adjusted"),
    [("C", "75.00", "525.00", "0.00"), ("D", "75.00", "675.00", "0.00"), ("A", "-75.00", "525.00", "-75.00")],
)
def test_a_correction_moves_the_balance_of_the_invoice_it_names(enet, syspro, code, value, balance, adjusted):
    correction = document(Invoice="PK-500", TransactionCode=code, TransactionValue=value, lines=[("10-6200", value)])
    answer = enet.post("APSTIN", correction)
    assert text(answer, "Item/Transaction/TransactionCode") == code
    row = invoice(syspro, "PK-500")
    assert (row["MthInvBal1"], row["TotalAdjustments"]) == (Decimal(balance), Decimal(adjusted))
    [pay] = [row for row in syspro.state("ApInvoicePay") if row["Journal"] == 1047]
    assert (pay["TrnType"], pay["TrnValue"], pay["PaymentReference"]) == (code, Decimal(value), "mlcTEST")
    [summary] = [row for row in syspro.state("ApJnlSummary") if row["Journal"] == 1047]
    assert (summary["TransactionCode"], summary["InvoiceValue"]) == (code, Decimal(value))
    sign = -1 if code == "C" else 1
    [booked] = [row for row in syspro.state("GenTransaction") if row["GlCode"] == "10-6200"]
    assert booked["EntryValue"] == sign * Decimal(value)


def test_a_credit_note_needs_an_invoice_that_is_there(enet):
    answer = enet.post("APSTIN", document(TransactionCode="C"))
    assert [(path, kind) for path, kind, _ in said(answer)] == [("Invoice", "Error")]


def test_an_adjustment_of_nothing_goes_in_only_when_asked(enet, syspro):
    nothing = document(Invoice="PK-500", TransactionCode="A", TransactionValue="0.00", lines=[("10-6200", "0.00")])
    assert [path for path, *_ in said(enet.post("APSTIN", nothing))] == ["TransactionValue"]
    assert said(enet.post("APSTIN", nothing, PostZeroAdjustments="Y")) == []


# --- the ledger ------------------------------------------------------------------------------------------


def test_a_failed_integration_leaves_the_invoice_posted_and_says_so(enet, syspro):
    syspro.options({"gl_integration": "fails"})
    answer = enet.post("APSTIN", document())
    assert text(answer, "StatusOfItems/GlJournal/GlJournalError") == "190001"
    assert text(answer, "StatusOfItems/GlJournal/GlJournalMessage")
    assert text(answer, "StatusOfItems/ItemsInvalid") == ""
    assert invoice(syspro, "PK-600") is not None
    assert syspro.state("GenTransaction") == []


def test_a_site_may_integrate_later_by_a_person(enet, syspro):
    syspro.options({"gl_integration": "later"})
    answer = enet.post("APSTIN", document())
    assert {one.text for one in answer.find("StatusOfItems/GlJournal")} == {None}
    later = {"do": "integrate", "year": 2026, "month": 11, "journal": 1047}
    syspro.edit("actions", later)
    assert sum(row["EntryValue"] for row in syspro.state("GenTransaction")) == 0
    with pytest.raises(sandbox.BadInput, match="already"):
        syspro.edit("actions", later)


def test_a_reference_may_get_lost(enet, syspro):
    syspro.options({"reference_lands": False})
    enet.post("APSTIN", document())
    assert invoice(syspro, "PK-600")["Reference"] == ""


def test_the_period_before_the_first_is_the_last_of_the_year_before(enet, syspro):
    turned = {"GlYear": 2027, "GlPeriod": 1, "CurYrPrdStat1": "O", "PrvYrPrdStat12": "O"}
    syspro.edit("GenControl", {"Company": "RIL", **turned})
    assert said(enet.post("APSTIN", document(), PostingPeriod="P")) == []
    row = invoice(syspro, "PK-600")
    assert (row["InvoiceYear"], row["InvoiceMonth"]) == (2026, 12)
    assert [row[f"MthInvBal{n}"] > 0 for n in (1, 2, 3)] == [True, True, False]
    assert [path for path, *_ in said(enet.post("APSTIN", document(Invoice="PK-601"), PostingPeriod="B"))] == [
        "PostingPeriod"
    ]
