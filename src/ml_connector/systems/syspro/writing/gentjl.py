"""JournalEntry -> the document of GENTJL, which posts ledger journals; Invoice -> JournalEntry. Pure.

SYSPRO: one signed amount per line, debits above zero, and a total of zero. The document itself has year and period.
A journal is in the ledger only if it is authorized and posted by the same call. Everything is in the company's own
currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ml_connector.domain.journals import JournalEntry, JournalLine
from ml_connector.domain.money import restated, rounded
from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceLine, LineKind
from ml_connector.systems.base import Refused
from ml_connector.systems.syspro.costcenters import Rule
from ml_connector.systems.syspro.writing.apstin import KINDS, about
from ml_connector.systems.syspro.writing.coding import Booked, place
from ml_connector.systems.syspro.writing.form import Form, element, stripped
from ml_connector.systems.syspro.writing.poster import Posting

BUSINESS_OBJECT = "GENTJL"
ROOT = "PostGlJournal"
PARAMETERS = {
    "IgnoreWarnings": "N",
    "ApplyIfEntireDocumentValid": "Y",
    "ValidateOnly": "N",
    "ActionType": "A",
    "ValidatePasswords": "N",
    "DeleteEntriesonMaint": "N",
    "IgnoreAnalysis": "N",
    "IncludeDimensionAnalysis": "N",
}


def to_gentjl(entry: JournalEntry, rule: Rule, local: str, named: str = "") -> Posting:
    """The call. Raises Refused, naming the field, for what SYSPRO would not take or what does not balance."""
    named = named or f"journal {entry.reference}"
    form = Form(named)
    if entry.currency != local:
        raise Refused(
            "currency_not_allowed",
            f"{form.opening} is in {entry.currency}; SYSPRO's ledger is kept in {local}.",
            "Currency",
        )
    if len(entry.lines) < 2:
        raise Refused("field_missing", f"{form.opening} has fewer than two lines.", "JournalDetails")
    if entry.difference():
        raise Refused(
            "totals_differ",
            f"{form.opening}: debits exceed credits by {entry.difference()} {entry.currency}.",
            "EntryAmount",
        )
    item = element(
        "Item",
        element("JournalType", "N"),
        element("AuthorizeJournal", "A"),
        element("PostJournal", "Y"),
        form.day("JournalDate", entry.date),
        form.code("JournalReference", entry.reference, required=True),
        form.words("Notation", entry.note),
        element("PostingPeriod", f"{entry.period:02}"),
        element("PostingYear", str(entry.year)),
        *(_line(line, entry, rule, form) for line in entry.lines if line.amount),
    )
    return Posting(named, BUSINESS_OBJECT, ROOT, PARAMETERS, item)


def sample() -> Posting:
    """What asks whether the object is licensed: a journal without lines."""
    return Posting("an empty journal", BUSINESS_OBJECT, ROOT, PARAMETERS, "<Item><JournalType>N</JournalType></Item>")


def journal_of(
    invoice: Invoice, mark: str, booked: Booked, control: str, local: str, tax_accounts: Mapping[str, str]
) -> JournalEntry:
    """The ledger entry of an invoice: its coding, its tax, and the payables account against it.

    `tax_accounts`: GL code by tax code. A foreign invoice is stated in the company's currency, by its own base amount
    or rate. Raises Refused for what has no GL code or no rate.
    """
    form = Form(about(invoice))
    if not control:
        raise Refused(
            "field_missing",
            f"{form.opening} needs the payables account. Enter ap_control_account in the Connection's settings.",
            "ap_control_account",
        )
    if invoice.withholding or invoice.difference():
        raise Refused(
            "totals_differ", f"{form.opening} does not add up to {invoice.gross} by its lines.", "EntryAmount"
        )
    amounts = [line.amount for line in invoice.lines]
    total = invoice.gross
    if invoice.currency != local:
        total = _base(invoice, local, form)
        amounts = restated(amounts, total, local)
    sign = -1 if invoice.kind is InvoiceKind.CREDIT_NOTE else 1
    lines = [
        JournalLine(
            account=_account(line, tax_accounts, form),
            amount=amount * sign,
            cost_center=line.cost_center,
            text=f"{stripped(invoice.number)} {line.description or ''}".strip(),
        )
        for line, amount in zip(invoice.lines, amounts, strict=True)
    ]
    lines.append(
        JournalLine(account=control, amount=-total * sign, text=f"{stripped(invoice.number)} {invoice.supplier}")
    )
    return JournalEntry(
        date=invoice.posting_date or invoice.date,
        year=booked.period.year,
        period=booked.period.number,
        reference=mark,
        note=_note(invoice, booked),
        currency=local,
        lines=tuple(lines),
    )


def coded(entry: JournalEntry, rule: Rule) -> dict[str, Decimal]:
    """What an entry books on each GL code."""
    form = Form(f"journal {entry.reference}")
    totals: dict[str, Decimal] = {}
    for line in entry.lines:
        code = place(line.account, line.cost_center, rule, form).ledger_code
        totals[code] = totals.get(code, Decimal(0)) + line.amount
    return {code: value for code, value in totals.items() if value}


def _line(line: JournalLine, entry: JournalEntry, rule: Rule, form: Form) -> str:
    booked_to = place(line.account, line.cost_center, rule, form)
    return element(
        "JournalDetails",
        form.code("LedgerCode", booked_to.ledger_code, required=True),
        form.words("Reference", entry.reference),
        form.amount("EntryAmount", line.amount),
        form.words("Comment", line.text),
        element(
            "AnalysisLineEntry",
            form.code("AnalysisCode1", booked_to.analysis),
            form.amount("EntryAmount", line.amount),
        )
        if booked_to.analysis
        else "",
    )


def _account(line: InvoiceLine, tax_accounts: Mapping[str, str], form: Form) -> str:
    account = line.account
    if not account and line.kind is LineKind.TAX:
        account = tax_accounts.get(line.tax_code or "", "")
    if not account:
        raise Refused(
            "field_missing",
            f"{form.opening}: line {line.line_key} ({line.kind}) has no GL code, and a journal needs one.",
            "LedgerCode",
        )
    return account


def _base(invoice: Invoice, local: str, form: Form) -> Decimal:
    if invoice.base_gross is not None:
        return invoice.base_gross
    if invoice.rate is None:
        raise Refused(
            "rate_missing",
            f"{form.opening} is in {invoice.currency} and states no exchange rate; the ledger is kept in {local}.",
            "EntryAmount",
        )
    return rounded(invoice.gross * invoice.rate, local)


def _note(invoice: Invoice, booked: Booked) -> str:
    parts = [f"{KINDS[invoice.kind].capitalize()} {stripped(invoice.number)} of {invoice.supplier}"]
    if booked.moved_from is not None:
        parts.append(f"Posting date was {booked.moved_from.isoformat()}")
    parts += [stripped(invoice.memo)] if invoice.memo else []
    return ". ".join(parts)
