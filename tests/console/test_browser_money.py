"""Tie-out, packs, approvals and the trail in a real browser."""

from __future__ import annotations

from tests.console.test_browser import SHOTS, look, prepared


def test_a_comparison_is_computed_and_seen_without_a_reload_by_hand(served, page, applied):
    prepared(served, page, applied)
    page.goto(f"{served.address}/w/acme/tie-out")
    page.get_by_text("Not compared yet").wait_for()
    wrong = look(page, "tie-out-empty")
    page.get_by_role("button", name="Compute now").click()
    page.get_by_role("heading", name="By supplier").wait_for(timeout=30_000)
    wrong += look(page, "tie-out")
    page.get_by_role("link", name="Held back").first.click()
    page.get_by_role("heading", name="Held back").wait_for()
    wrong += look(page, "tie-out-lines")
    page.get_by_role("table").get_by_role("link").first.click()
    page.get_by_text("Key at the source").wait_for()
    page.goto(f"{served.address}/w/acme/tie-out/payables?show=all")
    page.get_by_role("table").last.wait_for()
    wrong += look(page, "tie-out-all")
    page.locator("#freeze").fill("2020-01")
    page.get_by_role("button", name="Freeze the period").click()
    page.locator("a[href*='/packs/']").wait_for(timeout=30_000)
    page.locator("a[href*='/packs/']").click()
    page.get_by_role("heading", name="Tie-out of 2020-01, frozen").wait_for()
    page.get_by_role("button", name="Compare now").click()
    page.get_by_text("All balances stand as they were frozen").wait_for(timeout=30_000)
    wrong += look(page, "pack")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.startswith("tie-out-payables-2020-01-pack-")
    assert wrong == []


def test_approvals_and_the_trail_are_whole_in_both_themes_at_both_widths(served, page, applied):
    prepared(served, page, applied)
    page.goto(f"{served.address}/w/acme/approvals")
    wrong = look(page, "approvals-empty")
    page.goto(f"{served.address}/w/acme/problems?cause=unmapped_code")
    page.get_by_role("table").get_by_role("link").first.click()
    page.get_by_label("Write off").check()
    reason = "The supplier was merged into another one. " + "Anunbrokenwordthatislongerthananyscreenwouldtake" * 6
    page.locator("#reason").fill(reason)
    page.get_by_role("button", name="Decide").click()
    page.get_by_role("heading", name="Waits for a second person").wait_for()
    page.get_by_role("link", name="The request").click()
    page.get_by_role("button", name="Withdraw it").wait_for()
    wrong += look(page, "approval-own")
    problem = page.get_by_role("link", name="Problem").last.get_attribute("href").rsplit("/", 1)[1]
    page.get_by_role("button", name="Withdraw it").click()
    page.get_by_text("Withdrawn. Nothing of it is done.").wait_for()
    applied("problem", "solve", problem, "--action", "write_off", "--reason", "The supplier is gone.")
    page.goto(f"{served.address}/w/acme/")
    page.get_by_text("1 request waits for your approval").wait_for()
    wrong += look(page, "home-asked")
    page.get_by_text("1 request waits for your approval").click()
    page.get_by_role("link", name="Give up what it holds").first.wait_for()
    wrong += look(page, "approvals")
    page.get_by_role("link", name="Give up what it holds").first.click()
    page.get_by_role("button", name="Approve").wait_for()
    wrong += look(page, "approval")
    page.locator("#reason").fill("Agreed.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(".head .state", has_text="Approved").wait_for()
    page.goto(f"{served.address}/w/acme/audit")
    wrong += look(page, "audit")
    page.get_by_role("button", name="Verify now").click()
    page.locator(".card-header .state", has_text="Unbroken").wait_for(timeout=30_000)
    wrong += look(page, "audit-verified")
    page.goto(f"{served.address}/w/acme/audit?record=HU-2201&action=approval")
    page.get_by_text("Nothing fits").wait_for()
    wrong += look(page, "audit-empty")
    page.goto(f"{served.address}/w/acme/connections")
    wrong += look(page, "connections-secrets")
    page.get_by_role("link", name="Secrets of").first.click()
    page.get_by_role("heading", name="Replace secrets").wait_for()
    wrong += look(page, "secrets")
    page.goto(f"{served.address}/w/acme/audit")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename.startswith("trail-acme-")
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/audit-after-1440.png", full_page=True)
    assert wrong == []
