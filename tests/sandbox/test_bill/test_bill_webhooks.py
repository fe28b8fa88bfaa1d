"""Webhooks: subscriptions, signed notifications, retries, resending."""

import base64
import hashlib
import hmac
import json
import os
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ml_connector.sandbox.bill.notifications import signature

VECTORS = "BILL_WEBHOOK_VECTORS"


class Receiver:
    """Listens for notifications and answers with the next of `statuses`, then 200."""

    def __init__(self):
        self.got: list[tuple[bytes, dict[str, str]]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((body, {name.lower(): value for name, value in self.headers.items()}))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def wait(self, count):
        deadline = time.monotonic() + 3
        while len(self.got) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        assert len(self.got) == count
        return [json.loads(body) for body, _ in self.got]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def subscribe(bill, receiver):
    bill.stand_in.options({"webhook_backoff_base_s": 0.01})

    def make(*events, url=None, **more):
        body = {
            "name": "ml-connector",
            "status": {"enabled": True},
            "events": [{"type": event, "version": "1"} for event in events],
            "notificationUrl": url or receiver.url,
        }
        return bill.post("/subscriptions", {**body, **more})

    return make


def types(notifications):
    return [body["metadata"]["eventType"] for body in notifications]


def until(condition):
    deadline = time.monotonic() + 3
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_the_catalog_names_every_event(bill):
    catalog = bill.get("/events/catalog").json()
    assert {"type": "bill.created", "versions": ["1"]} in catalog
    assert not {"payment.created", "bill.paid"} & {row["type"] for row in catalog}


def test_the_security_key_is_shown_once(bill, subscribe):
    reply = subscribe("bill.created")
    assert reply.status_code == 200
    made = reply.json()
    assert made["securityKey"]
    read = bill.read(f"/subscriptions/{made['id']}")
    assert "securityKey" not in read
    assert "securityKey" not in str(bill.rows("/subscriptions"))
    new = bill.post(f"/subscriptions/{made['id']}/security_key").json()["securityKey"]
    assert new != made["securityKey"]


def test_a_repeated_idempotent_key_gets_the_stored_reply(bill):
    url = f"{bill.stand_in.settings['events_base_url']}/v3/subscriptions"
    body = {
        "name": "x",
        "status": {"enabled": True},
        "events": [{"type": "bill.created", "version": "1"}],
        "notificationUrl": "https://example.com/hook",
    }
    headers = {"X-Idempotent-Key": str(uuid.uuid4())}
    first = bill.http.post(url, json=body, headers=headers)
    assert bill.http.post(url, json=body, headers=headers).json() == first.json()
    assert len(bill.stand_in.state("subscriptions")) == 1
    assert bill.http.post(url, json=body).status_code == 400
    assert bill.http.post(url, json=body, headers={"X-Idempotent-Key": "1"}).status_code == 400


def test_a_subscription_is_changed_and_deleted(bill, subscribe):
    made = subscribe("bill.created").json()
    path = f"/subscriptions/{made['id']}"
    assert bill.patch(path, {"name": "new"}).json()["name"] == "new"
    assert bill.patch(path, {"status": {"enabled": False}}).json()["status"] == {"enabled": False}
    assert bill.call("DELETE", path).status_code == 200
    assert bill.get(path).status_code == 404


@pytest.mark.parametrize(
    "change", [{"name": None}, {"events": []}, {"events": [{"type": "bill.paid", "version": "1"}]}]
)
def test_a_wrong_subscription_is_refused(subscribe, change):
    assert subscribe("bill.created", **change).status_code == 400


def test_a_notification_url_is_https(subscribe):
    assert subscribe("bill.created", url="http://example.com").status_code == 400
    assert subscribe("bill.created", url="https://example.com").status_code == 200


def test_ten_subscriptions_are_allowed_and_no_twins(bill, subscribe):
    for number in range(10):
        assert subscribe("bill.created", url=f"https://example.com/{number}").status_code == 200
    assert subscribe("bill.created", url="https://example.com/10").status_code == 400
    bill.call("DELETE", f"/subscriptions/{bill.stand_in.state('subscriptions')[9]['id']}")
    assert subscribe("bill.created", url="https://example.com/0").status_code == 400


def test_a_notification_is_signed_over_its_raw_bytes(bill, vendor, receiver, subscribe):
    key = subscribe("bill.created").json()["securityKey"]
    made = bill.bill(vendor)
    notification = receiver.wait(1)[0]
    body, headers = receiver.got[0]
    expected = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
    assert headers["x-bill-sha-signature"] == expected
    assert headers["content-type"] == "application/json"
    assert notification["metadata"]["organizationId"] == bill.stand_in.settings["organizationId"]
    assert notification["bill"]["id"] == made["id"]
    assert notification["bill"]["invoice"]["invoiceDate"] == "2026-11-12T00:00:00.000Z"
    assert "billLineItems" not in notification["bill"]
    assert "vendorName" not in notification["bill"]


def test_the_key_may_be_base64(bill, vendor, receiver, subscribe):
    bill.stand_in.options({"webhook_key_encoding": "base64"})
    key = subscribe("bill.created").json()["securityKey"]
    bill.bill(vendor)
    receiver.wait(1)
    body, headers = receiver.got[0]
    secret = base64.b64decode(key)
    assert headers["x-bill-sha-signature"] == base64.b64encode(hmac.digest(secret, body, "sha256")).decode()


def test_bill_updated_fires_for_few_fields(bill, vendor, receiver, subscribe):
    made = bill.bill(vendor)
    subscribe("bill.updated", "bill.archived")
    bill.patch(f"/bills/{made['id']}", {"dueDate": "2026-12-18"})
    bill.stand_in.edit("payments", {"billId": made["id"], "amount": 1})
    line = made["billLineItems"][0]["id"]
    bill.patch(f"/bills/{made['id']}", {"billLineItems": [{"id": line, "amount": 641}]})
    bill.post(f"/bills/{made['id']}/archive")
    bodies = receiver.wait(2)
    assert types(bodies) == ["bill.updated", "bill.archived"]
    assert bodies[0]["bill"]["vendorName"] == "Pakko Packaging LLC"


def test_a_payment_is_announced_with_other_names_than_get_uses(bill, vendor, receiver, subscribe):
    made = bill.bill(vendor)["id"]
    subscribe("payment.updated", "payment.failed")
    payment = bill.stand_in.edit("payments", {"billId": made, "amount": 675})[0]["id"]
    bill.stand_in.edit("payments", {"id": payment, "singleStatus": "CLEARED"})
    body = receiver.wait(1)[0]["payment"]
    assert (body["id"], body["status"], body["billIds"]) == (payment, "CLEARED", [made])
    assert "singleStatus" not in body
    assert body["vendor"] == {"id": vendor, "name": "Pakko Packaging LLC"}


def test_a_failed_payment_is_announced_as_such(bill, vendor, receiver, subscribe):
    made = bill.bill(vendor)["id"]
    subscribe("payment.failed")
    row = {"billId": made, "amount": 675, "singleStatus": "DISBURSEMENT_FAILED_ACTION_NEEDED"}
    bill.stand_in.edit("payments", row)
    assert receiver.wait(1)[0]["payment"]["errors"][0]["code"] == "DISBURSEMENT_FAILED_ACTION_NEEDED"


def test_vendor_events_follow_a_vendors_life(bill, vendor, receiver, subscribe):
    subscribe("vendor.updated", "vendor.archived", "vendor.restored")
    bill.patch(f"/vendors/{vendor}", {"phone": "1"})
    bill.patch(f"/vendors/{vendor}", {"name": "New"})
    receiver.wait(1)
    bill.post(f"/vendors/{vendor}/archive")
    receiver.wait(2)
    bill.post(f"/vendors/{vendor}/restore")
    assert types(receiver.wait(3)) == ["vendor.updated", "vendor.archived", "vendor.restored"]


def test_a_failure_is_repeated_with_the_same_event_id(bill, vendor, receiver, subscribe):
    receiver.statuses = [500, 202]
    subscribe("bill.created")
    bill.bill(vendor)
    bodies = receiver.wait(3)
    assert len({body["metadata"]["eventId"] for body in bodies}) == 1
    until(lambda: bill.stand_in.state("events")[0].get("statusCode") == 200)


def test_a_subscription_is_switched_off_when_all_repetitions_failed(bill, vendor, receiver, subscribe):
    bill.stand_in.options({"webhook_retries": 2})
    receiver.statuses = [500] * 3
    made = subscribe("bill.created").json()["id"]
    bill.bill(vendor, "1")
    receiver.wait(3)
    until(lambda: bill.read(f"/subscriptions/{made}")["status"] == {"enabled": False})
    bill.bill(vendor, "2")
    bill.patch(f"/subscriptions/{made}", {"status": {"enabled": True}})
    bill.bill(vendor, "3")
    assert receiver.wait(4)[-1]["bill"]["invoice"]["invoiceNumber"] == "3"


def test_a_receiver_that_is_not_there_is_a_failure(bill, vendor, receiver, subscribe):
    bill.stand_in.options({"webhook_retries": 1})
    made = subscribe("bill.created", url="http://127.0.0.1:9/").json()["id"]
    bill.bill(vendor)
    until(lambda: not bill.read(f"/subscriptions/{made}")["status"]["enabled"])


def test_notifications_can_come_twice(bill, vendor, receiver, subscribe):
    bill.stand_in.options({"webhook_duplicates": 1})
    subscribe("bill.created")
    bill.bill(vendor)
    first, second = receiver.wait(2)
    assert first == second


def test_notifications_can_come_in_reverse(bill, vendor, receiver, subscribe):
    bill.stand_in.options({"webhook_delivery": "reversed"})
    subscribe("bill.created", "bill.archived")
    made = bill.bill(vendor)["id"]
    bill.post(f"/bills/{made}/archive")
    assert types(receiver.wait(2)) == ["bill.archived", "bill.created"]


def test_notifications_can_be_lost_or_wrongly_signed(bill, vendor, receiver, subscribe):
    key = subscribe("bill.created").json()["securityKey"]
    bill.stand_in.options({"webhook_delivery": "none"})
    bill.bill(vendor, "lost")
    bill.stand_in.options({"webhook_delivery": "in_order", "webhook_bad_signature": True})
    bill.bill(vendor, "forged")
    assert receiver.wait(1)[0]["bill"]["invoice"]["invoiceNumber"] == "forged"
    body, headers = receiver.got[0]
    assert headers["x-bill-sha-signature"] != signature(key, body)


def test_events_are_listed_and_sent_again(bill, vendor, receiver, subscribe):
    made = subscribe("bill.created").json()["id"]
    first = bill.bill(vendor, "1")["id"]
    bill.bill(vendor, "2")
    receiver.wait(2)
    base = f"/events/subscription/{made}"
    page = bill.get(base, max=1).json()
    assert isinstance(page["results"][0]["payload"], str)
    assert "prevPage" not in bill.get(base, max=1, page=page["nextPage"]).json()
    event = bill.rows(base, entityId=first)
    assert [row["type"] for row in event] == ["bill.created"]
    assert bill.rows(base, createdTimeFrom="2026-11-17T00:00:00Z") == []
    assert bill.post(f"{base}/event/{event[0]['id']}").status_code == 200
    assert receiver.wait(3)[2]["metadata"]["eventId"] == event[0]["id"]


def test_a_test_notification_carries_the_given_entity(bill, receiver, subscribe):
    made = subscribe("bill.created").json()["id"]
    body = {"eventType": "bill.created", "version": "1", "bill": {"id": "test", "amount": 100}}
    assert bill.post(f"/subscriptions/{made}/test", body).status_code == 200
    assert receiver.wait(1)[0]["bill"] == {"id": "test", "amount": 100}


def test_a_garbled_reply_is_not_what_a_repeated_idempotent_key_gets(bill):
    url = f"{bill.stand_in.settings['events_base_url']}/v3/subscriptions"
    body = {
        "name": "x",
        "status": {"enabled": True},
        "events": [{"type": "bill.created", "version": "1"}],
        "notificationUrl": "https://example.com/hook",
    }
    headers = {"X-Idempotent-Key": str(uuid.uuid4())}
    bill.stand_in.faults([{"match": {"path": "/v3/subscriptions"}, "do": "empty", "times": 1}])
    assert bill.http.post(url, json=body, headers=headers).content == b""
    assert bill.http.post(url, json=body, headers=headers).json()["securityKey"]


def test_the_signature_is_that_of_known_vectors():
    if VECTORS not in os.environ:
        pytest.skip(f"{VECTORS} does not name a file of signature vectors")
    vectors = json.loads(Path(os.environ[VECTORS]).read_text())["vectors"]
    for vector in vectors:
        assert signature(vector["securityKey"], vector["body"].encode()) == vector["x-bill-sha-signature"], vector[
            "case"
        ]
