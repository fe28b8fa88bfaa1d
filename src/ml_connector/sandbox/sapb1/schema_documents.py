"""Marketing documents: what an invoice, a credit note, an order and a draft are made of.

The notation is that of `schema.parsed`."""

TYPES = {
    "Document": """
        DocEntry i*-, DocNum i, DocType e:BoDocumentTypes=dDocument_Items, HandWritten y,
        Printed e:PrintStatusEnum=psNo, DocDate d, DocDueDate d, CardCode s15, CardName s100, Address s,
        NumAtCard s100, DocTotal n, AttachmentEntry i, DocCurrency s3, DocRate n, Reference1 s, Reference2 s,
        Comments s254, JournalMemo s50, PaymentGroupCode i, DocTime t, SalesPersonCode i, Confirmed y=tYES,
        ContactPersonCode i, Series i, TaxDate d, DocObjectCode e:BoObjectTypes, ShipToCode s, Indicator s,
        FederalTaxID s, DiscountPercent n, PaymentReference s, CreationDate d-, UpdateDate d-,
        FinancialPeriod i-, UserSign i+, TransNum i-, VatSum n-, VatSumSys n-, VatSumFc n-, DocTotalFc n,
        DocTotalSys n-, RequriedDate d, CancelDate d, PaymentMethod s, PaymentBlock y, PaymentBlockEntry i,
        Project s, Rounding y, WTApplied n-, WTAppliedFC n-, WTAppliedSC n-, NumberOfInstallments i,
        BaseAmount n-, BaseAmountFC n-, WTAmount n-, WTAmountSC n-, WTAmountFC n-, VatDate d,
        DocumentsOwner i, Address2 s, DocumentStatus e:BoStatus-=bost_Open, PeriodIndicator s-, PayToCode s,
        ManualNumber s, BPL_IDAssignedToInvoice i, ClosingDate d, TotalDiscount n-, DownPaymentAmount n,
        DownPaymentAmountFC n, VatPercent n, OpeningRemarks s, ClosingRemarks s, RoundingDiffAmount n,
        RoundingDiffAmountFC n-, Cancelled y-, ControlAccount s15,
        AuthorizationStatus e:DocumentAuthorizationStatusEnum-, TotalDiscountFC n-, TotalDiscountSC n-,
        BPLName s-, VATRegNum s-, BlanketAgreementNumber i, CancelStatus e:CancelStatusEnum-=csNo,
        UpdateTime t-, PaidToDate n+, PaidToDateFC n+, PaidToDateSys n+, DataVersion i+,
        Document_ApprovalRequests [Document_ApprovalRequest], DocumentLines [DocumentLine],
        DocumentAdditionalExpenses [DocumentAdditionalExpense],
        WithholdingTaxDataCollection [WithholdingTaxData], DocumentInstallments [DocumentInstallment],
        DownPaymentsToDraw [DownPaymentToDraw], DocumentReferences [DocumentReference]+""",
    "DocumentLine": """
        LineNum i, ItemCode s, ItemDescription s, Quantity n, ShipDate d, Price n, PriceAfterVAT n,
        Currency s, Rate n, DiscountPercent n, WarehouseCode s, AccountCode s15, CostingCode s8,
        ProjectCode s, VatGroup s, BaseType i, BaseEntry i, BaseLine i, TaxCode s, TaxLiable y, FreeText s,
        WTLiable y, NetTaxAmount n-, NetTaxAmountFC n-, NetTaxAmountSC n-, MeasureUnit s, UnitsOfMeasurment n,
        LineTotal n, TaxPercentagePerRow n, TaxTotal n, RowTotalFC n, RowTotalSC n-, VisualOrder i,
        BaseOpenQuantity n-, UnitPrice n, LineStatus e:BoStatus, CostingCode2 s8, CostingCode3 s8,
        CostingCode4 s8, CostingCode5 s8, LocationCode i, RemainingOpenQuantity n-, OpenAmount n-,
        OpenAmountFC n-, OpenAmountSC n-, AgreementNo i, DocEntry i-, UoMEntry i, UoMCode s-, GrossPrice n,
        GrossTotal n, GrossTotalFC n, GrossTotalSC n-""",
    "DocumentAdditionalExpense": """
        ExpenseCode i, LineTotal n, LineTotalFC n-, LineTotalSys n-, PaidToDate n-, PaidToDateFC n-,
        PaidToDateSys n-, Remarks s, DistributionMethod e:BoAdEpnsDistribMethods, TaxLiable y=tYES,
        VatGroup s, TaxPercent n, TaxSum n, TaxSumFC n-, TaxSumSys n-, TaxCode s, BaseDocEntry i,
        BaseDocLine i, BaseDocType i, LineNum i-, Status e:BoStatus-=bost_Open, WTLiable y,
        DistributionRule s, Project s, DistributionRule2 s, DistributionRule3 s, DistributionRule4 s,
        DistributionRule5 s, LineGross n, LineGrossFC n-""",
    "DocumentInstallment": """
        DueDate d, Percentage n, Total n, LastDunningDate d-, DunningLevel i, TotalFC n, InstallmentId i-,
        PaymentOrdered y-""",
    "WithholdingTaxData": """
        WTCode s, WTAmountSys n, WTAmountFC n, WTAmount n, WithholdingType s-, TaxableAmountFC n,
        TaxableAmount n, Rate n-, Category s-, AppliedWTAmountFC n, AppliedWTAmount n, GLAccount s-,
        LineNum i-, Status e:BoStatus-=bost_Open""",
    "DownPaymentToDraw": """
        DocEntry i, DueDate d-, Name s-, Details s-, AmountToDraw n,
        DownPaymentType e:DownPaymentTypeEnum-=dptInvoice, AmountToDrawFC n, AmountToDrawSC n, RowNum i-,
        DocNumber i-, Tax n-, TaxFC n-, GrossAmountToDraw n, GrossAmountToDrawFC n""",
    "DocumentReference": """
        DocEntry i, LineNumber i, RefDocEntr i, RefDocNum i, ExtDocNum s,
        RefObjType e:ReferencedObjectTypeEnum, AccessKey s, IssueDate d, IssuerCNPJ s, Remark s,
        LinkRefTyp e:LinkReferenceTypeEnum""",
    "Document_ApprovalRequest": """
        ApprovalTemplatesID i, Remarks s, ApprovalTemplatesName s+, ActiveForUpdate y+""",
}
