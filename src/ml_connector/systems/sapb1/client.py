"""An opened Connection to SAP Business One."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ml_connector.systems.base import Access, Balance, Identity, Source, Step, Target
from ml_connector.systems.sapb1 import company
from ml_connector.systems.sapb1.accounts import accounts, clearing, cost_centers
from ml_connector.systems.sapb1.company import Books
from ml_connector.systems.sapb1.invoices import Invoices
from ml_connector.systems.sapb1.partners import Suppliers
from ml_connector.systems.sapb1.payments import VendorPayments, payments
from ml_connector.systems.sapb1.ping import ping
from ml_connector.systems.sapb1.reading import Reading
from ml_connector.systems.sapb1.session import PARALLEL, ServiceLayer

READS = frozenset({"supplier", "gl_account", "cost_center", "invoice", "payment"})
WRITES = frozenset({"payment"})


class Client:
    """Makes the Sources and Targets, which share one session and one knowledge of the company."""

    parallel = PARALLEL
    """The Service Layer handles the calls of a session one after another."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._layer = ServiceLayer(access)
        self._reading = Reading(self._layer)
        self._books = Books(self._layer)

    def source(self, record_type: str, policy: Mapping[str, Any]) -> Source[Any]:
        """For invoices `policy["only"]` chooses: credit_note reads purchase credit notes, all else invoices."""
        reading, books, chosen, now = self._reading, self._books, self._layer.options, self._access.now
        makers: dict[str, Callable[[], Source[Any]]] = {
            "supplier": lambda: Suppliers(reading, books, chosen, now),
            "gl_account": lambda: accounts(reading, chosen, now),
            "cost_center": lambda: cost_centers(reading, chosen),
            "invoice": lambda: Invoices(reading, books, chosen, policy, now),
            "payment": lambda: payments(reading, books, policy),
        }
        return makers[record_type]()

    def target(self, record_type: str, policy: Mapping[str, Any]) -> Target[Any]:
        makers: dict[str, Callable[[], Target[Any]]] = {
            "payment": lambda: VendorPayments(self._reading, self._books, self._layer.options),
        }
        return makers[record_type]()

    def clearing(self) -> Balance | None:
        return clearing(self._reading, self._books, self._layer.options)

    def identity(self) -> Identity:
        return company.identity(self._layer)

    def ping(self, record_types: Sequence[str], *, try_writing: bool = False) -> Iterator[Step]:
        """Reading only: the one thing that is written is a payment, which nobody posts for a test."""
        return ping(self._reading, self._books, record_types)

    def server_time(self) -> datetime | None:
        return self._layer.server_time()

    def close(self) -> None:
        """Leaves the session alive: it belongs to every process of the Connection."""
        self._layer.close()
