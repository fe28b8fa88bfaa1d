"""What the tests of net.tcp say and hear, byte by byte: records and envelopes put together by hand."""

import contextlib
import socket
import ssl
import struct
import uuid

ACK, END, SIZED, UNSIZED, FAULT, UPGRADE_GRANTED = 0x0B, 0x07, 0x06, 0x05, 0x08, 0x0A
BUFFERED, STREAMED = bytes.fromhex("02"), bytes.fromhex("01")
FAULTS = b"http://schemas.microsoft.com/ws/2006/05/framing/faults/"
MESSAGE_ID = uuid.UUID("8f14e45f-ceea-467f-9d1c-2c7f0d5f0a01")
HEADER_END = bytes.fromhex("44 0c 1e 00 82 ab 14 01 56 0e")
"""<a:To s:mustUnderstand="1">anonymous</a:To></s:Header><s:Body>, as every answer has it."""


def int31(number):
    coded = b""
    while number > 127:
        coded += bytes((number % 128 + 128,))
        number //= 128
    return coded + bytes((number,))


def counted(text):
    data = text.encode() if isinstance(text, str) else text
    return int31(len(data)) + data


def text_record(text, *, end=True):
    """A text with the end of its element."""
    data = text.encode()
    if not data:
        return b"\xa9" if end else b"\xa8"
    width = 1 if len(data) < 256 else 2 if len(data) < 65536 else 4
    return bytes(({1: 0x98, 2: 0x9A, 4: 0x9C}[width] + end,)) + len(data).to_bytes(width, "little") + data


def element(name, text):
    return b"\x40" + counted(name) + text_record(text)


def wrapped(operation, arguments, namespace="http://SYSPROWcfService"):
    """The operation's element, its arguments in the order of the pairs."""
    content = b"".join(element(name, text) for name, text in arguments)
    return b"\x40" + counted(operation) + b"\x08" + counted(namespace) + content + b"\x01"


def action(name):
    return bytes.fromhex("44 0a 1e 00 82") + text_record(name)


def message_id(identity=MESSAGE_ID):
    return bytes.fromhex("44 1a ad") + identity.bytes_le


REPLY_TO = bytes.fromhex("44 2c 44 2a ab 14 01")


def to(address):
    return bytes.fromhex("44 0c 1e 00 82") + text_record(address)


def envelope(headers, body):
    """SOAP 1.2 in binary XML, without strings of a session."""
    opened = bytes.fromhex("56 02 0b 01 73 04 0b 01 61 06 56 08")
    return opened + b"".join(headers) + bytes.fromhex("01 56 0e") + body + bytes.fromhex("01 01")


def request(address, operation, arguments):
    return envelope([action(operation), message_id(), REPLY_TO, to(address)], wrapped(operation, arguments))


def preamble(via, *, mode=BUFFERED, encoding=None, version=b"\x01\x00", end=b"\x0c"):
    known = encoding if encoding is not None else b"\x03\x08" if mode == BUFFERED else b"\x03\x07"
    return b"\x00" + version + b"\x01" + mode + b"\x02" + counted(via) + known + end


class Wire:
    """A connection to the endpoint of a stand-in; what it hears it takes apart by hand."""

    def __init__(self, running, timeout=5):
        self.running = running
        self.address = running.settings["nettcp_address"]
        where = running.settings.get("nettcp_via", self.address)
        host, _, port = where.removeprefix("net.tcp://").partition("/")[0].partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.strings = []
        """The table of this session, as the answers have filled it."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, data):
        self.socket.sendall(data)

    def take(self, length):
        data = b""
        while len(data) < length:
            piece = self.socket.recv(min(length - len(data), 1 << 20))
            if not piece:
                raise EOFError(data)
            data += piece
        return data

    def byte(self):
        return self.take(1)[0]

    def int31(self):
        number, shift = 0, 0
        while True:
            byte = self.byte()
            number += (byte % 128) << shift
            if byte < 128:
                return number
            shift += 7

    def rest(self):
        """Everything until the other side closes."""
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.socket.recv(1 << 20):
                data += piece
        return data

    def open(self, mode=BUFFERED):
        self.say(preamble(self.address, mode=mode))
        assert self.byte() == ACK
        self.mode = mode
        return self

    def secure(self, mode=BUFFERED):
        """Upgrades to TLS with the authority of the stand-in."""
        self.say(preamble(self.address, mode=mode, end=b"\x09" + counted("application/ssl-tls")))
        assert self.byte() == UPGRADE_GRANTED
        trust = ssl.create_default_context(cadata=self.running.settings["tls_ca_bundle"])
        self.socket = trust.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.say(b"\x0c")
        assert self.byte() == ACK
        self.mode = mode
        return self

    def send(self, data, block=b""):
        """An envelope, in a session after its strings."""
        if self.mode == BUFFERED:
            self.say(b"\x06" + counted(counted(block) + data))
        else:
            pieces = [data[at : at + 1000] for at in range(0, len(data), 1000)]
            self.say(b"\x05" + b"".join(counted(piece) for piece in pieces) + b"\x00\x07")

    def receive(self):
        """The envelope of the next answer, without the strings that came with it."""
        if self.mode == STREAMED:
            assert self.byte() == UNSIZED
            data = b""
            while length := self.int31():
                data += self.take(length)
            assert self.byte() == END
            return data
        assert self.byte() == SIZED
        data = self.take(self.int31())
        block, data = split(data)
        while block:
            text, block = split(block)
            self.strings.append(text.decode())
        return data

    def ask(self, operation, *arguments):
        self.send(request(self.address, operation, arguments))
        return self.receive()

    def call(self, operation, *arguments):
        """The result of an operation; fails for a fault."""
        return result(self.ask(operation, *arguments), self.strings, operation)

    def refused(self, operation, *arguments):
        """The text of the fault of an operation."""
        return fault_of(self.ask(operation, *arguments))[1]

    def logon(self, operator="MLCONN"):
        return self.call("Logon", *credentials(self.running, operator))


def credentials(running, operator="MLCONN"):
    return (
        ("Operator", operator),
        ("OperatorPassword", running.secrets["operator_password"]),
        ("CompanyId", running.settings["company_id"]),
        ("CompanyPassword", running.secrets["company_password"]),
    )


def split(data):
    """A counted string, and what follows it."""
    number, shift, at = 0, 0, 0
    while True:
        number += (data[at] % 128) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return data[at : at + number], data[at + number :]


def headers_of(data):
    return data[: data.index(HEADER_END)]


def body_of(data):
    return data[data.index(HEADER_END) + len(HEADER_END) :]


def result(data, strings, operation):
    """Takes the body of an answer apart: names may be spelt or stand in the session's table."""
    rest = body_of(data)
    wrapper, rest = _name(rest, 0x40, 0x42, strings)
    assert wrapper == f"{operation}Response", data
    namespace, rest = _name(rest, 0x08, 0x0A, strings)
    assert namespace == "http://SYSPROWcfService"
    name, rest = _name(rest, 0x40, 0x42, strings)
    assert name == f"{operation}Result"
    pieces, at, code = [], 0, 0
    while code % 2 == 0:
        code = rest[at]
        if code == 0x01:
            at += 1
            break
        width = {0x98: 1, 0x9A: 2, 0x9C: 4, 0x9E: 1, 0xA8: 0}[code & ~1]
        begin = at + 1 + width
        at = begin + int.from_bytes(rest[at + 1 : begin], "little")
        pieces.append(rest[begin:at])
    assert rest[at:] == b"\x01\x01\x01"
    return b"".join(pieces).decode()


def _name(data, spelt, numbered, strings):
    if data[0] == spelt:
        text, rest = split(data[1:])
        return text.decode(), rest
    assert data[0] == numbered
    number = data[1]
    assert number % 2 == 1
    return strings[number // 2], data[2:]


def fault_of(data):
    """Subcode or code, and text."""
    body = body_of(data)
    assert body.startswith(bytes.fromhex("56 86 01 56 8e 01 56 9a 01")), body  # Fault, Code, Value
    code, rest = _text(body[9:])
    if rest[:2] == bytes.fromhex("56 9c"):  # Subcode, Value, maybe with a prefix of its own
        rest = rest[rest.index(bytes.fromhex("56 9a 01")) + 3 :]
        if rest[:1] == b"\x09":
            rest = split(split(rest[1:])[1])[1]
        elif rest[:1] == b"\x0b":
            rest = split(rest[1:])[1][1:]
        code, rest = _text(rest)
    reason = bytes.fromhex("56 90 01 56 92 01 05 03 78 6d 6c 04 6c 61 6e 67 98 05") + b"en-US"
    return code, _text(rest[rest.index(reason) + len(reason) :])[0]


def _text(data):
    width = {0x98: 1, 0x9A: 2, 0x9C: 4}[data[0] & ~1]
    length = int.from_bytes(data[1 : 1 + width], "little")
    return data[1 + width : 1 + width + length].decode(), data[1 + width + length :]


def handshake(kind, token):
    """A frame of the handshake for Windows credentials."""
    return struct.pack(">BBBH", kind, 1, 0, len(token)) + token
