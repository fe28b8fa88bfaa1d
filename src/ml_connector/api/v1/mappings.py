"""Mappings and code lists. A new version is published on the one that it was made on, and on no other."""

from __future__ import annotations

import re
from typing import Annotated

from django.http import Http404, HttpResponse
from ninja import Header, Router

from ml_connector.api.v1.failures import Failure
from ml_connector.api.v1.frame import Call, changes, reads
from ml_connector.api.v1.paging import SIZE, Cursor, Limit, Pages
from ml_connector.api.v1.shapes import (
    CodeList,
    Entry,
    Id,
    ListedCode,
    Mapping,
    Name,
    Page,
    Publication,
    Published,
    Version,
)
from ml_connector.sync import mappings, second_person
from ml_connector.sync.mapping_checks import MappingRefused
from ml_connector.sync.models import Approval, Connection, Integration
from ml_connector.sync.queries.code_lists import code_lists, code_rows
from ml_connector.sync.queries.mapping_page import mapping_list, mapping_row
from ml_connector.workspaces.roles import Permission

router = Router(tags=["Mappings"])

MAPPING = "/mappings/{integration}/{name}"
_ETAG = re.compile(r'"(\d{1,9})"')


@reads(router, "/mappings", Page[Mapping])
def list_mappings(request: Call, workspace: str, cursor: Cursor = "", limit: Limit = SIZE) -> object:
    """The Mappings of all Integrations."""
    pages = Pages(cursor, limit, "mappings")
    return pages.slice(mapping_list(request.workspace), lambda row: f"{row.integration} {row.name}")


@reads(router, MAPPING, Mapping)
def show_mapping(request: Call, response: HttpResponse, workspace: str, integration: Name, name: Name) -> object:
    """One Mapping. Its ETag is the version that a publication is made on."""
    row = _integration(request, integration, name)
    found = mapping_row(row, name)
    response["ETag"] = f'"{found.version}"'
    return found


@reads(router, f"{MAPPING}/entries", Page[Entry])
def list_mapping_entries(
    request: Call, workspace: str, integration: Name, name: Name, cursor: Cursor = "", limit: Limit = SIZE
) -> object:
    """The codes of the source with their targets, also those without one, in the order of the source's codes."""
    pages = Pages(cursor, limit, "entries", integration, name)
    row = _integration(request, integration, name)
    return pages.slice(mappings.entries(row, name), lambda entry: entry.source)


@reads(router, f"{MAPPING}/versions", Page[Version])
def list_mapping_versions(
    request: Call, workspace: str, integration: Name, name: Name, cursor: Cursor = "", limit: Limit = SIZE
) -> object:
    """What was published, the newest first."""
    pages = Pages(cursor, limit, "versions", integration, name)
    before = pages.after_number()
    found = mappings.history(_integration(request, integration, name), name)
    rows = [version for version in found if before is None or version.number < before]
    return pages.page(rows[: pages.at_most], lambda version: version.number)


@changes(router, f"{MAPPING}/versions", Published, Permission.MAP, status=201)
def publish_mapping(
    request: Call,
    response: HttpResponse,
    workspace: str,
    integration: Name,
    name: Name,
    body: Publication,
    if_match: Annotated[str, Header(alias="If-Match", description="ETag of the Mapping.", max_length=40)] = "",
) -> object:
    """Publishes one new version: all of the changes or none. What waits for these codes follows by itself. Where
    somebody else in the Workspace may approve, it is only asked for."""
    row = _integration(request, integration, name)
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        text = f"Mapping {name}: the request does not say which version its changes were made on."
        raise Failure("version-wanted", text, 'Read the mapping, and send its ETag: If-Match: "3"')
    if not body.entries:
        text = "No entries were sent. Nothing was published."
        raise Failure("fields", text, "", [{"where": "body.entries", "text": "is empty"}])
    made = second_person.publish_mapping(
        row, name, dict(body.entries), request.actor, body.reason, body.effective_from, after=int(found[1])
    )
    if isinstance(made, Approval):
        return {"version": None, "waits_for_second_person": True}
    response["ETag"] = f'"{made.number}"'
    return {"version": made, "waits_for_second_person": False}


@reads(router, "/code-lists", Page[CodeList])
def list_code_lists(request: Call, workspace: str, cursor: Cursor = "", limit: Limit = SIZE) -> object:
    """The code lists that were read of each Connection."""
    pages = Pages(cursor, limit, "code lists")
    return pages.slice(code_lists(request.workspace), lambda row: f"{row.connection} {row.list}")


@reads(router, "/connections/{connection}/codes/{list_name}", Page[ListedCode])
def list_codes(
    request: Call, workspace: str, connection: Id, list_name: Name, cursor: Cursor = "", limit: Limit = SIZE
) -> object:
    """The codes of one list of a Connection, as last read."""
    pages = Pages(cursor, limit, "codes", connection, list_name)
    row = Connection.objects.of(request.workspace).filter(pk=connection).first()
    if row is None:
        raise Http404
    found = code_rows(row, list_name, after=pages.after_text(), at_most=pages.at_most)
    return pages.page(found, lambda code: code.code)


def _integration(request: Call, name: str, mapping: str) -> Integration:
    """The Integration, where it has such a Mapping."""
    rows = Integration.objects.of(request.workspace).select_related("workspace", "erp", "platform")
    row = rows.filter(name=name).first()
    if row is None:
        raise Http404
    try:
        mappings.spec_of(row, mapping)
    except MappingRefused as refused:
        raise Failure("not-found", str(refused)) from None
    return row
