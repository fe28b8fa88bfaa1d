"""Tokens, limits, regions and the Connection's test against the stand-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ml_connector.domain.records import Supplier
from ml_connector.systems.base import AuthFailed, OutcomeUnknown, Refused, Throttled, Transient

from .conftest import MARK, Met

SUPPLIER = Supplier(code="ELC001", name="Electra Components Inc.")
TOKENS = ("POST", "/v1/tokens")


def read(met: Met, record_type: str = "gl_account") -> list[Any]:
    return [item for page in met.client.source(record_type, {}).changes(None) for item in page.items]


@pytest.mark.parametrize("jwt", [True, False])
@pytest.mark.parametrize("expires_in", ["seconds", "minutes"])
def test_one_token_serves_until_shortly_before_its_end(meet: Callable[..., Met], *, jwt: bool, expires_in: str) -> None:
    met = meet(jwt=jwt, expires_in=expires_in)
    for _ in range(3):
        assert read(met) == []
    assert len(met.calls(*TOKENS)) == 1
    met.wait(3550)
    assert read(met) == []
    assert all(row["status"] != 401 for row in met.basware.requests())


def test_a_token_that_ended_early_costs_one_sign_in_and_one_repeat(met: Met) -> None:  # R62
    read(met)
    met.basware.faults([{"match": {"method": "GET", "path": "/v1/accounts"}, "do": "expire_session", "times": 1}])
    assert read(met) == []
    assert len(met.calls(*TOKENS)) == 2
    assert [row["status"] for row in met.calls("GET", "/v1/accounts")] == [404, 401, 404]


def test_a_write_around_a_lapsed_token_is_in_doubt_and_then_found_missing(met: Met) -> None:  # R3, R62
    target = met.client.target("supplier", {})
    read(met)
    met.basware.faults([{"match": {"method": "POST", "path": "/v1/vendors"}, "do": "expire_session", "times": 1}])
    with pytest.raises(OutcomeUnknown):
        target.create(SUPPLIER, MARK)
    assert target.find(SUPPLIER, MARK) == []
    assert met.settled(target, target.create(SUPPLIER, MARK), SUPPLIER) is not None
    assert len(met.inside("vendors")) == 1


def test_an_api_user_needs_no_token(meet: Callable[..., Met]) -> None:
    met = meet({"sign_in": "basic"}, credential_kind="basic")
    target = met.client.target("supplier", {})
    assert met.settled(target, target.create(SUPPLIER, MARK), SUPPLIER) is not None
    assert met.calls(*TOKENS) == []


@pytest.mark.parametrize("bare_errors", ["message", "empty", "text"])
def test_wrong_credentials_are_tried_once(meet: Callable[..., Met], bare_errors: str) -> None:  # R61
    met = meet(secrets={"client_secret": "of-another-client"}, bare_errors=bare_errors)
    with pytest.raises(AuthFailed) as refused:
        read(met)
    assert "of-another-client" not in str(refused.value)
    assert len(met.basware.requests()) == 1


def test_a_throttle_waits_as_long_as_it_says(met: Met) -> None:  # R59
    path = {"match": {"method": "GET", "path": "/v1/accounts"}}
    met.basware.faults([{**path, "do": "throttle", "retry_after": 17, "status": 429, "times": 1}])
    with pytest.raises(Throttled) as asked:
        read(met)
    assert asked.value.retry_after == 17
    assert read(met) == []


@pytest.mark.parametrize("status", [500, 503])
def test_an_error_inside_basware_is_read_again_later_and_leaves_a_write_in_doubt(met: Met, status: int) -> None:  # R63
    read(met)
    met.basware.faults([{"match": {"path": "/v1/*"}, "do": "status", "status": status, "times": 2}])
    with pytest.raises(Transient):
        read(met)
    with pytest.raises((OutcomeUnknown, Transient)):
        met.client.target("supplier", {}).create(SUPPLIER, MARK)
    assert met.inside("vendors") == []


def test_an_error_inside_an_answer_of_success_is_none(met: Met) -> None:  # R12
    read(met)
    met.basware.faults([{"match": {"method": "POST", "path": "/v1/vendors"}, "do": "in_band_error", "times": 1}])
    with pytest.raises((Refused, OutcomeUnknown)):
        met.client.target("supplier", {}).create(SUPPLIER, MARK)


def test_credentials_of_one_region_are_not_taken_in_another(meet: Callable[..., Met]) -> None:  # R65
    """The stand-in of the US knows its own client alone; ours, of the EU, is refused there."""
    european = meet()
    american = meet({"client_id": european.basware.settings["client_id"]}, european.basware.secrets, region="US")
    with pytest.raises(AuthFailed):
        read(american)
    assert read(european) == []


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"region": "US", "environment": "production"}, "hosts"),
        ({"region": "US", "base_url": "https://api.basware.com"}, "base_url"),
        ({"environment": "production", "base_url": "https://test-api.basware.com"}, "base_url"),
    ],
)
def test_nothing_leaves_for_a_host_of_another_region(  # R65
    meet: Callable[..., Met], settings: dict[str, str], field: str
) -> None:
    met = meet()
    ours = {"US production": met.basware.url} if field == "base_url" else {}
    blank = {"base_url": ""} if field == "hosts" else {}
    with pytest.raises(Refused) as refused:
        meet({**blank, "hosts": ours, **settings})
    assert (refused.value.code, refused.value.field) in {("region_mismatch", field), ("bad_setting", field)}
    assert met.basware.requests() == []


def test_a_token_that_another_region_issued_is_used_for_nothing(meet: Callable[..., Met]) -> None:  # R65
    met = meet(issuer="https://api.us.basware.com")
    with pytest.raises(AuthFailed, match="a host of US"):
        read(met)
    assert {(row["method"], row["path"]) for row in met.basware.requests()} == {TOKENS}


def test_every_step_of_the_test_is_green(met: Met) -> None:
    steps = list(met.client.ping([]))
    assert {step.name: step.text for step in steps if step.ok is False} == {}
    assert all(step.ok for step in steps)
    assert met.client.identity().text.startswith("Basware tenant ")


@pytest.mark.parametrize("answer", ["drop", "refuse"])
def test_a_right_that_the_client_was_not_given_is_named(meet: Callable[..., Met], answer: str) -> None:
    owned = ["vendors.read", "vendors.write", "requestStatus.read", "errorFeedbacks.read"]
    met = meet(scopes=owned, unowned_scope=answer)
    if answer == "refuse":
        failed = [step for step in met.client.ping(["supplier"]) if step.ok is False]
        assert [step.name for step in failed] == ["sign in"]
        return
    steps = {step.name: step for step in met.client.ping(["supplier", "gl_account"])}
    assert steps["scopes"].ok is False and "accounts.read" in steps["scopes"].text
    assert steps["read accounts"].ok is False and "accounts.read" in steps["read accounts"].fix
    assert steps["read vendors"].ok is True


@pytest.mark.parametrize("status", [401, 403])
def test_a_write_without_its_scope_is_refused_and_not_tried_again(meet: Callable[..., Met], status: int) -> None:  # R61
    owned = ["vendors.read", "requestStatus.read", "errorFeedbacks.read"]
    met = meet(scopes=owned, missing_scope_status=status)
    target = met.client.target("supplier", {})
    for _ in range(2):
        with pytest.raises((Refused, OutcomeUnknown)) as refused:
            target.create(SUPPLIER, MARK)
    if status == 401:
        # A token that was refused at once, and its successor too: the circuit opens with it.
        assert isinstance(refused.value.then, AuthFailed)
    else:
        assert "scope" in str(refused.value)
    assert len(met.calls("POST", "/v1/vendors")) == 2
    assert len(met.calls(*TOKENS)) <= 2
