"""`pack` and `approval`, and what the trail says of the command line's own hand."""

from __future__ import annotations

import hashlib
import json

from ml_connector.audit.models import AuditEntry
from ml_connector.sync.models import Approval, Problem
from ml_connector.workspaces.models import Workspace


def test_a_period_is_frozen_listed_taken_out_and_compared(applied, tmp_path):  # R36
    applied("sync", "payables")
    made = applied("pack", "freeze", "payables", "--period", "2020-01", "--json").json
    assert [row["hash"] for row in applied("pack", "list", "--json").json] == [made["hash"]]
    file = tmp_path / "pack.json"
    assert applied("pack", "get", str(made["id"]), "-o", str(file)).status == 0
    assert hashlib.sha256(file.read_bytes()).hexdigest() == made["hash"]
    said = applied("pack", "changes", str(made["id"]))
    assert said.status == 0 and "Nothing changed" in said.out


def test_what_cannot_be_frozen_is_said(applied):  # R36
    said = applied("pack", "freeze", "payables", "--period", "2199-01")
    assert said.status == 2 and "not over yet" in said.err and "Nothing was frozen" in said.err
    assert "no pack 7" in applied("pack", "get", "7").err


def test_requests_are_listed_and_nobody_approves_their_own(applied):  # R41, R72
    applied("sync", "payables")
    workspace = Workspace.objects.get()
    problem = Problem.objects.of(workspace).filter(state="open", blocks=True).first()
    applied("problem", "solve", str(problem.pk), "--action", "write_off", "--reason", "Given up.")
    (row,) = applied("approval", "list", "--json").json
    assert (row["kind"], row["reason"]) == ("write_off", "Given up.")
    said = applied("approval", "approve", str(row["id"]), "--reason", "Mine.")
    assert said.status == 2 and "somebody else" in said.err
    Approval.objects.of(workspace).update(asked_by="person:1")
    assert applied("approval", "approve", str(row["id"]), "--reason", "Agreed.").status == 0
    problem.refresh_from_db()
    assert problem.state == "handled"


def test_apply_is_the_hosts_hand_and_the_trail_says_so(applied):  # R72
    entries = AuditEntry.objects.of(Workspace.objects.get()).filter(
        action="config_change", subject__startswith="connection:"
    )
    facts = [json.loads(entry.detail) for entry in entries]
    told = {fact["second_person"] for fact in facts if "second_person" in fact}
    assert told == {"host"}
    assert all(entry.actor.startswith("os:") for entry in entries if "second_person" in entry.detail)
