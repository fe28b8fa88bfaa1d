"""The SYSPRO stand-in's e.net over net.tcp: the same operations, sessions and books as over REST."""

import re
import socket
import uuid

import httpx2
import pytest
from tests.sandbox.nettcp_wire import (
    ACK,
    BUFFERED,
    END,
    MESSAGE_ID,
    REPLY_TO,
    STREAMED,
    Wire,
    action,
    body_of,
    counted,
    credentials,
    envelope,
    fault_of,
    headers_of,
    message_id,
    preamble,
    request,
    text_record,
    to,
    wrapped,
)
from tests.sandbox.syspro_client import Client, parsed

from ml_connector import sandbox

DEAD = (
    "The supplied UserID is invalid. Either you were not logged in; or your session has expired. "
    "You will need to logon again."
)
LINE = (
    "<LedgerDistribution><LedgerCode>10-6200</LedgerCode><LedgerValue>10.00</LedgerValue>"
    "<LedgerNotation>{}</LedgerNotation></LedgerDistribution>"
)


@pytest.fixture(scope="module")
def running():
    with sandbox.start("syspro", seed=1, options={"base_set": "bill", "nettcp": True}) as stand_in:
        stand_in.clock(now="2026-11-16T12:00:00Z", running=False)
        yield stand_in


@pytest.fixture
def syspro(running):
    before = running.options()
    running.edit("sessions", [{**row, "_delete": True} for row in running.state("sessions")])
    running.clear_requests()
    yield running
    running.options(before)
    running.faults([])


@pytest.fixture
def wire(syspro):
    with Wire(syspro) as connection:
        yield connection.open()


def invoice(number, *, lines=1, notation="", supplier="PAK003"):
    return (
        f"<PostApInvoice><Item><Supplier>{supplier}</Supplier><Invoice>{number}</Invoice>"
        f"<TransactionValue>{10 * lines}.00</TransactionValue>{LINE.format(notation) * lines}</Item></PostApInvoice>"
    )


PARAMETERS = "<PostApInvoice><Parameters><IgnoreWarnings>Y</IgnoreWarnings></Parameters></PostApInvoice>"


def post(connection, user_id, document):
    return connection.call(
        "TransactionPost",
        ("UserId", user_id),
        ("BusinessObject", "APSTIN"),
        ("XmlParameters", PARAMETERS),
        ("XmlIn", document),
    )


def query(table, *columns):
    names = "".join(f"<Column>{column}</Column>" for column in columns)
    return f"<Query><TableName>{table}</TableName><Columns>{names}</Columns></Query>"


# --- the encoding, held against the published vectors -------------------------------------------------------


def test_the_published_request_is_understood_to_the_byte(syspro):
    """206 bytes for a service that listens as erp:31001: its credentials are not ours, and it is told so."""
    address = "net.tcp://erp:31001/SYSPROWCFService"
    syspro.options({"nettcp_listens_as": address})
    said = (
        bytes.fromhex("00 56 02 0b 01 73 04 0b 01 61 06 56 08 44 0a 1e 00 82 99 05")
        + b"Logon"
        + bytes.fromhex("44 1a ad")
        + MESSAGE_ID.bytes_le
        + bytes.fromhex("44 2c 44 2a ab 14 01 44 0c 1e 00 82 99 24")
        + address.encode()
        + bytes.fromhex("01 56 0e 40 05")
        + b"Logon"
        + bytes.fromhex("08 17")
        + b"http://SYSPROWcfService"
        + bytes.fromhex("40 08 4f 70 65 72 61 74 6f 72 99 05 41 44 4d 49 4e")
        + bytes.fromhex("40 10 4f 70 65 72 61 74 6f 72 50 61 73 73 77 6f 72 64 99 02 70 77")
        + bytes.fromhex("40 09 43 6f 6d 70 61 6e 79 49 64 99 04 45 44 55 31")
        + bytes.fromhex("40 0f 43 6f 6d 70 61 6e 79 50 61 73 73 77 6f 72 64 a9 01 01 01")
    )
    assert len(said) == 206
    with Wire(syspro) as connection:
        connection.say(bytes.fromhex("00 01 00 01 02 02 24") + address.encode() + bytes.fromhex("03 08 0c"))
        assert connection.byte() == ACK
        connection.say(bytes.fromhex("06 ce 01") + said)
        connection.mode = BUFFERED
        assert fault_of(connection.receive()) == ("s:Sender", "Invalid operator password")


def test_an_answer_names_its_request_and_puts_its_names_into_the_table_of_the_session(wire):
    first, second = wire.ask("GetVersion"), wire.ask("GetVersion")
    header = bytes.fromhex("56 02 0b 01 73 04 0b 01 61 06 56 08 44 0a 1e 00 82 ab 01 44 12 ad") + MESSAGE_ID.bytes_le
    assert headers_of(first) == header
    assert wire.strings == [
        "http://SYSPROWcfService/ISYSPROWcfService/GetVersionResponse",
        "GetVersionResponse",
        "http://SYSPROWcfService",
        "GetVersionResult",
    ]
    assert body_of(first) == bytes.fromhex("42 03 0a 05 42 07 99 07") + b"7.0.0.6" + bytes.fromhex("01 01 01")
    assert second == first


def test_the_strings_of_a_client_are_numbered_through_its_session(wire):
    """The first envelope brings the strings 1 and 3, the second the string 5; both use what they have."""
    named = bytes.fromhex("42 03 0a 01 01")
    headers = [action("GetVersion"), message_id(), REPLY_TO, to(wire.address)]
    wire.send(envelope(headers, named), counted("http://SYSPROWcfService") + counted("GetVersion"))
    assert b"7.0.0.6" in wire.receive()
    numbered = bytes.fromhex("44 0a 1e 00 82 ab 05")
    wire.send(envelope([numbered, *headers[1:]], named), counted("GetVersion"))
    assert b"7.0.0.6" in wire.receive()


def test_a_name_for_which_the_table_has_no_room_is_spelt(syspro):
    with Wire(syspro) as connection:
        connection.open().logon()
        operations = ["GetVersion", "GetLogonProfile", "QueryQuery", "QueryBrowse", "QueryFetch", "Logoff"]
        for operation in operations * 2:
            if operation == "GetVersion":
                connection.call(operation)
            else:
                connection.ask(operation, ("UserId", "x"))
        assert sum(len(text) for text in connection.strings) <= 2048


# --- operations ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [BUFFERED, STREAMED], ids=["buffered", "streamed"])
def test_logon_post_query_and_log_off(syspro, mode):
    syspro.options({"nettcp_mode": "buffered" if mode == BUFFERED else "streamed"})
    number = f"NT-{mode.hex()}"

    def call(operation, *arguments):
        if mode == BUFFERED:
            return session.call(operation, *arguments)
        with Wire(syspro) as connection:
            return connection.open(STREAMED).call(operation, *arguments)

    with Wire(syspro) as session:
        if mode == BUFFERED:
            session.open()
        user_id = call("Logon", *credentials(syspro))
        assert re.fullmatch(r"[0-9A-F]{32}00  ", user_id)
        answer = call(
            "TransactionPost",
            ("UserId", user_id),
            ("BusinessObject", "APSTIN"),
            ("XmlParameters", PARAMETERS),
            ("XmlIn", invoice(number)),
        )
        assert answer.startswith('<?xml version="1.0" encoding="Windows-1252"?>')
        assert f"<Invoice>{number}</Invoice>" in answer
        assert call("Logoff", ("UserId", user_id)) == "0"
    assert [row["Supplier"] for row in syspro.state("ApInvoice") if row["Invoice"] == number] == ["PAK003"]


def test_a_session_is_the_same_over_rest_and_over_net_tcp(syspro, wire):
    over_rest = Client(syspro).logon()
    assert "<UserInfo " in wire.call("GetLogonProfile", ("UserId", over_rest.user_id))
    over_rest.user_id = wire.logon()
    assert over_rest.find("TblCurrency", "Currency", "USD", "Currency") == [("USD",)]
    wire.call("Logoff", ("UserId", over_rest.user_id))
    answer = over_rest.http.get(f"{over_rest.base}/GetLogonProfile", params={"UserId": over_rest.user_id})
    assert answer.text == f"ERROR: {DEAD}"
    over_rest.close()


def test_an_error_of_enet_is_a_fault_with_its_words(syspro, wire):
    assert wire.refused("GetLogonProfile", ("UserId", "0" * 34)) == DEAD
    syspro.options({"nettcp_errors": "exception"})
    data = wire.ask("GetLogonProfile", ("UserId", "0" * 34))
    assert fault_of(data) == ("a:InternalServiceFault", DEAD)
    assert "ExceptionDetail" in wire.strings


def test_the_id_is_bare_whatever_form_rest_gives_it(syspro, wire):
    syspro.options({"logon_answer": "json"})
    assert re.fullmatch(r"[0-9A-F]{32}00  ", wire.logon())


def test_a_logon_of_eight_arguments_is_the_same(syspro, wire):
    more = [("LanguageCode", "05"), ("LogLevel", "NoDebug"), ("EncoreInstance", "0"), ("XmlIn", "")]
    assert len(wire.call("Logon", *credentials(syspro), *more)) == 36


@pytest.mark.parametrize("mode", ["buffered", "streamed"])
@pytest.mark.parametrize("form", ["string", "stream"])
def test_megabytes_of_foreign_letters_go_both_ways(syspro, mode, form):
    """2 MB in, of which 1,500 lines are booked; and these out again in 2 MB, to the letter."""
    syspro.options({"nettcp_mode": mode, "nettcp_results": form})
    text = "Škoda, œuvre: 5 € für Ærø-Café"
    number = f"BIG-{mode[0]}-{form}"
    document = f"<!--{text * 60_000}-->{invoice(number, lines=1500, notation=text)}"
    assert len(document.encode()) > 2_000_000
    how = BUFFERED if mode == "buffered" else STREAMED
    user_id = Client(syspro).logon().user_id
    with Wire(syspro, timeout=60) as connection:
        assert f"<Invoice>{number}</Invoice>" in post(connection.open(how), user_id, document)
    with Wire(syspro, timeout=60) as connection:
        found = connection.open(how).call(
            "QueryQuery",
            ("UserId", user_id),
            ("BusinessObject", "COMFND"),
            ("XmlIn", query("ApJnlDistrib", *["Reference"] * 25)),
        )
    assert len(found.encode()) > 2_000_000
    rows = parsed(found.encode("cp1252")).findall("Row")
    booked = [row for row in rows if [cell.text for cell in row] == [text] * 25]
    assert len(booked) == sum(row["Reference"] == text for row in syspro.state("ApJnlDistrib")) >= 1500


def test_faults_match_a_call_by_the_path_of_its_operation_and_by_its_text(syspro, wire):
    rows = [
        {"match": {"path": "/transaction/post", "contains": "<Invoice>NT-F</Invoice>"}, "do": "commit_then_reset"},
        {"match": {"method": "net.tcp", "path": "/logon"}, "do": "in_band_error", "text": "Out of licences"},
    ]
    syspro.faults(rows)
    assert wire.refused("Logon", *credentials(syspro)) == "Out of licences"
    user_id = Client(syspro).logon().user_id
    with pytest.raises((ConnectionResetError, EOFError)):
        post(wire, user_id, invoice("NT-F"))
    assert any(row["Invoice"] == "NT-F" for row in syspro.state("ApInvoice"))


def test_the_list_of_requests_tells_how_a_call_came_and_no_secret(syspro, wire):
    wire.logon()
    rest = Client(syspro).logon()
    rest.close()
    methods = [(row["method"], row["path"]) for row in syspro.requests()]
    assert methods == [("NET.TCP", "/SYSPROWCFService/Logon"), ("GET", "/SYSPROWCFService/Rest/Logon")]
    assert syspro.secrets["operator_password"] not in str(syspro.requests())


def test_a_post_counts_as_a_write_of_its_operator(syspro, wire):
    user_id = wire.logon()
    post(wire, user_id, invoice("NT-W"))
    assert [(row["key"], row["write"]) for row in syspro.requests()] == [(None, False), ("enet MLCONN", True)]


# --- sessions of the framing -----------------------------------------------------------------------------------


def test_an_end_is_answered_by_an_end_and_the_connection_may_begin_anew(wire):
    wire.call("GetVersion")
    wire.say(bytes((END,)))
    assert wire.byte() == END
    wire.strings.clear()
    assert wire.open().call("GetVersion") == "7.0.0.6"
    assert wire.strings[1] == "GetVersionResponse"


def test_a_streamed_connection_takes_another_preamble_after_its_call(syspro):
    syspro.options({"nettcp_mode": "streamed"})
    with Wire(syspro) as connection:
        assert [connection.open(STREAMED).call("GetVersion") for _ in range(3)] == ["7.0.0.6"] * 3


def test_a_client_that_half_closes_after_its_end_sees_the_end(syspro, wire):
    wire.say(bytes((END,)))
    wire.socket.shutdown(1)
    assert wire.rest() == bytes((END,))


def test_an_idle_connection_is_ended(syspro):
    syspro.options({"nettcp_idle_seconds": 0.1})
    with Wire(syspro) as connection:
        assert connection.rest() == b""
    with Wire(syspro) as connection:
        connection.open()
        assert connection.rest() == b""


def test_the_message_id_may_be_any_text(wire):
    headers = [action("GetVersion"), bytes.fromhex("44 1a") + text_record("urn:mine:7"), REPLY_TO, to(wire.address)]
    wire.send(envelope(headers, wrapped("GetVersion", [])))
    assert bytes.fromhex("44 12") + text_record("urn:mine:7") in wire.receive()


def test_a_long_text_ends_its_element_in_a_record_of_its_own(syspro, wire):
    assert wire.call("GetLogonProfile", ("UserId", wire.logon())).startswith("<?xml")
    body = body_of(wire.ask("GetLogonProfile", ("UserId", wire.logon())))
    assert re.search(rb"\x9a..<\?xml", body, re.DOTALL)
    assert body.endswith(b"\x01\x01\x01\x01")


# --- what a site exposes -----------------------------------------------------------------------------------------


def test_without_the_option_there_is_no_endpoint():
    with sandbox.start("syspro", options={"invoices": 5}) as plain:
        assert "nettcp_address" not in plain.settings


def test_a_site_may_have_net_tcp_alone(syspro, wire):
    syspro.options({"rest": False})
    answer = httpx2.get(f"{syspro.settings['enet_rest_base']}/GetVersion")
    assert answer.status_code == 404
    assert wire.call("GetVersion") == "7.0.0.6"


def test_a_document_over_the_urls_limit_goes_by_each_way_that_is_there(syspro, wire):
    """REST GET is too long for it; PostLD and net.tcp take it."""
    syspro.options({"max_url_bytes": 8000})
    rest = Client(syspro).logon()
    document = invoice("NT-LONG", lines=100)
    arguments = {"UserId": rest.user_id, "BusinessObject": "APSTIN", "XmlParameters": PARAMETERS, "XmlIn": document}
    assert rest.http.get(f"{rest.base}/Transaction/Post", params=arguments).status_code == 414
    assert "<Invoice>NT-LONG</Invoice>" in post(wire, rest.user_id, document)
    large = wrapped_xml(arguments | {"XmlIn": document.replace("NT-LONG", "NT-LD")})
    answer = rest.http.post(f"{rest.base}/Transaction/PostLD", content=large)
    assert answer.status_code == 200
    assert b"<Invoice>NT-LD</Invoice>" in answer.content
    syspro.options({"large_posts": False})
    assert rest.http.post(f"{rest.base}/Transaction/PostLD", content=large).status_code == 404
    rest.close()


def wrapped_xml(arguments):
    content = "".join(f"<{name}><![CDATA[{text}]]></{name}>" for name, text in arguments.items())
    return f'<TransactionPostLD xmlns="http://SYSPROWcfService">{content}</TransactionPostLD>'.encode()


def test_a_forwarded_port_has_its_own_via_and_the_services_own_address():
    address = "net.tcp://erp.ril.example:31001/SYSPROWCFService"
    with sandbox.start("syspro", options={"invoices": 5, "nettcp": True, "nettcp_listens_as": address}) as site:
        assert site.settings["nettcp_address"] == address
        via = site.settings["nettcp_via"]
        assert via.startswith("net.tcp://127.0.0.1:")
        with Wire(site) as connection:
            connection.say(preamble(via))
            assert connection.byte() == ACK
            connection.mode = BUFFERED
            assert connection.call("GetVersion") == "7.0.0.6"
            connection.send(request(via, "GetVersion", []))
            assert fault_of(connection.receive())[0] == "a:DestinationUnreachable"


def test_the_port_may_be_chosen():
    with sandbox.start("syspro", options={"invoices": 5, "nettcp": True}) as first:
        port = int(first.settings["nettcp_address"].split(":")[2].split("/")[0])
    with sandbox.start("syspro", options={"invoices": 5, "nettcp": True, "nettcp_port": port}) as second:
        assert second.settings["nettcp_address"] == f"net.tcp://127.0.0.1:{port}/SYSPROWCFService"
        with Wire(second) as connection:
            assert connection.open().call("GetVersion") == "7.0.0.6"


def test_a_port_that_is_taken_is_named_and_nothing_is_left_open(syspro):
    port = int(syspro.settings["nettcp_address"].split(":")[2].split("/")[0])
    with pytest.raises(OSError, match=rf"nettcp_port {port}"):
        sandbox.start("syspro", options={"invoices": 5, "nettcp": True, "nettcp_port": port})
    taken = int(syspro.url.rpartition(":")[2])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        spare = free.getsockname()[1]
    with pytest.raises(OSError, match="in use"):
        sandbox.start("syspro", port=taken, options={"invoices": 5, "nettcp": True, "nettcp_port": spare})
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", spare), timeout=1)


def test_each_message_of_a_session_is_answered_with_its_own_id(wire):
    identities = [uuid.UUID(int=number) for number in (1, 2)]
    for identity in identities:
        headers = [action("GetVersion"), message_id(identity), REPLY_TO, to(wire.address)]
        wire.send(envelope(headers, wrapped("GetVersion", [])))
    assert [headers_of(wire.receive())[-16:] for _ in identities] == [identity.bytes_le for identity in identities]
