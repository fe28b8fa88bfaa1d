"""Enumerations: the names that answers and bodies carry, with the letters of the database, which filters take too."""

_TEXT = """
BoAccountTypes: at_Revenues=I at_Expenses=E at_Other=N
BoAdEpnsDistribMethods: aedm_None=N aedm_Quantity=Q aedm_Volume=V aedm_Weight=W aedm_Equally=E aedm_RowTotal=T
BoAddressType: bo_ShipTo=S bo_BillTo=B
BoBaselineDate: bld_PostingDate=P bld_SystemDate=S bld_TaxDate=T bld_ClosingDate=C
BoCardTypes: cCustomer=C cSupplier=S cLid=L
BoDocumentTypes: dDocument_Items=I dDocument_Service=S
BoFieldTypes: db_Alpha=A db_Memo=M db_Numeric=N db_Date=D db_Float=B
BoORCTPaymentTypeEnum: bopt_None=N bopt_Electronic=E bopt_Post=P bopt_Telegraph=T bopt_Express=X
BoObjectTypes: oInvoices=13 oCreditNotes=14 oPurchaseInvoices=18 oPurchaseCreditNotes=19
 oPurchaseDeliveryNotes=20 oPurchaseReturns=21 oPurchaseOrders=22 oVendorPayments=46 oDrafts=112
BoOpenIncPayment: oip_No=N oip_Cash=3 oip_Checks=1 oip_Credit=4 oip_BankTransfer=2
BoPayTermDueTypes: pdt_MonthEnd=E pdt_HalfMonth=H pdt_MonthStart=Y pdt_None=N
BoPaymentPriorities: bopp_Priority_1=1 bopp_Priority_2=2 bopp_Priority_3=3 bopp_Priority_4=4 bopp_Priority_5=5
 bopp_Priority_6=6
BoPaymentsObjectType: bopot_IncomingPayments=24 bopot_OutgoingPayments=46
BoRcptInvTypes: it_AllTransactions=-1 it_OpeningBalance=-2 it_ClosingBalance=-3 it_Invoice=13 it_CredItnote=14
 it_PurchaseInvoice=18 it_PurchaseCreditNote=19 it_JournalEntry=30 it_PaymentAdvice=46 it_DownPayment=203
 it_PurchaseDownPayment=204
BoRcptTypes: rCustomer=C rAccount=A rSupplier=S
BoStatus: bost_Open=O bost_Close=C bost_Paid=P bost_Delivered=D
BoVatCategoryEnum: bovcInputTax=I bovcOutputTax=O
BoVatStatus: vExempted=N vLiable=Y vEC=E
BoYesNoEnum: tNO=N tYES=Y
BoYesNoNoneEnum: boNO=0 boYES=1 boNONE=2
CancelStatusEnum: csYes=Y csNo=N csCancellation=C
CurrenciesDecimalsEnum: cd1Digit=1 cd2Digits=2 cd3Digits=3 cd4Digits=4 cd5Digits=5 cd6Digits=6 cdDefault=-1
 cdWithoutDecimals=0
DocumentAuthorizationStatusEnum: dasWithout=- dasPending=W dasApproved=Y dasRejected=N dasGenerated=P
 dasGeneratedbyAuthorizer=A dasCancelled=C
DownPaymentTypeEnum: dptRequest=N dptInvoice=Y
LinkReferenceTypeEnum: lrt_00=0 lrt_01=1 lrt_02=2 lrt_03=3 lrt_04=4
PaymentMeansTypeEnum: pmtNotAssigned= pmtChecks=CHK pmtBankTransfer=BTR pmtCash=CAS pmtCreditCard=CRD
PaymentsAuthorizationStatusEnum: pasWithout=- pasPending=W pasApproved=Y pasRejected=N pasGenerated=P
 pasGeneratedbyAuthorizer=A pasCancelled=C
PeriodStatusEnum: ltUnlocked=N ltUnlockedExceptSales=S ltPeriodClosing=C ltLocked=Y
PrintStatusEnum: psNo=N psYes=Y psAmended=A
ReferencedObjectTypeEnum: rot_ExternalDocument=-1 rot_PurchaseOrder=22 rot_PurchaseInvoice=18
 rot_PurchaseCreditNote=19 rot_DownPaymentOutgoing=204 rot_OutgoingPayments=46
RoundingSysEnum: rsNoRounding=0 rsRoundToFiveHundredth=4 rsRoundToOne=2 rsRoundToTen=3 rsRoundToTenHundredth=1
TransTypesEnum: ttAllTransactions=-1 ttAPInvoice=18 ttAPCreditNote=19 ttJournalEntry=30 ttVendorPayment=46
"""


def _parsed(text: str) -> dict[str, dict[str, str]]:
    enums: dict[str, dict[str, str]] = {}
    for line in text.replace("\n ", " ").strip().splitlines():
        name, _, members = line.partition(": ")
        enums[name] = dict(member.split("=", 1) for member in members.split())
    return enums


ENUMS = _parsed(_TEXT)
"""Enumeration -> name -> value in the database."""


def member(enum: str, given: str | int) -> str | None:
    """The name of a member that is given by name, by database value or by number; None when there is none."""
    members = ENUMS[enum]
    if given in members:
        return str(given)
    return next((name for name, value in members.items() if value == str(given)), None)
