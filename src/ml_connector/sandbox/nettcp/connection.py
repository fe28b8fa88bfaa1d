"""One client on net.tcp: its preambles, its upgrade, and its calls, one after the other."""

import asyncio
import contextlib
import socket
import ssl
import struct
import uuid

from ml_connector.sandbox.http import Response
from ml_connector.sandbox.kernel import Kernel
from ml_connector.sandbox.nettcp import envelope, framing
from ml_connector.sandbox.nettcp.errors import FramingFault, Malformed, SoapFault, not_deserialized
from ml_connector.sandbox.nettcp.exchange import TcpExchange
from ml_connector.sandbox.nettcp.reader import QuotaExceeded, Quotas
from ml_connector.sandbox.nettcp.service import Service
from ml_connector.sandbox.nettcp.spoiling import Wire, framed, spoiled
from ml_connector.sandbox.nettcp.strings import ReceivedStrings, SentStrings
from ml_connector.sandbox.nettcp.writer import Writer, size

PREAMBLE_SECONDS = 30.0
DRAIN_SECONDS = 5.0
LOGON_DENIED = 0x8009030C
"""The status that Windows gives for credentials that are not right."""


class _Over(Exception):
    """The connection ends without another word."""


class Connection:
    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        kernel: Kernel,
        service: Service,
        address: str,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._kernel = kernel
        self._service = service
        self._address = address
        self._tls = tls
        self._options = service.options
        self._streamed = False
        self._received, self._sent = ReceivedStrings(), SentStrings()
        """The strings of the session, each direction numbered by itself."""

    async def serve(self) -> None:
        try:
            if self._kernel.resets_connection():
                self.reset()
                return
            while await self._preamble():
                while await self._call_streamed() if self._streamed else await self._call_buffered():
                    pass
        except FramingFault as fault:
            await self._leave_with(framing.fault(fault.name))
        except (_Over, Malformed, asyncio.IncompleteReadError, OSError, TimeoutError):
            pass
        finally:
            self._writer.close()

    def reset(self) -> None:
        """Ends the connection with a TCP RST."""
        tcp = self._writer.get_extra_info("socket")
        if tcp is not None:
            with contextlib.suppress(OSError):
                tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    # --- the preamble ------------------------------------------------------------------------------------

    async def _preamble(self) -> bool:
        """Agrees with the client; False when it has nothing more to say. After an end another may follow."""
        try:
            first = await self._incoming(self._options.nettcp_idle_seconds).byte()
        except asyncio.IncompleteReadError:
            return False
        incoming = self._incoming(min(PREAMBLE_SECONDS, self._options.nettcp_idle_seconds))
        preamble = await incoming.preamble(first)
        if self._options.nettcp_refuses:
            raise FramingFault(self._options.nettcp_refuses)
        framing.check(preamble, self._options.nettcp_mode, self._service.path)
        self._streamed = preamble.mode == framing.SINGLETON_UNSIZED
        upgraded = self._writer.get_extra_info("ssl_object") is not None
        while (wish := await incoming.upgrade()) is not None:
            await self._upgrade(wish)
            upgraded = True
        if not upgraded and self._options.nettcp_security != "none":
            raise _Over
        self._received, self._sent = ReceivedStrings(), SentStrings()
        self._writer.write(bytes((framing.ACK,)))
        return True

    async def _upgrade(self, wish: str) -> None:
        secured = self._writer.get_extra_info("ssl_object") is not None
        match self._options.nettcp_security:
            case "tls" if wish == framing.TLS and self._tls is not None and not secured:
                self._writer.write(bytes((framing.UPGRADE_GRANTED,)))
                await self._writer.drain()
                try:
                    await self._writer.start_tls(self._tls, ssl_handshake_timeout=PREAMBLE_SECONDS)
                except ssl.SSLError:
                    raise _Over from None
            case "windows" if wish == framing.WINDOWS:
                await self._deny_windows()
            case _:
                raise FramingFault("UpgradeInvalid")

    async def _deny_windows(self) -> None:
        """Takes the first token of the handshake and answers that the logon is denied."""
        self._writer.write(bytes((framing.UPGRADE_GRANTED,)))
        incoming = self._incoming(PREAMBLE_SECONDS)
        _, _, _, length = struct.unpack(">BBBH", await incoming.take(5))
        await incoming.take(length)
        error = LOGON_DENIED.to_bytes(8, "big")
        await self._leave_with(struct.pack(">BBBH", 0x15, 1, 0, len(error)) + error)
        raise _Over

    # --- calls -------------------------------------------------------------------------------------------

    async def _call_buffered(self) -> bool:
        """One message of a session; False at its end."""
        incoming = self._incoming(self._options.nettcp_idle_seconds)
        record = await incoming.byte()
        if record == framing.END:
            self._writer.write(bytes((framing.END,)))
            return False
        if record != framing.SIZED:
            raise Malformed("a record of another type was due")
        data = await incoming.sized(self._options.nettcp_max_message)
        await self._answer(data, self._received, self._sent)
        return True

    async def _call_streamed(self) -> bool:
        """The one message of a connection without a session; always False."""
        incoming = self._incoming(self._options.nettcp_idle_seconds)
        if await incoming.byte() != framing.UNSIZED:
            raise Malformed("a record of another type was due")
        data = await incoming.unsized(self._options.nettcp_max_message)
        await self._answer(data, None, None)
        if await incoming.byte() != framing.END:
            raise Malformed("a record of another type was due")
        return False

    async def _answer(self, data: bytes, received: ReceivedStrings | None, sent: SentStrings | None) -> None:
        """Hands the call to the kernel and waits until it is answered, or will never be."""
        quotas = Quotas(self._options.nettcp_max_depth, self._options.nettcp_max_text)
        try:
            message = envelope.Message(envelope.document(data, received, quotas))
        except QuotaExceeded as exceeded:
            message = envelope.Message(exceeded.root, partial=True)
            await self._send(self._faulty(not_deserialized(str(exceeded)), message.id, sent))
            return
        try:
            request = self._service.request(message.action(self._address), message.body)
        except SoapFault as fault:
            await self._send(self._faulty(fault, message.id, sent))
            return

        def encode(response: Response) -> Wire:
            return self._encoded(response, exchange, message.id, sent)

        exchange = TcpExchange(request, self._writer, self.reset, encode)
        self._kernel.headers_arrived(exchange)
        if not exchange.over.is_set():
            self._kernel.body_arrived(exchange)
        if exchange.unanswered:
            await self._wait_in_silence(exchange)
        await exchange.over.wait()
        await self._after(exchange.wire)

    def _encoded(
        self, response: Response, exchange: TcpExchange, relates_to: str | None, sent: SentStrings | None
    ) -> Wire:
        try:
            reply = self._service.reply(exchange.request, response)
        except SoapFault as fault:
            return self._faulty(fault, relates_to, sent)
        except FramingFault as fault:
            return Wire(framing.fault(fault.name), ends=True)
        if response.spoiling == "relates_to":
            relates_to = uuid.uuid4().urn
        block, document = _parts(envelope.reply(reply, relates_to, sent), sent)
        return spoiled(response.spoiling or "", block, document)

    def _faulty(self, fault: SoapFault, relates_to: str | None, sent: SentStrings | None) -> Wire:
        block, document = _parts(envelope.fault(fault, relates_to, sent), sent)
        return Wire(framed(block, document), ends=self._options.nettcp_after_fault == "close")

    async def _send(self, wire: Wire) -> None:
        """An answer of the transport itself."""
        self._writer.write(wire.data)
        await self._after(wire)

    async def _after(self, wire: Wire | None) -> None:
        """What is to follow an answer. None: the connection was ended meanwhile."""
        if wire is None or self._writer.is_closing():
            raise _Over
        while wire.filling:
            self._writer.write(wire.filling)
            await self._writer.drain()
        if wire.silent:
            await self._drain(None)
        if wire.ends:
            await self._leave_with(b"")
            raise _Over
        await self._writer.drain()

    async def _wait_in_silence(self, exchange: TcpExchange) -> None:
        """The client gets no answer and gives up some time."""
        try:
            await self._drain(None)
        finally:
            self._kernel.abandoned(exchange)
        raise _Over

    async def _leave_with(self, data: bytes) -> None:
        """A last word. What the client is still sending is read, or a reset would take the word back from it."""
        with contextlib.suppress(OSError, TimeoutError):
            self._writer.write(data)
            if self._writer.can_write_eof():
                self._writer.write_eof()
            await self._drain(DRAIN_SECONDS)

    async def _drain(self, seconds: float | None) -> None:
        async with asyncio.timeout(seconds):
            while await self._reader.read(1 << 16):
                pass

    def _incoming(self, seconds: float) -> framing.Incoming:
        return framing.Incoming(self._reader, seconds)


def _parts(writer: Writer, sent: SentStrings | None) -> tuple[bytes | None, bytes]:
    """The strings that are new with a document, as the block of a session; and the document."""
    if sent is None:
        return None, bytes(writer.data)
    block = b"".join(size(len(text)) + text for text in sent.news)
    sent.news.clear()
    return size(len(block)) + block, bytes(writer.data)
