"""What becomes of a request when the network, the server or the clock fails, over real sockets."""

from __future__ import annotations

import gzip
import logging
import socket
import struct
import threading
import time
import traceback
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ml_connector.systems.base import OutcomeUnknown, Refused, SystemFailure, Transient

CANARY = "canary-7f3a9"


def answers(body=b"{}", status="200 OK", headers=b"content-type: application/json\r\n", length=None):
    def behave(connection):
        head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body) if length is None else length}\r\n".encode()
        connection.sendall(head + headers + b"connection: close\r\n\r\n" + body)

    return behave


def resets(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_an_answer_comes_back_with_its_amounts_exact(server, http):  # R21
    site = server(answers(b'{"amount": 1620.10, "large": 12345678901234567.89}'))
    body = http(site.url).read("GET", "/v3/bills").json()
    assert body == {"amount": Decimal("1620.10"), "large": Decimal("12345678901234567.89")}


def test_amounts_leave_as_exact_numbers(server, http):  # R21
    site = server(answers())
    http(site.url).write("POST", "/v3/bills", json={"amount": Decimal("1200.00")})
    assert site.requests[0].endswith(b'{"amount":1200.00}')


@pytest.mark.parametrize("verb", ["read", "write"])
def test_a_refused_connection_is_transient_for_reads_and_writes(http, verb):  # R8
    client = http(f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(Transient, match="refused the connection"):
        getattr(client, verb)("POST", "/v3/bills")


def test_an_unknown_name_is_transient(http):
    with pytest.raises(Transient, match="could not be reached"):
        http("https://no-such-host.invalid").write("POST", "/v3/bills")


def test_a_reset_before_the_answer_leaves_a_write_unknown_and_is_not_repeated(server, http):  # R3, R8
    site = server(resets)
    with pytest.raises(OutcomeUnknown, match="closed the connection"):
        http(site.url).write("POST", "/v3/bills", json={})
    assert len(site.requests) == 1


def test_a_read_is_repeated_once_after_a_reset(server, http):
    calls = []

    def behave(connection):
        calls.append(1)
        (resets if len(calls) == 1 else answers(b"[]"))(connection)

    assert http(server(behave).url).read("GET", "/v3/bills").json() == []
    assert len(calls) == 2


def test_a_read_that_is_reset_twice_is_transient(server, http):
    site = server(resets)
    with pytest.raises(Transient):
        http(site.url).read("GET", "/v3/bills")
    assert len(site.requests) == 2


@pytest.mark.parametrize(("verb", "error"), [("read", Transient), ("write", OutcomeUnknown)])
def test_a_body_cut_short_is_no_answer(server, http, verb, error):  # R3
    site = server(answers(b'{"id": "00n', length=400))
    with pytest.raises(error):
        getattr(http(site.url), verb)("POST", "/v3/bills")


@pytest.mark.parametrize(("verb", "error"), [("read", Transient), ("write", OutcomeUnknown)])
def test_a_silent_server_is_left_after_the_total_time(server, http, verb, error):
    site = server(lambda connection: time.sleep(5))
    started = time.monotonic()
    with pytest.raises(error, match=r"did not answer within 0\.4 s"):
        getattr(http(site.url, total_timeout=0.4), verb)("POST", "/v3/bills")
    assert time.monotonic() - started < 2


def drips(part):
    def behave(connection):
        connection.sendall(part)
        for _ in range(100):
            time.sleep(0.05)
            connection.sendall(b"x")

    return behave


@pytest.mark.parametrize("part", [b"HTTP/1.1 200 OK\r\nx-a: ", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"])
def test_a_dripping_answer_cannot_outlast_the_total_time(server, http, part):
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="did not answer within"):
        http(server(drips(part)).url, total_timeout=0.4).write("POST", "/v3/bills")
    assert time.monotonic() - started < 2


def test_an_answer_beyond_the_limit_in_bytes_is_left(server, http):
    bomb = gzip.compress(b"0" * 5_000_000)
    site = server(answers(bomb, headers=b"content-encoding: gzip\r\n"))
    with pytest.raises(Transient, match="more than 1 MiB"):
        http(site.url, max_answer=1024 * 1024).read("GET", "/v3/bills")


def test_what_is_not_http_leaves_a_write_unknown(server, http):
    site = server(lambda connection: connection.sendall(b"\x00\x01 hello\r\n\r\n"))
    with pytest.raises(OutcomeUnknown):
        http(site.url).write("POST", "/v3/bills")


@pytest.mark.parametrize(("verb", "error"), [("read", Transient), ("write", OutcomeUnknown)])
def test_a_gateways_page_is_no_answer(server, http, verb, error):  # R12
    site = server(answers(b"<html>Bad Gateway", "502 Bad Gateway", b"content-type: text/html\r\n"))
    with pytest.raises(error, match="502"):
        getattr(http(site.url), verb)("POST", "/v3/bills")


@pytest.mark.parametrize(("verb", "error"), [("read", Transient), ("write", OutcomeUnknown)])
def test_garbled_json_says_nothing(server, http, verb, error):  # R12
    answer = getattr(http(server(answers(b'{"id": "00n')).url), verb)("POST", "/v3/bills")
    with pytest.raises(error):
        answer.json()


def test_a_redirect_is_handed_back_and_not_followed(server, http):
    other = server(answers())
    site = server(answers(b"", "302 Found", f"location: {other.url}/v3\r\n".encode()))
    assert http(site.url).read("GET", "/v3/bills").status == 302
    assert other.requests == []


def test_a_next_link_to_another_server_is_refused(server, http):
    other = server(answers())
    with pytest.raises(Refused, match="another server"):
        http(server(answers()).url).read("GET", f"{other.url}/v3/bills?page=2")
    assert other.requests == []


def test_parameters_join_those_of_a_next_link(server, http):
    site = server(answers())
    http(site.url).read("GET", f"{site.url}/v3/bills?page=2", params={"max": "1"})
    assert site.requests[0].startswith(b"GET /v3/bills?page=2&max=1 ")


def test_cookies_are_not_kept(server, http):
    site = server(answers(headers=b"set-cookie: session=1; Path=/\r\n"))
    client = http(site.url)
    client.read("GET", "/one")
    client.read("GET", "/two")
    assert b"cookie:" not in site.requests[1].lower()


def test_a_write_asks_first_whether_it_may(server, http):  # R9
    site = server(answers())

    def lost():
        raise RuntimeError("lease lost")

    client = http(site.url, may_write=lost)
    with pytest.raises(RuntimeError, match="lease lost"):
        client.write("POST", "/v3/bills")
    client.read("GET", "/v3/bills")
    assert len(site.requests) == 1


def test_no_more_requests_at_a_time_than_allowed(server, http):  # R59
    lock, now, most = threading.Lock(), [0], [0]

    def behave(connection):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.05)
        with lock:
            now[0] -= 1
        answers()(connection)

    client = http(server(behave).url, parallel=3)
    threads = [threading.Thread(target=client.read, args=("GET", "/")) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 3


def failures(server, http):
    """Every kind of failure, of requests full of secrets."""
    secret = {"headers": {"devKey": CANARY, "sessionId": CANARY}, "params": {"OperatorPassword": CANARY}}
    broken_header = {**secret, "headers": {"devKey": f"{CANARY}\n"}}
    unencodable = {**secret, "headers": {"devKey": f"{CANARY}\u20ac"}}
    sites = [
        (server(resets).url, {}, secret),
        (server(answers(b"{", length=10)).url, {}, secret),
        (server(lambda connection: time.sleep(1)).url, {"total_timeout": 0.2}, secret),
        (f"http://127.0.0.1:{closed_port()}", {}, secret),
        ("https://no-such-host.invalid", {}, secret),
        (server(answers()).url, {}, broken_header),
        (server(answers()).url, {}, unencodable),
        (server(answers(b"no", "503 No", b"")).url, {}, secret),
        (server(answers()).url, {"path": f"http://[::1?token={CANARY}"}, secret),
    ]
    for url, wishes, request in sites:
        path = wishes.pop("path", "/logon")
        for verb in ("read", "write"):
            try:
                getattr(http(url, **wishes), verb)("POST", path, **request, json={"password": CANARY})
            except SystemFailure as error:
                yield error
            else:
                pytest.fail("the request did not fail")


def test_no_secret_in_any_exception_or_log(server, http, caplog):  # R71
    caplog.set_level(logging.DEBUG)
    for name in ("httpx2", "httpcore2.http11", "httpcore2.connection"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    seen = list(failures(server, http))
    assert len(seen) == 18
    for error in seen:
        shown = "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__)
        assert CANARY not in shown
        assert error.__context__ is None
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "OperatorPassword=***" in logged
    assert CANARY not in logged


def test_an_answers_own_text_shows_neither_content_nor_headers(server, http):  # R71
    site = server(answers(b'{"sessionId": "%s"}' % CANARY.encode()))
    assert CANARY not in repr(http(site.url).read("GET", "/v3/login"))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("Mon, 16 Nov 2026 06:00:30 GMT", 30.0), ("Mon, 16 Nov 2026 05:00:00 GMT", 0.0), ("soon", None)],
)
def test_retry_after_as_seconds_and_as_date(server, http, header, seconds):
    site = server(answers(headers=f"Retry-After: {header}\r\n".encode()))
    answer = http(site.url).read("GET", "/")
    assert answer.retry_after(datetime(2026, 11, 16, 6, tzinfo=UTC)) == seconds


def test_what_an_answer_points_to_is_fetched_without_our_headers(server, http):
    elsewhere = server(answers(b'{"amount": 0.10}'))
    client = http(server(answers()).url)
    assert client.download(f"{elsewhere.url}/file?signature={CANARY}").json() == {"amount": Decimal("0.10")}
    head = elsewhere.requests[0].lower()
    assert head.startswith(f"get /file?signature={CANARY} ".encode())
    assert b"authorization" not in head and b"cookie" not in head


@pytest.mark.parametrize("url", ["http://files.example/x", "ftp://127.0.0.1/x", "https://u:p@127.0.0.1/x", "/relative"])
def test_what_an_answer_points_to_is_https_or_this_machine(server, http, url):
    with pytest.raises(Refused) as refused:
        http(server(answers()).url).download(url)
    assert refused.value.code == "foreign_address"
    with pytest.raises(Refused):
        http("https://api.example").download("http://127.0.0.1:1/x")


def test_the_query_of_another_server_is_in_no_log(server, http, caplog):  # R71
    caplog.set_level(logging.DEBUG)
    elsewhere = server(answers(status="403 Forbidden"))
    assert http(server(answers()).url).download(f"{elsewhere.url}/file?X-Amz-Signature={CANARY}").status == 403
    assert any(getattr(record, "path", "") == "/file" for record in caplog.records)
    assert CANARY not in f"{caplog.text}{[vars(record) for record in caplog.records]}"
