"""Whatever clients send in whatever order: no failure of the stand-in itself, and books that add up."""

import random
from decimal import Decimal

import pytest
from tests.sandbox.sapb1.conftest import invoice_body, line, payment_body

STEPS = 60
CENT = Decimal("0.01")
SETS = ("PurchaseInvoices", "PurchaseCreditNotes")


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_random_days_leave_books_that_add_up(layer, stand_in, seed):  # R28, R29
    rng = random.Random(seed)
    layer.vendor("LOC001", VatGroup="P8")
    layer.vendor("EUR002", Currency="EUR")
    done = sum(_step(layer, stand_in, rng) for _ in range(STEPS))
    assert done > STEPS / 5, "too little was allowed for a trial"
    _check(stand_in)
    for row in stand_in.state("VendorPayments"):
        if row["Cancelled"] == "tNO":
            assert layer.post(f"VendorPayments({row['DocEntry']})/Cancel").status_code == 204
    _check(stand_in)
    live = {name: [row for row in stand_in.state(name) if row["CancelStatus"] == "csNo"] for name in SETS}
    invoices, credits = (sum(row.get("PaidToDate", 0) for row in rows) for rows in live.values())
    assert abs(invoices - credits) <= CENT * STEPS, "only credit notes still settle anything"
    owed, owing = (sum(row["DocTotal"] - row.get("PaidToDate", 0) for row in rows) for rows in live.values())
    payable = next(row.get("Balance", 0) for row in stand_in.state("ChartOfAccounts") if row["Code"] == "10-2100")
    assert abs(payable - (owing - owed)) <= CENT * STEPS, "rates of parts round by a cent"


def _step(layer, stand_in, rng) -> bool:
    vendor, amount = rng.choice(["LOC001", "EUR002"]), rng.randint(1, 90_000) / 100
    entry, foreign = rng.randint(1, 20), vendor == "EUR002"
    money = {"RowTotalFC": amount, "LineTotal": None} if foreign else {}
    match rng.randrange(7):
        case 0 | 1:
            lines = [{**line(amount), **money}, {**line(amount), **money}]
            discount = rng.choice([0, 0, 3.5])
            reply = layer.post(
                "PurchaseInvoices", invoice_body(vendor=vendor, DocumentLines=lines, DiscountPercent=discount)
            )
        case 2:
            base = {"BaseType": 18, "BaseEntry": entry, "BaseLine": 0} if rng.random() < 0.6 else {}
            lines = [{**line(amount / 10), **money, **base}]
            lines[0].update({name: round(amount / 10, 2) for name in ("RowTotalFC",) if foreign})
            lines[0].update({"LineTotal": round(amount / 10, 2)} if not foreign else {})
            reply = layer.post("PurchaseCreditNotes", invoice_body(vendor=vendor, DocumentLines=lines))
        case 3 | 4:
            name, part = ("AppliedFC" if foreign else "SumApplied"), rng.choice([amount, None])
            row = {"DocEntry": entry} | ({} if part is None else {name: part})
            more = {"DocCurrency": "EUR", "DocRate": rng.choice([1.05, 1.123456])} if foreign else {}
            reply = layer.post("VendorPayments", payment_body(row, total=amount * 3 // 1, vendor=vendor, **more))
        case 5:
            reply = layer.post(f"VendorPayments({entry})/Cancel")
        case _:
            reply = layer.post(f"{rng.choice(SETS)}({entry})/Cancel")
    assert reply.status_code in (201, 204, 400, 404), reply.text
    return reply.status_code < 300


def _check(stand_in) -> None:
    accounts = {row["Code"]: row.get("Balance", 0) for row in stand_in.state("ChartOfAccounts")}
    assert sum(accounts.values()) == 0
    for entry in stand_in.state("JournalEntries"):
        assert sum(row.get("Debit", 0) - row.get("Credit", 0) for row in entry["JournalEntryLines"]) == 0
    assert accounts["10-2100"] == sum(row.get("CurrentAccountBalance", 0) for row in stand_in.state("BusinessPartners"))
    for name in SETS:
        for row in stand_in.state(name):
            paid, total = row.get("PaidToDate", 0), row["DocTotal"]
            assert 0 <= paid <= total
            assert 0 <= row.get("PaidToDateFC", 0) <= row.get("DocTotalFc", 0)
            assert (row["DocumentStatus"] == "bost_Close") == (paid == total)
