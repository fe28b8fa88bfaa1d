"""Amounts stay exact (R21), in the currency's own minor unit (R24)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.domain import money
from ml_connector.domain.money import Money, NotAnAmount, UnknownCurrency

currencies = st.sampled_from(sorted(money.MINOR_UNITS))
cents = st.decimals(min_value=-(10**11), max_value=10**11, places=2, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(("iso", "digits"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_minor_units_follow_iso_4217(iso, digits):  # R24
    assert money.minor_units(iso) == digits


def test_a_code_that_iso_4217_does_not_list_is_refused():
    with pytest.raises(UnknownCurrency, match=r"'\$' is not an ISO 4217 currency code"):
        money.minor_units("$")


def test_digits_are_never_lost_silently():  # R22
    with pytest.raises(NotAnAmount, match="more fraction digits than USD"):
        money.quantise(Decimal("1.005"), "USD")
    with pytest.raises(NotAnAmount, match="more fraction digits than JPY"):
        money.quantise(Decimal("1.5"), "JPY")
    assert str(money.quantise(Decimal("1.5"), "USD")) == "1.50"


@given(cents)
def test_an_amount_comes_back_from_the_database_as_it_went_in(amount):  # R21
    assert money.from_units(money.to_units(amount), "USD") == amount


@given(st.lists(cents, min_size=1, max_size=12), cents, currencies)
def test_restated_amounts_add_up_exactly(amounts, total, iso):
    total = money.rounded(total, iso)
    if sum(amounts) == 0 and total != 0:
        with pytest.raises(NotAnAmount):
            money.restated(amounts, total, iso)
    elif sum(amounts) != 0:
        result = money.restated(amounts, total, iso)
        assert sum(result) == total
        assert all(part == money.quantise(part, iso) for part in result)


def test_restating_gives_the_odd_cent_to_the_largest_remainder():
    thirds = money.restated([Decimal(1)] * 3, Decimal("10.00"), "EUR")
    assert thirds == [Decimal("3.34"), Decimal("3.33"), Decimal("3.33")]


def test_two_currencies_are_never_added():
    with pytest.raises(ValueError, match="different currencies"):
        Money(Decimal(1), "USD").plus(Money(Decimal(1), "EUR"))


@given(st.decimals("0.01", "9999999", places=2), st.decimals("0.01", "9999999", places=2))
def test_a_single_amount_is_restated_to_the_whole(amount, total):
    assert money.restated([amount], total, "USD") == [total]
