"""Credentials, tokens, the gateway's faults and limits over a real server, under both maps."""

from __future__ import annotations

import base64
import threading
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from ml_connector.systems.avidxchange import paths
from ml_connector.systems.base import AuthFailed, NotFound, OutcomeUnknown, Refused, Throttled, Transient

from .platform import COMPANY, TODAY, Platform, Reply
from .test_documents_http import MARK, supplier

NEXT = "2026-Nov-16 12:02:00+0000 UTC"
SHAPES = ("fault", "cloud", "flat", "xml")


def faulty(platform: Platform, shape: str, status: int, code: str, text: str = "No", next_access: str = "") -> Reply:
    """One fault of the gateway, in one of its four shapes."""
    if shape == "xml":
        first = next(one for one in platform.contract.errors if one.name == "fault")
        root = first.code.split(".")[0]
        names = [(path.split(".")[-1], value) for path, value in
                 ((first.code, code), (first.text, text), (first.next_access, next_access))]  # fmt: skip
        inner = "".join(f"<am:{name}>{value}</am:{name}>" for name, value in names)
        content = f'<am:{root} xmlns:am="http://wso2.org/apimanager/security">{inner}</am:{root}>'
        return Reply(status, content.encode(), {"content-type": "application/xml"})
    form = next(one for one in platform.contract.errors if one.name == shape)
    body: dict[str, object] = {}
    for path, value in ((form.code, code), (form.text, text), (form.next_access, next_access)):
        if path and value:
            paths.put(body, path, value)
    return Reply(status, body)


def listed(avid):
    return list(avid.client.source("supplier", {}).changes(None))


def test_one_token_serves_one_company_until_it_is_about_to_end(connect):  # R60
    first, second = connect(), connect()
    listed(first), listed(second)
    assert first.platform.tokens == 1
    first.clock.append(TODAY + timedelta(seconds=3600 - first.platform.contract.gateway.early_renewal + 1))
    listed(first)
    assert first.platform.tokens == 2


def test_many_threads_ask_for_one_token(avid):  # R60
    avid.platform.slow = 0.1
    threads = [threading.Thread(target=listed, args=(avid,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert avid.platform.tokens == 1
    assert len(avid.platform.calls("vendors")) == 6


def test_a_token_of_another_company_is_not_used(avid, connect):
    listed(avid)
    other = connect({"company_id": "company-8"})
    with pytest.raises(Refused):
        listed(other)
    assert avid.platform.tokens == 2


def test_a_token_with_few_seconds_left_is_waited_out(avid):
    avid.platform.life = 3
    with pytest.raises(Throttled) as throttled:
        listed(avid)
    assert throttled.value.retry_after == 4


def test_a_read_whose_token_ended_is_repeated_once(avid):  # R62
    listed(avid)
    avid.platform.dead = {"token-1"}
    avid.platform.answers["vendors"] = [faulty(avid.platform, "fault", 401, "900901")]
    assert len(listed(avid)) == 2
    assert avid.platform.tokens == 2


def test_a_second_refusal_of_a_fresh_token_stops_the_connection(avid):  # R61
    fault = faulty(avid.platform, "flat", 401, "900901")
    avid.platform.answers["vendors"] = [fault, fault]
    with pytest.raises(AuthFailed, match="does not take it"):
        listed(avid)
    assert avid.platform.tokens == 2


def test_a_write_whose_token_ended_is_looked_for_and_not_repeated(avid):  # R62
    avid.platform.answers["vendor_put"] = [faulty(avid.platform, "cloud", 401, "900901")]
    with pytest.raises(OutcomeUnknown):
        avid.client.target("supplier", {}).create(supplier(), MARK)
    assert len(avid.platform.calls("vendor_put")) == 1
    assert avid.platform.tokens == 2


@pytest.mark.parametrize("shape", SHAPES)
def test_a_limit_is_waited_for_in_every_shape_of_fault(avid, shape):  # R59
    avid.platform.answers["vendors"] = [faulty(avid.platform, shape, 429, "900804", next_access=NEXT)]
    with pytest.raises(Throttled) as throttled:
        listed(avid)
    assert throttled.value.retry_after == 120


@pytest.mark.parametrize(
    ("header", "next_access", "seconds"),
    [("30", "", 30), ("Mon, 16 Nov 2026 12:03:00 GMT", NEXT, 180), ("7", NEXT, 120), ("", "", None)],
)
def test_the_longer_of_what_header_and_body_ask_for_is_waited(avid, header, next_access, seconds):  # R59
    reply = faulty(avid.platform, "flat", 429, "900802", next_access=next_access)
    headers = {"retry-after": header} if header else {}
    avid.platform.answers["vendor_put"] = [Reply(429, reply.body, headers)]
    with pytest.raises(Throttled) as throttled:
        avid.client.target("supplier", {}).create(supplier(), MARK)
    assert throttled.value.retry_after == seconds


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("status", "code", "error", "words"),
    [
        (401, "900902", AuthFailed, "saw no credentials"),
        (401, "900909", AuthFailed, "not active"),
        (403, "900805", AuthFailed, "blocked"),
        (403, "900908", Refused, "not subscribed"),
        (403, "900910", Refused, "scope"),
        (404, "900906", Refused, "contract map has a wrong path"),
        (503, "900801", Throttled, "limits"),
        (500, "900900", Transient, "error of its own"),
        (503, "101503", Transient, "error of its own"),
    ],
)
def test_each_fault_of_the_gateway_is_one_error(avid, shape, status, code, error, words):  # R63
    avid.platform.answers["vendors"] = [faulty(avid.platform, shape, status, code)]
    with pytest.raises(error, match=words):
        listed(avid)


def test_an_error_of_theirs_leaves_a_write_in_doubt(avid):  # R12
    avid.platform.answers["vendor_put"] = [faulty(avid.platform, "flat", 503, "101504")]
    with pytest.raises(OutcomeUnknown):
        avid.client.target("supplier", {}).create(supplier(), MARK)


def test_a_missing_document_is_none_and_a_wrong_path_is_the_maps(avid):
    assert avid.client.target("invoice", {}).get("999") is None
    avid.platform.answers["invoice"] = [faulty(avid.platform, "flat", 404, "404")]
    with pytest.raises(Refused) as refused:
        avid.client.target("invoice", {}).get("999")
    assert (refused.value.code, refused.value.field) == ("contract_wrong", "contract_map")
    assert not issubclass(Refused, NotFound)


def test_no_secret_is_shown_where_an_error_echoes_it(avid):  # R71
    echo = "tok token-1 s3cret-of-the-client client-1"
    avid.platform.answers["vendors"] = [
        faulty(avid.platform, "flat", 503, "1", echo),
        faulty(avid.platform, "flat", 400, "1", echo),
    ]
    with pytest.raises(Transient):
        listed(avid)
    with pytest.raises(Refused) as refused:
        listed(avid)
    text = str(refused.value)
    assert "***" in text
    assert not [secret for secret in ("token-1", "s3cret", "client-1") if secret in text]


def test_client_credentials_go_where_the_map_says(avid):
    listed(avid)
    (asked,) = avid.platform.calls("token")
    form = parse_qs(asked.content.decode())
    pair = base64.b64encode(b"client-1:s3cret-of-the-client").decode()
    if avid.platform.contract.gateway.client_in == "basic":
        assert asked.headers["authorization"] == f"Basic {pair}"
        assert form == {"grant_type": ["client_credentials"]}
    else:
        assert "authorization" not in asked.headers
        assert form["client_secret"] == ["s3cret-of-the-client"]
        assert form["tenant"] == [COMPANY]


def test_company_and_user_tokens_need_no_sign_in_and_are_refused_at_once(connect):  # R61
    avid = connect({"auth_profile": "company_user_tokens", "client_id": ""})
    listed(avid)
    headers, names = avid.platform.seen[-1].headers, avid.platform.contract.headers
    assert headers[names.company_token.lower()] == "c0mpany-token"
    assert headers[names.user_token.lower()] == "us3r-token"
    avid.platform.answers["vendors"] = [faulty(avid.platform, "flat", 401, "900901")]
    with pytest.raises(AuthFailed):
        listed(avid)
    assert (avid.platform.tokens, len(avid.platform.calls("vendors"))) == (0, 2)


def test_a_gateway_key_and_a_user_give_two_tokens_on_each_request(connect):
    avid = connect({"auth_profile": "gateway_key_user_password", "user": "anna", "client_id": ""})
    listed(avid)
    names = avid.platform.contract.headers
    (asked,) = avid.platform.calls("authorize")
    assert parse_qs(asked.content.decode())["username"] == ["anna"]
    headers = avid.platform.seen[-1].headers
    assert headers[names.gateway_key.lower()] == "Bearer gat3way-key"
    assert headers[names.user_bearer.lower()] == "Bearer token-1"


def test_a_refused_sign_in_shows_nothing_of_what_was_sent(avid):  # R61, R71
    words = "A valid OAuth client could not be found for client_id: client-1"
    oauth = next(one for one in avid.platform.contract.errors if one.name == "oauth")
    body: dict[str, object] = {}
    paths.put(body, oauth.code, "invalid_client")
    paths.put(body, oauth.text, words)
    avid.platform.answers["token"] = [Reply(401, body)]
    with pytest.raises(AuthFailed, match="invalid_client") as refused:
        listed(avid)
    assert "client-1" not in str(refused.value)


def test_requests_are_counted_by_the_key_for_all_its_companies(connect):  # R59
    from ml_connector.systems.avidxchange import SYSTEM

    avid = connect({"requests_per_second": 3})
    listed(avid)
    assert set(avid.budget.spent) == {("request", 180, 60)}
    given = {"base_url": "https://gw.example/", "client_id": "client-1", "company_id": "a"}
    assert SYSTEM.counted(given, {}) == SYSTEM.counted({**given, "company_id": "b"}, {})
    assert SYSTEM.credential(given, {}) != SYSTEM.credential({**given, "company_id": "b"}, {})


def test_the_test_of_a_connection_says_which_names_are_assumed(avid):
    steps = list(avid.client.ping([]))
    assert [step.name for step in steps if not step.ok] == []
    assert steps[0].text.startswith(f"Speaks by the contract map {avid.platform.contract.contract} 1.0.0, revision 0")
    assert f"{len(avid.platform.contract.assumed())} names of the map are assumed" in steps[1].text
    assert "records.vendor (active" in steps[1].text
    assert any("(assumed) can be read" in step.text for step in steps)
    assert avid.platform.calls("vendor_put", "invoice_put", "acknowledge") == []


def test_the_test_stops_where_the_gateway_does_not_know_the_path(avid):
    avid.platform.answers["systems"] = [faulty(avid.platform, "flat", 404, "900906")]
    steps = list(avid.client.ping(["supplier"]))
    assert [(step.name, step.ok) for step in steps[2:]] == [("accounting system", False), ("read", None)]
    assert "contract check" in steps[2].fix
