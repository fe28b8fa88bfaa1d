"""What is made of the Service Layer's rows, and what a payment is sent as; without a server."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from ml_connector.domain.records import (
    AccountType,
    CreditUsed,
    InvoiceStatus,
    LineKind,
    Payment,
    PaymentAllocation,
    PaymentStatus,
)
from ml_connector.systems import fingerprint
from ml_connector.systems.base import Refused
from ml_connector.systems.sapb1 import SYSTEM, documents
from ml_connector.systems.sapb1.accounts import from_account, from_rule
from ml_connector.systems.sapb1.company import Company
from ml_connector.systems.sapb1.documents import CREDIT_NOTES, INVOICES, Documents
from ml_connector.systems.sapb1.partners import from_partner
from ml_connector.systems.sapb1.paying import Paid, ours, remarks, to_payment
from ml_connector.systems.sapb1.settings import options

ADDRESS = "https://b1.example:50000/b1s/v2"
GIVEN = {"base_url": ADDRESS, "company_db": "RIL", "user": "MLCONN", "server_time_zone": "Europe/Berlin"}
ACCOUNTS = {
    name: f"A-{name}"
    for name in ("tax_account", "freight_account", "discount_account", "rounding_account", "withholding_account")
}
CHOSEN = options({**GIVEN, **ACCOUNTS, "bill_clearing_account": "161000"})
COMPANY = Company("Rilling", "US", "USD", False, True, 6, False, 200)


class Book:
    """What is known of the company, without asking it."""

    company = COMPANY

    def iso(self, code):
        return code if code in {"USD", "EUR", "JPY"} else "USD" if code is None else ""


# --- suppliers, accounts, cost centers ---

PARTNER = {
    "CardCode": "V100", "CardName": "Electra", "CardForeignName": None, "CardType": "cSupplier", "Currency": "##",
    "FederalTaxID": "12-3456789", "VatIDNum": None, "EmailAddress": "ap@electra.example", "Phone1": "",
    "ContactPerson": None,
    "PayTermsGrpCode": 5, "PaymentBlock": "tNO", "Valid": "tNO", "ValidFrom": None, "ValidTo": None, "Frozen": "tNO",
    "FrozenFrom": None, "FrozenTo": None, "BilltoDefault": "Remit to", "CreateDate": "2024-01-15T00:00:00Z",
    "UpdateDate": "2026-11-16T00:00:00Z", "UpdateTime": "10:00:00",
    "BPAddresses": [
        {"AddressName": "Remit to", "AddressType": "bo_ShipTo", "Street": "Wrong", "City": None, "State": None,
         "ZipCode": None, "Country": None},
        {"AddressName": "Remit to", "AddressType": "bo_BillTo", "Street": "Main Street", "StreetNo": "1", "Block": None,
         "BuildingFloorRoom": "2nd floor", "City": "San Jose", "State": "CA", "ZipCode": "95002", "Country": "US"},
    ],
}  # fmt: skip


def partner(**changes):
    return from_partner({**PARTNER, **changes}, Book(), CHOSEN, date(2026, 11, 16))


def test_a_business_partner_is_a_supplier():
    item = partner()
    assert item.record.code == "V100"
    assert item.record.currency == "USD"
    assert item.record.tax_id_kind == "ein"
    assert item.record.address.line1 == "Main Street 1"
    assert item.record.address.line2 == "2nd floor"
    assert item.record.on_hold is False
    assert item.changed_at == datetime(2026, 11, 16, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({"Frozen": "tYES"}, True),
        ({"Frozen": "tYES", "FrozenTo": "2026-11-15"}, False),
        ({"Frozen": "tYES", "FrozenFrom": "2026-11-16"}, True),
        ({"Valid": "tYES"}, False),
        ({"Valid": "tYES", "ValidTo": "2026-11-15"}, True),
    ],
)
def test_valid_and_frozen_count_apart_each_with_its_dates(changes, held):  # R47
    assert partner(**changes).record.on_hold is held


def test_a_currency_that_is_none_blocks_the_supplier_alone():  # R49
    assert partner(Currency="$$").invalid.startswith("unmapped_code: Currency '$$' of supplier V100")


ACCOUNT_NO = "5500410011"
PAID_TO = {
    "BPBankAccounts": [{"BankCode": "USBANK", "AccountNo": ACCOUNT_NO, "ABARoutingNumber": "000000101"}],
    "PeymentMethodCode": "Outgoing BT",
}


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def paid_to(**changes):
    nothing = {"BPBankAccounts": [], "BPPaymentMethods": [], "PeymentMethodCode": None}
    row = {**PARTNER, **nothing, **PAID_TO, **changes}
    return from_partner(row, Book(), CHOSEN, date(2026, 11, 16), hashed)


def test_bank_details_leave_no_more_than_a_hash_in_the_supplier():  # R52
    item = paid_to()
    assert item.record == paid_to(BPBankAccounts=[]).record
    text = repr(item)
    assert not any(value in text for value in (ACCOUNT_NO, "USBANK", "Outgoing BT"))
    assert paid_to().observed == item.observed


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"BPBankAccounts": [{"BankCode": "USBANK", "AccountNo": "1"}]}, "account"),
        ({"BPBankAccounts": []}, "account"),
        ({"IBAN": "DE02120300000000202051"}, "account"),
        ({"BPBankAccounts": [{**PAID_TO["BPBankAccounts"][0], "AccountName": "Somebody else"}]}, "payee"),
        ({"PeymentMethodCode": "Cheque"}, "method"),
        ({"BPPaymentMethods": [{"PaymentMethodCode": "Cheque"}]}, "method"),
    ],
)
def test_a_fingerprint_tells_which_part_of_the_bank_details_changed(changes, part):  # R53
    ours, theirs = (fingerprint.parts_of(item.observed["bank_fingerprint"]) for item in (paid_to(), paid_to(**changes)))
    assert {name for name in ours if ours[name] != theirs[name]} == {part}


def test_the_order_of_bank_accounts_and_blanks_say_nothing():  # R53
    two = [*PAID_TO["BPBankAccounts"], {"BankCode": "OTHER", "AccountNo": "2"}]
    blank = [{**account, "IBAN": " ", "Branch": None} for account in reversed(two)]
    assert paid_to(BPBankAccounts=two).observed == paid_to(BPBankAccounts=blank).observed


ACCOUNT = {
    "Code": "_SYS4", "FormatCode": "10-6100-01", "Name": "Components", "ActiveAccount": "tYES", "FatherAccountKey": "6",
    "AccountType": "at_Other", "AcctCurrency": "##", "LockManualTransaction": "tNO", "BlockManualPosting": "tNO",
    "ValidFor": "tYES", "ValidFrom": None, "ValidTo": None, "FrozenFor": "tNO", "FrozenFrom": None, "FrozenTo": None,
    "ProjectRelevant": "tNO", "DistributionRuleRelevant": "tYES", "DistributionRule2Relevant": "tNO",
    "DistributionRule3Relevant": "tNO", "DistributionRule4Relevant": "tNO", "DistributionRule5Relevant": "tNO",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "root", "kind", "postable"),
    [
        ({}, "100000", AccountType.ASSET, True),
        ({}, "200000", AccountType.LIABILITY, True),
        ({"AccountType": "at_Expenses"}, "100000", AccountType.EXPENSE, True),
        ({"ActiveAccount": "tNO"}, "100000", AccountType.HEADING, False),
        ({"LockManualTransaction": "tYES"}, "200000", AccountType.LIABILITY, False),
        ({"FrozenFor": "tYES"}, "100000", AccountType.ASSET, False),
    ],
)
def test_an_account_says_what_may_be_posted_to_it(changes, root, kind, postable):  # R50
    found = from_account({**ACCOUNT, **changes}, root, CHOSEN, date(2026, 11, 16))
    assert (found.type, found.postable) == (kind, postable)
    assert (found.code, found.number, found.requires) == ("_SYS4", "10-6100-01", ("dimension 1",))


@pytest.mark.parametrize(("direct", "number"), [("Y", "C1"), ("N", None)])
def test_a_direct_rule_has_the_number_of_its_center(direct, number):
    line = {"CenterCode": "C1", "TotalInCenter": 100, "EffectiveFrom": "2024-01-01", "EffectiveTo": None}
    row = {
        "FactorCode": "R1", "FactorDescription": "Rule", "Direct": direct, "InWhichDimension": 1, "Active": "tYES",
        "DistributionRuleLines": [line],
    }  # fmt: skip
    assert from_rule(row).number == number


# --- documents ---

LINE = {
    "LineNum": 0, "ItemDescription": "Components", "LineTotal": Decimal("100"), "RowTotalFC": 0, "AccountCode": "6100",
    "CostingCode": "WH1", "CostingCode2": None, "ProjectCode": None, "VatGroup": "P8", "BaseType": 22, "BaseEntry": 150,
}  # fmt: skip
DOCUMENT = {
    "DocEntry": 12, "DocNum": 1012, "DocDate": "2026-11-02", "DocDueDate": "2026-12-02", "TaxDate": "2026-10-30",
    "CardCode": "V100", "NumAtCard": "ELC-1001", "DocTotal": Decimal("108.25"), "DocTotalFc": 0, "DocCurrency": "USD",
    "DocRate": 1, "VatSum": Decimal("8.25"), "VatSumFc": 0, "TotalDiscount": 0, "TotalDiscountFC": 0,
    "RoundingDiffAmount": 0, "RoundingDiffAmountFC": 0, "WTAmount": 0, "WTAmountFC": 0, "PaidToDate": Decimal("8.25"),
    "PaidToDateFC": 0, "PaymentBlock": "tNO", "Cancelled": "tNO", "CancelStatus": "csNo", "DocumentStatus": "bost_Open",
    "AuthorizationStatus": "dasWithout", "Comments": "November", "CreationDate": "2026-11-02", "ClosingDate": None,
    "UpdateDate": "2026-11-02", "UpdateTime": "10:00:00", "DocumentLines": [LINE], "DocumentAdditionalExpenses": [],
    "DocumentInstallments": [{"InstallmentId": 1}],
}  # fmt: skip


def item(kind=INVOICES, policy=None, chosen=CHOSEN, **changes):
    return Documents(kind, Book(), chosen, policy or {}).item({**DOCUMENT, **changes}, {150: "4500"})


def test_a_purchase_invoice_is_an_invoice():
    found = item()
    record = found.record
    assert found.invalid is None
    assert (found.key, record.number, record.supplier, record.voucher) == ("12", "ELC-1001", "V100", "1012/12")
    assert (record.date, record.posting_date, record.due_date) == (
        date(2026, 10, 30),
        date(2026, 11, 2),
        date(2026, 12, 2),
    )
    assert (record.gross, record.net, record.tax) == (Decimal("108.25"), Decimal("100.00"), Decimal("8.25"))
    assert record.orders == ("4500",)
    assert record.lines[0].cost_center == "WH1"
    assert record.adds_up()
    assert found.observed == {"paid": "8.25", "open": "100.00", "paid_counts": "credits"}


def test_a_foreign_document_takes_the_amounts_of_its_own_currency():  # R25
    line = {**LINE, "LineTotal": Decimal("108"), "RowTotalFC": Decimal("100")}
    found = item(
        DocCurrency="EUR", DocRate=Decimal("1.08"), DocTotal=Decimal("108"), DocTotalFc=Decimal("100"), VatSum=0,
        DocumentLines=[line],
    )  # fmt: skip
    record = found.record
    assert found.invalid is None
    assert (record.currency, record.gross, record.rate, record.base_gross) == (
        "EUR",
        Decimal("100.00"),
        Decimal("1.08"),
        Decimal("108.00"),
    )
    assert record.base_difference() == 0


@pytest.mark.parametrize("total", ["110.25", "100.25"])
def test_all_amounts_of_the_header_are_lines_and_withholding_counts_once(total):  # R22, R32
    expense = {"LineTotal": Decimal(5), "LineTotalFC": 0}
    found = item(
        DocTotal=Decimal(total), TotalDiscount=Decimal(3), RoundingDiffAmount=Decimal("0.00"), WTAmount=Decimal(10),
        DocumentAdditionalExpenses=[expense],
    )  # fmt: skip
    record = found.record
    assert found.invalid is None
    assert record.gross == Decimal("100.25")
    assert {line.kind: line.amount for line in record.lines} == {
        LineKind.ITEM: Decimal("100.00"), LineKind.TAX: Decimal("8.25"), LineKind.FREIGHT: Decimal("5.00"),
        LineKind.DISCOUNT: Decimal("-3.00"), LineKind.WITHHOLDING: Decimal("-10.00"),
    }  # fmt: skip
    assert record.adds_up()


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"DocTotal": Decimal("108.26")}, "totals_differ"),
        ({"NumAtCard": " "}, "field_missing"),
        ({"DocCurrency": "$$"}, "unmapped_code"),
        ({"DocumentInstallments": [{"InstallmentId": 1}, {"InstallmentId": 2}]}, "installments"),
        ({"DocumentLines": [{**LINE, "AccountCode": None}]}, "unmapped_code"),
    ],
)
def test_a_document_that_cannot_travel_says_why_and_names_itself(changes, cause):  # R22, R49
    invalid = item(**changes).invalid
    assert invalid.startswith(f"{cause}: ")
    assert "1012/12" in invalid
    assert "V100" in invalid


def test_tax_without_an_account_waits_for_the_setting():  # R49
    assert "Set tax_account" in item(chosen=options(GIVEN)).invalid


@pytest.mark.parametrize("changes", [{"Cancelled": "tYES", "CancelStatus": "csYes"}, {"CancelStatus": "csYes"}])
def test_a_cancelled_document_is_voided(changes):  # R29
    assert item(**changes).record.status is InvoiceStatus.VOIDED


def test_the_row_that_cancels_is_no_document():
    assert documents.cancellation({"CancelStatus": "csCancellation"})
    assert not documents.cancellation({"CancelStatus": "csYes"})


@pytest.mark.parametrize(
    ("changes", "hold"),
    [
        ({"PaymentBlock": "tYES"}, "blocked for payment"),
        ({"AuthorizationStatus": "dasPending"}, "not approved"),
        ({"AuthorizationStatus": "dasGenerated"}, None),
    ],
)
def test_what_is_blocked_or_not_approved_is_on_hold(changes, hold):
    found = item(**changes).record.hold
    assert found is None if hold is None else hold in found


def test_a_site_may_demand_an_approval_procedure():
    chosen = options({**GIVEN, **ACCOUNTS, "approved_statuses": ["dasApproved"]})
    assert item(chosen=chosen).record.hold is not None


def test_a_document_without_the_suppliers_number_may_bear_its_own():
    assert item(policy={"empty_number": "docnum"}, NumAtCard=None).record.number == "1012"


def test_an_old_release_says_nothing_of_what_was_paid():
    row = {name: value for name, value in DOCUMENT.items() if not name.startswith("PaidToDate")}
    assert Documents(INVOICES, Book(), CHOSEN, {}).item(row, {}).observed == {}


def test_a_credit_note_has_a_key_of_its_own_and_names_its_invoice():  # R26, R27
    found = item(CREDIT_NOTES, DocumentLines=[{**LINE, "BaseType": 18, "BaseEntry": 7}])
    assert (found.key, found.record.kind, found.record.corrects) == ("CN-12", "credit_note", "7")
    assert found.record.gross > 0
    assert CREDIT_NOTES.entry("CN-12") == 12
    assert INVOICES.entry("CN-12") is None


# --- payments ---

PAYMENT = Payment(
    supplier="V100",
    date=date(2026, 11, 16),
    amount=Decimal("108.25"),
    currency="USD",
    reference="P-77",
    status=PaymentStatus.CLEARED,
    allocations=(PaymentAllocation(invoice="12", gross=Decimal("108.25"), net=Decimal("108.25")),),
)
MARK = "mlc0123456789"


def paid(kind=INVOICES, entry=12, **changes):
    given = {
        "number": "ELC-1001", "supplier": "V100", "currency": "USD", "open": Decimal("500"), "usable": True,
        "branch": None,
    }  # fmt: skip
    return Paid(kind=kind, entry=entry, **{**given, **changes})


def body(payment=PAYMENT, company=COMPANY, chosen=CHOSEN, **documents):
    return to_payment(payment, MARK, {"12": paid(), **documents}, company, chosen)


def replaced(**changes):
    import msgspec

    return msgspec.structs.replace(PAYMENT, **changes)


def test_a_payment_names_the_type_of_its_documents():
    assert body() == {
        "DocType": "rSupplier", "CardCode": "V100", "DocDate": "2026-11-16", "TransferDate": "2026-11-16",
        "TransferAccount": "161000", "TransferSum": Decimal("108.25"), "TransferReference": MARK,
        "Remarks": f"P-77 · {MARK}",
        "PaymentInvoices": [
            {"DocEntry": 12, "InvoiceType": "it_PurchaseInvoice", "InstallmentId": 1, "SumApplied": Decimal("108.25")}
        ],
    }  # fmt: skip


def test_a_foreign_payment_applies_in_its_own_currency():  # R25
    found = to_payment(
        replaced(currency="EUR", rate=Decimal("1.1")), MARK, {"12": paid(currency="EUR")}, COMPANY, CHOSEN
    )
    assert found["DocCurrency"] == "EUR"
    assert found["DocRate"] == Decimal("1.100000")
    assert found["PaymentInvoices"][0]["AppliedFC"] == Decimal("108.25")
    assert "SumApplied" not in found["PaymentInvoices"][0]


def test_a_company_that_quotes_rates_the_other_way_gets_them_so():  # R25
    company = Company("Rilling", "US", "USD", False, False, 6, False, 200)
    record = replaced(currency="EUR", rate=Decimal("1.1"))
    assert to_payment(record, MARK, {"12": paid(currency="EUR")}, company, CHOSEN)["DocRate"] == Decimal("0.909091")


def test_a_foreign_payment_without_a_rate_is_booked_at_the_companys_own():  # R25
    found = to_payment(replaced(currency="EUR"), MARK, {"12": paid(currency="EUR")}, COMPANY, CHOSEN)
    assert "DocRate" not in found


def test_a_credit_note_in_the_payment_is_a_row_below_zero():  # R26
    allocations = (
        PaymentAllocation(
            invoice="12",
            gross=Decimal("108.25"),
            net=Decimal("33.25"),
            credit=Decimal(75),
            credits=(CreditUsed(ref="CN-3", amount=Decimal(75)),),
        ),
    )
    found = body(replaced(amount=Decimal("33.25"), allocations=allocations), **{"CN-3": paid(CREDIT_NOTES, 3)})
    assert [(row["InvoiceType"], row["SumApplied"]) for row in found["PaymentInvoices"]] == [
        ("it_PurchaseInvoice", Decimal("108.25")),
        ("it_PurchaseCreditNote", Decimal(-75)),
    ]


def test_a_credit_used_for_two_invoices_and_an_invoice_named_twice_are_one_row_each():  # R26, R28
    credits = (CreditUsed(ref="CN-3", amount=Decimal(10)),)
    allocations = tuple(
        PaymentAllocation(invoice=key, gross=Decimal(30), net=Decimal(20), credit=Decimal(10), credits=credits)
        for key in ("12", "13", "12")
    )
    found = body(
        replaced(amount=Decimal(60), allocations=allocations),
        **{"13": paid(entry=13), "CN-3": paid(CREDIT_NOTES, 3)},
    )
    assert [(row["DocEntry"], row["SumApplied"]) for row in found["PaymentInvoices"]] == [(12, 60), (13, 30), (3, -30)]


def test_only_a_payment_whose_remarks_end_in_its_reference_is_ours():  # R5
    assert ours("stp01", "P26-1 · stp01")
    assert ours("stp01/2", "stp01/2")
    assert not ours("P26-1", "Paid on P26-1")
    assert not ours("", "")


def test_the_remarks_keep_the_mark_whole():  # R31
    found = remarks(replaced(reference="x" * 300), MARK)
    assert len(found) == 254
    assert found.endswith(f"… · {MARK}")


@pytest.mark.parametrize(
    ("payment", "document", "cause", "field"),
    [
        (PAYMENT, paid(open=Decimal(100)), "over_application", "SumApplied"),
        (PAYMENT, paid(usable=False), "document_closed", "PaymentInvoices"),
        (PAYMENT, paid(supplier="V200"), "reference_missing", "CardCode"),
        (PAYMENT, paid(currency="EUR"), "currency_not_allowed", "DocCurrency"),
        (replaced(amount=Decimal(200)), paid(), "totals_differ", "PaymentInvoices"),
        (replaced(allocations=()), paid(), "field_missing", "PaymentInvoices"),
    ],
)
def test_what_should_not_be_posted_is_refused_before_it_leaves(payment, document, cause, field):  # R28
    with pytest.raises(Refused) as refused:
        to_payment(payment, MARK, {"12": document}, COMPANY, CHOSEN)
    assert (refused.value.code, refused.value.field) == (cause, field)
    assert "V100" in str(refused.value)


def test_a_payment_lies_in_the_one_branch_of_its_documents():
    company = Company("Rilling", "US", "USD", True, True, 6, False, 200)
    assert to_payment(PAYMENT, MARK, {"12": paid(branch=3)}, company, CHOSEN)["BPLID"] == 3
    with pytest.raises(Refused, match="branch"):
        to_payment(PAYMENT, MARK, {"12": paid()}, company, CHOSEN)


def test_a_payment_of_more_documents_than_the_company_allows_is_refused():
    company = Company("Rilling", "US", "USD", False, True, 6, False, 1)
    allocations = tuple(
        PaymentAllocation(invoice=key, gross=Decimal("54.125"), net=Decimal("54.125")) for key in ("12", "13")
    )
    with pytest.raises(Refused, match="MaxNumberOfDocumentsInPmt"):
        to_payment(replaced(allocations=allocations), MARK, {}, company, CHOSEN)


def test_credentials_are_one_server_company_and_user_whatever_the_version():
    settings = {**GIVEN, "user": "MLconn"}
    older = {**GIVEN, "base_url": ADDRESS.replace("v2", "v1")}
    assert SYSTEM.credential(settings, {}) == SYSTEM.credential(older, {})
    assert SYSTEM.credential(settings, {}) != SYSTEM.credential({**GIVEN, "company_db": "OTHER"}, {})
    assert SimpleNamespace(**settings).user not in SYSTEM.credential(settings, {})
