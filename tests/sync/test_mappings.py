"""Code lists and Mappings: versions, validation, files."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_connector import audit, clock
from ml_connector.domain.records import AccountType, CostCenter, Currency, GlAccount, Record, Supplier
from ml_connector.integrations.syspro_bill import SYSPRO_BILL
from ml_connector.sync import codes, mapping_files, mappings
from ml_connector.sync.mapping_files import FileRefused, guarded, unguarded
from ml_connector.sync.mappings import MappingRefused
from ml_connector.sync.models import (
    CodeListEntry,
    Connection,
    Flow,
    Integration,
    MappingEntry,
    MappingVersion,
    Problem,
    ProblemRecord,
    State,
)
from ml_connector.sync.models import Record as Row
from ml_connector.systems.base import ShapeChanged
from ml_connector.workspaces.models import Workspace

MONDAY = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
TODAY = MONDAY.date()

ERP_ACCOUNTS = [
    ("10-6100", "Components", AccountType.EXPENSE, True),
    ("10-6200", "Packaging", AccountType.EXPENSE, True),
    ("10-6300", "Freight", AccountType.EXPENSE, True),
    ("10-6999", "Sundry", AccountType.EXPENSE, True),
]
BILL_ACCOUNTS = [
    ("0ca1", "6100", "Components", AccountType.EXPENSE, True),
    ("0ca2", "6200", "Packaging", AccountType.EXPENSE, True),
    ("0ca3", "6300", "Freight", AccountType.EXPENSE, False),
    ("0ca4", "1500", "Equipment", AccountType.ASSET, True),
    ("0ca5", "4000", "Sales", AccountType.REVENUE, True),
    ("0ca6", "7000", "Services A", AccountType.EXPENSE, True),
    ("0ca7", "7000", "Services B", AccountType.EXPENSE, True),
]


@pytest.fixture
def integration(workspace: Workspace) -> Integration:
    clock.hold(MONDAY)
    erp, bill = (
        Connection.objects.create(workspace=workspace, name=name, system=name, credential=name)
        for name in ("syspro", "bill")
    )
    made = Integration.objects.create(workspace=workspace, name="payables", kind="syspro-bill", erp=erp, platform=bill)
    for position, spec in enumerate(SYSPRO_BILL.flows):
        Flow.objects.create(workspace=workspace, integration=made, name=spec.name, position=position, every=spec.every)
    _read(erp, [GlAccount(code=c, name=n, type=t, postable=p) for c, n, t, p in ERP_ACCOUNTS])
    _read(bill, [GlAccount(code=c, number=m, name=n, type=t, postable=p) for c, m, n, t, p in BILL_ACCOUNTS])
    return made


def _read(
    connection: Connection, records: list[GlAccount], list_name: str = "gl_account", *, complete: bool = True
) -> dict[str, int]:
    with audit.recording(connection.workspace, actor="worker") as trail:
        return codes.store_codes(trail, connection, list_name, records, complete=complete)


def _set(integration: Integration, name: str = "gl_account", on: date | None = None, **entries: str | None) -> int:
    """Publishes entries whose codes are written with _ for -."""
    changes = {source.strip("_").replace("_", "-"): target for source, target in entries.items()}
    return mappings.set_entries(integration, name, changes, "anna", effective_from=on).number


# --- code lists


def test_a_reading_writes_only_what_changed(integration: Integration) -> None:
    accounts = [GlAccount(code=c, name=n, type=t, postable=p) for c, n, t, p in ERP_ACCOUNTS]
    clock.hold(MONDAY + timedelta(hours=1))
    renamed = GlAccount(code="10-6100", name="Parts", type=AccountType.EXPENSE, postable=True)
    counts = _read(integration.erp, [renamed, *accounts[1:3]])
    assert counts == {"read": 3, "new": 0, "changed": 1, "gone": 1}
    rows = {row.code: row for row in CodeListEntry.objects.of(integration.workspace).filter(connection=integration.erp)}
    assert (rows["10-6100"].name, rows["10-6100"].seen_at) == ("Parts", MONDAY + timedelta(hours=1))
    assert rows["10-6200"].seen_at == MONDAY
    assert rows["10-6999"].gone
    assert _read(integration.erp, [renamed, *accounts[1:]]) == {"read": 4, "new": 0, "changed": 1, "gone": 0}


def test_a_part_of_a_list_says_nothing_about_what_is_gone(integration: Integration) -> None:  # R18
    counts = _read(integration.erp, [GlAccount(code="10-7", name="New", type=AccountType.EXPENSE, postable=True)],
                   complete=False)  # fmt: skip
    assert counts == {"read": 1, "new": 1, "changed": 0, "gone": 0}


def test_an_empty_list_where_there_was_one_changes_nothing(integration: Integration) -> None:  # R19
    with pytest.raises(ShapeChanged, match="bill gave no GL accounts at all, and 7 were known"):
        _read(integration.platform, [])
    assert not CodeListEntry.objects.of(integration.workspace).filter(gone=True).exists()


@pytest.mark.parametrize(
    ("record", "list_name", "number"),
    [
        (CostCenter(code="d1", name="Warehouse 1", dimension="departments", number="WH1"), "cost_center", "WH1"),
        (Currency(code="$", name="US dollar", iso="USD"), "currency", "USD"),
    ],
)
def test_codes_are_known_by_their_number(integration: Integration, record: Record, list_name: str, number: str) -> None:
    with audit.recording(integration.workspace, actor="worker") as trail:
        codes.store_codes(trail, integration.erp, list_name, [record], complete=True)
    found = codes.entry(integration.erp, list_name, record.code)  # type: ignore[attr-defined]
    assert found is not None
    assert found.number == number


def test_a_supplier_is_no_code(integration: Integration) -> None:
    with audit.recording(integration.workspace, actor="worker") as trail, pytest.raises(TypeError, match="no entry"):
        codes.store_codes(trail, integration.erp, "x", [Supplier(code="a", name="b")], complete=True)


def test_why_nothing_can_be_posted_to_a_code(integration: Integration) -> None:  # R50
    heading = GlAccount(code="10-6", name="Costs", type=AccountType.HEADING, postable=True)
    _read(integration.erp, [heading], complete=False)
    erp = codes.code_index(integration.erp, "gl_account")
    bill = codes.code_index(integration.platform, "gl_account")
    assert bill.fault("0ca1") is None
    assert bill.fault("0ca3") == "6300 (Freight) is archived, on hold or closed for posting."
    assert bill.fault("0cax") == "0cax is not among its GL accounts as last read."
    assert erp.fault("10-6") == "10-6 (Costs) is a heading; nothing is posted to it."
    CodeListEntry.objects.of(integration.workspace).filter(code="0ca1").update(gone=True)
    gone = codes.code_index(integration.platform, "gl_account").fault("0ca1")
    assert gone == "6100 (Components) was not in the last complete reading: deleted, or no longer visible."


def test_padding_zeros_do_not_hide_a_code_unless_two_codes_differ_by_them(integration: Integration) -> None:
    rows = [GlAccount(code=c, name=c, type=AccountType.EXPENSE, postable=True) for c in ("0610", "0620", "620")]
    _read(integration.erp, rows, complete=False)
    index = codes.code_index(integration.erp, "gl_account")
    assert (found := index.get("610")) is not None
    assert found.code == "0610"
    assert (exact := index.get("620")) is not None
    assert exact.code == "620"
    assert index.get("00620") is None


# --- versions


def test_a_target_is_given_by_number_or_code_and_stored_as_code(integration: Integration) -> None:
    _set(integration, _10_6100="6100", _10_6200="0ca2")
    table = mappings.table(integration, "gl_account", TODAY)
    assert (table.version, table.get("10-6100"), table.get("10-6200")) == (1, "0ca1", "0ca2")
    assert table.get("10-6999") is None


def test_a_change_makes_a_version_and_what_changes_nothing_makes_none(integration: Integration) -> None:
    assert _set(integration, _10_6100="6100", _10_6200="6200") == 1
    assert _set(integration, _10_6100="6100") == 1
    assert _set(integration, _10_6100="1500") == 2
    assert _set(integration, _10_6100=None) == 3
    assert mappings.table(integration, "gl_account", TODAY).targets == {"10-6200": "0ca2"}
    assert [version.number for version in mappings.history(integration, "gl_account")] == [3, 2, 1]


def test_an_earlier_version_can_be_asked_for(integration: Integration) -> None:  # R48
    _set(integration, _10_6100="6100")
    _set(integration, _10_6100="1500")
    assert mappings.table(integration, "gl_account", TODAY, version=1).get("10-6100") == "0ca1"


def test_a_version_is_in_force_from_its_date_on(integration: Integration) -> None:
    _set(integration, _10_6100="6100")
    _set(integration, on=date(2027, 1, 1), _10_6100="1500")
    today, later = (mappings.table(integration, "gl_account", day) for day in (TODAY, date(2027, 1, 1)))
    assert (today.version, today.get("10-6100")) == (1, "0ca1")
    assert (later.version, later.get("10-6100")) == (2, "0ca4")
    assert mappings.table(integration, "gl_account", TODAY - timedelta(days=1)).version == 0


def test_a_version_for_next_year_neither_hides_nor_delays_what_is_mapped_meanwhile(integration: Integration) -> None:
    _set(integration, on=date(2027, 1, 1), _10_6100="1500", _10_6200="6200")
    _set(integration, _10_6999="6100")
    assert mappings.table(integration, "gl_account", TODAY).targets == {"10-6999": "0ca1"}
    assert mappings.table(integration, "gl_account", date(2027, 1, 1)).targets == {
        "10-6100": "0ca4",
        "10-6200": "0ca2",
        "10-6999": "0ca1",
    }
    assert _set(integration, _10_6100="1500") == 3
    assert mappings.table(integration, "gl_account", TODAY).get("10-6100") == "0ca4"


one_change = st.tuples(st.sampled_from("abc"), st.none() | st.sampled_from("xyz"), st.integers(-2, 2))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(one_change, min_size=1, max_size=8))
@pytest.mark.usefixtures("database")
def test_a_table_is_what_its_versions_in_force_say_one_after_the_other(
    changes: list[tuple[str, str | None, int]],
) -> None:
    clock.hold(MONDAY)
    integration = _fresh()
    said: list[tuple[date, str, str | None]] = []
    for source, target, days in changes:
        starts = TODAY + timedelta(days=days)
        try:
            mappings.set_entries(integration, "country", {source: target}, "anna", effective_from=starts)
        except MappingRefused:
            continue
        said.append((starts, source, target))
    for days in range(-3, 4):
        day = TODAY + timedelta(days=days)
        expected: dict[str, str] = {}
        for starts, source, target in said:
            if starts <= day and target is not None:
                expected[source] = target
            elif starts <= day:
                expected.pop(source, None)
        assert mappings.table(integration, "country", day).targets == expected


_names = iter(f"w{number}" for number in range(100_000))


def _fresh() -> Integration:
    name = next(_names)
    workspace = Workspace.objects.create(name=name, created_at=MONDAY)
    sides = {
        side: Connection.objects.create(workspace=workspace, name=side, system=side, credential=f"{name}{side}")
        for side in ("erp", "platform")
    }
    return Integration.objects.create(workspace=workspace, name="i", kind="syspro-bill", **sides)


def test_an_identity_mapping_gives_the_code_itself_unless_an_entry_says_otherwise(integration: Integration) -> None:
    _set(integration, name="country", DEU="DE")
    table = mappings.table(integration, "country", TODAY)
    assert (table.get("DEU"), table.get("US")) == ("DE", "US")


def test_one_audit_entry_with_the_version_and_the_codes(integration: Integration) -> None:
    _set(integration, _10_6100="6100", _10_6200="6200")
    (entry,) = audit.models.AuditEntry.objects.of(integration.workspace).filter(action="mapping_change")
    assert entry.actor == "anna"
    assert '"version":1' in entry.detail
    assert '"codes":["10-6100","10-6200"]' in entry.detail


# --- validation


def _refused(integration: Integration, **entries: str) -> list[str]:
    with pytest.raises(MappingRefused) as refused:
        _set(integration, **entries)
    assert not MappingVersion.objects.of(integration.workspace).exists()
    assert not MappingEntry.objects.of(integration.workspace).exists()
    return [fault.text for fault in refused.value.faults]


def test_every_fault_is_named_and_nothing_is_changed(integration: Integration) -> None:
    texts = _refused(integration, _10_6100="6100", _10_6200="9999", _10_6300="6300", _10_9="6100", _10_6999="7000")
    assert texts == [
        "BILL has no GL account '9999' that 10-6200 could be mapped to. Check the spelling, or create it there and"
        " read the list again.",
        "GL account 10-6300 cannot be mapped to BILL: 6300 (Freight) is archived, on hold or closed for posting."
        " Restore it there, or choose another one.",
        "SYSPRO has no GL account '10-9'. Check the spelling, or read the list again if it was made there just now.",
        "'7000' is the number of several GL accounts in BILL: 0ca6 (Services A), 0ca7 (Services B). Give the code of"
        " the one that 10-6999 is to be mapped to.",
    ]


def test_an_expense_account_is_never_mapped_to_income_and_to_an_asset_with_a_warning(integration: Integration) -> None:
    (text,) = _refused(integration, _10_6100="4000")
    assert text.endswith("4000 (Sales) of type revenue in BILL. Choose a target of type expense.")
    checked = mappings.check(integration, "gl_account", {"10-6100": "1500"})
    assert checked.entries == {"10-6100": "0ca4"}
    assert "of type asset" in checked.warnings[0]


def test_a_code_that_is_gone_from_the_source_can_still_be_mapped_and_taken_out(integration: Integration) -> None:
    CodeListEntry.objects.of(integration.workspace).filter(code="10-6100").update(gone=True)
    assert _set(integration, _10_6100="6100") == 1
    CodeListEntry.objects.of(integration.workspace).filter(code="10-6100").delete()
    assert _set(integration, _10_6100=None) == 2


def test_a_mapping_that_does_not_exist(integration: Integration) -> None:
    with pytest.raises(MappingRefused, match=r"payables has no mapping 'gl'\. It has: gl_account, cost_center"):
        mappings.table(integration, "gl", TODAY)


def test_nothing_is_mapped_before_both_lists_were_read(integration: Integration) -> None:
    CodeListEntry.objects.of(integration.workspace).filter(connection=integration.platform).delete()
    (text,) = _refused(integration, _10_6100="6100", _10_6200="6200")
    assert text.startswith("The GL accounts of BILL were never read, so no code can be checked.")


# --- what waits


def _waiting(integration: Integration, code: str) -> Row:
    flow = Flow.objects.of(integration.workspace).get(name="invoices")
    record = Row.objects.create(
        workspace=integration.workspace, flow=flow, key=f"HYD005/{code}", hash=b"", payload=b"{}", number="HU-2201",
        state=State.BLOCKED, staged_at=MONDAY,
    )  # fmt: skip
    problem = Problem.objects.create(
        workspace=integration.workspace, integration=integration, flow=flow, cause="unmapped_code",
        subject=mappings.subject("gl_account", code), text="", fix="", blocks=True, opened_at=MONDAY,
    )  # fmt: skip
    ProblemRecord.objects.create(workspace=integration.workspace, problem=problem, record=record)
    return record


def test_what_waits_for_a_code_is_pushed_again_when_it_is_mapped(integration: Integration) -> None:
    record = _waiting(integration, "10-6999")
    _set(integration, _10_6100="6100")
    assert Flow.objects.of(integration.workspace).get(pk=record.flow_id).next_push_at is None
    _set(integration, _10_6999="6100")
    assert Flow.objects.of(integration.workspace).get(pk=record.flow_id).next_push_at == MONDAY


def test_people_see_first_what_documents_wait_for(integration: Integration) -> None:
    _waiting(integration, "10-6999")
    _set(integration, _10_6100="6100", _10_6200="6200")
    CodeListEntry.objects.of(integration.workspace).filter(code="0ca2").update(postable=False)
    views = mappings.entries(integration, "gl_account")
    assert [(view.source, view.target_number, view.waiting, view.fault is None) for view in views] == [
        ("10-6999", "", 1, True),
        ("10-6300", "", 0, True),
        ("10-6200", "6200", 0, False),
        ("10-6100", "6100", 0, True),
    ]
    assert (views[3].source_name, views[3].target_name) == ("Components", "Components")


# --- files


def _export(integration: Integration) -> str:
    stream = io.StringIO(newline="")
    mapping_files.export_csv(integration, "gl_account", stream)
    return stream.getvalue()


def _import(integration: Integration, content: str | bytes) -> int:
    return mapping_files.import_csv(integration, "gl_account", content, "map.csv", "anna").number


def test_a_file_that_was_written_reads_in_again_and_changes_nothing(integration: Integration) -> None:
    _set(integration, _10_6100="6100", _10_6200="0ca6")
    text = _export(integration)
    assert text.splitlines()[0] == "source,target,note"
    assert "10-6100,6100,Components -> Components" in text
    assert "10-6200,0ca6,Packaging -> Services A" in text
    assert _import(integration, text) == 1


def test_an_empty_target_takes_out_what_was_mapped(integration: Integration) -> None:
    _set(integration, _10_6100="6100", _10_6200="6200")
    assert _import(integration, "source,target\n10-6100,\n10-6999,\n") == 2
    assert mappings.table(integration, "gl_account", TODAY).targets == {"10-6200": "0ca2"}


@pytest.mark.parametrize(
    "content",
    [
        "source,target\n10-6100,6100\n",
        "\ufeffsource;target;note\r\n10-6100;6100;a, b\r\n",
        "Source\tTARGET\r10-6100\t6100\r",
        "note,target,source\n\n\"a\nb\",6100, 10-6100 \n,6100,10-6100\n",
        "source,target\n10-6100,6100\n".encode("utf-8-sig"),
        "source,target\n10-6100,6100\n".encode("utf-16"),
    ],
)  # fmt: skip
def test_files_as_spreadsheets_write_them(integration: Integration, content: str | bytes) -> None:
    _import(integration, content)
    assert mappings.table(integration, "gl_account", TODAY).targets == {"10-6100": "0ca1"}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "map.csv:1: the first line must name the columns source and target once each; 'source' is missing"),
        ("source,taget\n", "'target' is missing. It says: 'source, taget'."),
        ("source,source,target\n", "'source' is there twice"),
        (b"source,target\n10-6100,M\xfcll\n", "map.csv:2: not readable as UTF-8. Save the file as 'CSV UTF-8'"),
        ("source,target\n10-6100\n", "map.csv:2: 1 cells instead of 2. Add what is missing."),
        ("source,target\n,6100\n", "map.csv:2: there is a target but no source code."),
        ("source,target\n\"10-61\"x,1\n", "map.csv:2: not readable as CSV"),
        ("source,target\n10-6100,6100\n10-6100,6200\n", "map.csv:3: 10-6100 is mapped to '6200' here and"),
        ("source,target,note\n10-6200,6200,\"a\nb\"\n10-6100,9999,\n", "map.csv:4: BILL has no GL account '9999'"),
        ("source,target\n10-6300,6300\n", "map.csv:2: GL account 10-6300 cannot be mapped to BILL"),
    ],
)  # fmt: skip
def test_a_file_with_a_fault_changes_nothing_and_the_fault_has_its_line(
    integration: Integration, content: str | bytes, text: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        _import(integration, content)
    assert text in str(refused.value)
    assert not MappingVersion.objects.of(integration.workspace).exists()


def test_no_cell_of_a_written_file_is_run_by_a_spreadsheet(integration: Integration) -> None:
    name = "=HYPERLINK(1)"
    _read(integration.erp, [GlAccount(code="@10", name=name, type=AccountType.EXPENSE, postable=True)], complete=False)
    _set(integration, **{"@10": "6100"})
    text = _export(integration)
    assert "'@10,6100,'=HYPERLINK(1) -> Components" in text
    assert _import(integration, text) == 1


@given(st.text(alphabet=st.sampled_from("'=+-@\t\rax0"), max_size=6))
def test_a_guarded_cell_reads_in_as_it_was(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell
    assert guarded(cell)[:1] not in set("=+-@\t\r")
