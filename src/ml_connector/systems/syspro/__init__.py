"""SYSPRO 8 and Cloud ERP: e.net over REST for sessions, queries and posts, OData for reading tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ml_connector.systems.base import System
from ml_connector.systems.syspro.client import Client
from ml_connector.systems.syspro.settings import FORM, options
from ml_connector.systems.syspro.writing.targets import WRITES


def credential(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """Server and operator: an operator has one session, so two Connections would end each other's."""
    base = urlsplit(settings["enet_rest_base"])
    return f"{base.scheme}://{base.netloc}{base.path.rstrip('/')}|{settings['operator']}".lower()


SYSTEM = System(
    name="syspro",
    label="SYSPRO",
    form=FORM,
    connect=Client,
    credential=credential,
    check=options,
    session_idle=lambda settings: int(settings["idle_seconds_before_relogon"]),
    reads=frozenset(
        {"supplier", "invoice", "payment", "purchase_order", "gl_account", "cost_center", "currency", "payment_term"}
    ),
    writes=WRITES,
)
