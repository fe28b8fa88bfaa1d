"""pack freeze, list, get, changes: the tie-outs of closed periods."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ml_connector import audit
from ml_connector.cli import choose
from ml_connector.cli.choose import WorkspaceOption
from ml_connector.cli.output import WITH_PROBLEMS, JsonFlag, failed, print_json, say, table, wrong_usage
from ml_connector.cli.syncing import IntegrationName
from ml_connector.sync import packs, results
from ml_connector.sync.models import Pack
from ml_connector.sync.tieout import amount_of
from ml_connector.workspaces.models import Workspace

group = typer.Typer(help="Packs: the tie-out of a closed period, frozen as it stood.")

PackId = Annotated[int, typer.Argument(metavar="ID", help="As `pack list` says.")]


@group.command()
def freeze(
    integration: IntegrationName,
    *,
    period: Annotated[str, typer.Option("--period", metavar="YYYY-MM", help="The month; it must be over.")],
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Freeze the tie-out of a period: it cannot be changed afterwards, and the trail holds its hash."""
    chosen = choose.integration(choose.workspace(workspace), integration)
    try:
        pack = packs.freeze(chosen, period, choose.actor())
    except ValueError as refused:
        wrong_usage(f"{refused}\nNothing was frozen.")
    if as_json:
        print_json(_plain(pack))
        return
    say(f"Pack {pack.pk}: {chosen.name} of {pack.period} is frozen. SHA-256 of its file: {pack.hash}", "green")
    say(f"Take it out with: ml-connector pack get {pack.pk} -o {packs.file_name(pack)}", "dim")


@group.command("list")
def list_(*, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """List the packs, the newest first."""
    rows = packs.packs_of(choose.workspace(workspace))
    if as_json:
        print_json([_plain(row) for row in rows])
    elif not rows:
        say("No pack yet. Freeze a period that is over with: ml-connector pack freeze INTEGRATION --period YYYY-MM")
    else:
        columns = (">id", "integration", "period", "frozen", "by", ">differences", "SHA-256")
        shown = (
            (r.pk, r.integration.name, r.period, r.frozen_at, r.frozen_by, r.tie_out.differences, r.hash) for r in rows
        )
        table("", columns, shown)


@group.command()
def get(
    pack_id: PackId,
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a pack's file, if it is still what was frozen."""
    of = choose.workspace(workspace)
    pack = _pack(of, pack_id)
    try:
        content = packs.file_of(pack)
    except packs.PackDamaged as damaged:
        failed(str(damaged))
    audit.note(of, choose.actor(), "export", f"pack:{pack.pk}", what="pack", hash=pack.hash)
    if output is None:
        typer.get_binary_stream("stdout").write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        failed(f"{output} cannot be written ({error.strerror}).")
    say(f"Written to {output}. Its SHA-256 is {pack.hash}.")


@group.command()
def changes(pack_id: PackId, *, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """Compare a pack with the tie-out of its period as both sides were last read. Status 1 when something changed."""
    pack = _pack(choose.workspace(workspace), pack_id)
    found = packs.changes(pack, results.compute(pack.integration, pack.period))
    problems = packs.problems_of(pack)
    if as_json:
        print_json({"pack": pack.pk, "changes": found, "problems": [row.pk for row in problems]})
    else:
        columns = ("supplier", "name", "cur", ">source then", ">now", ">target then", ">now")
        rows = (
            (
                r.supplier, r.name, r.currency,
                *(amount_of(u, r.currency) for u in (r.source_then, r.source_now, r.target_then, r.target_now)),
            )
            for r in found
        )  # fmt: skip
        if found:
            table("", columns, rows)
        for problem in problems:
            say(f"Problem {problem.pk} ({problem.state}): {problem.text}", "yellow")
        if not found and not problems:
            say("Nothing changed since it was frozen.", "green")
    if found or problems:
        raise typer.Exit(WITH_PROBLEMS)


def _pack(of: Workspace, key: int) -> Pack:
    rows = Pack.objects.of(of).select_related("integration__workspace", "tie_out")
    row = rows.filter(pk=key).first()
    return row if row else wrong_usage(f"There is no pack {key} in workspace {of.name}. `pack list` lists them.")


def _plain(pack: Pack) -> dict[str, object]:
    return {
        "id": pack.pk,
        "integration": pack.integration.name,
        "period": pack.period,
        "frozen_at": pack.frozen_at,
        "frozen_by": pack.frozen_by,
        "hash": pack.hash,
    }
