"""The pairs: which Flows move what between which systems."""

from __future__ import annotations

from ml_connector.integrations.base import IntegrationSpec
from ml_connector.integrations.procurify_syspro import PROCURIFY_SYSPRO
from ml_connector.integrations.sapb1_bill import SAPB1_BILL
from ml_connector.integrations.syspro_basware import SYSPRO_BASWARE
from ml_connector.integrations.syspro_bill import SYSPRO_BILL
from ml_connector.systems import avidxchange
from ml_connector.systems.base import System

INTEGRATIONS: dict[str, IntegrationSpec] = {
    spec.kind: spec for spec in (SYSPRO_BILL, SAPB1_BILL, SYSPRO_BASWARE, PROCURIFY_SYSPRO)
}

SYSTEMS: dict[str, System] = {
    avidxchange.SYSTEM.name: avidxchange.SYSTEM,
    **{system.name: system for spec in INTEGRATIONS.values() for system in (spec.erp, spec.platform)},
}
"""What a Connection may lead to; AvidXchange can be connected and tested before a pair uses it."""
