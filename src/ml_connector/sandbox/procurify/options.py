"""The switches of the Procurify stand-in: what the vendor's description leaves open, and its published numbers.

The default of what is not known is the reading that is easier for a client.
"""

from dataclasses import dataclass, field
from typing import Literal

from ml_connector.sandbox.standin import Options

OLD_PAYMENTS = "/api/v2/ap/payments/"


@dataclass
class ProcurifyOptions(Options):
    base_set: Literal["", "syspro"] = ""
    """Starts with the small company of the acceptance story instead of the seeded one; read once, at the start."""
    bills: int = 60
    """How many bills the seeded company has; read once, at the start."""
    subdomain: str = "rilling"
    """The customer's domain, in every token; read once, at the start."""

    # access
    token_seconds: int = 86_400
    token_refusal: Literal["access_denied", "invalid_client"] = "access_denied"  # noqa: S105 (an error code)
    """What a wrong pair is told, with 401."""
    client_header: Literal["require", "ignore"] = "require"
    """Whether a call without `X-Procurify-Client` is refused with 400."""
    superuser: bool = True
    """Whether the user to whom the application is bound is one."""
    no_rights: list[str] = field(default_factory=list)
    """What the user's role lacks: `bills` for everything of bills, `vendors write` for changes only."""
    error_form: Literal["errors", "fields"] = "errors"
    """A 400 as `{"errors": {field: {message, code}}}`, or as lists of texts by field."""

    # lists
    page_size: int = 10
    """Rows of a page when the request does not say."""
    max_page_size: int = 100
    """A greater page size is taken as this."""
    beyond_last_page: Literal["refuse", "empty"] = "refuse"
    """A page beyond the last: 404, or a page without rows."""
    next_origin: str = ""
    """Scheme and host of `next` and `previous`; empty for its own."""
    method_pagination: Literal["metadata", "top"] = "metadata"
    """Where the lists of payment methods have their pagination; the other place until 2024."""
    time_zone: str = "UTC"
    """Whose days the day filters mean."""
    repeat_last_row: bool = False
    """Every page after the first begins with the row that ended the page before, as when rows move meanwhile."""
    extra_fields: bool = False
    """Every object of an answer has a field that nobody knows."""
    hide: list[str] = field(default_factory=list)
    """Fields that no object of an answer has any more."""
    uuid_dashes: bool = True

    # limits
    requests_per_second: int = 0
    """Requests in any second of wall time before 429; 0 is no limit."""
    parallel_limit: int = 0
    """Requests at once before 429; 0 is no limit."""
    retry_after: Literal["seconds", "date", "none"] = "seconds"
    """What stands in `Retry-After` of a 429."""

    # rules
    removed: list[str] = field(default_factory=lambda: [OLD_PAYMENTS])
    """Paths that the vendor has taken away."""
    removed_status: Literal[404, 410] = 404
    duplicate_vendors: Literal["refuse", "accept"] = "refuse"
    """A name of an active vendor, or an `external_id`, given to a second one."""
    mark_as_paid: Literal["whole", "each"] = "whole"
    """What a wrong bill among several does: none is marked, or only it is not and the answer is 200."""
    bill_patch: bool = False
    """Whether the undocumented PATCH of a bill is there; 405 otherwise."""
