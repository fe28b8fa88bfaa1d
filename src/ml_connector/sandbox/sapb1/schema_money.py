"""Payments, journal entries, posting periods and the company itself.

The notation is that of `schema.parsed`."""

TYPES = {
    "Payment": """
        DocNum i, DocType e:BoRcptTypes, HandWritten y, Printed y, DocDate d, CardCode s15, CardName s100,
        Address s, CashAccount s15, DocCurrency s3, CashSum n, CheckAccount s15, TransferAccount s15,
        TransferSum n, TransferDate d, TransferReference s27, LocalCurrency y, DocRate n, Reference1 s11,
        Reference2 s8, CounterReference s8, Remarks s254, JournalRemarks s50, SplitTransaction y,
        ContactPersonCode i, ApplyVAT y, TaxDate d, Series i, BankCode s, BankAccount s, DiscountPercent n,
        ProjectCode s, CurrencyIsLocal y, CashSumFC n-, CashSumSys n-, BoeAccount s, BillOfExchangeAmount n,
        WTCode s, WTAmount n, WTAmountFC n-, WTAmountSC n-, WTAccount s-, WTTaxableAmount n-, Proforma y,
        PayToBankCode s, PayToBankBranch s, PayToBankAccountNo s, PayToCode s, PayToBankCountry s,
        IsPayToBank y, DocEntry i*-, PaymentPriority e:BoPaymentPriorities=bopp_Priority_6, TaxGroup s,
        BankChargeAmount n, BankChargeAmountInFC n-, BankChargeAmountInSC n, UnderOverpaymentdifference n-,
        UnderOverpaymentdiffSC n-, VatDate d, TransactionCode s,
        PaymentType e:BoORCTPaymentTypeEnum=bopt_None, TransferRealAmount n,
        DocObjectCode e:BoPaymentsObjectType, DocTypte e:BoRcptTypes, DueDate d, LocationCode i, Cancelled y-,
        ControlAccount s15, UnderOverpaymentdiffFC n-,
        AuthorizationStatus e:PaymentsAuthorizationStatusEnum-=pasWithout, BPLID i, BPLName s-, VATRegNum s-,
        BlanketAgreement i, AttachmentEntry i+, PaymentChecks [PaymentCheck],
        PaymentInvoices [PaymentInvoice], PaymentCreditCards [PaymentCreditCard],
        PaymentAccounts [PaymentAccount], CashFlowAssignments [CashFlowAssignment],
        Payments_ApprovalRequests [Payments_ApprovalRequest]""",
    "PaymentInvoice": """
        LineNum i, DocEntry i, SumApplied n, AppliedFC n, AppliedSys n, DocRate n, DocLine i,
        InvoiceType e:BoRcptInvTypes=it_Invoice, DiscountPercent n, PaidSum n, InstallmentId i,
        WitholdingTaxApplied n-, WitholdingTaxAppliedFC n-, LinkDate d-, DistributionRule s,
        DistributionRule2 s, DistributionRule3 s, DistributionRule4 s, DistributionRule5 s, TotalDiscount n,
        TotalDiscountFC n, TotalDiscountSC n-""",
    "PaymentAccount": """
        LineNum i, AccountCode s15, SumPaid n, SumPaidFC n, Decription s, VatGroup s, AccountName s,
        GrossAmount n, ProfitCenter s, ProjectCode s, VatAmount n, ProfitCenter2 s, ProfitCenter3 s,
        ProfitCenter4 s, ProfitCenter5 s""",
    "PaymentCheck": """
        LineNum i, DueDate d, CheckNumber i, BankCode s, Branch s, AccounttNum s, Details s, Trnsfrable y,
        CheckSum n, Currency s, CountryCode s, CheckAbsEntry i-, CheckAccount s15, ManualCheck y""",
    "PaymentCreditCard": """
        LineNum i, CreditCard i, CreditAcct s, CreditCardNumber s, CardValidUntil d, VoucherNum s,
        OwnerIdNum s, FirstPaymentDue d, FirstPaymentSum n, CreditSum n, CreditCur s""",
    "CashFlowAssignment": """
        CashFlowAssignmentsID i-, CashFlowLineItemID i, Credit n, PaymentMeans e:PaymentMeansTypeEnum,
        CheckNumber s, AmountLC n, AmountFC n, JDTLineId i""",
    "Payments_ApprovalRequest": """
        ApprovalTemplatesID i-, Remarks s, ApprovalTemplatesName s+, ActiveForUpdate y+""",
    "JournalEntry": """
        ReferenceDate d, Memo s, Reference s, Reference2 s, TransactionCode s, ProjectCode s, TaxDate d,
        JdtNum i*-, StornoDate d, VatDate d, Series i, DueDate d, Number i-,
        OriginalJournal e:TransTypesEnum-=ttAllTransactions, Original i-, BaseReference s-, Reference3 s,
        JournalEntryLines [JournalEntryLine]""",
    "JournalEntryLine": """
        Line_ID i, AccountCode s15, Debit n, Credit n, FCDebit n, FCCredit n, FCCurrency s, DueDate d,
        ShortName s, ContraAccount s, LineMemo s, ReferenceDate1 d, Reference1 s, Reference2 s, ProjectCode s,
        CostingCode s8, DebitSys n, CreditSys n, CostingCode2 s8, CostingCode3 s8, CostingCode4 s8,
        CostingCode5 s8, ControlAccount s15, BPLID i""",
    "FinancePeriod": """
        AbsoluteEntry i, PeriodCode s, PeriodName s, PostingDateFrom d, PostingDateTo d, ValueDateFrom d,
        ValueDateTo d, TaxDateFrom d, TaxDateTo d, ActiveforFeed y=tYES, Locked y, AdditionalSubPeriods y-,
        PeriodIndicator s, SubNum i-, PeriodStatus e:PeriodStatusEnum=ltUnlocked""",
    "PeriodCategoryParams": """
        AbsoluteEntry i""",
    "FinancePeriodParams": """
        AbsoluteEntry i, PeriodIndicator s""",
    "AdminInfo": """
        Code i, CompanyName s, Address s, Country s, PhoneNumber1 s, FaxNumber s, eMail s, LocalCurrency s,
        SystemCurrency s, DirectIndirectRate y=tYES, FederalTaxID s, TotalsAccuracy i, AccuracyofQuantities i,
        PriceAccuracy i, RateAccuracy i, PercentageAccuracy i, MeasuringAccuracy i, DateSeparator s,
        BlockPostingDateEditing y=tYES, DecimalSeparator s, ThousandsSeparator s, AccountSegmentsSeparator s,
        AllowFuturePostingDate y, State s, PeriodStatusAutoChange y=tYES, EnableApprovalProcedureInDI y,
        EnableBranches y, DisplayCancelDocInReport y=tYES, MaxDaysForCancel i""",
    "CompanyInfo": """
        Version i-, EnableExpensesManagement y, EnableAccountSegmentation y, EnableBillOfExchange y,
        MaxRecordsInChooseFromList i, EnableSharingSeries y, MaxNumberOfDocumentsInPmt i, CompanyName s-,
        EnableTransactionNotification y=tYES""",
    "B1Session": """
        Version s, SessionTimeout i, SessionId s*""",
}
