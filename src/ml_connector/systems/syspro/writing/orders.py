"""Target of PurchaseOrder: PORTOI writes it, PorMasterHdr and PorMasterDetail show it.

SYSPRO: orders are numbered by SYSPRO and the answer may lack the number, so an order is found by our mark in
CustomerPoNumber, before it is made and after (R11). A post is not all or nothing: the tables say what is there.
"""

from __future__ import annotations

from decimal import Decimal

from ml_connector.domain.numbers import find_mark, normalised, normalised_code
from ml_connector.domain.orders import OrderStatus, PurchaseOrder
from ml_connector.systems.base import (
    Conflict,
    DocumentState,
    Found,
    NoLonger,
    NotFound,
    OutcomeUnknown,
    Ref,
    Refused,
    SystemFailure,
)
from ml_connector.systems.syspro.policies import Policies
from ml_connector.systems.syspro.where import Condition, Where, that
from ml_connector.systems.syspro.writing.coding import as_written
from ml_connector.systems.syspro.writing.company import Company
from ml_connector.systems.syspro.writing.form import Form, stripped
from ml_connector.systems.syspro.writing.order_lines import (
    PRINTED,
    changes,
    corresponding,
    found,
    ids,
    is_coded,
    live,
    ordered,
)
from ml_connector.systems.syspro.writing.portoi import about, to_add, to_cancel, to_change
from ml_connector.systems.syspro.writing.poster import Poster, Posting
from ml_connector.systems.syspro.writing.reply import Reply
from ml_connector.systems.syspro.writing.tables import PorMasterDetail, PorMasterHdr

Rows = list[PorMasterDetail]

PADDED = (6, 15, 20)
"""Widths to which sites have been seen to pad numbers of orders."""


class Orders:
    """Purchase orders, their lines and their cancellation."""

    def __init__(self, poster: Poster, company: Company, policies: Policies) -> None:
        self._poster = poster
        self._company = company
        self._rule = company.options.cost_centers
        self._policies = policies

    # --- looking up

    def find(self, record: PurchaseOrder, mark: str) -> list[Found[PurchaseOrder]]:
        """By the mark: an order typed by hand bears none, and its number is SYSPRO's. Where orders keep the source's
        number, else by that."""
        headers = self._marked(mark)
        if not headers and self._policies.keep_number:
            headers = self._numbered(record.number)
        return [self._linked(record, header, ()) for header in headers]

    def get(self, key: str) -> Found[PurchaseOrder] | None:
        header = self._header(key)
        return None if header is None else self._found(header, live(header, self._rows(header)))

    def identity_differences(self, sent: PurchaseOrder, found: PurchaseOrder) -> list[str]:
        """Supplier, number, currency, and the total without tax, which SYSPRO computes. A number that did not fit
        beside the mark is not compared, nor is the date: SYSPRO's may be the day of entry."""
        pairs = {
            "supplier": normalised_code(sent.supplier) == normalised_code(found.supplier),
            "number": not found.number or normalised(sent.number) == normalised(found.number),
            "currency": sent.currency == found.currency,
            "total": sent.total - sent.tax == found.total,
        }
        return [name for name, same in pairs.items() if not same]

    def differences(self, sent: PurchaseOrder, found: PurchaseOrder) -> list[str]:
        """Besides identity: whether it is cancelled, its due date, and its lines as what is ordered of what."""
        identity = self.identity_differences(sent, found)
        cancelled = [each.status is OrderStatus.CANCELLED for each in (sent, found)]
        if cancelled[0] or cancelled[1]:
            return identity if cancelled[0] and cancelled[1] else [*identity, "status"]
        coded = is_coded(sent) and is_coded(found)
        ours, theirs = (ordered(each, self._rule, coded=coded) for each in (sent, found))
        due = ["due_date"] if sent.due_date and sent.due_date != found.due_date else []
        return [*identity, *due, *(["lines"] if theirs != ours else [])]

    # --- writing

    def create(self, record: PurchaseOrder, mark: str) -> Ref:
        """Makes the order, and reads which lines it has. One that lacks a line is for people (R5)."""
        form = Form(about(record))
        payee = self._company.payee(record.supplier, form)
        foreign = self._company.check_currency(payee, record.currency, form)
        rate = None
        if foreign and self._policies.own_rate:
            rate = as_written(record.rate or Decimal(0), self._company.divides(payee.currency), form)
        keeps = self._policies.keep_number
        answer = self._post(to_add(record, mark, self._company.options, foreign=foreign, rate=rate, keep_number=keeps))
        return self._made(record, mark, answer)

    def update(self, ref: Ref, record: PurchaseOrder, mark: str) -> Ref:
        """Changes, adds and cancels lines until SYSPRO's are ours; no call where they are. A record that is cancelled
        cancels the order."""
        header = self._header(ref.key)
        if header is None:
            raise NotFound(f"SYSPRO has no order {ref.key} any more, which {about(record)} is linked to.")
        if record.status is OrderStatus.CANCELLED:
            self.cancel(ref, "cancelled in the source")
            return ref
        before = self._rows(header)
        rows = live(header, before)
        there, mine = self._found(header, rows), corresponding(record, ref.lines, rows)
        due = bool(record.due_date and record.due_date != there.record.due_date)
        foreign = record.currency != self._company.currencies.local
        last = max((row.line for row in before), default=0)
        wanted = changes(record, mine, rows, self._rule, foreign=foreign, last=last, linked=bool(ref.lines))
        if not wanted and not due:
            return Ref(there.key, ids(record, mine))
        self._check_open(record, header, there)
        self._post(to_change(record, there.key, wanted, self._company.options, due=due, foreign=foreign))
        return self._changed(record, there.key, mine)

    def cancel(self, ref: Ref, reason: str) -> None:
        """Cancels an order of which nothing was received; raises NoLonger for any other. Done twice is done once."""
        header = self._header(ref.key)
        there = None if header is None else self._found(header, live(header, self._rows(header)))
        if header is None or there is None or there.state is DocumentState.ARCHIVED:
            return
        named = Form(f"order {there.record.number or ref.key}").opening
        if there.state is not DocumentState.OPEN:
            raise NoLonger("completed", f"{named} is complete in SYSPRO and cannot be cancelled.")
        if any(line.received for line in there.record.lines):
            raise NoLonger(
                "received", f"{named} is received in part in SYSPRO. Return the goods there, then cancel it."
            )
        self._post(to_cancel(there.key, there.record.supplier))
        after = self.get(ref.key)
        if after is not None and after.state is not DocumentState.ARCHIVED:
            raise OutcomeUnknown(f"SYSPRO answered the cancellation of {named} without doing it. It is looked up.")

    # --- steps

    def _post(self, posting: Posting) -> Reply:
        return self._poster.post(posting, validate_first=self._policies.validate_first)

    def _made(self, record: PurchaseOrder, mark: str, answer: Reply) -> Ref:
        named = answer.text("PurchaseOrder")
        try:
            headers = self._marked(mark)
        except SystemFailure:
            if named:
                return Ref(named)
            raise OutcomeUnknown(f"SYSPRO made {about(record)} and named no number; it is looked up.") from None
        if len(headers) != 1:
            raise OutcomeUnknown(
                f"SYSPRO counts {about(record)} as made, but shows it {len(headers)} times by our mark. It is looked "
                "up."
            )
        if named and normalised_code(named) != normalised_code(headers[0].purchase_order):
            raise OutcomeUnknown(f"SYSPRO answered {about(record)} with another order, {named}. It is looked up.")
        made = self._linked(record, headers[0], ())
        if self.identity_differences(record, made.record):
            raise OutcomeUnknown(
                f"SYSPRO made {about(record)} as {made.key}, but not as it was sent: it lacks a line, or has other "
                "amounts. It is compared."
            )
        return Ref(made.key, made.lines)

    def _changed(self, record: PurchaseOrder, key: str, mine: dict[str, int]) -> Ref:
        """What the order is after a change; `mine`: the lines that it had. New ones are known by what they say: a
        number that is sent along with one is a wish. An order that was not wholly taken is for people: it would be
        sent for ever."""
        header = self._header(key)
        if header is None:
            raise Conflict(f"SYSPRO no longer has order {key}, which was just changed.")
        after = self._linked(record, header, ids(record, mine))
        left = [name for name in self.differences(record, after.record) if name != "number"]
        if left:
            raise Refused(
                "partly_taken",
                f"SYSPRO took the change of {about(record)} ({key}) without saying no, but it still differs in "
                f"{', '.join(left)}. Compare it with the source and correct it in SYSPRO.",
                "OrderDetails",
            )
        return Ref(key, after.lines)

    def _check_open(self, record: PurchaseOrder, header: PorMasterHdr, there: Found[PurchaseOrder]) -> None:
        named = Form(about(record)).opening
        if normalised_code(there.record.supplier) != normalised_code(record.supplier):
            raise Conflict(f"SYSPRO has {there.key} with supplier {there.record.supplier}, not {record.supplier}.")
        if there.record.currency != record.currency:
            raise Conflict(f"SYSPRO has {there.key} in {there.record.currency}, not in {record.currency}.")
        if there.state is not DocumentState.OPEN:
            raise NoLonger("completed", f"{named} is {there.record.status} in SYSPRO and takes no changes.")
        printed = (header.order_status or "").strip() == PRINTED
        if printed and not self._policies.amend_printed:
            raise NoLonger(
                "printed",
                f"{named} was printed in SYSPRO, so the supplier may have it. Tell the supplier, change it there, or "
                "let the Flow amend printed orders (amend_printed).",
            )

    # --- the tables

    def _marked(self, mark: str) -> list[PorMasterHdr]:
        headers = self._company.reading.like(PorMasterHdr, "CustomerPoNumber", f"*{mark}*")
        return [header for header in headers if find_mark(header.customer_po_number or "") == mark]

    def _numbered(self, number: str) -> list[PorMasterHdr]:
        """By SYSPRO's own number, which some sites pad with zeros."""
        text = stripped(number)
        forms = {text, *(text.zfill(width) for width in PADDED if text.isdigit())}
        terms = tuple((Condition("PurchaseOrder", "eq", form),) for form in sorted(forms))
        return self._company.reading.rows(PorMasterHdr, Where(any=(terms,)))

    def _header(self, key: str) -> PorMasterHdr | None:
        rows = self._company.reading.rows(PorMasterHdr, that("PurchaseOrder", "eq", key))
        return rows[0] if rows else None

    def _rows(self, header: PorMasterHdr) -> Rows:
        return self._company.reading.rows(PorMasterDetail, that("PurchaseOrder", "eq", header.purchase_order))

    def _found(self, header: PorMasterHdr, rows: Rows) -> Found[PurchaseOrder]:
        unit = self._company.currencies[header.currency]
        currency = unit.iso if unit is not None else self._company.currencies.local
        return found(header, rows, currency, self._rule, foreign=unit is not None and unit.foreign)

    def _linked(self, record: PurchaseOrder, header: PorMasterHdr, known: tuple[str, ...]) -> Found[PurchaseOrder]:
        """The order with the links of the record's lines."""
        rows = live(header, self._rows(header))
        there, mine = self._found(header, rows), corresponding(record, known, rows)
        return Found(there.key, there.record, there.mark, there.state, lines=ids(record, mine))
