"""Accounts payable: what becomes of an invoice, a correction and a payment in the tables.

    invoice       one ApInvoice row; one ApJnlSummary row (code I) with its ApJnlDistrib rows
    credit note   no row of its own in ApInvoice: summary and distribution rows (code C) under the invoice's
                  number, and its open balance falls. Amounts are positive, as they were typed.
    debit note    the same with code D; the open balance rises
    adjustment    the same with code A and a signed value, which TotalAdjustments also takes up
    payment       an ApInvoicePay row (type P) and its payment run; the open balance falls. A discount that was
                  taken is a row of its own (type S)
    void          an ApInvoicePay row (type V) by which the balance rises again

Invoice values are in the supplier's currency, distribution values in the company's. The letters of
ApInvoicePay.TrnType are not public. ASSUMED here: P payment, S settlement discount, V void, C credit note, D debit
note, A adjustment; TrnValue is what was paid, credited or taken back, and signed for an adjustment.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ml_connector.sandbox.standin import BadInput
from ml_connector.sandbox.syspro.books import (
    AP_CONTROL,
    COMPANY_ID,
    LOCAL_CURRENCY,
    Books,
    Period,
    converted,
    shared_out,
)
from ml_connector.sandbox.syspro.conditions import And, Compare
from ml_connector.sandbox.syspro.definition import Value, midnight
from ml_connector.sandbox.syspro.schema import TABLES
from ml_connector.sandbox.syspro.vouchers import Code, Coding, Document, Journal


class Payables:
    def __init__(self, books: Books) -> None:
        self.books = books

    def open_journal(self, date: dt.date | None = None, period: Period | None = None) -> Journal:
        """The next journal: of today and the current or a named period, or of a day and that day's month."""
        number = self.books.next_number("ap_journal")
        if date is not None:
            return Journal(date.year, date.month, number, date)
        year, month = period or self.books.current_period()
        return Journal(year, month, number, self.books.today())

    def post_invoice(
        self,
        supplier: str,
        invoice: str,
        document: Document,
        journal: Journal,
        *,
        date: dt.date,
        due_date: dt.date,
        tax_code: str = "",
        columns: Mapping[str, Value] | None = None,
    ) -> int:
        """Header, summary and distribution in one go; returns the entry number.

        `columns` are further columns of ApInvoice. Raises BadInput for a number that the supplier has.
        """
        row = self.books.supplier(supplier)
        if self.books.tables["ApInvoice"].get(supplier, invoice) is not None:
            raise BadInput(f"supplier {supplier} already has invoice {invoice}")
        currency, value = row["Currency"], document.total
        rate, mul_div = document.rate or self.books.rate(currency)
        entry = self._post(journal, supplier, invoice, "I", document, currency)
        header: dict[str, Value] = {
            "Supplier": supplier,
            "Invoice": invoice,
            "NextPaymEntry": 1,
            "JournalDate": midnight(journal.date),
            "Journal": journal.number,
            "EntryNumber": entry,
            "Branch": row["Branch"],
            "InvoiceDate": midnight(date),
            "DueDate": midnight(due_date),
            "Reference": document.reference,
            "OrigInvValue": value,
            "Currency": currency,
            "PostCurrency": currency,
            "AccountCur": currency,
            "InvoiceYear": journal.year,
            "InvoiceMonth": journal.month,
            "ExchangeRate": rate,
            "ConvRate": rate,
            "OrigInvRate": rate,
            "MulDiv": mul_div,
            "CurrencyValue": value,
            "FirstTaxCode": tax_code,
            **(columns or {}),
        }
        self.books.tables["ApInvoice"].put(header | self._balances((Decimal("0.00"),) * 3, value, journal))
        return entry

    def correct(self, supplier: str, invoice: str, code: Code, document: Document, journal: Journal) -> int:
        """Transaction C, D or (signed) A on an invoice; returns the entry number. Raises BadInput."""
        header, value = self.header(supplier, invoice), document.total
        entry = self._post(journal, supplier, invoice, code, document, header["Currency"])
        effect = -value if code == "C" else value
        reference = document.reference or document.codings[0].text
        self._settle(supplier, invoice, code, effect, journal, entry=entry, reference=reference)
        if code == "A":
            total = header["TotalAdjustments"] + value
            self.books.tables["ApInvoice"].put({"Supplier": supplier, "Invoice": invoice, "TotalAdjustments": total})
        return entry

    def reverse(self, supplier: str, invoice: str) -> None:
        """Takes an invoice back: an adjustment by its whole value, each distribution row negated.

        SYSPRO has no void flag: TotalAdjustments is then minus OrigInvValue and nothing is open. Raises
        BadInput when something has been settled before.
        """
        header = self.header(supplier, invoice)
        if header["MthInvBal1"] != header["OrigInvValue"]:
            raise BadInput(f"invoice {invoice} of {supplier} has been settled in part")
        booked = [_negated(coding) for coding in self._distribution(header)]
        document = Document(booked, -header["OrigInvValue"], in_local=True)
        self.correct(supplier, invoice, "A", document, self.open_journal())

    def pay(
        self,
        supplier: str,
        invoice: str,
        journal: Journal,
        *,
        run: str,
        cheque: int,
        amount: Decimal,
        discount: Decimal = Decimal("0.00"),
        date: dt.date | None = None,
        reference: str = "",
        rate: Decimal | None = None,
    ) -> None:
        """Settles `amount` and `discount` of an invoice in a payment run that is there. Raises BadInput."""
        currency = self.header(supplier, invoice)["Currency"]
        day = midnight(date or journal.date)
        key: dict[str, Value] = {"PaymentNumber": run, "Supplier": supplier, "Invoice": invoice, "Cheque": cheque}
        posted = rate or self.books.rate(currency)[0]
        detail: dict[str, Value] = {"ChequeDate": day, "PostCurrency": currency, "PostConvRate": posted}
        worth: dict[str, Value] = {"GrossPayValue": amount + discount, "DiscPayValue": discount, "Voided": "N"}
        self.books.tables["ApPayRunDet"].put(key | detail | worth | {"ChRegister": journal.number})
        text = reference or f"Cheque {cheque}"
        self._settle(supplier, invoice, "P", -amount, journal, reference=text, run=run)
        if discount:
            self._settle(supplier, invoice, "S", -discount, journal, reference=text, run=run)
        last: dict[str, Value] = {"ManualChqDate": day, "ManualChqNum": cheque, "ManualChRef": text[:30]}
        named: dict[str, Value] = {"Supplier": supplier, "Invoice": invoice, "PaymentNumber": run}
        self.books.tables["ApInvoice"].put(named | last)

    def void(self, supplier: str, invoice: str, cheque: int, journal: Journal, *, run: str, reference: str) -> None:
        """What a cheque of the run settled of an invoice is owed again. Raises BadInput."""
        row = self.books.row("ApPayRunDet", run, supplier, invoice, cheque)
        if row is None or row["Voided"] == "Y":
            raise BadInput(f"cheque {cheque} of run {run} has paid nothing on {invoice}, or is void")
        key: dict[str, Value] = {name: row[name] for name in TABLES["ApPayRunDet"].key}
        self.books.tables["ApPayRunDet"].put(key | {"Voided": "Y"})
        self._settle(supplier, invoice, "V", row["GrossPayValue"], journal, reference=reference, run=run)

    def manual_cheque(
        self,
        supplier: str,
        invoice: str,
        amount: Decimal,
        *,
        cheque: int | None = None,
        reference: str = "",
        journal: Journal | None = None,
    ) -> None:
        """A payment made by hand in a run of its own, in whole or in part, on today's date or the journal's."""
        journal = journal or self.open_journal()
        currency = self.header(supplier, invoice)["Currency"]
        run = f"M{journal.number:06d}{currency}"
        rate, _ = self.books.rate(currency)
        head: dict[str, Value] = {"PaymentNumber": run, "ChequeDate": midnight(journal.date), "PostCurrency": currency}
        self.books.tables["ApPayRunHdr"].put(head | {"PostConvRate": rate})
        cheque = cheque or 500_000 + journal.number
        self.pay(supplier, invoice, journal, run=run, cheque=cheque, amount=amount, reference=reference)

    def header(self, supplier: str, invoice: str) -> dict[str, Any]:
        """The ApInvoice row. Raises BadInput."""
        row = self.books.row("ApInvoice", supplier, invoice)
        if row is None:
            raise BadInput(f"supplier {supplier} has no invoice {invoice!r}")
        return row

    # --- postings ----------------------------------------------------------------------------------------

    def _post(
        self, journal: Journal, supplier: str, invoice: str, code: Code, document: Document, currency: str
    ) -> int:
        """The summary row and its distribution; returns the entry number."""
        for coding in document.codings:
            if self.books.tables["GenMaster"].get(COMPANY_ID, coding.account) is None:
                raise BadInput(f"ledger code {coding.account!r} is not on file")
        entry, value = journal.next_entry(), document.total
        key: dict[str, Value] = {
            "TrnYear": journal.year,
            "TrnMonth": journal.month,
            "Journal": journal.number,
            "EntryNumber": entry,
        }
        what: dict[str, Value] = {"Supplier": supplier, "Invoice": invoice, "TransactionCode": code}
        self.books.tables["ApJnlSummary"].put(key | what | {"InvoiceValue": value})
        local = self._in_local_currency(document, currency)
        for number, (coding, amount) in enumerate(zip(document.codings, local, strict=True), 1):
            line: dict[str, Value] = {
                "SubEntry": number,
                "SupplierGlCode": AP_CONTROL,
                "TrnDate": midnight(journal.date),
                "ExpenseGlCode": coding.account,
                "ExpenseType": coding.expense_type,
                "DistrValue": amount,
                "Reference": coding.text,
            }
            self.books.tables["ApJnlDistrib"].put(key | line)
        return entry

    def _settle(
        self,
        supplier: str,
        invoice: str,
        trn_type: str,
        effect: Decimal,
        journal: Journal,
        *,
        entry: int = 0,
        reference: str = "",
        run: str = "",
    ) -> None:
        """Moves the open balance by `effect` and leaves the ApInvoicePay row that says why."""
        header = self.header(supplier, invoice)
        rate, mul_div = self.books.rate(header["Currency"])
        value = effect if trn_type == "A" else abs(effect)
        self.books.tables["ApInvoicePay"].put(
            {
                "Supplier": supplier,
                "Invoice": invoice,
                "EntryNumber": header["NextPaymEntry"],
                "TrnType": trn_type,
                "JournalDate": midnight(journal.date),
                "Journal": journal.number,
                "PaymentReference": reference,
                "TrnValue": value,
                "TrnYear": journal.year,
                "TrnMonth": journal.month,
                "PostValue": value,
                "PostCurrency": header["Currency"],
                "PostConvRate": rate,
                "PostMulDiv": mul_div,
                "PaymentNumber": run,
                "SummaryEntryNumber": entry,
            }
        )
        now = tuple(header[f"MthInvBal{n}"] for n in (1, 2, 3))
        key: dict[str, Value] = {"Supplier": supplier, "Invoice": invoice}
        next_entry: dict[str, Value] = {"NextPaymEntry": header["NextPaymEntry"] + 1}
        self.books.tables["ApInvoice"].put(key | next_entry | self._balances(now, effect, journal))

    def _balances(self, now: tuple[Decimal, ...], effect: Decimal, journal: Journal) -> dict[str, Value]:
        """MthInvBal1 to 3 are the balances at the end of the current, the previous and the one before."""
        year, month = self.books.current_period()
        age = max(0, (year - journal.year) * 12 + month - journal.month)
        after = [balance + effect if n <= age else balance for n, balance in enumerate(now)]
        closed = after[0] == 0
        return {
            **{f"MthInvBal{n}": balance for n, balance in enumerate(after, 1)},
            "YearInvBalZero": journal.year if closed else 0,
            "MonthInvBalZero": journal.month if closed else 0,
        }

    def _distribution(self, header: Mapping[str, Any]) -> list[Coding]:
        """How the invoice itself was coded, in the company's currency."""
        table = self.books.tables["ApJnlDistrib"]
        own = {"TrnYear": "InvoiceYear", "TrnMonth": "InvoiceMonth", "Journal": "Journal"}
        own |= {"EntryNumber": "EntryNumber"}
        same_entry = And(tuple(Compare(name, "eq", header[where]) for name, where in own.items()))
        names = ("ExpenseGlCode", "DistrValue", "Reference", "ExpenseType")
        at = [TABLES["ApJnlDistrib"].index[name] for name in names]
        return [Coding(*(row[position] for position in at)) for row in table.select(same_entry)]  # type: ignore[arg-type]

    def _in_local_currency(self, document: Document, currency: str) -> list[Decimal]:
        """Each line at the rate of the day, the last cents where most was cut off."""
        amounts = [coding.amount for coding in document.codings]
        if currency == LOCAL_CURRENCY or document.in_local:
            return amounts
        rate, mul_div = document.rate or self.books.rate(currency)
        exact = [amount * rate if mul_div == "M" else amount / rate for amount in amounts]
        return shared_out(converted(document.total, rate, mul_div), exact)


def _negated(coding: Coding) -> Coding:
    return Coding(coding.account, -coding.amount, coding.text, coding.expense_type)
