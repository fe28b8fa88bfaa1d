"""An opened Connection to AvidXchange."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ml_connector.systems.avidxchange import codes
from ml_connector.systems.avidxchange.captured import Batches, CapturedInvoices, accounting_system
from ml_connector.systems.avidxchange.invoices import Invoices, approvals
from ml_connector.systems.avidxchange.orders import Orders
from ml_connector.systems.avidxchange.payments import payments
from ml_connector.systems.avidxchange.ping import ping
from ml_connector.systems.avidxchange.session import PARALLEL, Avid
from ml_connector.systems.avidxchange.vendors import Vendors, read_vendors
from ml_connector.systems.base import Access, Identity, Source, Step, Target

READS = frozenset({"supplier", "gl_account", "cost_center", "invoice", "invoice_approval", "payment"})
WRITES = frozenset({"supplier", "gl_account", "cost_center", "purchase_order", "invoice"})


class Client:
    """Makes the Sources and Targets, which share one token. `invoice` is read as captured in AvidXchange, and written
    as entered in the ERP."""

    parallel = PARALLEL

    def __init__(self, access: Access) -> None:
        self._avid = Avid(access)
        self.batches = Batches(self._avid)
        """The batches of captured invoices, and their acknowledgement."""

    def source(self, record_type: str, policy: Mapping[str, Any]) -> Source[Any]:
        makers: dict[str, Callable[[], Source[Any]]] = {
            "supplier": lambda: read_vendors(self._avid),
            "gl_account": lambda: codes.read_codes(self._avid, self._avid.settings.account_group),
            "cost_center": lambda: codes.read_codes(self._avid, codes.cost_center_group(self._avid)),
            "invoice": lambda: CapturedInvoices(self._avid),
            "invoice_approval": lambda: approvals(self._avid),
            "payment": lambda: payments(self._avid),
        }
        return makers[record_type]()

    def target(self, record_type: str, policy: Mapping[str, Any]) -> Target[Any]:
        makers: dict[str, Callable[[], Target[Any]]] = {
            "supplier": lambda: Vendors(self._avid, policy),
            "gl_account": lambda: codes.accounts(self._avid),
            "cost_center": lambda: codes.cost_centers(self._avid),
            "purchase_order": lambda: Orders(self._avid),
            "invoice": lambda: Invoices(self._avid),
        }
        return makers[record_type]()

    def identity(self) -> Identity:
        """The company and its accounting system."""
        key, name = accounting_system(self._avid)
        company = self._avid.settings.company_id
        return Identity(f"{company}/{key}", f"AvidXchange company {company}, accounting system {name}")

    def ping(self, record_types: Sequence[str], *, try_writing: bool = False) -> Iterator[Step]:
        """Reading only: whether the key may write shows at the first write."""
        return ping(self._avid, record_types)

    def server_time(self) -> datetime | None:
        return self._avid.server_time()

    def close(self) -> None:
        """Leaves the token alive: it belongs to every process of the Connection."""
        self._avid.close()
