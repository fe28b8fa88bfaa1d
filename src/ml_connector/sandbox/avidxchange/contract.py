"""The contract: every name, path, envelope and text that the stand-in speaks, read from a file."""

from functools import lru_cache
from pathlib import Path
from typing import Literal, cast

import msgspec
import yaml

from ml_connector.sandbox.standin import BadOption, Row

FOLDER = Path(__file__).parent / "contracts"
Shape = Literal["wrapped", "flat", "cloud"]
PLAIN_KINDS = ("text", "whole", "flag", "currency", "money", "money_text", "decimal", "date", "time", "rows")


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a field stands in a body and what it is; a kind that is not plain is a table of `words`."""

    at: str
    kind: str = "text"
    of: str = ""
    most: int = 0
    needed: bool = False
    ours: bool = False


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    place: Literal["header", "query"]
    name: str


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: str
    sign_in: list[str]
    bearer: str
    user_bearer: str
    company_token: str
    user_token: str
    company: Place


class PageNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: str
    size: str
    count: str
    other_count: str
    here: str
    total: str
    links: str
    relation: str
    address: str
    next: str
    first: str


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    text: str


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    items: str
    item: str
    page: PageNames
    results: str
    result_item: str
    good: str
    errors: str
    error_text: str
    error_code: str
    refusal: Refusal


class Writes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    items: str
    most: int


class FaultNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    title: str
    text: str
    again: str


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One operation: `METHOD /path/{id}` below the root, its record, and its parameters by our name for them."""

    call: str
    record: str
    takes: dict[str, str] = {}

    @property
    def method(self) -> str:
        return self.call.partition(" ")[0]

    @property
    def steps(self) -> list[str]:
        return self.call.partition(" ")[2].strip("/").split("/")


class Contract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    root: str
    access: Access
    answers: Answers
    writes: Writes
    faults: dict[Shape, FaultNames]
    calls: dict[str, Call]
    records: dict[str, dict[str, Field]]
    words: dict[str, dict[str, str]]

    def find(self, method: str, path: str) -> tuple[str, Call, dict[str, str]] | None:
        """The operation of a path below the root, and what stands in its braces. Plain steps go before braces."""
        steps = path.strip("/").split("/")
        found = [
            (name, call, _matched(call.steps, steps)) for name, call in self.calls.items() if call.method == method
        ]
        matches = [(name, call, values) for name, call, values in found if values is not None]
        return min(matches, key=lambda match: len(match[2]), default=None)

    def methods(self, path: str) -> set[str]:
        """With which methods the path can be called."""
        steps = path.strip("/").split("/")
        return {call.method for call in self.calls.values() if _matched(call.steps, steps) is not None}

    def number(self, table: str, word: str) -> int | None:
        """The number that goes with a text: its place in the table, from 1."""
        words = list(self.words[table])
        return words.index(word) + 1 if word in words else None

    def rows(self) -> list[Row]:
        """The contract as one row, so that somebody may see what the stand-in speaks."""
        return [cast(Row, msgspec.to_builtins(self))]


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@lru_cache
def load(name: str) -> Contract:
    """A contract of the folder. Raises BadOption, naming what is wrong with it."""
    if name not in names():
        raise BadOption(f"contract {name} is unknown; known: {', '.join(names())}")
    path = FOLDER / f"{name}.yaml"
    try:
        contract = msgspec.convert(yaml.safe_load(path.read_text()), Contract)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise BadOption(f"contract {path}: {error}") from None
    for record, fields in contract.records.items():
        for field_name, field in fields.items():
            _check(contract, f"{path}: {record}.{field_name}", field)
    return contract


def _check(contract: Contract, where: str, field: Field) -> None:
    if field.kind not in PLAIN_KINDS and field.kind not in contract.words:
        raise BadOption(f"contract {where}: kind {field.kind} is no kind and no table of words")
    if field.kind == "rows" and (field.of not in contract.records or not field.at.endswith("[]")):
        raise BadOption(f"contract {where}: rows need `of` a record, and a place that ends in []")


def _matched(pattern: list[str], steps: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(steps):
        return None
    values: dict[str, str] = {}
    for name, step in zip(pattern, steps, strict=True):
        if name.startswith("{"):
            if not step:
                return None
            values[name[1:-1]] = step
        elif name != step:
            return None
    return values
