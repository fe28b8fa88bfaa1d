"""What a service over net.tcp can cost a client: answers that are whole, damaged, cut off, endless or nested deeply.

Each case is a client process of its own and a service in another one, whose memory does not count. Memory is what the
client's peak is above its size before the call; CPU is the client's, over the whole call. The limits are the client's
own (64 MiB an answer), the time allowed is 20 s. A case that ends otherwise than it must counts as missed.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from benchmarks.figures import Figure, Meter, peak_megabytes, report, resident_megabytes
from ml_connector.systems.base import SystemFailure
from ml_connector.systems.transport.nettcp import Element, Endpoint, NetTcp
from ml_connector.systems.transport.nettcp.cursor import Cursor, write_size
from ml_connector.systems.transport.nettcp.decoder import decode
from ml_connector.systems.transport.nettcp.encoder import ADDRESSING, SOAP, encode
from ml_connector.systems.transport.policy import NetworkPolicy

SERVICE = "http://SYSPROWcfService"
SECONDS = 20
MEGABYTE = 1_000_000
LIMIT = 64 * 1024 * 1024
ROOM = 1_000
"""Bytes of an envelope around its text, at most."""
CPU_SECONDS, MEGABYTES = 20, 512
"""What no answer may cost."""

A = b"\x40\x01a"
BYTES_255 = b"\x9e\xff" + b"x" * 255

Sent = Iterator[bytes]


def _envelope(message_id: str, *parts: str | bytes) -> bytes:
    header = Element("Header", SOAP, children=[Element("RelatesTo", ADDRESSING, parts=[message_id])])
    found = Element("PostResponse", SERVICE, children=[Element("PostResult", SERVICE, parts=list(parts))])
    return encode(Element("Envelope", SOAP, children=[header, Element("Body", SOAP, children=[found])]))


def _pieces(content: bytes) -> Iterator[bytes]:
    """As Mono cuts a stream up."""
    return (content[start : start + 255] for start in range(0, len(content), 255))


def _message(document: bytes) -> Sent:
    yield b"\x06" + write_size(len(document) + 1) + b"\x00"
    yield document


def _cut(document: bytes, size: int) -> Sent:
    yield b"\x06" + write_size(LIMIT) + b"\x00" + document[:size]


def _silent(_: str) -> Sent:
    yield b"\x06" + write_size(LIMIT)
    time.sleep(10 * SECONDS)


def _endless(piece: bytes) -> Callable[[str], Sent]:
    def send(_: str) -> Sent:
        yield b"\x05"
        while True:
            yield piece

    return send


def _filled(head: bytes, piece: bytes) -> Callable[[str], Sent]:
    """A message as long as is accepted, made of one piece again and again."""
    return lambda _: _message(head + piece * ((LIMIT - len(head) - 1) // len(piece)))


def _word_bomb(_: str) -> Sent:
    word = "x" * 60_000
    block = write_size(len(word)) + word.encode()
    document = write_size(len(block)) + block + A + b"\xaa\x01" * 20_000_000
    yield b"\x06" + write_size(len(document)) + document


TEXT = "<Größe>é漢🎉</Größe>" * (2 * MEGABYTE // 31)

CASES: dict[str, tuple[Callable[[str], Sent], bool, str]] = {
    "whole: 2 MB of text both ways": (lambda to: _message(_envelope(to, TEXT)), False, ""),
    "whole: 2 MB as a stream in pieces": (
        lambda to: _message(_envelope(to, *_pieces(TEXT.encode()))),
        False,
        "",
    ),
    "whole: 64 MiB of ASCII": (lambda to: _message(_envelope(to, "x" * (LIMIT - ROOM))), False, ""),
    "whole: 64 MiB with one letter beyond 16 bits": (
        lambda to: _message(_envelope(to, "🎉" + "x" * (LIMIT - ROOM))),
        False,
        "",
    ),
    "whole: 64 MiB in pieces of 255 bytes": (
        lambda to: _message(_envelope(to, *([b"x" * 255] * ((LIMIT - ROOM) // 257)))),
        False,
        "",
    ),
    "malformed at the end of 2 MB": (lambda to: _message(_envelope(to, TEXT)[:-1] + b"\x00"), False, "cannot be read"),
    "truncated: 64 MiB announced, closed after 2 MB": (
        lambda to: _cut(_envelope(to, TEXT), 2 * MEGABYTE),
        False,
        "closed the connection",
    ),
    "64 MiB announced, and then silence": (_silent, False, "did not answer within"),
    "announced beyond the limit": (
        lambda to: iter([b"\x06" + write_size(0x7FFF_FFFF)]),
        False,
        "cannot be read",
    ),
    "endless, in chunks of 64 KB": (_endless(write_size(65_536) + b"x" * 65_536), True, "cannot be read"),
    "endless, in chunks of one byte": (_endless(b"\x01x" * 30_000), True, "cannot be read"),
    "64 MiB of elements nested in each other": (_filled(b"", A), False, "deep"),
    "64 MiB of elements beside each other": (_filled(A, A + b"\x01"), False, "elements"),
    "64 MiB of empty texts": (_filled(A, b"\xa8"), False, "records"),
    "64 MiB of texts of one byte": (_filled(A, b"\x98\x01x"), False, "records"),
    "40 MB that name a word of 60,000 letters": (_word_bomb, False, "characters"),
}
"""What is answered, whether streamed, and what is said of it; empty for an answer that is taken."""


def main(case: str) -> None:
    _, streamed, said = CASES[case]
    service = subprocess.Popen([sys.executable, "-m", "benchmarks.nettcp", "serve", case], stdout=subprocess.PIPE)
    try:
        assert service.stdout
        port = int(service.stdout.readline())
        client = NetTcp(
            Endpoint.of(f"net.tcp://127.0.0.1:{port}/SYSPROWCFService"),
            name="SYSPRO",
            access_network=NetworkPolicy(),
            may_write=lambda: None,
            streamed=streamed,
            total_timeout=SECONDS,
        )
        operation = Element("Post", SERVICE, children=[Element("XmlIn", SERVICE, parts=[TEXT])])
        before, meter = resident_megabytes(), Meter()
        outcome = ""
        try:
            client.read("Post", operation)
        except SystemFailure as failure:
            outcome = str(failure)
        cpu, wall = meter.cpu(), meter.wall()
    finally:
        service.kill()
        service.wait()
    right = said in outcome if said else not outcome
    memory = max(0.0, peak_megabytes() - before)
    met = right and cpu <= CPU_SECONDS and memory <= MEGABYTES and wall <= SECONDS + 3
    value = f"{cpu:.2f} s CPU, {wall:.1f} s, {memory:.0f} MB" + (
        "" if right else f"; ended otherwise: {outcome[:80]!r}"
    )
    report(Figure(case, value, f"{CPU_SECONDS} s, {MEGABYTES} MB", met))


def serve(case: str) -> None:
    """Answers one call."""
    answer, streamed, _ = CASES[case]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        connection, _ = listener.accept()
    connection.recv(4_096)
    connection.sendall(b"\x0b")
    said = bytearray()
    while not said.endswith(b"\x00\x07" if streamed else b"\x01\x01\x01"):
        said += connection.recv(1 << 20)
    message_id = "" if streamed else _message_id(said)
    try:
        for part in answer(message_id):
            connection.sendall(part)
    except OSError:
        pass
    connection.close()


def _message_id(said: bytearray) -> str:
    record = Cursor(said[1:])
    record.size()
    record.byte()
    (header, _) = decode(record).children
    return next(part.text for part in header.children if part.name == "MessageID")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        main(sys.argv[1])
