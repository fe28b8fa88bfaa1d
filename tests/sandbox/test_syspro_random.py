"""Whatever is posted to the SYSPRO stand-in, in whatever order, good or bad: its books stay in agreement."""

import random
from collections import defaultdict
from decimal import Decimal

import pytest
from tests.sandbox.syspro_client import Client, parsed, said, text
from tests.sandbox.test_syspro_posting import WRITES

from ml_connector import sandbox

SUPPLIERS = ("ELC001", "PAK003", "TRN004", "HYD005", "NOR002", "NOBODY")
ACCOUNTS = ("10-6100", "10-6200", "10-6300", "10-6400-WH1", "10-2100", "10-9999")
SIGNS = {"P": -1, "S": -1, "C": -1, "D": 1, "A": 1, "V": 1}


class Player:
    """Draws documents that are mostly right, and remembers what it may come back to."""

    def __init__(self, syspro, seed):
        self.rng = random.Random(seed)
        self.syspro, self.enet = syspro, Client(syspro).logon()
        self.orders, self.cheques = ["150", "151", "152"], []
        answer = self.enet.post("APSTPY", {"AddPaymentRun": {"Bank": "MAIN"}})
        self.run = text(answer, "Item/Key/PaymentNumber")
        self.taken, self.refused = 0, 0

    def parameters(self):
        chosen = self.rng.choice
        return {
            "ValidateOnly": chosen("NNNNY"),
            "IgnoreWarnings": chosen("NWY"),
            "ApplyIfEntireDocumentValid": chosen("YN"),
            "PostingPeriod": chosen("CCPB"),
            "AllowNonStockItems": "Y",
        }

    def amount(self):
        return Decimal(self.rng.randint(1, 50_000)).scaleb(-2)

    def step(self):
        chosen = self.rng.choice((self.invoices, self.journal, self.payment, self.void, self.order, self.goods))
        answer = chosen()
        if answer is not None:
            wrong = bool(said(answer))
            self.taken, self.refused = self.taken + (not wrong), self.refused + wrong

    def invoices(self):
        return self.enet.post("APSTIN", [self.invoice() for _ in range(self.rng.randint(1, 3))], **self.parameters())

    def invoice(self):
        code = self.rng.choice("IIICDA")
        known = [(row["Supplier"], row["Invoice"]) for row in self.syspro.state("ApInvoice")]
        supplier, number = self.rng.choice(known)
        if code == "I" and self.rng.random() < 0.9:
            supplier, number = self.rng.choice(SUPPLIERS), f"N-{self.rng.randint(1, 999)}"
        lines = [
            {"LedgerCode": self.rng.choice(ACCOUNTS[: self.rng.choice((4, 4, 4, 6))]), "LedgerValue": self.amount()}
            for _ in range(self.rng.randint(1, 3))
        ]
        tax = self.amount() if self.rng.random() < 0.3 else None
        value = sum(line["LedgerValue"] for line in lines) + (tax or 0) + (self.rng.random() < 0.1)
        return {
            "Supplier": supplier,
            "Invoice": number,
            "TransactionCode": code,
            "TransactionValue": value,
            "TaxCode": "A" if tax else None,
            "TaxValue": tax,
            "LedgerDistribution": lines,
        }

    def journal(self):
        amounts = [self.amount(), self.amount()]
        amounts.append(-sum(amounts) + (self.rng.random() < 0.2))
        details = [{"LedgerCode": self.rng.choice(ACCOUNTS[:5]), "EntryAmount": amount} for amount in amounts]
        posted = {"AuthorizeJournal": "A", "PostJournal": self.rng.choice("YYN")}
        currency = self.rng.choice(("USD", "EUR", None))
        return self.enet.post(
            "GENTJL", {**posted, "Currency": currency, "JournalDetails": details}, **self.parameters()
        )

    def payment(self):
        row = self.rng.choice(self.syspro.state("ApInvoice"))
        gross = min(self.amount(), row["MthInvBal1"]) if self.rng.random() < 0.8 else self.amount()
        discount = self.rng.choice((Decimal(0), gross / 10)).quantize(Decimal("0.01"))
        number = self.rng.randint(1, 9999)
        released = {"Invoice": row["Invoice"], "GrossPayValue": gross, "DiscPayValue": discount}
        cheque = {"PaymentNumber": self.run, "Supplier": row["Supplier"], "Cheque": number}
        self.cheques.append(cheque)
        payment = {**cheque, "ChequeValue": gross - discount, "ReleasedInvoice": released}
        return self.enet.post("APSTPM", payment, **self.parameters())

    def void(self):
        return self.enet.post("APSTPV", self.rng.choice(self.cheques), **self.parameters()) if self.cheques else None

    def order(self):
        action = self.rng.choice("AACCD")
        head = {"OrderActionType": action, "Supplier": self.rng.choice(SUPPLIERS) if action == "A" else None}
        if action != "A":
            head["PurchaseOrder"] = self.rng.choice(self.orders)
        lines = [
            {
                "LineActionType": "A" if action == "A" else self.rng.choice("ACD"),
                "PurchaseOrderLine": self.rng.randint(1, 3),
                "StockCode": "BOX",
                "Warehouse": "**",
                "OrderQty": self.rng.randint(0, 40),
                "Price": self.amount(),
                "LedgerCode": self.rng.choice(ACCOUNTS[:4]),
            }
            for _ in range(self.rng.randint(1, 3))
        ]
        parameters = self.parameters()
        answer = self.enet.order({"OrderHeader": head, "OrderDetails": {"StockLine": lines}}, **parameters)
        number = text(answer, "Order/Key/PurchaseOrder")
        if number and not said(answer) and parameters["ValidateOnly"] == "N":
            self.orders.append(number)
        return answer

    def goods(self):
        action = {"do": "receive_goods", "order": self.rng.choice(self.orders), "line": 1}
        try:
            self.syspro.edit("actions", {**action, "quantity": Decimal(self.rng.randint(1, 20))})
        except sandbox.BadInput:
            return
        return


def assert_in_agreement(syspro):
    settled, summaries, lines = defaultdict(Decimal), defaultdict(Decimal), defaultdict(Decimal)
    for row in syspro.state("ApInvoicePay"):
        settled[row["Supplier"], row["Invoice"]] += SIGNS[row["TrnType"]] * row["TrnValue"]
    for row in syspro.state("ApJnlDistrib"):
        lines[row["TrnYear"], row["TrnMonth"], row["Journal"], row["EntryNumber"]] += row["DistrValue"]
    for row in syspro.state("ApJnlSummary"):
        entry = row["TrnYear"], row["TrnMonth"], row["Journal"], row["EntryNumber"]
        summaries[row["Supplier"], row["Invoice"]] += row["InvoiceValue"] * (row["TransactionCode"] == "I")
        if row["Supplier"] != "NOR002":
            assert lines.pop(entry) == row["InvoiceValue"]
    for row in syspro.state("ApInvoice"):
        key = row["Supplier"], row["Invoice"]
        assert row["OrigInvValue"] == summaries[key]
        assert row["MthInvBal1"] == row["OrigInvValue"] + settled[key]
        assert (row["YearInvBalZero"] > 0) == (row["MthInvBal1"] == 0)
    journals = defaultdict(Decimal)
    for row in syspro.state("GenTransaction"):
        journals[row["Journal"]] += row["EntryValue"]
    posted = {row["GlJournal"] for row in syspro.state("GenJournalCtl") if row["JnlStatus"] == "P"}
    assert set(journals) == posted
    assert set(journals.values()) <= {0}
    assert len({row["GlJournal"] for row in syspro.state("GenJournalCtl")}) == len(syspro.state("GenJournalCtl"))
    received = defaultdict(Decimal)
    for row in syspro.state("GrnDetails"):
        received[row["PurchaseOrder"], row["PurchaseOrderLin"]] += row["QtyReceived"]
    for row in syspro.state("PorMasterDetail"):
        assert row["MReceivedQty"] == received[row["PurchaseOrder"], row["Line"]] <= row["MOrderQty"]


@pytest.mark.parametrize("seed", range(4))
def test_the_books_stay_in_agreement_whatever_is_posted(seed):
    with sandbox.start("syspro", options={"base_set": "avidxchange"}) as syspro:
        syspro.clock(now="2026-11-16T12:00:00Z", running=False)
        player = Player(syspro, seed)
        for _ in range(80):
            player.step()
        player.enet.close()
        assert_in_agreement(syspro)
        assert player.taken > 10
        assert player.refused > 10


ODD = (
    "",
    "NaN",
    "-Infinity",
    "1e400",
    "-1",
    "0",
    "9" * 60,
    "1,000.00",
    "日本",
    "2026-02-30",
    "9989-12-31",
    "<&>",
    "\n",
)
FIELDS = {
    "APSTIN": "TransactionCode Branch InvoiceDate DueDate DiscountDate DiscountBasis DiscountPercentageValue TaxBasis "
    "TaxCode TaxValue SecondTaxValue FreightCharge MiscellaneousCharge ExchRateAtEntry TransactionReference",
    "GENTJL": "JournalType JournalDate PostingPeriod PostingYear Currency Notation HoldJournal",
    "APSSSP": "DefaultChequeDay TransactionNature MinPoVal DateSuppAdded OnHold SupAddr1 MerchGlCode Nationality",
    "PORTOI": "OrderType ExchangeRate OrderDate DueDate MemoDate DiscPercent1 Buyer Warehouse PurchaseOrder",
    "APSTPY": "Currency PaymentType CheckDate PaymentNumber PaymentReference",
    "APSTPM": "ChequeDate PayConvRte PaymentReference",
    "APSTPV": "Reference",
}
LINE_FIELDS = "PurchaseOrderLine OrderUom PriceUom TaxCode LatestDueDate LineDiscPercent1 LineDiscValue Taxable Version"


def odd_documents(content, fields):
    """The document with one value at a time replaced by something odd, and one odd field at a time put in."""
    for name, value in content.items():
        if isinstance(value, dict):
            yield from ({**content, name: inner} for inner in odd_documents(value, []))
        elif isinstance(value, list):
            yield from ({**content, name: [inner, *value[1:]]} for inner in odd_documents(value[0], []))
        else:
            yield from ({**content, name: odd} for odd in ODD)
    for name in fields:
        yield from ({**content, name: odd} for odd in ODD)


@pytest.mark.parametrize("code", WRITES)
def test_an_odd_value_is_taken_or_refused_but_breaks_nothing(code):
    path, item, content, parameters, _ = WRITES[code]
    fields = FIELDS[code].split()
    if code == "APSTPY":
        documents = [{"AddPaymentRun": run} for run in odd_documents(content["AddPaymentRun"], fields)]
    elif code == "PORTOI":
        documents = [{**content, "OrderHeader": head} for head in odd_documents(content["OrderHeader"], fields)]
        lines = odd_documents(content["OrderDetails"]["StockLine"], LINE_FIELDS.split())
        documents += [{**content, "OrderDetails": {"StockLine": line}} for line in lines]
    else:
        documents = list(odd_documents(content, fields))
    with sandbox.start("syspro", options={"base_set": "avidxchange"}) as syspro:
        syspro.clock(now="2026-11-16T12:00:00Z", running=False)
        enet = Client(syspro).logon()
        for document in documents:
            parsed(enet.say(code, document, path=path, item=item, **parameters))
        enet.close()
        assert_in_agreement(syspro)
