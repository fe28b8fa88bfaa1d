"""Master data at the API: the contract, lists and their pages."""

import pytest
from tests.sandbox.basware.conftest import TOKEN, account, cost_center, errors, line, order, term, vendor

KINDS = {
    "vendors": (vendor, "vendorEntities"),
    "accounts": (account, "accounts"),
    "costCenters": (cost_center, "costCenters"),
    "paymentTerms": (term, "paymentTerms"),
    "matchingOrders": (order, "matchingOrders"),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_is_posted_is_read_again(api, name):
    make, list_key = KINDS[name]
    api.stand_in.options({"bare_lists": []})
    row = make()
    reply = api.post(f"/v1/{name}", [row])
    assert reply.status_code == 200
    assert reply.json()[0]["lastUpdated"] == "2026-11-16T12:00:00.000Z"
    (read,) = api.get(f"/v1/{name}").json()[list_key]
    assert read == api.get(f"/v1/{name}/{row['externalCode']}").json()
    plain = {key: value for key, value in row.items() if not key.startswith("valid")}
    assert plain.items() <= read.items()


def test_other_collections_are_served_alike(api):
    rate = {"externalCode": "EURUSD", "rate": 1.08, "currencyCodeFrom": "EUR", "currencyCodeTo": "USD"}
    rate |= {"validFrom": "2026-11-16", "companies": [{"companyCode": "RIL", "active": True}]}
    request = api.written("exchangeRates", rate)
    project = {"externalCode": "P1", "projectCode": "P1", "projectName": "Dock 12", "validFrom": "2026-01-01"}
    project |= {"validUntil": "2027-01-01", "companies": [{"companyCode": "RIL", "active": True}]}
    assert api.post("/v2/projects", [project]).status_code == 200
    tax = {"externalCode": "T1", "taxCode": "A", "taxPercentage": 8, "companies": account()["companies"]}
    tax |= {"taxCodeNames": [{"translation": "Sales tax", "language": "en-US"}]}
    api.written("taxCodes", tax)
    assert api.outcome(request) == {"EURUSD": "Success"}
    assert [row["projectCode"] for row in api.get("/v2/projects").json()["projects"]] == ["P1"]
    assert api.get("/v1/projects").status_code == 404
    assert [row["taxCode"] for row in api.rows("taxCodes")] == ["A"]


def test_lists_are_kept_apart_by_their_key(api):
    api.written("lists/ACC_LIST_1", {"externalCode": "D1", "text_1": "Dock", "number_1": 7})
    request = api.written("lists/ACC_LIST_2", {"externalCode": "D1", "text_1": "Site"})
    assert [row["text_1"] for row in api.rows("lists/ACC_LIST_1")] == ["Dock"]
    assert api.get("/v1/lists/ACC_LIST_2/D1").json()["text_1"] == "Site"
    assert api.rows("lists/INV_LIST_1") == []
    assert api.get("/v1/lists/ACC_LIST_99").status_code == 400
    assert api.outcome(request) == {"D1": "Success"}
    (status,) = api.rows(f"requestStatus/{request}")
    assert (status["entityType"], status["genericListKey"]) == ("GenericList", "ACC_LIST_2")


def test_a_list_without_rows_is_404(api):
    for name in KINDS:
        assert api.get(f"/v1/{name}").status_code == 404
    assert api.get("/v1/vendors/nobody").status_code == 404


def test_vendors_and_order_lines_come_bare_unless_the_site_wraps_them(api):
    api.written("vendors", vendor())
    api.written("accounts", account())
    assert isinstance(api.get("/v1/vendors").json(), list)
    assert isinstance(api.get("/v1/accounts").json(), dict)
    api.stand_in.options({"bare_lists": ["accounts"]})
    assert list(api.get("/v1/vendors").json()) == ["vendorEntities"]
    assert isinstance(api.get("/v1/accounts").json(), list)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "colour is not a field of the contract"),
        ({"vendorCode": None}, "vendorCode is required"),
        ({"vendorCode": ""}, "vendorCode must have at least 1 characters"),
        ({"name": "x" * 251}, "name must have at most 250 characters"),
        ({"eligibleForSourcing": "true"}, "eligibleForSourcing must be true or false"),
        ({"companies": [{}]}, "companies[0].companyCode is required"),
        ({"companies": {"companyCode": "RIL"}}, "companies must be an array"),
        ({"paymentTerms": "30"}, "paymentTerms must be an object"),
        ({"paymentTerms": None}, "paymentTerms must not be null"),
        ({"addresses": [{"externalCode": "a", "name": "A", "addressType": "Home"}]}, "addresses[0].addressType must"),
        ({"orderingDetails": {"orderEmail": "nobody"}}, "orderingDetails.orderEmail must be an e-mail address"),
        ({"orderingDetails": {"minimumOrderAllowed": "5"}}, "orderingDetails.minimumOrderAllowed must be a number"),
    ],
)
def test_a_record_that_breaks_the_contract_is_named(api, change, message):  # R12
    reply = api.post("/v1/vendors", [vendor("PAK003"), {**vendor(), **change}])
    assert reply.status_code == 400
    (error,) = reply.json()["errors"]
    assert (error["externalCode"], error["code"], error["type"]) == (
        "RIL_vendor_ELC001",
        "SCHEMA_VALIDATION_ERROR",
        "VALIDATION",
    )
    assert error["message"].startswith(message)
    assert api.stand_in.state("vendors") == []


def test_a_wrong_record_refuses_its_batch_or_only_itself(api):
    wrong = {**vendor("PAK003"), "name": ""}
    api.stand_in.options({"batch": "each"})
    reply = api.post("/v1/vendors", [vendor(), wrong])
    assert (reply.status_code, [one["externalCode"] for one in reply.json()["errors"]]) == (400, ["RIL_vendor_PAK003"])
    assert [row["vendorCode"] for row in api.rows("vendors")] == ["ELC001"]
    api.stand_in.options({"names_wrong_records": False})
    assert "externalCode" not in api.post("/v1/vendors", [wrong]).json()["errors"][0]


def test_names_are_read_in_any_case_and_answered_in_the_contracts(api):
    row = {name.upper(): value for name, value in vendor().items()}
    (echo,) = api.post("/v1/vendors", [row]).json()
    assert echo["vendorCode"] == "ELC001"
    assert api.rows("vendors", COMPANYCODE="RIL") != []


def test_fields_of_the_server_are_not_taken(api):
    (echo,) = api.post("/v1/vendors", [vendor(lastUpdated="2000-01-01T00:00:00Z", buvid="x")]).json()
    assert echo["lastUpdated"].startswith("2026-11-16")
    assert "buvid" not in echo


@pytest.mark.parametrize("body", [{}, [], None, vendor()])
def test_a_post_takes_an_array(api, body):
    reply = api.post("/v1/vendors", body)
    assert reply.status_code == 400
    assert reply.json()["errors"][0]["code"] == "SCHEMA_VALIDATION_ERROR"


def test_a_post_needs_its_content_type(api):
    reply = api.post("/v1/vendors", [vendor()], headers={"Content-Type": "text/plain"})
    assert errors(reply) == [("PARAMETER_VALIDATION_ERROR", "Content-Type must be application/json.")]
    api.stand_in.options({"content_type": "ignore"})
    assert api.post("/v1/vendors", [vendor()], headers={"Content-Type": "text/plain"}).status_code == 200


@pytest.mark.parametrize(("name", "make", "most"), [("vendors", vendor, 200), ("matchingOrderLines", line, 100)])
def test_a_batch_has_its_limit(api, name, make, most):
    rows = [make() | {"externalCode": f"X{n}"} for n in range(most + 1)]
    assert api.post(f"/v1/{name}", rows).status_code == 400
    assert api.post(f"/v1/{name}", rows[:most]).status_code == 200


def test_a_request_of_more_than_six_megabytes_is_refused(api):
    assert api.post("/v1/accounts", [account(text1="x" * (6 << 20))]).status_code == 413


def test_a_record_given_twice_in_a_batch_is_a_conflict(api):
    reply = api.post("/v1/vendors", [vendor(), vendor()])
    assert reply.status_code == 409
    assert errors(reply) == [("CONFLICT_IN_POST", "The record is given twice.")]


def test_a_post_overwrites_the_whole_record_and_a_patch_only_what_it_sends(api):
    api.written("vendors", vendor(description="Cables"))
    path = "/v1/vendors/RIL_vendor_ELC001"
    reply = api.call("PATCH", path, {"name": "Electra", "description": None})
    assert (reply.status_code, reply.json()["name"], reply.json()["description"]) == (200, "Electra", "Cables")
    api.written("vendors", vendor())
    assert "description" not in api.get(path).json()
    assert api.call("PATCH", "/v1/vendors/nobody", {"name": "x"}).status_code == 404
    reply = api.call("PATCH", path, {"externalCode": "other"})
    assert reply.json()["errors"][0]["code"] == "EXTERNAL_CODE_MISMATCH"


def test_delete_removes_the_copy_of_the_api_and_nothing_in_p2p(api):
    api.master_data()
    path = "/v1/vendors"
    assert api.call("DELETE", path, {"externalCode": "RIL_vendor_ELC001"}).status_code == 200
    assert api.rows("vendors") == []
    assert len(api.stand_in.state("p2p.vendors")) == 1
    assert api.call("DELETE", path, {"externalCode": "RIL_vendor_ELC001"}).status_code == 400
    assert api.call("DELETE", path, {}).status_code == 400
    reply = api.call("DELETE", "/v1/accounts", {"lastUpdated": "0001-01-01"})
    assert (reply.status_code, reply.json()["taskStatus"]) == (202, "InProgress")
    assert api.rows("accounts") == []


def test_pages_follow_a_token_in_headers_until_none_comes(api):  # R16
    api.written("accounts", *(account(f"10-{n}") for n in range(6100, 6107)))
    seen, headers = [], {}
    for _ in range(9):
        reply = api.http.get("/v1/accounts", params={"pageSize": 3}, headers=headers)
        seen.append([row["accountCode"] for row in reply.json()["accounts"]])
        if TOKEN not in reply.headers:
            break
        headers = {TOKEN: reply.headers[TOKEN]}
    assert [len(page) for page in seen] == [3, 3, 1]
    assert sorted(code for page in seen for code in page) == [f"10-{n}" for n in range(6100, 6107)]


def test_a_token_belongs_to_its_parameters_and_may_end(api):
    api.written("accounts", account(), account("10-6200"))
    token = {TOKEN: api.get("/v1/accounts", pageSize=1).headers[TOKEN]}
    for path, query in (("/v1/accounts", {"pageSize": 2}), ("/v1/vendors", {"pageSize": 1})):
        reply = api.get(path, headers=token, **query)
        assert errors(reply)[0][0] == "PARAMETER_VALIDATION_ERROR"
    assert api.get("/v1/accounts", headers={TOKEN: "%%%"}, pageSize=1).status_code == 400
    assert api.get("/v1/accounts", headers=token, pageSize=1).status_code == 200
    api.stand_in.options({"token_life": 60})
    api.stand_in.clock(advance=61)
    assert api.get("/v1/accounts", headers=token, pageSize=1).status_code == 400


def test_rows_that_change_between_pages_shift_a_token_that_is_a_position(api):
    api.written("accounts", *(account(f"10-{n}") for n in range(6100, 6104)))
    for style, second in (("key", ["10-6102", "10-6103"]), ("offset", ["10-6103"])):
        api.stand_in.options({"page_tokens": style})
        token = {TOKEN: api.get("/v1/accounts", pageSize=2).headers[TOKEN]}
        gone = api.stand_in.state("accounts")[0]
        api.call("DELETE", "/v1/accounts", {"externalCode": gone["externalCode"]})
        rows = api.get("/v1/accounts", headers=token, pageSize=2).json()["accounts"]
        assert [row["accountCode"] for row in rows] == second
        if style == "key":
            api.written("accounts", account("10-6100"))
            for code in ("10-6101", "10-6102", "10-6103"):
                api.call("DELETE", "/v1/accounts", {"externalCode": f"RIL_account_{code}"})
            api.call("DELETE", "/v1/accounts", {"externalCode": "RIL_account_10-6100"})
            api.written("accounts", *(account(f"10-{n}") for n in range(6100, 6104)))


@pytest.mark.parametrize("size", ["0", "501", "-1", "ten"])
def test_a_page_size_has_its_bounds(api, size):
    reply = api.get("/v1/accounts", pageSize=size)
    assert errors(reply) == [("PARAMETER_VALIDATION_ERROR", f"pageSize must be from 1 to 500, not {size}.")]


def test_last_updated_leaves_out_what_reached_the_api_by_then(api):  # R13
    api.written("accounts", account())
    api.stand_in.clock(advance=60)
    api.written("accounts", account("10-6200"))

    def since(text):
        return [row["accountCode"] for row in api.rows("accounts", lastUpdated=text)]

    assert since("2026-11-16T12:00:00Z") == ["10-6200"]
    assert since("2026-11-16T13:00:30+01:00") == ["10-6200"]
    assert since("2026-11-16") == ["10-6100", "10-6200"]
    assert since("2026-11-16T12:01:00Z") == []
    api.stand_in.options({"last_updated": "from"})
    assert since("2026-11-16T12:01:00Z") == ["10-6200"]
    assert api.get("/v1/accounts", lastUpdated="soon").status_code == 400


def test_lists_are_filtered_by_company_order_and_status(api):
    other = [{"companyCode": "ROW", "inherit": False, "active": True}]
    api.written("accounts", account(), account("10-6200", companies=other))
    assert [row["accountCode"] for row in api.rows("accounts", companyCode="ROW")] == ["10-6200"]
    api.written("matchingOrders", order(), order("PO 151", isClosed=True))
    assert [row["orderNumber"] for row in api.rows("matchingOrders", orderStatus="Closed")] == ["PO 151"]
    assert len(api.rows("matchingOrders", companyCode="RIL", system="P2P")) == 2
    api.written("matchingOrderLines", line(), line(2), line(1, "PO 151"))
    assert [row["lineNumber"] for row in api.rows("matchingOrderLines", orderExternalCode="RIL_order_PO 150")] == [
        "1",
        "2",
    ]
    assert api.get("/v1/matchingOrderLines").status_code == 400


def test_dates_and_nulls_come_as_the_site_has_them(api):
    api.written("paymentTerms", term())
    (row,) = api.rows("paymentTerms")
    assert (row["validFrom"], "sortOrder" in row) == ("2000-01-01T00:00:00", False)
    api.stand_in.options({"dates": "plain", "null_fields": "show"})
    (row,) = api.rows("paymentTerms")
    assert (row["validFrom"], row["sortOrder"]) == ("2000-01-01", None)


def test_companies_are_read(api):
    (row,) = api.rows("companies")
    assert (row["companyCode"], row["homeCurrency"]) == ("RIL", "USD")
    assert api.get("/v1/companies/RIL").json()["companyCode"] == "RIL"
    assert api.get("/v1/companies/NONE").status_code == 404
