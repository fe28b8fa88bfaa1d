"""The base set of the story, the seeded company, and the control side."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from tests.sandbox.procurify.conftest import Api

from ml_connector import sandbox

D = Decimal


def dollars(bills):
    return sum((row["invoice_total"] for row in bills if row["currency"]["name"] == "USD"), D(0))


def test_the_base_set_has_its_control_totals(api):  # R22
    bills = api.rows("/api/v3/ap/bills/")
    assert (len(bills), dollars(bills)) == (12, D("7231.19"))
    assert {(row["status"], row["type"]) for row in bills} == {(2, 0)}
    assert api.bill("NK-77")["invoice_total"] == D("2500.0")
    assert api.bill("NK-77")["converted_total_cost"] == D("2700.0")
    assert api.bill("HU-2202")["gl_post_date"] is None
    assert api.bill("HU-2202")["invoice_date"] == "2026-09-30T00:00:00Z"
    held = ("PK-501", "TF-90", "HU-2201", "ELC1001", "PK-502-2026-NOVEMBER-0042")
    assert dollars([api.bill(number) for number in held]) == D("3163.40")


def test_the_orders_of_the_base_set_come_to_their_totals(api):
    rows = api.rows("/api/v2/purchase_orders/purchased/open/")
    assert {row["number"]: (row["vendor_name"], row["total"]) for row in rows} == {
        "PF150": ("Electra Components Inc.", "1500.00"),
        "PF151": ("Pakko Packaging LLC", "640.00"),
        "PF152": ("Trans-Freight Co.", "400.00"),
    }


def test_the_vendors_of_the_base_set_are_known_or_not(api):
    rows = api.rows("/api/v3/vendors/")
    assert {row["name"]: row["external_id"] for row in rows if row["type"] == 3} == {
        "Electra Components Inc.": None,
        "Nordkabel GmbH": "NOR002",
        "Pakko Packaging LLC": None,
        "Trans-Freight Co.": "TRN004",
        "Hydra Utilities, Inc.": None,
    }
    assert [row["type"] for row in rows if row["type"] != 3] == [1, 5]


def test_the_codes_of_the_base_set_are_those_of_syspro(api):
    codes = {row["code"] for row in api.rows("/api/v3/account-codes/")}
    used = {
        one["budget"]["account_code"]["code"]
        for row in api.rows("/api/v3/ap/bills/")
        for item in api.bill(row["invoice_number"])["items"]
        for one in item["cost_allocations"]
    }
    with sandbox.start("syspro", options={"base_set": "procurify"}) as syspro:
        known = {row["GlCode"] for row in syspro.state("GenMaster")}
    assert used <= codes <= known
    assert {row["name"] for row in api.rows("/api/v3/departments/")} == {"Operations", "R&D"}


def adds_up(row):
    coded = sum((one["amount"] for item in row["items"] for one in item["allocations"]), D(0))
    net = sum((item["quantity"] * item["unit_cost"] for item in row["items"]), D(0))
    return coded == net


def test_the_seeded_company_is_the_same_for_the_same_seed_and_adds_up():  # R22
    options = {"bills": 2000}
    with sandbox.start("procurify", seed=5, options=options) as first:
        rows = first.state("bills")
        assert [row["invoice_number"] for row in rows if not adds_up(row)] == []
        assert {row["status"] for row in rows} == {2}
        assert len(first.state("vendors")) == 200
        assert len(rows) == 2000
        assert any(row["items"][0]["unit_cost"] < 0 for row in rows)
        assert any(item["orderitem"] for row in rows for item in row["items"])
        with sandbox.start("procurify", seed=5, options=options) as second:
            assert second.state("bills") == rows
    with sandbox.start("procurify", seed=6, options=options) as other:
        assert other.state("bills") != rows


def test_data_replaces_the_types_that_it_names():
    data = {"bills": [], "vendors": [{"name": "Only One"}], "purchase-orders": []}
    with sandbox.start("procurify", options={"base_set": "syspro"}, data=data) as stand_in:
        assert stand_in.state("bills") == []
        assert [row["name"] for row in stand_in.state("vendors")] == ["Only One"]
        assert len(stand_in.state("account-codes")) == 8
    with sandbox.start("procurify", data={"vendors": [{"name": "Only One"}]}) as stand_in:
        assert [len(stand_in.state(name)) for name in ("vendors", "bills", "purchase-orders")] == [1, 0, 0]


def test_it_is_started_by_its_name():
    command = [sys.executable, "-m", "ml_connector.sandbox", "procurify", "--option", "base_set=syspro", "--tied"]
    path = {**os.environ, "PYTHONPATH": str(Path(sandbox.__file__).parents[2])}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=path) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready["settings"]) == {"base_url", "client_id"}
        assert set(ready["secrets"]) == {"client_secret"}
        process.communicate(timeout=5)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("type_name", "row", "says"),
    [
        ("vendors", {"colour": "red"}, "unknown colour"),
        ("vendors", {"id": "2", "name": "x"}, "id must be a whole number"),
        ("vendors", {"id": 2, "_delete": True}, "vendors 2: order-items refer to it"),
        ("vendors", {"id": 2, "currency": 9}, "currency 9 is not one of the currencies"),
        ("users", {"id": 1, "_delete": True}, "can only be made inactive"),
        ("bills", {"vendor": "Nobody"}, "no vendor Nobody"),
        ("bills", {"currency": "XXX"}, "no currency XXX"),
        ("bills", {"items": [{"account": "10-1", "unit_cost": 1}]}, "no account code 10-1"),
        ("bills", {"items": [{"account": "10-6100", "unit_cost": "a"}]}, "expected a number, got 'a'"),
        ("bills", {"items": [{"account": "10-6100", "colour": 1}]}, "unknown colour"),
        ("bills", {"items": [{"account": "10-6100", "order": "PF9"}]}, "no line 1 of order PF9"),
        ("purchase-orders", {"number": "PF150", "vendor": 2}, "number PF150 is in use"),
        ("purchase-orders", {"vendor": 2, "lines": [7]}, "a line must be an object"),
        ("tokens", {"id": "x"}, "only"),
        ("actions", {"do": "dance"}, "'dance' is unknown"),
        ("actions", {"do": "cancel_order", "order": "PF9"}, "no order PF9"),
        ("actions", {"do": "cancel_line", "order": "PF150", "line": 9}, "has no line 9"),
        ("actions", {"do": "purchase", "requisition": 9}, "no requisition 9"),
        ("actions", {"do": "request", "department": "Mars"}, "no department Mars"),
        ("actions", {"do": "approve_bill", "invoice": "none"}, "no bills none"),
        ("actions", {"do": "receive", "order": "PF150", "line": 1, "quantity": "x"}, "quantity must be a number"),
        ("actions", {"do": "receive", "order": "PF150", "line": 1, "quantity": -1}, "More is taken back"),
        ("actions", {"do": "edit_bill", "invoice": "NK-77", "fields": {"version": 7}}, "without id, uuid and version"),
        ("wendors", {}, "type wendors is unknown"),
    ],
)
def test_what_cannot_be_taken_is_said(api, type_name, row, says):
    with pytest.raises(sandbox.BadInput, match=says):
        api.stand_in.edit(type_name, row)


def test_an_order_without_terms_is_shown():
    empty = {"payment-terms": [], "shipping-terms": [], "shipping-methods": [], "bills": []}
    data = {**empty, "vendors": [{"name": "Only One"}], "purchase-orders": [{"vendor": "Only One", "number": "PF1"}]}
    with sandbox.start("procurify", options={"base_set": "syspro"}, data=data) as stand_in:
        order = Api(stand_in).order("PF1")
    assert (order["payment_terms"], order["payment_term"]["name"], order["order_items"]) == ("", "", [])


def test_a_data_file_with_an_unknown_type_or_row_is_refused():
    with pytest.raises(sandbox.BadInput, match="wendors: unknown type"):
        sandbox.start("procurify", data={"wendors": []})
    with pytest.raises(sandbox.BadInput, match="base_set"):
        sandbox.start("procurify", options={"base_set": "none"})


def test_rows_are_edited_past_the_api(api):
    api.stand_in.edit("vendors", {"id": 4, "phoneOne": "+1 214 555 0199"})
    assert api.one("/api/v3/vendors/4/")["phoneOne"] == "+1 214 555 0199"
    assert api.one("/api/v3/vendors/4/")["dateModified"] == "2026-11-16T12:00:00Z"
    api.do("edit_vendor", vendor="TRN004", fields={"contact": "Sam Cole-Byrd"})
    assert api.one("/api/v3/vendors/5/")["contact"] == "Sam Cole-Byrd"
    api.stand_in.edit("bills", {"id": 6, "status": 42})
    assert api.bill("TF-90")["status"] == 42
    api.stand_in.edit("bills", {"id": 6, "_delete": True})
    assert len(api.rows("/api/v3/ap/bills/")) == 11
    assert [row["do"] for row in api.stand_in.state("actions")] == ["edit_vendor"]
