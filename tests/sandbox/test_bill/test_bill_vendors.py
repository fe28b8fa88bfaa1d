"""Vendors and classifications."""

import pytest

ADDRESS = {"line1": "1 Dock Road", "city": "Reno", "zipOrPostalCode": "89501", "country": "US"}


def without(address, name):
    return {key: value for key, value in address.items() if key != name}


def test_a_new_vendor_has_an_id_and_stamps(bill):
    vendor = bill.vendor(shortName="PAK003", additionalInfo={"taxId": "12-3456789", "taxIdType": "EIN"})
    assert vendor["id"].startswith("009")
    assert len(vendor["id"]) == 20
    assert vendor["createdTime"] == vendor["updatedTime"] == "2026-11-16T06:00:00.000+00:00"
    assert (vendor["archived"], vendor["billCurrency"]) == (False, "USD")


def test_unset_fields_are_left_out(bill):
    vendor = bill.vendor(email=None)
    assert "email" not in vendor
    assert "phone" not in vendor


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": "A"}, "address: must not be null"),
        ({"address": ADDRESS}, "name: must not be null"),
        ({"name": " ", "address": ADDRESS}, "name: must not be blank"),
        ({"name": "A", "address": without(ADDRESS, "city")}, "address.city: must not be null"),
        ({"name": "A", "address": {**ADDRESS, "line1": ""}}, "address.line1: must not be blank"),
        (
            {"name": "A", "address": {**ADDRESS, "country": "USA"}},
            "address.country: must be an ISO 3166-1 alpha-2 country code",
        ),
        (
            {"name": "A", "address": ADDRESS, "accountType": "FIRM"},
            "accountType: must be one of BUSINESS, PERSON, NONE, UNDEFINED",
        ),
        ({"name": 5, "address": ADDRESS}, "name: must be a string"),
    ],
)
def test_a_vendor_with_a_wrong_field_is_refused(bill, refused, body, message):
    assert refused(bill.post("/vendors", body)) == (400, None, message)
    assert bill.stand_in.state("vendors") == []


@pytest.mark.parametrize(("field", "longest"), [("name", 100), ("shortName", 40)])
def test_a_text_that_is_too_long_is_refused(bill, refused, field, longest):
    body = {"name": "A", "address": ADDRESS}
    assert bill.post("/vendors", {**body, field: "x" * longest}).status_code == 201
    status, code, message = refused(bill.post("/vendors", {**body, field: "x" * (longest + 1)}))
    assert (status, code) == (400, "BDC_1143")
    assert message.endswith(f"{field}: Maximum length cannot be greater than {longest} characters.")


def test_every_wrong_field_is_named(bill):
    reply = bill.post("/vendors", {"address": {"country": "US"}})
    assert len(reply.json()) == 4


def test_unknown_properties_are_ignored_or_refused(bill):
    body = {"name": "A", "address": ADDRESS, "colour": "red"}
    assert "colour" not in bill.post("/vendors", body).json()
    bill.stand_in.options({"unknown_property": "reject"})
    assert bill.post("/vendors", body).status_code == 400


def test_a_body_that_is_no_json_is_refused(bill, refused):
    reply = bill.http.post(f"{bill.stand_in.settings['base_url']}/v3/vendors", content=b"{")
    assert refused(reply)[:2] == (400, "BDC_1122")


def test_a_repeated_name_makes_a_second_vendor_unless_refused(bill):
    assert bill.vendor("A")["id"] != bill.vendor("A")["id"]
    bill.stand_in.options({"vendor_duplicate_name": "reject"})
    assert bill.post("/vendors", {"name": "A", "address": ADDRESS}).status_code == 422


def test_a_patch_changes_only_what_it_names(bill):
    vendor = bill.vendor(phone="1", email="a@example.com")
    bill.stand_in.clock(advance=60)
    changed = bill.patch(f"/vendors/{vendor['id']}", {"phone": "2", "email": None, "address": {"city": "Elko"}}).json()
    assert (changed["phone"], changed["address"]) == ("2", {**ADDRESS, "city": "Elko"})
    assert "email" not in changed
    assert changed["updatedTime"] > vendor["updatedTime"]


def test_a_vendor_cannot_be_put_or_deleted(bill, vendor):
    assert bill.put(f"/vendors/{vendor}", {}).status_code == 404
    assert bill.call("DELETE", f"/vendors/{vendor}").status_code == 404


def test_archive_and_restore_are_idempotent(bill, vendor):
    for action, archived in (("archive", True), ("restore", False)):
        first = bill.post(f"/vendors/{vendor}/{action}")
        bill.stand_in.clock(advance=60)
        second = bill.post(f"/vendors/{vendor}/{action}")
        assert first.status_code == second.status_code == 200
        assert second.json()["archived"] is archived
        assert first.json() == second.json()


def test_a_list_row_has_fewer_fields_than_the_vendor_itself(bill):
    vendor = bill.vendor(additionalInfo={"taxId": "1"})
    assert "additionalInfo" not in bill.rows("/vendors")[0]
    assert bill.read(f"/vendors/{vendor['id']}")["additionalInfo"] == {"taxId": "1"}


def test_bulk_creates_up_to_20_vendors(bill):
    bodies = [{"name": f"V{n}", "address": ADDRESS} for n in range(21)]
    assert bill.post("/vendors/bulk", bodies).status_code == 400
    reply = bill.post("/vendors/bulk", bodies[:20])
    assert reply.status_code == 201
    assert [row["name"] for row in reply.json()["vendors"]] == [body["name"] for body in bodies[:20]]


def test_bulk_is_all_or_nothing(bill):
    reply = bill.post("/vendors/bulk", [{"name": "A", "address": ADDRESS}, {"name": "B"}])
    assert reply.status_code == 400
    rolled_back, wrong = reply.json()
    assert rolled_back["code"] == "BDC_1246"
    assert wrong["message"] == "address: must not be null"
    assert wrong["params"] == [{"name": "index", "value": 1, "additional": {}}]
    assert bill.stand_in.state("vendors") == []


def test_auto_pay_needs_a_trusted_session(bill, refused):
    reply = bill.post("/vendors", {"name": "A", "address": ADDRESS, "autoPay": {"enabled": True}})
    assert refused(reply) == (403, "BDC_1361", "Untrusted session.")


def test_the_seeded_chart_lacks_one_account_and_has_one_archived(bill):
    rows = bill.stand_in.state("chart-of-accounts")
    numbers = {row["account"]["number"]: row["archived"] for row in rows}
    assert "10-6999" not in numbers
    assert [number for number, archived in numbers.items() if archived] == ["10-6750"]
    assert numbers["10-6100"] is False
    assert {row["shortName"] for row in bill.stand_in.state("departments")} >= {"WH1", "WH2"}


def test_classifications_are_wrapped_under_their_kind(bill):
    reply = bill.post("/classifications/chart-of-accounts/bulk", [{"name": "Sundry", "account": {"number": "007"}}])
    assert reply.status_code == 201
    account = reply.json()["chartOfAccounts"][0]
    assert account["id"].startswith("0ca")
    assert account["account"]["number"] == "007"
    reply = bill.post("/classifications/accounting-classes/bulk", [{"name": "East"}])
    assert reply.json()["accountingClasses"][0]["id"].startswith("cls")


@pytest.mark.parametrize("kind", ["accounting-classes", "departments", "locations", "jobs", "items"])
def test_every_kind_can_be_created_changed_archived_and_restored(bill, kind):
    base = f"/classifications/{kind}"
    row = bill.post(base, {"name": "One"}).json()
    assert bill.patch(f"{base}/{row['id']}", {"shortName": "1"}).json()["shortName"] == "1"
    bulk = bill.patch(f"{base}/bulk", [{"id": row["id"], "name": "Two"}]).json()
    assert next(iter(bulk.values()))[0]["name"] == "Two"
    assert bill.post(f"{base}/{row['id']}/archive").json()["archived"] is True
    assert bill.post(f"{base}/{row['id']}/restore").json()["archived"] is False
    bill.call("POST", f"{base}/bulk/archive", ids=row["id"])
    assert bill.read(f"{base}/{row['id']}")["archived"] is True


def test_employees_have_two_names(bill, refused):
    assert refused(bill.post("/classifications/employees", {"name": "A"}))[2] == "firstName: must not be null"
    body = {"firstName": "A", "lastName": "B"}
    assert bill.post("/classifications/employees", body).json()["id"].startswith("emp")


def test_archiving_a_parent_account_archives_its_children_and_restoring_it_does_not(bill):
    base = "/classifications/chart-of-accounts"
    parent = bill.post(base, {"name": "Parent"}).json()["id"]
    child = bill.post(base, {"name": "Child", "parentId": parent}).json()["id"]
    bill.post(f"{base}/{parent}/archive")
    assert bill.read(f"{base}/{child}")["archived"] is True
    bill.post(f"{base}/{parent}/restore")
    assert bill.read(f"{base}/{child}")["archived"] is True


def test_the_parent_of_an_account_can_be_hidden(bill):
    base = "/classifications/chart-of-accounts"
    parent = bill.post(base, {"name": "Parent"}).json()["id"]
    child = bill.post(base, {"name": "Child", "parentId": parent}).json()["id"]
    bill.stand_in.options({"coa_show_parent": False})
    assert "parentId" not in bill.read(f"{base}/{child}")
