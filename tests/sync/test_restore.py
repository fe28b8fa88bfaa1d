"""A backup restored after further deliveries runs on: nothing twice, no edit lost."""

from __future__ import annotations

import shutil
from collections import Counter
from decimal import Decimal

import pytest
from django.db import connection, connections

from ml_connector.sync.models import Link, Record
from tests.sync.pair import Pair, base_pair

FURTHER = 100


@pytest.fixture
def pair(workspace):
    with base_pair(workspace) as made:
        made.map_accounts()
        made.link_hydra()
        made.sync()
        yield made


def further_deliveries(pair: Pair) -> None:
    """A hundred new invoices, a new due date, a void, and a supplier who moved: all of it delivered."""
    for number in range(FURTHER):
        pair.syspro.edit(
            "actions",
            {
                "do": "post_invoice",
                "supplier": "ELC001",
                "invoice": f"NEW-{number:03}",
                "lines": [{"account": "10-6100", "amount": Decimal(100 + number)}],
            },
        )
    row = next(row for row in pair.syspro.state("ApInvoice") if row["Invoice"] == "ELC-1002")
    pair.syspro.edit("ApInvoice", {**row, "DueDate": "2026-12-18"})
    pair.syspro.edit("actions", {"do": "reverse", "supplier": "ELC001", "invoice": "ELC-1004"})
    pair.syspro.edit(
        "actions", {"do": "change_supplier", "supplier": "PAK003", "columns": {"Telephone": "+1 312 555 0199"}}
    )
    pair.later(minutes=10)
    pair.sync()


def what_bill_holds(pair: Pair) -> tuple:
    bills = sorted(
        (bill["invoice"]["invoiceNumber"], bill["dueDate"], bill["archived"], str(bill["amount"]))
        for bill in pair.bills()
    )
    vendors = sorted((vendor["name"], vendor.get("phone", "")) for vendor in pair.bill.state("vendors"))
    return bills, vendors


def test_a_restored_backup_runs_on(pair, database, request):  # R2, R5
    if connection.vendor != "sqlite":
        pytest.skip("The copy of a file stands for the backup; PostgreSQL's own tools make theirs.")
    live, backup = database / "ml-connector.sqlite3", database / "backup.sqlite3"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(backup)])
    further_deliveries(pair)
    before = what_bill_holds(pair)
    assert len(before[0]) == 8 + FURTHER

    connections["default"].close()
    for leftover in database.glob("ml-connector.sqlite3-*"):
        leftover.unlink()
    shutil.copy(backup, live)
    assert Record.objects.of(pair.workspace).filter(number__startswith="NEW-").count() == 0

    for _ in range(3):
        pair.later(minutes=10)
        pair.sync()
    assert what_bill_holds(pair) == before
    assert Counter(bill["invoice"]["invoiceNumber"] for bill in pair.bills()).most_common(1)[0][1] == 1
    assert Record.objects.of(pair.workspace).filter(number__startswith="NEW-", state="confirmed").count() == FURTHER
    links = Link.objects.of(pair.workspace).filter(type="invoice").values_list("target_key", flat=True)
    assert set(links) == {bill["id"] for bill in pair.bills()}
    assert pair.record("ELC-1002").state == pair.record("ELC-1004").state == "confirmed"
    assert pair.adds_up()
