"""What differs from site to site, or that nobody knows of SYSPRO: switches of the stand-in."""

from dataclasses import dataclass, field
from typing import Literal

from ml_connector.sandbox.standin import Options


@dataclass
class SysproOptions(Options):
    invoices: int = 2000
    """How many supplier invoices the seeded company has; read once, at the start."""

    # e.net
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
