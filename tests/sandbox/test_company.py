"""The believable distributor."""

from collections import Counter
from decimal import Decimal

import pytest

from ml_connector.sandbox.company import (
    FIRST_DAY,
    LAST_DAY,
    SUNDRY,
    accounts,
    cost_centers,
    invoices,
    suppliers,
)

SEEDS = [1, 2, 77]


def test_the_same_seed_gives_the_same_company():
    assert invoices(5) == invoices(5)
    assert accounts(5) == accounts(5)
    assert invoices(5) != invoices(6)


def test_the_chart_has_the_accounts_that_everyone_talks_about():
    chart = {account.code: account for account in accounts(1)}
    assert {"10-2250", "10-6100", "10-6200", "10-6300", "10-6400", "10-6999"} <= set(chart)
    assert chart["10-2100"].control
    assert sum(account.held for account in chart.values()) == 1
    assert sum(account.type == "template" for account in chart.values()) == 1
    assert 55 <= len(chart) <= 65


def test_the_warehouses_are_cost_centers_for_every_seed():
    for seed in SEEDS:
        codes = [center.code for center in cost_centers(seed)]
        assert codes[:2] == ["WH1", "WH2"]
        assert len(set(codes)) == 12


@pytest.mark.parametrize("seed", SEEDS)
def test_two_hundred_suppliers_of_several_countries_a_few_with_something_wrong(seed):
    everyone = suppliers(seed)
    assert len({supplier.code for supplier in everyone}) == 200
    assert len({supplier.country for supplier in everyone}) == 8
    assert {supplier.currency for supplier in everyone} == {"USD", "EUR", "GBP", "CAD"}
    assert sum(supplier.on_hold for supplier in everyone) == 6
    assert sum(not supplier.postal_code for supplier in everyone) == 1
    assert sum(not supplier.name for supplier in everyone) == 1
    assert any("“" in supplier.name for supplier in everyone)
    assert any("é" in supplier.name for supplier in everyone)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_year_of_invoices_that_adds_up(seed):
    made = invoices(seed)
    assert len(made) == 2000
    assert len({(invoice.supplier, invoice.number) for invoice in made}) == 2000
    assert {len(invoice.lines) for invoice in made} <= {1, 2, 3, 4, 5, 6}
    for invoice in made:
        assert FIRST_DAY <= invoice.entered <= LAST_DAY
        assert invoice.date <= invoice.entered
        assert invoice.due_date >= invoice.date
        assert all(line.amount > 0 for line in invoice.lines)
        assert Decimal(0) <= invoice.open <= invoice.gross
        assert all(invoice.entered <= credit.entered <= LAST_DAY for credit in invoice.credits)
        assert all(invoice.entered < payment.date <= LAST_DAY for payment in invoice.payments)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("count", [200, 2000])
def test_whatever_the_count_a_few_documents_make_trouble(seed, count):
    made = invoices(seed, count)
    assert sum(any(line.account == SUNDRY for line in invoice.lines) for invoice in made) == 5
    normalised = Counter(
        (invoice.supplier, "".join(character for character in invoice.number if character.isalnum()))
        for invoice in made
    )
    assert [times for times in normalised.values() if times > 1] == [2]
    assert made[-1].gross == made[-2].gross


def test_the_year_has_credit_notes_partial_payments_and_back_dated_documents():
    made = invoices(1)
    assert sum(bool(invoice.credits) for invoice in made) > 30
    assert sum(bool(invoice.payments) and invoice.open > 0 for invoice in made) > 20
    assert sum((invoice.entered - invoice.date).days >= 30 for invoice in made) > 20
    assert sum(line.kind == "tax" for invoice in made for line in invoice.lines) > 200
    assert sum(line.kind == "freight" for invoice in made for line in invoice.lines) > 200
