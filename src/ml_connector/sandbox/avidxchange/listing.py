"""Lists: filters, pages, links, and the forms in which rows and results come."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from ml_connector.sandbox.avidxchange.books import Books, Wrong
from ml_connector.sandbox.avidxchange.contract import Call
from ml_connector.sandbox.avidxchange.faults import Refused
from ml_connector.sandbox.avidxchange.places import put
from ml_connector.sandbox.http import Request
from ml_connector.sandbox.standin import Row

PAGE_SIZE = 100
FILTERS = ("from", "to", "ids", "external_ids", "run")


class Listing:
    def __init__(self, books: Books) -> None:
        self._books = books
        self._options = books.options
        self._contract = books.wire.contract

    def check(self, name: str, call: Call, request: Request) -> dict[str, str]:
        """The parameters by our names. Raises Refused for one that is not known, or when none filters."""
        ours = {theirs: own for own, theirs in call.takes.items()}
        company = self._contract.access.company
        given: dict[str, str] = {}
        for theirs, value in request.query:
            if theirs in ours:
                given[ours[theirs]] = value
            elif self._options.unknown_parameters == "reject" and (company.place, company.name) != ("query", theirs):
                raise Refused(400, "UnknownParameter", f"The parameter {theirs} is not known here.")
        if name in self._options.filter_needed and not any(given.get(one) for one in FILTERS):
            raise Refused(400, "FilterRequired", "At least one filter is required.")
        return given

    def filtered(self, rows: Iterable[Row], given: Mapping[str, str], *, stamp: str = "modified") -> list[Row]:
        """The rows that the filters let through. Days are whole, the last one included. Raises Refused."""
        first, last = self._window(given)
        ids = _several(given.get("ids"))
        keys = _several(given.get("external_ids"))
        run = given.get("run")
        return [
            row
            for row in rows
            if (first is None or row[stamp][:10] >= first)
            and (last is None or row[stamp][:10] <= last)
            and (ids is None or str(row["id"]) in ids)
            and (keys is None or row.get("external_id", row.get("code")) in keys)
            and (run is None or row["run"] == run)
        ]

    def page(
        self,
        call: Call,
        request: Request,
        given: Mapping[str, str],
        rows: list[Row],
        prepared: Callable[[Row], Row] = dict,
        record: str = "",
    ) -> Row:
        """One page of rows as a body, each as `prepared`; of the call's record unless another is named.

        Raises Refused for a page that cannot be asked for.
        """
        number = _count(call, given, "page", 1)
        size = min(_count(call, given, "size", PAGE_SIZE), self._options.largest_page)
        pages = max(1, -(-len(rows) // size))
        here = rows[(number - 1) * size : number * size]
        body: Row = {}
        shown = [self._books.wire.show(record or call.record, prepared(row)) for row in here]
        put(body, self._contract.answers.items, self.one_or_more(shown))
        if pages > 1 or self._options.paging == "always":
            names = self._contract.answers.page
            put(body, names.number, number)
            put(body, names.size, size)
            put(body, getattr(names, self._options.page_count), pages)
            put(body, names.here, len(here))
            put(body, names.total, len(rows))
            put(body, names.links, self._links(call, request, number, pages))
        return body

    def single(self, record: str, row: Row) -> Any:
        body: Row = {}
        shown = self._books.wire.show(record, row)
        match self._options.single:
            case "item":
                put(body, self._contract.answers.item, shown)
            case "items":
                put(body, self._contract.answers.items, [shown])
            case "bare":
                return shown
        return body

    def one_or_more(self, several: list[Any]) -> Any:
        return several[0] if self._options.one_as_object and len(several) == 1 else several

    def results(self, record: str, outcomes: list[Row | Wrong]) -> Row:
        """What became of each record of a write, in order; the status of the answer says nothing about it."""
        names = self._contract.answers
        results: list[Row] = []
        for outcome in outcomes:
            result: Row = {}
            good = not isinstance(outcome, Wrong)
            item = None if isinstance(outcome, Wrong) else self._books.wire.show(record, outcome)
            texts = [(outcome.code, text) for text in outcome.texts] if isinstance(outcome, Wrong) else []
            put(result, names.good, str(good).lower() if self._options.text_flags else good)
            put(result, names.result_item, item)
            errors = [{names.error_code: code, names.error_text: text} for code, text in texts]
            put(result, names.errors, self.one_or_more(errors))
            results.append(result)
        body: Row = {}
        put(body, names.results, self.one_or_more(results))
        return body

    def link(self, path: str, query: Mapping[str, str] | None = None) -> str | None:
        """A link to a path below the root, in the form of the option."""
        if self._options.links == "none":
            return None
        root = self._contract.root if self._options.links == "path" else ""
        return f"{root}{path}" + (f"?{urlencode(query)}" if query else "")

    def _links(self, call: Call, request: Request, number: int, pages: int) -> list[Row]:
        names = self._contract.answers.page
        wanted = [(names.first, 1)] + ([(names.next, number + 1)] if number < pages else [])
        links: list[Row] = []
        for relation, page in wanted:
            query = {**dict(request.query), call.takes["page"]: str(page)}
            address = self.link(request.path.removeprefix(self._contract.root), query)
            if address is not None:
                links.append({names.relation: relation, names.address: address})
        return links

    def _window(self, given: Mapping[str, str]) -> tuple[str | None, str | None]:
        first, last = (_day(given.get(name)) for name in ("from", "to"))
        if first is not None and self._options.window_days:
            end = last or self._books.today()
            if (end - first).days > self._options.window_days:
                raise Refused(400, "WindowTooLong", f"A window may have at most {self._options.window_days} days.")
        if first is not None and last is not None and last < first:
            raise Refused(400, "WindowReversed", "The window ends before it begins.")
        return (None if first is None else first.isoformat()), (None if last is None else last.isoformat())


def _several(text: str | None) -> set[str] | None:
    return None if text is None else {one.strip() for one in text.split(",")}


def _day(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise Refused(400, "BadDate", f"{text} is no date, YYYY-MM-DD.")
    return day


def _count(call: Call, given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise Refused(400, "BadPage", f"{call.takes[name]} must be a number from 1, not {text}.")
    return int(text)
