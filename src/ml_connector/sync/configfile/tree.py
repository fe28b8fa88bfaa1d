"""YAML as a tree in which every value knows its path and its line, and says itself what is wrong with it.

Scalars are read by the type that is asked for, never by how they look: a company id `001` stays `001`, a country
`NO` stays `NO`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

_SHAPES = {yaml.MappingNode: "names and values", yaml.SequenceNode: "a list", yaml.ScalarNode: "a single value"}
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_PLAIN_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong, and what to do."""

    file: str
    line: int
    text: str
    path: str = field(default="", compare=False)
    """Of the value, such as `connections.bill.settings.username`; empty where it is about no value of its own."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class ConfigurationRefused(Exception):
    """Everything that is wrong with a configuration file, not only the first."""

    def __init__(self, faults: Collection[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__("\n".join([*map(str, self.faults), "Nothing was changed."]))


@dataclass
class Faults:
    """What was found wrong so far."""

    file: str
    found: set[Fault] = field(default_factory=set)

    def add(self, line: int, text: str, file: str | None = None, *, path: str = "") -> None:
        self.found.add(Fault(file or self.file, line, text, path))


def did_you_mean(name: str, known: Collection[str]) -> str:
    """` Did you mean x?`, or the list of what is known, or nothing when nothing is."""
    spellings = {other.lower(): other for other in known}
    close = difflib.get_close_matches(name.lower(), spellings, n=1, cutoff=0.6)
    if close:
        return f" Did you mean {spellings[close[0]]}?"
    return f" Known here: {', '.join(sorted(known))}." if known else ""


@dataclass(frozen=True)
class Entry:
    """One value of the file. Reading it in the wrong type notes a fault and gives None."""

    path: str
    line: int
    node: yaml.Node
    faults: Faults

    def fault(self, text: str) -> None:
        """Notes a fault that begins with the value's path."""
        self.faults.add(self.line, f"{self.path or 'the file'} {text}", path=self.path)

    def problem(self, text: str) -> None:
        """Notes a fault as `path: text`."""
        self.faults.add(self.line, f"{self.path}: {text}", path=self.path)

    @property
    def empty(self) -> bool:
        """`null`, `~` or nothing at all: back to the default."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == f"{_PLAIN_TAG}null"

    @property
    def raw(self) -> str | None:
        """The scalar as it is written, or None for a list or a table."""
        return self.node.value if isinstance(self.node, yaml.ScalarNode) else None

    def table(self, known: Collection[str] | None = None) -> dict[str, Entry]:
        """The entries by name. Names outside `known` are faults and left out."""
        if self.empty:
            return {}
        if not isinstance(self.node, yaml.MappingNode):
            self.fault(f"must hold names and values, not {_shape(self.node)}.")
            return {}
        entries: dict[str, Entry] = {}
        for name, entry in self._pairs(self.node):
            if name in entries:
                entry.fault(f"is given twice, first in line {entries[name].line}. Keep one of them.")
            elif known is not None and name not in known:
                entry.fault(f"is unknown.{did_you_mean(name, known)}")
            else:
                entries[name] = entry
        return entries

    def _pairs(self, node: yaml.MappingNode) -> Iterator[tuple[str, Entry]]:
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.faults.add(line, f"{self.path or 'The file'} has {_shape(key)} as a name. Write a plain name.")
                continue
            path = f"{self.path}.{key.value}" if self.path else key.value
            yield key.value, Entry(path, line, value, self.faults)

    def items(self) -> list[Entry]:
        """The entries of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fault(f"must be a list, not {_shape(self.node)}.")
            return []
        return [
            Entry(f"{self.path}[{position}]", node.start_mark.line + 1, node, self.faults)
            for position, node in enumerate(self.node.value)
        ]

    def text(self) -> str | None:
        """The text exactly as written; a number or `no` stays what was typed."""
        if self.raw is None:
            self.fault(f"must be a text, not {_shape(self.node)}.")
        return self.raw

    def whole(self) -> int | None:
        """A whole number in decimal digits."""
        if self.raw is None or not _WHOLE.fullmatch(self.raw):
            self.fault(f"must be a whole number, not {self.shown}.")
            return None
        return int(self.raw)

    def boolean(self) -> bool | None:
        """true or false, also as YAML's yes, no, on, off; a quoted one is a text and refused."""
        plain = isinstance(self.node, yaml.ScalarNode) and self.node.style is None
        value = _BOOLEANS.get((self.raw or "").lower()) if plain else None
        if value is None:
            hint = " Leave out the quotes." if (self.raw or "").lower() in _BOOLEANS else ""
            self.fault(f"must be true or false, not {self.shown}.{hint}")
        return value

    @property
    def shown(self) -> str:
        return f'"{self.raw}"' if self.raw is not None else _shape(self.node)


def load(text: str, file: str) -> tuple[Entry | None, Faults]:
    """The file's root, or None when it is no YAML; then the faults say where."""
    faults = Faults(file)
    try:
        _refuse_cleverness(text, faults)
        if faults.found:
            return None, faults
        node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        faults.add(mark.line + 1 if mark else 1, f"this is no YAML: {error.problem}.{_advice(error.problem or '')}")
        return None, faults
    except yaml.YAMLError as error:
        faults.add(1, f"this is no YAML: {' '.join(str(error).split())}")
        return None, faults
    if node is None:
        faults.add(1, "the file is empty. It must name a workspace, its connections and integrations.")
        return None, faults
    return Entry("", node.start_mark.line + 1, node, faults), faults


def _refuse_cleverness(text: str, faults: Faults) -> None:
    """Aliases and tags make a file say something other than what one reads in it."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            faults.add(line, f"*{event.anchor} refers to another place. Write the value out.")
        tag = getattr(event, "tag", None)
        if tag is not None:
            faults.add(line, f"{tag.replace(_PLAIN_TAG, '!!')} is a type tag. Leave it out.")


def _shape(node: yaml.Node) -> str:
    return _SHAPES[type(node)]


def _advice(problem: str) -> str:
    if "'\\t'" in problem:
        return " Indent with spaces, not tabs."
    if "mapping values are not allowed" in problem:
        return " Put texts that contain a colon into quotes, and check the indentation."
    if "expected ',' or '}'" in problem or "expected ',' or ']'" in problem:
        return " Close the bracket, and put commas between the values."
    if "another document" in problem:
        return " Write one workspace per file."
    return " Check the indentation and the quotes of this line and the one before."
