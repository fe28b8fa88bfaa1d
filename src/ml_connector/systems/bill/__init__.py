"""BILL (bill.com), the v3 API: vendors, bills and vendor credits written; classifications and payments read."""

from __future__ import annotations

from ml_connector.systems.base import System
from ml_connector.systems.bill.client import READS, WRITES, BillClient
from ml_connector.systems.bill.session import LOGINS_PER_HOUR, REQUESTS_PER_HOUR
from ml_connector.systems.bill.settings import FORM, counted, credential, session_idle
from ml_connector.systems.bill.webhooks import WEBHOOKS

__all__ = ["SYSTEM"]

SYSTEM = System(
    name="bill",
    label="BILL",
    form=FORM,
    connect=BillClient,
    credential=credential,
    reads=READS,
    writes=WRITES,
    session_idle=session_idle,
    counted=counted,
    per_hour={"request": REQUESTS_PER_HOUR, "login": LOGINS_PER_HOUR},
    webhooks=WEBHOOKS,
)
