"""Links of suppliers: suggested by likeness, made by people."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_connector import audit, clock
from ml_connector.domain.records import Supplier, content_hash
from ml_connector.integrations.syspro_bill import SYSPRO_BILL
from ml_connector.sandbox import company
from ml_connector.sync import links
from ml_connector.sync.links import LinkRefused, SupplierIndex
from ml_connector.sync.models import (
    Connection,
    Flow,
    Integration,
    Link,
    Problem,
    ProblemRecord,
    Record,
    State,
    TargetEntry,
)
from ml_connector.workspaces.models import Workspace

MONDAY = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)


def best_suggestion(supplier, entries):
    return SupplierIndex(links.known(entries)).suggest(supplier)


def _vendor(key: str, name: str, *, tax_id: str | None = None, state: str = "open", **more: Any) -> TargetEntry:
    value = Supplier(code=key, name=name, tax_id=tax_id)
    return TargetEntry(
        type="supplier", key=key, natural_key=key, state=state, payload=value.payload(), seen_at=MONDAY, **more
    )


def _supplier(name: str, tax_id: str | None = None) -> Supplier:
    return Supplier(code="S1", name=name, tax_id=tax_id)


# --- what is suggested


def test_a_name_that_differs_by_its_legal_form() -> None:
    found = best_suggestion(_supplier("Hydra Utilities"), [_vendor("v1", "Hydra Utilities, Inc.")])
    assert found is not None
    assert (found.target_key, found.name, found.score) == ("v1", "Hydra Utilities, Inc.", 0.98)


def test_a_tax_id_says_more_than_a_name() -> None:
    vendors = [_vendor("v1", "Electra Components"), _vendor("v2", "EC Holding", tax_id="123456789")]
    found = best_suggestion(_supplier("Electra Components Inc.", "12-3456789"), vendors)
    assert found is not None
    assert (found.target_key, found.why) == ("v2", "same tax id")


def test_a_tax_id_is_never_part_of_the_text() -> None:  # R71
    found = best_suggestion(_supplier("A", "12-3456789"), [_vendor("v2", "B", tax_id="123456789")])
    assert "3456789" not in repr(found)


@pytest.mark.parametrize("name", ["Hydra Utilitys", "Utilities Hydra", "Hydra Utilities North"])
def test_a_name_that_is_nearly_the_same(name: str) -> None:
    found = best_suggestion(_supplier("Hydra Utilities"), [_vendor("v1", name), _vendor("v2", "Trans-Freight Co.")])
    assert found is not None
    assert found.target_key == "v1"


@pytest.mark.parametrize("name", ["Hydro Power", "Hydra", "Pakko Utilities", ""])
def test_a_name_that_is_another(name: str) -> None:
    assert best_suggestion(_supplier("Hydra Utilities"), [_vendor("v1", name)]) is None


def test_several_that_are_as_likely_are_all_named() -> None:
    vendors = [_vendor("v2", "Hydra Utilities Ltd"), _vendor("v1", "HYDRA UTILITIES"), _vendor("v3", "Other")]
    found = best_suggestion(_supplier("Hydra Utilities"), vendors)
    assert found is not None
    assert (found.target_key, found.rivals) == ("v1", ("v2",))


def test_an_archived_one_is_not_suggested() -> None:
    assert best_suggestion(_supplier("Hydra Utilities"), [_vendor("v1", "Hydra Utilities", state="archived")]) is None


def test_one_that_bears_the_code_already_is_left_to_the_search_before_a_create() -> None:
    ours = Supplier(code="HYD005", name="Hydra Utilities")
    made_by_us = _vendor("HYD005", "Hydra Utilities")
    assert best_suggestion(ours, [made_by_us, _vendor("v2", "Hydra Utilities, Inc.")]) is None


def test_200_suppliers_are_compared_with_5000_vendors_in_seconds() -> None:
    ours = [Supplier(code=row.code, name=row.name) for row in company.suppliers(1) if row.name]
    vendors = [_vendor(f"v{n}", f"{ours[n % len(ours)].name} {n // len(ours)}") for n in range(5000)]
    start = time.process_time()
    index = SupplierIndex(links.known(vendors))
    found = [index.suggest(supplier) for supplier in ours]
    assert time.process_time() - start < 10
    assert all(found)


# --- what people decide


class Rows:
    """One Integration with suppliers read and vendors listed."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        erp, self.bill = (
            Connection.objects.create(workspace=self.workspace, name=name, system=name, credential=name)
            for name in ("syspro", "bill")
        )
        self.integration = Integration.objects.create(
            workspace=self.workspace, name="payables", kind="syspro-bill", erp=erp, platform=self.bill
        )
        for position, spec in enumerate(SYSPRO_BILL.flows):
            Flow.objects.create(
                workspace=self.workspace,
                integration=self.integration,
                name=spec.name,
                position=position,
                every=spec.every,
            )
        self.flow = Flow.objects.of(self.workspace).get(name="suppliers")

    def supplier(self, code: str, name: str, state: State = State.STAGED) -> Record:
        payload = Supplier(code=code, name=name).payload()
        return Record.objects.create(
            workspace=self.workspace, flow=self.flow, key=code, hash=content_hash(payload), payload=payload,
            number=code, state=state, staged_at=MONDAY,
        )  # fmt: skip

    def vendor(self, key: str, name: str) -> None:
        _vendor(key, name, workspace=self.workspace, connection=self.bill).save()

    def asked(self, record: Record) -> Problem:
        """The Problem as the engine opens it."""
        problem = Problem.objects.create(
            workspace=self.workspace, integration=self.integration, flow=self.flow, cause=links.CAUSE,
            subject=record.key, text="", fix="", blocks=True, opened_at=MONDAY,
        )  # fmt: skip
        ProblemRecord.objects.create(workspace=self.workspace, problem=problem, record=record)
        record.state = State.BLOCKED
        record.save()
        return problem


@pytest.fixture
def rows(workspace: Workspace) -> Rows:
    clock.hold(MONDAY)
    return Rows(workspace)


def test_suppliers_without_a_link_are_suggested_best_first(rows: Rows) -> None:
    rows.supplier("HYD005", "Hydra Utilities")
    rows.supplier("PAK003", "Pakko Packaging LLC")
    rows.supplier("ELC001", "Electra Components Inc.")
    rows.vendor("v1", "Hydra Utilities, Inc.")
    rows.vendor("v2", "Pakko Packagings")
    found = links.suggest_links(rows.flow)
    assert [(one.source_key, one.source_name, one.target_key) for one in found] == [
        ("HYD005", "Hydra Utilities", "v1"),
        ("PAK003", "Pakko Packaging LLC", "v2"),
    ]


def test_what_is_linked_is_suggested_no_more_on_either_side(rows: Rows) -> None:
    record = rows.supplier("HYD005", "Hydra Utilities")
    rows.supplier("HYD006", "Hydra Utilities")
    rows.vendor("v1", "Hydra Utilities, Inc.")
    links.accept(record, "v1", "anna")
    assert links.suggest_links(rows.flow) == []


def test_a_link_bears_the_name_of_who_made_it_and_what_waits_is_pushed_again(rows: Rows) -> None:
    record = rows.supplier("HYD005", "Hydra Utilities")
    rows.asked(record)
    rows.vendor("v1", "Hydra Utilities, Inc.")
    link = links.accept(record, "v1", "anna")
    assert (link.type, link.source_key, link.target_key, link.made_by) == ("supplier", "HYD005", "v1", "anna")
    rows.flow.refresh_from_db()
    assert rows.flow.next_push_at == MONDAY
    (entry,) = audit.models.AuditEntry.objects.of(rows.workspace).filter(action="link")
    assert (entry.subject, entry.actor) == (f"record:{record.pk}", "anna")


def test_links_that_cannot_be_made_say_why(rows: Rows) -> None:
    hydra, pakko = rows.supplier("HYD005", "Hydra"), rows.supplier("PAK003", "Pakko")
    busy = rows.supplier("ELC001", "Electra", State.IN_DOUBT)
    for key in ("v1", "v2"):
        rows.vendor(key, key)
    links.accept(hydra, "v1", "anna")
    for record, target, text in (
        (hydra, "v2", "SYSPRO supplier HYD005 is linked already, to BILL v1 (by anna). A Link is never moved."),
        (pakko, "v1", "BILL supplier v1 is linked already, to SYSPRO HYD005 (by anna). Choose another one,"),
        (pakko, "v9", "BILL had no supplier 'v9' when it was last listed. Check the key, or run the flow suppliers"),
        (busy, "v2", "A write of supplier ELC001 to BILL is still open (in_doubt). Wait until it is settled"),
    ):
        with pytest.raises(LinkRefused) as refused:
            links.accept(record, target, "anna")
        assert text in str(refused.value)
    with pytest.raises(LinkRefused, match="No supplier 'X' was read from SYSPRO"):
        links.set_link(rows.integration, "supplier", "X", "v2", "anna")
    with pytest.raises(LinkRefused, match="payables has no records of the type 'order' to link"):
        links.set_link(rows.integration, "order", "X", "v2", "anna")
    assert Link.objects.of(rows.workspace).count() == 1


def test_the_answer_that_a_supplier_is_to_be_created_lasts(rows: Rows) -> None:
    record = rows.supplier("HYD005", "Hydra Utilities")
    rows.vendor("v1", "Hydra Utilities, Inc.")
    assert not links.wants_creation(record)
    rows.asked(record)
    links.create_instead(record, "anna")
    record.refresh_from_db()
    assert links.wants_creation(record)
    assert record.state == State.STAGED
    assert links.suggest_links(rows.flow) == []


def test_nobody_is_asked_twice_nor_answers_unasked(rows: Rows) -> None:
    record = rows.supplier("HYD005", "Hydra Utilities")
    with pytest.raises(LinkRefused, match="does not wait for a decision"):
        links.create_instead(record, "anna")
    rows.vendor("v1", "Hydra Utilities, Inc.")
    links.accept(record, "v1", "anna")
    with pytest.raises(LinkRefused, match="is linked to v1 already"):
        links.create_instead(record, "anna")
