"""Push notifications: subscriptions, the connection test, signatures, retries and the history."""

import base64
import hashlib
import hmac

import httpx2
import pytest
from tests.sandbox.basware.conftest import account, answer, invoice

from ml_connector import sandbox

SECRET = "geheim-ü-7"
ID = "f" * 32


def subscription(url, task_type="AccountingDocuments", sub_type="WaitingForTransfer", **more):
    return {
        "taskType": task_type,
        "taskSubType": sub_type,
        "subscriptionType": "Webhook",
        "notificationWebhookURL": url,
        "webhookAuthenticationToken": SECRET,
        **more,
    }


@pytest.fixture
def subscribed(api, receiver):
    """Both, after the connection test, which the receiver no longer shows."""
    reply = api.post("/v1/subscriptions", [subscription(receiver.url)])
    assert reply.status_code == 200, reply.text
    receiver.wait(1)
    receiver.got.clear()
    api.stand_in.options({"webhook_backoff_base_s": 0.01})
    return api


def digest(body):
    return hmac.digest(SECRET.encode(), body, hashlib.sha256)


def test_subscribing_tests_the_connection(api, receiver):
    reply = api.post("/v1/subscriptions", [subscription(receiver.url)])
    (body,) = receiver.wait(1)
    assert body["taskType"] == "ConnectionTest"
    assert receiver.got[0][1]["x-bwapi-signature-256"] == f"sha256={digest(receiver.got[0][0]).hex()}"
    assert reply.json()[0] == subscription(receiver.url, lastUpdated="2026-11-16T12:00:00.000Z")
    (row,) = api.rows("subscriptions")
    assert row == reply.json()[0]


def test_a_receiver_that_does_not_answer_200_is_not_subscribed(api, receiver):
    receiver.statuses = [401]
    reply = api.post("/v1/subscriptions", [subscription(receiver.url)])
    body = reply.json()
    assert (reply.status_code, body["hasError"]) == (400, True)
    assert "answered 401" in body["errorMessages"][0]["message"]
    reply = api.post("/v1/subscriptions", [subscription("http://127.0.0.1:9/hooks")])
    assert "did not answer" in reply.json()["errorMessages"][0]["message"]
    assert api.rows("subscriptions") == []


def test_a_client_that_may_not_subscribe_causes_no_connection_test(api, receiver):
    url = f"{api.stand_in.url}/v1/subscriptions"
    assert httpx2.post(url, json=[subscription(receiver.url)]).status_code == 401
    assert receiver.got == []


def test_the_connection_test_may_be_unsigned_or_left_out(api, receiver):
    api.stand_in.options({"connection_test_signed": False})
    assert api.post("/v1/subscriptions", [subscription(receiver.url)]).status_code == 200
    receiver.wait(1)
    assert "x-bwapi-signature-256" not in receiver.got[0][1]
    api.stand_in.options({"connection_test": False})
    assert api.post("/v1/subscriptions", [subscription("http://127.0.0.1:9/hooks")]).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"taskType": "Invoices"},
        {"taskSubType": "Approved"},
        {"subscriptionType": "Polling"},
        {"notificationWebhookURL": "http://example.com/hooks"},
        {"notificationWebhookURL": None},
        {"webhookAuthenticationToken": ""},
        {"colour": "red"},
    ],
)
def test_a_subscription_follows_the_contract(api, receiver, change):
    reply = api.post("/v1/subscriptions", [{**subscription(receiver.url), **change}])
    assert (reply.status_code, reply.json()["errorMessages"][0]["code"]) == (400, "SCHEMA_VALIDATION_ERROR")
    assert receiver.got == []


@pytest.mark.parametrize("content", [b"{", b"{}", b"[]", b"[7]"])
def test_what_is_no_list_of_subscriptions_is_refused(api, content):
    reply = api.http.post("/v1/subscriptions", content=content, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["hasError"]) == (400, True)


def test_an_invoice_that_begins_to_wait_is_announced_with_ids_only(subscribed, receiver):
    subscribed.stand_in.edit("accountingDocuments", invoice())
    (body,) = receiver.wait(1)
    task = body.pop("taskId")
    assert body == {
        "taskStatus": "New",
        "taskType": "AccountingDocuments",
        "taskSubType": "WaitingForTransfer",
        "documentId": ID,
        "expirationTime": "2026-11-30T12:00:00.000Z",
    }
    (row,) = subscribed.rows(f"tasks/{task}")
    assert row["documentId"] == ID


def test_every_cycle_of_an_invoice_is_announced(subscribed, receiver):
    subscribed.stand_in.edit("accountingDocuments", invoice())
    subscribed.stand_in.edit("accountingDocuments", {"invoiceId": ID, "description": "the same status"})
    subscribed.post(f"/v1/accountingDocuments/{ID}/transferResponses", answer(success=False))
    subscribed.stand_in.edit("actions", {"do": "retransfer", "invoiceId": ID})
    bodies = receiver.wait(2)
    assert {body["documentId"] for body in bodies} == {ID}
    assert len({body["taskId"] for body in bodies}) == 2


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("prefixed", lambda body: f"sha256={digest(body).hex()}"),
        ("hex", lambda body: digest(body).hex()),
        ("base64", lambda body: base64.b64encode(digest(body)).decode()),
    ],
)
def test_the_signature_comes_in_the_header_and_encoding_of_the_site(subscribed, receiver, encoding, expected):  # R57
    subscribed.stand_in.options({"webhook_header": "X-Signature", "webhook_encoding": encoding})
    subscribed.stand_in.edit("accountingDocuments", invoice())
    receiver.wait(1)
    body, headers = receiver.got[0]
    assert headers["x-signature"] == expected(body)


def test_a_request_that_ends_in_error_is_announced_to_who_asked_for_it(subscribed, receiver):
    subscribed.post("/v1/subscriptions", [subscription(receiver.url, "RequestStatus", sub_type=None)])
    assert [row["taskSubType"] for row in subscribed.rows("subscriptions", taskType="RequestStatus")] == ["Error"]
    subscribed.written("accounts", account())
    wrong = [{"companyCode": "XXX", "inherit": False, "active": True}]
    request = subscribed.written("accounts", account("10-6200", companies=wrong))
    subscribed.stand_in.clock(advance=2)
    bodies = receiver.wait(2)
    assert [body["documentId"] for body in bodies[1:]] == [request]


def test_a_notification_is_repeated_until_the_receiver_answers_200(subscribed, receiver):  # R58
    receiver.statuses = [500, 422]
    subscribed.stand_in.edit("accountingDocuments", invoice())
    bodies = receiver.wait(3)
    assert len({body["taskId"] for body in bodies}) == 1
    assert settled(subscribed, "Completed")["taskHistory"][-1]["action"] == "Delivered"


def settled(api, status):
    """The task, when it has the status."""
    for _ in range(200):
        (task,) = api.stand_in.state("tasks")
        if task["taskStatus"] == status:
            break
    assert task["taskStatus"] == status
    return task


def test_a_notification_that_is_given_up_is_found_in_the_history(subscribed, receiver):  # R58
    subscribed.stand_in.options({"webhook_retries": 1})
    receiver.statuses = [500, 500]
    subscribed.stand_in.edit("accountingDocuments", invoice())
    receiver.wait(2)
    settled(subscribed, "Failed")
    (task,) = subscribed.rows("tasks", taskStatus="Failed", taskType="AccountingDocuments", documentId=ID)
    assert [entry["action"] for entry in task["taskHistory"]] == ["Created", *["DeliveryFailed"] * 2, "GivenUp"]
    assert subscribed.rows("tasks", taskStatus="Completed") == []
    assert subscribed.get("/v1/tasks/none").json() == {"detail": "Not Found"}
    assert subscribed.get("/v1/tasks", lastUpdated="soon").status_code == 422


def test_notifications_are_doubled_turned_round_or_lost_on_demand(subscribed, receiver):  # R55
    subscribed.stand_in.options({"webhook_duplicates": 1})
    subscribed.stand_in.edit("accountingDocuments", invoice())
    first, second = receiver.wait(2)
    assert first == second
    subscribed.stand_in.options({"webhook_duplicates": 0, "webhook_delivery": "reversed"})
    subscribed.stand_in.edit("accountingDocuments", [invoice(one * 32) for one in "abc"])
    assert [body["documentId"][0] for body in receiver.wait(5)[2:]] == ["c", "b", "a"]
    subscribed.stand_in.options({"webhook_delivery": "none"})
    subscribed.stand_in.edit("accountingDocuments", invoice("d" * 32))
    assert [row["taskStatus"] for row in subscribed.rows("tasks", documentId="d" * 32)] == ["New"]
    assert len(receiver.got) == 5


def test_a_notification_can_be_sent_again_badly_signed_or_unsigned(subscribed, receiver):  # R57
    subscribed.stand_in.edit("accountingDocuments", invoice())
    receiver.wait(1)
    for kind in ("good", "wrong", "none"):
        subscribed.stand_in.edit("actions", {"do": "notify", "documentId": ID, "signature": kind})
    receiver.wait(4)
    signatures = [headers.get("x-bwapi-signature-256") for _, headers in receiver.got]
    assert len({body for body, _ in receiver.got}) == 1
    assert signatures[0] == signatures[1] != signatures[2]
    assert signatures[3] is None
    subscribed.stand_in.edit("actions", {"do": "notify", "documentId": "other"})
    assert receiver.wait(5)[4]["documentId"] == "other"
    with pytest.raises(sandbox.BadInput, match="nobody subscribed to RequestStatus"):
        subscribed.stand_in.edit("actions", {"do": "notify", "documentId": ID, "taskType": "RequestStatus"})


def test_a_notification_on_demand_is_sent_one_time(subscribed, receiver):
    receiver.statuses = [401, 401]
    subscribed.stand_in.edit("actions", {"do": "notify", "documentId": ID, "signature": "wrong"})
    subscribed.stand_in.edit("actions", {"do": "notify", "documentId": ID, "signature": "none"})
    receiver.wait(2)
    subscribed.stand_in.edit("actions", {"do": "notify", "documentId": ID})
    assert len(receiver.wait(3)) == 3
    assert settled(subscribed, "Completed")["taskHistory"][-1]["action"] == "Delivered"


def test_the_stand_in_answers_others_while_it_tests_a_connection(api, receiver):
    receiver.before = lambda: api.get("/v1/companies").raise_for_status()
    assert api.post("/v1/subscriptions", [subscription(receiver.url)]).status_code == 200
    assert [row["path"] for row in api.stand_in.requests() if row["in_flight"] == 2] == ["/v1/companies"]


def test_a_fault_meets_a_subscription_after_its_connection_test(api, receiver):
    api.stand_in.faults([{"match": {"path": "/v1/subscriptions"}, "do": "commit_then_reset", "times": 1}])
    with pytest.raises(httpx2.TransportError):
        api.post("/v1/subscriptions", [subscription(receiver.url)])
    receiver.wait(1)
    assert len(api.rows("subscriptions")) == 1


def test_all_notifications_may_be_badly_signed_and_misspelt(subscribed, receiver):
    subscribed.stand_in.options({"webhook_bad_signature": True, "webhook_task_type_misspelt": True})
    subscribed.stand_in.edit("accountingDocuments", invoice())
    (body,) = receiver.wait(1)
    sent, headers = receiver.got[0]
    assert body["taskType"] == "AccoutingDocuments"
    assert headers["x-bwapi-signature-256"] != f"sha256={digest(sent).hex()}"


def test_a_second_subscription_replaces_the_first_or_is_added(subscribed, receiver):
    subscribed.post("/v1/subscriptions", [subscription(receiver.url, webhookAuthenticationToken="other")])
    assert [row["webhookAuthenticationToken"] for row in subscribed.rows("subscriptions")] == ["other"]
    subscribed.stand_in.options({"subscription_again": "add"})
    subscribed.post("/v1/subscriptions", [subscription(receiver.url)])
    assert len(subscribed.rows("subscriptions")) == 2


def test_subscriptions_are_deleted_by_all_three_parameters(subscribed, receiver):
    assert subscribed.call("DELETE", "/v1/subscriptions?taskType=All").status_code == 422
    path = "/v1/subscriptions?taskType=All&taskSubType=All&lastUpdated=2000-01-01"
    assert subscribed.call("DELETE", path).json() == {"status": "Deleted successfully", "numberOfRecordsDeleted": 1}
    assert subscribed.rows("subscriptions") == []
    subscribed.stand_in.edit("accountingDocuments", invoice())
    assert subscribed.stand_in.state("tasks") == []
    assert receiver.got == []
