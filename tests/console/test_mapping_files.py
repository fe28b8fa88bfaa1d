"""A Mapping as a file, its versions, and what its entries are used by."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ml_connector import clock
from ml_connector.audit.models import AuditEntry
from ml_connector.sync import mapping_history, mappings
from ml_connector.sync.models import CodeListEntry, MappingVersion
from ml_connector.sync.queries.mapping_page import mapping_view
from ml_connector.workspaces.models import Membership

PATH = "/w/acme/mappings/bench/gl_account"


@pytest.fixture(autouse=True)
def nobody_else_approves(pair, people):
    """Besides the operator there are people, but none who could be the second person."""
    Membership.objects.of(pair.workspace).exclude(person=people["operator"]).update(role="auditor")


def versions(pair) -> int:
    return MappingVersion.objects.of(pair.workspace).filter(mapping__name="gl_account").count()


def upload(client, text: str | bytes, name: str = "codes.csv"):
    content = text.encode() if isinstance(text, str) else text
    return client.post(f"{PATH}/import", {"file": SimpleUploadedFile(name, content, "text/csv")})


def hidden(answer, name: str) -> str:
    from html import unescape

    return unescape(answer.content.decode().split(f'name="{name}" value="')[1].split('"')[0])


def test_what_is_saved_can_be_read_in_again_and_changes_nothing(pair, people, sign_in):
    client = sign_in("operator")
    answer = client.get(f"{PATH}/file")
    assert answer.headers["content-disposition"] == 'attachment; filename="bench-gl_account.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    mapped = mappings.mapped(pair.integration, "gl_account")
    assert {row["source"] for row in rows if row["target"]} == set(mapped) and "10-6999" in {
        row["source"] for row in rows
    }
    entry = AuditEntry.objects.of(pair.workspace).filter(action="export").last()
    assert (entry.actor, json.loads(entry.detail)["what"]) == (people["operator"].actor, "mapping gl_account")
    only = "source,target\r\n" + "".join(f"{row['source']},{row['target']}\r\n" for row in rows if row["target"])
    assert "The file changes nothing" in upload(client, only).content.decode()


def test_a_file_is_looked_at_first_and_then_published_as_one_version(pair, people, sign_in):  # R48
    client, before = sign_in("operator"), versions(pair)
    first, *_ = sorted(mappings.mapped(pair.integration, "gl_account"))
    answer = upload(client, f"source;target\n10-6999;10-6100\n{first};\n")
    text = answer.content.decode()
    assert answer.status_code == 200 and "Publish 2 changes" in text and "taken out" in text
    assert "10-6999 (Sundry expenses)" in text and "10-6100 (Components)" in text
    assert "0ca02" not in text, "people know BILL's accounts by their numbers"
    assert versions(pair) == before, "looking publishes nothing"
    starts = (clock.now() + timedelta(days=3)).date()
    values = {name: hidden(answer, name) for name in ("content", "file_name", "version")}
    done = client.post(f"{PATH}/import/publish", {**values, "reason": "From the books", "from": starts.isoformat()})
    assert done.status_code == 302
    version = MappingVersion.objects.of(pair.workspace).filter(mapping__name="gl_account").order_by("-number").first()
    assert (versions(pair), version.effective_from, version.reason) == (before + 1, starts, "From the books")
    assert version.published_by == people["operator"].actor
    now = mappings.mapped(pair.integration, "gl_account")
    assert "10-6999" in now and first not in now


def test_faults_name_their_lines_and_change_nothing(pair, sign_in):  # R50
    client, before = sign_in("operator"), versions(pair)
    text = upload(client, "source,target\n10-6999,10-6100\n10-6100,no such\nnowhere,10-6100\n").content.decode()
    assert "codes.csv:3:" in text and "codes.csv:4:" in text and "codes.csv:2:" not in text
    assert "Publish" not in text
    assert versions(pair) == before


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", b"\xff\x00", 'source,target\n"x', "source,target\n1,2\n1,3\n"])
def test_a_file_that_is_none_says_so(pair, sign_in, content):
    answer = upload(sign_in("operator"), content)
    assert answer.status_code == 400 and "Nothing was published" in answer.content.decode()


def test_a_file_that_is_too_large_is_not_read(pair, sign_in):
    answer = upload(sign_in("operator"), "source,target\n" + "1,2\n" * 300_000)
    assert answer.status_code == 400 and "are read. Split it" in answer.content.decode()
    assert sign_in("operator").post(f"{PATH}/import", {}).status_code == 400


def test_what_changed_meanwhile_is_looked_at_again(pair, sign_in):
    client = sign_in("operator")
    answer = upload(client, "source,target\n10-6999,10-6100\n")
    values = {name: hidden(answer, name) for name in ("content", "file_name", "version")}
    first, *_ = sorted(mappings.mapped(pair.integration, "gl_account"))
    mappings.set_entries(pair.integration, "gl_account", {first: None}, "test")
    before = versions(pair)
    again = client.post(f"{PATH}/import/publish", values)
    assert again.status_code == 409 and "meanwhile" in again.content.decode()
    assert versions(pair) == before
    values["version"] = hidden(again, "version")
    assert client.post(f"{PATH}/import/publish", values).status_code == 302


def test_a_file_and_an_earlier_version_wait_for_a_second_person(pair, people, sign_in):  # R72
    client = sign_in("operator")
    answer = upload(client, "source,target\n10-6999,10-6100\n")
    before = versions(pair)
    Membership.objects.of(pair.workspace).filter(person=people["approver"]).update(role="approver")
    values = {name: hidden(answer, name) for name in ("content", "file_name", "version")}
    asked = client.post(f"{PATH}/import/publish", values)
    assert asked.status_code == 302 and "/approvals/" in asked["Location"]
    first, *_ = sorted(mappings.mapped(pair.integration, "gl_account"))
    mappings.set_entries(pair.integration, "gl_account", {first: None}, "os:host")
    restored = client.post(f"{PATH}/restore", {"version": "1"})
    assert restored.status_code == 302 and "/approvals/" in restored["Location"]
    assert versions(pair) == before + 1


def test_a_hostile_file_stays_text(pair, sign_in):
    text = upload(sign_in("operator"), "source,target\n<script>x</script>,10-6100\n", "<img>.csv").content.decode()
    assert "<script>x" not in text and "<img>" not in text


def test_versions_are_compared_and_an_earlier_one_made_the_newest(pair, people, sign_in):  # R48
    client = sign_in("operator")
    first, *_ = sorted(mappings.mapped(pair.integration, "gl_account"))
    old = mappings.history(pair.integration, "gl_account")[0].number
    before = mappings.mapped(pair.integration, "gl_account")
    mappings.set_entries(pair.integration, "gl_account", {first: None, "10-6999": "10-6100"}, "test", "A try")
    changed = mapping_history.difference(pair.integration, "gl_account", old, old + 1)
    assert {change.source for change in changed} == {first, "10-6999"}
    text = client.get(f"{PATH}/versions?from={old}&to={old + 1}").content.decode()
    assert "10-6999" in text and "taken out" in text and "A try" in text
    assert client.post(f"{PATH}/restore", {"version": old}).status_code == 302
    assert mappings.mapped(pair.integration, "gl_account") == before
    newest = mappings.history(pair.integration, "gl_account")[0]
    assert (newest.number, newest.reason) == (old + 2, f"Version {old} again.")
    assert newest.published_by == people["operator"].actor
    assert mapping_history.state_at(pair.integration, "gl_account", old) == before, "history stays as it was"
    for number in (old, 99, "x", ""):
        assert client.post(f"{PATH}/restore", {"version": number}).status_code == 400, number
    assert client.get(f"{PATH}/versions?to=99").status_code == 404


def test_an_earlier_version_with_a_closed_code_is_refused(pair, sign_in):  # R50
    first, target = sorted(mappings.mapped(pair.integration, "gl_account").items())[0]
    old = mappings.history(pair.integration, "gl_account")[0].number
    mappings.set_entries(pair.integration, "gl_account", {first: None}, "test")
    rows = CodeListEntry.objects.of(pair.workspace).filter(connection=pair.platform, list="gl_account", code=target)
    rows.update(postable=False)
    before = versions(pair)
    answer = sign_in("operator").post(f"{PATH}/restore", {"version": old})
    assert answer.status_code == 400 and "archived" in answer.content.decode()
    assert versions(pair) == before


def test_closed_deleted_and_retyped_codes_say_what_to_do(pair, sign_in):  # R49, R50
    (closed, at), (retyped, other), (gone, _) = sorted(mappings.mapped(pair.integration, "gl_account").items())[:3]
    codes = CodeListEntry.objects.of(pair.workspace).filter(list="gl_account")
    codes.filter(connection=pair.platform, code=at).update(postable=False)
    codes.filter(connection=pair.erp, code=retyped).update(type="asset")
    codes.filter(connection=pair.platform, code=other).update(type="liability")
    codes.filter(connection=pair.erp, code=gone).update(gone=True)
    found = {row.entry.source: row.entry for row in mapping_view(pair.integration, "gl_account", only="faults").rows}
    assert set(found) == {closed, retyped, gone}
    assert "Restore it in BILL, or choose another" in found[closed].advice
    assert "type asset in SYSPRO" in found[retyped].advice and "choose one of type asset" in found[retyped].advice
    assert "take the entry out" in found[gone].advice
    text = sign_in("auditor").get(f"{PATH}?only=faults").content.decode()
    assert "Restore it in BILL" in text and "take the entry out" in text


def test_the_grid_says_what_each_entry_is_used_by(pair):
    rows = mapping_view(pair.integration, "gl_account").rows
    used = {row.entry.source: row.entry.use for row in rows if row.entry.use}
    assert used and all(use.records > 0 and use.last == clock.now() for use in used.values())
    assert any(row.entry.target and row.entry.use is None for row in rows)


def test_who_may_not_map_reads_only(pair, sign_in):  # R74
    client, before = sign_in("auditor"), versions(pair)
    assert client.get(f"{PATH}/file").status_code == 200
    assert "Restore version" not in client.get(f"{PATH}/versions").content.decode()
    assert "Read a CSV in" not in client.get(PATH).content.decode()
    assert upload(client, "source,target\n10-6999,10-6100\n").status_code == 403
    assert client.post(f"{PATH}/restore", {"version": 1}).status_code == 403
    assert versions(pair) == before
    assert sign_in("stranger").get(f"{PATH.replace('acme', 'other')}/file").status_code == 404
