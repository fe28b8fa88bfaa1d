"""Procurify: approved orders and bills read, vendors both ways, departments and account codes, bills marked as paid."""

from __future__ import annotations

from ml_connector.systems.base import System
from ml_connector.systems.procurify.client import READS, WRITES, Client
from ml_connector.systems.procurify.form import FORM
from ml_connector.systems.procurify.settings import credential, options, session_idle

__all__ = ["SYSTEM"]

SYSTEM = System(
    name="procurify",
    label="Procurify",
    form=FORM,
    connect=Client,
    credential=credential,
    reads=READS,
    writes=WRITES,
    check=options,
    session_idle=session_idle,
)
