"""Sign-in, expiry, refusals of both and the Connection's test, against the stand-in."""

from __future__ import annotations

import logging
import threading

import pytest

from ml_connector import sandbox
from ml_connector.systems.base import AuthFailed, OutcomeUnknown, Refused, SystemFailure, Transient

ALL = ["supplier", "gl_account", "cost_center", "invoice", "payment"]


def logins(pair):
    return len(pair.calls("POST", "Login"))


def expire(pair, path="/b1s/*/BusinessPartners*", times=1):
    pair.b1.faults([{"match": {"path": path}, "do": "expire_session", "times": times}])


def test_one_sign_in_serves_many_requests_in_either_version(either):  # R60
    for _ in range(3):
        either.client.identity()
    assert logins(either) == 1
    assert either.session.value.startswith("B1SESSION=")
    assert "; ROUTEID=" in either.session.value


def test_the_company_is_named_and_kept(pair):  # R51
    found = pair.client.identity()
    assert found.key.startswith("RIL|")
    assert found.local_currency == "USD"


def test_a_lapsed_session_costs_one_sign_in_and_one_repeat(either):  # R62
    source = either.client.source("supplier", {})
    either.client.identity()
    expire(either)
    assert source.get("NOBODY") is None
    assert logins(either) == 2
    assert len(either.calls("GET", "BusinessPartners('NOBODY')")) == 2


def test_minus_5002_with_status_401_is_a_lapsed_session_too(connect):  # R62
    pair = connect(expiry_code=-5002)
    source = pair.client.source("supplier", {})
    pair.client.identity()
    expire(pair)
    assert source.get("NOBODY") is None
    assert logins(pair) == 2


def test_a_validation_never_costs_a_sign_in(pair, make_payment):  # R62
    invoice = pair.open_invoices()[0]
    pair.b1.edit("ChartOfAccounts", {"Code": "10-1090", "ActiveAccount": "tNO"})
    with pytest.raises(Refused):
        pair.payments().create(make_payment(invoice), "mlc0123456789")
    assert logins(pair) == 1


def test_a_session_that_ends_in_the_middle_of_paging_loses_no_row(connect):  # R16, R62
    pair = connect({"page_size": 30})
    whole = {item.key for item in pair.items("supplier")}
    pair.b1.faults([{"match": {"path": "/b1s/*/BusinessPartners", "nth": [2, 4]}, "do": "expire_session"}])
    assert {item.key for item in pair.items("supplier")} == whole
    assert logins(pair) == 3


def test_the_servers_own_idle_time_ends_a_session_and_work_goes_on(pair):
    pair.client.identity()
    pair.b1.clock(advance=31 * 60)
    pair.client.identity()
    assert logins(pair) == 2


def test_a_write_with_a_lapsed_session_is_in_doubt_and_not_repeated(pair, make_payment):  # R3, R62
    invoice = pair.open_invoices()[0]
    expire(pair, "/b1s/*/VendorPayments")
    with pytest.raises(OutcomeUnknown, match="session"):
        pair.payments().create(make_payment(invoice), "mlc0123456789")
    assert len(pair.calls("POST", "VendorPayments")) == 1
    assert pair.payments().find(make_payment(invoice), "mlc0123456789") == []


def test_a_session_that_is_never_taken_stops_without_a_login_storm(pair):  # R61
    pair.client.identity()
    expire(pair, times=100)
    for _ in range(3):
        with pytest.raises(Transient, match="does not take the session"):
            pair.client.source("supplier", {}).get("NOBODY")
    assert logins(pair) <= 3


def test_many_threads_share_one_sign_in_and_one_session_in_series(connect):  # R59, R60
    pair = connect(parallel_sessions=1, parallel_logins=1)
    errors = []

    def work():
        try:
            pair.client.identity()
        except SystemFailure as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert logins(pair) == 1
    assert set(pair.b1.summary()["max_in_flight"].values()) == {1}


def test_a_wrong_password_is_tried_once(connect):  # R61
    pair = connect(secrets={"password": "wrong-one"})
    for _ in range(8):
        with pytest.raises(AuthFailed, match="password is wrong") as refused:
            pair.client.identity()
        assert "wrong-one" not in str(refused.value)
    assert logins(pair) == 1


def test_the_test_of_a_connection_never_locks_the_user(connect):  # R61
    pair = connect(secrets={"password": "wrong-one"}, lock_after=2)
    steps = list(pair.client.ping(ALL))
    list(pair.client.ping(ALL))
    assert logins(pair) == 1
    assert [step.name for step in steps if step.ok is False] == ["sign in"]
    assert all(step.ok is None for step in steps[3:])
    assert not any(row["Locked"] for row in pair.b1.state("Users"))


def test_a_wrong_company_database_is_named(connect):  # R51
    pair = connect({"company_db": "NOWHERE"})
    with pytest.raises(AuthFailed, match="company_db"):
        pair.client.identity()


def test_a_locked_user_says_who_unlocks_it(pair):  # R61
    pair.b1.edit("actions", {"do": "lock_user", "user": "MLCONN", "locked": True})
    with pytest.raises(AuthFailed, match="locked"):
        pair.client.identity()


def test_no_free_licence_is_said(connect):
    pair = connect(licences=1)
    pair.client.identity()
    pair.session.value = None
    with pytest.raises(AuthFailed, match=r"licen[cs]e"):
        pair.client.identity()


def test_a_login_storm_of_others_is_waited_out(pair):
    pair.b1.faults([{
        "match": {"path": "/b1s/*/Login"}, "do": "status", "status": 500, "times": 1,
        "body": '{"error": {"code": "299", "message": "SAML Login Failed"}}',
    }])  # fmt: skip
    with pytest.raises(Transient):
        pair.client.identity()
    assert pair.client.identity().key


def test_a_broken_node_costs_a_new_sign_in(pair):
    pair.client.identity()
    body = '{"error": {"code": "407", "message": "node"}}'
    pair.b1.faults([{
        "match": {"path": "/b1s/*/BusinessPartners*"}, "do": "status", "status": 500, "times": 1, "body": body,
    }])  # fmt: skip
    assert pair.client.source("supplier", {}).get("NOBODY") is None
    assert logins(pair) == 2


@pytest.mark.parametrize("do", [{"do": "status", "status": 502}, {"do": "truncate"}, {"do": "garble"}])
def test_a_read_that_breaks_is_transient(pair, do):  # R12, R63
    pair.client.identity()
    pair.b1.faults([{"match": {"path": "/b1s/*/BusinessPartners"}, "times": 2, **do}])
    with pytest.raises(Transient):
        pair.items("supplier")


def test_a_limit_of_a_gateway_is_waited_for(pair):  # R59
    from ml_connector.systems.base import Throttled

    pair.client.identity()
    pair.b1.faults([{
        "match": {"path": "/b1s/*/BusinessPartners"}, "do": "throttle", "status": 429, "retry_after": 7, "times": 1,
    }])  # fmt: skip
    with pytest.raises(Throttled) as limit:
        pair.items("supplier")
    assert limit.value.retry_after == 7


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_right_names_itself_and_costs_no_sign_in(connect, status):  # R63
    pair = connect(no_rights=["PurchaseInvoices"], no_rights_status=status)
    with pytest.raises(Refused, match="PurchaseInvoices") as refused:
        pair.items("invoice")
    assert refused.value.code == "permission"
    assert logins(pair) == 1


# --- TLS and the Connection's test ---


def test_a_certificate_of_an_unknown_authority_is_refused_and_named(connect):  # R64
    pair = connect({"tls_ca_bundle": ""}, tls=True)
    with pytest.raises(Transient, match="not trusted"):
        pair.client.identity()
    steps = {step.name: step for step in pair.client.ping(ALL)}
    assert steps["reachable"].ok is True
    assert steps["certificate"].ok is False
    assert "tls_ca_bundle" in steps["certificate"].fix
    assert steps["sign in"].ok is None
    assert pair.b1.summary()["count"] == 0


def test_another_authoritys_certificate_is_refused(connect):  # R64
    with sandbox.start("sapb1", seed=2, options={"tls": True, "invoices": 5}) as other:
        foreign = other.settings["tls_ca_bundle"]
    pair = connect({"tls_ca_bundle": foreign}, tls=True)
    with pytest.raises(Transient, match="not trusted"):
        pair.client.identity()


def test_the_companys_own_authority_is_accepted(connect):  # R64
    pair = connect(tls=True)
    steps = {step.name: step for step in pair.client.ping(["gl_account"])}
    assert steps["certificate"].ok is True
    assert steps["company"].ok is True


def test_the_test_of_a_connection_reads_all_it_needs(either):
    steps = {step.name: step for step in either.client.ping(ALL)}
    failed = {name: step.text for name, step in steps.items() if not step.ok and name != "certificate"}
    assert failed == {}
    assert "10-1090" in steps["clearing account"].text
    assert "200 documents" in steps["pages and sessions"].text
    assert logins(either) == 1


def test_a_step_says_which_right_is_missing(connect):
    pair = connect(no_rights=["PaymentDrafts", "DistributionRules"])
    steps = {step.name: step for step in pair.client.ping(ALL)}
    assert [name for name, step in steps.items() if step.ok is False] == [
        "read DistributionRules",
        "read PaymentDrafts",
    ]
    assert "Authorizations" in steps["read PaymentDrafts"].fix


def test_a_server_that_ends_sessions_earlier_than_set_is_noticed(connect):
    pair = connect(session_minutes=10)
    step = next(step for step in pair.client.ping(["cost_center"]) if step.name == "pages and sessions")
    assert step.ok is False
    assert "10 idle minutes" in step.text
    assert "session_minutes" in step.fix


def test_a_clearing_account_that_cannot_be_posted_to_is_noticed(connect):  # R50
    pair = connect({"bill_clearing_account": "10-2100"})
    step = next(step for step in pair.client.ping(["payment"]) if step.name == "clearing account")
    assert step.ok is False
    assert "10-2100" in step.text


def test_no_server_there_is_a_step_with_what_to_check(pair):
    pair.b1.stop()
    steps = list(pair.client.ping(ALL))
    assert steps[0].ok is False
    assert all(step.ok is None for step in steps[1:])


def test_a_server_without_service_layer_is_named(connect):
    pair = connect()
    pair.client._layer._http.base_url = pair.client._layer._http.base_url.replace("/b1s/v2", "/nothing")
    with pytest.raises(Refused) as refused:
        pair.client.identity()
    assert refused.value.field == "base_url"


def test_no_secret_and_no_session_in_errors_and_logs(pair, make_payment, caplog):  # R71
    caplog.set_level(logging.DEBUG)
    invoice = pair.open_invoices()[0]
    session = pair.session.value.split(";")[0].partition("=")[2]
    said = []
    echo = f'{{"error": {{"code": "-5002", "message": "{session} and {pair.b1.secrets["password"]}"}}}}'
    pair.b1.faults(
        [{"match": {"path": "/b1s/*/VendorPayments", "nth": [1]}, "do": "status", "status": 400, "body": echo}]
    )
    for _ in range(2):
        try:
            pair.payments().create(make_payment(invoice, "0.01"), "mlc0123456789")
        except SystemFailure as error:
            said.append(str(error))
    assert "***" in said[0]
    text = "\n".join([*said, *(record.getMessage() + str(record.__dict__) for record in caplog.records)])
    assert session not in text
    assert pair.b1.secrets["password"] not in text
