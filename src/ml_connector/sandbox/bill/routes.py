"""Which method and path leads where."""

from collections.abc import Callable
from dataclasses import dataclass

from ml_connector.sandbox.bill.records import Call
from ml_connector.sandbox.http import Response

Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    """An operation such as `GET /v3/bills/{id}`, and who does it."""

    operation: str
    handler: Handler
    words: tuple[str, ...]

    def ids(self, words: list[str]) -> tuple[str, ...] | None:
        """What stands in the place of the placeholders, or None when the path is another one."""
        found = []
        for own, given in zip(self.words, words, strict=True):
            if own.startswith("{"):
                found.append(given)
            elif own != given:
                return None
        return tuple(found)


class Routes:
    """Operations by method and path; a path of fixed words wins over one with placeholders."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, int], list[Route]] = {}

    def add(self, operation: str, handler: Handler) -> None:
        method, _, path = operation.partition(" ")
        words = tuple(path.split("/"))
        routes = self._routes.setdefault((method, len(words)), [])
        routes.append(Route(operation, handler, words))
        routes.sort(key=lambda route: route.operation.count("{"))

    def find(self, method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
        words = path.split("/")
        for route in self._routes.get((method, len(words)), ()):
            ids = route.ids(words)
            if ids is not None:
                return route, ids
        return None
