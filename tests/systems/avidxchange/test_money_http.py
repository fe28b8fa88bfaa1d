"""Payments and captured invoices over a real server, under both maps."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.domain.records import CreditUsed, InvoiceKind, PaymentStatus
from ml_connector.systems.avidxchange import paths
from ml_connector.systems.base import Refused, ShapeChanged, Transient

from .platform import TODAY, Platform, Reply

MARK, OTHER = "mlc0123456789", "mlcABCDEFGHJK"
DAY = dt.date(2026, 11, 10)


def remitted(platform: Platform, net: str, **values: Any) -> dict[str, Any]:
    amount = Decimal(net)
    return platform.row("remittance", **{"number": "ELC-1001", "gross": amount, "net": amount, **values})


def paid(platform: Platform, status: str = "cleared", **values: Any) -> None:
    words = platform.contract.words
    text = next((texts[0] for ours, texts in words.payment.items() if ours.value == status), status)
    given = {
        "id": 9001, "status": text, "method": words.method["check"][0], "amount": Decimal("1620.00"),
        "vendor": "ELC001|R1", "date": DAY, "cleared": TODAY, "check": "70011", "modified": TODAY,
        "remittances": [remitted(platform, "1620.00", external_id=MARK)],
    }  # fmt: skip
    platform.add("payments", **{**given, **values})


def read(avid: Any) -> list[Any]:
    return [item for page in avid.client.source("payment", {}).changes(None) for item in page.items]


def captured(platform: Platform, batch: str = "b-1", link: str = "", **values: Any) -> None:
    code = platform.row("code", code="10-6000", group=platform.contract.account_group)
    gross = values.pop("gross", Decimal("510.00"))
    line = platform.row("invoice_line", amount=gross, codes=values.pop("codes", [code]))
    given = {"id": 40, "number": "NK-77", "vendor": "NOR002", "date": DAY, "gross": gross, "status": "x",
             "lines": [line], "modified": TODAY}  # fmt: skip
    row = platform.row("invoice", **{**given, **values})
    if batch not in platform.batch:
        made = platform.add("batches", id=batch, closed=TODAY)
        if link:
            at = platform.contract.records.batch.invoices.at
            name, inner = at.split("[")[0], at.rpartition(".")[2]
            made[name] = [{"Rel": "self", inner: "/nowhere"}, {"Rel": "full-details", inner: link}]
    platform.batch.setdefault(batch, []).append(row)
    platform.rows["invoices"].append(row)


def test_a_payment_is_read_with_what_it_settles_to_the_cent(avid):
    paid(avid.platform)
    (item,) = read(avid)
    record = item.record
    assert (item.key, item.invalid) == ("9001", None)
    assert (record.supplier, record.amount, record.date) == ("ELC001", Decimal("1620.00"), DAY)
    assert (record.method, record.reference, record.status) == ("check", "70011", PaymentStatus.CLEARED)
    assert [(part.invoice, part.net) for part in record.allocations] == [(MARK, Decimal("1620.00"))]
    assert avid.client.source("payment", {}).get("9001") == item
    assert avid.client.source("payment", {}).get("1") is None


def test_two_partial_payments_settle_one_invoice_between_them(avid):  # R28
    for key, net in ((1, "500.00"), (2, "413.19")):
        part = [remitted(avid.platform, net, external_id=MARK)]
        paid(avid.platform, id=key, amount=Decimal(net), remittances=part)
    parts = [part for item in read(avid) for part in item.record.allocations]
    assert sum(part.net for part in parts) == Decimal("913.19")
    assert {part.invoice for part in parts} == {MARK}


def test_a_void_is_taken_back_and_a_failure_is_not(avid, connect):  # R29
    paid(avid.platform, "voided", id=1)
    reason = avid.platform.row("payment", status="", id=2)
    assert reason
    paid(avid.platform, "failed", id=2)
    path = avid.platform.contract.records.payment.reasons.at.replace("[]", "[0]")
    paths.put(avid.platform.rows["payments"][1], path, "Missing bank account")
    assert [item.record.status for item in read(avid)] == [PaymentStatus.VOIDED, PaymentStatus.FAILED]
    assert read(avid)[1].record.failure == "Missing bank account"
    also = connect({"reverse_payment_when": ["voided", "failed"]})
    assert [item.record.status for item in read(also)] == [PaymentStatus.VOIDED, PaymentStatus.VOIDED]


def test_a_status_that_nobody_has_named_is_unknown_and_issued_is_paid_only_by_choice(avid, connect):
    paid(avid.platform, "Stop Requested", id=1)
    paid(avid.platform, "issued", id=2)
    assert [item.record.status for item in read(avid)] == [PaymentStatus.UNKNOWN, PaymentStatus.ISSUED]
    assert read(avid)[0].record.status_text == "Stop Requested"
    early = connect({"post_payment_when": ["issued", "cleared"]})
    assert [item.record.status for item in read(early)] == [PaymentStatus.UNKNOWN, PaymentStatus.CLEARED]


def test_a_reissued_payment_keeps_its_key_and_bears_its_new_number(avid):
    paid(avid.platform)
    before = read(avid)[0]
    avid.platform.rows["payments"].clear()
    paid(avid.platform, check="70099")
    after = read(avid)[0]
    assert (before.key, before.record.reference) == (after.key, "70011")
    assert after.record.reference == "70099"


def test_a_negative_remittance_is_a_credit_used_for_the_invoice_beside_it(avid):  # R26
    parts = [remitted(avid.platform, "675.00", external_id=MARK), remitted(avid.platform, "-75.00", external_id=OTHER)]
    paid(avid.platform, amount=Decimal("600.00"), remittances=parts)
    (part,) = read(avid)[0].record.allocations
    assert (part.gross, part.credit, part.net) == (Decimal("675.00"), Decimal("75.00"), Decimal("600.00"))
    assert part.credits == (CreditUsed(ref=OTHER, amount=Decimal("75.00")),)


@pytest.mark.parametrize("amount", ["1619.99", "0.00"])
def test_a_payment_that_its_remittances_do_not_make_is_held(avid, amount):  # R28
    paid(avid.platform, amount=Decimal(amount))
    assert read(avid)[0].invalid.startswith(f"totals_differ: AvidXchange states {amount} USD")


def test_a_remittance_without_our_key_is_found_by_vendor_and_number(avid):
    captured(avid.platform, id=40, number="NK-77", vendor="ELC001")
    captured(avid.platform, id=41, number="NK-77", vendor="HYD001")
    paid(avid.platform, remittances=[remitted(avid.platform, "1620.00", number="nk 77")])
    assert read(avid)[0].record.allocations[0].invoice == "40"
    paid(avid.platform, id=2, remittances=[remitted(avid.platform, "1620.00", number="NK-78")])
    assert read(avid)[1].invalid.startswith("payment_unmatched: invoice NK-78 of ELC001")


def test_a_field_that_is_gone_is_named(avid):  # R20
    paid(avid.platform)
    paths.put(avid.platform.rows["payments"][0], avid.platform.contract.records.payment.amount.at, None)
    with pytest.raises(ShapeChanged) as changed:
        read(avid)
    assert changed.value.field == avid.platform.contract.records.payment.amount.at


def test_first_a_year_is_read_by_windows_then_from_the_day_before(avid):  # R15
    avid.client.source("payment", {})
    read(avid)
    query = avid.platform.contract.operations.payments.query
    asked = [(one.query[query.since], one.query[query.until]) for one in avid.platform.calls("payments")]
    assert asked[0][0] == "2025-11-16"
    assert asked[-1][1] == "2026-11-16"
    days = [(dt.date.fromisoformat(to) - dt.date.fromisoformat(since)).days for since, to in asked]
    assert max(days) == 29
    source = avid.client.source("payment", {})
    pages = list(source.changes({"day": "2026-11-16"}))
    assert avid.platform.seen[-1].query[query.since] == "2026-11-15"
    assert [page.cursor for page in pages] == [{"day": "2026-11-16"}, {"day": "2026-11-16"}]


def test_a_list_that_moves_while_it_is_read_is_no_whole_list(avid):  # R16, R18
    for key in range(150):
        paid(avid.platform, id=key)
    assert len(list(avid.client.source("payment", {}).keys())) == 150
    platform, whole = avid.platform, avid.platform._paged

    def moving(rows: list[Any], query: dict[str, str]) -> Reply:
        reply = whole(rows, query)
        if rows and query[platform.contract.lists.page_parameter] == "1":
            reply = whole(rows, query)
            platform.rows["payments"].insert(0, platform.rows["payments"].pop())
        return reply

    platform._paged = moving
    with pytest.raises(Transient, match="149 of 150"):
        list(avid.client.source("payment", {}).keys())


def test_captured_invoices_are_read_by_batch_and_never_one_of_ours(avid):
    captured(avid.platform)
    captured(avid.platform, id=41, number="PK-501", gross=Decimal("-75.00"))
    captured(avid.platform, id=42, external_id=MARK)
    items = [item for page in avid.client.source("invoice", {}).changes(None) for item in page.items]
    assert [(item.key, item.record.kind, item.record.gross) for item in items] == [
        ("40", InvoiceKind.INVOICE, Decimal("510.00")),
        ("41", InvoiceKind.CREDIT_NOTE, Decimal("75.00")),
    ]
    assert items[0].observed == {"batch": "b-1"}
    assert items[0].record.lines[0].account == "10-6000"
    assert avid.client.source("invoice", {}).get("40").record == items[0].record
    assert avid.client.source("invoice", {}).get("42") is None
    assert list(avid.client.source("invoice", {}).keys()) == ["40", "41"]


def test_a_batchs_link_is_followed(avid):
    operation = avid.platform.contract.operations.batch.path.replace("{id}", "b-1")
    captured(avid.platform, link=f"/{avid.platform.contract.gateway.version}{operation}")
    items = [item for page in avid.client.source("invoice", {}).changes(None) for item in page.items]
    assert [item.key for item in items] == ["40"]


def test_a_captured_invoice_without_an_account_is_held(avid):
    captured(avid.platform, codes=[avid.platform.row("code", code="N", group="Branch")])
    items = [item for page in avid.client.source("invoice", {}).changes(None) for item in page.items]
    assert items[0].invalid.startswith("unmapped_code: line 1")


def test_a_batch_is_acknowledged_in_the_form_of_the_map(avid):
    avid.client.batches.acknowledge("b-1", TODAY, TODAY + dt.timedelta(minutes=5))
    (sent,) = avid.platform.calls("acknowledge")
    fields = avid.platform.contract.records.acknowledgement
    assert paths.read(sent.json, fields.batch.at) == "b-1"
    assert paths.read(sent.json, fields.ended.at) == "2026-11-16T12:05:00"
    assert sent.json["ExportHistoryStatusId"] == 1


def test_of_several_accounting_systems_one_has_to_be_named(avid, connect):  # R51
    assert avid.client.identity().key == "company-7/11"
    avid.platform.add("systems", id=12, name="Other")
    with pytest.raises(Refused, match="SYSPRO RIL, Other"):
        avid.client.identity()
    assert connect({"accounting_system_name": "other"}).client.identity().key == "company-7/12"
