"""Versions of one document arrive in any order and take effect in theirs (R55)."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from ml_connector import clock
from ml_connector.domain.records import Invoice, decode
from ml_connector.sync import outcomes
from ml_connector.sync.models import Attempt, RunKind
from ml_connector.systems.base import Item
from tests.sync.acts import causes, change, post
from tests.sync.test_documents import stage_by_hand


@pytest.fixture
def version(delivered):
    """Stages a version of ELC-1002 with a due date, said to be changed so many minutes from now."""
    record = delivered.record("ELC-1002")
    invoice: Invoice = decode("invoice", bytes(record.payload))

    def staged(day: int, minutes: int) -> None:
        dated = msgspec.structs.replace(invoice, due_date=invoice.due_date.replace(day=day))
        at = clock.now() + timedelta(minutes=minutes)
        stage_by_hand(delivered, "invoices", Item(record.key, dated, None, at, {"open": "913.19", "paid": "0"}))

    return staged


def due(pair) -> str:
    pair.run("invoices", RunKind.PUSH)
    return pair.bills("ELC-1002")[0]["dueDate"]


def test_an_older_version_that_arrives_late_changes_nothing(delivered, version):  # R55
    version(20, minutes=10)
    assert due(delivered) == "2026-12-20"
    version(15, minutes=5)
    assert due(delivered) == "2026-12-20"
    assert delivered.record("ELC-1002").state == "confirmed"


def test_a_version_between_two_equal_ones_that_arrives_late_changes_nothing(delivered, version):  # R55
    version(20, minutes=10)
    version(20, minutes=30)
    version(15, minutes=20)
    assert due(delivered) == "2026-12-20"


def test_a_newer_version_is_delivered_once_after_the_doubt_is_settled(delivered):  # R3, R55
    post(delivered, "ORD-1")
    match = {"method": "POST", "path": "/v3/bills", "contains": "ORD-1"}
    delivered.bill.faults([{"match": match, "do": "commit_then_reset", "times": 1}])
    delivered.sync("invoices")
    assert delivered.record("ORD-1").state == "in_doubt"
    change(delivered, "ORD-1", DueDate="2026-12-24")
    delivered.run("invoices", RunKind.PULL)
    assert delivered.record("ORD-1").state == "in_doubt", "a newer version settles no doubt"
    for _ in range(3):
        delivered.later(minutes=5)
        delivered.sync("invoices")
    (bill,) = delivered.bills("ORD-1")
    assert bill["dueDate"] == "2026-12-24"
    operations = Attempt.objects.of(delivered.workspace).filter(record__number="ORD-1").order_by("pk")
    assert list(operations.values_list("operation", "outcome")) == [("create", "adopted"), ("update", "confirmed")]


def test_a_version_staged_while_the_old_one_was_being_refused_is_sent(delivered, monkeypatch):  # R55
    post(delivered, "ORD-2")
    refused = [{"code": "BDC_1143", "message": "dueDate: is not taken."}]
    match = {"method": "POST", "path": "/v3/bills", "contains": "ORD-2"}
    delivered.bill.faults([{"match": match, "do": "status", "status": 400, "body": refused, "times": 1}])
    delivered.run("invoices", RunKind.PULL)
    close = outcomes.close

    def meanwhile(trail, attempt, *arguments, **options):
        """Another worker's pull commits right before the outcome does."""
        record = delivered.record("ORD-2")
        newer = msgspec.structs.replace(decode("invoice", bytes(record.payload)), memo="corrected")
        stage_by_hand(delivered, "invoices", Item(record.key, newer, observed={"open": "100.00", "paid": "0"}))
        monkeypatch.setattr(outcomes, "close", close)
        close(trail, attempt, *arguments, **options)

    monkeypatch.setattr(outcomes, "close", meanwhile)
    delivered.run("invoices", RunKind.PUSH)
    assert delivered.record("ORD-2").state == "staged"
    assert "refused_by_target" not in causes(delivered)
    delivered.run("invoices", RunKind.PUSH)
    assert "corrected" in delivered.bills("ORD-2")[0]["description"]
