"""Wire to record and back, without a server."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

from ml_connector.domain.records import Address, InvoiceLine, PaymentStatus, TaxIdKind
from ml_connector.systems.base import DocumentState, Refused, ShapeChanged
from ml_connector.systems.bill.accounts import from_account, from_classification
from ml_connector.systems.bill.bills import Bills
from ml_connector.systems.bill.documents import same_number
from ml_connector.systems.bill.lines import corresponding, exact, to_line
from ml_connector.systems.bill.payments import from_payment, status_of
from ml_connector.systems.bill.settings import BillSettings
from ml_connector.systems.bill.vendors import from_vendor, to_vendor
from ml_connector.systems.transport.http import encode_json

MARK = "mlc0123456789"


def settings(**given):
    return BillSettings.of({"environment": "sandbox", "username": "a", "organizationId": "008", **given})


def bills(**given):
    return Bills(SimpleNamespace(settings=settings(**given)), None, {"source_label": "SYSPRO RIL"})


BILL = {
    "id": "00n01ABCDEFGHIJKLMNO",
    "archived": False,
    "vendorId": "00901ABCDEFGHIJKLMNO",
    "amount": Decimal("1620.5"),
    "dueAmount": Decimal("1620.5"),
    "description": f"text · SYSPRO RIL/7 · {MARK}",
    "dueDate": "2026-12-10",
    "invoice": {"invoiceDate": "2026-11-10T00:00:00.000Z", "invoiceNumber": "ELC-1001"},
    "billLineItems": [{"id": "bli01", "amount": 1620, "classifications": {"chartOfAccountId": "0ca01"}}],
    "paymentStatus": "UNPAID",
    "updatedTime": "2026-11-16T07:00:00.123+01:00",
}


def test_a_bill_in_our_terms():
    found = bills().from_wire(BILL, "USD")
    record = found.record
    assert (record.number, record.date, record.due_date) == ("ELC-1001", date(2026, 11, 10), date(2026, 12, 10))
    assert (record.gross, record.currency, record.memo) == (Decimal("1620.50"), "USD", "text")
    assert (found.mark, found.updated, found.lines) == (MARK, "2026-11-16T06:00:00.123Z", ("bli01",))
    assert record.lines[0].amount == Decimal("1620.00")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("UNPAID", DocumentState.OPEN),
        ("UNDEFINED", DocumentState.OPEN),
        (None, DocumentState.OPEN),
        ("SCHEDULED", DocumentState.SCHEDULED),
        ("IN_PROCESS", DocumentState.SCHEDULED),
        ("PARTIAL", DocumentState.PART_PAID),
        ("PARTIALLY_PAID", DocumentState.PART_PAID),
        ("PAID", DocumentState.PAID),
        ("SOMETHING_NEW", DocumentState.SCHEDULED),
    ],
)
def test_payment_statuses_are_whole_words(status, state):
    row = {name: value for name, value in BILL.items() if name != "paymentStatus"}
    assert bills().from_wire({**row, **({"paymentStatus": status} if status else {})}, "USD").state is state
    assert bills().from_wire({**row, "paymentStatus": status or "", "archived": True}, "USD").state.value == "archived"


def test_an_absent_due_amount_is_unknown_and_not_zero():  # R28
    row = {name: value for name, value in BILL.items() if name != "dueAmount"}
    assert bills().from_wire(row, "USD").open is None
    whole = {**row, "paidAmount": Decimal("20.5"), "creditAmount": 0, "scheduledAmount": 100}
    assert bills().from_wire(whole, "USD").open == Decimal("1500.00")


@pytest.mark.parametrize(
    ("field", "value"),
    [("vendorId", None), ("dueDate", "soon"), ("invoice", {}), ("updatedTime", 5), ("amount", "12.00"), ("id", "")],
)
def test_a_field_of_another_shape_is_named(field, value):  # R20
    with pytest.raises(ShapeChanged) as changed:
        bills().from_wire({**BILL, field: value}, "USD")
    assert changed.value.field.startswith(field)


def test_the_body_of_a_create(make_invoice):
    body = bills().to_wire(make_invoice("009", "0ca", orders=("A", "B")), MARK)
    assert body["allowDuplicateInvoiceNumber"] is False
    assert body["billApprovals"] is True
    assert body["purchaseOrderNumber"] == "several"
    assert b'"amount":1200.00' in encode_json(body)


def test_the_guards_are_settings(make_invoice):
    body = bills(send_duplicate_guard=False, attach_approvers=False).to_wire(make_invoice("009", "0ca"), MARK)
    assert not {"allowDuplicateInvoiceNumber", "billApprovals"} & set(body)


@pytest.mark.parametrize(
    ("value", "currency", "sent"),
    [
        ("1", "USD", "1.00"),
        ("1.5", "USD", "1.50"),
        ("1200", "JPY", "1200"),
        ("1.230", "KWD", "1.230"),
        ("-5", "EUR", "-5.00"),
    ],
)
def test_amounts_in_the_currencys_digits(value, currency, sent):  # R24, R26
    assert str(exact(Decimal(value), currency, "bill X")) == sent


@pytest.mark.parametrize(("value", "currency"), [("1.234", "KWD"), ("0.005", "USD")])
def test_an_amount_that_bill_cannot_hold_is_refused(value, currency):  # R31
    with pytest.raises(Refused, match="two fraction digits"):
        exact(Decimal(value), currency, "bill X")


@pytest.mark.parametrize("axis", ["departments", "accounting-classes", "locations"])
def test_the_cost_center_goes_to_the_axis_set(axis, make_invoice):
    field = {"departments": "departmentId", "accounting-classes": "accountingClassId", "locations": "locationId"}[axis]
    line = InvoiceLine(line_key="1", amount=Decimal(1), account="0ca", cost_center="cc")
    body = bills(cost_center_axis=axis).wire_lines(make_invoice("009", "0ca", lines=(line,)))
    assert body[0]["classifications"] == {"chartOfAccountId": "0ca", field: "cc"}


def test_lines_are_told_by_contents_where_ids_do_not_fit(make_invoice):  # R42
    sent = make_invoice("009", "0ca")
    rows = [
        {"id": f"bli{n}", **to_line(line, n, "USD", "departmentId", "bill")}
        for n, line in enumerate(sent.lines, start=1)
    ]
    assert corresponding(sent, ("bli3", "bli2", "bli1"), rows, "departmentId") == ["bli3", "bli2", "bli1"]
    assert corresponding(sent, (), rows[::-1], "departmentId") == ["bli1", "bli2", "bli3"]
    assert corresponding(sent, ("gone", "bli2", "bli3"), rows, "departmentId") == [None, "bli2", "bli3"]
    dropped = make_invoice("009", "0ca", lines=(sent.lines[2],))
    assert corresponding(dropped, ("bli1", "bli2", "bli3"), rows, "departmentId") == ["bli3"]


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [("ELC-1001", "e1c 01001", True), ("ELC-1001", "ELC-1002", False), ("№ Ф", "№ Ю", False), ("№ Ф", "№ Ф", True)],
)
def test_numbers_are_compared_normalised(left, right, same):  # R38
    assert same_number(left, right) is same


def test_the_body_of_a_vendor(make_supplier):
    sent = make_supplier(tax_id_kind=TaxIdKind.SSN, reportable_1099=True)
    assert to_vendor(sent, settings()) == {
        "name": "Electra Components Inc.",
        "shortName": "ELC001",
        "email": "ap@electra.example",
        "address": {
            "line1": "1 Main Street",
            "city": "San Jose",
            "stateOrProvince": "CA",
            "zipOrPostalCode": "95002",
            "country": "US",
        },
        "additionalInfo": {"taxId": "12-3456789", "taxIdType": "SSN", "track1099": True},
    }


def test_the_code_is_shown_only_where_it_is_wished(make_supplier):
    assert "shortName" not in to_vendor(make_supplier(), settings(vendor_code_field="none"))


@pytest.mark.parametrize("missing", ["line1", "city", "postal_code", "country"])
def test_a_missing_part_of_the_address_names_supplier_and_field(make_supplier, missing):
    parts = {
        "line1": "1 Main",
        "city": "X",
        "postal_code": "1",
        "country": "US",
        missing: "" if missing == "line1" else None,
    }
    with pytest.raises(Refused, match=r"ELC001 \(Electra") as refused:
        to_vendor(make_supplier(address=Address(**parts)), settings())
    assert (refused.value.code, refused.value.field) == ("field_missing", f"address.{missing}")


def test_a_missing_country_is_the_default_one(make_supplier):
    address = Address(line1="1 Main", line2="Floor 2", line3="East", city="X", postal_code="1")
    body = to_vendor(make_supplier(address=address), settings(default_country="DE"))
    assert (body["address"]["country"], body["address"]["line2"]) == ("DE", "Floor 2, East")


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"name": " "}, "field_missing", "name"),
        ({"name": "x" * 101}, "field_too_long", "name"),
        ({"code": "x" * 41}, "field_too_long", "code"),
        ({"address": None}, "field_missing", "address.line1"),
    ],
)
def test_what_bill_would_not_take_is_refused_before_a_request(make_supplier, fields, code, field):  # R31
    with pytest.raises(Refused) as refused:
        to_vendor(make_supplier(**fields), settings())
    assert (refused.value.code, refused.value.field) == (code, field)


def test_bank_details_of_a_vendor_are_never_read(make_supplier):  # R52
    bank = {"bankAccount": {"accountNumber": "111222333", "routingNumber": "074000010"}, "payeeName": "Payee"}
    record = from_vendor({"id": "009", "name": "Electra", "shortName": "ELC001", "paymentInformation": bank})
    assert b"111222333" not in record.payload()
    assert b"Payee" not in record.payload()
    assert record.code == "ELC001"


@pytest.mark.parametrize(
    ("kind", "archived", "type_", "postable", "control"),
    [
        ("EXPENSE", False, "expense", True, False),
        ("EXPENSE", True, "expense", False, False),
        ("COST_OF_GOODS_SOLD", False, "expense", True, False),
        ("OTHER_CURRENT_ASSET", False, "asset", True, False),
        ("INCOME", False, "revenue", True, False),
        ("NON_POSTING", False, "heading", False, False),
        ("BANK", False, "asset", False, False),
        ("CREDIT_CARD", False, "liability", False, False),
        ("ACCOUNTS_PAYABLE", False, "liability", False, True),
        ("ACCOUNTS_RECEIVABLE", False, "asset", False, True),
    ],
)
def test_accounts_and_whether_they_may_be_posted_to(kind, archived, type_, postable, control):  # R50
    row = {"id": "0ca", "name": "Sundry", "archived": archived, "account": {"type": kind, "number": "010-6"}}
    account = from_account(row)
    assert (account.type, account.postable, account.control) == (type_, postable, control)
    assert (account.code, account.number) == ("0ca", "010-6")


def test_a_department_is_known_by_its_short_name_or_its_name():
    assert from_classification({"id": "0de", "name": "Sales", "shortName": "WH1"}, "departments").number == "WH1"
    named = from_classification({"id": "0de", "name": "Sales", "archived": True}, "departments")
    assert (named.number, named.postable, named.dimension) == ("Sales", False, "departments")


PAYMENT = {
    "id": "stp01",
    "vendorId": "009",
    "processDate": "2026-11-16",
    "amount": Decimal("90.00"),
    "singleStatus": "CLEARED",
    "disbursementType": "CHECK",
    "disbursementInfo": {"checkDisbursement": {"checkNumber": 70011}},
    "billPayments": [
        {"id": "blp1", "billId": "00n1", "amount": Decimal("60.00"), "vendorCredits": [{"id": "vcr", "amount": 15}]},
        {"id": "blp2", "billId": "00n2", "amount": Decimal("30.00")},
    ],
}


def test_a_payment_is_split_over_its_bills():
    payment = from_payment(PAYMENT, "USD", settings())
    assert [(paid.invoice, paid.gross, paid.net, paid.credit) for paid in payment.allocations] == [
        ("00n1", Decimal("75.00"), Decimal("60.00"), Decimal("15.00")),
        ("00n2", Decimal("30.00"), Decimal("30.00"), Decimal(0)),
    ]
    assert (payment.method, payment.reference, payment.amount) == ("check", "70011", Decimal("90.00"))
    assert [[(used.ref, used.amount) for used in paid.credits] for paid in payment.allocations] == [
        [("vcr", Decimal("15.00"))],
        [],
    ]


def test_a_payment_says_in_words_why_the_money_did_not_arrive():
    void = {"type": "VOID_ONLY", "status": "ACCEPTED", "reason": "Insufficient funds"}
    failed = from_payment({**PAYMENT, "singleStatus": "FUNDING_FAILED_VOIDED", "voidInfo": [void]}, "USD", settings())
    assert failed.status_text == "FUNDING_FAILED_VOIDED"
    assert failed.failure == (
        "BILL could not draw the money and voided the payment (FUNDING_FAILED_VOIDED). Insufficient funds"
    )
    assert not failed.credited
    assert from_payment({**PAYMENT, "singleStatus": "SENT"}, "USD", settings()).failure is None


@pytest.mark.parametrize(("state", "credited"), [("ACCEPTED", True), ("TO_BE_PROCESSED", True), ("REJECTED", False)])
def test_a_void_for_a_credit_is_told_from_one_for_money(state, credited):  # R29
    void = {"type": "VOID_AND_CREDIT", "status": state}
    payment = from_payment({**PAYMENT, "singleStatus": "VOIDED", "voidInfo": [void]}, "USD", settings())
    assert (payment.status, payment.credited) == (PaymentStatus.VOIDED, credited)


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ({"singleStatus": "CLEARED"}, PaymentStatus.CLEARED),
        ({"singleStatus": "SCHEDULED"}, PaymentStatus.PENDING),
        ({"singleStatus": "PROCESSED"}, PaymentStatus.ISSUED),
        ({"singleStatus": "CANCELED"}, PaymentStatus.VOIDED),
        ({"singleStatus": "VOIDED"}, PaymentStatus.VOIDED),
        ({"singleStatus": "FUNDING_FAILED_VOIDED"}, PaymentStatus.FAILED),
        ({"singleStatus": "DISBURSEMENT_FAILED_ACTION_NEEDED"}, PaymentStatus.IN_FLIGHT),
        ({"singleStatus": "PAID_SOMEHOW"}, PaymentStatus.UNKNOWN),
        ({"singleStatus": "UNDEFINED", "status": "PAID"}, PaymentStatus.UNKNOWN),
        ({"status": "PAID", "onlinePayment": False}, PaymentStatus.CLEARED),
        ({"status": "CANCELLED", "onlinePayment": False}, PaymentStatus.VOIDED),
        ({}, PaymentStatus.UNKNOWN),
    ],
)
def test_an_unknown_payment_status_is_never_paid(row, status):
    assert status_of(row, settings()) is status


def test_what_counts_as_paid_or_taken_back_is_a_setting():
    returned = settings(reversed_when=["VOID_PENDING"])
    assert status_of({"singleStatus": "VOID_PENDING"}, returned) is PaymentStatus.VOIDED
    assert status_of({"singleStatus": "VOIDED"}, returned) is PaymentStatus.IN_FLIGHT
    assert status_of({"singleStatus": "SENT"}, settings(paid_when=["CLEARED", "SENT"])) is PaymentStatus.CLEARED
