"""Invoices on their way to accounting: the queue, the claim, the answers."""

import json
from decimal import Decimal

import httpx2
import pytest
from tests.sandbox.basware.conftest import TOKEN, answer, errors, invoice

from ml_connector import sandbox

ID = "f" * 32
PATH = f"/v1/accountingDocuments/{ID}"


@pytest.fixture
def waiting(api):
    """An API with one invoice that waits for transfer."""
    api.stand_in.edit("accountingDocuments", invoice())
    return api


def queue(api, **query):
    return [row["invoiceId"] for row in api.rows("accountingDocuments", ProcessingStatus="WaitingForTransfer", **query)]


def do(api, what, **more):
    return api.stand_in.edit("actions", {"do": what, "invoiceId": ID, **more})


def test_the_list_is_answered_302_to_a_host_that_takes_no_credential(waiting):  # R65
    reply = waiting.http.get("/v1/accountingDocuments")
    location = reply.headers["location"]
    assert (reply.status_code, reply.content) == (302, b"")
    assert location.startswith("http://localhost:")
    assert httpx2.get(location).json()["accountingDocuments"][0]["invoiceId"] == ID
    refused = httpx2.get(location, headers={"Authorization": waiting.http.headers["Authorization"]})
    assert (refused.status_code, "Only one auth mechanism" in refused.text) == (400, True)
    foreign = httpx2.get(location.replace("localhost", "127.0.0.1"))
    assert (foreign.status_code, "SignatureDoesNotMatch" in foreign.text) == (403, True)
    assert httpx2.get(location[:-1]).status_code == 403
    assert httpx2.get(location.replace("/_files/", "/_files/0")).status_code == 404
    waiting.stand_in.clock(advance=901)
    assert httpx2.get(location).status_code == 403


def test_the_signature_of_a_file_is_not_in_the_list_of_requests(waiting):  # R71
    location = waiting.http.get("/v1/accountingDocuments").headers["location"]
    httpx2.get(location)
    assert location.rpartition("=")[2] not in json.dumps(waiting.stand_in.requests())


def test_a_site_may_answer_without_a_redirect(waiting):
    waiting.stand_in.options({"redirect": False})
    reply = waiting.http.get("/v1/accountingDocuments")
    assert (reply.status_code, len(reply.json()["accountingDocuments"])) == (200, 1)


@pytest.mark.parametrize(
    ("where", "on"), [("both", (True, True)), ("redirect", (True, False)), ("file", (False, True))]
)
def test_the_token_of_the_next_page_is_on_one_answer_or_both(waiting, where, on):
    waiting.stand_in.edit("accountingDocuments", invoice("e" * 32))
    waiting.stand_in.options({"continuation_on": where})
    reply = waiting.http.get("/v1/accountingDocuments", params={"pageSize": 1})
    file = httpx2.get(reply.headers["location"])
    assert (TOKEN in reply.headers, TOKEN in file.headers) == on


def test_the_queue_is_read_to_its_end_while_invoices_leave_it(api):  # R16
    ids = [f"{n:032x}" for n in range(7)]
    api.stand_in.edit("accountingDocuments", [invoice(one) for one in ids])
    seen, headers = [], {}
    while True:
        reply = api.get("/v1/accountingDocuments", headers=headers, ProcessingStatus="WaitingForTransfer", pageSize=3)
        if reply.status_code == 404:
            break
        page = [row["invoiceId"] for row in reply.json()["accountingDocuments"]]
        seen += page
        assert api.post(f"/v1/accountingDocuments/{page[0]}/acknowledge").status_code == 200
        if TOKEN not in reply.headers:
            break
        headers = {TOKEN: reply.headers[TOKEN]}
    assert seen == ids


def test_a_page_of_large_invoices_ends_early(api):
    rows = [{"externalCode": f"r{n}", "rowIndex": n} for n in range(40)]
    api.stand_in.edit("accountingDocuments", [invoice(f"{n:032x}", codingRows=rows) for n in range(5)])
    api.stand_in.options({"rows_in_page": 100})
    reply = api.get("/v1/accountingDocuments", pageSize=5)
    assert len(reply.json()["accountingDocuments"]) == 2
    assert TOKEN in reply.headers


def test_lists_are_filtered(api):
    api.stand_in.edit(
        "accountingDocuments",
        [
            invoice("a" * 32),
            invoice("b" * 32, processingStatus="Transferred"),
            invoice("c" * 32, processingStatus="WaitingForEnrichmentTransfer"),
            invoice("d" * 32, companyCode="ROW"),
        ],
    )
    assert queue(api) == ["a" * 32, "d" * 32]
    assert queue(api, companyCode="ROW") == ["d" * 32]
    assert len(api.rows("accountingDocuments")) == 3
    assert [row["invoiceId"] for row in api.rows("accountingDocuments", p2pProcessingMode="InvoiceEnrichment")] == [
        "c" * 32
    ]
    assert queue(api, lastUpdated="2026-11-16T12:00:00Z") == []
    assert api.get("/v1/accountingDocuments", ProcessingStatus="Approved").status_code == 400
    assert api.get("/v1/accountingDocuments", pageSize=101).status_code == 400
    assert api.get("/v1/accountingDocuments/none").status_code == 404


def test_an_acknowledged_invoice_leaves_the_queue_and_is_taken_once(waiting):  # R7
    assert waiting.post(f"{PATH}/acknowledge").status_code == 200
    assert queue(waiting) == []
    assert waiting.status_of(ID) == "TransferInProgress"
    assert waiting.post(f"{PATH}/acknowledge").status_code == 405
    assert waiting.post("/v1/accountingDocuments/none/acknowledge").status_code == 404
    waiting.stand_in.options({"acknowledge_again_status": 400})
    assert waiting.post(f"{PATH}/acknowledge").status_code == 400


def test_another_consumer_may_have_taken_it(waiting):
    do(waiting, "acknowledge")
    assert waiting.post(f"{PATH}/acknowledge").status_code == 405
    with pytest.raises(sandbox.BadInput, match="not waiting"):
        do(waiting, "acknowledge")


def test_a_success_brings_the_voucher_into_the_invoice(waiting):
    waiting.post(f"{PATH}/acknowledge")
    reply = waiting.post(f"{PATH}/transferResponses", answer(voucherNumber1="2026-11 17-1", paymentBlock=True))
    assert (reply.status_code, reply.json()["externalCode"]) == (200, "a1")
    (row,) = waiting.rows(f"accountingDocuments/{ID}")
    assert (row["processingStatus"], row["voucherNumber1"], row["paymentBlock"]) == (
        "Transferred",
        "2026-11 17-1",
        True,
    )
    assert [one["externalCode"] for one in row["transferResponses"]] == ["a1"]
    waiting.stand_in.clock(advance=2)
    (status,) = waiting.rows(f"requestStatus/{reply.headers['x-amzn-requestid']}")
    assert (status["entityType"], status["requestStatus"]) == ("TransferResponse", "Success")
    assert status["systems"][0]["items"][0]["parentExternalCode"] == ID


def test_a_failure_keeps_only_its_message_and_the_invoice_comes_back_in_the_next_cycle(waiting):
    waiting.post(f"{PATH}/acknowledge")
    waiting.post(f"{PATH}/transferResponses", answer(success=False, voucherNumber1="X"))
    (row,) = waiting.rows(f"accountingDocuments/{ID}")
    assert (row["processingStatus"], row.get("voucherNumber1")) == ("TransferFailed", None)
    assert queue(waiting) == []
    repaired = [{"externalCode": "r1", "rowIndex": 0, "accountCode": "10-6400", "netTotal": 1500}]
    do(waiting, "retransfer", changes={"codingRows": repaired})
    assert queue(waiting) == [ID]
    assert waiting.rows(f"accountingDocuments/{ID}")[0]["codingRows"][0]["accountCode"] == "10-6400"
    assert waiting.post(f"{PATH}/acknowledge").status_code == 200
    assert waiting.post(f"{PATH}/transferResponses", answer("a2")).status_code == 200
    assert waiting.status_of(ID) == "Transferred"


def test_a_transferred_invoice_takes_no_further_transfer_response(waiting):  # R10
    waiting.post(f"{PATH}/transferResponses", answer())
    reply = waiting.post(f"{PATH}/transferResponses", answer("a2"))
    assert (reply.status_code, errors(reply)[0][0]) == (400, "METHOD_NOT_ALLOWED")
    for status in (405, 409):
        waiting.stand_in.options({"transfer_again_status": status})
        assert waiting.post(f"{PATH}/transferResponses", answer("a2")).status_code == status
    assert len(waiting.rows(f"accountingDocuments/{ID}")[0]["transferResponses"]) == 1


def test_a_response_may_need_the_acknowledgement(waiting):
    waiting.stand_in.options({"response_without_acknowledge": "refuse"})
    assert waiting.post(f"{PATH}/transferResponses", answer()).status_code == 400
    waiting.post(f"{PATH}/acknowledge")
    assert waiting.post(f"{PATH}/transferResponses", answer()).status_code == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"responseMessage": ""}, "responseMessage must have at least 1 characters"),
        ({"responseMessage": "x" * 251}, "responseMessage must have at most 250 characters"),
        ({"success": None}, "success is required"),
        ({"paymentBlock": "false"}, "paymentBlock must be true or false"),
        ({"voucherNumber1": "x" * 26}, "voucherNumber1 must have at most 25 characters"),
        ({"transferDate": "yesterday"}, "transferDate must be a date and time"),
        ({"invoiceId": ID}, "invoiceId is not a field of the contract"),
    ],
)
def test_a_response_that_breaks_the_contract_changes_nothing(waiting, change, message):
    reply = waiting.post(f"{PATH}/transferResponses", {**answer(), **change})
    assert (reply.status_code, errors(reply)) == (400, [("SCHEMA_VALIDATION_ERROR", message)])
    assert waiting.status_of(ID) == "WaitingForTransfer"


def test_the_code_of_a_response_is_new_in_its_invoice(waiting):
    waiting.post(f"{PATH}/transferResponses", answer(success=False))
    do(waiting, "retransfer")
    reply = waiting.post(f"{PATH}/transferResponses", answer())
    assert errors(reply) == [("CONFLICT_IN_POST", "The invoice has a response with this externalCode.")]


def test_payments_add_up_until_the_invoice_is_paid(waiting):  # R28
    waiting.post(f"{PATH}/transferResponses", answer())
    part = {"externalCode": "p1", "success": True, "paymentBlock": False, "paidTotal": 250, "paymentMethod": "CHK"}
    reply = waiting.post(f"{PATH}/paymentResponses", part)
    assert (reply.status_code, reply.json()["paymentDate"]) == (200, "2026-11-16T00:00:00")
    (row,) = waiting.rows(f"accountingDocuments/{ID}")
    assert (row["processingStatus"], row["paymentMethod"]) == ("Transferred", "CHK")
    rest = {"externalCode": "p2", "success": True, "paymentBlock": False, "paidTotal": 1600, "cashDiscount": 20}
    waiting.post(f"{PATH}/paymentResponses", rest)
    (row,) = waiting.rows(f"accountingDocuments/{ID}")
    assert (row["processingStatus"], row.get("paymentMethod")) == ("Paid", None)
    assert [one["paidTotal"] for one in row["paymentResponses"]] == [250, 1600]
    back = {**rest, "externalCode": "p3", "paidTotal": 250, "cashDiscount": 0, "paymentReversalDocument": "R1"}
    waiting.post(f"{PATH}/paymentResponses", back)
    (row,) = waiting.rows(f"accountingDocuments/{ID}")
    assert (row["processingStatus"], row["paymentRevelsalDocument"]) == ("Transferred", "R1")
    assert waiting.post(f"{PATH}/paymentResponses", part).status_code == 409


def test_a_payment_response_without_success_changes_no_field(waiting):
    waiting.post(f"{PATH}/transferResponses", answer())
    failed = {"externalCode": "p1", "success": False, "paymentBlock": True, "paidTotal": 1620}
    assert waiting.post(f"{PATH}/paymentResponses", failed).status_code == 200
    (row,) = waiting.rows(f"accountingDocuments/{ID}")
    assert (row["processingStatus"], row["paymentBlock"]) == ("Transferred", False)


def test_a_payment_may_need_the_transfer(waiting):
    paid = {"externalCode": "p1", "success": True, "paymentBlock": False, "paidTotal": 1620}
    waiting.stand_in.options({"payment_before_transfer": "refuse"})
    assert waiting.post(f"{PATH}/paymentResponses", paid).status_code == 400
    waiting.stand_in.options({"payment_before_transfer": "accept"})
    assert waiting.post(f"{PATH}/paymentResponses", paid).status_code == 200
    assert waiting.status_of(ID) == "WaitingForTransfer"


def test_a_removal_is_asked_for_after_the_transfer(waiting):
    with pytest.raises(sandbox.BadInput, match="not transferred"):
        do(waiting, "request_removal")
    waiting.post(f"{PATH}/transferResponses", answer())
    do(waiting, "request_removal", reason="Duplicate")
    (row,) = waiting.rows("accountingDocuments", ProcessingStatus="WaitingToBeRemoved")
    assert row["removalReason"] == "Duplicate"
    assert waiting.post(f"{PATH}/acknowledge").status_code == 405
    do(waiting, "remove")
    assert waiting.status_of(ID) == "Removed"


def test_prebooking_and_enrichment_run_alike(api):
    api.stand_in.edit("accountingDocuments", invoice("b" * 32, processingStatus="WaitingForPrebook"))
    api.stand_in.edit("accountingDocuments", invoice("c" * 32, processingStatus="WaitingForEnrichmentTransfer"))
    for one, path, body, state, again in (
        ("b" * 32, "prebookResponses", answer(), "Prebooked", 409),
        ("c" * 32, "enrichmentResponses", {**answer()}, "EnrichmentTransferred", 400),
    ):
        if path == "enrichmentResponses":
            del body["paymentBlock"]
        assert api.post(f"/v1/accountingDocuments/{one}/acknowledge").status_code == 200
        assert api.post(f"/v1/accountingDocuments/{one}/transferResponses", answer("x")).status_code == 400
        assert api.post(f"/v1/accountingDocuments/{one}/{path}", body).status_code == 200
        assert api.status_of(one) == state
        assert api.post(f"/v1/accountingDocuments/{one}/{path}", {**body, "externalCode": "a2"}).status_code == again


def test_the_last_hundred_responses_are_kept(waiting):
    waiting.post(f"{PATH}/transferResponses", answer())
    for n in range(102):
        body = {"externalCode": f"p{n}", "success": True, "paymentBlock": False, "paidTotal": n}
        assert waiting.post(f"{PATH}/paymentResponses", body).status_code == 200
    (row,) = waiting.rows(f"accountingDocuments/{ID}")
    assert [row["paymentResponses"][n]["externalCode"] for n in (0, -1)] == ["p2", "p101"]


def test_attachments_and_the_status_of_invoices_are_off_until_asked_for(waiting):
    attachment = {"externalCode": "x1", "filename": "scan.txt", "isConfidential": False}
    waiting.stand_in.edit("accountingDocuments", {"invoiceId": ID, "attachments": [attachment]})
    waiting.post(f"{PATH}/transferResponses", answer())
    asked = {"companyCode": "RIL", "invoiceNumber": "ELC-1001", "invoiceDate": "2026-11-10"}
    assert waiting.get(f"{PATH}/attachments/x1").status_code == 404
    assert waiting.get("/v1/accountingDocuments/status", **asked).status_code == 404
    waiting.stand_in.options({"attachments": True, "invoice_status": True})
    assert waiting.rows(f"accountingDocuments/{ID}")[0]["attachments"] == [attachment]
    assert "ELC-1001" in waiting.get(f"{PATH}/attachments/x1").text
    (row,) = waiting.get("/v1/accountingDocuments/status", **asked, grossSum="1620.00").json()
    assert (row["invoiceId"], row["status"]) == (ID, "ReadyForPayment")
    assert waiting.get("/v1/accountingDocuments/status", **asked, grossSum=1).status_code == 404
    assert waiting.get("/v1/accountingDocuments/status", companyCode="RIL").status_code == 400


def test_amounts_keep_every_digit(api):  # R21
    api.stand_in.edit("accountingDocuments", invoice(grossSum=Decimal("0.10"), netSum=Decimal("12345678901.23")))
    text = api.get("/v1/accountingDocuments").text
    assert '"grossSum":0.10' in text
    assert '"netSum":12345678901.23' in text


def test_an_answer_that_is_lost_was_committed(waiting):  # R3
    waiting.stand_in.faults([{"match": {"path": "*/transferResponses"}, "do": "commit_then_reset", "times": 1}])
    with pytest.raises(httpx2.TransportError):
        waiting.post(f"{PATH}/transferResponses", answer("mine"))
    (row,) = waiting.rows(f"accountingDocuments/{ID}")
    assert [one["externalCode"] for one in row["transferResponses"]] == ["mine"]
