"""Which Target writes which record type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ml_connector.systems.base import Target
from ml_connector.systems.syspro.invoices import Invoices, Policy
from ml_connector.systems.syspro.policies import JOURNAL, policies
from ml_connector.systems.syspro.reading import Tables
from ml_connector.systems.syspro.settings import Options
from ml_connector.systems.syspro.suppliers import suppliers
from ml_connector.systems.syspro.writing.company import Company
from ml_connector.systems.syspro.writing.invoices import ApInvoices
from ml_connector.systems.syspro.writing.journals import InvoiceJournals, Journals
from ml_connector.systems.syspro.writing.orders import Orders
from ml_connector.systems.syspro.writing.payments import ApPayments
from ml_connector.systems.syspro.writing.poster import Poster
from ml_connector.systems.syspro.writing.suppliers import Suppliers

WRITES = frozenset({"invoice", "journal_entry", "payment", "purchase_order", "supplier"})


def targets(
    tables: Tables, options: Options, policy: Mapping[str, Any], now: Callable[[], datetime]
) -> dict[str, Callable[[], Target[Any]]]:
    """What makes each Target, by record type. Raises Refused for a policy that has no such value."""
    poster = Poster(tables.enet, options)
    chosen = policies(policy)
    company = Company(tables, options)
    everyone = replace(options, supplier_filter={})
    journals = Journals(poster, company, chosen)

    def invoices() -> Target[Any]:
        if chosen.post_as == JOURNAL:
            return InvoiceJournals(journals, company, chosen)
        return ApInvoices(poster, company, Invoices(tables, options, Policy(), now), chosen)

    return {
        "invoice": invoices,
        "journal_entry": lambda: journals,
        "payment": lambda: ApPayments(poster, company, chosen),
        "purchase_order": lambda: Orders(poster, company, chosen),
        "supplier": lambda: Suppliers(poster, company, suppliers(tables, everyone), chosen),
    }
