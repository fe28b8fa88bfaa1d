"""Invoices, credit notes, orders and drafts: what is refused, what a posting does, how it is taken back."""

from decimal import Decimal

import pytest
from tests.sandbox.sapb1.conftest import invoice_body, line, refusal

D = Decimal


@pytest.fixture(autouse=True)
def vendor(layer):
    return layer.vendor()


def account(layer, code):
    return D(layer.read(f"ChartOfAccounts('{code}')", select="Balance")["Balance"])


def test_an_invoice_is_answered_whole_with_its_address_and_version(layer):
    reply = layer.post("PurchaseInvoices", invoice_body(600, 40))
    row = reply.json()
    assert reply.status_code == 201
    assert reply.headers["location"] == f"{layer.stand_in.url}/b1s/v2/PurchaseInvoices({row['DocEntry']})"
    assert reply.headers["etag"] == row["@odata.etag"]
    assert (row["DocTotal"], row["PaidToDate"], row["DocTotalFc"]) == (640.0, 0.0, 0.0)
    assert (row["DocumentStatus"], row["Cancelled"], row["CancelStatus"]) == ("bost_Open", "tNO", "csNo")
    assert (row["AuthorizationStatus"], row["CardName"]) == ("dasWithout", "Pakko")
    assert [one["LineNum"] for one in row["DocumentLines"]] == [0, 1]
    assert row["DocDate"] == "2026-11-16T00:00:00Z"
    assert row["DocDueDate"] == "2026-12-12T00:00:00Z", "30 days from the vendor's date"
    assert (row["UpdateDate"], row["UpdateTime"]) == ("2026-11-16T00:00:00Z", "09:00:00"), "Chicago's clock"


def test_an_answer_without_content_can_be_asked_for(layer):
    reply = layer.post("PurchaseInvoices", invoice_body(5), headers={"Prefer": "return-no-content"})
    assert (reply.status_code, reply.content) == (204, b"")
    assert reply.headers["preference-applied"] == "return-no-content"
    assert reply.headers["location"].endswith("/PurchaseInvoices(1)")


def test_tax_freight_discount_and_the_lines_make_the_total(layer):  # R22
    row = layer.invoice(
        DocumentLines=[line(1200, VatGroup="P8"), line(300, VatGroup="P8")],
        DocumentAdditionalExpenses=[{"ExpenseCode": 1, "LineTotal": 35}],
        DiscountPercent=10,
    )
    assert (row["TotalDiscount"], row["VatSum"], row["DocTotal"]) == (150, 108, 1350 + 108 + 35)
    assert account(layer, "10-2100") == -1493
    assert account(layer, "10-2250") == 108
    assert account(layer, "10-6300") == 35
    assert layer.read("BusinessPartners('PAK003')")["CurrentAccountBalance"] == -1493


def test_a_foreign_invoice_has_both_amounts(layer):  # R25
    layer.vendor("NOR002", Currency="EUR")
    row = layer.invoice(vendor="NOR002", DocumentLines=[{**line(0), "LineTotal": None, "RowTotalFC": 2500}])
    assert (row["DocCurrency"], row["DocRate"]) == ("EUR", D("1.08"))
    assert (row["DocTotal"], row["DocTotalFc"]) == (2700, 2500)
    assert row["DocumentLines"][0]["LineTotal"] == 2700
    by_price = layer.invoice(
        vendor="NOR002", DocumentLines=[{"AccountCode": "10-6200", "UnitPrice": 10, "Quantity": 3}]
    )
    assert (by_price["DocTotal"], by_price["DocTotalFc"]) == (D("32.4"), 30)


def test_amounts_may_come_as_text(layer):
    assert layer.invoice(DocumentLines=[{**line(0), "LineTotal": "101.10"}])["DocTotal"] == D("101.1")


@pytest.mark.parametrize(
    ("change", "status", "code", "text"),
    [
        ({"NoSuch": 1}, 400, -1000, "Property 'NoSuch' of 'Document' is invalid"),
        ({"DocumentLines": [line(5, NoSuch=1)]}, 400, -1000, "Property 'NoSuch' of 'DocumentLine' is invalid"),
        ({"DocDate": "yesterday"}, 400, -1000, "Invalid value for property 'DocDate'"),
        ({"CardCode": 5}, 400, -1000, "Invalid value for property 'CardCode'"),
        ({"Comments": "x" * 255}, 400, -1000, "Value too long in property 'Comments'"),
        ({"DocType": "service"}, 400, -1004, "'service' is not a valid value"),
        ({"CardCode": "NOSUCH"}, 400, -5002, "Invalid BP code [OPCH.CardCode]"),
        ({"CardCode": None}, 400, -5002, "Invalid BP code [OPCH.CardCode]"),
        ({"DocumentLines": []}, 400, -5002, "[PCH1.LineNum]"),
        ({"DocumentLines": [{"AccountCode": "10-6200"}]}, 400, -5002, "[PCH1.LineTotal]"),
        ({"DocumentLines": [line(1.234)]}, 400, -5002, "[PCH1.LineTotal]"),
        ({"DocumentLines": [line(5, "10-0000")]}, 400, -5002, "Enter valid code [PCH1.AcctCode]"),
        ({"DocumentLines": [line(5, "600000")]}, 400, -5002, "title account"),
        ({"DocumentLines": [line(5, "10-2100")]}, 400, -5002, "control account"),
        ({"DocumentLines": [line(5, "10-6770")]}, 400, -5002, "inactive"),
        ({"DocumentLines": [line(5, CostingCode="NOPE")]}, 400, -2028, "No matching records found"),
        ({"DocumentLines": [line(5, VatGroup="XX")]}, 400, -5002, "[PCH1.VatGroup]"),
        ({"DocumentLines": [line(5, ItemCode="A1")]}, 400, -5002, "[PCH1.ItemCode]"),
        ({"DocType": "dDocument_Items"}, 400, -5002, "[PCH1.ItemCode]"),
        ({"DocCurrency": "EUR"}, 400, -5002, "Invalid currency"),
        ({"DocTotal": 1}, 400, -5002, "[OPCH.DocTotal]"),
        ({"BPL_IDAssignedToInvoice": 9}, 400, -2028, "No matching records found"),
        ({"DocDate": "2026-08-31"}, 400, -10, "2026-08 is locked"),
        ({"DocDate": "2019-08-31"}, 400, -10, "fiscal year"),
        ({"DocumentInstallments": [{"Percentage": 40}]}, 400, -5002, "Installments do not add up"),
        ({"DocType": None}, 400, -5002, "[PCH1.ItemCode]"),
        ({"DocumentLines": [line(5), line(-6)]}, 400, -5002, "must not be negative"),
        ({"DocRate": -1}, 400, -5002, "[OPCH.DocRate]"),
        ({"ControlAccount": "nope"}, 400, -5002, "[OPCH.CtlAccount]"),
        ({"PaymentGroupCode": 99}, 400, -5002, "[OPCH.GroupNum]"),
    ],
)
def test_a_wrong_invoice_is_refused_and_nothing_is_posted(layer, stand_in, change, status, code, text):  # R20, R33
    before = stand_in.state("JournalEntries")
    found = refusal(layer.post("PurchaseInvoices", invoice_body(5, **change)))
    assert found[:2] == (status, code)
    assert text in found[2]
    assert stand_in.state("PurchaseInvoices") == []
    assert stand_in.state("JournalEntries") == before


def test_the_refusal_of_a_closed_period_varies_by_site(layer, stand_in):  # R33
    stand_in.options({"closed_period_code": -5002})
    stand_in.edit("actions", {"do": "lock_period", "period": "2026-11"})
    assert refusal(layer.post("PurchaseInvoices", invoice_body(5)))[1] == -5002
    stand_in.edit("FinancePeriods", {"PeriodCode": "2026-11", "PeriodStatus": "ltUnlockedExceptSales"})
    assert layer.post("PurchaseInvoices", invoice_body(5)).status_code == 201


def test_a_vendor_is_frozen_for_some_days_or_for_good(layer, stand_in):  # R47
    freeze = {"do": "freeze_supplier", "supplier": "PAK003", "first": "2026-11-20"}
    stand_in.edit("actions", freeze)
    assert layer.post("PurchaseInvoices", invoice_body(5)).status_code == 201
    stand_in.clock(now="2026-11-21T15:00:00Z")
    layer.login()
    assert "inactive" in refusal(layer.post("PurchaseInvoices", invoice_body(5)))[2]
    assert layer.read("BusinessPartners('PAK003')")["UpdateDate"] == "2026-11-16T00:00:00Z"
    layer.patch("BusinessPartners('PAK003')", {"Frozen": "tNO", "Valid": "tYES", "ValidTo": "2026-11-01"})
    assert refusal(layer.post("PurchaseInvoices", invoice_body(5)))[1] == -5002


def test_a_cancelled_invoice_leaves_two_closed_rows_and_no_balance(layer, stand_in):
    entry = layer.invoice(640)["DocEntry"]
    stand_in.clock(advance=600)
    assert layer.post(f"PurchaseInvoices({entry})/Cancel").status_code == 204
    first, second = layer.rows("PurchaseInvoices")
    assert (first["Cancelled"], first["CancelStatus"], first["DocumentStatus"]) == ("tYES", "csYes", "bost_Close")
    assert first["UpdateTime"] == "09:10:00"
    assert (second["CancelStatus"], second["DocumentStatus"]) == ("csCancellation", "bost_Close")
    assert (second["DocTotal"], second["NumAtCard"]) == (640, "PK-500")
    base = second["DocumentLines"][0]
    assert (base["BaseType"], base["BaseEntry"], base["BaseLine"]) == (18, entry, 0)
    assert account(layer, "10-2100") == account(layer, "10-6200") == 0
    assert refusal(layer.post(f"PurchaseInvoices({entry})/Cancel"))[1] == -5002
    assert refusal(layer.post(f"PurchaseInvoices({second['DocEntry']})/Cancel"))[1] == -5002


def test_the_second_row_may_show_as_cancelled_too(layer, stand_in):
    for shows, value in ((False, "tNO"), (True, "tYES")):
        stand_in.options({"cancellation_row_cancelled": shows})
        layer.post(f"PurchaseInvoices({layer.invoice(5)['DocEntry']})/Cancel")
        assert layer.rows("PurchaseInvoices")[-1]["Cancelled"] == value


def test_cancelling_needs_an_open_period_and_may_come_too_late(layer, stand_in):
    entry = layer.invoice(640)["DocEntry"]
    stand_in.options({"max_days_for_cancel": 3})
    stand_in.clock(advance=5 * 86400)
    layer.login()
    assert "older than 3 days" in refusal(layer.post(f"PurchaseInvoices({entry})/Cancel"))[2]
    stand_in.options({"max_days_for_cancel": 0})
    stand_in.edit("actions", {"do": "lock_period", "period": "2026-11"})
    assert refusal(layer.post(f"PurchaseInvoices({entry})/Cancel"))[1] == -10


def test_what_is_posted_is_neither_deleted_nor_rewritten(layer):
    entry = layer.invoice(640)["DocEntry"]
    assert refusal(layer.call("DELETE", f"PurchaseInvoices({entry})"))[:2] == (400, -5006)
    for change in ({"DocDate": "2026-11-15"}, {"CardCode": "X"}, {"DocumentLines": [line(700, LineNum=0)]}):
        assert refusal(layer.patch(f"PurchaseInvoices({entry})", change))[:2] == (400, -1029)
    assert refusal(layer.post(f"PurchaseInvoices({entry})/Close"))[1] == -5006
    kept = layer.patch(f"PurchaseInvoices({entry})", {"CardCode": "PAK003", "DocTotal": 999, "Comments": "late"})
    assert refusal(kept)[1] == -1029, "the total is another"


def test_a_header_can_be_amended_and_the_stamp_and_version_move(layer, stand_in):
    row = layer.invoice(640)
    path = f"PurchaseInvoices({row['DocEntry']})"
    stand_in.clock(advance=3600)
    layer.login()
    change = {"DocDueDate": "2026-12-18", "Comments": "mark", "DocumentStatus": "bost_Close", "odata.etag": "x"}
    assert layer.patch(path, change, {"If-Match": row["@odata.etag"]}).status_code == 204
    after = layer.read(path)
    assert (after["DocDueDate"], after["Comments"]) == ("2026-12-18T00:00:00Z", "mark")
    assert after["DocumentStatus"] == "bost_Open", "read-only properties are passed over"
    assert after["UpdateTime"] == "10:00:00"
    stale = layer.patch(path, {"Comments": "again"}, {"If-Match": row["@odata.etag"]})
    assert refusal(stale)[:2] == (412, -2039)
    assert layer.read(path)["Comments"] == "mark"
    assert layer.patch(path, {}).status_code == 204


def test_a_patch_may_be_tunnelled_through_a_post(layer):
    entry = layer.invoice(640)["DocEntry"]
    headers = {"X-HTTP-Method-Override": "PATCH"}
    assert layer.post(f"PurchaseInvoices({entry})", {"Comments": "x"}, headers).status_code == 204
    assert layer.read(f"PurchaseInvoices({entry})")["Comments"] == "x"


def test_missing_rows_are_404(layer):
    assert refusal(layer.get("PurchaseInvoices(99)"))[:2] == (404, -2028)
    found = refusal(layer.patch("PurchaseInvoices(99)", {"Comments": "x"}))
    assert found == (404, -2028, "Entity with value('99') does not exist")
    assert refusal(layer.post("PurchaseInvoices(99)/Cancel"))[:2] == (404, -2028)


def test_a_credit_note_based_on_an_invoice_lowers_it_and_gives_it_back(layer):  # R26
    entry = layer.invoice(675)["DocEntry"]
    base = {"BaseType": 18, "BaseEntry": entry, "BaseLine": 0}
    credit = layer.made("PurchaseCreditNotes", invoice_body(DocumentLines=[line(75, **base)], NumAtCard="PK-501"))
    assert (credit["DocTotal"], credit["DocumentStatus"]) == (75, "bost_Close")
    assert layer.open_of(entry) == (600, "bost_Open")
    assert account(layer, "10-2100") == -600
    assert refusal(layer.post(f"PurchaseInvoices({entry})/Cancel"))[1] == -5002
    assert layer.post(f"PurchaseCreditNotes({credit['DocEntry']})/Cancel").status_code == 204
    assert layer.open_of(entry) == (675, "bost_Open")
    assert account(layer, "10-2100") == -675


def test_a_standalone_credit_note_stays_open_and_a_closed_base_is_refused(layer):
    credit = layer.made("PurchaseCreditNotes", invoice_body(75))
    assert credit["DocumentStatus"] == "bost_Open"
    entry = layer.invoice(50)["DocEntry"]
    base = {"BaseType": 18, "BaseEntry": entry, "BaseLine": 0}
    layer.made("PurchaseCreditNotes", invoice_body(DocumentLines=[line(50, **base)]))
    again = layer.post("PurchaseCreditNotes", invoice_body(DocumentLines=[line(1, **base)]))
    assert refusal(again)[1:] == (-5002, "One of the base documents has already been closed")


def test_an_invoice_closes_the_lines_of_its_order(layer):
    order = layer.made("PurchaseOrders", invoice_body(100, 200))
    base = {"BaseType": 22, "BaseEntry": order["DocEntry"]}
    row = layer.invoice(DocumentLines=[{**base, "BaseLine": 0}])
    assert (row["DocTotal"], row["DocumentLines"][0]["AccountCode"]) == (100, "10-6200")
    after = layer.read(f"PurchaseOrders({order['DocEntry']})")
    assert [one["LineStatus"] for one in after["DocumentLines"]] == ["bost_Close", "bost_Open"]
    assert after["DocumentStatus"] == "bost_Open"
    layer.invoice(DocumentLines=[{**base, "BaseLine": 1}])
    assert layer.read(f"PurchaseOrders({order['DocEntry']})")["DocumentStatus"] == "bost_Close"


def test_an_order_is_amended_closed_reopened_and_cancelled(layer):
    order = layer.made("PurchaseOrders", invoice_body(100, 200))
    path = f"PurchaseOrders({order['DocEntry']})"
    lines = [{"LineNum": 1, "LineTotal": 250}, line(7)]
    assert layer.patch(path, {"DocumentLines": lines}).status_code == 204
    after = layer.read(path)
    assert [(one["LineNum"], one["LineTotal"]) for one in after["DocumentLines"]] == [(0, 100), (1, 250), (2, 7)]
    assert after["DocTotal"] == 357
    whole = {"B1S-ReplaceCollectionsOnPatch": "true"}
    layer.patch(path, {"DocumentLines": [line(9)]}, whole)
    assert layer.read(path)["DocTotal"] == 9
    for action, status in (("Close", "bost_Close"), ("Reopen", "bost_Open"), ("Cancel", "bost_Close")):
        assert layer.post(f"{path}/{action}").status_code == 204
        assert layer.read(path)["DocumentStatus"] == status
    assert len(layer.rows("PurchaseOrders")) == 1


def test_branches_are_asked_for_where_there_are_some(layer, stand_in):
    stand_in.options({"branches": True})
    assert refusal(layer.post("PurchaseInvoices", invoice_body(5)))[:2] == (400, -2028)
    assert layer.invoice(5, BPL_IDAssignedToInvoice=2)["BPL_IDAssignedToInvoice"] == 2


def test_a_vendors_number_may_have_to_be_new(layer, stand_in):
    layer.invoice(5)
    layer.invoice(5)
    stand_in.options({"unique_vendor_number": True})
    assert "[OPCH.NumAtCard]" in refusal(layer.post("PurchaseInvoices", invoice_body(5)))[2]


@pytest.mark.parametrize("answer", ["refused", "created"])
def test_an_approval_procedure_leaves_a_draft_behind(layer, stand_in, answer):
    stand_in.options({"approval_above": 100, "approval_answer": answer})
    layer.invoice(100)
    reply = layer.post("PurchaseInvoices", invoice_body(101))
    if answer == "refused":
        assert refusal(reply)[:2] == (400, -2028)
    else:
        assert (reply.status_code, reply.json()["AuthorizationStatus"]) == (201, "dasPending")
        assert "/Drafts(" in reply.headers["location"]
    (draft,) = layer.rows("Drafts")
    assert (draft["DocObjectCode"], draft["AuthorizationStatus"]) == ("oPurchaseInvoices", "dasPending")
    assert len(layer.rows("PurchaseInvoices")) == 1
    body = {"Document": {"DocEntry": draft["DocEntry"]}}
    assert refusal(layer.post("DraftsService_SaveDraftToDocument", body))[1] == -5002
    stand_in.edit("actions", {"do": "approve_draft", "draft": draft["DocEntry"]})
    assert layer.rows("Drafts")[0]["AuthorizationStatus"] == "dasApproved"
    assert layer.post("DraftsService_SaveDraftToDocument", body).status_code == 204
    assert layer.rows("PurchaseInvoices")[1]["AuthorizationStatus"] == "dasGenerated"
    assert layer.rows("Drafts") == []


def test_a_draft_books_nothing_and_can_be_thrown_away(layer, stand_in):
    draft = layer.made("Drafts", invoice_body(50, DocObjectCode="oPurchaseInvoices"))
    assert stand_in.state("JournalEntries") == []
    layer.patch(f"Drafts({draft['DocEntry']})", {"Comments": "later"})
    assert layer.read(f"Drafts({draft['DocEntry']})")["Comments"] == "later"
    assert layer.call("DELETE", f"Drafts({draft['DocEntry']})").status_code == 204
    assert layer.rows("Drafts") == []
    assert refusal(layer.post("Drafts", invoice_body(50)))[1] == -5002


def test_every_journal_entry_balances(layer, stand_in):
    entry = layer.invoice(DocumentLines=[line(33.33, VatGroup="P8"), line(66.67)], DiscountPercent=3.3)["DocEntry"]
    layer.post(f"PurchaseInvoices({entry})/Cancel")
    entries = layer.rows("JournalEntries")
    assert len(entries) == 2
    for one in entries:
        assert sum(row["Debit"] - row["Credit"] for row in one["JournalEntryLines"]) == 0
    assert sum(row.get("Balance", 0) for row in stand_in.state("ChartOfAccounts")) == 0
