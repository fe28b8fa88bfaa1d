"""python tools/screenshots.py [DIRECTORY]

Makes the pictures of the console for README.md, by default into docs/images: an installation of its own, both stand-ins
with a year of a distributor's invoices, a worker, and the distribution's Chromium. Nothing is staged in the pages:
what they show was read, mapped, delivered and held back by the product.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml

SYSTEMS = {"erp": "syspro", "bill": "bill"}
"""By the names of their Connections."""
INVOICES = 260
LEFT_OUT = 2
"""Accounts that documents carry and nobody has mapped yet."""
PASSWORD = "plum tarpaulin eleven"
LARGEST = 150_000
"""Bytes of one picture."""
SIZE = {"width": 1280, "height": 800}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_SECONDS = 120.0


def main(directory: Path) -> int:
    browser = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if browser is None:
        print(f"There is no browser on the PATH. Install one of: {', '.join(CHROMIUM)}.", file=sys.stderr)
        return 1
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ml-connector-screenshots-") as home, ExitStack() as stack:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ML_CONNECTOR_")}
        environment.pop("DATABASE_URL", None)
        environment |= {"ML_CONNECTOR_DATA": f"{home}/data", "PYTHONUNBUFFERED": "1"}
        product = Product(Path(home), environment)
        stand_ins = {
            "erp": stack.enter_context(_stand_in("erp", {"invoices": INVOICES})),
            "bill": stack.enter_context(_stand_in("bill", {})),
        }
        product.set_up(stand_ins)
        product.work()
        link = stack.enter_context(product.served())
        _take(browser, link, directory)
    return _judge(directory)


class Product:
    """An installation in a directory of its own, spoken to as a host does: by its commands."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self._home, self._environment = home, environment

    def command(self, *arguments: str) -> str:
        """Status 1, which says that Problems are open, is expected."""
        command = [sys.executable, "-m", "ml_connector", *arguments]
        done = subprocess.run(
            command, cwd=self._home, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in {0, 1}:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def set_up(self, stand_ins: Mapping[str, Any]) -> None:
        connections = {}
        for name, running in stand_ins.items():
            secrets = {}
            for field, value in running.secrets.items():
                if value:
                    (self._home / f"{name}-{field}").write_text(value)
                    secrets[field] = {"file": f"{name}-{field}"}
            connections[name] = {"system": SYSTEMS[name], "settings": dict(running.settings), "secrets": secrets}
        payables = {"kind": "syspro-bill", "erp": "erp", "platform": "bill"}
        content = {"workspace": "acme", "connections": connections, "integrations": {"payables": payables}}
        (self._home / "acme.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
        self.command("apply", "acme.yaml")

    def work(self) -> None:
        """Reads both sides, maps what is the same on both but for a few accounts, and delivers what can go."""
        self.command("sync", "payables", "--flow", "accounts")
        self.command("sync", "payables", "--flow", "departments")
        for mapping in ("gl_account", "cost_center"):
            self.command("mapping", "suggest", mapping, "--accept")
        used = [row for row in json.loads(self.command("mapping", "list", "gl_account", "--json")) if row["target"]]
        for row in [row for row in used if row["source"].startswith("10-61")][:LEFT_OUT]:
            self.command("mapping", "set", "gl_account", row["source"], "--remove", "--reason", "To be decided.")
        self.command("sync", "payables", "--flow", "suppliers")
        self.command("links", "accept", "--all")
        self.command("sync", "payables", "--until-idle")

    @contextmanager
    def served(self) -> Iterator[str]:
        """The console with its worker; gives the link of the first owner."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        said = self._home / "serve.out"
        command = [sys.executable, "-m", "ml_connector", "serve", "--port", str(port)]
        with said.open("w") as out, (self._home / "serve.log").open("w") as log:
            process = subprocess.Popen(command, cwd=self._home, env=self._environment, stdout=out, stderr=log)
        try:
            until = time.monotonic() + PATIENCE_SECONDS
            while not (found := re.search(r"^http://\S+/join#\S+$", said.read_text(), re.MULTILINE)):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"`serve` did not start: {(self._home / 'serve.log').read_text()}")
                time.sleep(0.2)
            while not _answers(port):
                time.sleep(0.2)
            yield found[0]
        finally:
            process.terminate()
            process.wait(timeout=30)


def _take(browser: str, link: str, directory: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport=SIZE, locale="en-US", device_scale_factor=1)
        _sign_up(page, link)
        workspace = page.url
        _tend(page, workspace)
        for name, path in (("home", ""), ("problems", "problems"), ("mappings", "mappings/payables/gl_account")):
            page.goto(workspace + path)
            _picture(page, directory / f"{name}.webp")
        page.goto(f"{workspace}problems?cause=unmapped_code")
        page.get_by_role("table").get_by_role("link").first.click()
        _picture(page, directory / "problem.webp")
        page.goto(f"{workspace}records?state=confirmed&type=invoice")
        page.get_by_role("table").get_by_role("link").first.click()
        _picture(page, directory / "record.webp")
        page.goto(f"{workspace}problems")
        page.evaluate("document.documentElement.dataset.theme = 'dark'; applyTheme()")
        _picture(page, directory / "problems-dark.webp")
        chromium.close()


def _sign_up(page: Any, link: str) -> None:
    page.goto(link)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Your name").fill("Olga Lindqvist")
    page.get_by_label("E-mail address").fill("olga@acme.test")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Create and sign in").click()
    page.wait_for_url("**/w/acme/")


def _tend(page: Any, workspace: str) -> None:
    """What a clerk has done already: took a Problem, and wrote about it."""
    page.goto(f"{workspace}problems?cause=unmapped_code")
    page.get_by_role("table").get_by_role("link").first.click()
    page.get_by_label("Owner").select_option(label="Olga Lindqvist")
    page.get_by_role("button", name="Assign").click()
    page.get_by_text("is with Olga Lindqvist now").wait_for()
    page.get_by_label("Add a comment").fill("Asked the controller which account takes freight from now on.")
    page.get_by_role("button", name="Add it").click()
    page.get_by_text("The comment is added").wait_for()


def _picture(page: Any, file: Path) -> None:
    """WebP, which Playwright does not make by itself, from the browser."""
    page.wait_for_timeout(500)
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": 82})
    file.write_bytes(base64.b64decode(taken["data"]))
    session.detach()


def _judge(directory: Path) -> int:
    too_large = 0
    for file in sorted(directory.glob("*.webp")):
        size = file.stat().st_size
        too_large += size > LARGEST
        print(f"{file}: {size:,} bytes{' (too large)' if size > LARGEST else ''}")
    return 1 if too_large else 0


@contextmanager
def _stand_in(name: str, options: dict[str, Any]) -> Iterator[Any]:
    from ml_connector import sandbox

    with sandbox.start(SYSTEMS[name], seed=3, options=options) as running:
        yield running


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images").absolute()))
