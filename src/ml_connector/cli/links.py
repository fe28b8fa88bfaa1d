"""links list, suggest, accept, set."""

from __future__ import annotations

from typing import Annotated

import typer

from ml_connector.cli import choose
from ml_connector.cli.choose import IntegrationOption, WorkspaceOption
from ml_connector.cli.output import JsonFlag, counted, print_json, print_json_list, say, table, wrong_usage
from ml_connector.sync import links as linking
from ml_connector.sync import queries
from ml_connector.sync.flows import document_flows
from ml_connector.sync.models import Integration, Record

group = typer.Typer(help="Which supplier or document of one side is which of the other.")

SourceKey = Annotated[str, typer.Argument(metavar="SOURCE", help="Key or number in the source.")]
SUPPLIER = "supplier"


@group.command("list")
def list_(
    *,
    type_name: Annotated[
        str | None, typer.Option("--type", metavar="T", help="supplier, invoice, credit_note.")
    ] = None,
    integration: IntegrationOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List Links, and who made them."""
    chosen = choose.integration(choose.workspace(workspace), integration)
    rows = queries.link_rows(chosen, type_name)
    if as_json:
        print_json_list(rows)
    else:
        columns = ("type", "source", "number", "target", "made by", "when")
        table("", columns, ((r.type, r.source_key, r.number, r.target_key, r.made_by, r.made_at) for r in rows))


@group.command()
def suggest(
    *,
    integration: IntegrationOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Suppliers that resemble one of the target's. They wait until you accept the Link, or have a new one made."""
    chosen = choose.integration(choose.workspace(workspace), integration)
    found = _suggestions(chosen)
    if as_json:
        print_json(found)
        return
    if not found:
        say("No suggestions: every supplier is linked, or resembles none of the target's.")
        return
    columns = ("source", "name", "target", "name there", ">score", "why")
    table(
        "",
        columns,
        ((s.source_key, s.source_name, s.target_key, s.name, f"{s.score:.2f}", _why(s)) for s in found),
    )
    say("Accept one with: ml-connector links accept SOURCE. To have a new one made instead: add --create.", "dim")


@group.command()
def accept(
    source: Annotated[str | None, typer.Argument(metavar="[SOURCE]", help="Key of the supplier in the source.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Accept every suggestion that has no rival.")] = False,
    create: Annotated[bool, typer.Option("--create", help="It is none of them: have a new one made.")] = False,
    integration: IntegrationOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Accept the suggested Link of a supplier (or of all), or say that it is a new one."""
    if (source is None) != everything or (everything and create):
        wrong_usage("Give the key of one supplier, or --all.")
    chosen = choose.integration(choose.workspace(workspace), integration)
    if create and source is not None:
        _create(chosen, source)
        return
    found = _suggestions(chosen)
    if source is not None:
        found = [s for s in found if source in {s.source_key, s.source_key.strip()}]
        if not found:
            wrong_usage(f"Nothing is suggested for {source}. See: ml-connector links suggest")
        if found[0].rivals:
            others = ", ".join((found[0].target_key, *found[0].rivals))
            wrong_usage(f"Several are as likely: {others}. Choose with: ml-connector links set {source} TARGET")
    taken = [s for s in found if not s.rivals]
    for suggestion in taken:
        _link(chosen, SUPPLIER, suggestion.source_key, suggestion.target_key)
    left = len(found) - len(taken)
    if left:
        say(f"{counted(left, 'suggestion')} left, each with several that are as likely: links set SOURCE TARGET.")
    elif not taken:
        say("No suggestions.")


@group.command("set")
def set_(
    source: SourceKey,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Key in the target.")],
    *,
    type_name: Annotated[str, typer.Option("--type", metavar="T", help="supplier, invoice, credit_note.")] = SUPPLIER,
    integration: IntegrationOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Link two by hand."""
    chosen = choose.integration(choose.workspace(workspace), integration)
    _link(chosen, type_name, source, target)


def _link(chosen: Integration, type_name: str, source: str, target: str) -> None:
    try:
        link = linking.set_link(chosen, type_name, source, target, choose.actor())
    except linking.LinkRefused as refused:
        wrong_usage(f"{refused}\nNothing was changed.")
    say(f"{type_name} {link.source_key} is linked to {link.target_key}. What waits for it follows at the next push.")


def _create(chosen: Integration, source: str) -> None:
    flows = document_flows(chosen, SUPPLIER)
    record = Record.objects.of(chosen.workspace_id).select_related("flow__integration").filter(
        flow__in=flows, key=source
    ).first()  # fmt: skip
    if record is None:
        wrong_usage(f"No supplier {source} was read from the source.")
    try:
        linking.create_instead(record, choose.actor())
    except linking.LinkRefused as refused:
        wrong_usage(str(refused))
    say(f"Supplier {source} is made new in the target at the next push.")


def _suggestions(chosen: Integration) -> list[linking.LinkSuggestion]:
    return [s for flow in document_flows(chosen, SUPPLIER) for s in linking.suggest_links(flow)]


def _why(suggestion: linking.LinkSuggestion) -> str:
    rivals = f"; as likely: {', '.join(suggestion.rivals)}" if suggestion.rivals else ""
    return f"{suggestion.why}{rivals}"
