"""SYSPRO -> BILL: suppliers become vendors, invoices become coded bills, credit notes become vendor credits.

SYSPRO owns suppliers and invoices; BILL receives them for approval and payment. Nothing is written to SYSPRO.
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
from ml_connector.systems import bill, syspro
from ml_connector.systems.base import Setting

SUPPLIER_GONE = Setting(
    "supplier_gone",
    "What to do when a complete sweep no longer finds a supplier in SYSPRO: open a Problem, or archive the vendor.",
    default="problem",
    choices=("problem", "archive"),
)
FROM_DATE = Setting(
    "from_date",
    "First journal date that is read (YYYY-MM-DD): the cut-over. Not given: every open invoice.",
    type=date,
)
SETTLED = Setting(
    "settled",
    "What to do when SYSPRO paid a bill that BILL still shows as open: open a Problem for the AP clerk.",
    default="problem",
    choices=("problem",),
)
SETTLE_WAIT = Setting(
    "settle_wait",
    "Seconds after a lost answer before 'not found' in the target counts as 'did not happen' (R4).",
    type=int,
    default=120,
)
SYSPRO_BILL = IntegrationSpec(
    kind="syspro-bill",
    label="SYSPRO -> BILL",
    erp=syspro.SYSTEM,
    platform=bill.SYSTEM,
    policies=(SETTLE_WAIT, HIGHEST_AMOUNT, AUTO_MAP_EXACT, BANK_CHANGE_DAYS),
    mappings=(
        MappingSpec("gl_account", "GL accounts", source=Side.ERP, list="gl_account"),
        MappingSpec("cost_center", "Cost centers", source=Side.ERP, list="cost_center"),
        MappingSpec("country", "Countries", source=Side.ERP, identity=True),
    ),
    flows=(
        FlowSpec(
            "accounts",
            "gl_account",
            FlowKind.REFERENCE,
            Side.ERP,
            every=HOUR,
            mapping="gl_account",
            label="GL accounts",
        ),
        FlowSpec(
            "departments",
            "cost_center",
            FlowKind.REFERENCE,
            Side.ERP,
            every=HOUR,
            mapping="cost_center",
            label="cost centers",
        ),
        FlowSpec(
            "suppliers",
            "supplier",
            FlowKind.DOCUMENTS,
            Side.ERP,
            every=15 * MINUTE,
            link_type="supplier",
            policies=(SUPPLIER_GONE,),
            label="suppliers",
        ),
        FlowSpec(
            "invoices",
            "invoice",
            FlowKind.DOCUMENTS,
            Side.ERP,
            every=10 * MINUTE,
            link_type="invoice",
            after=("suppliers",),
            reads={"only": "invoice"},
            policies=(FROM_DATE, NEAR_DUPLICATE_DAYS, ROUNDING_TOLERANCE, ROUNDING_ACCOUNT),
            label="invoices",
        ),
        FlowSpec(
            "credit_notes",
            "invoice",
            FlowKind.DOCUMENTS,
            Side.ERP,
            every=10 * MINUTE,
            link_type="credit_note",
            after=("suppliers", "invoices"),
            reads={"only": "credit_note"},
            policies=(FROM_DATE, ROUNDING_TOLERANCE, ROUNDING_ACCOUNT),
            label="credit notes",
        ),
        FlowSpec(
            "settled_in_syspro",
            "payment",
            FlowKind.OBSERVED,
            Side.ERP,
            every=HOUR,
            after=("invoices",),
            policies=(SETTLED, FROM_DATE),
            label="payments made in SYSPRO",
        ),
    ),
    not_transferred=(
        "Purchase orders: BILL has none; an order's number travels as text on the bill.",
        "The ledger posting date: BILL has no field for it; the invoice date travels unchanged.",
        "Tax fields: BILL bills have none; tax travels as a line of its own.",
        "Payment terms by code: the due date travels instead.",
        "Applying a credit to a bill that exists: BILL allows it only on its own screens.",
    ),
)
