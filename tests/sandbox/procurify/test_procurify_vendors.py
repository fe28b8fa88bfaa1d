"""Vendors and the other reference records."""

import pytest
from tests.sandbox.procurify.conftest import errors, vendor

VENDORS = "/api/v3/vendors/"
DEPARTMENTS = "/api/v3/departments/"
CODES = "/api/v3/account-codes/"
ADDRESS = {"name": "Dock", "addressLineOne": "1 Road", "city": "Reno", "postalCode": "8", "country": "USA"}


def test_a_vendor_is_made_read_and_changed(api):
    row = api.taken("POST", VENDORS, vendor(external_id="KAB006", currency=1, payment_term_ref={"name": "15 days"}))
    assert row["dateModified"] == "2026-11-16T12:00:00Z"
    assert row["payment_term_ref"] == {"id": 15, "name": "15 days", "description": "", "active": True}
    assert api.one(f"{VENDORS}{row['id']}/") == row
    api.stand_in.clock(advance=60)
    changed = api.taken("PATCH", f"{VENDORS}{row['id']}/", {"phoneOne": "+1 1", "comments": None})
    assert (changed["phoneOne"], changed["comments"], changed["name"]) == ("+1 1", None, "Kabelwerk AG")
    assert changed["dateModified"] == "2026-11-16T12:01:00Z"
    assert [row["name"] for row in api.rows(VENDORS, external_id="KAB006")] == ["Kabelwerk AG"]


def test_an_empty_patch_only_moves_the_stamp(api):
    before = api.one(f"{VENDORS}2/")
    after = api.taken("PATCH", f"{VENDORS}2/", {})
    assert after["dateModified"] == "2026-11-16T12:00:00Z" > before["dateModified"]
    differing = {name for name in after if after[name] != before[name]}
    assert differing == {"dateModified"}


def test_put_needs_all_that_post_needs(api):
    assert errors(api.call("PUT", f"{VENDORS}2/", {"name": "x"})) == dict.fromkeys(
        ("email", "type", "overall_score"), "REQUIRED"
    )
    row = api.taken("PUT", f"{VENDORS}2/", vendor("Electra", payment_term_ref={"name": "14 days"}))
    assert (row["name"], row["payment_term_ref"]) == ("Electra", 14)


@pytest.mark.parametrize(
    ("wrong", "field", "code"),
    [
        ({"name": ""}, "name", "INVALID"),
        ({"name": "x" * 151}, "name", "INVALID"),
        ({"name": None}, "name", "NULL"),
        ({"email": "a@b.example"}, "email", "INVALID"),
        ({"email": ["a@b"]}, "email.0", "INVALID"),
        ({"type": 8}, "type", "INVALID"),
        ({"type": "3"}, "type", "INVALID"),
        ({"overall_score": 4.5}, "overall_score", "INVALID"),
        ({"overall_score": "123.4"}, "overall_score", "INVALID"),
        ({"external_id": "x" * 101}, "external_id", "INVALID"),
        ({"currency": 99}, "currency", "DOES_NOT_EXIST"),
        ({"payment_term_ref": {"name": "never"}}, "payment_term_ref", "DOES_NOT_EXIST"),
        ({"payment_term_ref": {}}, "payment_term_ref.name", "REQUIRED"),
        ({"active": "yes"}, "active", "INVALID"),
        ({"name": "NORDKABEL gmbh "}, "name", "UNIQUE"),
        ({"external_id": "NOR002"}, "external_id", "UNIQUE"),
        ({"email_configurations": {"a": 1}}, "email_configurations", "INVALID"),
    ],
)
def test_what_a_vendor_may_not_be(api, wrong, field, code):
    before = api.stand_in.state("vendors")
    assert errors(api.call("POST", VENDORS, vendor(**wrong))) == {field: code}
    assert api.stand_in.state("vendors") == before


def test_a_name_belongs_to_one_active_vendor(api):
    api.stand_in.edit("vendors", {"id": 3, "active": False})
    row = api.taken("POST", VENDORS, vendor("Nordkabel GmbH"))
    assert errors(api.call("PATCH", f"{VENDORS}3/", {"active": True})) == {"name": "UNIQUE"}
    assert errors(api.call("PATCH", f"{VENDORS}{row['id']}/", {"external_id": "NOR002"})) == {"external_id": "UNIQUE"}
    api.stand_in.options({"duplicate_vendors": "accept"})
    api.taken("PATCH", f"{VENDORS}3/", {"active": True, "external_id": "TRN004"})
    assert len(api.rows(VENDORS, external_id="TRN004")) == 2


def test_groups_of_vendors(api):
    api.stand_in.edit("vendors", {"id": 5, "active": False})
    assert [row["id"] for row in api.rows(VENDORS)] == [1, 2, 3, 4, 6, 7]
    assert [row["id"] for row in api.rows(f"{VENDORS}all/")] == [1, 2, 3, 4, 5, 6, 7]
    assert [row["id"] for row in api.rows(f"{VENDORS}default/")] == [1, 2, 3, 4, 6]
    assert [row["id"] for row in api.rows(f"{VENDORS}all/", type=5)] == [7]
    assert [row["id"] for row in api.rows(VENDORS, exclude_other="true")] == [2, 3, 4, 6, 7]
    assert api.get(f"{VENDORS}none/").status_code == 404
    assert api.get(f"{VENDORS}99/").status_code == 404


def test_a_department_is_made_and_replaced(api):
    row = api.taken("POST", DEPARTMENTS, {"name": "WH1", "branch": 1, "external_id": "WH1"})
    assert (row["branch"], row["active"]) == ({"id": 1, "name": "Chicago", "headquarter": True}, True)
    path = f"{DEPARTMENTS}{row['id']}/"
    assert api.taken("PUT", path, {"name": "Warehouse Chicago", "branch": 1, "active": False})["active"] is False
    assert [row["name"] for row in api.rows(DEPARTMENTS)] == ["Operations", "R&D", "Warehouse Chicago"]
    assert api.rows(DEPARTMENTS, search="ware")[0]["external_id"] == "WH1"
    wrong = api.call("POST", DEPARTMENTS, {"name": "R&D", "branch": 1, "external_id": "WH1"})
    assert errors(wrong) == {"name": "UNIQUE", "external_id": "UNIQUE"}
    assert errors(api.call("POST", DEPARTMENTS, {"name": "x", "branch": 9})) == {"branch": "DOES_NOT_EXIST"}
    assert errors(api.call("PUT", path, {"name": "x"})) == {"branch": "REQUIRED"}
    assert api.call("PUT", f"{DEPARTMENTS}99/", {"name": "x", "branch": 1}).status_code == 404


def test_an_account_code_is_made_with_its_accounts_and_replaced(api):
    row = api.taken("POST", CODES, {"code": "10-7000", "description": "New", "departments": [1, 2], "account_type": 2})
    assert (row["applied_accounts_count"], row["code_length"], row["active"]) == (2, 7, True)
    accounts = api.rows("/api/v3/accounts/", account_code=row["id"])
    assert [one["department"]["name"] for one in accounts] == ["Operations", "R&D"]
    assert [one["account_code"]["code"] for one in api.rows("/api/v3/accounts/", departments=2)] == ["10-7000"]
    path = f"{CODES}{row['id']}/"
    assert api.taken("PUT", path, {"code": "10-7001", "description": "Newer"})["code"] == "10-7001"
    assert errors(api.call("PUT", path, {"code": "10-6100", "description": "x"})) == {"code": "UNIQUE"}
    assert errors(api.call("POST", CODES, {"code": "y"})) == {"description": "REQUIRED"}
    assert errors(api.call("POST", CODES, {"code": "y", "description": "y", "departments": [9]})) == {
        "departments": "DOES_NOT_EXIST"
    }
    assert [one["code"] for one in api.rows(CODES, code="10-6100")] == ["10-6100"]


def test_currencies_have_rates_and_one_is_the_base(api):
    rows = {row["name"]: (row["rate"], row["base"]) for row in api.rows("/api/v2/currencies/")}
    assert rows == {"USD": ("1.000000", True), "EUR": ("1.080000", False)}
    assert [row["name"] for row in api.rows("/api/v2/currencies/", base="true")] == ["USD"]
    api.stand_in.edit("currencies", {"name": "GBP", "rate": "1.27", "description": "Pound"})
    assert [row["name"] for row in api.rows("/api/v2/currencies/", rate="1.27")] == ["GBP"]


def test_a_superuser_makes_a_location(api):
    body = {"name": "Reno", "currency": "USD", "phoneOne": "1", "shipping_addresses": [ADDRESS]}
    body |= {"primary_billing_address": ADDRESS, "primary_shipping_address": ADDRESS}
    row = api.taken("POST", "/api/v2/locations/", body)
    assert (row["name"], row["currency"]["name"], len(row["shipping_addresses"])) == ("Reno", "USD", 1)
    assert api.one(f"/api/v2/locations/{row['id']}/") == row
    assert errors(api.call("POST", "/api/v2/locations/", {**body, "name": "x", "currency": "X"})) == {
        "currency": "DOES_NOT_EXIST"
    }
    assert errors(api.call("POST", "/api/v2/locations/", {**body, "name": "x", "url": "reno"})) == {"url": "INVALID"}
    incomplete = {**body, "primary_billing_address": {**ADDRESS, "city": ""}}
    assert errors(api.call("POST", "/api/v2/locations/", incomplete)) == {"primary_billing_address.city": "INVALID"}


def test_users_can_be_listed(api):
    assert [row["email"] for row in api.rows("/api/v3/users/", is_active="true", search="bo")] == [
        "bo.larsen@rilling.example"
    ]
