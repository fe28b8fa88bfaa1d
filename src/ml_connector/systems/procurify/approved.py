"""The Source of approved bills, listed by the instant of their change and fetched one by one.

Listed in v3, fetched in v2. The list takes no filter by status. A bill that was approved once and is not any more has
been taken back; one that never was does not travel. The lists' older filter, `modified_date`, is on its way out and is
not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ml_connector.domain.records import Invoice
from ml_connector.systems.base import Item
from ml_connector.systems.procurify.bills import AFTER_APPROVAL, approved, from_bill, was_approved
from ml_connector.systems.procurify.changes import Changed, cut_over
from ml_connector.systems.procurify.currencies import Currencies
from ml_connector.systems.procurify.rows import same_uuid, unique, whole
from ml_connector.systems.procurify.session import Domain, Json

LIST = "/api/v3/ap/bills/"
BILL = "/api/v2/ap/bills/{}/"


def bill(domain: Domain, key: str) -> tuple[Json, str] | None:
    """One bill as it is now, and its answer's digest; None where there is none."""
    named = same_uuid(key)
    found = None if named is None else domain.one(BILL.format(named), about=f"bill {key}")
    return None if found is None else (found[0], hashlib.sha256(found[1].content).hexdigest())


def approved_bills(domain: Domain, currencies: Currencies, policy: Mapping[str, Any]) -> Changed[Invoice]:
    """Source of Invoice. `policy`: from_date, the first invoice date that is read; only, credit_note or invoice."""
    chosen = domain.options
    overlap = timedelta(minutes=chosen.overlap_minutes)
    begun = cut_over(policy, "invoice_date", chosen.zone)
    only = policy.get("only")

    def belongs(row: Json) -> bool:
        kind = whole(row, "type")
        return (kind is None or kind in chosen.bill_types) and begun(row)

    def wanted(row: Json) -> bool:
        return belongs(row) and (not approved(row) or whole(row, "status") in chosen.bill_statuses)

    def fetch(key: str) -> tuple[Item[Invoice] | None, str] | None:
        found = bill(domain, key)
        if found is None:
            return None
        row, digest = found
        if not belongs(row) or not (approved(row) or was_approved(row)):
            return None, digest
        item = from_bill(row, chosen, currencies)
        return (item if only is None or item.record.kind == only else None), digest

    return Changed(
        domain=domain,
        path=LIST,
        about="the list of bills",
        key=lambda row: unique(row, "uuid"),
        stamp="last_modified_datetime",
        since=since_instant,
        overlap=overlap,
        kept=2 * overlap,
        wanted=wanted,
        open=lambda row: belongs(row) and whole(row, "status") in chosen.bill_statuses & AFTER_APPROVAL,
        exists=lambda row: whole(row, "type") is None or whole(row, "type") in chosen.bill_types,
        fetch=fetch,
    )


def since_instant(start: datetime) -> dict[str, str]:
    return {"last_modified_datetime_0": start.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")}
