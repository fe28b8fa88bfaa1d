"""Resolve and check: a source's record in the target's terms, or the causes that hold it.

Codes go through Mappings, parents through Links. What is missing becomes a cause with a plain text; nothing is
asked of either system here, and nothing is sent. A Resolver is made per Run and is asked again right before each
send, because mappings and parents may have changed since (R49).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import msgspec

from ml_connector import clock
from ml_connector.domain import countries
from ml_connector.domain.records import (
    CODE_TYPES,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    LineKind,
    Payment,
    PurchaseOrder,
    Supplier,
    decode,
)
from ml_connector.integrations.base import NOTHING
from ml_connector.sync import bank, codes, links, mappings, mirroring, ordering
from ml_connector.sync.approving import Approving, Parents, corrected_by_person, in_payables, without_invoice
from ml_connector.sync.checks import Checks
from ml_connector.sync.flows import archives_what_is_gone, declaration, document_flows, policy, spec_of, target_of
from ml_connector.sync.models import Flow, Link, Record, State, TargetEntry
from ml_connector.sync.paying import Paying
from ml_connector.sync.problems import Cause
from ml_connector.sync.proposing import Proposing
from ml_connector.sync.resolved import Gone, Held, Resolved, Skip
from ml_connector.sync.rounding import RoundingPolicy
from ml_connector.sync.telling import Telling
from ml_connector.sync.transfers import Standing

CORRECTIONS = {
    InvoiceKind.CREDIT_NOTE: "Credit note",
    InvoiceKind.DEBIT_NOTE: "Debit note",
    InvoiceKind.INVOICE: "Adjustment",
}
"""What people call a document that corrects an invoice."""


BOOKED_BY_THE_TARGET = frozenset({LineKind.TAX, LineKind.FREIGHT, LineKind.CHARGE})
"""Lines that payables book by themselves where they bear no account."""

LIKE_ITS_INVOICE = ", which it corrects, does not travel:"
"""In the reason of a document that is skipped with its invoice, and is judged again with it."""
NO_LONGER_THERE = "No longer in the source."
CONTENT_REMOVED = "Its content was removed; a newer version from the source is read anew."


class Resolver:
    """Everything that the records of one Flow are resolved with, loaded once per Run."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.spec = spec_of(flow)
        self.integration = flow.integration
        self.workspace_id = flow.workspace_id
        self.label = declaration(self.integration).system(self.spec.target).label
        today = clock.now().date()
        self.tables = {
            mapping.name: mappings.table(self.integration, mapping.name, today)
            for mapping in declaration(self.integration).mappings
        }
        target = target_of(flow)
        self.lists = {
            mapping.name: codes.code_index(target, mapping.list)
            for mapping in declaration(self.integration).mappings
            if mapping.list
        }
        self._flows_of_suppliers = document_flows(self.integration, "supplier")
        self.supplier_flows = [other.pk for other in self._flows_of_suppliers]
        self.suppliers: dict[str, tuple[Record, Supplier] | None] = {}
        self.parents: dict[tuple[str, str], Link] = {}
        self.rounding = RoundingPolicy(flow)
        self.paying = Paying(flow)
        self.proposing = Proposing(flow) if Proposing.applies(flow) else None
        self.telling = Telling(flow) if Telling.applies(flow) else None
        self.checks = Checks(flow, self.supplier_record, self.rounding)
        self.approving = Approving(flow, self.supplier_record) if Approving.applies(flow) else None
        self.transfers = Standing(flow)
        self.in_payables = self.approving is None and in_payables(flow)
        """Its invoices name suppliers and order lines as their source does, and are posted in accounts payable."""
        self.bank_changes = bank.held(self.integration)
        self.written = ordering.WrittenCodes(self)
        self._own_links: dict[str, Link | None] = {}
        self._vendors: links.SupplierIndex | None = None
        self._currencies: dict[str, str] = {}
        self._held: frozenset[str] | None = None

    def look_up(self, records: Sequence[Record]) -> None:
        """Makes the look-ups that each of these Records needs for itself together, for `resolve` soon after."""
        rows = Link.objects.of(self.workspace_id).filter(integration=self.integration, type=self.spec.link_type)
        self.bank_changes = bank.held(self.integration)
        keys = [record.key for record in records]
        self._own_links = {**dict.fromkeys(keys), **{row.source_key: row for row in rows.filter(source_key__in=keys)}}
        self.transfers.look_up(records)
        values = [self._judged(record) for record in records]
        self.checks.look_up([value for value in values if isinstance(value, Invoice)])

    def resolve(self, record: Record) -> Resolved | Held | Skip | Gone:
        """What becomes of a Record as things stand now. Pure but for look-ups in our own tables."""
        own = self._own_links
        link = own[record.key] if record.key in own else self.link_of(self.spec.link_type, record.key)
        if record.gone:
            return self._gone(record, link)
        kept = Skip(CONTENT_REMOVED) if record.erased_at is not None else self.transfers.keeps(record, link)
        if kept is not None:
            return kept
        value = self._judged(record)
        if value is None:
            cause, _, text = record.invalid.partition(": ")
            return Held((self._about(record, cause, text, "Correct it in the source; it follows by itself."),))
        return self._by_type(record, value, link)

    def _by_type(self, record: Record, value: Any, link: Link | None) -> Resolved | Held | Skip:
        match value:
            case Supplier():
                return self.proposing.resolve(record, link) if self.proposing else self._supplier(record, value, link)
            case Invoice():
                return self._invoice(record, value, link)
            case Payment():
                return self._payment(record, value, link)
            case PurchaseOrder():
                return ordering.order(self, record, value, link)
        if self.spec.record_type in CODE_TYPES:
            return ordering.code(self, record, value, link)
        raise TypeError(f"No rule resolves a {self.spec.record_type}.")

    def _gone(self, record: Record, link: Link | None) -> Resolved | Skip | Gone:
        """What vanished from the source is never sent, however it came to be on its way (R18)."""
        if link is None:
            return Skip(NO_LONGER_THERE)
        if not archives_what_is_gone(self.flow):
            return Gone()
        return Resolved(decode(self.spec.record_type, bytes(record.payload)), link, {})

    def _judged(self, record: Record) -> Any | None:
        """What the Record says, or None where its source found that it cannot travel.

        Totals that its source could not explain are judged here, by the policies. Not those of a document that
        states its posted base amount besides: its lines are still in the company's currency.
        """
        if record.invalid and not record.invalid.startswith("totals_differ: "):
            return None
        value = decode(self.spec.record_type, bytes(record.payload))
        if not record.invalid:
            return value
        unexplained = isinstance(value, Invoice) and value.base_gross is None and not value.adds_up()
        return value if unexplained else None

    def bank_change(self, supplier: str) -> list[Cause]:
        """The open change of where the money of a supplier (its key in the source) goes, if there is one (R53)."""
        problem = self.bank_changes.get(supplier)
        return [] if problem is None else [bank.cause_of(problem)]

    def _payment(self, record: Record, payment: Payment, link: Link | None) -> Resolved | Held | Skip:
        if self.telling is not None:
            return self.telling.resolve(payment, link)
        result = self.paying.resolve(record, payment, link)
        if link is not None or not isinstance(result, Resolved):
            return result
        causes = self.bank_change(result.record.supplier)
        return Held(tuple(causes)) if causes else result

    # --- suppliers

    def _supplier(self, record: Record, supplier: Supplier, link: Link | None) -> Resolved | Held | Skip:
        causes: list[Cause] = []
        change = self.bank_changes.get(record.key)
        if change is not None and bank.entered_in_source(change):
            causes.append(bank.cause_of(change))
        used: dict[str, int] = {}
        if link is None and not self._makes_suppliers:
            return Skip(f"New suppliers are not made in {self.label} (policy new_suppliers).")
        if link is None:
            causes += self._other_side_unread()
            suggestion = None if links.wants_creation(record) else self.vendors.suggest(supplier)
            if suggestion is not None:
                causes.append(
                    Cause(
                        "supplier_ambiguous",
                        record.key,
                        f"Supplier {supplier.code} ({supplier.name}) may already be in {self.label} as"
                        f" {suggestion.name!r} ({suggestion.why}).",
                        "Link the two, or decide to create a new one: links accept, or solve with action 'create'."
                        " Its documents wait until then.",
                        detail={"target_key": suggestion.target_key, "score": f"{suggestion.score:.2f}"},
                    )
                )
        address = supplier.address
        if address is not None and address.country:
            country = self._country(address.country, supplier, causes, used)
            address = msgspec.structs.replace(address, country=country)
        mapping = "" if "gl_account" in self.written.writers else self.written.mapping("gl_account")
        account = self.tables[mapping].get(supplier.default_account) if supplier.default_account and mapping else None
        terms = ordering.terms(self, supplier.terms, causes, used)
        resolved = msgspec.structs.replace(supplier, address=address, default_account=account, terms=terms)
        mapped = {"country": [supplier.address.country]} if "country" in used and supplier.address else {}
        codes = {name: [code for code in given if code] for name, given in mapped.items()}
        return Held(tuple(causes)) if causes else Resolved(resolved, link, used, codes=codes)

    @property
    def _makes_suppliers(self) -> bool:
        declared = {setting.name for setting in self.spec.policies}
        return "new_suppliers" not in declared or policy(self.flow, "new_suppliers") != "leave"

    def _other_side_unread(self) -> list[Cause]:
        """Nothing is made where it may be already, under a name that nobody has read yet."""
        other = mirroring.mirror(self.integration, self.spec)
        if other is None or mirroring.was_read(other):
            return []
        return [
            Cause(
                "parent_not_confirmed",
                f"{self.spec.link_type}s of {self.label}",
                f"The suppliers of {self.label} were not read yet, so nobody can tell which of them are there already.",
                f"They follow by themselves when the flow {other.name} has read them. See that it is not paused.",
            )
        ]

    def _country(self, code: str, supplier: Supplier, causes: list[Cause], used: dict[str, int]) -> str | None:
        table = self.tables.get("country")
        mapped = table.get(code) if table else None
        if mapped is not None and table is not None:
            used["country"] = table.version
            return mapped
        known = countries.alpha_2(code)
        if known is not None:
            return known
        causes.append(
            Cause(
                "unmapped_code",
                f"country:{code}",
                f"Country code {code} has no two-letter country.",
                f"Map it: mapping set country {code} XX. First met at supplier {supplier.code}.",
                detail={"mapping": "country", "code": code},
            )
        )
        return None

    @property
    def vendors(self) -> links.SupplierIndex:
        if self._vendors is None:
            self._vendors = links.supplier_index(self.flow)
        return self._vendors

    # --- invoices and credit notes

    def _invoice(self, record: Record, invoice: Invoice, link: Link | None) -> Resolved | Held | Skip:
        if invoice.status is InvoiceStatus.VOIDED and link is None:
            return Skip("Voided in the source before it was sent.")
        if invoice.status is InvoiceStatus.VOIDED and link is not None:
            return Resolved(invoice, link, {})
        causes: list[Cause] = []
        used: dict[str, int] = {}
        if link is None and self.checks.settled(record, invoice):
            return Skip("Settled in the source before it was sent: nothing is left to pay.")
        parents = (
            self._parents(record, invoice, link) if self.approving is None else self.approving.parents(record, invoice)
        )
        if isinstance(parents, Skip):
            return parents
        causes += [*parents.causes, *self.bank_change(parents.payee)]
        invoice, rounding = self.rounding.applied(invoice)
        lines = tuple(self._line(invoice, index, causes, used) for index in range(len(invoice.lines)))
        causes += self.checks.invoice(record, invoice, linked=link is not None)
        if causes:
            return Held(tuple({(cause.cause, cause.subject): cause for cause in causes}.values()))
        resolved = msgspec.structs.replace(invoice, supplier=parents.supplier, corrects=parents.corrects, lines=lines)
        codes = {
            "gl_account": sorted({line.account for line in invoice.lines if line.account}),
            "cost_center": sorted({line.cost_center for line in invoice.lines if line.cost_center}),
        }
        warnings = tuple(self.checks.near_duplicates(record, invoice))
        return Resolved(
            resolved, link, used, warnings, rounding, {name: codes[name] for name in used if codes.get(name)}
        )

    def _parents(self, record: Record, invoice: Invoice, link: Link | None) -> Parents | Skip:
        supplier = self.parent("supplier", invoice.supplier)
        found = Parents(supplier.target_key if supplier else "", invoice.supplier)
        found.causes += self._supplier_causes(invoice, supplier)
        if invoice.corrects is None and invoice.kind is not InvoiceKind.INVOICE and self.in_payables and link is None:
            found.corrects = corrected_by_person(record)
            if found.corrects is None:
                found.causes.append(
                    without_invoice(record.key, invoice, "names no invoice that it corrects", self.label)
                )
            return found
        if invoice.corrects is None:
            return found
        parent = self.parent("invoice", invoice.corrects)
        if parent is not None:
            found.corrects = parent.target_key
            return found
        corrected = self._invoice_record(invoice.corrects)
        if corrected is not None and corrected.state == State.SKIPPED and link is None:
            return Skip(f"Invoice {corrected.number}{LIKE_ITS_INVOICE} {corrected.reason}")
        found.causes.append(self._missing_invoice(invoice, corrected))
        return found

    def _supplier_causes(self, invoice: Invoice, link: Link | None) -> list[Cause]:
        found = self.supplier_record(invoice.supplier)
        if found is None:
            return [
                Cause(
                    "supplier_missing",
                    invoice.supplier,
                    f"Supplier {invoice.supplier} of invoice {invoice.number} was never read from the source.",
                    "Check that the supplier exists there and passes the Connection's supplier filter.",
                )
            ]
        record, supplier = found
        causes = []
        if supplier.on_hold:
            causes.append(
                Cause(
                    "supplier_on_hold",
                    invoice.supplier,
                    f"Supplier {supplier.code} ({supplier.name}) is on hold in the source.",
                    "Its documents follow by themselves when the hold is lifted there.",
                )
            )
        if link is not None and self._held_there(link):
            causes.append(
                Cause(
                    "supplier_on_hold",
                    invoice.supplier,
                    f"Supplier {link.target_key} ({supplier.name}) is on hold in {self.label}.",
                    "Its documents follow by themselves when the hold is lifted there.",
                )
            )
        if link is None:
            causes.append(
                Cause(
                    "parent_not_confirmed",
                    f"supplier:{invoice.supplier}",
                    f"Supplier {supplier.code} ({supplier.name}) is not in {self.label} yet ({record.state}).",
                    "Its documents follow by themselves when it is.",
                )
            )
        elif (kept := self._currency_kept(supplier, link)) not in {"", invoice.currency}:
            causes.append(
                Cause(
                    "currency_not_allowed",
                    f"{invoice.supplier}:{invoice.currency}",
                    f"Invoice {invoice.number} is in {invoice.currency}, but supplier {supplier.code} ({supplier.name})"
                    f" is kept in {kept}.",
                    f"{self.label} keeps one currency per supplier. Enter it under a supplier in {invoice.currency}.",
                )
            )
        return causes

    def _held_there(self, link: Link) -> bool:
        """Whether the target holds the supplier's documents, where its suppliers are read for the other way (R47)."""
        if self._held is None:
            others = [mirroring.mirror(self.integration, spec_of(flow)) for flow in self._flows_of_suppliers]
            flows = [other.pk for other in others if other is not None]
            rows = Record.objects.of(self.workspace_id).filter(flow_id__in=flows, gone=False, erased_at=None)
            found = ((key, decode("supplier", bytes(payload))) for key, payload in rows.values_list("key", "payload"))
            self._held = frozenset(key for key, supplier in found if supplier.on_hold)
        return link.target_key in self._held

    def _currency_kept(self, supplier: Supplier, link: Link) -> str:
        """The currency that the target keeps the supplier in, as last listed; else the source's; '' if unknown."""
        if link.target_key not in self._currencies:
            rows = TargetEntry.objects.of(self.workspace_id).filter(
                connection=target_of(self.flow), type=link.type, key=link.target_key
            )
            self._currencies[link.target_key] = rows.values_list("currency", flat=True).first() or ""
        return self._currencies[link.target_key] or supplier.currency or ""

    def _missing_invoice(self, invoice: Invoice, corrected: Record | None) -> Cause:
        assert invoice.corrects is not None
        number = corrected.number if corrected else unquote(invoice.corrects.rpartition("/")[2])
        return Cause(
            "credit_without_invoice",
            invoice.corrects,
            f"{CORRECTIONS[invoice.kind]} {invoice.number} corrects invoice {number}, which is not in {self.label}.",
            "It follows by itself when the invoice is there; skip it if the invoice will never travel.",
        )

    def _invoice_record(self, key: str) -> Record | None:
        flows = [flow.pk for flow in document_flows(self.integration, "invoice")]
        return Record.objects.of(self.workspace_id).filter(flow_id__in=flows, key=key).first()

    def _line(self, invoice: Invoice, index: int, causes: list[Cause], used: dict[str, int]) -> Any:
        line = invoice.lines[index]
        if self.approving is not None:
            line = self.approving.in_order_terms(line)
        elif self.in_payables:
            line = ordering.billed(self, invoice, line, causes)
            line = ordering.taxed(self, line, used)
        if self.in_payables and not line.account and line.kind in BOOKED_BY_THE_TARGET:
            return line
        account = self.code("gl_account", "GL account", line.account, invoice, index, causes, used)
        cost_center = line.cost_center and self.code(
            "cost_center", "cost center", line.cost_center, invoice, index, causes, used
        )
        return msgspec.structs.replace(line, account=account or "", cost_center=cost_center or None)

    def code(
        self,
        name: str,
        label: str,
        code: str,
        document: Invoice | PurchaseOrder,
        index: int,
        causes: list[Cause],
        used: dict[str, int],
    ) -> str | None:
        """The target's code of one that a line of a document names; None, and a cause, where it has none of use."""
        table = self.tables[name]
        used[name] = table.version
        target = table.get(code)
        if target is None:
            causes.append(
                Cause(
                    "unmapped_code",
                    f"{name}:{code}",
                    f"{label[0].upper()}{label[1:]} {code} has no {self.label} {label.removeprefix('GL ')}.",
                    f"Map it: mapping set {name} {code} CODE; or create it in {self.label} and map it then."
                    f" First met in {'invoice' if isinstance(document, Invoice) else 'order'} {document.number}, line"
                    f" {index + 1}; what it holds follows by itself.",
                    detail={"mapping": name, "code": code, "line": index + 1, "document": document.number},
                )
            )
            return None
        if self._needs_none(name, target):
            return None
        if name not in self.lists:
            return target
        fault = self.lists[name].fault(target)
        if fault:
            causes.append(
                Cause(
                    "code_not_postable",
                    f"{name}:{code}",
                    f"{label[0].upper()}{label[1:]} {code} is mapped to a {self.label} code that is of no use: {fault}",
                    f"Restore it in {self.label}, or map {code} to another one.",
                    detail={"mapping": name, "code": code, "target": target},
                )
            )
            return None
        entry = self.lists[name].named(target)
        return entry.code if entry else None

    def _needs_none(self, name: str, target: str) -> bool:
        declared = declaration(self.integration).mapping(name)
        return target == NOTHING and declared is not None and declared.optional

    # --- look-ups

    def supplier_record(self, key: str) -> tuple[Record, Supplier] | None:
        """The supplier's Record and value as last read from the source."""
        if key not in self.suppliers:
            row = Record.objects.of(self.workspace_id).filter(flow_id__in=self.supplier_flows, key=key).first()
            self.suppliers[key] = (row, decode("supplier", bytes(row.payload))) if row else None
        return self.suppliers[key]

    def parent(self, link_type: str, source_key: str) -> Link | None:
        """A Link once found stays for the Run: Links are never taken back."""
        found = self.parents.get((link_type, source_key)) or self.link_of(link_type, source_key)
        if found is not None:
            self.parents[link_type, source_key] = found
        return found

    def link_of(self, link_type: str, source_key: str) -> Link | None:
        return (
            Link.objects.of(self.workspace_id)
            .filter(integration=self.integration, type=link_type, source_key=source_key)
            .first()
        )

    def _about(self, record: Record, cause: str, text: str, fix: str) -> Cause:
        return Cause(cause, record.key, f"{self.spec.label.removesuffix('s')} {record.number}: {text}", fix)
