"""One call over net.tcp as the kernel sees it."""

import asyncio
from collections.abc import Callable

from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.nettcp.spoiling import Wire
from ml_connector.sandbox.server import Exchange


class TcpExchange(Exchange):
    """The kernel counts in bytes of the stand-in's answer; the envelope around it goes out in proportion."""

    def __init__(
        self,
        request: Request,
        writer: asyncio.StreamWriter,
        reset: Callable[[], None],
        encode: Callable[[Response], Wire],
    ) -> None:
        self.request = request
        self.wire: Wire | None = None
        """The whole answer, once it is handed over; None when the connection was ended instead."""
        self.over = asyncio.Event()
        self.unanswered = False
        self._writer = writer
        self._reset = reset
        self._encode = encode
        self._begun = Wire(b"")
        self._promised = 0
        self._written = 0
        self._sent = 0

    def begin(self, response: Response, length: int) -> None:
        self._begun = self._encode(response)
        self._promised = length

    def write(self, data: bytes) -> None:
        self._written += len(data)
        self._send(len(self._begun.data) * self._written // max(self._promised, 1))

    def finish(self) -> None:
        self._send(len(self._begun.data))
        self.wire = self._begun
        self.over.set()

    def leave_unanswered(self) -> None:
        self.unanswered = True

    def close(self) -> None:
        self._writer.close()
        self.over.set()

    def reset(self) -> None:
        self._reset()
        self.over.set()

    def _send(self, end: int) -> None:
        if not self._writer.is_closing():
            self._writer.write(self._begun.data[self._sent : end])
        self._sent = end
