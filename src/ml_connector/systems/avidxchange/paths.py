"""Where a value lies in a JSON object, as a contract map writes it.

`A.B` a field of a field · `A[]` each element · `A[0]` one element · `A[Name=x]` the element whose Name is x. An object
stands for a list of one: senders leave the brackets out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_STEP = re.compile(r"(?P<name>[^.\[\]]+)(?P<select>\[(?P<which>[^\]]*)\])?(?:\.|$)")

ITSELF = "."
"""The path of the whole object."""


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    each: bool = False
    index: int | None = None
    where: tuple[str, str] | None = None

    @property
    def plural(self) -> bool:
        return self.each or self.index is not None or self.where is not None


def parse(path: str) -> tuple[Step, ...]:
    """The steps of a path; none for `.`. Raises ValueError for a text that is none."""
    if path == ITSELF:
        return ()
    steps: list[Step] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None or found.end() == at:
            raise ValueError(f"{path!r} is no path: write A.B, A[], A[0] or A[Name=value]")
        steps.append(_step(found, path))
        at = found.end()
    if not steps or path.endswith("."):
        raise ValueError(f"{path!r} is no path: it ends too early")
    return tuple(steps)


def _step(found: re.Match[str], path: str) -> Step:
    name, which = found["name"], found["which"]
    if found["select"] is None:
        return Step(name)
    if which == "":
        return Step(name, each=True)
    if which.isdigit():
        return Step(name, index=int(which))
    key, equals, value = which.partition("=")
    if not equals or not key:
        raise ValueError(f"{path!r} is no path: {found['select']} is neither [], [0] nor [Name=value]")
    return Step(name, where=(key, value))


def read(value: Any, path: str) -> Any:
    """What lies there; None where any step is absent, a list (perhaps empty) behind `[]`."""
    return _read(value, parse(path))


def _read(value: Any, steps: tuple[Step, ...]) -> Any:
    for position, step in enumerate(steps):
        if not isinstance(value, dict):
            return None
        value = value.get(step.name)
        if not step.plural:
            continue
        elements = listed(value)
        if step.each:
            rest = steps[position + 1 :]
            return [_read(element, rest) for element in elements] if rest else elements
        value = _chosen(elements, step)
    return value


def _chosen(elements: list[Any], step: Step) -> Any:
    if step.index is not None:
        return elements[step.index] if step.index < len(elements) else None
    key, wanted = step.where or ("", "")
    return next((one for one in elements if isinstance(one, dict) and str(one.get(key)) == wanted), None)


def listed(value: Any) -> list[Any]:
    """A list as it is, one thing as a list of one, nothing as an empty list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def put(body: Json, path: str, value: Any) -> None:
    """Writes a value, making the objects on the way. `[]` at the end takes a list; elsewhere it is not written."""
    steps = parse(path)
    at: Any = body
    for step in steps[:-1]:
        at = _entered(at, step)
    last = steps[-1]
    if not last.plural or last.each:
        at[last.name] = value
        return
    raise ValueError(f"{path!r} cannot be written: one element of a list is not a value")


def _entered(at: Json, step: Step) -> Json:
    if not step.plural:
        entered = at.setdefault(step.name, {})
    else:
        elements = at.setdefault(step.name, [])
        if step.where is not None:
            key, wanted = step.where
            entered = next((one for one in elements if one.get(key) == wanted), None)
            if entered is None:
                entered = {key: wanted}
                elements.append(entered)
        else:
            index = step.index or 0
            while len(elements) <= index:
                elements.append({})
            entered = elements[index]
    if not isinstance(entered, dict):
        raise ValueError(f"{step.name} is a value and an object at once")  # noqa: TRY004
    return entered
