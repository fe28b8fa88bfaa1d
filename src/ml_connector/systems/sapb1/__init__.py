"""SAP Business One, the Service Layer (v1 and v2): payables and suppliers read, vendor payments written."""

from __future__ import annotations

from ml_connector.systems.base import System
from ml_connector.systems.sapb1.client import READS, WRITES, Client
from ml_connector.systems.sapb1.settings import FORM, credential, options, session_idle

__all__ = ["SYSTEM"]

SYSTEM = System(
    name="sapb1",
    label="SAP Business One",
    form=FORM,
    connect=Client,
    credential=credential,
    reads=READS,
    writes=WRITES,
    check=options,
    session_idle=session_idle,
)
