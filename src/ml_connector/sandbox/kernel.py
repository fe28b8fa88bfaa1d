"""The kernel: takes each request through limits, faults and latency to the stand-in and back."""

import asyncio
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.control import PREFIX, Control
from ml_connector.sandbox.faults import Fault, Faults, gateway_answer
from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.journal import Entry, Journal, redacted
from ml_connector.sandbox.late import LateCommits
from ml_connector.sandbox.server import Exchange
from ml_connector.sandbox.standin import StandIn


@dataclass
class Passage:
    """What the kernel keeps of an exchange while it is open."""

    entry: Entry
    counted: bool = False
    refusal: Response | None = None


class Kernel:
    """Answers every exchange of a server.

    A request is in flight from its headers until its answer is handed over, waiting included. It is handled
    even when its client has gone meanwhile, as a real system would.
    """

    def __init__(self, stand_in: StandIn, clock: Clock, seed: int) -> None:
        self.stand_in = stand_in
        self.journal = Journal()
        self.faults = Faults(seed, stand_in.prefixes)
        self.late = LateCommits(clock, self._handle)
        self.refusing: Callable[[float], None] = _keep_listening
        """How the site closes its port for some seconds; set by the site."""
        self.refuses = False
        """The port is closed: a connection accepted just before is reset as well."""
        self.control = Control(stand_in, clock, self.faults, self.journal)
        self._in_flight: Counter[str] = Counter()
        self._open: dict[Exchange, Passage] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def resets_connection(self) -> bool:
        return self.refuses or self.faults.resets_connection()

    def headers_arrived(self, exchange: Exchange) -> None:
        request = exchange.request
        if request.path.startswith(PREFIX):
            return
        entry = self.journal.add(request.method, request.path, redacted(request, self.stand_in.secret_parameters))
        passage = self._open[exchange] = Passage(entry)
        self._count(request, passage)
        if passage.refusal is None:
            fault = self.faults.fire(request, "headers")
            if fault is not None:
                entry.fault = fault.do
                self._close(exchange, None)
                exchange.reset()

    def body_arrived(self, exchange: Exchange) -> None:
        request = exchange.request
        if request.path.startswith(PREFIX):
            exchange.send(_guarded(self.control.handle, request))
            return
        passage = self._open[exchange]
        if not passage.counted and passage.refusal is None:
            self._count(request, passage)
        if passage.refusal is not None:
            self._send(exchange, passage.refusal)
            return
        call = self.stand_in.call_back(request)
        if call is not None:
            self._start(self._take_after(call, exchange, passage))
        else:
            self._take(exchange, passage)

    def _take(self, exchange: Exchange, passage: Passage) -> None:
        """Answers the request, or does to it what a fault asks for."""
        request = exchange.request
        fault = self.faults.fire(request, "body")
        if fault is not None:
            passage.entry.fault = fault.do
            self._start(self._misbehave(exchange, fault))
        elif self.stand_in.options.latency:
            self._start(self._take_time(exchange, passage.entry.started))
        else:
            self._send(exchange, self._handle(request))

    def abandoned(self, exchange: Exchange) -> None:
        self._close(exchange, None)

    async def stop(self) -> None:
        """Gives up what is still waiting."""
        self.late.stop()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _count(self, request: Request, passage: Passage) -> None:
        """Counts the request for its key and asks the stand-in whether it is one too many."""
        key = self.stand_in.request_key(request)
        if key is None:
            return
        request.in_flight = passage.entry.in_flight = self._in_flight[key] + 1
        passage.entry.key = key
        passage.refusal = self.stand_in.admit(request)
        if passage.refusal is None:
            self._in_flight[key] += 1
            passage.counted = True

    def _handle(self, request: Request) -> Response:
        return _guarded(self.stand_in.handle, request)

    def _send(self, exchange: Exchange, response: Response) -> None:
        exchange.send(response)
        self._close(exchange, response.status)

    def _close(self, exchange: Exchange, status: int | None) -> None:
        """The exchange is over: its answer was handed over, or it gets none."""
        passage = self._open.pop(exchange, None)
        if passage is None:
            return
        entry = passage.entry
        entry.status = status
        entry.seconds = time.time() - entry.started
        entry.write = self.stand_in.is_write(exchange.request)
        if passage.counted and entry.key is not None:
            self._in_flight[entry.key] -= 1

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take_after(self, call: Coroutine[Any, Any, None], exchange: Exchange, passage: Passage) -> None:
        try:
            await call
        except Exception:
            traceback.print_exc(file=sys.stderr)
        self._take(exchange, passage)

    async def _take_time(self, exchange: Exchange, started: float) -> None:
        response = self._handle(exchange.request)
        await asyncio.sleep(started + self.stand_in.options.latency - time.time())
        self._send(exchange, response)

    async def _misbehave(self, exchange: Exchange, fault: Fault) -> None:
        """The request under a fault: wait, answer (handled or not), wait, hand over (whole, in part, not at all)."""
        if fault.do in ("reset", "refuse"):
            self._close(exchange, None)
            exchange.reset()
            if fault.do == "refuse":
                self.refusing(fault.seconds())
            return
        if fault.do == "late_commit" and "status" not in fault.arguments:
            exchange.leave_unanswered()
            self.late.add(exchange.request, fault.seconds())
            return
        if fault.do == "delay" and fault.arguments.get("when") != "after":
            await asyncio.sleep(fault.seconds())
        response = self._respond(exchange.request, fault)
        if fault.do == "delay" and fault.arguments.get("when") == "after":
            await asyncio.sleep(fault.seconds())
        await asyncio.sleep(self.stand_in.options.latency)
        await self._hand_over(exchange, response, fault)
        if fault.do == "late_commit":
            self.late.add(exchange.request, fault.seconds())

    def _respond(self, request: Request, fault: Fault) -> Response:
        """What is to be answered under this fault, the request handled or not."""
        match fault.do:
            case "status" | "late_commit":
                return gateway_answer(fault)
            case "throttle":
                return self._throttled(request, fault)
            case "in_band_error":
                return self.stand_in.in_band_error(request, str(fault.arguments.get("text", "Unknown error")))
            case "expire_session":
                self.stand_in.expire_session(None if fault.arguments.get("all") else request)
            case "commit_then_expire_session":
                self._handle(request)
                self.stand_in.expire_session(None if fault.arguments.get("all") else request)
                # Asked again without its session, the system refuses in its own words and changes nothing.
                return self._handle(request)
        return _spoiled(self._handle(request), fault)

    def _throttled(self, request: Request, fault: Fault) -> Response:
        response = self.stand_in.throttled(request, fault.arguments.get("code"))
        headers = list(response.headers)
        if "retry_after" in fault.arguments:
            headers.append(("Retry-After", str(fault.arguments["retry_after"])))
        return replace(response, headers=headers, status=int(fault.arguments.get("status", response.status)))

    async def _hand_over(self, exchange: Exchange, response: Response, fault: Fault) -> None:
        match fault.do:
            case "commit_then_reset":
                self._close(exchange, None)
                exchange.reset()
            case "commit_then_expire_session" if fault.arguments.get("answer") == "reset":
                self._close(exchange, None)
                exchange.reset()
            case "truncate":
                promised = max(len(response.body), 2)
                sent = min(int(fault.arguments.get("bytes", promised // 2)), promised - 1)
                exchange.begin(response, promised)
                exchange.write(response.body[:sent])
                self._close(exchange, response.status)
                exchange.close()
            case "drip":
                await _drip(exchange, response, fault.seconds())
                self._close(exchange, response.status)
            case _:
                self._send(exchange, response)


def _keep_listening(seconds: float) -> None:
    """What a kernel without a site does when it should refuse connections."""


def _guarded(handler: Callable[[Request], Response], request: Request) -> Response:
    """The handler's answer; a mistake of the stand-in itself is a 500 with its trace on standard error."""
    try:
        return handler(request)
    except Exception:
        traceback.print_exc(file=sys.stderr)
        return Response.text("The stand-in itself failed; its standard error has the trace.", status=500)


def _spoiled(response: Response, fault: Fault) -> Response:
    """What becomes of a proper answer. The stand-in may keep the answer itself, so it is copied."""
    match fault.do:
        case "commit_then_status":
            return gateway_answer(fault)
        case "malform":
            return replace(response, spoiling=fault.arguments["how"])
        case "empty":
            return replace(response, body=b"")
        case "garble":
            return replace(response, body=response.body[: len(response.body) // 2] + b'{"\x00<')
    return response


async def _drip(exchange: Exchange, response: Response, seconds: float) -> None:
    """The proper answer, its body in up to twenty pieces spread over the time."""
    pieces = max(1, min(20, len(response.body)))
    size = max(1, -(-len(response.body) // pieces))
    exchange.begin(response, len(response.body))
    for start in range(0, max(1, len(response.body)), size):
        await asyncio.sleep(seconds / pieces)
        exchange.write(response.body[start : start + size])
    exchange.finish()
