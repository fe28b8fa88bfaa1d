"""GET: collections with their query options and pages, one row, one property, counts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.sapb1 import query
from ml_connector.sandbox.sapb1.addresses import Address
from ml_connector.sandbox.sapb1.books import Books
from ml_connector.sandbox.sapb1.errors import Refused, bad_query, no_match
from ml_connector.sandbox.sapb1.output import PROTOCOL, Shown, answer, context, etag, tag
from ml_connector.sandbox.sapb1.schema import NAVIGATION, SETS, Type
from ml_connector.sandbox.standin import Row

COUNTING = {"v1": "$inlinecount", "v2": "$count"}
KNOWN = frozenset({"$filter", "$select", "$orderby", "$top", "$skip", "$expand", "$format"})
_expansion = re.compile(r"\s*(\w+)(?:\(\$select=([\w, ]+)\))?\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a read asks for."""

    select: list[str] | None
    expand: dict[str, list[str] | None]
    skip: int
    top: int | None
    page: int
    """0 for no pages."""
    applied: str | None
    """What Preference-Applied says."""


class Reads:
    def __init__(self, books: Books) -> None:
        self._books = books

    def collection(self, request: Request, address: Address, root: str) -> Response:
        type_ = self._books.type_of(address.name)
        options = self._options(request, address)
        asked = self._asked(request, options, type_)
        rows = self._matching(address.name, options, type_, request)
        order = options.get("$orderby")
        if order:
            query.in_order(rows, query.ordering(order, type_), type_)
        wanted = rows[asked.skip :] if asked.top is None else rows[asked.skip : asked.skip + asked.top]
        page = wanted[: asked.page] if asked.page else wanted
        body: Row = {context(address.version): f"{root}/$metadata#{address.name}"}
        if self._counts(options, address):
            as_text = address.version == "v1" or self._books.options.count_as_text
            body[tag("count", address.version)] = str(len(rows)) if as_text else len(rows)
        shown = self.shown(address)
        body["value"] = [self._row(address, type_, row, asked, shown) for row in page]
        # A page that is just full has a next link too, even when it was the last: the next one is empty.
        if asked.page and len(page) == asked.page and (asked.top is None or asked.top > asked.page):
            body[tag("nextLink", address.version)] = self._next_link(address, options, asked)
        headers = [("Preference-Applied", asked.applied)] if asked.applied else []
        return answer(body, address.version, headers=headers)

    def count(self, request: Request, address: Address) -> Response:
        options = self._options(request, address)
        rows = self._matching(address.name, options, self._books.type_of(address.name), request)
        return Response.text(str(len(rows)), content_type="text/plain;charset=utf-8")

    def one(self, request: Request, address: Address, root: str) -> Response:
        type_ = self._books.type_of(address.name)
        row = self.find(address, type_)
        asked = self._asked(request, self._options(request, address), type_)
        version_tag = etag(address.name, self._books.key(address.name, row), row)
        headers = [("ETag", version_tag)] if version_tag else []
        return answer(self.whole(address, row, root, asked), address.version, headers=headers)

    def property(self, address: Address, root: str) -> Response:
        """`/DocTotal`, or `/DocTotal/$value` for the bare text."""
        type_ = self._books.type_of(address.name)
        row = self.find(address, type_)
        name, _, raw = address.rest.partition("/")
        property_ = type_.properties.get(name)
        if property_ is None or raw not in ("", "$value"):
            raise bad_query(f"Property '{name}' is invalid")
        value = self.shown(address).value(property_, row.get(name, property_.default))
        if raw:
            if value is None:
                raise no_match()
            return Response.text(str(value), content_type="text/plain;charset=utf-8")
        shape = f"{root}/$metadata#{address.name}"
        return answer({context(address.version): shape, "value": value}, address.version)

    def find(self, address: Address, type_: Type) -> Row:
        row = self._books.tables[address.name].get(address.key(type_))
        if row is None:
            raise no_match()
        return row

    def whole(self, address: Address, row: Row, root: str, asked: Asked | None = None) -> Row:
        """One row as a body of its own."""
        suffix = "@Element" if address.version == "v1" else "$entity"
        shape = {context(address.version): f"{root}/$metadata#{address.name}/{suffix}"}
        return shape | self._row(address, self._books.type_of(address.name), row, asked, self.shown(address))

    def shown(self, address: Address) -> Shown:
        options = self._books.options
        return Shown(
            self._books.schema,
            address.version,
            self._books.lacks,
            minute_times=options.minute_times,
        )

    def _row(self, address: Address, type_: Type, row: Row, asked: Asked | None, shown: Shown) -> Row:
        version_tag = etag(address.name, self._books.key(address.name, row), row)
        shaped: Row = {tag("etag", address.version): version_tag} if version_tag else {}
        shaped |= shown.row(type_, row, asked.select if asked else None)
        for name, select in (asked.expand if asked else {}).items():
            set_name, foreign_key = NAVIGATION[type_.name, name]
            other = self._books.tables[set_name].get(row.get(foreign_key))
            other_type = self._books.type_of(set_name)
            shaped[name] = None if other is None else shown.row(other_type, other, select)
        return shaped

    def _options(self, request: Request, address: Address) -> Mapping[str, str]:
        options = {name: value for name, value in request.query if name.startswith("$")}
        unknown = [name for name in options if name not in KNOWN and name != COUNTING[address.version]]
        if unknown:
            raise bad_query(f"Query string error - Invalid query option '{unknown[0]}'")
        return options

    def _matching(self, set_name: str, options: Mapping[str, str], type_: Type, request: Request) -> list[Row]:
        rows = self._books.rows(set_name)
        text = options.get("$filter")
        if not text:
            return rows
        folded = (
            self._books.options.case_insensitive or request.headers.get("b1s-caseinsensitive", "").lower() == "true"
        )
        passes = query.condition(text, type_, ignore_case=folded, minute_times=self._books.options.minute_times)
        return [row for row in rows if passes(row)]

    def _asked(self, request: Request, options: Mapping[str, str], type_: Type) -> Asked:
        page, applied = self._page(request)
        return Asked(
            select=_selected(options.get("$select"), type_),
            expand=self._expansions(options.get("$expand"), type_),
            skip=_number(options, "$skip") or 0,
            top=_number(options, "$top"),
            page=page,
            applied=applied,
        )

    def _page(self, request: Request) -> tuple[int, str | None]:
        wishes = request.headers.get("prefer", "")
        for wish in wishes.replace(";", ",").split(","):
            name, _, value = wish.strip().partition("=")
            if name.lower() == "odata.maxpagesize" and value.strip().isdigit():
                return int(value), f"odata.maxpagesize={value.strip()}"
        size = request.headers.get("b1s-pagesize", "").strip()
        return (int(size) if size.isdigit() else self._books.options.page_size), None

    def _expansions(self, text: str | None, type_: Type) -> dict[str, list[str] | None]:
        """`BusinessPartner($select=CardName)`: navigation properties only."""
        found: dict[str, list[str] | None] = {}
        position = 0
        while text and position < len(text):
            match = _expansion.match(text, position)
            target = NAVIGATION.get((type_.name, match[1])) if match else None
            if match is None or target is None:
                raise bad_query("Cannot expand invalid navigation property")
            found[match[1]] = _selected(match[2], self._books.schema.of(target[0]))
            position = match.end()
        return found

    def _counts(self, options: Mapping[str, str], address: Address) -> bool:
        wish = options.get(COUNTING[address.version])
        yes, no = ("allpages", "none") if address.version == "v1" else ("true", "false")
        if wish not in (None, yes, no):
            raise bad_query(f"Query string error - Invalid value '{wish}' of {COUNTING[address.version]}")
        return wish == yes

    def _next_link(self, address: Address, options: Mapping[str, str], asked: Asked) -> str:
        onward = {name: value for name, value in options.items() if name not in ("$skip", "$top")}
        if asked.top is not None:
            onward["$top"] = str(asked.top - asked.page)
        onward["$skip"] = str(asked.skip + asked.page)
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in onward.items())
        before = "" if self._books.options.next_link == "relative" else f"/b1s/{address.version}/"
        return f"{before}{address.name}?{text}"


def metadata_answer(text: str, address: Address) -> Response:
    return Response(200, text.encode(), "application/xml;charset=utf-8", [PROTOCOL[address.version]])


def _selected(text: str | None, type_: Type) -> list[str] | None:
    """Known names in the asked order; lists only as a whole. Raises Refused."""
    if text is None or text.strip() in ("", "*"):
        return None
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in type_.properties:
            raise bad_query(f"Property '{name}' is invalid")
    return names


def _number(options: Mapping[str, str], name: str) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise bad_query(f"Query string error - Invalid value '{text}' of {name}")
    return int(text)


def check_set(set_name: str, status: int) -> None:
    """Raises Refused for a set that does not exist."""
    if set_name not in SETS:
        raise Refused(status, -1, "Service Not Found")


def wanted_tag(request: Request) -> str | None:
    """The If-Match header, when it names a version."""
    value: Any = request.headers.get("if-match")
    return None if value in (None, "*") else str(value)
