"""The control side: what people see and do in P2P, past the API.

Types are the collections (a row is changed as a person in P2P would), and

    accountingDocuments   invoices; one that begins to wait is announced to subscribers
    p2p.vendors, ...      what P2P has of each collection, only to be read
    companies, organizationElements, currencies    what is set up in P2P
    requestStatus, errorFeedbacks, tasks           only to be read
    subscriptions, tokens                          only to be deleted
    actions               what a person does, see actions
"""

from collections.abc import Sequence

from ml_connector.sandbox.basware.access import Access
from ml_connector.sandbox.basware.actions import Actions
from ml_connector.sandbox.basware.documents import NAME as DOCUMENTS
from ml_connector.sandbox.basware.documents import Documents
from ml_connector.sandbox.basware.incoming import Reader
from ml_connector.sandbox.basware.kinds import KINDS
from ml_connector.sandbox.basware.masters import Masters
from ml_connector.sandbox.basware.p2p import P2P
from ml_connector.sandbox.basware.processing import Processing
from ml_connector.sandbox.basware.statuses import Statuses
from ml_connector.sandbox.basware.subscriptions import Subscriptions
from ml_connector.sandbox.basware.tables import Table
from ml_connector.sandbox.standin import BadInput, Row

INSIDE = "p2p."
SET_UP = ("companies", "organizationElements", "currencies")
OTHERS = ("requestStatus", "errorFeedbacks", "subscriptions", "tasks", "tokens", "actions")


class Desk:
    def __init__(
        self,
        p2p: P2P,
        processing: Processing,
        masters: Masters,
        documents: Documents,
        statuses: Statuses,
        subscriptions: Subscriptions,
        access: Access,
    ) -> None:
        self._p2p = p2p
        self._processing = processing
        self._masters = masters
        self._documents = documents
        self._statuses = statuses
        self._subscriptions = subscriptions
        self._access = access
        self._actions = Actions(processing, masters, documents, subscriptions)

    def types(self) -> Sequence[str]:
        inside = (f"{INSIDE}{name}" for name in KINDS)
        return (*KINDS, DOCUMENTS, *inside, *SET_UP, *OTHERS)

    def state(self, type_name: str) -> list[Row]:
        match type_name:
            case "requestStatus":
                return self._statuses.rows()
            case "tokens":
                return self._access.rows()
            case "actions":
                return self._actions.done
        return [dict(row) for row in self._table(type_name)]

    def edit(self, type_name: str, rows: list[Row]) -> list[Row]:
        """Raises BadInput; the rows before the wrong one stay."""
        if type_name in KINDS:
            return [self._masters.edit(KINDS[type_name], row) for row in rows]
        if type_name in SET_UP:
            return [self._set_up(type_name, row) for row in rows]
        match type_name:
            case "accountingDocuments":
                return [dict(self._documents.edit(row)) for row in rows]
            case "tokens":
                return self._access.edit(rows)
            case "subscriptions":
                return [self._unsubscribe(row) for row in rows]
            case "actions":
                return [self._actions.perform(row) for row in rows]
        raise BadInput(f"{type_name} can only be read")

    def _table(self, type_name: str) -> Table:
        if type_name.startswith(INSIDE):
            return self._p2p.records[type_name.removeprefix(INSIDE)]
        if type_name in KINDS:
            return self._masters.tables[type_name]
        tables = {
            DOCUMENTS: self._documents.table,
            "companies": self._p2p.companies,
            "organizationElements": self._p2p.elements,
            "currencies": self._p2p.currencies,
            "errorFeedbacks": self._processing.feedbacks,
            "subscriptions": self._subscriptions.table,
            "tasks": self._subscriptions.tasks,
        }
        return tables[type_name]

    def _set_up(self, type_name: str, given: Row) -> Row:
        table = self._table(type_name)
        key_name = "companyCode" if type_name == "companies" else "code"
        key = given.get(key_name)
        if not isinstance(key, str) or not key:
            raise BadInput(f"{type_name}: a row needs {key_name}")
        if given.get("_delete") is True:
            table.remove(key)
            return given
        row = {**(table.get(key) or {"active": True}), **given}
        if type_name == "companies":
            reader = Reader("reject")
            row = reader.entity("Company", {"lastUpdated": "2026-01-01T00:00:00Z", **row}, trusted=True)
            if reader.wrong:
                raise BadInput(f"companies {key}: {'; '.join(reader.wrong)}")
        elif type_name == "organizationElements" and not isinstance(row.get("companyCode"), str):
            raise BadInput(f"organizationElements {key}: a row needs companyCode")
        table.put(key, row)
        return row

    def _unsubscribe(self, row: Row) -> Row:
        if row.get("_delete") is not True:
            raise BadInput("subscriptions: only _delete; a subscription begins with POST subscriptions")
        for key, known in list(self._subscriptions.table.keyed()):
            if all(known.get(name) == value for name, value in row.items() if name != "_delete"):
                self._subscriptions.table.remove(key)
        return row
