"""What the trail says of a Run, and what may stand nowhere (R52, R66, R71)."""

from __future__ import annotations

import logging

from django.db import connection

from ml_connector import audit, vault
from ml_connector.sync.models import Attempt, Problem, Run, RunKind
from tests.sync.acts import supplier
from tests.sync.pair import Pair

BANK = {"BankAccount": "CANARY-ACCT-4417", "BankBranch": "CANARYBRAN", "RemitEmail": "canary@remit.example"}
TAX_IDS = ("12-3456789", "DE123456789")


def test_every_run_leaves_its_entries(delivered):  # R66
    rows = audit.models.AuditEntry.objects.of(delivered.workspace)
    for run in Run.objects.of(delivered.workspace).select_related("flow"):
        assert rows.filter(run=run.pk, action="run").count() == 1
    pulls = Run.objects.of(delivered.workspace).filter(kind=RunKind.PULL)
    assert all(rows.filter(run=run.pk, action="read_batch").exists() for run in pulls)
    assert set(delivered.story("ELC-1001")) == {"decision", "intent", "outcome", "link"}
    intent = rows.filter(action="intent").first()
    assert intent.source_version
    assert {"login", "mapping_change", "problem_opened"} <= set(rows.values_list("action", flat=True))


def everything_stored(pair: Pair) -> dict[str, bytes]:
    """The text of every row of every table, by table."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found[table] = b"\n".join(
                bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
                for row in cursor.fetchall()
                for value in row
            )
    return found


def test_bank_details_never_reach_the_database(mapped):  # R52, R71
    supplier(mapped, "ELC001", **BANK, SupplierName="Electra Renamed")
    mapped.sync()
    stored = everything_stored(mapped)
    assert b"Electra Renamed" in stored["sync_record"]
    for value in BANK.values():
        assert [table for table, text in stored.items() if value.encode() in text] == []


def test_secrets_sessions_and_tax_ids_are_shown_nowhere(mapped, caplog):  # R71
    caplog.set_level(logging.DEBUG)
    secrets = [*mapped.bill.secrets.values(), *(value for value in mapped.syspro.secrets.values() if value)]
    sessions = [row["id"] for row in mapped.bill.state("sessions")]
    sessions += [row["UserId"] for row in mapped.syspro.state("sessions")]
    assert len(sessions) >= 2
    told = f"Session {sessions[0]} with key {mapped.bill.secrets['devKey']} was refused"
    body = [{"code": "BDC_1143", "message": f"additionalInfo.taxId: 12-3456789. {told}"}]
    match = {"method": "PATCH", "path": "/v3/vendors/*", "contains": "555 0001"}
    mapped.bill.faults([{"match": match, "do": "status", "status": 400, "body": body}])
    told = f"{sessions[-1].strip()} and {mapped.syspro.secrets['operator_password']} were refused"
    mapped.erp.settings["odata_root"] = ""
    mapped.erp.save(update_fields=["settings"])
    supplier(mapped, "ELC001", Telephone="+1 312 555 0001")
    mapped.sync("suppliers")
    mapped.syspro.faults([{"match": {"path": "*/query/query", "nth": 2}, "do": "in_band_error", "text": told}])
    mapped.sync()
    vault.put(mapped.workspace, "connection:platform", "password", "wrong-Pw-canary")
    mapped.later(hours=2)
    mapped.sync("suppliers", "invoices")

    texts = {
        "trail": "\n".join(audit.models.AuditEntry.objects.of(mapped.workspace).values_list("detail", flat=True)),
        "problems": "\n".join(f"{row.text} {row.fix} {row.detail}" for row in Problem.objects.of(mapped.workspace)),
        "attempts": "\n".join(Attempt.objects.of(mapped.workspace).values_list("error_text", flat=True)),
        "runs": "\n".join(Run.objects.of(mapped.workspace).values_list("text", flat=True)),
        "log": caplog.text,
    }
    assert "was refused" in texts["problems"]
    assert "were refused" in texts["runs"]
    for hidden in (*secrets, *sessions, *TAX_IDS, "wrong-Pw-canary"):
        assert [place for place, text in texts.items() if hidden in text] == [], hidden
    for hidden in (*secrets, *sessions, "wrong-Pw-canary"):
        shown = [table for table, text in everything_stored(mapped).items() if hidden.encode() in text]
        assert shown == [], "it lies in the database unsealed"
