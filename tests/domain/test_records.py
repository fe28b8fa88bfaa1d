"""Records have one canonical form; their arithmetic holds (R22, R25)."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.domain.records import (
    RECORD_TYPES,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Supplier,
    TaxCode,
    content_hash,
    decode,
)

amounts = st.decimals(min_value=Decimal("-9999999.99"), max_value=Decimal("99999999.99"), places=2)


def invoice(**changes):
    fields = {
        "number": "ELC-1001",
        "supplier": "ELC001",
        "date": dt.date(2026, 11, 10),
        "due_date": dt.date(2026, 12, 10),
        "currency": "USD",
        "gross": Decimal("1620.00"),
        "net": Decimal("1500.00"),
        "tax": Decimal("120.00"),
        "lines": (
            InvoiceLine(line_key="1", amount=Decimal("1500.00"), account="10-6100"),
            InvoiceLine(line_key="2", amount=Decimal("120.00"), account="10-2250"),
        ),
    }
    return Invoice(**{**fields, **changes})


def test_absent_fields_are_left_out_and_names_are_sorted():
    payload = invoice().payload().decode()
    assert "memo" not in payload
    assert payload.index('"currency"') < payload.index('"date"') < payload.index('"gross"')
    assert '"gross":"1620.00"' in payload


@given(st.lists(amounts, min_size=1, max_size=8), st.sampled_from(InvoiceKind), st.text(max_size=50))
def test_a_record_comes_back_from_its_payload_unchanged(lines, kind, memo):  # R21, R26
    made = invoice(
        kind=kind,
        gross=sum(lines),
        net=sum(lines),
        tax=Decimal(0),
        memo=memo,
        lines=tuple(InvoiceLine(line_key=str(i), amount=a, account="x") for i, a in enumerate(lines)),
    )
    again = decode("invoice", made.payload())
    assert again == made
    assert content_hash(again.payload()) == content_hash(made.payload())
    assert made.adds_up()


@pytest.mark.parametrize(
    "changes",
    [
        {"gross": Decimal("1620.01")},
        {"net": Decimal("1500.01")},
        {"withholding": Decimal("0.01")},
        {"gross": Decimal("1500.00"), "tax": Decimal(0)},
    ],
)
def test_a_document_that_is_a_cent_off_does_not_add_up(changes):  # R22
    assert invoice().adds_up()
    assert not invoice(**changes).adds_up()


def test_the_base_amount_is_recomputed_from_the_rate():  # R25
    foreign = invoice(rate=Decimal("1.08"), base_gross=Decimal("1749.60"))
    assert foreign.base_difference() == 0
    assert invoice().base_difference() is None


@pytest.mark.parametrize("field", ["number", "supplier", "date", "due_date", "gross", "lines"])
def test_every_hashed_field_changes_the_hash(field):
    other = {
        "number": "ELC-1002",
        "supplier": "NOR002",
        "date": dt.date(2026, 11, 11),
        "due_date": dt.date(2026, 12, 18),
        "gross": Decimal("1620.01"),
        "lines": (),
    }[field]
    assert content_hash(invoice(**{field: other}).payload()) != content_hash(invoice().payload())


def test_every_record_type_is_frozen():
    for record_type in RECORD_TYPES.values():
        assert record_type.__struct_config__.frozen
    with pytest.raises(AttributeError):
        Supplier(code="A", name="B").name = "C"


def test_a_tax_code_comes_back_from_its_payload_unchanged():  # R21
    made = TaxCode(code="V19", name="VAT 19 %", percent=Decimal("19.125"), account="10-2250")
    assert decode("tax_code", made.payload()) == made
