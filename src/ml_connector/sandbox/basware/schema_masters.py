"""Vendors, accounts, cost centers and the other master data that a customer posts.

The notation is that of `schema.parsed`.
"""

TYPES = {
    "Vendor": """
        externalCode s1-36*, vendorCode s1-25*, vendorParent s?, buvid s36?-, name s1-250*,
        sourceSystem s36?, description s250?, lastUpdated d-, supplierAssignedAccountId s128?,
        eligibleForSourcing b?, vendorClass s100?, identifiers [VendorIdentifier]?,
        addresses [VendorAddress]?, contacts [VendorContact]?, deliveryTerm {VendorDeliveryTerm},
        paymentMeans [VendorPaymentMean]?, paymentTerms {VendorPaymentTerm},
        orderingDetails {VendorOrderingDetails}, processingStatus {VendorProcessingStatus},
        tags [VendorTag]?, customFields [VendorAdditionalField]?, companies [VendorCompany]*""",
    "VendorIdentifier": """
        id s1-36*, schemeId s1-32*, defaultPartyId b?""",
    "VendorAddress": """
        externalCode s1-36*, name s1-200*, description s200?, addressType e:AddressType?,
        addressLine1..3 s200?, cityName s50?, postalZone s50?, poBox s50?, streetName s50?, locality s50?,
        countrySubEntity s50?, countrySubEntityDescription s50?, countryId s2-2?, default b?,
        additionalAddressFields [VendorAddressPart]?""",
    "VendorAddressPart": """
        key e:AddressPart, value s200?""",
    "VendorContact": """
        name s1-200*, description s200?, telephone s50?, telefax s50?, email s200?, website s200?,
        role e:ContactRole""",
    "VendorDeliveryTerm": """
        deliveryTermCode s1-25*, deliveryLocation s100?, description s200?""",
    "VendorPaymentMean": """
        paymentMeansCode s1-25*, description s200?, currencyCode s3-3?,
        financialAccounts [VendorFinancialAccount]?, default b?""",
    "VendorFinancialAccount": """
        financialInstitution {FinancialInstitution},
        financialAccountIdentifiers [FinancialAccountIdentifier]?""",
    "FinancialInstitution": """
        name s250*, id s1-20*, schemeId s1-36*, branchId s50?, branchIdSchemeId s36?, countryId s2-2?""",
    "FinancialAccountIdentifier": """
        schemeId s1-36*, description s200?, id s50?, accountHolderName s200?, currencyCode s3-3?,
        accountAdditionalData1..2 s200?, default b?, linkedBbanOrIban s50?""",
    "VendorPaymentTerm": """
        paymentTermCode s1-25*, description s200?""",
    "VendorOrderingDetails": """
        orderingFormat e:OrderingFormat?, orderingMessageLanguage s10?, orderingLanguage s25?,
        orderEmail m3-320?, orderProcessType s50?, minimumOrderAllowed n?, isTaxable b?,
        automaticallyReceiveOnInvoice b?, automaticallyReceiveOnOrder b?, hasActiveCatalog b?,
        createOrderAutomatically b?, deliverOrderAutomatically b?, noFreeformItems b?, sendToNetwork b?""",
    "VendorProcessingStatus": """
        active b?, paymentDenied b?""",
    "VendorTag": """
        name s1-50*, value s1-250*, tagGroup s50?""",
    "VendorAdditionalField": """
        name s1-25*, value s1-250*, groupName s500?""",
    "VendorCompany": """
        companyCode s1-32*, inheritToChildUnits b?""",
    "Account": """
        accountCode s1-25*, accountNames [Name]*, taxCode s25?, text1..5 s250?, companies [AccountCompany]*,
        externalCode s1-36*, lastUpdated d-""",
    "Name": """
        translation s2-2000*, language s2-10*""",
    "AccountCompany": """
        companyCode s1-32*, inherit b*, active b*""",
    "CostCenter": """
        costCenterCode s1-25*, costCenterNames [Name]*, text1..10 s250?, date1..5 d?, int1..5 i?,
        companies [CostCenterCompany]*, externalCode s1-36*, lastUpdated d-""",
    "CostCenterCompany": """
        companyCode s1-32*, active b*""",
    "PaymentTerm": """
        paymentTermCode s1-25*, paymentTermNames [Name]*, sortOrder c?, moveDueDatesTo e:MoveDates?,
        dueDateCalc i(0..1)?, dueDateDays c?, dueDateDays2 c?, dueDateEom c?, cashDueDateCalc i(0..2)?,
        cashDueDateDays c?, cashDueDateDays2 c?, cashDueDateEom c?, cashDiscount n(0..1e9)?, validFrom d*,
        validTo d*, companies [PaymentTermCompany]*, paymentTermDiscountRules [PaymentTermDiscountRule]?,
        externalCode s1-36*, lastUpdated d-""",
    "PaymentTermCompany": """
        companyCode s1-32*, inherit b*, active b*""",
    "PaymentTermDiscountRule": """
        externalCode s1-36*, discountDays c?, discountPercent n(0..1e9)?, active b*""",
    "TaxCode": """
        taxCode s1-25*, taxCodeNames [Name]*, taxGroup s25?, taxPercentage n(-1e9..1e9)*,
        taxPercentage2 n(-1e9..1e9)?, additionalData [TaxCodeAdditionalData]?, companies [TaxCodeCompany]*,
        externalCode s1-36*, lastUpdated d-""",
    "TaxCodeAdditionalData": """
        externalCode s32?, account s25?, statistical s25?, transactionType s25?, taxPercent n?,
        country s25?, condition s25?, active b?""",
    "TaxCodeCompany": """
        companyCode s1-32*, inherit b*, active b*""",
    "ExchangeRate": """
        rate n(0..1e9)*, currencyCodeTo s2-3*, currencyCodeFrom s2-3*, validFrom d*,
        companies [ExchangeRateCompany]*, externalCode s1-36*, lastUpdated d-""",
    "ExchangeRateCompany": """
        companyCode s1-32*, active b*""",
    "Project": """
        projectCode s1-25*, projectName s1-100*, description s500?, validFrom d*, validUntil d*,
        companies [ProjectCompany]*, externalCode s1-36*, lastUpdated d-""",
    "ProjectCompany": """
        companyCode s1-32*, active b*""",
    "GenericList": """
        externalCode s1-36*, text_1..25 s?, number_1..15 n?, dateValue_1..15 d?, lastUpdated d-,
        companies [GenericListCompany]?, listContent e:ListContent?""",
    "GenericListCompany": """
        companyCode s1-32*, active b*""",
    "Company": """
        companyCode s1-32*, sourceSystem s1-32?, name s1-100*, description s250?, lastUpdated d-,
        bucompid s1-36?, identifiers [CompanyIdentifier]?, addresses [CompanyAddress]?,
        contacts [CompanyContact]?, userDefaultLanguage s25?, homeCurrency s3-3?, active b*,
        publishToBusinessDirectory b?""",
    "CompanyIdentifier": """
        id s1-36*, schemeId s1-36*""",
    "CompanyAddress": """
        externalCode s1-36*, name s1-200*, description s200?, addressType e:CompanyAddressType*,
        addressLine1..3 s200?, cityName s50?, postalZone s50?, poBox s50?, streetName s50?, locality s50?,
        countrySubEntity s50?, countrySubEntityDescription s50?, countryId s2-2?, default b?""",
    "CompanyContact": """
        name s1-200*, description s200?, telephone s50?, telefax s50?, email s200?, website s200?,
        role e:ContactRole*""",
}
