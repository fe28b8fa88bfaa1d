"""Every page, and what stands on it."""

from __future__ import annotations

import msgspec

from ml_connector.sync.models import Problem, Record

PAGES = (
    "", "problems", "problems?state=all", "problems?cause=unmapped_code", "records", "records?q=ELC",
    "records?state=blocked&type=invoice", "records?before=0", "records?before=x&state=y&type=z", "mappings",
    "mappings/bench/gl_account", "mappings/bench/country", "mappings/bench/gl_account?only=unmapped&page=99", "runs",
    "connections", "settings",
)  # fmt: skip


def test_every_page_answers(pair, sign_in):
    client = sign_in("owner")
    for page in PAGES:
        answer = client.get(f"/w/acme/{page}")
        assert answer.status_code == 200, page
        assert "<main" in answer.content.decode(), page


def test_pages_of_an_empty_workspace_say_what_comes_next(workspace, sign_in):
    client = sign_in("owner")
    for page in PAGES:
        if "/" not in page:
            answer = client.get(f"/w/acme/{page}")
            assert answer.status_code == 200, page
    assert "No integration yet" in client.get("/w/acme/").content.decode()
    assert "No records yet" in client.get("/w/acme/records").content.decode()
    assert "Nothing has run yet" in client.get("/w/acme/runs").content.decode()


def test_times_stand_in_the_zone_of_the_workspace_with_utc_on_hover(pair, sign_in):
    client = sign_in("owner")
    assert client.post("/w/acme/settings/time-zone", {"time_zone": "Asia/Tokyo"}).status_code == 302
    record = pair.record("ELC-1001")
    text = client.get(f"/w/acme/records/{record.pk}").content.decode()
    assert 'title="2026-11-16 12:00:00 UTC">16 Nov 2026, 21:00:00</time>' in text


def test_money_stands_with_its_currency_and_what_is_hostile_stays_text(pair, sign_in):
    record = pair.record("ELC-1001")
    record.number = '<script>alert("x")</script>' + "W" * 60
    record.save()
    text = sign_in("owner").get("/w/acme/records?type=invoice").content.decode()
    assert '<span class="money">1,620.00 <span class="currency">USD</span></span>' in text
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text


def test_what_is_secret_is_on_no_page(pair, sign_in):  # R71
    client = sign_in("owner")
    supplier = Record.objects.of(pair.workspace).filter(flow__name="suppliers").first()
    tax_id = "98-7654321"
    supplier.payload = msgspec.json.encode({**msgspec.json.decode(bytes(supplier.payload)), "tax_id": tax_id})
    supplier.save()
    texts = [
        client.get(f"/w/acme/records/{supplier.pk}").content.decode(),
        client.get("/w/acme/connections").content.decode(),
    ]
    secrets = [value for running in pair.stand_ins.values() for value in running.secrets.values() if len(value) > 5]
    assert secrets
    for text in texts:
        assert tax_id not in text
        assert not [value for value in secrets if value in text]


def test_every_problem_and_record_has_its_page(pair, sign_in):
    client = sign_in("auditor")
    problems = list(Problem.objects.of(pair.workspace))
    records = list(Record.objects.of(pair.workspace))
    assert problems and records
    for row in problems:
        answer = client.get(f"/w/acme/problems/{row.pk}")
        assert answer.status_code == 200 and row.text.split(":")[0].split('"')[0][:20] in answer.content.decode()
    for row in records:
        answer = client.get(f"/w/acme/records/{row.pk}")
        assert answer.status_code == 200 and (row.number or row.key) in answer.content.decode()
