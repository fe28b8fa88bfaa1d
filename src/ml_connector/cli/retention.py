"""retention show, set, preview, run; hold set, lift, list; erase supplier: how long things are kept, and what goes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from ml_connector.cli import choose
from ml_connector.cli.choose import IntegrationOption, WorkspaceOption
from ml_connector.cli.output import JsonFlag, failed, print_json, say, table, wrong_usage
from ml_connector.sync import erasing, holds, retention, second_person, trail_retention
from ml_connector.sync.erasing import EraseRefused, Touched
from ml_connector.sync.holds import HoldRefused
from ml_connector.sync.models import Hold
from ml_connector.sync.retention import FOR_EVER, LEAST, MOST, Removal, Report, YearsRefused
from ml_connector.sync.trail_retention import TrailBroken

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the audit trail.")]
Years = Annotated[int | None, typer.Option(metavar="N", min=LEAST, max=MOST, help="Whole years.")]

retention_group = typer.Typer(help="For how long documents, requests and the audit trail are kept.")
hold_group = typer.Typer(help="Legal holds: what must not be removed.")
erase_group = typer.Typer(help="Erase personal data on request.")


@retention_group.command("show")
def show(*, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """Say for how many years each class is kept."""
    of = choose.workspace(workspace)
    if as_json:
        print_json({**retention.years_of(of), "audit": of.audit_years or None})
        return
    rows = (
        ("documents", of.document_years, "what documents say, and what was sent for them"),
        ("wire", of.wire_years, "the requests of writes and their answers, as they went over the wire"),
        ("events", of.wire_years, "what webhooks announced; kept as long as wire"),
        ("audit", of.audit_years or "for ever", "the audit trail; it is cut at its beginning, and that is signed"),
    )
    table("", ("class", ">years", "what it is"), rows)


@retention_group.command("set")
def set_(
    *,
    documents: Years = None,
    wire: Years = None,
    audit: Annotated[str, typer.Option("--audit", metavar="N|forever", help="Whole years, or forever.")] = "",
    workspace: WorkspaceOption = None,
) -> None:
    """Set for how many years a class is kept."""
    of = choose.workspace(workspace)
    if documents is None and wire is None and not audit:
        wrong_usage("Say what to set: --documents N, --wire N, --audit N, or several.")
    if audit not in {"", "forever"} and not (audit.isdecimal() and len(audit) < 4 and LEAST <= int(audit) <= MOST):
        wrong_usage(f"--audit {audit} is none. Write years from {LEAST} to {MOST}, or forever.")
    trail = None if not audit else FOR_EVER if audit == "forever" else int(audit)
    try:
        second_person.set_years(of, choose.actor(), documents=documents, wire=wire, trail=trail)
    except YearsRefused as refused:
        wrong_usage(str(refused))
    kept = f"for {of.audit_years}" if of.audit_years else "for ever"
    say(
        f"Documents are kept for {of.document_years} years, requests and answers for {of.wire_years}, the audit trail"
        f" {kept}."
    )


@retention_group.command()
def preview(*, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """Say what would be removed now. Changes nothing."""
    of = choose.workspace(workspace)
    trail = trail_retention.preview(of)
    _print(retention.preview(of), trail.removal, "would go", as_json=as_json, stops_at=trail.held_by)
    if trail.held_by is not None and not as_json:
        say(
            f"The audit trail goes from its beginning only: it stops before entry {trail.held_by:,}, the first that a"
            " legal hold covers."
        )


@retention_group.command()
def run(*, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """Remove now what is old enough. A worker does so every day."""
    of = choose.workspace(workspace)
    report = retention.remove(of, choose.actor())
    try:
        trail = trail_retention.remove(of, choose.actor())
    except TrailBroken as broken:
        failed(str(broken))
    _print(report, trail, "removed", as_json=as_json)


@hold_group.command("list")
def list_(*, workspace: WorkspaceOption = None, as_json: JsonFlag = False) -> None:
    """List the holds in force."""
    rows = holds.in_force(choose.workspace(workspace))
    if as_json:
        print_json([_plain(row) for row in rows])
    elif not rows:
        say("None. Set one with: ml-connector hold set --record ID, --supplier KEY, or --everything")
    else:
        columns = (">id", "on", "reason", "set by", "set at")
        table("", columns, ((row.pk, row.label, row.reason, row.set_by, row.set_at) for row in rows))


@hold_group.command("set")
def hold(
    *,
    record: Annotated[int | None, typer.Option("--record", metavar="ID", help="One record.")] = None,
    supplier: Annotated[
        str | None, typer.Option("--supplier", metavar="KEY", help="A supplier with all their documents.")
    ] = None,
    everything: Annotated[bool, typer.Option("--everything", help="The whole workspace.")] = False,
    reason: Reason = "",
    integration: IntegrationOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Keep a record, a supplier or everything from being removed, by age or on request."""
    of, actor = choose.workspace(workspace), choose.actor()
    if (record is not None) + (supplier is not None) + everything != 1:
        wrong_usage("Say what to hold: one of --record ID, --supplier KEY, --everything.")
    try:
        if record is not None:
            row = holds.hold_record(of, record, reason, actor)
        elif supplier is not None:
            row = holds.hold_supplier(choose.integration(of, integration), supplier, reason, actor)
        else:
            row = holds.hold_workspace(of, reason, actor)
    except HoldRefused as refused:
        wrong_usage(str(refused))
    say(f"Hold {row.pk} is on {row.label}: nothing of it is removed.")


@hold_group.command()
def lift(
    hold: Annotated[int, typer.Argument(metavar="ID", help="The number of the hold.")],
    *,
    reason: Reason = "",
    workspace: WorkspaceOption = None,
) -> None:
    """End a hold. What it covered goes when it is old enough."""
    try:
        row = holds.lift(choose.workspace(workspace), hold, reason, choose.actor())
    except HoldRefused as refused:
        wrong_usage(str(refused))
    say(f"Hold {row.pk} on {row.label} is lifted.")


@erase_group.callback()
def about() -> None:
    """Keeps `supplier` a command of its own."""


@erase_group.command()
def supplier(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The supplier's key in the source.")],
    *,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", help="Erase. Without it, only say what would be touched.")] = False,
    integration: IntegrationOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Erase a supplier's names, address, contacts and tax id. Without --yes it only says what would be touched."""
    of = choose.integration(choose.workspace(workspace), integration)
    try:
        touched = erasing.erase(of, key, reason, choose.actor()) if yes else erasing.preview(of, key)
    except EraseRefused as refused:
        failed(str(refused))
    if as_json:
        print_json({"erased": yes, **asdict(touched)})
        return
    table("", ("table", ">rows erased" if yes else ">rows that would be touched"), touched.rows.items())
    _packs(touched)
    if not yes:
        say("Nothing was changed. Erase them in both systems first, then give this again with --yes and --reason.")


def _packs(touched: Touched) -> None:
    if touched.packs:
        say(f"{touched.packs} frozen tie-out packs name the supplier. They stay, because the trail holds their hash.")


def _print(report: Report, trail: Removal, what: str, *, as_json: bool, **more: Any) -> None:
    if as_json:
        print_json({**asdict(report), "audit": {**asdict(trail), **more}})
        return
    rows = [("documents", report.documents), ("wire", report.wire), ("events", report.events), ("audit", trail)]
    table("", ("class", f">{what}", ">held", "oldest", "newest"), (_cells(name, removal) for name, removal in rows))


def _cells(name: str, removal: Removal) -> tuple[object, ...]:
    dates = (at.date() if at else None for at in (removal.oldest, removal.newest))
    return (name, removal.count, removal.held, *dates)


def _plain(row: Hold) -> dict[str, object]:
    return {
        "id": row.pk, "kind": row.kind, "on": row.label, "supplier": row.supplier or None, "record": row.record_id,
        "integration": row.integration.name if row.integration else None, "reason": row.reason, "set_by": row.set_by,
        "set_at": row.set_at,
    }  # fmt: skip
