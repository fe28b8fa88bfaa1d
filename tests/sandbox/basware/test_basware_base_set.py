"""The seeded tenant, the base set of the acceptance stories, and the control side."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from tests.sandbox.basware.conftest import Api, account, coding, cost_center, invoice, line, order, term, vendor

from ml_connector import sandbox
from ml_connector.sandbox.http import decode

DATA = Path(sandbox.__file__).parent / "data" / "base_set.basware.json"
D = Decimal


@pytest.fixture
def base():
    with sandbox.start("basware", data=decode(DATA.read_bytes())) as stand_in:
        stand_in.clock(now="2026-11-16T12:00:00Z", running=False)
        yield Api(stand_in)


def by_number(api):
    rows = api.rows("accountingDocuments", ProcessingStatus="WaitingForTransfer")
    return {row["invoiceNumber"]: row for row in rows}


def test_the_base_set_has_its_control_totals(base):  # R22
    rows = by_number(base)
    dollars = [row["grossSum"] for row in rows.values() if row["currencyCode"] == "USD"]
    assert (len(rows), sum(dollars)) == (12, D("7231.19"))
    assert (rows["NK-77"]["grossSum"], rows["NK-77"]["grossSumCompany"]) == (D("2500.00"), D("2700.00"))
    assert (rows["PK-501"]["grossSum"], rows["PK-501"]["referenceNumber"]) == (D("-75.00"), "PK-500")
    assert rows["ELC-1002"]["codingRows"][0]["costCenterCode"] == "WH9"
    assert rows["HU-2202"]["invoiceDate"].startswith("2026-09-30")
    assert [row["costCenterCode"] for row in rows["HU-2203"]["codingRows"]] == ["WH1", "WH2"]


def adds_up(row):
    coded = row["codingRows"]
    return (
        sum(one["netTotal"] for one in coded) == row["netSum"]
        and sum(one["taxSum"] for one in coded) == row["taxSum1"]
        and sum(one["grossTotal"] for one in coded) == row["grossSum"] == row["netSum"] + row["taxSum1"]
        and len({one["rowIndex"] for one in coded}) == len(coded)
    )


def test_every_invoice_adds_up(base):  # R22
    assert all(adds_up(row) for row in by_number(base).values())
    with sandbox.start("basware", seed=5, options={"documents": 400}) as seeded:
        rows = seeded.state("accountingDocuments")
    assert len(rows) == 400
    assert [row["invoiceNumber"] for row in rows if not adds_up(row)] == []


def test_the_seeded_tenant_waits_and_has_had_nothing_posted():
    with sandbox.start("basware", seed=1) as first, sandbox.start("basware", seed=1) as second:
        rows = first.state("accountingDocuments")
        assert rows == second.state("accountingDocuments")
        assert {row["processingStatus"] for row in rows} == {"WaitingForTransfer"}
        assert len(rows) == len({row["invoiceId"] for row in rows}) == 60
        assert any(row["codingRows"][0]["accountCode"] == "10-6999" for row in rows)
        assert {row["currencyCode"] for row in rows} > {"USD"}
        assert [first.state(name) for name in ("vendors", "accounts", "p2p.vendors")] == [[], [], []]
    with sandbox.start("basware", seed=2) as other:
        assert other.state("accountingDocuments") != rows


def test_the_story_of_the_master_data(base):  # R12, R56
    terms = [term(code) for code in ("30", "15", "14")]
    base.written("paymentTerms", *terms)
    names = ("10-6100", "10-6200", "10-6300", "10-6400", "10-2250", "10-6999")
    base.written("accounts", *(account(code) for code in names))
    base.written("costCenters", cost_center("WH1"), cost_center("WH2"))
    base.written("matchingOrders", order("PO 151", "PAK003"))
    lines = line(1, "PO 151", quantity=66, netSum=660, orderLineCoding=coding(accountCode="10-6200"))
    assert base.outcome(base.written("matchingOrderLines", lines)) == {"RIL_line_PO 151_1": "Error"}
    denied = {"active": True, "paymentDenied": True}
    vendors = [
        vendor("ELC001"),
        vendor("NOR002", paymentMeans=[{"paymentMeansCode": "CHK", "currencyCode": "EUR", "default": True}]),
        vendor("PAK003"),
        vendor("TRN004", paymentTerms={"paymentTermCode": "15"}, processingStatus=denied),
        vendor("HYD005", paymentTerms={"paymentTermCode": "14"}),
    ]
    assert set(base.outcome(base.written("vendors", *vendors)).values()) == {"Success"}
    assert base.outcome(base.written("matchingOrderLines", lines)) == {"RIL_line_PO 151_1": "Success"}
    counts = {name: len(base.stand_in.state(f"p2p.{name}")) for name in ("paymentTerms", "accounts", "vendors")}
    assert counts == {"paymentTerms": 3, "accounts": 6, "vendors": 5}


def test_it_is_started_by_its_name():
    command = [sys.executable, "-m", "ml_connector.sandbox", "basware", "--data", str(DATA), "--tied"]
    path = {**os.environ, "PYTHONPATH": str(DATA.parents[3])}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=path) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["settings"]["region"] == "EU"
        assert set(ready["secrets"]) == {"client_secret"}
        assert httpx2.get(f"{ready['control']}state").json()["accountingDocuments"] == 12
        process.communicate(timeout=5)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("type_name", "row", "says"),
    [
        ("accountingDocuments", {"invoiceNumber": "x"}, "a row needs invoiceId"),
        ("accountingDocuments", {"invoiceId": "x"}, "companyCode is required"),
        ("vendors", {"name": "x"}, "a row needs externalCode"),
        ("vendors", {"externalCode": "x", "colour": "red"}, "colour is not a field"),
        ("lists", {"externalCode": "x"}, "a row needs listKey"),
        ("organizationElements", {"code": "X"}, "a row needs companyCode"),
        ("tasks", {}, "can only be read"),
        ("p2p.vendors", {}, "can only be read"),
        ("tokens", {"id": "x"}, "only"),
        ("actions", {"do": "dance"}, "'dance' is unknown"),
        ("actions", {"do": "retransfer", "invoiceId": "none"}, "no invoice none"),
        ("actions", {"do": "redistribute", "type": "vendors", "externalCodes": ["none"]}, "not all of none are stored"),
        ("actions", {"do": "answer_next", "entityType": "Wendor"}, "entityType must be one of"),
        ("wendors", {}, "type wendors is unknown"),
    ],
)
def test_what_cannot_be_taken_is_said(api, type_name, row, says):
    with pytest.raises(sandbox.BadInput, match=says):
        api.stand_in.edit(type_name, row)


def test_a_data_file_with_an_unknown_type_is_refused():
    with pytest.raises(sandbox.BadInput, match="wendors: unknown type"):
        sandbox.start("basware", data={"wendors": []})


def test_rows_are_edited_past_the_api(api):
    api.stand_in.edit("accountingDocuments", invoice())
    api.stand_in.edit("accountingDocuments", {"invoiceId": "f" * 32, "description": "x", "taxSum1": None})
    (row,) = api.stand_in.state("accountingDocuments")
    assert (row["description"], "taxSum1" in row) == ("x", False)
    api.stand_in.edit("accountingDocuments", {"invoiceId": "f" * 32, "_delete": True})
    assert api.rows("accountingDocuments") == []
    api.stand_in.edit("lists", {"listKey": "ACC_LIST_1", "externalCode": "D1", "text_1": "Dock"})
    assert [row["text_1"] for row in api.rows("lists/ACC_LIST_1")] == ["Dock"]
    api.stand_in.edit("currencies", {"code": "USD", "active": False})
    assert api.said(api.written("vendors", vendor())) == [
        "Payment term 30 does not exist.",
        "Currency USD is not active.",
    ]


def test_logins_and_subscriptions_are_no_writes(api):
    api.written("accounts", account())
    api.post("/v1/subscriptions", [])
    api.post("/v1/requestStatus/acknowledge", {"requestIds": ["x"]})
    assert [row["path"] for row in api.stand_in.requests() if row["write"]] == ["/v1/accounts"]
    assert api.stand_in.summary()["writes"] == 1
