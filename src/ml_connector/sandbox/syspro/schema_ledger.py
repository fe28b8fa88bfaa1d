"""The general ledger, currencies and taxes."""

from ml_connector.sandbox.syspro.definition import table

LEDGER = (
    table(
        "GenMaster",
        "Company GlCode",
        """Company c4, GlCode v35, Description v50, ReportIndex1..2 v35, AccountType c1, ExpenseType c1,
        PtdDrValue d14.2, PtdCrValue d14.2, CurrentBalance d14.2, PrevPerEndBal d14.2, GlGroup v10,
        BudgetMethod c1, ControlAccFlag c1, AccOnHldFlag c1, TaxCode c3, IntegrationMethod c1,
        AltDescription v50, Historical d14.2, Tax2Code c3, RevalCategory c2, AltCurIndicator c1,
        GlUnitOfMeasure v10, BusinessProcess1..10 c3, AnalysisRequired c1, AnalysisCategory v10, CurrentInd c1,
        RetEarnsAccount v35, TaxAccount c1, InterestAccount c1""",
    ),
    table(
        "GenControl",
        "Company",
        """Company c4, GlYear d4, GlPeriod d2, CurYrPrdStat1..15 c1, CurYrPrdEnd1..15 t, PrvYrPrdStat1..15 c1,
        PrvYrPrdEnd1..15 t, AuthoriseJournals c1""",
    ),
    table(
        "GenJournalCtl",
        "GlYear GlPeriod GlJournal",
        """GlYear d4, GlPeriod d2, GlJournal d10, JournalDate t, NumOfEntries d10, DebitAmount d14.2,
        CreditAmount d14.2, JnlPostingType c1, Source c2, Operator v20, JnlStatus c1, Reference v30,
        AuthorisedBy v20, PostedBy v20, Authorised c1, PostDate t, Notation v100, JournalSource c2""",
    ),
    table(
        "GenJournalDetail",
        "GlYear GlPeriod Journal EntryNumber",
        """Journal d10, GlYear d4, GlPeriod d2, EntryNumber d10, EntryType c1, GlCode v35, Reference v30,
        Comment v100, EntryValue d14.2, EntryDate t, EntryPosted c1, InterCompanyFlag c1, Company c4,
        CurrencyValue d14.2, PostCurrency c3, Source c2, Type c1, CommitmentFlag c1, TransactionDate t,
        DocumentDate t, SubModJournal d10, AnalysisEntry d10""",
    ),
    table(
        "GenTransaction",
        "Company GlCode GlYear GlPeriod GlLine",
        """Company c4, GlCode v35, GlYear d4, GlPeriod d2, GlLine d10, Source c2, Journal d10, JnlDate t,
        Reference v30, EntryValue d14.2, Comment v100, TransactionDate t, SubModJournal d10,
        SubModApInvoice v20, SubModSupplier v15, SubModRef v30, SubModCheck v15, SubModBank v15,
        SubModApBranch v10, SubModGrn v20, SubModJob v20""",
    ),
    table(
        "GenAnalysisCode",
        "AnalysisCategory AnalysisType AnalysisCode",
        "AnalysisCategory v10, AnalysisType d2, AnalysisCode v10, Description v50",
    ),
    table(
        "TblCurrency",
        "Currency",
        """Currency c3, Description v50, BuyExchangeRate d12.6, BuyMulDiv c1, SellExchangeRate d12.6,
        SellMulDiv c1, BuyEcDeclRate d12.6, TriangReqd c1, IntermediateCur c3, FixedRate c1, Tolerance d5.2""",
    ),
    table(
        "AdmTax",
        "TaxCode",
        """TaxCode c3, Description v50, CurTaxRate d8.5, PrvTaxRate d8.5, TaxEffDate t, TaxBasis c1,
        TaxIncExcl c1, GlTaxGlCode v35, ApTaxGlCode v35""",
    ),
)
