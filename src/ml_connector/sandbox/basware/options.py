"""The switches of the Basware stand-in: what the vendor's documents leave open, and its published numbers.

The default of what is not known is the reading that is easier for a client.
"""

from dataclasses import dataclass, field
from typing import Literal

from ml_connector.sandbox.basware.errors import BareStyle
from ml_connector.sandbox.delivery import WebhookOptions

Outcome = Literal["accept", "refuse"]


@dataclass
class BaswareOptions(WebhookOptions):
    region: Literal["EU", "US", "AU", "CA"] = "EU"
    """Whose credentials it knows; those of another region get 401. Read at the start."""
    credential_kind: Literal["oauth2", "basic"] = "oauth2"
    """Which of the two credentials the settings and secrets name; both are always taken."""

    token_seconds: int = 3600
    jwt: bool = True
    """Whether a token is a JWT, or says nothing to a client."""
    expires_in: Literal["seconds", "minutes"] = "seconds"
    """Whether the token's answer gives its life in seconds, as the example does, or in minutes, as the text says."""
    issuer: str = ""
    """The token's `iss`; empty for the address of the stand-in."""
    scopes: list[str] = field(default_factory=list)
    """The scopes that the client owns; empty for all."""
    unowned_scope: Literal["drop", "refuse"] = "drop"
    missing_scope_status: Literal[401, 403] = 403
    bare_errors: BareStyle = "message"
    """What stands in a refusal for which no body is declared: `{"message"}`, nothing, or plain text."""
    parallel_limit: int = 0
    """Requests at once of one credential before 429; 0 is no limit."""
    request_id: Literal["ignore", "check", "require"] = "check"
    """`X-BW-REQUEST-ID`: never looked at, a UUID v4 where it is sent, or needed with every call."""
    content_type: Literal["ignore", "require"] = "require"
    """Whether a POST or PATCH without `application/json` is refused."""
    unknown_fields: Literal["reject", "ignore"] = "reject"

    bare_lists: list[str] = field(default_factory=lambda: ["vendors", "matchingOrderLines"])
    """Lists that come as a bare array instead of in an object."""
    null_fields: Literal["omit", "show"] = "omit"
    dates: Literal["plain", "time", "utc"] = "time"
    """A date without a time is answered as 2026-11-10, with T00:00:00, or with T00:00:00Z."""
    page_tokens: Literal["key", "offset"] = "key"
    """Whether a continuation token goes on after the last row, or at a position that changing rows shift."""
    token_life: int = 0
    """Seconds for which a continuation token holds; 0 is for ever."""
    last_updated: Literal["after", "from"] = "after"
    """Whether the filter leaves out rows of that very instant."""
    redirect: bool = True
    """GET of accountingDocuments is answered 302 to a file, as the vendor says it may be."""
    continuation_on: Literal["both", "redirect", "file"] = "both"
    """Which of the two answers of a redirected list carries the continuation token."""
    rows_in_page: int = 1000
    """Coding rows after which a page of invoices ends early."""

    batch: Literal["whole", "each"] = "whole"
    """What a wrong record does to its request: all are refused, or only it is and the others are taken."""
    names_wrong_records: bool = True
    processing_seconds: float = 1
    """From the answer of a write to its outcome in P2P."""
    error_seconds: float = 0
    """How long P2P tries a record that fails before it says so."""
    status_seconds: float = 0
    """How long after a write its request status is not to be found."""
    expires_within: float = 1
    """Two versions of a record posted within these seconds: the older ends as RecordExpired."""
    unchanged_after_error: Literal["process", "skip"] = "process"
    """A record that failed and is posted again as it was: tried again, or NotProcessed."""
    failed_line_fails_request: bool = False
    """Whether the order lines of a request are saved together or not at all."""
    header_needs_vendor: bool = False
    """Whether an order header fails already when its vendor is not there; its lines always do."""
    checks_line_coding: bool = True
    """Whether an order line fails when its account or cost center is not there."""
    identifier_schemes: list[str] = field(default_factory=lambda: ["VAT", "EIN", "ORGNR"])
    """The vendor identifiers' `schemeId` values that are set up in P2P; another one is a warning."""
    vendor_edits: Literal["shown", "hidden"] = "shown"
    """Whether GET vendors shows what people change in P2P, or only what was posted."""

    documents: int = 60
    """How many approved invoices wait in the seeded company. Read at the start."""
    acknowledge_again_status: Literal[405, 400] = 405
    transfer_again_status: Literal[400, 405, 409] = 400
    """A transfer response for an invoice that is transferred already."""
    response_without_acknowledge: Outcome = "accept"
    payment_before_transfer: Outcome = "accept"
    attachments: bool = False
    invoice_status: bool = False
    """Both are off at the vendor until a customer asks for them: 404 until then."""

    connection_test: bool = True
    connection_test_signed: bool = True
    webhook_header: str = "x-bwapi-signature-256"
    webhook_encoding: Literal["prefixed", "hex", "base64"] = "prefixed"
    """`sha256=` and hexadecimal digits, the digits alone, or base64."""
    webhook_task_type_misspelt: bool = False
    """`AccoutingDocuments`, as the vendor's example spells it."""
    subscription_again: Literal["replace", "add"] = "replace"
    """What a second subscription of the same task type and sub-type does to the first."""
