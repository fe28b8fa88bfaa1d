"""docs/problems.md says of every cause what it means and what to do, at a place that can be linked to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.causes import causes

PAGE = Path(__file__).parents[1] / "docs/problems.md"
ROW = re.compile(r"^\| (?:<a id=\"(\w+)\"></a>)?`(\w+)`[^|]* \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
SYNTAX = "| cause | means | do | by itself |"


def rows() -> list[tuple[str, str]]:
    """Anchor (empty where the row has none) and cause of each row."""
    text = PAGE.read_text()
    return [(anchor, cause) for anchor, cause, *_ in ROW.findall(text[text.index(SYNTAX) :])]


def test_the_code_opens_causes() -> None:
    assert {"unmapped_code", "bank_change", "totals_differ", "schedule_missed", "installments"} <= causes()


@pytest.mark.parametrize("cause", sorted(causes()))
def test_every_cause_is_told(cause: str) -> None:
    assert cause in {told for _, told in rows()}, f"docs/problems.md does not say how {cause} is cleared"


def test_no_cause_is_told_that_cannot_be() -> None:
    assert {cause for _, cause in rows()} - causes() == set()


def test_each_cause_has_one_anchor_at_its_first_row() -> None:
    first: dict[str, str] = {}
    for anchor, cause in rows():
        assert anchor == ("" if cause in first else cause)
        first.setdefault(cause, anchor)


def test_anchors_are_unique() -> None:
    found = re.findall(r'<a id="(\w+)"></a>', PAGE.read_text())
    assert len(found) == len(set(found)) == len(causes())
