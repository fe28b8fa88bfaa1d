"""Lists: page size, filters by company and stamp, and continuation tokens in headers.

Basware: a token comes in a header of the answer when more rows exist and goes back in a header of the same name with
the same parameters; a page may be shorter than asked for; a list without rows is 404.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ml_connector.sandbox.basware.errors import no_rows, parameter
from ml_connector.sandbox.basware.incoming import instant
from ml_connector.sandbox.basware.options import BaswareOptions
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import BadJson, Request, decode, encode
from ml_connector.sandbox.standin import Row

TOKEN = "x-amz-meta-continuationtoken"  # noqa: S105 (the name of a header)
TOKEN_AS_SENT = "X-amz-meta-continuationToken"  # noqa: S105


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    token: str | None

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [] if self.token is None else [(TOKEN_AS_SENT, self.token)]


class Query:
    """The query parameters of a request; their names are compared without regard to case, unknown ones are ignored."""

    def __init__(self, request: Request) -> None:
        self._values = {name.lower(): value for name, value in reversed(request.query)}

    def text(self, name: str) -> str | None:
        """The value, None when it is absent or empty."""
        return self._values.get(name.lower()) or None

    def choice(self, name: str, known: Iterable[str]) -> str | None:
        """One of the known values, in their spelling. Raises Refused."""
        given = self.text(name)
        if given is None:
            return None
        for value in known:
            if value.lower() == given.lower():
                return value
        raise parameter(f"{name} {given!r} is not a known value.")

    def instant(self, name: str) -> dt.datetime | None:
        """Raises Refused when the value is no date."""
        given = self.text(name)
        if given is None:
            return None
        # A plus sign of an offset that was not escaped arrives as a blank.
        moment = instant(given.replace(" ", "+") if given.count("T") and " " in given else given)
        if moment is None:
            raise parameter(f"{name} {given!r} is not a date and time.")
        return moment

    def flag(self, name: str) -> bool:
        return self.choice(name, ("true", "false")) == "true"

    def page_size(self, default: int, most: int) -> int:
        given = self.text("pageSize")
        if given is None:
            return default
        if not given.isdecimal() or not 1 <= int(given) <= most:
            raise parameter(f"pageSize must be from 1 to {most}, not {given}.")
        return int(given)


class Lister:
    """Cuts what is asked for into pages."""

    def __init__(self, options: BaswareOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock

    def page(
        self,
        rows: Iterable[tuple[int, Row]],
        request: Request,
        wanted: Callable[[Row], bool],
        size: int,
        weight: Callable[[Row], int] = lambda row: 0,
    ) -> Page:
        """The next page of the numbered rows that are wanted. Raises Refused: 404 when there are none at all.

        `weight` makes a page end early when its rows together weigh more than the site's `rows_in_page`.
        """
        start = self._start(request)
        found = [(number, row) for number, row in rows if wanted(row)]
        if self._options.page_tokens == "offset":
            rest = [(position, row) for position, (_, row) in enumerate(found, 1) if position > start]
        else:
            rest = [(number, row) for number, row in found if number > start]
        if not rest:
            raise no_rows()
        taken = [rest[0]]
        heavy = weight(rest[0][1])
        for number, row in rest[1:size]:
            heavy += weight(row)
            if heavy > self._options.rows_in_page:
                break
            taken.append((number, row))
        more = len(taken) < len(rest)
        return Page([row for _, row in taken], self._token(request, taken[-1][0]) if more else None)

    def since(self, query: Query) -> Callable[[Row], bool]:
        """Whether a row was updated after the query's `lastUpdated`."""
        since = query.instant("lastUpdated")
        if since is None:
            return lambda row: True
        after = self._options.last_updated == "after"

        def newer(row: Row) -> bool:
            moment = instant(row["lastUpdated"])
            assert moment is not None
            return moment > since if after else moment >= since

        return newer

    def _token(self, request: Request, position: int) -> str:
        content = {"of": _question(request), "after": position, "at": self._clock.now().timestamp()}
        return base64.urlsafe_b64encode(encode(content)).decode()

    def _start(self, request: Request) -> int:
        given = request.headers.get(TOKEN)
        if given is None:
            return 0
        content = _read(given)
        if content is None or content.get("of") != _question(request):
            raise parameter("The continuation token does not belong to this path and these query parameters.")
        age = self._clock.now().timestamp() - float(content["at"])
        if self._options.token_life and age > self._options.token_life:
            raise parameter("The continuation token has expired.")
        return int(content["after"])


def _read(token: str) -> dict[str, Any] | None:
    try:
        content = decode(base64.urlsafe_b64decode(token))
    except (BadJson, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _question(request: Request) -> str:
    asked = sorted((name.lower(), value) for name, value in request.query)
    return hashlib.sha256(encode([request.path, asked])).hexdigest()[:16]
