"""The control URL, the clock and the list of requests."""

import socket
import threading
import time
from decimal import Decimal

import httpx2
import pytest

from ml_connector import sandbox


@pytest.fixture
def control(stand_in):
    with httpx2.Client(base_url=stand_in.control) as client:
        yield client


def test_types_are_counted(control):
    counts = control.get("state").json()
    assert counts["vendors"] == 0
    assert counts["chart-of-accounts"] > 40


def test_a_row_is_inserted_merged_and_deleted(control):
    row = control.post("state/vendors", json={"name": "Hydra", "phone": "1"}).json()[0]
    control.post("state/vendors", json=[{"id": row["id"], "name": "Hydra, Inc."}])
    assert [(r["name"], r["phone"]) for r in control.get("state/vendors").json()] == [("Hydra, Inc.", "1")]
    control.post("state/vendors", json={"id": row["id"], "_delete": True})
    assert control.get("state/vendors").json() == []


def test_an_edit_is_stamped_unless_it_brings_its_stamp(stand_in):
    stand_in.clock(now="2026-11-16T06:00:00Z", running=False)
    first, second = stand_in.edit("vendors", [{"name": "A"}, {"name": "B", "updatedTime": "2026-01-02T03:04:05Z"}])
    assert first["updatedTime"] == "2026-11-16T06:00:00.000+00:00"
    assert second["updatedTime"] == "2026-01-02T03:04:05.000+00:00"


def test_an_unknown_type_is_named(control):
    reply = control.get("state/wendors")
    assert reply.status_code == 400
    assert "wendors" in reply.json()["error"]
    assert "vendors" in reply.json()["error"]


def test_an_unknown_action_is_a_404(control):
    assert control.get("nothing").status_code == 404


def test_a_body_that_is_no_json_is_a_400(control):
    assert control.post("clock", content=b"{").status_code == 400
    assert control.post("state/vendors", content=b"{").status_code == 400


def test_the_clock_freezes_advances_and_returns(control):
    control.post("clock", json={"now": "2026-11-16T06:00:00+01:00", "running": False})
    assert control.get("clock").json()["now"] == "2026-11-16T05:00:00+00:00"
    assert control.post("clock", json={"advance": 90}).json()["now"] == "2026-11-16T05:01:30+00:00"
    assert control.post("clock", json={}).json()["real"] is True


def test_the_clock_runs_on_from_an_instant(stand_in):
    stand_in.clock(now="2026-11-16T06:00:00Z", running=True)
    time.sleep(0.01)
    assert "2026-11-16T06:00:00.0" < stand_in.clock(advance=0)["now"] < "2026-11-16T06:00:05"


@pytest.mark.parametrize("wish", [{"now": "soon"}, {"now": "2026-11-16T06:00:00"}, {"advance": "x"}, {"tick": 1}])
def test_a_clock_that_makes_no_sense_is_refused(control, wish):
    assert control.post("clock", json=wish).status_code == 400


def test_options_change_at_run_time(control, stand_in):
    assert control.post("options", json={"rate_limit_status": 429}).json()["rate_limit_status"] == 429
    assert stand_in.options()["latency"] == 0


def test_an_unknown_option_is_explained(control):
    reply = control.post("options", json={"rate_limit_stat": 429})
    assert reply.json()["error"] == "option rate_limit_stat is unknown. Did you mean rate_limit_status?"


def test_an_option_of_the_wrong_type_changes_nothing(control, stand_in):
    reply = control.post("options", json={"latency": 1, "bill_duplicate_default": "maybe"})
    assert "bill_duplicate_default" in reply.json()["error"]
    assert stand_in.options()["latency"] == 0


def test_requests_are_listed_with_their_key(caller):
    caller.vendors()
    entry = caller.stand_in.requests()[-1]
    assert (entry["method"], entry["path"], entry["status"]) == ("GET", "/connect/v3/vendors", 200)
    assert entry["key"].startswith(caller.stand_in.settings["organizationId"])
    assert caller.stand_in.secrets["devKey"] not in str(entry)


def test_the_summary_counts_writes_but_no_logins(caller):
    caller.create()
    caller.create()
    caller.vendors()
    summary = httpx2.get(f"{caller.stand_in.control}requests/summary").json()
    assert summary["writes"] == 2
    assert summary["by_path"]["POST /connect/v3/vendors"] == 2


def test_the_summary_groups_paths_by_their_ids(caller):
    for name in "ab":
        caller.http.get(f"/connect/v3/vendors/{caller.create(name=name).json()['id']}")
    assert caller.stand_in.summary()["by_path"]["GET /connect/v3/vendors/{id}"] == 2


def test_requests_can_be_cleared(caller):
    httpx2.delete(f"{caller.stand_in.control}requests")
    assert caller.stand_in.requests() == []


def test_requests_in_flight_are_measured_while_they_wait(caller):
    caller.stand_in.options({"latency": 0.1})
    threads = [threading.Thread(target=caller.vendors) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(caller.stand_in.summary()["max_in_flight"].values()) == [3]


def test_latency_is_served_side_by_side(caller):
    caller.stand_in.options({"latency": 0.05})

    def work():
        for _ in range(5):
            assert caller.vendors().status_code == 200

    threads = [threading.Thread(target=work) for _ in range(3)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 0.5  # one after the other would be 0.75


def test_a_slot_is_free_again_when_a_client_vanishes_in_its_body(caller):
    headers = caller.http.headers
    head = (
        "POST /connect/v3/vendors HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
        f"devKey: {headers['devKey']}\r\nsessionId: {headers['sessionId']}\r\n\r\n"
    )
    port = int(caller.stand_in.url.rpartition(":")[2])
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port)) as tcp:
            tcp.sendall(head.encode())
            time.sleep(0.01)
    time.sleep(0.02)
    caller.vendors()
    assert caller.stand_in.requests()[-1]["in_flight"] == 1


def test_a_long_url_is_readable(caller):
    reply = caller.http.get("/connect/v3/vendors", params={"padding": "x" * 60_000})
    assert reply.status_code == 200


def test_what_is_no_http_is_refused(caller):
    assert caller.raw(b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_pipelined_requests_are_answered_in_order(caller):
    one = b"GET /connect/v3/nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /connect/v3/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert caller.raw(one + one + last).count(b"HTTP/1.1 401") == 3


def test_the_same_seed_gives_the_same_company():
    def ids(seed):
        with sandbox.start("bill", seed=seed) as bill:
            return [row["id"] for row in bill.state("chart-of-accounts")], bill.secrets

    assert ids(3) == ids(3)
    assert ids(3) != ids(4)


def test_given_data_replace_the_seeded_rows_of_their_types():
    data = {"departments": [{"name": "Only one", "shortName": "ONE"}]}
    with sandbox.start("bill", data=data) as bill:
        assert [row["shortName"] for row in bill.state("departments")] == ["ONE"]
        assert len(bill.state("chart-of-accounts")) > 40


def test_numbers_keep_their_digits(stand_in):
    body = b'[{"vendorId":"009x","amount":0.10},{"vendorId":"009x","amount":90071992547409.93}]'
    reply = httpx2.post(f"{stand_in.control}state/bills", content=body)
    assert b'"amount":0.10' in reply.content
    assert b'"amount":90071992547409.93' in reply.content
    assert stand_in.state("bills")[1]["amount"] == Decimal("90071992547409.93")


def test_a_stopped_stand_in_can_be_stopped_again():
    bill = sandbox.start("bill")
    bill.stop()
    bill.stop()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(bill.control)
