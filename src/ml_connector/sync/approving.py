"""Invoices that the platform approved, in the terms of the system that owns the suppliers.

The platform names suppliers, corrected invoices and order lines as that system once told it: by their codes and
numbers. They are followed backwards, through the Links and Records of the Flows that told it. A code that is equal
counts where the owner has just such a supplier; a name never does (R46).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from ml_connector.domain.numbers import normalised, normalised_code
from ml_connector.domain.orders import PurchaseOrder
from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceLine, Supplier, decode
from ml_connector.sync.checks import SupplierLookup
from ml_connector.sync.flows import declaration, document_flows, policy, source_of, spec_of, target_of
from ml_connector.sync.models import Flow, Link, Problem, ProblemState, Record, TargetEntry
from ml_connector.sync.problems import NAMED, Cause

WITHOUT_INVOICE = "credit_without_invoice"


@dataclass
class Parents:
    """What a document hangs on, in the target's terms."""

    supplier: str = ""
    payee: str = ""
    """The supplier's key where it comes from."""
    corrects: str | None = None
    causes: list[Cause] = field(default_factory=list)


class Approving:
    """Resolves what one Flow's approved invoices hang on."""

    def __init__(self, flow: Flow, supplier_record: SupplierLookup) -> None:
        self.flow = flow
        self.integration = flow.integration
        self.workspace_id = flow.workspace_id
        self.supplier_record = supplier_record
        spec, page = spec_of(flow), declaration(flow.integration)
        self.source, self.target = page.system(spec.source).label, page.system(spec.target).label
        self.supplier_flows = [other.pk for other in document_flows(self.integration, "supplier")]
        self.order_flows = [other.pk for other in document_flows(self.integration, "purchase_order")]
        self.on_invoices = not _as_journals(flow)
        """A credit note is booked on the invoice that it corrects."""
        self._codes: dict[str, str] | None = None
        self._orders: dict[str, PurchaseOrder | None] = {}
        self._order_keys: dict[str, str] = {}

    @staticmethod
    def applies(flow: Flow) -> bool:
        """Whether the suppliers of the Flow's documents come from the side that it writes to."""
        suppliers = document_flows(flow.integration, "supplier")
        return bool(suppliers) and all(source_of(other) == target_of(flow) for other in suppliers)

    def parents(self, record: Record, invoice: Invoice) -> Parents:
        found = Parents()
        self._supplier(invoice, found)
        if invoice.kind is not InvoiceKind.INVOICE and self.on_invoices:
            self._corrected(record, invoice, found)
        return found

    def in_order_terms(self, line: InvoiceLine) -> InvoiceLine:
        """The line with its order line as the owner of orders knows it; left as it is where that is not known."""
        number, _, item = (line.order_line or "").rpartition("/")
        order = self._order(number) if number else None
        if order is None:
            return line
        key = next((one.line_key for one in order.lines if one.number == item), item)
        return msgspec.structs.replace(line, order_line=f"{self._order_keys[number]}/{key}")

    # --- suppliers

    def _supplier(self, invoice: Invoice, found: Parents) -> None:
        key = self._supplier_key(invoice.supplier)
        known = None if key is None else self.supplier_record(key)
        if key is None or known is None or known[0].gone:
            found.causes.append(self._no_supplier(invoice))
            return
        found.supplier = found.payee = key
        _, supplier = known
        if supplier.on_hold:
            found.causes.append(
                Cause(
                    "supplier_on_hold",
                    key,
                    f"Supplier {supplier.code} ({supplier.name}) is on hold in {self.target}.",
                    "Its documents follow by themselves when the hold is lifted there.",
                )
            )
        if supplier.currency and supplier.currency != invoice.currency:
            found.causes.append(self._other_currency(invoice, supplier))

    def _supplier_key(self, code: str) -> str | None:
        """Of a supplier code of the platform: by its Link, else by a code that the owner has too."""
        entries = TargetEntry.objects.of(self.workspace_id).filter(
            connection=source_of(self.flow), type="supplier", natural_key=code
        )
        links = Link.objects.of(self.workspace_id).filter(integration=self.integration, type="supplier")
        linked = links.filter(target_key__in=[code, *entries.values_list("key", flat=True)])
        keys = set(linked.values_list("source_key", flat=True))
        if len(keys) == 1:
            return keys.pop()
        if self._codes is None:
            rows = Record.objects.of(self.workspace_id).filter(flow__in=self.supplier_flows, gone=False)
            self._codes = _unambiguous(list(rows.values_list("key", flat=True)))
        return self._codes.get(code) or self._codes.get(normalised_code(code))

    def _no_supplier(self, invoice: Invoice) -> Cause:
        return Cause(
            "supplier_missing",
            invoice.supplier,
            f"Supplier {invoice.supplier} of invoice {invoice.number} is not known in {self.target}.",
            f"Enter the supplier in {self.target} under that code, or link the vendor of {self.source} with the"
            " supplier that it is; its invoices follow by themselves.",
        )

    def _other_currency(self, invoice: Invoice, supplier: Supplier) -> Cause:
        return Cause(
            "currency_not_allowed",
            f"{supplier.code}:{invoice.currency}",
            f"Invoice {invoice.number} is in {invoice.currency}, but supplier {supplier.code} ({supplier.name}) is kept"
            f" in {supplier.currency}.",
            f"{self.target} keeps one currency per supplier. Enter it under a supplier in {invoice.currency}.",
        )

    # --- what a credit note corrects

    def _corrected(self, record: Record, invoice: Invoice, found: Parents) -> None:
        found.corrects = corrected_by_person(record)
        if found.corrects is not None:
            return
        if invoice.corrects is None:
            found.causes.append(self._without(record.key, invoice, "names no invoice that it corrects", ""))
            return
        invoices = list(self._invoices(invoice, invoice.corrects))
        links = Link.objects.of(self.workspace_id).filter(
            integration=self.integration, type=spec_of(self.flow).link_type
        )
        linked = set(links.filter(source_key__in=[row.key for row in invoices]).values_list("target_key", flat=True))
        if len(linked) == 1:
            found.corrects = linked.pop()
            return
        named = f"corrects invoice {invoice.corrects}"
        if linked:
            found.causes.append(self._without(record.key, invoice, named, f"is in {self.target} {len(linked)} times"))
        elif invoices:
            state = f"is not in {self.target} yet ({invoices[0].state})"
            found.causes.append(self._without(invoices[0].key, invoice, named, state))
        else:
            subject = f"{invoice.supplier}/{invoice.corrects}"
            found.causes.append(self._without(subject, invoice, named, f"did not go to {self.target} from here"))

    def _invoices(self, invoice: Invoice, number: str) -> list[Record]:
        natural_key = f"{invoice.supplier}|{normalised(number)}|{InvoiceKind.INVOICE}"
        flows = [other.pk for other in document_flows(self.integration, spec_of(self.flow).link_type)]
        rows = Record.objects.of(self.workspace_id).filter(flow__in=flows, natural_key=natural_key[:160], gone=False)
        return list(rows.order_by("pk"))

    def _without(self, subject: str, invoice: Invoice, named: str, state: str) -> Cause:
        which = f", which {state}" if state else ""
        return without_invoice(subject, invoice, f"{named}{which}", self.target)

    # --- orders

    def _order(self, number: str) -> PurchaseOrder | None:
        if number not in self._orders:
            rows = Record.objects.of(self.workspace_id).filter(flow__in=self.order_flows, number=number, gone=False)
            row = rows.order_by("pk").first()
            self._order_keys[number] = row.key if row is not None else number
            value = decode("purchase_order", bytes(row.payload)) if row is not None else None
            self._orders[number] = value if isinstance(value, PurchaseOrder) else None
        return self._orders[number]


def _unambiguous(keys: list[str]) -> dict[str, str]:
    """Keys by themselves and by their normalised form, where that is no other's too."""
    forms: dict[str, list[str]] = {}
    for key in keys:
        forms.setdefault(normalised_code(key), []).append(key)
    return {**{form: found[0] for form, found in forms.items() if len(found) == 1}, **{key: key for key in keys}}


def in_payables(flow: Flow) -> bool:
    """Whether the Flow's invoices are posted in accounts payable, which book a credit note on an invoice, have fields
    of their own for tax and freight, and match invoices with orders."""
    return "post_as" in {setting.name for setting in spec_of(flow).policies} and not _as_journals(flow)


def _as_journals(flow: Flow) -> bool:
    declared = {setting.name for setting in spec_of(flow).policies}
    return "post_as" in declared and bool(policy(flow, "post_as") == "journal")


def corrected_by_person(record: Record) -> str | None:
    """What a person said that a credit note corrects, by its key in the target."""
    rows = Problem.objects.of(record.workspace_id).filter(
        holds__record=record, cause=WITHOUT_INVOICE, state=ProblemState.HANDLED
    )
    problem = rows.filter(action="name").order_by("-ended_at").first()
    return None if problem is None else str(problem.detail[NAMED])


def without_invoice(subject: str, invoice: Invoice, named: str, target: str) -> Cause:
    """`named`: what it says of an invoice. `target`: the label of the system that it is to be booked in."""
    return Cause(
        WITHOUT_INVOICE,
        subject,
        f"Credit note {invoice.number} of supplier {invoice.supplier} {named}.",
        f"It follows by itself when the invoice is in {target}. If it corrects another one, or one that was"
        f" entered there by hand, name that by its key in {target} (action name).",
        detail={NAMED: ""},
    )
