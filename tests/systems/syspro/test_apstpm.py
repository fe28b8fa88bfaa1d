"""Payments made elsewhere: what they settle, what is refused, their run, their void."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from ml_connector.domain.records import Payment, PaymentAllocation, PaymentStatus
from ml_connector.systems.base import DocumentState, NoLonger, OutcomeUnknown, Refused, Transient
from ml_connector.systems.syspro.settings import options
from ml_connector.systems.syspro.tables import ApInvoice, ApInvoicePay, ApJnlSummary, ApPayRunDet
from ml_connector.systems.syspro.writing.apstpm import cheque, reference
from ml_connector.systems.syspro.writing.tables import Payee

from .conftest import Erp
from .enet import DROP, Call

MARK = "mlc0123456789"
D = Decimal


def paid(invoice: str, gross: str, discount: str = "0.00", credit: str = "0.00") -> PaymentAllocation:
    net = D(gross) - D(discount) - D(credit)
    return PaymentAllocation(invoice=invoice, gross=D(gross), net=net, discount=D(discount), credit=D(credit))


def payment(*allocations: PaymentAllocation, **more: Any) -> Payment:
    allocations = allocations or (paid("ELC001/ELC-1001", "1620.00"),)
    given: dict[str, Any] = {
        "supplier": "ELC001",
        "date": date(2026, 11, 16),
        "amount": sum((each.net for each in allocations), D(0)),
        "currency": "USD",
        "method": "check",
        "reference": "70011",
        "status": PaymentStatus.CLEARED,
    }
    return Payment(allocations=allocations, **(given | more))


@pytest.fixture
def erp(erp: Erp) -> Erp:
    for table in (ApInvoicePay, ApPayRunDet, ApJnlSummary):
        erp.enet.tables[table.NAME] = []
    erp.put(Payee, {"Supplier": "ELC001", "Currency": "USD"}, {"Supplier": "NOR002", "Currency": "EUR"})
    for supplier, number, value in (
        ("ELC001", "ELC-1001", "1620.00"),
        ("ELC001", "ELC-1002", "913.19"),
        ("ELC001", "PK-500", "600.00"),
        ("NOR002", "NK-77", "2500.00"),
    ):
        currency = "EUR" if supplier == "NOR002" else "USD"
        row = {"Supplier": supplier, "Invoice": number, "Currency": currency}
        erp.put(ApInvoice, {**row, "OrigInvValue": D(value), "MthInvBal1": D(value)})
    erp.put(
        ApJnlSummary,
        {"TrnYear": 2026, "TrnMonth": 11, "Journal": 9, "EntryNumber": 3, "Supplier": "ELC001", "Invoice": "PK-500"},
    )
    erp.enet.answer["APSTPM"] = recorded(erp)
    erp.enet.answer["APSTPY"] = lambda call: (
        "<postappaymentmaint><Item><Key><PaymentNumber>      88</PaymentNumber></Key></Item></postappaymentmaint>"
    )
    return erp


def recorded(erp: Erp, *, shown: bool = True) -> Callable[[Call], str]:
    def write(call: Call) -> str:
        for item in call.document.findall("Item/ReleasedInvoice"):
            rows = erp.enet.tables["ApInvoicePay"]
            value = D(item.findtext("GrossPayValue"))
            if shown:
                erp.put(
                    ApInvoicePay,
                    {"Supplier": call.value("Item/Supplier"), "Invoice": item.findtext("Invoice"), "TrnValue": -value,
                     "EntryNumber": len(rows) + 1, "TrnType": "P", "JournalDate": "2026-11-16",
                     "PaymentReference": call.value("Item/PaymentReference"),
                     "PaymentNumber": call.value("Item/PaymentNumber")},
                )  # fmt: skip
        net = call.value("Item/ChequeValue")
        return (
            f"<postapmanualpay><Item><Key><PaymentNumber>{call.value('Item/PaymentNumber')}</PaymentNumber></Key>"
            f"<NetValueReleased>      {net}</NetValueReleased></Item><StatusOfItems><ItemsProcessed>1</ItemsProcessed>"
            "<ItemsInvalid/></StatusOfItems></postapmanualpay>"
        )

    return write


def payments(erp: Erp, policy: dict[str, Any] | None = None, **settings: Any) -> Any:
    return erp.target("payment", policy, **({"clearing_bank": "MAIN", "payment_run": "77"} | settings))


def test_a_payment_settles_its_invoices_and_is_found_by_its_mark(erp: Erp) -> None:  # R6, R28
    target = payments(erp)
    record = payment(paid("ELC001/ELC-1001", "1620.00", "20.00"), paid("ELC001/ELC-1002", "500.00"))
    ref = target.create(record, MARK)
    (call,) = erp.enet.posts()
    assert {each.tag: each.text for each in call.document.find("Item") if len(each) == 0} == {
        "PaymentNumber": "77",
        "Supplier": "ELC001",
        "ChequeDate": "2026-11-16",
        "Cheque": "70011",
        "ChequeValue": "2100.00",
        "PaymentReference": f"{MARK} check 70011",
    }
    assert call.values("Item/ReleasedInvoice/GrossPayValue") == ["1620.00", "500.00"]
    assert call.values("Item/ReleasedInvoice/DiscPayValue") == ["20.00", "0.00"]
    assert (ref.key, ref.lines) == ("ELC001/ELC-1001/1", ("ELC001/ELC-1001/1", "ELC001/ELC-1002/2"))
    (hit,) = target.find(record, MARK)
    assert (hit.key, hit.mark, hit.state) == (ref.key, MARK, DocumentState.PAID)
    assert target.differences(record, hit.record) == [] == target.differences(record, target.get(ref.key).record)
    assert target.find(record, "mlcZZZZZZZZZZ") == []
    assert target.update(ref, record, MARK) == ref


def test_a_credit_note_lowers_what_is_settled_of_its_invoice(erp: Erp) -> None:  # R28
    credit = PaymentAllocation(invoice="2026/11/9/3", gross=D("-75.00"), net=D("-75.00"))
    target = payments(erp)
    record = payment(paid("ELC001/PK-500", "675.00"), credit)
    target.create(record, MARK)
    (call,) = erp.enet.posts()
    assert call.values("Item/ReleasedInvoice/GrossPayValue") == ["600.00"] == [call.value("Item/ChequeValue")]
    assert target.identity_differences(record, target.find(record, MARK)[0].record) == []


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (payment(paid("ELC001/ELC-1001", "1620.01")), "over_application"),
        (payment(paid("ELC001/NONE", "1.00")), "reference_missing"),
        (payment(paid("NOR002/NK-77", "1.00")), "reference_missing"),
        (payment(amount=D("1.00")), "totals_differ"),
        (payment(paid("ELC001/ELC-1001", "10.00"), paid("ELC001/ELC-1002", "-5.00")), "totals_differ"),
        (payment(paid("NOR002/NK-77", "1.00"), supplier="NOR002"), "currency_not_allowed"),
        (payment(date=date(2026, 8, 1)), "period_closed"),
    ],
)
def test_what_should_not_be_paid_is_refused_before_anything_leaves(erp: Erp, record: Payment, code: str) -> None:
    with pytest.raises(Refused) as raised:  # R28, R33, R37
        payments(erp).create(record, MARK)
    assert (raised.value.code, erp.enet.calls) == (code, [])


def test_the_bank_must_be_named(erp: Erp) -> None:  # R30
    with pytest.raises(Refused) as raised:
        payments(erp, clearing_bank="").create(payment(), MARK)
    assert raised.value.field == "clearing_bank"


def test_a_payment_of_an_open_period_settles_whatever_period_its_invoice_is_of(erp: Erp) -> None:  # R37
    payments(erp).create(payment(date=date(2026, 10, 5)), MARK)
    assert erp.enet.posts()[0].parameter("PostingPeriod") == "P"


def test_a_foreign_payment_has_its_rate_where_the_flow_wants_it(erp: Erp) -> None:  # R25
    record = payment(paid("NOR002/NK-77", "2500.00"), supplier="NOR002", currency="EUR", rate=D("1.1"))
    payments(erp, {"rate": "document"}).create(record, MARK)
    assert erp.enet.posts()[0].value("Item/PayConvRte") == "1.100000"


def test_one_run_is_opened_for_all_payments_of_a_currency(erp: Erp) -> None:
    target = payments(erp, payment_run="", manual_run_type="M")
    target.create(payment(paid("ELC001/ELC-1001", "100.00")), MARK)
    target.create(payment(paid("ELC001/ELC-1002", "100.00")), "mlcZZZZZZZZZZ")
    (run,) = erp.enet.posts("APSTPY")
    assert (run.value("Item/AddPaymentRun/Bank"), run.value("Item/AddPaymentRun/PaymentType")) == ("MAIN", "M")
    assert [call.value("Item/PaymentNumber") for call in erp.enet.posts("APSTPM")] == ["88", "88"]


def test_a_run_that_cannot_be_opened_pays_nothing(erp: Erp) -> None:  # R3
    erp.enet.answer["APSTPY"] = lambda call: DROP
    with pytest.raises(Transient, match="Nothing was paid"):
        payments(erp, payment_run="").create(payment(), MARK)
    erp.enet.answer["APSTPY"] = lambda call: "<postappaymentmaint/>"
    with pytest.raises(Refused) as raised:
        payments(erp, payment_run="").create(payment(), MARK)
    assert (raised.value.field, erp.enet.posts("APSTPM")) == ("payment_run", [])


def test_a_lost_answer_makes_no_second_payment(erp: Erp) -> None:  # R3
    write = recorded(erp)
    erp.enet.answer["APSTPM"] = lambda call: DROP if write(call) else ""
    target = payments(erp)
    with pytest.raises(OutcomeUnknown):
        target.create(payment(), MARK)
    assert [hit.key for hit in target.find(payment(), MARK)] == ["ELC001/ELC-1001/1"]


def test_a_success_that_the_tables_do_not_show_is_none_yet(erp: Erp) -> None:  # R11, R12
    erp.enet.answer["APSTPM"] = recorded(erp, shown=False)
    with pytest.raises(OutcomeUnknown):
        payments(erp).create(payment(), MARK)
    write = recorded(erp)
    erp.enet.answer["APSTPM"] = lambda call: write(call).replace("1620.00</NetValue", "1.00</NetValue")
    with pytest.raises(OutcomeUnknown):
        payments(erp).create(payment(), MARK)


def test_a_void_is_a_persons_task_unless_the_flow_posts_it(erp: Erp) -> None:  # R29
    ref = payments(erp).create(payment(), MARK)
    voided = payment(status=PaymentStatus.VOIDED)
    with pytest.raises(NoLonger, match="Void it there"):
        payments(erp).update(ref, voided, MARK)
    erp.put(
        ApPayRunDet,
        {"PaymentNumber": "77", "Supplier": "ELC001", "Invoice": "ELC-1001", "Cheque": "000000000070011"},
    )

    def void(call: Call) -> str:
        row = erp.enet.tables["ApInvoicePay"][0]
        erp.put(
            ApInvoicePay, {**row, "EntryNumber": 9, "TrnType": "V", "TrnValue": D("1620.00"), "PaymentReference": ""}
        )
        return "<postapvoidpay><StatusOfItems><ItemsProcessed>1</ItemsProcessed></StatusOfItems></postapvoidpay>"

    erp.enet.answer["APSTPV"] = void
    target = payments(erp, {"reversal": "post"})
    for _ in range(2):
        target.cancel(ref, "voided in the source")
    (call,) = erp.enet.posts("APSTPV")
    assert {each.tag: each.text for each in call.document.find("Item")} == {
        "PaymentNumber": "77",
        "Supplier": "ELC001",
        "Bank": "MAIN",
        "Cheque": "000000000070011",
    }
    assert target.get(ref.key).state is DocumentState.ARCHIVED
    assert target.differences(voided, target.get(ref.key).record) == []


def test_a_void_that_was_not_done_is_not_believed(erp: Erp) -> None:  # R12
    ref = payments(erp).create(payment(), MARK)
    erp.enet.answer["APSTPV"] = lambda call: "<postapvoidpay/>"
    with pytest.raises(OutcomeUnknown):
        payments(erp, {"reversal": "post"}).cancel(ref, "voided in the source")


def test_the_elements_of_a_void_are_the_sites() -> None:
    base = {"enet_rest_base": "http://x", "operator": "A", "company_id": "RIL", "company_time_zone": "UTC"}
    named = options(base | {"payment_void_elements": {"ChequeNumber": "cheque"}}).writing.void_elements
    assert named == {"ChequeNumber": "cheque"}
    with pytest.raises(Refused) as raised:
        options(base | {"payment_void_elements": {"Cheque": "color"}})
    assert raised.value.field == "payment_void_elements"


def test_a_cheque_number_is_the_checks_own_or_the_same_for_each_try() -> None:
    assert cheque(payment(reference="CHK 0070011"), MARK) == "70011"
    made = cheque(payment(method="ach", reference="TRACE9"), MARK)
    assert made.isdigit() and len(made) <= 15 and made == cheque(payment(method="ach"), MARK)
    assert made != cheque(payment(method="ach"), "mlc0123456788")


def test_a_long_reference_keeps_the_mark_and_shows_that_it_goes_on() -> None:  # R31
    text = reference(payment(method="ach", reference="X" * 60), MARK)
    assert len(text) == 50 and text.startswith(f"{MARK} ach X") and text.endswith("…")


def test_a_changed_payment_is_not_amended(erp: Erp) -> None:
    target = payments(erp)
    ref = target.create(payment(), MARK)
    with pytest.raises(NoLonger, match="allocations"):
        target.update(ref, replace(payment(), allocations=(paid("ELC001/ELC-1001", "10.00"),), amount=D("10.00")), MARK)
