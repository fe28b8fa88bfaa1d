"""What differs from site to site, or that nobody knows of the Service Layer: switches of the stand-in."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from ml_connector.sandbox.standin import Options


@dataclass
class SapB1Options(Options):
    # Read once, at the start.
    invoices: int = 2000
    """How many supplier invoices the seeded company has."""
    segmented_accounts: bool = False
    """Whether accounts have a system code (`_SYS...`) as key and their number in FormatCode only."""

    # Sessions
    session_minutes: int = 30
    """An idle session is dead after these minutes."""
    expiry_code: Literal[301, -5002] = 301
    """What a dead session is answered with, always with HTTP 401."""
    lock_after: int = 5
    """Wrong passwords in a row that lock a user; 0 never locks."""
    locked_code: int = 100000055
    """What a locked user is answered with, always with HTTP 401; seen in client code only."""
    licence_code: int = -1
    """What a login beyond the licences is answered with, with HTTP 401; not known publicly."""
    licences: int = 0
    """Sessions that may live at once, by all users together; 0 sets no limit."""
    parallel_logins: int = 4
    """More logins at once than these are answered HTTP 500, code 299."""
    parallel_sessions: int = 0
    """More requests in one session at once than these are answered by the gateway's 503; 0 lets them queue."""
    no_rights: list[str] = field(default_factory=list)
    """Sets that the integration user may not use: `VendorPayments`, or `VendorPayments write`."""
    no_rights_status: Literal[401, 403] = 401

    # Reads
    page_size: int = 20
    """The server's own page size."""
    next_link: Literal["relative", "absolute"] = "relative"
    """`PurchaseInvoices?$skip=20`, or `/b1s/v1/PurchaseInvoices?$skip=20` as in older releases."""
    count_as_text: bool = False
    """Whether v2's `@odata.count` is a string."""
    minute_times: bool = False
    """Whether filters ignore the seconds of a time, and answers leave them out."""
    case_insensitive: bool = False
    """A SQL Server company; HANA compares text by its case unless the request says otherwise."""
    old_release: bool = False
    """Without the properties that v1's description of 2019 lacks, such as PaidToDate."""
    hide: dict[str, list[str]] = field(default_factory=dict)
    """By type (`Document`, `DocumentLine`): properties that this company does not have."""
    service_not_found_status: Literal[400, 404] = 400

    # Stamps
    time_zone: str = "America/Chicago"
    """Where the server's clock stands: UpdateDate and UpdateTime are its local time."""
    payment_stamps_invoice: bool = False
    """Whether a payment moves the invoice's UpdateDate and UpdateTime."""
    fresh_partner_stamp: bool = False
    """Whether a new business partner has an UpdateDate before its first change."""

    # Postings
    approval_above: Decimal | None = None
    """Invoices and payments of more than this, in local currency, end as drafts that wait for approval."""
    approval_answer: Literal["refused", "created"] = "refused"
    """What the interception is answered with: 400 and code -2028, or 201 and the draft."""
    branches: bool = False
    max_days_for_cancel: int = 0
    """0 sets no limit."""
    unique_vendor_number: bool = False
    """Whether NumAtCard must be new for its supplier."""
    max_documents_in_payment: int = 200
    closed_period_code: Literal[-10, -5002] = -10
    over_applied_code: Literal[-10, -5002] = -5002
    """What a row of a payment over more than is due is answered with."""
    cancellation_row_cancelled: bool = False
    """Whether the second row of a cancellation shows Cancelled tYES as well."""
