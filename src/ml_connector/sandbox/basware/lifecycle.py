"""The states of an invoice between P2P and accounting, and what moves it from one to the next.

    WaitingForTransfer --acknowledge--> TransferInProgress --transferResponses--> Transferred | TransferFailed
    TransferFailed --a person retransfers--> WaitingForTransfer, the same invoiceId
    Transferred --a person asks--> WaitingToBeRemoved --> Removed

Prebooking and enrichment run alike. Acknowledging is optional.
"""

from dataclasses import dataclass

ACKNOWLEDGED = {
    "WaitingForPrebook": "PrebookInProgress",
    "WaitingForTransfer": "TransferInProgress",
    "WaitingForPrebookCancelation": "PrebookCancelationInProgress",
    "WaitingToBeCompleted": "CompletionInProgress",
    "WaitingForEnrichmentTransfer": "EnrichmentTransferInProgress",
}
"""What acknowledging makes of a status; any other status refuses it."""

WAITING = (*ACKNOWLEDGED, "WaitingToBeRemoved", "WaitingToBeReturned")
"""The statuses that are announced to subscribers."""

ENRICHMENT = frozenset(
    {
        *("WaitingForEnrichmentTransfer", "EnrichmentTransferInProgress"),
        *("EnrichmentTransferred", "EnrichmentTransferFailed"),
    }
)
AFTER_TRANSFER = frozenset(
    {
        *("Transferred", "Paid", "Removed", "RemoveFailed", "Returned", "ReturnFailed"),
        *("WaitingToBeRemoved", "WaitingToBeReturned"),
    }
)
"""Statuses of an invoice that accounting has, or had."""

PAYABLE = frozenset({"Transferred", "Paid"})


@dataclass(frozen=True)
class ResponseKind:
    """One kind of answer that accounting gives."""

    path: str
    """The last part of the path; the document lists the answers under the same name."""
    entity: str
    status_entity: str
    waiting: str = ""
    in_progress: str = ""
    success: str = ""
    failure: str = ""
    refusal: int = 400
    """The status of an answer that is not allowed any more, as far as one is declared."""


TRANSFER = ResponseKind(
    "transferResponses",
    "TransferResponse",
    "TransferResponse",
    *("WaitingForTransfer", "TransferInProgress", "Transferred", "TransferFailed"),
)
PREBOOK = ResponseKind(
    "prebookResponses",
    "PrebookResponse",
    "PrebookResponse",
    *("WaitingForPrebook", "PrebookInProgress", "Prebooked", "PrebookFailed"),
    refusal=409,
)
ENRICHMENT_RESPONSE = ResponseKind(
    "enrichmentResponses",
    "EnrichmentResponse",
    "EnrichmentTransferResponse",
    *("WaitingForEnrichmentTransfer", "EnrichmentTransferInProgress"),
    *("EnrichmentTransferred", "EnrichmentTransferFailed"),
)
PAYMENT = ResponseKind("paymentResponses", "PaymentResponse", "PaymentResponse", refusal=409)

RESPONSES = (TRANSFER, PREBOOK, ENRICHMENT_RESPONSE, PAYMENT)
RESPONSES_KEPT = 100


def high_level(status: str) -> str:
    """The word that the status API has for a processing status."""
    if status == "Paid":
        return "Paid"
    if status in {"Removed", "Returned"}:
        return "Rejected"
    return "ReadyForPayment" if status == "Transferred" else "InApprovalProcess"
