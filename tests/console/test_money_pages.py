"""Tie-out, packs, approvals and the trail in the pages."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta

import pytest

from ml_connector.audit import offline_verify, reading
from ml_connector.audit.models import AuditEntry
from ml_connector.jobs.tasks import do_next
from ml_connector.sync.connecting import stored_secrets
from ml_connector.sync.models import Approval, MappingVersion, Pack, Problem, Record, StoredTieOut, Task
from ml_connector.workspaces.models import Workspace

TIE_OUT = "/w/acme/tie-out/bench"


def text_of(answer) -> str:
    return answer.content.decode()


def content_of(answer) -> str:
    return b"".join(answer.streaming_content).decode()


@pytest.fixture
def compared(pair, sign_in):
    assert sign_in("operator").post(f"{TIE_OUT}/compute").status_code == 302
    assert do_next("a worker")
    return pair


# --- tie-out


def test_computing_is_left_to_a_worker_and_followed_in_the_page(pair, sign_in):
    client = sign_in("operator")
    assert "Not compared yet" in text_of(client.get(TIE_OUT))
    assert client.post(f"{TIE_OUT}/compute").status_code == 302
    assert not StoredTieOut.objects.of(pair.workspace).exists(), "nothing is computed in the request"
    task = Task.objects.of(pair.workspace).get()
    shown = text_of(client.get(TIE_OUT))
    assert f'id="task-{task.pk}"' in shown and "waits for a worker" in shown
    part = client.get(f"/w/acme/tasks/{task.pk}", headers={"hx-request": "true"})
    assert part.status_code == 200 and 'hx-trigger="every 1s"' in text_of(part)
    assert do_next("a worker")
    ended = client.get(f"/w/acme/tasks/{task.pk}", headers={"hx-request": "true"})
    assert ended.headers["hx-refresh"] == "true"
    text = text_of(client.get(TIE_OUT))
    assert "Compared" in text and "Held back" in text and "TRN004" in text


def test_a_difference_leads_to_its_record_and_its_problem(compared, sign_in):
    client = sign_in("auditor")
    stored = StoredTieOut.objects.of(compared.workspace).get()
    text = text_of(client.get(f"/w/acme/tie-outs/{stored.pk}/differences?reason=blocked"))
    record = compared.record("TF-90")
    problem = Problem.objects.of(compared.workspace).get(cause="supplier_on_hold", state="open")
    assert f'href="/w/acme/records/{record.pk}"' in text and f'href="/w/acme/problems/{problem.pk}"' in text
    assert "400.00" in text and "day" in text
    row = re.search(r"differences\?row=(\d+)\">TRN004", text_of(client.get(TIE_OUT)))
    assert row is not None
    of_one = text_of(client.get(f"/w/acme/tie-outs/{stored.pk}/differences?row={row[1]}"))
    assert "Trans-Freight Co." in of_one and "TF-90" in of_one


def test_suppliers_are_searched_and_narrowed(compared, sign_in):
    client = sign_in("auditor")
    assert "ELC001" in text_of(client.get(f"{TIE_OUT}?show=all&q=electra"))
    assert "TRN004" not in text_of(client.get(f"{TIE_OUT}?show=all&q=electra"))
    assert "Everything is explained" in text_of(client.get(f"{TIE_OUT}?show=unexplained"))
    assert client.get(f"{TIE_OUT}?period=October").status_code == 400


def test_the_csv_is_noted_in_the_trail(compared, people, sign_in):  # R66
    stored = StoredTieOut.objects.of(compared.workspace).get()
    answer = sign_in("auditor").post(f"/w/acme/tie-outs/{stored.pk}/csv")
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    rows = content_of(answer).splitlines()
    assert rows[0].startswith("supplier,name,currency,source,linked,target") and len(rows) > 4
    entry = AuditEntry.objects.of(compared.workspace).filter(action="export").latest("sequence")
    assert entry.actor == people["auditor"].actor and "tie-out bench" in entry.detail


def test_a_period_is_frozen_listed_downloaded_and_compared(pair, people, sign_in):  # R36
    client = sign_in("operator")
    refused = client.post(f"{TIE_OUT}/freeze", {"period": "2026-11"})
    assert refused.status_code == 400 and "not over yet" in text_of(refused)
    pair.later(days=17)
    pair.sync()
    assert client.post(f"{TIE_OUT}/freeze", {"period": "2026-11"}).status_code == 302
    assert do_next("a worker")
    pack = Pack.objects.of(pair.workspace).get()
    assert pack.frozen_by == people["operator"].actor
    assert f"/w/acme/packs/{pack.pk}" in text_of(client.get(TIE_OUT))
    page = text_of(client.get(f"/w/acme/packs/{pack.pk}"))
    assert pack.hash in page and "Operator" in page and "Balances were not compared since" in page
    file = client.post(f"/w/acme/packs/{pack.pk}/file")
    assert hashlib.sha256(file.content).hexdigest() == pack.hash
    assert json.loads(file.content)["format"] == "ml-connector-tie-out-1"
    pair.later(hours=1)
    assert client.post(f"{TIE_OUT}/compute", {"period": "2026-11", "pack": pack.pk}).status_code == 302
    assert do_next("a worker")
    assert "All balances stand as they were frozen" in text_of(client.get(f"/w/acme/packs/{pack.pk}"))
    Pack.objects.of(pair.workspace).update(hash="0" * 64)
    assert client.post(f"/w/acme/packs/{pack.pk}/file").status_code == 200, "the trail's hash counts, not the row's"


def test_a_damaged_pack_is_not_given_out(pair, sign_in):  # R36
    import zlib

    client = sign_in("operator")
    pair.later(days=17)
    pair.sync()
    client.post(f"{TIE_OUT}/freeze", {"period": "2026-11"})
    assert do_next("a worker")
    pack = Pack.objects.of(pair.workspace).get()
    Pack.objects.of(pair.workspace).update(content=zlib.compress(b"{}"))
    answer = client.post(f"/w/acme/packs/{pack.pk}/file")
    assert answer.status_code == 409 and "not what was frozen" in text_of(answer)


# --- approvals


@pytest.fixture
def asked(pair, sign_in) -> Approval:
    """The operator wants to map 10-6999."""
    values = {"to:10-6999": "10-6100", "was:10-6999": "", "reason": "Until there is an account."}
    answer = sign_in("operator").post("/w/acme/mappings/bench/gl_account/publish", values)
    row = Approval.objects.of(pair.workspace).get()
    assert answer.headers["location"] == f"/w/acme/approvals/{row.pk}"
    return row


def test_a_mapping_is_published_when_another_person_approves(pair, people, sign_in, asked):  # R72
    path = f"/w/acme/approvals/{asked.pk}"
    before = MappingVersion.objects.of(pair.workspace).count()
    operator, approver = sign_in("operator"), sign_in("approver")
    assert "1 request waits for your approval" in text_of(approver.get("/w/acme/"))
    assert "for your approval" not in text_of(operator.get("/w/acme/"))
    own = text_of(operator.get(path))
    assert "Withdraw it" in own and "/approve" not in own
    assert operator.post(f"{path}/approve", {"reason": "Mine."}).status_code == 403
    page = text_of(approver.get(path))
    assert "10-6999" in page and "10-6100" in page and "Until there is an account." in page
    assert approver.post(f"{path}/approve", {"reason": ""}).status_code == 409
    assert MappingVersion.objects.of(pair.workspace).count() == before
    assert approver.post(f"{path}/approve", {"reason": "Right."}).status_code == 302
    assert MappingVersion.objects.of(pair.workspace).count() == before + 1
    assert "for your approval" not in text_of(approver.get("/w/acme/"))
    pair.sync()
    assert pair.record("HU-2201").state == "confirmed", "what waited follows"


def test_nobody_with_the_right_to_approve_approves_their_own(pair, sign_in):  # R72
    owner = sign_in("owner")
    owner.post("/w/acme/mappings/bench/gl_account/publish", {"to:10-6999": "10-6100", "was:10-6999": ""})
    row = Approval.objects.of(pair.workspace).get()
    answer = owner.post(f"/w/acme/approvals/{row.pk}/approve", {"reason": "Mine."})
    assert answer.status_code == 409 and "somebody else must approve" in text_of(answer)
    row.refresh_from_db()
    assert row.state == "waiting"


def test_a_request_is_withdrawn_by_who_asked_and_refused_by_others(pair, sign_in, asked):  # R72
    path = f"/w/acme/approvals/{asked.pk}"
    assert sign_in("auditor").post(f"{path}/withdraw").status_code == 409
    assert sign_in("operator").post(f"{path}/withdraw").status_code == 302
    asked.refresh_from_db()
    assert asked.state == "withdrawn"
    assert sign_in("approver").post(f"{path}/refuse", {"reason": "No."}).status_code == 409
    text = text_of(sign_in("auditor").get("/w/acme/approvals"))
    assert "Withdrawn" in text and "Nothing waits" in text


def test_a_code_mapped_on_the_problem_page_waits_there_too(pair, sign_in):  # R72
    problem = Problem.objects.of(pair.workspace).get(cause="unmapped_code", state="open")
    client, path = sign_in("operator"), f"/w/acme/problems/{problem.pk}"
    answer = client.post(f"{path}/map", {"target": "10-6100"}, headers={"hx-request": "true"})
    text = text_of(answer)
    assert answer.status_code == 200 and "when a second person approves" in text and "Waits for a second person" in text
    row = Approval.objects.of(pair.workspace).get()
    assert f'href="/w/acme/approvals/{row.pk}"' in text
    assert pair.record("HU-2201").state == "blocked"


def test_a_write_off_can_be_approved_where_all_requests_are(pair, sign_in):  # R41, R72
    problem = Problem.objects.of(pair.workspace).get(cause="unmapped_code", state="open")
    values = {"action": "write_off", "reason": "The supplier is gone."}
    assert sign_in("operator").post(f"/w/acme/problems/{problem.pk}/decide", values).status_code == 302
    row = Approval.objects.of(pair.workspace).get()
    page = text_of(sign_in("approver").get(f"/w/acme/approvals/{row.pk}"))
    assert f"/w/acme/problems/{problem.pk}" in page and "218.40" in page
    assert sign_in("approver").post(f"/w/acme/approvals/{row.pk}/approve", {"reason": "Agreed."}).status_code == 302
    assert pair.record("HU-2201").state == "written_off"


def test_a_new_secret_waits_for_the_second_person_and_is_never_shown(pair, sign_in):  # R71, R72
    path, secret = f"/w/acme/connections/{pair.platform.pk}/secrets", " a-New-Secret-4711"
    before = stored_secrets(pair.platform)["password"]
    client = sign_in("administrator")
    assert client.post(path, {"password": "", "sure": "yes"}).status_code == 400
    answer = client.post(path, {"password": secret, "sure": "yes", "reason": "It ran out."})
    row = Approval.objects.of(pair.workspace).get()
    assert answer.headers["location"] == f"/w/acme/approvals/{row.pk}"
    assert stored_secrets(pair.platform)["password"] == before
    approver = sign_in("approver")
    page = text_of(approver.get(f"/w/acme/approvals/{row.pk}"))
    assert "nobody is shown it" in page and "It ran out." in page
    for shown in (page, text_of(client.get(path)), text_of(approver.get("/w/acme/audit"))):
        assert secret.strip() not in shown and before not in shown
    assert approver.post(f"/w/acme/approvals/{row.pk}/approve", {"reason": "Agreed."}).status_code == 302
    assert stored_secrets(pair.platform)["password"] == secret


# --- the trail


def test_entries_lead_to_records_and_runs(pair, sign_in):  # R66
    client = sign_in("auditor")
    record = pair.record("ELC-1001")
    text = text_of(client.get("/w/acme/audit?record=ELC-1001"))
    assert f'href="/w/acme/records/{record.pk}">ELC-1001</a>' in text
    run = AuditEntry.objects.of(pair.workspace).filter(subject=f"record:{record.pk}", run__isnull=False).first().run
    assert f'href="/w/acme/runs?before={run + 1}">{run}</a>' in text
    assert "There is no record NONE-1" in text_of(client.get("/w/acme/audit?record=NONE-1"))


def test_the_trail_is_narrowed_by_each_condition(pair, people, sign_in):
    client = sign_in("auditor")
    record = pair.record("ELC-1001").pk
    sign_in("operator").post(f"/w/acme/records/{record}/replay")
    actor = people["operator"].actor
    everything = list(AuditEntry.objects.of(pair.workspace).order_by("-sequence"))
    run = next(entry.run for entry in everything if entry.run and entry.action == "outcome")
    day = everything[0].at.date()
    for query, fits in {
        f"actor={actor}": lambda entry: entry.actor == actor,
        "action=outcome": lambda entry: entry.action == "outcome",
        f"run={run}": lambda entry: entry.run == run,
        f"record={record}": lambda entry: entry.subject == f"record:{record}",
        f"run={run}&action=intent": lambda entry: entry.run == run and entry.action == "intent",
        f"from={day}&to={day}": lambda entry: entry.at.date() == day,
        f"to={day - timedelta(days=1)}": lambda entry: entry.at.date() < day,
        f"from={day + timedelta(days=1)}": lambda entry: False,
    }.items():
        wanted = [entry.sequence for entry in everything if fits(entry)]
        assert sequences(text_of(client.get(f"/w/acme/audit?{query}"))) == wanted[:50], query


def sequences(text: str) -> list[int]:
    return [int(found.replace(",", "")) for found in re.findall(r'class="num" title="\w{64}">([\d,]+)<', text)]


def test_page_by_page_the_whole_trail_is_seen_once(pair, sign_in, monkeypatch):
    monkeypatch.setattr(reading, "PAGE", 7)
    monkeypatch.setattr(reading, "LOOK", 11)
    client = sign_in("auditor")
    for query, rows in {
        "": AuditEntry.objects.of(pair.workspace),
        "&action=decision&actor=worker": AuditEntry.objects.of(pair.workspace).filter(action="decision"),
    }.items():
        wanted = list(rows.order_by("-sequence").values_list("sequence", flat=True))
        seen: list[int] = []
        address: str | None = f"/w/acme/audit?{query}"
        while address:
            text = text_of(client.get(address))
            seen += sequences(text)
            found = re.search(r'href="(\?[^"]*before=\d+[^"]*)">(?:Older|Look)', text)
            address = f"/w/acme/audit{found[1].replace('&amp;', '&')}" if found else None
        assert seen == wanted


def test_the_chain_is_verified_by_a_worker_and_a_break_is_shown(pair, sign_in):  # R67
    client = sign_in("auditor")
    assert "Not verified yet" in text_of(client.get("/w/acme/audit"))
    assert client.post("/w/acme/audit/verify").status_code == 302
    assert do_next("a worker")
    assert "Unbroken" in text_of(client.get("/w/acme/audit"))
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER audit_auditentry_UPDATE")
        else:
            cursor.execute("DROP TRIGGER audit_auditentry_append_only ON audit_auditentry")
        cursor.execute("UPDATE audit_auditentry SET actor = 'somebody' WHERE sequence = 5")
    assert client.post("/w/acme/audit/verify").status_code == 302
    assert do_next("a worker")
    text = text_of(client.get("/w/acme/audit"))
    assert "Broken" in text and "Entry 5 was changed" in text


def test_the_export_is_what_the_offline_verifier_takes(pair, people, sign_in):  # R66, R67
    answer = sign_in("auditor").post("/w/acme/audit/export")
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    assert "unbroken" in offline_verify.verify(content_of(answer).splitlines())
    entry = AuditEntry.objects.of(pair.workspace).filter(action="export").latest("sequence")
    assert entry.actor == people["auditor"].actor
    assert "entry" in text_of(sign_in("auditor").get("/w/acme/audit")) and "none yet" not in text_of(
        sign_in("auditor").get("/w/acme/audit")
    )


# --- whose it is


def test_nothing_of_another_workspace_is_found(pair, sign_in, asked):  # R74
    client = sign_in("operator")
    client.post(f"{TIE_OUT}/compute")
    assert do_next("a worker")
    stored = StoredTieOut.objects.of(pair.workspace).get()
    stranger, other = sign_in("stranger"), Workspace.objects.get(name="other")
    task = Task.objects.of(pair.workspace).get()
    assert stranger.get("/w/other/tie-out/bench").status_code == 404
    assert stranger.get(f"/w/other/approvals/{asked.pk}").status_code == 404
    assert stranger.post(f"/w/other/approvals/{asked.pk}/approve", {"reason": "x"}).status_code == 404
    assert stranger.get(f"/w/other/tasks/{task.pk}").status_code == 404
    assert stranger.get(f"/w/other/tie-outs/{stored.pk}/differences").headers["location"] == "/w/other/tie-out"
    assert stranger.post(f"/w/other/tie-outs/{stored.pk}/csv").headers["location"] == "/w/other/tie-out"
    assert "There is no record ELC-1001" in text_of(stranger.get("/w/other/audit?record=ELC-1001"))
    assert not Record.objects.of(other).exists()


def test_the_new_pages_of_an_empty_workspace_say_what_comes_next(workspace, sign_in):
    client = sign_in("owner")
    assert "Nothing to tie out yet" in text_of(client.get("/w/acme/tie-out"))
    assert "Nothing waits" in text_of(client.get("/w/acme/approvals"))
    assert "Nothing fits" in text_of(client.get("/w/acme/audit?action=freeze"))
