"""Mapping tables: entries in the configuration file, or a CSV file beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from ml_connector.sync.configfile.tree import Entry
from ml_connector.sync.mapping_files import FileRefused, read_rows

_LOCATED = re.compile(r"(?P<file>.*?):(?P<line>[0-9]+): (?P<text>.*)", re.DOTALL)


@dataclass
class CodeTable:
    """Target codes by source code, each with the place that says so. None takes an entry out."""

    entries: dict[str, str | None] = field(default_factory=dict)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)

    def add(self, source: str, target: str | None, file: str, line: int) -> str | None:
        """Adds a row, or says why it contradicts an earlier one."""
        if source in self.entries and self.entries[source] != target:
            return f"{source} is mapped again, to something else than in line {self.places[source][1]}. Keep one."
        self.entries[source] = target
        self.places[source] = (file, line)
        return None


def code_table(entry: Entry, folder: Path) -> CodeTable:
    """The rows of `entries: {...}` or `file: x.csv`."""
    ways = entry.table({"entries", "file"})
    if len(ways) != 1:
        entry.fault("must hold either entries (source code: target code) or the file of a CSV table.")
        return CodeTable()
    [(way, value)] = ways.items()
    return _entries(value) if way == "entries" else _file(value, folder)


def _entries(value: Entry) -> CodeTable:
    table = CodeTable()
    for source, target in value.table().items():
        code = None if target.empty else target.text()
        if not source.strip():
            target.fault("has no source code. Write source code: target code.")
        elif code is not None or target.empty:
            table.add(source, code or None, target.faults.file, target.line)
    return table


def _file(value: Entry, folder: Path) -> CodeTable:
    table = CodeTable()
    path = folder / (value.text() or "")
    try:
        rows = read_rows(path.read_bytes(), str(path))
    except OSError as error:
        value.problem(f"the file {path} cannot be read ({error.strerror}). Paths are relative to this file.")
        return table
    except FileRefused as refused:
        for fault in refused.faults:
            located = _LOCATED.fullmatch(fault)
            if located:
                value.faults.add(int(located["line"]), located["text"], file=located["file"])
            else:
                value.problem(fault)
        return table
    for row in rows:
        contradiction = table.add(row.source, row.target or None, str(path), row.line)
        if contradiction:
            value.faults.add(row.line, contradiction, file=str(path))
    return table
