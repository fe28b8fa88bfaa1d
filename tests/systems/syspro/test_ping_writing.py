"""The part of a Connection's test that looks at writing."""

from __future__ import annotations

import pytest

from ml_connector.systems.syspro import SYSTEM
from ml_connector.systems.syspro.tables import TblCurrency
from ml_connector.systems.syspro.writing.ping import SAMPLES
from ml_connector.systems.syspro.writing.tables import GenJournalCtl, GenJournalDetail, GrnDetails

from .conftest import Erp, Pair

FAULT = "<Item><Supplier><ErrorNumber>1</ErrorNumber><ErrorDescription>Missing</ErrorDescription></Supplier></Item>"


@pytest.fixture
def erp(erp: Erp) -> Erp:
    for table in (TblCurrency, GenJournalCtl, GenJournalDetail, GrnDetails):
        erp.enet.tables[table.NAME] = []
    for name, root in (("APSTIN", "postapinvoice"), ("APSSSP", "setupapsupplier"), ("GENTJL", "postgljournal")):
        erp.enet.validation[name] = lambda call, root=root: f"<{root}>{FAULT}</{root}>"
    return erp


def steps(erp: Erp, *types: str, try_writing: bool = True) -> dict[str, bool | None]:
    found = erp.connect().ping(types, try_writing=try_writing)
    return {step.name: step.ok for step in found if step.name.startswith("write")}


def test_an_object_that_finds_fault_with_nothing_is_licensed_and_nothing_is_written(erp: Erp) -> None:
    assert steps(erp, "invoice", "supplier", "journal_entry", "gl_account") == {
        "write invoice (APSTIN)": True,
        "write supplier (APSSSP)": True,
        "write journal_entry (GENTJL)": True,
    }
    assert [call.validates for call in erp.enet.calls] == [True, True, True]


@pytest.mark.parametrize("said", ["ERROR: e.net exception raised: 100000", "ERROR: No access to this program"])
def test_an_object_that_is_not_there_or_barred_is_red(erp: Erp, said: str) -> None:
    erp.enet.validation["APSTIN"] = lambda call: said
    assert steps(erp, "invoice") == {"write invoice (APSTIN)": False}


def test_writing_is_not_looked_at_unless_asked_for(erp: Erp) -> None:
    assert steps(erp, "invoice", "supplier", try_writing=False) == {}
    assert (erp.enet.calls, erp.asked) == ([], 0)


def test_everything_that_is_said_to_be_written_has_a_target_and_a_test_of_its_right(erp: Erp) -> None:
    assert SYSTEM.writes == set(SAMPLES)
    for record_type in SYSTEM.writes:
        target = erp.target(record_type)
        assert all(callable(getattr(target, name)) for name in ("find", "get", "create", "update", "cancel"))
    with pytest.raises(KeyError):
        erp.target("gl_account")


ALL = ("invoice", "supplier", "purchase_order", "payment", "journal_entry")
WRITTEN = ["APSTIN", "GENTJL", "APSSSP", "PORTOI", "APSTPM", "APSTPY", "APSTPV", "GENTJL"]


def tried(pair: Pair, *types: str, **settings: object) -> list[tuple[str, bool | None]]:
    """Each business object that was tried at the stand-in, with what was found."""
    found = pair.connect(**settings).ping(types or ALL, try_writing=True)
    return [(step.name.split("(")[1].strip(")"), step.ok) for step in found if step.name.startswith("write")]


def test_each_business_object_of_the_flows_is_tried_and_nothing_is_written(pair: Pair) -> None:
    tables = ("ApInvoice", "ApSupplier", "PorMasterHdr", "ApPayRunHdr", "GenJournalCtl")
    before = {table: pair.rows(table) for table in tables}
    assert tried(pair) == [(name, True) for name in WRITTEN]
    assert {table: pair.rows(table) for table in tables} == before
    assert [row for row in pair.syspro.requests() if row["write"]] == []


def test_an_object_that_is_not_licensed_is_named_with_what_to_do(pair: Pair) -> None:
    pair.syspro.edit("operators", {"OperatorCode": "MLCONN", "NotLicensed": ["PORTOI", "APSTPY"]})
    assert [name for name, ok in tried(pair) if ok is False] == ["PORTOI", "APSTPY"]
    steps = {step.name: step for step in pair.connect().ping(ALL, try_writing=True)}
    step = steps["write purchase_order (PORTOI)"]
    assert "100000" in step.text
    assert "License the business object" in step.fix


def test_what_only_a_policy_needs_may_be_missing(pair: Pair) -> None:
    pair.syspro.edit("operators", {"OperatorCode": "MLCONN", "NotLicensed": ["APSTPV", "GENTJL"]})
    assert tried(pair, "invoice", "payment") == [
        ("APSTIN", True), ("GENTJL", None), ("APSTPM", True), ("APSTPY", True), ("APSTPV", None)
    ]  # fmt: skip
    assert tried(pair, "journal_entry") == [("GENTJL", False)]


def test_what_the_settings_make_needless_is_not_tried(pair: Pair) -> None:
    assert tried(pair, "invoice", "payment", ap_control_account="", payment_run="CLEAR") == [
        ("APSTIN", True), ("APSTPM", True), ("APSTPV", True)
    ]  # fmt: skip
