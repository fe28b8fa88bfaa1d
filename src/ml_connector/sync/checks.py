"""Check: what must be true of a document before it may be sent, whatever the systems are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from difflib import SequenceMatcher

import msgspec
from django.db.models import Q

from ml_connector.domain.money import Money, step, to_units
from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceStatus, Supplier
from ml_connector.sync import balances, likeness
from ml_connector.sync.flows import declaration, document_flows, policy, spec_of
from ml_connector.sync.models import Flow, Record, State
from ml_connector.sync.problems import Cause, decided
from ml_connector.sync.rounding import RoundingPolicy

BASE_TOLERANCE = Decimal("0.05")
"""What gross x rate may differ from the posted base amount by, in the company's currency (R25)."""

NO_TWINS = (State.SKIPPED, State.WRITTEN_OFF)
"""States of documents that do not travel, so that nothing duplicates them."""

NEAR = 0.8
"""Numbers at least this alike, and not equal, are near duplicates where all else agrees (R39)."""

SupplierLookup = Callable[[str], tuple[Record, Supplier] | None]


class Checks:
    """The checks of one Flow's documents, in a Run."""

    def __init__(self, flow: Flow, supplier: SupplierLookup, rounding: RoundingPolicy) -> None:
        self.flow = flow
        self.supplier = supplier
        self.rounding = rounding
        days = {setting.name for setting in spec_of(flow).policies} & {"near_duplicate_days"}
        self.near_days = int(policy(flow, "near_duplicate_days")) if days else 0
        self.highest = Decimal(str(policy(flow, "highest_amount")))
        self.same_space = [other.pk for other in document_flows(flow.integration, "invoice")]
        self.same_space += [other.pk for other in document_flows(flow.integration, "credit_note")]
        self._bearers: Counter[str] | None = None
        """How many Records bear a natural key; of those last looked up together."""
        self.target_label = declaration(flow.integration).system(spec_of(flow).target).label

    def invoice(self, record: Record, invoice: Invoice, *, linked: bool) -> list[Cause]:
        """Every cause that holds this document, apart from codes and parents."""
        causes = [*self._arithmetic(record, invoice), *self._amount(record, invoice), *self._hold(record, invoice)]
        if not linked:
            causes += self._duplicate(record, invoice)
            causes += self._paid_in_source(record, invoice)
        return causes

    def _arithmetic(self, record: Record, invoice: Invoice) -> list[Cause]:
        if not invoice.adds_up():
            return [self._totals_differ(record, invoice)]
        base = invoice.base_difference()
        if base is not None and abs(base) > BASE_TOLERANCE:
            return [
                Cause(
                    "totals_differ",
                    record.key,
                    f"Invoice {invoice.number}: {invoice.gross:,} {invoice.currency} at rate {invoice.rate} differ from"
                    f" the posted {invoice.base_gross:,} by {abs(base):,.4f}.",
                    "Check the exchange rate of the invoice in the source.",
                )
            ]
        return []

    def _totals_differ(self, record: Record, invoice: Invoice) -> Cause:
        """Header total, what was added up, the difference, the tolerance, and what to do (R22, R23)."""
        sums = []
        if difference := invoice.difference():
            sums.append(f"its lines add up to {_compared(invoice.gross, difference)}")
        if difference := invoice.header_difference():
            sums.append(f"its net, tax, freight and charges to {_compared(invoice.gross, difference)}")
        tolerance = self.rounding.tolerance(invoice.currency)
        return Cause(
            "totals_differ",
            record.key,
            f"Invoice {invoice.number} over {Money(invoice.gross, invoice.currency)}: {', '.join(sums)}. The tolerance"
            f" for rounding is {Money(tolerance, invoice.currency)}.",
            "Correct its distribution in the source; it follows by itself. If this is mere rounding, raise the policy"
            " rounding_tolerance; then the difference travels as a line of its own.",
        )

    def _hold(self, record: Record, invoice: Invoice) -> list[Cause]:
        """A document that the source holds from payment is not sent to where it would be paid."""
        if not invoice.hold:
            return []
        return [
            Cause(
                "invoice_on_hold",
                record.key,
                f"Invoice {invoice.number} over {Money(invoice.gross, invoice.currency)} is on hold in the source"
                f" ({invoice.hold}).",
                "It follows by itself when the hold is lifted there.",
            )
        ]

    def _amount(self, record: Record, invoice: Invoice) -> list[Cause]:
        if Decimal(0) < invoice.gross <= self.highest:
            return []
        if invoice.gross > self.highest:
            text = f"is above the limit of {self.highest:,} that the policy highest_amount sets."
        else:
            text = "is not above zero."
        return [
            Cause(
                "amount_too_large" if invoice.gross > 0 else "totals_differ",
                record.key,
                f"Invoice {invoice.number} over {Money(invoice.gross, invoice.currency)} {text}",
                "Raise the policy if the amount is right, or correct it in the source.",
            )
        ]

    def _duplicate(self, record: Record, invoice: Invoice) -> list[Cause]:
        """Exact duplicates in the supplier group: the older one passes, the newer is blocked (R39)."""
        natural_keys = self._natural_keys(invoice)
        if self._bearers is not None:
            others = sum(self._bearers[key] for key in natural_keys) - (record.natural_key in natural_keys)
            if others <= 0:
                return []
        twins = (
            Record.objects.of(self.flow.workspace_id)
            .filter(
                Q(pk__lt=record.pk) | Q(sent_hash__isnull=False),
                flow_id__in=self.same_space,
                natural_key__in=natural_keys,
                currency=invoice.currency,
                amount=to_units(invoice.gross),
            )
            .exclude(pk=record.pk)
            .exclude(state__in=NO_TWINS)
            .exclude(gone=True)
            .order_by("pk")
        )
        twin = next((row for row in twins if row.key != record.key and not _voided(row)), None)
        if twin is None or decided(record, "duplicate_invoice") == "override":
            return []
        return [
            Cause(
                "duplicate_invoice",
                record.key,
                f"Invoice {invoice.number} of supplier {invoice.supplier} over"
                f" {Money(invoice.gross, invoice.currency)} looks like {twin.number} (record {twin.pk}) typed twice.",
                "Void it in the source if it is one. If both are true, ask for an override; a second person confirms.",
                detail={"duplicate_of": twin.pk, "number": twin.number},
            )
        ]

    def look_up(self, invoices: Sequence[Invoice]) -> None:
        """Counts who bears the natural keys of these, so that only what may have a twin is searched for one."""
        keys = {key for invoice in invoices for key in self._natural_keys(invoice)}
        rows = Record.objects.of(self.flow.workspace_id).filter(natural_key__in=keys)
        self._bearers = Counter(rows.values_list("natural_key", flat=True))

    def _natural_keys(self, invoice: Invoice) -> list[str]:
        return [
            f"{supplier}|{invoice.number_normalised}|{invoice.kind}"[:160] for supplier in self._group(invoice.supplier)
        ]

    def near_duplicates(self, record: Record, invoice: Invoice) -> list[Cause]:
        """Documents of the supplier group with the same amount, a close date and a number that differs little (R39).

        They only report: the document travels. What a person has accepted is not said again.
        """
        if not self.near_days or invoice.status is InvoiceStatus.VOIDED:
            return []
        of_group = Q()
        for supplier in self._group(invoice.supplier):
            of_group |= Q(natural_key__startswith=f"{supplier}|", natural_key__endswith=f"|{invoice.kind}")
        others = (
            Record.objects.of(self.flow.workspace_id)
            .filter(of_group, flow_id__in=self.same_space, currency=invoice.currency, amount=to_units(invoice.gross))
            .exclude(pk=record.pk)
            .exclude(state__in=NO_TWINS)
            .exclude(gone=True)
            .order_by("pk")
        )
        found = (self._near(record, invoice, other) for other in others)
        return [cause for cause in found if cause is not None]

    def _near(self, record: Record, invoice: Invoice, other: Record) -> Cause | None:
        twin = Invoice.from_payload(bytes(other.payload))
        score = SequenceMatcher(None, invoice.number_normalised, twin.number_normalised, autojunk=False).ratio()
        close = abs((invoice.date - twin.date).days) <= self.near_days
        if twin.status is InvoiceStatus.VOIDED or not close or not NEAR <= score < 1:
            return None
        pair = sorted((record.pk, other.pk))
        return Cause(
            "near_duplicate",
            "|".join(map(str, pair)),
            f"Invoice {invoice.number} of supplier {invoice.supplier} over {Money(invoice.gross, invoice.currency)}"
            f" resembles {twin.number} of {twin.date} ({score:.0%} alike). Both travel.",
            "Void one in the source if it was typed twice; otherwise accept this with a reason.",
            blocks=False,
            detail={"score": f"{score:.2f}", "records": pair},
        )

    def _group(self, supplier_key: str) -> list[str]:
        """The supplier and those with the same tax id (R38)."""
        found = self.supplier(supplier_key)
        tax_id = likeness.tax_form((found[1].tax_id if found else None) or "")
        if not tax_id:
            return [supplier_key]
        if not hasattr(self, "_by_tax_id"):
            self._by_tax_id: dict[str, list[str]] = {}
            flows = [flow.pk for flow in document_flows(self.flow.integration, "supplier")]
            rows = Record.objects.of(self.flow.workspace_id).filter(flow_id__in=flows)
            for key, payload in rows.values_list("key", "payload").iterator():
                other = likeness.tax_form(msgspec.json.decode(bytes(payload), type=Supplier).tax_id or "")
                if other:
                    self._by_tax_id.setdefault(other, []).append(key)
        return self._by_tax_id.get(tax_id) or [supplier_key]

    def settled(self, record: Record, invoice: Invoice) -> bool:
        """Nothing is left to pay in the source, as far as it says."""
        observed = msgspec.json.decode(record.observed) if record.observed else {}
        return invoice.kind is not InvoiceKind.CREDIT_NOTE and Decimal(observed.get("open", invoice.gross)) == 0

    def _paid_in_source(self, record: Record, invoice: Invoice) -> list[Cause]:
        """An invoice that was paid in part before its bill exists is never sent at full value."""
        paid = balances.paid_in_source(record, step(invoice.currency))
        if invoice.kind is InvoiceKind.CREDIT_NOTE or paid < step(invoice.currency):
            return []
        return [
            Cause(
                "paid_elsewhere",
                record.key,
                f"Invoice {invoice.number} over {Money(invoice.gross, invoice.currency)} was paid in the source with"
                f" {Money(paid, invoice.currency)} before it reached {self.target_label}.",
                "It is not sent, because it would be paid twice. Skip it, or record the payment in the platform too.",
                detail={"paid": str(paid)},
            )
        ]


def _compared(gross: Decimal, difference: Decimal) -> str:
    return f"{gross - difference:,}, {abs(difference):,} {'less' if difference > 0 else 'more'}"


def _voided(row: Record) -> bool:
    """Taken back in the source: neither it nor what was entered in its place is a duplicate (R39)."""
    return Invoice.from_payload(bytes(row.payload)).status is InvoiceStatus.VOIDED
