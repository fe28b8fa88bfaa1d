"""What goes wrong on net.tcp on demand: before, in and after the answer; and upgrades of the connection."""

import socket
import time

import pytest
from tests.sandbox.nettcp_wire import (
    BUFFERED,
    FAULT,
    FAULTS,
    MESSAGE_ID,
    SIZED,
    STREAMED,
    UPGRADE_GRANTED,
    Wire,
    counted,
    credentials,
    fault_of,
    handshake,
    headers_of,
    preamble,
    request,
)

from ml_connector import sandbox
from ml_connector.sandbox.faults import BadFault

MODES = pytest.mark.parametrize("mode", [BUFFERED, STREAMED], ids=["buffered", "streamed"])


@pytest.fixture(scope="module")
def running():
    with sandbox.start("syspro", options={"invoices": 5, "nettcp": True}) as stand_in:
        yield stand_in


@pytest.fixture
def syspro(running):
    before = running.options()
    running.clear_requests()
    running.edit("sessions", [{**row, "_delete": True} for row in running.state("sessions")])
    yield running
    running.options(before)
    running.faults([])
    running.clock()


def opened(syspro, mode=BUFFERED, timeout=5):
    syspro.options({"nettcp_mode": "buffered" if mode == BUFFERED else "streamed"})
    return Wire(syspro, timeout).open(mode)


def asked(connection):
    """The connection on which the version was asked for."""
    connection.send(request(connection.address, "GetVersion", []))
    return connection


def log_on(connection):
    connection.send(request(connection.address, "Logon", credentials(connection.running)))


# --- the answer is lost --------------------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize(
    ("fault", "committed"),
    [
        ({"do": "reset"}, False),
        ({"do": "reset", "when": "headers"}, False),
        ({"do": "commit_then_reset"}, True),
        ({"do": "commit_then_expire_session", "answer": "reset"}, True),
    ],
)
def test_a_reset_comes_before_or_after_the_commit(syspro, mode, fault, committed):
    syspro.faults([{**fault, "match": {"method": "NET.TCP", "path": "/logon"}}])
    with opened(syspro, mode) as connection:
        log_on(connection)
        with pytest.raises(ConnectionResetError):
            connection.byte()
    assert len(syspro.state("sessions")) == committed
    row = syspro.requests()[-1]
    assert (row["fault"], row["status"]) == (fault["do"], None)


def test_a_connection_may_be_reset_when_it_is_accepted(syspro):
    syspro.faults([{"do": "reset", "when": "connect", "times": 1}])
    with pytest.raises((ConnectionResetError, EOFError)), Wire(syspro) as connection:
        connection.byte()
    with Wire(syspro) as connection:
        assert connection.open().call("GetVersion") == "7.0.0.6"


def test_a_call_may_never_be_answered_though_it_counts_later(syspro):
    syspro.clock(now="2026-11-16T12:00:00Z", running=False)
    syspro.faults([{"match": {"path": "/logon"}, "do": "late_commit", "seconds": 60, "times": 1}])
    with opened(syspro, timeout=0.3) as connection:
        log_on(connection)
        with pytest.raises(TimeoutError):
            connection.byte()
    assert syspro.state("sessions") == []
    syspro.clock(advance=60)
    assert len(syspro.state("sessions")) == 1


def test_a_stalled_answer_comes_late_and_a_dripped_one_in_pieces(syspro):
    syspro.faults([{"do": "delay", "seconds": 0.3, "times": 1}])
    with opened(syspro) as connection:
        begun = time.monotonic()
        assert connection.call("GetVersion") == "7.0.0.6"
        assert time.monotonic() - begun > 0.25
        syspro.faults([{"do": "drip", "seconds": 0.3, "times": 1}])
        asked(connection)
        first = connection.socket.recv(1 << 16)
        assert len(first) < 60
        begun = time.monotonic()
        rest = b""
        while b"7.0.0.6" not in rest:
            rest += connection.socket.recv(1 << 16)
        assert time.monotonic() - begun > 0.2


@MODES
def test_a_truncated_answer_ends_within_its_envelope(syspro, mode):
    syspro.faults([{"do": "truncate", "times": 1}])
    with opened(syspro, mode) as connection:
        data = asked(connection).rest()
    with opened(syspro, mode) as connection:
        asked(connection).receive()
    assert data[0] in (SIZED, 0x05)
    assert 20 < len(data) < 160
    assert b"7.0.0.6" not in data


@MODES
def test_a_refused_port_is_shut_and_then_back(syspro, mode):
    with opened(syspro, mode) as connection:
        syspro.refuse(0.3)
        with pytest.raises((ConnectionResetError, EOFError)):
            connection.byte()
    with pytest.raises(ConnectionRefusedError):
        Wire(syspro)
    time.sleep(0.5)
    with opened(syspro, mode) as connection:
        assert connection.call("GetVersion") == "7.0.0.6"


# --- the answer is another -----------------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize("fault", [{"do": "throttle"}, {"do": "status", "status": 503}])
def test_a_site_that_is_too_busy_says_so_in_the_framing(syspro, mode, fault):
    syspro.faults([{**fault, "times": 1}])
    with opened(syspro, mode) as connection:
        assert asked(connection).rest() == bytes((FAULT,)) + counted(FAULTS + b"ServerTooBusy")


@pytest.mark.parametrize(
    ("do", "committed"), [("status", False), ("commit_then_status", True)], ids=["not done", "done"]
)
def test_a_failure_of_the_service_is_a_fault_without_its_reason(syspro, do, committed):
    syspro.faults([{"do": do, "status": 500, "times": 1}])
    with opened(syspro) as connection:
        log_on(connection)
        assert fault_of(connection.receive())[0] == "a:InternalServiceFault"
    assert len(syspro.state("sessions")) == committed


def test_a_session_expires_on_demand(syspro):
    with opened(syspro) as connection:
        user_id = connection.logon()
        syspro.faults([{"do": "expire_session", "times": 1}])
        assert "UserID is invalid" in connection.refused("GetLogonProfile", ("UserId", user_id))


# --- the answer is malformed ---------------------------------------------------------------------------------------


def malform(syspro, how):
    syspro.faults([{"match": {"method": "NET.TCP"}, "do": "malform", "how": how, "times": 1}])


@MODES
def test_an_answer_may_be_that_of_another_message(syspro, mode):
    malform(syspro, "relates_to")
    with opened(syspro, mode) as connection:
        data = asked(connection).receive()
    assert headers_of(data)[-18:-16] == bytes.fromhex("12 ad")
    assert headers_of(data)[-16:] != MESSAGE_ID.bytes_le


@MODES
def test_an_answer_may_come_in_a_record_that_does_not_exist(syspro, mode):
    malform(syspro, "record")
    with opened(syspro, mode) as connection:
        assert asked(connection).byte() == 0x42


@MODES
def test_an_answer_may_promise_two_gibibytes_and_then_say_nothing(syspro, mode):
    malform(syspro, "size")
    with opened(syspro, mode, timeout=0.4) as connection:
        asked(connection).byte()
        assert connection.int31() == (1 << 31) - 1
        connection.take(100)
        with pytest.raises(TimeoutError):
            connection.take(1000)


@MODES
def test_an_answer_may_end_in_what_is_no_record(syspro, mode):
    malform(syspro, "xml")
    with opened(syspro, mode) as connection:
        assert asked(connection).receive().endswith(b"7.0.0.6\x01\x01\xff")


@MODES
def test_an_answer_may_use_a_number_that_nobody_gave(syspro, mode):
    malform(syspro, "number")
    with opened(syspro, mode) as connection:
        data = asked(connection).receive()
    assert data.endswith(bytes.fromhex("42 a1 1f a9 01 01 01"))


@MODES
def test_an_answer_may_be_a_hundred_thousand_elements_deep(syspro, mode):
    malform(syspro, "deep")
    with opened(syspro, mode) as connection:
        data = asked(connection).receive()
    assert data.count(b"\x40\x01x") == 100_000
    assert data.endswith(b"\x01" * 100_003)


def test_an_answer_may_bring_a_mebibyte_of_strings(syspro):
    malform(syspro, "strings")
    with opened(syspro) as connection:
        asked(connection).receive()
        assert sum(len(text) + 1 for text in connection.strings) > 1 << 20
        assert "GetVersionResult" in connection.strings
    malform(syspro, "strings")
    with opened(syspro, STREAMED) as connection:
        assert len(asked(connection).receive()) > 1 << 20


@MODES
def test_an_answer_may_never_end(syspro, mode):
    malform(syspro, "endless")
    with opened(syspro, mode) as connection:
        assert len(asked(connection).take(20_000_000)) == 20_000_000
    with opened(syspro, mode) as connection:
        assert connection.call("GetVersion") == "7.0.0.6"


def test_a_malformed_answer_comes_after_the_commit(syspro):
    malform(syspro, "xml")
    with opened(syspro) as connection:
        log_on(connection)
        connection.receive()
    assert len(syspro.state("sessions")) == 1


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ({"do": "malform", "how": "xml"}, r"faults\[0\].match.method"),
        ({"do": "malform", "how": "xml", "match": {"method": "POST"}}, r"faults\[0\].match.method"),
        ({"do": "malform", "match": {"method": "NET.TCP"}}, r"faults\[0\].how"),
        ({"do": "malform", "how": "ugly", "match": {"method": "NET.TCP"}}, r"faults\[0\].how: 'ugly' is unknown"),
    ],
)
def test_a_fault_that_nobody_could_do_is_refused(syspro, fault, named):
    with pytest.raises(BadFault, match=named):
        syspro.faults([fault])


# --- upgrades ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_tls():
    with sandbox.start("syspro", options={"invoices": 5, "nettcp": True, "nettcp_security": "tls"}) as stand_in:
        yield stand_in


@pytest.fixture
def secured(with_tls):
    yield with_tls
    with_tls.options({"nettcp_mode": "buffered"})


@MODES
def test_a_connection_is_upgraded_to_tls_with_the_certificate_of_the_stand_in(secured, mode):
    secured.options({"nettcp_mode": "buffered" if mode == BUFFERED else "streamed"})
    with Wire(secured) as connection:
        connection.secure(mode)
        assert connection.socket.version() == "TLSv1.3"
        assert len(connection.call("Logon", *credentials(secured))) == 36
        if mode == BUFFERED:
            assert connection.refused("GetLogonProfile", ("UserId", "é" * 2_000_000)).startswith("The supplied UserID")


def test_a_secured_site_ends_a_connection_that_does_not_upgrade_without_a_word(secured):
    with Wire(secured) as connection:
        connection.say(preamble(connection.address))
        assert connection.rest() == b""


def test_a_secured_site_does_not_take_windows_credentials(secured):
    with Wire(secured) as connection:
        connection.say(preamble(connection.address, end=b"\x09" + counted("application/negotiate")))
        assert connection.rest() == bytes((FAULT,)) + counted(FAULTS + b"UpgradeInvalid")


def test_what_is_no_handshake_ends_the_connection(secured):
    with Wire(secured) as connection:
        connection.say(preamble(connection.address, end=b"\x09" + counted("application/ssl-tls")))
        assert connection.byte() == UPGRADE_GRANTED
        connection.say(b"\x0c" + bytes(100))
        connection.rest()
    with Wire(secured) as connection:
        connection.secure()


def test_rest_stays_plain_beside_a_secured_endpoint(secured):
    assert secured.url.startswith("http://")


def test_a_site_with_windows_authentication_grants_the_upgrade_and_denies_the_logon(syspro):
    syspro.options({"nettcp_security": "windows"})
    with Wire(syspro) as connection:
        connection.say(preamble(connection.address, end=b"\x09" + counted("application/negotiate")))
        assert connection.byte() == UPGRADE_GRANTED
        connection.say(handshake(0x16, b"NTLMSSP\x00" + bytes(32)))
        assert connection.rest() == bytes.fromhex("15 01 00 00 08 00 00 00 00 80 09 03 0c")


@pytest.mark.parametrize(
    ("end", "answer"),
    [
        (b"\x0c", b""),
        (b"\x09" + counted("application/ssl-tls"), bytes((FAULT,)) + counted(FAULTS + b"UpgradeInvalid")),
    ],
    ids=["no upgrade", "tls"],
)
def test_a_site_with_windows_authentication_takes_nothing_else(syspro, end, answer):
    syspro.options({"nettcp_security": "windows"})
    with Wire(syspro) as connection:
        connection.say(preamble(connection.address, end=end))
        assert connection.rest() == answer


def test_a_stand_in_stops_with_connections_open():
    with sandbox.start("syspro", options={"invoices": 5, "nettcp": True}) as site:
        connection = Wire(site).open()
    assert connection.rest() == b""
    where = connection.socket.getpeername()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(where, timeout=1)
