"""SYSPRO <-> Basware: master data and orders go out to be matched against; approved invoices come back to be posted.

SYSPRO owns payment terms, GL accounts, cost centers, suppliers and purchase orders, which Basware holds as copies.
Basware owns the approval and coding of invoices: those that wait for transfer are posted in SYSPRO, and Basware is told
what SYSPRO paid of them. What people change in vendors there is proposed to SYSPRO.
"""

from __future__ import annotations

from datetime import date

from ml_connector.integrations.base import (
    AUTO_MAP_EXACT,
    BANK_CHANGE_DAYS,
    HIGHEST_AMOUNT,
    HOLD_HOURS,
    HOUR,
    MINUTE,
    NEAR_DUPLICATE_DAYS,
    ON_PROBLEM,
    FlowKind,
    FlowSpec,
    IntegrationSpec,
    MappingSpec,
    Side,
)
from ml_connector.systems import basware, syspro
from ml_connector.systems.base import Setting
from ml_connector.systems.syspro import policies

DAY = 24 * HOUR

SUPPLIER_GONE = Setting(
    "supplier_gone",
    "What to do when a complete sweep no longer finds a supplier in SYSPRO: open a Problem, or make the vendor inactive"
    " in Basware.",
    default="problem",
    choices=("problem", "archive"),
)
PAID_FROM = Setting(
    "from_date",
    "First day of payments that are read (YYYY-MM-DD). Not given: every payment, of which those of other invoices are"
    " left alone.",
    type=date,
)
ENRICHMENT_ROUTE = Setting(
    "enrichment_route",
    "Where payment terms and tax ids that people changed in Basware are read: vendors, as its API gives them; or off.",
    default="vendors",
    choices=("vendors", "off"),
)
ENRICH = Setting(
    "enrich",
    "What to do with payment terms that people changed in Basware: propose them to a person, or write them to SYSPRO by"
    " itself (auto). A tax id is always proposed, and needs two people.",
    default="propose",
    choices=("propose", "auto"),
)
SETTLE_WAIT = Setting(
    "settle_wait",
    "Seconds after a lost answer before 'not found' in the target counts as 'did not happen' (R4).",
    type=int,
    default=360,
)

SYSPRO_BASWARE = IntegrationSpec(
    kind="syspro-basware",
    label="SYSPRO <-> Basware",
    erp=syspro.SYSTEM,
    platform=basware.SYSTEM,
    policies=(SETTLE_WAIT, HIGHEST_AMOUNT, AUTO_MAP_EXACT, BANK_CHANGE_DAYS),
    mappings=(
        MappingSpec("gl_account", "GL accounts of coding rows", source=Side.PLATFORM, list="gl_account"),
        MappingSpec("cost_center", "Cost centers of coding rows", source=Side.PLATFORM, list="cost_center"),
        MappingSpec("account_code", "Short codes of GL accounts", source=Side.ERP, identity=True),
        MappingSpec("cost_center_code", "Short codes of cost centers", source=Side.ERP, identity=True),
        MappingSpec("payment_term", "Payment terms", source=Side.ERP, identity=True),
        MappingSpec("country", "Countries", source=Side.ERP, identity=True),
    ),
    flows=(
        FlowSpec(
            "terms",
            "payment_term",
            FlowKind.DOCUMENTS,
            Side.ERP,
            every=DAY,
            link_type="payment_term",
            mapping="payment_term",
            label="payment terms",
        ),
        FlowSpec(
            "accounts",
            "gl_account",
            FlowKind.DOCUMENTS,
            Side.ERP,
            every=DAY,
            link_type="gl_account",
            mapping="account_code",
            label="GL accounts",
        ),
        FlowSpec(
            "cost_centers",
            "cost_center",
            FlowKind.DOCUMENTS,
            Side.ERP,
            every=DAY,
            link_type="cost_center",
            mapping="cost_center_code",
            label="cost centers",
        ),
        FlowSpec(
            "account_codes",
            "gl_account",
            FlowKind.REFERENCE,
            Side.PLATFORM,
            every=HOUR,
            after=("accounts",),
            mapping="gl_account",
            label="GL accounts of coding rows",
        ),
        FlowSpec(
            "cost_center_codes",
            "cost_center",
            FlowKind.REFERENCE,
            Side.PLATFORM,
            every=HOUR,
            after=("cost_centers",),
            mapping="cost_center",
            label="cost centers of coding rows",
        ),
        FlowSpec(
            "suppliers",
            "supplier",
            FlowKind.DOCUMENTS,
            Side.ERP,
            every=DAY,
            link_type="supplier",
            after=("terms",),
            policies=(SUPPLIER_GONE,),
            label="suppliers",
        ),
        FlowSpec(
            "purchase_orders",
            "purchase_order",
            FlowKind.DOCUMENTS,
            Side.ERP,
            every=DAY,
            link_type="purchase_order",
            after=("accounts", "cost_centers", "suppliers"),
            label="purchase orders",
        ),
        FlowSpec(
            "approved_invoices",
            "invoice",
            FlowKind.DOCUMENTS,
            Side.PLATFORM,
            every=15 * MINUTE,
            link_type="invoice",
            after=("suppliers",),
            policies=(ON_PROBLEM, HOLD_HOURS, NEAR_DUPLICATE_DAYS, *policies.INVOICES),
            handed_over=True,
            label="approved invoices",
        ),
        FlowSpec(
            "paid",
            "payment",
            FlowKind.DOCUMENTS,
            Side.ERP,
            every=DAY,
            link_type="paid",
            after=("approved_invoices",),
            policies=(PAID_FROM,),
            told_of="approved_invoices",
            label="payments made in SYSPRO",
        ),
        FlowSpec(
            "supplier_enrichment",
            "supplier",
            FlowKind.PROPOSED,
            Side.PLATFORM,
            every=DAY,
            link_type="enriched",
            after=("suppliers",),
            reads={"owns": ["terms", "tax_id"]},
            policies=(ENRICHMENT_ROUTE, ENRICH, policies.VALIDATE_FIRST),
            label="vendors enriched in Basware",
        ),
    ),
    not_transferred=(
        "Bank details, remittance addresses and payment methods of suppliers: they are entered in Basware by hand.",
        "Tax codes: those of Basware are kept there; an invoice's tax is posted to the account that the Connection"
        " names.",
        "Due dates on a fixed day of the month: such a payment term goes over by name, and Basware computes nothing.",
        "Comment lines of orders and lines without a quantity: Basware holds none.",
        "Gross prices of orders: amounts are sent without tax, and Basware matches by them.",
        "Deleting: what is closed or gone in SYSPRO is made inactive in Basware, never removed.",
        "Invoices that are still in approval or in matching: only those that wait for transfer are posted.",
        "Images and attachments of invoices: they stay in Basware.",
        "Settlement discounts of payments: Basware is told of the money that was paid.",
    ),
)
