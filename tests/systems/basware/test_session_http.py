"""Sign-in, renewal, redirects, pages and errors, over real HTTP."""

from __future__ import annotations

import base64
import logging
import threading
import uuid
from datetime import timedelta

import pytest

from ml_connector.systems.base import (
    AuthFailed,
    OutcomeUnknown,
    Refused,
    ShapeChanged,
    Throttled,
    Transient,
)

from .conftest import NOW, SECRETS
from .site import Reply, Site, echo, jwt, token

VENDOR = {"externalCode": "100_V_A", "vendorCode": "A", "name": "Electra", "companies": [{"companyCode": "100"}]}
TOKEN = "x-amz-meta-continuationtoken"


def suppliers(opened):
    return [item.key for page in opened.client.source("supplier", {}).changes(None) for item in page.items]


def signed_in(site):
    return len(site.calls("POST", "/v1/tokens"))


# --- sign-in ---


def test_client_and_secret_go_as_http_basic_and_the_token_as_bearer(p2p):
    p2p.site.on("GET", "/v1/vendors", Reply(200, [VENDOR]))
    assert suppliers(p2p) == ["100_V_A"]
    (asked,) = p2p.site.calls("POST", "/v1/tokens")
    user, _, secret = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode().partition(":")
    assert (user, secret) == ("client-1", SECRETS["client_secret"])
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.content.startswith(b"grant_type=client_credentials&scope=vendors.read+vendors.write+")
    assert p2p.site.calls("GET", "/v1/vendors")[0].headers["authorization"] == "Bearer opaque-token-1"


def test_each_request_has_a_uuid_of_its_own(p2p):
    p2p.site.on("GET", "/v1/vendors", Reply(200, [VENDOR]))
    suppliers(p2p)
    suppliers(p2p)
    ids = [uuid.UUID(one.headers["x-bw-request-id"]) for one in p2p.site.calls("GET", "/v1/vendors")]
    assert len(set(ids)) == 2 and {one.version for one in ids} == {4}


def test_one_token_serves_many_requests_and_is_renewed_before_its_end(p2p):  # R60
    p2p.site.on("POST", "/v1/tokens", token(), token("opaque-token-2"))
    for minutes in (0, 30, 58):
        p2p.wait(NOW + timedelta(minutes=minutes))
        suppliers(p2p)
    assert signed_in(p2p.site) == 1
    p2p.wait(NOW + timedelta(minutes=59, seconds=1))
    suppliers(p2p)
    assert signed_in(p2p.site) == 2
    assert p2p.site.calls("GET", "/v1/vendors")[-1].headers["authorization"] == "Bearer opaque-token-2"


def test_many_threads_cost_one_sign_in(p2p):  # R60
    p2p.site.on("GET", "/v1/vendors", Reply(200, [VENDOR]))
    threads = [threading.Thread(target=suppliers, args=(p2p,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(p2p.site.calls("GET", "/v1/vendors")) == 6
    assert signed_in(p2p.site) == 1


def test_an_api_user_signs_in_with_each_request_and_asks_for_no_token(connect):
    opened = connect({"sign_in": "basic", "api_user": "robot"})
    opened.site.on("GET", "/v1/vendors", Reply(200, [VENDOR]))
    assert suppliers(opened) == ["100_V_A"]
    given = opened.site.calls("GET", "/v1/vendors")[0].headers["authorization"]
    assert base64.b64decode(given.removeprefix("Basic ")).decode() == f"robot:{SECRETS['api_password']}"
    assert signed_in(opened.site) == 0 and opened.session.value is None
    assert opened.client.identity().key == "robot|EU test"


def test_a_refused_api_user_is_refused_credentials(connect):  # R61
    opened = connect({"sign_in": "basic", "api_user": "robot"})
    opened.site.on("GET", "/v1/vendors", Reply(401))
    with pytest.raises(AuthFailed):
        suppliers(opened)
    assert len(opened.site.calls("GET", "/v1/vendors")) == 1


def test_a_missing_secret_is_named(connect):
    opened = connect(secrets={"client_secret": ""})
    with pytest.raises(AuthFailed, match="client_secret"):
        suppliers(opened)
    assert opened.site.seen == []


def test_a_lapsed_token_costs_one_sign_in_and_one_repeat(p2p):  # R62
    p2p.site.on("POST", "/v1/tokens", token(), token("opaque-token-2"))
    p2p.site.on("GET", "/v1/vendors", Reply(401, {"message": "Unauthorized"}), Reply(200, [VENDOR]))
    assert suppliers(p2p) == ["100_V_A"]
    assert signed_in(p2p.site) == 2 and len(p2p.site.calls("GET", "/v1/vendors")) == 2


def test_a_new_token_that_is_not_taken_ends_it_without_a_storm(p2p):  # R61
    p2p.site.on("POST", "/v1/tokens", token(), token("opaque-token-2"), token("opaque-token-3"))
    p2p.site.on("GET", "/v1/vendors", Reply(401))
    for _ in range(3):
        with pytest.raises(AuthFailed, match="scopes"):
            suppliers(p2p)
    assert signed_in(p2p.site) == 2


def test_a_write_around_a_lapsed_token_is_in_doubt_and_not_repeated(p2p, make_supplier):  # R3, R62
    p2p.site.on("POST", "/v1/tokens", token(), token("opaque-token-2"))
    p2p.site.on("POST", "/v1/vendors", Reply(401), echo)
    target = p2p.client.target("supplier", {})
    with pytest.raises(OutcomeUnknown):
        target.create(make_supplier(), "mlc0000000001")
    assert len(p2p.site.calls("POST", "/v1/vendors")) == 1 and signed_in(p2p.site) == 2


def test_a_lost_answer_leaves_a_write_in_doubt(p2p, make_supplier):  # R3, R8
    p2p.site.on("POST", "/v1/vendors", None)
    with pytest.raises(OutcomeUnknown):
        p2p.client.target("supplier", {}).create(make_supplier(), "mlc0000000001")
    assert len(p2p.site.calls("POST", "/v1/vendors")) == 1


def test_the_lease_is_asked_before_each_write_and_not_before_reading(p2p, make_supplier):
    p2p.site.on("POST", "/v1/vendors", echo)
    target = p2p.client.target("supplier", {})
    target.find(make_supplier(), "mlc0000000001")
    assert p2p.wrote == []
    target.create(make_supplier(), "mlc0000000001")
    assert p2p.wrote == [True]


def test_requests_are_counted_by_the_minute(connect):  # R59
    opened = connect({"requests_per_minute": 42})
    suppliers(opened)
    assert opened.budget.spent == [("request", 42, 60)]


def test_a_throttle_is_a_wait(p2p):  # R59
    p2p.site.on("GET", "/v1/vendors", Reply(429, None, {"retry-after": "11"}))
    with pytest.raises(Throttled) as throttled:
        suppliers(p2p)
    assert throttled.value.retry_after == 11


# --- regions ---


def test_nothing_is_sent_to_another_regions_host(connect, site):  # R65
    with pytest.raises(Refused) as mismatch:
        connect({"region": "US", "hosts": {"EU test": "https://test-api.basware.com", "AU test": site.url}})
    assert mismatch.value.code == "region_mismatch"
    assert site.seen == []


def test_a_token_that_another_region_issued_is_not_used(connect, site):  # R65
    site.on("POST", "/v1/tokens", token(jwt(iss="https://api.us.basware.com", bwcid="1")))
    opened = connect()
    with pytest.raises(AuthFailed, match="US"):
        suppliers(opened)
    assert opened.session.value is None
    assert site.calls("GET", "/v1/vendors") == []
    lenient = connect({"check_issuer": False})
    assert suppliers(lenient) == []


def test_the_tenant_is_the_identity(connect, site):  # R51
    site.on("POST", "/v1/tokens", token(jwt(iss="https://api.basware.com", bwcid="123456-TEST1")))
    found = connect().client.identity()
    assert found.key == "123456-TEST1|EU test"
    assert "123456-TEST1" in found.text


# --- pages ---


def vendor(code):
    return {**VENDOR, "externalCode": code, "vendorCode": code}


def test_the_token_of_the_next_page_goes_back_in_a_header(p2p):
    p2p.site.on(
        "GET",
        "/v1/vendors",
        Reply(200, {"vendorEntities": [vendor("a")]}, {TOKEN: "page two"}),
        Reply(200, [], {TOKEN: "page three"}),
        Reply(200, [vendor("b"), vendor("c")]),
    )
    assert suppliers(p2p) == ["a", "b", "c"]
    asked = p2p.site.calls("GET", "/v1/vendors")
    assert [one.headers.get(TOKEN) for one in asked] == [None, "page two", "page three"]
    assert {tuple(one.query.items()) for one in asked} == {(("pageSize", "200"),)}


def test_an_empty_list_is_404(p2p):
    assert suppliers(p2p) == []
    assert list(p2p.client.source("supplier", {}).keys()) == []


def test_a_page_that_comes_again_is_no_endless_list(p2p):
    p2p.site.on("GET", "/v1/vendors", Reply(200, [vendor("a")], {TOKEN: "again"}))
    with pytest.raises(ShapeChanged):
        suppliers(p2p)


def test_a_list_that_breaks_off_is_not_complete(p2p):  # R18
    p2p.site.on("GET", "/v1/vendors", Reply(200, [vendor("a")], {TOKEN: "two"}), Reply(500))
    with pytest.raises(Transient):
        list(p2p.client.source("supplier", {}).keys())


# --- redirects ---


def invoices(opened):
    return [item.key for page in opened.client.source("invoice", {}).changes(None) for item in page.items]


def document(key):
    return {
        "invoiceId": key,
        "companyCode": "100",
        "currencyCode": "USD",
        "supplierCode": "A",
        "processingStatus": "WaitingForTransfer",
        "paymentBlock": False,
        "invoiceNumber": f"N-{key}",
        "invoiceDate": "2026-11-10",
        "dueDate": "2026-12-10",
        "netSum": 10,
        "grossSum": 10,
        "codingRows": [{"externalCode": "r", "accountCode": "6100", "netTotal": 10}],
    }


DOCUMENTS = "/v1/accountingDocuments"


@pytest.mark.parametrize("place", ["first", "last"])
def test_a_redirect_is_followed_without_credentials(p2p, elsewhere, place):  # R71
    first = {"location": f"{elsewhere.url}/extract/1?signature=abc", **({TOKEN: "two"} if place == "first" else {})}
    last = {TOKEN: "two"} if place == "last" else {}

    def answer(request):
        if request.query.get("ProcessingStatus") != "WaitingForTransfer":
            return Reply(404)
        return Reply(302, None, first) if TOKEN not in request.headers else Reply(200, [document("inv-2")])

    p2p.site.on("GET", DOCUMENTS, answer)
    elsewhere.on("GET", "/extract/1", Reply(200, {"accountingDocuments": [document("inv-1")]}, last))
    assert invoices(p2p) == ["inv-1", "inv-2"]
    (fetched,) = elsewhere.seen
    assert fetched.query == {"signature": "abc"}
    assert fetched.headers["host"] == elsewhere.url.removeprefix("http://")
    assert not {"authorization", "x-bw-request-id", TOKEN} & fetched.headers.keys()
    assert "opaque-token-1" not in str(fetched.headers)


def test_a_redirect_to_the_same_server_leaves_the_credentials_out_too(p2p):
    p2p.site.on("GET", f"{DOCUMENTS}/inv-1", Reply(302, None, {"location": "/files/inv-1"}))
    p2p.site.on("GET", "/files/inv-1", Reply(200, {"accountingDocuments": [document("inv-1")]}))
    assert p2p.client.source("invoice", {}).get("inv-1").key == "inv-1"
    assert "authorization" not in p2p.site.calls("GET", "/files/inv-1")[0].headers


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_link_that_has_expired_is_asked_for_again_and_is_no_empty_list(p2p, elsewhere, status):  # R19
    p2p.site.on("GET", DOCUMENTS, Reply(302, None, {"location": f"{elsewhere.url}/gone"}))
    elsewhere.on("GET", "/gone", Reply(status, b"<Error>expired</Error>"))
    with pytest.raises(Transient):
        invoices(p2p)


def test_a_chain_of_redirects_ends(p2p, elsewhere):
    p2p.site.on("GET", DOCUMENTS, Reply(302, None, {"location": f"{elsewhere.url}/round"}))
    elsewhere.on("GET", "/round", Reply(302, None, {"location": f"{elsewhere.url}/round"}))
    with pytest.raises(Transient):
        invoices(p2p)
    assert len(elsewhere.seen) == 3


@pytest.mark.parametrize("where", ["ftp://files.example/x", "http://files.example/x", "https://a:b@files.example/x"])
def test_a_redirect_to_what_is_not_https_is_not_followed(p2p, where):
    p2p.site.on("GET", DOCUMENTS, Reply(302, None, {"location": where}))
    with pytest.raises(Refused) as refused:
        invoices(p2p)
    assert refused.value.code == "foreign_address"


def test_a_redirected_write_is_refused(p2p, elsewhere, make_supplier):
    p2p.site.on("POST", "/v1/vendors", Reply(302, None, {"location": f"{elsewhere.url}/x"}))
    with pytest.raises(Refused) as refused:
        p2p.client.target("supplier", {}).create(make_supplier(), "mlc0000000001")
    assert refused.value.code == "redirected" and elsewhere.seen == []


# --- secrets ---


def test_no_secret_stands_in_an_error_or_a_log(p2p, elsewhere: Site, caplog):  # R71
    caplog.set_level(logging.DEBUG)
    leak = f"{SECRETS['client_secret']} opaque-token-1"
    p2p.site.on("GET", "/v1/vendors", Reply(400, {"hasErrors": True, "errors": [{"code": "X", "message": leak}]}))
    with pytest.raises(Refused) as refused:
        suppliers(p2p)
    p2p.site.on("GET", DOCUMENTS, Reply(302, None, {"location": f"{elsewhere.url}/e?X-Amz-Signature=s1gn"}))
    elsewhere.on("GET", "/e", Reply(403))
    with pytest.raises(Transient) as expired:
        invoices(p2p)
    told = f"{refused.value} {expired.value} {caplog.text} {[vars(one) for one in caplog.records]}"
    for secret in (SECRETS["client_secret"], "opaque-token-1", "s1gn"):
        assert secret not in told
    assert "***" in str(refused.value)


# --- the test of a Connection ---


def test_every_step_is_green_where_all_is_well(connect, site):
    given = jwt(
        iss="https://api.basware.com", bwcid="123456-TEST1", scope=" ".join(connect().client._p2p.options.scopes)
    )
    site.on("POST", "/v1/tokens", token(given))
    steps = list(connect().client.ping([]))
    assert [step.name for step in steps if step.ok is False] == []
    names = [step.name for step in steps]
    assert names[:3] == ["sign in", "scopes", "tenant"]
    assert {"read vendors", "read accountingDocuments", "read matchingOrders", "outcomes"} <= set(names)
    assert len(names) == len(set(names))
    assert all(step.text for step in steps)
    assert site.writes() == []


def test_a_missing_scope_is_named_with_what_to_do(connect, site):
    site.on("POST", "/v1/tokens", token(jwt(bwcid="1", scope="vendors.read requestStatus.read errorFeedbacks.read")))
    (step,) = [step for step in connect().client.ping(["supplier"]) if step.name == "scopes"]
    assert step.ok is False and "vendors.write" in step.text and "vendors.write" in step.fix


def test_a_failed_sign_in_is_tried_once_and_the_rest_is_not(connect, site):  # R61
    site.on("POST", "/v1/tokens", Reply(401, {"error": "invalid_client"}))
    steps = list(connect().client.ping(["supplier", "invoice"]))
    assert steps[0].ok is False and steps[0].fix
    assert {step.ok for step in steps[1:]} == {None}
    assert signed_in(site) == 1


def test_a_right_that_is_missing_fails_its_own_step_only(connect, site):
    site.on("GET", "/v1/accounts", Reply(403, {"message": "Forbidden"}))
    steps = {step.name: step for step in connect().client.ping(["gl_account", "cost_center"])}
    assert steps["read accounts"].ok is False and "accounts.read" in steps["read accounts"].fix
    assert steps["read costCenters"].ok is True
