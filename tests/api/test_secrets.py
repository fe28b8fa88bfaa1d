"""No secret leaves, whatever is asked for (R71)."""

from __future__ import annotations

import json
import logging
import threading

from ml_connector import tokens
from ml_connector.audit.models import AuditEntry
from ml_connector.redaction import redacted
from ml_connector.sync.models import Attempt, Connection, Problem, Record, Run, TargetEntry
from ml_connector.workspaces.models import ApiToken
from tests.api.conftest import operations, parts_of

IBAN = "DE89370400440532013000"
TAX_ID = "98-7654321"


def plant(pair):
    """Secrets where careless code or a careless vendor might put them."""
    secrets = [value for running in (pair.syspro, pair.bill) for value in running.secrets.values() if value]
    assert len(secrets) >= 3
    told = " ".join(secrets) + f" password=hunter2hunter2 {IBAN}"
    Connection.objects.of(pair.workspace).update(health_text=told)
    Run.objects.of(pair.workspace).update(text=told)
    Attempt.objects.of(pair.workspace).update(error_text=redacted(told))
    for record in Record.objects.of(pair.workspace):
        content = json.loads(bytes(record.payload)) | {"tax_id": TAX_ID, "bank_account": IBAN}
        Record.objects.of(pair.workspace).filter(pk=record.pk).update(payload=json.dumps(content).encode())
    for entry in TargetEntry.objects.of(pair.workspace):
        content = json.loads(bytes(entry.payload)) | {"tax_id": TAX_ID, "note": told}
        TargetEntry.objects.of(pair.workspace).filter(pk=entry.pk).update(payload=json.dumps(content).encode())
    for problem in Problem.objects.of(pair.workspace):
        problem.text = redacted(told)
        problem.save()
    return [*secrets, "hunter2hunter2", IBAN, TAX_ID]


def test_no_answer_holds_a_secret(pair, workspace, robot, caplog):  # R71
    caplog.set_level(logging.DEBUG)
    secrets = [*plant(pair), robot.token]
    parts = {**parts_of(pair), "record": Record.objects.of(workspace).get(key="HYD005").pk}
    said = []
    for operation in operations():
        headers = {"If-Match": '"1"'} if operation.id == "publishMapping" else {}
        answer = robot.ask(operation.method, operation.address(parts), body=operation.body, headers=headers)
        said.append((operation.id, answer.status, json.dumps(answer.body, ensure_ascii=False) + str(answer.headers)))
    for thread in threading.enumerate():
        if thread.name.startswith("ping "):
            thread.join(60)
    for path in ("/records", "/connections"):
        ids = [row["id"] for row in robot.all(path)]
        said += [(path, 200, json.dumps(robot.get(f"{path}/{one}").body, ensure_ascii=False)) for one in ids]
    assert any(name == "showRecord" and status == 200 for name, status, _ in said)
    for name, _, text in said:
        assert [secret for secret in secrets if secret in text] == [], name
    assert any(TAX_ID in bytes(row.payload).decode() for row in Record.objects.of(workspace)), "it was there to be told"
    logged = redacted(caplog.text)
    assert [secret for secret in secrets if secret in logged] == []


def test_a_token_stands_nowhere(pair, workspace, robot):  # R71
    row = ApiToken.objects.of(workspace).get(name="robot")
    assert robot.token not in str({field.name: getattr(row, field.name) for field in row._meta.fields})
    assert robot.token[12:] not in json.dumps([entry.detail for entry in AuditEntry.objects.of(workspace)])
    wrong = robot.ask("GET", "/api/v1/w/nowhere/records")
    assert robot.token not in json.dumps(wrong.body)
    assert redacted(f"GET / Authorization {robot.token}, and more") == "GET / Authorization mlc_***, and more"
    made = {tokens.make(workspace, f"t{number}", ["view"], 1, "person:1") for number in range(20)}
    assert len(made) == 20 and all(len(text) == 52 and text.startswith("mlc_") for text in made)
