"""The collections that a customer posts: vendors, accounts, orders and the rest.

POST takes an array and overwrites whole records by `externalCode`; PATCH changes what is sent, a null being not sent;
there is no PUT. DELETE only removes the API's copy. What the answer says is that the request follows the contract;
what P2P makes of it comes later (see processing).
"""

from collections.abc import Callable, Iterator
from typing import Any

from ml_connector.sandbox.basware.calls import Call, Handler, Routes
from ml_connector.sandbox.basware.errors import CONFLICT, MISMATCH, SCHEMA, Error, Refused, no_rows, parameter
from ml_connector.sandbox.basware.incoming import Reader, body_of, entity_of, instant, value_of
from ml_connector.sandbox.basware.kinds import KINDS, LINES, LIST_KEYS, ORDERS, VENDORS, Kind
from ml_connector.sandbox.basware.listing import Lister, Query
from ml_connector.sandbox.basware.options import BaswareOptions
from ml_connector.sandbox.basware.output import rendered, stamp
from ml_connector.sandbox.basware.p2p import P2P
from ml_connector.sandbox.basware.processing import Processing
from ml_connector.sandbox.basware.tables import Table
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Response
from ml_connector.sandbox.standin import BadInput, Row

LIST_KEY = "listKey"


class Masters:
    """The API's own copy of every collection."""

    def __init__(self, p2p: P2P, processing: Processing, lister: Lister, options: BaswareOptions, clock: Clock) -> None:
        self._p2p = p2p
        self._processing = processing
        self._lister = lister
        self._options = options
        self._clock = clock
        self.tables = {name: Table() for name in KINDS}

    def add_routes(self, routes: Routes) -> None:
        for kind in KINDS.values():
            base = f"/v{kind.version}/{kind.name}" + ("/{listKey}" if kind.keyed else "")
            routes.add(f"GET {base}", f"{kind.name}.read", self._of(kind, self._list))
            routes.add(f"POST {base}", f"{kind.name}.write", self._of(kind, self._post))
            routes.add(f"DELETE {base}", f"{kind.name}.delete", self._of(kind, self._delete))
            routes.add(f"GET {base}/{{id}}", f"{kind.name}.read", self._of(kind, self._get))
            routes.add(f"PATCH {base}/{{id}}", f"{kind.name}.write", self._of(kind, self._patch))

    # --- reading -------------------------------------------------------------------------------------------

    def _list(self, kind: Kind, call: Call) -> Response:
        query = call.query
        tests = [self._lister.since(query), *_filters(kind, call)]
        size = query.page_size(kind.page, kind.most)
        rows = self.tables[kind.name].numbered()
        page = self._lister.page(rows, call.request, lambda row: all(test(row) for test in tests), size)
        shown = [rendered(kind.entity, row, self._options) for row in page.rows]
        body = shown if kind.name in self._options.bare_lists else {kind.list_key: shown}
        return Response.json(body, headers=page.headers)

    def _get(self, kind: Kind, call: Call) -> Response:
        row = self.tables[kind.name].get(_key(kind, call, call.ids[-1]))
        if row is None:
            raise no_rows()
        return Response.json(rendered(kind.entity, row, self._options))

    # --- writing -------------------------------------------------------------------------------------------

    def _post(self, kind: Kind, call: Call) -> Response:
        body = body_of(call.request)
        if not isinstance(body, list) or not body:
            raise Refused(400, Error(SCHEMA, "The body must be an array with at least one record."))
        if len(body) > kind.batch:
            raise Refused(400, Error(SCHEMA, f"At most {kind.batch} records can be posted in one request."))
        rows, errors = self._read(kind, body)
        twice = _repeated([row["externalCode"] for row in rows])
        if twice:
            raise Refused(409, *(Error(CONFLICT, "The record is given twice.", self._named(code)) for code in twice))
        if errors and (self._options.batch == "whole" or not rows):
            raise Refused(400, *errors)
        stored = [self._store(kind, call, row) for row in rows]
        self._submit(kind, call, stored)
        if errors:
            raise Refused(400, *errors)
        return Response.json([rendered(kind.entity, row, self._options) for row in stored])

    def _patch(self, kind: Kind, call: Call) -> Response:
        key = _key(kind, call, call.ids[-1])
        known = self.tables[kind.name].get(key)
        if known is None:
            raise no_rows()
        changes = entity_of(call.request, kind.entity, self._options.unknown_fields, partial=True)
        code = known["externalCode"]
        if changes.get("externalCode", code) != code:
            text = f"The body's externalCode is {changes['externalCode']}, that of the path {code}."
            raise Refused(400, Error(MISMATCH, text, code))
        stored = self._store(kind, call, {**known, **changes})
        self._submit(kind, call, [stored])
        return Response.json(rendered(kind.entity, stored, self._options))

    def _delete(self, kind: Kind, call: Call) -> Response:
        """One record at once, or all that were updated after an instant as a task."""
        asked = entity_of(call.request, "DeleteRequest", self._options.unknown_fields)
        table = self.tables[kind.name]
        if "externalCode" in asked:
            key = _key(kind, call, asked["externalCode"])
            if key not in table:
                raise Refused(400, Error(SCHEMA, "The record does not exist.", asked["externalCode"]))
            table.remove(key)
            return Response.json({"taskName": f"Delete {kind.name}", "taskStatus": "Completed"})
        since = instant(asked["lastUpdated"]) if "lastUpdated" in asked else None
        if since is None:
            raise Refused(400, Error(SCHEMA, "externalCode or lastUpdated is required."))
        for row in list(table):
            updated = instant(row["lastUpdated"])
            if updated is not None and updated > since and row.get(LIST_KEY) == _list_key(kind, call):
                table.remove(_key(kind, call, row["externalCode"]))
        link = f"/v1/requestStatus/{call.request_id}"
        body = {"statusApiLink": link, "taskName": f"Delete {kind.name}", "taskStatus": "InProgress"}
        return Response.json(body, 202)

    def _read(self, kind: Kind, body: list[Any]) -> tuple[list[Row], list[Error]]:
        rows, errors = [], []
        for given in body:
            reader = Reader(self._options.unknown_fields)
            row = reader.entity(kind.entity, given)
            if reader.wrong:
                code = value_of(given, "externalCode") if isinstance(given, dict) else None
                name = self._named(code) if isinstance(code, str) else None
                errors += [Error(SCHEMA, text, name) for text in reader.wrong]
            else:
                rows.append(row)
        return rows, errors

    def _named(self, code: str) -> str | None:
        return code if self._options.names_wrong_records else None

    def _store(self, kind: Kind, call: Call, row: Row) -> Row:
        stored = {**row, "lastUpdated": stamp(self._clock.now())}
        if kind.keyed:
            stored[LIST_KEY] = call.ids[0]
        self.tables[kind.name].put(_key(kind, call, row["externalCode"]), stored)
        return stored

    def _submit(self, kind: Kind, call: Call, rows: list[Row]) -> None:
        keyed = [(_key(kind, call, row["externalCode"]), row) for row in rows]
        operation, list_key = call.request.method, _list_key(kind, call)
        self._processing.submit(call.request_id, kind, keyed, operation, call.by, list_key)

    def _of(self, kind: Kind, handler: Callable[[Kind, Call], Response]) -> Handler:
        def handle(call: Call) -> Response:
            if kind.keyed and call.ids[0] not in LIST_KEYS:
                raise parameter(f"listKey {call.ids[0]} is not a known list.")
            return handler(kind, call)

        return handle

    # --- the control side ----------------------------------------------------------------------------------

    def edit(self, kind: Kind, given: Row) -> Row:
        """What a person does in P2P: the record there changes, and the API's copy where the site shows it.

        A record that P2P does not have is entered there, past every check. Raises BadInput.
        """
        code = given.get("externalCode")
        if not isinstance(code, str) or not code:
            raise BadInput(f"{kind.name}: a row needs externalCode")
        list_key = given.get(LIST_KEY)
        if kind.keyed and list_key not in LIST_KEYS:
            raise BadInput(f"{kind.name}: a row needs listKey, such as ACC_LIST_1")
        key = f"{list_key}/{code}" if kind.keyed else code
        inside, outside = self._p2p.records[kind.name], self.tables[kind.name]
        if given.get("_delete") is True:
            inside.remove(key)
            outside.remove(key)
            return given
        fields = {name: value for name, value in given.items() if name != LIST_KEY}
        merged = {**(inside.get(key) or outside.get(key) or {}), **fields}
        merged.pop(LIST_KEY, None)
        merged = {name: value for name, value in merged.items() if value is not None}
        reader = Reader("reject")
        row = reader.entity(kind.entity, merged, trusted=True)
        if reader.wrong:
            raise BadInput(f"{kind.name} {code}: {'; '.join(reader.wrong)}")
        row["lastUpdated"] = given.get("lastUpdated") or stamp(self._clock.now())
        if kind.keyed:
            row[LIST_KEY] = list_key
        inside.put(key, row)
        if key not in outside or kind is not VENDORS or self._options.vendor_edits == "shown":
            outside.put(key, dict(row))
        return row

    def redistribute(self, kind: Kind, codes: list[str], request_id: str) -> None:
        """Sends the API's copies to P2P again, as Basware does on request. Raises BadInput."""
        table = self.tables[kind.name]
        rows = [(key, row) for key, row in ((code, table.get(code)) for code in codes) if row is not None]
        if len(rows) < len(codes):
            raise BadInput(f"{kind.name}: not all of {', '.join(codes)} are stored")
        self._processing.forget(kind, codes)
        self._processing.submit(request_id, kind, rows, "REDISTRIBUTE", "basware")


def _filters(kind: Kind, call: Call) -> Iterator[Callable[[Row], bool]]:
    query: Query = call.query
    if kind is LINES:
        order = query.text("orderExternalCode")
        if order is None:
            raise parameter("orderExternalCode is required.")
        yield lambda row: row["orderExternalCode"] == order
    if kind is ORDERS:
        status = query.choice("orderStatus", ("Open", "Closed"))
        if status is not None:
            yield lambda row: bool(row.get("isClosed")) == (status == "Closed")
    if kind.keyed:
        yield lambda row: row[LIST_KEY] == call.ids[0]
    company = query.text("companyCode") if kind.by_company else None
    if company is not None:
        yield lambda row: company in {row.get("companyCode"), *(one["companyCode"] for one in row.get("companies", []))}


def _key(kind: Kind, call: Call, code: str) -> str:
    return f"{call.ids[0]}/{code}" if kind.keyed else code


def _list_key(kind: Kind, call: Call) -> str | None:
    return call.ids[0] if kind.keyed else None


def _repeated(codes: list[str]) -> list[str]:
    return sorted({code for code in codes if codes.count(code) > 1})
