"""The tables that are read before or after a write, with the columns that are used."""

from __future__ import annotations

from decimal import Decimal

from ml_connector.systems.syspro.tables import Row, Text


class InvoiceReference(Row):
    """Of ApInvoice what a search needs: our mark, and where the invoice was booked."""

    NAME = "ApInvoice"
    KEY = ("Supplier", "Invoice")
    supplier: str
    invoice: str
    invoice_year: int
    invoice_month: int
    journal: int
    entry_number: int
    reference: Text


class Payee(Row):
    """Of ApSupplier what a document of it depends on."""

    NAME = "ApSupplier"
    KEY = ("Supplier",)
    supplier: str
    supplier_name: Text
    currency: Text
    on_hold: Text
    grn_match_reqd: Text


class SupplierCode(Row):
    """Of ApSupplier what a new supplier's code must not repeat, and what our mark stands in."""

    NAME = "ApSupplier"
    KEY = ("Supplier",)
    supplier: str
    supplier_name: Text
    user_field1: Text


class GrnDetails(Row):
    """Goods received notes with what of them was invoiced."""

    NAME = "GrnDetails"
    KEY = ("Supplier", "Grn", "GrnSource", "Journal", "JournalEntry")
    supplier: str
    grn: str
    grn_source: str
    journal: int
    journal_entry: int
    purchase_order: str
    purchase_order_lin: int
    qty_received: Decimal
    cur_grn_value: Decimal
    matched_value: Decimal
    currency_value: Decimal
    grn_matched_flag: Text


class PorMasterHdr(Row):
    NAME = "PorMasterHdr"
    KEY = ("PurchaseOrder",)
    purchase_order: str
    supplier: str
    order_status: Text
    cancelled_flag: Text
    order_entry_date: Text
    order_due_date: Text
    customer_po_number: Text
    currency: Text
    buyer: Text
    warehouse: Text
    terms_code: Text


class PorMasterDetail(Row):
    NAME = "PorMasterDetail"
    KEY = ("PurchaseOrder", "Line")
    purchase_order: str
    line: int
    line_type: Text
    m_stock_code: Text
    m_stock_des: Text
    m_warehouse: Text
    m_order_uom: Text
    m_order_qty: Decimal
    m_received_qty: Decimal
    m_latest_due_date: Text
    m_price: Decimal
    m_foreign_price: Decimal
    m_price_uom: Text
    m_tax_code: Text
    m_complete_flag: Text
    m_gl_code: Text
    n_comment: Text
    n_msc_charge_value: Decimal
    n_msc_charge_for: Decimal


class GenJournalCtl(Row):
    NAME = "GenJournalCtl"
    KEY = ("GlYear", "GlPeriod", "GlJournal")
    gl_year: int
    gl_period: int
    gl_journal: int
    journal_date: Text
    reference: Text
    notation: Text
    debit_amount: Decimal
    jnl_status: Text


class GenJournalDetail(Row):
    NAME = "GenJournalDetail"
    KEY = ("GlYear", "GlPeriod", "Journal", "EntryNumber")
    gl_year: int
    gl_period: int
    journal: int
    entry_number: int
    entry_type: Text
    gl_code: str
    comment: Text
    entry_value: Decimal
