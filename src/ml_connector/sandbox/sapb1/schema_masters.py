"""Business partners, accounts, cost centers and the other master data.

The notation is that of `schema.parsed`."""

TYPES = {
    "BusinessPartner": """
        CardCode s15*, CardName s100, CardType e:BoCardTypes=cCustomer, GroupCode i, Address s, ZipCode s,
        MailAddress s, MailZipCode s, Phone1 s, Phone2 s, Fax s, ContactPerson s, Notes s, PayTermsGrpCode i,
        CreditLimit n, DiscountPercent n, VatLiable e:BoVatStatus=vLiable, FederalTaxID s, FreeText s,
        SalesPersonCode i, Currency s, Cellular s, City s, County s, Country s, EmailAddress s,
        DefaultAccount s, DefaultBranch s, DefaultBankCode s, AdditionalID s, CardForeignName s,
        CurrentAccountBalance n-, OpenOrdersBalance n-, VatGroup s, IBAN s, DebitorAccount s, Valid y,
        ValidFrom d, ValidTo d, ValidRemarks s, Frozen y, FrozenFrom d, FrozenTo d, FrozenRemarks s, Block s,
        BillToState s, ShipToState s, PeymentMethodCode s, BankCountry s, HouseBank s, HouseBankCountry s,
        HouseBankAccount s, ShipToDefault s, PaymentBlock y, PaymentBlockDescription i,
        LinkedBusinessPartner s, WTCode s, BillToBuildingFloorRoom s, BilltoDefault s, ProjectCode s,
        Website s, SubjectToWithholdingTax e:BoYesNoNoneEnum+=boNO,
        VatIDNum s, VATRegistrationNumber s, Series i, AliasName s, UnifiedFederalTaxID s,
        AttachmentEntry i, UpdateDate d-, UpdateTime t-, CreateDate d-, CreateTime t-, DataVersion i+,
        BPAddresses [BPAddress], ContactEmployees [ContactEmployee], BPPaymentMethods [BPPaymentMethod],
        BPWithholdingTaxCollection [BPWithholdingTax], BPBranchAssignment [BPBranchAssignmentItem],
        BPBankAccounts [BPBankAccount], BPFiscalTaxIDCollection [BPFiscalTaxID]""",
    "BPAddress": """
        AddressName s, Street s, Block s, ZipCode s, City s, County s, Country s, State s, FederalTaxID s,
        TaxCode s, BuildingFloorRoom s, AddressType e:BoAddressType=bo_ShipTo, AddressName2 s, AddressName3 s,
        TypeOfAddress s, StreetNo s, BPCode s, RowNum i, CreateDate d-, CreateTime t-""",
    "ContactEmployee": """
        CardCode s15, Name s, Position s, Address s, Phone1 s, Phone2 s, MobilePhone s, Fax s, E_Mail s,
        Remarks1 s, Remarks2 s, InternalCode i, Title s, Active y=tYES, FirstName s, MiddleName s, LastName s,
        CreateDate d-, CreateTime t-, UpdateDate d-, UpdateTime t-""",
    "BPPaymentMethod": """
        PaymentMethodCode s, RowNumber i, BPCode s""",
    "BPWithholdingTax": """
        WTCode s, BPCode s-""",
    "BPBranchAssignmentItem": """
        BPCode s-, BPLID i, DisabledForBP y""",
    "BPBankAccount": """
        LogInstance i, UserNo4 s, BPCode s, County s, State s, UserNo2 s, IBAN s, ZipCode s, City s, Block s,
        Branch s, Country s, Street s, ControlKey s, UserNo3 s, BankCode s, AccountNo s, UserNo1 s,
        InternalKey i, BuildingFloorRoom s, BIK s, AccountName s, CorrespondentAccount s, Phone s, Fax s,
        CustomerIdNumber s, ISRBillerID s, ISRType i, BICSwiftCode s, ABARoutingNumber s, MandateID s,
        SignatureDate d""",
    "BPFiscalTaxID": """
        Address s, CNAECode i, TaxId0 s, TaxId1 s, TaxId2 s, TaxId3 s, TaxId4 s, TaxId5 s, TaxId6 s, TaxId7 s,
        TaxId8 s, TaxId9 s, TaxId10 s, TaxId11 s, BPCode s-, AddrType e:BoAddressType-=bo_ShipTo""",
    "ChartOfAccount": """
        Code s*, Name s, Balance n-, CashAccount y, BudgetAccount y, ActiveAccount y=tYES, AccountLevel i-,
        DataExportCode s, FatherAccountKey s, ExternalCode s, TaxLiableAccount y,
        AccountType e:BoAccountTypes=at_Other, AcctCurrency s, Balance_syscurr n-, Balance_FrgnCurr n-,
        Protected y, ReconciledAccount y, ForeignName s, Details s, ProjectCode s, LockManualTransaction y,
        FormatCode s, DefaultVatGroup s, Category i, ProjectRelevant y, DistributionRuleRelevant y,
        DistributionRule2Relevant y, DistributionRule3Relevant y, DistributionRule4Relevant y,
        DistributionRule5Relevant y, BPLID i, BPLName s-, ValidFor y, ValidFrom d, ValidTo d, ValidRemarks s,
        FrozenFor y, FrozenFrom d, FrozenTo d, FrozenRemarks s, BlockManualPosting y, CashFlowRelevant y""",
    "ProfitCenter": """
        CenterCode s8*, CenterName s, GroupCode s, InWhichDimension i, CostCenterType s, EffectiveFrom d,
        EffectiveTo d, Active y=tYES, CenterOwner i""",
    "DistributionRule": """
        FactorCode s8*, FactorDescription s, TotalFactor n, Direct s, InWhichDimension i, Active y=tYES,
        IsFixedAmount y, DistributionRuleLines [DistributionRuleLine]""",
    "DistributionRuleLine": """
        CenterCode s8, TotalInCenter n, EffectiveFrom d, EffectiveTo d""",
    "Dimension": """
        DimensionCode i*-, DimensionName s-, IsActive y, DimensionDescription s""",
    "Project": """
        Code s*, Name s, ValidFrom d, ValidTo d, Active y=tYES""",
    "Currency": """
        Code s*, Name s, DocumentsCode s, InternationalDescription s, HundredthName s, EnglishName s,
        EnglishHundredthName s, PluralInternationalDescription s, PluralHundredthName s, PluralEnglishName s,
        PluralEnglishHundredthName s, Decimals e:CurrenciesDecimalsEnum=cdDefault,
        Rounding e:RoundingSysEnum=rsNoRounding, RoundingInPayment y, MaxIncomingAmtDiff n,
        MaxOutgoingAmtDiff n, MaxIncomingAmtDiffPercent n, MaxOutgoingAmtDiffPercent n""",
    "PaymentTermsType": """
        GroupNumber i*-, PaymentTermsGroupName s, StartFrom e:BoPayTermDueTypes=pdt_None,
        NumberOfAdditionalMonths i, NumberOfAdditionalDays i, CreditLimit n, GeneralDiscount n,
        InterestOnArrears n, PriceListNo i, LoadLimit n, OpenReceipt e:BoOpenIncPayment=oip_No,
        DiscountCode s, DunningCode s, BaselineDate e:BoBaselineDate=bld_TaxDate, NumberOfInstallments i-,
        NumberOfToleranceDays i""",
    "VatGroup": """
        Code s*, Name s, Category e:BoVatCategoryEnum=bovcOutputTax, TaxAccount s, EU y, NonDeduct n,
        Inactive y, VatGroups_Lines [VatGroups_Line]""",
    "VatGroups_Line": """
        Effectivefrom d, Rate n, EqualizationTax n, DatevCode i""",
    "BusinessPlace": """
        BPLID i*-, BPLName s, BPLNameForeign s, VATRegNum s, Address s, MainBPL y, Disabled y,
        DefaultVendorID s, FederalTaxID s, Street s, ZipCode s, City s, State s, Country s,
        PaymentClearingAccount s""",
    "HouseBankAccount": """
        BankCode s-, AccNo s, Branch s, NextCheckNo i, GLAccount s, City s, Country s-, State s, IBAN s,
        AbsoluteEntry i*-, BankKey i, AccountName s, BICSwiftCode s""",
    "UserFieldMD": """
        TableName s*, FieldID i*-, Name s, Type e:BoFieldTypes=db_Alpha, Size i, Description s, DefaultValue s,
        EditSize i, Mandatory y""",
}
