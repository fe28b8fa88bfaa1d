"""Invoices as bills and vendor credits, against the stand-in."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest

from ml_connector.domain.numbers import mark
from ml_connector.domain.records import InvoiceKind, InvoiceLine
from ml_connector.systems.base import Conflict, DocumentState, NoLonger, OutcomeUnknown, Refused

MARK = mark("acme", "main", "invoices", "ELC001/ELC-1001", "invoice")


@pytest.fixture
def vendor(pair, make_supplier):
    return pair.vendors().create(make_supplier(), "").key


@pytest.fixture
def elc(pair, vendor, make_invoice):
    return make_invoice(vendor, pair.account())


def stored(pair, key):
    (row,) = [row for row in pair.bill.state("bills") if row["id"] == key]
    return row


def test_a_bill_is_created_with_lines_dates_and_mark(pair, elc):  # R6, R22
    ref = pair.bills().create(elc, MARK)
    row = stored(pair, ref.key)
    assert row["invoice"] == {"invoiceNumber": "ELC-1001", "invoiceDate": "2026-11-10"}
    assert (row["dueDate"], row["purchaseOrderNumber"]) == ("2026-12-10", "PO 150")
    assert row["description"] == f"November · SYSPRO RIL/000123 · {MARK}"
    assert ref.amount == Decimal("1620.00")
    assert [line["id"] for line in row["billLineItems"]] == list(ref.lines)


def test_what_was_sent_does_not_differ_from_what_is_there(pair, elc):
    bills = pair.bills()
    found = bills.get(bills.create(elc, MARK).key)
    assert bills.differences(elc, found.record) == []
    assert (found.mark, found.state, found.open) == (MARK, DocumentState.OPEN, Decimal("1620.00"))


@pytest.mark.parametrize("options", [{}, {"bills_filter_invoice_number": "reject"}])
@pytest.mark.parametrize("fault", ["commit_then_reset", "truncate", "garble", "empty"])
def test_a_lost_answer_is_unknown_and_its_bill_is_found_by_mark(connect, make_supplier, make_invoice, options, fault):
    # R3, R6, R12
    pair = connect(**options)
    vendor = pair.vendors().create(make_supplier(), "").key
    elc = make_invoice(vendor, pair.account())
    bills = pair.bills()
    pair.bill.faults([{"match": {"method": "POST", "path": "/v3/bills"}, "do": fault, "times": 1}])
    with pytest.raises(OutcomeUnknown):
        bills.create(elc, MARK)
    (found,) = bills.find(elc, MARK)
    assert found.mark == MARK
    assert bills.identity_differences(elc, found.record) == []
    assert len(pair.calls("POST", "/v3/bills")) == 1


def test_commit_then_error_status_is_unknown(pair, elc):  # R3
    pair.bill.faults(
        [{"match": {"method": "POST", "path": "/v3/bills"}, "do": "commit_then_status", "status": 500, "times": 1}]
    )
    with pytest.raises(OutcomeUnknown):
        pair.bills().create(elc, MARK)


def test_a_reset_before_the_commit_is_unknown_and_nothing_is_found(pair, elc):  # R3
    bills = pair.bills()
    pair.bill.faults([{"match": {"method": "POST", "path": "/v3/bills"}, "do": "reset", "times": 1}])
    with pytest.raises(OutcomeUnknown):
        bills.create(elc, MARK)
    assert bills.find(elc, MARK) == []


def test_a_bill_typed_by_hand_is_found_by_its_normalised_number(pair, elc, vendor, make_invoice):  # R38, R40
    bills = pair.bills()
    other = make_invoice(vendor, pair.account(), number="elc 1001", due_date=date(2027, 1, 1), voucher=None)
    ref = pair.bills({"source_label": ""}).create(other, "")
    (found,) = bills.find(elc, MARK)
    assert (found.key, found.mark) == (ref.key, None)
    assert bills.identity_differences(elc, found.record) == []
    assert bills.differences(elc, found.record) == ["number", "due_date"]


def test_the_same_number_with_another_amount_is_told_apart(pair, elc, vendor, make_invoice):  # R5
    bills = pair.bills()
    lines = (InvoiceLine(line_key="1", amount=Decimal("9.00"), account=pair.account()),)
    bills.create(make_invoice(vendor, pair.account(), lines=lines), "")
    (found,) = bills.find(elc, MARK)
    assert bills.identity_differences(elc, found.record) == ["gross"]


def test_a_later_due_date_is_one_patch_that_asks_the_approvers_again(pair, elc, vendor, make_invoice):
    bills = pair.bills()
    ref = bills.create(elc, MARK)
    later = make_invoice(vendor, pair.account(), due_date=date(2026, 12, 18))
    again = bills.update(ref, later, MARK)
    assert stored(pair, ref.key)["dueDate"] == "2026-12-18"
    assert len(pair.calls("PATCH", f"/v3/bills/{ref.key}")) == 1
    assert again.lines == ref.lines
    assert bills.differences(later, bills.get(ref.key).record) == []


def test_an_update_without_a_difference_sends_nothing(pair, elc):
    bills = pair.bills()
    ref = bills.create(elc, MARK)
    before = len(pair.wrote)
    assert bills.update(ref, elc, MARK) == ref
    assert len(pair.wrote) == before


def test_a_changed_line_is_patched_and_keeps_its_id(pair, elc, vendor, make_invoice):  # R42
    bills, account = pair.bills(), pair.account(1)
    ref = bills.create(elc, MARK)
    lines = (
        elc.lines[0],
        InvoiceLine(line_key="2", description="Packaging", amount=Decimal("310.00"), account=account),
    )
    changed = make_invoice(vendor, account, lines=(*lines, elc.lines[2]))
    again = bills.update(ref, changed, MARK)
    assert (again.lines, again.amount) == (ref.lines, Decimal("1630.00"))
    assert bills.differences(changed, bills.get(ref.key).record) == []


def test_added_and_dropped_lines_are_put_with_known_ids_kept(pair, elc, vendor, make_invoice):  # R42
    bills, account = pair.bills(), pair.account()
    ref = bills.create(elc, MARK)
    new = InvoiceLine(line_key="4", description="Freight", amount=Decimal("35.00"), account=account)
    changed = make_invoice(vendor, account, lines=(elc.lines[0], elc.lines[2], new, new))
    again = bills.update(ref, changed, MARK)
    assert len(pair.calls("PUT", f"/v3/bills/{ref.key}")) == 1
    assert (again.lines[0], again.lines[1]) == (ref.lines[0], ref.lines[2])
    assert len(set(again.lines)) == 4
    assert bills.differences(changed, bills.get(ref.key).record) == []


def test_a_put_keeps_what_people_in_bill_own(pair, elc, vendor, make_invoice):  # R45
    bills, department = pair.bills(), pair.department()
    ref = bills.create(elc, MARK)
    pair.bill.edit("bills", {"id": ref.key, "classifications": {"departmentId": department}})
    bills.update(ref, make_invoice(vendor, pair.account(), lines=elc.lines[:2]), MARK)
    assert stored(pair, ref.key)["classifications"]["departmentId"] == department


def test_a_paid_bill_is_no_longer_changed_and_both_values_are_told(pair, elc, vendor, make_invoice):
    bills = pair.bills()
    ref = bills.create(elc, MARK)
    pair.client.target("payment", {}).create(outside(vendor, ref.key, Decimal("1620.00")), MARK)
    with pytest.raises(NoLonger, match="due_date is 2026-12-10 in BILL, 2026-12-18"):
        bills.update(ref, make_invoice(vendor, pair.account(), due_date=date(2026, 12, 18)), MARK)
    with pytest.raises(NoLonger, match="PAID"):
        bills.cancel(ref, "voided")


@pytest.mark.parametrize("word", ["PARTIALLY_PAID", "PARTIAL"])
def test_a_partly_paid_bill_in_both_spellings(connect, make_supplier, make_invoice, word):  # R28
    pair = connect(partly_paid=word)
    vendor = pair.vendors().create(make_supplier(), "").key
    bills = pair.bills()
    ref = bills.create(make_invoice(vendor, pair.account()), MARK)
    payments = pair.client.target("payment", {})
    payments.create(outside(vendor, ref.key, Decimal("250.00")), MARK)
    found = bills.get(ref.key)
    assert (found.state, found.open) == (DocumentState.PART_PAID, Decimal("1370.00"))
    with pytest.raises(Refused) as refused:
        payments.create(outside(vendor, ref.key, Decimal("5000.00")), MARK)
    assert refused.value.code == "over_application"


def outside(vendor, bill, amount):
    from ml_connector.domain.records import Payment, PaymentAllocation, PaymentStatus

    allocation = PaymentAllocation(invoice=bill, gross=amount, net=amount)
    return Payment(
        supplier=vendor,
        date=date(2026, 11, 15),
        amount=amount,
        currency="USD",
        status=PaymentStatus.CLEARED,
        allocations=(allocation,),
    )


def test_an_outside_payment_whose_answer_is_lost_is_found_by_its_mark(pair, elc, vendor):  # R3, R6
    ref = pair.bills().create(elc, MARK)
    payments, sent = pair.client.target("payment", {}), outside(vendor, ref.key, Decimal("250.00"))
    pair.bill.faults(
        [{"match": {"method": "POST", "path": "/v3/bills/record-payment"}, "do": "commit_then_reset", "times": 1}]
    )
    with pytest.raises(OutcomeUnknown):
        payments.create(sent, MARK)
    (found,) = payments.find(sent, MARK)
    assert (found.mark, payments.identity_differences(sent, found.record)) == (MARK, [])


def test_payments_are_read_with_their_split(pair, elc, vendor):
    ref = pair.bills().create(elc, MARK)
    pair.client.target("payment", {}).create(outside(vendor, ref.key, Decimal("250.00")), MARK)
    items = [item for page in pair.client.source("payment", {}).changes(None) for item in page.items]
    (item,) = items
    assert item.invalid is None
    assert [(paid.invoice, paid.net) for paid in item.record.allocations] == [(ref.key, Decimal("250.00"))]
    assert (item.record.method, item.record.status) == ("offline", "cleared")


@pytest.mark.parametrize("refuses", [False, True])
def test_payments_of_the_last_weeks_are_read_again(pair, elc, vendor, refuses):  # R29
    ref = pair.bills().create(elc, MARK)
    source = pair.client.source("payment", {})
    now = pair.client._bill.access.now().date()
    for key, days in (("stp0123456789ABCDEF01", 29), ("stp0123456789ABCDEF02", 31)):
        part = {"billId": ref.key, "amount": Decimal("1.00")}
        day = (now - timedelta(days=days)).isoformat()
        pair.bill.edit("payments", {"id": key, "billPayments": [part], "singleStatus": "CLEARED", "processDate": day})
    if refuses:
        body = {"code": "BDC_1130", "message": "no such filter", "severity": "ERROR", "category": "APPLICATION"}
        fault = {"match": {"path": "/v3/payments", "contains": "processDate"}, "do": "status", "status": 400}
        pair.bill.faults([{**fault, "body": [body]}])
    read = {item.key for page in source.sweep() for item in page.items}
    assert read == {"stp0123456789ABCDEF01", *(["stp0123456789ABCDEF02"] if refuses else [])}


def test_a_voided_invoice_archives_its_bill_once(pair, elc):
    bills = pair.bills()
    ref = bills.create(elc, MARK)
    bills.cancel(ref, "voided")
    bills.cancel(ref, "voided")
    assert bills.get(ref.key).state is DocumentState.ARCHIVED
    assert len(pair.calls("POST", f"/v3/bills/{ref.key}/archive")) == 1


def test_a_lost_answer_to_archive_is_unknown_and_reads_as_archived(pair, elc):  # R3
    bills = pair.bills()
    ref = bills.create(elc, MARK)
    pair.bill.faults([{"match": {"method": "POST", "path": "*/archive"}, "do": "commit_then_reset", "times": 1}])
    with pytest.raises(OutcomeUnknown):
        bills.cancel(ref, "voided")
    assert bills.get(ref.key).state is DocumentState.ARCHIVED


def test_bill_refuses_a_second_bill_with_the_number(pair, elc):
    bills = pair.bills()
    bills.create(elc, MARK)
    with pytest.raises(Conflict, match="BDC_1171"):
        bills.create(elc, MARK)


def test_a_number_that_is_too_long_never_leaves(pair, vendor, make_invoice):  # R31
    before = len(pair.wrote)
    with pytest.raises(Refused) as refused:
        pair.bills().create(make_invoice(vendor, pair.account(), number="N" * 22), MARK)
    assert refused.value.code == "number_too_long"
    assert len(pair.wrote) == before


def test_another_currency_than_the_vendors_never_leaves(pair, vendor, make_invoice):  # R25
    before = len(pair.wrote)
    with pytest.raises(Refused) as refused:
        pair.bills().create(make_invoice(vendor, pair.account(), currency="EUR"), MARK)
    assert refused.value.code == "currency_not_allowed"
    assert len(pair.wrote) == before


def test_a_stale_account_is_refused_by_name_of_the_document(pair, vendor, make_invoice):
    with pytest.raises(Refused, match="ELC-1001") as refused:
        pair.bills().create(make_invoice(vendor, "0ca01AAAAAAAAAAAAAAA"), MARK)
    assert refused.value.code == "reference_missing"


def test_bills_in_a_foreign_currency_carry_their_vendors(pair, make_supplier, make_invoice):  # R25
    bills = pair.bills()
    vendor = pair.vendors().create(make_supplier(code="NOR002", name="Nordkabel GmbH", currency="EUR"), "").key
    found = bills.get(bills.create(make_invoice(vendor, pair.account(), currency="EUR"), MARK).key)
    assert found.record.currency == "EUR"


def test_cost_centers_go_to_the_departments_of_the_lines(pair, vendor, make_invoice):
    account, bills = pair.account(), pair.bills()
    lines = tuple(
        InvoiceLine(line_key=str(n), amount=Decimal("75.00"), account=account, cost_center=pair.department(n))
        for n in range(2)
    )
    sent = make_invoice(vendor, account, lines=lines)
    found = bills.get(bills.create(sent, MARK).key)
    assert [line.cost_center for line in found.record.lines] == [line.cost_center for line in lines]
    assert bills.differences(sent, found.record) == []


def test_a_hundred_at_once_in_order(pair, vendor, make_invoice):
    bills, account = pair.bills(), pair.account()
    records = [(make_invoice(vendor, account, number=f"N-{n}"), f"mlc{n:010}") for n in range(bills.batch_size)]
    refs = bills.create_batch(records)
    assert [bills.get(ref.key).record.number for ref in refs] == [record.number for record, _ in records]
    assert len(pair.calls("POST", "/v3/bills/bulk")) == 1
    assert refs[0].amount == Decimal("1620.00")


def test_a_batch_with_a_stale_account_is_refused_as_a_whole(pair, elc, vendor, make_invoice):
    bad = make_invoice(vendor, "0ca01AAAAAAAAAAAAAAA", number="BAD-1")
    with pytest.raises(Refused):
        pair.bills().create_batch([(elc, MARK), (bad, "mlc0000000002")])
    assert pair.bill.state("bills") == []


def test_a_lost_batch_is_unknown_and_each_member_is_found(pair, vendor, make_invoice):  # R3
    bills, account = pair.bills(), pair.account()
    records = [(make_invoice(vendor, account, number=f"N-{n}"), f"mlc{n:010}") for n in range(5)]
    pair.bill.faults([{"match": {"method": "POST", "path": "/v3/bills/bulk"}, "do": "commit_then_reset", "times": 1}])
    with pytest.raises(OutcomeUnknown):
        bills.create_batch(records)
    for record, own in records:
        (found,) = bills.find(record, own)
        assert (found.mark, found.record.number) == (own, record.number)


def test_a_list_that_moves_while_it_is_read_loses_nothing(pair, vendor, make_invoice):  # R16
    bills, account = pair.bills(), pair.account()
    records = [(make_invoice(vendor, account, number=f"N-{n:03}"), f"mlc{n:010}") for n in range(250)]
    refs = [ref for start in (0, 100, 200) for ref in bills.create_batch(records[start : start + 100])]
    seen = set()
    for number, page in enumerate(bills.listing(None)):
        seen.update(found.key for found in page)
        moved = make_invoice(vendor, account, number=f"N-{number:03}", due_date=date(2027, 1, 1))
        bills.update(refs[number], moved, f"mlc{number:010}")
        if number > 20:
            pytest.fail("the listing does not end")
    assert seen == {ref.key for ref in refs}


def test_a_user_who_may_list_and_not_read_by_id(connect, make_supplier, make_invoice):
    pair = connect(denied_operations=["GET /v3/bills/{id}"])
    vendor = pair.vendors().create(make_supplier(), "").key
    elc = make_invoice(vendor, pair.account())
    bills = pair.bills()
    assert bills.differences(elc, bills.get(bills.create(elc, MARK).key).record) == []


def test_three_requests_at_a_time_and_no_limit_is_hit(pair, vendor, make_invoice):  # R59
    bills, account, failed = pair.bills(), pair.account(), []

    def create(number):
        try:
            bills.create(make_invoice(vendor, account, number=f"N-{number}"), f"mlc{number:010}")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(pair.bill.state("bills")) == 24
    assert max(pair.bill.summary()["max_in_flight"].values()) <= 3


def test_a_credit_note_becomes_an_unapplied_vendor_credit(pair, elc, vendor, make_invoice):  # R26
    credits = pair.credits()
    lines = (InvoiceLine(line_key="1", amount=Decimal("75.00"), account=pair.account()),)
    sent = make_invoice(
        vendor, pair.account(), number="PK-500-C0000451", kind=InvoiceKind.CREDIT_NOTE, lines=lines, orders=()
    )
    ref = credits.create(sent, MARK)
    found = credits.get(ref.key)
    assert (found.state, found.open, found.mark) == (DocumentState.OPEN, Decimal("75.00"), MARK)
    assert found.record.kind is InvoiceKind.CREDIT_NOTE
    assert credits.differences(sent, found.record) == []
    assert [hit.key for hit in credits.find(sent, MARK)] == [ref.key]
    more = make_invoice(
        vendor, pair.account(), number=sent.number, kind=InvoiceKind.CREDIT_NOTE, lines=(*lines, *lines), orders=()
    )
    assert credits.update(ref, more, MARK).amount == Decimal("150.00")
    credits.cancel(ref, "voided")
    assert credits.get(ref.key).state is DocumentState.ARCHIVED


def test_a_lost_credit_is_found_by_its_mark(pair, vendor, make_invoice):  # R3, R6
    credits = pair.credits()
    sent = make_invoice(vendor, pair.account(), kind=InvoiceKind.CREDIT_NOTE, orders=())
    pair.bill.faults(
        [{"match": {"method": "POST", "path": "/v3/vendor-credits"}, "do": "commit_then_reset", "times": 1}]
    )
    with pytest.raises(OutcomeUnknown):
        credits.create(sent, MARK)
    (found,) = credits.find(sent, MARK)
    assert credits.identity_differences(sent, found.record) == []


STRICT = {
    "unknown_property": "reject",
    "reference_status": 404,
    "list_includes_archived": False,
    "bills_filter_invoice_number": "reject",
    "session_error_status": 403,
    "coa_show_parent": False,
    "bill_get_has_payments": True,
}


def test_a_bills_life_where_everything_undocumented_is_the_other_way(connect, make_supplier, make_invoice):
    pair = connect(**STRICT)
    vendor = pair.vendors().create(make_supplier(), "").key
    bills, sent = pair.bills(), make_invoice(vendor, pair.account())
    ref = bills.create(sent, MARK)
    assert [found.key for found in bills.find(sent, MARK)] == [ref.key]
    later = make_invoice(vendor, pair.account(), due_date=date(2026, 12, 18), lines=sent.lines[:2])
    bills.update(ref, later, MARK)
    assert bills.differences(later, bills.get(ref.key).record) == []
    bills.cancel(ref, "voided")
    assert bills.get(ref.key).state is DocumentState.ARCHIVED
    with pytest.raises(Refused) as refused:
        bills.create(make_invoice(vendor, "0ca01AAAAAAAAAAAAAAA"), MARK)
    assert refused.value.code == "reference_missing"
