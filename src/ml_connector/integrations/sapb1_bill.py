"""SAP Business One <-> BILL: invoices go to BILL for approval and payment, its payments come back.

SAP Business One owns suppliers, invoices and credit notes, which become vendors, bills and vendor credits. What BILL
has paid is posted in SAP Business One as outgoing payments through the clearing account, applied to the same documents.
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
from ml_connector.systems import bill, sapb1
from ml_connector.systems.base import Setting

SUPPLIER_GONE = Setting(
    "supplier_gone",
    "What to do when a complete sweep no longer finds a supplier in SAP Business One: open a Problem, or archive the"
    " vendor.",
    default="problem",
    choices=("problem", "archive"),
)
FROM_DATE = Setting(
    "from_date",
    "First posting date that is read (YYYY-MM-DD): the cut-over. Not given: every open document.",
    type=date,
)
EMPTY_NUMBER = Setting(
    "empty_number",
    "What to do with a document without a vendor reference number: let it wait, or send it under its document number.",
    default="block",
    choices=("block", "docnum"),
)
PAID_FROM = Setting(
    "paid_from",
    "First date (YYYY-MM-DD) of payments made in BILL that are posted: the cut-over. Earlier ones are left out. Not"
    " given: all.",
    type=date,
)
UNMATCHED = Setting(
    "unmatched",
    "What to do with a payment that also pays bills which did not come from SAP Business One: hold the whole payment,"
    " or post the part that is known.",
    default="hold",
    choices=("hold", "post_known"),
)
SETTLED = Setting(
    "settled",
    "What to do when SAP Business One paid a bill that BILL still shows as open: open a Problem for the AP clerk.",
    default="problem",
    choices=("problem",),
)
SETTLE_WAIT = Setting(
    "settle_wait",
    "Seconds after a lost answer before 'not found' in the target counts as 'did not happen' (R4).",
    type=int,
    default=360,
)

SAPB1_BILL = IntegrationSpec(
    kind="sapb1-bill",
    label="SAP Business One <-> BILL",
    erp=sapb1.SYSTEM,
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
            every=10 * MINUTE,
            link_type="supplier",
            policies=(SUPPLIER_GONE,),
            label="suppliers",
        ),
        FlowSpec(
            "vendors_back",
            "supplier",
            FlowKind.COMPARED,
            Side.PLATFORM,
            every=30 * MINUTE,
            after=("suppliers",),
            label="vendors in BILL",
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
            policies=(FROM_DATE, EMPTY_NUMBER, NEAR_DUPLICATE_DAYS, ROUNDING_TOLERANCE, ROUNDING_ACCOUNT),
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
            policies=(FROM_DATE, EMPTY_NUMBER, ROUNDING_TOLERANCE, ROUNDING_ACCOUNT),
            label="credit notes",
        ),
        FlowSpec(
            "payments",
            "payment",
            FlowKind.DOCUMENTS,
            Side.PLATFORM,
            every=15 * MINUTE,
            link_type="payment",
            after=("invoices", "credit_notes"),
            policies=(PAID_FROM, UNMATCHED),
            marked_by_key=True,
            label="payments",
        ),
        FlowSpec(
            "settled_in_sapb1",
            "payment",
            FlowKind.OBSERVED,
            Side.ERP,
            every=HOUR,
            after=("invoices",),
            policies=(SETTLED, FROM_DATE),
            label="payments made in SAP Business One",
        ),
    ),
    not_transferred=(
        "Purchase orders: BILL has none; an order's number travels as text on the bill.",
        "Drafts that wait for an approval in SAP Business One: only posted documents are read.",
        "The posting date: BILL has no field for it; the document date travels unchanged.",
        "Tax fields: BILL bills have none; tax travels as a line of its own.",
        "Payment terms by code: the due date travels instead.",
        "Invoices due in several installments: they wait for a person.",
        "Applying a credit to a bill that exists: BILL allows it only on its own screens.",
        "Payments that are scheduled or under way: what BILL has paid is posted, nothing before.",
    ),
)
