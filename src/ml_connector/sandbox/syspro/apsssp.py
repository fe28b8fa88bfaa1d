"""APSSSP: supplier maintenance through Setup/Add, Setup/Update and Setup/Delete.

An update sets what it names. Answers are in lower case. ASSUMED: a supplier with documents cannot be deleted, nor
can its currency change while it owes or is owed; what an empty element of an update does is an option.
"""

from typing import Any

from ml_connector.sandbox.syspro.accounts import check_account
from ml_connector.sandbox.syspro.conditions import And, Compare
from ml_connector.sandbox.syspro.definition import Value, midnight
from ml_connector.sandbox.syspro.documents import Node
from ml_connector.sandbox.syspro.item import MISSING, NOT_ALLOWED, NOT_FOUND, Item
from ml_connector.sandbox.syspro.posting import BusinessObject, Call, Tally
from ml_connector.sandbox.syspro.schema import TABLES

DUPLICATE = 130301
HAS_DOCUMENTS = 130302

NEEDED = ("SupplierName", "Branch", "TermsCode", "Currency")
CODES = {"Branch": "ApBranch", "TermsCode": "TblApTerms", "Currency": "TblCurrency", "DefTaxCode": "AdmTax"}
FLAGS = ("OnHold", "GrnMatchReqd", "PurchOrdAllowed", "LctRequired", "PayByEft", "Contracts")
LEDGER_CODES = ("MerchGlCode", "FreightGlCode")

SUPPLIER_FIELDS = [
    "SupplierName",
    "SupShortName",
    "SupplierChName",
    "LanguageCode",
    "Telephone",
    "Fax",
    "Contact",
    "Branch",
    "TermsCode",
    "Bank",
    "Currency",
    "DateSuppAdded",
    "WithTaxId",
    "WithTaxCode",
    "SupplierClass",
    "LineDiscCode",
    "InvDiscCode",
    "Area",
    "UserField1",
    "UserField2",
    "DefTaxCode",
    "TaxRegnNum",
    "DefaultChequeDay",
    "PoDefaultDoc",
    "OnHold",
    "FaxRemitFlag",
    "FaxRemitNum",
    "SupplierType",
    "NumMthsBeforDel",
    "MerchGlCode",
    "FreightGlCode",
    "PayByEft",
    "BankBranch",
    "BankAccount",
    "EftBankAccType",
    "ChLanguage",
    "Required1099",
    "DefaultFmt1099",
    "AskYtdValue1099",
    "MinPay1099",
    "PayeRef1099",
    "YtdAmount1099",
    "PurchOrdAllowed",
    "MinPoVal",
    "MinPoMass",
    "MinPoVolume",
    "Contracts",
    "GrnMatchReqd",
    "LctRequired",
    "EdiTypeFlag",
    "EdiReceiverCode",
    "EdiFax",
    "FaxContact",
    "Email",
    "Nationality",
    "TransactionNature",
    "DeliveryTerms",
]
ADDRESS_FIELDS = [
    "SupAddr1",
    "SupAddr2",
    "SupAddr3",
    "SupAddr3Loc",
    "SupAddr4",
    "SupAddr5",
    "SupPostalCode",
    "RemitName",
    "RemitAddr1",
    "RemitAddr2",
    "RemitAddr3",
    "RemitAddr4",
    "RemitAddr5",
    "RemitPostalCode",
    "FaxRemitContact",
]


class Suppliers:
    """One APSSSP document, to add, update or delete."""

    def __init__(self, call: Call) -> None:
        self.call, self.books = call, call.books

    def named(self, item: Item, number: int) -> list[Node]:
        return [("key", [("supplier", item.plain("Key/Supplier"))])]

    def post(self, item: Item, number: int) -> list[Node]:
        supplier = item.text("Key/Supplier", "ApSupplier.Supplier")
        held = self.books.row("ApSupplier", supplier)
        if not supplier:
            item.wrong("Key/Supplier", MISSING, "Supplier is needed")
        elif self.call.action == "add" and held is not None:
            item.wrong("Key/Supplier", DUPLICATE, f"Supplier '{supplier}' exists already")
        elif self.call.action != "add" and held is None:
            item.wrong("Key/Supplier", NOT_FOUND, f"Supplier '{supplier}' not found")
        if self.call.action == "delete":
            return self._delete(item, number, supplier)
        columns, address = self._columns(item)
        if self.call.action == "add":
            for name in NEEDED:
                item.needs(name)
            columns = self._defaults() | columns
        elif held is not None:
            self._check_currency(item, held, columns)
        if item.is_refused:
            return []
        key: dict[str, Value] = {"Supplier": supplier}
        if columns:
            self.books.tables["ApSupplier"].put(key | columns)
        if address or self.call.action == "add":
            self.books.tables["ApSupplierAddr"].put(key | address)
        return self.named(item, number)

    def close(self, tally: Tally, *, posted: bool) -> list[Node]:
        counters: list[Node] = [("RecordsRead", f"{tally.read:06d}"), ("RecordsInvalid", f"{tally.invalid:06d}")]
        return [("StatusOfItems", counters)]

    def _columns(self, item: Item) -> tuple[dict[str, Value], dict[str, Value]]:
        """What the item sets in ApSupplier and in ApSupplierAddr."""
        for path, table in CODES.items():
            item.code(self.books, path, table)
        for path in FLAGS:
            item.choice(path, "Y N", "")
        for path in LEDGER_CODES:
            if item.plain(path):
                check_account(item, self.call, "APSSSP", path, path)
        wrong = {remark.path for remark in item.remarks}
        columns = item.columns({name: f"ApSupplier.{name}" for name in SUPPLIER_FIELDS if name not in wrong})
        address = item.columns({name: f"ApSupplierAddr.{name}" for name in ADDRESS_FIELDS})
        if self.call.action == "update" and self.call.options.blank_on_update == "clear":
            columns |= self._cleared(item, "ApSupplier", SUPPLIER_FIELDS)
            address |= self._cleared(item, "ApSupplierAddr", ADDRESS_FIELDS)
            for name in NEEDED:
                if item.has(name) and not item.plain(name):
                    item.wrong(name, MISSING, f"{name} is needed")
        return columns, address

    def _cleared(self, item: Item, table: str, names: list[str]) -> dict[str, Value]:
        empty = [name for name in names if item.has(name) and not item.plain(name)]
        return {name: TABLES[table].column(name).blank for name in empty}

    def _check_currency(self, item: Item, held: dict[str, Any], columns: dict[str, Value]) -> None:
        if columns.get("Currency", held["Currency"]) != held["Currency"] and self._owes(held["Supplier"]):
            text = f"Supplier '{held['Supplier']}' has open invoices in {held['Currency']}"
            item.wrong("Currency", NOT_ALLOWED, text)

    def _defaults(self) -> dict[str, Value]:
        return {
            "SupplierType": "P",
            "ChLanguage": "05",
            "PurchOrdAllowed": "Y",
            "GrnMatchReqd": "Y",
            "OnHold": "N",
            "DateSuppAdded": midnight(self.books.today()),
        }

    def _owes(self, supplier: str) -> bool:
        open_invoice = And((Compare("Supplier", "eq", supplier), Compare("MthInvBal1", "ne", 0)))
        return bool(self.books.tables["ApInvoice"].select(open_invoice, limit=1))

    def _delete(self, item: Item, number: int, supplier: str) -> list[Node]:
        of_supplier = Compare("Supplier", "eq", supplier)
        used = [name for name in ("ApInvoice", "PorMasterHdr") if self.books.tables[name].select(of_supplier, limit=1)]
        if used:
            item.wrong("Key/Supplier", HAS_DOCUMENTS, f"Supplier '{supplier}' has documents")
        if item.is_refused:
            return []
        for name in ("ApSupplier", "ApSupplierAddr"):
            if self.books.tables[name].get(supplier) is not None:
                self.books.tables[name].delete(supplier)
        return self.named(item, number)


APSSSP = BusinessObject("APSSSP", "SetupApSupplier", "setupapsupplier", Suppliers, kind="setup", answer_item="item")
