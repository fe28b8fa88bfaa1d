"""AvidXchange by a contract map: vendors, codes, orders, invoices go in; approvals, captured invoices, payments out."""

from __future__ import annotations

from ml_connector.systems.avidxchange.client import READS, WRITES, Client
from ml_connector.systems.avidxchange.settings import FORM, counted, credential, options
from ml_connector.systems.base import System

__all__ = ["SYSTEM"]

SYSTEM = System(
    name="avidxchange",
    label="AvidXchange",
    form=FORM,
    connect=Client,
    credential=credential,
    reads=READS,
    writes=WRITES,
    check=options,
    session_idle=lambda _: 24 * 3600,
    counted=counted,
)
