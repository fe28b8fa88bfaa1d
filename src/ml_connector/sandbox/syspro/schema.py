"""The SQL tables of a SYSPRO company, as far as the stand-in holds them.

Every column is NOT NULL with a blank or 0 by default, dates apart; every table ends with a rowversion,
TimeStamp, that changes on every write. There is no last-changed date anywhere. One database per company.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, Literal

from ml_connector.sandbox.standin import BadInput

Kind = Literal["varchar", "char", "decimal", "date", "rowversion"]
Value = str | int | Decimal | dt.datetime | None

TIMESTAMP = "TimeStamp"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    width: int = 0
    scale: int = 0

    @property
    def blank(self) -> Value:
        if self.kind == "date":
            return None
        if self.kind == "rowversion":
            return 0
        if self.kind == "decimal":
            return Decimal(0).scaleb(-self.scale) if self.scale else 0
        return ""

    def value(self, given: Any) -> Value:
        """The value as the database would hold it. Raises BadInput for what does not fit the column."""
        match self.kind:
            case "varchar" | "char":
                return self._text(given)
            case "date":
                return self._date(given)
            case _:
                return self._number(given)

    def _text(self, given: Any) -> str:
        if not isinstance(given, str):
            raise BadInput(f"{self.name}: expected text, got {given!r}")
        text = given.rstrip(" ")
        if len(text) > self.width:
            raise BadInput(f"{self.name}: {text!r} is longer than {self.width} characters")
        try:
            text.encode("cp1252")
        except UnicodeEncodeError:
            raise BadInput(f"{self.name}: {text!r} has characters outside Windows-1252") from None
        return text

    def _date(self, given: Any) -> dt.datetime | None:
        if given is None or given == "":
            return None
        try:
            day = dt.date.fromisoformat(str(given)[:10])
        except ValueError:
            raise BadInput(f"{self.name}: expected a date yyyy-MM-dd, got {given!r}") from None
        return midnight(day)

    def _number(self, given: Any) -> int | Decimal:
        if isinstance(given, bool) or not isinstance(given, int | str | Decimal):
            raise BadInput(f"{self.name}: expected a number, got {given!r}")
        try:
            number = Decimal(given)
            exact = number.quantize(Decimal(1).scaleb(-self.scale))
        except InvalidOperation:
            raise BadInput(f"{self.name}: expected a number, got {given!r}") from None
        if exact != number:
            raise BadInput(f"{self.name}: {given} has more than {self.scale} decimals")
        return exact if self.scale else int(exact)


@dataclass(frozen=True)
class Definition:
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @cached_property
    def index(self) -> dict[str, int]:
        return {column.name: position for position, column in enumerate(self.columns)}

    @cached_property
    def blank(self) -> tuple[Value, ...]:
        return tuple(column.blank for column in self.columns)

    def column(self, name: str) -> Column:
        return self.columns[self.index[name]]


def midnight(day: dt.date) -> dt.datetime:
    """SQL datetime as the OData service shows it: the day at 00:00:00Z."""
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


_KINDS: dict[str, Kind] = {"v": "varchar", "c": "char", "d": "decimal", "t": "date"}
_part = re.compile(r"(\w+?)(?:(\d+)\.\.(\d+))? ([vcdt])(\d*)(?:\.(\d+))?")


def _columns(text: str) -> Iterator[Column]:
    """`Supplier v15, PurchValMth1..12 d14.2, DueDate t`: names with their kind, width and scale."""
    for part in text.replace("\n", " ").split(","):
        match = _part.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"column {part.strip()!r}")
        name, first, last, kind, width, scale = match.groups()
        names = [f"{name}{n}" for n in range(int(first), int(last) + 1)] if first else [name]
        for one in names:
            yield Column(one, _KINDS[kind], int(width or 0), int(scale or 0))


def _table(name: str, key: str, columns: str) -> Definition:
    return Definition(
        name, (*_columns(columns), Column(TIMESTAMP, "rowversion", 8)), tuple(key.replace(",", " ").split())
    )


_DEFINITIONS = (
    _table(
        "ApSupplier",
        "Supplier",
        """Supplier v15, SupplierName v50, SupShortName v20, SupplierType c1, SupplierClass v10, Bank v15,
        Branch v10, Telephone v20, Fax v20, Contact v50, Area v10, Email v255, FaxContact v50, UserField1 v15,
        UserField2 c1, Currency c3, CurrentBalance d14.2, PyrEndBalance d14.2, LastPurchDate t, FirstPurchDate t,
        LineDiscCode v10, InvDiscCode v10, TermsCode c2, LastChequePrint v15, DefaultChequeDay d2,
        YtdAmount1099 d14.2, Required1099 c1, GrnMatchReqd c1, LctRequired c1, EdiTypeFlag c1,
        EdiReceiverCode v40, WithTaxId v30, WithTaxCode c5, MerchGlCode v35, FreightGlCode v35,
        NumMthsBeforDel d2, PurchValMth1..12 d14.2, MtdTaxVal d14.2, YtdTaxVal d14.2, PurchOrdAllowed c1,
        MinPoVal d14.2, MinPoMass d18.6, MinPoVolume d18.6, Nationality c3, TaxRegnNum v30, EdiFax v20,
        BankAccount v50, BankBranch v50, FaxRemitFlag c1, FaxRemitNum v20, PayeRef1099 v16, LastChequeDate t,
        LastChequeBank v15, LastCheque d15, LastChequeVal d14.2, ChLanguage c2, SupplierChName v50,
        DateSuppAdded t, DefaultFmt1099 d2, MinPay1099 d14.2, PoDefaultDoc c2, OnHold c1, AskYtdValue1099 c1,
        Contracts c1, PayByEft c1, EftBankAccType c2, DefTaxCode c3, DeliveryTerms c3, TransactionNature d3,
        RemitEmail v255, AutoVoucherReqd c1, LanguageCode c2, VoucherEmail v255, State c2, CountyZip c5,
        City c3, ShippingLocation v10, WithTaxSupplierInd c1, WithTaxExpenseType c1, PoEmail v255,
        DefRevChgTaxCode c3, PrimarySupplier c1""",
    ),
    _table(
        "ApSupplierAddr",
        "Supplier",
        """Supplier v15, SupAddr1 v40, SupAddr2 v40, SupAddr3 v40, SupAddr3Loc v40, SupAddr4 v40, SupAddr5 v40,
        SupPostalCode v10, SupAddGpsLat d8.6, SupAddGpsLong d9.6, RemitName v50, RemitAddr1..3 v40,
        RemitAddr3Loc v40, RemitAddr4 v40, RemitAddr5 v40, RemitPostalCode v10, RemitGpsLat d8.6,
        RemitGpsLong d9.6, FaxRemitContact v50, ShippingInstrs v50, LanguageCode c2, LanguageCodeRem c2""",
    ),
    _table(
        "ApInvoice",
        "Supplier Invoice",
        """Supplier v15, Invoice v20, NextPaymEntry d5, JournalDate t, Journal d10, Branch v10, InvoiceDate t,
        DiscountDate t, DueDate t, Reference v30, OrigInvValue d14.2, OrigDiscValue d14.2, MthInvBal1..3 d14.2,
        ManualChqDate t, ManualChqNum d15, DiscActiveFlag c1, InvoiceStatus c1, Currency c3, Bank v15,
        PaymGrossValue d14.2, PaymDiscValue d14.2, TaxPortionDisc d14.2, NotificationDate t, InvoiceYear d4,
        InvoiceMonth d2, YearInvBalZero d4, MonthInvBalZero d2, ExchangeRate d12.6, FirstTaxCode c3,
        WithTaxValue d14.2, WithTaxRate d8.5, CurrencyValue d14.2, PostCurrency c3, ConvRate d12.6, MulDiv c1,
        AccountCur c3, Tax2Value d14.2, VatInvalid c1, EntryNumber d10, PaymentChkType c1, ManualChRef v30,
        PaymentNumber v15, InvoiceTakeOn c1, FixExchangeRate c1, NextRevalNo d5, TaxReverse c1,
        NationalitySource c3, NationalityDest c3, AutoVoucherCreated c1, AutoVoucherPrinted c1,
        SecondTaxCode c3, WithTaxCode c5, WithHoldingTaxCode c5, OrigInvRate d12.6, TotalAdjustments d14.2""",
    ),
    _table(
        "ApInvoicePay",
        "Supplier Invoice EntryNumber",
        """Supplier v15, Invoice v20, EntryNumber d5, TrnType c1, JournalDate t, Journal d10,
        PaymentReference v50, TrnValue d14.2, TrnYear d4, TrnMonth d2, PostValue d14.2, PostCurrency c3,
        PostConvRate d12.6, PostMulDiv c1, PaymentNumber v15, SummaryEntryNumber d10""",
    ),
    _table(
        "ApJnlSummary",
        "TrnYear TrnMonth Journal EntryNumber",
        """TrnYear d4, TrnMonth d2, Journal d10, EntryNumber d10, Supplier v15, Invoice v20, TransactionCode c1,
        InvoiceValue d14.2""",
    ),
    _table(
        "ApJnlDistrib",
        "TrnYear TrnMonth Journal EntryNumber SubEntry",
        """TrnYear d4, TrnMonth d2, Journal d10, EntryNumber d10, SubEntry d10, SupplierGlCode v35, TrnDate t,
        ExpenseGlCode v35, ExpenseType c1, DistrValue d14.2, Reference v30""",
    ),
    _table("ApPayRunHdr", "PaymentNumber", "PaymentNumber v15, ChequeDate t, PostCurrency c3, PostConvRate d12.6"),
    _table(
        "ApPayRunDet",
        "PaymentNumber Supplier Invoice",
        """PaymentNumber v15, Supplier v15, Invoice v20, Cheque d15, ChequeDate t, ChRegister d10,
        PostCurrency c3, PostConvRate d12.6""",
    ),
    _table(
        "GenMaster",
        "Company GlCode",
        """Company c4, GlCode v35, Description v50, ReportIndex1..2 v35, AccountType c1, ExpenseType c1,
        PtdDrValue d14.2, PtdCrValue d14.2, CurrentBalance d14.2, PrevPerEndBal d14.2, GlGroup v10,
        BudgetMethod c1, ControlAccFlag c1, AccOnHldFlag c1, TaxCode c3, IntegrationMethod c1,
        AltDescription v50, Historical d14.2, Tax2Code c3, RevalCategory c2, AltCurIndicator c1,
        GlUnitOfMeasure v10, BusinessProcess1..10 c3, AnalysisRequired c1, AnalysisCategory v10, CurrentInd c1,
        RetEarnsAccount v35, TaxAccount c1, InterestAccount c1""",
    ),
    _table(
        "GenControl",
        "Company",
        """Company c4, GlYear d4, GlPeriod d2, CurYrPrdStat1..15 c1, CurYrPrdEnd1..15 t, PrvYrPrdStat1..15 c1,
        PrvYrPrdEnd1..15 t, AuthoriseJournals c1""",
    ),
    _table(
        "GenAnalysisCode",
        "AnalysisCategory AnalysisType AnalysisCode",
        "AnalysisCategory v10, AnalysisType d2, AnalysisCode v10, Description v50",
    ),
    _table(
        "TblCurrency",
        "Currency",
        """Currency c3, Description v50, BuyExchangeRate d12.6, BuyMulDiv c1, SellExchangeRate d12.6,
        SellMulDiv c1, BuyEcDeclRate d12.6, TriangReqd c1, IntermediateCur c3, FixedRate c1, Tolerance d5.2""",
    ),
    _table(
        "TblApTerms",
        "TermsCode",
        """TermsCode c2, Description v50, DiscPct d5.2, DiscDays d3, DiscFix c1, DiscDayOfMonth d2,
        DiscMonths d2, DueFix c1, DueDays d3, DueDayOfMonth d2, DueMonths d2""",
    ),
    _table(
        "ApBranch",
        "Branch",
        """Branch v10, Description v50, ApBrnGlCode v35, ApBrnDscGlCode v35, PoPrefix v10, PoNextNumber d15,
        GrnPrefix v10, GrnNextNumber d15, Nationality c3""",
    ),
    _table(
        "AdmTax",
        "TaxCode",
        """TaxCode c3, Description v50, CurTaxRate d8.5, PrvTaxRate d8.5, TaxEffDate t, TaxBasis c1,
        TaxIncExcl c1, GlTaxGlCode v35, ApTaxGlCode v35""",
    ),
    _table(
        "PorMasterHdr",
        "PurchaseOrder",
        """PurchaseOrder v20, NextDetailLine d4, OrderStatus c1, ActiveFlag c1, CancelledFlag c1, Supplier v15,
        OrderEntryDate t, OrderDueDate t, DateLastDocPrt t, MemoDate t, MemoCode c1, OrderType c1,
        SupplierClass v10, Customer v15, CustomerPoNumber v30, PaymentTerms c3, ShippingInstrs v50,
        Warehouse v10, DiscPct1..3 d5.2, Currency c3, TaxStatus c1, PrintCount d2, AmendedCount d2,
        DatePoCompleted t, ExchangeRate d12.6, MulDiv c1, ExchRateFixed c1, Nationality c3, TermsCode c2,
        UserConfirmation v20, EdiPoFlag c1, EdiExtractFlag c1, EdiActionFlag c1, Buyer v20, EdiConfirmation c1,
        FaxDocument c1, DeliveryName v50, DeliveryAddr1..3 v40, DeliveryAddr3Loc v40, DeliveryAddr4 v40,
        DeliveryAddr5 v40, PostalCode v10, DeliveryGpsLat d8.6, DeliveryGpsLong d9.6, DocumentFormat c2,
        ContractNumber v30, User1 c1, DeliveryMethod v10, AutoVoucherReqd c1, LanguageCode c2, AutoUpdatePo c1,
        State c2, CountyZip c5, City c3, ShippingLocation v10, DeliveryTerms c3, IncludeInMrp c1""",
    ),
    _table(
        "PorMasterDetail",
        "PurchaseOrder Line",
        """PurchaseOrder v20, Line d4, LineType c1, MStockCode v30, MStockDes v50, MWarehouse v10,
        MOrderUom v10, MStockingUom v10, MOrderQty d18.6, MReceivedQty d18.6, MLatestDueDate t,
        MLastReceiptDat t, MSupCatalogue v50, MDiscPct1..3 d5.2, MDiscValFlag c1, MDiscValue d14.2,
        MPrice d15.5, MForeignPrice d15.5, MDecimalsToPrt d1, MConvFactPrcUm d12.6, MMulDivPrc c1,
        MPriceUom v10, MTaxCode c3, MConvFactOrdUm d12.6, MMulDivAlloc c1, MProductClass v20, MCompleteFlag c1,
        MJob v20, MGlCode v35, MRequisition v10, MRequisitionLine d3, MOrigDueDate t, MReschedDueDate c1,
        MOriginalLine d4, MInspectionReqd c1, MVersion c5, MRelease c5, NComment v100, NCommentFromLin d4,
        NMscChargeValue d14.2, NMscChargeTax c3, NMscChargeFor d14.2, NMscChargeFLoc c1, User1 c1,
        OrderLineStatus c1, AutoVoucherReqd c1, IncludeInMrp c1""",
    ),
)

TABLES = {definition.name: definition for definition in _DEFINITIONS}
