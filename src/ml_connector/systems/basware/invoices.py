"""The Source of approved invoices: what waits for transfer in Basware.

The list is a queue: an acknowledged document leaves it, and one whose transfer failed comes back under the same id. So
every poll reads all that waits, and the stamp of the last change is no cursor. What people want removed or returned
after it was handed over is read beside it, and counts as taken back. Documents are claimed and answered one by one.
"""

from __future__ import annotations

from collections.abc import Iterator

from ml_connector.domain.records import Invoice
from ml_connector.systems.base import Accepted, Answer, Claim, Cursor, Item, Page
from ml_connector.systems.basware.documents import CLAIMED, WAITING, WITHDRAWN, approved, from_document
from ml_connector.systems.basware.handshake import Outcome, Transfers
from ml_connector.systems.basware.reading import DOCUMENTS, DOCUMENTS_KEY, document, pages, rows
from ml_connector.systems.basware.rows import text, words
from ml_connector.systems.basware.session import P2P, Json

MOST = 100

NOT_OURS = frozenset({
    "New", "WaitingForPrebook", "PrebookInProgress", "PrebookFailed", "WaitingForEnrichmentTransfer",
    "EnrichmentTransferInProgress", "EnrichmentTransferred", "EnrichmentTransferFailed", "InDocumentFilter",
    "DocumentFilterReleased",
})  # fmt: skip
"""Statuses of documents that were never up for transfer."""


class ApprovedInvoices:
    """Source of Invoice, which hands them over."""

    def __init__(self, p2p: P2P, transfers: Transfers, company: str = "") -> None:
        """`company`: a company code, where only its documents are wanted. Those of others are left alone (R51)."""
        self.p2p = p2p
        self.transfers = transfers
        self.company = company

    def changes(self, since: Cursor | None) -> Iterator[Page[Invoice]]:
        """Everything that waits for transfer now, whatever the cursor, and what is to be taken back."""
        for status in (WAITING, *self.p2p.options.withdrawn_statuses):
            yield from self._in(status)

    def sweep(self) -> Iterator[Page[Invoice]]:
        """Besides, what is claimed and not answered: by us, or by somebody else."""
        for status in (WAITING, CLAIMED, *self.p2p.options.withdrawn_statuses):
            yield from self._in(status)

    def keys(self) -> Iterator[str]:
        """Every document there is that was ever up for transfer. Reads all of them."""
        for row in rows(self.p2p, DOCUMENTS, DOCUMENTS_KEY, self._asked(""), most=MOST, about="all invoices"):
            status = words(row, "processingStatus")
            if approved(row) and status not in NOT_OURS and status not in WITHDRAWN:
                yield text(row, "invoiceId")

    def get(self, key: str) -> Item[Invoice] | None:
        row = document(self.p2p, key)
        if row is None or not approved(row) or (self.company and words(row, "companyCode") != self.company):
            return None
        return self._item(row)

    # --- handing over

    def claim(self, key: str) -> Claim:
        return self.transfers.claim(key).claim

    def claimed(self, key: str) -> Claim | None:
        return self.transfers.claimed(key)

    def answer_code(self, key: str, cycle: int, answer: Answer) -> str:
        return _outcome(answer).code(key, cycle)

    def answer(self, key: str, cycle: int, answer: Answer) -> Accepted | None:
        return self.transfers.answer(key, _outcome(answer), cycle)

    def answered(self, key: str, cycle: int, answer: Answer) -> bool:
        return self.transfers.answered(key, _outcome(answer), cycle)

    def answer_taken(self, key: str, handle: str, answer: Answer) -> bool:
        return self.transfers.outcome(handle, key, success=answer.success)

    # --- reading

    def _in(self, status: str) -> Iterator[Page[Invoice]]:
        asked, about = self._asked(status), f"invoices ({status})"
        for found in pages(self.p2p, DOCUMENTS, DOCUMENTS_KEY, asked, most=MOST, about=about):
            yield Page([self._item(row) for row in found.rows if approved(row)], None, found.digest)

    def _asked(self, status: str) -> dict[str, str]:
        asked = {"ProcessingStatus": status, "companyCode": self.company}
        return {name: value for name, value in asked.items() if value}

    def _item(self, row: Json) -> Item[Invoice]:
        return from_document(row, self.p2p.options)


def _outcome(answer: Answer) -> Outcome:
    """P2P has room for two voucher numbers."""
    first, second, *_ = (*answer.vouchers, "", "")
    return Outcome(answer.success, answer.text, first, second, answer.on)
