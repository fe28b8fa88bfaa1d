"""Vendors, codes, orders, invoices and batches: what is taken, what is refused, and how it is read."""

from decimal import Decimal

import httpx2
import pytest
from tests.sandbox.avidxchange.conftest import ACCOUNT, CENTER, SINCE, at, code, exact, invoice, line, order, vendor

D = Decimal


@pytest.fixture
def ready(api):
    api.set_up()
    return api


def test_a_vendor_is_written_by_its_code_again_and_again(api):
    (first,) = api.written("vendors.write", vendor("ELC001", tax_id="12-3456789", line1="1 Road", country="US"))
    (again,) = api.written("vendors.write", {"code": "ELC001", "name": "Electra", "active": False})
    assert again["id"] == first["id"]
    (row,) = api.rows("vendors.list", external_ids="ELC001")
    assert (row["name"], row["active"], row["tax_id"], row["country"]) == ("Electra", False, "12-3456789", "US")
    assert api.get("vendors.get", row["id"]) == row


def test_a_record_fails_for_itself_and_the_others_go_on(api):  # R11
    outcomes = api.write("vendors.write", vendor("A1"), {"code": "A2"}, vendor("A3", currency="usd"))
    assert [good for good, _ in outcomes] == [True, False, False]
    assert "is required" in outcomes[1][1][0] and "ISO 4217" in outcomes[2][1][0]
    assert [row["code"] for row in api.stand_in.state("vendors")] == ["A1"]


def test_what_a_remit_address_adds_to_the_code_is_seen_on_reading(api):
    api.set_up()
    api.stand_in.edit("vendors", {"code": "ELC001", "remit": "R2"})
    api.written("invoices.write", invoice())
    assert api.rows("vendors.list", external_ids="ELC001")[0]["code"] == "ELC001|R2"
    assert api.invoice("ELC-1001")["vendor"] == "ELC001|R2"


def test_a_code_belongs_to_a_group_that_exists(api):
    api.written("codes.write", code("10-6100"), code("WH1", CENTER))
    assert "no code group Project" in api.refused("codes.write", code("P1", "Project"))
    assert {row["name"]: row["required"] for row in api.rows("dimensions.list")} == {ACCOUNT: True, CENTER: False}


def test_an_archived_code_stays_archived_and_takes_no_invoice(ready):
    ready.do("archive_code", group=ACCOUNT, code="10-6100")
    (row,) = ready.written("codes.write", code("10-6100", active=True))
    assert row["active"] is False
    assert "10-6100 in GL Account is archived" in ready.refused("invoices.write", invoice())
    ready.do("restore_code", group=ACCOUNT, code="10-6100")
    ready.written("invoices.write", invoice())


def test_an_order_is_written_whole_by_its_key_or_number(ready):
    (first,) = ready.written("orders.write", order(external_id="mlc1"))
    (amended,) = ready.written("orders.write", order("150", "ELC001", 1200, 300, 60, external_id="mlc1"))
    assert (amended["id"], amended["total"], len(amended["lines"])) == (first["id"], D("1560.00"), 3)
    (cancelled,) = ready.written("orders.write", order("150", "ELC001", 1200, status="cancelled"))
    assert (cancelled["id"], cancelled["status"], cancelled["external_id"]) == (first["id"], "cancelled", "mlc1")
    assert "another key" in ready.refused("orders.write", order(external_id="mlc2"))
    assert len(ready.rows("orders.list")) == 1


def test_an_order_that_does_not_add_up_is_refused(ready):  # R22
    assert "add up to 1500" in ready.refused("orders.write", order(total=D("1500.01")))
    assert "no vendor TRN004" in ready.refused("orders.write", order("152", "TRN004"))
    twice = order()
    twice["lines"][1]["number"] = 1
    assert "same number" in ready.refused("orders.write", twice)
    assert ready.stand_in.state("orders") == []


def test_an_order_may_be_for_a_vendor_on_hold_an_invoice_may_not(ready):
    ready.written("vendors.write", vendor("TRN004", active=False))
    ready.written("orders.write", order("152", "TRN004", 400))
    assert "TRN004 is not active" in ready.refused("invoices.write", invoice("TF-90", "TRN004"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"vendor": "XXX"}, "no vendor XXX"),
        ({"gross": D("1620.01")}, "add up to 1620"),
        ({"lines": [line(1620, "10-9999")]}, "no code 10-9999"),
        ({"lines": [{"amount": D(1620), "codes": [{"code": "WH1", "group": CENTER}]}]}, "GL Account is required"),
        ({"due_date": "2026-11-01"}, "before the date"),
        ({"date": "2026-13-01"}, "expected a date"),
        ({"number": "N" * 101}, "at most 100"),
        ({"external_id": ""}, "is required"),
        ({"lines": []}, "at least one"),
        ({"gross": D("0.005")}, "two decimals"),
    ],
)
def test_a_wrong_invoice_is_refused_and_says_why(ready, change, says):
    assert says in ready.refused("invoices.write", {**invoice(), **change})
    assert ready.stand_in.state("invoices") == []


def test_a_line_takes_one_code_of_a_group(ready):
    both = [{"code": one, "group": ACCOUNT} for one in ("10-6100", "10-6200")]
    refused = ready.refused("invoices.write", invoice("X-1", "ELC001", {"amount": D(5), "codes": both}))
    assert "two codes of GL Account" in refused


def test_an_invoice_is_found_by_its_key_and_not_made_twice(ready):  # R5
    (first,) = ready.written("invoices.write", invoice())
    (again,) = ready.written("invoices.write", invoice())
    assert (again["id"], len(ready.stand_in.state("invoices"))) == (first["id"], 1)
    (found,) = ready.rows("invoices.list", external_ids="mlcELC-1001")
    assert (found["gross"], found["status"], found["status_number"]) == (D("1620.00"), "in_workflow", 2)
    (coding,) = ready.get("invoices.get", first["id"])["lines"][0]["codes"]
    assert coding == {"code": "10-6100", "description": "Code 10-6100", "group": ACCOUNT, "active": True}


def test_an_invoice_in_workflow_is_not_changed(ready):
    ready.written("invoices.write", invoice())
    assert "is in workflow" in ready.refused("invoices.write", invoice(due_date="2026-12-18"))
    ready.stand_in.options({"repeated_invoice": "update"})
    ready.written("invoices.write", invoice(due_date="2026-12-18"))
    assert ready.invoice("ELC-1001")["due_date"] == "2026-12-18"
    ready.stand_in.options({"repeated_invoice": "locked", "invoice_arrives": "received"})
    ready.written("invoices.write", invoice("ELC-2"))
    ready.written("invoices.write", invoice("ELC-2", due_date="2026-12-19"))
    assert ready.invoice("ELC-2")["due_date"] == "2026-12-19"


def test_a_number_may_come_twice_unless_the_customer_forbids_it(ready):
    ready.written("invoices.write", invoice(), invoice(external_id="B"), invoice("ELC-1001", "PAK003", external_id="P"))
    ready.stand_in.options({"duplicate_number": "refuse"})
    assert "already" in ready.refused("invoices.write", invoice(external_id="C"))
    ready.written("invoices.write", invoice())


def test_the_answer_of_a_write_is_lost_and_the_key_finds_it(ready):  # R3, R5
    ready.stand_in.faults([{"match": {"contains": "mlcELC-1001"}, "do": "commit_then_reset", "times": 1}])
    body = {ready.contract["writes"]["items"]: [ready.body("invoice", invoice())]}
    with pytest.raises(httpx2.TransportError):
        ready.call("invoices.write", body)
    (found,) = ready.rows("invoices.list", external_ids="mlcELC-1001")
    assert found["number"] == "ELC-1001"


def test_an_invoice_without_a_currency_has_its_vendors(ready):
    row = invoice("NK-1", "NOR002")
    del row["currency"]
    assert ready.written("invoices.write", row)[0]["currency"] == "EUR"


def test_a_credit_note_is_below_zero(ready):  # R26
    (row,) = ready.written("invoices.write", invoice("PK-501", "PAK003", line(-75, "10-6200")))
    assert (row["gross"], row["lines"][0]["amount"]) == (D("-75.00"), D("-75.00"))


def test_the_workflow_goes_its_steps_only(ready):
    ready.written("invoices.write", invoice())
    ready.do("hold", invoice="ELC-1001")
    assert ready.invoice("ELC-1001")["status"] == "on_hold"
    ready.do("reject", invoice="mlcELC-1001")
    with pytest.raises(ValueError, match="rejected and cannot become approved"):
        ready.do("approve", invoice="ELC-1001")
    assert ready.invoice("ELC-1001")["status"] == "rejected"


def test_lists_come_in_pages_with_a_way_to_the_next(ready):
    ready.written("vendors.write", *(vendor(f"V{number:03d}") for number in range(20)))
    reply = exact(ready.call("vendors.list", page=2, size=10))
    names = ready.contract["answers"]["page"]
    found = [at(reply, names[name]) for name in ("number", "size", "count", "here", "total")]
    assert found == [2, 10, 3, 10, 23]
    links = {one[names["relation"]]: one[names["address"]] for one in at(reply, names["links"])}
    following = ready.http.get(links[names["next"]], headers=ready.headers, params=None).json()
    assert (at(following, names["number"]), at(following, names["here"])) == (3, 3)
    assert len(ready.rows("vendors.list", size=1)) == 23


def test_a_filter_by_days_takes_in_both_ends(ready):
    ready.written("invoices.write", invoice())
    assert len(ready.rows("invoices.list", **{"from": "2026-11-16", "to": "2026-11-16"})) == 1
    assert ready.rows("invoices.list", to="2026-11-15") == []
    ready.days_later(1)
    ready.do("approve", invoice="ELC-1001")
    assert len(ready.rows("invoices.list", **{"from": "2026-11-17"})) == 1


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({}, "FilterRequired"),
        ({"from": "2026-10-01"}, "WindowTooLong"),
        ({"from": "2026-11-16", "to": "2026-11-15"}, "WindowReversed"),
        ({"from": "16.11.2026"}, "BadDate"),
        ({"from": SINCE, "page": "0"}, "BadPage"),
    ],
)
def test_a_list_that_is_asked_for_wrongly_is_refused(ready, query, kind):
    assert ready.refusal(ready.call("invoices.list", **query)) == (400, kind)


def test_a_parameter_or_field_that_is_not_known_is_refused(ready):
    path = ready.contract["calls"]["vendors.list"]["call"].split(" ")[1]
    assert ready.refusal(ready.send("GET", path, pagenumber=1)) == (400, "UnknownParameter")
    body = {**ready.body("vendor", vendor("A1")), "Colour": "red"}
    items = ready.contract["writes"]["items"]
    ((good, texts),) = ready.outcomes("vendor", ready.call("vendors.write", {items: [body]}))
    assert (good, texts) == (False, ["Colour is not known here"])


def test_a_write_is_a_list_in_its_envelope(ready):
    items, most = ready.contract["writes"]["items"], ready.contract["writes"]["most"]
    body = ready.body("vendor", vendor("A1"))
    for wrong in (body, [body], {items: body}, {items: []}, {items: [body] * (most + 1)}, {items: [body], "x": 1}):
        assert ready.refusal(ready.call("vendors.write", wrong)) == (400, "BadRequest")
    method, path = ready.contract["calls"]["vendors.write"]["call"].split(" ")
    reply = ready.http.request(method, ready.root + path, content="{}", headers=ready.headers, params=ready.params)
    assert ready.refusal(reply) == (415, "UnsupportedMediaType")


def captured(api, number="PK-700", **more):
    one = {"amount": 80, "codes": [{"group": ACCOUNT, "code": "10-6200"}]}
    api.do("capture", **{"vendor": "PAK003", "number": number, "date": "2026-11-16", "lines": [one], **more})


def system(api):
    (row,) = api.rows("accounting_systems.list")
    return {"system": row["id"]}


def test_a_captured_invoice_is_coded_approved_and_handed_over_in_a_batch(ready):
    captured(ready, lines=[{"amount": 80}])
    with pytest.raises(ValueError, match="a code of GL Account is required"):
        ready.do("approve", invoice="PK-700")
    ready.do("code", invoice="PK-700", lines=[{"amount": 80, "codes": [{"group": ACCOUNT, "code": "10-6200"}]}])
    ready.do("approve", invoice="PK-700")
    ready.do("close_batch", name="Monday")
    (batch,) = ready.rows("batches.list", system(ready), **{"from": "2026-11-16", "to": "2026-11-16"})
    assert (batch["name"], batch["count"], batch["total"]) == ("Monday", 1, D("80.00"))
    assert batch["links"][0]["relation"] == "full-details"
    page = exact(ready.http.get(batch["links"][0]["address"], headers=ready.headers, params=ready.params))
    (row,) = at(page, ready.contract["answers"]["items"])
    row = ready.row("invoice", row)
    assert (row["number"], row["external_id"], row["status"], row["gross"]) == ("PK-700", None, "approved", D("80.00"))
    assert row["image"].startswith("https://")
    assert ready.rows("batches.get", {"id": batch["id"]})[0] == row


def acknowledge(api, batch, result=1):
    row = {"batch": batch, "started": "2026-11-16T12:00:00", "ended": "2026-11-16T12:01:00", "result": result}
    return api.outcomes("acknowledgement", api.call("batches.acknowledge", api.body("acknowledgement", row)))


def test_a_batch_is_acknowledged_and_its_invoices_are_exported(ready):
    captured(ready)
    ready.do("approve_all")
    ready.do("close_batch")
    (batch,) = ready.stand_in.state("batches")
    assert acknowledge(ready, "nobody")[0] == (False, ["There is no batch nobody."])
    assert acknowledge(ready, batch["id"], result=2)[0][0] is True
    assert ready.invoice("PK-700")["status"] == "approved"
    assert [acknowledge(ready, batch["id"])[0][0] for _ in range(2)] == [True, True]
    assert ready.invoice("PK-700")["status"] == "exported"
    assert len(ready.stand_in.state("acknowledgements")) == 3
    assert len(ready.rows("batches.list", system(ready))) == 1
    ready.stand_in.options({"acknowledged_batches": "hidden"})
    assert ready.rows("batches.list", system(ready)) == []
    ready.stand_in.clock(advance=60)
    ready.do("close_again", batch=batch["id"])
    (again,) = ready.rows("batches.list", system(ready))
    assert again["closed"] > batch["closed"]


def test_a_batch_may_hold_invoices_that_came_from_the_erp(ready):
    ready.approved(invoice())
    captured(ready)
    ready.do("approve", invoice="PK-700")
    ready.do("close_batch")
    (batch,) = ready.stand_in.state("batches")
    rows = ready.rows("batches.get", {"id": batch["id"]})
    assert {row["number"]: row["external_id"] for row in rows} == {"ELC-1001": "mlcELC-1001", "PK-700": None}


def test_forms_that_a_client_must_bear_can_be_asked_for(plain):
    plain.set_up()
    plain.stand_in.options({"one_as_object": True, "text_flags": True, "paging": "when_needed"})
    body = {"Items": [plain.body("invoice", {**invoice(), "gross": 1})]}
    result = plain.call("invoices.write", body).json()["Results"]
    assert (result["Successful"], result["Errors"]["Code"], result["Item"]) == ("false", "Validation", None)
    result = plain.call("invoices.write", {"Items": [plain.body("invoice", invoice())]}).json()["Results"]
    assert result["Successful"] == "true"
    found = plain.call("invoices.list", external_ids="mlcELC-1001").json()
    assert (list(found), found["Items"]["Number"]) == (["Items"], "ELC-1001")
    plain.stand_in.options({"one_as_object": False, "page_count": "other_count", "links": "root", "nulls": "omit"})
    page = plain.call("vendors.list", size=1).json()
    assert page["Paging"]["Pages"] == 3 and "PageCount" not in page["Paging"]
    assert page["Paging"]["Links"][1]["Href"].startswith("/vendors?")
    assert "TaxId" not in page["Items"][0]
    identifier = found["Items"]["Id"]
    for single, place in (("items", "Items[0].Number"), ("bare", "Number"), ("item", "Item.Number")):
        plain.stand_in.options({"single": single})
        assert at(plain.call("invoices.get", values={"id": identifier}).json(), place) == "ELC-1001"
    for times, changed in (("blank", "2026-11-16 12:00:00"), ("utc", "2026-11-16T12:00:00Z")):
        plain.stand_in.options({"times": times})
        assert plain.call("invoices.get", values={"id": identifier}).json()["Item"]["LastChangedDate"] == changed
    assert plain.refusal(plain.call("invoices.get", values={"id": "77"})) == (404, "NotFound")
