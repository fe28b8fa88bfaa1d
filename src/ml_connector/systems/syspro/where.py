"""A condition on rows, in the form that both of SYSPRO's reading routes can express.

Conditions and disjunctions of conjunctions, joined by And: COMFND has brackets around expressions and no deeper
structure, and opens at most three at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from ml_connector.systems.transport.odata import literal

Value = str | int | date


class Condition(NamedTuple):
    """One comparison: `op` is eq, ne, gt, ge, lt or le; by COMFND alone also like."""

    column: str
    op: str
    value: Value


Terms = tuple[Condition, ...]
"""A conjunction."""


class Where(NamedTuple):
    """Each of `all`, and of each disjunction in `any` at least one conjunction."""

    all: Terms = ()
    any: tuple[tuple[Terms, ...], ...] = ()

    def plus(self, other: Where) -> Where:
        """Rows that meet both."""
        return Where(self.all + other.all, self.any + other.any)


ALL_ROWS = Where()


def that(column: str, op: str, value: Value) -> Where:
    """One comparison."""
    return Where((Condition(column, op, value),))


def one_of(columns: Sequence[str], keys: Iterable[Sequence[Value]]) -> Where:
    """The columns, read as one key, equal one of the keys."""
    return Where(any=(tuple(tuple(Condition(c, "eq", v) for c, v in zip(columns, key, strict=True)) for key in keys),))


def after(columns: Sequence[str], key: Sequence[Value], *, inclusive: bool = False) -> Where:
    """The columns, read as one key, come after `key`, or equal it where `inclusive`."""
    terms = []
    for last, column in enumerate(columns):
        equals = tuple(Condition(columns[i], "eq", key[i]) for i in range(last))
        op = "ge" if inclusive and last == len(columns) - 1 else "gt"
        terms.append((*equals, Condition(column, op, key[last])))
    return Where(terms[0]) if len(terms) == 1 else Where(any=(tuple(terms),))


def to_filter(where: Where, date_style: str) -> str:
    """The condition as an OData filter."""

    def conjunction(terms: Terms) -> str:
        return " and ".join(f"{column} {op} {literal(value, date_style)}" for column, op, value in terms)

    parts = [conjunction(where.all)] if where.all else []
    parts.extend("(" + " or ".join(f"({conjunction(terms)})" for terms in group) + ")" for group in where.any)
    return " and ".join(parts)
