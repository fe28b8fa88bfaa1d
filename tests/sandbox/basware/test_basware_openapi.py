"""A walk through the API, every exchange held against the vendor's published OpenAPI files (see published)."""

from pathlib import Path

import httpx2
import pytest
from tests.sandbox.basware.conftest import (
    account,
    answer,
    coding,
    cost_center,
    invoice,
    line,
    order,
    term,
    vendor,
)
from tests.sandbox.basware.published import Held, json_schema, needed

from ml_connector import sandbox
from ml_connector.sandbox.http import decode

pytestmark = needed


@pytest.fixture
def held(stand_in, contract):
    stand_in.options({"bare_lists": []})
    client = Held(stand_in, contract)
    yield client
    client.http.close()


def test_master_data_and_what_becomes_of_it(held):
    rows = {"paymentTerms": term(), "accounts": account(text5="x"), "costCenters": cost_center(date1="2026-01-01")}
    rows |= {"vendors": full_vendor(), "matchingOrders": order(created="2026-11-16T08:00:00Z", text10="x")}
    receipts = [{"externalCode": "g1", "goodsReceiptNumber": "G1", "quantity": 10, "deliveryDate": "2026-11-10"}]
    rows["matchingOrderLines"] = line(orderLineCoding=coding(dimCode10="x"), goodsReceipts=receipts)
    rows["lists/ACC_LIST_3"] = {"externalCode": "D1", "text_25": "x", "dateValue_1": "2026-01-01"}
    for name, row in rows.items():
        assert held.post(f"/v1/{name}", [row]).status_code == 200
        assert held.get(f"/v1/{name}", orderExternalCode=row.get("orderExternalCode", "")).status_code == 200
        assert held.get(f"/v1/{name}/{row['externalCode']}").status_code == 200
        held.stand_in.options({"null_fields": "show"})
        assert held.get(f"/v1/{name}/{row['externalCode']}").status_code == 200
        held.stand_in.options({"null_fields": "omit"})
    assert held.call("PATCH", "/v1/vendors/RIL_vendor_ELC001", {"name": "Electra"}).status_code == 200
    held.stand_in.clock(advance=5)
    wrong = account("10-9", companies=[{"companyCode": "XXX", "inherit": True, "active": True}])
    request = held.written("accounts", wrong)
    assert held.get(f"/v1/requestStatus/{request}").status_code == 200
    held.stand_in.clock(advance=5)
    for path in ("requestStatus", "requestStatus?entityType=Vendor", f"requestStatus/{request}", "errorFeedbacks"):
        assert held.get(f"/v1/{path}").status_code == 200
    assert held.post("/v1/requestStatus/acknowledge", {"requestIds": [request]}).status_code == 200
    assert held.post("/v1/requestStatus/acknowledge", {"requestIds": [request]}).status_code == 405
    assert held.get("/v1/companies").status_code == 200


def full_vendor():
    bank = {"financialInstitution": {"name": "Bank", "id": "GENODEF1", "schemeId": "BIC"}}
    bank["financialAccountIdentifiers"] = [{"schemeId": "IBAN", "id": "DE02", "currencyCode": "USD"}]
    address = {"externalCode": "a1", "name": "Head office", "addressType": "PostalAddress", "streetName": "410 Kinzie"}
    address |= {"cityName": "Chicago", "postalZone": "60654", "countryId": "US", "default": True}
    address["additionalAddressFields"] = [{"key": "Floor", "value": "4"}]
    return vendor(
        addresses=[address],
        contacts=[{"name": "Dana", "email": "accounts@electra.example", "role": "PrimaryContact"}],
        paymentMeans=[{"paymentMeansCode": "ACH", "currencyCode": "USD", "financialAccounts": [bank]}],
        orderingDetails={"orderingFormat": "none"},
        tags=[{"name": "a", "value": "b"}],
        customFields=[{"name": "a", "value": "b"}],
    )


def test_refusals(held):
    assert held.post("/v1/vendors", [{"externalCode": "x"}]).status_code == 400
    assert held.post("/v1/vendors", [vendor(), vendor()]).status_code == 409
    assert held.get("/v1/vendors").status_code == 404
    assert held.get("/v1/vendors/none").status_code == 404
    assert held.call("DELETE", "/v1/accounts", {}).status_code == 400
    assert held.call("DELETE", "/v1/accounts", {"lastUpdated": "0001-01-01T00:00:00Z"}).status_code == 202
    assert held.post("/v1/accountingDocuments/none/acknowledge").status_code == 404
    assert held.token("").status_code == 400
    assert held.token(auth=("x", "y")).status_code == 401
    assert held.token(data=None, content=b"").status_code == 422
    held.http.headers["Authorization"] = "Bearer nothing"
    assert held.get("/v1/vendors").status_code == 401


def test_invoices_and_their_answers(held):
    base = Path(sandbox.__file__).parent / "data" / "base_set.basware.json"
    held.stand_in.edit("accountingDocuments", decode(base.read_bytes())["accountingDocuments"])
    documents = held.file("/v1/accountingDocuments", ProcessingStatus="WaitingForTransfer")["accountingDocuments"]
    assert len(documents) == 12
    first = f"/v1/accountingDocuments/{documents[0]['invoiceId']}"
    held.stand_in.options({"null_fields": "show"})
    held.file(first)
    held.stand_in.options({"null_fields": "omit"})
    assert held.post(f"{first}/acknowledge").status_code == 200
    assert held.post(f"{first}/acknowledge").status_code == 405
    body = answer(voucherNumber1="2026-11 00017-001", sourceSystem="SYSPRO", transferDate="2026-11-16T12:00:00Z")
    assert held.post(f"{first}/transferResponses", body).status_code == 200
    assert held.post(f"{first}/transferResponses", body).status_code == 400
    paid = {"externalCode": "p1", "success": True, "paymentBlock": False, "paidTotal": 250}
    assert held.post(f"{first}/paymentResponses", paid).status_code == 200
    assert held.post(f"{first}/paymentResponses", paid).status_code == 409
    held.file(first)
    held.stand_in.options({"invoice_status": True})
    query = {"companyCode": "RIL", "invoiceNumber": "ELC-1001", "invoiceDate": "2026-11-10"}
    assert held.get("/v1/accountingDocuments/status", **query).status_code == 200


def test_seeded_invoices(contract):
    with sandbox.start("basware", seed=3, options={"documents": 300}) as stand_in:
        client = Held(stand_in, contract)
        headers, count = {}, 0
        while True:
            reply = client.http.get("/v1/accountingDocuments", headers=headers)
            file = httpx2.get(reply.headers["location"])
            content, operation = contract.operation("GET", "/v1/accountingDocuments")
            assert contract.wrong(content, json_schema(operation["responses"]["200"]), file.json()) == []
            count += len(file.json()["accountingDocuments"])
            if "x-amz-meta-continuationtoken" not in file.headers:
                break
            headers = {"x-amz-meta-continuationtoken": file.headers["x-amz-meta-continuationtoken"]}
        assert count == 300


def test_subscriptions_tasks_and_notifications(held, receiver):
    wish = {"taskType": "AccountingDocuments", "taskSubType": "WaitingForTransfer", "subscriptionType": "Webhook"}
    wish |= {"notificationWebhookURL": receiver.url, "webhookAuthenticationToken": "secret"}
    assert held.post("/v1/subscriptions", [wish]).status_code == 200
    assert held.post("/v1/subscriptions", [{}]).status_code == 400
    assert held.get("/v1/subscriptions").status_code == 200
    assert held.get("/v1/subscriptions?taskType=Nothing").status_code == 404
    held.stand_in.edit("accountingDocuments", invoice())
    bodies = receiver.wait(2)
    content, operation = held.contract.operation("POST", "/v1/subscriptions")
    callback = operation["callbacks"]["notification"]["{$notificationWebhookURL}"]["post"]
    for body in bodies:
        assert held.contract.wrong(content, json_schema(callback["requestBody"]), body) == []
    assert held.get("/v1/tasks").status_code == 200
    assert held.get(f"/v1/tasks/{bodies[1]['taskId']}").status_code == 200
    assert held.get("/v1/tasks?taskStatus=Failed").status_code == 404
    assert held.get("/v1/tasks/none").status_code == 404
    assert held.call("DELETE", "/v1/subscriptions").status_code == 422
    path = "/v1/subscriptions?taskType=All&taskSubType=All&lastUpdated=2000-01-01"
    assert held.call("DELETE", path).status_code == 200
    assert held.get("/.well-known/jwks.json").status_code == 200
    assert held.get("/.well-known/openid-configuration").status_code == 200
