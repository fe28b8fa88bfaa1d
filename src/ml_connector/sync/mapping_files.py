"""Mappings as CSV: out for a spreadsheet, in again all or nothing.

    source,target,note
    10-6100,6100,Components -> Components

Codes are written as people know them. A row with an empty target is not mapped; read in again it takes out what
was. Cells that a spreadsheet would run as a formula get a leading ', which reading in removes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TextIO

from ml_connector.sync.codes import CodeIndex
from ml_connector.sync.mapping_checks import MappingFault, MappingRefused
from ml_connector.sync.mapping_history import Change, changes
from ml_connector.sync.mappings import EntryView, check, code_lists, entries, history, mapped, spec_of
from ml_connector.sync.models import Approval, Integration, MappingVersion
from ml_connector.sync.second_person import publish_mapping

COLUMNS = ("source", "target", "note")

_RUNS = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_BLANKS = " \u00a0"


@dataclass(frozen=True)
class FileRow:
    """One row of the file, and the line that it starts on."""

    line: int
    source: str
    target: str


class FileRefused(ValueError):
    """A file that cannot be read in. Nothing was changed. Each fault names file, line and what to do."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(faults))


def export_csv(integration: Integration, name: str, stream: TextIO) -> int:
    """Writes a Mapping, also the source codes that lack a target; gives the number of rows.

    `stream` must be opened with newline="". Raises MappingRefused for a Mapping that does not exist.
    """
    spec = spec_of(integration, name)
    views = entries(integration, name)
    theirs = code_lists(integration, spec)[spec.source.other]
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for view in views:
        target = _clearest(theirs, view)
        note = f"{view.source_name} -> {view.target_name}" if view.target_name else view.source_name
        writer.writerow([guarded(cell) for cell in (view.source, target, note)])
    return len(views)


@dataclass(frozen=True)
class FileChanges:
    """What reading a file in would change."""

    version: int
    """The newest version when this was found out; 0 for none."""
    changes: tuple[Change, ...]
    rows: int
    """Of the file, those that change nothing included."""
    warnings: tuple[str, ...]


def preview_csv(integration: Integration, name: str, content: str | bytes, file_name: str) -> FileChanges:
    """What a file would change, without publishing it. Raises FileRefused as `import_csv` does."""
    wanted, lines = _wanted(content, file_name)
    with _located_in(file_name, lines):
        checked = check(integration, name, wanted)
    now = mapped(integration, name)
    after = {**now, **{source: target for source, target in checked.entries.items() if target is not None}}
    for source, target in checked.entries.items():
        if target is None:
            after.pop(source, None)
    newest = next((version.number for version in history(integration, name)), 0)
    return FileChanges(newest, tuple(changes(now, after)), len(wanted), checked.warnings)


def import_csv(
    integration: Integration,
    name: str,
    content: str | bytes,
    file_name: str,
    actor: str,
    reason: str = "",
    effective_from: date | None = None,
) -> MappingVersion | Approval:
    """Publishes a file's rows as one version, or asks for it. Codes that the file does not name stay as they are.

    Bytes are read as UTF-8, or as UTF-16 where they say so. Raises FileRefused, or MappingRefused for a Mapping
    that does not exist; then nothing was changed.
    """
    wanted, lines = _wanted(content, file_name)
    with _located_in(file_name, lines):
        return publish_mapping(integration, name, wanted, actor, reason or f"Read in from {file_name}.", effective_from)


def read_rows(content: str | bytes, file_name: str) -> list[FileRow]:
    """The rows of a file, without empty ones. Raises FileRefused."""
    text = decoded(content, file_name).lstrip("\ufeff")
    header, *rest = list(_lines(text, _delimiter(text), file_name)) or [(1, [""])]
    names = [cell.strip(_BLANKS).casefold() for cell in header[1]]
    missing = [column for column in ("source", "target") if names.count(column) != 1]
    if missing:
        raise FileRefused(
            [
                f"{file_name}:1: the first line must name the columns source and target once each; {column!r} is"
                f" {'there twice' if names.count(column) else 'missing'}. It says: {', '.join(names)!r}."
                for column in missing
            ]
        )
    rows, faults = [], []
    at_source, at_target = names.index("source"), names.index("target")
    for line, cells in rest:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) <= max(at_source, at_target):
            faults.append(f"{file_name}:{line}: {len(cells)} cells instead of {len(names)}. Add what is missing.")
            continue
        row = FileRow(line, unguarded(cells[at_source]), unguarded(cells[at_target]))
        if not row.source:
            faults.append(f"{file_name}:{line}: there is a target but no source code. Add it or delete the line.")
        rows.append(row)
    if faults:
        raise FileRefused(faults)
    return rows


def decoded(content: str | bytes, file_name: str) -> str:
    """A file's text: UTF-8, or UTF-16 where it says so. Raises FileRefused."""
    if isinstance(content, str):
        return content
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileRefused(
            [f"{file_name}:{line}: not readable as {encoding.upper()}. Save the file as 'CSV UTF-8' and read it again."]
        ) from None


def guarded(cell: str) -> str:
    """A cell that no spreadsheet runs as a formula; `unguarded` gives the same text back."""
    return f"'{cell}" if _RUNS.match(cell) else cell


def unguarded(cell: str) -> str:
    """A cell of a file as it was before `guarded`, without the blanks around it."""
    cell = cell.strip(_BLANKS)
    return cell[1:] if _GUARDED.match(cell) else cell


def _wanted(content: str | bytes, file_name: str) -> tuple[dict[str, str | None], dict[str, int]]:
    """The entries of a file, and the line of each. Raises FileRefused."""
    rows = _unique(read_rows(content, file_name), file_name)
    return {row.source: row.target or None for row in rows}, {row.source: row.line for row in rows}


@contextmanager
def _located_in(file_name: str, lines: dict[str, int]) -> Iterator[None]:
    """Says of each fault of an entry in which line of the file it stands."""
    try:
        yield
    except MappingRefused as refused:
        if not any(fault.source for fault in refused.faults):
            raise
        raise FileRefused([_located(fault, lines, file_name) for fault in refused.faults]) from refused


def _unique(rows: list[FileRow], file_name: str) -> list[FileRow]:
    """The rows once each. Raises FileRefused where two say different things about one code."""
    first: dict[str, FileRow] = {}
    faults = []
    for row in rows:
        other = first.setdefault(row.source, row)
        if other.target != row.target:
            faults.append(
                f"{file_name}:{row.line}: {row.source} is mapped to {row.target or 'nothing'!r} here and to"
                f" {other.target or 'nothing'!r} in line {other.line}. Delete one of the two lines."
            )
    if faults:
        raise FileRefused(faults)
    return list(first.values())


def _lines(text: str, delimiter: str, file_name: str) -> Iterator[tuple[int, list[str]]]:
    """Rows, header included, with the line that each starts on. Raises FileRefused."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise FileRefused([f"{file_name}:{start}: not readable as CSV ({error}). Check its quotation marks."]) from None


def _delimiter(text: str) -> str:
    """The only one of comma, semicolon and tab in the header; a comma where that is not clear."""
    header = re.split(r"[\r\n]", text, maxsplit=1)[0]
    found = [sign for sign in ",;\t" if sign in header]
    return found[0] if len(found) == 1 else ","


def _located(fault: MappingFault, lines: dict[str, int], file_name: str) -> str:
    line = lines.get(fault.source)
    return f"{file_name}:{line}: {fault.text}" if line else fault.text


def _clearest(theirs: CodeIndex, view: EntryView) -> str:
    """The target's number where it leads back to this target alone, else its code."""
    leads_to = theirs.get(view.target_number) or next(iter(theirs.numbered(view.target_number)), None)
    alone = len(theirs.numbered(view.target_number)) == 1
    return view.target_number if alone and leads_to and leads_to.code == view.target else view.target or ""
