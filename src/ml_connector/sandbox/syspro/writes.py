"""The business objects that write, and how a call reaches one of them."""

from ml_connector.sandbox.syspro.apsssp import APSSSP
from ml_connector.sandbox.syspro.apstin import APSTIN
from ml_connector.sandbox.syspro.books import Books
from ml_connector.sandbox.syspro.documents import Refused
from ml_connector.sandbox.syspro.gentjl import GENTJL
from ml_connector.sandbox.syspro.ledger import Ledger
from ml_connector.sandbox.syspro.options import SysproOptions
from ml_connector.sandbox.syspro.payment_runs import APSTPY
from ml_connector.sandbox.syspro.payments import APSTPM
from ml_connector.sandbox.syspro.portoi import PORTOI
from ml_connector.sandbox.syspro.posting import Call
from ml_connector.sandbox.syspro.sessions import NOT_INSTALLED
from ml_connector.sandbox.syspro.settling import Settling
from ml_connector.sandbox.syspro.voids import APSTPV

BUSINESS_OBJECTS = {one.code: one for one in (APSTIN, APSSSP, GENTJL, PORTOI, APSTPY, APSTPM, APSTPV)}


class Writes:
    def __init__(self, books: Books, ledger: Ledger, options: SysproOptions, settling: Settling) -> None:
        self._books = books
        self._ledger = ledger
        self._options = options
        self._settling = settling

    def post(self, code: str, action: str, operator: str, parameters: str | None, xml: str | None) -> bytes:
        """The answer of a business object. Raises Refused, as for one that does not know the action."""
        found = BUSINESS_OBJECTS.get(code)
        if found is None or (found.kind == "transaction") != (action == "post"):
            raise Refused(NOT_INSTALLED)
        call = Call(self._books, self._ledger, self._options, operator, action)
        with self._books.transaction() as transaction:
            answer = found.run(call, transaction, parameters, xml)
        self._settling.add(transaction.changes)
        return answer
