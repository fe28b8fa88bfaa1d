"""Whatever clients send in whatever order: no failure of the stand-in itself, and every record accounted for."""

import json
import random

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

STEPS = 80
CODES = ("ELC001", "PAK003", "TRN004")
RESPONSES = ("transferResponses", "paymentResponses", "prebookResponses", "enrichmentResponses")
FINAL = {"Success", "Warning", "Error", "NotProcessed", "RecordExpired"}
JUNK = (None, True, 5, -1.5, "", "x", [], {}, [None], [{}], {"externalCode": {}}, [{"companies": 7}], "ü" * 3000)
QUERIES = (
    *("", "pageSize=1", "pageSize=9999", "lastUpdated=0001-01-01T00:00:00%2B05:00", "lastUpdated=x&companyCode=%00"),
    *("ProcessingStatus=Paid", "orderExternalCode=%F0%9F%98%80", "entityType=Vendor", "grossSum=NaN&companyCode=RIL"),
    "companyCode=RIL&invoiceNumber=x&invoiceDate=9999-12-31T23:59:59-05:00",
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_that_a_client_sends_makes_the_stand_in_fail(api, seed):
    rng = random.Random(seed)
    api.stand_in.edit("accountingDocuments", invoice())
    names = ("vendors", "accounts", "matchingOrders", "matchingOrderLines", "lists/ACC_LIST_1", "accountingDocuments")
    paths = [f"/v1/{name}{tail}" for name in names for tail in ("", "/x", f"/{'f' * 32}", "/x/acknowledge")]
    paths += [f"/v1/accountingDocuments/{'f' * 32}/{name}" for name in (*RESPONSES, "acknowledge", "attachments/x")]
    paths += ["/v1/requestStatus", "/v1/requestStatus/acknowledge", "/v1/errorFeedbacks", "/v1/subscriptions"]
    paths += ["/v1/tasks", "/v1/accountingDocuments/status", "/v1/companies", "/v1/tokens", "/_files/x", "/", "/v1/%2F"]
    for _ in range(STEPS * 4):
        method, path, query = rng.choice(["GET", "POST", "PATCH", "DELETE"]), rng.choice(paths), rng.choice(QUERIES)
        body = rng.choice([*JUNK, [spoilt(rng, vendor())], spoilt(rng, answer()), [spoilt(rng, line())]])
        token = (
            {"x-amz-meta-continuationtoken": rng.choice(["", "e30=", "bnVsbA==", "ÿ"])} if rng.random() < 0.2 else {}
        )
        content = json.dumps(body).encode() if rng.random() < 0.95 else b"{\xff"
        headers = {"Content-Type": "application/json", **{key: value.encode() for key, value in token.items()}}
        reply = api.http.request(method, f"{path}?{query}", content=content, headers=headers)
        assert reply.status_code < 500, (method, path, query, body, token, reply.text)
        api.stand_in.clock(advance=rng.choice([0, 0.5, 2]))


def spoilt(rng, body):
    """A good body with one field of another kind."""
    return {**body, rng.choice([*body, "colour"]): rng.choice(JUNK)}


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_random_days_leave_every_record_with_one_outcome(api, seed):  # R12, R76
    rng = random.Random(seed)
    api.stand_in.options({"error_seconds": rng.choice([0, 5]), "failed_line_fails_request": rng.random() < 0.5})
    requests = {}
    for _ in range(STEPS):
        name, rows = batch(rng)
        codes = [row["externalCode"] for row in rows]
        requests[api.written(name, *rows)] = codes
        api.stand_in.clock(advance=rng.choice([0, 0.4, 1, 3]))
    api.stand_in.clock(advance=60)
    statuses = {row["requestId"]: row for row in api.stand_in.state("requestStatus")}
    assert statuses.keys() == requests.keys()
    for request, codes in requests.items():
        items = statuses[request]["systems"][0]["items"]
        assert [item["externalCode"] for item in items] == codes
        assert {item["status"] for item in items} <= FINAL
        failed = sorted(item["externalCode"] for item in items if item["status"] == "Error")
        assert statuses[request]["requestStatus"] == ("Error" if failed else "Success")
        told = [row["externalCode"] for row in api.stand_in.state("errorFeedbacks") if row["requestId"] == request]
        assert sorted(told) == failed
    seen = {item["status"] for row in statuses.values() for item in row["systems"][0]["items"]}
    assert {"Success", "Error", "NotProcessed"} <= seen, "too little happened for a trial"
    vendors = {row["vendorCode"] for row in api.stand_in.state("p2p.vendors")}
    orders = {row["externalCode"]: row["supplierCode"] for row in api.stand_in.state("p2p.matchingOrders")}
    assert {orders[row["orderExternalCode"]] for row in api.stand_in.state("p2p.matchingOrderLines")} <= vendors


def batch(rng):
    """One request that follows the contract and may or may not fit the data."""
    code = rng.choice(CODES)
    number = f"PO {rng.randint(150, 153)}"
    lines = [
        line(n, number, quantity=rng.choice([0, 10, 20]), orderLineCoding=coding()) for n in range(1, rng.randint(2, 4))
    ]
    return rng.choice(
        [
            ("paymentTerms", [term(rng.choice(["15", "30"]))]),
            ("accounts", [account(), account("10-6200", text1=rng.choice(["a", "b"]))]),
            ("costCenters", [cost_center()]),
            ("vendors", [vendor(code, paymentTerms={"paymentTermCode": rng.choice(["15", "30"])})]),
            ("matchingOrders", [order(number, code)]),
            ("matchingOrderLines", lines),
        ]
    )
