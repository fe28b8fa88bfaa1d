"""mapping list, set, import, export, suggest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ml_connector import audit
from ml_connector.cli import choose
from ml_connector.cli.choose import IntegrationOption, WorkspaceOption
from ml_connector.cli.output import JsonFlag, counted, failed, print_json, say, table, wrong_usage
from ml_connector.sync import mapping_files, mappings, suggestions
from ml_connector.sync.codes import LABELS
from ml_connector.sync.flows import declaration
from ml_connector.sync.mapping_checks import MappingRefused
from ml_connector.sync.models import Integration, MappingVersion

group = typer.Typer(help="Code tables: which account, cost center or country of one side is which of the other.")

MappingName = Annotated[str, typer.Argument(metavar="MAPPING", help="gl_account, cost_center, country.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with the version.")]


@group.command("list")
def list_(
    mapping: Annotated[str | None, typer.Argument(metavar="[MAPPING]", help="Show this one's entries.")] = None,
    *,
    missing: Annotated[bool, typer.Option("--missing", help="Only codes without a usable target.")] = False,
    integration: IntegrationOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List the Mappings, or the entries of one: what documents wait for comes first."""
    chosen = choose.integration(choose.workspace(workspace), integration)
    if mapping is None:
        _list_mappings(chosen, as_json=as_json)
        return
    try:
        rows = mappings.entries(chosen, mapping)
    except MappingRefused as refused:
        wrong_usage(str(refused))
    if missing:
        rows = [row for row in rows if row.target is None or row.fault]
    if as_json:
        print_json(rows)
        return
    table(
        "",
        ("code", "name", "target", "name there", ">waiting", "cannot be used"),
        ((r.source_number, r.source_name, r.target_number, r.target_name, r.waiting or "", r.fault) for r in rows),
    )


def _list_mappings(chosen: Integration, *, as_json: bool) -> None:
    rows = []
    for spec in declaration(chosen).mappings:
        entries = mappings.entries(chosen, spec.name)
        newest = next(iter(mappings.history(chosen, spec.name)), None)
        rows.append(
            {
                "mapping": spec.name,
                "label": spec.label,
                "version": newest.number if newest else 0,
                "mapped": sum(1 for entry in entries if entry.target is not None),
                "missing": sum(1 for entry in entries if entry.target is None),
                "waiting": sum(entry.waiting for entry in entries),
            }
        )
    if as_json:
        print_json(rows)
    else:
        columns = ("mapping", "label", ">version", ">mapped", ">missing", ">waiting")
        table("", columns, (tuple(row.values()) for row in rows))


@group.command("set")
def set_(
    mapping: MappingName,
    source: Annotated[str, typer.Argument(metavar="CODE", help="The source's code.")],
    target: Annotated[str | None, typer.Argument(metavar="[TARGET]", help="The target's code or number.")] = None,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Take the entry out.")] = False,
    reason: ReasonOption = "",
    integration: IntegrationOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Map one code, or take it out with --remove. What waits for it follows by itself."""
    if (target is None) != remove:
        wrong_usage("Give the target's code, or --remove to take the entry out; not both.")
    chosen = choose.integration(choose.workspace(workspace), integration)
    _publish(chosen, mapping, {source: target}, reason)


@group.command("import")
def import_(
    mapping: MappingName,
    file: Annotated[Path, typer.Argument(help="CSV with the columns source and target.")],
    *,
    reason: ReasonOption = "",
    integration: IntegrationOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Read a CSV table: all of its rows or none. Codes that it does not name stay as they are."""
    chosen = choose.integration(choose.workspace(workspace), integration)
    before = _newest(chosen, mapping)
    try:
        content = file.read_bytes()
    except OSError as error:
        wrong_usage(f"{file} cannot be read ({error.strerror}).")
    try:
        version = mapping_files.import_csv(chosen, mapping, content, str(file), choose.actor(), reason)
        assert isinstance(version, MappingVersion), "the command line needs no second person"
    except (mapping_files.FileRefused, MappingRefused) as refused:
        _refused(refused)
    _say_version(chosen, mapping, before, version)


@group.command("export")
def export(
    mapping: MappingName,
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")] = None,
    integration: IntegrationOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a Mapping as CSV, codes without a target included; `mapping import` reads it again."""
    of = choose.workspace(workspace)
    chosen = choose.integration(of, integration)
    audit.note(of, choose.actor(), "export", f"integration:{chosen.pk}", what=f"mapping {mapping}")
    try:
        if output is None:
            mapping_files.export_csv(chosen, mapping, typer.get_text_stream("stdout"))
            return
        with output.open("w", encoding="utf-8", newline="") as stream:
            rows = mapping_files.export_csv(chosen, mapping, stream)
    except MappingRefused as refused:
        wrong_usage(str(refused))
    except OSError as error:
        failed(f"{output} cannot be written ({error.strerror}).")
    say(f"{counted(rows, 'row')} written to {output}.")


@group.command()
def suggest(
    mapping: MappingName,
    *,
    accept: Annotated[bool, typer.Option("--accept", help="Publish all that is suggested.")] = False,
    accept_exact: Annotated[
        bool, typer.Option("--accept-exact", help="Publish those whose code or number is the same on both sides.")
    ] = False,
    integration: IntegrationOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Suggest targets for codes that lack one, best rule first. Nothing is published without --accept."""
    chosen = choose.integration(choose.workspace(workspace), integration)
    try:
        found = suggestions.suggest(chosen, mapping)
    except MappingRefused as refused:
        wrong_usage(str(refused))
    if as_json:
        print_json(found)
    elif not found:
        noun = LABELS.get(mapping, mapping)
        say(f"No suggestions: every {noun} is mapped, or nothing resembles what is left. See: mapping list {mapping}")
    else:
        columns = ("code", "target", "name there", ">score", "why")
        table("", columns, ((s.source, s.number, s.name, f"{s.score:.2f}", s.why) for s in found))
    taken = {s.source: s.target for s in found if accept or (accept_exact and s.rule == 1)}
    if taken:
        _publish(chosen, mapping, taken, "Suggested and accepted.", quiet=as_json)


def _publish(
    chosen: Integration,
    mapping: str,
    entries: dict[str, str | None] | dict[str, str],
    reason: str,
    *,
    quiet: bool = False,
) -> None:
    before = _newest(chosen, mapping)
    try:
        version = mappings.set_entries(chosen, mapping, entries, choose.actor(), reason)
    except MappingRefused as refused:
        _refused(refused)
    if not quiet:
        _say_version(chosen, mapping, before, version)


def _refused(refused: Exception) -> NoReturn:
    wrong_usage(f"{refused}\nNothing was changed.")


def _newest(chosen: Integration, mapping: str) -> int:
    try:
        return next((version.number for version in mappings.history(chosen, mapping)), 0)
    except MappingRefused as refused:
        wrong_usage(str(refused))


def _say_version(chosen: Integration, mapping: str, before: int, version: MappingVersion) -> None:
    if version.number == before:
        say(f"{mapping} says so already (version {before}). Nothing was changed.")
        return
    entries = mappings.entries(chosen, mapping)
    waiting = sum(entry.waiting for entry in entries)
    mapped = sum(1 for entry in entries if entry.target is not None)
    say(f"{mapping} version {version.number} is published: {counted(mapped, 'code')} mapped.")
    if waiting:
        say(
            f"{counted(waiting, 'record')} of {chosen.name} waited for codes of it; at the next push they are judged"
            f" again: ml-connector sync {chosen.name}"
        )
