"""The WHERE of a read, whichever interface asked it: tested row by row, and narrowed by the primary key.

A comparison with a NULL is never true. The database's collation is binary: letters differ by case.
"""

import operator
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Row = tuple[Any, ...]
Test = Callable[[Row], bool]
Operator = Literal["eq", "ne", "gt", "ge", "lt", "le"]


@dataclass(frozen=True, slots=True)
class Compare:
    column: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Matches:
    column: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class IsNull:
    column: str


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Condition", ...]


Condition = Compare | Matches | IsNull | Not | And | Or

_OPERATORS: dict[Operator, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def test(condition: Condition, index: Mapping[str, int]) -> Test:
    """The condition as a function of a row whose columns stand at `index`."""
    match condition:
        case Compare(column, name, value):
            position, compare = index[column], _OPERATORS[name]
            return lambda row: (held := row[position]) is not None and compare(held, value)
        case Matches(column, pattern):
            position, search = index[column], pattern.search
            return lambda row: search(row[position]) is not None
        case IsNull(column):
            position = index[column]
            return lambda row: row[position] is None
        case Not(part):
            inner = test(part, index)
            return lambda row: not inner(row)
        case And(parts):
            return _joined([test(part, index) for part in parts], every=True)
        case Or(parts):
            return _joined([test(part, index) for part in parts], every=False)


def _joined(tests: Sequence[Test], *, every: bool) -> Test:
    """A balanced tree of two-armed tests: an Or of five hundred keys must not be five hundred calls deep."""
    if len(tests) == 1:
        return tests[0]
    half = len(tests) // 2
    left, right = _joined(tests[:half], every=every), _joined(tests[half:], every=every)
    if every:
        return lambda row: left(row) and right(row)
    return lambda row: left(row) or right(row)


def ranges(condition: Condition, key: Sequence[str], keys: Sequence[tuple[Any, ...]]) -> list[range]:
    """The stretches of the sorted `keys` outside which no row can meet the condition, in order."""
    spans = [range(bisect_left(keys, low), bisect_right(keys, _End(high))) for low, high in _spans(condition, key)]
    merged: list[range] = []
    for span in sorted(spans, key=lambda span: span.start):
        if merged and span.start <= merged[-1].stop:
            merged[-1] = range(merged[-1].start, max(merged[-1].stop, span.stop))
        else:
            merged.append(span)
    return merged


class _End:
    """Sorts after every key that begins like `prefix`."""

    def __init__(self, prefix: tuple[Any, ...]) -> None:
        self.prefix = prefix

    def __lt__(self, key: tuple[Any, ...]) -> bool:
        return self.prefix < key[: len(self.prefix)]


Span = tuple[tuple[Any, ...], tuple[Any, ...]]


def _spans(condition: Condition, key: Sequence[str]) -> list[Span]:
    """Lowest and highest key prefix of each alternative; `()` where there is no bound."""
    if isinstance(condition, Or):
        return [span for part in condition.parts for span in _spans(part, key)]
    parts = condition.parts if isinstance(condition, And) else (condition,)
    low, high = _bounds([part for part in parts if isinstance(part, Compare)], key)
    if low or high:
        return [(low, high)]
    for part in parts:
        if isinstance(part, And | Or):
            inner = _spans(part, key)
            if all(low or high for low, high in inner):
                return inner
    return [((), ())]


def _bounds(compares: Sequence[Compare], key: Sequence[str]) -> Span:
    low: tuple[Any, ...] = ()
    high: tuple[Any, ...] = ()
    for column in key:
        mine = [compare for compare in compares if compare.column == column]
        floors = [compare.value for compare in mine if compare.operator in {"eq", "gt", "ge"}]
        ceilings = [compare.value for compare in mine if compare.operator in {"eq", "lt", "le"}]
        if floors:
            low = (*low, max(floors))
        if ceilings:
            high = (*high, min(ceilings))
        if not floors or not ceilings or floors != ceilings:
            break
    return low, high
