"""contract check, show: the contract map by which AvidXchange is spoken to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ml_connector.cli.output import WITH_PROBLEMS, JsonFlag, print_json, say, wrong_usage
from ml_connector.systems.avidxchange import openapi
from ml_connector.systems.avidxchange.contract import ContractWrong, load, shipped_text

group = typer.Typer(help="The contract map: every name that AvidXchange's interface is spoken to with.")

HEADINGS = {
    "missing": "Not in the OpenAPI file",
    "other_type": "Of another type there",
    "unmapped": "Needed there, and not in the map",
}


@group.command()
def check(
    map_file: Annotated[
        Path, typer.Argument(metavar="MAP", exists=True, dir_okay=False, help="The map, or the names that differ.")
    ],
    *,
    openapi_file: Annotated[
        Path | None,
        typer.Option("--openapi", metavar="FILE", exists=True, dir_okay=False, help="From the partner portal."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what is wrong with a map, and where it differs from the partner portal's OpenAPI file."""
    try:
        contract = load(_text(map_file))
        found = openapi.compare(contract, openapi.read(_text(openapi_file))) if openapi_file else openapi.Findings()
    except ContractWrong as wrong:
        wrong_usage(str(wrong))
    lists = {name: getattr(found, name) for name in HEADINGS}
    if as_json:
        print_json({"map": contract.title, "assumed": contract.assumed(), **lists})
    else:
        say(f"{map_file}: {contract.title}. {len(contract.assumed())} names are assumed.")
        for name, sentences in lists.items():
            if sentences:
                say(f"\n{HEADINGS[name]}:")
            for sentence in sentences:
                say(f"  {sentence}")
        if openapi_file and not found:
            say("The map agrees with the OpenAPI file.")
    if found:
        raise typer.Exit(WITH_PROBLEMS)


@group.command()
def show() -> None:
    """Print the map that is shipped, to begin one's own with."""
    typer.echo(shipped_text(), nl=False)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        broken = ContractWrong(f"{path} is no text in UTF-8.")
    raise broken
