"""How far a document has come in a platform where people approve it."""

from __future__ import annotations

from enum import StrEnum

from ml_connector.domain.canonical import Record


class ApprovalState(StrEnum):
    RECEIVED = "received"
    IN_APPROVAL = "in_approval"
    ON_HOLD = "on_hold"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAID = "paid"
    VOIDED = "voided"
    UNKNOWN = "unknown"


class InvoiceApproval(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What an approving platform says of one invoice; its content is not looked at."""

    invoice: str
    """The invoice's key there, which is that of its Link."""
    number: str
    supplier: str
    state: ApprovalState
    state_text: str | None = None
    """The platform's own word."""
