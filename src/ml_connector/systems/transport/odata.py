"""Reading an OData 4 service: typed pages straight from the bytes, exact numbers, no row lost between pages.

A page is asked for by key (`the key is after the last row's`) wherever the order is a full key, so that rows put in
or taken out meanwhile move nothing; a next link, where the service offers one, then only says that more follow.
Without a full key the next link is followed on the service's own origin, else `$skip` counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from ml_connector.systems.base import AuthFailed, Refused, ShapeChanged, Throttled, Transient
from ml_connector.systems.transport.http import Answer, Http

__all__ = ["CAP", "DATE_STYLES", "Batch", "Literal", "Query", "Service", "literal", "raw_rows", "typed_rows"]

T = TypeVar("T")

CAP = 5_000
"""Rows that a request gives at most."""

DATE_STYLES = ("datetimeoffset", "date", "quoted")

Literal = str | int | Decimal | date

_SAFE = "(),'$:*/"
"""Left as they are in a query string: sub-delimiters that need no escape there."""

_TEXT_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Query:
    """The options of one request."""

    select: tuple[str, ...] = ()
    filter: str = ""
    orderby: tuple[str, ...] = ()
    top: int = 1_000
    skip: int = 0

    def text(self) -> str:
        """The query string, percent-encoded."""
        options = (
            ("$filter", self.filter),
            ("$select", ",".join(self.select)),
            ("$orderby", ",".join(self.orderby)),
            ("$top", str(min(self.top, CAP))),
            ("$skip", str(self.skip) if self.skip else ""),
        )
        return "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in options if value)


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """The rows of one answer and the bytes that they were decoded from."""

    rows: list[T]
    following: str | None
    """The next link, where the service offers one."""
    content: bytes


class Service:
    """One OData service, read with HTTP Basic credentials that are never shown."""

    def __init__(self, http: Http, root: str, authorization: str, label: str) -> None:
        self._http = http
        self.root = root.rstrip("/")
        self._headers = {"authorization": authorization, "accept": "application/json"}
        self._label = label

    def url(self, path: str, query: Query) -> str:
        return f"{self.root}/{path}?{query.text()}"

    def batch(self, url: str, decode: Callable[[bytes], tuple[list[T], str | None]], query: Query) -> Batch[T]:
        """One answer. `decode` gives its rows and next link; what it raises beyond a broken JSON travels on.

        Raises Transient for an answer that is cut off or no JSON.
        """
        answer = self._http.read("GET", url, headers=self._headers)
        if answer.status != 200:
            raise self._failure(answer, url, query)
        try:
            return Batch(*decode(answer.content), answer.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise answer.unclear("its content is cut off or no JSON") from None

    def pages(
        self,
        path: str,
        query: Query,
        decode: Callable[[bytes], tuple[list[T], str | None]],
        after: Callable[[T], str] | None = None,
    ) -> Iterator[Batch[T]]:
        """Answer after answer until the rows end.

        `after` gives the filter for what follows a row, everything of `query.filter` included; it needs an order
        that is a full key. A page shorter than asked for, without a next link, is the last one.
        """
        url = self.url(path, query)
        read = 0
        while True:
            batch = self.batch(url, decode, query)
            yield batch
            read += len(batch.rows)
            if not batch.rows or (len(batch.rows) < min(query.top, CAP) and not batch.following):
                return
            if after is not None:
                url = self.url(path, replace(query, filter=after(batch.rows[-1])))
            elif batch.following:
                url = self._own(batch.following)
            else:
                url = self.url(path, replace(query, skip=query.skip + read))

    def _own(self, link: str) -> str:
        """A next link, made absolute. Raises Refused where it leaves the service's origin."""
        url = urljoin(f"{self.root}/", link)
        if urlsplit(url)[:2] != urlsplit(self.root)[:2]:
            raise Refused("foreign_address", f"{self._label} gave a next link that leads to another server.")
        return url

    def _failure(self, answer: Answer, url: str, query: Query) -> Exception:
        table = urlsplit(url).path.rpartition("/")[2]
        if answer.status in {401, 403}:
            return AuthFailed(
                f"{self._label} refused the OData user ({answer.status}). Check user and OData password; a user "
                "that was just added is known only after the OData service was restarted."
            )
        if answer.status == 404:
            return ShapeChanged(
                table,
                f"{self._label} knows no table {table} (404). Check the service root and the company segment of the "
                "Connection, and that the OData user may see the table.",
            )
        if answer.status == 429:
            return Throttled(f"{self._label} asks to wait (429).")
        if answer.status >= 500:
            return answer.unclear("that is an error inside the service")
        said = _message(answer)
        column = next((name for name in query.select if _names(said, name)), None)
        if column is not None:
            return ShapeChanged(f"{table}.{column}", f"{self._label} refused column {column} of {table}: {said}")
        return Refused(f"odata_{answer.status}", f"{self._label} refused to read {table} ({answer.status}): {said}")


def literal(value: Literal, date_style: str) -> str:
    """A value as OData writes it in a filter. `date_style` is one of DATE_STYLES."""
    if isinstance(value, date):
        if date_style == "date":
            return value.isoformat()
        return f"'{value.isoformat()}'" if date_style == "quoted" else f"{value.isoformat()}T00:00:00Z"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def typed_rows(rows: type[T]) -> Callable[[bytes], tuple[list[T], str | None]]:
    """A decoder for answers whose rows are `rows`, a msgspec Struct; it raises msgspec.ValidationError."""
    envelope = msgspec.defstruct(
        f"Answer_{rows.__name__}",
        [("value", list[rows]), ("following", str | None, msgspec.field(name="@odata.nextLink", default=None))],  # type: ignore[valid-type]
        gc=False,
    )
    decode = msgspec.json.Decoder(envelope).decode

    def page(content: bytes) -> tuple[list[T], str | None]:
        answer: Any = decode(content)
        return answer.value, answer.following

    return page


def raw_rows(content: bytes) -> tuple[list[dict[str, Any]], str | None]:
    """The rows of an answer as mappings, their fractions as Decimal.

    Raises Transient for an error that came with status 200, ShapeChanged for anything else without rows.
    """
    answer = _RAW.decode(content)
    if isinstance(answer, dict) and "error" in answer and "value" not in answer:
        raise Transient(f"The OData service answered 200, but with an error: {_said(answer)}")
    rows = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ShapeChanged("value", "An OData answer holds no list of rows.")
    following = answer.get("@odata.nextLink")
    return rows, following if isinstance(following, str) else None


_RAW = msgspec.json.Decoder(float_hook=Decimal)


def _message(answer: Answer) -> str:
    """The service's own words, cut short; the status where it has none."""
    try:
        return _said(_RAW.decode(answer.content))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return f"status {answer.status}"


def _said(body: Any) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return str(message)[:_TEXT_LIMIT]


def _names(said: str, column: str) -> bool:
    return any(f"{quote_mark}{column}{quote_mark}" in said for quote_mark in ("'", '"', "`"))
