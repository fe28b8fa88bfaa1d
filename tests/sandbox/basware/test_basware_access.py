"""Tokens, scopes, HTTP Basic and regions."""

import base64
import json

import httpx2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from tests.sandbox.basware.conftest import Api, errors, vendor

from ml_connector import sandbox


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_token_is_a_jwt_of_the_tenant_that_its_published_key_signed(api):
    reply = api.token("vendors.read vendors.write").json()
    head, claims, signature = reply["access_token"].split(".")
    (key,) = api.http.get("/.well-known/jwks.json").json()["keys"]
    modulus, exponent = (int.from_bytes(decoded(key[name]), "big") for name in ("n", "e"))
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    public.verify(decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    assert json.loads(decoded(head)) == {"alg": "RS256", "kid": key["kid"], "typ": "at+jwt"}
    said = json.loads(decoded(claims))
    assert said["exp"] - said["iat"] == reply["expires_in"] == 3600
    assert (said["scope"], said["aud"], said["iss"]) == ("vendors.read vendors.write", "OpenAPI", api.stand_in.url)
    assert said["bwcid"].endswith("-TEST1")
    assert api.http.get("/.well-known/openid-configuration").json()["issuer"] == said["iss"]


def test_a_token_ends_with_its_time(api):  # R62
    assert api.get("/v1/vendors").status_code == 404
    api.stand_in.clock(advance=3601)
    reply = api.get("/v1/vendors")
    assert (reply.status_code, reply.json()) == (401, {"message": "Unauthorized"})
    api.log_in()
    assert api.get("/v1/vendors").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ({"auth": ("nobody", "x")}, 401, {"error": "invalid_client"}),
        ({"data": {"scope": "vendors.read"}}, 400, "grant_type field required"),
        ({"data": {"grant_type": "client_credentials"}}, 400, "scope field required"),
        ({"data": {"grant_type": "password", "scope": "vendors.read"}}, 400, "grant_type must be client_credentials"),
        ({"data": None, "json": {"grant_type": "client_credentials"}}, 422, None),
    ],
)
def test_a_token_is_refused_in_the_words_of_oauth(api, wrong, status, said):
    reply = api.token(**wrong)
    assert reply.status_code == status
    if isinstance(said, str):
        assert reply.json() == {"error": "invalid_request", "error_description": said}
    elif said is not None:
        assert reply.json() == said
    else:
        assert reply.json()["detail"][0]["msg"] == "field required"


def test_a_token_without_the_scope_is_refused(api):
    api.log_in("vendors.read")
    assert api.get("/v1/vendors").status_code == 404
    assert api.post("/v1/vendors", [vendor()]).status_code == 403
    api.stand_in.options({"missing_scope_status": 401})
    assert api.get("/v1/accounts").status_code == 401
    assert api.stand_in.state("vendors") == []


def test_a_scope_that_the_client_does_not_own_is_left_out_or_refused(api):
    api.stand_in.options({"scopes": ["vendors.read"]})
    assert api.token("vendors.read accounts.read").json()["scope"] == "vendors.read"
    api.stand_in.options({"unowned_scope": "refuse"})
    assert api.token("vendors.read accounts.read").json()["error"] == "invalid_scope"


def test_http_basic_is_the_alternative_to_a_token():
    with sandbox.start("basware", options={"credential_kind": "basic", "documents": 1}) as stand_in:
        user = (stand_in.settings["api_user"], stand_in.secrets["api_password"])
        assert httpx2.get(f"{stand_in.url}/v1/accountingDocuments", auth=user).status_code == 302
        assert httpx2.get(f"{stand_in.url}/v1/accountingDocuments", auth=(user[0], "x")).status_code == 401
        assert "client_id" not in stand_in.settings


def test_credentials_of_another_region_are_not_known(api):  # R65
    with sandbox.start("basware", seed=1, options={"region": "US", "documents": 0}) as us:
        assert us.settings["region"] == "US"
        foreign = (us.settings["client_id"], us.secrets["client_secret"])
        reply = api.token(auth=foreign)
        assert (reply.status_code, reply.json()) == (401, {"error": "invalid_client"})
        reply = httpx2.get(f"{us.url}/v1/vendors", headers={"Authorization": api.http.headers["Authorization"]})
        assert reply.status_code == 401


def test_a_fault_ends_the_token_of_the_request(api):
    api.stand_in.faults([{"match": {"path": "/v1/vendors"}, "do": "expire_session", "times": 1}])
    assert api.get("/v1/vendors").status_code == 401
    api.log_in()
    assert api.get("/v1/vendors").status_code == 404


def test_a_token_can_be_ended_from_outside_and_is_never_shown(api):
    (row,) = api.stand_in.state("tokens")
    assert api.http.headers["Authorization"].partition(" ")[2] not in str(row)
    api.stand_in.edit("tokens", {"id": row["id"], "_delete": True})
    assert api.get("/v1/vendors").status_code == 401


def test_opaque_tokens_and_minutes_are_options(api):
    api.stand_in.options({"jwt": False, "expires_in": "minutes"})
    reply = api.token().json()
    assert "." not in reply["access_token"]
    assert reply["expires_in"] == 60


def test_the_client_that_sends_a_request_id_sends_a_uuid_of_version_4(api):
    good = {"X-BW-REQUEST-ID": "0b9f7a52-3f0e-4c2a-9d52-6d1f6a1c2b3d"}
    assert api.get("/v1/vendors", headers=good).status_code == 404
    reply = api.get("/v1/vendors", headers={"X-BW-REQUEST-ID": "42"})
    assert reply.status_code == 400
    assert errors(reply) == [("PARAMETER_VALIDATION_ERROR", "X-BW-REQUEST-ID must be a UUID of version 4.")]
    api.stand_in.options({"request_id": "require"})
    assert api.get("/v1/vendors").status_code == 400
    assert api.get("/v1/vendors", headers=good).status_code == 404


def test_what_is_not_there_is_refused_without_a_declared_body(api):
    assert api.get("/v1/dimensions").status_code == 404
    assert api.call("PUT", "/v1/vendors", []).status_code == 405
    assert httpx2.get(f"{api.stand_in.url}/v1/dimensions").status_code == 401
    for style, body in (("empty", ""), ("text", "Not Found")):
        api.stand_in.options({"bare_errors": style})
        assert api.get("/v1/vendors").text == body


def test_a_limit_and_an_error_in_band_come_in_the_vendors_shape(api):
    api.stand_in.faults(
        [
            {"match": {"path": "/v1/vendors", "nth": 1}, "do": "throttle", "retry_after": 7},
            {"match": {"path": "/v1/vendors", "nth": 2}, "do": "in_band_error", "text": "Something failed"},
        ]
    )
    reply = api.get("/v1/vendors")
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "7")
    reply = api.get("/v1/vendors")
    assert reply.status_code == 200
    assert reply.json()["errors"][0] == {
        "type": "TECHNICAL",
        "code": "UNEXPECTED_ERROR",
        "message": "Something failed",
        "info": "The API failed.",
    }


def test_the_same_seed_gives_the_same_credentials(stand_in):
    with sandbox.start("basware", seed=1, data={"accountingDocuments": []}) as twin:
        assert twin.settings["client_id"] == stand_in.settings["client_id"]
        assert twin.secrets == stand_in.secrets
    with sandbox.start("basware", seed=2, data={"accountingDocuments": []}) as other:
        assert other.secrets != stand_in.secrets


def test_requests_of_a_credential_are_counted_together(api):
    Api(api.stand_in).get("/v1/vendors")
    api.get("/v1/vendors")
    keys = {row["key"] for row in api.stand_in.requests() if row["path"] == "/v1/vendors"}
    assert len(keys) == 1
    assert None not in keys
