"""Login, the cookies, the sliding end of a session, locked users, rights and limits."""

import threading

import httpx2
import pytest
from tests.sandbox.sapb1.conftest import NOW, Layer, refusal

from ml_connector import sandbox

ENDED = "Invalid session or session already timeout."


def test_login_gives_the_session_in_the_body_and_as_two_cookies(stand_in):
    for version in ("v1", "v2"):
        reply = Layer(stand_in, version).login()
        body = reply.json()
        assert body["SessionTimeout"] == 30
        assert body["Version"].isdigit()
        session, route = reply.headers.get_list("set-cookie")
        assert session == f"B1SESSION={body['SessionId']};HttpOnly;"
        assert route == "ROUTEID=.node1; path=/b1s"
        shape = body["odata.metadata" if version == "v1" else "@odata.context"]
        assert shape.startswith(f"{stand_in.url}/b1s/{version}/$metadata#B1Sessions/")


def test_one_session_serves_both_versions_and_the_route_does_not_matter(stand_in, layer):
    other = Layer(stand_in, "v1")
    other.http.headers["Cookie"] = layer.http.headers["Cookie"].replace("; ROUTEID=.node1", ";CompanyDB=RIL; odd={[x]}")
    assert other.get("Currencies").status_code == 200


def test_a_login_may_come_as_plain_text_and_from_an_absolute_address(stand_in):
    secret = stand_in.secrets["password"]
    body = f'{{"CompanyDB": "RIL", "UserName": "MLCONN", "Password": "{secret}", "Language": "3"}}'
    reply = httpx2.post(f"{stand_in.url}/b1s/v1/Login", content=body, headers={"Content-Type": "text/plain"})
    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"Password": "x"}, -304), ({"UserName": "nobody"}, -304), ({"CompanyDB": "OTHER"}, -306)],
)
def test_a_refused_login_is_a_401_with_a_code_of_its_own(stand_in, wrong, code):
    assert refusal(Layer(stand_in).login(**wrong))[:2] == (401, code)
    assert refusal(Layer(stand_in, "v1").login(**wrong))[:2] == (401, code)


def test_without_a_session_every_path_answers_401_and_301_in_either_shape(stand_in):  # R62
    for path in ("PurchaseInvoices", "login", "NoSuchSet", "$metadata"):
        assert Layer(stand_in, "v1").get(path).json() == {
            "error": {"code": 301, "message": {"lang": "en-us", "value": ENDED}}
        }
        assert Layer(stand_in, "v2").get(path).json() == {
            "error": {"code": "301", "details": [{"code": "", "message": ""}], "message": ENDED}
        }


def test_a_session_slides_and_dies_after_thirty_idle_minutes(stand_in, layer):
    for _ in range(5):
        stand_in.clock(advance=29 * 60)
        assert layer.get("Currencies").status_code == 200
    stand_in.clock(advance=31 * 60)
    assert refusal(layer.get("Currencies"))[:2] == (401, 301)
    stand_in.options({"expiry_code": -5002})
    assert refusal(layer.get("Currencies")) == (401, -5002, ENDED)


def test_logout_ends_the_session(layer):
    assert layer.post("Logout").status_code == 204
    assert refusal(layer.get("Currencies"))[:2] == (401, 301)


def test_a_user_is_locked_after_five_wrong_passwords_and_freed_by_a_person(stand_in, layer):
    for _ in range(5):
        assert refusal(layer.login(Password="wrong"))[1] == -304
    assert refusal(layer.login())[:2] == (401, 100000055)
    stand_in.options({"locked_code": -307})
    assert refusal(layer.login())[:2] == (401, -307)
    assert layer.get("Currencies").status_code == 200, "the session that lives goes on"
    stand_in.edit("actions", {"do": "lock_user", "user": "MLCONN", "locked": False})
    assert layer.login().status_code == 200


def test_a_good_login_forgets_the_wrong_ones(layer):
    for _ in range(3):
        for _ in range(4):
            layer.login(Password="wrong")
        assert layer.login().status_code == 200


def test_licences_bound_the_sessions_that_live_at_once(stand_in, layer):
    stand_in.options({"licences": 2})
    second = Layer(stand_in)
    assert second.login().status_code == 200
    assert refusal(Layer(stand_in).login())[:2] == (401, -1)
    second.post("Logout")
    assert Layer(stand_in).login().status_code == 200


def test_a_missing_right_is_no_expired_session(stand_in, layer):
    stand_in.options({"no_rights": ["VendorPayments write", "Projects"]})
    assert layer.get("VendorPayments").status_code == 200
    assert refusal(layer.post("VendorPayments", {}))[:2] == (401, -6006)
    stand_in.options({"no_rights_status": 403})
    assert refusal(layer.get("Projects"))[:2] == (403, -6006)
    assert layer.get("Currencies").status_code == 200


def test_a_storm_of_logins_breaks_some_of_them(stand_in):
    stand_in.options({"latency": 0.3, "parallel_logins": 2})
    replies: list[httpx2.Response] = []
    threads = [threading.Thread(target=lambda: replies.append(Layer(stand_in).login())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = [refusal(reply)[:2] for reply in replies if reply.status_code != 200]
    assert failed
    assert set(failed) == {(500, 299)}


def test_requests_at_once_in_one_session_can_be_bounded(stand_in, layer):
    stand_in.options({"latency": 0.3, "parallel_sessions": 1})
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(layer.get("Currencies").status_code)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 503, 503]


def test_ping_needs_no_session(stand_in):
    for path in ("ping/", "ping/load-balancer", "ping/node/1"):
        assert httpx2.get(f"{stand_in.url}/{path}").json()["message"] == "pong"


def test_it_speaks_tls_and_says_so_in_its_addresses():
    import ssl

    with sandbox.start("sapb1", data={"PurchaseInvoices": []}, options={"tls": True}) as running:
        running.clock(now=NOW)
        trust = ssl.create_default_context(cadata=running.settings["tls_ca_bundle"])
        body = {"CompanyDB": "RIL", "UserName": "MLCONN", "Password": running.secrets["password"]}
        with httpx2.Client(verify=trust) as http:
            shape = http.post(f"{running.settings['base_url']}/Login", json=body).json()["@odata.context"]
        assert shape.startswith("https://127.0.0.1:")
