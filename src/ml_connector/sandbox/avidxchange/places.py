"""Places in a JSON body: `Status.Description`, `Ids[0].Value`, and `Lines[]` for a list as a whole."""

from typing import Any

from ml_connector.sandbox.standin import Row


class WrongValue(Exception):
    """A value that is not what the contract says, and where."""


NOTHING = object()
"""What is at a place that the body does not have."""


def put(body: Row, place: str, value: Any) -> None:
    """Sets a value, making the objects on its way; nothing at the first place of a list leaves the list empty."""
    *way, last = place.split(".")
    for step in way:
        name = step.removesuffix("[0]")
        if name == step:
            body = body.setdefault(name, {})
            continue
        several = body.setdefault(name, [])
        if not several:
            if value is None:
                return
            several.append({})
        body = several[0]
    if last.endswith("[0]"):
        body[last[:-3]] = [] if value is None else [value]
    else:
        body[last.removesuffix("[]")] = value


def get(body: Any, place: str) -> Any:
    """The value at a place, or NOTHING. Raises WrongValue, naming the step, when the body has another form."""
    value = body
    for step in place.split("."):
        name = step.removesuffix("[0]").removesuffix("[]")
        if value is None:
            return None
        if not isinstance(value, dict):
            raise WrongValue(f"{name}: expected an object around it")
        if name not in value:
            return NOTHING
        value = value[name]
        if step.endswith("[0]") and value is not None:
            if not isinstance(value, list) or len(value) > 1:
                raise WrongValue(f"{name}: expected a list of one")
            value = value[0] if value else None
    return value


def strangers(body: Any, places: list[str]) -> list[str]:
    """The names in a body that lead to none of the places; lists that are places themselves are not entered."""
    if not isinstance(body, dict):
        return []
    known: dict[str, list[str]] = {}
    for place in places:
        first, _, rest = place.partition(".")
        known.setdefault(first.removesuffix("[0]").removesuffix("[]"), []).append(rest)
    found: list[str] = []
    for name, value in body.items():
        if name not in known:
            found.append(name)
            continue
        inner = [rest for rest in known[name] if rest]
        if inner:
            for one in value if isinstance(value, list) else [value]:
                found += [f"{name}.{stranger}" for stranger in strangers(one, inner)]
    return found
