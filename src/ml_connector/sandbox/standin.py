"""The contract between the kernel and a system's stand-in."""

import difflib
from abc import abstractmethod
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol, get_type_hints

import msgspec

from ml_connector.sandbox.http import Request, Response

if TYPE_CHECKING:
    from ml_connector.sandbox.nettcp.service import Service

Row = dict[str, Any]
"""One record as the system's own JSON names its fields; money as Decimal."""


class BadInput(ValueError):
    """Data, an option or an edit that the stand-in cannot take; the text says which and why."""


class BadOption(BadInput):
    """An option or system that does not exist, or a value that it cannot have."""


@dataclass
class Options:
    """The switches of a stand-in that can be changed while it runs. A stand-in derives its own from this."""

    latency: float = 0.0
    """Seconds that every answer takes; requests wait side by side."""
    tls: bool = False
    """Whether it speaks TLS, by a private authority that the settings carry; read once, at the start."""

    def change(self, wishes: Mapping[str, Any]) -> None:
        """Sets the named options, all or none. Raises BadOption."""
        hints = get_type_hints(type(self))
        changed: dict[str, Any] = {}
        for name, wish in wishes.items():
            if name not in hints:
                near = difflib.get_close_matches(name, hints, n=1)
                hint = f" Did you mean {near[0]}?" if near else f" Known: {', '.join(hints)}."
                raise BadOption(f"option {name} is unknown.{hint}")
            try:
                changed[name] = msgspec.convert(wish, hints[name])
            except msgspec.ValidationError as error:
                raise BadOption(f"option {name}: {error}") from None
        for name, value in changed.items():
            setattr(self, name, value)

    def state(self) -> Row:
        return {field.name: getattr(self, field.name) for field in fields(self)}


class StandIn(Protocol):
    """One vendor system in memory. Derive from it: what has a body here is a default.

    The kernel calls every method on one thread, one at a time, so a stand-in needs no locks. A module
    `ml_connector.sandbox.NAME` gives `create(seed, data, clock, options) -> StandIn`; `data` replaces
    the seeded rows of the types that it names.
    """

    name: str
    options: Options
    prefixes: tuple[str, ...] = ()
    """Paths under which the system's hosts are served; the path of a fault may leave them out."""
    secret_parameters: frozenset[str] = frozenset()
    """Query parameters, in lower case, whose values never reach the list of requests."""
    nettcp: "Service | None" = None
    """What is served over net.tcp, on a port of its own; None where nothing is."""

    @abstractmethod
    def handle(self, request: Request) -> Response:
        """The system's answer. May change state; must not wait."""

    @abstractmethod
    def types(self) -> Sequence[str]:
        """The types of `state` and `edit`."""

    @abstractmethod
    def state(self, type_name: str) -> list[Row]:
        """All rows of a type, oldest first."""

    @abstractmethod
    def edit(self, type_name: str, rows: list[Row]) -> list[Row]:
        """Changes rows as a person in the system would, and returns them as stored.

        A row is merged into the one with its primary key, or inserted; `"_delete": true` removes it. Stamps
        (modification time, row version) are set unless the row gives them. Raises BadInput.
        """

    @abstractmethod
    def settings(self, url: str) -> Row:
        """The connection form's settings for a stand-in that answers at this URL."""

    @abstractmethod
    def secrets(self) -> Row:
        """The connection form's secrets."""

    def request_key(self, request: Request) -> str | None:
        """Whose request this is (organisation, credential): requests in flight are counted by it.

        Asked when the headers have arrived, and again with the body when the answer was None.
        """
        return None

    def admit(self, request: Request) -> Response | None:
        """A refusal that the system gives before it looks at the request, such as too many at once.

        `request.in_flight` is known; a request that is refused stops counting.
        """
        return None

    def is_write(self, request: Request) -> bool:
        """Whether the request asks for a change of business data (a login is none)."""
        return request.method not in {"GET", "HEAD"}

    @abstractmethod
    def throttled(self, request: Request, code: str | None) -> Response:
        """The system's own refusal for a limit; `code` chooses among several. Retry-After is added by the kernel."""

    @abstractmethod
    def in_band_error(self, request: Request, text: str) -> Response:
        """The system's own way of failing with a 2xx status."""

    @abstractmethod
    def expire_session(self, request: Request | None) -> None:
        """Makes the session that the request uses invalid, or all sessions for None."""

    def call_back(self, request: Request) -> Coroutine[Any, Any, None] | None:
        """What the system says to its client before it answers this request: awaited before `handle`, may wait."""
        return None

    async def background(self) -> None:
        """Runs beside the server until it stops, for what a system sends by itself."""
