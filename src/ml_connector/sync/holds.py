"""Legal holds: setting and lifting them, and what they cover (R70)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ml_connector import audit, clock
from ml_connector.domain.records import Payment, decode
from ml_connector.integrations.base import FlowKind
from ml_connector.sync.flows import declaration, document_flows, spec_of
from ml_connector.sync.models import Hold, HoldKind, Integration, Link, Record
from ml_connector.workspaces.models import Workspace


class HoldRefused(Exception):
    """The hold cannot be set or lifted so. The text says why; nothing was changed."""


@dataclass(frozen=True)
class Held:
    """What the holds in force cover, as of one instant."""

    everything: bool
    suppliers: frozenset[tuple[int, str]]
    """Integration's id and the supplier's key."""
    records: frozenset[int]

    def covers(self, record: Record) -> bool:
        """`record` with its flow and that one's integration."""
        if self.everything or record.pk in self.records:
            return True
        return bool(self.suppliers) and (record.flow.integration_id, supplier_of(record)) in self.suppliers


def supplier_of(record: Record) -> str:
    """The source's key of the supplier that a Record is, or is of."""
    kind = spec_of(record.flow).record_type
    if kind == "supplier":
        return record.key
    if record.natural_key:
        return record.natural_key.partition("|")[0]
    value = decode(kind, bytes(record.payload)) if kind == "payment" else None
    return _as_read(record, value.supplier) if isinstance(value, Payment) else ""


def _as_read(record: Record, supplier: str) -> str:
    """The supplier of a payment, where the payment was made on the side that suppliers are written to."""
    integration = record.flow.integration
    flows = declaration(integration).flows
    read = {spec.source for spec in flows if spec.kind is FlowKind.DOCUMENTS and spec.record_type == "supplier"}
    if spec_of(record.flow).source in read:
        return supplier
    links = Link.objects.of(record.workspace_id).filter(integration=integration, type="supplier", target_key=supplier)
    return links.values_list("source_key", flat=True).first() or supplier


def in_force(workspace: Workspace | int) -> list[Hold]:
    """The holds that are not lifted, the oldest first."""
    rows = Hold.objects.of(workspace).filter(lifted_at=None).select_related("integration", "record")
    return list(rows.order_by("pk"))


def held(workspace: Workspace | int) -> Held:
    rows = in_force(workspace)
    return Held(
        any(row.kind == HoldKind.WORKSPACE for row in rows),
        frozenset((row.integration_id, row.supplier) for row in rows if row.integration_id is not None),
        frozenset(row.record_id for row in rows if row.record_id is not None),
    )


def covering(record: Record) -> list[Hold]:
    """The holds in force that keep this Record."""
    place = (record.flow.integration_id, supplier_of(record))
    return [
        row
        for row in in_force(record.workspace_id)
        if row.kind == HoldKind.WORKSPACE
        or row.record_id == record.pk
        or (row.kind == HoldKind.SUPPLIER and (row.integration_id, row.supplier) == place)
    ]


def hold_workspace(workspace: Workspace, reason: str, actor: str) -> Hold:
    """Nothing of the Workspace is removed. Raises HoldRefused."""
    return _set(Hold(workspace=workspace, kind=HoldKind.WORKSPACE), reason, actor)


def hold_supplier(integration: Integration, key: str, reason: str, actor: str) -> Hold:
    """Nothing of a supplier, or of their documents, is removed. `key`: the source's. Raises HoldRefused."""
    flows = document_flows(integration, "supplier")
    if not Record.objects.of(integration.workspace_id).filter(flow__in=flows, key=key).exists():
        raise HoldRefused(f"{integration.name} has read no supplier with the key {key}.")
    row = Hold(workspace=integration.workspace, kind=HoldKind.SUPPLIER, integration=integration, supplier=key)
    return _set(row, reason, actor)


def hold_record(workspace: Workspace, record: int, reason: str, actor: str) -> Hold:
    """Nothing of one Record is removed. Raises HoldRefused."""
    found = Record.objects.of(workspace).filter(pk=record).first()
    if found is None:
        raise HoldRefused(f"There is no record {record} in workspace {workspace.name}.")
    return _set(Hold(workspace=workspace, kind=HoldKind.RECORD, record=found), reason, actor)


def lift(workspace: Workspace, hold: int, reason: str, actor: str) -> Hold:
    """What it covered is removed again when it is old enough. Raises HoldRefused."""
    _needs(reason)
    with audit.recording(workspace, actor=actor) as trail:
        lock(workspace)
        row = Hold.objects.of(workspace).filter(pk=hold, lifted_at=None).first()
        if row is None:
            raise HoldRefused(f"There is no hold {hold} in force.")
        row.lifted_by, row.lifted_at, row.lift_reason = actor, clock.now(), reason.strip()
        row.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])
        trail.add("hold_lifted", _subject(row), hold=row.pk, on=row.label, reason=reason.strip())
    return row


def lock(workspace: Workspace | int) -> None:
    """Holds are set and content is removed one after the other: nothing goes that a hold has just covered. To be called
    in a transaction."""
    key = workspace if isinstance(workspace, int) else workspace.pk
    list(Workspace.objects.select_for_update(no_key=True).filter(pk=key).values_list("pk"))


def _set(row: Hold, reason: str, actor: str) -> Hold:
    _needs(reason)
    with audit.recording(row.workspace, actor=actor) as trail:
        lock(row.workspace)
        same: Sequence[Hold] = [old for old in in_force(row.workspace) if _place(old) == _place(row)]
        if same:
            raise HoldRefused(f"Hold {same[0].pk} is on {row.label} already.")
        row.reason, row.set_by, row.set_at = reason.strip(), actor, clock.now()
        row.save()
        trail.add("hold", _subject(row), hold=row.pk, on=row.label, reason=reason.strip())
    return row


def _place(row: Hold) -> tuple[str, int | None, str, int | None]:
    return row.kind, row.integration_id, row.supplier, row.record_id


def _subject(row: Hold) -> str:
    if row.kind == HoldKind.RECORD:
        return f"record:{row.record_id}"
    return f"integration:{row.integration_id}" if row.integration_id else f"workspace:{row.workspace_id}"


def _needs(reason: str) -> None:
    if not reason.strip():
        raise HoldRefused("It needs a reason: it goes into the audit trail.")
