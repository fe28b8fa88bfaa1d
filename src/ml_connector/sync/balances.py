"""What a source says was paid on a document."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ml_connector.domain.money import from_units
from ml_connector.domain.records import Invoice, InvoiceStatus, decode
from ml_connector.sync.flows import document_flows
from ml_connector.sync.models import Record

CREDITS = "credits"
"""Value of `paid_counts`: see `systems.base.Item.observed`."""


def paid_in_source(record: Record, matters_from: Decimal = Decimal(0)) -> Decimal:
    """Money that went, in the document's currency; without the credit notes that the source counts as paid.

    These are looked up only where what is stated is at least `matters_from`.
    """
    observed = msgspec.json.decode(record.observed) if record.observed else {}
    paid = Decimal(observed.get("paid", "0"))
    if not paid or paid < matters_from or observed.get("paid_counts") != CREDITS:
        return paid
    return max(paid - _credited(record), Decimal(0))


def _credited(record: Record) -> Decimal:
    supplier, _, _ = record.natural_key.partition("|")
    rows = Record.objects.of(record.workspace_id).filter(
        flow__in=[flow.pk for flow in document_flows(record.flow.integration, "credit_note")],
        natural_key__startswith=f"{supplier}|",
        gone=False,
    )
    total = Decimal(0)
    for row in rows:
        credit = decode("invoice", bytes(row.payload))
        if isinstance(credit, Invoice) and credit.corrects == record.key and credit.status is not InvoiceStatus.VOIDED:
            total += from_units(row.amount or 0, row.currency)
    return total
