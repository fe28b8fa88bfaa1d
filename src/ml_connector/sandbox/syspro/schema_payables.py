"""Suppliers, their invoices, and how those are settled.

ASSUMED, for no source shows them: Bank, PaymentType and PaymentReference of ApPayRunHdr, the values and
Voided of ApPayRunDet, and ApBank with its columns.
"""

from ml_connector.sandbox.syspro.definition import table

PAYABLES = (
    table(
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
    table(
        "ApSupplierAddr",
        "Supplier",
        """Supplier v15, SupAddr1 v40, SupAddr2 v40, SupAddr3 v40, SupAddr3Loc v40, SupAddr4 v40, SupAddr5 v40,
        SupPostalCode v10, SupAddGpsLat d8.6, SupAddGpsLong d9.6, RemitName v50, RemitAddr1..3 v40,
        RemitAddr3Loc v40, RemitAddr4 v40, RemitAddr5 v40, RemitPostalCode v10, RemitGpsLat d8.6,
        RemitGpsLong d9.6, FaxRemitContact v50, ShippingInstrs v50, LanguageCode c2, LanguageCodeRem c2""",
    ),
    table(
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
    table(
        "ApInvoicePay",
        "Supplier Invoice EntryNumber",
        """Supplier v15, Invoice v20, EntryNumber d5, TrnType c1, JournalDate t, Journal d10,
        PaymentReference v50, TrnValue d14.2, TrnYear d4, TrnMonth d2, PostValue d14.2, PostCurrency c3,
        PostConvRate d12.6, PostMulDiv c1, PaymentNumber v15, SummaryEntryNumber d10""",
    ),
    table(
        "ApJnlSummary",
        "TrnYear TrnMonth Journal EntryNumber",
        """TrnYear d4, TrnMonth d2, Journal d10, EntryNumber d10, Supplier v15, Invoice v20, TransactionCode c1,
        InvoiceValue d14.2""",
    ),
    table(
        "ApJnlDistrib",
        "TrnYear TrnMonth Journal EntryNumber SubEntry",
        """TrnYear d4, TrnMonth d2, Journal d10, EntryNumber d10, SubEntry d10, SupplierGlCode v35, TrnDate t,
        ExpenseGlCode v35, ExpenseType c1, DistrValue d14.2, Reference v30""",
    ),
    table(
        "ApPayRunHdr",
        "PaymentNumber",
        """PaymentNumber v15, ChequeDate t, PostCurrency c3, PostConvRate d12.6, Bank v15, PaymentType c1,
        PaymentReference v50""",
    ),
    table(
        "ApPayRunDet",
        "PaymentNumber Supplier Invoice Cheque",
        """PaymentNumber v15, Supplier v15, Invoice v20, Cheque d15, ChequeDate t, ChRegister d10,
        PostCurrency c3, PostConvRate d12.6, GrossPayValue d14.2, DiscPayValue d14.2, Voided c1""",
    ),
    table(
        "TblApTerms",
        "TermsCode",
        """TermsCode c2, Description v50, DiscPct d5.2, DiscDays d3, DiscFix c1, DiscDayOfMonth d2,
        DiscMonths d2, DueFix c1, DueDays d3, DueDayOfMonth d2, DueMonths d2""",
    ),
    table(
        "ApBranch",
        "Branch",
        """Branch v10, Description v50, ApBrnGlCode v35, ApBrnDscGlCode v35, PoPrefix v10, PoNextNumber d15,
        GrnPrefix v10, GrnNextNumber d15, Nationality c3""",
    ),
    table("ApBank", "Bank", "Bank v15, Description v50, Currency c3, CashGlCode v35"),
)
