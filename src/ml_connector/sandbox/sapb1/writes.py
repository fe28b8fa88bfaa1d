"""POST, PATCH, PUT, DELETE and the bound actions: each is checked whole, then done, then answered."""

from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.sapb1 import balances, errors
from ml_connector.sandbox.sapb1.addresses import Address, key_text
from ml_connector.sandbox.sapb1.books import Books, require
from ml_connector.sandbox.sapb1.documents import CODES, Documents
from ml_connector.sandbox.sapb1.drafts import Drafts
from ml_connector.sandbox.sapb1.errors import Refused, invalid, no_match, not_supported
from ml_connector.sandbox.sapb1.incoming import Reader, body_of
from ml_connector.sandbox.sapb1.masters import Masters
from ml_connector.sandbox.sapb1.output import PROTOCOL, answer, etag
from ml_connector.sandbox.sapb1.payments import Payments
from ml_connector.sandbox.sapb1.reads import Reads, wanted_tag
from ml_connector.sandbox.standin import Row

NO_CONTENT = "return-no-content"


class Writes:
    def __init__(self, books: Books, reads: Reads) -> None:
        self._books = books
        self._reads = reads
        self.documents = Documents(books)
        self.payments = Payments(books)
        self.drafts = Drafts(books, self.documents, self.payments)
        self.masters = Masters(books, self.documents)

    def create(self, request: Request, address: Address, root: str) -> Response:
        body = Reader(self._books.schema, self._books.lacks).row(self._books.schema.of(address.name), body_of(request))
        set_name, row = self.add(address.name, body)
        stored = Address(address.version, set_name, None, "")
        location = f"{root}/{set_name}{key_text(self._books.schema.of(set_name), row)}"
        headers = [("Location", location)]
        if NO_CONTENT in request.headers.get("prefer", ""):
            applied = ("Preference-Applied", NO_CONTENT)
            return Response(204, headers=[*headers, applied, PROTOCOL[address.version]])
        version_tag = etag(set_name, self._books.key(set_name, row), row)
        if version_tag:
            headers.append(("ETag", version_tag))
        return answer(self._reads.whole(stored, row, root), address.version, 201, headers)

    def add(self, set_name: str, body: Row, *, trusted: bool = False) -> tuple[str, Row]:
        """The set and the row that a body made: an approval procedure may have made a draft of it. Raises Refused."""
        if set_name in CODES or set_name == "VendorPayments":
            return self.drafts.create(set_name, body, trusted=trusted)
        if set_name == "Drafts":
            return set_name, self.drafts.add(body, trusted=trusted)
        if set_name == "PaymentDrafts":
            return set_name, self._books.put(set_name, self.payments.prepare(body, trusted=trusted))
        if set_name == "JournalEntries" and not trusted:
            raise not_supported()
        return set_name, self.masters.create(set_name, body)

    def change(self, request: Request, address: Address, *, whole: bool) -> Response:
        type_ = self._books.schema.of(address.name)
        row = self._found(request, address)
        body = Reader(self._books.schema, self._books.lacks).row(type_, body_of(request))
        for name in type_.keys:
            body.pop(name, None)
        replace = request.headers.get("b1s-replacecollectionsonpatch", "").lower() == "true"
        if body or whole:
            self.masters.change(address.name, row, body, replace=replace, whole=whole)
        return self._done(address)

    def delete(self, request: Request, address: Address) -> Response:
        self._found(request, address)
        self.masters.delete(address.name, address.key(self._books.schema.of(address.name)))
        return self._done(address)

    def act(self, request: Request, address: Address) -> Response:
        """A bound action. Raises Refused for one that the set does not have."""
        row = self._found(request, address)
        self.perform(address.name, row, address.rest)
        return self._done(address)

    def perform(self, set_name: str, row: Row, action: str) -> None:
        match set_name, action:
            case (("PurchaseInvoices" | "PurchaseCreditNotes" | "PurchaseOrders"), "Cancel"):
                self.documents.cancel(set_name, row)
            case "PurchaseOrders", ("Close" | "Reopen"):
                wanted = action == "Close"
                require(row["Cancelled"] == "tNO", invalid("Document is canceled [OPOR.CANCELED]"))
                require(balances.is_open(row) is wanted, invalid("Document has this status already [OPOR.DocStatus]"))
                balances.set_status(row, closed=wanted)
                self._books.touch(row)
            case "VendorPayments", ("Cancel" | "CancelbyCurrentSystemDate"):
                self.payments.cancel(row)
            case "PaymentDrafts", "SaveDraftToDocument":
                self.drafts.save_to_document(set_name, row["DocEntry"])
            case _:
                raise not_supported()

    def _found(self, request: Request, address: Address) -> Row:
        """The row that is to change, in the version that the client has seen. Raises Refused."""
        type_ = self._books.schema.of(address.name)
        key = address.key(type_)
        row = self._books.tables[address.name].get(key)
        if row is None:
            text = f"Entity with value('{key}') does not exist"
            raise Refused(404, errors.NOT_FOUND, text) if request.method != "POST" else no_match()
        seen = wanted_tag(request)
        if seen is not None and seen != etag(address.name, key, row):
            text = "Another user modified data; update failed (ODBC -2039)"
            raise Refused(412, errors.CHANGED_MEANWHILE, text)
        return row

    def _done(self, address: Address) -> Response:
        return Response(204, headers=[PROTOCOL[address.version]])
