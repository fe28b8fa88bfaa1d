"""Orders for invoice matching: headers, lines, their coding and receipts.

The notation is that of `schema.parsed`.
"""

TYPES = {
    "Order": """
        externalCode s1-36*, orderNumber s1-100*, sourceSystem s1-36*, companyCode s1-25*,
        companyName s250?, organizationElementCode s2-25*, organizationElementName s250?,
        orderTypeCode s25?, currencyCode s2-3*, created d?, isClosed b?, description s1000?,
        purchaseOrganizationCode s25?, purchaseOrganizationName s250?, supplierCode s1-25*,
        supplierName s250?, invoicingSupplierCode s25?, invoicingSupplierName s250?,
        requestedDeliveryDate d?, actualDeliveryDate d?, validFrom d?, validTo d?, paymentTermCode s25?,
        paymentTermName s250?, text1..10 s250?, numeric1..5 n?, date1..5 d?, isInvoiced b?, isDelivered b?,
        lastUpdated d-, orderReference s100?""",
    "OrderLine": """
        externalCode s1-36*, orderExternalCode s1-36*, lineNumber s1-100*, sortNumber i?, quantity n*,
        netSum n?, grossSum n?, currencyCode s2-3?, matchingMode e:MatchingMode*, isReceiptRequired b?,
        isReceiptBasedMatching b?, isOverreceivalAllowed b?, isClosed b?, isDeleted b?, isSelfApproved b?,
        uom s25?, subUOM s250?, netPrice n?, grossPrice n?, priceUnit s25?, priceUnitDescription s250?,
        taxCode s25?, taxPercent n(0..1e9)?, taxPercent2 n?, taxSum n?, taxSum2 n?, invoicedQuantity n?,
        invoicedNetSum n?, invoicedGrossSum n?, validFrom d?, validTo d?, productCode s250?,
        productName s250?, materialGroup s250?, globalTradeItemNumber s250?, unspsc s25?,
        buyerProductCode s250?, contractNumber s255?, description s1000?, comment s1000?,
        requestedDeliveryDate d?, actualDeliveryDate d?, text1..10 s250?, numeric1..5 n?, date1..5 d?,
        orderLineCoding [OrderLineCoding]?, goodsReceipts [GoodsReceipt]?, referenceUsers [OrderLineUser]?,
        lastUpdated d-""",
    "OrderLineCoding": """
        externalCode s1-36*, rowIndex i(0..100000)*, netTotal n?, grossTotal n?, accountCode s50?,
        accountName s250?, costCenterCode s200?, costCenterName s250?, projectCode s25?, projectName s250?,
        conversionNumerator n?, conversionDenominator n?, conversionDeNumerator n?, taxCode s25?,
        taxPercent n(-1e9..1e9)?, taxPercent2 n(-1e9..1e9)?, taxSum n?, taxSum2 n?,
        partnerProfitCenter s250?, fixedAssetCode s250?, fixedAssetName s250?, materialGroup s100?,
        fixedAssetSubCode s50?, fixedAssetSubName s50?, internalOrderCode s50?, internalOrderName s50?,
        profitCenterCode s50?, profitCenterName s50?, businessUnitCode s50?, businessUnitName s50?,
        projectSubCode s50?, projectSubName s50?, employeeCode s50?, employeeName s50?, vehicleNumber s50?,
        vehicleName s50?, salesOrderCode s50?, salesOrderName s50?, salesOrderSubCode s50?,
        salesOrderSubName s50?, customerCode s50?, customerName s50?, accAssignmentCategoryCode s50?,
        accAssignmentCategoryName s50?, budgetCode s50?, budgetName s50?, serviceCode s50?,
        serviceName s50?, businessAreaCode s50?, businessAreaName s50?, taxJurisdictionCode s50?,
        subUOM s50?, workOrderCode s50?, workOrderName s50?, workOrderSubCode s50?, workOrderSubName s50?,
        commitmentItem s50?, controllingArea s50?, functionalArea s50?, dimCode1..10 s100?,
        dimName1..10 s100?, num1..5 n?, allocatedQuantity n*, text1..5 s250?, date1..5 d?, network s250?,
        networkActivity s250?""",
    "GoodsReceipt": """
        externalCode s1-36*, goodsReceiptNumber s1-100*, goodsReceiptLineNumber s25?,
        referenceGRExternalCode s36?, deliveryNoteNumber s250?, bestFitGrouping s250?, quantity n*,
        netSum n?, grossSum n?, netPrice n?, grossPrice n?, isDeleted b?, notifyFault b?,
        invoicedQuantity n?, invoicedNetSum n?, invoicedGrossSum n?, unitOfMeasure s25?,
        subUnitOfMeasure s250?, goodsReceiptType i?, receiveMethod i?, voucherNumber s100?,
        goodsReceiptNote s250?, fiscalYear d?, deliveryDate d?, productSerialNumber s250?, comment s255?,
        text1..10 s250?, numeric1..5 n?, date1..5 d?, serviceEntrySheetDocId s100?,
        receiptCoding [OrderLineCoding]?""",
    "OrderLineUser": """
        userExternalCode s36?, userEmail s250?, userRole e:UserRole?, lastUpdated d-""",
}
