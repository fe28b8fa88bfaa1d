"""The Source of approved invoices: what waits for transfer in Basware.

The list is a queue: an acknowledged document leaves it, and one whose transfer failed comes back under the same id. So
every poll reads all that waits, and the stamp of the last change is no cursor. What people want removed or returned
after it was handed over is read beside it, and counts as taken back.
"""

from __future__ import annotations

from collections.abc import Iterator

from ml_connector.domain.records import Invoice
from ml_connector.systems.base import Cursor, Item, Page
from ml_connector.systems.basware.documents import WAITING, WITHDRAWN, approved, from_document
from ml_connector.systems.basware.reading import one, pages, rows
from ml_connector.systems.basware.rows import text, words
from ml_connector.systems.basware.session import P2P, Json

PATH = "/v1/accountingDocuments"
KEY = "accountingDocuments"
MOST = 100

NOT_OURS = frozenset({
    "New", "WaitingForPrebook", "PrebookInProgress", "PrebookFailed", "WaitingForEnrichmentTransfer",
    "EnrichmentTransferInProgress", "EnrichmentTransferred", "EnrichmentTransferFailed", "InDocumentFilter",
    "DocumentFilterReleased",
})  # fmt: skip
"""Statuses of documents that were never up for transfer."""


class ApprovedInvoices:
    """Source of Invoice."""

    def __init__(self, p2p: P2P, company: str = "") -> None:
        """`company`: a company code, where only its documents are wanted."""
        self.p2p = p2p
        self.company = company

    def changes(self, since: Cursor | None) -> Iterator[Page[Invoice]]:
        """Everything that waits for transfer now, whatever the cursor, and what is to be taken back."""
        for status in (WAITING, *self.p2p.options.withdrawn_statuses):
            for found in pages(self.p2p, PATH, KEY, self._asked(status), most=MOST, about=f"invoices ({status})"):
                yield Page([self._item(row) for row in found.rows if approved(row)], None, found.digest)

    def keys(self) -> Iterator[str]:
        """Every document there is that was ever up for transfer. Reads all of them."""
        for row in rows(self.p2p, PATH, KEY, self._asked(""), most=MOST, about="all invoices"):
            status = words(row, "processingStatus")
            if approved(row) and status not in NOT_OURS and status not in WITHDRAWN:
                yield text(row, "invoiceId")

    def get(self, key: str) -> Item[Invoice] | None:
        row = document(self.p2p, key)
        return None if row is None or not approved(row) else self._item(row)

    def _asked(self, status: str) -> dict[str, str]:
        asked = {"ProcessingStatus": status, "companyCode": self.company}
        return {name: value for name, value in asked.items() if value}

    def _item(self, row: Json) -> Item[Invoice]:
        return from_document(row, self.p2p.options)


def document(p2p: P2P, key: str) -> Json | None:
    """The document with an id as it is now, or None."""
    return one(p2p, PATH, key, about=f"invoice {key}", key=KEY)
