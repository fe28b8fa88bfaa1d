"""What Basware's answers, settings and signatures mean; without a server."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ml_connector.systems.base import (
    AuthFailed,
    Conflict,
    NoLonger,
    NotFound,
    OutcomeUnknown,
    Refused,
    ShapeChanged,
    Throttled,
    Transient,
)
from ml_connector.systems.basware import SYSTEM, rows
from ml_connector.systems.basware.errors import batch_failure, failure, in_band, sign_in_failure
from ml_connector.systems.basware.keys import LONGEST, VENDOR, code_in, external_code, response_code
from ml_connector.systems.basware.reading import batch, moment
from ml_connector.systems.basware.regions import address_of, foreign_issuer
from ml_connector.systems.basware.settings import credential, options
from ml_connector.systems.basware.statuses import HANDLE_MAX, NO_REQUEST, Handle, overall, verdict
from ml_connector.systems.basware.tokens import Token, claim, claims
from ml_connector.systems.transport.answer import Answer

from .conftest import NOW, SETTINGS
from .site import jwt

GIVEN = {**SETTINGS, "base_url": ""}


def answered(body, status=200, *, wrote=False, headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers or {}, content, "Basware", wrote)


def refused(code, message="No such unit", kind="VALIDATION", external_code=None):
    error = {"externalCode": external_code, "type": kind, "code": code, "message": message, "info": None}
    return {"requestId": "r-1", "hasErrors": True, "errors": [error]}


# --- regions ---


@pytest.mark.parametrize(
    ("region", "environment", "base_url", "hosts", "field"),
    [
        ("US", "production", "https://api.basware.com", {}, "base_url"),
        ("EU", "production", "https://test-api.basware.com", {}, "base_url"),
        ("EU", "test", "https://api.basware.com/", {}, "base_url"),
        ("EU", "production", "https://API.US.basware.com", {}, "base_url"),
        ("EU", "production", "https://api.basware.com.", {"EU test": "https://api.basware.com"}, "hosts"),
        ("EU", "production", "https://new.basware.com", {}, "hosts"),
        ("CA", "production", "https://ca.example", {"US production": "https://ca.example"}, "base_url"),
    ],
)
def test_credentials_of_a_region_are_refused_another_regions_host(region, environment, base_url, hosts, field):  # R65
    with pytest.raises(Refused) as mismatch:
        address_of(region, environment, base_url, hosts)
    assert (mismatch.value.code, mismatch.value.field) == ("region_mismatch", field)


@pytest.mark.parametrize(
    ("region", "environment", "base_url", "hosts", "address"),
    [
        ("eu", "production", "", {}, "https://api.basware.com"),
        ("EU", "test", "", {}, "https://test-api.basware.com"),
        ("US", "test", "", {"US test": "https://test-api.us.basware.com/"}, "https://test-api.us.basware.com"),
        ("AU", "production", "", {"au Production": "https://p2p.au.example"}, "https://p2p.au.example"),
        (
            "US",
            "production",
            "https://gateway.customer.example/basware/",
            {},
            "https://gateway.customer.example/basware",
        ),
        ("US", "production", "", {"US production": "https://us-api.basware.com"}, "https://us-api.basware.com"),
    ],
)
def test_the_host_follows_from_region_environment_and_the_table(region, environment, base_url, hosts, address):  # R65
    assert address_of(region, environment, base_url, hosts) == address


def test_a_region_whose_host_is_not_known_has_to_be_entered():
    with pytest.raises(Refused, match="CA production") as unknown:
        address_of("CA", "production", "", {})
    assert unknown.value.field == "hosts"


def test_a_token_of_another_regions_issuer_is_told():  # R65
    assert foreign_issuer("https://api.basware.com", "US", {}) == "EU"
    assert foreign_issuer("https://api.basware.com", "EU", {}) == ""
    assert foreign_issuer("https://somewhere.example", "US", {}) == ""
    assert foreign_issuer("https://i.example", "US", {"AU test": "https://i.example"}) == "AU"


# --- settings ---


def test_every_setting_has_a_label_and_help():
    assert all(setting.label and setting.help for setting in SYSTEM.form)
    assert {setting.name for setting in SYSTEM.secrets()} == {"client_secret", "api_password"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("region", " "),
        ("client_id", ""),
        ("environment", "staging"),
        ("company_map", {"RIL": ""}),
        ("company_map", {"RIL": "100/F"}),
        ("source_system", "x" * 33),
        ("cost_center_field", "accountName"),
        ("credit_reference_field", "memo"),
        ("cost_center_list", "../vendors"),
        ("valid_to", "2099-13-01"),
        ("page_size", 501),
        ("requests_per_minute", 0),
        ("hosts", {"US": "https://x.example"}),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name, value):
    with pytest.raises(Refused) as wrong:
        options({**GIVEN, name: value})
    assert wrong.value.field == name


def test_basic_sign_in_needs_an_api_user_in_place_of_a_client():
    with pytest.raises(Refused) as wrong:
        options({**GIVEN, "sign_in": "basic"})
    assert wrong.value.field == "api_user"
    assert options({**GIVEN, "sign_in": "basic", "api_user": "robot", "client_id": ""}).user == "robot"


def test_the_company_is_the_one_named_or_the_only_one():
    two = options({**GIVEN, "company_map": {"RIL": "100/FINANCE", "EDU": "200"}})
    assert (two.company("EDU").code, two.company("EDU").element) == ("200", "200")
    assert options(GIVEN).company("").element == "FINANCE"
    for name in ("", "OTHER"):
        with pytest.raises(Refused) as wrong:
            two.company(name)
        assert wrong.value.field == "company_map"


def test_one_client_of_one_region_is_one_credential():
    assert credential(GIVEN, {}) == credential({**GIVEN, "company_map": {"EDU": "200"}}, {})
    assert credential(GIVEN, {}) != credential({**GIVEN, "client_id": "client-2"}, {})
    assert credential(GIVEN, {}) != credential({**GIVEN, "environment": "production"}, {})
    assert "client-1" not in credential(GIVEN, {})


# --- tokens ---


def test_a_token_ends_by_its_own_stamps_whatever_the_clocks_say():
    said = jwt(iss="https://api.basware.com", iat=1_000_000, exp=1_001_800, bwcid="123456-TEST1")
    token = Token.issued(answered({"access_token": said, "expires_in": 60}), NOW)
    assert token.ends == int(NOW.timestamp()) + 1800 - 60
    assert Token.kept(token.session()) == token
    assert claim(said, "bwcid") == "123456-TEST1"


@pytest.mark.parametrize(("body", "lives"), [({"expires_in": 600}, 540), ({}, 3540), ({"expires_in": "soon"}, 3540)])
def test_a_token_that_says_nothing_lives_as_its_answer_says(body, lives):
    token = Token.issued(answered({"access_token": "opaque", **body}), NOW)
    assert token.ends == int(NOW.timestamp()) + lives


def test_a_short_lived_token_is_used_at_least_a_while():
    assert Token.issued(answered({"access_token": "opaque", "expires_in": 4}), NOW).fresh(NOW)


@pytest.mark.parametrize("value", [None, "", 7, "two words", "line\nbreak", "ünicode"])
def test_no_token_is_made_of_what_is_none(value):  # R12
    with pytest.raises(Transient, match="no access token"):
        Token.issued(answered({"access_token": value}), NOW)


@pytest.mark.parametrize("value", ["opaque", "a.b.c", "a.e30.c", "a.W10.c", "x.!!!.y"])
def test_a_token_of_another_form_has_no_claims(value):
    assert claims(value) == {}


# --- errors ---


@pytest.mark.parametrize(
    ("status", "body", "kind", "cause"),
    [
        (400, refused("SCHEMA_VALIDATION_ERROR"), Refused, "invalid_data"),
        (400, refused("DATA_VALIDATION_FAILED", kind="BUSINESS"), Refused, "invalid_data"),
        (400, refused("SOMETHING_NEW"), Refused, "something_new"),
        (400, b"", Refused, "http_400"),
        (422, {"message": "UnprocessableEntity"}, Refused, "http_422"),
        (400, refused("METHOD_NOT_ALLOWED"), NoLonger, "not_allowed"),
        (405, b"", NoLonger, "not_allowed"),
        (400, refused("ENTITY_NOT_FOUND"), NotFound, None),
        (404, b"Not Found", NotFound, None),
        (409, refused("CONFLICT_IN_POST"), Transient, None),
        (409, refused("DATA_ORIGIN_VALIDATION_ERROR"), Conflict, None),
        (400, refused("ACCESS_TOKEN_VALIDATION_ERROR", kind="SECURITY"), AuthFailed, None),
        (401, {"message": "Unauthorized"}, AuthFailed, None),
        (403, {"message": "Forbidden"}, Refused, "permission"),
        (429, b"", Throttled, None),
        (500, refused("UNEXPECTED_ERROR", kind="TECHNICAL"), Transient, None),
        (400, refused("SNS_PUBLISH_ERROR", kind="TECHNICAL"), Transient, None),
        (503, {"message": "busy"}, Transient, None),
        (302, b"", Refused, "redirected"),
    ],
)
def test_each_refusal_is_exactly_one_error(status, body, kind, cause):  # R63
    error = failure(answered(body, status), "vendor ELC001", NOW)
    assert type(error) is kind
    assert "vendor ELC001" in str(error)
    if cause is not None:
        assert error.code == cause


@pytest.mark.parametrize(("status", "code"), [(500, "UNEXPECTED_ERROR"), (400, "SQS_PUBLISH_ERROR"), (504, "")])
def test_an_error_inside_basware_leaves_a_write_in_doubt(status, code):  # R3
    assert isinstance(failure(answered(refused(code), status, wrote=True), "vendor ELC001", NOW), OutcomeUnknown)


def test_a_refusal_names_the_record_and_what_basware_said():
    text = str(
        failure(answered(refused("SCHEMA_VALIDATION_ERROR", "name too long", external_code="100_V_E"), 400), "v", NOW)
    )
    assert "100_V_E: SCHEMA_VALIDATION_ERROR: name too long" in text


def test_a_refusal_names_the_request_by_which_support_finds_it():
    answer = answered(refused("SCHEMA_VALIDATION_ERROR"), 400, headers={"x-amzn-requestid": "KLF5"})
    assert "request KLF5" in str(failure(answer, "vendor ELC001", NOW))


def test_both_shapes_of_an_error_are_read():
    pushed = {
        "requestId": "r",
        "hasError": True,
        "errorMessages": [{"code": "SCHEMA_VALIDATION_ERROR", "message": "x"}],
    }
    assert "SCHEMA_VALIDATION_ERROR: x" in str(failure(answered(pushed, 400), "the subscription", NOW))
    assert in_band(answered(pushed)) and in_band(answered(refused("X")))
    assert not in_band(answered([])) and not in_band(answered({"status": "ok"}))


def test_the_wait_that_a_limit_asks_for_is_kept():  # R59
    error = failure(answered(b"", 429, headers={"retry-after": "7"}), "vendor ELC001", NOW)
    assert error.retry_after == 7


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (401, {"error": "invalid_client"}, AuthFailed, "region"),
        (400, {"error": "invalid_request", "error_description": "scope"}, AuthFailed, "scope"),
        (422, {"detail": [{"loc": [], "msg": "field required", "type": "x"}]}, AuthFailed, "field required"),
        (404, b"", Refused, "base_url"),
        (500, b"", Transient, "error of its own"),
        (429, b"", Throttled, "wait"),
    ],
)
def test_each_refused_sign_in_says_what_to_do(status, body, kind, text):  # R61
    error = sign_in_failure(answered(body, status), "https://api.basware.com", "client-1", NOW)
    assert type(error) is kind
    assert text in str(error)


def test_a_conflict_in_a_batch_sends_its_members_alone():
    conflict = failure(answered(refused("CONFLICT_IN_POST"), 409, wrote=True), "2 vendors at once", NOW)
    assert batch_failure(conflict, "2 vendors at once").code == "batch_refused"
    down = failure(answered(b"", 500, wrote=True), "2 vendors at once", NOW)
    assert batch_failure(down, "2 vendors at once") is down


# --- lists and fields ---


@pytest.mark.parametrize("body", [[{"a": 1}], {"vendorEntities": [{"a": 1}]}, {"VendorEntities": [{"a": 1}]}])
def test_a_list_is_read_wrapped_and_bare(body):
    found = batch(answered(body, headers={"x-amz-meta-continuationtoken": "next"}), "vendorEntities")
    assert found.rows == [{"a": 1}]
    assert found.following == "next"


@pytest.mark.parametrize("body", [{"error": "x"}, "text", {"vendorEntities": {"a": 1}}, [1]])
def test_what_is_no_list_says_nothing(body):  # R12
    with pytest.raises(Transient, match="no list"):
        batch(answered(body), "vendorEntities")


def test_a_filter_takes_points_in_time_in_utc():
    assert moment(datetime(2026, 11, 16, 6, 0, tzinfo=UTC)) == "2026-11-16T06:00:00Z"


@pytest.mark.parametrize("given", ["2026-11-16", "2026-11-16T00:00:00Z", "2026-11-16T23:30:00+02:00"])
def test_a_day_is_a_day_in_each_of_its_forms(given):
    assert rows.day({"invoiceDate": given}, "invoiceDate") == date(2026, 11, 16)


def test_a_missing_field_is_none_and_one_of_another_type_is_named():  # R20
    assert rows.words({}, "name") is None and rows.number({"grossSum": None}, "grossSum") is None
    for read, row in (
        (rows.words, {"f": 7}),
        (rows.number, {"f": "7"}),
        (rows.flag, {"f": "true"}),
        (rows.day, {"f": "tomorrow"}),
        (rows.members, {"f": {}}),
        (rows.part, {"f": []}),
        (rows.text, {}),
    ):
        with pytest.raises(ShapeChanged) as changed:
            read(row, "f")
        assert changed.value.field == "f"


def test_what_binary_fractions_add_is_taken_off_and_a_real_digit_is_not():  # R21
    assert rows.amount({"grossSum": Decimal("148.95000000000002")}, "grossSum", "USD") == Decimal("148.95")
    assert rows.amount({"grossSum": 1620}, "grossSum", "JPY") == Decimal(1620)
    with pytest.raises(rows.Unsound):
        rows.amount({"grossSum": Decimal("148.955")}, "grossSum", "USD")


# --- keys ---


def test_keys_are_readable_where_they_fit_and_lasting_where_they_do_not():  # R6
    assert external_code("100", VENDOR, "ELC001") == "100_V_ELC001"
    assert code_in("100_V_ELC001", "100", VENDOR) == "ELC001"
    assert code_in("100_A_ELC001", "100", VENDOR) == ""
    long = external_code("100", "A", "10-6100-000-000-0000-MFG-EUROPE-WEST")
    assert len(long) == LONGEST and long == external_code("100", "A", "10-6100-000-000-0000-MFG-EUROPE-WEST")


def test_two_records_never_share_a_key():
    made = {
        external_code("100", "L", "A_B", "1"),
        external_code("100", "L", "A", "B_1"),
        external_code("100", "L", "A|B", "1"),
        external_code("100", "L", "A", "B|1"),
        external_code("100", "L", "A", "B", "1"),
        external_code("100", "L", "A B", "1"),
    }
    assert len(made) == 6
    assert all(len(key) <= LONGEST for key in made)


def test_an_answer_has_a_key_of_its_own_and_always_the_same():
    assert response_code("inv-1", "1", "success") == response_code("inv-1", "1", "success")
    assert response_code("inv-1", "1", "success") != response_code("inv-1", "2", "success")
    assert len(response_code("inv-1", "1")) == LONGEST


def test_a_handle_fits_its_column_whatever_the_number_of_requests():
    request = "0b6c7f2e-6a1e-4f6c-8a55-0f8f2a3d9b10"
    assert Handle(("r-1", ""), "a key").accepted().handle == "r-1 -|a key"
    assert Handle((request,) * 7, "k" * 36).accepted().handle == f"{NO_REQUEST}|{'k' * 36}"
    most = Handle((request,) * 4, "k" * 36)
    assert len(most.accepted().handle) <= HANDLE_MAX
    assert Handle.read(most.accepted().handle) == most


# --- outcomes ---


def test_a_verdict_looks_at_p2p_alone_where_it_is_named():
    entry = {
        "requestStatus": "InProgress",
        "systems": [
            {
                "system": "Portal",
                "systemStatus": "InProgress",
                "items": [{"externalCode": "a", "status": "InProgress"}],
            },
            {"system": "P2P", "systemStatus": "Success", "items": [{"externalCode": "a", "status": "Success"}]},
        ],
    }
    assert overall(entry) == "Success"
    assert verdict(entry, "a").statuses == {"Success"}


def test_warnings_of_a_record_are_no_errors():
    item = {"externalCode": "a", "status": "Warning", "errors": [{"type": "Warning", "message": "unit unknown"}]}
    found = verdict({"systems": [{"items": [item]}]}, "a")
    assert (found.statuses, found.texts, found.categories) == ({"Warning"}, (), frozenset())
