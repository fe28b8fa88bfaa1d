"""Master data: accepted is not done. What becomes of each record is asked for, over real HTTP."""

from __future__ import annotations

import json
from datetime import timedelta

import msgspec
import pytest

from ml_connector.domain.records import AccountType, GlAccount, PaymentTerm
from ml_connector.systems.base import (
    Accepted,
    Asynchronous,
    Batched,
    DocumentState,
    Foresees,
    OutcomeUnknown,
    Ref,
    Refused,
    Transient,
)

from .conftest import NOW, Opened
from .site import Reply, echo, status

KEY = "100_V_ELC001"
MARK = "mlc0000000001"
HANDLE = f"request-9|{KEY}"
VENDORS = "/v1/vendors"


@pytest.fixture
def target(p2p: Opened):
    p2p.site.on("POST", VENDORS, echo)
    return p2p.client.target("supplier", {})


def held(p2p: Opened, target, record) -> dict:
    """Has the site hold what would be sent of a record, as Basware gives it back."""
    sent = target.kind.to_wire(record, target.kind.key(record))
    row = {**sent, "lastUpdated": "2026-11-15T10:00:00Z", "buvid": None}
    p2p.site.on("GET", f"{target.kind.path}/{target.kind.key(record)}", Reply(200, json.loads(json.dumps(row))))
    return row


def feedback(code: str, *texts: str, request_id: str = "request-9") -> Reply:
    row = {"requestId": request_id, "externalCode": code, "entityType": "Vendor", "errors": list(texts)}
    return Reply(200, {"errorList": [row]})


def outcome(p2p: Opened, request_id: str, *answers: Reply) -> None:
    p2p.site.on("GET", f"/v1/requestStatus/{request_id}", *answers)


def error(text: str, category: str = "DataValidation") -> dict:
    return {"status": "Error", "errors": [{"type": "Error", "message": text, "category": category}]}


# --- accepted, then decided ---


def test_a_record_is_sent_in_an_array_under_its_own_key(p2p, target, make_supplier):  # R6
    accepted = target.create(make_supplier(), MARK)
    assert accepted == Accepted(f"request-2|{KEY}")
    (sent,) = p2p.site.calls("POST", VENDORS)
    assert [row["externalCode"] for row in sent.json] == [KEY]
    assert sent.headers["content-type"] == "application/json"


def test_the_targets_say_by_their_type_what_they_can_do(p2p):
    for name in ("supplier", "gl_account", "cost_center", "payment_term", "tax_code"):
        made = p2p.client.target(name, {})
        assert isinstance(made, Asynchronous) and isinstance(made, Batched), name
    assert isinstance(p2p.client.target("purchase_order", {}), Asynchronous)
    assert isinstance(p2p.client.target("payment", {}), Asynchronous)
    assert isinstance(p2p.client.target("supplier", {}), Foresees)


def test_it_counts_only_once_p2p_has_it(p2p, target, make_supplier):  # R12
    accepted = target.create(make_supplier(), MARK)
    request = "request-2"
    answers = [Reply(404), status(request, {}, "InProgress"), status(request, {KEY: "InProgress"}, "InProgress")]
    outcome(p2p, request, *answers, status(request, {KEY: "Success"}))
    said = []
    for number in range(4):
        p2p.wait(NOW + timedelta(seconds=10 * number))
        said.append(target.outcome(accepted.handle, make_supplier(), MARK))
    assert said == [None, None, None, Ref(KEY)]
    assert p2p.site.writes() == [("POST", VENDORS)]


@pytest.mark.parametrize("word", ["Success", "Warning"])
def test_a_warning_is_in(p2p, target, make_supplier, word):
    outcome(p2p, "request-9", status("request-9", {KEY: word}))
    assert target.outcome(HANDLE, make_supplier(), MARK) == Ref(KEY)


def test_the_error_of_one_record_of_a_batch_lands_on_that_record(p2p, target, make_supplier):  # R12
    records = [make_supplier("ELC001"), make_supplier("NOR002"), make_supplier("PAK003")]
    accepted = target.create_batch([(record, MARK) for record in records])
    (sent,) = p2p.site.calls("POST", VENDORS)
    assert [row["vendorCode"] for row in sent.json] == ["ELC001", "NOR002", "PAK003"]
    assert [one.handle for one in accepted] == [f"request-2|100_V_{code}" for code in ("ELC001", "NOR002", "PAK003")]
    items = {
        "100_V_ELC001": "Success",
        "100_V_NOR002": error("Payment term 99 does not exist"),
        "100_V_PAK003": "Warning",
    }
    outcome(p2p, "request-2", status("request-2", items, "Error"))
    assert target.outcome(accepted[0].handle, records[0], MARK) == Ref("100_V_ELC001")
    assert target.outcome(accepted[2].handle, records[2], MARK) == Ref("100_V_PAK003")
    with pytest.raises(Refused, match="Payment term 99 does not exist") as refused:
        target.outcome(accepted[1].handle, records[1], MARK)
    assert refused.value.code == "not_taken_by_p2p" and "NOR002" in str(refused.value)


def test_an_error_is_told_although_others_are_under_way(p2p, target, make_supplier):
    items = {"100_V_ELC001": "InProgress", "100_V_NOR002": error("No such company")}
    outcome(p2p, "request-9", status("request-9", items, "InProgress"))
    assert target.outcome("request-9|100_V_ELC001", make_supplier("ELC001"), MARK) is None
    with pytest.raises(Refused, match="No such company"):
        target.outcome("request-9|100_V_NOR002", make_supplier("NOR002"), MARK)


def test_the_words_of_an_error_come_from_the_feedback_where_the_status_has_none(p2p, target, make_supplier):  # R12
    outcome(p2p, "request-9", status("request-9", {KEY: "Error"}, "Error"))
    p2p.site.on("GET", "/v1/errorFeedbacks/request-9", feedback(KEY, "Currency XTS is not active"))
    with pytest.raises(Refused, match="Currency XTS is not active"):
        target.outcome(HANDLE, make_supplier(), MARK)


def test_a_failed_request_that_does_not_name_the_record_is_no_success(p2p, target, make_supplier):  # R12
    outcome(p2p, "request-9", status("request-9", {}, "Error"))
    with pytest.raises(Refused, match="gave no reason"):
        target.outcome(HANDLE, make_supplier(), MARK)


def test_a_technical_error_is_sent_again(p2p, target, make_supplier):
    outcome(p2p, "request-9", status("request-9", {KEY: error("queue down", "Technical")}, "Error"))
    with pytest.raises(Transient, match="support"):
        target.outcome(HANDLE, make_supplier(), MARK)


def test_a_record_that_a_newer_version_overtook_is_sent_again(p2p, target, make_supplier):
    outcome(p2p, "request-9", status("request-9", {KEY: "RecordExpired"}))
    with pytest.raises(Transient):
        target.outcome(HANDLE, make_supplier(), MARK)


def test_a_skipped_record_is_in_unless_an_error_stands_against_it(p2p, target, make_supplier):  # R12
    outcome(p2p, "request-9", status("request-9", {KEY: "NotProcessed"}))
    assert target.outcome(HANDLE, make_supplier(), MARK) == Ref(KEY)
    p2p.site.on("GET", f"/v1/errorFeedbacks/Vendor/{KEY}", feedback(KEY, "No such company"))
    with pytest.raises(Transient, match="did not change"):
        target.outcome(HANDLE, make_supplier(), MARK)


def test_an_outcome_without_a_request_id_is_asked_for_by_the_record(p2p, target, make_supplier):  # R12
    under_way, ended = status("request-7", {KEY: "InProgress"}, "InProgress"), status("request-7", {KEY: "Success"})
    lists = {"InProgress": Reply(404), "Success": Reply(404)}
    p2p.site.on("GET", "/v1/requestStatus", lambda request: lists.get(request.query["status"], Reply(404)))
    assert target.outcome(f"-|{KEY}", make_supplier(), MARK) is None
    lists["InProgress"] = under_way
    assert target.outcome(f"-|{KEY}", make_supplier(), MARK) is None
    lists.update(InProgress=Reply(404), Success=ended)
    assert target.outcome(f"-|{KEY}", make_supplier(), MARK) == Ref(KEY)
    assert p2p.site.calls("GET", "/v1/requestStatus")[-1].query["lastUpdated"] == "2026-11-15T12:00:00Z"
    p2p.site.on("GET", f"/v1/errorFeedbacks/Vendor/{KEY}", feedback(KEY, "No such company"))
    with pytest.raises(Refused, match="No such company"):
        target.outcome(f"-|{KEY}", make_supplier(), MARK)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, [{"externalCode": "another"}]), OutcomeUnknown),
        (Reply(200, {"hasErrors": True, "errors": [{"code": "SCHEMA_VALIDATION_ERROR", "message": "x"}]}), Refused),
        (Reply(200, b"{"), OutcomeUnknown),
        (Reply(200), OutcomeUnknown),
        (Reply(200, []), OutcomeUnknown),
        (Reply(500), OutcomeUnknown),
        (Reply(400, {"hasErrors": True, "errors": [{"code": "SCHEMA_VALIDATION_ERROR", "message": "x"}]}), Refused),
        (Reply(409, {"hasErrors": True, "errors": [{"code": "CONFLICT_IN_POST"}]}), Transient),
    ],
)
def test_a_write_is_not_accepted_by_its_status_alone(p2p, target, make_supplier, reply, kind):  # R12, R63
    p2p.site.on("POST", VENDORS, reply)
    with pytest.raises(kind):
        target.create(make_supplier(), MARK)


def test_a_refused_batch_is_one_refusal(p2p, target, make_supplier):
    p2p.site.on("POST", VENDORS, Reply(409, {"hasErrors": True, "errors": [{"code": "CONFLICT_IN_POST"}]}))
    with pytest.raises(Refused) as refused:
        target.create_batch([(make_supplier("A1"), MARK), (make_supplier("B2"), MARK)])
    assert refused.value.code == "batch_refused"
    with pytest.raises(Refused):
        target.create_batch([(make_supplier("A1"), MARK), (make_supplier("A1"), MARK)])


def test_what_basware_would_not_take_never_leaves(p2p, target, make_supplier):
    with pytest.raises(Refused):
        target.create(make_supplier("S" * 26), MARK)
    assert p2p.site.seen == []


# --- found again ---


def test_nothing_there_is_nothing_found(p2p, target, make_supplier):
    assert target.find(make_supplier(), MARK) == []
    assert target.find(make_supplier("NOR002"), MARK) == []
    asked = [(one.path, one.query) for one in p2p.site.seen if one.method == "GET"]
    listed = (VENDORS, {"companyCode": "100", "pageSize": "200"})
    assert asked == [(f"{VENDORS}/{KEY}", {}), listed, (f"{VENDORS}/100_V_NOR002", {})]


def test_what_another_interface_posted_under_the_same_code_is_the_same(p2p, target, make_supplier):  # R40
    row = {**target.kind.to_wire(make_supplier(name="Electra old"), KEY), "externalCode": "erp 1/ELC001"}
    p2p.site.on("GET", VENDORS, Reply(200, [row]))
    p2p.site.on("GET", f"{VENDORS}/erp 1/ELC001", Reply(200, row))
    (found,) = target.find(make_supplier(), MARK)
    assert (found.key, found.mark) == ("erp 1/ELC001", None)
    assert target.identity_differences(make_supplier(), found.record) == []
    assert target.differences(make_supplier(), found.record) == ["name"]
    accepted = target.update(Ref(found.key), make_supplier(), MARK)
    assert p2p.site.calls("POST", VENDORS)[0].json[0]["externalCode"] == "erp 1/ELC001"
    request = accepted.handle.partition("|")[0]
    outcome(p2p, request, status(request, {"erp 1/ELC001": "Success"}))
    assert target.outcome(accepted.handle, make_supplier(), MARK) == Ref("erp 1/ELC001")


def test_a_record_whose_answer_was_lost_is_found_by_its_key(p2p, target, make_supplier):  # R3, R6
    record = make_supplier()
    held(p2p, target, record)
    (found,) = target.find(record, MARK)
    assert (found.key, found.mark, found.state) == (KEY, MARK, DocumentState.OPEN)
    assert target.identity_differences(record, found.record) == [] == target.differences(record, found.record)


def test_what_is_still_being_handled_is_not_found_yet(p2p, target, make_supplier):  # R4, R12
    record = make_supplier()
    held(p2p, target, record)
    answers = [status("request-7", {KEY: "InProgress"}, "InProgress"), status("request-7", {}, "InProgress")]
    p2p.site.on("GET", "/v1/requestStatus", *answers, status("request-7", {"another": "InProgress"}, "InProgress"))
    for _ in range(2):
        with pytest.raises(Transient, match="still handling"):
            target.find(record, MARK)
    assert len(target.find(record, MARK)) == 1


def test_what_came_a_moment_ago_is_found_once_its_request_ended_well(p2p, target, make_supplier):  # R4, R12
    record = make_supplier()
    row = {**held(p2p, target, record), "lastUpdated": "2026-11-16T11:50:00Z"}
    p2p.site.on("GET", f"{VENDORS}/{KEY}", Reply(200, row))
    ended: list[Reply] = [Reply(404)]
    lists = {"Success": lambda: ended[-1]}
    p2p.site.on("GET", "/v1/requestStatus", lambda one: lists.get(one.query["status"], lambda: Reply(404))())
    with pytest.raises(Transient, match="does not say yet"):
        target.find(record, MARK)
    ended.append(status("request-7", {KEY: "Success"}))
    assert len(target.find(record, MARK)) == 1
    asked = [one.query for one in p2p.site.calls("GET", "/v1/requestStatus") if one.query["status"] == "Success"]
    assert asked[0]["lastUpdated"] == "2026-11-16T11:45:00Z"


def test_a_word_that_nobody_knows_is_no_success(p2p, target, make_supplier):  # R12
    outcome(p2p, "request-9", status("request-9", {KEY: "Parked"}))
    assert target.outcome(HANDLE, make_supplier(), MARK) is None


def test_what_p2p_did_not_take_is_sent_again_with_a_change(p2p, target, make_supplier):  # R12
    record = make_supplier()
    held(p2p, target, record)
    p2p.site.on("GET", f"/v1/errorFeedbacks/Vendor/{KEY}", feedback(KEY, "No such company"))
    assert target.find(record, MARK) == []
    target.create(record, MARK)
    (sent,) = p2p.site.calls("POST", VENDORS)
    assert sent.json[0]["description"].startswith("sent again 2026-11-16T12:00:00")
    assert {**sent.json[0], "description": 0} == {**target.kind.to_wire(record, KEY), "description": 0}


def test_the_field_of_the_change_is_a_setting(connect, make_supplier):
    opened = connect({"touch_fields": {"vendor": ""}})
    opened.site.on("POST", VENDORS, echo)
    target = opened.client.target("supplier", {})
    held(opened, target, make_supplier())
    opened.site.on("GET", f"/v1/errorFeedbacks/Vendor/{KEY}", feedback(KEY, "No such company"))
    target.find(make_supplier(), MARK)
    for act in (
        lambda: target.create(make_supplier(), MARK),
        lambda: target.update(Ref(KEY), make_supplier(), MARK),
    ):
        with pytest.raises(Refused, match="touch_fields"):
            act()
    target.create(make_supplier(name="Electra Ltd."), MARK)
    assert "description" not in opened.site.calls("POST", VENDORS)[0].json[0]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": "Electra Ltd."}, ["name"]),
        ({"on_hold": True}, ["on_hold"]),
        ({"terms": "60", "email": "x@y.example"}, ["terms", "email"]),
    ],
)
def test_differences_name_the_fields(p2p, target, make_supplier, changes, fields):  # R5
    held(p2p, target, make_supplier())
    found = target.get(KEY)
    assert target.differences(make_supplier(**changes), found.record) == fields


# --- changed and made inactive ---


def test_an_amendment_sends_the_whole_record(p2p, target, make_supplier):
    held(p2p, target, make_supplier())
    accepted = target.update(Ref(KEY), make_supplier(name="Electra Ltd."), MARK)
    (sent,) = p2p.site.calls("POST", VENDORS)
    assert sent.json[0]["name"] == "Electra Ltd." and "description" not in sent.json[0]
    assert accepted.handle.startswith("request-")


def test_an_amendment_that_changes_nothing_is_sent_with_a_change(p2p, target, make_supplier):  # R12
    held(p2p, target, make_supplier())
    target.update(Ref(KEY), make_supplier(), MARK)
    assert "description" in p2p.site.calls("POST", VENDORS)[0].json[0]


def bank(row: dict) -> dict:
    account = {"financialAccountIdentifiers": [{"schemeId": "IBAN", "id": "DE02120300000000202051"}]}
    means = [{"paymentMeansCode": "BANK", "currencyCode": "USD", "default": True, "financialAccounts": [account]}]
    return {**row, "paymentMeans": means}


def test_bank_details_of_others_are_not_wiped_out(p2p, target, make_supplier):  # R45, R52
    row = held(p2p, target, make_supplier())
    p2p.site.on("GET", f"{VENDORS}/{KEY}", Reply(200, bank(row)))
    p2p.site.on("PATCH", f"{VENDORS}/{KEY}", echo)
    target.update(Ref(KEY), make_supplier(name="Electra Ltd.", on_hold=True), MARK)
    (amended,) = p2p.site.calls("PATCH", f"{VENDORS}/{KEY}")
    assert p2p.site.calls("POST", VENDORS) == []
    assert amended.json["name"] == "Electra Ltd." and amended.json["processingStatus"]["paymentDenied"] is True
    assert not {"paymentMeans", "addresses", "contacts"} & amended.json.keys()
    assert b"DE0212" not in amended.content
    with pytest.raises(Refused) as refused:
        target.update(Ref(KEY), make_supplier(email="new@electra.example"), MARK)
    assert (refused.value.code, refused.value.field) == ("bank_details_there", "contacts")
    assert "DE0212" not in str(refused.value)
    with pytest.raises(Refused):
        target.update(Ref(KEY), make_supplier(currency="EUR"), MARK)


def test_a_vendor_is_made_inactive_and_never_deleted(p2p, target, make_supplier):
    row = held(p2p, target, make_supplier())
    assert isinstance(target.cancel(Ref(KEY), "gone"), Accepted)
    (sent,) = p2p.site.calls("POST", VENDORS)
    assert sent.json[0]["processingStatus"] == {"active": False, "paymentDenied": False}
    assert not {"lastUpdated", "buvid"} & sent.json[0].keys()
    inactive = {**row, "processingStatus": {"active": False}}
    p2p.site.on("GET", f"{VENDORS}/{KEY}", Reply(200, inactive))
    assert target.cancel(Ref(KEY), "gone") is None
    assert target.get(KEY).state is DocumentState.ARCHIVED
    p2p.site.on("GET", f"{VENDORS}/{KEY}", Reply(200, bank(row)))
    p2p.site.on("PATCH", f"{VENDORS}/{KEY}", echo)
    target.cancel(Ref(KEY), "gone")
    assert p2p.site.calls("PATCH", f"{VENDORS}/{KEY}")[0].json["processingStatus"]["active"] is False
    assert all(method != "DELETE" for method, _ in p2p.site.writes())


def test_accounts_are_made_inactive_in_each_company(p2p):
    target = p2p.client.target("gl_account", {})
    p2p.site.on("POST", "/v1/accounts", echo)
    account = GlAccount(code="6100", name="Components", type=AccountType.EXPENSE, postable=True)
    held(p2p, target, account)
    target.cancel(Ref("100_A_6100"), "gone")
    assert p2p.site.calls("POST", "/v1/accounts")[0].json[0]["companies"] == [
        {"companyCode": "100", "inherit": True, "active": False}
    ]


def test_a_payment_term_is_changed_by_a_day_at_its_end_and_back(p2p):  # R12
    target = p2p.client.target("payment_term", {})
    p2p.site.on("POST", "/v1/paymentTerms", echo)
    term = PaymentTerm(code="30", name="30 days", due_days=30)
    row = held(p2p, target, term)
    target.update(Ref("100_T_30"), term, MARK)
    p2p.site.on("GET", "/v1/paymentTerms/100_T_30", Reply(200, {**row, "validTo": "2099-12-30T00:00:00Z"}))
    target.update(Ref("100_T_30"), msgspec.structs.replace(term, name="Thirty days"), MARK)
    assert [one.json[0]["validTo"][:10] for one in p2p.site.calls("POST", "/v1/paymentTerms")] == [
        "2099-12-30",
        "2099-12-31",
    ]


def test_what_was_posted_can_be_read_as_a_code_list(p2p):
    target = p2p.client.target("gl_account", {})
    account = GlAccount(code="6100", name="Components", type=AccountType.EXPENSE, postable=True)
    p2p.site.on("GET", "/v1/accounts", Reply(200, {"accounts": [target.kind.to_wire(account, "k")]}))
    source = p2p.client.source("gl_account", {})
    (page,) = source.changes(None)
    assert [(item.key, item.record) for item in page.items] == [("6100", account)]
    assert list(source.keys()) == ["6100"]
    assert source.get("6100").record == account and source.get("7") is None


# --- the sweep of outcomes ---


def test_requests_that_failed_are_listed_since_a_time_and_acknowledged_once(p2p):
    p2p.site.on("GET", "/v1/requestStatus", status("request-7", {KEY: error("x")}, "Error"))
    (entry,) = p2p.client.statuses.errors(NOW)
    assert entry["requestId"] == "request-7"
    (asked,) = p2p.site.calls("GET", "/v1/requestStatus")
    assert (asked.query["status"], asked.query["lastUpdated"]) == ("Error", "2026-11-16T12:00:00Z")
    p2p.site.on("POST", "/v1/requestStatus/acknowledge", Reply(200, "ok"), Reply(405))
    p2p.client.statuses.acknowledge(["request-7", "request-7", "-"])
    p2p.client.statuses.acknowledge(["request-7"])
    p2p.client.statuses.acknowledge(["-"])
    sent = p2p.site.calls("POST", "/v1/requestStatus/acknowledge")
    assert [one.json for one in sent] == [{"requestIds": ["request-7"]}] * 2


# --- enrichment ---


def test_enriched_suppliers_are_read_since_the_newest_stamp_less_the_overlap(p2p, target, make_supplier):  # R16
    row = {**target.kind.to_wire(make_supplier(terms="30"), KEY), "lastUpdated": "2026-11-15T10:00:00Z"}
    p2p.site.on("GET", VENDORS, Reply(200, [row]))
    source = p2p.client.source("supplier", {})
    pages = list(source.changes(None))
    assert [item.record.terms for page in pages for item in page.items] == ["30"]
    assert [page.cursor for page in pages] == [None, {"updated": "2026-11-15T10:00:00+00:00"}]
    list(source.changes(pages[-1].cursor))
    assert p2p.site.calls("GET", VENDORS)[-1].query["lastUpdated"] == "2026-11-15T09:55:00Z"


def test_nothing_new_keeps_the_cursor(p2p):
    cursor = {"updated": "2026-11-15T10:00:00+00:00"}
    assert [page.cursor for page in p2p.client.source("supplier", {}).changes(cursor)] == [None, cursor]
