"""A walk through the API, every exchange held against the vendor's description (see published)."""

import pytest
from tests.sandbox.procurify.conftest import revision, vendor
from tests.sandbox.procurify.published import FILE, Contract, Held, needed

from ml_connector import sandbox

pytestmark = needed

LISTS = (
    *("/api/v3/vendors/", "/api/v3/account-codes/", "/api/v3/accounts/", "/api/v3/departments/", "/api/v2/locations/"),
    *("/api/v2/currencies/", "/api/v3/users/", "/api/v3/order-items/", "/api/v2/global/order_items/"),
    *("/api/v2/global/orders/", "/api/v3/receipt/items/", "/api/v3/ap/bills/", "/api/v2/ap/items/"),
    *("/api/public/v1/payments/", "/api/v2/ap/company-payment-methods/", "/api/v2/ap/vendor-payment-methods/"),
    *("/api/v2/purchase_orders/purchased/all/", "/api/v2/purchase_orders/receivable/open/"),
    *("/api/v3/purchase-orders/billing-history/", "/api/v3/users/me/", "/api/v2/locations/1/"),
)
ADDRESS = {"name": "Dock", "addressLineOne": "1 Road", "city": "Reno", "postalCode": "8", "country": "USA"}


@pytest.fixture(scope="session")
def contract():
    return Contract(FILE)


@pytest.fixture
def held(stand_in, contract):
    client = Held(stand_in, contract)
    yield client
    client.http.close()


def every_document(held):
    for order in held.rows("/api/v2/purchase_orders/purchased/all/"):
        held.one(f"/api/v2/purchase_orders/{order['procurify_PO']}/")
    for bill in held.rows("/api/v3/ap/bills/"):
        held.one(f"/api/v2/ap/bills/{bill['uuid'].replace('-', '')}/")


def test_every_list_and_every_document_of_the_story(held):
    stand_in = held.stand_in
    stand_in.edit("payment-methods", {"name": "Bank", "type": 2, "data": {"account": "****1234"}, "vendor": 2})
    stand_in.edit("payment-methods", {"name": "Main", "type": 1, "gl_code": "10-1010"})
    held.do("request", lines=[{"name": "Relays", "vendor": "Pakko Packaging LLC", "account": "10-6100"}])
    held.do("receive", order="PF150", line=1, quantity=40)
    held.do("pay_bill", invoice="PK-500", date="2026-11-20", reference="CHK 7")
    held.do("enter_bill", invoice="D-1", vendor="TRN004", items=[{"account": "10-6300", "unit_cost": "7.125"}])
    stand_in.edit("bills", {"id": 2, "last_export_date": "2026-11-15"})
    split = [{"account": "10-6100", "amount": 6}, {"account": "10-6200", "amount": 4}]
    held.do("add_line", order="PF151", name="Split", quantity=1, price="10", account="10-6100", allocations=split)
    held.do("add_line", order="PF151", name="Blanket", quantity=None, price="10", account="10-6100", type=2)
    held.do("cancel_order", order="PF152")
    for path in LISTS:
        assert held.get(path).status_code == 200
    for path in LISTS[:17]:
        assert held.get(path, page_size=1, page=1).status_code == 200
    every_document(held)
    stand_in.options({"removed": []})
    assert held.get("/api/v2/ap/payments/").status_code == 200


def test_every_document_of_the_seeded_company(contract):
    with sandbox.start("procurify", seed=3, options={"bills": 90, "max_page_size": 500}) as stand_in:
        client = Held(stand_in, contract)
        for path in LISTS:
            assert client.get(path, page_size=500).status_code == 200
        every_document(client)
        assert sum(path.startswith("/api/v2/ap/bills/") for _, path, _ in client.seen) == 90


def test_every_write(held):
    row = held.taken("POST", "/api/v3/vendors/", vendor(payment_term_ref={"name": "30 days"}, currency=1))
    path = f"/api/v3/vendors/{row['id']}/"
    held.one(path)
    held.taken("PATCH", path, {"external_id": "KAB006"})
    held.taken("PUT", path, vendor(overall_score="4.5", email_configurations={"a@b.example": {"auto_po": True}}))
    code = held.taken("POST", "/api/v3/account-codes/", {"code": "10-7", "description": "x", "departments": [1]})
    held.taken("PUT", f"/api/v3/account-codes/{code['id']}/", {"code": "10-7", "description": "y"})
    place = held.taken("POST", "/api/v3/departments/", {"name": "WH1", "branch": 1, "external_id": "WH1"})
    held.taken("PUT", f"/api/v3/departments/{place['id']}/", {"name": "Warehouse", "branch": 1, "active": False})
    addresses = {"primary_billing_address": ADDRESS, "primary_shipping_address": ADDRESS, "shipping_addresses": []}
    held.taken("POST", "/api/v2/locations/", {"name": "Reno", "currency": "USD", "phoneOne": "1", **addresses})
    receipt = {"order_item": 1, "pass_quantity": "2", "fail_quantity": "0.5"}
    held.taken("POST", "/api/v3/receipt/items/", receipt)
    line = {"item_name": "Relays", "vendor_name": "Pakko Packaging LLC", "account_code": "10-6100", "unit": "EA"}
    line |= {"unit_price": "1.5", "quantity": "2", "currency_code": "USD", "custom_fields": []}
    wish = {"required_date": "2026-12-01", "location_name": "Chicago", "department_name": "Operations"}
    held.taken("POST", "/api/v3/requisitions/", {**wish, "line_items": [line]})
    body = revision(held.order("PF151"))
    held.taken("PUT", "/api/v3/purchase-orders/2/", body)
    held.taken("PUT", "/api/v2/purchase_order/revise/2/", {**body, "version": 2})
    held.taken("POST", "/api/v3/purchase-orders/2/close/")
    assert held.call("POST", "/api/v3/purchase-orders/2/reopen/").status_code == 200
    mark = {"bill_uuids": [held.bill("PK-500")["uuid"]], "payment_date": "2026-11-20"}
    assert held.call("POST", "/api/v3/ap/bills/mark-as-paid/", mark).status_code == 200
    every_document(held)
    assert held.rows("/api/public/v1/payments/")[0]["status"] == "paid"
