"""Vendors.

BILL: name 1 to 100 characters, address required with a two-letter country, no PUT and no DELETE (archive and
restore), bank details cannot be patched, bulk create of at most 20.
"""

from ml_connector.sandbox.bill.errors import Refused, invalid, untrusted
from ml_connector.sandbox.bill.ids import VENDOR
from ml_connector.sandbox.bill.listing import AMONG, ANY_OF, EQUAL, Rules, flag, text, time
from ml_connector.sandbox.bill.reading import Reader, body_of, merged, without_null
from ml_connector.sandbox.bill.records import Books, Call, Creatable
from ml_connector.sandbox.http import Response
from ml_connector.sandbox.standin import Row

ACCOUNT_TYPES = ("BUSINESS", "PERSON", "NONE", "UNDEFINED")
TAX_ID_TYPES = ("EIN", "SSN", "UNDEFINED")
PAY_BY_TYPES = (
    "ACH",
    "CHECK",
    "INTERNATIONAL_E_PAYMENT",
    "OFFLINE",
    "RPPS",
    "VIRTUAL_CARD",
    "WALLET",
    "UNDEFINED",
)
PAY_BY_SUB_TYPES = ("ACH", "IACH", "LOCAL", "MULTIPLE", "NONE", "WIRE", "UNDEFINED")
NOT_IN_LISTS = ("paymentInformation", "additionalInfo", "autoPay")

RULES = Rules(
    filters={
        "id": text(*AMONG),
        "archived": flag(),
        "name": text("eq", "sw"),
        "accountType": text(*ANY_OF),
        "address.country": text(*EQUAL),
        "billCurrency": text(*ANY_OF),
        "paymentStatus": text(*ANY_OF),
        "createdTime": time(),
        "updatedTime": time(),
    },
    sorts=("archived", "name", "shortName", "email", "phone", "billCurrency", "createdTime", "updatedTime"),
)


class Vendors(Creatable):
    wrapper = "vendors"
    most = 20
    events = "vendor"
    watched = ("name", "address", "networkStatus")

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.vendors, RULES, VENDOR)

    def draft(self, body: object, batch: list[Row]) -> Row:
        reader = Reader(body)
        _read(reader, bank_account=True)
        row = without_null(self.taken(reader))
        self._refuse_auto_pay(row)
        self._check_name(row["name"], batch)
        return {**self.defaults(row), **row}

    def patch(self, call: Call) -> Response:
        row = self.find(call.ids[0])
        reader = Reader(body_of(call.request), partial=True)
        _read(reader, bank_account=False)
        taken = self.taken(reader)
        self._refuse_auto_pay(taken)
        return Response.json(self.show(self.change(row, merged(row, taken))))

    def show(self, row: Row, *, listed: bool = False) -> Row:
        if listed and self.books.options.vendor_list_short:
            return {name: value for name, value in row.items() if name not in NOT_IN_LISTS}
        return row

    def defaults(self, row: Row) -> Row:
        return {
            "name": "Unnamed vendor",
            "accountType": "BUSINESS",
            "billCurrency": "USD",
            "bankAccountStatus": "NO_ACCOUNT",
            "recurringPayments": False,
            "networkStatus": "NOT_CONNECTED",
        }

    def _check_name(self, name: str, batch: list[Row]) -> None:
        if self.books.options.vendor_duplicate_name == "allow":
            return
        if self.table.where("name", [name]) or any(draft["name"] == name for draft in batch):
            raise Refused(422, invalid(f"name: a vendor named {name} already exists."))

    def _refuse_auto_pay(self, row: Row) -> None:
        if row.get("autoPay") is not None:
            raise untrusted()


def _read(reader: Reader, *, bank_account: bool) -> None:
    reader.text("name", required=True, longest=100)
    reader.text("shortName", longest=40)
    reader.text("accountNumber")
    reader.choice("accountType", ACCOUNT_TYPES)
    reader.text("email")
    reader.text("phone")
    reader.matching("billCurrency", "[A-Z]{3}", "an ISO 4217 currency code")
    reader.inner("autoPay")
    address = reader.inner("address", required=True)
    if address is not None:
        for name in ("line1", "city", "zipOrPostalCode"):
            address.text(name, required=True)
        address.text("line2")
        address.text("stateOrProvince")
        address.matching("country", "[A-Z]{2}", "an ISO 3166-1 alpha-2 country code", required=True)
    payment = reader.inner("paymentInformation")
    if payment is not None:
        payment.text("payeeName")
        payment.text("email")
        payment.choice("payByType", PAY_BY_TYPES)
        payment.choice("payBySubType", PAY_BY_SUB_TYPES)
        if bank_account:
            _read_bank_account(payment)
    additional = reader.inner("additionalInfo")
    if additional is not None:
        additional.text("taxId")
        additional.choice("taxIdType", TAX_ID_TYPES)
        additional.flag("track1099")
        additional.integer("leadTimeInDays")
        additional.flag("combinePayments")
        additional.text("paymentTermId")
        additional.text("companyName")


def _read_bank_account(payment: Reader) -> None:
    account = payment.inner("bankAccount")
    if account is not None:
        account.text("nameOnAccount", required=True)
        account.text("accountNumber", required=True)
        account.text("routingNumber")
        account.choice("type", ("CHECKING", "SAVINGS"))
        account.choice("ownerType", ("BUSINESS", "PERSONAL", "PERSON"))
        account.matching("paymentCurrency", "[A-Z]{3}", "an ISO 4217 currency code")
