"""sandbox SYSTEM: a vendor's stand-in on localhost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ml_connector import sandbox as stand_ins
from ml_connector.cli.output import wrong_usage
from ml_connector.sync.configfile import did_you_mean


def sandbox(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help=", ".join(stand_ins.SYSTEMS))],
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65_535, help="0 takes a free one.")] = 0,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Same seed, same rows, same ids.")] = 1,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FILE", help='JSON {"TYPE": [rows]}: instead of seeded rows.')
    ] = None,
    faults: Annotated[
        Path | None, typer.Option("--faults", metavar="FILE", help="JSON list of faults, as for the control URL.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", metavar="NAME=VALUE", help="A switch of the stand-in.")
    ] = None,
) -> None:
    """Run a stand-in of a vendor's system until it is stopped. Its first line says how to connect, as JSON."""
    if system not in stand_ins.SYSTEMS:
        wrong_usage(f'There is no stand-in "{system}".{did_you_mean(system, stand_ins.SYSTEMS)}')
    switches = dict(_switch(text) for text in option or [])
    raise typer.Exit(stand_ins.run(system, port, seed, data, faults, switches))


def _switch(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        wrong_usage(f"--option {text} lacks a value. Write NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
