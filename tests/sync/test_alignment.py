"""Both sides' suppliers aligned: which vendors are no supplier's, and when that is over (R46)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ml_connector import clock
from ml_connector.sync import links, problems
from ml_connector.sync.models import Link, Problem, RunKind
from tests.sync.sapb1_pair import B1Pair, sapb1_pair

ADDRESS = {"line1": "1 Main Street", "city": "Reno", "zipOrPostalCode": "89501", "country": "US"}


@pytest.fixture
def pair(workspace: Any) -> Iterator[B1Pair]:
    with sapb1_pair(workspace) as made:
        yield made
        made.check()


@pytest.fixture
def linked(pair: B1Pair) -> B1Pair:
    """Every supplier of the base set has its vendor."""
    pair.map_accounts()
    pair.link_hydra()
    pair.sync("suppliers", "vendors_back")
    pair.later(minutes=1)
    return pair


def enter_vendor(pair: B1Pair, name: str, **more: Any) -> str:
    """Somebody enters a vendor in BILL; gives its id."""
    row = pair.bill.edit("vendors", {"name": name, "address": ADDRESS, **more})[0]
    pair.later(minutes=1)
    return str(row["id"])


def missing(pair: B1Pair) -> list[Problem]:
    return list(Problem.objects.of(pair.workspace).filter(cause="supplier_missing", state="open"))


def test_no_vendor_is_called_nobodys_before_the_suppliers_were_judged(pair):  # R46
    pair.sync("vendors_back")
    assert missing(pair) == []
    pair.run("suppliers", RunKind.PULL)
    pair.sync("vendors_back")
    assert missing(pair) == []


def test_vendors_that_are_suppliers_are_not_reported(linked):  # R46
    assert missing(linked) == []
    assert linked.states("vendors_back") == {"skipped": 5}
    assert Link.objects.of(linked.workspace).filter(type="supplier").count() == 5


def test_a_vendor_that_a_waiting_supplier_resembles_is_asked_about_once(pair):  # R46
    pair.sync("suppliers", "vendors_back")
    assert missing(pair) == []
    assert ("supplier_ambiguous", "HYD005") in pair.problems()


def test_a_vendor_that_no_supplier_has_is_one_problem_until_it_is_archived(linked):  # R46
    key = enter_vendor(linked, "Blue Window Cleaners")
    for _ in range(2):
        linked.sync("vendors_back")
    (problem,) = missing(linked)
    assert f"Blue Window Cleaners in BILL (vendor {key}) is no supplier of SAP Business One." in problem.text
    assert "archive it in BILL" in problem.fix
    assert not problem.blocks
    linked.bill.edit("vendors", {"id": key, "archived": True})
    linked.later(minutes=1)
    linked.sync("vendors_back")
    assert missing(linked) == []


def test_what_a_person_has_marked_as_handled_is_not_said_again(linked):
    enter_vendor(linked, "Blue Window Cleaners")
    linked.sync("vendors_back")
    problems.solve(missing(linked)[0], "accept", "BILL only.", "anna")
    linked.sync("vendors_back")
    assert missing(linked) == []


def test_a_second_vendor_of_a_linked_supplier_is_told_as_a_twin(linked):  # R46
    enter_vendor(linked, "Electra Components")
    linked.sync("vendors_back")
    (problem,) = missing(linked)
    vendor = Link.objects.of(linked.workspace).get(type="supplier", source_key="ELC001").target_key
    assert "It resembles supplier ELC001 (Electra Components Inc.; same name" in problem.text
    assert f"which is vendor {vendor}: one of the two may be entered twice" in problem.text


def test_it_ends_when_a_person_links_it_to_a_supplier_that_is_entered_later(linked):  # R46
    key = enter_vendor(linked, "Blue Window Cleaners")
    linked.sync("vendors_back")
    linked.b1.edit("BusinessPartners", {
        "CardCode": "BLU006", "CardName": "Blue Window Cleaning LLC", "CardType": "cSupplier", "Currency": "USD",
    })  # fmt: skip
    linked.later(minutes=1)
    linked.run("suppliers", RunKind.PULL)
    links.answer(linked.integration, "BLU006", "anna", record=0, vendor=key)
    assert missing(linked) == []
    linked.sync("vendors_back")
    assert missing(linked) == []


def test_a_vendor_is_not_called_nobodys_while_the_supplier_that_it_resembles_is_on_its_way(pair):  # R46
    pair.run("suppliers", RunKind.PUSH)  # before anything was read
    pair.run("suppliers", RunKind.PULL)
    pair.sync("vendors_back")
    assert missing(pair) == []
    pair.run("suppliers", RunKind.PUSH)
    pair.sync("vendors_back")
    assert missing(pair) == []


def test_what_was_just_made_in_bill_is_read_back_at_once(pair):  # R53
    pair.sync("suppliers")
    assert pair.flow("vendors_back").next_pull_at == clock.now()
