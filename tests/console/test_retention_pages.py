"""Settings: years, what would go, legal holds; and what the page of a Record says of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ml_connector import clock, vault
from ml_connector.audit import offline_verify
from ml_connector.audit.models import AuditEntry
from ml_connector.jobs import tasks as doing
from ml_connector.jobs import upkeep
from ml_connector.sync import erasing, holds, retention, tasks, trail_retention
from ml_connector.sync.models import Approval, Hold, Task, TaskKind

PAGE = "/w/acme/settings/retention"


def test_an_administrator_sets_the_years_and_an_auditor_reads_them(pair, sign_in):  # R70
    client = sign_in("administrator")
    answer = client.post(f"{PAGE}/years", {"documents": "10", "wire": "7", "audit": ""})
    assert answer.status_code == 302
    pair.workspace.refresh_from_db()
    assert pair.workspace.audit_years == 0
    assert (pair.workspace.document_years, pair.workspace.wire_years) == (10, 7)
    assert AuditEntry.objects.of(pair.workspace).get(action="retention_set").actor.startswith("person:")
    text = sign_in("auditor").get(PAGE).content.decode()
    assert (
        "10 years" in text
        and "<dd>for ever</dd>" in text
        and "<form" not in text.partition("<main")[2].partition("</main")[0]
    )
    assert sign_in("auditor").post(f"{PAGE}/years", {"documents": "9", "wire": "9"}).status_code == 403


def test_a_shorter_time_waits_for_a_second_person(pair, sign_in):  # R70, R72
    client = sign_in("administrator")
    answer = client.post(f"{PAGE}/years", {"documents": "2", "wire": "7"})
    row = Approval.objects.of(pair.workspace).get()
    assert answer.headers["location"] == f"/w/acme/approvals/{row.pk}"
    pair.workspace.refresh_from_db()
    assert pair.workspace.document_years == 7
    shown = client.get(f"/w/acme/approvals/{row.pk}").content.decode()
    assert "Keep documents for 2 years" in shown and "7 years" in shown
    assert client.post(f"/w/acme/approvals/{row.pk}/approve", {"reason": "agreed"}).status_code == 403
    done = sign_in("approver").post(f"/w/acme/approvals/{row.pk}/approve", {"reason": "agreed"})
    assert done.status_code == 302
    pair.workspace.refresh_from_db()
    assert pair.workspace.document_years == 2
    entry = AuditEntry.objects.of(pair.workspace).get(action="retention_set")
    assert '"second_person":"person:' in entry.detail


@pytest.mark.parametrize("given", ["0", "-3", "1.5", "", "1000"])
def test_years_that_cannot_be_are_refused_with_words(pair, sign_in, given):  # R70
    answer = sign_in("owner").post(f"{PAGE}/years", {"documents": given, "wire": "7"})
    assert answer.status_code == 400 and b"Nothing was changed." in answer.content
    pair.workspace.refresh_from_db()
    assert pair.workspace.document_years == 7


@pytest.mark.parametrize(
    ("given", "said"),
    [("0", "from 1 to 99"), ("3", "keep it for 7 years or more"), ("x", "from 1 to 99"), ("100", "no number of years")],
)
def test_years_of_the_trail_that_cannot_be_are_refused_with_words(pair, sign_in, given, said):  # R70
    answer = sign_in("owner").post(f"{PAGE}/years", {"documents": "7", "wire": "7", "audit": given})
    assert answer.status_code == 400 and said in answer.content.decode()
    pair.workspace.refresh_from_db()
    assert pair.workspace.audit_years == 0


def test_years_for_a_trail_that_was_kept_for_ever_wait_for_a_second_person(pair, sign_in):  # R70, R72
    client = sign_in("administrator")
    client.post(f"{PAGE}/years", {"documents": "7", "wire": "7", "audit": "10"})
    row = Approval.objects.of(pair.workspace).get()
    shown = client.get(f"/w/acme/approvals/{row.pk}").content.decode()
    assert "the trail for 10 years" in shown and "for ever" in shown
    pair.workspace.refresh_from_db()
    assert pair.workspace.audit_years == 0
    sign_in("approver").post(f"/w/acme/approvals/{row.pk}/approve", {"reason": "agreed"})
    pair.workspace.refresh_from_db()
    assert pair.workspace.audit_years == 10
    longer = client.post(f"{PAGE}/years", {"documents": "7", "wire": "7", "audit": "12"})
    assert longer.headers["location"] == PAGE, "longer needs nobody"
    ever = client.post(f"{PAGE}/years", {"documents": "7", "wire": "7", "audit": ""})
    assert ever.headers["location"] == PAGE
    pair.workspace.refresh_from_db()
    assert pair.workspace.audit_years == 0


def test_the_pages_agree_on_a_trail_that_was_cut(pair, sign_in):  # R67, R70
    upkeep.sign_trails()
    retention.set_years(pair.workspace, "test", trail=7)
    record = pair.record("ELC-1001")
    clock.hold(clock.now() + timedelta(days=8 * 366))
    client = sign_in("owner")
    hold = holds.hold_record(pair.workspace, record.pk, "Case 4711", "test")
    first = trail_retention.first_held(pair.workspace)
    held = client.get(f"{PAGE}?preview=yes").content.decode()
    assert f"entry {first}</a>, the first that a legal hold covers" in held
    holds.lift(pair.workspace, hold.pk, "over", "test")
    foreseen = trail_retention.preview(pair.workspace).removal.count
    free = client.get(f"{PAGE}?preview=yes").content.decode()
    assert f'<td data-label="Would go">{foreseen}</td>' in free and "the first that a legal hold covers" not in free
    assert "Removed by age" not in client.get("/w/acme/audit").content.decode()
    assert trail_retention.remove(pair.workspace, "worker").count == foreseen
    tasks.ask(pair.workspace, TaskKind.VERIFY, f"workspace:{pair.workspace.pk}", "test")
    assert doing.do_next("test")
    page = client.get("/w/acme/audit").content.decode()
    assert f"entries 1 to {foreseen}; the last time" in page and "Unbroken" in page and "Trail cut by age" in page
    assert f"Here the trail begins: entries 1 to {foreseen} were removed by age" in page
    task = Task.objects.of(pair.workspace).get()
    assert task.result["holds"] and task.total == task.result["entries"]
    story = client.get(f"/w/acme/records/{record.pk}").content.decode()
    assert "Removed by age" in story
    file = b"".join(client.post("/w/acme/audit/export").streaming_content).decode().splitlines()
    public = vault.signing_key().public_key().public_bytes_raw().hex()
    assert f"unbroken from entry {foreseen + 1} on" in offline_verify.verify(file, public_key=public)


def test_what_would_go_is_counted_when_asked_for(pair, sign_in):  # R70
    pair.workspace.wire_years = 1
    pair.workspace.save()
    clock.hold(clock.now() + timedelta(days=400))
    client = sign_in("owner")
    assert "Count it" in client.get(PAGE).content.decode()
    text = client.get(f"{PAGE}?preview=yes").content.decode()
    assert 'data-label="Would go"' in text and "Count it" not in text


def test_holds_are_set_seen_and_lifted(pair, sign_in):  # R70
    client = sign_in("administrator")
    record = pair.record("ELC-1001")
    assert f'value="{record.pk}"' in client.get(f"{PAGE}?record={record.pk}").content.decode()
    long = "<b>Lawsuit</b> " + "x" * 300
    for given in (
        {"kind": "record", "on": str(record.pk)},
        {"kind": "supplier", "on": "ELC001", "integration": "bench"},
        {"kind": "workspace"},
    ):
        assert client.post(f"{PAGE}/hold", {**given, "reason": long}).status_code == 302
    shown = client.get(PAGE).content.decode()
    assert shown.count("&lt;b&gt;Lawsuit&lt;/b&gt;") == 3 and "<b>Lawsuit" not in shown
    page = client.get(f"/w/acme/records/{record.pk}").content.decode()
    assert page.count("Legal hold on") == 3 and "Administrator" in page
    other = client.get(f"/w/acme/records/{pair.record('PK-500').pk}").content.decode()
    assert other.count("Legal hold on") == 1
    for row in Hold.objects.of(pair.workspace).all():
        assert client.post(f"{PAGE}/holds/{row.pk}/lift", {"reason": ""}).status_code == 400
        assert client.post(f"{PAGE}/holds/{row.pk}/lift", {"reason": "over"}).status_code == 302
    assert not holds.in_force(pair.workspace)
    assert AuditEntry.objects.of(pair.workspace).filter(action="hold_lifted").count() == 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "record", "on": "x"}, "number here"),
        ({"kind": "record", "on": "999999"}, "no record 999999"),
        ({"kind": "supplier", "on": "ELC001", "integration": "nowhere"}, "Choose the Integration"),
        ({"kind": "supplier", "on": "NOBODY", "integration": "bench"}, "no supplier with the key NOBODY"),
        ({"kind": "moon"}, "Choose what the hold is on"),
    ],
)
def test_a_hold_on_nothing_is_refused_with_words(pair, sign_in, given, said):
    answer = sign_in("owner").post(f"{PAGE}/hold", {**given, "reason": "Lawsuit"})
    text = answer.content.decode()
    assert answer.status_code == 400 and said in text and 'value="Lawsuit"' in text, "what was typed is not lost"
    assert not Hold.objects.of(pair.workspace).exists()


def test_another_workspaces_hold_is_out_of_reach(pair, people, sign_in):  # R74
    row = holds.hold_workspace(pair.workspace, "Lawsuit", "test")
    client = sign_in("stranger")
    assert client.post(f"/w/other/settings/retention/holds/{row.pk}/lift", {"reason": "x"}).status_code == 400
    assert holds.in_force(pair.workspace)


def test_the_page_of_an_emptied_record_says_so(pair, sign_in):  # R69, R70
    erasing.erase(pair.integration, "ELC001", "Case 12", "test")
    record = pair.record("ELC001")
    page = sign_in("owner").get(f"/w/acme/records/{record.pk}")
    text = page.content.decode()
    assert page.status_code == 200 and "Its content was removed" in text and "Replay" not in text
    assert (
        "It is no longer kept." in text and "agrees with what was sent" not in text and "Electra Components" not in text
    )
    document = pair.record("ELC-1001")
    assert sign_in("owner").get(f"/w/acme/records/{document.pk}").status_code == 200
