"""Sign-in, renewal, pace and errors, over real HTTP."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.domain.records import AccountType, GlAccount
from ml_connector.systems.base import (
    AuthFailed,
    Conflict,
    NoLonger,
    NotFound,
    OutcomeUnknown,
    Refused,
    ShapeChanged,
    SystemFailure,
    Throttled,
    Transient,
)

from .conftest import NOW, SECRETS, Session
from .domain import Reply, made, token
from .payloads import vendor

VENDORS = "/api/v3/vendors/"
MARK = "mlc0000000001"


def suppliers(opened):
    return [item.key for page in opened.client.source("supplier", {}).changes(None) for item in page.items]


def signed_in(site):
    return len(site.calls("POST", "/oauth/token"))


# --- sign-in


def test_id_secret_and_audience_go_as_json_and_the_token_as_bearer(opened):
    opened.site.rows(VENDORS, [vendor()])
    assert suppliers(opened) == ["11"]
    (asked,) = opened.site.calls("POST", "/oauth/token")
    assert asked.json == {
        "client_id": "client-1",
        "client_secret": SECRETS["client_secret"],
        "audience": "https://api.procurify.com/",
        "grant_type": "client_credentials",
    }
    assert asked.headers["content-type"] == "application/json"
    first = opened.site.calls("GET", VENDORS)[0]
    assert first.headers["authorization"] == "Bearer token-1"
    assert first.headers["x-procurify-client"] == "api"


def test_a_gateways_headers_go_with_every_request(connect):
    opened = connect({"extra_headers": {"X-Gateway": "west"}})
    opened.site.rows(VENDORS, [])
    suppliers(opened)
    assert {one.headers.get("x-gateway") for one in opened.site.seen} == {"west"}


def test_one_token_serves_a_day_and_is_renewed_before_its_end(opened):  # R60
    opened.site.rows(VENDORS, [])
    opened.site.on("POST", "/oauth/token", token(), token("token-2"))
    for minutes in (0, 600, 24 * 60 - 6):
        opened.wait(NOW + timedelta(minutes=minutes))
        suppliers(opened)
    assert signed_in(opened.site) == 1
    opened.wait(NOW + timedelta(minutes=24 * 60 - 4))
    suppliers(opened)
    assert signed_in(opened.site) == 2
    assert opened.site.calls("GET", VENDORS)[-1].headers["authorization"] == "Bearer token-2"


def test_at_the_start_of_a_cycle_a_token_has_to_last_for_it(connect):  # R60
    first = connect()
    first.site.rows(VENDORS, [])
    first.site.on("POST", "/oauth/token", token(), token("token-2"))
    suppliers(first)
    late = connect(session=first.session)
    late.wait(NOW + timedelta(minutes=24 * 60 - 30))
    first.wait(NOW + timedelta(minutes=24 * 60 - 30))
    suppliers(first)
    assert signed_in(first.site) == 1
    suppliers(late)
    suppliers(late)
    assert signed_in(first.site) == 2


def test_a_token_that_still_lives_outlasts_a_failed_renewal(connect):  # R60
    first = connect()
    first.site.rows(VENDORS, [])
    first.site.on("POST", "/oauth/token", token(), Reply(503, b"<html>"))
    suppliers(first)
    late = connect(session=first.session)
    late.wait(NOW + timedelta(minutes=24 * 60 - 30))
    suppliers(late)
    assert late.site.calls("GET", VENDORS)[-1].headers["authorization"] == "Bearer token-1"
    ended = connect(session=first.session)
    ended.wait(NOW + timedelta(hours=25))
    with pytest.raises(Transient):
        suppliers(ended)


def test_a_token_of_a_short_life_is_used_for_half_of_it(opened):
    opened.site.rows(VENDORS, [])
    opened.site.on("POST", "/oauth/token", token(seconds=60))
    suppliers(opened)
    opened.wait(NOW + timedelta(seconds=29))
    suppliers(opened)
    assert signed_in(opened.site) == 1
    opened.wait(NOW + timedelta(seconds=31))
    suppliers(opened)
    assert signed_in(opened.site) == 2


def test_many_threads_cost_one_sign_in(opened):  # R60
    opened.site.rows(VENDORS, [vendor()])
    threads = [threading.Thread(target=suppliers, args=(opened,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened.site.calls("GET", VENDORS)) == 6
    assert signed_in(opened.site) == 1


def test_a_missing_secret_is_named(connect):
    opened = connect(secrets={"client_secret": ""})
    with pytest.raises(AuthFailed, match="client_secret"):
        suppliers(opened)
    assert opened.site.seen == []


@pytest.mark.parametrize("lost", [Reply(401, {"detail": "x"}), Reply(403, {"detail": "Token expired"})])
def test_a_lapsed_token_costs_one_sign_in_and_one_repeat(opened, lost):  # R62
    opened.site.on("POST", "/oauth/token", token(), token("token-2"))
    opened.site.on("GET", VENDORS, lost, Reply(200, {"data": [], "metadata": {"pagination": {"num_pages": 1}}}))
    assert suppliers(opened) == []
    assert signed_in(opened.site) == 2 and len(opened.site.calls("GET", VENDORS)) == 2


def test_a_new_token_that_is_not_taken_ends_it_without_a_storm(opened):  # R61
    opened.site.on("POST", "/oauth/token", token(), token("token-2"), token("token-3"))
    opened.site.on("GET", VENDORS, Reply(401))
    for _ in range(3):
        with pytest.raises(AuthFailed, match="active"):
            suppliers(opened)
    assert signed_in(opened.site) == 2


def test_a_write_around_a_lapsed_token_is_in_doubt_and_not_repeated(opened, make_supplier):  # R3, R62
    opened.site.on("POST", "/oauth/token", token(), token("token-2"))
    opened.site.on("POST", VENDORS, Reply(401), made(12))
    with pytest.raises(OutcomeUnknown):
        opened.client.target("supplier", {}).create(make_supplier(), MARK)
    assert len(opened.site.calls("POST", VENDORS)) == 1 and signed_in(opened.site) == 2


def test_a_lost_answer_leaves_a_write_in_doubt(opened, make_supplier):  # R3, R8
    opened.site.on("POST", VENDORS, None)
    with pytest.raises(OutcomeUnknown):
        opened.client.target("supplier", {}).create(make_supplier(), MARK)
    assert len(opened.site.calls("POST", VENDORS)) == 1


def test_the_lease_is_asked_before_each_write_and_not_before_reading(opened, make_supplier):
    opened.site.rows(VENDORS, [])
    opened.site.on("POST", VENDORS, made(12))
    target = opened.client.target("supplier", {})
    target.find(make_supplier(), MARK)
    assert opened.wrote == []
    target.create(make_supplier(), MARK)
    assert opened.wrote == [True]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Reply(401, {"error": "invalid_client", "error_description": "Client authentication failed"}), AuthFailed),
        (Reply(403, {"error": "access_denied", "error_description": "Unauthorized"}), AuthFailed),
        (Reply(400, {"error": "unsupported_grant_type"}), AuthFailed),
        (Reply(404, b"<html>"), AuthFailed),
        (Reply(302, None, {"location": "https://elsewhere.example/"}), AuthFailed),
        (Reply(429, None, {"retry-after": "3"}), Throttled),
        (Reply(502, b"<html>"), Transient),
        (Reply(500, {"detail": "x"}), Transient),
        (Reply(200, {"token": "x"}), Transient),
        (Reply(200, b"<html>"), Transient),
    ],
)
def test_a_sign_in_that_fails_is_one_error_and_one_request(opened, answer, error):  # R61, R63
    opened.site.on("POST", "/oauth/token", answer)
    with pytest.raises(error):
        suppliers(opened)
    assert signed_in(opened.site) == 1 and opened.session.value is None
    assert opened.site.calls("GET", VENDORS) == []


def test_a_token_of_another_domain_is_not_used(opened):  # R51
    opened.site.on("POST", "/oauth/token", token(domain="other"))
    with pytest.raises(AuthFailed, match="other"):
        suppliers(opened)
    assert opened.session.value is None


def test_the_domain_is_the_identity(opened):  # R51
    found = opened.client.identity()
    assert (found.key, found.local_currency) == ("acme", "USD")
    assert "acme" in found.text


def test_a_stored_session_of_another_form_is_renewed(connect):
    session = Session()
    session.value = "what another release kept"
    opened = connect(session=session)
    opened.site.rows(VENDORS, [])
    suppliers(opened)
    assert signed_in(opened.site) == 1


# --- limits


def test_requests_are_counted_by_the_minute(connect):  # R59
    opened = connect({"requests_per_second": 7})
    opened.site.rows(VENDORS, [])
    suppliers(opened)
    assert opened.budget.spent == [("request", 420, 60)]


def test_requests_leave_at_a_pace(connect):  # R59
    opened = connect({"requests_per_second": 20, "page_size": 1})
    opened.site.rows(VENDORS, [vendor(1, currency=None), vendor(2, currency=None), vendor(3, currency=None)])
    begun = time.monotonic()
    assert len(suppliers(opened)) == 3
    assert time.monotonic() - begun >= 0.1


def test_a_throttle_is_a_wait_and_slows_the_pace(opened):  # R59
    opened.site.on("GET", VENDORS, Reply(429, None, {"retry-after": "11"}))
    before = opened.client._domain.pace.seconds
    with pytest.raises(Throttled) as throttled:
        suppliers(opened)
    assert throttled.value.retry_after == 11
    assert opened.client._domain.pace.seconds == 2 * before
    opened.site.on("GET", VENDORS, Reply(429))
    for _ in range(5):
        with pytest.raises(Throttled) as throttled:
            suppliers(opened)
    assert throttled.value.retry_after is None
    assert opened.client._domain.pace.seconds == 8 * before


# --- errors: each answer is exactly one


def gl_account() -> GlAccount:
    return GlAccount(code="6100", name="Components", type=AccountType.EXPENSE, postable=True)


READS: list[tuple[Any, type[SystemFailure]]] = [
    (Reply(400, {"errors": {"page": {"message": "Bad.", "code": "INVALID"}}}), Refused),
    (Reply(403, {"detail": "You do not have permission to perform this action."}), Refused),
    (Reply(404, {"detail": "Not found."}), ShapeChanged),
    (Reply(410, {"detail": "Gone."}), ShapeChanged),
    (Reply(301, None, {"location": "https://elsewhere.example/"}), Refused),
    (Reply(405, {"detail": "x"}), NoLonger),
    (Reply(408), Transient),
    (Reply(409, {"detail": "x"}), Conflict),
    (Reply(429), Throttled),
    (Reply(500, {"detail": "x"}), Transient),
    (Reply(502, b"<html><body>Bad gateway</body></html>", {"content-type": "text/html"}), Transient),
    (Reply(503, {"detail": "x"}), Transient),
    (Reply(200, b"<html>"), Transient),
    (Reply(200, {"errors": {"null": {"message": "Not now."}}}), Transient),
    (Reply(200, {"data": {}}), Transient),
    (None, Transient),
]


@pytest.mark.parametrize(("answer", "error"), READS)
def test_each_answer_to_a_read_is_one_error(opened, answer, error):  # R63
    opened.site.on("GET", VENDORS, answer)
    with pytest.raises(error) as raised:
        suppliers(opened)
    assert type(raised.value) is error


WRITES: list[tuple[Any, type[SystemFailure], str]] = [
    (Reply(400, {"errors": {"code": {"message": "Too short.", "code": "MIN_LENGTH"}}}), Refused, "min_length"),
    (Reply(400, {"errors": {"null": {"message": "Not like that.", "code": "NO"}}}), Refused, "no"),
    (Reply(400, {"code": ["This field is required."], "non_field_errors": ["x"]}), Refused, "invalid_data"),
    (Reply(400, {"code": ["account code with this code already exists."]}), Refused, "already_there"),
    (Reply(422, {"message": "Unprocessable"}), Refused, "invalid_data"),
    (Reply(400, ["No."]), Refused, "invalid_data"),
    (Reply(400, b"No."), Refused, "invalid_data"),
    (Reply(200, {"errors": {"null": {"message": "Failed.", "code": "FAILED"}}}), Refused, "failed"),
    (Reply(403, {"detail": "No permission."}), Refused, "permission"),
    (Reply(405, {"detail": "x"}), NoLonger, "not_allowed"),
    (Reply(404, {"detail": "Not found."}), NotFound, ""),
    (Reply(409, {"detail": "x"}), Conflict, ""),
    (Reply(412, {"detail": "x"}), Conflict, ""),
    (Reply(429), Throttled, ""),
    (Reply(413), Refused, "too_large"),
    (Reply(408), OutcomeUnknown, ""),
    (Reply(500, {"detail": "x"}), OutcomeUnknown, ""),
    (Reply(502, b"<html>", {"content-type": "text/html"}), OutcomeUnknown, ""),
    (Reply(201, b""), OutcomeUnknown, ""),
    (Reply(201, b"<html>"), OutcomeUnknown, ""),
    (Reply(201, {"data": {"code": "6100"}}), OutcomeUnknown, ""),
    (Reply(201, {"data": {"id": 9, "code": "9999"}}), OutcomeUnknown, ""),
    (None, OutcomeUnknown, ""),
]


@pytest.mark.parametrize(("answer", "error", "code"), WRITES)
def test_each_answer_to_a_write_is_one_error(opened, answer, error, code):  # R12, R63
    opened.site.on("POST", "/api/v3/account-codes/", answer)
    with pytest.raises(error) as raised:
        opened.client.target("gl_account", {}).create(gl_account(), MARK)
    assert type(raised.value) is error
    if isinstance(raised.value, Refused):
        assert raised.value.code == code
    assert len(opened.site.calls("POST", "/api/v3/account-codes/")) == 1


def test_a_refusal_says_what_of_which_document_and_whom_to_ask(opened):
    answer = {"errors": {"description": {"message": "May not be blank.", "code": "BLANK"}}}
    opened.site.on("POST", "/api/v3/account-codes/", Reply(400, answer, {"x-request-id": "req-77"}))
    with pytest.raises(Refused) as refused:
        opened.client.target("gl_account", {}).create(gl_account(), MARK)
    assert str(refused.value) == (
        "Procurify does not take account code 6100 (Components). Field: description. Correct it where it comes from; "
        "it is sent again then. (Procurify says: description: BLANK: May not be blank., request req-77)"
    )
    assert refused.value.field == "description"


def test_a_nested_field_is_named_with_its_path(opened):
    opened.site.on("POST", "/api/v3/account-codes/", Reply(400, {"departments": {"0": ["Unknown."]}}))
    with pytest.raises(Refused) as refused:
        opened.client.target("gl_account", {}).create(gl_account(), MARK)
    assert refused.value.field == "departments.0"


def test_no_secret_is_told_even_if_procurify_echoes_it(opened, caplog):  # R71
    caplog.set_level(logging.DEBUG)
    echo = f"client {SECRETS['client_secret']} with token-1 may not"
    opened.site.on("POST", "/oauth/token", Reply(401, {"error_description": echo.replace("token-1", "it")}))
    with pytest.raises(AuthFailed) as refused:
        suppliers(opened)
    opened.site.on("POST", "/oauth/token", token())
    opened.site.on("GET", VENDORS, Reply(400, {"detail": echo}))
    with pytest.raises(Refused) as unwilling:
        suppliers(opened)
    told = f"{refused.value} {unwilling.value} {caplog.text}"
    assert SECRETS["client_secret"] not in told and "token-1" not in told
    assert "may not" in told


def test_amounts_come_through_the_wire_exactly(opened):  # R21
    body = b'{"metadata": {}, "data": {"id": 1, "amount": 1234567890123456.78, "text": "0.10000000"}}'
    opened.site.on("GET", "/api/v3/users/me/", Reply(200, body))
    row, _ = opened.client._domain.one("/api/v3/users/me/", about="me")
    assert row["amount"] == Decimal("1234567890123456.78")
