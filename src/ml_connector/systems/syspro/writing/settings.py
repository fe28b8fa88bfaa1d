"""SYSPRO: what a Connection is told about writing. A Connection that is only read from leaves it all alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_connector.systems.base import Refused, Setting

GROUP = "Writing"

VOID_ELEMENTS = {"PaymentNumber": "payment_number", "Supplier": "supplier", "Bank": "bank", "Cheque": "cheque"}
VOID_VALUES = frozenset({"payment_number", "supplier", "bank", "cheque", "reference", "date", "amount", "invoice"})

FORM: tuple[Setting, ...] = (
    Setting(
        "large_post_mode",
        "What is done with a document that is too long for an address: postld sends it as a POST (Transaction/PostLD); "
        "refuse leaves it to a person, for a server without PostLD.",
        default="postld",
        choices=("postld", "refuse"),
        label="Large documents",
        group=GROUP,
    ),
    Setting(
        "closed_period_letters",
        "Letters of GenControl's period status that mean closed. Empty: SYSPRO itself refuses what it does not take.",
        type=list,
        default=[],
        label="Letters of closed periods",
        group=GROUP,
    ),
    Setting(
        "default_branch_code",
        "AP branch of suppliers that are created. Codes: Browse on AP Branches.",
        default="",
        label="Branch of new suppliers",
        group=GROUP,
    ),
    Setting(
        "default_terms",
        "Terms code of suppliers that are created and name none. Codes: Browse on AP Invoice Terms.",
        default="",
        label="Terms of new suppliers",
        group=GROUP,
    ),
    Setting(
        "default_currency",
        "SYSPRO's currency code of suppliers that are created and name none. Codes: Browse on Currencies.",
        default="",
        label="Currency of new suppliers",
        group=GROUP,
    ),
    Setting(
        "default_class",
        "Supplier class of suppliers that are created; may be empty.",
        default="",
        label="Class of new suppliers",
        group=GROUP,
    ),
    Setting(
        "code_rule",
        "Code of a supplier that is created: from_name (three letters and the next number), source (the code there, up "
        "to 15 characters), or ask (a person creates it in SYSPRO).",
        default="from_name",
        choices=("from_name", "source", "ask"),
        label="Codes of new suppliers",
        group=GROUP,
    ),
    Setting(
        "supplier_mark_field",
        "Field of a new supplier that takes our reference, by which it is found again: UserField1, or none where the "
        "site uses that field itself.",
        default="UserField1",
        choices=("UserField1", "none"),
        label="Our reference on new suppliers",
        group=GROUP,
    ),
    Setting(
        "default_buyer",
        "Buyer of purchase orders that name none; may be empty. Codes: Browse on Buyers.",
        default="",
        label="Buyer of orders",
        group=GROUP,
    ),
    Setting(
        "default_product_class",
        "Product class of order lines that are not stocked. Codes: Browse on Product Classes.",
        default="",
        label="Product class of order lines",
        group=GROUP,
    ),
    Setting(
        "default_warehouse",
        "Warehouse of stocked goods on orders that name none. Empty: such lines are entered as not stocked (**), with "
        "their own code, text and GL code. Codes: Browse on Warehouses.",
        default="",
        label="Warehouse of orders",
        group=GROUP,
    ),
    Setting(
        "default_unit",
        "Unit of measure of order lines that name none.",
        default="EA",
        label="Unit of order lines",
        group=GROUP,
    ),
    Setting(
        "po_status",
        "Status that a new purchase order is given: 1 is ready to print.",
        default="1",
        label="Status of new orders",
        group=GROUP,
    ),
    Setting(
        "po_tax_status",
        "Tax status of purchase orders: N is not exempt, E is exempt.",
        default="N",
        choices=("N", "E"),
        label="Tax status of orders",
        group=GROUP,
    ),
    Setting(
        "clearing_bank",
        "Bank in which payments made elsewhere are booked. Codes: Browse on Banks.",
        default="",
        label="Bank of payments",
        group=GROUP,
    ),
    Setting(
        "payment_run",
        "Number of a manual payment run to which payments are added. Empty: each Run of the Flow opens one per "
        "currency.",
        default="",
        label="Manual payment run",
        group=GROUP,
    ),
    Setting(
        "manual_run_type",
        "Letter of PaymentType that makes a payment run a manual one. Not confirmed by the vendor.",
        default="M",
        label="Letter of a manual run",
        group=GROUP,
    ),
    Setting(
        "payment_void_elements",
        "Elements of APSTPV's item, which voids a payment, each with what stands in it: payment_number, supplier, "
        "bank, cheque, reference, date, amount or invoice. The vendor does not publish them: compare with APSTPV's "
        "schema in Base\\Schemas before payments are voided from here.",
        type=dict,
        default=VOID_ELEMENTS,
        label="Elements that void a payment",
        group=GROUP,
    ),
    Setting(
        "ap_control_account",
        "GL code of the payables account, for invoices that are posted as ledger journals.",
        default="",
        label="Payables account",
        group=GROUP,
    ),
)


@dataclass(frozen=True, slots=True)
class Writing:
    """The settings of writing, checked."""

    large_by_post: bool
    closed_letters: frozenset[str]
    branch: str
    terms: str
    currency: str
    supplier_class: str
    code_rule: str
    marks_suppliers: bool
    buyer: str
    product_class: str
    warehouse: str
    unit: str
    po_status: str
    tax_status: str
    clearing_bank: str
    payment_run: str
    manual_run_type: str
    void_elements: Mapping[str, str]
    control_account: str


def writing(given: Mapping[str, Any]) -> Writing:
    """The settings as the code uses them; all of them are given. Raises Refused naming the setting."""
    elements = dict(given["payment_void_elements"] or VOID_ELEMENTS)
    unknown = set(elements.values()) - VOID_VALUES
    if unknown:
        raise Refused(
            "bad_setting",
            f"payment_void_elements names {', '.join(sorted(unknown))}; known are {', '.join(sorted(VOID_VALUES))}.",
            "payment_void_elements",
        )
    return Writing(
        large_by_post=given["large_post_mode"] == "postld",
        closed_letters=frozenset(given["closed_period_letters"] or ()),
        branch=_plain(given, "default_branch_code"),
        terms=_plain(given, "default_terms"),
        currency=_plain(given, "default_currency"),
        supplier_class=_plain(given, "default_class"),
        code_rule=given["code_rule"],
        marks_suppliers=given["supplier_mark_field"] == "UserField1",
        buyer=_plain(given, "default_buyer"),
        product_class=_plain(given, "default_product_class"),
        warehouse=_plain(given, "default_warehouse"),
        unit=_plain(given, "default_unit"),
        po_status=_plain(given, "po_status"),
        tax_status=_plain(given, "po_tax_status"),
        clearing_bank=_plain(given, "clearing_bank"),
        payment_run=_plain(given, "payment_run"),
        manual_run_type=_plain(given, "manual_run_type"),
        void_elements=elements,
        control_account=_plain(given, "ap_control_account"),
    )


def _plain(given: Mapping[str, Any], name: str) -> str:
    return (given[name] or "").strip()
