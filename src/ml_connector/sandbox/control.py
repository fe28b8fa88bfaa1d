"""The control URL: look at a stand-in, change it behind the product's back, and make it misbehave."""

from collections.abc import Callable
from typing import Any

import msgspec

from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.faults import Faults
from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.journal import Journal
from ml_connector.sandbox.standin import BadInput, Row, StandIn

PREFIX = "/_control/"


class Control:
    """The actions of the control URL, as methods and over HTTP.

    | call | does |
    |---|---|
    | `GET state` | types and counts |
    | `GET state/TYPE` | rows |
    | `POST state/TYPE` | edit: a row or a list of rows |
    | `GET faults`, `POST faults` | list with counters; replace |
    | `GET clock`, `POST clock` | see Clock.change |
    | `GET requests`, `DELETE requests`, `GET requests/summary` | what came in |
    | `GET options`, `POST options` | switches |
    """

    def __init__(self, stand_in: StandIn, clock: Clock, faults: Faults, journal: Journal) -> None:
        self._stand_in = stand_in
        self._clock = clock
        self._faults = faults
        self._journal = journal
        self._actions: dict[tuple[str, str], Callable[[Any], object]] = {
            ("GET", "state"): lambda _: self.counts(),
            ("GET", "faults"): lambda _: self._faults.rows(),
            ("POST", "faults"): self.set_faults,
            ("GET", "clock"): lambda _: self._clock.state(),
            ("POST", "clock"): self.set_clock,
            ("GET", "requests"): lambda _: self._journal.rows(),
            ("DELETE", "requests"): lambda _: self.clear_requests(),
            ("GET", "requests/summary"): lambda _: self._journal.summary(),
            ("GET", "options"): lambda _: self._stand_in.options.state(),
            ("POST", "options"): self.set_options,
        }

    def handle(self, request: Request) -> Response:
        path = request.path.removeprefix(PREFIX).strip("/")
        kind, _, type_name = path.partition("/")
        try:
            if kind == "state" and type_name and request.method in {"GET", "POST"}:
                if request.method == "GET":
                    return Response.json(self.rows(type_name))
                return Response.json(self.edit(type_name, request.json()))
            action = self._actions.get((request.method, path))
            if action is None:
                return Response.json({"error": f"No control action {request.method} {path}."}, 404)
            plain = msgspec.json.decode(request.body) if request.body else {}
            return Response.json(action(plain))
        except (ValueError, msgspec.DecodeError) as error:
            return Response.json({"error": str(error)}, 400)

    def counts(self) -> dict[str, int]:
        return {type_name: len(self._stand_in.state(type_name)) for type_name in self._stand_in.types()}

    def rows(self, type_name: str) -> list[Row]:
        self._check(type_name)
        return self._stand_in.state(type_name)

    def edit(self, type_name: str, rows: object) -> list[Row]:
        self._check(type_name)
        many: list[Any] = rows if isinstance(rows, list) else [rows]
        if not all(isinstance(row, dict) for row in many):
            raise BadInput(f"state/{type_name}: expected a row or a list of rows")
        return self._stand_in.edit(type_name, many)

    def set_faults(self, rows: object) -> list[Row]:
        self._faults.replace(rows)
        return self._faults.rows()

    def set_clock(self, wish: object) -> Row:
        if not isinstance(wish, dict):
            raise BadInput("clock: expected an object")
        self._clock.change(wish)
        return self._clock.state()

    def clear_requests(self) -> list[Row]:
        self._journal.clear()
        return []

    def set_options(self, wishes: object) -> Row:
        if not isinstance(wishes, dict):
            raise BadInput("options: expected an object")
        self._stand_in.options.change(wishes)
        return self._stand_in.options.state()

    def _check(self, type_name: str) -> None:
        if type_name not in self._stand_in.types():
            raise BadInput(f"type {type_name} is unknown; known: {', '.join(self._stand_in.types())}")


def data_from(data: object) -> dict[str, list[Row]]:
    """The content of a `--data` file: rows by type. Raises BadInput."""
    if not isinstance(data, dict):
        raise BadInput("expected an object of lists of rows by type")
    for type_name, rows in data.items():
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadInput(f"{type_name}: expected a list of rows")
    return data
