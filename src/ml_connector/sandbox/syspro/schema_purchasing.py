"""Purchase orders and the goods received on them, with the codes that their lines name.

ASSUMED, for no source shows them: the columns of GrnMatching, InvMaster and InvWhControl.
"""

from ml_connector.sandbox.syspro.definition import table

PURCHASING = (
    table(
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
    table(
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
    table(
        "GrnDetails",
        "Supplier Grn GrnSource Journal JournalEntry",
        """Supplier v15, Grn v20, GrnSource c1, Journal d10, JournalEntry d10, OrigReceiptDate t,
        DebitRecGlCode v35, GrnYear d4, GrnMonth d2, PurchaseOrder v20, PurchaseOrderLin d4, StockCode v30,
        StockDescription v50, Warehouse v10, QtyReceived d18.6, QtyUom v10, DeliveryNote v20, OrigGrnValue d14.2,
        CurGrnValue d14.2, MatchedValue d14.2, StdGrnValue d14.2, GrnMatchedFlag c1, GrnMatchedYear d4,
        GrnMatchedMonth d2, OrigPurchValue d14.2, CurrencyValue d14.2, PostCurrency c3, ConvRate d12.6, MulDiv c1,
        MTaxCode c3""",
    ),
    table(
        "GrnMatching",
        "Supplier Grn GrnSource Journal JournalEntry Invoice",
        """Supplier v15, Grn v20, GrnSource c1, Journal d10, JournalEntry d10, Invoice v20, MatchedValue d14.2,
        MatchedQty d18.6""",
    ),
    table("InvBuyer", "Buyer", "Buyer v20, Name v50, Email v255"),
    table(
        "InvMaster",
        "StockCode",
        """StockCode v30, Description v50, StockUom v10, AlternateUom v10, ConvFactAltUom d12.6, ConvMulDiv c1,
        ProductClass v20""",
    ),
    table("InvWhControl", "Warehouse", "Warehouse v10, Description v50"),
)
