"""The switches of the BILL stand-in: what BILL's documentation leaves open, and its published numbers."""

from dataclasses import dataclass, field
from typing import Literal

from ml_connector.sandbox.delivery import WebhookOptions


@dataclass
class BillOptions(WebhookOptions):
    """Defaults are the published number, or the case that is harder for a client."""

    credential_kind: Literal["user", "sync_token"] = "user"
    """Which of the two credentials the settings and secrets name; both can always log in."""
    session_idle_s: float = 2100
    token_idle_s: float = 172_800
    session_error_status: Literal[401, 403] = 401
    """401 `BDC_1109`, or 403 `BDC_1361` with a text about expiry."""
    login_lock_after: int = 0
    """Wrong passwords in a row after which a user is locked (`BDC_1110`); 0 is never."""

    rate_limit_status: int = 422
    concurrent_limit: int = 3
    requests_per_hour: int = 20_000
    logins_per_hour: int = 200

    list_default_max: int = 20
    list_includes_archived: bool = True
    page_tokens: Literal["offset", "snapshot"] = "offset"
    """Whether rows that change between two pages can shift the next page."""
    vendor_list_short: bool = True
    """List rows of vendors come without paymentInformation, additionalInfo and autoPay."""
    bills_filter_invoice_number: Literal["accept", "reject"] = "accept"
    coa_show_parent: bool = True

    bill_duplicate_default: Literal["allow", "reject"] = "allow"
    """What happens to a repeated invoice number when allowDuplicateInvoiceNumber is absent."""
    bill_duplicate_counts_archived: bool = False
    vendor_duplicate_name: Literal["allow", "reject"] = "allow"
    invoice_number_max: int = 21
    unknown_property: Literal["ignore", "reject"] = "ignore"
    reference_status: int = 422
    """Status of `BDC_1205` when a body names an unknown or archived vendor, account or the like."""
    denied_operations: list[str] = field(default_factory=list)
    """Operations that the user may not do (403 `BDC_1145`), as `GET /v3/bills/{id}`."""

    approval_minimum: float | None = None
    """A policy that asks for approval from this amount on, for bills sent with billApprovals."""
    bill_updated_on_payment: bool = True
    bill_get_has_payments: bool = False
    partly_paid: Literal["PARTIALLY_PAID", "PARTIAL"] = "PARTIALLY_PAID"

    subscription_limit: int = 10
    subscription_status: int = 400
    webhook_key_encoding: Literal["utf8", "base64"] = "utf8"
    webhook_disable_after_exhausted: bool = True
