"""Records: the list and its search, one of them with its story, and its replay."""

from __future__ import annotations

from typing import Annotated

from django.http import Http404
from ninja import Query, Router

from ml_connector.api.v1.frame import Call, changes, reads
from ml_connector.api.v1.paging import SIZE, Cursor, Limit, Pages
from ml_connector.api.v1.shapes import Id, Page, Record, RecordDetail, Replayed
from ml_connector.jobs import schedule
from ml_connector.sync import control, replay
from ml_connector.sync.models import RunKind, State
from ml_connector.sync.queries.record_list import record_page
from ml_connector.sync.queries.record_page import record_view
from ml_connector.sync.queries.records import record_rows
from ml_connector.workspaces.roles import Permission

router = Router(tags=["Records"])

Search = Annotated[
    str,
    Query(
        max_length=120,
        description="A number or its beginning, a supplier's code or name, a key of either side, amount, due date.",
    ),
]


@reads(router, "/records", Page[Record])
def list_records(
    request: Call,
    workspace: str,
    q: Search = "",
    state: State | None = None,
    type: Annotated[str, Query(max_length=60)] = "",
    cursor: Cursor = "",
    limit: Limit = SIZE,
) -> object:
    """Documents of all Flows, the newest first."""
    pages = Pages(cursor, limit, "records", q, state, type)
    found = record_page(
        request.workspace,
        search=q.strip(),
        state=state or "",
        type_name=type,
        before=pages.after_number(),
        size=pages.at_most,
    )
    return pages.page(found.rows, lambda row: row.id)


@reads(router, "/records/{record}", RecordDetail)
def show_record(request: Call, workspace: str, record: Id) -> object:
    """One Record with its story, its write requests, and the document as each side holds it."""
    found = record_view(request.workspace, record)
    if found is None:
        raise Http404
    return {
        "record": found.story.record,
        "supplier": found.supplier,
        "events": found.story.events,
        "fields": found.fields,
        "attempts": found.attempts,
        "replayable": found.replayable,
    }


@changes(router, "/records/{record}/replay", Replayed, Permission.SOLVE)
def replay_record(request: Call, workspace: str, record: Id) -> object:
    """Has the Record judged with today's mappings and, where needed, sent again. Never makes a second document."""
    if next(record_rows(request.workspace, ids=[record]), None) is None:
        raise Http404
    said = replay.replay(request.workspace, [record], request.actor)
    schedule.wake([flow.pk for flow in control.flows_of_records(request.workspace, [record])], RunKind.PUSH)
    return {"text": said[record], "record": next(record_rows(request.workspace, ids=[record]))}
