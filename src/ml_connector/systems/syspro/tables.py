"""The tables that are read, with exactly the columns that are used. One msgspec Struct per table, for both routes.

Field names follow the vendor's columns (`mth_inv_bal1` is `MthInvBal1`). Character columns may be padded with
blanks, dates may be null, empty or `0000-00-00`; numbers of OData are JSON numbers, those of COMFND padded text.
"""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, TypeVar, get_args, get_type_hints

import msgspec

from ml_connector.systems.base import ShapeChanged
from ml_connector.systems.transport.xml import to_decimal

Text = str | None
"""A character or date column."""


class Row(msgspec.Struct, rename="pascal", gc=False, kw_only=True):
    """One row of one table. Every column is required: a column that is gone is a change of shape (R20)."""

    NAME: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]
    """A full key, in the order that pages are read in."""
    fault: str | None = msgspec.field(name="@fault", default=None)
    """Why this one row cannot be used. Never read."""


T = TypeVar("T", bound=Row)


class ApSupplier(Row):
    NAME = "ApSupplier"
    KEY = ("Supplier",)
    supplier: str
    supplier_name: Text
    sup_short_name: Text
    supplier_class: Text
    branch: Text
    telephone: Text
    contact: Text
    email: Text
    currency: Text
    terms_code: Text
    required1099: Text
    grn_match_reqd: Text
    with_tax_id: Text
    merch_gl_code: Text
    nationality: Text
    tax_regn_num: Text
    on_hold: Text
    state: Text
    bank_account: Text
    bank_branch: Text
    pay_by_eft: Text
    eft_bank_acc_type: Text
    remit_email: Text


class ApSupplierAddr(Row):
    NAME = "ApSupplierAddr"
    KEY = ("Supplier",)
    supplier: str
    sup_addr1: Text
    sup_addr2: Text
    sup_addr3: Text
    sup_addr3_loc: Text
    sup_addr4: Text
    sup_addr5: Text
    sup_postal_code: Text
    remit_name: Text
    remit_addr1: Text
    remit_addr2: Text
    remit_addr3: Text
    remit_addr3_loc: Text
    remit_addr4: Text
    remit_addr5: Text
    remit_postal_code: Text


class SupplierTerms(Row):
    """Of ApSupplier what a due date is computed from."""

    NAME = "ApSupplier"
    KEY = ("Supplier",)
    supplier: str
    terms_code: Text


class ApInvoice(Row):
    """Primary key Supplier + Invoice; read in the order of journals, so that its postings can be merged in."""

    NAME = "ApInvoice"
    KEY = ("InvoiceYear", "InvoiceMonth", "Journal", "EntryNumber", "Supplier", "Invoice")
    supplier: str
    invoice: str
    invoice_year: int
    invoice_month: int
    journal: int
    entry_number: int
    journal_date: Text
    invoice_date: Text
    due_date: Text
    discount_date: Text
    reference: Text
    currency: Text
    invoice_status: Text
    orig_inv_value: Decimal
    orig_disc_value: Decimal
    mth_inv_bal1: Decimal
    total_adjustments: Decimal
    next_paym_entry: int
    conv_rate: Decimal
    mul_div: Text
    first_tax_code: Text


class InvoiceKey(Row):
    """Of ApInvoice what the completeness sweep needs."""

    NAME = "ApInvoice"
    KEY = ("Supplier", "Invoice")
    supplier: str
    invoice: str
    journal_date: Text


class ApJnlSummary(Row):
    NAME = "ApJnlSummary"
    KEY = ("TrnYear", "TrnMonth", "Journal", "EntryNumber")
    trn_year: int
    trn_month: int
    journal: int
    entry_number: int
    supplier: str
    invoice: str
    transaction_code: Text
    invoice_value: Decimal


class ApJnlDistrib(Row):
    NAME = "ApJnlDistrib"
    KEY = ("TrnYear", "TrnMonth", "Journal", "EntryNumber", "SubEntry")
    trn_year: int
    trn_month: int
    journal: int
    entry_number: int
    sub_entry: int
    trn_date: Text
    expense_gl_code: str
    expense_type: Text
    distr_value: Decimal
    reference: Text


class ApInvoicePay(Row):
    NAME = "ApInvoicePay"
    KEY = ("Supplier", "Invoice", "EntryNumber")
    supplier: str
    invoice: str
    entry_number: int
    trn_type: Text
    journal_date: Text
    payment_reference: Text
    trn_value: Decimal
    post_value: Decimal
    post_currency: Text
    post_conv_rate: Decimal
    post_mul_div: Text
    payment_number: str | int | None


class ApPayRunDet(Row):
    NAME = "ApPayRunDet"
    KEY = ("PaymentNumber", "Supplier", "Invoice")
    payment_number: str | int | None
    supplier: str
    invoice: str
    cheque: str | int | None
    cheque_date: Text


class GenMaster(Row):
    NAME = "GenMaster"
    KEY = ("Company", "GlCode")
    company: Text
    gl_code: str
    description: Text
    account_type: Text
    control_acc_flag: Text
    acc_on_hld_flag: Text
    analysis_required: Text
    analysis_category: Text


class GenAnalysisCode(Row):
    NAME = "GenAnalysisCode"
    KEY = ("AnalysisCategory", "AnalysisType", "AnalysisCode")
    analysis_category: Text
    analysis_type: str | int | None
    analysis_code: str
    description: Text


class TblCurrency(Row):
    NAME = "TblCurrency"
    KEY = ("Currency",)
    currency: str
    description: Text
    buy_exchange_rate: Decimal
    buy_mul_div: Text


class TblApTerms(Row):
    NAME = "TblApTerms"
    KEY = ("TermsCode",)
    terms_code: str
    description: Text
    disc_pct: Decimal
    disc_days: int
    due_days: int
    due_day_of_month: int
    due_months: int


class AdmTax(Row):
    NAME = "AdmTax"
    KEY = ("TaxCode",)
    tax_code: str
    cur_tax_rate: Decimal
    ap_tax_gl_code: Text


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table as it is used."""

    field: str
    name: str
    kind: type
    """str, int or Decimal: what its text means."""
    kinds: tuple[type, ...]
    nullable: bool


class CurrentPeriod(Row):
    """Of GenControl the current period."""

    NAME = "GenControl"
    KEY = ("Company",)
    company: Text
    gl_year: int
    gl_period: int


def made(name: str, fields: list[Any], namespace: dict[str, Any]) -> type[Row]:
    """A table whose columns are not written out."""
    table: Any = msgspec.defstruct(name, fields, bases=(Row,), namespace=namespace)
    result: type[Row] = table
    return result


def _gen_control() -> type[Row]:
    """GenControl has a status and an end for 15 periods of this year (Cur) and the last (Prv)."""
    fields: list[tuple[str, Any]] = [("company", Text), ("gl_year", int), ("gl_period", int)]
    for prefix in ("cur", "prv"):
        for number in range(1, 16):
            fields.append((f"{prefix}_yr_prd_stat{number}", Text))
            fields.append((f"{prefix}_yr_prd_end{number}", Text))
    namespace = {"NAME": "GenControl", "KEY": ("Company",)}
    return made("GenControl", fields, namespace)


GenControl = _gen_control()


@cache
def names(table: type[Row]) -> tuple[str, ...]:
    """The columns that a table is asked for."""
    return tuple(column.name for column in columns(table))


@cache
def columns(table: type[Row]) -> tuple[Column, ...]:
    hints = get_type_hints(table)
    result = []
    for entry in msgspec.structs.fields(table):
        if entry.name == "fault":
            continue
        hint = hints[entry.name]
        kinds = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        kind = str if str in kinds else kinds[0]
        result.append(Column(entry.name, entry.encode_name, kind, kinds, type(None) in kinds))
    return tuple(result)


def from_texts(table: type[T], rows: Sequence[Mapping[str, str]]) -> list[T]:
    """Rows whose columns came as text, named in lower case. Raises ShapeChanged for a column that is not there."""
    return _rows(table, rows, str.lower)


def from_json(table: type[T], rows: Sequence[Mapping[str, Any]]) -> list[T]:
    """Rows from JSON values that do not all fit. A column that is missing, or of another type, raises
    ShapeChanged; a text that is no number is the fault of its row alone, unless every row has it."""
    return _rows(table, rows, str)


def _rows(table: type[T], rows: Sequence[Mapping[str, Any]], spell: Callable[[str], str]) -> list[T]:
    spelt = [(column, spell(column.name)) for column in columns(table)]
    result = []
    faults: Counter[str] = Counter()
    for row in rows:
        values: dict[str, Any] = {}
        for column, name in spelt:
            try:
                values[column.field] = _value(table, column, row.get(name, _MISSING))
            except ValueError as no_number:
                if column.name in table.KEY:
                    raise ShapeChanged(f"{table.NAME}.{column.name}", f"A key of {table.NAME}: {no_number}") from None
                values[column.field] = column.kind()
                values["fault"] = f"source_shape_changed: {column.name} of {table.NAME} cannot be read: {no_number}"
                faults[column.name] += 1
        result.append(table(**values))
    for name, count in faults.items():
        if count == len(rows) > 1:
            raise ShapeChanged(f"{table.NAME}.{name}", f"No row of {table.NAME} has a number in {name} any more.")
    return result


_MISSING = object()


def _value(table: type[Row], column: Column, value: object) -> object:
    if value is _MISSING:
        raise ShapeChanged(
            f"{table.NAME}.{column.name}", f"SYSPRO's {table.NAME} has no column {column.name} any more."
        )
    if value is None and column.nullable:
        return None
    if column.kind is str:
        if isinstance(value, str):
            return value
    elif isinstance(value, str):
        return _number(column, to_decimal(value))
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _number(column, Decimal(value))
    if isinstance(value, int) and not isinstance(value, bool) and int in column.kinds:
        return value
    raise ShapeChanged(
        f"{table.NAME}.{column.name}",
        f"{column.name} of SYSPRO's {table.NAME} has another type than before: {type(value).__name__}.",
    )


def _number(column: Column, value: Decimal) -> int | Decimal:
    if column.kind is Decimal:
        return value
    if value != value.to_integral_value():
        raise ValueError(f"{value} is no whole number.")
    return int(value)
