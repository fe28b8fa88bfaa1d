"""Retention and legal holds in a real browser, by keyboard, with long texts."""

from __future__ import annotations

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
