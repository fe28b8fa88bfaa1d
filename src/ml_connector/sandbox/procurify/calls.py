"""One call of the API, and the operations that there are."""

from collections.abc import Callable
from dataclasses import dataclass

from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.procurify.errors import Refused


@dataclass(frozen=True)
class Call:
    request: Request
    ids: tuple[str, ...]
    """The variable parts of the path."""

    def number(self) -> int:
        """The first variable part, which must be a whole number. Raises Refused, 404."""
        text = self.ids[0]
        if not text.isascii() or not text.isdecimal() or len(text) > 15:
            raise Refused(404)
        return int(text)


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    method: str
    parts: tuple[str, ...]
    resource: str
    """Whose right the call needs, such as `vendors`."""
    handler: Handler

    def ids(self, parts: tuple[str, ...]) -> tuple[str, ...] | None:
        """The variable parts of a path that is this route's, else None."""
        if len(parts) != len(self.parts):
            return None
        pairs = list(zip(self.parts, parts, strict=True))
        if not all(mine == theirs or (mine.startswith("{") and theirs) for mine, theirs in pairs):
            return None
        return tuple(theirs for mine, theirs in pairs if mine.startswith("{"))


class Routes:
    """The operations of the API. Where two fit a path, the one that was added first is taken."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def add(self, operation: str, resource: str, handler: Handler) -> None:
        """`add("GET /api/v3/vendors/{id}/", "vendors", handler)`."""
        method, path = operation.split(" ")
        self._routes.append(Route(method, tuple(path.split("/")), resource, handler))

    def find(self, method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
        parts = tuple(path.split("/"))
        for route in self._routes:
            ids = route.ids(parts)
            if ids is not None and route.method == method:
                return route, ids
        return None

    def methods(self, path: str) -> list[str]:
        """What can be done under a path; nothing for a path that does not exist."""
        parts = tuple(path.split("/"))
        return sorted({route.method for route in self._routes if route.ids(parts) is not None})
