"""Sends notifications: signed, again after a failure with growing pauses, and out of order when asked to.

BILL: success is HTTP 200 from the receiver; a failure is repeated with exponential backoff, and when all
repetitions have failed the subscription is switched off.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ml_connector.sandbox.bill.notifications import signature
from ml_connector.sandbox.bill.options import BillOptions

SUCCESS = 200
NO_ANSWER = 0
GATHERING_S = 0.05
"""How long notifications are collected to be sent in reverse order."""


@dataclass(frozen=True)
class Notice:
    """One notification for one subscription."""

    event: str
    subscription: str
    url: str
    body: bytes
    key: str


class Delivery:
    """The queue of notifications. `run` sends them beside the server."""

    def __init__(
        self,
        options: BillOptions,
        delivered: Callable[[Notice, int], None],
        exhausted: Callable[[Notice], None],
    ) -> None:
        self._options = options
        self._delivered = delivered
        self._exhausted = exhausted
        self._queue: asyncio.Queue[Notice] = asyncio.Queue()

    def send(self, notice: Notice) -> None:
        if self._options.webhook_delivery != "none":
            self._queue.put_nowait(notice)

    async def run(self) -> None:
        """First attempts one after the other, so that the order is the one asked for; repetitions beside them."""
        async with asyncio.TaskGroup() as repetitions:
            while True:
                for notice in await self._next():
                    for _ in range(1 + self._options.webhook_duplicates):
                        if not await self._attempt(notice):
                            repetitions.create_task(self._repeat(notice))

    async def _next(self) -> list[Notice]:
        notices = [await self._queue.get()]
        if self._options.webhook_delivery == "reversed":
            await asyncio.sleep(GATHERING_S)
            while not self._queue.empty():
                notices.insert(0, self._queue.get_nowait())
        return notices

    async def _repeat(self, notice: Notice) -> None:
        for attempt in range(self._options.webhook_retries):
            await asyncio.sleep(self._options.webhook_backoff_base_s * 2**attempt)
            if await self._attempt(notice):
                return
        self._exhausted(notice)

    async def _attempt(self, notice: Notice) -> bool:
        status = await self._post(notice)
        self._delivered(notice, status)
        return status == SUCCESS

    async def _post(self, notice: Notice) -> int:
        signed = notice.body + b"!" if self._options.webhook_bad_signature else notice.body
        mark = signature(notice.key, signed, self._options.webhook_key_encoding)
        try:
            async with asyncio.timeout(self._options.webhook_timeout_s):
                return await post(notice.url, notice.body, {"x-bill-sha-signature": mark})
        except (OSError, TimeoutError, ValueError):
            return NO_ANSWER


async def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """One HTTP/1.1 POST on a connection of its own; the status of the answer. Raises OSError, ValueError."""
    parts = urlsplit(url)
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = {
            "Host": parts.netloc.rpartition("@")[2],
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            **headers,
        }
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        writer.write("\r\n".join(lines).encode("latin-1") + body)
        await writer.drain()
        status_line = await reader.readline()
        return int(status_line.split(b" ", 2)[1]) if status_line.count(b" ") else NO_ANSWER
    finally:
        writer.close()
