"""Every code that BILL documents becomes exactly one of our errors, in words for people (R63)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from ml_connector.systems.base import (
    AuthFailed,
    Conflict,
    NotFound,
    OutcomeUnknown,
    Refused,
    Throttled,
    Transient,
)
from ml_connector.systems.bill.errors import REACTIONS, failure, session_lost
from ml_connector.systems.transport.http import Answer

NOW = datetime(2026, 11, 16, 6, 40, tzinfo=UTC)
LOST = frozenset({"BDC_1109"})

TABLE = [
    ("BDC_1001", 500, OutcomeUnknown, ""),
    ("BDC_1002", 500, OutcomeUnknown, ""),
    ("BDC_1101", 401, AuthFailed, ""),
    ("BDC_1102", 401, AuthFailed, ""),
    ("BDC_1103", 400, AuthFailed, ""),
    ("BDC_1104", 400, AuthFailed, ""),
    ("BDC_1106", 400, AuthFailed, ""),
    ("BDC_1107", 423, AuthFailed, ""),
    ("BDC_1108", 400, Refused, "field_missing"),
    ("BDC_1109", 401, AuthFailed, ""),
    ("BDC_1110", 401, AuthFailed, ""),
    ("BDC_1117", 400, Refused, "field_missing"),
    ("BDC_1119", 400, Refused, "field_missing"),
    ("BDC_1120", 404, NotFound, ""),
    ("BDC_1121", 404, Refused, "unsupported"),
    ("BDC_1122", 400, Refused, "unsupported"),
    ("BDC_1123", 400, AuthFailed, ""),
    ("BDC_1124", 400, Refused, "field_missing"),
    ("BDC_1129", 400, Refused, "field_missing"),
    ("BDC_1130", 400, Refused, "filter_refused"),
    ("BDC_1131", 400, Refused, "filter_refused"),
    ("BDC_1143", 400, Refused, "invalid_data"),
    ("BDC_1144", 422, Throttled, ""),
    ("BDC_1145", 403, Refused, "permission"),
    ("BDC_1150", 422, Refused, "no_online_payment"),
    ("BDC_1151", 422, Refused, "no_online_payment"),
    ("BDC_1152", 422, Refused, "process_date"),
    ("BDC_1159", 422, Refused, "over_application"),
    ("BDC_1171", 422, Conflict, ""),
    ("BDC_1205", 404, NotFound, ""),
    ("BDC_1246", 400, Refused, "rolled_back"),
    ("BDC_1322", 422, Throttled, ""),
    ("BDC_1356", 400, Refused, "mfa"),
    ("BDC_1358", 403, Refused, "mfa"),
    ("BDC_1361", 403, Refused, "untrusted_session"),
    ("BDC_1374", 403, Refused, "mfa"),
    ("BDC_1402", 400, Refused, "process_date"),
]


def answer(status, *elements, wrote=True, headers=None):
    body = [{"code": code, "message": message, "severity": "ERROR"} for code, message in elements]
    return Answer(status, headers or {}, msgspec.json.encode(body), "BILL", wrote)


def failed(given):
    return failure(given, "bill ELC-1001", NOW)


def test_the_table_below_is_complete():
    assert {code for code, *_ in TABLE} == set(REACTIONS)


@pytest.mark.parametrize(("code", "status", "kind", "cause"), TABLE)
def test_one_code_one_error(code, status, kind, cause):  # R63
    error = failed(answer(status, (code, "Untrusted session.")))
    assert type(error) is kind
    assert getattr(error, "code", "") == cause
    if kind in {Refused, Conflict}:
        assert "bill ELC-1001" in str(error)
        assert code in str(error)


@pytest.mark.parametrize("code", ["BDC_1001", "BDC_1002", "BDC_9999", "BDC_1143"])
def test_an_error_inside_bill_is_unknown_for_a_write_and_transient_for_a_read(code):  # R3
    assert type(failed(answer(500, (code, "System error")))) is OutcomeUnknown
    assert type(failed(answer(500, (code, "System error"), wrote=False))) is Transient


def test_the_hourly_limit_waits_for_the_next_hour():  # R59
    assert failed(answer(422, ("BDC_1144", "Max number"))).retry_after == 20 * 60


@pytest.mark.parametrize("status", [400, 422, 429, 503])
def test_the_concurrency_limit_waits_shortly_whatever_its_status(status):  # R59
    error = failed(answer(status, ("BDC_1322", "Max number of concurrent requests")))
    assert type(error) is Throttled
    assert 0.5 <= error.retry_after <= 8


def test_429_is_a_limit_without_a_code_and_retry_after_is_honoured():  # R59
    error = failure(Answer(429, {"retry-after": "3"}, b"", "BILL", True), "bill ELC-1001", NOW)
    assert type(error) is Throttled
    assert error.retry_after == 3


@pytest.mark.parametrize(
    ("message", "cause", "field"),
    [
        (
            "Invalid entity data. invoiceNumber: Maximum length cannot be greater than 21 characters.",
            "number_too_long",
            "invoiceNumber",
        ),
        ("Invalid entity data. name: Maximum length cannot be greater than 100.", "field_too_long", "name"),
        ("Invalid entity data. deviceId.", "invalid_data", "deviceId"),
        ("00n02JZNIEYMNPY99iz9 : Invalid entity data. dueDate: wrong.", "invalid_data", "dueDate"),
    ],
)
def test_the_field_behind_invalid_data(message, cause, field):
    error = failed(answer(400, ("BDC_1143", message)))
    assert (error.code, error.field) == (cause, field)


def test_a_validation_error_without_code_names_its_field():
    body = b'[{"message": "address.line1: must not be null"}]'
    error = failure(Answer(400, {}, body, "BILL", True), "vendor Electra", NOW)
    assert (type(error), error.code, error.field) == (Refused, "field_missing", "address.line1")


def test_a_batch_names_the_member_that_failed_and_not_the_roll_back():
    error = failed(answer(400, ("BDC_1246", "Rolled back"), ("BDC_1143", "Invalid entity data. amount: wrong.")))
    assert error.code == "invalid_data"


def test_the_same_refusal_said_twice_is_told_once():
    error = failed(answer(400, ("BDC_1143", "x: bad"), ("BDC_1143", "00n02JZNIEYMNPY99iz9 : x: bad")))
    assert str(error).count("x: bad") == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Refused), (402, Refused), (403, Refused), (404, NotFound), (401, AuthFailed), (423, AuthFailed)],
)
def test_a_body_that_is_not_json_goes_by_its_status(status, kind):
    assert type(failure(Answer(status, {}, b"<html>", "BILL", True), "bill ELC-1001", NOW)) is kind


def test_an_unknown_code_is_refused_with_code_and_text():
    error = failed(answer(422, ("BDC_4711", "Something new")))
    assert error.code == "BDC_4711"
    assert "Something new" in str(error)


def test_a_single_object_is_read_like_an_array():
    error = failure(Answer(400, {}, b'{"message": "bad thing"}', "BILL", True), "bill ELC-1001", NOW)
    assert "bad thing" in str(error)


@pytest.mark.parametrize(
    ("status", "element", "lost"),
    [
        (401, ("BDC_1109", "Session is invalid"), True),
        (401, ("", "who are you"), True),
        (403, ("BDC_1361", "Session expired."), True),
        (403, ("BDC_1361", "Untrusted session."), False),
        (401, ("BDC_1101", "wrong password"), False),
        (403, ("BDC_1145", "Permission denied"), False),
        (400, ("BDC_1143", "bad"), False),
    ],
)
def test_which_answers_mean_that_the_session_is_lost(status, element, lost):  # R62
    assert session_lost(answer(status, element), LOST) is lost
