"""The gateway: credentials, tokens, limits, and the four forms of its faults."""

from email.utils import parsedate_to_datetime

import httpx2
import pytest
from lxml import etree
from tests.sandbox.avidxchange.conftest import NOW, Api, vendor

from ml_connector import sandbox


def test_a_call_needs_a_token_and_the_company(api):  # R51
    assert api.call("vendors.list").status_code == 200
    bearer = api.headers.pop(api.contract["access"]["bearer"])
    assert api.fault(api.call("vendors.list")) == (401, "900902")
    api.headers[api.contract["access"]["bearer"]] = "Basic abc"
    assert api.fault(api.call("vendors.list")) == (401, "900905")
    api.headers[api.contract["access"]["bearer"]] = bearer
    api.name_company("C1")
    assert api.refusal(api.call("vendors.list")) == (403, "CompanyUnknown")
    name = api.contract["access"]["company"]["name"]
    api.headers.pop(name, None), api.params.pop(name, None)
    assert api.refusal(api.call("vendors.list")) == (400, "CompanyMissing")


def test_an_opaque_token_comes_back_with_the_seconds_that_are_left(api):
    first = api.token().json()
    api.stand_in.clock(advance=3590)
    again = api.token().json()
    assert (again["access_token"], first["expires_in"], again["expires_in"]) == (first["access_token"], 3600, 10)
    assert api.call("vendors.list").status_code == 200
    api.stand_in.clock(advance=10)
    assert api.fault(api.call("vendors.list")) == (401, "900901")
    assert api.token().json()["access_token"] != first["access_token"]


def test_a_new_jwt_revokes_the_last_of_its_scope_only(api):
    api.stand_in.options({"jwt": True})
    api.log_in()
    other = api.token(data={"grant_type": "client_credentials", "scope": "worker2"}).json()
    assert other["access_token"].count(".") == 2
    assert api.call("vendors.list").status_code == 200
    api.token()
    assert api.fault(api.call("vendors.list")) == (401, "900901")
    api.headers[api.contract["access"]["bearer"]] = f"Bearer {other['access_token']}"
    assert api.call("vendors.list").status_code == 200


def test_the_token_endpoint_refuses_in_the_words_of_oauth(plain):
    user, secret = plain.stand_in.settings["client_id"], plain.stand_in.secrets["client_secret"]
    reply = plain.token(auth=("nobody", secret))
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")
    assert "nobody" in reply.json()["error_description"]
    assert plain.token(auth=(user, "x")).json()["error_description"] == "Client credentials are invalid."
    assert plain.token(data={"grant_type": "password"}).json()["error"] == "unsupported_grant_type"
    assert plain.token(data={"scope": "a"}).json()["error"] == "invalid_request"
    plain.stand_in.options({"scopes": ["a"]})
    assert plain.token(data={"grant_type": "client_credentials", "scope": "b"}).json()["error"] == "invalid_scope"
    form = {"grant_type": "client_credentials", "client_id": user, "client_secret": secret}
    assert plain.http.post("/token", data=form).status_code == 200
    plain.stand_in.options({"client_auth": "basic"})
    assert plain.http.post("/token", data=form).json()["error"] == "invalid_client"


def started(profile: str, contract: str = "default"):
    return sandbox.start("avidxchange", options={"auth_profile": profile, "contract": contract})


@pytest.mark.parametrize("contract", ["default", "renamed"])
def test_a_customers_two_tokens_open_it(contract):
    with started("company_user_tokens", contract) as running:
        api = Api(running)
        assert api.fault(api.call("vendors.list")) == (401, "900902")
        access = api.contract["access"]
        api.headers |= {access["company_token"]: running.secrets["company_token"], access["user_token"]: "wrong"}
        assert api.fault(api.call("vendors.list")) == (401, "900901")
        api.headers[access["user_token"]] = running.secrets["user_token"]
        assert api.call("vendors.list").status_code == 200


@pytest.mark.parametrize("contract", ["default", "renamed"])
def test_the_gateways_key_and_a_users_sign_in_open_it(contract):
    with started("gateway_key_user_password", contract) as running:
        api = Api(running)
        access = api.contract["access"]
        key = {access["bearer"]: f"Bearer {running.secrets['gateway_key']}"}
        form = {"grant_type": "password", "username": running.settings["user"], "password": "wrong"}
        sign_in = {"Authorization": key[access["bearer"]]}
        reply = api.http.post(access["sign_in"][0], data=form, headers=sign_in)
        assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")
        form["password"] = running.secrets["password"]
        reply = api.http.post(access["sign_in"][0], data=form, headers=sign_in)
        api.headers |= key
        assert api.fault(api.call("vendors.list")) == (401, "900902")
        api.headers[access["user_bearer"]] = f"Bearer {reply.json()['access_token']}"
        assert api.call("vendors.list").status_code == 200
        running.edit("actions", {"do": "revoke_tokens"})
        assert api.fault(api.call("vendors.list")) == (401, "900901")


def test_what_the_interface_does_not_have_is_refused_by_the_gateway(api):
    assert api.fault(api.send("GET", "/nothing")) == (403, "900906")
    api.stand_in.options({"no_resource_status": 404})
    assert api.fault(api.send("GET", "/nothing")) == (404, "900906")
    path = api.contract["calls"]["vendors.list"]["call"].split(" ")[1]
    assert api.fault(api.send("DELETE", path)) == (405, "405")
    assert api.fault(api.http.get("/other/v9/vendors")) == (404, "404")


def test_rights_are_a_matter_of_the_gateway_too(api):
    api.stand_in.options({"denied": ["invoices.write"]})
    assert api.fault(api.call("invoices.write", {})) == (403, "900910")
    api.stand_in.options({"subscribed": False})
    assert api.fault(api.call("vendors.list")) == (403, "900908")


@pytest.mark.parametrize("shape", ["wrapped", "flat", "cloud"])
def test_a_fault_in_json_has_its_code_and_its_end(api, shape):
    api.do("gateway_fault", code="900804", shape=shape, seconds=90)
    reply = api.call("vendors.list")
    names = api.contract["faults"][shape]
    again = reply.json()
    for step in names["again"].split("."):
        again = again[step]
    assert api.fault(reply, shape) == (429, "900804")
    assert again == "2026-Nov-16 12:01:30+0000 UTC"
    assert parsedate_to_datetime(reply.headers["retry-after"]).isoformat() == "2026-11-16T12:01:30+00:00"
    assert api.call("vendors.list").status_code == 200


def test_a_fault_as_xml_comes_whatever_is_accepted(api):
    api.stand_in.options({"fault_shape": "xml", "retry_after": "seconds"})
    api.do("gateway_fault", code="900803", seconds=7)
    reply = api.call("vendors.list")
    root = etree.fromstring(reply.content)
    assert etree.QName(root).namespace == "http://wso2.org/apimanager/throttling"
    assert [etree.QName(one).localname for one in root] == ["code", "message", "description", "nextAccessTime"]
    assert (reply.status_code, root[0].text, reply.headers["retry-after"]) == (429, "900803", "7")
    root = etree.fromstring(api.send("GET", "/nothing").content)
    assert (etree.QName(root).namespace, root[0].text) == ("http://wso2.org/apimanager/security", "900906")


def test_the_shape_tells_numbers_from_texts(plain):
    for shape, expected in (("wrapped", 900901), ("flat", "900901"), ("cloud", "900901")):
        plain.do("gateway_fault", code="900901", shape=shape)
        body = plain.call("vendors.list").json()
        assert (body["fault"]["code"] if shape == "wrapped" else body["code"]) == expected
    assert plain.send("DELETE", "/vendors").json()["code"] == 405


def test_the_tiers_refuse_what_is_beyond_them_until_their_window_ends(api):
    api.stand_in.options({"application_per_minute": 3, "retry_after": "none", "next_access": False})
    api.stand_in.clock(now="2026-11-16T12:00:20Z", running=False)
    assert [api.call("vendors.list").status_code for _ in range(3)] == [200, 200, 200]
    reply = api.call("codes.list")
    assert api.fault(reply) == (429, "900803")
    assert "retry-after" not in reply.headers
    api.stand_in.clock(advance=40)
    assert api.call("codes.list").status_code == 200
    api.stand_in.options({"application_per_minute": 0, "resource_per_minute": 1})
    codes = [api.fault(reply) if (reply := api.call(one)).is_error else 200 for one in ("codes.list", "vendors.list")]
    assert codes == [200, 200]
    assert api.fault(api.call("codes.list")) == (429, "900802")
    api.stand_in.options({"resource_per_minute": 0, "hard_limit_per_second": 1})
    assert [api.call("codes.list").status_code for _ in range(2)] == [200, 503]


def test_an_ordered_fault_meets_its_path_as_often_as_it_says(plain):
    plain.do("gateway_fault", code="900900", path="*VENDORS*", times=2)
    assert plain.call("codes.list").status_code == 200
    assert [plain.call("vendors.list").status_code for _ in range(3)] == [500, 500, 200]


def test_a_throttle_fault_of_the_kernel_has_the_time_that_it_names(plain):
    plain.stand_in.faults([{"do": "throttle", "retry_after": 3, "code": "900807", "times": 1}])
    reply = plain.call("vendors.list")
    assert (plain.fault(reply), reply.headers["retry-after"]) == ((429, "900807"), "3")


def test_a_revoked_token_is_invalid_after_the_write_went_through(api):
    api.stand_in.faults([{"do": "commit_then_expire_session", "times": 1}])
    body = {api.contract["writes"]["items"]: [api.body("vendor", vendor("ELC001"))]}
    assert api.fault(api.call("vendors.write", body)) == (401, "900901")
    assert [row["code"] for row in api.stand_in.state("vendors")] == ["ELC001"]


def test_an_error_in_band_has_status_200(plain):
    plain.stand_in.faults([{"do": "in_band_error", "text": "Busy", "times": 1}])
    reply = plain.call("vendors.write", {"Items": []})
    assert (reply.status_code, reply.json()["Results"][0]["Successful"]) == (200, False)


def test_tokens_are_not_to_be_seen_whole(plain):  # R71
    (row,) = plain.stand_in.state("tokens")
    assert row["token"].startswith("...") and len(row["token"]) == 7


def test_the_same_seed_has_the_same_credentials(plain):
    with sandbox.start("avidxchange", seed=1) as again, sandbox.start("avidxchange", seed=2) as other:
        assert again.secrets == plain.stand_in.secrets != other.secrets
        assert httpx2.get(f"{again.url}/x").status_code == 404
    assert plain.stand_in.clock(now=NOW, running=False)["now"].startswith("2026-11-16")
