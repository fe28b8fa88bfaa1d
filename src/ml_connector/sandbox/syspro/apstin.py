"""APSTIN: supplier invoices (I), and credit notes (C), debit notes (D) and adjustments (A) on them.

TransactionValue is tax and net together. The ledger lines are the net with TaxBasis E and include the tax with I;
what is matched to goods received counts like a line. A document that does not balance is refused.

ASSUMED: a blank TaxBasis is E; lines are in local currency unless LedgerDistributionCurrency is F; a document that
has no tax code takes its supplier's; a tax with no code at all is refused. Withholding tax is not looked at.
"""

import datetime as dt
from decimal import Decimal
from typing import Any, cast

from ml_connector.sandbox.standin import BadInput
from ml_connector.sandbox.syspro import receipts
from ml_connector.sandbox.syspro.accounts import check_account
from ml_connector.sandbox.syspro.books import CENT, LOCAL_CURRENCY, Period, added, converted, shared_out
from ml_connector.sandbox.syspro.definition import Value, midnight
from ml_connector.sandbox.syspro.documents import Node
from ml_connector.sandbox.syspro.item import MISSING, NOT_ALLOWED, NOT_FOUND, Item
from ml_connector.sandbox.syspro.payables import Payables
from ml_connector.sandbox.syspro.periods import posting_period
from ml_connector.sandbox.syspro.posting import BusinessObject, Call, Tally
from ml_connector.sandbox.syspro.vouchers import Code, Coding, Document, Journal, Rate

MONEY = "ApInvoice.OrigInvValue"
DUPLICATE = 130101
UNBALANCED = 130102
ON_HOLD = 130103
RECEIPT_NEEDED = 130104
TAX_DIFFERS = 130105


class SupplierInvoices:
    """One APSTIN document: all of its items are entries of one AP journal."""

    def __init__(self, call: Call) -> None:
        self.call, self.books = call, call.books
        self.payables = Payables(call.books)
        self._journal: Journal | None = None
        self._notation = ""
        """Of the first item that has one, for the ledger's journal."""

    def named(self, item: Item, number: int) -> list[Node]:
        code = item.plain("TransactionCode") or "I"
        return [("Supplier", item.plain("Supplier")), ("Invoice", item.plain("Invoice")), ("TransactionCode", code)]

    def post(self, item: Item, number: int) -> list[Node]:
        period = posting_period(self.call, item)
        supplier = self._supplier(item)
        invoice, code = self._invoice(item), cast("Code", item.choice("TransactionCode", "I A C D", "I"))
        if supplier is None or item.is_refused:
            return []
        self._check_existence(item, supplier, invoice, code)
        matches = receipts.to_match(item, supplier, self.books, in_local=self._is_local(supplier))
        document = self._document(item, supplier, code, [match.coding for match in matches])
        branch = item.code(self.books, "Branch", "ApBranch", supplier["Branch"]) or {}
        reference = item.text("TransactionReference", "ApInvoice.Reference")
        notation = item.text("JournalNotation", "GenJournalCtl.Notation")
        if matches and code != "I":
            item.wrong("GrnDetails", NOT_ALLOWED, "Only an invoice is matched to goods received", "")
        dates = self._dates(item, supplier)
        if item.is_refused or document is None or period is None:
            return []
        document = self._with_reference(document, reference)
        journal = self._open(period)
        self._notation = self._notation or notation
        if code == "I":
            columns = self._columns(item, document, supplier, dates[0])
            columns["Branch"] = branch.get("Branch", "")
            entry = self.payables.post_invoice(
                supplier["Supplier"],
                invoice,
                document,
                journal,
                date=dates[0],
                due_date=dates[1],
                tax_code=self._tax_code(item, supplier) if self._tax(item) else "",
                columns=columns,
            )
            receipts.match(matches, invoice, self.books, journal)
        else:
            entry = self.payables.correct(supplier["Supplier"], invoice, code, document, journal)
        key: list[Node] = [
            ("TrnYear", str(journal.year)),
            ("TrnMonth", f"{journal.month:02d}"),
            ("Journal", f"{journal.number:05d}"),
            ("EntryNumber", f"{entry:03d}"),
        ]
        return [("Transaction", [("Key", key), *self.named(item, number)])]

    def close(self, tally: Tally, *, posted: bool) -> list[Node]:
        journal = self._journal if posted and tally.processed else None
        counters: list[Node] = [
            ("ItemsProcessed", f"{tally.processed:06d}"),
            ("ItemsInvalid", f"{tally.invalid:06d}" if tally.invalid else ""),
        ]
        return [("StatusOfItems", [("GlJournal", self._integrated(journal)), *counters])]

    # --- reading an item ---------------------------------------------------------------------------------

    def _supplier(self, item: Item) -> dict[str, Any] | None:
        item.needs("Supplier")
        row = item.code(self.books, "Supplier", "ApSupplier")
        if row is not None and row["OnHold"] == "Y":
            how = self.call.options.on_hold.get("APSTIN", "accept")
            item.judge(how, "Supplier", ON_HOLD, f"Supplier '{row['Supplier']}' is on hold")
        return row

    def _invoice(self, item: Item) -> str:
        invoice = item.text("Invoice", "ApInvoice.Invoice")
        item.needs("Invoice")
        return invoice

    def _check_existence(self, item: Item, supplier: dict[str, Any], invoice: str, code: str) -> None:
        held = self.books.tables["ApInvoice"].get(supplier["Supplier"], invoice) is not None
        if held and code == "I":
            item.wrong("Invoice", DUPLICATE, f"Invoice '{invoice}' of this supplier exists already")
        if not held and code != "I":
            item.wrong("Invoice", NOT_FOUND, f"Invoice '{invoice}' of this supplier not found")

    def _dates(self, item: Item, supplier: dict[str, Any]) -> tuple[dt.date, dt.date]:
        date = item.date("InvoiceDate") or self.books.today()
        due = item.date("DueDate") or date + dt.timedelta(days=self.books.terms_days(supplier["Supplier"]))
        return date, due

    def _tax_code(self, item: Item, supplier: dict[str, Any]) -> str:
        return item.plain("TaxCode") or supplier["DefTaxCode"]

    def _tax(self, item: Item) -> Decimal:
        return item.number("TaxValue", MONEY) or Decimal("0.00")

    def _is_local(self, supplier: dict[str, Any]) -> bool:
        """Whether the ledger lines are in the company's currency."""
        return supplier["Currency"] == LOCAL_CURRENCY or self.call.text("LedgerDistributionCurrency").upper() != "F"

    def _document(self, item: Item, supplier: dict[str, Any], code: str, matched: list[Coding]) -> Document | None:
        """The document with its tax and charges as lines of their own; None when something is wrong with it."""
        value = item.number("TransactionValue", MONEY)
        if value is None:
            item.needs("TransactionValue")
            return None
        zero_is_meant = code == "A" and self.call.flag("PostZeroAdjustments")
        if (value <= 0 and code != "A") or (value == 0 and not zero_is_meant):
            item.wrong("TransactionValue", NOT_ALLOWED, f"A transaction {code} cannot have the value {value}")
            return None
        rate = self._rate(item, supplier["Currency"])
        in_local = self._is_local(supplier)
        expected = converted(value, *rate) if in_local and supplier["Currency"] != LOCAL_CURRENCY else value
        lines = [*self._lines(item), *matched]
        if code == "I" and supplier["GrnMatchReqd"] == "Y" and not item.has("GrnDetails"):
            text = f"Supplier '{supplier['Supplier']}' needs goods received notes to be matched"
            item.judge(self.call.options.receipt_needed, "GrnDetails", RECEIPT_NEEDED, text)
        codings = self._balanced(item, supplier, expected, lines)
        if codings is None:
            return None
        return Document(codings, value, rate, in_local)

    def _lines(self, item: Item) -> list[Coding]:
        lines = []
        for part in item.parts("LedgerDistribution"):
            check_account(part, self.call, "APSTIN", "LedgerCode", "LedgerDistribution/LedgerCode")
            amount = part.number("LedgerValue", MONEY, "LedgerDistribution/LedgerValue")
            text = part.text("LedgerNotation", "ApJnlDistrib.Reference", "LedgerDistribution/LedgerNotation")
            part.code(self.books, "LedgerTaxCode", "AdmTax", where="LedgerDistribution/LedgerTaxCode")
            lines.append(Coding(part.plain("LedgerCode"), amount or Decimal("0.00"), text))
        return lines

    def _balanced(
        self, item: Item, supplier: dict[str, Any], expected: Decimal, lines: list[Coding]
    ) -> list[Coding] | None:
        """The lines with tax and charges put beside them, if all of it adds up to the expected value."""
        inclusive = item.choice("TaxBasis", "E I", "E") == "I"
        tax_account = ""
        net = added(line.amount for line in lines)
        code_row = item.code(self.books, "TaxCode", "AdmTax", supplier["DefTaxCode"])
        tax = self._checked_tax(item, net, code_row, inclusive=inclusive)
        if tax:
            if code_row is None:
                item.wrong("TaxCode", MISSING, "TaxCode is needed for a tax value")
                return None
            tax_account = code_row["ApTaxGlCode"]
        charges = self._charges(item, supplier)
        on_top = added(charge.amount for charge in charges)
        gross = net if inclusive else net + tax
        how = self.call.options.freight_charge
        if on_top and how in {"apart", "either"} and gross + on_top == expected:
            lines = lines + charges
        elif gross != expected or (on_top and how == "apart"):
            text = f"The distribution adds up to {gross + on_top} where the value is {expected}"
            item.wrong("TransactionValue", UNBALANCED, text)
            return None
        if not lines:
            item.wrong("LedgerDistribution", MISSING, "LedgerDistribution is needed")
            return None
        whole = added(line.amount for line in lines)
        if tax and inclusive and whole:
            parts = shared_out(whole - tax, [line.amount * (whole - tax) / whole for line in lines])
            lines = [
                Coding(old.account, part, old.text, old.expense_type) for old, part in zip(lines, parts, strict=True)
            ]
        return [*lines, Coding(tax_account, tax, "", "O")] if tax else lines

    def _checked_tax(self, item: Item, net: Decimal, code: dict[str, Any] | None, *, inclusive: bool) -> Decimal:
        """As sent; with AutomaticTaxCalculation worked out, or held against what was sent."""
        tax = self._tax(item) + (item.number("SecondTaxValue", MONEY) or Decimal("0.00"))
        if not self.call.flag("AutomaticTaxCalculation") or code is None:
            return tax
        percent = code["CurTaxRate"]
        exact: Decimal = net * percent / (100 + percent) if inclusive else net * percent / 100
        worked_out = exact.quantize(CENT)
        if not item.plain("TaxValue"):
            return worked_out
        variance = self.call.number("PermissibleTaxVariance")
        if abs(tax - worked_out) > variance:
            item.wrong("TaxValue", TAX_DIFFERS, f"TaxValue is {tax} where {percent.normalize():f}% make {worked_out}")
        return tax

    def _charges(self, item: Item, supplier: dict[str, Any]) -> list[Coding]:
        freight = item.number("FreightCharge", MONEY) or Decimal(0)
        other = item.number("MiscellaneousCharge", MONEY) or Decimal(0)
        charges = []
        for amount, name, column, kind in (
            (freight, "FreightCharge", "FreightGlCode", "F"),
            (other, "MiscellaneousCharge", "MerchGlCode", "O"),
        ):
            if amount:
                charges.append(Coding(supplier[column], amount, name, kind))
        return charges

    def _rate(self, item: Item, currency: str) -> Rate:
        rate, mul_div = self.books.rate(currency)
        given = item.number("ExchRateAtEntry", "ApInvoice.ExchangeRate")
        if given is not None and given <= 0:
            item.wrong("ExchRateAtEntry", NOT_ALLOWED, "ExchRateAtEntry must be above 0")
            return rate, mul_div
        return (given or rate, mul_div) if currency != LOCAL_CURRENCY else (rate, mul_div)

    # --- writing -----------------------------------------------------------------------------------------

    def _with_reference(self, document: Document, reference: str) -> Document:
        kept = reference if self.call.options.reference_lands else ""
        return Document(document.codings, document.value, document.rate, document.in_local, kept)

    def _columns(self, item: Item, document: Document, supplier: dict[str, Any], date: dt.date) -> dict[str, Value]:
        discount_date = item.date("DiscountDate")
        terms = self.books.row("TblApTerms", supplier["TermsCode"])
        discount = Decimal("0.00")
        given = item.number("DiscountPercentageValue", MONEY) or Decimal(0)
        base = item.number("DiscountableValue", MONEY) or document.total
        match item.choice("DiscountBasis", "T P V", "T"):
            case "V":
                discount = given
            case "P":
                discount = base * given / 100
            case _ if terms is not None and terms["DiscPct"]:
                discount = base * terms["DiscPct"] / 100
                discount_date = discount_date or date + dt.timedelta(days=terms["DiscDays"])
        return {
            "OrigDiscValue": discount.quantize(CENT),
            "DiscountDate": None if discount_date is None else midnight(discount_date),
            "FixExchangeRate": "Y" if item.flag("FixedExchRate") else "N",
            "SecondTaxCode": item.plain("SecondTaxCode")[:3],
        }

    def _open(self, period: Period) -> Journal:
        if self._journal is None:
            self._journal = self.payables.open_journal(period=period)
        return self._journal

    def _integrated(self, journal: Journal | None) -> list[Node]:
        """The ledger's journal of this AP journal; blank when the site integrates later."""
        number, error = "", ""
        if journal is not None and self.call.options.gl_integration == "immediate":
            try:
                booked = self.call.ledger.integrate(
                    journal.year, journal.month, journal.number, self.call.operator, self._notation
                )
                number = f"{booked:05d}"
            except BadInput as refusal:
                error = str(refusal)
        elif journal is not None and self.call.options.gl_integration == "fails":
            error = "The ledger is in use; the journal was not integrated"
        return [
            ("GlYear", str(journal.year) if number and journal else ""),
            ("GlPeriod", f"{journal.month:02d}" if number and journal else ""),
            ("GlJournal", number),
            ("GlJournalError", "190001" if error else ""),
            ("GlJournalMessage", error),
        ]


APSTIN = BusinessObject("APSTIN", "PostApInvoice", "postapinvoice", SupplierInvoices)
