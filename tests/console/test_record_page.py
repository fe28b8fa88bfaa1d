"""A Record's page: what was sent and answered, both sides, the whole story, and the way into both systems."""

from __future__ import annotations

import html

from ml_connector import audit
from ml_connector.sync.models import Attempt, Exchange, TargetEntry
from ml_connector.sync.queries.record_page import record_view


def test_requests_and_answers_stand_on_the_page_as_text(pair, sign_in):  # R71
    record = pair.record("ELC-1001")
    row = Exchange.objects.of(pair.workspace).filter(attempt__record=record).first()
    row.answer = '{"note": "<script>alert(1)</script>"}'
    row.save()
    text = sign_in("auditor").get(f"/w/acme/records/{record.pk}").content.decode()
    assert "POST /connect/v3/bills" in text and "<script>alert" not in text
    assert '"invoiceNumber": "ELC-1001"' in html.unescape(text)
    assert "&lt;script&gt;alert(1)" in text


def test_of_a_request_for_many_each_record_shows_it(pair, sign_in):
    record = pair.record("ELC-1001")
    view = record_view(pair.workspace, record.pk)
    first = view.attempts[0]
    other = record_view(pair.workspace, pair.record("HYD005").pk)
    assert first.exchanges and all(not attempt.together for attempt in (first, *other.attempts))
    attempt = Attempt.objects.of(pair.workspace).get(pk=first.id)
    attempt.sent_with = Attempt.objects.of(pair.workspace).exclude(pk=attempt.pk).first()
    attempt.save()
    shown = record_view(pair.workspace, record.pk).attempts[0]
    assert shown.together and [row.attempt_id for row in shown.exchanges] == [attempt.sent_with_id]
    assert (
        "in one request with other documents" in sign_in("auditor").get(f"/w/acme/records/{record.pk}").content.decode()
    )


def test_the_story_ends_with_what_was_read_back(pair, sign_in):
    record = pair.record("ELC-1001")
    view = record_view(pair.workspace, record.pk)
    told = [event.what for event in view.events]
    assert told[0] == "read" and told[-1] == "read back"
    assert {"ready", "intent", "confirmed", "linked"} <= set(told)
    assert view.events[-1].text.endswith("agrees with what was sent")


def test_each_version_that_was_read_stands_in_the_story(pair):
    record = pair.record("ELC-1001")
    before = [event.what for event in record_view(pair.workspace, record.pk).events]
    assert before.count("read") == 1
    newer = "ab" * 32
    with audit.recording(pair.workspace, actor="worker") as trail:
        for state in ("ready", "confirmed"):
            trail.add("decision", f"record:{record.pk}", source_version=newer, state=state)
    events = record_view(pair.workspace, record.pk).events
    texts = [event.text for event in events if event.what == "read"]
    assert len(texts) == 2
    assert bytes(record.hash).hex()[:12] in texts[0] and newer[:12] in texts[1]


def test_what_the_target_holds_differently_is_marked(pair, sign_in):  # R27
    record = pair.record("ELC-1001")
    view = record_view(pair.workspace, record.pk)
    assert not [row.field for row in view.fields if row.differs]
    assert "supplier" in {row.field for row in view.fields if row.replaced}, "sent by the target's key"
    entry = TargetEntry.objects.of(pair.workspace).get(key=view.story.record.target_key)
    entry.payload = bytes(entry.payload).replace(b"1620", b"1602")
    entry.save()
    view = record_view(pair.workspace, record.pk)
    differing = [row.field for row in view.fields if row.differs]
    assert "gross" in differing and "gross" in view.events[-1].text
    text = sign_in("auditor").get(f"/w/acme/records/{record.pk}").content.decode()
    assert 'class="differs"' in text


def test_links_lead_into_both_systems_where_their_pages_are_set(pair, sign_in):
    record = pair.record("ELC-1001")
    client, path = sign_in("auditor"), f"/w/acme/records/{record.pk}"
    assert "Open in" not in client.get(path).content.decode()
    for connection, host in ((pair.erp, "https://erp.example"), (pair.platform, "https://bill.example")):
        connection.settings |= {"web_address": host, "web_pages": {"invoice": "/docs/{key}"}}
        connection.save()
    text = html.unescape(client.get(path).content.decode())
    target = record_view(pair.workspace, record.pk).story.record.target_key
    assert f'href="https://bill.example/docs/{target}"' in text and 'href="https://erp.example/docs/' in text
    assert 'rel="noopener noreferrer"' in text
    pair.erp.settings["web_address"] = "http://erp.example"
    pair.erp.save()
    assert "erp.example/docs" not in client.get(path).content.decode()
