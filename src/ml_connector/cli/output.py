"""How the command line speaks: tables and sentences for people, JSON for programs, and its exit status."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ml_connector.redaction import redacted
from ml_connector.sync.queries import plain

DONE, WITH_PROBLEMS, WRONG_USAGE = 0, 1, 2
"""Exit status of every command: done; the work met Problems or failures; the call itself was wrong."""

WIDE = 160
"""Columns where the output is no terminal, so that a file or pipe gets whole lines."""

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

STYLES = {
    "confirmed": "green", "ok": "green", "blocked": "yellow", "in_doubt": "magenta", "in_flight": "magenta",
    "accepted": "magenta",
    "written_off": "red", "skipped": "dim", "failing": "yellow", "circuit_open": "red", "failed": "red",
}  # fmt: skip


LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def log_level(otherwise: str) -> str:
    """ML_CONNECTOR_LOG, or what fits the command: people see no log lines, operators of a server do."""
    level = os.environ.get("ML_CONNECTOR_LOG", "").upper()
    return level if level in LEVELS else otherwise


def console() -> Console:
    """Standard output. Texts come from outside: no markup is ever read in them."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
    return Console(markup=False, highlight=False, emoji=False, width=width)


def errors() -> Console:
    """Standard error: for what a person must read even where the output goes to a program."""
    return Console(markup=False, highlight=False, emoji=False, stderr=True, soft_wrap=True)


def say(text: str, style: str | None = None) -> None:
    console().print(Text(text, style=style or ""), soft_wrap=True)


def warn(text: str) -> None:
    errors().print(Text(redacted(text), style="yellow"))


def wrong_usage(text: str) -> NoReturn:
    """Ends the command with status 2."""
    errors().print(Text(redacted(text)))
    raise typer.Exit(WRONG_USAGE)


def failed(text: str) -> NoReturn:
    """Ends the command with status 1."""
    errors().print(Text(redacted(text)))
    raise typer.Exit(WITH_PROBLEMS)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def print_json_list(values: Iterable[Any]) -> None:
    """A list of any length, written as it is read."""
    first = True
    for value in values:
        typer.echo("[" if first else ",", nl=first)
        typer.echo(("" if first else "\n") + json.dumps(plain(value), ensure_ascii=False), nl=False)
        first = False
    typer.echo("[]" if first else "\n]")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table; columns whose name begins with `>` are figures and stand to the right."""
    grid = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        figures = column.startswith(">")
        grid.add_column(column.removeprefix(">"), justify="right" if figures else "left", no_wrap=figures)
    for row in rows:
        grid.add_row(*(_cell(value) for value in row))
    console().print(grid)


def _cell(value: Any) -> Text:
    text = shown(value)
    return Text(text, style=STYLES.get(text, ""))


def shown(value: Any) -> str:
    """One value as people read it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:,}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def money(amounts: dict[str, Decimal]) -> str:
    """`USD 1,620.00, EUR 2,500.00`."""
    return ", ".join(f"{currency} {amount:,}" for currency, amount in sorted(amounts.items()))


def counted(number: int, noun: str) -> str:
    """`1 record`, `3 records`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@contextmanager
def showing(text: str) -> Iterator[Callable[[str], None]]:
    """A line on standard error that says what is going on, where someone watches."""
    screen = errors()
    if not screen.is_terminal:
        yield lambda _: None
        return
    with screen.status(Text(text)) as status:
        yield lambda said: status.update(Text(said))
