"""The rounding policy of a Flow: a difference up to its tolerance travels as a line of its own (R23).

The tolerance is an amount per currency, 0 where none is set. The account is one of the source's codes and goes
through the Mapping like any other. The source's record stays as it was read: the line is part of what is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from ml_connector.audit import Trail
from ml_connector.audit.models import AuditEntry
from ml_connector.domain.money import Money, step
from ml_connector.domain.records import Invoice
from ml_connector.domain.rounding import rounding_needed, with_rounding
from ml_connector.integrations.base import ROUNDING_ACCOUNT, ROUNDING_TOLERANCE
from ml_connector.sync.flows import policy, spec_of
from ml_connector.sync.models import Flow, Record


@dataclass(frozen=True)
class Rounding:
    """A line that was added to a document."""

    amount: Money
    account: str
    """The source's code."""
    tolerance: Decimal
    policy: int
    """Number of the trail's entry that last changed the settings of the Flow or its Integration; 0 if there is none,
    or none any more."""


class RoundingPolicy:
    """What a Flow's policies allow, as they are when this is made."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        declared = ROUNDING_TOLERANCE in spec_of(flow).policies
        given = policy(flow, ROUNDING_TOLERANCE.name) if declared else None
        self.account = str(policy(flow, ROUNDING_ACCOUNT.name) or "").strip() if declared else ""
        self._tolerances = {iso: Decimal(amount) for iso, amount in (given or {}).items()} if self.account else {}

    def tolerance(self, currency: str) -> Decimal:
        """The largest difference that travels."""
        return self._tolerances.get(currency, Decimal(0) * step(currency))

    def applied(self, invoice: Invoice) -> tuple[Invoice, Rounding | None]:
        """The document with its rounding line where it needs one within the tolerance; else the document as it is."""
        needed = rounding_needed(invoice) if self._tolerances else Decimal(0)
        tolerance = self.tolerance(invoice.currency)
        if not 0 < abs(needed) <= tolerance:
            return invoice, None
        amount = Money(needed, invoice.currency)
        return with_rounding(invoice, self.account), Rounding(amount, self.account, tolerance, self._version)

    @cached_property
    def _version(self) -> int:
        subjects = [f"flow:{self._flow.pk}", f"integration:{self._flow.integration_id}"]
        entries = AuditEntry.objects.of(self._flow.workspace_id).filter(subject__in=subjects, action="config_change")
        return entries.order_by("-sequence").values_list("sequence", flat=True).first() or 0


def note(trail: Trail, record: Record, rounding: Rounding | None) -> None:
    """The adjustment's own entry in the trail, in the transaction that intends or adopts it."""
    if rounding is None:
        return
    trail.add(
        "rounding",
        f"record:{record.pk}",
        source_version=bytes(record.hash).hex(),
        amount=str(rounding.amount.amount),
        currency=rounding.amount.currency,
        account=rounding.account,
        tolerance=str(rounding.tolerance),
        policy=rounding.policy,
    )
