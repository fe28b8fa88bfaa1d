"""Writes what the suite found as a page: per system and write call each fault, its outcome, how often it was run.

    python -m ml_connector.conformance.matrix CELLS... > docs/conformance.md

CELLS are files that `pytest -p ml_connector.conformance.plugin --cells FILE` wrote.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}

HEAD = """# Conformance

What the suite of `ml_connector.conformance` found, written by `./run conformance`. It says what was run, not what is
hoped: each line is so many runs against the stand-ins, on real sockets and a real database. A cell is green when the
target holds the document exactly once, our database holds one Link for it, no write is left open, the trail tells
each intent and outcome, and nobody had to do anything. Where a client was tried without the engine, the test searched
and sent again in its place, no database took part, and green is: in the target exactly once, and never after it was
called not done.
"""


def page(rows: Sequence[Mapping[str, Any]]) -> str:
    """The page for these rows of cells."""
    parts = [HEAD, _summary(rows)]
    pairs = sorted({row["declared"][0] for row in rows})
    for pair in pairs:
        of_pair = [row for row in rows if row["declared"][0] == pair]
        parts.append(f"## {pair}")
        writes = defaultdict(list)
        others = []
        for row in of_pair:
            if "fault" in row:
                writes[row["declared"][1]].append(row)
            else:
                others.append(row)
        parts += [f"### {call}\n\n{_faults(found)}" for call, found in writes.items()]
        if others:
            parts.append(f"### Reading, limits, sessions, hygiene\n\n{_others(others)}")
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _summary(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for database, name in DATABASES.items():
        of = [row for row in rows if row["database"] == database]
        cells = [row for row in of if "fault" in row]
        failed = sum(not row["passed"] for row in of)
        lines.append(
            f"{name}: {len(cells)} cells of the fault matrix and {len(of) - len(cells)} others; {failed} failed."
        )
    return "\n".join(lines)


def _faults(rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        ("fault", "outcome", *DATABASES.values()),
        (
            (fault, " / ".join(sorted({row.get("outcome", "") for row in found} - {""})), *_counts(found))
            for fault, found in _grouped(rows, lambda row: row["fault"])
        ),
    )


def _others(rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        ("of", "what holds", *DATABASES.values()),
        (
            (of, what.removeprefix("test_").replace("_", " "), *_counts(found))
            for (of, what), found in _grouped(rows, lambda row: (row["declared"][1], row["test"]))
        ),
    )


def _grouped(rows: Iterable[Mapping[str, Any]], by: Any) -> list[tuple[Any, list[Mapping[str, Any]]]]:
    groups: dict[Any, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(by(row), []).append(row)
    return list(groups.items())


def _counts(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Per database: runs, and how many of them failed."""
    told = []
    for database in DATABASES:
        results = Counter(row["passed"] for row in rows if row["database"] == database)
        failed = f", {results[False]} failed" if results[False] else ""
        told.append(f"{results.total()}{failed}" if results else "-")
    return told


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


if __name__ == "__main__":
    given = [json.loads(line) for name in sys.argv[1:] for line in Path(name).read_text().splitlines()]
    if not given:
        sys.exit("usage: python -m ml_connector.conformance.matrix CELLS...")
    sys.stdout.write(page(given))
