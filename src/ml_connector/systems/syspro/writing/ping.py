"""The part of a Connection's test that looks at writing: each business object is asked to check something empty.

SYSPRO: an object that is not installed or not licensed answers with an exception of its own number; one that finds
fault with an empty document is there. With ValidateOnly nothing is written. Some objects are needed only by policies
of a Flow, of which a Connection knows nothing: where one of those is missing it is said, and is no failure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ml_connector.systems.base import Refused
from ml_connector.systems.syspro.settings import Options
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

MISSING = frozenset({"not_licensed", "error", "refused", "not_found", "address_too_long"})
"""Codes of refusals that come before the business object has looked at anything."""

FIX = (
    "License the business object for the operator (e.net licence apportionment in SYSPRO), and see that the operator "
    "may use it."
)


@dataclass(frozen=True, slots=True)
class Probe:
    """One business object that a record type is written with."""

    sample: Posting
    needed_for: str = ""
    """The policy that alone needs it; empty for one that is always needed."""


def probes(record_type: str, options: Options) -> tuple[Probe, ...]:
    """What is asked for a record type; nothing for one that is never written."""
    if record_type not in SAMPLES:
        return ()
    always = Probe(SAMPLES[record_type]())
    settings = options.writing
    if record_type == "invoice" and settings.control_account:
        return always, Probe(gentjl.sample(), "post_as: journal")
    if record_type == "payment":
        opens = () if settings.payment_run else (Probe(apstpm.run_sample()),)
        return always, *opens, Probe(apstpm.void_sample(), "reversal: post")
    return (always,)


def licensed(poster: Poster, probe: Probe) -> tuple[bool | None, str]:
    """Whether an object is there, None for one that is missing and may be; and what is said of it.

    Raises what the call raises where one that is needed is not there.
    """
    name = probe.sample.business_object
    try:
        poster.validate(probe.sample)
    except Refused as refused:
        if refused.code in MISSING:
            if refused.code == "not_licensed" and probe.needed_for:
                return None, f"{name} is not licensed; only a Flow with {probe.needed_for} needs it"
            raise
    return True, f"{name} is there and checks what it is sent; nothing was written"
