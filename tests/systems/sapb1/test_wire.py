"""What the Service Layer's answers mean, in the forms of both versions; without a server."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ml_connector.systems.base import (
    AuthFailed,
    Conflict,
    NotFound,
    OutcomeUnknown,
    Refused,
    ShapeChanged,
    Throttled,
    Transient,
)
from ml_connector.systems.sapb1 import SYSTEM, rows, stamps
from ml_connector.systems.sapb1.errors import failure, fault, login_failure, session_lost
from ml_connector.systems.sapb1.reading import Query, batch
from ml_connector.systems.sapb1.session import cookies
from ml_connector.systems.sapb1.settings import options
from ml_connector.systems.transport.http import Answer

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
ADDRESS = "https://b1.example:50000/b1s/v2"
GIVEN = {"base_url": ADDRESS, "company_db": "RIL", "user": "MLCONN", "server_time_zone": "Europe/Berlin"}


def local(text):
    """A stamp of the server's clock, without zone."""
    return datetime.fromisoformat(text)


def v1(code, message, status=400, wrote=False):
    return answered({"error": {"code": code, "message": {"lang": "en-us", "value": message}}}, status, wrote)


def v2(code, message, status=400, wrote=False):
    body = {"error": {"code": str(code), "details": [{"code": "", "message": ""}], "message": message}}
    return answered(body, status, wrote)


def answered(body, status=200, wrote=False, headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers or {}, content, "SAP Business One", wrote)


SHAPES = pytest.mark.parametrize("shape", [v1, v2])


# --- errors ---


@SHAPES
def test_both_shapes_of_an_error_say_the_same(shape):
    found = fault(shape(-10, "Posting period locked  [OVPM.DocDate]"))
    assert (found.code, found.text, found.field) == ("-10", "Posting period locked [OVPM.DocDate]", "DocDate")


@SHAPES
@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "cause"),
    [
        (404, -2028, "No matching records found (ODBC -2028)", NotFound, None),
        (400, -2028, "No matching records found (ODBC -2028)", Refused, "reference_missing"),
        (400, -10, "Invoice is already closed or blocked  [Message 3524-20]", Refused, "document_closed"),
        (400, -10, "Date deviates from the permissible range [OVPM.DocDate]", Refused, "fiscal_year_closed"),
        (400, -5002, "Posting period locked; specify an alternative date [OVPM.DocDate]", Refused, "period_closed"),
        (400, -5002, "Amount applied exceeds balance due [VPM2.SumApplied]", Refused, "over_application"),
        (400, -5002, "Invalid BP code [OPDN.CardCode]", Refused, "reference_missing"),
        (400, -5002, "Ensure selected branch is the same as the branch of documents to be paid", Refused, "branch"),
        (400, -5002, "Something else", Refused, "invalid_data"),
        (400, -1000, "Property 'Comments' of 'Payment' is invalid", Refused, "unknown_property"),
        (400, 201, "Property 'PaidToDate' is invalid", Refused, "unknown_property"),
        (400, -1004, "Enter another value", Refused, "value_not_allowed"),
        (400, -5006, "The requested action is not supported for this object.", Refused, "unsupported"),
        (400, 777001, "Our own check says no", Refused, "site_rule"),
        (
            400,
            -10,
            "1320000140 - Business partner code 'c1' already assigned to a business partner; enter a unique one",
            Conflict,
            None,
        ),
        (400, -2035, "This entry is there", Conflict, None),
        (412, -2039, "(ODBC -2039)", Conflict, None),
        (401, -6006, "You are not permitted to perform this action", Refused, "permission"),
        (403, 804, "No view", Refused, "permission"),
        (500, -1, "Generic", Transient, None),
        (429, 1, "Slower", Throttled, None),
    ],
)
def test_each_refusal_is_exactly_one_error(shape, status, code, message, kind, cause):  # R63
    error = failure(shape(code, message, status), "payment P-4711 to V100", NOW)
    assert type(error) is kind
    assert "P-4711" in str(error)
    if cause is not None:
        assert error.code == cause
        assert message.split()[0] in str(error)


def test_a_refusal_names_document_and_field():
    error = failure(v2(-10, "Period locked [OVPM.DocDate]"), "payment P-4711 to V100", NOW)
    assert error.field == "DocDate"
    assert "payment P-4711 to V100" in str(error)
    assert "Field: DocDate." in str(error)
    assert "Unlock the period" in str(error)


@pytest.mark.parametrize("answer", [answered(b"<html>Not Found</html>", 404), v2(-1, "Service Not Found", 404)])
def test_a_404_of_somebody_else_does_not_say_that_a_record_is_gone(answer):  # R18
    error = failure(answer, "invoice 12", NOW)
    assert isinstance(error, Refused)
    assert error.field == "base_url"


def test_an_error_inside_leaves_a_write_in_doubt():  # R3
    assert isinstance(failure(answered(b"", 500, True), "the payment", NOW), OutcomeUnknown)


def test_a_gateway_page_is_no_reason_to_fail_at_reading_it():
    error = failure(answered(b"<html>Bad Request</html>", 400), "the payment", NOW)
    assert isinstance(error, Refused)
    assert "gave no reason" in str(error)


@SHAPES
@pytest.mark.parametrize(
    ("status", "code", "message", "lost"),
    [
        (401, 301, "Invalid session or session already timeout.", True),
        (200 + 200, 301, "Invalid session or session already timeout.", True),
        (401, -5002, "Invalid BP code", True),
        (400, -5002, "Invalid BP code [OPDN.CardCode]", False),
        (400, -5002, "Invalid session or session already timeout.", True),
        (401, -6006, "You are not permitted to perform this action", False),
        (401, -1, "You are not authorized", False),
        (400, 9999, "Log in again", True),
        (500, 299, "node", True),
        (500, -1, "node", False),
    ],
)
def test_a_session_ends_by_401_or_301_and_never_by_a_validation(shape, status, code, message, lost):  # R62
    assert session_lost(shape(code, message, status), frozenset({"9999", "-5002"})) is lost


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (v2(-304, "Fail to NONE-SSO login from SLD.", 401), AuthFailed, "password is wrong"),
        (v1(-306, "Fail to get DB Credentials from SLD", 401), AuthFailed, "company_db"),
        (v1(100000027, "Login failed", 401), AuthFailed, "is wrong"),
        (v2(100000055, "x", 401), AuthFailed, "locked"),
        (v2(-1, "User is locked", 401), AuthFailed, "locked"),
        (v2(-1, "Licence missing", 401), AuthFailed, "licence"),
        (v2(299, "SAML Login Failed", 500), Transient, "tried again"),
        (answered(b"<html>", 404), Refused, "base_url"),
    ],
)
def test_each_refused_sign_in_says_what_to_do(answer, kind, text):  # R61
    error = login_failure(answer, ADDRESS, "RIL", "MLCONN", NOW)
    assert type(error) is kind
    assert text in str(error)


# --- cookies, settings, addresses ---


def test_the_session_is_taken_from_the_body_and_the_node_from_its_cookie():
    headers = {"set-cookie": "B1SESSION=abc-1;HttpOnly;, ROUTEID=.node1; path=/b1s"}
    assert cookies("abc-1", answered({}, headers=headers)) == "B1SESSION=abc-1; ROUTEID=.node1"
    assert cookies(None, answered({}, headers=headers)) == "B1SESSION=abc-1; ROUTEID=.node1"
    assert cookies("abc-1", answered({})) == "B1SESSION=abc-1"


@pytest.mark.parametrize("session", [None, "", "a b", "a;b", "a\r\nb"])
def test_no_session_is_made_of_what_is_none(session):  # R12
    with pytest.raises(Transient, match="no session"):
        cookies(session, answered({}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base_url", "https://b1.example:50000"),
        ("server_time_zone", "Middle-earth"),
        ("cost_dimension", 6),
        ("page_size", 0),
        ("account_drawers", {"1": "gold"}),
        ("poll_overlap_minutes", 0),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name, value):
    with pytest.raises(Refused) as refused:
        options({**GIVEN, name: value})
    assert refused.value.field == name


def test_every_setting_has_a_label_and_help():
    assert all(setting.label and setting.help for setting in SYSTEM.form)


def test_a_query_is_percent_encoded_without_a_plus():
    query = Query("BusinessPartners", ("CardCode",), "CardName eq 'O''Neill & Söhne'", ("CardCode",))
    assert query.where("Frozen eq 'tNO'").path() == (
        "BusinessPartners?$select=CardCode&$filter=%28CardName%20eq%20%27O%27%27Neill%20%26%20S%C3%B6hne%27%29%20and%20"
        "%28Frozen%20eq%20%27tNO%27%29&$orderby=CardCode"
    )


@pytest.mark.parametrize("name", ["odata.nextLink", "@odata.nextLink"])
def test_next_links_of_both_versions_are_followed(name):
    assert batch(answered({"value": [], name: "Items?$skip=20"})).following == "Items?$skip=20"


def test_an_error_in_band_is_no_list():  # R12
    with pytest.raises(Transient, match="no list"):
        batch(answered({"error": {"code": "x"}}))


# --- fields ---


@pytest.mark.parametrize("text", ["2026-11-16", "2026-11-16T00:00:00Z"])
def test_dates_of_both_versions_are_days(text):
    assert rows.day({"DocDate": text}, "DocDate") == date(2026, 11, 16)


@pytest.mark.parametrize(("text", "at"), [("06:05:09", "06:05:09"), ("06:05", "06:05:00"), (None, "00:00:00")])
def test_times_come_with_and_without_seconds(text, at):
    found = rows.stamp({"UpdateDate": "2026-11-16", "UpdateTime": text}, "UpdateDate", "UpdateTime")
    assert found == local(f"2026-11-16T{at}")


def test_a_missing_field_is_named():  # R20
    with pytest.raises(ShapeChanged) as changed:
        rows.text({}, "CardCode")
    assert changed.value.field == "CardCode"


def test_what_binary_fractions_add_is_taken_off_and_a_real_digit_is_not():  # R21
    assert rows.amount(Decimal("148.95000000000002"), "USD") == Decimal("148.95")
    with pytest.raises(rows.Unsound):
        rows.amount(Decimal("148.955"), "USD")


# --- stamps ---


def stamped(now, minutes=10):
    return stamps.Stamped(
        None, Query("x", ()), "k", "c", list, timedelta(minutes=minutes), ZoneInfo("Europe/Berlin"), lambda: now
    )


def test_the_overlap_is_taken_off_and_the_minute_floored():  # R14
    assert stamped(NOW).start(local("2026-11-16T00:05:59")) == local("2026-11-15T23:55:00")


def test_an_hour_more_is_read_again_when_the_clock_went_back():  # R14
    after = datetime(2026, 10, 25, 2, 0, tzinfo=UTC)
    assert stamped(after).start(local("2026-10-25T02:50:00")) == local("2026-10-25T01:40:00")


def test_no_row_is_lost_past_midnight():
    found = stamps.from_minute(local("2026-11-15T23:55:00"))
    assert found == "UpdateDate gt '2026-11-15' or (UpdateDate eq '2026-11-15' and UpdateTime ge '23:55:00')"
