"""GenMaster -> GlAccount, and cost centers from wherever the site keeps them.

SYSPRO: the key is company and GL code. Nothing posts from outside to an account that is on hold or controlled, nor
to a template (T); statistical accounts (S) carry no money. Where the cost center is a segment of the GL code, several
GL codes are one account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import msgspec

from ml_connector.domain.records import AccountType, CostCenter, GlAccount
from ml_connector.systems.base import Item
from ml_connector.systems.syspro.costcenters import Analysis, CustomTable, Rule, Segment
from ml_connector.systems.syspro.listing import Listing
from ml_connector.systems.syspro.reading import Reading, Tables
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.tables import GenAnalysisCode, GenMaster, Row, made
from ml_connector.systems.syspro.where import that

TYPES = {
    "A": AccountType.ASSET,
    "L": AccountType.LIABILITY,
    "C": AccountType.EQUITY,
    "R": AccountType.REVENUE,
    "E": AccountType.EXPENSE,
    "S": AccountType.STATISTICAL,
    "T": AccountType.HEADING,
}
NOT_POSTABLE = frozenset({AccountType.STATISTICAL, AccountType.HEADING})


def gl_accounts(tables: Tables, options: Options) -> Listing[GlAccount]:
    """Source of GlAccount."""
    segment = options.cost_centers if isinstance(options.cost_centers, Segment) else None

    def read(reading: Reading) -> Iterator[list[Item[GlAccount]]]:
        yield accounts(_rows(reading, options), segment)

    return Listing(tables, read)


def cost_centers(tables: Tables, options: Options) -> Listing[CostCenter]:
    """Source of CostCenter; empty where the site has none."""

    def read(reading: Reading) -> Iterator[list[Item[CostCenter]]]:
        yield [Item(key=center.code, record=center) for center in centers(reading, options.cost_centers, options)]

    return Listing(tables, read)


def accounts(rows: Iterable[GenMaster], segment: Segment | None) -> list[Item[GlAccount]]:
    """One account per account code. Of several GL codes, the one that is the account itself names it, else the
    first; the account takes postings where any of them does."""
    found: dict[str, Item[GlAccount]] = {}
    for row in rows:
        gl_code = row.gl_code.rstrip()
        code = gl_code if segment is None else segment.split(gl_code)[0]
        item = account(row, code)
        known = found.get(code)
        if known is None:
            found[code] = item
            continue
        name = item.record.name if gl_code == code else known.record.name
        postable = known.record.postable or item.record.postable
        control = known.record.control and item.record.control
        merged = msgspec.structs.replace(known.record, name=name, postable=postable, control=control)
        found[code] = Item(key=code, record=merged, invalid=known.invalid or item.invalid)
    return list(found.values())


def account(row: GenMaster, code: str) -> Item[GlAccount]:
    letter = (row.account_type or "").strip()
    kind = TYPES.get(letter)
    problem = row.fault
    if kind is None:
        problem = (
            f"source_shape_changed: AccountType of {row.gl_code.strip()} is {letter!r}, which SYSPRO does not list."
        )
        kind = AccountType.HEADING
    held, control = _flag(row.acc_on_hld_flag), _flag(row.control_acc_flag)
    requires = ((row.analysis_category or "").strip() or "analysis",) if _flag(row.analysis_required) else ()
    record = GlAccount(
        code=code,
        name=(row.description or "").strip() or code,
        type=kind,
        postable=not (held or control or kind in NOT_POSTABLE),
        control=control,
        requires=requires,
    )
    return Item(key=code, record=record, invalid=problem)


def centers(reading: Reading, rule: Rule, options: Options) -> Iterator[CostCenter]:
    """The cost centers that the site's rule names."""
    if isinstance(rule, Segment):
        yield from segments(_rows(reading, options), rule)
    elif isinstance(rule, Analysis):
        for row in reading.rows(GenAnalysisCode, that("AnalysisCategory", "eq", rule.category)):
            code = row.analysis_code.rstrip()
            yield CostCenter(code=code, name=(row.description or "").strip() or code, dimension=rule.category)
    elif isinstance(rule, CustomTable):
        for custom in reading.rows(custom_table(rule)):
            code = str(getattr(custom, "code")).rstrip()  # noqa: B009
            name = str(getattr(custom, "description") or "").strip()  # noqa: B009
            yield CostCenter(code=code, name=name or code, dimension=rule.name)


def segments(rows: Iterable[GenMaster], rule: Segment) -> list[CostCenter]:
    """The segment's values; one takes postings where any of its GL codes does. SYSPRO has no name for it."""
    postable: dict[str, bool] = {}
    for row in rows:
        center = rule.split(row.gl_code.rstrip())[1]
        if center is not None:
            takes = account(row, center).record.postable
            postable[center] = postable.get(center, False) or takes
    return [
        CostCenter(code=code, name=code, dimension="segment", postable=takes)
        for code, takes in sorted(postable.items())
    ]


@cache
def custom_table(rule: CustomTable) -> type[Row]:
    """A table of the site's own, with the two columns that the setting names."""
    fields = [
        ("code", str, msgspec.field(name=rule.key)),
        ("description", str | None, msgspec.field(name=rule.description)),
    ]
    namespace = {"NAME": rule.name, "KEY": (rule.key,)}
    return made(rule.name, fields, namespace)


def _rows(reading: Reading, options: Options) -> list[GenMaster]:
    return reading.rows(GenMaster, that("Company", "eq", options.company_id))


def _flag(value: str | None) -> bool:
    return (value or "").strip() == "Y"
