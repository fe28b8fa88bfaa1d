"""Outgoing payments: partial and several, in both currencies, credit notes, refusals, cancelling."""

from decimal import Decimal

import pytest
from tests.sandbox.sapb1.conftest import CLEARING, invoice_body, line, payment_body, refusal

D = Decimal


@pytest.fixture(autouse=True)
def vendor(layer):
    return layer.vendor()


def balance(layer, code=CLEARING):
    return D(layer.read(f"ChartOfAccounts('{code}')", select="Balance")["Balance"])


def applied(entry, amount=None, **more):
    return {"DocEntry": entry, **({} if amount is None else {"SumApplied": amount}), **more}


def test_one_payment_settles_several_invoices_whole_and_in_part(layer):  # R28
    first, second = layer.invoice(1620)["DocEntry"], layer.invoice(913.19)["DocEntry"]
    reply = layer.payment(applied(first, 1620), applied(second, 500), total=2120)
    assert reply.status_code == 201
    assert reply.headers["location"].endswith("/VendorPayments(1)")
    assert [row["PaidSum"] for row in reply.json()["PaymentInvoices"]] == [1620, 500]
    assert layer.open_of(first) == (0, "bost_Close")
    assert layer.open_of(second) == (D("413.19"), "bost_Open")
    assert balance(layer) == -2120
    assert layer.payment(applied(second), total="413.19").status_code == 201, "without an amount all that is due"
    assert layer.open_of(second) == (0, "bost_Close")
    assert layer.read("BusinessPartners('PAK003')")["CurrentAccountBalance"] == 0


def test_it_is_found_again_by_its_reference(layer):  # R6
    entry = layer.invoice(50)["DocEntry"]
    layer.payment(applied(entry, 50), total=50, TransferReference="stp01ABCDEFGHIJKLMNO")
    wanted = "CardCode eq 'PAK003' and TransferReference eq 'stp01ABCDEFGHIJKLMNO' and Cancelled eq 'tNO'"
    (found,) = layer.rows("VendorPayments", filter=wanted)
    assert (found["TransferSum"], found["AuthorizationStatus"]) == (50, "pasWithout")
    assert found["PaymentInvoices"][0]["InvoiceType"] == "it_PurchaseInvoice"


def test_cancelling_opens_the_invoices_again(layer):  # R29
    entry = layer.invoice(199.60)["DocEntry"]
    number = layer.payment(applied(entry, 199.60), total=199.60).json()["DocEntry"]
    assert refusal(layer.post(f"PurchaseInvoices({entry})/Cancel"))[1] == -5002
    assert layer.post(f"VendorPayments({number})/Cancel").status_code == 204
    assert layer.read(f"VendorPayments({number})")["Cancelled"] == "tYES"
    assert layer.open_of(entry) == (D("199.6"), "bost_Open")
    assert balance(layer) == 0
    assert refusal(layer.post(f"VendorPayments({number})/Cancel"))[1] == -5002
    assert layer.open_of(entry) == (D("199.6"), "bost_Open")


def test_a_foreign_invoice_is_paid_at_the_payments_rate_and_the_difference_is_booked(layer):  # R25
    layer.vendor("NOR002", Currency="EUR")
    entry = layer.invoice(vendor="NOR002", DocumentLines=[{**line(0), "LineTotal": None, "RowTotalFC": 2500}])[
        "DocEntry"
    ]
    row = {"DocEntry": entry, "AppliedFC": 2500}
    reply = layer.payment(row, total=2500, vendor="NOR002", DocCurrency="EUR", DocRate=1.1)
    assert reply.status_code == 201, reply.text
    paid = layer.read(f"PurchaseInvoices({entry})")
    assert (paid["PaidToDateFC"], paid["PaidToDate"], paid["DocumentStatus"]) == (2500, 2700, "bost_Close")
    assert balance(layer) == -2750
    assert balance(layer, "10-7900") == 50
    assert balance(layer, "10-2100") == 0
    assert reply.json()["PaymentInvoices"][0]["SumApplied"] == 2700


def test_a_local_payment_settles_a_foreign_invoice_in_part(layer):
    layer.vendor("NOR002", Currency="EUR")
    entry = layer.invoice(vendor="NOR002", DocumentLines=[{**line(0), "LineTotal": None, "RowTotalFC": 100}])[
        "DocEntry"
    ]
    reply = layer.payment({"DocEntry": entry, "AppliedFC": 40}, total=43.2, vendor="NOR002", DocCurrency="USD")
    assert reply.status_code == 201, reply.text
    after = layer.read(f"PurchaseInvoices({entry})")
    assert (after["PaidToDateFC"], after["PaidToDate"]) == (40, D("43.2"))


def test_a_credit_note_lowers_what_is_paid(layer):  # R26
    entry, credit = layer.invoice(675)["DocEntry"], layer.made("PurchaseCreditNotes", invoice_body(75))["DocEntry"]
    rows = [applied(entry, 675), {"DocEntry": credit, "InvoiceType": "it_PurchaseCreditNote", "SumApplied": -75}]
    reply = layer.payment(*rows, total=600)
    assert reply.status_code == 201, reply.text
    assert layer.open_of(entry) == (0, "bost_Close")
    assert layer.read(f"PurchaseCreditNotes({credit})")["DocumentStatus"] == "bost_Close"
    assert balance(layer) == -600
    layer.post("VendorPayments(1)/Cancel")
    assert layer.open_of(entry) == (675, "bost_Open")
    assert layer.read(f"PurchaseCreditNotes({credit})")["PaidToDate"] == 0


def test_what_exceeds_the_rows_stays_on_account(layer):
    entry = layer.invoice(50)["DocEntry"]
    assert layer.payment(applied(entry, 50), total=80).status_code == 201
    assert layer.read("BusinessPartners('PAK003')")["CurrentAccountBalance"] == 30
    assert layer.payment(total=20).status_code == 201
    assert layer.read("BusinessPartners('PAK003')")["CurrentAccountBalance"] == 50


def test_each_installment_is_paid_by_itself(layer):
    halves = [{"Percentage": 50, "DueDate": "2026-12-01"}, {"Percentage": 50, "DueDate": "2027-01-01"}]
    entry = layer.invoice(100, DocumentInstallments=halves)["DocEntry"]
    assert refusal(layer.payment(applied(entry, 60), total=60))[1] == -5002
    assert layer.payment(applied(entry, 50, InstallmentId=2), total=50).status_code == 201
    assert layer.open_of(entry) == (50, "bost_Open")
    assert refusal(layer.payment(applied(entry, 1, InstallmentId=2), total=1))[1] == -5002
    assert refusal(layer.payment(applied(entry, 1, InstallmentId=3), total=1))[1] == -2028


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"Comments": "x"}, -1000, "Property 'Comments' of 'Payment' is invalid"),
        ({"TransferReference": "x" * 28}, -1000, "Value too long"),
        ({"DocType": None}, -5002, "Invalid BP code [OVPM.CardCode]"),
        ({"CardCode": "NOSUCH"}, -5002, "Invalid BP code [OVPM.CardCode]"),
        ({"CardCode": "OTH001"}, -5002, "belongs to another business partner"),
        ({"TransferSum": 99}, -5002, "greater than the payment"),
        ({"TransferSum": 0}, -5002, "greater than the payment"),
        ({"TransferSum": -5}, -5002, "[OVPM.TransferSum]"),
        ({"TransferSum": 100.001}, -5002, "[OVPM.TransferSum]"),
        ({"TransferAccount": "nope"}, -5002, "Enter valid code [OVPM.TransferAccount]"),
        ({"TransferAccount": "10-2100"}, -5002, "control account"),
        ({"DocCurrency": "EUR"}, -5002, "Invalid currency"),
        ({"DocDate": "2026-08-01"}, -10, "2026-08 is locked"),
        ({"TransferDate": "2026-08-01"}, -10, "2026-08 is locked"),
        ({"BPLID": 1}, -5002, "Ensure selected branch"),
    ],
)
def test_a_wrong_payment_is_refused_and_moves_nothing(layer, change, code, text):  # R28, R33
    layer.vendor("OTH001")
    entry = layer.invoice(100)["DocEntry"]
    found = refusal(layer.payment(applied(entry, 100), **{"total": 100, **change}))
    assert found[:2] == (400, code)
    assert text in found[2]
    assert layer.open_of(entry) == (100, "bost_Open")
    assert layer.rows("VendorPayments") == []
    assert balance(layer) == 0


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"SumApplied": 100.01}, -5002),
        ({"SumApplied": 0}, -5002),
        ({"SumApplied": -1}, -5002),
        ({"DocEntry": 99}, -2028),
        ({"InvoiceType": "it_Invoice"}, -2028),
        ({"InvoiceType": None}, -2028),
        ({"InvoiceType": "it_JournalEntry"}, -2028),
        ({"InvoiceType": "invoice"}, -1004),
    ],
)
def test_a_wrong_row_is_refused(layer, row, code):  # R28
    entry = layer.invoice(100)["DocEntry"]
    assert refusal(layer.payment({**applied(entry, 100), **row}, total=500))[:2] == (400, code)
    assert layer.open_of(entry) == (100, "bost_Open")


def test_the_code_of_an_over_application_varies_by_site(layer, stand_in):  # R28
    entry = layer.invoice(100)["DocEntry"]
    for code in (-5002, -10):
        stand_in.options({"over_applied_code": code})
        assert refusal(layer.payment(applied(entry, 101), total=101))[1] == code


def test_the_same_invoice_twice_in_a_payment_is_added_up(layer):
    entry = layer.invoice(100)["DocEntry"]
    assert refusal(layer.payment(applied(entry, 60), applied(entry, 60), total=120))[1] == -5002
    assert layer.payment(applied(entry, 60), applied(entry, 40), total=100).status_code == 201


def test_closed_cancelled_and_blocked_invoices_are_not_paid(layer):
    closed, cancelled, blocked = (layer.invoice(10)["DocEntry"] for _ in range(3))
    layer.payment(applied(closed, 10), total=10)
    layer.post(f"PurchaseInvoices({cancelled})/Cancel")
    layer.patch(f"PurchaseInvoices({blocked})", {"PaymentBlock": "tYES"})
    for entry in (closed, cancelled, blocked):
        found = refusal(layer.payment(applied(entry, 10), total=10))
        assert found == (400, -10, "Invoice is already closed or blocked  [Message 3524-20]")


def test_a_duplicate_of_a_partial_payment_is_not_noticed(layer):
    entry = layer.invoice(100)["DocEntry"]
    for _ in range(2):
        assert layer.payment(applied(entry, 30), total=30).status_code == 201
    assert layer.open_of(entry) == (40, "bost_Open")


def test_a_payment_moves_the_invoices_stamp_only_where_the_site_does_so(layer, stand_in):
    for moves, time in ((False, "09:00:00"), (True, "10:00:00")):
        stand_in.clock(now="2026-11-16T15:00:00Z")
        layer.login()
        entry = layer.invoice(10)["DocEntry"]
        stand_in.options({"payment_stamps_invoice": moves})
        stand_in.clock(advance=3600)
        layer.login()
        layer.payment(applied(entry, 10), total=10)
        assert layer.read(f"PurchaseInvoices({entry})")["UpdateTime"] == time


def test_an_approval_procedure_catches_payments_too(layer, stand_in):
    entry = layer.invoice(100)["DocEntry"]
    stand_in.options({"approval_above": 50})
    assert refusal(layer.payment(applied(entry, 100), total=100))[:2] == (400, -2028)
    (draft,) = layer.rows("PaymentDrafts", filter="TransferReference eq 'stp01'")
    assert draft["AuthorizationStatus"] == "pasPending"
    assert layer.open_of(entry) == (100, "bost_Open")
    stand_in.edit("actions", {"do": "approve_draft", "set": "PaymentDrafts", "draft": draft["DocEntry"]})
    assert layer.post(f"PaymentDrafts({draft['DocEntry']})/SaveDraftToDocument").status_code == 204
    assert layer.rows("VendorPayments")[0]["AuthorizationStatus"] == "pasGenerated"
    assert layer.open_of(entry) == (0, "bost_Close")


def test_too_many_documents_in_a_payment_are_refused(layer, stand_in):
    stand_in.options({"max_documents_in_payment": 1})
    entries = [layer.invoice(10)["DocEntry"] for _ in range(2)]
    assert "1 documents at most" in refusal(layer.payment(*(applied(entry, 10) for entry in entries), total=20))[2]


def test_checks_cash_and_accounts_are_means_and_aims_too(layer):
    entry = layer.invoice(100)["DocEntry"]
    means = {"CashSum": 30, "CashAccount": "10-1030", "PaymentChecks": [{"CheckSum": 70, "CheckAccount": "10-1010"}]}
    body = payment_body(applied(entry, 100), total=None, **means)
    assert layer.post("VendorPayments", body).status_code == 201
    assert (balance(layer, "10-1030"), balance(layer, "10-1010")) == (-30, -70)
    to_account = {"DocType": "rAccount", "TransferAccount": CLEARING, "TransferSum": 12}
    rows = [{"AccountCode": "10-6320", "SumPaid": 12, "ProfitCenter": "WH1"}]
    assert layer.post("VendorPayments", {**to_account, "PaymentAccounts": rows}).status_code == 201
    assert balance(layer, "10-6320") == 12


def test_a_posted_payment_keeps_its_amounts(layer):
    layer.payment(total=10)
    assert refusal(layer.patch("VendorPayments(1)", {"TransferSum": 11}))[1] == -1029
    assert layer.patch("VendorPayments(1)", {"Remarks": "seen"}).status_code == 204
    assert refusal(layer.call("DELETE", "VendorPayments(1)"))[1] == -5006
