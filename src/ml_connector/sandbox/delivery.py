"""Sends a vendor's notifications: again after a failure with growing pauses, and out of order when asked to.

Only 200 from the receiver is a success.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar
from urllib.parse import urlsplit

from ml_connector.sandbox.standin import Options

SUCCESS = 200
NO_ANSWER = 0
GATHERING_S = 0.05
"""How long notifications are collected to be sent in reverse order."""


@dataclass
class WebhookOptions(Options):
    """The switches of a stand-in that sends notifications."""

    webhook_retries: int = 5
    webhook_backoff_base_s: float = 1
    webhook_timeout_s: float = 10
    webhook_delivery: Literal["in_order", "reversed", "none"] = "in_order"
    webhook_duplicates: int = 0
    """How often each notification is sent again."""
    webhook_bad_signature: bool = False


@dataclass(frozen=True)
class Notice:
    """One notification for one receiver. A system's own says what it is signed with."""

    url: str
    body: bytes
    once: bool = field(default=False, kw_only=True)
    """Sent one time whatever the receiver answers."""


N = TypeVar("N", bound=Notice)


class Delivery(Generic[N]):
    """The queue of notifications. `run` sends them beside the server.

    `headers` signs the bytes that it is given, which are those of the body unless the signature is to be wrong.
    """

    def __init__(
        self,
        options: WebhookOptions,
        headers: Callable[[N, bytes], dict[str, str]],
        delivered: Callable[[N, int], None],
        exhausted: Callable[[N], None],
    ) -> None:
        self._options = options
        self._headers = headers
        self._delivered = delivered
        self._exhausted = exhausted
        self._queue: asyncio.Queue[N] = asyncio.Queue()

    def send(self, notice: N) -> None:
        if self._options.webhook_delivery != "none":
            self._queue.put_nowait(notice)

    async def run(self) -> None:
        """First attempts one after the other, so that the order is the one asked for; repetitions beside them."""
        async with asyncio.TaskGroup() as repetitions:
            while True:
                for notice in await self._next():
                    for _ in range(1 + self._options.webhook_duplicates):
                        if not await self._attempt(notice) and not notice.once:
                            repetitions.create_task(self._repeat(notice))

    async def _next(self) -> list[N]:
        notices = [await self._queue.get()]
        if self._options.webhook_delivery == "reversed":
            await asyncio.sleep(GATHERING_S)
            while not self._queue.empty():
                notices.insert(0, self._queue.get_nowait())
        return notices

    async def _repeat(self, notice: N) -> None:
        for attempt in range(self._options.webhook_retries):
            await asyncio.sleep(self._options.webhook_backoff_base_s * 2**attempt)
            if await self._attempt(notice):
                return
        self._exhausted(notice)

    async def _attempt(self, notice: N) -> bool:
        status = await self.post(notice)
        self._delivered(notice, status)
        return status == SUCCESS

    async def post(self, notice: N) -> int:
        """One attempt, signed; the status of the answer, 0 without one."""
        signed = notice.body + b"!" if self._options.webhook_bad_signature else notice.body
        try:
            async with asyncio.timeout(self._options.webhook_timeout_s):
                return await post(notice.url, notice.body, self._headers(notice, signed))
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
