"""Taking an approved invoice over, and answering what became of it.

`acknowledge` takes it out of the queue (TransferInProgress); a second one is answered 405. `transferResponses` ends it:
with success it is Transferred and keeps the voucher, without it is TransferFailed, and people mend it and send it again
under the same id. Each answer has a key of its own, made of the document, its cycle and what it says, so that one whose
receipt was lost is found among the document's answers instead of being given twice. Basware allows no answer after a
successful one, and none while an acknowledgement is under way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from ml_connector.systems.base import Accepted, Claim, Conflict, NoLonger, NotFound, Refused, Transient
from ml_connector.systems.basware.documents import (
    CLAIMED,
    FAILED,
    PAID,
    TRANSFERRED,
    WAITING,
    Response,
    cycle,
    responses,
)
from ml_connector.systems.basware.errors import NAME
from ml_connector.systems.basware.keys import response_code
from ml_connector.systems.basware.reading import DOCUMENTS, document
from ml_connector.systems.basware.rows import text, written_day
from ml_connector.systems.basware.session import P2P, Json
from ml_connector.systems.basware.statuses import Handle, Statuses

ENTITY = "TransferResponse"
MESSAGE_MAX = 250
VOUCHER_MAX = 25
ANSWERS = "transferResponses"


@dataclass(frozen=True, slots=True)
class Taken:
    """An acknowledgement, and the request that it was made by."""

    claim: Claim
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a document stands in its transfer."""

    status: str
    cycle: int
    answers: tuple[Response, ...]

    @property
    def transferred(self) -> bool:
        return self.status in {TRANSFERRED, PAID} or any(answer.success for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the ERP made of an invoice."""

    success: bool
    message: str
    """What people in P2P read; shortened to 250 characters."""
    voucher: str = ""
    """The posting's number, at most 25 characters; kept by P2P on success only."""
    second_voucher: str = ""
    on: date | None = None
    payment_block: bool = False

    def code(self, invoice: str, in_cycle: int) -> str:
        """The key of this answer: of the same answer in the same cycle always the same."""
        said = ("success", self.voucher, self.second_voucher) if self.success else ("failure", self.message)
        return response_code(invoice, str(in_cycle), *said)


class Transfers:
    """The handshake over approved invoices. Every call belongs to a job of the Basware Connection."""

    def __init__(self, p2p: P2P, statuses: Statuses) -> None:
        self.p2p = p2p
        self.statuses = statuses

    def standing(self, invoice: str) -> Standing:
        """Where a document stands now; settles a claim or an answer whose receipt was lost. Raises NotFound."""
        row = document(self.p2p, invoice)
        if row is None:
            raise NotFound(f"{NAME} has no invoice {invoice} any more.")
        return Standing(text(row, "processingStatus"), cycle(row), tuple(responses(row, ANSWERS)))

    def claim(self, invoice: str) -> Taken:
        """Acknowledges a document, to be called once its content is safely stored.

        Raises OutcomeUnknown for a lost receipt (`claimed` settles it), NotFound, and Conflict for a document that is
        neither waiting nor taken over: it was withdrawn.
        """
        about = f"the acknowledgement of invoice {invoice}"
        try:
            written = self.p2p.write("POST", f"{_address(invoice)}/acknowledge", about=about)
        except NoLonger:
            return Taken(self.claimed(invoice) or self._undecided(invoice))
        return Taken(Claim.OURS, written.request_id)

    def claimed(self, invoice: str) -> Claim | None:
        """Whether a document was taken over, without saying by whom; None while it still waits."""
        standing = self.standing(invoice)
        if standing.status == WAITING:
            return None
        if standing.status == CLAIMED:
            return Claim.BEFORE
        if standing.status in {TRANSFERRED, FAILED, PAID}:
            return Claim.ANSWERED
        raise Conflict(f"Invoice {invoice} is in status {standing.status} in {NAME} and can no longer be transferred.")

    def answer(self, invoice: str, outcome: Outcome, in_cycle: int) -> Accepted | None:
        """Answers a document. None where this very answer is there already, from a call whose receipt was lost.

        To be called only once what the ERP did is certain. Raises NoLonger where a successful answer says something
        else, Conflict where the document is not taken over, Refused for what Basware would not take.
        """
        code = outcome.code(invoice, in_cycle)
        standing = self.standing(invoice)
        if any(answer.external_code == code for answer in standing.answers):
            return None
        self._check(invoice, standing)
        body = to_response(outcome, code, self.p2p.options.source_system, self.p2p.options.date_style)
        about = f"the answer to invoice {invoice}"
        written = self.p2p.write("POST", f"{_address(invoice)}/{ANSWERS}", body, about=about)
        return Handle((written.request_id,), code).accepted()

    def answered(self, invoice: str, outcome: Outcome, in_cycle: int) -> bool:
        """Whether this answer is among those that Basware holds; settles one whose receipt was lost."""
        code = outcome.code(invoice, in_cycle)
        return any(answer.external_code == code for answer in self.standing(invoice).answers)

    def outcome(self, handle: str, invoice: str, *, success: bool) -> bool:
        """Whether P2P has taken an answer. False while that is not decided. Raises Refused where it did not."""
        asked = Handle.read(handle)
        (request_id,) = asked.requests
        if self.statuses.decided(request_id, ENTITY, [asked.key], f"the answer to invoice {invoice}"):
            return True
        return self.standing(invoice).status == (TRANSFERRED if success else FAILED)

    def _check(self, invoice: str, standing: Standing) -> None:
        if standing.transferred:
            vouchers = ", ".join(answer.voucher for answer in standing.answers if answer.success and answer.voucher)
            raise NoLonger(
                "answered_before",
                f"Invoice {invoice} was answered as transferred before{f' with voucher {vouchers}' if vouchers else ''}"
                f"; {NAME} takes no other answer. See that the ERP holds it once.",
            )
        if standing.status == WAITING:
            raise Conflict(f"Invoice {invoice} waits for transfer in {NAME}; it is acknowledged before it is answered.")
        if standing.status not in {CLAIMED, FAILED}:
            raise Conflict(f"Invoice {invoice} is in status {standing.status} in {NAME} and takes no answer.")

    def _undecided(self, invoice: str) -> Claim:
        raise Transient(
            f"{NAME} refuses to acknowledge invoice {invoice} again, and shows it as waiting. It is tried again."
        )


def to_response(outcome: Outcome, code: str, source_system: str, date_style: str) -> Json:
    """The body of an answer. Raises Refused for a voucher that is too long; the message is shortened."""
    body: Json = {
        "externalCode": code,
        "success": outcome.success,
        "responseMessage": shortened(outcome.message) or ("Transferred." if outcome.success else "Not transferred."),
        "paymentBlock": outcome.payment_block,
        "sourceSystem": source_system,
    }
    vouchers: Mapping[str, str] = {"voucherNumber1": outcome.voucher, "voucherNumber2": outcome.second_voucher}
    for name, value in vouchers.items():
        if len(value) > VOUCHER_MAX:
            raise Refused(
                "field_too_long", f"Voucher {value} has {len(value)} characters, {NAME} takes {VOUCHER_MAX}.", "voucher"
            )
        if value and outcome.success:
            body[name] = value
    if outcome.on is not None:
        body["transferDate"] = written_day(outcome.on, date_style)
    return body


def shortened(message: str) -> str:
    """A message as long as Basware takes it; what is cut ends in three dots."""
    plain = " ".join(message.split())
    return plain if len(plain) <= MESSAGE_MAX else plain[: MESSAGE_MAX - 3] + "..."


def _address(invoice: str) -> str:
    return f"{DOCUMENTS}/{quote(invoice, safe='')}"
