"""An opened Connection to Basware."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ml_connector.systems.base import Access, Identity, Source, Step, Target
from ml_connector.systems.basware import vendors
from ml_connector.systems.basware.accounts import accounts, cost_centers
from ml_connector.systems.basware.handshake import Transfers
from ml_connector.systems.basware.invoices import ApprovedInvoices
from ml_connector.systems.basware.masters import Copies, Kind, Masters
from ml_connector.systems.basware.ordering import Orders
from ml_connector.systems.basware.payments import PaymentResponses
from ml_connector.systems.basware.ping import identity, ping
from ml_connector.systems.basware.session import P2P
from ml_connector.systems.basware.settings import PARALLEL, Company
from ml_connector.systems.basware.statuses import Statuses
from ml_connector.systems.basware.terms import payment_terms, tax_codes
from ml_connector.systems.basware.webhooks import BaswareSubscriptions

READS = frozenset({"invoice", "supplier", "gl_account", "cost_center", "payment_term", "tax_code"})
WRITES = frozenset({
    "supplier", "gl_account", "cost_center", "payment_term", "tax_code", "purchase_order", "payment"
})  # fmt: skip


class Client:
    """Makes the Sources and Targets, which share one token and one way of asking for outcomes.

    A Flow's policy `company` names the ERP's company that it is for, where company_map has several.
    """

    parallel = PARALLEL

    def __init__(self, access: Access) -> None:
        self._access = access
        self._p2p = P2P(access)
        self._codes: dict[str, vendors.VendorCodes] = {}
        self.statuses = Statuses(self._p2p)
        """Outcomes of requests: the sweep of failed ones, and their acknowledgement."""
        self.transfers = Transfers(self._p2p, self.statuses)
        """The handshake over approved invoices."""

    def source(self, record_type: str, policy: Mapping[str, Any]) -> Source[Any]:
        named = str(policy.get("company") or "")
        if record_type == "invoice":
            code = self._p2p.options.company(named).code if named else ""
            return ApprovedInvoices(self._p2p, self.transfers, code)
        if record_type == "supplier":
            return vendors.SupplierEnrichment(self._p2p, self._p2p.options)
        kind = self._kinds()[record_type](self._p2p.options.company(named), "")
        return Copies(self._p2p, kind)

    def target(self, record_type: str, policy: Mapping[str, Any]) -> Target[Any]:
        makers: dict[str, Callable[[Company, str], Target[Any]]] = {
            **{name: self._masters(kind) for name, kind in self._kinds().items()},
            "supplier": self._vendors,
            "purchase_order": lambda company, now: Orders(
                self._p2p, self.statuses, company, self._vendor_codes(company), now
            ),
            "payment": lambda _company, _: PaymentResponses(self._p2p, self.statuses),
        }
        make = makers[record_type]
        company = self._p2p.options.company(str(policy.get("company") or ""))
        return make(company, self._access.now().isoformat(timespec="seconds"))

    def identity(self) -> Identity:
        return identity(self._p2p)

    def ping(self, record_types: Sequence[str], *, try_writing: bool = False) -> Iterator[Step]:
        """Reading only: whether the client may write shows at the first write."""
        return ping(self._p2p, record_types)

    def subscriptions(self) -> BaswareSubscriptions:
        return BaswareSubscriptions(self._p2p)

    def server_time(self) -> datetime | None:
        return self._p2p.server_time()

    def close(self) -> None:
        """Leaves the token alive: it belongs to every process of the Connection."""
        self._p2p.close()

    def _kinds(self) -> dict[str, Callable[[Company, str], Kind[Any]]]:
        """What is posted in one way, by company and time of sending."""
        chosen = self._p2p.options
        return {
            "gl_account": lambda company, now: accounts(chosen, company, now),
            "cost_center": lambda company, now: cost_centers(chosen, company, now),
            "payment_term": lambda company, _: payment_terms(chosen, company),
            "tax_code": lambda company, _: tax_codes(chosen, company),
        }

    def _masters(self, kind: Callable[[Company, str], Kind[Any]]) -> Callable[[Company, str], Target[Any]]:
        return lambda company, now: Masters(self._p2p, self.statuses, kind(company, now))

    def _vendors(self, company: Company, now: str) -> vendors.Vendors:
        kind = vendors.kind(self._p2p.options, company, now)
        return vendors.Vendors(self._p2p, self.statuses, kind, self._vendor_codes(company))

    def _vendor_codes(self, company: Company) -> vendors.VendorCodes:
        return self._codes.setdefault(company.code, vendors.VendorCodes(self._p2p, company))
