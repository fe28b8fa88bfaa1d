"""What P2P makes of a write after the API has taken it."""

import json
import time

import pytest
from tests.sandbox.basware.conftest import NOW, account, coding, errors, line, order, term, vendor


def test_a_write_is_in_progress_until_p2p_has_processed_it(api):  # R12
    request = api.written("paymentTerms", term())
    (status,) = api.rows(f"requestStatus/{request}")
    assert (status["requestStatus"], status["entityType"]) == ("InProgress", "PaymentTerm")
    assert api.outcome_now(request) == {"RIL_term_30": "InProgress"}
    assert api.stand_in.state("p2p.paymentTerms") == []
    assert api.outcome(request) == {"RIL_term_30": "Success"}
    assert [row["paymentTermCode"] for row in api.stand_in.state("p2p.paymentTerms")] == ["30"]


def test_the_error_of_one_record_lands_on_that_record(api):  # R12
    request = api.written("accounts", account(), account("10-6200", companies=[unknown()]))
    assert api.outcome(request) == {"RIL_account_10-6100": "Success", "RIL_account_10-6200": "Error"}
    (status,) = api.rows(f"requestStatus/{request}")
    assert (status["requestStatus"], status["systems"][0]["systemStatus"]) == ("Error", "Error")
    (error,) = status["systems"][0]["items"][1]["errors"]
    assert error == {"type": "Error", "message": "Company XXX does not exist.", "category": "DataValidation"}
    (feedback,) = api.rows("errorFeedbacks")
    assert (feedback["requestId"], feedback["errors"]) == (request, ["Company XXX does not exist."])
    assert json.loads(feedback["errorEntity"])["AccountCode"] == "10-6200"
    assert api.rows(f"errorFeedbacks/{request}") == [feedback]
    assert api.rows("errorFeedbacks/Account/RIL_account_10-6200") == [feedback]
    assert api.rows("errorFeedbacks", entityType="Vendor") == []


def unknown():
    return {"companyCode": "XXX", "inherit": False, "active": True}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"paymentTerms": {"paymentTermCode": "45"}}, "Payment term 45 does not exist."),
        ({"paymentMeans": [{"paymentMeansCode": "CHK", "currencyCode": "SEK"}]}, "Currency SEK is not active."),
        ({"companies": [{"companyCode": "XXX"}]}, "Company XXX does not exist."),
        ({"externalCode": "other"}, "vendorCode ELC001 is in use in RIL by record RIL_vendor_ELC001."),
        ({"paymentMeans": [{"paymentMeansCode": "ACH", "financialAccounts": [{"financialAccountIdentifiers": [
            {"schemeId": "IBAN", "id": "DE02"}, {"schemeId": "IBAN", "id": "DE02"}]}]}]}, "A bank account is given"),
    ],
)  # fmt: skip
def test_a_vendor_that_does_not_fit_the_data_ends_in_error(api, change, message):
    api.master_data()
    (said,) = api.said(api.written("vendors", {**vendor(), **change}))[:1]
    assert said.startswith(message)


def test_what_is_not_set_up_is_left_out_with_a_warning(api):
    api.master_data()
    request = api.written("vendors", vendor(identifiers=[{"id": "1", "schemeId": "DUNS"}]))
    assert api.outcome(request) == {"RIL_vendor_ELC001": "Warning"}
    assert api.rows(f"requestStatus/{request}")[0]["requestStatus"] == "Success"


def test_order_lines_wait_for_their_vendor(api):  # R56
    api.master_data()
    api.written("matchingOrders", order("PO 151", "PAK003"))
    early = api.written("matchingOrderLines", line(1, "PO 151"))
    assert api.said(early) == ["Supplier PAK003 does not exist in company RIL."]
    assert api.stand_in.state("p2p.matchingOrderLines") == []
    api.outcome(api.written("vendors", vendor("PAK003")))
    again = api.written("matchingOrderLines", line(1, "PO 151"))
    assert api.outcome(again) == {"RIL_line_PO 151_1": "Success"}


def test_p2p_tries_a_failing_record_for_a_while(api):
    api.stand_in.options({"error_seconds": 300})
    api.master_data()
    api.written("matchingOrders", order("PO 151", "PAK003"))
    request = api.written("matchingOrderLines", line(1, "PO 151"))
    assert api.outcome(request) == {"RIL_line_PO 151_1": "InProgress"}
    api.written("vendors", vendor("PAK003"))
    assert api.outcome(request) == {"RIL_line_PO 151_1": "Success"}
    lost = api.written("matchingOrderLines", line(1, "PO 999"))
    assert api.outcome(lost) == {"RIL_line_PO 999_1": "InProgress"}
    api.stand_in.clock(advance=300)
    assert api.outcome_now(lost) == {"RIL_line_PO 999_1": "Error"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"orderExternalCode": "nowhere"}, "Order nowhere does not exist."),
        ({"quantity": 0}, "The quantity must be above zero."),
        ({"matchingMode": "Blanket", "quantity": 2}, "The quantity of a Blanket line must be 1."),
        ({"matchingMode": "Service", "quantity": 1}, "A Service line must require a receipt and be matched by it."),
        ({"matchingMode": "Return"}, "A Return line needs a negative price."),
        ({"orderLineCoding": coding(accountCode="10-9999")}, "Account 10-9999 does not exist in company RIL."),
        ({"orderLineCoding": coding(costCenterCode="WH9")}, "Cost center WH9 does not exist in company RIL."),
        ({"goodsReceipts": [{"externalCode": "g", "goodsReceiptNumber": "G1", "quantity": -1}]}, "Goods receipt G1"),
    ],
)
def test_an_order_line_that_does_not_fit_ends_in_error(api, change, message):
    api.master_data()
    api.written("matchingOrders", order())
    (said,) = api.said(api.written("matchingOrderLines", {**line(), **change}))
    assert said.startswith(message)


def test_good_order_lines_of_every_mode_are_taken(api):
    api.master_data()
    api.written("matchingOrders", order())
    both = {"isReceiptRequired": True, "isReceiptBasedMatching": True}
    receipts = [{"externalCode": "g1", "goodsReceiptNumber": "G1", "quantity": 100}]
    receipts += [{"externalCode": "g2", "goodsReceiptNumber": "G2", "quantity": -1, "referenceGRExternalCode": "g1"}]
    request = api.written(
        "matchingOrderLines",
        line(1, orderLineCoding=coding(costCenterCode="WH1"), goodsReceipts=receipts),
        line(2, matchingMode="Service", quantity=1, **both),
        line(3, matchingMode="Blanket", quantity=1),
        line(4, matchingMode="Return", netPrice=-12),
    )
    assert set(api.outcome(request).values()) == {"Success"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"organizationElementCode": "RIL-99"}, "Organization element RIL-99 does not exist in company RIL."),
        ({"currencyCode": "SEK"}, "Currency SEK is not active."),
        ({"externalCode": "twin"}, "Order PO 150 exists as record RIL_order_PO 150."),
    ],
)
def test_an_order_header_that_does_not_fit_ends_in_error(api, change, message):
    api.outcome(api.written("matchingOrders", order()))
    assert api.said(api.written("matchingOrders", {**order(), **change})) == [message]


def test_an_order_header_may_need_its_vendor(api):
    assert api.outcome(api.written("matchingOrders", order())) == {"RIL_order_PO 150": "Success"}
    api.stand_in.options({"header_needs_vendor": True})
    request = api.written("matchingOrders", order("PO 151"))
    assert api.outcome(request) == {"RIL_order_PO 151": "Error"}


def test_the_lines_of_a_request_may_be_saved_together_or_not_at_all(api):
    api.master_data()
    api.written("matchingOrders", order())
    lines = [line(), line(2, quantity=0)]
    api.stand_in.options({"failed_line_fails_request": True})
    request = api.written("matchingOrderLines", *lines)
    assert set(api.outcome(request).values()) == {"Error"}
    assert api.stand_in.state("p2p.matchingOrderLines") == []
    api.stand_in.options({"failed_line_fails_request": False})
    request = api.written("matchingOrderLines", *lines)
    assert list(api.outcome(request).values()) == ["Success", "Error"]


def test_an_unchanged_record_is_not_processed(api):
    api.outcome(api.written("accounts", account()))
    assert api.outcome(api.written("accounts", account())) == {"RIL_account_10-6100": "NotProcessed"}
    assert api.outcome(api.written("accounts", account(text1="x"))) == {"RIL_account_10-6100": "Success"}


def test_a_failed_record_posted_again_as_it_was_is_tried_or_skipped(api):
    wrong = account(companies=[unknown()])
    api.outcome(api.written("accounts", wrong))
    assert api.outcome(api.written("accounts", wrong)) == {"RIL_account_10-6100": "Error"}
    api.stand_in.options({"unchanged_after_error": "skip"})
    api.outcome(api.written("accounts", wrong))
    api.stand_in.edit("companies", {"companyCode": "XXX", "name": "Other"})
    assert api.outcome(api.written("accounts", wrong)) == {"RIL_account_10-6100": "NotProcessed"}
    assert api.stand_in.state("p2p.accounts") == []
    again = {"do": "redistribute", "type": "accounts", "externalCodes": ["RIL_account_10-6100"]}
    api.stand_in.edit("actions", again)
    api.stand_in.clock(advance=2)
    assert len(api.stand_in.state("p2p.accounts")) == 1


def test_of_two_versions_within_a_second_the_older_expires(api):  # R55
    older = api.written("accounts", account())
    api.stand_in.clock(advance=0.5)
    newer = api.written("accounts", account(text1="newer"))
    assert api.outcome(newer) == {"RIL_account_10-6100": "Success"}
    assert api.outcome_now(older) == {"RIL_account_10-6100": "RecordExpired"}
    assert api.stand_in.state("p2p.accounts")[0]["text1"] == "newer"


def test_outcomes_are_listed_and_drop_out_when_acknowledged(api):
    good = api.written("accounts", account())
    bad = api.written("accounts", account("10-6200", companies=[unknown()]))
    api.stand_in.clock(advance=2)
    assert [row["requestId"] for row in api.rows("requestStatus")] == [bad]
    assert [row["requestId"] for row in api.rows("requestStatus", entityType="Account")] == [good, bad]
    assert [row["requestId"] for row in api.rows("requestStatus", status="Success", system="P2P")] == [good]
    assert api.rows("requestStatus", system="Network") == []
    reply = api.post("/v1/requestStatus/acknowledge", {"RequestIds": [good, bad]})
    assert reply.status_code == 200
    assert api.rows("requestStatus", entityType="Account") == []
    assert len(api.rows("requestStatus", status="AcknowledgedError")) == 1
    assert api.rows(f"requestStatus/{good}")[0]["requestStatus"] == "AcknowledgedSuccess"
    again = api.post("/v1/requestStatus/acknowledge", {"requestIds": [good]})
    assert (again.status_code, errors(again)[0][0]) == (405, "METHOD_NOT_ALLOWED")


def test_only_finished_and_known_requests_are_acknowledged(api):
    request = api.written("accounts", account())
    assert api.post("/v1/requestStatus/acknowledge", {"requestIds": [request]}).status_code == 400
    assert api.post("/v1/requestStatus/acknowledge", {"requestIds": ["nothing"]}).status_code == 404
    assert api.post("/v1/requestStatus/acknowledge", {"requestIds": []}).status_code == 400


def test_records_that_are_well_can_be_left_out_in_either_spelling(api):
    request = api.written("accounts", account(), account("10-6200", companies=[unknown()]))
    api.stand_in.clock(advance=2)
    for path, query in (
        (f"requestStatus/{request}", {"ignoreSuccessfulItems": "true"}),
        ("requestStatus", {"ignoreSuccessfullItems": "true"}),
    ):
        (row,) = api.rows(path, **query)
        assert [item["externalCode"] for item in row["systems"][0]["items"]] == ["RIL_account_10-6200"]


def test_a_request_status_may_appear_late(api):
    api.stand_in.options({"status_seconds": 30})
    request = api.written("accounts", account())
    assert api.rows(f"requestStatus/{request}") == []
    api.stand_in.clock(advance=30)
    assert api.outcome_now(request) == {"RIL_account_10-6100": "Success"}


def test_a_technical_error_can_be_asked_for(api):
    wish = {"do": "answer_next", "entityType": "Account", "externalCode": "RIL_account_10-6100"}
    api.stand_in.edit("actions", {**wish, "category": "Technical", "message": "P2P is not there"})
    request = api.written("accounts", account())
    assert api.outcome(request) == {"RIL_account_10-6100": "Error"}
    (status,) = api.rows("requestStatus")
    assert status["systems"][0]["items"][0]["errors"][0]["category"] == "Technical"
    assert api.outcome(api.written("accounts", account())) == {"RIL_account_10-6100": "Success"}


def test_what_people_change_in_p2p_is_shown_or_not(api):
    api.master_data()
    change = {"externalCode": "RIL_vendor_ELC001", "paymentTerms": {"paymentTermCode": "30", "description": "EOM"}}
    api.stand_in.clock(advance=60)
    api.stand_in.edit("vendors", change)
    (row,) = api.rows("vendors", lastUpdated="2026-11-16T12:00:30Z")
    assert (row["paymentTerms"]["description"], row["name"]) == ("EOM", "Electra Components Inc.")
    assert api.outcome(api.written("vendors", vendor())) == {"RIL_vendor_ELC001": "NotProcessed"}
    api.stand_in.options({"vendor_edits": "hidden"})
    api.stand_in.edit("vendors", {**change, "name": "Electra"})
    assert api.rows("vendors")[0]["name"] == "Electra Components Inc."
    assert api.stand_in.state("p2p.vendors")[0]["name"] == "Electra"


def test_outcomes_come_in_their_time_when_the_clock_runs(api):
    api.stand_in.options({"processing_seconds": 0.05})
    api.stand_in.clock(now=NOW, running=True)
    request = api.written("accounts", account())
    deadline = time.monotonic() + 5
    while api.outcome_now(request) == {"RIL_account_10-6100": "InProgress"} and time.monotonic() < deadline:
        time.sleep(0.01)
    assert api.outcome_now(request) == {"RIL_account_10-6100": "Success"}
