"""The note on a document's header and the texts of its lines: pure functions."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ml_connector.domain.records import InvoiceLine, LineKind
from ml_connector.systems.bill.wording import header_agrees, header_note, line_text, read_note

MARK = "mlc0123456789"


def note(make_invoice, **other):
    return header_note(make_invoice("009", "0ca", **other), "SYSPRO RIL", MARK)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, f"November · SYSPRO RIL/000123 · {MARK}"),
        ({"memo": None}, f"SYSPRO RIL/000123 · {MARK}"),
        ({"voucher": None}, f"November · SYSPRO RIL · {MARK}"),
        ({"orders": ("PO 1", "PO 2")}, f"November · orders PO 1, PO 2 · SYSPRO RIL/000123 · {MARK}"),
    ],
)
def test_the_note_names_text_source_and_mark(make_invoice, fields, text):  # R6
    assert note(make_invoice, **fields) == text


@pytest.mark.parametrize("length", [3000, 3960, 3970, 3980, 4000, 9000])
def test_a_long_memo_is_shortened_for_all_to_see_and_the_mark_stays(make_invoice, length):  # R6, R31
    sent = make_invoice("009", "0ca", memo="m" * length)
    text = header_note(sent, "SYSPRO RIL", MARK)
    assert len(text) <= 4000
    assert text.endswith(f"SYSPRO RIL/000123 · {MARK}")
    assert ("…" in text) == (length > 3962)
    memo, mark = read_note(text, "SYSPRO RIL")
    assert mark == MARK
    assert header_agrees(sent, make_invoice("009", "0ca", memo=memo), "SYSPRO RIL")


@pytest.mark.parametrize("label", ["SYSPRO RIL", ""])
@pytest.mark.parametrize("memo", ["November", "a · b", "SYSPRO said so", None])
@pytest.mark.parametrize("voucher", ["7", None])
def test_a_note_read_back_agrees_with_what_was_sent(make_invoice, label, memo, voucher):
    sent = make_invoice("009", "0ca", memo=memo, voucher=voucher)
    read, mark = read_note(header_note(sent, label, MARK), label)
    assert mark == MARK
    assert header_agrees(sent, make_invoice("009", "0ca", memo=read), label)


def test_a_note_without_a_mark_is_somebodys_own_text():
    assert read_note("typed by hand · SYSPRO RIL/1", "SYSPRO RIL") == ("typed by hand · SYSPRO RIL/1", None)
    assert read_note(None, "SYSPRO RIL") == (None, None)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"description": "Cables"}, "Cables"),
        ({}, "Line 2"),
        ({"kind": LineKind.TAX, "tax_code": "A"}, "Tax A"),
        ({"kind": LineKind.TAX}, "Tax"),
        ({"kind": LineKind.FREIGHT}, "Freight"),
        ({"kind": LineKind.TAX, "description": "VAT"}, "VAT"),
    ],
)
def test_what_a_line_is_called(fields, text):
    line = InvoiceLine(line_key="1", amount=Decimal("1.00"), account="0ca", **fields)
    assert line_text(line, 2) == text


def test_a_long_line_text_is_shortened_for_all_to_see():  # R31
    line = InvoiceLine(line_key="1", amount=Decimal("1.00"), account="0ca", description="x" * 5000)
    assert len(line_text(line, 1)) == 4000
    assert line_text(line, 1).endswith("…")
