"""An opened Connection to Procurify."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ml_connector.systems.base import Access, Identity, Source, Step, Target
from ml_connector.systems.procurify import accounts, currencies, vendors
from ml_connector.systems.procurify.approved import approved_bills
from ml_connector.systems.procurify.orders import orders
from ml_connector.systems.procurify.payments import PaidMarks
from ml_connector.systems.procurify.ping import identity, ping
from ml_connector.systems.procurify.receipts import receipts
from ml_connector.systems.procurify.session import Domain

READS = frozenset({
    "supplier", "gl_account", "cost_center", "currency", "payment_term", "purchase_order", "invoice", "receipt"
})  # fmt: skip
WRITES = frozenset({"supplier", "gl_account", "cost_center", "payment"})


class Client:
    """Makes the Sources and Targets, which share one token, one pace and one knowledge of the currencies."""

    def __init__(self, access: Access) -> None:
        self._domain = Domain(access)
        self._currencies = currencies.Currencies(self._domain)
        self.parallel = self._domain.options.parallel

    def source(self, record_type: str, policy: Mapping[str, Any]) -> Source[Any]:
        domain, known = self._domain, self._currencies
        makers: dict[str, Callable[[], Source[Any]]] = {
            "supplier": lambda: vendors.suppliers(domain, known),
            "gl_account": lambda: accounts.accounts(domain),
            "cost_center": lambda: accounts.departments(domain),
            "currency": lambda: currencies.currencies(domain),
            "payment_term": lambda: currencies.PaymentTerms(domain, vendors.list_path(domain.options)),
            "purchase_order": lambda: orders(domain, known, policy),
            "invoice": lambda: approved_bills(domain, known, policy),
            "receipt": lambda: receipts(domain),
        }
        return makers[record_type]()

    def target(self, record_type: str, policy: Mapping[str, Any]) -> Target[Any]:
        makers: dict[str, Callable[[], Target[Any]]] = {
            "supplier": lambda: vendors.Vendors(self._domain, self._currencies, policy),
            "gl_account": lambda: accounts.account_codes_target(self._domain),
            "cost_center": lambda: accounts.departments_target(self._domain),
            "payment": lambda: PaidMarks(self._domain),
        }
        return makers[record_type]()

    def identity(self) -> Identity:
        return identity(self._domain, self._currencies)

    def ping(self, record_types: Sequence[str], *, try_writing: bool = False) -> Iterator[Step]:
        """Writing is tried with the vendor that the settings name, and changes nothing."""
        return ping(self._domain, self._currencies, record_types, try_writing=try_writing)

    def server_time(self) -> datetime | None:
        return self._domain.server_time()

    def close(self) -> None:
        """Leaves the token alive: it belongs to every process of the Connection."""
        self._domain.close()
