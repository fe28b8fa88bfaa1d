"""Suggestions for Mappings: the rules one by one, and that nothing is applied without being asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector import audit, clock
from ml_connector.domain.records import AccountType, GlAccount
from ml_connector.sync import codes, likeness, mappings, suggestions
from ml_connector.sync.models import Connection, Integration, MappingVersion
from ml_connector.sync.suggestions import Candidates, Code
from ml_connector.workspaces.models import Workspace

MONDAY = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)

BILL = [
    Code("0ca1", "6100", "Components", "expense"),
    Code("0ca2", "10-6200", "Packing material", "expense"),
    Code("0ca3", "6300", "Inbound freight", "expense"),
    Code("0ca4", "4000", "Sales", "revenue"),
    Code("0ca5", "9001", "Utilities, Inc.", "expense"),
]


def _found(source: Code, targets: list[Code] = BILL, elsewhere: dict[str, set[str]] | None = None) -> str | None:
    suggestion = Candidates(targets, elsewhere).suggest(source)
    return f"{suggestion.rule} {suggestion.target} {suggestion.why}" if suggestion else None


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (Code("10-6200", "10-6200", "x"), "1 0ca2 same code"),
        (Code("0ca3", "0ca3", "x"), "1 0ca3 same code"),
        (Code("106200", "106200", "x"), "2 0ca2 same code but for separators and zeros"),
        (Code("0010.6200", "0010.6200", "x"), "2 0ca2 same code but for separators and zeros"),
        (Code("10-6100", "10-6100", "x"), "2 0ca1 same code without its company segment"),
        (Code("10-WH1-6300", "10-WH1-6300", "x"), "2 0ca3 same last segment"),
        (Code("77", "77", "UTILITIES GmbH", "expense"), "3 0ca5 same name"),
        (Code("77", "77", "Packing materials", "expense"), "4 0ca2 similar name"),
        (Code("77", "77", "Entertainment", "expense"), None),
        (Code("77", "77", "", "expense"), None),
    ],
)
def test_the_first_rule_that_finds_something_decides(source: Code, found: str | None) -> None:
    assert _found(source) == found


def test_income_is_never_suggested_for_expense() -> None:
    assert _found(Code("4000", "4000", "Sales", "expense")) is None
    assert _found(Code("4000", "4000", "Sales", "revenue")) == "1 0ca4 same code"


def test_names_count_within_one_type_only() -> None:
    assert _found(Code("77", "77", "Components", "asset")) is None


def test_two_that_cannot_be_told_apart_are_no_suggestion() -> None:
    twins = [Code("a", "7000", "Services"), Code("b", "7000", "Services B")]
    assert _found(Code("7000", "7000", "x"), twins) is None
    alike = [Code("a", "x", "Freight charges northa"), Code("b", "y", "Freight charges northb")]
    assert _found(Code("1", "1", "Freight charges north"), alike) is None


def test_what_another_integration_says_comes_last() -> None:
    source = Code("10-7777", "10-7777", "Sundry", "expense")
    assert _found(source, elsewhere={"10-7777": {"6300"}}) == "5 0ca3 mapped so in another integration"
    assert _found(source, elsewhere={"10-7777": {"6300", "6100"}}) is None


# --- likeness


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Hydra Utilities, Inc.", ("hydra", "utilities")),
        ("HYDRA UTILITIES", ("hydra", "utilities")),
        ("Müller & Söhne GmbH & Co. KG", ("muller", "and", "sohne")),
        ("L'Oréal S.A.", ("loreal",)),
        ("Straße AG", ("strasse",)),
        ("Inc", ("inc",)),
        ("Company Co. Ltd", ("company", "co", "ltd")),
        ("—", ()),
    ],
)
def test_words_of_a_name(name: str, words: tuple[str, ...]) -> None:
    assert likeness.words(name) == words


@pytest.mark.parametrize(
    ("one", "other", "similar"),
    [
        ("Hydra Utilities", "Hydra Utilities, Inc.", True),
        ("Utilities Hydra", "Hydra Utilities", True),
        ("Pakko Packaging", "Pakko Packaging Deutschland", True),
        ("Nordkabel", "Nordkable", True),
        ("Electra", "Elektra", False),
        ("Nordkabel Hamburg", "Nordkable Hamburg", True),
        ("Freight", "Freight and packaging", False),
        ("Electra Components", "Electra Logistics", False),
        ("", "Freight", False),
    ],
)
def test_which_names_are_similar(one: str, other: str, similar: bool) -> None:
    score = likeness.similarity(likeness.words(one), likeness.words(other))
    assert (score >= likeness.SIMILAR) is similar


@given(st.text(max_size=30), st.text(max_size=30))
def test_likeness_is_the_same_both_ways_and_lies_between_0_and_1(one: str, other: str) -> None:
    left, right = likeness.words(one), likeness.words(other)
    score = likeness.similarity(left, right)
    assert 0 <= score <= 1
    assert likeness.similarity(left, left) in {0.0, 1.0}
    if set(left) == set(right) and left:
        assert score == 1.0


@pytest.mark.parametrize(
    ("tax_id", "form"),
    [("12-3456789", "123456789"), ("de 123456789", "DE123456789"), ("N/A", ""), ("000000000", ""), ("PENDING", "")],
)
def test_which_texts_are_tax_ids(tax_id: str, form: str) -> None:
    assert likeness.tax_form(tax_id) == form


# --- from the database


@pytest.fixture
def integration(workspace: Workspace) -> Integration:
    clock.hold(MONDAY)
    return _pair(workspace, "payables", _connection(workspace, "syspro"))


def _connection(workspace: Workspace, name: str) -> Connection:
    return Connection.objects.create(workspace=workspace, name=name, system=name, credential=name)


def _pair(workspace: Workspace, name: str, erp: Connection, **policies: object) -> Integration:
    bill = Connection.objects.create(workspace=workspace, name=f"bill of {name}", system="bill", credential=name)
    made = Integration.objects.create(
        workspace=workspace, name=name, kind="syspro-bill", erp=erp, platform=bill, policies=policies
    )
    _accounts(erp, ("10-6100", "10-6100", "Components"), ("10-6200", "10-6200", "Packaging"))
    _accounts(bill, (f"{name}-1", "10-6100", "Components"), (f"{name}-2", "6200", "Packaging"))
    return made


def _accounts(connection: Connection, *rows: tuple[str, str, str]) -> None:
    accounts = [
        GlAccount(code=code, number=number, name=name, type=AccountType.EXPENSE, postable=name != "Closed")
        for code, number, name in rows
    ]
    with audit.recording(connection.workspace, actor="worker") as trail:
        codes.store_codes(trail, connection, "gl_account", accounts, complete=True)


def test_each_code_without_a_target_gets_a_suggestion_and_none_is_applied(integration: Integration) -> None:
    found = suggestions.suggest(integration, "gl_account")
    assert [(one.source, one.target, one.number, one.name, one.score) for one in found] == [
        ("10-6100", "payables-1", "10-6100", "Components", 1.0),
        ("10-6200", "payables-2", "6200", "Packaging", 0.94),
    ]
    assert not MappingVersion.objects.of(integration.workspace).exists()
    mappings.set_entries(integration, "gl_account", {found[0].source: found[0].target}, "anna")
    assert [one.source for one in suggestions.suggest(integration, "gl_account")] == ["10-6200"]


def test_a_closed_account_is_not_suggested(integration: Integration) -> None:
    _accounts(integration.platform, ("payables-1", "10-6100", "Closed"))
    assert suggestions.suggest(integration, "gl_account") == []


def test_a_mapping_without_lists_has_no_suggestions(integration: Integration) -> None:
    assert suggestions.suggest(integration, "country") == []


def test_only_the_policy_applies_suggestions_and_only_those_of_the_same_code(integration: Integration) -> None:
    assert suggestions.map_exact(integration, "gl_account") is None
    integration.policies = {"auto_map_exact": True}
    version = suggestions.map_exact(integration, "gl_account")
    assert version is not None
    assert version.published_by == "auto_map_exact"
    assert mappings.mapped(integration, "gl_account") == {"10-6100": "payables-1"}
    assert suggestions.map_exact(integration, "gl_account") is None


def test_another_integration_of_the_same_source_is_asked(integration: Integration) -> None:
    other = _pair(integration.workspace, "other", integration.erp)
    for made in (integration, other):
        _accounts(made.platform, (f"{made.name}-7", "7000", "Vehicles"))
    mappings.set_entries(other, "gl_account", {"10-6100": "7000"}, "anna")
    (found,) = suggestions.suggest(integration, "gl_account")
    assert (found.source, found.target, found.rule) == ("10-6100", "payables-7", 5)
