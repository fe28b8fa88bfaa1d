"""Records as they go to Basware and come from it; without a server."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ml_connector.domain.orders import OrderLineKind, OrderStatus, PurchaseOrder, PurchaseOrderLine, Receipt
from ml_connector.domain.records import (
    AccountType,
    Address,
    CostCenter,
    GlAccount,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    LineKind,
    Payment,
    PaymentAllocation,
    PaymentStatus,
    PaymentTerm,
    Supplier,
    TaxCode,
)
from ml_connector.systems.base import Item, Refused
from ml_connector.systems.basware import accounts, documents, handshake, orders, payments, terms, vendors
from ml_connector.systems.basware.settings import Options, options
from ml_connector.systems.transport.answer import Answer, encode_json

from .conftest import SETTINGS

KEY = "100_V_ELC001"


def chosen(**changes: Any) -> Options:
    return options({**SETTINGS, "base_url": "https://p2p.example", **changes})


OPTIONS = chosen()
COMPANY = OPTIONS.company("RIL")

SUPPLIER = Supplier(
    code="ELC001",
    name="Electra Components Inc.",
    tax_id="12-3456789",
    currency="USD",
    terms="30",
    address=Address(
        line1="1 Relay Road", line2="Dock 4", city="Dayton", region="OH", postal_code="45402", country="US"
    ),
    email="ap@electra.example",
    phone="+1 937 555 0100",
    contact="Ann Ohm",
)


def as_read(body: Any) -> Any:
    """A body as it comes back from the wire."""
    return Answer(200, {}, encode_json(body)).json()


# --- suppliers ---


def test_a_supplier_goes_over_whole_and_comes_back():
    body = vendors.to_vendor(SUPPLIER, KEY, OPTIONS, COMPANY)
    again = vendors.from_vendor(as_read(body), OPTIONS)
    assert msgspec.structs.replace(again, tax_id_kind=None) == SUPPLIER
    assert body["companies"] == [{"companyCode": "100", "inheritToChildUnits": True}]
    assert body["processingStatus"] == {"active": True, "paymentDenied": False}


def test_no_bank_detail_is_ever_sent_or_read():  # R52
    body = vendors.to_vendor(SUPPLIER, KEY, OPTIONS, COMPANY)
    assert body["paymentMeans"] == [{"paymentMeansCode": "BANK", "currencyCode": "USD", "default": True}]
    assert "RemittanceAddress" not in str(body)
    held = {"financialAccountIdentifiers": [{"schemeId": "IBAN", "id": "DE02120300000000202051"}]}
    row = {**body, "paymentMeans": [{**body["paymentMeans"][0], "financialAccounts": [held]}]}
    assert "DE02120300000000202051" not in repr(vendors.from_vendor(row, OPTIONS))
    assert vendors.has_bank_details(row) and not vendors.has_bank_details(body)


@pytest.mark.parametrize("hold", [{"on_hold": True}, {"payment_blocked": True}])
def test_a_supplier_on_hold_is_denied_payment_and_stays_active(hold):  # R47
    body = vendors.to_vendor(msgspec.structs.replace(SUPPLIER, **hold), KEY, OPTIONS, COMPANY)
    assert body["processingStatus"] == {"active": True, "paymentDenied": True}


def test_what_is_not_set_up_in_p2p_is_not_sent():
    body = vendors.to_vendor(SUPPLIER, KEY, chosen(tax_scheme_id="", default_means_code=""), COMPANY)
    assert "identifiers" not in body and "paymentMeans" not in body


def test_a_long_street_is_continued_and_nothing_is_cut():  # R31
    street = "Industriepark am Alten Gueterbahnhof Nordwest 17 Hinterhaus links"
    address = msgspec.structs.replace(SUPPLIER.address, line1=street)
    sent = vendors.to_address(address, "Electra", "Supplier ELC001")
    further = sent["additionalAddressFields"]
    assert len(sent["streetName"]) <= 50
    assert f"{sent['streetName']} {further[0]['value']}" == street
    assert further[1]["value"] == "Dock 4"


@pytest.mark.parametrize(
    ("changes", "field", "cause"),
    [
        ({"code": "S" * 26}, "code", "field_too_long"),
        ({"name": "N" * 251}, "name", "field_too_long"),
        ({"name": " "}, "name", "field_missing"),
        ({"email": f"{'e' * 200}@x.example"}, "email", "field_too_long"),
        ({"tax_id": "9" * 37}, "tax_id", "field_too_long"),
        ({"terms": "T" * 26}, "terms", "field_too_long"),
        ({"address": Address(line1="x", city="C" * 51)}, "address.city", "field_too_long"),
    ],
)
def test_what_basware_would_not_take_is_refused_and_named(changes, field, cause):  # R31
    with pytest.raises(Refused) as refused:
        vendors.to_vendor(msgspec.structs.replace(SUPPLIER, **changes), KEY, OPTIONS, COMPANY)
    assert (refused.value.field, refused.value.code) == (field, cause)
    assert "Supplier" in str(refused.value)


# --- accounts, cost centers, terms, tax codes ---


def account(**changes: Any) -> GlAccount:
    fields = {"code": "6100", "name": "Components", "type": AccountType.EXPENSE, "postable": True}
    return GlAccount(**{**fields, **changes})


def test_an_account_has_its_name_in_english_and_in_the_local_language():
    body = accounts.to_account(account(), "k", chosen(languages=["de-DE"]), COMPANY)
    assert [one["language"] for one in body["accountNames"]] == ["en-US", "de-DE"]
    assert body["companies"] == [{"companyCode": "100", "inherit": True, "active": True}]
    assert accounts.from_account(as_read(body)) == account()


def test_an_account_that_may_not_be_posted_to_is_inactive():
    body = accounts.to_account(account(postable=False), "k", OPTIONS, COMPANY)
    assert body["companies"][0]["active"] is False
    assert not accounts.from_account(body).postable


def test_a_name_of_one_character_gets_the_code_behind_it():
    assert accounts.to_account(account(name="X"), "k", OPTIONS, COMPANY)["accountNames"][0]["translation"] == "X 6100"


def test_a_long_account_code_needs_a_short_one_in_the_mapping():  # R31
    with pytest.raises(Refused, match="Mapping") as refused:
        accounts.to_account(account(code="10-6100-000-000-0000-MFG-EU"), "k", OPTIONS, COMPANY)
    assert refused.value.code == "field_too_long"


def test_a_cost_center_goes_to_its_own_list_or_to_a_general_one():
    center = CostCenter(code="WH1", name="Warehouse 1", dimension="costCenters", postable=False)
    body = accounts.to_cost_center(center, "k", OPTIONS, COMPANY)
    assert body["companies"] == [{"companyCode": "100", "active": False}]
    assert accounts.from_cost_center(as_read(body)) == center
    item = accounts.to_list_item(center, "k", OPTIONS, COMPANY)
    assert (item["text_1"], item["text_2"]) == ("WH1", "Warehouse 1")
    assert accounts.from_list_item(as_read(item)) == center
    assert accounts.cost_centers(chosen(cost_center_list="ACC_LIST_3"), COMPANY, "").path == "/v1/lists/ACC_LIST_3"


def test_a_payment_term_with_days_and_discount_is_calculated_by_p2p():
    term = PaymentTerm(code="30", name="30 days", due_days=30, discount_days=10, discount_percent=Decimal("2.50"))
    body = terms.to_term(term, "k", OPTIONS, COMPANY)
    assert (body["dueDateCalc"], body["dueDateDays"], body["cashDueDateDays"]) == (1, 30, 10)
    assert encode_json(body["cashDiscount"]) == b"2.5"
    assert (body["validFrom"], body["validTo"]) == ("2000-01-01T00:00:00Z", "2099-12-31T00:00:00Z")
    assert terms.from_term(as_read(body)) == msgspec.structs.replace(term, discount_percent=Decimal("2.5"))


@pytest.mark.parametrize("rule", [{"due_day_of_month": 15}, {"due_months": 2}])
def test_a_term_that_p2p_cannot_calculate_goes_over_as_a_name(rule):
    body = terms.to_term(PaymentTerm(code="X", name="Mid month", due_days=5, **rule), "k", OPTIONS, COMPANY)
    assert body["dueDateCalc"] == 0 and "dueDateDays" not in body


def test_a_tax_code_keeps_its_percentage_exactly():  # R21
    tax = TaxCode(code="V19", name="VAT 19 %", percent=Decimal("19.125"))
    body = terms.to_tax_code(tax, "k", OPTIONS, COMPANY)
    assert encode_json(body["taxPercentage"]) == b"19.125"
    assert terms.from_tax_code(as_read(body)) == tax


def test_days_can_be_written_without_a_time():
    body = terms.to_term(PaymentTerm(code="30", name="30 days"), "k", chosen(date_style="date"), COMPANY)
    assert body["validFrom"] == "2000-01-01"


# --- orders ---


def order_line(**changes: Any) -> PurchaseOrderLine:
    fields = {
        "line_key": "1",
        "number": "1",
        "description": "Relay 24 V",
        "sku": "R24",
        "unit": "EA",
        "quantity": Decimal(100),
        "unit_price": Decimal("12.00"),
        "amount": Decimal("1200.00"),
        "account": "6100",
        "cost_center": "WH1",
    }
    return PurchaseOrderLine(**{**fields, **changes})


def order(*lines: PurchaseOrderLine, **changes: Any) -> PurchaseOrder:
    fields = {
        "number": "150",
        "supplier": KEY,
        "date": date(2026, 11, 2),
        "due_date": date(2026, 11, 30),
        "currency": "USD",
        "total": sum((line.amount for line in lines), Decimal(0)),
        "lines": lines,
    }
    return PurchaseOrder(**{**fields, **changes})


def sent_line(line: PurchaseOrderLine, using: Options = OPTIONS, **of_order: Any) -> Any:
    return orders.to_line(order(line, **of_order), line, ("100_O_150", "100_L_x"), using)


def test_a_line_carries_its_coding_and_its_number_as_text():
    body = sent_line(order_line())
    assert body["lineNumber"] == "1" and body["orderExternalCode"] == "100_O_150"
    assert encode_json([body["quantity"], body["netPrice"], body["netSum"]]) == b"[100,12,1200]"
    assert (body["matchingMode"], body["isDeleted"], body["isClosed"]) == ("Standard", False, False)
    assert body["orderLineCoding"][0] | {"externalCode": ""} == {
        "externalCode": "",
        "rowIndex": 0,
        "allocatedQuantity": 100,
        "netTotal": 1200,
        "accountCode": "6100",
        "costCenterCode": "WH1",
    }


def test_prices_of_many_digits_stay_exact():  # R21
    body = sent_line(order_line(quantity=Decimal("0.125"), unit_price=Decimal("0.00012345"), amount=Decimal("0.00")))
    assert encode_json([body["quantity"], body["netPrice"]]) == b"[0.125,0.00012345]"


def test_a_return_has_a_positive_quantity_and_a_negative_price():  # R26
    body = sent_line(order_line(quantity=Decimal(-3), amount=Decimal("-36.00")))
    assert (body["matchingMode"], body["quantity"], body["netPrice"], body["netSum"]) == ("Return", 3, -12, -36)


def test_a_service_is_one_piece_at_its_whole_amount_without_coding():
    body = sent_line(order_line(kind=OrderLineKind.SERVICE))
    assert (body["matchingMode"], body["quantity"], body["netPrice"]) == ("Service", 1, 1200)
    assert body["isReceiptRequired"] and body["isReceiptBasedMatching"] and "orderLineCoding" not in body


@pytest.mark.parametrize("changes", [{"quantity": Decimal(0)}, {"kind": OrderLineKind.COMMENT}])
def test_a_line_that_basware_cannot_hold_is_left_out(changes):
    assert sent_line(order_line(**changes)) is None


@pytest.mark.parametrize(
    ("line", "header", "closed", "deleted"),
    [
        (OrderStatus.OPEN, OrderStatus.OPEN, False, False),
        (OrderStatus.CLOSED, OrderStatus.OPEN, True, False),
        (OrderStatus.CANCELLED, OrderStatus.OPEN, False, True),
        (OrderStatus.OPEN, OrderStatus.CLOSED, True, False),
        (OrderStatus.OPEN, OrderStatus.CANCELLED, False, True),
    ],
)
def test_a_closed_line_is_closed_and_a_cancelled_one_deleted(line, header, closed, deleted):  # R42
    body = sent_line(order_line(status=line), status=header)
    assert (body["isClosed"], body["isDeleted"]) == (closed, deleted)
    assert orders.to_header(order(status=header), "k", "ELC001", OPTIONS, COMPANY)["isClosed"] is (
        header is not OrderStatus.OPEN
    )


def test_receipts_stand_in_their_line_where_matching_wants_them():
    receipt = Receipt(receipt_key="G7-1", order_line="1", quantity=Decimal(40), date=date(2026, 11, 9), number="G7")
    line = order_line(receipts=(receipt,))
    assert "goodsReceipts" not in sent_line(line)
    body = sent_line(line, chosen(receipt_matching=True))
    (sent,) = body["goodsReceipts"]
    assert (sent["goodsReceiptNumber"], sent["quantity"], sent["deliveryDate"]) == ("G7", 40, "2026-11-09T00:00:00Z")
    assert body["isReceiptRequired"] is True


def test_an_order_comes_back_as_it_was_sent():
    value = order(order_line(), order_line(line_key="2", number="2", status=OrderStatus.CANCELLED))
    header = orders.to_header(value, "100_O_150", "ELC001", OPTIONS, COMPANY)
    lines = [orders.to_line(value, line, ("100_O_150", f"100_L_{line.number}"), OPTIONS) for line in value.lines]
    again = orders.from_order(as_read(header), as_read(lines), COMPANY)
    assert (again.number, again.supplier, again.date, again.due_date) == ("150", KEY, value.date, value.due_date)
    assert [line.line_key for line in again.lines] == ["100_L_1"]
    assert again.lines[0].amount == Decimal("1200.00") and again.lines[0].account == "6100"


def test_a_company_without_an_organization_element_cannot_have_orders():
    short = chosen(company_map={"RIL": "1"})
    with pytest.raises(Refused) as refused:
        orders.to_header(order(), "k", "ELC001", short, short.company("RIL"))
    assert refused.value.field == "company_map"


# --- invoices ---


def coding_row(index: int, net: Any, **changes: Any) -> dict[str, Any]:
    row = {"externalCode": f"row-{index}", "rowIndex": index, "accountCode": "6100", "netTotal": net}
    return {**row, **changes}


def document(**changes: Any) -> dict[str, Any]:
    row = {
        "invoiceId": "inv-1",
        "companyCode": "100",
        "currencyCode": "USD",
        "supplierCode": "ELC001",
        "processingStatus": "WaitingForTransfer",
        "p2pProcessingMode": "Standard",
        "paymentBlock": False,
        "invoiceNumber": "ELC-1001",
        "invoiceDate": "2026-11-10T00:00:00Z",
        "dueDate": "2026-12-10",
        "voucherDate": "2026-11-12T00:00:00Z",
        "netSum": 1500,
        "taxSum1": 120,
        "grossSum": 1620.0,
        "taxCode": "V8",
        "orderNumbers": ["150"],
        "lastUpdated": "2026-11-15T10:00:00.5Z",
        "codingRows": [
            coding_row(5, 300, accountCode="6200"),
            coding_row(1, 1200, costCenterCode="WH1", orderNumber="150", orderLineNumber="1", goodsReceiptNumber="G7"),
        ],
    }
    return as_read({**row, **changes})


def read(using: Options = OPTIONS, **changes: Any) -> Item[Invoice]:
    return documents.from_document(document(**changes), using)


def test_an_approved_document_is_an_invoice_with_its_coding_rows_as_lines():
    item = read()
    invoice = item.record
    assert item.invalid is None and item.key == "inv-1"
    assert (invoice.number, invoice.supplier, invoice.kind) == ("ELC-1001", "ELC001", InvoiceKind.INVOICE)
    assert (invoice.date, invoice.due_date, invoice.posting_date) == (
        date(2026, 11, 10),
        date(2026, 12, 10),
        date(2026, 11, 12),
    )
    assert (invoice.gross, invoice.net, invoice.tax) == (Decimal("1620.00"), Decimal("1500.00"), Decimal("120.00"))
    assert [(line.kind, line.account, line.amount) for line in invoice.lines] == [
        (LineKind.ITEM, "6100", Decimal(1200)),
        (LineKind.ITEM, "6200", Decimal(300)),
        (LineKind.TAX, "2250", Decimal(120)),
    ]
    assert invoice.adds_up()  # R22
    assert item.observed == {"status": "WaitingForTransfer", "cycle": "1", "company": "100", "offered": "1"}


def test_a_matched_row_keeps_its_order_line_and_receipt():  # R43
    line = read().record.lines[0]
    assert (line.order_line, line.receipt, line.cost_center) == ("150/1", "G7", "WH1")
    assert read().record.orders == ("150",)


def test_amounts_are_exact_however_the_number_is_written():  # R21
    raw = b'{"grossSum": 0.1, "netSum": 0.30000000000000004}'
    row = Answer(200, {}, raw).json()
    assert isinstance(row["grossSum"], Decimal)
    item = documents.from_document({**document(), **row, "taxSum1": Decimal("-0.2")}, OPTIONS)
    assert (item.record.gross, item.record.net) == (Decimal("0.10"), Decimal("0.30"))


def test_tax_that_is_not_paid_counts_only_where_the_gross_holds_it():
    assert read(taxSum2=30).record.tax == Decimal(120)
    assert read(taxSum2=30, grossSum=1650).record.tax == Decimal(150)


def test_a_header_without_its_tax_has_what_lies_between_net_and_gross():
    assert read(taxSum1=None).record.tax == Decimal(120)
    assert read(taxSum1=None, netSum=None).record.tax == Decimal(0)


def test_lines_that_do_not_add_up_are_left_as_they_are_for_the_check_to_hold():  # R22
    item = read(grossSum=1620.01)
    assert item.invalid is None and not item.record.adds_up()


def test_a_document_below_zero_is_a_credit_note_with_positive_amounts():  # R26
    item = read(netSum=-75, taxSum1=0, grossSum=-75, referenceNumber="PK-500", codingRows=[coding_row(1, -75)])
    assert item.invalid is None
    assert (item.record.kind, item.record.gross, item.record.corrects) == (
        InvoiceKind.CREDIT_NOTE,
        Decimal(75),
        "PK-500",
    )
    assert [line.amount for line in item.record.lines] == [Decimal(75)] and item.record.adds_up()


def test_a_type_of_credit_notes_can_be_named_and_their_reference_placed():  # R26
    using = chosen(credit_type_codes=["CRN"], credit_reference_field="text7")
    item = read(using, invoiceTypeCode="CRN", text7="PK-500", referenceNumber="RF18")
    assert (item.record.kind, item.record.corrects) == (InvoiceKind.CREDIT_NOTE, "PK-500")
    assert read(referenceNumber="RF18").record.corrects is None


@pytest.mark.parametrize(
    ("changes", "cause", "says"),
    [
        ({"codingRows": []}, "totals_differ", "no coding rows"),
        ({"codingRows": [coding_row(3, 10, accountCode=None)]}, "unmapped_code", "coding row 3"),
        ({"codingRows": [coding_row(3, None)]}, "totals_differ", "no amount"),
        ({"grossSum": None}, "field_missing", "grossSum"),
        ({"dueDate": None}, "field_missing", "dueDate"),
        ({"invoiceNumber": " ", "invoiceDate": None}, "field_missing", "invoiceNumber, invoiceDate"),
        ({"supplierCode": ""}, "field_missing", "supplierCode"),
        ({"currencyCode": "EU"}, "unmapped_code", "ISO 4217"),
        ({"netSum": 1500.001}, "source_shape_changed", "1500.001"),
    ],
)
def test_a_document_that_cannot_travel_says_why_and_does_not_stop_the_others(changes, cause, says):
    item = read(**changes)
    assert item.invalid is not None
    assert item.invalid.startswith(f"{cause}: ") and says in item.invalid


def test_tax_without_an_account_for_it_waits():
    item = read(chosen(tax_account=""))
    assert item.invalid is not None and "tax_account" in item.invalid
    assert read(chosen(tax_account=""), taxSum1=0, grossSum=1500).invalid is None


def test_a_row_that_only_has_a_gross_amount_is_net_of_its_tax():
    item = read(codingRows=[coding_row(1, None, grossTotal=1620, taxSum=120)])
    assert item.record.lines[0].amount == Decimal(1500)


@pytest.mark.parametrize(
    ("direction", "given", "base", "rate"),
    [
        ("auto", 1.08, 2700, Decimal("1.08")),
        ("auto", 0.925925926, 2700, Decimal("1.080000000")),
        ("auto", 1.08, None, Decimal("1.08")),
        ("divide", 0.8, None, Decimal("1.25")),
        ("multiply", 0.8, 2000, Decimal("0.8")),
    ],
)
def test_the_rate_leads_to_the_companys_currency(direction, given, base, rate):  # R25
    item = read(
        chosen(rate_direction=direction),
        currencyCode="EUR",
        currencyCodeCompany="USD",
        exchangeRateCompany=given,
        exchangeRateBaseDate="2026-11-10",
        netSum=2500,
        taxSum1=0,
        grossSum=2500,
        grossSumCompany=base,
        codingRows=[coding_row(1, 2500)],
    )
    assert item.record.rate == rate
    assert item.record.rate_date == date(2026, 11, 10)
    if base is not None:
        assert abs(item.record.base_difference()) <= Decimal("0.05")


def test_a_document_in_the_companys_own_currency_has_no_rate():  # R25
    item = read(currencyCodeCompany="USD", exchangeRateCompany=1, grossSumCompany=1620)
    assert item.record.rate is None and item.record.base_gross is None


@pytest.mark.parametrize("status", ["WaitingToBeRemoved", "WaitingToBeReturned", "Removed"])
def test_a_document_that_p2p_wants_back_is_voided(status):
    assert read(processingStatus=status).record.status is InvoiceStatus.VOIDED
    assert read(processingStatus="TransferInProgress").record.status is InvoiceStatus.APPROVED


def test_each_failed_transfer_begins_another_cycle():
    failed = {"externalCode": "a", "success": False, "responseMessage": "WH9 unknown", "paymentBlock": False}
    assert read(transferResponses=[failed]).observed["cycle"] == "2"
    done = {**failed, "externalCode": "b", "success": True}
    assert read(transferResponses=[failed, done]).observed["cycle"] == "2"


def test_documents_that_were_only_enriched_are_not_approved():
    assert not documents.approved(document(p2pProcessingMode="InvoiceEnrichment"))
    assert documents.approved(document(p2pProcessingMode=None))


def test_bank_details_of_a_document_are_not_read():  # R52
    item = read(supplierBankIBAN="DE02120300000000202051", paymentMessage="pay to DE02120300000000202051")
    assert "DE0212" not in repr(item)


def test_a_payment_block_holds_the_invoice():
    assert read(paymentBlock=True).record.hold
    assert read().record.hold is None


# --- answers ---


def test_an_answer_holds_voucher_and_message_in_their_limits():
    done = handshake.Outcome(True, "Posted.  " + "x" * 300, "2026-11 00017-001", on=date(2026, 11, 16))
    body = handshake.to_response(done, "code", "SYSPRO", "date-time")
    assert len(body["responseMessage"]) == 250 and body["responseMessage"].endswith("...")
    assert (body["voucherNumber1"], body["transferDate"]) == ("2026-11 00017-001", "2026-11-16T00:00:00Z")
    with pytest.raises(Refused) as refused:
        handshake.to_response(handshake.Outcome(True, "Posted.", "v" * 26), "code", "SYSPRO", "date")
    assert refused.value.field == "voucher"


def test_an_empty_message_is_never_sent():
    for success in (True, False):
        assert handshake.to_response(handshake.Outcome(success, "  "), "c", "SYSPRO", "date")["responseMessage"]


def test_the_same_answer_has_the_same_key_and_another_cycle_another():
    done = handshake.Outcome(True, "Posted.", "17-001")
    assert done.code("inv-1", 1) == handshake.Outcome(True, "Posted again.", "17-001").code("inv-1", 1)
    assert len({done.code("inv-1", 1), done.code("inv-1", 2), handshake.Outcome(False, "No.").code("inv-1", 1)}) == 3


def paid(**changes: Any) -> Payment:
    fields = {
        "supplier": KEY,
        "date": date(2026, 11, 16),
        "amount": Decimal("250.00"),
        "currency": "USD",
        "method": "check",
        "reference": "70011",
        "status": PaymentStatus.ISSUED,
        "allocations": (
            PaymentAllocation(
                invoice="inv-1", gross=Decimal("255.00"), net=Decimal("250.00"), discount=Decimal("5.00")
            ),
        ),
    }
    return Payment(**{**fields, **changes})


def test_a_payment_says_what_is_paid_in_all():  # R28
    body = payments.to_response(paid(), Decimal("400.50"), "c", document(), chosen(date_style="date"))
    assert encode_json([body["paidTotal"], body["cashDiscount"]]) == b"[400.5,5]"
    assert (body["paymentNumber"], body["checkNumber"], body["paymentDate"]) == ("70011", "70011", "2026-11-16")
    assert "paymentReversalDocument" not in body


def test_a_payment_taken_back_names_itself():  # R29
    body = payments.to_response(paid(status=PaymentStatus.VOIDED), Decimal(0), "c", document(), OPTIONS)
    assert body["paymentReversalDocument"] == "70011" and "cashDiscount" not in body


def test_what_an_answer_would_clear_goes_back_as_it_is():
    row = document(paymentBlock=True, paymentTermCode="30", paymentMethod="PM1", paymentMessage="thank you")
    body = payments.to_response(paid(), Decimal(250), "c", row, OPTIONS)
    kept = {name: body[name] for name in ("paymentBlock", "paymentTermCode", "paymentMethod", "paymentMessage")}
    assert kept == {
        "paymentBlock": True,
        "paymentTermCode": "30",
        "paymentMethod": "PM1",
        "paymentMessage": "thank you",
    }
