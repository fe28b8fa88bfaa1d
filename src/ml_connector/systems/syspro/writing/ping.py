"""The part of a Connection's test that looks at writing: each business object is asked to check something empty.

SYSPRO: an object that is not installed or not licensed answers with an exception of its own number; one that finds
fault with an empty document is there. With ValidateOnly nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable

from ml_connector.systems.base import Refused
from ml_connector.systems.syspro.tables import Row
from ml_connector.systems.syspro.writing import apsssp, apstin, apstpm, gentjl, portoi
from ml_connector.systems.syspro.writing.poster import Poster, Posting
from ml_connector.systems.syspro.writing.tables import (
    GenJournalCtl,
    GenJournalDetail,
    GrnDetails,
    PorMasterDetail,
    PorMasterHdr,
    SupplierCode,
)

SAMPLES: dict[str, Callable[[], Posting]] = {
    "invoice": apstin.sample,
    "journal_entry": gentjl.sample,
    "supplier": apsssp.sample,
    "purchase_order": portoi.sample,
    "payment": apstpm.sample,
}
"""What each record type is written with."""

TABLES: dict[str, tuple[type[Row], ...]] = {
    "invoice": (GrnDetails,),
    "journal_entry": (GenJournalCtl, GenJournalDetail),
    "supplier": (SupplierCode,),
    "purchase_order": (PorMasterHdr, PorMasterDetail),
}
"""What is read besides, before or after a write."""

FIX = (
    "License the business object for the operator (e.net licence apportionment in SYSPRO), and see that the operator "
    "may use it."
)


def licensed(poster: Poster, sample: Posting) -> str:
    """What is said of an object that is there. Raises what the call raises where it is not."""
    name = sample.business_object
    try:
        poster.validate(sample)
    except Refused as refused:
        if refused.code in {"not_licensed", "error", "refused", "not_found", "address_too_long"}:
            raise
    return f"{name} is there and checks what it is sent; nothing was written"
