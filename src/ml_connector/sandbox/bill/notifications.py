"""The bodies of webhook notifications, which name some things otherwise than the API does.

A bill comes without lines and with a date-time for its invoice date; a payment's `status` is what GET calls
`singleStatus`, and `billIds` come without the amounts.
"""

import base64
import hashlib
import hmac

from ml_connector.sandbox.bill.records import Books
from ml_connector.sandbox.bill.sessions import Sessions
from ml_connector.sandbox.http import encode
from ml_connector.sandbox.standin import Row

VERSION = "1"
CATALOG = (
    *(f"vendor.{what}" for what in ("created", "updated", "archived", "restored")),
    *(f"bill.{what}" for what in ("created", "updated", "archived", "restored")),
    "payment.updated",
    "payment.failed",
    "autopay.failed",
    *(f"bank-account.{what}" for what in ("created", "updated")),
    *(f"card-account.{what}" for what in ("created", "updated")),
    *(f"invoice.{what}" for what in ("created", "updated", "archived", "restored")),
    "risk-verification.updated",
    "spend.transaction.updated",
    *(f"spend.reimbursement.{what}" for what in ("created", "updated", "deleted")),
    "spend.three-ds-challenge.created",
)
BILL_FIELDS = (
    "id",
    "vendorId",
    "vendorName",
    "invoice",
    "amount",
    "dueDate",
    "description",
    "paymentStatus",
    "archived",
    "createdTime",
    "updatedTime",
    "createdBy",
    "payFromChartOfAccountId",
    "classifications",
    "purchaseOrderNumber",
)
PAYMENT_FIELDS = ("id", "transactionNumber", "processDate", "createdBy", "createdTime", "updatedTime")


def entity_of(event: str) -> str:
    """The key of the entity in the body: the event type's first part."""
    return event.partition(".")[0]


def signature(key: str, body: bytes, encoding: str = "utf8") -> str:
    """`x-bill-sha-signature`: base64 of HMAC-SHA256 over the raw body, the key taken as its text."""
    secret = base64.b64decode(key) if encoding == "base64" else key.encode()
    return base64.b64encode(hmac.digest(secret, body, hashlib.sha256)).decode()


class Notifications:
    """Turns a stored row into the body of a notification."""

    def __init__(self, books: Books, sessions: Sessions) -> None:
        self._books, self._sessions = books, sessions

    def body(self, event: str, row: Row, event_id: str, subscription: str) -> bytes:
        return self.envelope(event, self._entity(event, row), event_id, subscription)

    def envelope(self, event: str, entity: Row, event_id: str, subscription: str) -> bytes:
        metadata = {
            "eventId": event_id,
            "subscriptionId": subscription,
            "organizationId": self._sessions.organisation,
            "eventType": event,
            "version": VERSION,
        }
        return encode({"metadata": metadata, entity_of(event): entity})

    def _entity(self, event: str, row: Row) -> Row:
        match entity_of(event):
            case "bill":
                return self._bill(event, row)
            case "payment":
                return self._failed_payment(row) if event == "payment.failed" else self._payment(row)
        return row

    def _bill(self, event: str, row: Row) -> Row:
        known = dict(row)
        if event != "bill.created":
            known["vendorName"] = self._books.vendor_name(row["vendorId"])
        invoice = dict(row.get("invoice", {}))
        if "invoiceDate" in invoice:
            invoice["invoiceDate"] = f"{invoice['invoiceDate']}T00:00:00.000Z"
        known["invoice"] = invoice
        return {name: known[name] for name in BILL_FIELDS if name in known}

    def _payment(self, row: Row) -> Row:
        return {
            **{name: row[name] for name in PAYMENT_FIELDS if name in row},
            "billIds": [part["billId"] for part in row["billPayments"]],
            "status": row["singleStatus"],
            "funding": row.get("fundingAccount", {}),
            "disbursement": {"type": row.get("disbursementType")},
            "vendor": self._vendor(row),
            "billingType": "BDC",
        }

    def _failed_payment(self, row: Row) -> Row:
        return {
            "id": row["id"],
            "bills": [{"id": part["billId"], "amount": part["amount"]} for part in row["billPayments"]],
            "vendor": self._vendor(row),
            "fundingAccount": row.get("fundingAccount", {}),
            "transactionNumber": row.get("transactionNumber"),
            "errors": [{"code": row["singleStatus"], "message": "The payment failed."}],
        }

    def _vendor(self, row: Row) -> Row:
        return {"id": row["vendorId"], "name": self._books.vendor_name(row["vendorId"])}
