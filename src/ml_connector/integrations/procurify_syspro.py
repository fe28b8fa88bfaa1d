"""Procurify -> SYSPRO: approved purchase orders and bills are posted in SYSPRO; suppliers are kept equal in both.

Procurify owns orders, bills and how a supplier is reached. SYSPRO owns accounts, cost centers, terms, and a supplier's
code, name and currency; a supplier that is new in either is made in the other.
"""

from __future__ import annotations

from datetime import date

from ml_connector.integrations.base import (
    AUTO_MAP_EXACT,
    BANK_CHANGE_DAYS,
    HIGHEST_AMOUNT,
    HOUR,
    MINUTE,
    NEAR_DUPLICATE_DAYS,
    ROUNDING_ACCOUNT,
    ROUNDING_TOLERANCE,
    FlowKind,
    FlowSpec,
    IntegrationSpec,
    MappingSpec,
    Side,
)
from ml_connector.systems import procurify, syspro
from ml_connector.systems.base import Setting
from ml_connector.systems.syspro import policies

DAY = 24 * HOUR

NEW_SUPPLIERS = Setting(
    "new_suppliers",
    "What to do with a supplier of SYSPRO that no vendor is: make a vendor of it, or leave it in SYSPRO only. The code"
    " of a supplier that came from Procurify is written back in either case.",
    default="create",
    choices=("create", "leave"),
)
FROM_DATE = Setting(
    "from_date",
    "First date (YYYY-MM-DD) that is read, of orders their own and of bills that of the invoice: the cut-over. Not"
    " given: all.",
    type=date,
)
SETTLE_WAIT = Setting(
    "settle_wait",
    "Seconds after a lost answer before 'not found' in the target counts as 'did not happen' (R4).",
    type=int,
    default=360,
)

PROCURIFY_SYSPRO = IntegrationSpec(
    kind="procurify-syspro",
    label="Procurify -> SYSPRO",
    erp=syspro.SYSTEM,
    platform=procurify.SYSTEM,
    policies=(SETTLE_WAIT, HIGHEST_AMOUNT, AUTO_MAP_EXACT, BANK_CHANGE_DAYS),
    mappings=(
        MappingSpec("gl_account", "GL accounts", source=Side.PLATFORM, list="gl_account"),
        MappingSpec(
            "cost_center", "Departments and cost centers", source=Side.PLATFORM, list="cost_center", optional=True
        ),
        MappingSpec("payment_term", "Payment terms", source=Side.PLATFORM, list="payment_term"),
        MappingSpec("tax_code", "Tax codes of bills", source=Side.PLATFORM),
        MappingSpec("country", "Countries", source=Side.PLATFORM, identity=True),
    ),
    flows=(
        FlowSpec(
            "accounts",
            "gl_account",
            FlowKind.REFERENCE,
            Side.PLATFORM,
            every=DAY,
            mapping="gl_account",
            label="GL accounts",
        ),
        FlowSpec(
            "departments",
            "cost_center",
            FlowKind.REFERENCE,
            Side.PLATFORM,
            every=DAY,
            mapping="cost_center",
            label="departments and cost centers",
        ),
        FlowSpec(
            "departments_out",
            "cost_center",
            FlowKind.DOCUMENTS,
            Side.ERP,
            every=DAY,
            link_type="department",
            label="cost centers of SYSPRO",
        ),
        FlowSpec(
            "terms",
            "payment_term",
            FlowKind.REFERENCE,
            Side.PLATFORM,
            every=DAY,
            mapping="payment_term",
            label="payment terms",
        ),
        FlowSpec(
            "suppliers_in",
            "supplier",
            FlowKind.DOCUMENTS,
            Side.PLATFORM,
            every=15 * MINUTE,
            link_type="supplier",
            policies=policies.SUPPLIERS,
            mirrors="suppliers_out",
            label="vendors of Procurify",
        ),
        FlowSpec(
            "suppliers_out",
            "supplier",
            FlowKind.DOCUMENTS,
            Side.ERP,
            every=15 * MINUTE,
            link_type="vendor",
            policies=(NEW_SUPPLIERS,),
            mirrors="suppliers_in",
            label="suppliers of SYSPRO",
        ),
        FlowSpec(
            "purchase_orders",
            "purchase_order",
            FlowKind.DOCUMENTS,
            Side.PLATFORM,
            every=5 * MINUTE,
            link_type="purchase_order",
            after=("accounts", "departments", "suppliers_in"),
            policies=(FROM_DATE, *policies.ORDERS),
            label="purchase orders",
        ),
        FlowSpec(
            "bills",
            "invoice",
            FlowKind.DOCUMENTS,
            Side.PLATFORM,
            every=10 * MINUTE,
            link_type="invoice",
            after=("suppliers_in", "purchase_orders"),
            policies=(
                FROM_DATE,
                NEAR_DUPLICATE_DAYS,
                ROUNDING_TOLERANCE,
                ROUNDING_ACCOUNT,
                *policies.INVOICES,
            ),
            label="bills",
        ),
    ),
    not_transferred=(
        "Bank details, remittance addresses and payment methods of suppliers: they are entered in SYSPRO by hand.",
        "Requests and orders that are not approved and purchased; bills that are not approved.",
        "Receipts: goods are received in SYSPRO. Bills of suppliers that SYSPRO matches wait for them.",
        "Closing an order in Procurify: SYSPRO closes it when all is received.",
        "Changes of a bill after it was posted: SYSPRO amends no invoice; they become a Problem.",
        "Payments: they are made in SYSPRO.",
        "Currencies and exchange rates: neither system takes them from outside.",
        "Payment terms of a vendor that is there already: Procurify does not say how one is written.",
        "Attachments of bills: they stay in Procurify.",
    ),
)
