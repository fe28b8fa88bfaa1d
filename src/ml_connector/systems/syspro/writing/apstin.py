"""Invoice -> the documents of APSTIN, which posts invoices, credit notes and debit notes. Pure.

SYSPRO: an invoice must not be there yet; a credit or debit note is booked on an invoice that is. TransactionValue is
the total with tax; with TaxBasis E the ledger distribution adds up to the rest. Amounts are positive, the transaction
code gives the direction. There is no currency: it is the supplier's. Goods received are matched by GrnDetails, which
take the place of distribution rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceLine, LineKind
from ml_connector.systems.base import Refused
from ml_connector.systems.syspro.costcenters import Rule
from ml_connector.systems.syspro.policies import REFUSE, RIGHT20
from ml_connector.systems.syspro.writing.coding import Booked, place
from ml_connector.systems.syspro.writing.form import WIDTHS, Form, element, exact, stripped
from ml_connector.systems.syspro.writing.poster import Posting

BUSINESS_OBJECT = "APSTIN"
ROOT = "PostApInvoice"
ZERO = Decimal(0)

KINDS = {InvoiceKind.INVOICE: "invoice", InvoiceKind.CREDIT_NOTE: "credit note", InvoiceKind.DEBIT_NOTE: "debit note"}
_CODES = {InvoiceKind.INVOICE: "I", InvoiceKind.CREDIT_NOTE: "C", InvoiceKind.DEBIT_NOTE: "D"}


@dataclass(frozen=True, slots=True)
class Match:
    """What of one goods received note an invoice pays for."""

    supplier: str
    grn: str
    source: str
    journal: int
    entry: int
    value: Decimal
    full: bool
    """All that is outstanding of it."""
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a posting says besides the document itself."""

    booked: Booked
    rule: Rule
    foreign: bool = False
    rate: Decimal | None = None
    """As SYSPRO writes it; None for SYSPRO's own."""
    corrected: str | None = None
    """The number in SYSPRO of the invoice that a credit or debit note is booked on."""
    long_numbers: str = REFUSE
    matches: tuple[Match, ...] = ()
    matched_lines: frozenset[str] = frozenset()
    """Keys of the lines that the matches stand for."""
    debit_raises: bool = True


def about(invoice: Invoice) -> str:
    return f"{KINDS[invoice.kind]} {invoice.number} of {invoice.supplier}"


def number(invoice: Invoice, long_numbers: str) -> str:
    """The number that the document has in SYSPRO. Raises Refused for one that is too long and may not be shortened."""
    text = exact(invoice.number)
    width = WIDTHS["Invoice"]
    return text[-width:] if long_numbers == RIGHT20 and len(text) > width else text


def to_apstin(invoice: Invoice, mark: str, terms: Terms) -> Posting:
    """The call. Raises Refused, naming the field, for what SYSPRO would not take or what would not add up."""
    named = about(invoice)
    form = Form(named)
    taxes, freight, charges, rows = _parted(invoice, terms, form)
    tax = sum((line.amount for line in taxes), ZERO)
    matched = sum((match.value for match in terms.matches), ZERO)
    total = tax + freight + charges + matched + sum((line.amount for line in rows), ZERO)
    if total != invoice.gross:
        raise Refused(
            "totals_differ",
            f"{form.opening} comes to {invoice.gross} {invoice.currency}; what would be booked adds up to {total}.",
            "TransactionValue",
        )
    item = element(
        "Item",
        form.code("Supplier", invoice.supplier, required=True),
        element("TransactionCode", _code(invoice, terms, form)),
        _number(invoice, terms, form),
        form.amount("TransactionValue", invoice.gross),
        form.amount("FreightCharge", freight) if freight else "",
        form.amount("MiscellaneousCharge", charges) if charges else "",
        form.words("Notation", _notation(invoice, terms)),
        form.code("TransactionReference", mark, required=True),
        *_discount(invoice, form),
        form.day("InvoiceDate", invoice.date),
        form.day("DueDate", invoice.due_date),
        form.day("DiscountDate", invoice.discount_date if invoice.discount else None),
        form.rate("ExchRateAtEntry", terms.rate if terms.foreign else None),
        element("TaxBasis", "E"),
        form.code("TaxCode", _tax_code(taxes, form)) if tax else "",
        form.amount("TaxValue", tax) if tax else "",
        *(_match(match, form) for match in terms.matches),
        *(_row(line, mark if index == 0 else "", invoice, terms, form) for index, line in enumerate(rows)),
    )
    return Posting(named, BUSINESS_OBJECT, ROOT, parameters(terms.booked.letter, foreign=terms.foreign), item)


def parameters(letter: str, *, foreign: bool) -> dict[str, str]:
    """A warning rejects, and one bad item rejects the document."""
    return {
        "PostingPeriod": letter,
        "IgnoreWarnings": "N",
        "ApplyIfEntireDocumentValid": "Y",
        "ValidateOnly": "N",
        "PostZeroAdjustments": "N",
        "LedgerDistributionCurrency": "F" if foreign else "L",
        "AutomaticTaxCalculation": "N",
        "IgnoreAnalysis": "N",
        "IncludeDimensionAnalysis": "N",
    }


def sample() -> Posting:
    """What asks whether the object is licensed, and posts nothing even if it were not only checked."""
    return Posting(
        "an empty invoice",
        BUSINESS_OBJECT,
        ROOT,
        parameters("C", foreign=False),
        "<Item><TransactionCode>I</TransactionCode></Item>",
    )


def coded(invoice: Invoice, rule: Rule, form: Form) -> dict[str, Decimal]:
    """What the document books on each GL code, tax apart."""
    totals: dict[str, Decimal] = {}
    for line in invoice.lines:
        if line.kind is LineKind.TAX or not line.account:
            continue
        code = place(line.account, line.cost_center, rule, form).ledger_code
        totals[code] = totals.get(code, ZERO) + line.amount
    return {code: value for code, value in totals.items() if value}


def _parted(
    invoice: Invoice, terms: Terms, form: Form
) -> tuple[list[InvoiceLine], Decimal, Decimal, list[InvoiceLine]]:
    """Tax of the header, freight and charges without a GL code, and the rows of the distribution."""
    if not invoice.lines:
        raise Refused("field_missing", f"{form.opening} has no lines; SYSPRO needs at least one.", "LedgerDistribution")
    if invoice.withholding or any(line.kind is LineKind.WITHHOLDING for line in invoice.lines):
        raise Refused(
            "unsupported",
            f"{form.opening} withholds tax, which is not posted from here. Enter it in SYSPRO by hand.",
            "WithholdingTaxValue",
        )
    taxes: list[InvoiceLine] = []
    rows: list[InvoiceLine] = []
    freight = charges = ZERO
    for line in invoice.lines:
        if line.line_key in terms.matched_lines or not line.amount:
            continue
        if line.kind is LineKind.TAX and (line.tax_code or not line.account):
            taxes.append(line)
        elif line.kind is LineKind.FREIGHT and not line.account:
            freight += line.amount
        elif line.kind is LineKind.CHARGE and not line.account:
            charges += line.amount
        else:
            rows.append(line)
    return taxes, freight, charges, rows


def _code(invoice: Invoice, terms: Terms, form: Form) -> str:
    if invoice.kind is InvoiceKind.DEBIT_NOTE and not terms.debit_raises:
        raise Refused(
            "unsupported",
            f"{form.opening} raises what is owed, and at this site code D lowers it (debit_note_effect). Enter it in "
            "SYSPRO by hand.",
            "TransactionCode",
        )
    return _CODES[invoice.kind]


def _number(invoice: Invoice, terms: Terms, form: Form) -> str:
    if invoice.kind is InvoiceKind.INVOICE:
        text = number(invoice, terms.long_numbers)
        return form.code("Invoice", text, required=True, too_long="number_too_long")
    if not terms.corrected:
        raise Refused(
            "credit_without_invoice",
            f"{form.opening} names no invoice that it corrects; SYSPRO books it on one. Name the invoice.",
            "Invoice",
        )
    return form.key("Invoice", terms.corrected)


def _notation(invoice: Invoice, terms: Terms) -> str:
    """What has no field of its own: a number that is not the key, a posting date that was moved, the source's text."""
    parts = []
    if invoice.kind is not InvoiceKind.INVOICE:
        parts.append(f"{KINDS[invoice.kind].capitalize()} {stripped(invoice.number)}")
    elif number(invoice, terms.long_numbers) != exact(invoice.number):
        parts.append(f"Number {stripped(invoice.number)}")
    if terms.booked.moved_from is not None:
        parts.append(f"Posting date was {terms.booked.moved_from.isoformat()}")
    parts += [stripped(invoice.memo)] if invoice.memo else []
    return ". ".join(parts)


def _discount(invoice: Invoice, form: Form) -> tuple[str, ...]:
    if not invoice.discount:
        return ()
    return (element("DiscountBasis", "V"), form.amount("DiscountPercentageValue", invoice.discount))


def _tax_code(taxes: Sequence[InvoiceLine], form: Form) -> str:
    """The one code of the header; blank means the supplier's own."""
    codes = {line.tax_code for line in taxes if line.tax_code}
    if len(codes) > 1:
        raise Refused(
            "several_tax_codes",
            f"{form.opening} has the tax codes {', '.join(sorted(codes))}; SYSPRO takes one per invoice. Enter it in "
            "SYSPRO by hand, or book the tax to GL codes in the source.",
            "TaxCode",
        )
    return next(iter(codes), "")


def _match(match: Match, form: Form) -> str:
    return element(
        "GrnDetails",
        form.code("GrnSupplier", match.supplier, required=True),
        form.code("GrnGrn", match.grn, required=True),
        element("GrnFlag", match.source),
        element("GrnJournal", str(match.journal)),
        element("GrnEntry", str(match.entry)),
        element("GrnMatchType", "O" if match.full else "P"),
        form.amount("GrnMatchValue", match.value),
        form.quantity("GrnPartialMatchQuantity", match.quantity)
        if match.quantity is not None and not match.full
        else "",
        "" if match.full else form.amount("GrnPartialMatchValue", match.value),
    )


def _row(line: InvoiceLine, mark: str, invoice: Invoice, terms: Terms, form: Form) -> str:
    """A row of the distribution. The first of a correction bears the mark too: the invoice's own reference is taken."""
    booked_to = place(line.account, line.cost_center, terms.rule, form)
    said = line.description or ""
    text = said if invoice.kind is InvoiceKind.INVOICE else f"{mark} {said}"
    return element(
        "LedgerDistribution",
        form.code("LedgerCode", booked_to.ledger_code, required=True),
        form.words("LedgerNotation", text),
        form.amount("LedgerValue", line.amount),
        element(
            "AnalysisLineEntry",
            form.code("AnalysisCode1", booked_to.analysis),
            form.amount("EntryAmount", line.amount),
        )
        if booked_to.analysis
        else "",
    )
