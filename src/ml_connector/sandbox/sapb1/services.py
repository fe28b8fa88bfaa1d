"""Calls that belong to no row: the company's information, currencies and rates, posting periods, unbound actions."""

import datetime as dt
from typing import Any

from ml_connector.sandbox.http import Request, Response
from ml_connector.sandbox.sapb1.addresses import Address
from ml_connector.sandbox.sapb1.books import LOCAL_CURRENCY, Books
from ml_connector.sandbox.sapb1.errors import invalid, no_match, not_supported
from ml_connector.sandbox.sapb1.incoming import body_of, date
from ml_connector.sandbox.sapb1.output import PROTOCOL, answer, context
from ml_connector.sandbox.sapb1.reads import Reads
from ml_connector.sandbox.sapb1.sessions import VERSION
from ml_connector.sandbox.sapb1.writes import Writes
from ml_connector.sandbox.standin import Row

COMPANY_DB = "RIL"
COMPANY_NAME = "Rilling Distribution Inc."
READING = frozenset(
    {
        "CompanyService_GetAdminInfo",
        "CompanyService_GetCompanyInfo",
        "SBOBobService_GetLocalCurrency",
        "SBOBobService_GetSystemCurrency",
        "SBOBobService_GetCurrencyRate",
    }
)
"""Functions: v2 takes GET as well."""
PERIODS = frozenset(
    {"CompanyService_GetPeriods", "CompanyService_GetFinancePeriods", "CompanyService_GetFinancePeriod"}
)


class Services:
    def __init__(self, books: Books, reads: Reads, writes: Writes) -> None:
        self._books = books
        self._reads = reads
        self._writes = writes

    def knows(self, name: str) -> bool:
        return name in READING or name in PERIODS or name.endswith(("Service_Cancel2", "Service_SaveDraftToDocument"))

    def call(self, request: Request, address: Address, root: str) -> Response:
        by_get = request.method == "GET" and address.version == "v2" and address.name in READING
        if request.method != "POST" and not by_get:
            raise not_supported()
        given = dict(address.arguments or {}) if by_get else body_of(request)
        match address.name:
            case "CompanyService_GetAdminInfo":
                return self._complex(address, root, "AdminInfo", self._admin())
            case "CompanyService_GetCompanyInfo":
                return self._complex(address, root, "CompanyInfo", self._company())
            case "SBOBobService_GetLocalCurrency" | "SBOBobService_GetSystemCurrency":
                return self._value(address, root, "Edm.String", LOCAL_CURRENCY)
            case "SBOBobService_GetCurrencyRate":
                return self._value(address, root, "Edm.Double", float(self._rate(given)))
            case name if name in PERIODS:
                return self._periods(address, root, given)
        return self._unbound(address, given)

    def _periods(self, address: Address, root: str, given: Row) -> Response:
        periods = self._books.periods
        if address.name == "CompanyService_GetPeriods":
            rows = [{"AbsoluteEntry": number} for number in periods.categories()]
            return self._list(address, root, "PeriodCategoryParams", rows)
        if address.name == "CompanyService_GetFinancePeriods":
            return self._list(address, root, "FinancePeriod", periods.rows(_entry(given, "PeriodCategoryParams")))
        row = periods.get(_entry(given, "FinancePeriodParams"))
        if row is None:
            raise no_match()
        return self._complex(address, root, "FinancePeriod", row)

    def _unbound(self, address: Address, given: Row) -> Response:
        """`PurchaseInvoicesService_Cancel2`, `DraftsService_SaveDraftToDocument`: the document's number in the body."""
        service, _, action = address.name.partition("Service_")
        row = self._books.tables.get(service, {}).get(_entry(given, "Document", "DocEntry"))
        if row is None:
            raise no_match()
        if action == "SaveDraftToDocument" and service == "Drafts":
            self._writes.drafts.save_to_document(service, row["DocEntry"])
        else:
            self._writes.perform(service, row, "Cancel" if action == "Cancel2" else action)
        return Response(204, headers=[PROTOCOL[address.version]])

    def _rate(self, given: Row) -> Any:
        currency = given.get("Currency")
        if currency not in self._books.tables["Currencies"]:
            raise invalid("Enter valid code [OCRN.CurrCode]")
        try:
            day: dt.date = date(str(given.get("Date")))
        except ValueError:
            raise invalid("Enter a date YYYYMMDD [ORTT.RateDate]") from None
        return self._books.rate(str(currency), day)

    def _admin(self) -> Row:
        options = self._books.options
        return {
            "Code": 1,
            "CompanyName": COMPANY_NAME,
            "Country": "US",
            "State": "IL",
            "LocalCurrency": LOCAL_CURRENCY,
            "SystemCurrency": LOCAL_CURRENCY,
            "TotalsAccuracy": 2,
            "AccuracyofQuantities": 3,
            "PriceAccuracy": 4,
            "RateAccuracy": 6,
            "PercentageAccuracy": 4,
            "MeasuringAccuracy": 3,
            "DecimalSeparator": ".",
            "ThousandsSeparator": ",",
            "DateSeparator": "/",
            "AccountSegmentsSeparator": "-",
            "EnableBranches": "tYES" if options.branches else "tNO",
            "EnableApprovalProcedureInDI": "tNO" if options.approval_above is None else "tYES",
            "MaxDaysForCancel": options.max_days_for_cancel,
        }

    def _company(self) -> Row:
        options = self._books.options
        return {
            "Version": int(VERSION),
            "CompanyName": COMPANY_NAME,
            "EnableAccountSegmentation": "tYES" if options.segmented_accounts else "tNO",
            "MaxNumberOfDocumentsInPmt": options.max_documents_in_payment,
            "MaxRecordsInChooseFromList": 100,
        }

    def _complex(self, address: Address, root: str, type_name: str, row: Row) -> Response:
        shape = {context(address.version): f"{root}/$metadata#SAPB1.{type_name}"}
        shown = self._reads.shown(address).row(self._books.schema.types[type_name], row)
        return answer(shape | shown, address.version)

    def _list(self, address: Address, root: str, type_name: str, rows: list[Row]) -> Response:
        shape = f"{root}/$metadata#Collection(SAPB1.{type_name})"
        shown, type_ = self._reads.shown(address), self._books.schema.types[type_name]
        return answer(
            {context(address.version): shape, "value": [shown.row(type_, row) for row in rows]}, address.version
        )

    def _value(self, address: Address, root: str, edm: str, value: object) -> Response:
        return answer({context(address.version): f"{root}/$metadata#{edm}", "value": value}, address.version)


def _entry(given: Row, parameter: str, name: str = "AbsoluteEntry") -> int:
    inner = given.get(parameter)
    if not isinstance(inner, dict) or not isinstance(inner.get(name), int):
        raise invalid(f"Enter {parameter} with {name}")
    return int(inner[name])
