"""XML from outside."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ml_connector.systems.transport.xml import Malformed, child, children, parse, printable, text, to_decimal, walk


@pytest.mark.parametrize(
    ("padded", "exact"),
    [
        ("", "0"),
        ("   ", "0"),
        ("       1", "1"),
        ("000017", "17"),
        ("1,234,567.89", "1234567.89"),
        ("-1,234.50", "-1234.50"),
        ("12.00-", "-12.00"),
        ("+5.", "5"),
        (".5", "0.5"),
        ("99999999999999999999.99", "99999999999999999999.99"),
    ],
)
def test_padded_numbers_are_exact(padded: str, exact: str) -> None:  # R21
    assert to_decimal(padded) == Decimal(exact)


@pytest.mark.parametrize(
    "wrong", ["1.234,56", "12,34", "1,23,456", "-", ".", "1-2", "-1-", "1e3", "NaN", "0x1", "１２"]
)
def test_anything_else_is_no_number(wrong: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        to_decimal(wrong)


def test_elements_are_found_in_any_case_of_letters_and_any_namespace() -> None:
    root = parse('<A xmlns="urn:x"><StatusofItems><Key> 1 </Key><key>2</key></StatusofItems></A>')
    status = child(root, "statusOfItems")
    assert status is not None
    assert text(status, "KEY") == "1"
    assert text(status, "missing") == ""
    assert len(list(children(status, "key"))) == len(list(walk(root, "key"))) == 2


def test_no_entity_is_expanded_and_no_doctype_taken() -> None:
    with pytest.raises(Malformed, match="DOCTYPE"):
        parse('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>')


@pytest.mark.parametrize("broken", ["", "<a>", "<a><b></a>", "no xml"])
def test_a_torn_document_is_refused_without_its_content(broken: str) -> None:
    with pytest.raises(Malformed):
        parse(broken)


def test_a_document_beyond_the_limit_is_refused() -> None:
    with pytest.raises(Malformed, match="more than 10"):
        parse("<a>12345678</a>", limit=10)


def test_the_declared_encoding_is_passed_over_and_forbidden_characters_removed() -> None:
    assert parse('<?xml version="1.0" encoding="Windows-1252"?><a>é\x01</a>').text == "é"
    assert printable("a\x00b&#0;&#x1F;&#11;c&#9;&#x20;d") == "abc&#9;&#x20;d"
