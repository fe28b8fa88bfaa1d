"""Basware P2P: master data and orders written, approved invoices read, taken over and answered."""

from __future__ import annotations

from ml_connector.systems.base import System
from ml_connector.systems.basware.client import READS, WRITES, Client
from ml_connector.systems.basware.form import FORM
from ml_connector.systems.basware.settings import credential, options, session_idle
from ml_connector.systems.basware.webhooks import WEBHOOKS

__all__ = ["SYSTEM"]

SYSTEM = System(
    name="basware",
    label="Basware",
    form=FORM,
    connect=Client,
    credential=credential,
    reads=READS,
    writes=WRITES,
    check=options,
    session_idle=session_idle,
    webhooks=WEBHOOKS,
)
