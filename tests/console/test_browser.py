"""The console in a real browser, on a real server with its worker, against the stand-ins."""

from __future__ import annotations

import os
import re
from pathlib import Path

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
PASSWORD = "plum tarpaulin eleven"
SHOTS = os.environ.get("ML_CONNECTOR_SCREENSHOTS")
"""A directory: pictures of the pages are put there."""


def create_owner(page, served, *, goto: bool = True) -> None:
    if goto:
        page.goto(served.link)
        page.get_by_role("button", name="Continue").click()
    page.get_by_label("Your name").fill("Olga Owner")
    page.get_by_label("E-mail address").fill("Olga@acme.test")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Create and sign in").click()
    page.wait_for_url("**/w/acme/")


def faults_of(page, where: str) -> list[str]:
    """What axe-core finds; run apart from the page's own policy, which forbids scripts from elsewhere."""
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "axe"})["executionContextId"]
    session.send("Runtime.evaluate", {"expression": AXE, "contextId": world})
    asked = (
        "axe.run(document).then(found => JSON.stringify(found.violations.map("
        "fault => fault.id + ' ' + fault.nodes.map(node => node.html).slice(0, 4))))"
    )
    answer = session.send(
        "Runtime.evaluate", {"expression": asked, "contextId": world, "awaitPromise": True, "returnByValue": True}
    )
    assert "value" in answer["result"], answer
    import json

    return [f"{where}: {text}" for text in json.loads(answer["result"]["value"])]


def look(page, name: str) -> list[str]:
    """The page in both themes and at both widths: what is wrong with it for those who see or use it otherwise."""
    wrong = []
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; applyTheme(); }", theme)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(150)
            where = f"{name}-{width}-{theme}"
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            wrong += [f"{where}: {wide} pixels too wide"] if wide > 0 else []
            wrong += faults_of(page, where)
            if SHOTS:
                page.screenshot(path=f"{SHOTS}/{where}.png", full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})
    return wrong


def prepared(served, page, applied) -> None:
    """The owner is in; codes that are the same on both sides are mapped, and the worker has sent what it could."""
    create_owner(page, served)
    applied("sync", "payables")
    for mapping in ("gl_account", "cost_center"):
        applied("mapping", "suggest", mapping, "--accept-exact")
    for _ in range(10):
        applied("links", "accept", "--all")
        applied("sync", "payables")
        page.goto(f"{served.address}/w/acme/records?q=HU-22")
        rows = page.locator("#list tbody tr")
        if (
            rows.filter(has_text="Confirmed").count() == 2
            and rows.filter(has_text="Code without a mapping").count() == 1
        ):
            return
        page.wait_for_timeout(1000)
    raise AssertionError(f"The invoices of Hydra have not come as far as they can: {rows.all_inner_texts()}")


def test_pages_are_whole_in_both_themes_at_both_widths(served, page, applied):
    page.goto(f"{served.address}/account/sign-in")
    wrong = look(page, "sign-in")
    prepared(served, page, applied)
    paths = {
        "home": "",
        "problems": "problems",
        "records": "records",
        "runs": "runs",
        "mappings": "mappings",
        "mapping": "mappings/payables/gl_account",
        "versions": "mappings/payables/gl_account/versions",
        "nothing-found": "problems?owner=mine&age=30",
        "connections": "connections",
        "settings": "settings",
    }
    for name, path in paths.items():
        page.goto(f"{served.address}/w/acme/{path}")
        wrong += look(page, name)
    page.goto(f"{served.address}/w/acme/problems?cause=unmapped_code")
    page.get_by_role("table").get_by_role("link").first.click()
    page.get_by_label("Add a comment").fill("A long word: " + "W" * 300)
    page.get_by_role("button", name="Add it").click()
    page.locator(".comments li").wait_for()
    wrong += look(page, "problem")
    page.goto(f"{served.address}/w/acme/problems")
    for box in page.locator("[data-choose]").all():
        box.check()
    wrong += look(page, "problems-chosen")
    page.get_by_label("What to do").select_option("skip")
    page.get_by_role("button", name="Go on").click()
    wrong += look(page, "several")
    page.goto(f"{served.address}/w/acme/mappings/payables/gl_account")
    page.get_by_text("Read a CSV in").click()
    page.locator("#file").set_input_files(
        {"name": "codes.csv", "mimeType": "text/csv", "buffer": b"source,target\n10-6999,10-6100\n"}
    )
    page.get_by_role("button", name="Look at the changes").click()
    page.get_by_role("button", name="Publish 1 change").wait_for()
    wrong += look(page, "import")
    page.goto(f"{served.address}/w/acme/records?state=confirmed&type=invoice")
    page.get_by_role("table").get_by_role("link").first.click()
    page.locator("details summary", has_text="Create").first.click()
    page.locator(".wire").first.wait_for()
    wrong += look(page, "record")
    page.goto(f"{served.address}/account/second-factor")
    wrong += look(page, "account")
    assert wrong == []


def test_a_problem_is_solved_in_the_page_and_its_replay_seen_without_a_reload(served, page, applied):
    prepared(served, page, applied)
    page.goto(f"{served.address}/w/acme/problems?cause=unmapped_code")
    page.get_by_role("table").get_by_role("link").first.click()
    page.get_by_role("button", name="Map it").wait_for()
    page.evaluate("window.notReloaded = true")
    before = int(page.locator("#open-problems").inner_text())
    page.get_by_label("BILL", exact=True).fill("10-6100")
    page.get_by_role("button", name="Map it").click()
    page.locator("#problem .head .state", has_text="Solved").wait_for(timeout=30_000)
    followed = page.locator("#problem .list li", has_text="HU-2201")
    followed.locator(".state", has_text="Confirmed").wait_for(timeout=30_000)
    assert page.evaluate("window.notReloaded") is True
    page.locator("#open-problems", has_text=re.compile(rf"^\s*{before - 1}\s*$")).wait_for()
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/replayed-1440.png", full_page=True)


def test_search_answers_while_one_types_and_the_ping_shows_its_steps(served, page, applied):
    prepared(served, page, applied)
    page.goto(f"{served.address}/w/acme/records")
    page.keyboard.press("/")
    page.keyboard.type("HU-2201")
    page.wait_for_url("**/records?q=HU-2201*")
    page.locator("#list tbody tr:only-child", has_text="HU-2201").wait_for()
    page.goto(f"{served.address}/w/acme/connections")
    page.get_by_role("button", name="Test it").first.click()
    page.locator(".ping-verdict", has_text="works.").wait_for(timeout=30_000)
    assert page.locator(".ping-step").count() > 3
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/pinged-1440.png", full_page=True)


def test_by_keyboard_alone(served, page):
    create_owner(page, served)
    page.goto(f"{served.address}/w/acme/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.locator(".menu").get_attribute("open") is None
    page.locator(".menu > summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Records").wait_for(state="visible")


def test_a_token_is_made_shown_once_and_revoked(served, page):
    create_owner(page, served)
    page.goto(f"{served.address}/w/acme/settings")
    assert page.get_by_text("None yet. A program that uses the JSON API").is_visible()
    page.get_by_label("Name of the program").focus()
    page.keyboard.type("the-nightly-reconciliation-of-a-very-long-name.v2")
    for key in ("Tab", "Tab", "Space", "Tab", "Tab", "Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    token = page.get_by_label("Token", exact=True)
    assert token.input_value().startswith("mlc_")
    wrong = look(page, "tokens")
    page.goto(f"{served.address}/w/acme/settings")
    assert token.count() == 0
    row = page.get_by_role("row", name="the-nightly-reconciliation")
    assert "View, Solve" in row.inner_text()
    row.get_by_role("button").press("Enter")
    page.get_by_text("is good for nothing any more").wait_for()
    assert "Revoked" in row.inner_text()
    wrong += look(page, "tokens-revoked")
    assert wrong == []


def test_single_sign_on_in_a_browser(identity_provider, served, page):
    """The policy of pages lets no form lead elsewhere, and must not stop this."""
    create_owner(page, served)
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{served.address}/account/sign-in")
    wrong = look(page, "sign-in-sso")
    page.get_by_role("button", name="Sign in with Acme ID").click()
    page.wait_for_url("**/w/acme/")
    assert identity_provider.refused == []
    assert wrong == []


def test_a_channel_is_added_and_tested_in_the_page(served, page):
    create_owner(page, served)
    page.goto(f"{served.address}/w/acme/settings/notifications")
    wrong = look(page, "notifications-empty")
    name = "Accounts payable, all the people who look after " + "x" * 12
    page.get_by_label("Name").fill(name)
    page.get_by_label("Kind").select_option("webhook")
    page.get_by_label("Address", exact=True).fill("http://127.0.0.1:9/nothing-listens")
    page.get_by_role("button", name="Add the channel").click()
    page.get_by_role("button", name="Send a test").click()
    page.locator(".ping-verdict", has_text="did not deliver").wait_for(timeout=60_000)
    assert "ML_CONNECTOR_NOTIFY_INTERNAL" in page.locator(".ping").inner_text()
    wrong += look(page, "notifications-tested")
    page.reload()
    page.get_by_text("Change or remove").click()
    wrong += look(page, "notifications")
    page.goto(f"{served.address}/w/acme/settings/keys")
    page.get_by_role("button", name="Rotate now").click()
    page.locator(".ping-verdict", has_text="Back up the key file").wait_for(timeout=60_000)
    wrong += look(page, "keys")
    page.goto(f"{served.address}/w/acme/settings")
    wrong += look(page, "settings-people")
    assert wrong == []


def test_problems_are_chosen_by_keyboard_and_given_to_somebody(served, page, applied):
    prepared(served, page, applied)
    page.goto(f"{served.address}/w/acme/problems")
    boxes = page.locator("[data-choose]")
    count = boxes.count()
    assert count > 2
    boxes.first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert [box.is_checked() for box in boxes.all()] == [True] + [False] * (count - 1), "the arrows only move"
    page.keyboard.press("Shift+Space")
    assert [box.is_checked() for box in boxes.all()] == [True] * 3 + [False] * (count - 3)
    assert page.locator("[data-chosen]").inner_text() == "3 Problems chosen"
    page.keyboard.press("Space")
    assert page.locator("[data-chosen]").inner_text() == "2 Problems chosen"
    page.keyboard.press("Shift+ArrowUp")
    assert page.locator("[data-chosen]").inner_text() == "3 Problems chosen"
    page.get_by_role("button", name="Go on").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Assign: 3 Problems").wait_for()
    page.get_by_role("button", name="Assign 3 Problems").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Assign: 3 Problems.").wait_for()
    page.goto(f"{served.address}/w/acme/problems?owner=mine")
    assert page.locator("tbody tr").count() == 3
