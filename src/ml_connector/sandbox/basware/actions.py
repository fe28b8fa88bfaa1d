"""What a person does in P2P, or another system at the API, as `POST state/actions`.

{"do": "retransfer", "invoiceId": "...", "changes": {"codingRows": [...]}}
{"do": "request_removal", "invoiceId": "...", "status": "WaitingToBeReturned", "reason": "Duplicate"}
{"do": "remove", "invoiceId": "..."}
{"do": "acknowledge", "invoiceId": "..."}
{"do": "answer_next", "entityType": "Vendor", "externalCode": "...", "severity": "Error",
 "category": "Technical", "message": "..."}
{"do": "redistribute", "type": "vendors", "externalCodes": ["..."]}
{"do": "notify", "documentId": "...", "taskSubType": "WaitingForTransfer", "signature": "none"}
"""

from collections.abc import Callable
from typing import Any, get_args

from ml_connector.sandbox.basware.documents import Documents
from ml_connector.sandbox.basware.kinds import KINDS, STATUS_ENTITIES
from ml_connector.sandbox.basware.lifecycle import ACKNOWLEDGED, AFTER_TRANSFER
from ml_connector.sandbox.basware.masters import Masters
from ml_connector.sandbox.basware.p2p import Category, Complaint, Severity
from ml_connector.sandbox.basware.processing import Processing
from ml_connector.sandbox.basware.subscriptions import TASK_SUB_TYPES, TASK_TYPES, Signing, Subscriptions
from ml_connector.sandbox.standin import BadInput, Row

FAILED = {
    "PrebookFailed": "WaitingForPrebook",
    "TransferFailed": "WaitingForTransfer",
    "EnrichmentTransferFailed": "WaitingForEnrichmentTransfer",
    "CompletionFailed": "WaitingToBeCompleted",
}
"""What becomes of an invoice that a person repaired and sends again."""
REMOVALS = {"WaitingToBeRemoved": "Removed", "WaitingToBeReturned": "Returned"}


class Actions:
    def __init__(
        self, processing: Processing, masters: Masters, documents: Documents, subscriptions: Subscriptions
    ) -> None:
        self._processing = processing
        self._masters = masters
        self._documents = documents
        self._subscriptions = subscriptions
        self.done: list[Row] = []
        self._known: dict[str, Callable[[Row], object]] = {
            "retransfer": self._retransfer,
            "request_removal": self._request_removal,
            "remove": self._remove,
            "acknowledge": self._acknowledge,
            "answer_next": self._answer_next,
            "redistribute": self._redistribute,
            "notify": self._notify,
        }

    def perform(self, action: Row) -> Row:
        """Raises BadInput when it cannot be done."""
        do = action.get("do")
        if do not in self._known:
            raise BadInput(f"actions: {do!r} is unknown; known: {', '.join(self._known)}")
        self._known[str(do)](action)
        self.done.append(action)
        return action

    def _retransfer(self, action: Row) -> None:
        """The same invoice waits again, repaired."""
        row = self._invoice(action)
        status = FAILED.get(row["processingStatus"])
        if status is None:
            raise BadInput(f"retransfer: the invoice is {row['processingStatus']}, not failed")
        changes = action.get("changes", {})
        if not isinstance(changes, dict) or "invoiceId" in changes or "processingStatus" in changes:
            raise BadInput("retransfer: changes must be an object without invoiceId and processingStatus")
        self._documents.edit({**changes, "invoiceId": row["invoiceId"], "processingStatus": status})

    def _request_removal(self, action: Row) -> None:
        row = self._invoice(action)
        status = _one_of(action, "status", tuple(REMOVALS), "WaitingToBeRemoved")
        if row["processingStatus"] not in AFTER_TRANSFER:
            raise BadInput(f"request_removal: the invoice is {row['processingStatus']}, not transferred")
        changes = {} if action.get("reason") is None else {"removalReason": action["reason"]}
        self._documents.edit({**changes, "invoiceId": row["invoiceId"], "processingStatus": status})

    def _remove(self, action: Row) -> None:
        row = self._invoice(action)
        status = REMOVALS.get(row["processingStatus"])
        if status is None:
            raise BadInput(f"remove: the invoice is {row['processingStatus']}, nobody asked for its removal")
        self._documents.move(row, status)

    def _acknowledge(self, action: Row) -> None:
        """Another consumer of the API takes the invoice."""
        row = self._invoice(action)
        status = ACKNOWLEDGED.get(row["processingStatus"])
        if status is None:
            raise BadInput(f"acknowledge: the invoice is {row['processingStatus']}, not waiting")
        self._documents.move(row, status)

    def _answer_next(self, action: Row) -> None:
        """What P2P says to the next version of a record that it processes."""
        entity = _one_of(action, "entityType", tuple(sorted(STATUS_ENTITIES)))
        severity = _one_of(action, "severity", get_args(Severity), "Error")
        category = _one_of(action, "category", get_args(Category), "DataValidation")
        message = str(action.get("message", "The record cannot be saved."))
        code = str(action.get("externalCode", ""))
        self._processing.forced[entity, code] = Complaint(message, severity, category)

    def _redistribute(self, action: Row) -> None:
        kind = KINDS[_one_of(action, "type", tuple(KINDS))]
        codes = action.get("externalCodes")
        if kind.keyed or not isinstance(codes, list):
            raise BadInput("redistribute: expected a type other than lists, and externalCodes")
        request_id = f"redistributed-{len(self.done) + 1}"
        self._masters.redistribute(kind, [str(code) for code in codes], request_id)

    def _notify(self, action: Row) -> None:
        """A notification about a document once more, well signed or not."""
        signing = _one_of(action, "signature", get_args(Signing), "good")
        task_type = _one_of(action, "taskType", TASK_TYPES, "AccountingDocuments")
        sub_type = _one_of(action, "taskSubType", TASK_SUB_TYPES, "WaitingForTransfer")
        self._subscriptions.notify_again(task_type, sub_type, str(action.get("documentId", "")), signing)

    def _invoice(self, action: Row) -> Row:
        row = self._documents.table.get(str(action.get("invoiceId", "")))
        if row is None:
            raise BadInput(f"{action['do']}: no invoice {action.get('invoiceId')}")
        return row


def _one_of(action: Row, name: str, known: tuple[str, ...], default: str | None = None) -> Any:
    value = action.get(name, default)
    if value not in known:
        raise BadInput(f"{action['do']}: {name} must be one of {', '.join(known)}")
    return value
