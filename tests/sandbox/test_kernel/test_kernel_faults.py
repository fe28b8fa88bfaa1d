"""Every way in which a stand-in can be made to misbehave."""

import threading
import time

import httpx2
import pytest

from ml_connector import sandbox


def test_a_reset_leaves_nothing_behind(caller):
    caller.fault("reset", times=1)
    with pytest.raises(httpx2.NetworkError):
        caller.create()
    assert caller.names() == []


def test_a_reset_after_the_headers_comes_before_the_body_is_read(caller):
    caller.fault("reset", when="headers")
    head = b"POST /connect/v3/vendors HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    with pytest.raises(ConnectionResetError):
        caller.raw(head)


def test_an_answer_can_be_lost_after_the_commit(caller):
    caller.fault("commit_then_reset", times=1)
    with pytest.raises(httpx2.NetworkError):
        caller.create()
    assert caller.names() == ["Pakko"]
    assert caller.stand_in.requests()[-1]["status"] is None


def test_a_status_is_answered_instead_of_handling(caller):
    caller.fault("status", status=503)
    reply = caller.create()
    assert (reply.status_code, reply.headers["content-type"]) == (503, "text/html")
    assert caller.names() == []


def test_a_status_can_have_a_body_of_its_own(caller):
    caller.fault("status", status=418, body=[{"message": "teapot"}])
    assert caller.create().json() == [{"message": "teapot"}]


def test_a_gateway_error_can_follow_the_commit(caller):
    caller.fault("commit_then_status", status=504)
    assert caller.create().status_code == 504
    assert caller.names() == ["Pakko"]


def test_a_throttle_is_the_systems_own_refusal(caller):
    caller.fault("throttle", retry_after=7)
    reply = caller.create()
    assert reply.status_code == 422
    assert reply.json()[0]["code"] == "BDC_1322"
    assert reply.headers["retry-after"] == "7"


def test_a_throttle_can_have_another_status_and_code(caller):
    caller.fault("throttle", status=429, code="BDC_1144")
    reply = caller.create()
    assert (reply.status_code, reply.json()[0]["code"]) == (429, "BDC_1144")


def test_the_session_of_one_request_expires(caller):
    caller.fault("expire_session", times=1)
    assert caller.create().json()[0]["code"] == "BDC_1109"
    caller.login()
    assert caller.create().status_code == 201


def test_all_sessions_expire(caller):
    other = dict(caller.http.headers)
    caller.login()
    caller.fault("expire_session", all=True, times=1)
    assert caller.create().status_code == 401
    assert caller.http.get("/connect/v3/vendors", headers=other).status_code == 401


def test_an_answer_is_cut_short(caller):
    caller.fault("truncate", bytes=10, times=1)
    with pytest.raises(httpx2.RemoteProtocolError):
        caller.create()
    assert caller.names() == ["Pakko"]


def test_an_answer_is_garbled(caller):
    caller.fault("garble")
    reply = caller.create()
    assert reply.status_code == 201
    with pytest.raises(ValueError):
        reply.json()


def test_an_answer_is_empty(caller):
    caller.fault("empty")
    reply = caller.create()
    assert (reply.status_code, reply.content) == (201, b"")
    assert caller.names() == ["Pakko"]


def test_an_error_comes_with_a_good_status(caller):
    caller.fault("in_band_error", text="Out of order")
    reply = caller.create()
    assert reply.status_code == 200
    assert reply.json()["response_data"]["error_message"] == "Out of order"
    assert caller.names() == []


def test_a_delayed_request_is_committed_after_its_client_has_gone(caller):
    caller.fault("delay", seconds=0.2)
    with pytest.raises(httpx2.ReadTimeout):
        caller.http.post(
            "/connect/v3/vendors",
            json={
                "name": "Late",
                "address": {"line1": "1", "city": "a", "zipOrPostalCode": "1", "country": "US"},
            },
            timeout=0.05,
        )
    assert caller.names() == []
    time.sleep(0.25)
    assert caller.names() == ["Late"]


def test_a_delay_after_handling_holds_back_only_the_answer(caller):
    caller.fault("delay", seconds=0.2, when="after")
    thread = threading.Thread(target=caller.create)
    thread.start()
    time.sleep(0.1)
    assert caller.names() == ["Pakko"]
    thread.join()


def test_an_answer_drips(caller):
    caller.fault("drip", seconds=0.2)
    started = time.monotonic()
    assert caller.create().json()["name"] == "Pakko"
    assert time.monotonic() - started >= 0.2


def test_nth_counts_the_requests_that_match(caller):
    caller.fault("status", status=500, nth=[2, 3])
    statuses = [caller.create().status_code for _ in range(4)]
    assert statuses == [201, 500, 500, 201]
    assert caller.stand_in.faults()[0]["fired"] == 2


def test_times_bounds_a_fault(caller):
    caller.fault("status", status=500, times=2)
    assert [caller.create().status_code for _ in range(3)] == [500, 500, 201]


def test_probability_is_the_same_for_the_same_seed():
    fault = {"match": {"path": "/v3/*", "probability": 0.5}, "do": "status", "status": 500}

    def statuses(seed):
        with sandbox.start("bill", seed=seed) as bill, httpx2.Client() as client:
            bill.faults([fault])
            return [client.get(f"{bill.settings['base_url']}/v3/vendors").status_code for _ in range(40)]

    assert statuses(1) == statuses(1)
    assert set(statuses(1)) == {401, 500}
    assert statuses(1) != statuses(2)


def test_contains_looks_into_the_body(caller):
    caller.fault("status", status=500, contains="Nordkabel")
    assert caller.create().status_code == 201
    assert caller.create(name="Nordkabel GmbH").status_code == 500


def test_contains_looks_into_the_query(caller):
    caller.fault("status", method="GET", status=500, contains="name:eq:A B")
    assert caller.vendors().status_code == 200
    assert caller.http.get("/connect/v3/vendors", params={"filters": "name:eq:A B"}).status_code == 500


@pytest.mark.parametrize("path", ["/v3/vendors", "/connect/v3/VENDORS", "/v3/*", "*"])
def test_a_path_matches_without_case_and_with_or_without_its_host(caller, path):
    caller.fault("status", path=path, status=500)
    assert caller.create().status_code == 500


def test_a_new_list_replaces_the_old_one(caller):
    caller.fault("status", status=500)
    caller.stand_in.faults([])
    assert caller.create().status_code == 201


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"do": "explode"}, "faults[0].do: 'explode' is unknown"),
        ({"do": "status"}, "needs a number"),
        ({"do": "reset", "when": "never"}, "faults[0].when"),
        ({"do": "empty", "match": {"verb": "GET"}}, "unknown verb"),
        ({"do": "empty", "match": {"nth": 0}}, "a number from 1"),
        ({"do": "empty", "match": {"probability": 2}}, "from 0 to 1"),
        ({"do": "empty", "match": {"path": 7}}, "a text"),
        ({"do": "empty", "times": 0}, "faults[0].times"),
        ({"do": "refuse"}, "a refuse fault needs a number"),
        ({"do": "late_commit", "status": 504}, "faults[0].seconds"),
        ({"do": "late_commit", "seconds": -1}, "faults[0].seconds"),
        ({"do": "status", "status": 99}, "from 200 to 599"),
        ({"do": "expire_session", "all": 1}, "true or false"),
        ({"do": "commit_then_expire_session", "answer": "maybe"}, "faults[0].answer"),
        ({"do": "reset", "when": "connect"}, "faults[0].times"),
        ({"do": "reset", "when": "connect", "times": 1, "match": {"path": "*"}}, "unknown path"),
    ],
)
def test_a_fault_that_makes_no_sense_is_explained(caller, fault, says):
    reply = httpx2.post(f"{caller.stand_in.control}faults", json=[fault])
    assert reply.status_code == 400
    assert says in reply.json()["error"]


def test_the_connection_stays_usable_after_a_faulty_answer(caller):
    caller.fault("garble", times=1)
    caller.create()
    assert caller.vendors().status_code == 200


def test_a_refused_port_comes_back_by_itself(caller):
    caller.fault("refuse", seconds=0.5, times=1)
    started = time.monotonic()
    with pytest.raises(httpx2.NetworkError):
        caller.create()
    with pytest.raises(httpx2.ConnectError):
        caller.create()
    assert caller.names() == []
    while True:
        try:
            assert caller.create().status_code == 201
            break
        except httpx2.ConnectError:
            assert time.monotonic() - started < 5
            time.sleep(0.02)
    assert time.monotonic() - started >= 0.5
    assert caller.names() == ["Pakko"]


def test_a_refused_port_drops_the_connections_that_are_open(caller):
    caller.stand_in.refuse(0.3)
    with pytest.raises(httpx2.NetworkError):
        caller.http.get("/connect/v3/vendors")
    with pytest.raises(httpx2.ConnectError):
        caller.http.get("/connect/v3/vendors")
    assert caller.stand_in.requests()[-1]["path"] == "/connect/v3/login"


def test_a_stand_in_stops_while_its_port_is_closed():
    with sandbox.start("bill", seed=1) as bill:
        bill.refuse(60)
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(bill.url)


def test_a_connection_is_reset_when_it_is_accepted(caller):
    caller.stand_in.faults([{"do": "reset", "when": "connect", "times": 1}])
    with httpx2.Client() as fresh, pytest.raises(httpx2.NetworkError):
        fresh.get(f"{caller.stand_in.url}/connect/v3/vendors")
    assert caller.stand_in.requests()[-1]["path"] == "/connect/v3/login"
    assert caller.stand_in.faults()[0]["fired"] == 1
    assert httpx2.get(f"{caller.stand_in.control}state").status_code == 200


def test_a_late_commit_waits_for_the_clock(caller):
    caller.stand_in.clock(running=False)
    caller.fault("late_commit", seconds=60, status=504, times=1)
    assert caller.create().status_code == 504
    caller.stand_in.clock(advance=59)
    assert caller.names() == []
    caller.stand_in.clock(advance=1)
    assert caller.names() == ["Pakko"]
    assert caller.stand_in.requests()[-1]["fault"] == "late_commit"


def test_a_late_commit_comes_by_itself_when_the_clock_runs(caller):
    caller.fault("late_commit", seconds=0.2, status=504, times=1)
    caller.create()
    assert caller.names() == []
    time.sleep(0.5)
    assert caller.names() == ["Pakko"]


def test_a_late_commit_without_a_status_leaves_the_client_waiting(caller):
    caller.stand_in.clock(running=False)
    caller.fault("late_commit", seconds=60, times=1)
    with pytest.raises(httpx2.ReadTimeout):
        caller.http.post(
            "/connect/v3/vendors",
            json={"name": "Pakko", "address": {"line1": "1", "city": "a", "zipOrPostalCode": "1", "country": "US"}},
            timeout=0.1,
        )
    caller.stand_in.clock(advance=60)
    assert caller.names() == ["Pakko"]


def test_a_late_commit_that_the_system_refuses_is_dropped(caller):
    caller.stand_in.clock(running=False)
    caller.fault("late_commit", seconds=60, status=504, times=1)
    assert caller.create(name="").status_code == 504
    caller.stand_in.clock(advance=60)
    assert caller.names() == []


def test_a_session_is_lost_after_the_commit(caller):
    caller.fault("commit_then_expire_session", times=1)
    assert caller.create().json()[0]["code"] == "BDC_1109"
    assert caller.names() == ["Pakko"]
    assert caller.vendors().status_code == 401


def test_a_session_and_the_answer_are_lost_after_the_commit(caller):
    caller.fault("commit_then_expire_session", answer="reset", times=1)
    with pytest.raises(httpx2.NetworkError):
        caller.create()
    assert caller.names() == ["Pakko"]
    assert caller.vendors().status_code == 401
