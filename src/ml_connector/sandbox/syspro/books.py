"""The books of one company: its tables, and what a clerk does to them inside SYSPRO.

How a transaction shows in the tables:

    invoice       one ApInvoice row; one ApJnlSummary row (code I) with its ApJnlDistrib rows
    credit note   no row of its own in ApInvoice: summary and distribution rows (code C) under the invoice's
                  number, and its open balance falls. Amounts are positive, as they were typed.
    debit note    the same with code D; the open balance rises
    adjustment    the same with code A and a signed value, which TotalAdjustments also takes up
    payment       an ApInvoicePay row (type P) and its payment run; the open balance falls

Invoice values are in the supplier's currency, distribution values in the company's. The letters of
ApInvoicePay.TrnType are not public. ASSUMED here: P payment, C credit note, D debit note, A adjustment;
TrnValue is what was paid or credited, and signed for an adjustment.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from ml_connector.sandbox.standin import BadInput
from ml_connector.sandbox.syspro.conditions import And, Compare
from ml_connector.sandbox.syspro.schema import TABLES, Value, midnight
from ml_connector.sandbox.syspro.table import Table

COMPANY_ID = "RIL"
COMPANY_NAME = "Rilling Distribution Inc."
LOCAL_CURRENCY = "USD"
AP_CONTROL = "10-2100"

Code = Literal["I", "C", "D", "A"]
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Coding:
    """One distribution line as typed, in the supplier's currency."""

    account: str
    amount: Decimal
    text: str = ""
    expense_type: str = "M"
    """M merchandise, F freight, O other."""


@dataclass
class Journal:
    """An AP journal: a number within the company, and its last entry so far."""

    year: int
    month: int
    number: int
    date: dt.date
    entries: int = 0

    def next_entry(self) -> int:
        self.entries += 1
        return self.entries


class Books:
    """`today` is the company's date: the clock's instant in the company's time zone."""

    def __init__(self, today: Callable[[], dt.date]) -> None:
        self.today = today
        self._stamp = 2000
        self._journal = 0
        self.tables = {name: Table(definition, self._next_stamp) for name, definition in TABLES.items()}

    def edit(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Merges, inserts or deletes rows as the control side gives them. Raises BadInput."""
        target = self.tables[table]
        stored = [target.edit(row) for row in rows]
        if table == "ApJnlSummary":
            self._journal = max([self._journal, *(int(row["Journal"]) for row in rows)])
        return [target.as_state(row) for row in stored if row is not None]

    # --- what a clerk does -------------------------------------------------------------------------------

    def open_journal(self, date: dt.date | None = None) -> Journal:
        """The next journal: of today and the ledger's current period, or of a day and that day's month."""
        self._journal += 1
        if date is not None:
            return Journal(date.year, date.month, self._journal, date)
        year, month = self.current_period()
        return Journal(year, month, self._journal, self.today())

    def post_invoice(
        self,
        supplier: str,
        invoice: str,
        codings: Sequence[Coding],
        *,
        date: dt.date,
        due_date: dt.date,
        reference: str = "",
        tax_code: str = "",
        journal: Journal | None = None,
    ) -> None:
        """Header, summary and distribution in one go. Raises BadInput for a number that the supplier has."""
        row = self._supplier(supplier)
        if self.tables["ApInvoice"].get(supplier, invoice) is not None:
            raise BadInput(f"supplier {supplier} already has invoice {invoice}")
        journal = journal or self.open_journal()
        currency = self.tables["ApSupplier"].read(row, "Currency")
        rate, mul_div = self._rate(currency)
        value = _total(codings)
        entry = self._post(journal, supplier, invoice, "I", value, codings, currency)
        header: dict[str, Value] = {
            "Supplier": supplier,
            "Invoice": invoice,
            "NextPaymEntry": 1,
            "JournalDate": midnight(journal.date),
            "Journal": journal.number,
            "EntryNumber": entry,
            "Branch": self.tables["ApSupplier"].read(row, "Branch"),
            "InvoiceDate": midnight(date),
            "DueDate": midnight(due_date),
            "Reference": reference,
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
        }
        self.tables["ApInvoice"].put(header | self._balances((Decimal("0.00"),) * 3, value, journal))

    def credit(self, supplier: str, invoice: str, codings: Sequence[Coding], journal: Journal | None = None) -> None:
        """Transaction C on an invoice."""
        self._correct(supplier, invoice, "C", codings, journal or self.open_journal())

    def debit(self, supplier: str, invoice: str, codings: Sequence[Coding], journal: Journal | None = None) -> None:
        """Transaction D on an invoice."""
        self._correct(supplier, invoice, "D", codings, journal or self.open_journal())

    def adjust(self, supplier: str, invoice: str, codings: Sequence[Coding], journal: Journal | None = None) -> None:
        """Transaction A with signed amounts."""
        self._correct(supplier, invoice, "A", codings, journal or self.open_journal())

    def reverse(self, supplier: str, invoice: str) -> None:
        """Takes an invoice back: an adjustment by its whole value, each distribution row negated.

        SYSPRO has no void flag: TotalAdjustments is then minus OrigInvValue and nothing is open. Raises
        BadInput when something has been settled before.
        """
        header = self._header(supplier, invoice)
        if header["MthInvBal1"] != header["OrigInvValue"]:
            raise BadInput(f"invoice {invoice} of {supplier} has been settled in part")
        booked = [_negated(coding) for coding in self._distribution(header)]
        self._correct(supplier, invoice, "A", booked, self.open_journal(), in_local=True, value=-header["OrigInvValue"])

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
        """A payment made by hand, in whole or in part, on today's date or the journal's."""
        journal = journal or self.open_journal()
        cheque = cheque or 500_000 + journal.number
        currency = self._header(supplier, invoice)["Currency"]
        rate, _ = self._rate(currency)
        run = f"M{journal.number:06d}{currency}"
        common: dict[str, Value] = {
            "PaymentNumber": run,
            "ChequeDate": midnight(journal.date),
            "PostCurrency": currency,
            "PostConvRate": rate,
        }
        self.tables["ApPayRunHdr"].put(common)
        detail: dict[str, Value] = {"Supplier": supplier, "Invoice": invoice, "Cheque": cheque}
        self.tables["ApPayRunDet"].put(common | detail | {"ChRegister": journal.number})
        self._settle(supplier, invoice, "P", -amount, journal, 0, reference or f"Cheque {cheque}", run)
        last: dict[str, Value] = {"ManualChqDate": midnight(journal.date), "ManualChqNum": cheque}
        self.tables["ApInvoice"].put({"Supplier": supplier, "Invoice": invoice, "PaymentNumber": run} | last)

    def change_supplier(self, supplier: str, columns: Mapping[str, Any]) -> None:
        """Sets columns of ApSupplier and ApSupplierAddr, each in its table. Raises BadInput."""
        self._supplier(supplier)
        address = {name: columns[name] for name in columns if name in TABLES["ApSupplierAddr"].index}
        if address:
            self.tables["ApSupplierAddr"].edit({"Supplier": supplier, **address})
        rest = {name: value for name, value in columns.items() if name not in address}
        if rest:
            self.tables["ApSupplier"].edit({"Supplier": supplier, **rest})

    def hold_supplier(self, supplier: str, *, on_hold: bool = True) -> None:
        self.change_supplier(supplier, {"OnHold": "Y" if on_hold else "N"})

    # --- what the tables say -----------------------------------------------------------------------------

    def current_period(self) -> tuple[int, int]:
        control = self.tables["GenControl"].get(COMPANY_ID)
        if control is None:
            today = self.today()
            return today.year, today.month
        read = self.tables["GenControl"].read
        return read(control, "GlYear"), read(control, "GlPeriod")

    def terms_days(self, supplier: str) -> int:
        terms = self.tables["ApSupplier"].read(self._supplier(supplier), "TermsCode")
        row = self.tables["TblApTerms"].get(terms)
        return 30 if row is None else self.tables["TblApTerms"].read(row, "DueDays")

    # --- postings ----------------------------------------------------------------------------------------

    def _correct(
        self,
        supplier: str,
        invoice: str,
        code: Code,
        codings: Sequence[Coding],
        journal: Journal,
        *,
        value: Decimal | None = None,
        in_local: bool = False,
    ) -> None:
        header = self._header(supplier, invoice)
        value = _total(codings) if value is None else value
        currency = LOCAL_CURRENCY if in_local else header["Currency"]
        entry = self._post(journal, supplier, invoice, code, value, codings, currency)
        effect = -value if code == "C" else value
        self._settle(supplier, invoice, code, effect, journal, entry, codings[0].text, "")
        if code == "A":
            total = header["TotalAdjustments"] + value
            self.tables["ApInvoice"].put({"Supplier": supplier, "Invoice": invoice, "TotalAdjustments": total})

    def _post(
        self,
        journal: Journal,
        supplier: str,
        invoice: str,
        code: Code,
        value: Decimal,
        codings: Sequence[Coding],
        currency: str,
    ) -> int:
        """The summary row and its distribution; returns the entry number."""
        for coding in codings:
            if self.tables["GenMaster"].get(COMPANY_ID, coding.account) is None:
                raise BadInput(f"ledger code {coding.account!r} is not on file")
        entry = journal.next_entry()
        key: dict[str, Value] = {
            "TrnYear": journal.year,
            "TrnMonth": journal.month,
            "Journal": journal.number,
            "EntryNumber": entry,
        }
        what: dict[str, Value] = {"Supplier": supplier, "Invoice": invoice, "TransactionCode": code}
        self.tables["ApJnlSummary"].put(key | what | {"InvoiceValue": value})
        local = self._in_local_currency(codings, value, currency)
        for number, (coding, amount) in enumerate(zip(codings, local, strict=True), 1):
            line: dict[str, Value] = {
                "SubEntry": number,
                "SupplierGlCode": AP_CONTROL,
                "TrnDate": midnight(journal.date),
                "ExpenseGlCode": coding.account,
                "ExpenseType": coding.expense_type,
                "DistrValue": amount,
                "Reference": coding.text,
            }
            self.tables["ApJnlDistrib"].put(key | line)
        return entry

    def _settle(
        self,
        supplier: str,
        invoice: str,
        trn_type: str,
        effect: Decimal,
        journal: Journal,
        entry: int,
        reference: str,
        run: str,
    ) -> None:
        """Moves the open balance by `effect` and leaves the ApInvoicePay row that says why."""
        header = self._header(supplier, invoice)
        rate, mul_div = self._rate(header["Currency"])
        value = effect if trn_type == "A" else abs(effect)
        self.tables["ApInvoicePay"].put(
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
        self.tables["ApInvoice"].put(key | next_entry | self._balances(now, effect, journal))

    def _balances(self, now: tuple[Decimal, ...], effect: Decimal, journal: Journal) -> dict[str, Value]:
        """MthInvBal1 to 3 are the balances at the end of the current, the previous and the one before."""
        year, month = self.current_period()
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
        table = self.tables["ApJnlDistrib"]
        own = {"TrnYear": "InvoiceYear", "TrnMonth": "InvoiceMonth", "Journal": "Journal"}
        own |= {"EntryNumber": "EntryNumber"}
        same_entry = And(tuple(Compare(name, "eq", header[where]) for name, where in own.items()))
        return [
            Coding(
                table.read(row, "ExpenseGlCode"),
                table.read(row, "DistrValue"),
                table.read(row, "Reference"),
                table.read(row, "ExpenseType"),
            )
            for row in table.select(same_entry)
        ]

    def _in_local_currency(self, codings: Sequence[Coding], value: Decimal, currency: str) -> list[Decimal]:
        """Each line at the rate of the day, the last cents where most was cut off."""
        amounts = [coding.amount for coding in codings]
        if currency == LOCAL_CURRENCY:
            return amounts
        rate, mul_div = self._rate(currency)
        exact = [amount * rate if mul_div == "M" else amount / rate for amount in amounts]
        total = (value * rate if mul_div == "M" else value / rate).quantize(CENT, ROUND_HALF_UP)
        rounded = [amount.quantize(CENT, ROUND_HALF_UP) for amount in exact]
        missing = total - sum(rounded)
        step = CENT.copy_sign(missing)
        by_loss = sorted(range(len(exact)), key=lambda n: (exact[n] - rounded[n]) * step, reverse=True)
        for n in by_loss[: int(abs(missing) / CENT)]:
            rounded[n] += step
        return rounded

    def _rate(self, currency: str) -> tuple[Decimal, str]:
        table = self.tables["TblCurrency"]
        row = table.get(currency)
        if row is None:
            raise BadInput(f"TblCurrency has no {currency!r}")
        return table.read(row, "BuyExchangeRate"), table.read(row, "BuyMulDiv")

    def _supplier(self, code: str) -> tuple[Value, ...]:
        row = self.tables["ApSupplier"].get(code)
        if row is None:
            raise BadInput(f"supplier {code!r} is not on file")
        return row

    def _header(self, supplier: str, invoice: str) -> dict[str, Any]:
        row = self.tables["ApInvoice"].get(supplier, invoice)
        if row is None:
            raise BadInput(f"supplier {supplier} has no invoice {invoice!r}")
        return dict(zip(TABLES["ApInvoice"].index, row, strict=True))

    def _next_stamp(self) -> int:
        self._stamp += 1
        return self._stamp


def _total(codings: Sequence[Coding]) -> Decimal:
    if not codings:
        raise BadInput("a document needs at least one distribution line")
    return sum((coding.amount for coding in codings), Decimal("0.00")).quantize(CENT)


def _negated(coding: Coding) -> Coding:
    return Coding(coding.account, -coding.amount, coding.text, coding.expense_type)
