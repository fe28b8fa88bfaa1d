"""Suppliers that are moved both ways, and codes that the target needs nothing for."""

from __future__ import annotations

import pytest

from ml_connector.integrations.base import NOTHING, Side
from ml_connector.sync import erasing, links, mappings
from ml_connector.sync.models import Attempt, Link, Problem, RunKind
from ml_connector.sync.problems import solve
from ml_connector.sync.queries.problem_page import problem_view
from tests.sync.procurify_pair import SUPPLIERS, procurify_pair

ELECTRA, HYDRA = "Electra Components Inc.", "Hydra Utilities, Inc."


@pytest.fixture
def pair(workspace):
    with procurify_pair(workspace) as made:
        made.map_codes()
        yield made
        made.check()


def links_of(pair, link_type):
    rows = Link.objects.of(pair.workspace).filter(type=link_type)
    return dict(rows.values_list("source_key", "target_key"))


def test_nothing_is_made_before_the_other_side_was_read(pair):  # R46
    pair.run("suppliers_in", RunKind.PULL)
    pair.run("suppliers_in", RunKind.PUSH)
    assert pair.writes(Side.ERP) == 0
    assert set(pair.records("suppliers_in").values_list("state", flat=True)) == {"blocked"}
    pair.run("suppliers_out", RunKind.PULL)
    for _ in range(2):
        pair.run("suppliers_in", RunKind.PUSH)
    assert len(links_of(pair, "supplier")) == 3, "what has a code, and Hydra, which SYSPRO does not have"


def test_a_link_counts_both_ways(pair):  # R46
    pair.sync(*SUPPLIERS)
    pair.sync(*SUPPLIERS)
    asked = {row.subject for row in Problem.objects.of(pair.workspace).filter(cause="supplier_ambiguous", state="open")}
    electra = str(pair.vendor(ELECTRA)["id"])
    assert {electra, "ELC001"} <= asked
    links.accept(pair.records("suppliers_in").get(key=electra), "ELC001", actor="clerk")
    assert links_of(pair, "vendor")["ELC001"] == electra
    pair.sync(*SUPPLIERS)
    left = {row.subject for row in Problem.objects.of(pair.workspace).filter(cause="supplier_ambiguous", state="open")}
    assert left == asked - {electra, "ELC001"}
    assert pair.vendor(ELECTRA)["external_id"] == "ELC001"
    both = links_of(pair, "supplier")
    assert {code: key for key, code in both.items()} == links_of(pair, "vendor")


def test_what_is_linked_for_one_way_cannot_be_linked_otherwise_for_the_other(pair):  # R46
    pair.sync(*SUPPLIERS)
    electra = str(pair.vendor(ELECTRA)["id"])
    links.accept(pair.records("suppliers_in").get(key=electra), "ELC001", actor="clerk")
    with pytest.raises(links.LinkRefused, match="linked already"):
        links.accept(pair.records("suppliers_out").get(key="ELC001"), str(pair.vendor(HYDRA)["id"]), actor="clerk")


def test_a_supplier_that_is_no_vendor_becomes_one_unless_it_is_to_be_left(pair):
    pair.policies("suppliers_out", new_suppliers="leave")
    pair.settle(*SUPPLIERS)
    for table, own in (("ApSupplier", {"SupplierName": "Quarry Stone Works"}), ("ApSupplierAddr", {})):
        row = next(row for row in pair.syspro.state(table) if row["Supplier"].strip() == "PAK003")
        pair.syspro.edit(table, [{**row, "Supplier": "QUA010", **own}])
    pair.settle(*SUPPLIERS)
    record = pair.records("suppliers_out").get(key="QUA010")
    assert (record.state, "new_suppliers" in record.reason) == ("skipped", True)
    assert pair.vendor(HYDRA)["external_id"] == links_of(pair, "supplier")["6"], (
        "the code of one from Procurify is written back all the same"
    )
    assert len(pair.procurify.state("vendors")) == 7


def test_a_code_that_is_another_suppliers_is_never_overwritten(pair):  # R45
    vendor = pair.vendor(HYDRA)["id"]
    pair.procurify.edit("vendors", {"id": vendor, "external_id": "OLD-17"})
    pair.settle(*SUPPLIERS)
    assert links_of(pair, "supplier")[str(vendor)] == "HYD005"
    assert pair.vendor(HYDRA)["external_id"] == "OLD-17"
    problem = Problem.objects.of(pair.workspace).get(subject__contains="HYD005", state="open")
    assert "OLD-17" in problem.text


def test_a_person_says_that_two_of_the_same_name_are_two(pair):  # R46
    pair.settle(*SUPPLIERS)
    problem = Problem.objects.of(pair.workspace).get(subject=str(pair.vendor(ELECTRA)["id"]), state="open")
    solve(problem, "create", "A branch of its own.", "clerk")
    pair.settle(*SUPPLIERS)
    names = [row["SupplierName"] for row in pair.syspro.state("ApSupplier")]
    assert names.count(ELECTRA) == 2
    assert pair.vendor(ELECTRA)["external_id"].startswith("ELE")
    assert pair.records("suppliers_out").get(key="ELC001").state == "blocked", "Procurify has one vendor of a name"


def test_only_an_optional_mapping_says_that_nothing_is_needed(pair):  # R49
    with pytest.raises(mappings.MappingRefused):
        mappings.set_entries(pair.integration, "gl_account", {"10-6999": NOTHING}, actor="clerk")
    (shown,) = [row for row in mappings.entries(pair.integration, "cost_center") if row.target == NOTHING]
    assert (shown.fault, shown.advice, shown.target_name) == (None, "", "sent without one")


def test_a_supplier_is_erased_as_both_sides_have_it(pair):  # R69
    pair.link_suppliers()
    vendor = str(pair.vendor(HYDRA)["id"])
    erasing.erase(pair.integration, vendor, "Case 12", "clerk")
    for name in SUPPLIERS:
        for payload in pair.records(name).values_list("payload", flat=True):
            assert b"Priya Nair" not in bytes(payload)
    requests = Attempt.objects.of(pair.workspace).values_list("request", flat=True)
    assert not any(b"Priya Nair" in bytes(request) for request in requests)


def test_the_page_of_a_question_offers_the_other_sides_suppliers(pair):  # R46
    pair.settle(*SUPPLIERS)
    electra = str(pair.vendor(ELECTRA)["id"])
    for subject, likely, labels in ((electra, "ELC001", ("Procurify", "SYSPRO")),
                                    ("ELC001", electra, ("SYSPRO", "Procurify"))):  # fmt: skip
        problem = Problem.objects.of(pair.workspace).get(subject=subject, cause="supplier_ambiguous", state="open")
        fix = problem_view(pair.workspace, problem.pk).link
        assert (fix.suggestion.key, fix.source_label, fix.target_label) == (likely, *labels)
        assert len(fix.choices) == 2, "those that are not linked"
