"""A rounding line makes a document add up exactly, or is not made (R22, R23)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.domain.money import MINOR_UNITS, minor_units, step
from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceLine, LineKind
from ml_connector.domain.rounding import rounding_needed, with_rounding

currencies = st.sampled_from(sorted(MINOR_UNITS))
units = st.integers(-(10**9), 10**9)


def invoice(currency: str, gross: Decimal, amounts: list[Decimal], **header: Decimal) -> Invoice:
    lines = tuple(InvoiceLine(line_key=str(n), amount=amount, account="A") for n, amount in enumerate(amounts))
    values = {"net": gross, **header}
    return Invoice(
        number="N-1", supplier="S", date=date(2026, 11, 16), due_date=date(2026, 12, 16), currency=currency,
        gross=gross, lines=lines, **values,
    )  # fmt: skip


@given(currencies, units, st.lists(units, min_size=1, max_size=8), st.sampled_from(InvoiceKind))
def test_with_its_line_every_document_adds_up_to_the_header_it_had(currency, gross, amounts, kind):  # R23, R24
    exact = [Decimal(amount).scaleb(-minor_units(currency)) for amount in [gross, *amounts]]
    before = invoice(currency, exact[0], exact[1:])
    needed = rounding_needed(before)
    after = with_rounding(before, "ROUND")
    assert needed == before.gross - sum(line.amount for line in before.lines)
    assert after.adds_up()
    assert after.difference() == after.header_difference() == rounding_needed(after) == 0
    assert after.lines[:-1] == before.lines
    assert (after.gross, after.net, after.currency) == (before.gross, before.net, before.currency)
    assert (after.lines[-1].amount, after.lines[-1].account, after.lines[-1].kind) == (
        needed, "ROUND", LineKind.ROUNDING,
    )  # fmt: skip
    assert needed % step(currency) == 0


@given(currencies, st.integers(1, 10**6), st.integers(-9, 9).filter(bool))
def test_a_header_whose_parts_lack_the_same_is_settled_by_the_same_line(currency, gross, off):  # R22, R23
    smallest = step(currency)
    whole, lacking = gross * smallest, off * smallest
    before = invoice(currency, whole, [whole - lacking], net=whole - lacking)
    assert not before.adds_up()
    assert rounding_needed(before) == lacking
    assert with_rounding(before, "ROUND").adds_up()


@pytest.mark.parametrize(
    ("amounts", "net"),
    [([], "100.00"), (["99.99"], "99.98"), (["100.00"], "99.99"), (["99.995"], "100.00")],
    ids=["no lines", "a header of its own error", "only the header", "no whole cents"],
)
def test_what_is_no_rounding_is_not_called_so(amounts, net):  # R22
    document = invoice("USD", Decimal("100.00"), [Decimal(amount) for amount in amounts], net=Decimal(net))
    assert rounding_needed(document) == 0
