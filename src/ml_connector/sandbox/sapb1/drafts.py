"""Drafts: kept by a person, or left behind by an approval procedure that caught a posting."""

from decimal import Decimal

from ml_connector.sandbox.sapb1 import errors
from ml_connector.sandbox.sapb1.books import Books, require
from ml_connector.sandbox.sapb1.documents import KINDS, Documents
from ml_connector.sandbox.sapb1.errors import Refused, invalid, no_match
from ml_connector.sandbox.sapb1.payments import Payments
from ml_connector.sandbox.standin import BadInput, Row

STATES = {
    "Drafts": ("dasWithout", "dasPending", "dasApproved", "dasRejected", "dasGenerated"),
    "PaymentDrafts": ("pasWithout", "pasPending", "pasApproved", "pasRejected", "pasGenerated"),
}
"""Without a procedure, waiting, approved, rejected, and that of the document that came of it."""


class Drafts:
    def __init__(self, books: Books, documents: Documents, payments: Payments) -> None:
        self._books = books
        self._documents = documents
        self._payments = payments

    def add(self, body: Row, *, trusted: bool = False) -> Row:
        """A draft of the kind that DocObjectCode names; it books nothing. Raises Refused."""
        kind = KINDS.get(body.get("DocObjectCode") or "")
        if kind is None:
            raise invalid("Enter a valid object code [ODRF.ObjType]")
        return self._store("Drafts", self._documents.prepare(kind, body, trusted=trusted), state=0)

    def create(self, kind: str, body: Row, *, trusted: bool = False) -> tuple[str, Row]:
        """Posts a document or a payment, and returns its set and row.

        Where the approval procedure catches it a draft is stored instead, and Refused raised, or the draft returned,
        as the site has it. Raises Refused.
        """
        drafts = "PaymentDrafts" if kind == "VendorPayments" else "Drafts"
        prepared = self._prepare(kind, body, trusted=trusted)
        if trusted or not self._is_caught(kind, prepared):
            return kind, self._post(kind, prepared)
        draft = self._store(drafts, prepared, state=1)
        if self._books.options.approval_answer == "refused":
            raise Refused(400, errors.NOT_FOUND, "No matching records found (ODBC -2028)")
        return drafts, draft

    def save_to_document(self, drafts: str, entry: object) -> Row:
        """What the originator does with an approved draft, or a person with a free one. Raises Refused."""
        draft = self._books.tables[drafts].get(entry)
        if draft is None:
            raise no_match()
        without, _, approved, _, generated = STATES[drafts]
        status = draft["AuthorizationStatus"]
        require(status in (without, approved), invalid("The draft is not approved [ODRF.WddStatus]"))
        kind = "VendorPayments" if drafts == "PaymentDrafts" else KINDS[draft["DocObjectCode"]]
        document = self._prepare(kind, draft["_body"], trusted=False)
        document["AuthorizationStatus"] = generated if status == approved else without
        posted = self._post(kind, document)
        del self._books.tables[drafts][entry]
        return posted

    def decide(self, drafts: str, entry: object, *, approved: bool) -> Row:
        """The approver's decision. Raises BadInput for a draft that does not wait for one."""
        draft = self._books.tables[drafts].get(entry)
        _, pending, yes, no, _ = STATES[drafts]
        if draft is None or draft["AuthorizationStatus"] != pending:
            raise BadInput(f"{drafts} {entry}: no such draft that waits for approval")
        draft["AuthorizationStatus"] = yes if approved else no
        if drafts == "Drafts":
            self._books.touch(draft)
        return draft

    def _prepare(self, kind: str, body: Row, *, trusted: bool) -> Row:
        if kind == "VendorPayments":
            return self._payments.prepare(body, trusted=trusted)
        return self._documents.prepare(kind, body, trusted=trusted)

    def _post(self, kind: str, prepared: Row) -> Row:
        if kind == "VendorPayments":
            return self._payments.post(prepared)
        return self._documents.post(kind, prepared)

    def _store(self, drafts: str, prepared: Row, state: int) -> Row:
        prepared["AuthorizationStatus"] = STATES[drafts][state]
        return self._books.put(drafts, prepared)

    def _is_caught(self, kind: str, prepared: Row) -> bool:
        limit = self._books.options.approval_above
        if limit is None:
            return False
        amount = self._payments.local_means(prepared) if kind == "VendorPayments" else Decimal(prepared["DocTotal"])
        return amount > limit
