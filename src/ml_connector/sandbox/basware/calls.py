"""One call of the API: the request, whose it is, and the id that the answer carries."""

from collections.abc import Callable
from dataclasses import dataclass

from ml_connector.sandbox.basware.listing import Query
from ml_connector.sandbox.http import Request, Response


@dataclass(frozen=True)
class Call:
    request: Request
    request_id: str
    """Returned as `x-amzn-RequestId`; the key of the request status."""
    by: str
    """The client or user."""
    ids: tuple[str, ...]
    """The variable parts of the path."""

    @property
    def query(self) -> Query:
        return Query(self.request)


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    method: str
    parts: tuple[str, ...]
    scope: str
    """What a token must carry, such as `vendors.read`."""
    handler: Handler

    def ids(self, method: str, parts: tuple[str, ...]) -> tuple[str, ...] | None:
        """The variable parts of a path that is this route's, else None."""
        if method != self.method or len(parts) != len(self.parts):
            return None
        pairs = list(zip(self.parts, parts, strict=True))
        if not all(mine.startswith("{") or mine == theirs for mine, theirs in pairs):
            return None
        return tuple(theirs for mine, theirs in pairs if mine.startswith("{"))


class Routes:
    """The operations of the API. Where two fit, the one that was added first is taken."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def add(self, operation: str, scope: str, handler: Handler) -> None:
        """`add("GET /v1/vendors/{id}", "vendors.read", handler)`."""
        method, path = operation.split(" ")
        self._routes.append(Route(method, tuple(path.strip("/").split("/")), scope, handler))

    def find(self, method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
        parts = tuple(path.strip("/").split("/"))
        for route in self._routes:
            ids = route.ids(method, parts)
            if ids is not None:
                return route, ids
        return None

    def knows(self, path: str) -> bool:
        """Whether any method is served under the path."""
        parts = tuple(path.strip("/").split("/"))
        return any(route.ids(route.method, parts) is not None for route in self._routes)
