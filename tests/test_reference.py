"""The reference of settings and commands is what the code says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from ml_connector.integrations import INTEGRATIONS, SYSTEMS

ROOT = Path(__file__).parents[1]
BEHIND = "Write it anew: ./run reference"
OURS = {"ML_CONNECTOR_STAND_INS"}
"""What one of our processes sets for another."""

_spec = importlib.util.spec_from_file_location("reference", ROOT / "tools/reference.py")
assert _spec is not None
assert _spec.loader is not None
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)


@pytest.mark.parametrize("name", ["reference-settings.md", "reference-commands.md"])
def test_the_committed_page_is_what_the_code_says(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == reference.pages()[name], BEHIND


def test_every_setting_and_policy_is_told() -> None:
    page = reference.settings_page()
    forms = [system.form for system in SYSTEMS.values()] + [spec.policies for spec in INTEGRATIONS.values()]
    forms += [flow.policies for spec in INTEGRATIONS.values() for flow in spec.flows]
    for form in forms:
        for setting in form:
            assert f"| `{setting.name}`" in page
            assert setting.help, f"{setting.name} says nothing of itself"


def test_every_variable_that_the_product_reads_is_told() -> None:
    read = {"DATABASE_URL"}
    for path in sorted((ROOT / "src/ml_connector").rglob("*.py")):
        if {"sandbox", "conformance"}.isdisjoint(path.parts):
            read |= set(re.findall(r"\"(ML_CONNECTOR_[A-Z_]+[A-Z])\"", path.read_text())) - OURS
    assert {"ML_CONNECTOR_DATA", "ML_CONNECTOR_KEY", "ML_CONNECTOR_URL", "ML_CONNECTOR_WORKSPACE"} <= read
    assert read - set(reference.environment()) == set(), "Say what it means at the head of settings.py"


def test_every_command_says_what_it_and_its_options_do() -> None:
    page = reference.commands_page()
    assert "## sync\n" in page
    assert "## problem solve\n" in page
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert len(rows) > 100
    assert [row for row in rows if row.endswith("|  |")] == [], "A command or an option without a word of help"


def test_links_to_commands_lead_to_their_headings() -> None:
    page = reference.commands_page()
    headings = {line[3:].replace(" ", "-") for line in page.splitlines() if line.startswith("## ")}
    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) == headings
