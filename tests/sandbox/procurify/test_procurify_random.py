"""Whatever clients send and people do in whatever order: no failure of the stand-in itself, and sums that hold."""

import json
import random
from decimal import Decimal

import pytest
from tests.sandbox.procurify.conftest import revision, vendor

from ml_connector.sandbox import BadInput

STEPS = 250
JUNK = (None, True, 5, -1.5, "", "x", [], {}, [None], [{}], {"name": {}}, "ü" * 3000, "\x00", "1e999", "NaN", "-")
QUERIES = (
    *("", "page_size=1&page=2", "page_size=9999999999999", "page=-1", "search=%00", "order_by=-", "format=csv"),
    *("last_modified_datetime_0=0001-01-01T00:00:00%2B05:00", "modified_date_0=9999-12-31", "vendor[]=x,1", "type=x"),
    *(
        "total_0=NaN&total_1=-.5",
        "bill_uuid=%F0%9F%98%80",
        "order_by=metadata",
        "status=draft,,paid",
        "currency=%D9%A1",
    ),
)
PATHS = (
    *("/api/v3/vendors/", "/api/v3/vendors/2/", "/api/v3/vendors/x/", "/api/v3/departments/", "/api/v3/departments/1/"),
    *(
        "/api/v3/account-codes/",
        "/api/v3/account-codes/1/",
        "/api/v3/accounts/",
        "/api/v2/locations/",
        "/api/v3/users/",
    ),
    *("/api/v2/currencies/", "/api/v3/order-items/", "/api/v2/global/orders/", "/api/v3/receipt/items/"),
    *("/api/v3/requisitions/", "/api/v3/ap/bills/", "/api/v3/ap/bills/mark-as-paid/", "/api/v2/ap/items/"),
    *("/api/public/v1/payments/", "/api/v2/purchase_orders/purchased/all/", "/api/v2/purchase_orders/1/"),
    *("/api/v3/purchase-orders/1/", "/api/v3/purchase-orders/1/close/", "/api/v3/purchase-orders/²/reopen/"),
    *("/api/v2/ap/bills/5b1c7e204f6d4a389d02000000000001/", "/api/v2/ap/payments/", "/oauth/token", "/", "/api//"),
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_that_a_client_sends_makes_the_stand_in_fail(api, seed):
    rng = random.Random(seed)
    api.stand_in.options({"bill_patch": True})
    bodies = [vendor(), revision(api.order("PF150")), {"code": "1", "description": "2"}, {"name": "n", "branch": 1}]
    bodies.append({"bill_uuids": ["x"], "payment_date": "2026-11-20", "bill_group_ids": []})
    bodies.append({"order_item": 1, "pass_quantity": "1", "fail_quantity": "0"})
    answered = set()
    for _ in range(STEPS):
        method, path = rng.choice(["GET", "POST", "PATCH", "PUT", "DELETE"]), rng.choice(PATHS)
        good = rng.choice(bodies)
        body = rng.choice([good, {**good, rng.choice(list(good)): rng.choice(JUNK)}, rng.choice(JUNK)])
        content = json.dumps(body).encode() if rng.random() < 0.95 else b"{\xff"
        headers = {"Content-Type": "application/json"}
        reply = api.http.request(method, f"{path}?{rng.choice(QUERIES)}", content=content, headers=headers)
        assert reply.status_code < 500, (method, reply.request.url, body, reply.text)
        answered.add(reply.status_code)
    assert answered >= {200, 400, 404, 405}, "too little happened for a trial"
    for path in PATHS[:1]:
        assert api.get(path).status_code == 200


def step(rng, api):
    order, bill = rng.choice(["PF150", "PF151", "PF152"]), rng.choice(["PK-500", "TF-90", "NK-77", "ELC-1004"])
    quantity = rng.choice([1, "2.5", 66])
    return rng.choice(
        [
            {"do": "edit_order", "order": order, "lines": [{"line": 1, "quantity": quantity}]},
            {
                "do": "add_line",
                "order": order,
                "name": "More",
                "account": "10-6200",
                "quantity": quantity,
                "price": "3.33",
            },
            {"do": "cancel_line", "order": order, "line": rng.randint(1, 3)},
            {"do": rng.choice(["cancel_order", "close_order", "reopen_order"]), "order": order},
            {"do": "receive", "order": order, "line": 1, "quantity": quantity},
            {"do": rng.choice(["submit_bill", "approve_bill", "deny_bill", "withdraw_bill"]), "invoice": bill},
            {"do": "pay_bill", "invoice": bill},
            {"do": "edit_bill", "invoice": bill, "fields": {"note": "again"}},
        ]
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_days_keep_versions_rising_and_sums_whole(api, seed):  # R22, R42
    rng = random.Random(seed)
    versions, lines, done = {}, {}, 0
    for _ in range(60):
        try:
            api.stand_in.edit("actions", step(rng, api))
            done += 1
        except BadInput:
            pass
        api.stand_in.clock(advance=1)
        for row in api.rows("/api/v2/purchase_orders/purchased/all/"):
            order = api.one(f"/api/v2/purchase_orders/{row['procurify_PO']}/")
            number, ids = order["number"], [line["id"] for line in order["order_items"]]
            assert order["version"] >= versions.get(number, 1)
            assert ids[: len(lines.get(number, []))] == lines.get(number, []), "lines keep their ids"
            versions[number], lines[number] = order["version"], ids
            live = [Decimal(line["total_cost"]) for line in order["order_items"] if line["is_active"]]
            assert Decimal(order["total"]) == sum(live, Decimal(0))
    assert done > 15, "too little happened for a trial"
    paid = {bill["payment"] for bill in api.stand_in.state("bills") if bill["status"] == 4}
    assert paid == {payment["id"] for payment in api.stand_in.state("payments")}
