"""Posting dates of invoices and the periods of the stand-in: open, closed, and too old."""

from __future__ import annotations

from datetime import date
from urllib.parse import unquote_plus

import pytest

from ml_connector.systems.base import Refused

from .conftest import Pair
from .papers import MARK, invoice

OCTOBER, JULY = date(2026, 10, 20), date(2026, 7, 20)


@pytest.mark.parametrize(("day", "period"), [(None, 11), (date(2026, 11, 3), 11), (OCTOBER, 10), (date(2026, 9, 1), 9)])
def test_a_posting_date_chooses_the_period_and_leaves_the_documents_date(
    pair: Pair, day: date | None, period: int
) -> None:  # R33, R34
    pair.target("invoice").create(invoice(posting_date=day, date=JULY), MARK)
    row = pair.row("ApInvoice", Invoice="ELC-2001")
    assert (row["InvoiceYear"], row["InvoiceMonth"], row["InvoiceDate"]) == (2026, period, "2026-07-20")


@pytest.mark.parametrize("letters", [["C"], []])
@pytest.mark.parametrize("post_as", ["ap_invoice", "journal"])
@pytest.mark.parametrize("policy", ["hold", "ask"])
def test_a_closed_period_holds_the_document_or_asks(
    pair: Pair, policy: str, post_as: str, letters: list[str]
) -> None:  # R33, R34
    pair.act({"do": "set_period", "year": 2026, "period": 10, "open": False})
    chosen = {"closed_period": policy, "post_as": post_as}
    target = pair.target("invoice", chosen, closed_period_letters=letters)
    with pytest.raises(Refused) as refused:
        target.create(invoice(posting_date=OCTOBER), MARK)
    assert (refused.value.code, refused.value.field) == ("period_closed", "PostingPeriod")
    assert "ELC-2001" in str(refused.value)
    assert pair.rows("ApInvoice", Invoice="ELC-2001") == []


@pytest.mark.parametrize("letters", [["C"], []])
@pytest.mark.parametrize("validates", [True, False])
def test_a_closed_period_gives_way_to_the_current_one_where_the_policy_says_so(
    pair: Pair,
    validates: bool,
    letters: list[str],
) -> None:  # R34, R35
    pair.act({"do": "set_period", "year": 2026, "period": 10, "open": False})
    chosen = {"closed_period": "current", "validate_first": validates}
    target = pair.target("invoice", chosen, closed_period_letters=letters)
    record = invoice(posting_date=OCTOBER, date=JULY)
    target.create(record, MARK)
    row = pair.row("ApInvoice", Invoice="ELC-2001")
    assert (row["InvoiceMonth"], row["InvoiceDate"]) == (11, "2026-07-20")
    assert "Posting date was 2026-10-20" in unquote_plus(pair.posts("APSTIN")[-1]["query"])


def test_a_day_that_is_too_old_for_syspro_is_held_or_goes_to_the_current_period(pair: Pair) -> None:  # R33, R34
    record = invoice(posting_date=JULY)
    with pytest.raises(Refused, match="2026-07-20"):
        pair.target("invoice").create(record, MARK)
    pair.target("invoice", {"closed_period": "current"}).create(record, MARK)
    assert pair.row("ApInvoice", Invoice="ELC-2001")["InvoiceMonth"] == 11


def test_where_the_current_period_is_closed_too_nothing_is_posted(pair: Pair) -> None:  # R34
    for period in (10, 11):
        pair.act({"do": "set_period", "year": 2026, "period": period, "open": False})
    for letters in (["C"], []):
        target = pair.target("invoice", {"closed_period": "current"}, closed_period_letters=letters)
        with pytest.raises(Refused) as refused:
            target.create(invoice(posting_date=OCTOBER), MARK)
        assert refused.value.code == "period_closed"
    assert pair.posts("APSTIN") == []
