"""A stand-in that speaks TLS by a private authority of its own."""

import ssl

import httpx2
import pytest

from ml_connector import sandbox


@pytest.fixture(scope="module")
def stand_in():
    with sandbox.start("bill", options={"tls": True}) as running:
        yield running


@pytest.fixture
def http(stand_in):
    trust = ssl.create_default_context(cadata=stand_in.settings["tls_ca_bundle"])
    with httpx2.Client(verify=trust, timeout=5) as client:
        yield client


def test_it_is_believed_by_who_trusts_its_authority_and_by_nobody_else(stand_in, http):  # R64
    assert stand_in.settings["base_url"].startswith("https://")
    for host in ("127.0.0.1", "localhost"):
        url = stand_in.control.replace("127.0.0.1", host)
        assert http.get(f"{url}state").status_code == 200
    with pytest.raises(httpx2.ConnectError, match="certificate verify failed"):
        httpx2.get(f"{stand_in.control}state")


def test_each_stand_in_has_an_authority_of_its_own(stand_in, http):
    with sandbox.start("bill", options={"tls": True}) as other, pytest.raises(httpx2.ConnectError):
        http.get(f"{other.control}state")


def test_faults_break_an_encrypted_connection_too(stand_in, http):
    stand_in.faults([{"do": "commit_then_reset", "times": 1}])
    with pytest.raises(httpx2.TransportError):
        http.post(f"{stand_in.settings['base_url']}/v3/login", json={})
    stand_in.refuse(0.2)
    with pytest.raises(httpx2.ConnectError):
        http.get(f"{stand_in.control}state")


def test_without_the_option_it_speaks_plain_http():
    with sandbox.start("bill") as plain:
        assert plain.url.startswith("http://")
        assert "tls_ca_bundle" not in plain.settings
