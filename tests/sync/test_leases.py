"""One at a time per Connection, and no late results."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, transaction

from ml_connector import clock
from ml_connector.sync import leases
from ml_connector.sync.leases import LeaseLost, LeaseTaken
from ml_connector.sync.models import Connection, Flow, Integration, Run, RunKind, RunState
from ml_connector.workspaces.models import Workspace

rows = Connection.objects.across_workspaces


@pytest.fixture
def erp(workspace: Workspace) -> Connection:
    return Connection.objects.create(workspace=workspace, name="erp", system="x", credential="x")


def lapse(at: Connection) -> None:
    rows().filter(pk=at.pk).update(lease_until=leases.DatabaseTime(-1))


def test_a_second_holder_is_refused_and_told_who_holds(erp: Connection) -> None:  # R7
    with leases.held(erp.pk, "pull 1"):
        assert leases.acquire(erp.pk, "pull 2") is None
        with pytest.raises(LeaseTaken, match="in use by pull 1"), leases.held(erp.pk, "pull 2"):
            pass
    assert leases.holder_of(erp.pk) == ""


def test_the_number_rises_with_every_holder(erp: Connection) -> None:  # R9
    fences = []
    for number in range(3):
        with leases.held(erp.pk, f"pull {number}") as lease:
            fences.append(lease.fence)
    assert fences == [1, 2, 3]


def test_of_many_who_come_at_once_one_holds(erp: Connection) -> None:  # R7
    got = []

    def come(number: int) -> None:
        got.append(leases.acquire(erp.pk, f"pull {number}"))
        connection.close()

    threads = [threading.Thread(target=come, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len([lease for lease in got if lease]) == 1


def test_a_lease_outlives_its_length_while_it_is_renewed(erp: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 1)
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.2)
    monkeypatch.setattr(leases, "_keeper", leases._Keeper())
    with leases.held(erp.pk, "pull 1") as lease:
        time.sleep(1.5)
        lease.check()
        with transaction.atomic():
            lease.confirm()
        assert leases.acquire(erp.pk, "pull 2") is None


def test_a_holder_that_cannot_renew_stops_before_another_may_begin(
    erp: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:  # R9
    monkeypatch.setattr(leases, "SELF_FENCE_SECONDS", 0.2)
    with leases.held(erp.pk, "pull 1") as lease:
        lease.check()
        time.sleep(0.3)
        with pytest.raises(LeaseLost):
            lease.check()
        assert leases.acquire(erp.pk, "pull 2") is None


def test_a_late_result_is_refused(erp: Connection) -> None:  # R9
    late = leases.acquire(erp.pk, "pull 1")
    assert late is not None
    lapse(erp)
    late.check()
    with pytest.raises(LeaseLost), transaction.atomic():
        late.confirm()
    with pytest.raises(LeaseLost):
        late.check()


def test_a_late_result_is_refused_when_another_holds(erp: Connection) -> None:  # R9
    late = leases.acquire(erp.pk, "pull 1")
    lapse(erp)
    assert leases.acquire(erp.pk, "pull 2") is not None
    assert late is not None
    with pytest.raises(LeaseLost), transaction.atomic():
        late.confirm()
    leases.release(late)
    assert leases.holder_of(erp.pk) == "pull 2"


def test_a_revoked_holder_does_not_come_back(erp: Connection) -> None:  # R9
    late = leases.acquire(erp.pk, "pull 1")
    assert late is not None
    assert not leases.revoke(erp.pk)
    lapse(erp)
    assert leases.revoke(erp.pk)
    with pytest.raises(LeaseLost), transaction.atomic():
        late.confirm()


def test_a_lease_is_confirmed_inside_a_transaction(erp: Connection) -> None:
    with leases.held(erp.pk, "pull 1") as lease, pytest.raises(transaction.TransactionManagementError):
        lease.confirm()


def test_runs_without_a_lease_are_found(erp: Connection) -> None:
    space = {"workspace_id": erp.workspace_id}
    pair = Integration.objects.create(name="i", kind="x", erp=erp, platform=erp, **space)
    flow = Flow.objects.create(integration=pair, name="f", position=0, every=60, **space)
    lease = leases.acquire(erp.pk, "pull 1")
    assert lease is not None
    run = Run.objects.create(
        flow=flow, connection=erp, kind=RunKind.PULL, fence=lease.fence, started_at=clock.now(), **space
    )
    assert not leases.lapsed().exists()
    lapse(erp)
    assert list(leases.lapsed()) == [run]
    leases.acquire(erp.pk, "pull 2")
    assert list(leases.lapsed()) == [run]
    Run.objects.across_workspaces().update(state=RunState.LOST)
    assert not leases.lapsed().exists()


def test_a_transaction_renews_the_lease_that_it_confirms(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:  # R9
    """Long transactions one after the other leave the renewing thread no turn on SQLite."""
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0)
    connection = Connection.objects.create(workspace=workspace, name="busy", system="x", credential="busy")
    lease = leases.acquire(connection.pk, "job")
    assert lease is not None
    connection.refresh_from_db()
    before = connection.lease_until
    time.sleep(0.05)
    with transaction.atomic():
        lease.confirm()
    connection.refresh_from_db()
    assert connection.lease_until > before
