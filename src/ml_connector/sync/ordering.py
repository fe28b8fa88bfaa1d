"""Codes and purchase orders in the target's terms: what their Flows send, and what refers to it.

A pair may write its codes (accounts, cost centers, payment terms) to the target as records of their own. A record that
names one of them then carries the code under which the target took it, and waits until it did (R56). Where the pair
writes none, its Mapping gives the code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ml_connector.domain.orders import OrderStatus, PurchaseOrder, PurchaseOrderLine
from ml_connector.domain.records import CODE_TYPES, Invoice, InvoiceLine
from ml_connector.integrations.base import FlowKind, FlowSpec
from ml_connector.sync.flows import declaration, document_flows, flow_named, spec_of
from ml_connector.sync.models import Attempt, Flow, Link, Outcome, Record, State
from ml_connector.sync.problems import Cause
from ml_connector.sync.resolved import Held, Resolved, Skip

if TYPE_CHECKING:
    from ml_connector.sync.resolve import Resolver

NOUNS = {
    "gl_account": "GL account",
    "cost_center": "cost center",
    "payment_term": "payment term",
    "tax_code": "tax code",
    "currency": "currency",
}

DOES_NOT_TRAVEL = (State.SKIPPED, State.WRITTEN_OFF)
"""States of orders that nothing waits for."""


class WrittenCodes:
    """The codes that this direction of a pair writes to the target. Made per Run."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        page, own = declaration(resolver.integration), resolver.spec
        self.writers: dict[str, FlowSpec] = {
            spec.record_type: spec
            for spec in page.flows
            if spec.kind is FlowKind.DOCUMENTS and spec.source is own.source and spec.record_type in CODE_TYPES
        }
        self._mapped = {spec.list: spec.name for spec in page.mappings if spec.list and spec.source is own.source}
        self._flows: dict[str, Flow] = {}
        self._taken: dict[tuple[str, str], str] = {}

    def mapping(self, record_type: str) -> str:
        """The Mapping that gives the target's code; empty where there is none."""
        writer = self.writers.get(record_type)
        return writer.mapping if writer else self._mapped.get(record_type, "")

    def named(self, record_type: str, code: str, causes: list[Cause]) -> str | None:
        """The code of what a record names, as the target took it; None, and a cause, while it did not."""
        known = self._taken.get((record_type, code))
        if known is not None:
            return known
        writer = self.writers[record_type]
        record = Record.objects.of(self.resolver.workspace_id).filter(flow=self._flow(writer), key=code).first()
        if record is None or self.resolver.parent(writer.link_type, code) is None:
            causes.append(self._not_there(writer, code, record))
            return None
        taken = self._last_taken(record)
        self._taken[record_type, code] = taken
        return taken

    def _last_taken(self, record: Record) -> str:
        """As it was last sent: a short code that was changed since is not the target's yet."""
        rows = Attempt.objects.of(record.workspace_id).filter(record=record).exclude(request=b"")
        sent = rows.filter(outcome__in=[Outcome.CONFIRMED, Outcome.ADOPTED]).order_by("-pk")
        request = sent.values_list("request", flat=True).first()
        if request is not None:
            return msgspec.json.decode(bytes(request), type=_Code).code
        table = self.resolver.tables.get(spec_of(record.flow).mapping)
        return (table.get(record.key) if table else None) or record.key

    def _not_there(self, writer: FlowSpec, code: str, record: Record | None) -> Cause:
        noun = NOUNS[writer.record_type]
        what, label = f"{noun[0].upper()}{noun[1:]} {code}", self.resolver.label
        if record is None:
            text, fix = f"{what} was never read from the source.", "Check that it exists there; it is sent before this."
        else:
            text = f"{what} is not in {label} yet ({record.state})."
            fix = "What refers to it follows by itself when it is."
        return Cause("parent_not_confirmed", f"{writer.link_type}:{code}", text, fix)

    def _flow(self, spec: FlowSpec) -> Flow:
        if spec.name not in self._flows:
            self._flows[spec.name] = flow_named(self.resolver.integration, spec.name)
        return self._flows[spec.name]


class _Code(msgspec.Struct):
    code: str


def code(resolver: Resolver, record: Record, value: Any, link: Link | None) -> Resolved | Held:
    """A code that is written to the target: under the code that the Mapping gives it there."""
    name, noun = resolver.spec.mapping, NOUNS[resolver.spec.record_type]
    table = resolver.tables.get(name)
    if table is None:
        return Resolved(value, link, {})
    theirs = table.get(value.code)
    if theirs is None:
        what = f"{noun[0].upper()}{noun[1:]} {value.code}"
        cause = Cause(
            "unmapped_code",
            f"{name}:{value.code}",
            f"{what} has no code in {resolver.label}.",
            f"Map it: mapping set {name} {value.code} CODE.",
            detail={"mapping": name, "code": value.code},
        )
        return Held((cause,))
    twin = _twin(resolver, record, table.targets, theirs) if theirs != value.code else None
    if twin is not None:
        cause = Cause(
            "code_taken",
            f"{name}:{value.code}",
            f"{noun[0].upper()}{noun[1:]} {value.code} is to be {theirs} in {resolver.label}, and so is {twin}: one"
            " would overwrite the other.",
            f"Give one of them another code: mapping set {name} {value.code} CODE. It follows by itself.",
            detail={"mapping": name, "code": value.code},
        )
        return Held((cause,))
    codes = {name: [value.code]} if value.code in table.targets else {}
    return Resolved(msgspec.structs.replace(value, code=theirs), link, {name: table.version}, codes=codes)


def _twin(resolver: Resolver, record: Record, targets: dict[str, str], theirs: str) -> str | None:
    """Another record of the Flow that the target would know by the same code."""
    mapped = next((other for other, target in targets.items() if target == theirs and other != record.key), None)
    if mapped is not None or targets.get(theirs, theirs) != theirs:
        return mapped
    same = Record.objects.of(resolver.workspace_id).filter(flow=resolver.flow, key=theirs, gone=False)
    return theirs if same.exists() else None


def order(resolver: Resolver, record: Record, value: PurchaseOrder, link: Link | None) -> Resolved | Held | Skip:
    """A purchase order: supplier by Link, accounts and cost centers of its lines by Link or Mapping (R42, R56)."""
    if link is None and value.status is not OrderStatus.OPEN:
        word = "Cancelled" if value.status is OrderStatus.CANCELLED else "Closed"
        return Skip(f"{word} in the source before it was sent: nothing is left to match.")
    causes: list[Cause] = []
    used: dict[str, int] = {}
    supplier = _supplier(resolver, value, causes)
    if not value.adds_up():
        cause = Cause(
            "totals_differ",
            record.key,
            f"Order {value.number}: lines and charges differ from its total of {value.total} {value.currency} by"
            f" {value.difference()}.",
            "Correct it in the source; it follows by itself.",
        )
        causes.append(cause)
    terms = value.terms and _other(resolver, "payment_term", value.terms, causes, used)
    lines = tuple(_line(resolver, value, index, causes, used) for index in range(len(value.lines)))
    if causes or supplier is None:
        return Held(tuple({(cause.cause, cause.subject): cause for cause in causes}.values()))
    resolved = msgspec.structs.replace(value, supplier=supplier, terms=terms or None, lines=lines)
    return Resolved(resolved, link, used, codes=_codes(resolver, value.lines, used))


def billed(resolver: Resolver, invoice: Invoice, line: InvoiceLine, causes: list[Cause]) -> InvoiceLine:
    """A line of a bill with its order line as the target knows it (R43): `order/line` by the Link of the order.

    It waits for an order that is still on its way. Of one that does not travel, nothing can be named.
    """
    key, _, name = (line.order_line or "").partition("/")
    if not name:
        return line
    link = resolver.parent("purchase_order", key)
    if link is not None:
        number = links_of_lines(link.lines).get(name)
        if number is not None:
            return msgspec.structs.replace(line, order_line=f"{link.target_key}/{number}")
    flows = [flow.pk for flow in document_flows(resolver.integration, "purchase_order")]
    record = Record.objects.of(resolver.workspace_id).filter(flow__in=flows, key=key).first()
    if record is None or record.state in DOES_NOT_TRAVEL or (link is not None and record.state == State.CONFIRMED):
        return msgspec.structs.replace(line, order_line=None)
    cause = Cause(
        "parent_not_confirmed",
        f"purchase_order:{key}",
        f"Invoice {invoice.number} is for order {record.number}, which is not in {resolver.label} yet as it is now"
        f" ({record.state}).",
        "It follows by itself when the order is. Skip the order with a reason if it will never travel.",
    )
    causes.append(cause)
    return line


def links_of_lines(lines: Sequence[str]) -> dict[str, str]:
    """The target's lines by the source's, of a Link whose lines name both: `key=line`."""
    return {key: line for key, _, line in (each.rpartition("=") for each in lines) if key}


def taxed(resolver: Resolver, line: InvoiceLine, used: dict[str, int]) -> InvoiceLine:
    """A line of a bill with its tax code in the target's words; without one where the Mapping has none."""
    table = resolver.tables.get("tax_code")
    if table is None or not line.tax_code:
        return line
    used["tax_code"] = table.version
    return msgspec.structs.replace(line, tax_code=table.get(line.tax_code))


def terms(resolver: Resolver, given: str | None, causes: list[Cause], used: dict[str, int]) -> str | None:
    """A supplier's payment terms, where the target has them from us or by a Mapping; else none are sent."""
    return _other(resolver, "payment_term", given, causes, used) if given else None


def _supplier(resolver: Resolver, value: PurchaseOrder, causes: list[Cause]) -> str | None:
    """The target's key of the order's supplier; None, and a cause, while it has none."""
    found = resolver.supplier_record(value.supplier)
    link = resolver.parent("supplier", value.supplier)
    if link is not None:
        return link.target_key
    if found is None:
        cause = Cause(
            "supplier_missing",
            value.supplier,
            f"Supplier {value.supplier} of order {value.number} was never read from the source.",
            "Check that the supplier exists there and passes the Connection's supplier filter.",
        )
    else:
        record, supplier = found
        cause = Cause(
            "parent_not_confirmed",
            f"supplier:{value.supplier}",
            f"Supplier {supplier.code} ({supplier.name}) is not in {resolver.label} yet ({record.state}).",
            "Its documents follow by themselves when it is.",
        )
    causes.append(cause)
    return None


def _line(
    resolver: Resolver, value: PurchaseOrder, index: int, causes: list[Cause], used: dict[str, int]
) -> PurchaseOrderLine:
    line = value.lines[index]
    if line.status is OrderStatus.CANCELLED:
        # Nothing is matched with it any more: a code that was closed since need not be there.
        return msgspec.structs.replace(line, account=None, cost_center=None, tax_code=None)
    coded = {
        name: given and _coded(resolver, name, given, value, index, causes, used)
        for name, given in (("gl_account", line.account), ("cost_center", line.cost_center))
    }
    tax_code = line.tax_code and _other(resolver, "tax_code", line.tax_code, causes, used)
    return msgspec.structs.replace(
        line, account=coded["gl_account"] or None, cost_center=coded["cost_center"] or None, tax_code=tax_code or None
    )


def _coded(
    resolver: Resolver,
    record_type: str,
    given: str,
    value: PurchaseOrder,
    index: int,
    causes: list[Cause],
    used: dict[str, int],
) -> str | None:
    """An account or cost center: as it was written, else by the Mapping with the target's list, else as it is."""
    written = resolver.written
    if record_type in written.writers:
        return written.named(record_type, given, causes)
    name = written.mapping(record_type)
    return resolver.code(name, NOUNS[record_type], given, value, index, causes, used) if name else given


def _other(resolver: Resolver, record_type: str, given: str, causes: list[Cause], used: dict[str, int]) -> str | None:
    """A code without which a record can go as well: None where the target has it neither from us nor by a Mapping."""
    written = resolver.written
    if record_type in written.writers:
        return written.named(record_type, given, causes)
    table = resolver.tables.get(written.mapping(record_type))
    if table is None:
        return None
    used[written.mapping(record_type)] = table.version
    return table.get(given)


def _codes(resolver: Resolver, lines: Sequence[PurchaseOrderLine], used: dict[str, int]) -> dict[str, list[str]]:
    """The source's codes that were mapped, by Mapping."""
    alive = [line for line in lines if line.status is not OrderStatus.CANCELLED]
    given = {
        resolver.written.mapping("gl_account"): {line.account for line in alive if line.account},
        resolver.written.mapping("cost_center"): {line.cost_center for line in alive if line.cost_center},
    }
    return {name: sorted(codes) for name, codes in given.items() if name in used and codes}
