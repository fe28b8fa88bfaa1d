"""Target of Invoice: APSTIN posts it, ApInvoice and the AP journals show it.

SYSPRO: the pair of supplier and invoice is unique, and nothing else stops a second posting. Our mark stands in the
invoice's Reference. A credit or debit note is an entry on its invoice, with no number of its own: its mark stands in
its ledger rows. What is posted is never amended: a credit takes it back. The ledger may be posted at once, later, or
not at all although the payables were.
"""

from __future__ import annotations

from dataclasses import replace as terms_in
from decimal import Decimal

from msgspec.structs import replace

from ml_connector.domain.numbers import find_mark, normalised, normalised_code
from ml_connector.domain.records import Invoice, InvoiceKind, LineKind
from ml_connector.systems.base import (
    DocumentState,
    Found,
    NoLonger,
    NotFound,
    OutcomeUnknown,
    Ref,
    Refused,
    SystemFailure,
)
from ml_connector.systems.syspro.invoices import Invoices
from ml_connector.systems.syspro.keys import entry_key, invoice_key, parts
from ml_connector.systems.syspro.policies import CREDIT as CREDIT_IT
from ml_connector.systems.syspro.policies import Policies
from ml_connector.systems.syspro.postings import CREDIT, DEBIT, DOCUMENT, ENTRY
from ml_connector.systems.syspro.tables import ApJnlSummary
from ml_connector.systems.syspro.where import Condition, Where, that
from ml_connector.systems.syspro.writing import apstin
from ml_connector.systems.syspro.writing.answers import entry_of, found_of, ledger_remarks, place_of, register, vouchers
from ml_connector.systems.syspro.writing.apstin import Terms, to_apstin
from ml_connector.systems.syspro.writing.coding import Booked, as_written, booked, into_open_period
from ml_connector.systems.syspro.writing.company import Company
from ml_connector.systems.syspro.writing.form import Form
from ml_connector.systems.syspro.writing.matching import matches, order_line, ordered
from ml_connector.systems.syspro.writing.poster import Poster
from ml_connector.systems.syspro.writing.reply import Reply, another, members
from ml_connector.systems.syspro.writing.tables import GrnDetails, InvoiceReference, Payee
from ml_connector.systems.transport.xml import text

CODES = {InvoiceKind.CREDIT_NOTE: CREDIT, InvoiceKind.DEBIT_NOTE: DEBIT}


class ApInvoices:
    """Invoices, credit notes and debit notes in accounts payable."""

    def __init__(self, poster: Poster, company: Company, source: Invoices, policies: Policies) -> None:
        self._poster = poster
        self._company = company
        self._source = source
        self._policies = policies
        self._numbers: dict[str, list[InvoiceReference]] = {}

    # --- looking up

    def find(self, record: Invoice, mark: str) -> list[Found[Invoice]]:
        """By mark; else by the number, however it is spelt, typed by hand too (R40)."""
        if record.kind is not InvoiceKind.INVOICE:
            return self._corrections(record, mark)
        number = self._number(record)
        named = Where(any=(((Condition("Reference", "eq", mark),), (Condition("Invoice", "eq", number),)),))
        rows = self._company.reading.rows(InvoiceReference, that("Supplier", "eq", record.supplier).plus(named))
        marked = [row for row in rows if find_mark(row.reference or "") == mark]
        found = (self._found(row) for row in marked or rows or self._alike(record.supplier, number))
        return [each for each in found if each is not None]

    def get(self, key: str) -> Found[Invoice] | None:
        named = parts(key)
        if len(named) == len(ENTRY):
            return self._entry(key)
        rows = self._company.reading.matching(InvoiceReference, DOCUMENT, [named])
        return self._found(rows[0]) if rows else None

    def _found(self, row: InvoiceReference) -> Found[Invoice] | None:
        item = self._source.get(invoice_key(row.supplier, row.invoice))
        return None if item is None else found_of(item, row)

    def _alike(self, supplier: str, number: str) -> list[InvoiceReference]:
        """Numbers of the supplier that people read as this one (R38). Read once for each supplier."""
        if supplier not in self._numbers:
            rows = self._company.reading.rows(InvoiceReference, that("Supplier", "eq", supplier))
            self._numbers[supplier] = rows
        wanted = normalised(number)
        return [theirs for theirs in self._numbers[supplier] if normalised(theirs.invoice) == wanted]

    def _corrections(self, record: Invoice, mark: str) -> list[Found[Invoice]]:
        """What is booked on the corrected invoice, with our mark; else what nobody has marked and is the same."""
        if record.corrects is None:
            return []
        named = parts(record.corrects)
        entries = [
            Found(item.key, item.record, find_mark(texts), vouchers=(register(place_of(summary)),))
            for item, summary, texts in self._source.booked_on(named[0], named[-1])
            if (summary.transaction_code or "").strip() == CODES[record.kind]
        ]
        marked = [entry for entry in entries if entry.mark == mark]
        unmarked = [e for e in entries if e.mark is None and not self.identity_differences(record, e.record)]
        return marked or unmarked

    def _entry(self, key: str) -> Found[Invoice] | None:
        rows = self._company.reading.matching(ApJnlSummary, ENTRY, [tuple(map(int, parts(key)))])
        hits = (hit for row in rows for hit in self._source.booked_on(row.supplier, row.invoice) if hit[0].key == key)
        found = next(hits, None)
        if found is None:
            return None
        return Found(found[0].key, found[0].record, find_mark(found[2]), vouchers=(register(place_of(found[1])),))

    # --- writing

    def create(self, record: Invoice, mark: str) -> Ref:
        """Posts the document, then reads back what was booked (R11)."""
        return self._ref(record, mark, self._post(record, mark))

    def update(self, ref: Ref, record: Invoice, mark: str) -> Ref:
        """Nothing, where nothing of it changed; else NoLonger: SYSPRO amends no invoice."""
        found = self.get(ref.key)
        if found is None:
            raise NotFound(f"SYSPRO has no {apstin.about(record)} any more ({ref.key}).")
        changed = self.differences(record, found.record)
        if not changed:
            return ref
        raise NoLonger(
            "posted",
            f"{Form(apstin.about(record)).opening} is posted in SYSPRO, which amends no posted document. Different: "
            f"{', '.join(_both(name, record, found.record) for name in changed)}.",
        )

    def cancel(self, ref: Ref, reason: str) -> None:
        """Takes an invoice back by a credit over its whole value, where the Flow's policy says so and nothing was
        paid or credited on it; raises NoLonger otherwise."""
        found = self.get(ref.key)
        if found is None:
            raise NotFound(f"SYSPRO has no invoice {ref.key} any more.")
        if found.state is DocumentState.ARCHIVED:
            return
        about = Form(apstin.about(found.record)).opening
        if self._policies.withdrawn != CREDIT_IT or found.record.kind is not InvoiceKind.INVOICE:
            raise NoLonger(
                "posted", f"{about} is posted in SYSPRO. Take it back there, by a credit note, if it is void."
            )
        if found.state is not DocumentState.OPEN:
            raise NoLonger(
                "posted", f"{about}: of {found.record.gross} {found.open} are open in SYSPRO. Settle the rest by hand."
            )
        credit = replace(found.record, kind=InvoiceKind.CREDIT_NOTE, corrects=ref.key, memo=reason, posting_date=None)
        mark = found.mark or find_mark(reason) or "taken back"
        self._post(credit, mark)

    # --- comparing

    def identity_differences(self, sent: Invoice, found: Invoice) -> list[str]:
        """Supplier, number, currency, gross, date (R5). A correction has neither number nor date of its own in
        SYSPRO: the invoice that it corrects stands in for them."""
        own = sent.kind is InvoiceKind.INVOICE
        pairs = {
            "kind": sent.kind is found.kind,
            "supplier": normalised_code(sent.supplier) == normalised_code(found.supplier),
            "number": not own or normalised(self._number(sent)) == normalised(found.number),
            "corrects": own or sent.corrects == found.corrects,
            "currency": sent.currency == found.currency,
            "gross": sent.gross == found.gross,
            "date": not own or sent.date == found.date,
        }
        return [name for name, same in pairs.items() if not same]

    def differences(self, sent: Invoice, found: Invoice) -> list[str]:
        """Besides identity: the due date, and what is booked on each GL code."""
        identity = self.identity_differences(sent, found)
        due = ["due_date"] if sent.kind is InvoiceKind.INVOICE and sent.due_date != found.due_date else []
        return [*identity, *due, *(["lines"] if self._coded_otherwise(sent, found) else [])]

    def _coded_otherwise(self, sent: Invoice, found: Invoice) -> bool:
        """Not compared is what SYSPRO codes or restates by itself: goods matched, freight and charges without a GL
        code, documents in a foreign currency. Tax rows are not either: their account is SYSPRO's."""
        uncoded = any(not line.account and line.kind is not LineKind.TAX for line in sent.lines)
        if not found.lines or uncoded or ordered(sent) or sent.currency != self._company.currencies.local:
            return False
        rule, form = self._company.options.cost_centers, Form(apstin.about(sent))
        ours, theirs = apstin.coded(sent, rule, form), apstin.coded(found, rule, form)
        taxed = {line.account for line in sent.lines if line.kind is LineKind.TAX}
        return ours != {code: value for code, value in theirs.items() if code in ours or code not in taxed}

    # --- steps of a posting

    def _number(self, record: Invoice) -> str:
        return apstin.number(record, self._policies.long_numbers)

    def _post(self, record: Invoice, mark: str) -> Reply:
        """The answer, from the period that the policy leads to."""
        terms = self._terms(record)

        def post(period: Booked) -> Reply:
            posting = to_apstin(record, mark, terms_in(terms, booked=period))
            return self._poster.post(posting, validate_first=self._policies.validate_first)

        return into_open_period(
            terms.booked, record.posting_date, self._company.periods, self._policies.closed_period, post
        )

    def _terms(self, record: Invoice) -> Terms:
        """What SYSPRO knows that the document depends on. Raises Refused before anything leaves."""
        form = Form(apstin.about(record))
        company, options = self._company, self._company.options
        payee = company.payee(record.supplier, form)
        company.check_payable(payee, form)
        foreign = company.check_currency(payee, record.currency, form)
        period = booked(
            record.posting_date,
            company.periods,
            options.writing.closed_letters,
            self._policies.closed_period,
            form,
        )
        matched = self._matches(record, payee, form)
        return Terms(
            booked=period,
            rule=options.cost_centers,
            foreign=foreign,
            rate=self._rate(record, payee, form) if foreign else None,
            corrected=parts(record.corrects)[-1] if record.corrects else None,
            long_numbers=self._policies.long_numbers,
            matches=matched,
            matched_lines=frozenset(line.line_key for line in ordered(record)) if matched else frozenset(),
            debit_raises=options.debit_raises,
        )

    def _rate(self, record: Invoice, payee: Payee, form: Form) -> Decimal | None:
        """The document's own rate where the policy wants it; None leaves it to SYSPRO."""
        if not self._policies.own_rate:
            return None
        if record.rate is None:
            raise Refused(
                "rate_missing",
                f"{form.opening} is in {record.currency} and states no exchange rate.",
                "ExchRateAtEntry",
            )
        return as_written(record.rate, self._company.divides(payee.currency), form)

    def _matches(self, record: Invoice, payee: Payee, form: Form) -> tuple[apstin.Match, ...]:
        """Goods received, where the supplier's invoices are matched with them (R44)."""
        if (payee.grn_match_reqd or "").strip() != "Y" or record.kind is not InvoiceKind.INVOICE:
            return ()
        wanted = {named for line in ordered(record) if (named := order_line(line)) is not None}
        if not wanted:
            raise Refused(
                "receipt_needed",
                f"{form.opening}: SYSPRO matches invoices of this supplier with goods received, and no line names a "
                "line of an order.",
                "GrnDetails",
            )
        notes = self._company.reading.matching(GrnDetails, ("PurchaseOrder", "PurchaseOrderLin"), sorted(wanted))
        return matches(record, notes, form, foreign=record.currency != self._company.currencies.local)

    # --- what was booked

    def _ref(self, record: Invoice, mark: str, answer: Reply) -> Ref:
        about = apstin.about(record)
        booked_as = answer.first("Transaction")
        named = None if booked_as is None else members(booked_as, "Key")
        if booked_as is not None:
            theirs = (text(booked_as, "Supplier"), text(booked_as, "Invoice"))
            if any(theirs) and not _same(theirs[0], record.supplier):
                raise another(about, f"an entry of supplier {theirs[0]}")
        made = None if named is None else entry_of(named)
        key = invoice_key(record.supplier, self._number(record))
        if record.kind is not InvoiceKind.INVOICE:
            key = "" if made is None else entry_key(made)
        there = self._read_back(record, mark, key)
        return Ref(
            there.key if there is not None else key,
            amount=None if there is None else there.record.gross,
            vouchers=vouchers(made, answer) or (there.vouchers if there is not None else ()),
            remarks=ledger_remarks(answer, about),
        )

    def _read_back(self, record: Invoice, mark: str, key: str) -> Found[Invoice] | None:
        """What the tables show; None where they cannot be read just now, and the answer named it already."""
        try:
            if record.kind is InvoiceKind.INVOICE:
                found = self.get(key)
            else:
                hits = self._corrections(record, mark)
                found = next((hit for hit in hits if not key or hit.key == key), None)
        except SystemFailure:
            if key:
                return None
            raise OutcomeUnknown(f"SYSPRO posted {apstin.about(record)} and named no entry; it is looked up.") from None
        if found is None and (not key or record.kind is InvoiceKind.INVOICE):
            raise OutcomeUnknown(
                f"SYSPRO counts {apstin.about(record)} as posted, but its tables do not show it. It is looked up."
            )
        return found


def _same(left: str, right: str) -> bool:
    return normalised_code(left).lower() == normalised_code(right).lower()


def _both(name: str, sent: Invoice, found: Invoice) -> str:
    if name == "lines":
        return "the coding"
    return f"{name} is {getattr(found, name)} in SYSPRO, {getattr(sent, name)} in the source"
