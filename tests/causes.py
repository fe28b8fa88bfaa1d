"""Every cause that the code can open a Problem of, read from the code itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ml_connector.sync import links, proposing, refusals, taking_over

SOURCE = Path(__file__).parents[1] / "src/ml_connector"
ROOMS = ("sync", "jobs", "cli", "integrations", "systems")

MADE_BY = {"Cause": 0, "Remark": 0, "_about": 1, "_open": 1, "_report": 2}
"""Functions that are given a cause, and at which place among what they are given."""
OTHERS = {
    "systems/sapb1/errors.py": {"Cause"},
    "sync/alignment.py": {"_report"},
    "sync/closing.py": {"_report"},
    "sync/transfers.py": {"_open"},
}
"""Functions of these names that are given none."""

HANDED_ON = {
    ("sync/notify/silence.py", "cause"),
    ("sync/outcomes.py", "remark.cause"),
    ("sync/proposing.py", "CAUSES[change.field]"),
    ("sync/paying.py", "failed.cause"),
    ("sync/refusals.py", "error.code"),
    ("sync/resolve.py", "cause"),
    ("sync/runs.py", "cause"),
}
"""A cause that comes from somewhere else that is looked at too: another of these functions, a target's refusal
(`NAMED`), or what a source says of a record."""

TRANSFERS = {
    "ANSWER_FAILED": taking_over.ANSWER_FAILED,
    "CLAIM_FAILED": taking_over.CLAIM_FAILED,
    "ELSEWHERE": taking_over.ELSEWHERE,
}

OF_A_RECORD = re.compile(r"([a-z]+(?:_[a-z]+)*): ")
"""How a System says why one record cannot travel: `cause: text`."""
OTHER_WORDS = frozenset({"company", "none", "order", "post_as", "reversal", "revision", "unencrypted"})
"""Names of settings, of their values and of parts of a contract map, with which a text about them begins."""


@cache
def causes() -> frozenset[str]:
    """Raises AssertionError for a cause that it cannot read."""
    found = set(refusals.NAMED) | set(proposing.CAUSES.values())
    for room in ROOMS:
        for path in sorted((SOURCE / room).rglob("*.py")):
            tree = ast.parse(path.read_text())
            name = path.relative_to(SOURCE).as_posix()
            found |= set(_made(name, tree))
            if room == "systems":
                found |= set(_of_records(tree))
    return frozenset(found)


def _made(file: str, tree: ast.Module) -> Iterator[str]:
    constants = {"UNKNOWN_VENDOR": links.UNKNOWN_VENDOR, **TRANSFERS}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value.value if isinstance(node.value, ast.Constant) else None
            if isinstance(value, str):
                constants[node.targets[0].id] = value
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        place = MADE_BY.get(called)
        if place is None or called in OTHERS.get(file, ()) or (called.startswith("_") and file.startswith("systems/")):
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        yield from _values(file, node.args[place] if len(node.args) > place else given["cause"], constants)


def _values(file: str, node: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _values(file, node.body, constants)
        yield from _values(file, node.orelse, constants)
    elif isinstance(node, ast.Name) and node.id in constants:
        yield constants[node.id]
    else:
        text = ast.unparse(node)
        assert (file, text) in HANDED_ON, (
            f"{file}:{node.lineno}: tell tests/causes.py where the cause {text} comes from."
        )


def _of_records(tree: ast.Module) -> Iterator[str]:
    """What is refused for its settings is no cause of a record, though its text may begin like one."""
    refused = {
        id(inside)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Refused"
        for inside in ast.walk(call)
    }
    for node in ast.walk(tree):
        if id(node) in refused:
            continue
        first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            found = OF_A_RECORD.match(first.value)
            if found and found[1] not in OTHER_WORDS:
                yield found[1]
