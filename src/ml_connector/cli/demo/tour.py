"""The tour: every step is a command that you can give yourself, or one request that a person in BILL would make."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import sys
import tempfile
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import yaml
from django.conf import settings
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from ml_connector.cli.demo.stand_ins import DemoFailed, StandIn, start
from ml_connector.cli.output import WITH_PROBLEMS, console, counted, failed, say, wrong_usage

INTEGRATION = "payables"
LOST_ANSWER = {"match": {"method": "POST", "path": "/v3/bills"}, "do": "commit_then_reset", "times": 1}
"""The fault of the demo: BILL stores a bill, and the connection breaks before its answer arrives."""
MISSING_ACCOUNT = {"name": "Sundry expenses", "account": {"type": "EXPENSE", "number": "10-6999"}}
FAILED_INVOICE = "HU-2201"


def demo(
    context: typer.Context,
    directory: Annotated[
        Path | None, typer.Option("--directory", metavar="DIR", help="Work in this new or empty directory.")
    ] = None,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave both stand-ins running afterwards.")] = False,
    remove: Annotated[bool, typer.Option("--remove", hidden=True)] = False,
) -> None:
    """Show the main job: suppliers and invoices travel from a SYSPRO stand-in into a BILL stand-in, over real HTTP."""
    if directory is None:
        _begin_again(Path(tempfile.mkdtemp(prefix="ml-connector-demo-")), keep=keep, remove=not keep)
    home = directory.absolute()
    if home.exists() and any(home.iterdir()):
        wrong_usage(f"{home} is not empty. Give a new directory, or none.")
    if home / "data" != settings.DATA or any(os.environ.get(name) for name in ELSEWHERE):
        _begin_again(home, keep=keep, remove=remove)
    home.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as stack:
            if remove:
                stack.callback(shutil.rmtree, home, ignore_errors=True)
            tour = Tour(home, context.find_root().command)
            for system in ("syspro", "bill"):
                tour.stand_ins[system] = start(system, home / f"{system}.log")
                stack.callback(tour.stand_ins[system].stop)
            tour.run()
            if keep:
                stack.pop_all()
                _say_how_to_go_on(tour)
            else:
                say(
                    "\nThe stand-ins are stopped. `ml-connector demo --keep` leaves them, and says how to see all this"
                    f" in the console, which `ml-connector serve` opens at {CONSOLE}."
                )
    except DemoFailed as reason:
        failed(f"The demo stopped. {reason}")


CONSOLE = "http://127.0.0.1:8000"
"""Where `serve` answers, unless told otherwise."""

ELSEWHERE = ("DATABASE_URL", "ML_CONNECTOR_KEY", "ML_CONNECTOR_WORKSPACE")
"""Environment variables that would lead the demo to another installation than its own."""


def _begin_again(home: Path, *, keep: bool, remove: bool) -> NoReturn:
    """Becomes the same command with an installation of its own: where that lies is settled when a process starts."""
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    environment["ML_CONNECTOR_DATA"] = str(home / "data")
    flags = [flag for flag, wanted in (("--keep", keep), ("--remove", remove)) if wanted]
    command = [sys.executable, "-m", "ml_connector", "demo", "--directory", str(home), *flags]
    sys.stdout.flush()
    os.execve(command[0], command, environment)  # noqa: S606 (our own interpreter and module)


@dataclass
class Tour:
    """One walk through the product, in a directory of its own."""

    home: Path
    commands: Any
    """The command line itself."""
    stand_ins: dict[str, StandIn] = field(default_factory=dict)

    @property
    def bill(self) -> StandIn:
        return self.stand_ins["bill"]

    def run(self) -> None:
        self._connect()
        self._first_sync()
        self._decide()
        self._travel()
        self._understand_and_fix()
        self._prove()

    # --- the steps

    def _connect(self) -> None:
        _step(
            "1. Connect",
            "A distributor's SYSPRO (e.net and OData) and its BILL run as two processes on this machine. The"
            " configuration is one file; secrets stand in files of their own.",
        )
        file = self._write_configuration()
        console().print(Text(file.read_text(), style="dim"))
        self.command("apply", str(file))
        self.command("ping", "erp")
        self.command("ping", "bill")

    def _first_sync(self) -> None:
        _step(
            "2. Read",
            "The first run reads accounts, departments, suppliers and invoices. Nothing goes to BILL that would be"
            " coded to a guess: what is not mapped yet waits, one Problem per cause.",
        )
        self.command("sync", INTEGRATION, may_wait=True)

    def _decide(self) -> None:
        _step(
            "3. Map and link",
            "Accounts and departments with the same code are suggested, and so is the supplier that BILL knows under"
            " a slightly different name. A person decides.",
        )
        self.command("mapping", "suggest", "gl_account", "--accept-exact")
        self.command("mapping", "suggest", "cost_center", "--accept-exact")
        self.command("links", "suggest")
        self.command("links", "accept", "--all")

    def _travel(self) -> None:
        _step(
            "4. Deliver, with a lost answer",
            "On the way BILL stores one bill and the connection breaks before its answer arrives. It is not sent"
            " again: BILL is searched for our mark first, and the bill that is there is adopted.",
        )
        self.bill.post("faults", [LOST_ANSWER])
        self.command("sync", INTEGRATION, "--until-idle", may_wait=True)
        self.bill.post("faults", [])
        lost = self._lost_record()
        if lost is not None:
            self.command("record", str(lost))
        bills = self.bill.state("bills")
        say(f"\nBILL holds {counted(len(bills), 'bill')}, each number once.")

    def _understand_and_fix(self) -> None:
        record = self._record(FAILED_INVOICE)
        _step(
            "5. Understand what failed",
            f"Invoice {FAILED_INVOICE} is coded to an account that BILL does not have.",
        )
        self.command("problem", str(record["problem"]))
        _step(
            "6. Fix it",
            "A person makes the account in BILL (here: through the stand-in's control address), the accounts are"
            " read again, the code is mapped, and the invoice follows by itself.",
        )
        self.bill.post("state/chart-of-accounts", [MISSING_ACCOUNT])
        self.command("sync", INTEGRATION, "--flow", "accounts", may_wait=True)
        self.command("mapping", "set", "gl_account", "10-6999", "10-6999")
        self.command("sync", INTEGRATION, "--until-idle", may_wait=True)
        self.command("records", "--search", FAILED_INVOICE)
        found = [row for row in self.bill.state("bills") if row["invoice"]["invoiceNumber"] == FAILED_INVOICE]
        if len(found) != 1:
            raise DemoFailed(f"BILL holds {counted(len(found), 'bill')} numbered {FAILED_INVOICE} instead of one.")
        bill = found[0]
        say(f"\nIn BILL: {bill['id']}, {FAILED_INVOICE}, {bill['amount']:,.2f}, {bill['description']}", "green")

    def _prove(self) -> None:
        _step(
            "7. Prove it",
            "The two sides are compared to the cent, every record is accounted for, and the trail of all this is"
            " unbroken.",
        )
        self.command("tie-out", INTEGRATION)
        self.command("audit", "verify")
        self.command("status")
        _step(
            "What is left",
            "Two invoices wait on purpose: one supplier is on hold in SYSPRO, and one invoice looks like a duplicate"
            " of another. Lift the hold, or decide on the duplicate with a reason, and they follow.",
        )
        self.command("problems")

    # --- tools

    def command(self, *arguments: str, may_wait: bool = False) -> None:
        """Gives a command as you would. `may_wait`: status 1, which says that Problems are open, is expected."""
        said = f"ml-connector {shlex.join(arguments)}"
        console().print(Text(f"\n$ {said}", style="bold cyan"), soft_wrap=True)
        status = self.commands.main(list(arguments), prog_name="ml-connector", standalone_mode=False) or 0
        if status and not (may_wait and status == WITH_PROBLEMS):
            raise DemoFailed(f"`{said}` ended with status {status}.")

    def ask(self, *arguments: str) -> Any:
        """A command's answer for programs."""
        answer = io.StringIO()
        with redirect_stdout(answer):
            self.commands.main([*arguments, "--json"], prog_name="ml-connector", standalone_mode=False)
        return json.loads(answer.getvalue())

    def _record(self, number: str) -> dict[str, Any]:
        rows = [row for row in self.ask("records", "--search", number) if row["number"] == number]
        if len(rows) != 1:
            raise DemoFailed(f"Invoice {number} was not read.")
        found: dict[str, Any] = rows[0]
        return found

    def _lost_record(self) -> int | None:
        """The invoice whose answer was lost."""
        for row in self.ask("records", "--type", "invoice", "--state", "confirmed"):
            events = self.ask("record", str(row["id"]))["events"]
            if any(event["what"] == "no answer" for event in events):
                return int(row["id"])
        return None

    def _write_configuration(self) -> Path:
        """The file that a customer would write, with the addresses that the stand-ins gave."""
        erp, bill = self.stand_ins["syspro"], self.bill
        content = {
            "workspace": "acme",
            "connections": {
                "erp": {"system": "syspro", "settings": dict(erp.settings), "secrets": self._secrets("erp", erp)},
                "bill": {"system": "bill", "settings": dict(bill.settings), "secrets": self._secrets("bill", bill)},
            },
            "integrations": {
                INTEGRATION: {
                    "kind": "syspro-bill",
                    "erp": "erp",
                    "platform": "bill",
                    "flows": {"invoices": {"every": "10m"}},
                    "mappings": {"country": {"entries": {"USA": "US", "DEU": "DE"}}},
                }
            },
        }
        file = self.home / "acme.yaml"
        file.write_text(yaml.safe_dump(content, sort_keys=False, default_flow_style=False))
        return file

    def _secrets(self, name: str, stand_in: StandIn) -> dict[str, dict[str, str]]:
        places = {}
        for field_name, value in stand_in.secrets.items():
            if value:
                path = self.home / f"{name}-{field_name}"
                path.touch(mode=0o600)
                path.write_text(f"{value}\n")
                places[field_name] = {"file": path.name}
        return places


def _step(title: str, text: str) -> None:
    screen = console()
    screen.print()
    screen.print(Rule(Text(title, style="bold"), align="left"))
    screen.print(Text(text))


def _say_how_to_go_on(tour: Tour) -> None:
    processes = " ".join(str(stand_in.process.pid) for stand_in in tour.stand_ins.values())
    lines = [
        f"export ML_CONNECTOR_DATA={tour.home / 'data'}",
        "ml-connector records",
        f"ml-connector serve          # the console, at {CONSOLE}; prints the first owner's link",
        "ml-connector sync payables",
        f"kill {processes}   # stops the stand-ins",
        "",
        *(f"{stand_in.system}: {stand_in.control}state" for stand_in in tour.stand_ins.values()),
    ]
    console().print(Panel(Text("\n".join(lines)), title="Both stand-ins go on running. Try:", title_align="left"))
