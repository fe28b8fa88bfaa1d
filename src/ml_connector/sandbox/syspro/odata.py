"""The OData 4.0 service: read only, HTTP Basic, at most 5000 rows an answer.

{root}/{company}/{table}?$filter=&$select=&$orderby=&$top=&$skip=. Entities are named as the SQL tables are. The e.net
session plays no part here. Everything else of OData ($count, $expand, $metadata) is not known to exist and refused.
"""

import base64
import binascii
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any
from urllib.parse import quote

from ml_connector.sandbox.http import Request, Response, encode
from ml_connector.sandbox.syspro.books import COMPANY_ID
from ml_connector.sandbox.syspro.definition import Column
from ml_connector.sandbox.syspro.odata_filter import BadQuery, column_named, condition, ordering
from ml_connector.sandbox.syspro.options import SysproOptions
from ml_connector.sandbox.syspro.table import Row, Table
from ml_connector.sandbox.syspro.view import View, view

PATH = "/SYSPRO8Odata/SYSPROOData"
KNOWN = frozenset({"$filter", "$select", "$orderby", "$top", "$skip", "$format"})
KEPT_RESULTS = 8
SERVER = ("Server", "Microsoft-IIS/10.0")


class Odata:
    """Results that are paged by $skip are kept until their table changes."""

    def __init__(
        self, tables: Callable[[], Mapping[str, Table]], user: str, password: str, options: SysproOptions
    ) -> None:
        self._tables = tables
        self._credentials = f"{user}:{password}"
        self._options = options
        self._results: OrderedDict[tuple[Any, ...], list[Row]] = OrderedDict()

    def handle(self, request: Request, root: str) -> Response:
        """`root` is the service root as the client wrote it."""
        if not self._is_authorised(request):
            challenge = ("WWW-Authenticate", 'Basic realm="SYSPRO OData"')
            return Response(401, b"", "text/html", [challenge, SERVER])
        if request.method != "GET":
            return error(405, "MethodNotAllowed", "The service is read only.")
        parts = request.path[len(PATH) :].strip("/").split("/")
        found = view(self._tables(), parts[1], self._options) if len(parts) == 2 else None
        if found is None or parts[0].upper() != COMPANY_ID:
            return error(404, "NotFound", f"Resource not found for the segment '{parts[-1]}'.")
        try:
            return self._read(found, dict(request.query), f"{root}/{parts[0]}")
        except BadQuery as refusal:
            return error(400, "BadRequest", str(refusal))

    def _is_authorised(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            return base64.b64decode(given, validate=True).decode() == self._credentials
        except (binascii.Error, UnicodeDecodeError):
            return False

    def _read(self, found: View, query: Mapping[str, str], root: str) -> Response:
        unknown = [name for name in query if name.startswith("$") and name not in KNOWN]
        if unknown:
            raise BadQuery(f"The query option '{unknown[0]}' is not supported.")
        names = self._selected(query.get("$select"), found)
        skip, top = _count(query, "$skip", 0), _count(query, "$top", None)
        cap = self._options.odata_page_cap
        limit = cap if top is None else min(top, cap)
        rows = self._rows(found, query, skip, limit)
        cut = len(rows) > limit and (top is None or top > cap)
        body: dict[str, Any] = {
            "@odata.context": f"{root}/$metadata#{found.name}",
            "value": self._shaped(rows[:limit], found, names),
        }
        if cut and self._options.odata_next_link:
            body["@odata.nextLink"] = _next_link(f"{root}/{found.name}", query, skip + limit, top, limit)
        headers = [("OData-Version", "4.0"), SERVER]
        return Response(200, encode(body), "application/json; odata.metadata=minimal", headers)

    def _selected(self, text: str | None, found: View) -> list[str]:
        if text is None or text.strip() in {"", "*"}:
            return list(found.columns)
        names = [name.strip() for name in text.split(",")]
        for name in names:
            column_named(name, found)
        return names

    def _rows(self, found: View, query: Mapping[str, str], skip: int, limit: int) -> Sequence[Row]:
        """The asked page and one row more, if there is one."""
        filter_text, order_text = query.get("$filter", ""), query.get("$orderby", "")
        style = self._options.odata_date_style
        wanted = condition(filter_text, found, style) if filter_text else None
        order = ordering(order_text, found) if order_text else []
        if not skip:
            return found.table.select(wanted, order, limit + 1)
        key = (found.name, found.table.version, filter_text, order_text, style, *found.columns)
        if key not in self._results:
            self._results[key] = found.table.select(wanted, order)
            if len(self._results) > KEPT_RESULTS:
                self._results.popitem(last=False)
        return self._results[key][skip : skip + limit + 1]

    def _shaped(self, rows: Sequence[Row], found: View, names: Sequence[str]) -> list[dict[str, Any]]:
        positions = [found.position(name) for name in names]
        if len(positions) == 1:
            shaped = [{names[0]: row[positions[0]]} for row in rows]
        else:
            pick = itemgetter(*positions)
            shaped = [dict(zip(names, pick(row), strict=True)) for row in rows]
        for name in names:
            form = _form(found.columns[name], padded=self._options.odata_padded_char)
            if form is not None:
                for row in shaped:
                    row[name] = form(row[name])
        return shaped


def error(status: int, code: str, message: str) -> Response:
    body = encode({"error": {"code": code, "message": message}})
    return Response(status, body, "application/json; odata.metadata=minimal", [("OData-Version", "4.0"), SERVER])


def _form(column: Column, *, padded: bool) -> Callable[[Any], Any] | None:
    """What a value still needs before it is JSON: dates and numbers need nothing."""
    if column.kind == "rowversion":
        return lambda value: base64.b64encode(value.to_bytes(8, "big")).decode()
    if column.kind == "char" and padded:
        return lambda value: value.ljust(column.width)
    return None


def _count(query: Mapping[str, str], name: str, default: Any) -> Any:
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit():
        raise BadQuery(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _next_link(url: str, query: Mapping[str, str], skip: int, top: int | None, served: int) -> str:
    onward = {name: value for name, value in query.items() if name not in {"$skip", "$top"}}
    onward["$skip"] = str(skip)
    if top is not None:
        onward["$top"] = str(top - served)
    return f"{url}?" + "&".join(f"{quote(name, safe='$')}={quote(value)}" for name, value in onward.items())
