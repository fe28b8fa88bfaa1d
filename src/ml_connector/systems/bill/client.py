"""An opened Connection to BILL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ml_connector.systems.base import Access, Identity, Source, Step, Target
from ml_connector.systems.bill.accounts import accounts, cost_centers
from ml_connector.systems.bill.bills import Bills
from ml_connector.systems.bill.credits import VendorCredits
from ml_connector.systems.bill.currencies import Currencies
from ml_connector.systems.bill.payments import OutsidePayments, payments
from ml_connector.systems.bill.ping import ping
from ml_connector.systems.bill.session import PARALLEL, Bill
from ml_connector.systems.bill.vendor_reading import ReadVendors
from ml_connector.systems.bill.vendors import Vendors
from ml_connector.systems.bill.webhooks import BillSubscriptions

READS = frozenset({"supplier", "gl_account", "cost_center", "payment"})
WRITES = frozenset({"supplier", "invoice", "payment"})


class BillClient:
    """Makes the Sources and Targets, which share one session, one set of limits and one memory of currencies."""

    parallel = PARALLEL

    def __init__(self, access: Access) -> None:
        self._bill = Bill(access)
        self._currencies = Currencies(self._bill)

    def source(self, record_type: str, policy: Mapping[str, Any]) -> Source[Any]:
        makers: dict[str, Callable[[], Source[Any]]] = {
            "supplier": lambda: ReadVendors(self._bill),
            "gl_account": lambda: accounts(self._bill),
            "cost_center": lambda: cost_centers(self._bill, self._bill.settings.cost_center_axis),
            "payment": lambda: payments(self._bill, self._currencies),
        }
        return makers[record_type]()

    def target(self, record_type: str, policy: Mapping[str, Any]) -> Target[Any]:
        """For invoices `policy["only"]` chooses: credit_note is written as vendor credits, all else as bills."""
        documents = VendorCredits if policy.get("only") == "credit_note" else Bills
        makers: dict[str, Callable[[], Target[Any]]] = {
            "supplier": lambda: Vendors(self._bill, self._currencies),
            "invoice": lambda: documents(self._bill, self._currencies, policy),
            "payment": lambda: OutsidePayments(self._bill, self._currencies),
        }
        return makers[record_type]()

    def identity(self) -> Identity:
        key = self._bill.organization()
        return Identity(key, f"BILL organisation {key} ({self._bill.settings.environment})")

    def ping(self, record_types: Sequence[str], *, try_writing: bool = False) -> Iterator[Step]:
        return ping(self._bill, record_types, try_writing=try_writing)

    def subscriptions(self) -> BillSubscriptions:
        return BillSubscriptions(self._bill)

    def server_time(self) -> datetime | None:
        return self._bill.server_time()

    def close(self) -> None:
        self._bill.close()
