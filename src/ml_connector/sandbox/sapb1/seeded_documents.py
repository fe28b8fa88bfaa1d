"""A year of the distributor's documents: orders, invoices, credit notes, cancellations, payments, waiting drafts."""

import datetime as dt
import random
from collections.abc import Sequence
from decimal import Decimal

from ml_connector.sandbox import company
from ml_connector.sandbox.sapb1 import balances
from ml_connector.sandbox.sapb1.books import Books, cents
from ml_connector.sandbox.sapb1.writes import Writes
from ml_connector.sandbox.standin import Row

BANK = "10-1010"
VAT_CODES = {"A": "P8", "B": "P5", "Z": "P0", "": "P0"}
FREIGHT_CODE = 1
WAITING = 2


def post_documents(books: Books, writes: Writes, invoices: Sequence[company.Invoice], seed: int) -> None:
    """In the order of their days, each stamped with the time of a working day."""
    rng = random.Random(f"stamps {seed}")
    entries: dict[int, Row] = {}
    events: list[tuple[dt.date, int, int, company.Credit | company.Payment | None]] = []
    for n, invoice in enumerate(invoices):
        events.append((invoice.entered, 0, n, None))
        events += [(credit.entered, 1, n, credit) for credit in invoice.credits]
        events += [(payment.date, 2, n, payment) for payment in invoice.payments]
    events.sort(key=lambda event: event[:2])
    for day, _, n, event in events:
        stamps = _stamps(rng, day)
        if event is None:
            entries[n] = _enter(books, writes, invoices[n], stamps)
        elif isinstance(event, company.Payment):
            _pay(books, writes, entries[n], event)
        elif event.text == "Cancelled" and not entries[n]["PaidToDate"]:
            second = writes.documents.cancel("PurchaseInvoices", entries[n], on=day)
            for row in (entries[n], second):
                row.update(stamps)
            second["DocTime"] = stamps["UpdateTime"]
        else:
            _credit(books, writes, entries[n], event, stamps)
    for invoice in invoices[-WAITING:]:
        _leave_waiting(books, writes, invoice, rng)


def _stamps(rng: random.Random, day: dt.date) -> Row:
    time = dt.time(rng.randint(8, 17), rng.randint(0, 59), rng.randint(0, 59))
    return {"UpdateDate": day, "UpdateTime": time}


def _enter(books: Books, writes: Writes, invoice: company.Invoice, stamps: Row) -> Row:
    body = _body(books, invoice) | stamps | {"CreationDate": invoice.entered}
    if invoice.reference:
        order = {name: body[name] for name in ("CardCode", "DocDate", "DocCurrency", "DocType")}
        order["DocumentLines"] = [_without_tax(line) for line in body["DocumentLines"]]
        order |= {"DocNum": int(invoice.reference.split()[-1]), "CreationDate": invoice.date} | stamps | _branch(books)
        _, stored = writes.add("PurchaseOrders", order, trusted=True)
        for number, line in enumerate(body["DocumentLines"]):
            line.update(BaseType=22, BaseEntry=stored["DocEntry"], BaseLine=number)
    _, row = writes.add("PurchaseInvoices", body, trusted=True)
    if invoice.reference:
        stored.update(stamps)
    return row


def _body(books: Books, invoice: company.Invoice) -> Row:
    """The tax of the document goes to its first line, freight to an additional expense."""
    foreign = invoice.currency != company.LOCAL_CURRENCY
    rate = books.rate(invoice.currency, invoice.entered)
    tax = sum((line.amount for line in invoice.lines if line.kind == "tax"), Decimal("0.00"))
    lines = [_line(books, line, invoice.tax_code, foreign=foreign) for line in invoice.lines if line.kind == "item"]
    lines[0] |= {"TaxTotal": cents(tax * rate), "NetTaxAmountFC": tax} if foreign else {"TaxTotal": tax}
    for line in lines[1:]:
        line["TaxTotal"] = Decimal(0)
    expenses = [
        {"ExpenseCode": FREIGHT_CODE, "LineTotal": cents(line.amount * rate), "TaxSum": Decimal(0)}
        | ({"LineTotalFC": line.amount} if foreign else {})
        for line in invoice.lines
        if line.kind == "freight"
    ]
    return {
        "CardCode": invoice.supplier,
        "NumAtCard": invoice.number,
        "DocType": "dDocument_Service",
        "DocDate": invoice.entered,
        "TaxDate": invoice.date,
        "DocDueDate": invoice.due_date,
        "DocCurrency": invoice.currency,
        "Comments": f"Based on {invoice.reference}" if invoice.reference else None,
        "DocumentLines": lines,
        "DocumentAdditionalExpenses": expenses,
    } | _branch(books)


def _line(books: Books, line: company.Line, tax_code: str, *, foreign: bool) -> Row:
    return {
        "AccountCode": books.account_code(line.account),
        "CostingCode": line.cost_center or None,
        "ItemDescription": line.text,
        "VatGroup": VAT_CODES[tax_code],
        "RowTotalFC" if foreign else "LineTotal": line.amount,
    }


def _without_tax(line: Row) -> Row:
    return {name: value for name, value in line.items() if name not in ("TaxTotal", "NetTaxAmountFC")}


def _branch(books: Books) -> Row:
    return {"BPL_IDAssignedToInvoice": 1} if books.options.branches else {}


def _credit(books: Books, writes: Writes, invoice: Row, credit: company.Credit, stamps: Row) -> None:
    """Based on the invoice's first line, which lowers what is open on the invoice."""
    foreign = balances.is_foreign(invoice)
    lines = [
        _line(books, line, "", foreign=foreign)
        | {"BaseType": 18, "BaseEntry": invoice["DocEntry"], "BaseLine": 0, "TaxTotal": Decimal(0)}
        for line in credit.lines
    ]
    body = {
        "CardCode": invoice["CardCode"],
        "NumAtCard": f"CN-{invoice['NumAtCard']}",
        "DocType": "dDocument_Service",
        "DocDate": credit.entered,
        "CreationDate": credit.entered,
        "DocCurrency": invoice["DocCurrency"],
        "Comments": credit.text,
        "DocumentLines": lines,
    }
    writes.add("PurchaseCreditNotes", body | stamps | _branch(books), trusted=True)
    invoice.update(stamps)


def _pay(books: Books, writes: Writes, invoice: Row, payment: company.Payment) -> None:
    amount = min(payment.amount, balances.open_amount(invoice))
    foreign = balances.is_foreign(invoice)
    row = {
        "DocEntry": invoice["DocEntry"],
        "InvoiceType": "it_PurchaseInvoice",
        "AppliedFC" if foreign else "SumApplied": amount,
    }
    body = {
        "DocType": "rSupplier",
        "CardCode": invoice["CardCode"],
        "DocDate": payment.date,
        "DocCurrency": invoice["DocCurrency"],
        "TransferAccount": books.account_code(BANK),
        "TransferSum": amount,
        "TransferDate": payment.date,
        "TransferReference": str(payment.number),
        "PaymentInvoices": [row],
    }
    writes.add("VendorPayments", body | ({"BPLID": 1} if books.options.branches else {}), trusted=True)


def _leave_waiting(books: Books, writes: Writes, invoice: company.Invoice, rng: random.Random) -> None:
    """An invoice that waits for approval: a draft only."""
    body = _body(books, invoice) | _stamps(rng, company.LAST_DAY) | {"CreationDate": company.LAST_DAY}
    number = f"{invoice.number}-B"
    draft = writes.drafts.add(body | {"NumAtCard": number, "DocObjectCode": "oPurchaseInvoices"}, trusted=True)
    draft["AuthorizationStatus"] = "dasPending"
