"""Retention and legal holds in a real browser, by keyboard, with long texts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ml_connector import audit, clock
from ml_connector.audit import offline_verify
from ml_connector.jobs import upkeep
from ml_connector.sync import holds
from ml_connector.sync.models import Record
from ml_connector.workspaces.models import Workspace
from tests.console.test_browser import create_owner, look

LONG = "Lawsuit 4711 before the commercial court, " + "Aktenzeichen-" * 12 + "end"


def test_an_owner_sets_years_and_a_hold_by_keyboard(served, page, applied):  # R70
    create_owner(page, served)
    applied("sync", "payables")
    page.goto(f"{served.address}/w/acme/settings/retention")
    wrong = look(page, "retention-empty")
    page.get_by_label("Documents, in years").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("10")
    page.keyboard.press("Enter")
    page.get_by_text("The years are set.").wait_for()
    assert page.get_by_label("Documents, in years").input_value() == "10"
    page.get_by_label("Supplier's key, or record's number here").fill("ELC001")
    page.get_by_label("Reason", exact=True).fill(LONG)
    page.keyboard.press("Enter")
    page.get_by_text("Hold 1 is on supplier ELC001").wait_for()
    page.get_by_role("link", name="Count it").click()
    page.get_by_text("Would go", exact=True).first.wait_for()
    wrong += look(page, "retention-held")
    page.get_by_label("Supplier's key, or record's number here").fill("NOBODY")
    page.get_by_label("Reason", exact=True).fill("x")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    wrong += look(page, "retention-refused")
    page.faults[:] = [text for text in page.faults if "400" not in text]
    page.get_by_label("Why the hold on supplier ELC001 is lifted").fill("over")
    page.keyboard.press("Enter")
    page.get_by_text("is lifted.").wait_for()
    workspace = Workspace.objects.get()
    assert workspace.document_years == 10
    record = Record.objects.of(workspace).get(number="ELC001")
    holds.hold_record(workspace, record.pk, LONG, "test")
    page.goto(f"{served.address}/w/acme/records/{record.pk}")
    page.get_by_text("Legal hold on").wait_for()
    wrong += look(page, "record-held")
    holds.lift(workspace, holds.in_force(workspace)[0].pk, "over", "test")
    said = applied("erase", "supplier", "ELC001", "--reason", "Case 12", "--yes")
    assert said.status == 0, said.err
    page.reload()
    page.get_by_text("Its content was removed").wait_for()
    wrong += look(page, "record-erased")
    assert wrong == []


@pytest.fixture
def old_trail(database) -> Workspace:
    """Nine years ago something happened here, which was signed; the installation is set up after it."""
    workspace = Workspace.objects.create(name="acme", created_at=clock.now())
    clock.hold(clock.now() - timedelta(days=9 * 366))
    try:
        for number in range(1, 61):
            audit.note(workspace, "worker", "decision", f"flow:{number}", state="ready", text=LONG)
        upkeep.sign_trails()
    finally:
        clock.hold(None)
    return workspace


def test_an_owner_sees_what_goes_of_the_trail_and_that_it_holds_afterwards(  # R67, R70
    old_trail, served, page, applied
):
    create_owner(page, served)
    settings, trail = f"{served.address}/w/acme/settings/retention", f"{served.address}/w/acme/audit"
    page.goto(settings)
    years = page.get_by_label("Audit trail, in years (empty: for ever)")
    assert years.input_value() == ""
    years.focus()
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    page.get_by_text("The years are set.").wait_for()
    assert years.input_value() == "7"
    page.goto(f"{settings}?preview=yes")
    row = page.get_by_role("row").filter(has_text="Entries of the audit trail")
    assert row.locator("td").first.inner_text() == "60"
    wrong = look(page, "retention-trail")
    assert applied("hold", "set", "--everything", "--reason", LONG).status == 0
    page.reload()
    page.get_by_text("the first that a legal hold covers").wait_for()
    assert [cell.inner_text() for cell in row.locator("td").all()][:2] == ["0", "60"]
    wrong += look(page, "retention-trail-held")
    page.get_by_role("link", name="entry 1", exact=True).click()
    page.locator("#list tbody tr").first.wait_for()
    page.goto(settings)
    years.fill("3")
    page.keyboard.press("Enter")
    page.get_by_text("keep it for 7 years or more, or for ever.").wait_for()
    wrong += look(page, "retention-trail-refused")
    page.faults[:] = [text for text in page.faults if "400" not in text]
    assert applied("hold", "lift", "1", "--reason", "over").status == 0
    assert applied("retention", "run").status == 0
    page.goto(trail)
    page.get_by_text("entries 1 to 60; the last time").wait_for()
    page.get_by_role("button", name="Verify now").click()
    page.get_by_text("Unbroken", exact=True).wait_for()
    wrong += look(page, "audit-cut")
    page.goto(f"{trail}?before=66")
    page.get_by_text("Here the trail begins: entries 1 to 60 were removed by age").wait_for()
    wrong += look(page, "audit-cut-end")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert "unbroken from entry 61 on" in offline_verify.verify(lines)
    page.goto(f"{trail}?from=2001-01-01&to=2002-01-01")
    page.get_by_text("Nothing fits").wait_for()
    wrong += look(page, "audit-cut-nothing")
    assert wrong == []
