"""All commands, and what happens to an error that nobody foresaw."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer

from ml_connector import __version__, logs
from ml_connector.cli import (
    approvals,
    channels,
    configuration,
    contract,
    demo,
    keeping,
    links,
    mapping,
    operating,
    packs,
    people,
    pinging,
    problems,
    records,
    retention,
    sandbox,
    syncing,
    tie_out,
    tokens,
    trail,
    vaulting,
    webhooks,
)
from ml_connector.cli.output import WITH_PROBLEMS, errors, log_level
from ml_connector.redaction import redacted

app = typer.Typer(
    name="ml-connector",
    help="Keeps an ERP and an accounts-payable platform in agreement: exactly once, audited, replayable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SET_UP, WORK, LOOK, OPERATE = "Set up", "Work", "Look", "Operate"

app.command(rich_help_panel=SET_UP)(demo.demo)
app.command(rich_help_panel=SET_UP)(sandbox.sandbox)
app.command(rich_help_panel=SET_UP)(configuration.apply)
app.command(rich_help_panel=SET_UP)(configuration.export)
app.command(rich_help_panel=SET_UP)(pinging.ping)
app.add_typer(contract.group, name="contract", no_args_is_help=True, rich_help_panel=SET_UP)
app.command(rich_help_panel=WORK)(syncing.sync)
app.command(rich_help_panel=WORK)(syncing.replay)
app.command(rich_help_panel=WORK)(syncing.pause)
app.command(rich_help_panel=WORK)(syncing.resume)
app.add_typer(problems.group, name="problem", rich_help_panel=WORK)
app.add_typer(mapping.group, name="mapping", no_args_is_help=True, rich_help_panel=WORK)
app.add_typer(approvals.group, name="approval", no_args_is_help=True, rich_help_panel=WORK)
app.add_typer(links.group, name="links", no_args_is_help=True, rich_help_panel=WORK)
app.command(rich_help_panel=LOOK)(records.records)
app.command(rich_help_panel=LOOK)(records.record)
app.command(rich_help_panel=LOOK)(problems.problems)
app.command("tie-out", rich_help_panel=LOOK)(tie_out.tie_out)
app.add_typer(packs.group, name="pack", no_args_is_help=True, rich_help_panel=LOOK)
app.command(rich_help_panel=LOOK)(records.status)
app.command(rich_help_panel=OPERATE)(operating.serve)
app.command(rich_help_panel=OPERATE)(operating.worker)
app.command(rich_help_panel=OPERATE)(operating.migrate)
app.command(rich_help_panel=OPERATE)(keeping.backup)
app.command(rich_help_panel=OPERATE)(keeping.restore)
app.command(rich_help_panel=OPERATE)(keeping.move)
app.add_typer(people.group, name="people", no_args_is_help=True, rich_help_panel=OPERATE)
app.add_typer(tokens.group, name="tokens", no_args_is_help=True, rich_help_panel=OPERATE)
app.add_typer(channels.group, name="channel", no_args_is_help=True, rich_help_panel=OPERATE)
app.add_typer(webhooks.group, name="webhook", no_args_is_help=True, rich_help_panel=OPERATE)
app.add_typer(trail.group, name="audit", no_args_is_help=True, rich_help_panel=OPERATE)
app.add_typer(retention.retention_group, name="retention", no_args_is_help=True, rich_help_panel=OPERATE)
app.add_typer(retention.hold_group, name="hold", no_args_is_help=True, rich_help_panel=OPERATE)
app.add_typer(retention.erase_group, name="erase", no_args_is_help=True, rich_help_panel=OPERATE)
app.add_typer(vaulting.group, name="vault", no_args_is_help=True, rich_help_panel=OPERATE)


@app.callback(invoke_without_command=True)
def root(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


log = logging.getLogger(__name__)


def run() -> None:
    """Runs the command of this process. A person never sees a stack trace unless they ask for it."""
    logs.configure(log_level("CRITICAL"), json=False)
    try:
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(WITH_PROBLEMS)
    except Exception as bug:
        log.exception("A command ended in an error of ours.")
        errors().print(
            f"This is an error of ours ({type(bug).__name__}: {redacted(str(bug))}). What was stored before is safe;"
            " the same command can be given again. With ML_CONNECTOR_LOG=ERROR it says where it happened: please"
            " report that."
        )
        sys.exit(WITH_PROBLEMS)
