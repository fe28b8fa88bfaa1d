"""docs/security.md names, for each threat, tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs/security.md"
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
HEAD = "| who, and what they try | what stops them | tests |"


def threats() -> list[str]:
    """The rows of the tables of threats."""
    found: list[str] = []
    inside = False
    for line in PAGE.read_text().splitlines():
        if line == HEAD:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            found.append(line)
    return found


@cache
def functions(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_the_page_has_threats() -> None:
    assert len(threats()) >= 25


@pytest.mark.parametrize("row", threats(), ids=lambda row: row.split("|")[1].strip()[:60])
def test_every_threat_names_tests_that_are_there(row: str) -> None:
    who, stops, tests = (cell.strip() for cell in row.strip("|").split("|"))
    assert who
    assert stops
    named = NAMED.findall(tests)
    assert named, f"No test is named against: {who}"
    assert tests == ", ".join(f"`{file}::{name}`" for file, name in named), (
        "Something in the cell is no name of a test."
    )
    for file, name in named:
        assert (TESTS / file).is_file(), f"tests/{file} is not there"
        assert name.startswith("test_"), f"{name} is no test"
        assert name in functions(file), f"tests/{file} has no {name}"


def test_links_of_the_page_lead_somewhere() -> None:
    for file in re.findall(r"\]\(([\w.-]+\.md)", PAGE.read_text()):
        assert (PAGE.parent / file).is_file(), f"{file} is not there"
