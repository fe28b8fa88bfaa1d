"""Where requests may go, and under whose certificate."""

from __future__ import annotations

import socket
import threading

import pytest

from ml_connector.systems.base import Refused, Transient
from ml_connector.systems.transport.network import forbidden
from ml_connector.systems.transport.policy import NetworkPolicy

OPEN = NetworkPolicy()
CLOSED = NetworkPolicy(allow_private=False, allow_loopback=False)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.1.1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "0.0.0.0",
        "::",
        "224.0.0.1",
    ],
)
def test_metadata_and_link_local_addresses_never_pass(address):
    assert forbidden(address, OPEN)


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "192.168.0.4", "172.16.0.1", "100.64.0.1", "fd12::1", "::ffff:10.0.0.1"]
)
def test_private_addresses_pass_as_the_host_allows(address):
    assert forbidden(address, OPEN) is None
    assert "allow private addresses" in forbidden(address, CLOSED)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.8.8.8", "::ffff:127.0.0.1"])
def test_loopback_addresses_pass_as_the_host_allows(address):
    assert forbidden(address, OPEN) is None
    assert "allow loopback addresses" in forbidden(address, CLOSED)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111"])
def test_public_addresses_pass(address):
    assert forbidden(address, CLOSED) is None


def test_the_name_is_checked_by_the_address_it_stands_for(http):
    client = http("https://localhost:9", access_network=CLOSED)
    with pytest.raises(Transient, match="allow loopback addresses on the host"):
        client.write("POST", "/v3/bills")


def test_a_metadata_address_is_refused_with_a_reason(http):
    client = http("http://169.254.169.254", allow_plain_http=True)
    with pytest.raises(Transient, match="never allowed"):
        client.read("GET", "/latest")


@pytest.mark.parametrize(
    "url", ["http://bill.example", "ftp://bill.example", "bill.example", "https://u:p@bill.example", ""]
)
def test_an_address_that_is_not_https_is_refused(http, url):
    with pytest.raises(Refused) as refused:
        http(url)
    assert refused.value.field == "base_url"


def greets(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")


def test_an_unknown_authority_is_refused_before_anything_is_sent(server, http, secure):  # R64
    site = server(greets, secure)
    with pytest.raises(Transient, match=r"not trusted .* certificate setting"):
        http(site.url).write("POST", "/v3/bills", json={})
    assert site.requests == []


def test_a_private_authority_is_taken_when_given(server, http, secure, authority):  # R64
    site = server(greets, secure)
    assert http(site.url, ca_certificates=authority[0]).read("GET", "/").json() == {}


def test_a_certificate_for_another_name_is_refused(server, http, secure, authority):  # R64
    site = server(greets, secure)
    client = http(f"https://localhost:{site.port}", ca_certificates=authority[0])
    with pytest.raises(Transient, match="not trusted"):
        client.read("GET", "/")


def test_text_that_is_no_certificate_is_refused_by_its_setting(http):
    with pytest.raises(Refused) as refused:
        http("https://bill.example", ca_certificates="not a certificate")
    assert refused.value.field == "tls_ca_bundle"


def test_tls_towards_a_plain_server_says_so(http):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet():
            connection, _ = listener.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(Transient, match="no secure connection"):
            http(f"https://127.0.0.1:{listener.getsockname()[1]}").read("GET", "/")
