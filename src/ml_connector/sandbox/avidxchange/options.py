"""The switches of the AvidXchange stand-in: what nobody outside AvidXchange knows, and what gateways do differently."""

from dataclasses import dataclass, field
from typing import Literal

from ml_connector.sandbox.standin import Options

Profile = Literal["oauth2_client_credentials", "company_user_tokens", "gateway_key_user_password"]
FaultShape = Literal["wrapped", "xml", "flat", "cloud"]
RetryAfter = Literal["date", "seconds", "none"]


@dataclass
class AvidXchangeOptions(Options):
    contract: str = "default"
    """Whose names it speaks: a file of contracts/. Read at the start."""
    captured: int = 0
    """Invoices that AvidXchange captured itself, approved and in closed batches. Read at the start."""

    auth_profile: Profile = "oauth2_client_credentials"
    """Which credentials it takes; those of the others are refused. Read at the start."""
    jwt: bool = False
    """False: asked again, the same token with the seconds that are left. True: a new one, and the last is revoked."""
    token_seconds: int = 3600
    client_auth: Literal["either", "basic", "body"] = "either"
    scopes: list[str] = field(default_factory=list)
    """Scopes that a client may name with the token; empty for any."""
    subscribed: bool = True
    """Whether the application is subscribed to the interface; without it all calls get 900908."""
    denied: list[str] = field(default_factory=list)
    """Operations of the contract, such as invoices.write, for which the token has no scope: 900910."""

    fault_shape: FaultShape = "flat"
    """The gateway's form of a fault: in an object, as XML whatever is accepted, flat, or the cloud gateway's."""
    no_resource_status: Literal[403, 404] = 403
    """With 900906, a path that the interface does not have."""
    retry_after: RetryAfter = "date"
    next_access: bool = True
    """Whether a refusal for a limit says in its body when it ends."""
    burst_per_second: int = 0
    hard_limit_per_second: int = 0
    """Above it 503 with 900801."""
    application_per_minute: int = 0
    subscription_per_minute: int = 0
    resource_per_minute: int = 0
    """Throttling tiers, by the stand-in's clock; 0 is no limit."""

    unknown_fields: Literal["reject", "ignore"] = "reject"
    unknown_parameters: Literal["reject", "ignore"] = "reject"
    filter_needed: list[str] = field(default_factory=lambda: ["invoices.list", "payments.list"])
    """Lists that are refused without a filter."""
    window_days: int = 30
    """The most days that a filter by dates may span; 0 is no limit."""
    largest_page: int = 500
    paging: Literal["always", "when_needed"] = "always"
    """Whether a list that fits one page has a paging object at all."""
    page_count: Literal["count", "other_count"] = "count"
    """By which of two names the number of pages is given."""
    links: Literal["path", "root", "none"] = "path"
    """Links from the host, from below the root of the interface, or none."""
    one_as_object: bool = False
    """A list of one comes as the object itself: items, results and errors."""
    text_flags: bool = False
    """Success is a text, "true" or "false"."""
    single: Literal["item", "items", "bare"] = "item"
    """In what a single record comes."""
    nulls: Literal["show", "omit"] = "show"
    times: Literal["plain", "blank", "utc"] = "plain"
    """Times without a zone and with T, with a blank instead, or with Z."""

    repeated_invoice: Literal["locked", "update"] = "locked"
    """An invoice written again with other content when its workflow has begun: refused, or changed."""
    invoice_arrives: Literal["received", "in_workflow"] = "in_workflow"
    duplicate_number: Literal["allow", "refuse"] = "allow"
    """A second invoice of a vendor with the same number under another key."""
    acknowledged_batches: Literal["shown", "hidden"] = "shown"
    remittance_keys: bool = True
    """Whether a remittance has the external id of its invoice, or its number only."""
    status_after_reissue: Literal["issued", "processing"] = "issued"
