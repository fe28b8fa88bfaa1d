"""The client against the stand-in, which was written apart from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ml_connector import sandbox
from ml_connector.domain.orders import OrderStatus
from ml_connector.domain.records import (
    AccountType,
    CostCenter,
    GlAccount,
    InvoiceKind,
    InvoiceStatus,
    Payment,
    PaymentAllocation,
    PaymentStatus,
    Supplier,
)
from ml_connector.systems.base import (
    Access,
    AuthFailed,
    NoLonger,
    OutcomeUnknown,
    Ref,
    Refused,
    Throttled,
    Transient,
)
from ml_connector.systems.procurify import SYSTEM

from .conftest import NOW, Counted, Session

MARK = "mlc0000000001"
READ = ("supplier", "gl_account", "cost_center", "currency", "payment_term", "purchase_order", "invoice", "receipt")


@dataclass
class Joined:
    site: sandbox.Running
    client: Any

    def items(self, record_type: str, since: Any = None, **policy: Any) -> tuple[list[Any], Any]:
        pages = list(self.client.source(record_type, policy).changes(since))
        return [item for page in pages for item in page.items], pages[-1].cursor

    def numbered(self, record_type: str, since: Any = None) -> dict[str, Any]:
        return {item.record.number: item for item in self.items(record_type, since)[0]}

    def act(self, do: str, **more: Any) -> None:
        """What a person does."""
        self.site.edit("actions", {"do": do, **more})

    def later(self) -> None:
        self.site.clock(advance=60)

    def writes(self) -> list[tuple[str, str]]:
        return [
            (row["method"], row["path"])
            for row in self.site.requests()
            if row["method"] != "GET" and "oauth" not in row["path"]
        ]


@pytest.fixture
def stand_in() -> Iterator[sandbox.Running]:
    with sandbox.start("procurify", seed=1, options={"base_set": "syspro"}) as running:
        running.clock(now="2026-11-16T12:00:00Z", running=False)
        yield running


@pytest.fixture
def connect(stand_in: sandbox.Running) -> Iterator[Callable[..., Joined]]:
    opened: list[Joined] = []

    def make(settings: dict[str, Any] | None = None, secrets: dict[str, str] | None = None) -> Joined:
        access = Access(
            settings={**stand_in.settings, "requests_per_second": 1000, "default_branch": "1", **(settings or {})},
            secrets={**stand_in.secrets, **(secrets or {})},
            sessions=Session(),
            budget=Counted(),
            now=lambda: NOW,
            may_write=lambda: None,
        )
        opened.append(Joined(stand_in, SYSTEM.connect(access)))
        return opened[-1]

    yield make
    for each in opened:
        each.client.close()


@pytest.fixture
def joined(connect: Callable[..., Joined]) -> Joined:
    return connect()


def payloads(joined: Joined) -> dict[str, dict[str, bytes]]:
    """Everything that can be read."""
    return {name: {item.key: item.record.payload() for item in joined.items(name)[0]} for name in READ}


# --- reading


def test_the_connection_is_tested(joined):
    steps = {step.name: step for step in joined.client.ping([])}
    assert [name for name, step in steps.items() if not step.ok] == ["write"]
    assert joined.client.identity().key == "rilling" and joined.client.identity().local_currency == "USD"


def test_the_base_set_comes_to_the_cent(joined):  # R21, R22, R26
    read, _ = joined.items("invoice")
    assert [item.invalid for item in read if item.invalid] == [] and all(item.record.adds_up() for item in read)
    totals = {
        (kind, currency): sum(
            item.record.gross for item in read if (item.record.kind, item.record.currency) == (kind, currency)
        )
        for kind in InvoiceKind
        for currency in ("USD", "EUR")
    }
    assert totals[InvoiceKind.INVOICE, "USD"] == Decimal("7306.19")
    assert totals[InvoiceKind.CREDIT_NOTE, "USD"] == Decimal("75.00")
    assert totals[InvoiceKind.INVOICE, "EUR"] == Decimal("2500.00")
    orders = {item.record.number: item.record.total for item in joined.items("purchase_order")[0]}
    assert orders == {"PF150": Decimal("1500.00"), "PF151": Decimal("640.00"), "PF152": Decimal("400.00")}


def test_a_bill_names_the_lines_of_its_order_as_the_orders_do(joined):  # R43
    order = joined.numbered("purchase_order")["PF150"]
    bill = joined.numbered("invoice")["ELC-1001"].record
    named = [line.order_line for line in bill.lines if line.order_line]
    assert named == [f"{order.key}/{line.line_key}" for line in order.record.lines]
    assert bill.orders == ("PF150",)


@pytest.mark.parametrize(
    ("changes", "settings"),
    [
        ({"max_page_size": 2}, {}),
        ({"max_page_size": 2, "repeat_last_row": True}, {}),
        ({"max_page_size": 2, "beyond_last_page": "empty"}, {}),
        ({"max_page_size": 3, "next_origin": "https://elsewhere.example"}, {}),
        ({"extra_fields": True}, {}),
        ({"uuid_dashes": False}, {}),
        ({"error_form": "fields"}, {"page_size": 1}),
    ],
)
def test_what_the_vendor_leaves_open_reads_the_same(connect, stand_in, changes, settings):  # R16
    expected = payloads(connect())
    stand_in.options(changes)
    assert payloads(connect(settings)) == expected


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Vancouver"])
def test_an_amended_order_is_read_once_whichever_days_are_meant(joined, stand_in, zone):  # R14, R42
    stand_in.options({"time_zone": zone})
    before, cursor = joined.items("purchase_order")
    lines = {item.record.number: [line.line_key for line in item.record.lines] for item in before}
    joined.later()
    joined.act("edit_order", order="PF151", lines=[{"line": 1, "quantity": 66}])
    read, cursor = joined.items("purchase_order", cursor)
    assert [item.record.number for item in read] == ["PF151"]
    changed = read[0].record
    assert (changed.total, changed.revision) == (Decimal("660.00"), 2)
    assert [line.line_key for line in changed.lines] == lines["PF151"]
    assert (changed.lines[0].quantity, changed.lines[0].amount) == (Decimal(66), Decimal("660.00"))
    stand_in.clear_requests()
    assert joined.items("purchase_order", cursor)[0] == []
    assert len(stand_in.requests()) == 1


def test_lines_come_and_go_and_an_order_is_cancelled(joined):  # R42
    _, cursor = joined.items("purchase_order")
    joined.later()
    joined.act("add_line", order="PF151", name="Inserts", account="10-6200", quantity=2, price="5.00")
    joined.act("cancel_line", order="PF150", line=2)
    joined.act("cancel_order", order="PF152")
    read = joined.numbered("purchase_order", cursor)
    assert all(item.invalid is None for item in read.values())
    assert [str(line.amount) for line in read["PF151"].record.lines] == ["640.00", "10.00"]
    assert [line.status for line in read["PF150"].record.lines] == [OrderStatus.OPEN, OrderStatus.CANCELLED]
    assert read["PF150"].record.total == Decimal("1200.00")
    assert read["PF152"].record.status is OrderStatus.CANCELLED
    assert sorted(joined.client.source("purchase_order", {}).keys()) == sorted(
        item.key for item in joined.items("purchase_order")[0]
    )


def test_freight_and_goods_received(joined):
    joined.act("edit_order", order="PF151", fields={"freight": "12.50"})
    joined.act("receive", order="PF150", line=1, quantity=40, failed=2)
    orders = joined.numbered("purchase_order")
    assert orders["PF151"].invalid is None and orders["PF151"].record.freight == Decimal("12.50")
    (received,) = [item.record for item in joined.items("receipt")[0]]
    line = orders["PF150"].record.lines[0]
    assert (received.order_line, received.quantity, line.received) == (line.line_key, Decimal(40), Decimal(40))


def test_an_edited_and_a_withdrawn_bill_are_read_again(joined):
    _, cursor = joined.items("invoice")
    assert joined.items("invoice", cursor)[0] == []
    joined.later()
    joined.act("edit_bill", invoice="ELC-1002", fields={"due_date": "2026-12-18T00:00:00Z"})
    joined.act("withdraw_bill", invoice="ELC-1004")
    read = joined.numbered("invoice", cursor)
    assert set(read) == {"ELC-1002", "ELC-1004"}
    assert read["ELC-1002"].record.due_date == date(2026, 12, 18)
    assert read["ELC-1004"].record.status is InvoiceStatus.VOIDED


def test_only_approved_bills_travel(joined):
    _, cursor = joined.items("invoice")
    joined.later()
    item = {"description": "Cable", "quantity": 3, "unit_cost": "9.50", "account": "10-6100"}
    joined.act("enter_bill", invoice="ELC-1009", vendor="Electra Components Inc.", items=[item])
    read, cursor = joined.items("invoice", cursor)
    assert read == []
    joined.later()
    joined.act("submit_bill", invoice="ELC-1009")
    joined.act("approve_bill", invoice="ELC-1009")
    (read,), _ = joined.items("invoice", cursor)
    assert (read.record.number, read.record.gross) == ("ELC-1009", Decimal("28.50"))


# --- sessions, limits, rights


def test_a_token_that_ended_costs_one_more(joined):  # R62
    joined.items("currency")
    for row in joined.site.state("tokens"):
        joined.site.edit("tokens", {"id": row["id"], "_delete": True})
    assert len(joined.items("supplier")[0]) == 5


def test_a_wrong_secret_is_tried_once(connect):  # R61
    wrong = connect(secrets={"client_secret": "wrong"})
    with pytest.raises(AuthFailed):
        wrong.items("supplier")
    assert len(wrong.site.requests()) == 1


def test_a_user_without_rights_is_told_which(joined):
    joined.site.options({"no_rights": ["bills"]})
    with pytest.raises(Refused) as refused:
        joined.items("invoice")
    assert refused.value.code == "permission"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"do": "status", "status": 502}, Transient),
        ({"do": "status", "status": 429}, Throttled),
    ],
)
def test_faults_while_reading_are_one_error_each(joined, fault, error):  # R63
    joined.items("currency")
    joined.site.faults([{"match": {"path": "/api/v3/vendors/"}, **fault, "times": 1}])
    with pytest.raises(error):
        joined.items("supplier")
    assert len(joined.items("supplier")[0]) == 5


def test_the_limit_is_waited_for_as_long_as_it_asks(joined):  # R59
    joined.items("currency")
    joined.site.options({"requests_per_second": 1, "retry_after": "seconds"})
    with pytest.raises(Throttled) as throttled:
        for _ in range(5):
            joined.items("supplier")
    assert throttled.value.retry_after is not None and throttled.value.retry_after > 0


# --- writing


def hydra(**more: Any) -> Supplier:
    return Supplier(
        **{"code": "KAB009", "name": "Kabelwerk AG", "currency": "EUR", "email": "ap@kabel.example", **more}
    )


def test_a_supplier_is_made_found_and_amended(joined):
    target = joined.client.target("supplier", {})
    assert target.find(hydra(), MARK) == []
    ref = target.create(hydra(), MARK)
    (found,) = target.find(hydra(), MARK)
    assert (found.key, found.mark, target.differences(hydra(), found.record)) == (ref.key, MARK, [])
    target.update(ref, hydra(name="Kabelwerk SE"), MARK)
    assert target.get(ref.key).record.name == "Kabelwerk SE"
    target.cancel(ref, "gone")
    assert target.get(ref.key).record.on_hold
    assert [method for method, _ in joined.writes()] == ["POST", "PATCH", "PATCH"]


@pytest.mark.parametrize("form", ["errors", "fields"])
def test_a_second_vendor_of_a_name_is_refused(joined, form):
    joined.site.options({"error_form": form})
    target = joined.client.target("supplier", {})
    target.create(hydra(), MARK)
    with pytest.raises(Refused) as refused:
        target.create(hydra(code="KAB010"), MARK)
    assert refused.value.code == "already_there" and "KAB010" in str(refused.value)


def test_a_vendor_whose_answer_was_lost_is_found_by_its_code(joined):  # R3, R6
    target = joined.client.target("supplier", {})
    joined.items("currency")
    joined.site.faults(
        [{"match": {"method": "POST", "path": "/api/v3/vendors/"}, "do": "commit_then_reset", "times": 1}]
    )
    with pytest.raises(OutcomeUnknown):
        target.create(hydra(), MARK)
    (found,) = target.find(hydra(), MARK)
    assert found.mark == MARK and target.identity_differences(hydra(), found.record) == []


def test_the_erps_code_is_written_back_without_an_echo_that_matters(joined):  # R45
    key = next(item.key for item in joined.items("supplier")[0] if item.record.name.startswith("Hydra"))
    target = joined.client.target("supplier", {})
    target.write_code(key, "HYD005")
    target.write_code(key, "HYD005")
    assert joined.client.source("supplier", {}).get(key).record.code == "HYD005"
    assert joined.writes() == [("PATCH", f"/api/v3/vendors/{key}/")]


def test_departments_and_account_codes_are_made_and_amended(joined):
    center = CostCenter(code="WH1", name="Warehouse 1", dimension="segment")
    account = GlAccount(code="10-6500", name="Telephone", type=AccountType.EXPENSE, postable=True)
    renamed = {
        "cost_center": CostCenter(code="WH1", name="Warehouse One", dimension="segment"),
        "gl_account": GlAccount(code="10-6500", name="Phones", type=AccountType.ASSET, postable=True),
    }
    for name, record in (("cost_center", center), ("gl_account", account)):
        target = joined.client.target(name, {})
        ref = target.create(record, MARK)
        (found,) = target.find(record, MARK)
        assert (found.key, target.differences(record, found.record)) == (ref.key, [])
        target.update(ref, renamed[name], MARK)
        (found,) = target.find(record, MARK)
        assert target.differences(renamed[name], found.record) == []
    departments = joined.client.target("cost_center", {})
    (found,) = departments.find(center, MARK)
    departments.cancel(Ref(found.key), "closed")
    assert not departments.get(found.key).record.postable


def paid(item: Any, **more: Any) -> Payment:
    gross = item.record.gross
    part = PaymentAllocation(invoice=item.key, gross=gross, net=gross)
    given = {"supplier": item.record.supplier, "date": date(2026, 11, 16), "amount": gross, "currency": "USD"}
    return Payment(**{**given, "status": PaymentStatus.ISSUED, "allocations": (part,), **more})


def test_a_bill_is_marked_as_paid_once(joined):
    bill = joined.numbered("invoice")["PK-500"]
    target = joined.client.target("payment", {})
    assert target.find(paid(bill), MARK) == []
    assert target.create(paid(bill), MARK) == Ref(bill.key)
    (found,) = target.find(paid(bill), MARK)
    assert target.identity_differences(paid(bill), found.record) == []
    with pytest.raises(NoLonger):
        target.create(paid(bill), MARK)
    assert len(joined.writes()) == 1
    assert joined.client.source("invoice", {}).get(bill.key).observed["open"] == "0.00"


def test_a_mark_whose_answer_was_lost_is_found(joined):  # R3
    bill = joined.numbered("invoice")["PK-500"]
    target = joined.client.target("payment", {})
    joined.site.faults([{"match": {"method": "POST", "path": "*mark-as-paid*"}, "do": "commit_then_reset", "times": 1}])
    with pytest.raises(OutcomeUnknown):
        target.create(paid(bill), MARK)
    assert [found.key for found in target.find(paid(bill), MARK)] == [bill.key]


def test_a_bill_that_procurify_has_paid_is_not_marked(joined):
    bill = joined.numbered("invoice")["PK-500"]
    joined.act("pay_bill", invoice="PK-500", date="2026-11-20", reference="CHK 7")
    with pytest.raises(NoLonger):
        joined.client.target("payment", {}).create(paid(bill), MARK)
    assert joined.writes() == []
