"""What the search box finds, and that its pages leave nothing out."""

from __future__ import annotations

import pytest

from ml_connector.sync.models import Link, Record
from ml_connector.sync.queries import record_list
from ml_connector.sync.queries.record_list import record_page


@pytest.fixture
def found(pair):
    def numbers(text: str, **more: str) -> set[str]:
        return {row.number or row.key for row in record_page(pair.workspace, search=text, **more).rows}

    return numbers


def test_a_document_is_found_by_what_people_know_of_it(pair, found):
    hydra = {"HU-2201", "HU-2202", "HU-2203"}
    assert found("HU-2201") == {"HU-2201"}
    assert found("hu-22") == hydra, "the beginning of a number, in any case"
    assert hydra <= found("HYD005"), "a supplier's code"
    assert hydra <= found("hydra util"), "a part of a supplier's name"
    assert "HU-2201" in found("218.40") and "HU-2202" not in found("218.40"), "an amount"
    assert "HU-2201" in found("USD 218.40")
    due = Record.objects.of(pair.workspace).get(number="HU-2201").due_date
    assert "HU-2201" in found(due.isoformat()), "a due date"
    link = Link.objects.of(pair.workspace).filter(type="invoice").first()
    assert found(link.target_key) == {Record.objects.of(pair.workspace).get(key=link.source_key).number}
    assert found("no such thing") == set()


def test_state_and_type_narrow_a_search(pair, found):
    for state in ("blocked", "confirmed"):
        rows = record_page(pair.workspace, state=state, type_name="invoice").rows
        assert rows and {(row.state, row.type) for row in rows} == {(state, "invoice")}
    assert found("HU-22", state="skipped") == set()


@pytest.mark.parametrize("search", ["", "U"])
def test_page_by_page_everything_is_listed_once(pair, monkeypatch, search):
    monkeypatch.setattr(record_list, "PAGE", 4)
    seen: list[int] = []
    before = None
    while True:
        page = record_page(pair.workspace, search=search, before=before)
        seen += [row.id for row in page.rows]
        before = page.after
        if before is None:
            break
    assert seen == sorted(set(seen), reverse=True)
    if not search:
        assert len(seen) == Record.objects.of(pair.workspace).count()


def test_a_search_that_finds_more_than_is_looked_at_says_so(pair, monkeypatch, sign_in):
    count = len(record_page(pair.workspace, search="HU-22").rows)
    client = sign_in("auditor")
    for matches, cut in ((count, False), (count - 1, True)):
        monkeypatch.setattr(record_list, "MATCHES", matches)
        assert record_page(pair.workspace, search="HU-22").cut is cut
        text = client.get("/w/acme/records?q=HU-22").content.decode()
        assert ("Not all of them are listed" in text) is cut
    assert record_page(pair.workspace).cut is False
