"""Login, session life, and BILL's limits."""

import threading

import httpx2
import pytest

from ml_connector import sandbox


def logged_in(reply):
    return reply.status_code == 200


def test_a_login_gives_a_session(bill):
    reply = bill.login().json()
    assert reply["organizationId"] == bill.stand_in.settings["organizationId"]
    assert reply["trusted"] is False
    assert bill.read("/login/session")["userId"] == reply["userId"]


def test_an_earlier_session_stays_valid(bill):
    earlier = dict(bill.http.headers)
    bill.login()
    assert earlier["sessionid"] != bill.http.headers["sessionid"]
    reply = bill.http.get(f"{bill.stand_in.settings['base_url']}/v3/vendors", headers=earlier)
    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"password": "x"}, 401, "BDC_1101"),
        ({"username": "x"}, 401, "BDC_1101"),
        ({"devKey": "x"}, 401, "BDC_1102"),
        ({"organizationId": "008x"}, 400, "BDC_1123"),
    ],
)
def test_a_wrong_credential_is_named_by_its_code(bill, refused, wrong, status, code):
    assert refused(bill.login(**wrong))[:2] == (status, code)


def test_a_login_without_a_password_is_a_validation_error(bill, refused):
    reply = bill.http.post(f"{bill.stand_in.settings['base_url']}/v3/login", json={"username": "x"})
    assert refused(reply) == (400, None, "password: must not be null")


def test_a_user_session_ends_after_35_minutes_without_calls(bill, refused):
    bill.stand_in.clock(advance=34 * 60)
    assert logged_in(bill.get("/vendors"))
    bill.stand_in.clock(advance=34 * 60)
    assert logged_in(bill.get("/vendors"))
    bill.stand_in.clock(advance=35 * 60)
    assert refused(bill.get("/vendors"))[:2] == (401, "BDC_1109")


def test_a_sync_token_session_ends_after_48_hours_without_calls(bill):
    with sandbox.start("bill", options={"credential_kind": "sync_token"}) as stand_in:
        stand_in.clock(now="2026-11-16T06:00:00Z", running=False)
        token = type(bill)(stand_in)
        assert stand_in.settings["credential_kind"] == "sync_token"
        stand_in.clock(advance=47 * 3600)
        assert logged_in(token.get("/vendors"))
        stand_in.clock(advance=48 * 3600)
        assert token.get("/vendors").status_code == 401
        token.http.close()


def test_expiry_can_look_like_a_403(bill, refused):
    bill.stand_in.options({"session_error_status": 403})
    bill.stand_in.clock(advance=3600)
    status, code, message = refused(bill.get("/vendors"))
    assert (status, code) == (403, "BDC_1361")
    assert "expired" in message


def test_a_logout_ends_the_session(bill):
    reply = bill.post("/logout")
    assert (reply.status_code, reply.content) == (200, b"")
    assert bill.get("/vendors").status_code == 401


def test_a_session_works_only_with_its_developer_key(bill, refused):
    bill.http.headers["devKey"] = "another"
    assert refused(bill.get("/vendors"))[:2] == (401, "BDC_1102")


def test_a_removed_session_is_invalid(bill):
    session = bill.stand_in.state("sessions")[0]
    bill.stand_in.edit("sessions", {"id": session["id"], "_delete": True})
    assert bill.get("/vendors").status_code == 401


def test_logins_are_limited_to_200_an_hour(bill, refused):
    for _ in range(199):
        assert logged_in(bill.login())
    status, code, message = refused(bill.login())
    assert (status, code) == (422, "BDC_1144")
    assert message == "Max number of allowed requests per hour reached: 200."
    bill.stand_in.clock(advance=3600)
    assert logged_in(bill.login())
    assert [row["status"] for row in bill.stand_in.state("logins")[-2:]] == [422, 200]


def test_requests_are_limited_by_the_clock_hour(bill, refused):
    bill.stand_in.options({"requests_per_hour": 3})
    assert [bill.get("/vendors").status_code for _ in range(3)] == [200, 200, 422]
    assert refused(bill.get("/vendors"))[1] == "BDC_1144"
    bill.stand_in.clock(now="2026-11-16T07:00:00Z", running=False)
    bill.login()
    assert bill.get("/vendors").status_code == 200


def test_three_requests_at_once_are_taken_and_a_fourth_is_refused(bill):
    bill.stand_in.options({"latency": 0.15})
    replies: list[httpx2.Response] = []
    threads = [threading.Thread(target=lambda: replies.append(bill.get("/vendors"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply.status_code for reply in replies) == [200, 200, 200, 422]
    refusal = next(reply for reply in replies if reply.status_code == 422)
    assert refusal.json()[0]["code"] == "BDC_1322"
    assert bill.get("/vendors").status_code == 200


def test_the_status_of_a_limit_is_an_option(bill):
    bill.stand_in.options({"rate_limit_status": 429, "requests_per_hour": 0})
    assert bill.get("/vendors").status_code == 429


def test_a_user_can_be_locked_after_wrong_passwords(bill, refused):
    bill.stand_in.options({"login_lock_after": 2})
    for _ in range(2):
        assert refused(bill.login(password="x"))[1] == "BDC_1101"
    assert refused(bill.login())[1] == "BDC_1110"


def test_an_operation_can_be_denied(bill, vendor, refused):
    bill.stand_in.options({"denied_operations": ["GET /v3/vendors/{id}"]})
    assert refused(bill.get(f"/vendors/{vendor}"))[:2] == (403, "BDC_1145")
    assert bill.get("/vendors").status_code == 200


def test_a_path_that_does_not_exist_is_not_supported(bill, refused):
    assert refused(bill.get("/session"))[:2] == (404, "BDC_1121")


def test_an_error_is_an_array_with_a_timestamp(bill):
    error = bill.get("/vendors/009x").json()[0]
    assert error == {
        "timestamp": "2026-11-16T06:00:00.000+00:00",
        "code": "BDC_1205",
        "severity": "ERROR",
        "category": "APPLICATION",
        "message": "Unable to find object with id: 009x.",
        "params": [{"name": "id", "value": "009x", "additional": {}}],
    }
