"""What differs from site to site, or that nobody knows of SYSPRO: switches of the stand-in."""

from dataclasses import dataclass, field
from typing import Literal

from ml_connector.sandbox.nettcp.service import NetTcpOptions

Judgement = Literal["accept", "warn", "refuse"]
"""A warning rejects, or is only reported, as the call's IgnoreWarnings has it."""

LINE_TYPES = {"stocked": "1", "freight": "4", "charge": "5", "comment": "6", "non_stocked": "7"}
"""Only that 1 is a stocked line is known."""


@dataclass
class SysproOptions(NetTcpOptions):
    invoices: int = 2000
    """How many supplier invoices the seeded company has; read once, at the start."""
    base_set: Literal["", "bill", "avidxchange", "procurify", "basware"] = ""
    """Starts with the small company of an acceptance story instead of the seeded one; read once, at the start."""

    # e.net
    rest: bool = True
    """Whether the site exposes e.net over REST at all; large_posts says whether with PostLD."""
    nettcp_results: Literal["string", "stream"] = "string"
    """How documents come over net.tcp; an id, a version and a `0` are strings in any case."""
    nettcp_errors: Literal["fault", "exception"] = "fault"
    """How an e.net error comes over net.tcp: as a fault that the service throws, or as an exception with its detail."""
    idle_seconds: float = 1800
    """A session without a call for longer is dead."""
    second_logon: Literal["evict", "refuse"] = "evict"
    """What a logon does to the operator's living session."""
    parallel_calls: Literal["serialise", "refuse"] = "serialise"
    """A call on a session that is still answering another: after it, or an ERROR."""
    logon_answer: Literal["raw", "json", "xml"] = "raw"
    """The id as bare text, as a JSON string, or in a <string> element."""
    unlicensed: list[str] = field(default_factory=list)
    """Business objects that answer as if the site had not bought them."""
    max_url_bytes: int = 16_384
    """A longer request target is refused by HTTP.sys, before SYSPRO sees it."""
    long_url_status: Literal[414, 400] = 414

    # OData
    odata_page_cap: int = 5000
    odata_next_link: bool = False
    """Whether an answer that was cut at the cap says where to go on."""
    odata_date_style: Literal["datetimeoffset", "date", "quoted", "any"] = "datetimeoffset"
    """The one spelling of a date in $filter that is understood."""
    odata_padded_char: bool = False
    """Whether char columns come with their trailing blanks."""

    # both
    timestamp: Literal["hidden", "exposed"] = "hidden"
    """Whether reads show the rowversion column TimeStamp."""
    hide_tables: list[str] = field(default_factory=list)
    hide_columns: dict[str, list[str]] = field(default_factory=dict)
    """By table: columns that this SYSPRO version does not have."""
    rename: dict[str, dict[str, str]] = field(default_factory=dict)
    """By table: columns that go by another name."""

    # writes through e.net
    settle_seconds: float = 0
    """How long after a post what it wrote stays unseen by reads, on the stand-in's clock."""
    settles: Literal["everywhere", "odata"] = "everywhere"
    """Which reads lag: all of them, or OData alone."""
    large_posts: bool = True
    """Whether the service has PostLD; if not, the path does not exist."""
    long_text: Literal["refuse", "cut"] = "refuse"
    """What becomes of a text that is longer than its column."""
    on_hold: dict[str, Judgement] = field(default_factory=lambda: {"APSTIN": "warn", "APSTPM": "warn"})
    """By business object: a document of a supplier on hold. Accepted where nothing is said."""
    control_accounts: dict[str, Judgement] = field(default_factory=lambda: {"GENTJL": "accept"})
    """By business object: a line on a control account. Refused where nothing is said."""
    receipt_needed: Judgement = "warn"
    """An invoice without GrnDetails of a supplier whose invoices are matched to receipts."""
    freight_charge: Literal["apart", "in_lines", "either"] = "either"
    """Whether FreightCharge and MiscellaneousCharge come on top of the ledger lines or within them."""
    reference_lands: bool = True
    """Whether TransactionReference ends up in ApInvoice.Reference and ApInvoicePay.PaymentReference."""
    gl_integration: Literal["immediate", "later", "fails"] = "immediate"
    """When a posted AP journal gets into the ledger: at once, by a person, or not: GlJournalError says so."""
    blank_on_update: Literal["ignore", "clear"] = "ignore"
    """What an empty element of a supplier's update does to its field."""
    order_number_returned: bool = True
    """Whether PORTOI tells the number that it gave a new order."""
    order_numbers: Literal["same", "padded"] = "same"
    """Whether the tables hold an order's number as PORTOI tells it, or with zeros to 15 digits."""
    manual_order_numbers: bool = True
    """Whether a new order may bring its number along."""
    bad_order_line: Literal["refuse", "drop"] = "refuse"
    """What a line that is wrong does to its order: nothing of it goes in, or all but the line."""
    cancelled_line: Literal["kept", "removed"] = "kept"
    """Whether a cancelled order line stays, with quantity 0 and complete, or goes."""
    line_types: dict[str, str] = field(default_factory=lambda: dict(LINE_TYPES))
    """PorMasterDetail.LineType of each kind of line."""
    payment_run: Literal["needed", "made"] = "needed"
    """What becomes of a manual payment whose PaymentNumber names no run: refused, or the run is made."""
