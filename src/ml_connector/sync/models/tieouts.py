"""Computed tie-outs, and those that were frozen at a period's close."""

from __future__ import annotations

from django.db import models

from ml_connector.sync.models.configuration import Connection, Integration
from ml_connector.workspaces.models import WorkspaceModel


class StoredTieOut(WorkspaceModel):
    """One computed tie-out. Kept are the newest of each Integration and period, and those of packs."""

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="+")
    period = models.CharField(max_length=7, blank=True)
    """YYYY-MM; empty where nothing was left out."""
    made_at = models.DateTimeField()
    frozen = models.BooleanField(default=False)
    """It belongs to a pack, or is being made for one."""
    seconds = models.FloatField(default=0)
    """How long it took."""
    source_label = models.CharField(max_length=60, blank=True)
    target_label = models.CharField(max_length=60, blank=True)
    source_read_at = models.DateTimeField(null=True)
    target_read_at = models.DateTimeField(null=True)
    totals = models.JSONField(default=list)
    """Per currency as plain values, as `tieout.TieOut.to_json` gives them."""
    clearing = models.JSONField(null=True)
    """The clearing account as plain values, as `clearing.Statement.to_json` gives them; None without one."""
    suppliers = models.PositiveIntegerField(default=0)
    differences = models.PositiveIntegerField(default=0)
    complete = models.BooleanField(default=False)
    """All of its rows are there: they are stored part by part, so that nobody waits for them."""

    class Meta:
        indexes = [models.Index(fields=["workspace", "integration", "period"], name="tie_out_of")]


class ClearingBalance(WorkspaceModel):
    """The clearing account of a Connection, as last read."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    account = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    amount = models.BigIntegerField()
    """In 1/10,000; above zero: a debit balance."""
    currency = models.CharField(max_length=3)
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "connection"], name="clearing_of")]


class TieOutRow(WorkspaceModel):
    """One supplier in one currency. Amounts in 1/10,000. Ids rise in the order in which rows are shown."""

    tie_out = models.ForeignKey(StoredTieOut, on_delete=models.CASCADE, related_name="+", db_index=False)
    supplier = models.CharField(max_length=200)
    name = models.CharField(max_length=200, blank=True)
    currency = models.CharField(max_length=10)
    source = models.BigIntegerField()
    linked = models.BigIntegerField()
    target = models.BigIntegerField()
    unexplained = models.BigIntegerField()
    differences = models.PositiveIntegerField()
    only_in_target = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "tie_out", "only_in_target", "supplier", "currency"], name="tie_out_row"
            )
        ]
        indexes = [models.Index(fields=["tie_out", "id"], name="tie_out_row_order")]


class TieOutLine(WorkspaceModel):
    """One difference of a row. Ids rise in the order in which lines are shown."""

    tie_out = models.ForeignKey(StoredTieOut, on_delete=models.CASCADE, related_name="+", db_index=False)
    row = models.ForeignKey(TieOutRow, on_delete=models.CASCADE, related_name="lines", db_index=False)
    reason = models.CharField(max_length=30)
    amount = models.BigIntegerField()
    number = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    date = models.DateField(null=True)
    record = models.BigIntegerField(null=True)
    """Number of the Record; no foreign key, because a pack says what was, whatever is."""
    source_key = models.CharField(max_length=200, blank=True)
    target_key = models.CharField(max_length=200, blank=True)
    problem = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["tie_out", "reason", "id"], name="tie_out_line_reason"),
            models.Index(fields=["row", "id"], name="tie_out_line_row"),
        ]


class Pack(WorkspaceModel):
    """A tie-out that was frozen (R36). It is never changed; the trail holds its hash."""

    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="+")
    tie_out = models.ForeignKey(StoredTieOut, on_delete=models.PROTECT, related_name="+")
    period = models.CharField(max_length=7)
    frozen_at = models.DateTimeField()
    frozen_by = models.CharField(max_length=100)
    content = models.BinaryField()
    """The file that is downloaded, compressed by zlib."""
    hash = models.CharField(max_length=64)
    """SHA-256 of the file, hex."""

    class Meta:
        indexes = [models.Index(fields=["workspace", "integration", "period"], name="pack_of")]
