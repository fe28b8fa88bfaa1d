"""Invoices on their way to accounting, their coding rows, and the answers that accounting gives.

The notation is that of `schema.parsed`.
"""

TYPES = {
    "AccountingDocument": """
        invoiceId s1-36*, bumid s36?, p2pProcessingMode e:ProcessingMode, invoiceNumber s100?,
        voucherNumber1..2 s25?, voucherDate d?, processingStatus e:ProcessingStatus*, originService i,
        companyCode s1-32*, companyName s2-250?, organizationCode s25?, organizationName s250?,
        supplierCode s25*, supplierName s250?, currencyCode s2-3*, netSum n?, grossSum n?, taxCode s25?,
        taxPercent1 n(-1e9..1e9)?, taxPercent2 n?, taxSum1..2 n?, invoiceDate d?, baseLineDate d?,
        dueDate d?, cashDate d?, cashPercent n(0..100)?, cashSum n?, referencePerson s255?,
        contractNumber s250?, description s250?, invoiceTypeCode s25?, invoiceTypeName s250?,
        paymentMethod s25?, paymentBlock b*, paymentTermCode s25?, paymentTermName s250?,
        paymentTermExternalCode s100?, paymentPlanReference s255?, paymentRevelsalDocument s250?,
        codingDate d?, prebooked b?, referenceNumber s50?, supplierBankIBAN s50?, supplierBankBBAN s50?,
        supplierBankBIC s250?, supplierBankName s250?, accountingPeriod s50?, accountingGroup s50?,
        removalReason e:RemovalReason, removalReasonComment s250?, disputeInfo {DisputeInfo},
        clearingReferenceId s100?, clearingCountry s25?, clearingDate d?, paymentMessage s100?,
        text1..10 s250?, text11..30 s100?, text31..60 s250?, numeric1..30 n?, date1..10 d?,
        invoiceImageURL s250?, invoiceImageToken s250?, orderNumbers [s]?, lastUpdated d-,
        codingRows [CodingRow]?, invoiceLines [InvoiceLine]?, attachments [Attachment]?-,
        transferParameters [TransferParameter]?, enrichmentResponses [EnrichmentResponse]?,
        prebookResponses [PrebookResponse]?, transferResponses [TransferResponse]?,
        paymentResponses [PaymentResponse]?, removeResponses [RemoveResponse]?, cashSumCompany n?,
        cashSumOrganization n?, exchangeRateBaseDate d?, exchangeRateCompany n?,
        exchangeRateOrganization n?, taxSum1Company n?, taxSum1Organization n?, taxSum2Company n?,
        taxSum2Organization n?, currencyCodeCompany s3?, currencyCodeOrganization s2-3?,
        organizationElementCode s1-25?, organizationElementName s1-250?, grossSumCompany n?,
        grossSumOrganization n?, netSumCompany n?, netSumOrganization n?, parentInvoiceBumId s36?,
        supplierSourceSystemId s36?, removedBeforeTransfer b?""",
    "DisputeInfo": """
        isDisputed b, disputeReason s?, disputeDate d?""",
    "CodingRow": """
        externalCode s1-36*, rowIndex i(0..100000)?, accountCode s50?, accountName s250?,
        costCenterCode s200?, costCenterName s250?, deliveryNoteNumber s250?, lastComment s1000?,
        matchingType i?, grossTotal n?, grossTotalCompany n?, grossTotalOrganization n?, netTotal n?,
        netTotalCompany n?, netTotalOrganization n?, orderLineNetTotal n?, orderLineGrossTotal n?,
        receivedQuantity n?, receivedNetPrice n?, receivedGrossPrice n?, receivedNetTotal n?,
        receivedGrossTotal n?, organizationElementName s250?, organizationElementCode s250?, freightSlip s?,
        conversionNumerator n?, conversionDeNumerator n?, conversionDenominator n?, orderedQuantity n?,
        orderNetTotal n?, orderGrossTotal n?, orderedNetPrice n?, orderedGrossPrice n?,
        internalOrderCode s250?, internalOrderName s250?, orderItemNumber s?, orderNumber s1000?,
        orderLineNumber s2000?, contractNumber s255?, allocatedQuantity n?, matchedQuantity n?,
        matchedNetSum n?, matchedGrossSum n?, closeOrder s100?, plant s250?, profitCenterCode s250?,
        profitCenterName s250?, businessUnitCode s250?, businessUnitName s250?, projectCode s250?,
        projectName s250?, projectSubCode s250?, projectSubName s250?, employeeCode s250?,
        employeeName s250?, vehicleNumber s250?, vehicleName s250?, salesOrderCode s250?,
        salesOrderName s250?, salesOrderSubCode s250?, salesOrderSubName s250?, customerCode s250?,
        customerName s250?, conditionType s250?, accAssignmentCategoryCode s250?,
        accAssignmentCategoryName s250?, budgetCode s250?, budgetName s250?, serviceCode s250?,
        serviceName s250?, businessAreaCode s250?, businessAreaName s250?, productCode s250?,
        productName s250?, buyerName s250?, orderLineDescription s250?, orderLinePriceUnit s250?,
        orderLinePriceUnitDescription s250?, partnerProfitCenter s250?, fixedAssetCode s250?,
        fixedAssetName s250?, goodsReceiptItemNumber s250?, goodsReceiptNumber s250?, materialGroup s250?,
        fiscalYear s250?, fixedAssetSubCode s250?, fixedAssetSubName s250?, orderLineUOM s250?,
        subUOM s250?, workOrderCode s250?, workOrderName s250?, workOrderSubCode s250?,
        workOrderSubName s250?, commitmentItem s250?, controllingArea s250?, functionalArea s250?,
        network s250?, networkActivity s250?, orderCodingRowNumber s250?, ownerName s250?, taxCode s250?,
        taxJurisdictionCode s250?, taxPercent n(-1e9..1e9)?, taxPercent2 n(-1e9..1e9)?, taxSum n?,
        taxSumCompany n?, taxSumOrganization n?, taxSum2 n?, taxSum2Company n?, taxSum2Organization n?,
        rowOrigin s50?, plannedAdditionalCostType i, dimCode1..10 s250?, dimName1..10 s250?, num1..5 n?,
        text1..5 s250?, text84..85 s250?, date1..5 d?""",
    "InvoiceLine": """
        externalCode s?, rowIndex i?, productCode s?, productName s?, quantity n?, orderNumber s?,
        netPrice n?, taxPercent n?, taxSum n?, quantityUnit s?, infoItem i?, grossPrice n?,
        additionalCost b?, additionalCostRecognition s200?, deliveryNoteNumber s250?, discountAmount n?,
        discountPercent n?, grossSum n?, itemTotalSum n?, lineType i?, netSum n?, orderRowNumber s50?,
        taxCode s250?, taxPercent2 n?, taxSum2 n?, date1..5 d?, numeric1..10 n?, text1..10 s250?""",
    "Attachment": """
        externalCode s?, category s?, filename s?, isConfidential b, creationTime d""",
    "TransferParameter": """
        key s1-250*, value s1-250*""",
    "EnrichmentResponse": """
        externalCode s1-36*, success b*, responseMessage s1-250*, sourceSystem s32?, transferDate d?""",
    "PrebookResponse": """
        externalCode s1-36*, success b*, responseMessage s1-250*, sourceSystem s32?, voucherNumber1..2 s25?,
        prebookDate d?, paymentBlock b*""",
    "TransferResponse": """
        externalCode s1-36*, success b*, responseMessage s1-250*, sourceSystem s32?, voucherNumber1..2 s25?,
        transferDate d?, paymentBlock b*""",
    "PaymentResponse": """
        externalCode s1-36*, success b*, responseMessage s250?, sourceSystem s32?, paymentDate d?,
        paymentTermCode s25?, paymentBlock b*, paymentMethod s25?, paidTotal n?, cashDiscount n?,
        checkNumber s25?, paymentMessage s100?, paymentNumber s250?, paymentDocument s250?,
        paymentReversalDocument s250?""",
    "RemoveResponse": """
        externalCode s2-36*, success b?, responseMessage s250*, sourceSystem s32?""",
    "DeleteRequest": """
        lastUpdated d?, externalCode s36?""",
    "RequestIds": """
        requestIds [s]?""",
}
