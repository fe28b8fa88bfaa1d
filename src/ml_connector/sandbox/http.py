"""What a stand-in sees of HTTP: a request in, a response out; and JSON whose numbers keep every digit."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import formatdate
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

import msgspec

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


class BadJson(ValueError):
    """A body that is not JSON."""


def decode(body: bytes | str) -> Any:
    """JSON to Python; numbers with a fraction become Decimal. Raises BadJson."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadJson(str(error)) from None


def encode(value: Any) -> bytes:
    """Python to minified JSON; a Decimal becomes a number with exactly its digits."""
    return _encoder.encode(value)


@dataclass
class Request:
    """One HTTP request. The body is empty until it has been read completely."""

    method: str
    path: str
    """Percent-decoded, without the query."""
    raw_query: str
    """As it came, not decoded."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes = b""
    in_flight: int = 0
    """How many requests of the same key were being answered when this one arrived, itself included."""

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """The decoded query parameters in their order; `+` is a blank."""
        return parse_qsl(self.raw_query, keep_blank_values=True)

    def parameter(self, name: str, default: str | None = None) -> str | None:
        """The first value of a query parameter, its name compared exactly."""
        return next((value for key, value in self.query if key == name), default)

    def json(self) -> Any:
        """The body as JSON. Raises BadJson."""
        return decode(self.body)


@dataclass
class Response:
    """One HTTP response; the server adds Content-Length."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    spoiling: str | None = None
    """How net.tcp is to spoil the envelope that it puts around the body."""

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> "Response":
        return cls(status, encode(value), "application/json", list(headers))

    @classmethod
    def text(cls, text: str, status: int = 200, content_type: str = "text/plain; charset=utf-8") -> "Response":
        return cls(status, text.encode(), content_type)

    def wire_headers(self, length: int) -> list[tuple[str, str]]:
        """The headers as sent, for a body of this length."""
        headers = [*self.headers, ("Date", formatdate(usegmt=True))]
        if self.content_type is not None:
            headers.append(("Content-Type", self.content_type))
        if self.status not in (204, 304):
            headers.append(("Content-Length", str(length)))
        return headers
