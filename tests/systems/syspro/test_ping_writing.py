"""The part of a Connection's test that looks at writing."""

from __future__ import annotations

import pytest

from ml_connector.systems.syspro import SYSTEM
from ml_connector.systems.syspro.tables import TblCurrency
from ml_connector.systems.syspro.writing.ping import SAMPLES
from ml_connector.systems.syspro.writing.tables import GenJournalCtl, GenJournalDetail, GrnDetails

from .conftest import Erp

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
