"""Lists page by page: every row once, whatever is added meanwhile."""

from __future__ import annotations

import pytest

from ml_connector import clock
from ml_connector.sync import problems
from ml_connector.sync.models import Record
from ml_connector.sync.problems import Cause
from tests.api.conftest import operations, parts_of

LISTS = [operation for operation in operations() if operation.id.startswith("list")]


def key_of(row):
    return repr(sorted(row.items(), key=lambda part: part[0]))


def test_every_list_shows_every_row_once(pair, robot):
    from ml_connector.audit.models import AuditEntry

    parts = parts_of(pair)
    for operation in LISTS:
        address = operation.address(parts).removeprefix("/api/v1/w/acme")
        whole = robot.all(address, limit=200)
        small = robot.all(address, limit=7 if operation.id == "listAuditEntries" else 2)
        # Looking at a list writes nothing; when the token was last used is in no list.
        assert [key_of(row) for row in small] == [key_of(row) for row in whole], operation.id
        assert len({key_of(row) for row in small}) == len(small), operation.id
    assert len(LISTS) >= 10
    assert len(robot.all("/records", limit=3)) == Record.objects.of(pair.workspace).count()
    assert len(robot.all("/audit")) == AuditEntry.objects.of(pair.workspace).count()


def add_record(pair, key):
    return Record.objects.create(
        workspace=pair.workspace, flow=pair.flow("invoices"), key=key, hash=b"1", payload=b"{}", number=key,
        state="staged", staged_at=clock.now(),
    )  # fmt: skip


def add_problem(pair, subject):
    from ml_connector import audit

    with audit.recording(pair.workspace, actor="test") as trail:
        cause = Cause("unmapped_code", subject, "text", "fix")
        return problems.open_problem(trail, pair.integration, cause, pair.flow("invoices"))


@pytest.mark.parametrize(("path", "add"), [("/records", add_record), ("/problems", add_problem)])
def test_rows_that_come_in_between_move_nothing(pair, robot, path, add):
    for number in range(5):
        add(pair, f"old-{number}")
    before = [row["id"] for row in robot.all(path)]
    seen, cursor, number = [], "", 0
    while cursor is not None:
        page = robot.get(path, limit=2, cursor=cursor).body
        seen += [row["id"] for row in page["items"]]
        cursor, number = page["next"], number + 1
        add(pair, f"new-{number}")
    assert seen == before


def test_entries_of_a_mapping_that_come_in_between_move_nothing(pair, robot):
    from ml_connector.sync.models import CodeListEntry

    path = f"/connections/{pair.erp.pk}/codes/gl_account"
    before = [row["code"] for row in robot.all(path)]
    first = robot.get(path, limit=3).body
    CodeListEntry.objects.create(
        workspace=pair.workspace, connection=pair.erp, list="gl_account", code="00-0000", number="00-0000",
        payload=b"{}", seen_at=clock.now(),
    )  # fmt: skip
    rest = robot.get(path, cursor=first["next"], limit=200).body
    assert [row["code"] for row in (*first["items"], *rest["items"])] == before


def test_a_cursor_is_good_for_its_own_list_and_filters_only(pair, robot):
    cursor = robot.get("/records", limit=1).body["next"]
    assert robot.get("/records", limit=2, cursor=cursor).status == 200
    for path, query in (
        ("/records", {"state": "confirmed"}),
        ("/problems", {}),
        ("/runs", {}),
        ("/audit", {}),
        ("/mappings", {}),
    ):
        said = robot.get(path, cursor=cursor, **query)
        assert said.status == 422 and said.body["errors"][0]["where"] == "query.cursor", path
    for nonsense in ("x", "AAAA", "W10", "%00", "é", "WyJhIiwgMV0"):
        assert robot.get("/records", cursor=nonsense).status == 422, nonsense


def test_the_size_of_a_page_has_limits(pair, robot):
    for limit in (0, -1, 201, "many"):
        said = robot.get("/records", limit=limit)
        assert said.status == 422 and said.body["errors"][0]["where"] == "query.limit"


def test_whoever_copies_the_trail_goes_on_where_it_stood(pair, robot):
    last = robot.all("/audit")[-1]["sequence"]
    assert robot.get("/audit", since=last).body == {"items": [], "next": None}
    add_problem(pair, "gl_account:1")
    assert [row["sequence"] for row in robot.get("/audit", since=last).body["items"]] == [last + 1]
