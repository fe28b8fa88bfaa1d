"""Payments recorded in and taken back from the SYSPRO stand-in: APSTPY, APSTPM and APSTPV."""

from decimal import Decimal

import pytest
from tests.sandbox.syspro_client import Client, said, text

from ml_connector import sandbox


@pytest.fixture
def syspro():
    with sandbox.start("syspro", options={"base_set": "avidxchange"}) as stand_in:
        stand_in.clock(now="2026-11-16T12:00:00Z", running=False)
        yield stand_in


@pytest.fixture
def enet(syspro):
    client = Client(syspro).logon()
    yield client
    client.close()


def open_run(enet, **other):
    run = {"AddPaymentRun": {"Bank": "MAIN", "PaymentType": "M", "CheckDate": "2026-11-16", **other}}
    answer = enet.post("APSTPY", run)
    assert said(answer) == []
    return text(answer, "Item/Key/PaymentNumber")


def cheque(run, *invoices, supplier="ELC001", number="70011", **other):
    """A cheque over what (invoice, gross, discount) come to."""
    value = sum(Decimal(gross) - Decimal(discount) for _, gross, discount in invoices)
    return {
        "PaymentNumber": run,
        "Supplier": supplier,
        "ChequeDate": "2026-11-16",
        "Cheque": number,
        "ChequeValue": value,
        "PaymentReference": "mlcTEST check 70011",
        **other,
        "ReleasedInvoice": [
            {"Invoice": invoice, "GrossPayValue": gross, "DiscPayValue": discount}
            for invoice, gross, discount in invoices
        ],
    }


def balance(syspro, number):
    return next(row["MthInvBal1"] for row in syspro.state("ApInvoice") if row["Invoice"] == number)


def settlements(syspro, number):
    rows = [row for row in syspro.state("ApInvoicePay") if row["Invoice"] == number]
    return [(row["TrnType"], row["TrnValue"]) for row in rows]


# --- runs ------------------------------------------------------------------------------------------------


def test_a_payment_run_is_opened_and_numbered(enet, syspro):
    assert open_run(enet) == "00001"
    assert open_run(enet, PaymentNumber="MLC-1116", Currency="EUR") == "MLC-1116"
    rows = {row["PaymentNumber"]: row for row in syspro.state("ApPayRunHdr")}
    assert (rows["00001"]["Bank"], rows["00001"]["PostCurrency"], rows["00001"]["ChequeDate"]) == (
        "MAIN",
        "USD",
        "2026-11-16",
    )
    assert (rows["MLC-1116"]["PostCurrency"], rows["MLC-1116"]["PostConvRate"]) == ("EUR", Decimal("1.08"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Bank": "NONE"}, "Bank"),
        ({"Bank": ""}, "Bank"),
        ({"Currency": "XXX"}, "Currency"),
        ({"PaymentNumber": "R1"}, "PaymentNumber"),
        ({"CheckDate": "today"}, "CheckDate"),
    ],
)
def test_a_run_with_a_bad_field_is_not_opened(enet, syspro, change, field):
    open_run(enet, PaymentNumber="R1")
    answer = enet.post("APSTPY", {"AddPaymentRun": {"Bank": "MAIN", **change}})
    assert [path for path, *_ in said(answer)] == [f"AddPaymentRun/{field}"]
    assert len(syspro.state("ApPayRunHdr")) == 1


# --- payments --------------------------------------------------------------------------------------------


def test_a_cheque_settles_its_invoices(enet, syspro):
    run = open_run(enet)
    answer = enet.post("APSTPM", cheque(run, ("ELC-1001", "1620.00", "0"), ("ELC-1002", "500.00", "0")))
    assert answer.tag == "postapmanualpay"
    assert [(one.tag, (one.text or "").strip()) for one in answer.find("Item")][1:] == [
        ("NumberOfInvoicesReleased", "2"),
        ("GrossValueReleased", "2120.00"),
        ("NetValueReleased", "2120.00"),
    ]
    assert text(answer, "Item/Key/PaymentNumber") == run
    assert answer.findtext("StatusOfItems/ItemsProcessed") == "     1"
    assert (balance(syspro, "ELC-1001"), balance(syspro, "ELC-1002")) == (Decimal("0.00"), Decimal("413.19"))
    assert settlements(syspro, "ELC-1001") == [("P", Decimal("1620.00"))]
    paid = next(row for row in syspro.state("ApInvoice") if row["Invoice"] == "ELC-1001")
    assert (paid["YearInvBalZero"], paid["MonthInvBalZero"], paid["ManualChqNum"]) == (2026, 11, 70011)


def test_a_payment_is_found_by_its_reference(enet):
    run = open_run(enet)
    enet.post("APSTPM", cheque(run, ("ELC-1001", "1620.00", "0")))
    found = enet.find("ApInvoicePay", "PaymentReference", "mlcTEST check 70011", "Invoice", "TrnType", "TrnValue")
    assert found == [("ELC-1001", "P", "1620.00")]
    [detail] = enet.odata("ApPayRunDet", f"PaymentNumber eq '{run}'")
    assert (detail["Invoice"], detail["Cheque"]) == ("ELC-1001", 70011)


def test_a_discount_is_settled_beside_the_cheque(enet, syspro):
    answer = enet.post("APSTPM", cheque(open_run(enet), ("ELC-1004", "110.00", "10.00")))
    assert text(answer, "Item/GrossValueReleased") == "110.00"
    assert text(answer, "Item/NetValueReleased") == "100.00"
    assert settlements(syspro, "ELC-1004") == [("P", Decimal("100.00")), ("S", Decimal("10.00"))]
    assert balance(syspro, "ELC-1004") == Decimal("400.00")


def test_a_foreign_invoice_is_paid_from_a_run_in_its_currency(enet, syspro):
    payment = cheque(open_run(enet), ("NK-77", "2500.00", "0"), supplier="NOR002")
    assert [path for path, *_ in said(enet.post("APSTPM", payment))] == ["PaymentNumber"]
    euros = {**payment, "PaymentNumber": open_run(enet, Bank="EURO"), "PayConvRte": "1.1"}
    assert said(enet.post("APSTPM", euros)) == []
    assert balance(syspro, "NK-77") == 0
    assert syspro.state("ApPayRunDet")[-1]["PostConvRate"] == Decimal("1.1")


def test_two_payments_of_one_invoice_are_two_rows(enet, syspro):
    run = open_run(enet)
    for number, amount in (("9002", "500.00"), ("9003", "413.19")):
        assert said(enet.post("APSTPM", cheque(run, ("ELC-1002", amount, "0"), number=number))) == []
    assert settlements(syspro, "ELC-1002") == [("P", Decimal("500.00")), ("P", Decimal("413.19"))]
    assert balance(syspro, "ELC-1002") == 0


@pytest.mark.parametrize(
    ("invoices", "change", "field"),
    [
        ([("ELC-1001", "1620.01", "0")], {}, "ReleasedInvoice/GrossPayValue"),
        ([("ELC-1001", "0", "0")], {}, "ReleasedInvoice/GrossPayValue"),
        ([("ELC-1001", "10.00", "11.00")], {}, "ReleasedInvoice/DiscPayValue"),
        ([("PK-500", "10.00", "0")], {}, "ReleasedInvoice/Invoice"),
        ([("ELC-1001", "10.00", "0")], {"ChequeValue": "9.99"}, "ChequeValue"),
        ([("ELC-1001", "10.00", "0")], {"ChequeValue": None}, "ChequeValue"),
        ([("ELC-1001", "10.00", "0")], {"Cheque": "CHK 7"}, "Cheque"),
        ([("ELC-1001", "10.00", "0")], {"Cheque": None}, "Cheque"),
        ([("ELC-1001", "10.00", "0")], {"Cheque": "0"}, "Cheque"),
        ([("ELC-1001", "10.00", "0")], {"PayConvRte": "0"}, "PayConvRte"),
        ([("ELC-1001", "10.00", "0")], {"Supplier": "NOBODY"}, "Supplier"),
        ([("ELC-1001", "10.00", "0")], {"PaymentNumber": ""}, "PaymentNumber"),
        ([("ELC-1001", "10.00", "0")], {"PaymentReference": "R" * 51}, "PaymentReference"),
        ([], {"ChequeValue": "0"}, "ReleasedInvoice"),
    ],
)
def test_a_payment_with_a_bad_field_settles_nothing(enet, syspro, invoices, change, field):
    answer = enet.post("APSTPM", {**cheque(open_run(enet), *invoices), **change})
    assert [path for path, *_ in said(answer)] == [field]
    assert int(text(answer, "StatusOfItems/ItemsInvalid")) == 1
    assert balance(syspro, "ELC-1001") == Decimal("1620.00")
    assert syspro.state("ApPayRunDet") == []


def test_a_payment_needs_a_run_unless_the_site_makes_it(enet, syspro):
    payment = cheque("NEW", ("ELC-1001", "10.00", "0"))
    assert [path for path, *_ in said(enet.post("APSTPM", payment))] == ["PaymentNumber"]
    syspro.options({"payment_run": "made"})
    assert said(enet.post("APSTPM", payment)) == []
    assert [row["PaymentNumber"] for row in syspro.state("ApPayRunHdr")] == ["NEW"]


def test_the_same_cheque_does_not_pay_an_invoice_twice(enet, syspro):
    payment = cheque(open_run(enet), ("ELC-1001", "10.00", "0"))
    enet.post("APSTPM", payment)
    assert [path for path, *_ in said(enet.post("APSTPM", payment))] == ["ReleasedInvoice/Invoice"]
    assert balance(syspro, "ELC-1001") == Decimal("1610.00")


def test_a_closed_period_takes_no_payment(enet, syspro):
    syspro.edit("actions", {"do": "set_period", "year": 2026, "period": 11, "open": False})
    answer = enet.post("APSTPM", cheque(open_run(enet), ("ELC-1001", "10.00", "0")))
    assert [path for path, *_ in said(answer)] == ["PostingPeriod"]


# --- voids -----------------------------------------------------------------------------------------------


def test_a_void_opens_the_invoices_again_once(enet, syspro):
    run = open_run(enet)
    enet.post("APSTPM", cheque(run, ("ELC-1001", "1620.00", "20.00"), ("ELC-1004", "10.00", "0")))
    void = {"PaymentNumber": run, "Supplier": "ELC001", "Cheque": "70011", "Reference": "mlcVOID"}
    answer = enet.post("APSTPV", void)
    assert (answer.tag, text(answer, "Item/Key/PaymentNumber"), text(answer, "Item/GrossValue")) == (
        "postapvoidpay",
        run,
        "1630.00",
    )
    assert (balance(syspro, "ELC-1001"), balance(syspro, "ELC-1004")) == (Decimal("1620.00"), Decimal("510.00"))
    assert settlements(syspro, "ELC-1001")[-1] == ("V", Decimal("1620.00"))
    found = enet.find("ApInvoicePay", "PaymentReference", "mlcVOID", "Invoice")
    assert sorted(found) == [("ELC-1001",), ("ELC-1004",)]
    assert [path for path, *_ in said(enet.post("APSTPV", void))] == ["Cheque"]


def test_a_void_takes_back_only_its_own_cheque(enet, syspro):
    run = open_run(enet)
    both = [cheque(run, ("ELC-1002", amount, "0"), number=number) for number, amount in (("1", "500"), ("2", "400"))]
    assert said(enet.post("APSTPM", both)) == []
    enet.post("APSTPV", {"PaymentNumber": run, "Supplier": "ELC001", "Cheque": "2"})
    assert balance(syspro, "ELC-1002") == Decimal("413.19")


@pytest.mark.parametrize("missing", ["PaymentNumber", "Supplier", "Cheque"])
def test_a_void_names_run_supplier_and_cheque(enet, missing):
    run = open_run(enet)
    enet.post("APSTPM", cheque(run, ("ELC-1001", "10.00", "0")))
    void = {"PaymentNumber": run, "Supplier": "ELC001", "Cheque": "70011"}
    assert [path for path, *_ in said(enet.post("APSTPV", {**void, missing: None}))] == [missing]


def test_an_invoice_can_be_paid_again_after_a_void(enet, syspro):
    run = open_run(enet)
    payment = cheque(run, ("ELC-1001", "1620.00", "0"))
    enet.post("APSTPM", payment)
    enet.post("APSTPV", {"PaymentNumber": run, "Supplier": "ELC001", "Cheque": "70011"})
    assert said(enet.post("APSTPM", payment)) == []
    assert settlements(syspro, "ELC-1001") == [(kind, Decimal("1620.00")) for kind in "PVP"]
    assert balance(syspro, "ELC-1001") == 0


def test_a_person_voids_a_cheque_behind_our_back(enet, syspro):
    run = open_run(enet)
    enet.post("APSTPM", cheque(run, ("HU-2202", "199.60", "0"), supplier="HYD005", number="70012"))
    action = {"do": "void_cheque", "payment_run": run, "supplier": "HYD005", "cheque": 70012}
    syspro.edit("actions", action)
    assert balance(syspro, "HU-2202") == Decimal("199.60")
    with pytest.raises(sandbox.BadInput, match="is void"):
        syspro.edit("actions", action)


# --- the ledger ------------------------------------------------------------------------------------------


def ledger(syspro):
    return [(row["GlCode"], row["EntryValue"], row["SubModCheck"]) for row in syspro.state("GenTransaction")]


def test_a_cheque_and_its_void_reach_the_ledger(enet, syspro):
    syspro.edit("ApBranch", {"Branch": "10", "ApBrnDscGlCode": "10-6999"})
    run = open_run(enet)
    enet.post("APSTPM", cheque(run, ("ELC-1001", "1620.00", "20.00")))
    booked = {("10-2100", Decimal("1620.00")), ("10-1010", Decimal("-1600.00")), ("10-6999", Decimal("-20.00"))}
    assert {(code, value) for code, value, _ in ledger(syspro)} == booked
    assert {number for *_, number in ledger(syspro)} == {"70011"}
    enet.post("APSTPV", {"PaymentNumber": run, "Supplier": "ELC001", "Cheque": "70011"})
    assert len(ledger(syspro)) == 6
    assert sum(value for code, value, _ in ledger(syspro) if code == "10-1010") == 0


def test_a_foreign_cheque_is_booked_at_its_own_rate(enet, syspro):
    run = open_run(enet, Bank="EURO")
    enet.post("APSTPM", cheque(run, ("NK-77", "2500.00", "0"), supplier="NOR002", PayConvRte="1.1"))
    assert [value for _, value, _ in ledger(syspro)] == [Decimal("2750.00"), Decimal("-2750.00")]


def test_a_cheque_may_stay_out_of_the_ledger_until_a_person_integrates_it(enet, syspro):
    syspro.options({"gl_integration": "later"})
    assert said(enet.post("APSTPM", cheque(open_run(enet), ("ELC-1001", "10.00", "0")))) == []
    assert ledger(syspro) == []
    syspro.edit("actions", {"do": "integrate", "year": 2026, "month": 11, "journal": 1047})
    assert len(ledger(syspro)) == 2


def test_a_bank_without_a_ledger_code_settles_without_a_journal(enet, syspro):
    syspro.edit("ApBank", {"Bank": "MAIN", "CashGlCode": "10-7777"})
    assert said(enet.post("APSTPM", cheque(open_run(enet), ("ELC-1001", "10.00", "0")))) == []
    assert (balance(syspro, "ELC-1001"), ledger(syspro)) == (Decimal("1610.00"), [])


# --- the story -------------------------------------------------------------------------------------------


def test_the_payments_of_the_story_leave_what_it_says_open(enet, syspro):
    syspro.edit("actions", {"do": "reverse", "supplier": "ELC001", "invoice": "ELC-1004"})
    dollars, euros = open_run(enet), open_run(enet, Bank="EURO")
    payments = [
        (dollars, "ELC001", "9001", ("ELC-1001", "1620.00")),
        (dollars, "ELC001", "9002", ("ELC-1002", "500.00")),
        (dollars, "ELC001", "9003", ("ELC-1002", "413.19")),
        (euros, "NOR002", "9004", ("NK-77", "2500.00")),
        (dollars, "PAK003", "9005", ("PK-500", "600.00")),
        (dollars, "HYD005", "9006", ("HU-2202", "199.60")),
        (dollars, "PAK003", "9007", ("PK-502", "250.00")),
    ]
    for run, supplier, number, (invoice, gross) in payments:
        assert said(enet.post("APSTPM", cheque(run, (invoice, gross, "0"), supplier=supplier, number=number))) == []
    assert said(enet.post("APSTPV", {"PaymentNumber": dollars, "Supplier": "HYD005", "Cheque": "9006"})) == []
    left = {row["Invoice"]: row["MthInvBal1"] for row in syspro.state("ApInvoice") if row["MthInvBal1"]}
    assert left == {
        "TF-90": Decimal("400.00"),
        "HU-2201": Decimal("218.40"),
        "HU-2202": Decimal("199.60"),
        "ELC1001": Decimal("1620.00"),
        "PK-502": Decimal("750.00"),
        "HU-2203": Decimal("150.00"),
    }
    assert sum(left.values()) == Decimal("3338.00")
