"""Payment -> paymentResponse of an invoice that was transferred.

`paidTotal` is what was paid so far, not this payment's amount: it is counted up from the answers that the document
holds and P2P took. Fields that are left out are cleared, so each answer says everything that the document says. A
payment that was taken back is an answer with a lower total. Answers are never amended; each has a key of its own, made
of the document and the payment's mark, so that one whose receipt was lost is found. One that P2P did not take keeps its
key, and the next about the same payment has another.
"""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote

from ml_connector.domain.money import rounded
from ml_connector.domain.records import Payment, PaymentAllocation, PaymentStatus
from ml_connector.systems.base import Accepted, DocumentState, Found, NotFound, Ref, Refused
from ml_connector.systems.basware.documents import NO_DATE, responses
from ml_connector.systems.basware.errors import NAME
from ml_connector.systems.basware.keys import response_code
from ml_connector.systems.basware.reading import DOCUMENTS, document
from ml_connector.systems.basware.rows import ZERO, day, flag, members, number, plain, text, words, written_day
from ml_connector.systems.basware.session import P2P, Json
from ml_connector.systems.basware.settings import Options
from ml_connector.systems.basware.statuses import Handle, Statuses

ENTITY = "PaymentResponse"
ANSWERS = "paymentResponses"
CHECK_MAX, NUMBER_MAX = 25, 250
KEPT = ("paymentTermCode", "paymentMethod", "paymentMessage")
"""Fields of a document that an answer overwrites."""

TAKEN_BACK = frozenset({PaymentStatus.VOIDED, PaymentStatus.FAILED})


def to_response(payment: Payment, paid: Decimal, code: str, row: Json, options: Options) -> Json:
    """The answer to a document (`row`) after which `paid` is paid in all. Raises Refused for what is too long.

    What the document has and a payment does not say goes back as it is, since it would be cleared otherwise.
    """
    reference = payment.reference or ""
    if len(reference) > NUMBER_MAX:
        raise Refused("field_too_long", f"Reference {reference[:40]}... is longer than {NUMBER_MAX}.", "reference")
    back = payment.status in TAKEN_BACK
    said = "taken back" if back else "paid"
    body: Json = {
        "externalCode": code,
        "success": True,
        "paymentBlock": flag(row, "paymentBlock") is True,
        "responseMessage": f"{payment.amount} {payment.currency} {said}.",
        "sourceSystem": options.source_system,
        "paymentDate": written_day(payment.date, options.date_style),
        "paidTotal": plain(paid),
    }
    for name in KEPT:
        if value := words(row, name):
            body[name] = value
    discount = sum((part.discount for part in payment.allocations), ZERO)
    if discount and not back:
        body["cashDiscount"] = plain(discount)
    if reference:
        body["paymentNumber"] = reference
        if payment.method == "check" and len(reference) <= CHECK_MAX:
            body["checkNumber"] = reference
        if back:
            body["paymentReversalDocument"] = reference
    return body


class PaymentResponses:
    """Target of Payment; decided later. One payment of one invoice at a time."""

    def __init__(self, p2p: P2P, statuses: Statuses) -> None:
        self.p2p = p2p
        self.statuses = statuses

    def find(self, record: Payment, mark: str) -> list[Found[Payment]]:
        """The answer of this payment, by its key, which is made of the mark."""
        invoice, code = self._keys(record, mark)
        row = self._document(invoice)
        there, given = self._key(row, code)
        if not given:
            return []
        return [
            self._found(row, one, record, mark, code)
            for one in members(row, ANSWERS)
            if words(one, "externalCode") == there
        ]

    def get(self, key: str) -> Found[Payment] | None:
        """By the document's id and the answer's key, with a slash between."""
        invoice, _, code = key.partition("/")
        row = document(self.p2p, invoice)
        if row is None:
            return None
        answer = next((one for one in members(row, ANSWERS) if words(one, "externalCode") == code), None)
        return None if answer is None else self._found(row, answer)

    def create(self, record: Payment, mark: str) -> Accepted:
        invoice, code = self._keys(record, mark)
        if record.status in TAKEN_BACK:
            raise Refused("void_after_payment", f"{_about(record)} was taken back before {NAME} knew of it.", "status")
        row = self._document(invoice)
        paid, gross = self._paid(row), abs(number(row, "grossSum") or ZERO)
        if paid + self._allocation(record).net > gross:
            raise Refused(
                "over_application",
                f"{NAME} knows of {paid} {record.currency} paid of invoice {words(row, 'invoiceNumber') or invoice},"
                f" which is over {plain(gross)}; with {_about(record)} it would be more. Compare both sides.",
                "amount",
            )
        key, _ = self._key(row, code)
        return self._sent(row, record, paid + self._allocation(record).net, key)

    def update(self, ref: Ref, record: Payment, mark: str) -> Ref | Accepted:
        """A payment that was taken back lowers the total. Anything else of a payment cannot be changed."""
        invoice, _ = self._keys(record, mark)
        if record.status not in TAKEN_BACK:
            raise Refused("unsupported", f"{NAME} cannot change {_about(record)}. Correct it in P2P by hand.", "status")
        row = self._document(invoice)
        key, given = self._key(row, _code_back(invoice, mark))
        if given:
            return ref
        left = self._paid(row) - self._allocation(record).net
        if left < 0:
            raise Refused(
                "over_application", f"{NAME} knows of less paid than {_about(record)} takes back. Compare both sides."
            )
        return self._sent(row, record, left, key)

    def cancel(self, ref: Ref, reason: str) -> Accepted | None:
        raise Refused(
            "unsupported", f"An answer to an invoice in {NAME} is never taken back, only followed by another."
        )

    def outcome(self, handle: str, record: Payment, mark: str) -> Ref | None:
        asked = Handle.read(handle)
        (request_id,) = asked.requests
        invoice, code = self._keys(record, mark)
        return (
            Ref(f"{invoice}/{code}") if self.statuses.decided(request_id, ENTITY, [asked.key], _about(record)) else None
        )

    def identity_differences(self, sent: Payment, found: Payment) -> list[str]:
        pairs = {
            "allocations": ([part.invoice for part in sent.allocations], [part.invoice for part in found.allocations]),
            "date": (sent.date, found.date),
        }
        return [name for name, (ours, theirs) in pairs.items() if ours != theirs]

    def differences(self, sent: Payment, found: Payment) -> list[str]:
        back = (sent.status in TAKEN_BACK) != (found.status in TAKEN_BACK)
        return [*self.identity_differences(sent, found), *(["status"] if back else [])]

    def _sent(self, row: Json, record: Payment, paid: Decimal, code: str) -> Accepted:
        signed = -paid if (number(row, "grossSum") or ZERO) < 0 else paid
        body = to_response(record, signed, code, row, self.p2p.options)
        path = f"{DOCUMENTS}/{quote(text(row, 'invoiceId'), safe='')}/{ANSWERS}"
        return Handle((self.p2p.write("POST", path, body, about=_about(record)).request_id,), code).accepted()

    def _keys(self, record: Payment, mark: str) -> tuple[str, str]:
        invoice = self._allocation(record).invoice
        return invoice, response_code(invoice, mark)

    def _allocation(self, record: Payment) -> PaymentAllocation:
        if len(record.allocations) != 1:
            raise Refused(
                "unsupported",
                f"{_about(record)} pays several invoices; {NAME} is told of one at a time.",
                "allocations",
            )
        return record.allocations[0]

    def _document(self, invoice: str) -> Json:
        row = document(self.p2p, invoice)
        if row is None:
            raise NotFound(f"{NAME} has no invoice {invoice} any more.")
        return row

    def _key(self, row: Json, code: str) -> tuple[str, bool]:
        """The key of an answer, and whether the document has it and P2P did not refuse it. `code`: its first."""
        there = {answer.external_code for answer in responses(row, ANSWERS)}
        key, tries = code, 1
        while key in there:
            if not self._refused(key):
                return key, True
            tries += 1
            key = response_code(text(row, "invoiceId"), code, str(tries))
        return key, False

    def _refused(self, code: str) -> bool:
        return bool(self.statuses.failed(ENTITY, [code]))

    def _paid(self, row: Json) -> Decimal:
        """What was paid by the last successful answer that P2P took. Above zero for a credit note as well."""
        told = [answer for answer in responses(row, ANSWERS) if answer.success and answer.paid_total is not None]
        last = next((answer for answer in reversed(told) if not self._refused(answer.external_code)), None)
        total = abs(last.paid_total or ZERO) if last is not None else ZERO
        return rounded(total, text(row, "currencyCode").upper())

    def _found(
        self, row: Json, answer: Json, sent: Payment | None = None, mark: str | None = None, first: str = ""
    ) -> Found[Payment]:
        invoice, code = text(row, "invoiceId"), first or text(answer, "externalCode")
        paid = number(answer, "paidTotal") or ZERO
        _, back = self._key(row, _back(invoice, code))
        amount = sent.amount if sent is not None else paid
        record = Payment(
            supplier=sent.supplier if sent is not None else text(row, "supplierCode"),
            date=day(answer, "paymentDate") or NO_DATE,
            amount=amount,
            currency=text(row, "currencyCode"),
            method=sent.method if sent is not None else "other",
            reference=words(answer, "paymentNumber"),
            status=PaymentStatus.VOIDED if back else PaymentStatus.ISSUED,
            allocations=(PaymentAllocation(invoice=invoice, gross=amount, net=amount),),
        )
        state = DocumentState.PAID if flag(answer, "success") else DocumentState.OPEN
        return Found(f"{invoice}/{code}", record, mark, state)


def _back(invoice: str, code: str) -> str:
    """The key of the answer that takes back the one with this key."""
    return response_code(invoice, code, "back")


def _code_back(invoice: str, mark: str) -> str:
    return _back(invoice, response_code(invoice, mark))


def _about(record: Payment) -> str:
    return f"the payment of {record.amount} {record.currency} on {record.date}"
