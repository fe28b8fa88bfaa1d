"""Numbers are compared as people compare them (R38); marks are lasting (R6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.domain.numbers import MARK_LENGTH, find_mark, mark, normalised, normalised_code


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ELC-1001", "ELC1001"),
        ("ELC-1001", "elc 1001"),
        ("INV-007", "INV-7"),
        ("O12", "012"),
        ("I5L", "151"),
        ("ＥＬＣ－１００１", "ELC-1001"),
    ],
)
def test_numbers_that_people_take_for_the_same(one, other):  # R38
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(("one", "other"), [("ELC-1001", "ELC-1002"), ("A-10", "A-1"), ("0", "")])
def test_numbers_that_differ(one, other):
    assert normalised(one) != normalised(other)


@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_plain_letters_are_read_as_wide_ones_are(number):  # R38
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in number)
    assert normalised(number) == normalised(wide)


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(number):
    assert normalised(normalised(number)) == normalised(number)


@pytest.mark.parametrize(("code", "normal"), [("000150", "150"), (" A01 ", "A01"), ("0000", "0"), ("0A1", "0A1")])
def test_codes_lose_padding_only(code, normal):
    assert normalised_code(code) == normal


names = st.text(min_size=1, max_size=30)


@given(names, names, names, names)
def test_a_mark_is_found_again_in_a_longer_text(workspace, integration, flow, key):  # R6
    made = mark(workspace, integration, flow, key, "invoice")
    assert len(made) == MARK_LENGTH
    assert made.isalnum()
    assert find_mark(f"Contactors · SYSPRO RIL/2026-11/1041 · {made}") == made


def test_a_mark_depends_on_every_name_and_on_the_cycle():
    first = mark("acme", "payables", "invoices", "E/1", "invoice")
    others = {
        mark("acme2", "payables", "invoices", "E/1", "invoice"),
        mark("acme", "payables2", "invoices", "E/1", "invoice"),
        mark("acme", "payables", "credit_notes", "E/1", "invoice"),
        mark("acme", "payables", "invoices", "E/2", "invoice"),
        mark("acme", "payables", "invoices", "E/1", "credit_note"),
        mark("acme", "payables", "invoices", "E/1", "invoice", cycle=2),
    }
    assert len(others | {first}) == 7
    assert first == "mlc2ZW5G1WRZB", "marks written by earlier releases must be found again"
