"""GlAccount and CostCenter <-> accounting codes.

A GL account and the code of any other dimension are the same thing: a code that belongs to a group, and the customer
names the groups. On an invoice or order line each code says its group.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ml_connector.domain.records import AccountType, CostCenter, GlAccount
from ml_connector.systems.avidxchange.lists import Changing, pages
from ml_connector.systems.avidxchange.paths import Json
from ml_connector.systems.avidxchange.rows import Row, render
from ml_connector.systems.avidxchange.session import Avid
from ml_connector.systems.avidxchange.upserts import Kind, Upserts
from ml_connector.systems.base import DocumentState, Found, Item, Refused

Code = GlAccount | CostCenter


class Codes(Upserts[Any]):
    """Target of one group's codes."""

    def __init__(self, avid: Avid, group: str, noun: str) -> None:
        def to_wire(record: Code, _: str) -> Json:
            return to_code(avid, group, record)

        def one(code: str) -> Found[Any] | None:
            return next((hit for hit in codes(avid, group) if hit.key == code), None)

        super().__init__(
            avid,
            Kind(
                noun=noun,
                listed=avid.contract.operations.codes,
                written=avid.contract.operations.code_put,
                about=lambda record: f"{noun} {record.code}",
                to_wire=to_wire,
                from_wire=lambda body: from_code(avid, body),
                ours=lambda hit, record, _: hit.key == record.code and hit.mark == group,
                key=lambda record, _: record.code,
                one=one,
                identity=("code",),
                owned=("name", "postable"),
                withdrawn=lambda hit: msgspec.structs.replace(hit.record, postable=False),
                gone=lambda hit: not hit.record.postable,
            ),
        )
        self.check_group(group)

    def check_group(self, group: str) -> None:
        """Raises Refused where AvidXchange has no such group."""
        known = groups(self.avid)
        if group not in known:
            raise Refused(
                "group_missing",
                f"AvidXchange has no group of codes called {group!r}; it has {', '.join(sorted(known)) or 'none'}. "
                "Make it there, or correct account_group or cost_center_group.",
                "cost_center_group",
            )


def accounts(avid: Avid) -> Codes:
    return Codes(avid, avid.settings.account_group, "GL account")


def cost_centers(avid: Avid) -> Codes:
    return Codes(avid, cost_center_group(avid), "cost center")


def cost_center_group(avid: Avid) -> str:
    """Raises Refused where the Connection names none."""
    group = avid.settings.cost_center_group
    if not group:
        raise Refused("field_missing", "Set cost_center_group: the group that holds cost centers.", "cost_center_group")
    return group


def read_codes(avid: Avid, group: str) -> Changing[Any]:
    """Source of one group's codes."""

    def convert(body: Json) -> Item[Any] | None:
        hit = from_code(avid, body)
        return Item(hit.key, hit.record) if hit.mark == group else None

    def one(code: str) -> Json | None:
        rows = (row for page in _pages(avid) for row in page)
        return next((row for row in rows if (hit := from_code(avid, row)).key == code and hit.mark == group), None)

    return Changing(avid, avid.contract.operations.codes, "accounting code", convert, one)


def codes(avid: Avid, group: str) -> Iterator[Found[Any]]:
    found = (from_code(avid, row) for page in _pages(avid) for row in page)
    return (hit for hit in found if hit.mark == group)


def groups(avid: Avid) -> set[str]:
    """Names of all groups."""
    fields = avid.contract.records.group
    read = pages(avid, avid.contract.operations.groups, about="the list of code groups")
    return {Row(fields, row, "a group of codes").text("name") for page in read for row in page.rows}


def to_code(avid: Avid, group: str, record: Code) -> Json:
    values = {"code": record.code, "name": record.name, "group": group, "active": record.postable}
    return render(avid.contract.records.code, values, f"code {record.code}")


def from_code(avid: Avid, body: Json) -> Found[Any]:
    """The code; `mark` is its group."""
    row = Row(avid.contract.records.code, body, "an accounting code")
    code, group, active = row.text("code"), row.text("group"), row.flag("active") is not False
    name = row.words("name") or code
    record: Code = (
        GlAccount(code=code, name=name, type=AccountType.EXPENSE, postable=active)
        if group == avid.settings.account_group
        else CostCenter(code=code, name=name, dimension=group, postable=active)
    )
    return Found(code, record, group, DocumentState.OPEN if active else DocumentState.ARCHIVED)


def line_codes(avid: Avid, account: str | None, cost_center: str | None, about: str) -> list[Json]:
    """The codes of a document's line. Raises Refused for a cost center without a group for it."""
    fields = avid.contract.records.code
    pairs = [(avid.settings.account_group, account)] if account else []
    if cost_center:
        pairs.append((cost_center_group(avid), cost_center))
    return [render(fields, {"code": code, "group": group}, about) for group, code in pairs]


def coded(avid: Avid, line: Row) -> dict[str, str]:
    """A line's codes by their groups."""
    found = line.parts("codes", avid.contract.records.code, "a line's code")
    return {row.text("group"): row.text("code") for row in found}


def _pages(avid: Avid) -> Iterator[list[Json]]:
    for page in pages(avid, avid.contract.operations.codes, about="the list of accounting codes"):
        yield page.rows
