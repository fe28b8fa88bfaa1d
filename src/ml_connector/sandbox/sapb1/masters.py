"""Changes of rows: business partners with their addresses, the other master data, and what of a posting may change."""

import copy
import re
from decimal import Decimal
from typing import Any

from ml_connector.sandbox.sapb1 import errors
from ml_connector.sandbox.sapb1.books import ALL_CURRENCIES, Books, require
from ml_connector.sandbox.sapb1.documents import KINDS, Documents
from ml_connector.sandbox.sapb1.errors import Refused, invalid, not_supported
from ml_connector.sandbox.sapb1.schema import SETS, Property, Type
from ml_connector.sandbox.standin import Row

ROW_KEYS = {
    "DocumentLine": "LineNum",
    "DocumentAdditionalExpense": "LineNum",
    "DocumentInstallment": "InstallmentId",
    "BPAddress": "RowNum",
    "ContactEmployee": "InternalCode",
    "BPBankAccount": "InternalKey",
    "BPPaymentMethod": "PaymentMethodCode",
    "BPBranchAssignmentItem": "BPLID",
    "DistributionRuleLine": "CenterCode",
}
"""What tells the rows of a collection apart: a PATCH merges by it, and adds a row without it."""

_CHANGEABLE = {
    "Document": """NumAtCard Comments JournalMemo DocDueDate Reference1 Reference2 PaymentBlock PaymentBlockEntry
        PaymentMethod AttachmentEntry ContactPersonCode SalesPersonCode DocumentsOwner Indicator Project PayToCode
        OpeningRemarks ClosingRemarks BlanketAgreementNumber DocumentReferences""",
    "Payment": "Remarks JournalRemarks Reference1 Reference2 CounterReference AttachmentEntry",
    "JournalEntry": "Memo Reference Reference2 Reference3 DueDate ProjectCode",
}
CHANGEABLE = {name: frozenset(text.split()) for name, text in _CHANGEABLE.items()}
"""What may still change once a document is posted; user-defined fields may always."""

_FIELD_KINDS = {"db_Alpha": "string", "db_Memo": "string", "db_Numeric": "int", "db_Date": "date", "db_Float": "double"}
_FIELD_TYPES = {"OPCH": "Document", "PCH1": "DocumentLine", "OVPM": "Payment", "OCRD": "BusinessPartner"}
_country = re.compile(r"[A-Z]{2}")


class Masters:
    def __init__(self, books: Books, documents: Documents) -> None:
        self._books = books
        self._documents = documents

    # --- creating ------------------------------------------------------------------------------------------

    def create(self, set_name: str, body: Row) -> Row:
        """Raises Refused for a key that is missing or taken, and for what the business rules refuse."""
        type_ = self._books.schema.of(set_name)
        row = copy.deepcopy(body)
        if set_name == "UserFieldsMD":
            return self._add_field(row)
        if set_name == "PaymentTermsTypes":
            row.setdefault("GroupNumber", self._books.next(set_name))
        if set_name == "HouseBankAccounts":
            row.setdefault("AbsoluteEntry", self._books.next(set_name))
        for name in type_.keys:
            require(row.get(name) not in (None, ""), invalid(f"Enter valid code [{SETS[set_name].table}.{name}]"))
        key = self._books.key(set_name, row)
        if key in self._books.tables[set_name]:
            raise self._exists(set_name, key)
        self._check(set_name, row)
        stored = self._books.put(set_name, row)
        if set_name == "ProfitCenters":
            self._add_direct_rule(stored)
        return stored

    def _exists(self, set_name: str, key: Any) -> Refused:
        if set_name != "BusinessPartners":
            return Refused(
                400, errors.EXISTS, f"This entry already exists in the following tables ({key}) (ODBC -2035)"
            )
        text = f"1320000140 - Business partner code '{key}' already assigned to a business partner"
        return Refused(400, errors.BUSINESS, f"{text}; enter a unique business partner code")

    def _add_direct_rule(self, center: Row) -> None:
        """A new cost center brings the rule of its own code that documents name."""
        line = {
            "CenterCode": center["CenterCode"],
            "TotalInCenter": Decimal(100),
            "EffectiveFrom": center.get("EffectiveFrom"),
        }
        rule = {
            "FactorCode": center["CenterCode"],
            "FactorDescription": center.get("CenterName"),
            "TotalFactor": Decimal(100),
            "Direct": "Y",
            "InWhichDimension": center.get("InWhichDimension") or 1,
            "Active": center.get("Active") or "tYES",
            "DistributionRuleLines": [line],
        }
        self._books.tables["DistributionRules"].setdefault(center["CenterCode"], rule)

    def _add_field(self, row: Row) -> Row:
        """A user-defined field; its property U_Name is known from now on."""
        type_name, name = _FIELD_TYPES.get(row.get("TableName") or ""), row.get("Name")
        if type_name is None or not name:
            raise invalid("Enter valid table and name [CUFD.TableID]")
        new = f"U_{name}"
        if new in self._books.schema.types[type_name].properties:
            raise Refused(400, errors.EXISTS, "This entry already exists in the following tables (ODBC -2035)")
        kind: Any = _FIELD_KINDS[row.get("Type") or "db_Alpha"]
        length = (row.get("Size") or 50) if kind == "string" and row.get("Type") != "db_Memo" else 0
        self._books.schema.add(type_name, Property(new, kind, "", length))
        same = [one for one in self._books.rows("UserFieldsMD") if one["TableName"] == row["TableName"]]
        row.setdefault("FieldID", len(same))
        return self._books.put("UserFieldsMD", row)

    # --- changing ------------------------------------------------------------------------------------------

    def change(self, set_name: str, row: Row, body: Row, *, replace: bool = False, whole: bool = False) -> None:
        """PATCH: merges the body; `replace` takes sent lists for the whole list. `whole` is PUT. Raises Refused."""
        type_ = self._books.schema.of(set_name)
        if set_name in ("Drafts", "PurchaseOrders"):
            self._change_unposted(set_name, row, body, replace=replace)
        elif type_.name in CHANGEABLE:
            self._change_posted(set_name, type_, row, body)
        else:
            changed = (
                copy.deepcopy(body) if whole else merged(self._books.schema.types, type_, row, body, replace=replace)
            )
            for name in type_.keys:
                changed[name] = row[name]
            if whole:
                kept = ("CreateDate", "CreateTime", "DataVersion", "CurrentAccountBalance", "Balance")
                changed |= {name: row[name] for name in kept if name in row}
            self._check(set_name, changed)
            row.clear()
            row.update(changed)
        if SETS[set_name].etag:
            self._books.touch(row)

    def _change_posted(self, set_name: str, type_: Type, row: Row, body: Row) -> None:
        """What is posted keeps its amounts, dates and parties; a field sent with the value that it has is no change."""
        for name, value in body.items():
            held = row.get(name, type_.properties[name].default)
            if name in CHANGEABLE[type_.name] or name.startswith("U_") or _same(value, held):
                continue
            raise Refused(
                400, errors.NOT_UPDATABLE, f"Field cannot be updated (ODBC -1029) [{SETS[set_name].table}.{name}]"
            )
        lists = {name for name in body if type_.properties[name].kind == "list"} - CHANGEABLE[type_.name]
        row.update({name: copy.deepcopy(value) for name, value in body.items() if name not in lists})
        due = body.get("DocDueDate")
        if due and len(row["DocumentInstallments"]) == 1:
            row["DocumentInstallments"][0]["DueDate"] = due

    def _change_unposted(self, set_name: str, row: Row, body: Row, *, replace: bool) -> None:
        """Drafts and orders are priced anew from what was typed."""
        if row["DocumentStatus"] != "bost_Open":
            raise invalid("Document is closed [ODRF.DocStatus]")
        kind = "PurchaseOrders" if set_name == "PurchaseOrders" else KINDS[row["DocObjectCode"]]
        type_ = self._books.schema.of(set_name)
        typed = merged(self._books.schema.types, type_, _with_numbers(row["_body"]), body, replace=replace)
        typed.setdefault("DocDate", row["DocDate"])
        fresh = self._documents.prepare(kind, typed)
        kept = ("DocEntry", "DocNum", "CreationDate", "DataVersion", "AuthorizationStatus")
        fresh.update({name: row[name] for name in kept})
        row.clear()
        row.update(fresh)

    def delete(self, set_name: str, key: Any) -> None:
        """Raises Refused for what is posted, or has postings."""
        if SETS[set_name].posted:
            raise not_supported()
        if set_name == "BusinessPartners" and self._has_postings(key):
            raise invalid("253000019 - Journal entries linked to card")
        if set_name == "ChartOfAccounts" and self._is_booked(key):
            raise invalid("G/L account has journal entries [OACT.AcctCode]")
        del self._books.tables[set_name][key]

    def _is_booked(self, account: str) -> bool:
        entries = self._books.tables["JournalEntries"].values()
        return any(line["AccountCode"] == account for entry in entries for line in entry["JournalEntryLines"])

    def _has_postings(self, card: str) -> bool:
        sets = ("PurchaseInvoices", "PurchaseCreditNotes", "PurchaseOrders", "VendorPayments", "Drafts")
        return any(row.get("CardCode") == card for name in sets for row in self._books.tables[name].values())

    # --- rules ---------------------------------------------------------------------------------------------

    def _check(self, set_name: str, row: Row) -> None:
        if set_name == "BusinessPartners":
            self._check_partner(row)
        if set_name == "ChartOfAccounts":
            self._books.check_reference("ChartOfAccounts", row.get("FatherAccountKey"), "OACT.FatherNum")
        if set_name in ("ProfitCenters", "DistributionRules"):
            self._books.check_reference("Dimensions", row.get("InWhichDimension") or 1, "OPRC.DimCode")

    def _check_partner(self, row: Row) -> None:
        books, code = self._books, row["CardCode"]
        currency = row.setdefault("Currency", ALL_CURRENCIES)
        if currency != ALL_CURRENCIES:
            books.check_reference("Currencies", currency, "OCRD.Currency")
        books.check_reference("PaymentTermsTypes", row.get("PayTermsGrpCode"), "OCRD.GroupNum")
        books.check_reference("VatGroups", row.get("VatGroup"), "OCRD.ECVatGroup")
        books.check_reference("ChartOfAccounts", row.get("DebitorAccount"), "OCRD.DebPayAcct")
        row.setdefault("CardType", "cCustomer")
        names = set()
        for number, address in enumerate(row.get("BPAddresses") or []):
            name = (address.get("AddressType") or "bo_ShipTo", address.get("AddressName"))
            if not name[1] or name in names:
                raise invalid("Enter a unique address ID [CRD1.Address]")
            names.add(name)
            if address.get("Country") and not _country.fullmatch(address["Country"]):
                raise invalid("Enter valid code [CRD1.Country]")
            address.setdefault("RowNum", number)
            address.update(BPCode=code, AddressType=name[0])
        for kind, default in (("bo_BillTo", "BilltoDefault"), ("bo_ShipTo", "ShipToDefault")):
            mine = [one for type_, one in names if type_ == kind]
            if row.get(default) not in mine:
                row[default] = sorted(mine)[0] if mine else None
        for number, person in enumerate(row.get("ContactEmployees") or [], 1):
            require(bool(person.get("Name")), invalid("Enter a name [OCPR.Name]"))
            person.setdefault("InternalCode", number)
            person["CardCode"] = code
        for number, account in enumerate(row.get("BPBankAccounts") or [], 1):
            require(bool(account.get("BankCode")), invalid("Enter valid code [OCRB.BankCode]"))
            account.setdefault("InternalKey", number)
            account["BPCode"] = code


def merged(types: dict[str, Type], type_: Type, row: Row, body: Row, *, replace: bool = False) -> Row:
    """A copy of the row with the body; rows of collections merge by their key, and are added without one."""
    result = copy.deepcopy(row)
    for name, value in body.items():
        property_ = type_.properties[name]
        if property_.kind != "list" or replace or not result.get(name):
            result[name] = copy.deepcopy(value)
            continue
        result[name] = _merged_rows(types, types[property_.of], result[name], value)
    return result


def _merged_rows(types: dict[str, Type], type_: Type, rows: list[Row], sent: list[Row]) -> list[Row]:
    key = ROW_KEYS.get(type_.name)
    if key is None:
        return copy.deepcopy(sent)
    for one in sent:
        found = next((row for row in rows if one.get(key) is not None and row.get(key) == one[key]), None)
        if found is not None:
            found.update(merged(types, type_, found, one))
        else:
            taken = [row[key] for row in rows if isinstance(row.get(key), int)]
            fresh = copy.deepcopy(one)
            if taken and fresh.get(key) is None:
                fresh[key] = max(taken) + 1
            rows.append(fresh)
    return rows


def _with_numbers(body: Row) -> Row:
    """What was typed, its lines numbered as they were shown."""
    numbered = copy.deepcopy(body)
    for number, line in enumerate(numbered.get("DocumentLines") or []):
        line.setdefault("LineNum", number)
    return numbered


def _same(sent: Any, held: Any) -> bool:
    """Whether what was sent is what is stored; of a list, whether each sent row says nothing new."""
    if isinstance(sent, list):
        rows = held or []
        return len(sent) <= len(rows) and all(
            all(_same(value, row.get(name)) for name, value in one.items())
            for one, row in zip(sent, rows, strict=False)
        )
    return bool(sent == held)
