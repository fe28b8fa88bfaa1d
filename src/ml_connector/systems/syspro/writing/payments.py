"""Target of Payment: APSTPM records it, ApInvoicePay shows it.

SYSPRO: a payment has a row for each invoice that it settles, and our mark stands in the reference of each. A void is a
row of its own, after which the invoice is open again (R29).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from ml_connector.domain.numbers import find_mark, normalised_code
from ml_connector.domain.records import Payment, PaymentStatus
from ml_connector.systems.base import (
    DocumentState,
    Found,
    NoLonger,
    NotFound,
    OutcomeUnknown,
    Ref,
    Refused,
    SystemFailure,
    Transient,
)
from ml_connector.systems.syspro.keys import parts
from ml_connector.systems.syspro.policies import POST, Policies
from ml_connector.systems.syspro.postings import DOCUMENT
from ml_connector.systems.syspro.tables import ApPayRunDet
from ml_connector.systems.syspro.writing.apstpm import (
    about,
    check,
    to_apstpm,
    to_run,
    to_void,
)
from ml_connector.systems.syspro.writing.coding import Booked, as_written, booked, into_open_period
from ml_connector.systems.syspro.writing.company import Company
from ml_connector.systems.syspro.writing.form import Form
from ml_connector.systems.syspro.writing.paid import Paid, Rows
from ml_connector.systems.syspro.writing.poster import Poster, Posting
from ml_connector.systems.syspro.writing.reply import Reply, another
from ml_connector.systems.transport.xml import to_decimal


class ApPayments:
    """Payments made elsewhere that settle invoices in payables."""

    def __init__(self, poster: Poster, company: Company, policies: Policies) -> None:
        self._poster = poster
        self._company = company
        self._policies = policies
        self._paid = Paid(company)
        self._runs: dict[str, str] = {}

    # --- looking up

    def find(self, record: Payment, mark: str) -> list[Found[Payment]]:
        """By the mark: two payments of one amount may both be true, so nothing else makes one ours."""
        documents = [(parts(key)[0], parts(key)[-1]) for key in self._paid.released(record)]
        rows = [each for each in self._paid.settled(documents) if find_mark(each.row.payment_reference or "") == mark]
        return [self._paid.found(rows)] if rows else []

    def get(self, key: str) -> Found[Payment] | None:
        """Every row of the payment that has the row of that key."""
        rows = self._paid.payment(key)
        return self._paid.found(rows) if rows else None

    def identity_differences(self, sent: Payment, found: Payment) -> list[str]:
        """Supplier, currency, and what is settled of each invoice, which SYSPRO may show with or without discount. The
        date in SYSPRO is the journal's."""
        ours, theirs = self._paid.released(sent), self._paid.released(found)
        agree = ours.keys() == theirs.keys() and all(
            theirs[key].gross in {each.gross, each.gross - each.discount} for key, each in ours.items()
        )
        pairs = {
            "supplier": normalised_code(sent.supplier) == normalised_code(found.supplier),
            "currency": sent.currency == found.currency,
            "allocations": agree,
        }
        return [name for name, same in pairs.items() if not same]

    def differences(self, sent: Payment, found: Payment) -> list[str]:
        voided = [each.status is PaymentStatus.VOIDED for each in (sent, found)]
        return [*self.identity_differences(sent, found), *(["status"] if voided[0] != voided[1] else [])]

    # --- writing

    def create(self, record: Payment, mark: str) -> Ref:
        """Records the payment after comparing it with what is open, then reads back what it settled."""
        form = Form(about(record))
        company, settings = self._company, self._company.options.writing
        if not settings.clearing_bank:
            raise Refused(
                "field_missing",
                f"{form.opening} needs the bank to book it in. Enter clearing_bank in the Connection's settings.",
                "clearing_bank",
            )
        payee = company.payee(record.supplier, form)
        foreign = company.check_currency(payee, record.currency, form)
        released = self._paid.released(record)
        owed = self._paid.owed(list(released))
        check(record, released, owed)
        period = self._booked(record.date, form)
        rate = None
        if foreign and self._policies.own_rate:
            rate = as_written(record.rate or Decimal(0), company.divides(payee.currency), form)
        run = settings.payment_run or self._run(record, mark, (payee.currency or "").strip())

        def post(into: Booked) -> Reply:
            return self._send(to_apstpm(record, mark, run, released, owed, into.letter, rate))

        answer = into_open_period(period, record.date, company.periods, self._policies.closed_period, post)
        return self._read_back(record, mark, run, answer)

    def update(self, ref: Ref, record: Payment, mark: str) -> Ref:
        """A payment that was voided is voided; nothing else of one can change."""
        found = self.get(ref.key)
        if found is None:
            raise NotFound(f"SYSPRO has no payment {ref.key} any more.")
        changed = self.differences(record, found.record)
        if changed == ["status"] and record.status is PaymentStatus.VOIDED:
            self.cancel(ref, "voided in the source")
        elif changed:
            raise NoLonger(
                "posted",
                f"{Form(about(record)).opening} is recorded in SYSPRO as {ref.key}. Different: {', '.join(changed)}. "
                "Void it in SYSPRO; then it can be recorded anew.",
            )
        return ref

    def cancel(self, ref: Ref, reason: str) -> None:
        """Voids the payment where the Flow's policy says so; else raises NoLonger, and a person does it."""
        rows = self._paid.payment(ref.key)
        if not rows:
            raise NotFound(f"SYSPRO has no payment {ref.key} any more.")
        found = self._paid.found(rows)
        if found.state is DocumentState.ARCHIVED:
            return
        named = f"the void of {about(found.record)}"
        if self._policies.reversal != POST:
            raise NoLonger(
                "void_by_hand",
                f"{Form(about(found.record)).opening} was voided, and is still recorded in SYSPRO as {ref.key}. Void "
                "it there; its invoices are then open again.",
            )
        letter = self._booked(None, Form(named)).letter
        self._send(to_void(self._void_values(rows, found), letter, self._company.options.writing, named))
        after = self.get(ref.key)
        if after is None or after.state is not DocumentState.ARCHIVED:
            raise OutcomeUnknown(f"SYSPRO answered {named} without doing it. It is looked up.")

    # --- steps

    def _send(self, posting: Posting) -> Reply:
        return self._poster.post(posting, validate_first=self._policies.validate_first)

    def _booked(self, day: date | None, form: Form) -> Booked:
        """The period of a payment's day; the current one for none."""
        closed = self._company.options.writing.closed_letters
        return booked(day, self._company.periods, closed, self._policies.closed_period, form)

    def _run(self, record: Payment, mark: str, currency: str) -> str:
        """A manual run of the currency; opened once by each of us. One that is opened twice is empty and harmless."""
        if currency not in self._runs:
            posting = to_run(currency, record, mark, self._company.options.writing)
            try:
                number = self._poster.post(posting, validate_first=False).text("PaymentNumber")
            except OutcomeUnknown as lost:
                raise lost.then or Transient(
                    f"SYSPRO gave no clear answer when {posting.about} was opened. Nothing was paid."
                ) from None
            if not number:
                raise Refused(
                    "field_missing",
                    f"SYSPRO opened {posting.about} and named no number. Open a manual run in SYSPRO and enter its "
                    "number as payment_run in the Connection's settings.",
                    "payment_run",
                )
            self._runs[currency] = number
        return self._runs[currency]

    def _read_back(self, record: Payment, mark: str, run: str, answer: Reply) -> Ref:
        named = about(record)
        net = answer.text("NetValueReleased")
        if net and to_decimal(net) not in {record.amount, Decimal(0)}:
            raise another(named, f"a payment of {net}")
        try:
            found = self.find(record, mark)
        except SystemFailure:
            found = []
        if len(found) != 1 or self.identity_differences(record, found[0].record):
            raise OutcomeUnknown(f"SYSPRO counts {named} as recorded, but does not show it so. It is looked up.")
        return Ref(found[0].key, found[0].lines, vouchers=(run,))

    def _void_values(self, rows: Rows, found: Found[Payment]) -> dict[str, str]:
        first = rows[0].row
        number = first.payment_number
        key = ("PaymentNumber", *DOCUMENT)
        cheques = [] if not number else self._company.reading.matching(
            ApPayRunDet, key, [(number, each.row.supplier, each.row.invoice) for each in rows]
        )  # fmt: skip
        return {
            "payment_number": str(number or ""),
            "supplier": found.record.supplier,
            "bank": self._company.options.writing.clearing_bank,
            "cheque": str(cheques[0].cheque or "").strip() if cheques else "",
            "reference": (first.payment_reference or "").strip(),
            "date": found.record.date.isoformat(),
            "amount": f"{found.record.amount:f}",
            "invoice": first.invoice.strip(),
        }
