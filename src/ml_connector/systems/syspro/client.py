"""An opened Connection to SYSPRO: e.net for what asks for a session, OData where the site has it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ml_connector.systems.base import Access, Identity, Source, Step, Target
from ml_connector.systems.syspro import company
from ml_connector.systems.syspro.accounts import cost_centers, gl_accounts
from ml_connector.systems.syspro.codes import currency_codes, payment_terms
from ml_connector.systems.syspro.invoices import Invoices, Policy
from ml_connector.systems.syspro.orders import Orders
from ml_connector.systems.syspro.payments import Payments
from ml_connector.systems.syspro.ping import ping
from ml_connector.systems.syspro.reading import Tables
from ml_connector.systems.syspro.session import SECRET_PARAMETERS, Enet
from ml_connector.systems.syspro.settings import options
from ml_connector.systems.syspro.suppliers import suppliers
from ml_connector.systems.syspro.writing.targets import targets
from ml_connector.systems.transport.http import Http
from ml_connector.systems.transport.odata import Service

NAME = "SYSPRO"


class Client:
    """One company of one SYSPRO server, under one operator."""

    parallel = 1
    """e.net serves an operator's calls one after another; parallel ones break each other."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._options = options(access.settings)
        self._enet_http = self._http(self._options.enet_rest_base)
        self._odata_http = self._http(self._options.odata_root) if self._options.odata_root else None
        service = None
        if self._odata_http is not None:
            password = access.secrets.get("odata_password", "")
            basic = b64encode(f"{self._options.odata_user}:{password}".encode()).decode()
            service = Service(self._odata_http, self._options.odata_root, f"Basic {basic}", f"{NAME} OData")
        self._tables = Tables(self._options, Enet(access, self._options, self._enet_http), service)

    def source(self, record_type: str, policy: Mapping[str, Any]) -> Source[Any]:
        tables, chosen, now = self._tables, self._options, self._access.now
        sources: dict[str, Callable[[], Source[Any]]] = {
            "supplier": lambda: suppliers(tables, chosen, self._access.fingerprint),
            "invoice": lambda: Invoices(tables, chosen, Policy.of(policy), now),
            "payment": lambda: Payments(tables, chosen, policy, now),
            "gl_account": lambda: gl_accounts(tables, chosen),
            "cost_center": lambda: cost_centers(tables, chosen),
            "currency": lambda: currency_codes(tables, chosen),
            "payment_term": lambda: payment_terms(tables),
            "purchase_order": lambda: Orders(tables, chosen, now),
        }
        return sources[record_type]()

    def target(self, record_type: str, policy: Mapping[str, Any]) -> Target[Any]:
        """For invoices `policy["post_as"]` chooses: journal posts to the ledger alone, all else to payables."""
        return targets(self._tables, self._options, policy, self._access.now)[record_type]()

    def identity(self) -> Identity:
        return company.identity(self._tables.enet, self._options)

    def periods(self) -> company.Periods:
        """The ledger's periods and their status (R33)."""
        return company.periods(self._tables.reading(), self._options)

    def ping(self, record_types: Sequence[str], *, try_writing: bool = False) -> Iterator[Step]:
        """`try_writing` has each business object check an empty document, which writes nothing."""
        return ping(self._tables, self._options, record_types, try_writing=try_writing)

    def server_time(self) -> datetime | None:
        return self._enet_http.server_time()

    def close(self) -> None:
        """Leaves the session alive: it belongs to every process of the Connection."""
        self._enet_http.close()
        if self._odata_http is not None:
            self._odata_http.close()

    def _http(self, base: str) -> Http:
        return Http(
            base,
            name=NAME,
            access_network=self._access.network,
            may_write=self._access.may_write,
            parallel=self.parallel,
            ca_certificates=self._options.ca_certificates,
            secret_parameters=SECRET_PARAMETERS,
            allow_plain_http=True,
        )
