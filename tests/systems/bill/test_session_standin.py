"""Sign-in, expiry, limits, the Connection's test, and what is never shown, against the stand-in."""

from __future__ import annotations

import logging
import traceback

import pytest

from ml_connector.systems.base import AuthFailed, OutcomeUnknown, SystemFailure, Throttled, Transient, WrongCompany
from ml_connector.systems.bill import SYSTEM

ALL = ["supplier", "invoice", "payment", "gl_account", "cost_center"]


def logins(pair):
    return len(pair.calls("POST", "/v3/login"))


def test_one_sign_in_serves_many_requests(pair):  # R60
    for _ in range(3):
        pair.client.identity()
    assert logins(pair) == 1
    assert pair.session.uses == 3


def test_the_organisation_is_named_and_kept(pair):  # R51
    assert pair.client.identity().key == pair.bill.settings["organizationId"]


def test_another_organisation_is_refused(pair):  # R51
    pair.client.identity()
    pair.client._bill.settings = replaced(pair, organization_id="00801OTHER0000000000")
    with pytest.raises(WrongCompany):
        pair.client.identity()


def replaced(pair, **changes):
    import dataclasses

    return dataclasses.replace(pair.client._bill.settings, **changes)


def expire(pair, times=1):
    pair.bill.faults([{"match": {"path": "/v3/vendors*"}, "do": "expire_session", "times": times}])


@pytest.mark.parametrize("status", [401, 403])
def test_a_read_with_a_lapsed_session_signs_in_once_and_is_repeated_once(connect, status):  # R62
    pair = connect(session_error_status=status)
    vendors = pair.vendors()
    pair.client.identity()
    expire(pair)
    assert vendors.get("00901AAAAAAAAAAAAAAA") is None
    assert logins(pair) == 2


def test_a_write_with_a_lapsed_session_is_in_doubt_and_not_repeated(pair, make_supplier):  # R62
    vendors = pair.vendors()
    pair.client.identity()
    expire(pair)
    with pytest.raises(OutcomeUnknown, match="session ended around"):
        vendors.create(make_supplier(), "")
    assert len(pair.calls("POST", "/v3/vendors")) == 1
    assert logins(pair) == 2
    vendors.create(make_supplier(), "")
    assert logins(pair) == 2


def test_a_session_that_is_never_taken_stops_without_a_login_storm(pair, make_supplier):  # R61
    pair.client.identity()
    expire(pair, times=100)
    with pytest.raises(Transient, match="does not take the session"):
        pair.vendors().get("00901AAAAAAAAAAAAAAA")
    assert logins(pair) == 2


def test_a_write_whose_next_session_is_not_taken_either_is_in_doubt_and_stops_the_others(pair, make_supplier):  # R61
    pair.client.identity()
    expire(pair, times=100)
    with pytest.raises(OutcomeUnknown) as first:
        pair.vendors().create(make_supplier(), "")
    with pytest.raises(OutcomeUnknown) as second:
        pair.vendors().create(make_supplier(), "")
    assert first.value.then is None
    assert isinstance(second.value.then, Transient)
    assert logins(pair) == 2


def test_a_write_whose_session_ends_is_in_doubt_even_when_the_password_is_wrong_meanwhile(pair, make_supplier):  # R3
    pair.client.identity()
    refusal = [{"code": "BDC_1101", "message": "Invalid credentials"}]
    pair.bill.faults(
        [
            {"match": {"path": "/v3/vendors"}, "do": "commit_then_expire_session", "times": 1},
            {"match": {"path": "/v3/login"}, "do": "status", "status": 401, "body": refusal},
        ]
    )
    with pytest.raises(OutcomeUnknown) as lost:
        pair.vendors().create(make_supplier(), "")
    assert isinstance(lost.value.then, AuthFailed)


@pytest.mark.parametrize("secret", ["password", "devKey"])
def test_wrong_credentials_are_refused_as_such(connect, secret):  # R61, R63
    pair = connect(secrets={secret: "wrong-canary"})
    with pytest.raises(AuthFailed) as refused:
        pair.client.identity()
    assert "wrong-canary" not in "".join(traceback.format_exception(refused.value))


def test_the_allowances_are_counted(pair):  # R59
    pair.client.identity()
    assert pair.counters.spent == {"login": 1, "request": 2}
    pair.counters.limits["request"] = 2
    with pytest.raises(Throttled):
        pair.client.identity()


@pytest.mark.parametrize(("code", "least", "most"), [("BDC_1322", 0.5, 8), ("BDC_1144", 1200, 1200)])
def test_a_limit_of_bill_is_throttled_by_its_code(pair, make_supplier, code, least, most):  # R59
    pair.client.identity()
    pair.bill.faults([{"match": {"path": "/v3/vendors"}, "do": "throttle", "code": code, "status": 422, "times": 1}])
    with pytest.raises(Throttled) as throttled:
        pair.vendors().create(make_supplier(), "")
    assert least <= throttled.value.retry_after <= most


def test_every_step_of_the_test_passes_and_costs_one_sign_in(pair, make_supplier):
    pair.vendors().create(make_supplier(), "")
    steps = list(pair.client.ping(ALL, try_writing=True))
    assert [step for step in steps if step.ok is False] == []
    assert {"sign in", "company", "write", "find bills by number", "read vendors"} <= {step.name for step in steps}
    assert logins(pair) == 1


def test_the_test_names_what_is_not_allowed(connect, make_supplier):
    pair = connect(denied_operations=["GET /v3/payments", "GET /v3/vendors/{id}"])
    pair.vendors().create(make_supplier(), "")
    steps = {step.name: step for step in pair.client.ping(ALL)}
    assert steps["read payments"].ok is False
    assert "role" in steps["read payments"].fix
    assert steps["read one vendor"].ok is True
    assert "list is used" in steps["read one vendor"].text


def test_the_test_of_wrong_credentials_ends_with_what_to_do(connect):
    steps = list(connect(secrets={"devKey": "wrong"}).client.ping(ALL))
    assert steps[0].ok is False
    assert "other environment" in steps[0].fix
    assert {step.ok for step in steps[1:]} == {None}


def test_the_test_of_an_unreachable_server_says_so(connect):
    steps = list(connect(settings={"base_url": "http://127.0.0.1:9/connect"}).client.ping(ALL))
    assert steps[0].ok is False
    assert "refused the connection" in steps[0].text


def test_no_secret_in_any_log_or_exception(pair, make_supplier, caplog):  # R71
    caplog.set_level(logging.DEBUG)
    shown = []
    for fault in ("reset", "garble", "empty", "truncate"):
        pair.bill.faults([{"match": {"path": "/v3/*"}, "do": fault, "times": 4}])
        for act in (pair.client.identity, lambda: pair.vendors().create(make_supplier(), "")):
            try:
                act()
            except SystemFailure as error:
                shown.append("".join(traceback.format_exception(error)))
    assert shown
    text = "".join(shown) + caplog.text
    for secret in (*pair.bill.secrets.values(), pair.session.value):
        assert secret is None or secret not in text


def test_two_connections_to_one_organisation_by_one_key_are_one_credential():
    settings = {"environment": "sandbox", "organizationId": "00801A", "username": "a@example.com"}
    same = SYSTEM.credential(settings, {"devKey": "k", "password": "p"})
    assert same == SYSTEM.credential({**settings, "username": "b@example.com"}, {"devKey": "k", "password": "q"})
    assert same != SYSTEM.credential({**settings, "organizationId": "00801B"}, {"devKey": "k", "password": "p"})
    assert SYSTEM.counted(settings, {"devKey": "k"}) == SYSTEM.counted(
        {**settings, "organizationId": "00801B"}, {"devKey": "k"}
    )
    assert "k|" not in same


def test_a_session_is_left_alone_before_bill_ends_it():
    assert SYSTEM.session_idle({"credential_kind": "user"}) == 30 * 60
    assert SYSTEM.session_idle({"credential_kind": "sync_token"}) > 40 * 3600
