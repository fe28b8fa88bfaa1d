"""What people do in SYSPRO, in BILL and to the codes, and what the model makes of it."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ml_connector.conformance.model import chosen
from ml_connector.sync import mapping_checks, mappings
from ml_connector.sync.models import Link
from ml_connector.systems.syspro.keys import entry_key, invoice_key
from tests.conformance.syspro_bill_papers import ACCOUNTS, HAND_DUE, TODAY, Company, Paper
from tests.sync import acts

if TYPE_CHECKING:
    from tests.conformance.syspro_bill_model import Payables


# --- what people do in SYSPRO


def enter(model: Payables, supplier: int, cents: int, account: int) -> None:
    """A clerk enters an invoice."""
    model.count += 1
    _entered(model, chosen(model.active, supplier).code, f"INV-{model.count}", cents, account)


def enter_twin(model: Payables, of: int, cents: int) -> None:
    """An invoice whose number differs only in spelling from another; its amount may be the same."""
    first = chosen(model.present, of)
    if first.supplier not in {company.code for company in model.active}:
        return
    number = first.number.replace("-", "") if "-" in first.number else first.number.replace("INV", "INV/")
    if all((paper.supplier, paper.number) != (first.supplier, number) for paper in model.papers):
        _entered(model, first.supplier, number, first.cents if cents % 3 else cents, 0)


def _entered(model: Payables, supplier: str, number: str, cents: int, account: int) -> None:
    acts.post(
        model.pair, number, f"{Decimal(cents) / 100:.2f}", chosen(ACCOUNTS, account), supplier=supplier,
        date=TODAY, due_date="2026-12-16",
    )  # fmt: skip
    model.papers.append(Paper(supplier, number, cents, invoice_key(supplier, number), due="2026-12-16"))


def enter_supplier(model: Payables) -> None:
    model.count += 1
    code = f"NEW{model.count:03}"
    name = f"{_WORDS[model.count % len(_WORDS)]} {_WORDS[model.count * 7 % len(_WORDS)]} {model.count}"
    for table in ("ApSupplier", "ApSupplierAddr"):
        row = next(row for row in model.pair.syspro.state(table) if row["Supplier"] == model.active[0].code)
        own = {"SupplierName": name, "WithTaxId": "", "OnHold": "N"} if table == "ApSupplier" else {}
        model.pair.syspro.edit(table, {**row, "Supplier": code, **own})
    phone = next(row["Telephone"] for row in model.pair.syspro.state("ApSupplier") if row["Supplier"] == code)
    model.companies.append(Company(code, name, phone))


_WORDS = ("Amber", "Basalt", "Cedar", "Dorsal", "Ember", "Fjord", "Gneiss", "Heron", "Iris", "Juniper", "Kelp")


def amend_header(model: Payables, of: int, day: int) -> None:
    """The due date and the reference."""
    paper = chosen(model.live, of)
    paper.due, paper.memo = f"2026-12-{day:02}", f"Reference {day}"
    change(model, paper, DueDate=paper.due, Reference=paper.memo)


def amend_amount(model: Payables, of: int, cents: int) -> None:
    """A mistyped amount is corrected, header and ledger, on an invoice on which nothing else was booked."""
    untouched = [paper for paper in model.invoices if paper.untouched]
    if not untouched:
        return
    paper = chosen(untouched, of)
    row = header(model, paper)
    value = Decimal(cents) / 100
    balances = {f"MthInvBal{n}": value for n in (1, 2, 3) if row[f"MthInvBal{n}"]}
    change(model, paper, OrigInvValue=value, CurrencyValue=value, **balances)
    entry = {"TrnYear": row["InvoiceYear"], "TrnMonth": row["InvoiceMonth"], "Journal": row["Journal"]}
    place = {**entry, "EntryNumber": row["EntryNumber"]}
    model.pair.syspro.edit("ApJnlSummary", {**place, "InvoiceValue": value})
    ledger = [r for r in model.pair.syspro.state("ApJnlDistrib") if place.items() <= r.items()]
    rest = sum((r["DistrValue"] for r in ledger[1:]), Decimal(0))
    if rest >= value:
        for extra in ledger[1:]:
            acts.remove(model.pair, "ApJnlDistrib", extra)
        rest, paper.lines = Decimal(0), 1
    model.pair.syspro.edit("ApJnlDistrib", {**ledger[0], "DistrValue": value - rest})
    paper.cents = cents


def split_line(model: Payables, of: int) -> None:
    """The distribution is corrected: one line becomes two."""
    whole = [paper for paper in model.live if paper.lines == 1 and paper.cents > 100]
    if not whole:
        return
    paper = chosen(whole, of)
    row = header(model, paper)
    place = {"TrnYear": row["InvoiceYear"], "TrnMonth": row["InvoiceMonth"], "Journal": row["Journal"],
             "EntryNumber": row["EntryNumber"]}  # fmt: skip
    (line,) = [r for r in model.pair.syspro.state("ApJnlDistrib") if place.items() <= r.items()]
    model.pair.syspro.edit("ApJnlDistrib", {**line, "DistrValue": line["DistrValue"] - 1})
    second = {"SubEntry": line["SubEntry"] + 1, "DistrValue": Decimal(1), "Reference": "Split"}
    model.pair.syspro.edit("ApJnlDistrib", {**line, **second})
    paper.lines = 2


def void(model: Payables, of: int) -> None:
    untouched = [paper for paper in model.invoices if paper.untouched]
    if untouched:
        paper = chosen(untouched, of)
        model.pair.syspro.edit("actions", {"do": "reverse", "supplier": paper.supplier, "invoice": paper.number})
        paper.voided = True


def credit(model: Payables, of: int, cents: int) -> None:
    _booked(model, of, cents, "credit", "credit_notes")


def debit(model: Payables, of: int, cents: int) -> None:
    _booked(model, of, cents, "debit", "invoices")


def _booked(model: Payables, of: int, cents: int, do: str, flow: str) -> None:
    large = [paper for paper in model.live if paper.open > 200]
    if not large:
        return
    paper = chosen(large, of)
    amount = min(cents, paper.open // 2)
    acts.correct(model.pair, do, paper.number, f"{Decimal(amount) / 100:.2f}", supplier=paper.supplier)
    entry = max(
        (row["TrnYear"], row["TrnMonth"], row["Journal"], row["EntryNumber"])
        for row in model.pair.syspro.state("ApJnlSummary")
        if (row["Supplier"], row["Invoice"]) == (paper.supplier, paper.number)
    )
    letter = f"C{entry[2]}{entry[3]:03}" if do == "credit" else f"A{entry[2]}"
    made = Paper(paper.supplier, f"{paper.number}-{letter}", amount, entry_key(entry), flow, parent=paper)
    paper.children.append(made)
    model.papers.append(made)


def pay(model: Payables, of: int) -> None:
    """A cheque over half of what is open."""
    large = [paper for paper in model.live if paper.open > 200]
    if large:
        paper = chosen(large, of)
        amount = paper.open // 2
        cheque = {"do": "manual_cheque", "supplier": paper.supplier, "invoice": paper.number}
        model.pair.syspro.edit("actions", {**cheque, "amount": Decimal(amount) / 100})
        paper.paid += amount


def remove(model: Payables, of: int) -> None:
    """An invoice vanishes, and what was booked on it with it."""
    paper = chosen(model.present, of)
    paper.row = header(model, paper)
    acts.remove(model.pair, "ApInvoice", paper.row)
    for one in (paper, *paper.children):
        one.gone = True


def bring_back(model: Payables, of: int) -> None:
    removed = [paper for paper in model.invoices if paper.gone]
    if removed:
        paper = chosen(removed, of)
        model.pair.syspro.edit("ApInvoice", paper.row)
        for one in (paper, *paper.children):
            one.gone = False


def remove_supplier(model: Payables, of: int) -> None:
    if len(model.active) > 1:
        company = chosen(model.active, of)
        company.row = next(row for row in model.pair.syspro.state("ApSupplier") if row["Supplier"] == company.code)
        acts.remove(model.pair, "ApSupplier", company.row)
        company.gone = True


def bring_supplier_back(model: Payables, of: int) -> None:
    company = chosen([company for company in model.companies if company.gone], of)
    model.pair.syspro.edit("ApSupplier", company.row)
    company.gone = False


def change_phone(model: Payables, of: int, phone: int) -> None:
    company = chosen(model.active, of)
    company.phone = f"312-555-{phone:04}"
    acts.supplier(model.pair, company.code, Telephone=company.phone)


def rename(model: Payables, of: int, word: int) -> None:
    company = chosen(model.active, of)
    company.name = f"{company.name.split()[0]} {chosen(_WORDS, word)} Works {company.code}"
    acts.supplier(model.pair, company.code, SupplierName=company.name)


def hold_or_release(model: Payables, of: int) -> None:
    company = chosen(model.active, of)
    hold(model, company, on_hold=not company.on_hold)


def hold(model: Payables, company: Company, *, on_hold: bool) -> None:
    model.pair.syspro.edit("actions", {"do": "hold_supplier", "supplier": company.code, "on_hold": on_hold})
    company.on_hold = on_hold


def header(model: Payables, paper: Paper) -> dict[str, Any]:
    return next(
        row
        for row in model.pair.syspro.state("ApInvoice")
        if (row["Supplier"], row["Invoice"]) == (paper.supplier, paper.number)
    )


def change(model: Payables, paper: Paper, **columns: Any) -> None:
    model.pair.syspro.edit("ApInvoice", {"Supplier": paper.supplier, "Invoice": paper.number, **columns})


# --- what people do to the codes, and in BILL


def take_code_out(model: Payables, account: int) -> None:
    mappings.set_entries(model.pair.integration, "gl_account", {chosen(ACCOUNTS, account): None}, actor="clerk")


def put_code_back(model: Payables, account: int) -> None:
    """Refused where BILL's account is archived as far as we know."""
    with suppress(mapping_checks.MappingRefused):
        map_code(model, chosen(ACCOUNTS, account))


def map_code(model: Payables, code: str) -> None:
    target = acts.account(model.pair, code)["id"]
    mappings.set_entries(model.pair.integration, "gl_account", {code: target}, actor="clerk")


def archive_or_restore_account(model: Payables, account: int) -> None:
    row = acts.account(model.pair, chosen(ACCOUNTS, account))
    model.pair.bill.edit("chart-of-accounts", {"id": row["id"], "archived": not row.get("archived")})
    model.archived_accounts = True


def type_by_hand(model: Payables, of: int, cents: int) -> None:
    """Somebody enters an invoice in BILL that SYSPRO has too, or a number that it has with another amount."""
    vendors = {row["shortName"]: row for row in model.pair.bill.state("vendors")}
    papers = [p for p in model.live if p.supplier in vendors and not model._hand_bill(p, ever=True)]
    if not papers:
        return
    paper = chosen(papers, of)
    amount = Decimal(paper.cents if cents % 2 else cents) / 100
    row = acts.typed_by_hand(model.pair, paper.number.lower(), str(amount), paper.supplier)
    model.hand[row["id"]] = _bill(model, row["id"])


def archive_by_hand(model: Payables, of: int) -> None:
    """Somebody archives a bill that was typed in BILL and is not linked."""
    linked = set(Link.objects.of(model.pair.workspace).values_list("target_key", flat=True))
    own = [key for key in model.hand if key not in linked]
    if own:
        key = chosen(own, of)
        model.pair.bill.edit("bills", {"id": key, "archived": True})
        model.hand[key] = _bill(model, key)


def edit_in_bill(model: Payables, of: int) -> None:
    """Somebody changes the due date of one of our bills."""
    bills = [(paper, row) for paper, row in model.own_bills() if not row["archived"]]
    if bills:
        paper, row = chosen(bills, of)
        model.pair.bill.edit("bills", {"id": row["id"], "dueDate": HAND_DUE})
        paper.hand_due, paper.overwrite = True, model.under_way(paper)


def phone_in_bill(model: Payables, of: int, phone: int) -> None:
    """Somebody changes the telephone of one of our vendors."""
    company = chosen(model.companies, of)
    row = model.row_of(company)
    if row is not None:
        company.hand_phone, company.overwrite = f"773-555-{phone:04}", model.under_way(company)
        model.pair.bill.edit("vendors", {"id": row["id"], "phone": company.hand_phone})


def close_in_bill(model: Payables, of: int, how: str) -> None:
    """Somebody archives one of our bills, or schedules its payment."""
    bills = [(p, row) for p, row in model.own_bills() if not row["archived"] and not p.closed]
    if bills:
        paper, row = chosen(bills, of)
        fields = {"archived": True} if how == "archived" else {"paymentStatus": "SCHEDULED"}
        model.pair.bill.edit("bills", {"id": row["id"], **fields})
        paper.closed = how


def _bill(model: Payables, key: str) -> dict[str, Any]:
    """A bill as people left it."""
    return as_left(next(row for row in model.pair.bill.state("bills") if row["id"] == key))


def as_left(row: dict[str, Any]) -> dict[str, Any]:
    """Without its vendor's name, which is the vendor's."""
    return {name: value for name, value in row.items() if name != "vendorName"}
