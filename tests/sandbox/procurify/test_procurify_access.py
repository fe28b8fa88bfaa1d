"""Tokens, the header of the client, the rights of the bound user, paths, limits, and faults in the vendor's shape."""

import base64
import json
import ssl
from decimal import Decimal
from email.utils import parsedate_to_datetime

import pytest
from tests.sandbox.procurify.conftest import NOW, Api, errors, vendor

from ml_connector import sandbox

VENDORS = "/api/v3/vendors/"


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_token_lasts_24_hours_and_names_domain_and_user(api):
    body = api.log_in()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 86_400)
    scope = "urn:procurify-api:domain:rilling urn:procurify-api:email:integration@rilling.example"
    assert body["scope"] == scope == claims(body["access_token"])["scope"]
    told = claims(body["access_token"])
    assert (told["aud"], told["exp"] - told["iat"]) == ("https://api.procurify.com/", 86_400)
    api.stand_in.clock(advance=86_399)
    assert api.get(VENDORS).status_code == 200
    api.stand_in.clock(advance=1)
    reply = api.get(VENDORS)
    assert (reply.status_code, reply.json()) == (401, {"detail": "Invalid token or token has expired."})
    assert reply.headers["www-authenticate"] == "Bearer"
    api.log_in()
    assert api.get(VENDORS).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        ({"client_id": "x"}, 401, "access_denied"),
        ({"client_secret": "x"}, 401, "access_denied"),
        ({"audience": "https://api.procurify.com"}, 403, "access_denied"),
        ({"grant_type": "password"}, 403, "unsupported_grant_type"),
        ({"audience": None}, 400, "invalid_request"),
        ({"client_id": 7}, 400, "invalid_request"),
    ],
)
def test_a_request_for_a_token_is_held_against_its_four_fields(api, wrong, status, error):
    reply = api.token(**wrong)
    assert (reply.status_code, reply.json()["error"]) == (status, error)


def test_a_token_is_asked_for_in_json(api):
    form = {"client_id": api.stand_in.settings["client_id"], **api.stand_in.secrets}
    assert api.http.post("/oauth/token", data=form).json()["error"] == "invalid_request"
    assert api.http.post("/oauth/token", content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert api.http.get("/oauth/token").status_code == 405
    api.stand_in.options({"token_refusal": "invalid_client"})
    assert api.token(client_secret="x").json()["error"] == "invalid_client"


def test_a_call_without_a_token_or_with_one_of_another_domain_is_refused(api):
    with sandbox.start("procurify", seed=1, options={"base_set": "syspro", "subdomain": "other"}) as other:
        foreign = Api(other).http.headers["Authorization"]
    for credential in ("", foreign, "Basic eDp5", "Bearer nothing"):
        api.http.headers["Authorization"] = credential
        assert api.get(VENDORS).status_code == 401


def test_a_call_without_the_header_of_the_client_is_refused(api):
    del api.http.headers["X-Procurify-Client"]
    assert errors(api.get(VENDORS)) == {"X-Procurify-Client": "REQUIRED"}
    api.stand_in.options({"client_header": "ignore"})
    assert api.get(VENDORS).status_code == 200


def test_an_inactive_user_ends_the_application(api):
    api.stand_in.edit("users", {"id": 1, "is_active": False})
    assert api.get("/api/v3/users/me/").status_code == 401
    assert api.token().status_code == 401
    api.stand_in.edit("users", {"id": 1, "is_active": True})
    assert api.one("/api/v3/users/me/")["email"] == "integration@rilling.example"


def test_the_role_of_the_user_decides_what_is_seen_and_written(api):
    api.stand_in.options({"no_rights": ["bills", "vendors write"], "superuser": False})
    assert api.get("/api/v3/ap/bills/").json() == {"detail": "You do not have permission to perform this action."}
    assert api.get("/api/v3/ap/bills/").status_code == 403
    assert api.get(VENDORS).status_code == 200
    assert api.call("POST", VENDORS, vendor()).status_code == 403
    assert api.call("POST", "/api/v2/locations/", {}).status_code == 403
    assert api.one("/api/v3/users/me/")["systemaccess_cache"] == {"is_superuser": False}


def test_every_path_ends_in_a_slash(api):
    reply = api.get("/api/v3/vendors", name="OTHER")
    assert (reply.status_code, reply.headers["location"]) == (301, "/api/v3/vendors/?name=OTHER")
    assert api.call("POST", "/api/v3/vendors", vendor()).status_code == 404
    assert api.get("/api/v3/nothing/").status_code == 404


def test_it_speaks_tls_and_its_links_do_too():
    with sandbox.start("procurify", options={"base_set": "syspro", "tls": True}) as stand_in:
        trusted = ssl.create_default_context(cadata=stand_in.settings["tls_ca_bundle"])
        client = Api(stand_in, verify=trusted)
        link = client.answer(VENDORS, page_size=1)["metadata"]["pagination"]["next"]
        assert link == f"{stand_in.url}{VENDORS}?page_size=1&page=2"
        assert link.startswith("https://")
        client.http.close()


def test_every_answer_has_a_number(api):
    numbers = [api.get(path).headers["x-request-id"] for path in (VENDORS, VENDORS, "/api/v3/nothing/")]
    assert len(set(numbers)) == 3


def test_what_the_api_does_not_offer_is_405(api):
    for method, path in (
        *(("POST", "/api/v3/ap/bills/"), ("DELETE", "/api/v3/ap/bills/5b1c7e20-4f6d-4a38-9d02-000000000004/")),
        *(("POST", "/api/v2/currencies/"), ("DELETE", "/api/v3/vendors/2/"), ("PATCH", "/api/v3/departments/1/")),
        *(("PUT", "/api/public/v1/payments/"), ("POST", "/api/v2/ap/items/")),
    ):
        reply = api.call(method, path, {})
        assert (reply.status_code, reply.json()) == (405, {"detail": f'Method "{method}" not allowed.'}), path
        assert method not in reply.headers["allow"].split(", ") or "bills" in path
    assert len(api.stand_in.state("bills")) == 12


def test_the_old_list_of_payments_is_gone_unless_the_site_still_has_it(api):
    path = "/api/v2/ap/payments/"
    assert api.get(path).status_code == 404
    api.stand_in.options({"removed_status": 410})
    assert api.get(path).status_code == 410
    api.stand_in.options({"removed": []})
    api.do("pay_bill", invoice="PK-500", date="2026-11-20")
    (row,) = api.rows(path)
    assert (row["amount"], row["status"], row["payment_date"]) == ("675.00000000", 5, "2026-11-20")
    api.stand_in.options({"removed": ["/api/v3/ap/bills/"]})
    assert api.get("/api/v3/ap/bills/").status_code == 410


def test_more_requests_in_a_second_than_allowed_are_429(api):
    api.stand_in.options({"requests_per_second": 3})
    replies = [api.get("/api/v2/currencies/") for _ in range(6)]
    assert [reply.status_code for reply in replies[:3]] == [200, 200, 200]
    assert replies[-1].status_code == 429
    assert replies[-1].headers["retry-after"] == "1"
    api.stand_in.options({"retry_after": "date"})
    reply = next(reply for reply in (api.get("/api/v2/currencies/") for _ in range(9)) if reply.status_code == 429)
    assert parsedate_to_datetime(reply.headers["retry-after"])
    api.stand_in.options({"retry_after": "none"})
    reply = next(reply for reply in (api.get("/api/v2/currencies/") for _ in range(9)) if reply.status_code == 429)
    assert "retry-after" not in reply.headers


def test_faults_come_in_the_vendor_s_shape(api):
    api.stand_in.faults(
        [
            {"match": {"path": VENDORS, "nth": 1}, "do": "expire_session"},
            {"match": {"path": VENDORS, "nth": 3}, "do": "throttle", "retry_after": 7},
            {"match": {"path": VENDORS, "nth": 4}, "do": "in_band_error", "text": "Try later"},
        ]
    )
    assert api.get(VENDORS).status_code == 401
    api.log_in()
    assert api.get(VENDORS).status_code == 200
    reply = api.get(VENDORS)
    assert (reply.status_code, reply.headers["retry-after"], reply.json()) == (
        429,
        "7",
        {"detail": "Request was throttled."},
    )
    reply = api.get(VENDORS)
    assert (reply.status_code, reply.json()["errors"]["null"]["message"]) == (200, "Try later")


def test_a_vendor_whose_answer_is_lost_is_there(api):
    api.stand_in.faults([{"match": {"method": "POST", "path": VENDORS}, "do": "commit_then_reset", "times": 1}])
    with pytest.raises(Exception, match=r"reset|disconnected|closed"):
        api.call("POST", VENDORS, vendor())
    assert [row["name"] for row in api.rows(VENDORS, name="Kabelwerk AG")] == ["Kabelwerk AG"]
    assert errors(api.call("POST", VENDORS, vendor())) == {"name": "UNIQUE"}


def test_what_is_not_json_is_refused(api):
    headers = {"Content-Type": "application/json"}
    reply = api.http.post(VENDORS, content=b"{\xff", headers=headers)
    assert errors(reply) == {"null": "PARSE_ERROR"}
    assert api.http.post(VENDORS, data={"name": "x"}).status_code == 415
    assert errors(api.call("POST", VENDORS, [])) == {"null": "INVALID"}
    api.stand_in.options({"error_form": "fields"})
    assert api.call("POST", VENDORS, []).json() == {"non_field_errors": ["Invalid data. Expected a dictionary."]}
    assert set(api.call("POST", VENDORS, {}).json()) == {"name", "type", "email", "overall_score"}


def test_fields_that_nobody_knows_and_uuids_without_dashes(api):
    api.stand_in.options({"extra_fields": True, "uuid_dashes": False})
    row = api.rows("/api/v3/ap/bills/")[0]
    assert row["field_of_tomorrow"] is True
    assert len(row["uuid"]) == 32
    assert api.one(f"/api/v2/ap/bills/{row['uuid']}/")["invoice_total"] == Decimal("150.0")


def test_tokens_can_be_looked_at_and_ended(api):
    (row,) = api.stand_in.state("tokens")
    assert row["issued"].startswith(NOW[:19])
    assert api.http.headers["Authorization"].endswith(row["id"])
    api.stand_in.edit("tokens", {"id": row["id"], "_delete": True})
    assert api.get(VENDORS).status_code == 401


def test_a_login_is_no_write(api):
    api.taken("POST", VENDORS, vendor())
    assert [row["path"] for row in api.stand_in.requests() if row["write"]] == [VENDORS]
