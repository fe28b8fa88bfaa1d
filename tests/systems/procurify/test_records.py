"""Records as they come from Procurify and go to it; without a server."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.domain.orders import OrderLineKind, OrderStatus
from ml_connector.domain.records import (
    AccountType,
    Address,
    CostCenter,
    GlAccount,
    InvoiceKind,
    InvoiceStatus,
    LineKind,
)
from ml_connector.systems.base import Refused, ShapeChanged
from ml_connector.systems.procurify import accounts, bills, currencies, orders, receipts, vendors
from ml_connector.systems.procurify.rows import Unsound, day, number
from ml_connector.systems.procurify.settings import Options, options
from ml_connector.systems.transport.answer import Answer, encode_json

from .conftest import SETTINGS
from .payloads import EUR, USD, account, allocation, bill, bill_item, item, order, receipt, vendor


class Known:
    """The currencies, without a server."""

    base = "USD"

    def name(self, key: str | None) -> str | None:
        return {"1": "USD", "2": "EUR"}.get(key or "")

    def is_base(self, name: str) -> bool:
        return name == "USD"


KNOWN: Any = Known()


def chosen(**changes: Any) -> Options:
    return options({**SETTINGS, **changes})


def decoded(row: Any) -> Any:
    """A payload as it looks after the wire."""
    return Answer(200, {}, encode_json(row)).json()


def invoice(row: Any, **changes: Any) -> Any:
    return bills.from_bill(decoded(row), chosen(**changes), KNOWN)


def purchase(row: Any, **changes: Any) -> Any:
    return orders.from_order(decoded(row), chosen(**changes), KNOWN)


# --- numbers and days


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**12), max_value=10**12))
def test_a_decimal_is_exact_as_a_text_and_as_a_json_number(value):  # R21
    as_text = number(decoded({"amount": f"{value:f}"}), "amount")
    as_number = number(Answer(200, {}, f'{{"amount": {value:f}}}'.encode()).json(), "amount")
    assert as_text == as_number == value
    assert isinstance(as_text, Decimal) and isinstance(as_number, Decimal)


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "1,200.00", "12 EUR", True, [], "1e99999", "1e300", Decimal("-1.79e308")]
)
def test_what_is_no_number_is_named(value):  # R20
    with pytest.raises(ShapeChanged) as changed:
        number({"total": value}, "total")
    assert changed.value.field == "total"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-10", date(2026, 11, 10)),
        ("2026-11-10T00:00:00Z", date(2026, 11, 10)),
        ("2026-11-10T00:00:00-05:00", date(2026, 11, 10)),
        ("2026-11-10T02:30:00Z", date(2026, 11, 9)),
        ("2026-11-10T05:00:00.000000Z", date(2026, 11, 10)),
        ("2026-11-10T09:15:00", date(2026, 11, 10)),
    ],
)
def test_a_day_is_the_companys_day(value, expected):
    assert day({"d": value}, "d", chosen().zone) == expected


# --- vendors


def test_a_vendor_is_a_supplier():
    supplier = vendors.from_vendor(vendor(), KNOWN)
    assert (supplier.code, supplier.name, supplier.currency, supplier.terms) == (
        "ELC001", "Electra Components Inc.", "USD", "5",
    )  # fmt: skip
    assert (supplier.email, supplier.phone, supplier.contact) == ("ap@electra.example", "+1 937 555 0100", "Ann Ohm")
    assert supplier.address == Address(
        line1="1 Relay Road", line2="Dock 4", city="Dayton", region="OH", postal_code="45402", country="United States"
    )
    assert not supplier.on_hold


def test_a_vendor_without_a_code_goes_by_its_id_and_an_inactive_one_is_on_hold():
    supplier = vendors.from_vendor(vendor(external_id=None, active=False, email=[], addressLineOne=None), KNOWN)
    assert supplier.code == "11" and supplier.on_hold and supplier.email is None
    assert supplier.address is not None and supplier.address.line1 == "Dock 4" and supplier.address.line2 is None


def test_payment_methods_are_a_fingerprint_and_nothing_else():  # R52
    def keyed(text: str) -> str:
        return f"{abs(hash(text)):032x}"

    before = vendors.payee(vendor(), keyed)
    changed = vendors.payee(vendor(payment_methods=[{"type": 2, "data": {"account_number": "****9999"}}]), keyed)
    assert before["bank_fingerprint"] != changed["bank_fingerprint"]
    assert "6789" not in before["bank_fingerprint"]
    assert vendors.payee(vendor(), None) == {}
    without = vendor()
    del without["payment_methods"], without["default_payment_method"]
    assert vendors.payee(without, keyed) == {}
    assert "6789" not in repr(vendors.from_vendor(vendor(), KNOWN))


def test_a_supplier_is_a_vendor(make_supplier):
    body = vendors.to_vendor(make_supplier(), lambda iso, about: {"USD": 1}[iso])
    assert body == {
        "name": "Hydra Utilities",
        "external_id": "HYD005",
        "currency": 1,
        "email": ["ap@hydra.example"],
        "addressLineOne": "9 Water St",
        "addressLineTwo": "Floor 2, East",
        "city": "Dayton",
        "country": "US",
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "N" * 151}, "name"),
        ({"name": " "}, "name"),
        ({"code": "C" * 101}, "code"),
        ({"phone": "1" * 21}, "phone"),
        ({"contact": "C" * 51}, "contact"),
        ({"address": Address(line1="x", postal_code="4" * 21)}, "address.postal_code"),
        ({"address": Address(line1="x", region="R" * 41)}, "address.region"),
    ],
)
def test_what_procurify_would_not_take_is_refused_with_supplier_and_field(make_supplier, changes, field):  # R31
    with pytest.raises(Refused) as refused:
        vendors.to_vendor(make_supplier(**changes), lambda iso, about: 1)
    assert refused.value.field == field
    assert "Supplier" in str(refused.value)


# --- codes


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (0, AccountType.ASSET), (1, AccountType.LIABILITY), (2, AccountType.EXPENSE), (3, AccountType.REVENUE),
        (4, AccountType.EQUITY), (5, AccountType.EXPENSE), (99, AccountType.EXPENSE), (None, AccountType.EXPENSE),
    ],
)  # fmt: skip
def test_account_codes_have_types(theirs, ours):
    row = {"id": 61, "code": "6100", "description": "Components", "account_type": theirs, "active": theirs != 99}
    found = accounts.from_account_code(row)
    assert (found.code, found.name, found.type, found.postable) == ("6100", "Components", ours, theirs != 99)


def test_an_account_is_an_account_code():
    body = accounts.to_account_code(GlAccount(code="6100", name="Parts", type=AccountType.ASSET, postable=True))
    assert body == {"code": "6100", "description": "Parts", "account_type": 0}
    with pytest.raises(Refused) as refused:
        accounts.to_account_code(GlAccount(code="6" * 51, name="Parts", type=AccountType.ASSET, postable=True))
    assert refused.value.field == "code"


def test_a_department_is_known_by_the_erps_code_else_by_name_and_location():
    row = {"id": 21, "name": "R&D", "branch": {"id": 1, "name": "HQ"}, "external_id": None, "active": True}
    assert accounts.from_department(row) == CostCenter(
        code="21", name="R&D", number="R&D (HQ)", dimension="departments", postable=True
    )
    assert accounts.from_department({**row, "external_id": "WH1", "active": False}).number == "WH1"
    assert not accounts.from_department({**row, "active": False}).postable


def test_a_department_keeps_what_is_not_ours():  # R45
    row = {"id": 21, "name": "Old", "branch": {"id": 7}, "external_id": "WH1", "punchout_email": "p@x.example"}
    center = CostCenter(code="WH1", name="Warehouse 1", dimension="cc")
    assert accounts.to_department(center, row, chosen()) == {
        "name": "Warehouse 1", "branch": 7, "external_id": "WH1", "active": True, "punchout_email": "p@x.example",
    }  # fmt: skip
    with pytest.raises(Refused) as refused:
        accounts.to_department(center, None, chosen(default_branch=""))
    assert refused.value.field == "default_branch"


def test_currencies_have_an_iso_code_and_a_rate():
    euro = currencies.from_currency(EUR, "auto")
    assert (euro.code, euro.iso, euro.base, euro.rate, euro.rate_direction) == (
        "EUR", "EUR", False, Decimal("1.080000"), None,
    )  # fmt: skip
    assert currencies.from_currency(EUR, "divide").rate_direction == "divide"
    base = currencies.from_currency(USD, "multiply")
    assert base.base and base.rate is None and base.rate_direction is None
    assert currencies.from_currency({"id": 3, "name": "Points", "rate": "1"}, "auto").iso is None


def test_what_failed_inspection_was_not_received():
    found = receipts.from_receipt(receipt(), chosen())
    assert (found.key, found.record.order_line, found.record.quantity) == ("401", "501", Decimal("40.00000"))
    assert found.record.date == date(2026, 11, 11)
    late = receipts.from_receipt(receipt(received_at=None, created_at="2026-11-12T02:00:00Z"), chosen())
    assert late.record.date == date(2026, 11, 11)


# --- orders


def test_an_order_with_its_lines():
    found = purchase(order())
    record = found.record
    assert found.key == "150" and found.invalid is None
    assert (record.number, record.revision, record.supplier, record.status) == ("PF150", 1, "11", OrderStatus.OPEN)
    assert (record.date, record.due_date, record.terms) == (date(2026, 11, 2), date(2026, 12, 1), "5")
    assert record.adds_up() and record.total == Decimal("1500.00")
    first, second = record.lines
    assert (first.line_key, first.number, first.sku, first.unit) == ("501", "1", "R-24", "EA")
    assert (first.quantity, first.unit_price, first.amount) == (Decimal(100), Decimal(12), Decimal("1200.00"))
    assert (first.account, first.cost_center, first.kind) == ("6100", "21", OrderLineKind.SERVICE)
    assert second.account == "6200" and second.unit_price == Decimal(10)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (0, OrderStatus.OPEN), (1, OrderStatus.CANCELLED), (2, OrderStatus.CLOSED), (3, OrderStatus.CLOSED),
        (4, OrderStatus.CLOSED), (5, OrderStatus.OPEN),
    ],
)  # fmt: skip
def test_states_of_orders(state, status):
    assert purchase(order(state=state)).record.status is status


def test_an_unknown_state_holds_the_one_order():
    found = purchase(order(state=9))
    assert found.invalid is not None and found.invalid.startswith("unknown_status: Order PF150")
    assert purchase(order(state=None)).invalid.startswith("unknown_status")


def test_an_amended_line_keeps_its_key_and_takes_what_is_ordered_now():  # R42
    changed = item(quantity=110, total_cost="1320.00")
    before, after = purchase(order()).record, purchase(order(order_items=[changed], total="1320.00", version=2)).record
    assert after.lines[0].line_key == before.lines[0].line_key
    assert (after.lines[0].quantity, after.lines[0].amount) == (Decimal(110), Decimal("1320.00"))
    assert after.revision == 2


@pytest.mark.parametrize("gone", [{"active": False}, {"is_active": False}, {"status": 4}, {"status": 7}])
def test_a_cancelled_line_stays_and_counts_nothing(gone):
    items = [item(), item(502, 2, total_cost="300.00", quantity=30, price="10", **gone)]
    record = purchase(order(order_items=items, total="1200.00")).record
    assert [line.status for line in record.lines] == [OrderStatus.OPEN, OrderStatus.CANCELLED]
    assert record.adds_up()


@pytest.mark.parametrize(
    "amount", [{"receive_method": 1, "quantity": None}, {"type": 2, "quantity": None}, {"quantity": 0, "type": 0}]
)
def test_a_line_that_is_an_amount_is_one_of_it(amount):
    line = item(approved_quantity=None, total_cost="750.50", price="0", **amount)
    (found,) = purchase(order(order_items=[line], total="750.50")).record.lines
    assert (found.quantity, found.unit_price, found.amount) == (Decimal(1), Decimal("750.50"), Decimal("750.50"))


def test_a_split_line_is_a_line_for_each_account():
    shares = [
        {"id": 1, "amount": "800.00000000", "account": account("6100", 21)},
        {"id": 2, "amount": "400.00000000", "account": account("6200", 22)},
    ]
    record = purchase(order(order_items=[item(spend_allocation=shares)], total="1200.00")).record
    assert [(line.line_key, line.amount, line.account, line.cost_center) for line in record.lines] == [
        ("501-1", Decimal("800.00"), "6100", "21"), ("501-2", Decimal("400.00"), "6200", "22"),
    ]  # fmt: skip
    assert all(line.quantity * line.unit_price == line.amount for line in record.lines)
    shares[1]["amount"] = "300"
    assert purchase(order(order_items=[item(spend_allocation=shares)], total="1200.00")).invalid


@pytest.mark.parametrize(
    ("head", "tax", "discount"),
    [
        ({"tax": {"value": 120, "type": "amount"}, "total": "1620.00"}, "120.00", "0"),
        ({"tax": {"value": 8, "type": "percentage"}, "total": "1620.00"}, "120.00", "0"),
        ({"discount": {"value": 10, "type": "percentage"}, "total": "1350.00"}, "0", "150.00"),
        (
            {
                "discount": {"value": 10, "type": "percentage"},
                "tax": {"value": 8, "type": "percentage"},
                "total": "1458.00",
            },
            "108.00",
            "150.00",
        ),
        (
            {"freight": "35.000000", "tax": {"value": 8, "type": "percentage"}, "total": "1657.80"},
            "122.80",
            "0",
        ),
    ],
)
def test_tax_and_discount_of_the_head_are_what_makes_the_total(head, tax, discount):  # R22
    record = purchase(order(**head)).record
    assert (record.tax, record.discount) == (Decimal(tax), Decimal(discount))
    assert record.adds_up()


def test_a_total_that_nothing_makes_holds_the_order():  # R22
    found = purchase(order(total="1999.00"))
    assert found.invalid is not None and found.invalid.startswith("totals_differ: Order PF150 comes to 1999.00 USD")
    assert purchase(order(tax={"value": 120, "type": "amount"}, total="1620.01")).invalid is not None


def test_a_line_whose_cost_nothing_makes_holds_the_order():  # R22
    found = purchase(order(order_items=[item(total_cost="1.00")], total="1.00"))
    assert "line 1 (Relay 24 V)" in found.invalid


def test_which_lines_are_stocked_is_a_setting():
    items = [item(catalog_item={"id": 1}), item(502, 2, num="", sku="", total_cost="1200.00")]
    row = order(order_items=items, total="2400.00")
    kinds = {
        name: [line.kind for line in purchase(row, stocked_lines=name).record.lines] for name in ("none", "catalog")
    }
    assert kinds["none"] == [OrderLineKind.SERVICE] * 2
    assert kinds["catalog"] == [OrderLineKind.STOCK, OrderLineKind.SERVICE]


# --- bills


def test_a_bill_with_its_lines_and_tax():
    found = invoice(bill())
    record = found.record
    assert found.key == "7d3f0a52-6c4b-4b0e-9a55-0e2b6f0c1a01" and found.invalid is None
    assert (record.kind, record.number, record.supplier) == (InvoiceKind.INVOICE, "ELC-1001", "11")
    assert (record.gross, record.net, record.tax) == (Decimal("1620.00"), Decimal("1500.00"), Decimal("120.00"))
    assert (record.date, record.due_date, record.posting_date) == (date(2026, 11, 10), date(2026, 12, 10), None)
    assert record.adds_up() and record.status is InvoiceStatus.APPROVED
    assert [(line.kind, line.amount, line.account) for line in record.lines] == [
        (LineKind.ITEM, Decimal("1200.00"), "6100"),
        (LineKind.ITEM, Decimal("300.00"), "6200"),
        (LineKind.TAX, Decimal("120.00"), ""),
    ]
    assert record.lines[0].order_line == "150/501" and record.lines[2].tax_code == "VAT 8%"
    assert record.orders == ("PF150",)
    assert found.observed == {"status": "2", "paid": "0", "open": "1620.00"}


def test_the_same_bill_with_numbers_of_either_kind_is_the_same_record():  # R21
    as_text = bill(invoice_total="1620.00", exclusive_tax_amount="120.00", shipping_amount="0.00")
    assert invoice(as_text).record.payload() == invoice(bill()).record.payload()


def credit(number: str = "PK-501") -> Any:
    line = bill_item(cost=-75.0, cost_allocations=[allocation("-75.00000000", "6200")], orderitem=None, po=None)
    return bill(
        number, items=[line], invoice_total=-75.0, total_cost_with_tax=-75.0, exclusive_tax_amount=0, total_cost=-75.0
    )


def test_a_bill_below_zero_is_a_credit_note_of_positive_amounts():  # R26
    record = invoice(credit()).record
    assert record.kind is InvoiceKind.CREDIT_NOTE and record.gross == Decimal("75.00")
    assert [line.amount for line in record.lines] == [Decimal("75.00")]
    assert record.adds_up() and record.corrects is None


def test_shipping_and_charges_are_lines():
    cost = {"id": 9, "name": "Handling", "amount": "10.00000000", "cost_allocation": allocation("10", "6300")}
    row = bill(costs=[cost], shipping_amount=35.0, total_cost=1510.0, total_cost_with_tax=1630.0, invoice_total=1665.0)
    record = invoice(row, freight_account="6301", tax_account="2250").record
    assert record.adds_up() and (record.freight, record.charges) == (Decimal("35.00"), Decimal("10.00"))
    assert [(line.kind, line.amount, line.account) for line in record.lines[2:]] == [
        (LineKind.CHARGE, Decimal("10.00"), "6300"),
        (LineKind.FREIGHT, Decimal("35.00"), "6301"),
        (LineKind.TAX, Decimal("120.00"), "2250"),
    ]


@pytest.mark.parametrize("inside", [True, False])
def test_tax_inside_prices_is_taken_out_of_the_lines(inside):
    cost = 108.0 if inside else 100.0
    line = bill_item(
        cost=cost, tax_amount=8.0, tax_is_inclusive=True, total_cost_with_tax=108.0,
        cost_allocations=[allocation("108.00000000")],
    )  # fmt: skip
    row = bill(
        items=[line], inclusive_tax_amount=8.0, exclusive_tax_amount=0, tax_amount=8.0, invoice_total=108.0,
        total_cost=cost, total_cost_with_tax=108.0,
    )  # fmt: skip
    record = invoice(row).record
    assert [line.amount for line in record.lines] == [Decimal("100.00"), Decimal("8.00")]
    assert record.adds_up()


def test_an_item_is_coded_to_several_accounts_to_the_cent():
    shares = [allocation("33.33333333", "6400", 21, 1), allocation("33.33333333", "6400", 22, 2)]
    shares.append(allocation("33.33333334", "6400", 23, 3))
    line = bill_item(cost=100.0, cost_allocations=shares)
    row = bill(items=[line], exclusive_tax_amount=0, invoice_total=100.0, total_cost=100.0, total_cost_with_tax=100.0)
    record = invoice(row).record
    assert sum(line.amount for line in record.lines) == Decimal("100.00")
    assert [(line.line_key, line.cost_center) for line in record.lines] == [
        ("701-1", "21"), ("701-2", "22"), ("701-3", "23"),
    ]  # fmt: skip
    assert {line.amount for line in record.lines} == {Decimal("33.33"), Decimal("33.34")}


def test_a_split_order_line_is_named_by_its_part():
    shares = [
        {"id": 1, "amount": "800", "account": account("6100", 21)},
        {"id": 2, "amount": "400", "account": account("6200", 22)},
    ]
    line = bill_item(
        cost=400.0, cost_allocations=[allocation("400", "6200", 22)], orderitem=item(spend_allocation=shares)
    )
    row = bill(items=[line], exclusive_tax_amount=0, invoice_total=400.0, total_cost=400.0, total_cost_with_tax=400.0)
    assert invoice(row).record.lines[0].order_line == "150/501-2"


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"due_date": None}, "field_missing: Bill ELC-1001 of Electra Components Inc. has no due date"),
        ({"invoice_number": ""}, "field_missing"),
        ({"invoice_total": 1999.0}, "totals_differ: Bill ELC-1001"),
        ({"currency": {"id": 9, "name": "XYZ"}}, "unmapped_code: Bill ELC-1001"),
        ({"items": [bill_item(cost_allocations=[], orderitem=None)], "invoice_total": 1320.0}, "unmapped_code"),
        ({"items": [bill_item(cost_allocations=[allocation("5")])], "invoice_total": 1320.0}, "totals_differ"),
    ],
)
def test_a_bill_that_cannot_travel_says_why(changes, cause):
    found = invoice(bill(**changes))
    assert found.invalid is not None and found.invalid.startswith(cause)
    assert "Procurify" in found.invalid


@pytest.mark.parametrize(
    ("status", "record_status"),
    [(2, InvoiceStatus.APPROVED), (4, InvoiceStatus.APPROVED), (3, InvoiceStatus.VOIDED), (5, InvoiceStatus.VOIDED)],
)
def test_what_was_denied_or_withdrawn_is_void(status, record_status):
    assert invoice(bill(status=status)).record.status is record_status


def test_whether_a_bill_was_ever_approved_is_in_its_history():
    assert bills.was_approved(bill(status=0))
    assert not bills.was_approved(bill(status=0, bill_statuses=[{"status": 1}]))
    assert bills.was_approved(bill(status=5, bill_statuses=[]))
    assert not bills.was_approved(bill(status=1, bill_statuses=[]))


@pytest.mark.parametrize(
    ("direction", "converted", "rate"),
    [
        ("auto", 2700.0, Decimal("1.080000")),
        ("auto", 2314.81, Decimal("0.925925926")),
        ("auto", 5000.0, None),
        ("multiply", 1.0, Decimal("1.080000")),
        ("divide", 1.0, Decimal("0.925925926")),
    ],
)
def test_the_direction_of_a_rate_is_the_one_that_agrees(direction, converted, rate):  # R25
    line = bill_item(cost=2500.0)
    row = bill(
        items=[line], currency=EUR, exclusive_tax_amount=0, invoice_total=2500.0, total_cost=2500.0,
        total_cost_with_tax=2500.0, converted_total_cost=converted,
    )  # fmt: skip
    record = invoice(row, rate_direction=direction).record
    assert record.currency == "EUR" and record.rate == rate


def test_a_missing_field_that_must_be_there_stops_the_reading():  # R20
    row = bill()
    del row["uuid"]
    with pytest.raises(ShapeChanged) as changed:
        invoice(row)
    assert changed.value.field == "uuid"
    with pytest.raises(ShapeChanged):
        invoice(bill(items="none"))


def test_new_fields_change_nothing():
    more = bill(brand_new={"a": [1]}, items=[{**one, "also_new": 1} for one in bill()["items"]])
    assert invoice(more).record.payload() == invoice(bill()).record.payload()


def test_an_allocation_of_nothing_is_no_coding():
    with pytest.raises(Unsound):
        list(
            bills._coded(
                decoded(bill_item(cost=0.01, cost_allocations=[allocation("0")])),
                bills.Sums(), "USD", "Bill 1",
            )
        )  # fmt: skip


# --- settings


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subdomain": ""}, "subdomain"), ({"subdomain": "a.example/x"}, "subdomain"), ({"client_id": ""}, "client_id"),
        ({"company_time_zone": "Mars"}, "company_time_zone"), ({"bill_statuses": ["1"]}, "bill_statuses"),
        ({"bill_statuses": []}, "bill_statuses"), ({"vendor_types": ["x"]}, "vendor_types"),
        ({"page_size": 0}, "page_size"), ({"vendor_group": "other people"}, "vendor_group"),
        ({"extra_headers": {"Authorization": "x"}}, "extra_headers"), ({"default_branch": "HQ"}, "default_branch"),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_named(changes, field):
    with pytest.raises(Refused) as refused:
        chosen(**changes)
    assert refused.value.field == field


@pytest.mark.parametrize("given", ["acme", "ACME", "https://acme.procurify.com/", "acme.procurify.com"])
def test_the_domain_may_be_entered_as_an_address(given):
    assert chosen(subdomain=given).base_url == "https://acme.procurify.com"
