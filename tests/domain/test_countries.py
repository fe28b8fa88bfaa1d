"""Country codes of ERPs become the two letters that platforms want."""

import pytest

from ml_connector.domain import countries


@pytest.mark.parametrize(("code", "two"), [("USA", "US"), ("DEU", "DE"), ("us", "US"), ("GBR", "GB"), ("CHE", "CH")])
def test_both_forms_are_understood(code, two):
    assert countries.alpha_2(code) == two


@pytest.mark.parametrize("code", ["", "UK", "GER", "XXX", "U"])
def test_a_code_of_a_sites_own_is_not_guessed(code):
    assert countries.alpha_2(code) is None


def test_every_pair_is_one_country():
    assert len(countries._KNOWN) == len(countries._TWO_LETTER) == 249
    assert all(len(two) == 2 and len(three) == 3 for three, two in countries._TWO_LETTER.items())
