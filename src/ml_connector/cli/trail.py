"""audit export, audit verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ml_connector import audit, vault
from ml_connector.audit import checkpoints
from ml_connector.audit import export as exporting
from ml_connector.audit import verify as verifying
from ml_connector.cli import choose
from ml_connector.cli.choose import WorkspaceOption
from ml_connector.cli.output import WITH_PROBLEMS, JsonFlag, errors, failed, print_json, say, wrong_usage

group = typer.Typer(help="The audit trail: out as a file, and checked.")


@group.command("export")
def export(
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")] = None,
    since: Annotated[int, typer.Option("--since", metavar="N", min=0, help="Only entries after this one.")] = 0,
    workspace: WorkspaceOption = None,
) -> None:
    """Sign the trail's newest entry and write the trail as JSON lines, to be checked elsewhere without us."""
    of = choose.workspace(workspace)
    audit.note(of, choose.actor(), "export", f"workspace:{of.pk}", what="trail", since=since)
    signed = checkpoints.checkpoint(of, vault.signing_key(), choose.actor())
    if output is None:
        exporting.export(of, typer.get_text_stream("stdout"), since)
    else:
        try:
            with output.open("w", encoding="utf-8", newline="\n") as stream:
                count = exporting.export(of, stream, since)
        except OSError as error:
            failed(f"{output} cannot be written ({error.strerror}).")
        say(f"{counted_entries(count)} written to {output}. Check the file anywhere with offline_verify.py.")
    if signed is not None:
        errors().print(f"Keep this anchor on another machine: {signed.anchor}")
        errors().print(f"Keep with it, once, the public key that signs: {signed.public_key}")


def counted_entries(count: int) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


@group.command("verify")
def verify(
    *,
    anchor: Annotated[
        str | None, typer.Option("--anchor", metavar="SEQUENCE:HASH", help="A checkpoint that was kept elsewhere.")
    ] = None,
    public_key: Annotated[
        str | None, typer.Option("--public-key", metavar="HEX", help="What must have signed checkpoints and removals.")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Check the trail: was anything changed, removed, re-ordered or cut off. Status 1 when it was."""
    of = choose.workspace(workspace)
    own_key = vault.signing_key().public_key().public_bytes_raw().hex()
    verdict = verifying.verify(of, _anchor(anchor), public_key or own_key)
    if as_json:
        print_json(verdict)
    elif verdict.holds:
        say(f"The trail of workspace {of.name} holds: {verdict.text}", "green")
        if anchor is None:
            say("Without an anchor kept elsewhere, a trail whose end was cut off cannot be told.", "dim")
    else:
        errors().print(f"The trail of workspace {of.name} does not hold. {verdict.text}", style="red")
    if not verdict.holds:
        raise typer.Exit(WITH_PROBLEMS)


def _anchor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    sequence, colon, digest = text.partition(":")
    if not colon or not sequence.isdigit() or len(digest) != 64:
        wrong_usage(f"--anchor {text} is none. Write SEQUENCE:HASH, as a checkpoint says.")
    return int(sequence), digest.lower()
