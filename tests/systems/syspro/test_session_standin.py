"""Signing in, losing the session, and what no message may show."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from ml_connector.systems.base import AuthFailed, Refused, ShapeChanged, SystemFailure, Transient
from ml_connector.systems.syspro import SYSTEM

from .conftest import Site


@pytest.fixture
def enet(syspro: Any) -> Site:
    return Site(syspro, "comfnd")


def logons(site: Site) -> int:
    return sum(1 for request in site.syspro.requests() if request["path"].lower().endswith("/logon"))


@pytest.mark.parametrize("form", ["raw", "json", "xml"])
def test_one_session_serves_every_read(enet: Site, form: str) -> None:  # R60
    enet.syspro.options({"logon_answer": form})
    assert len(enet.read("supplier")) == 5
    assert len(enet.read("invoice", {"only": "invoice"})) == 11
    assert logons(enet) == enet.session.logons == 1


def test_an_evicted_session_is_replaced_once_and_the_read_goes_on(enet: Site) -> None:  # R62
    source = enet.connect(odata_page_size=1).source("invoice", {"only": "invoice"})
    keys = []
    for number, page in enumerate(source.changes(None)):
        keys += [item.key for item in page.items]
        if number == 3:
            enet.act({"do": "log_in", "operator": "MLCONN"})
    assert len(keys) == len(set(keys)) == 11
    assert enet.session.logons == 2


def test_a_session_that_dies_again_at_once_is_not_fought_over(enet: Site) -> None:  # R61
    enet.syspro.faults([{"match": {"path": "*/query"}, "do": "expire_session"}])
    with pytest.raises(Transient, match="operator"):
        enet.read("supplier")
    assert enet.session.logons == 2


def test_a_wrong_password_is_tried_once(enet: Site) -> None:  # R61
    enet.syspro.secrets["operator_password"] = "canary-wrong"
    with pytest.raises(AuthFailed, match="operator") as raised:
        enet.read("supplier")
    assert logons(enet) == 1
    assert "canary" not in "".join(traceback.format_exception(raised.value))


def test_an_error_with_status_200_is_no_answer(enet: Site) -> None:  # R12
    enet.syspro.faults([{"match": {"path": "*/query"}, "do": "in_band_error", "text": "Unable to open file"}])
    with pytest.raises(Refused, match="Unable to open file"):
        enet.read("supplier")


def test_an_error_with_status_200_of_odata_is_no_empty_table(site: Site) -> None:  # R12
    site.syspro.faults([{"match": {"path": "*/ApSupplier"}, "do": "in_band_error", "text": "Database is busy"}])
    with pytest.raises((Transient, ShapeChanged)):
        site.read("supplier")


def test_an_object_without_licence_is_refused_for_good(enet: Site) -> None:
    enet.syspro.options({"unlicensed": ["COMFND"]})
    with pytest.raises(Refused) as raised:
        enet.read("supplier")
    assert raised.value.code == "not_licensed"


def test_an_address_too_long_for_the_server_is_refused_not_repeated(enet: Site) -> None:
    enet.syspro.options({"max_url_bytes": 300})
    with pytest.raises(SystemFailure):
        enet.read("supplier")


def test_a_wrong_odata_password_is_named_without_being_shown(site: Site) -> None:  # R71
    site.syspro.secrets["odata_password"] = "canary-wrong"
    with pytest.raises(AuthFailed, match="restarted") as raised:
        site.read("supplier")
    assert "canary" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "reset"},
        {"do": "garble"},
        {"do": "empty"},
        {"do": "truncate", "bytes": 50},
        {"do": "status", "status": 502},
        {"do": "in_band_error", "text": "broken"},
        {"do": "expire_session"},
    ],
)
def test_no_failure_shows_a_secret(either: Site, fault: dict[str, Any]) -> None:  # R71
    either.read("supplier", local_currency="")
    either.syspro.faults([{"match": {"path": "*"}, **fault}])
    with pytest.raises(SystemFailure) as raised:
        either.read("supplier", local_currency="")
    shown = "".join(traceback.format_exception(raised.value))
    for secret in (*either.syspro.secrets.values(), either.session.value):
        assert not secret or secret not in shown


def test_the_test_of_a_connection_uses_the_live_session(site: Site) -> None:
    client = site.connect()
    steps = list(client.ping(["supplier", "invoice", "payment", "gl_account", "cost_center"]))
    assert all(step.ok for step in steps), steps
    before = site.session.value
    assert all(step.ok for step in client.ping(["supplier"]))
    assert (site.session.value, site.session.logons) == (before, 1)


def test_the_test_of_a_connection_says_what_failed_and_tries_no_more(site: Site) -> None:
    site.syspro.secrets["operator_password"] = "wrong"
    steps = {step.name: step for step in site.connect().ping(["supplier"])}
    assert steps["e.net answers"].ok is True
    assert steps["sign in"].ok is False and steps["sign in"].fix
    assert steps["company"].ok is None
    assert logons(site) == 1


def test_a_missing_table_is_a_red_step(site: Site) -> None:  # R20
    site.syspro.options({"hide_tables": ["ApPayRunDet"]})
    steps = {step.name: step for step in site.connect().ping(["payment", "supplier"])}
    assert steps["tables of payment"].ok is False
    assert "ApPayRunDet" in steps["tables of payment"].text
    assert steps["tables of supplier"].ok is True


def test_two_connections_of_one_operator_are_one_credential() -> None:
    here = {"enet_rest_base": "http://ERP:90/SYSPROWCFService/Rest/", "operator": "API"}
    same = {"enet_rest_base": "http://erp:90/SYSPROWCFService/Rest", "operator": "api"}
    assert SYSTEM.credential(here, {}) == SYSTEM.credential(same, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("company_time_zone", "Chicago"),
        ("odata_page_size", 5001),
        ("odata_date_style", "iso"),
        ("read_route", {"ApInvoice": "soap"}),
        ("cost_centre_source", "segment(0,1,-)"),
        ("max_url_bytes", 10),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(site: Site, name: str, value: Any) -> None:
    with pytest.raises(Refused) as raised:
        site.connect(**{name: value})
    assert raised.value.field == name


def test_nothing_was_written(either: Site) -> None:
    for record_type in ("supplier", "invoice", "payment", "gl_account"):
        either.read(record_type)
    paths = [request["path"].lower() for request in either.syspro.requests()]
    assert paths and not any("/transaction/" in path or "/setup/" in path for path in paths)
    with pytest.raises(KeyError):
        either.connect().target("gl_account", {})
    with pytest.raises(KeyError):
        either.connect().source("journal", {})
