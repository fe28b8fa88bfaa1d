"""What becomes of a call over net.tcp when the service, the network or the clock fails, over real sockets."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.systems.base import OutcomeUnknown, Refused, SystemFailure, Throttled, Transient
from ml_connector.systems.transport.nettcp import TLS, WINDOWS, Element, Endpoint, Fault, Limits, Malformed
from ml_connector.systems.transport.nettcp.cursor import write_size
from ml_connector.systems.transport.nettcp.encoder import SOAP, encode
from ml_connector.systems.transport.nettcp.framing import BROKEN, Closed, Faulted, Session
from ml_connector.systems.transport.policy import NetworkPolicy
from ml_connector.systems.transport.wire import listening

from .nettcp_peer import BUFFERED, FAULTS, SERVICE, STREAMED, Call, fault, framed, reply, result

CANARY = "canary-7f3a9"
POST = Element("TransactionPost", SERVICE, children=[Element("UserId", SERVICE, parts=[CANARY])])


def posted(call: Call) -> Element:
    return result(call, "<posted/>")


def text(said: Element | Fault) -> str:
    assert isinstance(said, Element)
    return said.children[0].text


def failure(client: Any, verb: str = "write", operation: Element = POST) -> SystemFailure:
    with pytest.raises(SystemFailure) as raised:
        getattr(client, verb)("TransactionPost", operation)
    shown = "".join(traceback.format_exception(raised.value))
    assert CANARY not in shown
    return raised.value


@pytest.mark.parametrize("mode", [BUFFERED, STREAMED])
def test_a_call_arrives_whole_and_its_answer_comes_back(peer, nettcp, mode):
    document = "<Größe>é漢🎉</Größe>" * 100_000
    service = peer(lambda call: result(call, *(call.arguments()["XmlIn"].encode()[n::2] for n in (0, 1))))
    client = nettcp(service.address, streamed=mode == STREAMED)
    parts = [Element("UserId", SERVICE, parts=[""]), Element("XmlIn", SERVICE, parts=[document])]
    said = client.write("TransactionPost", Element("TransactionPost", SERVICE, children=parts))
    assert said.children[0].content == document.encode()[0::2] + document.encode()[1::2]
    (call,) = service.calls
    assert (call.action, call.to, call.via, call.mode) == ("TransactionPost", service.address, service.address, mode)
    assert call.arguments() == {"UserId": "", "XmlIn": document}


def test_the_address_of_the_service_and_the_way_to_it_are_kept_apart(peer, nettcp):
    service = peer(posted)
    own = "net.tcp://erp.internal:31001/SYSPROWCFService"
    assert text(nettcp(own, service.address).read("TransactionPost", POST)) == "<posted/>"
    assert [(call.to, call.via) for call in service.calls] == [(own, service.address)]


@pytest.mark.parametrize("mode", [BUFFERED, STREAMED])
@pytest.mark.parametrize("refuse", ["UnsupportedMode", "ContentTypeInvalid", ""])
def test_the_mode_that_the_service_takes_is_found_and_the_call_leaves_once(peer, nettcp, mode, refuse):  # R8
    service = peer(posted, modes=(mode,), refuse=refuse)
    client = nettcp(service.address, streamed=mode == BUFFERED)
    assert text(client.write("TransactionPost", POST)) == "<posted/>"
    assert text(client.write("TransactionPost", POST)) == "<posted/>"
    assert [call.mode for call in service.calls] == [mode, mode]
    assert len(service.preambles) == 3  # the mode is remembered


def test_a_service_that_takes_neither_mode_is_refused_for_good(peer, nettcp):
    service = peer(posted, modes=())
    refused = failure(nettcp(service.address))
    assert isinstance(refused, Refused) and refused.field == "nettcp_mode"
    assert service.preambles == [BUFFERED, STREAMED]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ServerTooBusy", Throttled),
        ("EndpointUnavailable", Transient),
        ("ConnectionDispatchFailed", Transient),
        ("EndpointNotFound", Refused),
        ("ServiceActivationFailed", Refused),
        ("UnsupportedVersion", Refused),
        ("ViaTooLong", Refused),
        ("ContentTypeTooLong", Refused),
        ("MaxMessageSizeExceededFault", Refused),
        ("SomethingNew", Refused),
    ],
)
def test_each_fault_of_a_preamble_is_one_error_and_nothing_has_left(peer, nettcp, name, kind):  # R63
    service = peer(posted, always=name)
    assert type(failure(nettcp(service.address))) is kind
    assert service.calls == []


def test_a_fault_of_the_operation_comes_back_in_its_own_words(peer, nettcp):
    said = "The supplied UserID is invalid."
    service = peer(lambda call: fault(call, said, "a:InternalServiceFault", "x:Inner"))
    assert nettcp(service.address).write("TransactionPost", POST) == Fault("InternalServiceFault", "Inner", said)


@pytest.mark.parametrize(
    ("subcode", "code"),
    [
        ("a:ActionNotSupported", "nettcp_refused"),
        ("a:DestinationUnreachable", "nettcp_refused"),
        ("d:DeserializationFailed", "document_too_large"),
        ("o:InvalidSecurity", "message_security"),
        ("c:BadContextToken", "message_security"),
    ],
)
def test_a_fault_in_place_of_the_operation_says_that_nothing_was_done(peer, nettcp, subcode, code):  # R63
    refused = failure(nettcp(peer(lambda call: fault(call, "No", subcode=subcode)).address))
    assert isinstance(refused, Refused) and refused.code == code


def test_a_fault_that_says_nothing_leaves_a_write_in_doubt(peer, nettcp):  # R3, R12
    words = "The server was unable to process the request due to an internal error.  For more information ..."
    service = peer(lambda call: fault(call, words, "s:Receiver", "a:InternalServiceFault"))
    assert isinstance(failure(nettcp(service.address)), OutcomeUnknown)
    assert isinstance(failure(nettcp(service.address), "read"), Transient)


def framing_fault(name: str) -> bytes:
    uri = (FAULTS + name).encode()
    return b"\x08" + write_size(len(uri)) + uri


LOST: dict[str, Callable[[Call], Element | bytes | None]] = {
    "closed": lambda call: None,
    "ended": lambda call: b"\x07",
    "cut off": lambda call: framed(posted(call), call.mode)[:-20],
    "cut off in its size": lambda call: b"\x06\x80",
    "no record": lambda call: b"HTTP/1.1 200 OK\r\n\r\n",
    "garbage": lambda call: b"\x06\x05\x00\x99\x01xx" if call.mode == BUFFERED else b"\x05\x02\x99\x01\x00\x07",
    "of another request": lambda call: reply(call, Element("x"), relates_to="urn:uuid:other"),
    "of no request": lambda call: Element("Envelope", SOAP, children=[Element("Body", SOAP, children=[Element("x")])]),
    "two bodies": lambda call: reply(call, Element("x"), Element("y")),
    "empty": reply,
    "no envelope": lambda call: Element("html"),
    "a fault without words": lambda call: reply(call, Element("Fault", SOAP)),
    "broken off": lambda call: framing_fault("ConnectionDispatchFailed"),
}


@pytest.mark.parametrize("mode", [BUFFERED, STREAMED])
@pytest.mark.parametrize("how", LOST)
def test_a_write_whose_answer_is_lost_is_in_doubt_and_not_repeated(peer, nettcp, how, mode):  # R3, R8, R12
    service = peer(LOST[how])
    assert isinstance(failure(nettcp(service.address, streamed=mode == STREAMED)), OutcomeUnknown)
    assert len(service.calls) == 1


@pytest.mark.parametrize("how", LOST)
def test_a_read_without_an_answer_is_transient(peer, nettcp, how):
    assert isinstance(failure(nettcp(peer(LOST[how]).address), "read"), Transient)


def test_an_answer_that_demands_to_be_understood_is_not_taken(peer, nettcp):  # R12
    def secured(call: Call) -> Element:
        envelope = posted(call)
        must = {(SOAP, "mustUnderstand"): "1"}
        envelope.children[0].children.append(Element("Security", "urn:wsse", must))
        return envelope

    unknown = failure(nettcp(peer(secured).address))
    assert isinstance(unknown, OutcomeUnknown) and "Security" in str(unknown)


def test_a_message_that_the_service_finds_too_large_was_not_taken(peer, nettcp):  # R63
    refused = failure(nettcp(peer(lambda call: framing_fault("MaxMessageSizeExceededFault")).address))
    assert isinstance(refused, Refused) and refused.code == "document_too_large"


def test_a_refusal_is_heard_although_the_service_stopped_listening(nettcp):
    """A .NET host refuses by the size that is announced, while the document is still on its way."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(b"\x0b")
            connection.recv(4)
            connection.sendall(framing_fault("MaxMessageSizeExceededFault"))
            connection.shutdown(socket.SHUT_RD)
            time.sleep(0.2)
            connection.close()

        threading.Thread(target=refuse, daemon=True).start()
        port = listener.getsockname()[1]
        document = Element("TransactionPost", SERVICE, parts=["x" * 20_000_000])
        said = failure(nettcp(f"net.tcp://127.0.0.1:{port}/S"), operation=document)
    # Whether the fault outlives the broken connection is the network's choice; a guess is never made of it.
    assert isinstance(said, (Refused, OutcomeUnknown))


def test_silence_ends_with_the_time_allowed(peer, nettcp):  # R3
    hold = threading.Event()
    service = peer(lambda call: None if hold.wait(5) else b"")
    started = time.monotonic()
    assert isinstance(failure(nettcp(service.address, total_timeout=0.5)), OutcomeUnknown)
    assert time.monotonic() - started < 2
    hold.set()


def test_an_answer_that_drips_ends_with_the_time_allowed(nettcp):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(b"\x0b")
            connection.sendall(b"\x05")
            try:
                while True:
                    connection.sendall(b"\x01x")
                    time.sleep(0.02)
            except OSError:
                connection.close()

        threading.Thread(target=drip, daemon=True).start()
        address = f"net.tcp://127.0.0.1:{listener.getsockname()[1]}/S"
        started = time.monotonic()
        said = failure(nettcp(address, total_timeout=0.5, streamed=True))
        assert isinstance(said, OutcomeUnknown) and "0.5 s" in str(said)
        assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"\x06\xff\xff\xff\xff\x07", "bytes"),
        (b"\x05" + (write_size(60_000) + b"x" * 60_000) * 20, "bytes"),
        (b"\x05" + b"\x01x" * 2_000, "chunks"),
        (b"\x06\x05\xff\xff\x7f\x00\x00", "words"),
    ],
)
def test_an_answer_without_end_is_refused_at_the_limit(peer, nettcp, answer, said):
    streamed = answer[0] == 5
    limits = Limits(size=1_000_000, words=100, records=1_000)
    unknown = failure(nettcp(peer(lambda call: answer).address, limits=limits, streamed=streamed))
    assert isinstance(unknown, OutcomeUnknown) and said in str(unknown)


def test_nothing_has_left_where_the_right_to_write_is_gone(peer, nettcp):
    class Fenced(Exception):
        pass

    def fenced() -> None:
        raise Fenced

    service = peer(posted)
    client = nettcp(service.address, may_write=fenced)
    with pytest.raises(Fenced):
        client.write("TransactionPost", POST)
    assert service.calls == []
    assert text(client.read("TransactionPost", POST)) == "<posted/>"  # reading asks nobody


def test_a_service_that_is_not_there_is_transient(nettcp):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    said = failure(nettcp(f"net.tcp://127.0.0.1:{port}/S"))
    assert type(said) is Transient and "refused the connection" in str(said)


def test_text_that_is_no_unicode_is_refused_before_anything_leaves(peer, nettcp):
    service = peer(posted)
    said = failure(nettcp(service.address), operation=Element("TransactionPost", SERVICE, parts=["\ud800"]))
    assert isinstance(said, Refused) and service.preambles == []


@pytest.mark.parametrize(
    ("policy", "host", "said"),
    [
        (NetworkPolicy(allow_loopback=False), "127.0.0.1", "loopback"),
        (NetworkPolicy(), "169.254.169.254", "metadata"),
    ],
)
def test_it_goes_only_where_the_host_allows(nettcp, policy, host, said):
    refused = failure(nettcp(f"net.tcp://{host}:808/S", access_network=policy))
    assert isinstance(refused, Transient) and said in str(refused)


@pytest.mark.parametrize(
    "address",
    [
        "http://erp:31001/S",
        "net.tcp://",
        "net.tcp://erp:port/S",
        "net.tcp://erp:99999/S",
        "net.tcp://user:secret@erp/S",
        "net.tcp://erp/S?x=1",
        "net.tcp://erp/a b",
        "net.tcp://erp/" + "x" * 2_048,
        "",
    ],
)
def test_what_is_no_address_is_refused_by_its_setting(address):
    with pytest.raises(Refused) as raised:
        Endpoint.of(address)
    assert raised.value.field == "nettcp_address" and "secret" not in str(raised.value)
    if address:
        with pytest.raises(Refused) as raised:
            Endpoint.of("net.tcp://erp/S", address)
        assert raised.value.field == "nettcp_via"


def test_an_address_without_a_port_means_the_usual_one():
    assert (Endpoint.of("net.tcp://ERP/S").port, Endpoint.of("net.tcp://[::1]:31001/S").where) == (808, "::1:31001")


# --- protection


@pytest.mark.parametrize("streamed", [False, True])
def test_a_call_goes_under_tls_where_that_is_asked_for(peer, nettcp, secure, authority, streamed):  # R64
    service = peer(posted, upgrades=(TLS,), tls=secure)
    client = nettcp(service.address, tls=True, ca_certificates=authority[0], streamed=streamed)
    assert text(client.write("TransactionPost", POST)) == "<posted/>"
    assert service.asked == [TLS]


def test_a_certificate_that_nobody_vouches_for_ends_it_before_anything_is_sent(peer, nettcp, secure):  # R64
    service = peer(posted, upgrades=(TLS,), tls=secure)
    said = failure(nettcp(service.address, tls=True))
    assert isinstance(said, Transient) and "not trusted" in str(said)
    assert service.calls == []


def test_the_certificate_must_be_that_of_the_address_not_of_the_way(peer, nettcp, secure, authority):  # R64
    service = peer(posted, upgrades=(TLS,), tls=secure)
    own = "net.tcp://erp.internal:31001/S"
    said = failure(nettcp(own, service.address, tls=True, ca_certificates=authority[0]))
    assert isinstance(said, Transient) and "not trusted" in str(said)
    assert service.calls == []


def test_what_is_said_in_clear_after_tls_was_agreed_on_is_not_taken(peer, nettcp, secure, authority):  # R64
    service = peer(posted, upgrades=(TLS,), tls=secure, clear=b"\x0b")
    assert isinstance(failure(nettcp(service.address, tls=True, ca_certificates=authority[0])), Transient)
    assert service.calls == []


def test_tls_is_never_left_out_where_the_service_has_none(peer, nettcp, authority):  # R64
    service = peer(posted)
    said = failure(nettcp(service.address, tls=True, ca_certificates=authority[0]))
    assert isinstance(said, Refused) and said.field == "nettcp_security"
    assert service.calls == []


def test_what_protection_a_service_demands_is_found_out(peer, nettcp):
    windows = peer(posted, upgrades=(WINDOWS,))
    client = nettcp(windows.address)
    said = failure(client)
    assert type(said).__name__ == "NotOpened" and "nettcp_security" in str(said)
    assert client.demands() == [WINDOWS]
    assert nettcp(peer(posted, upgrades=(TLS,)).address).demands() == [TLS]
    assert nettcp(peer(posted).address).demands() == []
    assert windows.calls == []


# --- what is seen of it


def test_whoever_listens_hears_a_write_and_its_answer(peer, nettcp):
    answers: list[Callable[[Call], Element | None]] = [posted, lambda call: fault(call, "No"), lambda call: None]
    service = peer(lambda call: answers[len(service.calls) - 1](call))  # noqa: PLW0108
    client = nettcp(service.address)
    with listening() as heard:
        client.write("TransactionPost", POST)
        client.write("TransactionPost", POST)
        failure(client)
        client.demands()
    assert [(one.method, one.path, one.status) for one in heard] == [
        ("NET.TCP", "/SYSPROWCFService TransactionPost", status) for status in (200, 500, None)
    ]
    assert heard[0].request.content == (
        b'<TransactionPost xmlns="http://SYSPROWcfService"><UserId>canary-7f3a9</UserId></TransactionPost>'
    )
    assert b"&lt;posted/&gt;" in (heard[0].answer.content or b"")
    assert heard[1].answer.content == b"<Fault><Code>Sender</Code><Reason>No</Reason></Fault>"
    assert "closed the connection" in heard[2].failure


# --- whatever a service says


class Bytes:
    """A connection on which everything was said already, and arrives in pieces."""

    def __init__(self, said: bytes, pieces: list[int]) -> None:
        self.said = said
        self.pieces = pieces

    def read(self, most: int, timeout: float | None = None) -> bytes:
        size = min(most, self.pieces.pop() if self.pieces else most)
        part, self.said = self.said[:size], self.said[size:]
        return part

    def write(self, data: bytes, timeout: float | None = None) -> None:
        pass


_envelope = encode(Element("Envelope", SOAP, children=[Element("Body", SOAP, parts=["x"])]))
_frames = st.sampled_from(
    [
        b"\x0b",
        b"\x0a",
        b"\x07",
        b"\x06" + write_size(len(_envelope) + 1) + b"\x00" + _envelope,
        b"\x06\x04\x02\x01x\x01",
        b"\x05" + write_size(len(_envelope)) + _envelope + b"\x00",
        b"\x05\x00",
        framing_fault("ServerTooBusy"),
        b"\x08\xff\xff\x03",
    ]
)


@settings(deadline=None, max_examples=400)
@given(
    st.lists(st.one_of(_frames, st.binary(max_size=20)), max_size=8).map(b"".join),
    st.lists(st.integers(1, 9), max_size=30),
    st.booleans(),
)
def test_whatever_a_service_says_is_an_answer_or_one_of_four_errors(said, pieces, streamed):
    limits = Limits(size=500, words=20, depth=4, nodes=10, records=50)
    session = Session(Bytes(said, pieces), limits, streamed=streamed, step=1)  # type: ignore[arg-type]
    try:
        session.open("net.tcp://erp/S")
        assert isinstance(session.ask(b"\x40\x01a\x01"), Element)
    except (Malformed, Closed, Faulted, *BROKEN):
        pass
