"""The pairs that ship: one short file each."""

from __future__ import annotations

from ml_connector.integrations.base import IntegrationSpec
from ml_connector.integrations.sapb1_bill import SAPB1_BILL
from ml_connector.integrations.syspro_bill import SYSPRO_BILL
from ml_connector.systems import avidxchange, basware
from ml_connector.systems.base import System

INTEGRATIONS: dict[str, IntegrationSpec] = {spec.kind: spec for spec in (SYSPRO_BILL, SAPB1_BILL)}

SYSTEMS: dict[str, System] = {
    avidxchange.SYSTEM.name: avidxchange.SYSTEM,
    basware.SYSTEM.name: basware.SYSTEM,
    **{system.name: system for spec in INTEGRATIONS.values() for system in (spec.erp, spec.platform)},
}
"""What a Connection may lead to; AvidXchange and Basware can be connected and tested before a pair uses them."""
