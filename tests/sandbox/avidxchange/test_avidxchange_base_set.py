"""The base set and the payments of the acceptance story, under both contracts; the control side and what is seeded."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from tests.sandbox.avidxchange.conftest import ACCOUNT, NOW, Api, code, invoice, line, order, vendor

from ml_connector import sandbox
from ml_connector.sandbox.avidxchange.contract import load
from ml_connector.sandbox.http import decode

DATA = Path(sandbox.__file__).parent / "data" / "base_set.avidxchange.json"
D = Decimal
STORY = [
    invoice("ELC-1001", "ELC001", line(1200), line(300, "10-6200"), line(120, "10-2250"), order="150"),
    invoice("ELC-1002", "ELC001", line(845.55), line(67.64, "10-2250"), date="2026-11-11"),
    invoice("NK-77", "NOR002", line(2000), line(500, "10-6300"), date="2026-11-09", currency="EUR"),
    invoice("PK-500", "PAK003", line(640, "10-6200"), line(35, "10-6300"), date="2026-11-12", order="151"),
    invoice("PK-501", "PAK003", line(-75, "10-6200"), date="2026-11-13"),
    invoice("HU-2202", "HYD005", line(199.60, "10-6400"), date="2026-09-30", due_date="2026-10-14"),
    invoice("ELC-1004", "ELC001", line(510), date="2026-11-13"),
    invoice("PK-502", "PAK003", line(600, "10-6200"), line(400), date="2026-11-14"),
    invoice("HU-2203", "HYD005", line(90, "10-6400", "WH1"), line(60, "10-6400", "WH2"), date="2026-11-16"),
]
PAID = [
    (9001, "check", "70011", [("ELC-1001", 1620)]),
    (9002, "direct", None, [("ELC-1002", 500)]),
    (9003, "direct", None, [("ELC-1002", 413.19)]),
    (9004, "direct", None, [("NK-77", 2500)]),
    (9005, "card", None, [("PK-500", 675), ("PK-501", -75)]),
    (9006, "check", "70012", [("HU-2202", 199.60)]),
    (9007, "direct", None, [("PK-502", 250)]),
]


@pytest.fixture(params=["default", "renamed"])
def base(request):
    options = {"contract": request.param}
    with sandbox.start("avidxchange", data=decode(DATA.read_bytes()), options=options) as stand_in:
        stand_in.clock(now=NOW, running=False)
        yield Api(stand_in)


def write_story(api):
    """What the ERP writes in the first run."""
    accounts = ("10-2250", "10-6100", "10-6200", "10-6300", "10-6400", "10-6999")
    api.written("codes.write", *map(code, accounts), code("WH1", "Cost Center"), code("WH2", "Cost Center"))
    suppliers = [vendor(one) for one in ("ELC001", "PAK003", "HYD005")]
    api.written("vendors.write", *suppliers, vendor("NOR002", currency="EUR"), vendor("TRN004", active=False))
    api.written("orders.write", order(), order("151", "PAK003", 640), order("152", "TRN004", 400))
    api.written("invoices.write", *STORY)


def test_the_story_has_its_control_totals(base):  # R22
    write_story(base)
    rows = base.rows("invoices.list", **{"from": "2026-11-16"})
    sums = {one: sum(row["gross"] for row in rows if row["currency"] == one) for one in ("USD", "EUR")}
    assert (len(rows), sums) == (9, {"USD": D("4992.79"), "EUR": D("2500.00")})
    assert [row["code"] for row in base.rows("vendors.list")] == ["HYD005", "ELC001", "PAK003", "NOR002", "TRN004"]
    refused = base.refused("invoices.write", invoice("HU-2201", "HYD005", line(218.40, "10-6999")))
    assert "10-6999 in GL Account is archived" in refused


def test_the_payments_of_the_story_end_to_the_cent(base):  # R29
    write_story(base)
    base.do("approve_all")
    payments = [
        {
            "id": number,
            "method": method,
            "check_number": check,
            "status": "cleared",
            "remittances": [{"invoice": name, "gross": gross} for name, gross in parts],
        }
        for number, method, check, parts in PAID
    ]
    late = {"id": 9008, "method": "check", "status": "issued", "remittances": [{"invoice": "HU-2203"}]}
    base.do("run", run="R-16", payments=[*payments, late])
    base.do("stop", payment=9008)
    cleared = [row for row in base.rows("payments.list", run="R-16") if row["status"] == "cleared"]
    assert sum(row["amount"] for row in cleared if row["currency"] == "USD") == D("3582.79")
    assert base.payment(9001)["check_number"] == "70011"
    base.do("void", payment=9006)
    cleared = [row for row in base.rows("payments.list", run="R-16") if row["status"] == "cleared"]
    assert sum(row["amount"] for row in cleared if row["currency"] == "USD") == D("3383.19")
    shown = base.contract["records"]["payment"]["status"]["at"].split(".")
    (body,) = base.bodies("payments.list", ids=9008)
    for step in shown:
        body = body[step]
    assert body == {"default": "Stop Requested", "renamed": "Halt asked"}[base.stand_in.options()["contract"]]
    paid = {row["number"] for row in base.stand_in.state("invoices") if row["status"] == "paid"}
    assert paid == {"ELC-1001", "ELC-1002", "NK-77", "PK-500", "PK-501", "HU-2203"}


def names(contract):
    """Every name, path and text of a contract that a client has to know."""
    found = {contract.root, contract.access.token, *contract.access.sign_in, contract.writes.items}
    access, answers = contract.access, contract.answers
    found |= {access.bearer, access.user_bearer, access.company_token, access.user_token, access.company.name}
    found |= {getattr(answers, name) for name in ("items", "item", "results", "good", "errors", "error_text")}
    found |= {getattr(answers.page, name) for name in ("number", "size", "count", "links", "relation", "next")}
    for call in contract.calls.values():
        found |= {call.call.partition(" ")[2], *call.takes.values()}
    for fields in contract.records.values():
        found |= {step for field in fields.values() for step in field.at.replace("[0]", "").split(".")}
    for words in contract.words.values():
        found |= set(words.values())
    return {name.lower() for name in found}


def test_no_name_of_one_contract_is_in_the_other():
    one, other = load("default"), load("renamed")
    assert names(one) & names(other) == set()
    assert one.records.keys() == other.records.keys() and one.calls.keys() == other.calls.keys()
    assert all(one.records[name].keys() == other.records[name].keys() for name in one.records)
    assert all(one.words[name].keys() == other.words[name].keys() for name in one.words)


def test_a_contract_or_option_that_does_not_exist_is_refused():
    with pytest.raises(sandbox.BadOption, match="known: default, renamed"):
        sandbox.start("avidxchange", options={"contract": "other"})
    with pytest.raises(sandbox.BadOption, match="fault_shape"):
        sandbox.start("avidxchange", options={"fault_shape": "csv"})


def test_captured_invoices_are_seeded_in_closed_batches():
    with sandbox.start("avidxchange", seed=3, options={"captured": 60}) as running:
        rows, batches = running.state("invoices"), running.state("batches")
        assert (len(rows), [row["count"] for row in batches]) == (60, [25, 25, 10])
        assert {(row["status"], row["captured"], row["external_id"]) for row in rows} == {("approved", True, None)}
        assert sum(row["gross"] for row in rows) == sum(row["total"] for row in batches)
        with sandbox.start("avidxchange", seed=3, options={"captured": 60}) as again:
            assert [row["number"] for row in again.state("invoices")] == [row["number"] for row in rows]


def test_a_person_changes_rows_past_the_rules(plain):
    plain.set_up()
    plain.stand_in.edit("vendors", {"code": "ELC001", "active": False})
    assert plain.rows("vendors.list", external_ids="ELC001")[0]["active"] is False
    plain.stand_in.edit("invoices", {"number": "P-1", "vendor": "ELC001", "date": "2026-11-10", "gross": 5})
    assert plain.invoice("P-1")["gross"] == D("5.00")
    plain.stand_in.edit("codes", {"group": ACCOUNT, "code": "10-6100", "_delete": True})
    assert "no code 10-6100" in plain.refused("invoices.write", invoice("X", "PAK003"))


@pytest.mark.parametrize(
    ("type_name", "row", "says"),
    [
        ("vendors", {"code": "A"}, "needs name"),
        ("vendors", {"code": "A", "name": 5}, "expected str"),
        ("vendors", {"code": "A", "colour": "x"}, "colour is unknown"),
        ("orders", {"number": "1", "status": "lost"}, "expected one of open"),
        ("codes", {"id": "77", "_delete": True}, "no such row"),
        ("batches", {"id": "1"}, "only be read"),
        ("actions", {"do": "dance"}, "is unknown"),
        ("actions", {"do": "approve", "invoice": "X"}, "no invoices X"),
        ("actions", {"do": "issue", "payment": 1}, "no payment 1"),
        ("actions", {"do": "run", "payments": ["x"]}, "not of its shape"),
        ("actions", {"do": "gateway_fault", "code": "1"}, "code must be one of"),
    ],
)
def test_what_the_control_side_cannot_take_is_explained(plain, type_name, row, says):
    with pytest.raises(ValueError, match=says):
        plain.stand_in.edit(type_name, row)
    assert plain.stand_in.state("actions") == []


def test_it_runs_as_a_process_from_the_command_line():
    command = [sys.executable, "-m", "ml_connector.sandbox", "avidxchange", "--data", str(DATA), "--tied"]
    command += ["--option", "contract=renamed"]
    paths = os.pathsep.join(path for path in sys.path if path)
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    ) as process:
        ready = json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(20) == 0
    assert ready["settings"]["base_url"].startswith("http://127.0.0.1:")
    assert set(ready["secrets"]) == {"client_secret"}
