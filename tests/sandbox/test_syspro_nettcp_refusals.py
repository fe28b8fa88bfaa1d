"""What the net.tcp endpoint of the SYSPRO stand-in does not take, refused as WCF refuses it."""

import pytest
from tests.sandbox.nettcp_wire import (
    ACK,
    BUFFERED,
    FAULT,
    FAULTS,
    REPLY_TO,
    STREAMED,
    Wire,
    action,
    counted,
    credentials,
    element,
    envelope,
    fault_of,
    int31,
    message_id,
    preamble,
    request,
    text_record,
    to,
    wrapped,
)

from ml_connector import sandbox

VIA = "net.tcp://127.0.0.1/SYSPROWCFService"


@pytest.fixture(scope="module")
def running():
    with sandbox.start("syspro", options={"invoices": 5, "nettcp": True}) as stand_in:
        yield stand_in


@pytest.fixture
def syspro(running):
    before = running.options()
    yield running
    running.options(before)


@pytest.fixture
def wire(syspro):
    with Wire(syspro) as connection:
        yield connection.open()


def told(running, data):
    """All that is said to a client that begins like this, up to the end."""
    with Wire(running) as connection:
        connection.say(data)
        return connection.rest()


def framing_fault(name):
    return bytes((FAULT,)) + counted(FAULTS + name.encode())


# --- the preamble ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (preamble(VIA, version=b"\x02\x00"), "UnsupportedVersion"),
        (preamble(VIA, mode=b"\x09"), "UnsupportedMode"),
        (preamble(VIA, mode=b"\x03"), "UnsupportedMode"),
        (preamble(VIA, mode=STREAMED), "UnsupportedMode"),
        (preamble(VIA, encoding=b"\x03\x03"), "ContentTypeInvalid"),
        (preamble(VIA, encoding=b"\x03\x07"), "ContentTypeInvalid"),
        (preamble(VIA, encoding=b"\x03\x55"), "ContentTypeInvalid"),
        (preamble(VIA, encoding=b"\x04" + counted("application/json")), "ContentTypeInvalid"),
        (preamble(VIA, encoding=b"\x04" + counted("x" * 257)), "ContentTypeTooLong"),
        (preamble(VIA + "/Soap"), "EndpointNotFound"),
        (preamble("http://127.0.0.1/SYSPROWCFService"), "EndpointNotFound"),
        (preamble("net.tcp://127.0.0.1/" + "x" * 2048), "ViaTooLong"),
        (preamble(VIA, end=b"\x09" + counted("application/ssl-tls")), "UpgradeInvalid"),
        (preamble(VIA, end=b"\x09" + counted("application/negotiate")), "UpgradeInvalid"),
    ],
)
def test_a_preamble_that_the_site_does_not_serve_gets_a_fault_and_the_end(syspro, said, name):
    assert told(syspro, said) == framing_fault(name)


def test_a_streamed_site_takes_no_sessions(syspro):
    syspro.options({"nettcp_mode": "streamed"})
    assert told(syspro, preamble(VIA)) == framing_fault("UnsupportedMode")
    assert told(syspro, preamble(VIA, mode=STREAMED, encoding=b"\x03\x08")) == framing_fault("ContentTypeInvalid")


def test_an_encoding_may_be_spelt_and_the_path_of_the_via_be_in_any_case(syspro):
    spelt = b"\x04" + counted("application/soap+msbinsession1")
    with Wire(syspro) as connection:
        connection.say(preamble("net.tcp://elsewhere:9/sysprowcfservice/", encoding=spelt))
        assert connection.byte() == ACK


@pytest.mark.parametrize(
    "said",
    [
        b"GET /SYSPROWCFService HTTP/1.1\r\n\r\n",
        b"\x00\x01\x00\x02" + counted(VIA),
        preamble(VIA)[:-3] + b"\x0b",
        preamble(VIA)[:-1] + b"\x0d",
        b"\x00\x01\x00\x01\x02\x02\xff\xff\xff\xff\xff\xff",
        b"\x00\x01\x00\x01\x02\x02\x02\xff\xfe\x03\x08\x0c",
    ],
    ids=["http", "no mode", "no encoding", "no end", "endless size", "no utf-8"],
)
def test_what_is_no_preamble_ends_without_a_word(syspro, said):
    assert told(syspro, said) == b""


@pytest.mark.parametrize("name", ["ServerTooBusy", "EndpointUnavailable", "ContentTypeInvalid"])
def test_a_site_may_refuse_every_connection(syspro, name):
    syspro.options({"nettcp_refuses": name})
    assert told(syspro, preamble(VIA)) == framing_fault(name)


# --- bytes ---------------------------------------------------------------------------------------------------------


def good(connection):
    return request(connection.address, "GetVersion", [])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data + b"\x01",
        lambda data: data[:-1] + b"\xff",
        lambda data: b"\x01" + data,
        lambda data: data.replace(bytes.fromhex("0b 01 61 06"), b""),
        lambda data: data.replace(bytes.fromhex("0b 01 73 04"), bytes.fromhex("0b 01 73 06")),
        lambda data: data.replace(bytes.fromhex("0b 01 73 04"), bytes.fromhex("0b 01 73 07")),
        lambda data: data.replace(bytes.fromhex("0b 01 61 06"), bytes.fromhex("0b 01 73 06")),
        lambda data: data.replace(bytes.fromhex("44 0a 1e 00 82"), bytes.fromhex("44 0a 1e 00 82 1e 00 82")),
        lambda data: data.replace(bytes.fromhex("44 0a 1e 00 82"), bytes.fromhex("44 0a 1e 00 83")),
        lambda data: data.replace(b"\x99\x0aGetVersion", b"\x99\x0aGetV\xffrsion"),
        lambda data: data.replace(b"\x99\x0aGetVersion", b"\x99\xffGetVersion"),
        lambda data: data.replace(bytes.fromhex("56 0e"), bytes.fromhex("56 08")),
    ],
    ids=[
        "cut",
        "one end too many",
        "no record",
        "an end first",
        "prefix not declared",
        "not SOAP 1.2",
        "unknown number",
        "prefix declared twice",
        "attribute twice",
        "attribute ends its element",
        "no utf-8",
        "longer than it is",
        "no body",
    ],
)
def test_what_is_no_envelope_ends_the_connection_without_a_word(wire, spoil):
    data = spoil(good(wire))
    assert data != good(wire)
    wire.send(data)
    assert wire.rest() == b""


@pytest.mark.parametrize(
    "said",
    [b"\x05\x01\x00", b"\x42", b"\x06\xff\xff\xff\xff\xff", b"\x06\xff\xff\xff\xff\x0f", b"\x06\x02\x05\x01"],
    ids=["unsized in a session", "no record", "size of six bytes", "size of 32 bits", "strings longer than they are"],
)
def test_a_record_that_is_not_due_ends_the_connection(wire, said):
    wire.say(said)
    assert wire.rest() == b""


def test_a_session_whose_strings_grow_beyond_what_dotnet_keeps_is_ended(wire):
    wire.send(good(wire), counted("x" * 2000))
    assert b"7.0.0.6" in wire.receive()
    wire.send(good(wire), counted("y" * 100))
    assert wire.rest() == b""


# --- quotas --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [BUFFERED, STREAMED], ids=["buffered", "streamed"])
def test_a_message_over_the_sites_size_is_refused_by_the_framing(syspro, mode):
    syspro.options({"nettcp_mode": "buffered" if mode == BUFFERED else "streamed", "nettcp_max_message": 65_536})
    with Wire(syspro) as connection:
        connection.open(mode)
        fits = request(connection.address, "GetLogonProfile", [("UserId", "x" * 65_000)])
        connection.send(fits)
        assert fault_of(connection.receive())[0] == "s:Sender"
        if mode == STREAMED:
            connection.open(mode)
        connection.send(request(connection.address, "GetLogonProfile", [("UserId", "x" * 5_000_000)]))
        assert connection.rest() == framing_fault("MaxMessageSizeExceededFault")


def test_a_size_is_refused_before_its_bytes_come(syspro, wire):
    wire.say(b"\x06" + int31((1 << 31) - 1))
    assert wire.byte() == FAULT


def test_a_text_over_the_readers_quota_is_a_fault_that_names_it(syspro, wire):
    syspro.options({"nettcp_max_text": 8192})
    with Wire(syspro) as small:
        small.open()
        assert "UserID is invalid" in small.refused("GetLogonProfile", ("UserId", "é" * 8192))
        code, text = fault_of(small.ask("GetLogonProfile", ("UserId", "é" * 8193)))
        assert code == "a:DeserializationFailed"
        assert "MaxStringContentLength" in text
        assert "8192" in text
        assert small.call("GetVersion") == "7.0.0.6"


def test_elements_nested_deeper_than_the_quota_are_a_fault(syspro, wire):
    nested = b"\x40" + counted("GetVersion") + b"\x08" + counted("http://SYSPROWcfService")
    for depth, code in ((28, None), (30, "a:DeserializationFailed"), (50_000, "a:DeserializationFailed")):
        body = nested + b"\x40\x01x" * depth + b"\x01" * depth + b"\x01"
        wire.send(envelope([action("GetVersion"), message_id(), REPLY_TO, to(wire.address)], body))
        answer = wire.receive()
        assert (b"7.0.0.6" in answer) if code is None else fault_of(answer)[0] == code


# --- SOAP and addressing -------------------------------------------------------------------------------------------


def headers(connection, **other):
    usual = {
        "action": action("GetVersion"),
        "id": message_id(),
        "reply": REPLY_TO,
        "to": to(connection.address),
    }
    return [header for header in {**usual, **other}.values() if header]


CUSTOM = b"\x40\x01T\x08\x08urn:mine"
"""<T xmlns="urn:mine">, a header of nobody."""


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"action": b""}, "a:MessageAddressingHeaderRequired"),
        ({"id": b""}, "a:MessageAddressingHeaderRequired"),
        ({"to": b""}, "a:DestinationUnreachable"),
        ({"to": to("net.tcp://127.0.0.1:1/SYSPROWCFService")}, "a:DestinationUnreachable"),
        ({"to": to("http://www.w3.org/2005/08/addressing/anonymous")}, "a:DestinationUnreachable"),
        ({"action": action("getversion")}, "a:ActionNotSupported"),
        ({"action": action("http://SYSPROWcfService/ISYSPROWcfService/GetVersion")}, "a:ActionNotSupported"),
        ({"action": action("TransactionPostW")}, "a:ActionNotSupported"),
        ({"again": action("GetVersion")}, "a:InvalidAddressingHeader"),
        (
            {"reply": bytes.fromhex("44 2c 44 2a") + text_record("net.tcp://me/") + b"\x01"},
            "a:OnlyAnonymousAddressSupported",
        ),
        ({"custom": CUSTOM + b"\x1e\x00\x82\xa9"}, "s:MustUnderstand"),
        ({"custom": CUSTOM + b"\x1e\x00\x86\xa9"}, "s:MustUnderstand"),
    ],
)
def test_headers_that_the_service_cannot_follow_are_a_fault(wire, other, code):
    wire.send(envelope(headers(wire, **other), wrapped("GetVersion", [])))
    assert fault_of(wire.receive())[0] == code
    assert wire.call("GetVersion") == "7.0.0.6"


@pytest.mark.parametrize(
    "other",
    [
        {"custom": CUSTOM + b"\xa9"},
        {"custom": CUSTOM + b"\x1e\x00\x80\xa9"},
        {"reply": b""},
        {"id": bytes.fromhex("44 1a") + text_record("any")},
        {"trace": bytes.fromhex("42 d2 06 0a d4 06 b1") + bytes(16)},
    ],
    ids=["unknown", "need not understand", "no reply to", "an id of another kind", "a trace of .NET"],
)
def test_headers_that_need_not_be_understood_are_passed_over(wire, other):
    wire.send(envelope(headers(wire, **other), wrapped("GetVersion", [])))
    assert b"7.0.0.6" in wire.receive()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        wrapped("GetVersion", [], namespace="http://tempuri.org/"),
        wrapped("Logon", []),
        b"\x40" + counted("GetVersion") + b"\x01",
    ],
    ids=["none", "another namespace", "another operation", "no namespace"],
)
def test_a_body_that_is_not_the_operations_is_a_fault(wire, body):
    wire.send(envelope(headers(wire), body))
    code, text = fault_of(wire.receive())
    assert code == "a:DeserializationFailed"
    assert "'GetVersion'" in text


def test_an_argument_with_elements_is_a_fault(wire):
    inner = b"\x40" + counted("UserId") + element("Id", "x") + b"\x01"
    body = wrapped("GetLogonProfile", [])[:-1] + inner + b"\x01"
    wire.send(envelope(headers(wire, action=action("GetLogonProfile")), body))
    assert fault_of(wire.receive())[0] == "a:DeserializationFailed"


def test_an_argument_out_of_its_place_counts_as_left_out(syspro, wire):
    """WCF looks for each behind the one before: the operator then logs on without a company's password."""
    operator, password, company, company_password = credentials(syspro)
    assert len(wire.call("Logon", operator, password, company, ("Unknown", "x"), company_password)) == 36
    assert wire.refused("Logon", operator, password, company_password, company) == "CompanyId was not supplied"
    wire.send(
        envelope(
            headers(wire, action=action("Logon")),
            wrapped("Logon", [operator, password, company])[:-1]
            + b"\x40" + counted("CompanyPassword") + b"\x08" + counted("urn:else") + b"\xa9\x01",
        )
    )  # fmt: skip
    assert fault_of(wire.receive())[1] == "CompanyPassword was not supplied"


def test_nil_and_left_out_are_the_same(syspro, wire):
    operator, password, company, _ = credentials(syspro)
    xsi = bytes.fromhex("0b 01 69 f2 06")  # xmlns:i
    nil = b"\x40" + counted("CompanyPassword") + xsi + bytes.fromhex("14 f6 06 86") + b"\x01"
    wire.send(
        envelope(
            headers(wire, action=action("Logon")), wrapped("Logon", [operator, password, company])[:-1] + nil + b"\x01"
        )
    )
    assert fault_of(wire.receive())[1] == "CompanyPassword was not supplied"
    assert wire.refused("Logon", operator, password, company) == "CompanyPassword was not supplied"


def test_a_site_may_end_the_connection_after_a_fault(syspro, wire):
    syspro.options({"nettcp_after_fault": "close"})
    assert wire.refused("GetLogonProfile", ("UserId", "x")).startswith("The supplied UserID")
    assert wire.rest() == b""
