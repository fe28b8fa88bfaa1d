"""What must be in BILL, given what people did in SYSPRO, in BILL and to the codes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

import ml_connector.sandbox
from ml_connector.conformance.bench import clocks_at
from ml_connector.conformance.model import NUMBER, Act, Play, chosen
from ml_connector.domain.money import from_units
from ml_connector.domain.numbers import find_mark, normalised
from ml_connector.integrations.base import Side
from ml_connector.sync import mapping_checks, mappings
from ml_connector.sync.models import Link, Problem, ProblemState, Record, RunKind, State
from ml_connector.systems.syspro.keys import entry_key, invoice_key
from ml_connector.workspaces.models import Workspace
from tests.sync import acts
from tests.sync.pair import DATA, MONDAY, Pair

ACCOUNTS = ("10-6100", "10-6200", "10-6300")
TODAY = "2026-11-16"
HAND_DUE = "2027-03-03"
"""A due date that only people in BILL enter."""
HELD_BY_ITSELF = frozenset({"unmapped_code", "code_not_postable", "supplier_on_hold"})


@dataclass(eq=False)
class Company:
    """A supplier in SYSPRO."""

    code: str
    name: str
    phone: str
    on_hold: bool = False
    gone: bool = False
    hand_phone: str = ""
    """What people in BILL made of the telephone."""
    overwrite: bool = False
    """A person said that BILL's value may be overwritten, or a write of ours was still out when it was typed."""
    row: dict[str, Any] = field(default_factory=dict)
    """Its row in SYSPRO, once removed."""

    @property
    def key(self) -> str:
        return self.code


@dataclass(eq=False)
class Paper:
    """An invoice, or a credit or debit note booked on one."""

    supplier: str
    number: str
    cents: int
    key: str
    flow: str = "invoices"
    due: str = ""
    memo: str = ""
    lines: int = 1
    parent: Paper | None = None
    children: list[Paper] = field(default_factory=list)
    voided: bool = False
    gone: bool = False
    paid: int = 0
    hand_due: bool = False
    """People in BILL gave it the due date HAND_DUE."""
    overwrite: bool = False
    closed: str = ""
    """What people did to its bill that BILL takes no edit after: archived, scheduled."""
    row: dict[str, Any] = field(default_factory=dict)
    """Its row in SYSPRO, once removed."""

    @property
    def open(self) -> int:
        further = sum(child.cents if child.flow == "invoices" else -child.cents for child in self.children)
        return self.cents + further - self.paid

    @property
    def untouched(self) -> bool:
        return not (self.children or self.paid or self.voided or self.gone)


class Payables:
    """The model: SYSPRO's payables as people entered them, and what people did to BILL's."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.companies = [
            Company(row["Supplier"], row["SupplierName"], row["Telephone"]) for row in pair.syspro.state("ApSupplier")
        ]
        self.papers: list[Paper] = []
        self.hand: dict[str, dict[str, Any]] = {}
        """Bills that people typed in BILL, by id, as they are."""
        self.seen: dict[str, str] = {}
        """Every document and vendor of BILL that was ever there: id by id; and the id of each mark."""
        self.decisions: dict[int, tuple[str, bytes]] = {}
        """Records that a person gave up: skipped or written off, and in which version."""
        self.archived_accounts = False
        """Whether people ever archived an account in BILL, so that a document was refused for it."""
        self.count = 0
        for number in range(3):
            enter(self, number, 10_000 + number, number)

    # --- what there is

    @property
    def invoices(self) -> list[Paper]:
        return [paper for paper in self.papers if paper.parent is None]

    @property
    def active(self) -> list[Company]:
        return [company for company in self.companies if not company.gone]

    @property
    def present(self) -> list[Paper]:
        return [paper for paper in self.invoices if not paper.gone]

    @property
    def live(self) -> list[Paper]:
        return [paper for paper in self.present if not paper.voided]

    def record_of(self, paper: Paper | Company) -> Record | None:
        flow = paper.flow if isinstance(paper, Paper) else "suppliers"
        return Record.objects.of(self.pair.workspace).filter(flow__name=flow, key=paper.key).first()

    def link_of(self, paper: Paper | Company) -> str | None:
        kind = "supplier" if isinstance(paper, Company) else "invoice" if paper.flow == "invoices" else "credit_note"
        rows = Link.objects.of(self.pair.workspace).filter(type=kind, source_key=paper.key)
        return rows.values_list("target_key", flat=True).first()

    def row_of(self, paper: Paper | Company) -> dict[str, Any] | None:
        table = "vendors" if isinstance(paper, Company) else "bills" if paper.flow == "invoices" else "vendor-credits"
        key = self.link_of(paper)
        return next((row for row in self.pair.bill.state(table) if row["id"] == key), None)

    def own_bills(self) -> list[tuple[Paper, dict[str, Any]]]:
        """Linked invoices with their bills."""
        found = [(paper, self.row_of(paper)) for paper in self.papers if paper.flow == "invoices"]
        return [(paper, row) for paper, row in found if row is not None]

    def under_way(self, of: Paper | Company) -> bool:
        """Whether a write of it may still take effect."""
        record = self.record_of(of)
        return record is not None and record.state in {State.IN_FLIGHT, State.IN_DOUBT}

    def causes(self, record: Record) -> set[str]:
        rows = Problem.objects.of(self.pair.workspace).filter(
            holds__record=record, blocks=True, state=ProblemState.OPEN
        )
        return set(rows.values_list("cause", flat=True))

    def reported(self, cause: str, paper: Paper | Company) -> bool:
        rows = Problem.objects.of(self.pair.workspace).filter(cause=cause, subject=paper.key, state=ProblemState.OPEN)
        return rows.exists()

    # --- what the machine tells

    def read(self, flow: str, kind: RunKind) -> None:
        """A newer version that was read puts an end to a skip."""
        rows = Record.objects.of(self.pair.workspace).in_bulk(list(self.decisions))
        for pk, (action, version) in list(self.decisions.items()):
            if action == "skip" and bytes(rows[pk].hash) != version:
                del self.decisions[pk]

    def decided(self, problem: Problem, action: str, records: Sequence[Record]) -> None:
        for record in records:
            if action != "retry":
                self.decisions[record.pk] = (action, bytes(record.hash))
            elif problem.cause == "conflict":
                for one in (*self.papers, *self.companies):
                    if one.key == record.key:
                        one.overwrite = True

    def replayed(self, record: Record) -> None:
        self.decisions.pop(record.pk, None)

    # --- what holds at any time

    def check(self) -> None:
        bills, credits = self.pair.bill.state("bills"), self.pair.bill.state("vendor-credits")
        vendors = self.pair.bill.state("vendors")
        there = {row["id"]: row for row in (*bills, *credits, *vendors)}
        assert self.seen.keys() <= {*there, *(k for k in self.seen if k not in there and k.startswith("mark "))}
        self.seen |= {key: key for key in there}
        for rows in (bills, credits):
            marks: dict[str, str] = {}
            for row in rows:
                mark = find_mark(row.get("description") or "")
                if mark is not None:
                    assert mark not in marks, f"two documents of {mark}: {marks[mark]}, {row['id']}"
                    marks[mark] = row["id"]
                    assert self.seen.setdefault(f"mark {mark}", row["id"]) == row["id"], "deleted and made anew"
        codes = [row["shortName"] for row in vendors]
        assert len(codes) == len(set(codes)), f"two vendors of one supplier: {codes}"
        self._check_numbers(bills)
        self._check_confirmed(there)
        self._check_hand(there)

    def _check_numbers(self, bills: list[dict[str, Any]]) -> None:
        """No supplier's number is there more often than in SYSPRO, people's own bills apart."""
        ours: dict[tuple[str, str], int] = {}
        for row in bills:
            if row["id"] not in self.hand:
                key = (row["vendorId"], row["invoice"]["invoiceNumber"])
                ours[key] = ours.get(key, 0) + 1
        assert all(count == 1 for count in ours.values()), ours

    def _check_confirmed(self, there: dict[str, dict[str, Any]]) -> None:
        """Both sides say the same of what is confirmed in its newest version."""
        rows = Record.objects.of(self.pair.workspace).filter(flow__name__in=("invoices", "credit_notes"))
        papers = {(paper.flow, paper.key): paper for paper in self.papers}
        for record in rows.filter(state=State.CONFIRMED).select_related("flow"):
            paper = papers[record.flow.name, record.key]
            key = self.link_of(paper)
            assert key is not None, f"{record.number} is confirmed without a Link"
            row = there[key]
            if record.sent_hash is None or bytes(record.sent_hash) != bytes(record.hash):
                assert record.gone or paper.closed, f"{record.number} is confirmed, and not sent"
            elif record.amount is not None:
                assert Decimal(str(row["amount"])) == from_units(record.amount, "USD"), record.number

    def _check_hand(self, there: dict[str, dict[str, Any]]) -> None:
        """What people did in BILL is never undone by accident (R45), and their own bills are left alone."""
        linked = set(Link.objects.of(self.pair.workspace).values_list("target_key", flat=True))
        for key, row in self.hand.items():
            if key not in linked:
                assert _own(there[key]) == row, f"a bill of somebody else was touched: {there[key]}"
        for paper, row in self.own_bills():
            if paper.hand_due and not paper.overwrite:
                assert row["dueDate"] == HAND_DUE, f"{paper.number}: people's due date was overwritten"
            if paper.closed == "archived":
                assert row["archived"] is True
        for company in self.companies:
            if company.hand_phone and not company.overwrite:
                row = self.row_of(company)
                assert row is not None
                assert row["phone"] == company.hand_phone

    # --- the end

    def put_right(self) -> None:
        for row in self.pair.bill.state("chart-of-accounts"):
            self.pair.bill.edit("chart-of-accounts", {"id": row["id"], "archived": False})
        self.pair.run("accounts", RunKind.PUSH)
        for code in ACCOUNTS:
            map_code(self, code)
        for company in self.companies:
            if company.on_hold and not company.gone:
                hold(self, company, on_hold=False)

    def check_at_rest(self, *, asked: bool) -> None:
        for company in self.companies:
            self._check_company(company)
        for paper in self.papers:
            self._check_paper(paper, asked=asked)
        self._check_nothing_else()

    def _check_nothing_else(self) -> None:
        """Nothing is in BILL that is neither linked nor typed there."""
        linked = set(Link.objects.of(self.pair.workspace).values_list("target_key", flat=True))
        for table in ("bills", "vendor-credits", "vendors"):
            for row in self.pair.bill.state(table):
                assert row["id"] in linked or row["id"] in self.hand, f"nobody's: {row}"

    def _check_company(self, company: Company) -> None:
        record, row = self.record_of(company), self.row_of(company)
        if company.gone:
            assert record is None or record.gone, company
            if row is not None:
                assert row["archived"] is False, company
                assert self.reported("sweep_missing", company), company
            elif record is not None and record.pk not in self.decisions:
                assert record.state == State.SKIPPED, (company, record.state)
            return
        assert record is not None
        if record.pk in self.decisions:
            return
        if record.state == State.BLOCKED:
            assert self.causes(record) == {"conflict"}, (company, self.causes(record))
            assert company.hand_phone, company
            return
        assert record.state == State.CONFIRMED, (company, record.state)
        assert row is not None
        assert row["name"] == company.name
        if not company.hand_phone:
            assert row["phone"] == company.phone

    def _check_paper(self, paper: Paper, *, asked: bool) -> None:
        record, row = self.record_of(paper), self.row_of(paper)
        about = f"{paper}: {record and (record.state, record.reason, self.causes(record))}, {row}"
        if record is None:
            # Voided or removed before it was ever read.
            assert row is None, about
            assert paper.gone or paper.voided, about
            return
        if record.pk in self.decisions:
            action, _ = self.decisions[record.pk]
            assert record.state == {"skip": State.SKIPPED, "write_off": State.WRITTEN_OFF}[action], about
            return
        if paper.gone:
            self._check_gone(paper, record, row, about)
        elif record.state == State.BLOCKED:
            assert self.causes(record) <= self._expected_causes(paper, row, asked=asked), about
        elif paper.voided:
            self._check_voided(paper, record, row, about)
        elif record.state == State.SKIPPED:
            assert row is None, about
            assert paper.parent is not None, about
            assert self._given_up(paper.parent), about
        else:
            assert record.state == State.CONFIRMED, about
            assert row is not None, about
            self._check_row(paper, row, about)

    def _given_up(self, paper: Paper) -> bool:
        record = self.record_of(paper)
        return record is not None and record.pk in self.decisions and self.link_of(paper) is None

    def _expected_causes(self, paper: Paper, row: dict[str, Any] | None, *, asked: bool) -> set[str]:
        """Why it may wait although everything was put right."""
        expected = set()
        if self.archived_accounts and not asked:
            expected.add("refused_by_target")
        if paper.hand_due and not asked:
            expected.add("conflict")
        if row is None:
            if any(company.gone for company in self.companies if company.code == paper.supplier):
                expected |= {"parent_not_confirmed", "supplier_missing"}
            if self._hand_bill(paper, ever=not asked):
                expected.add("collision")
            if any(self._twins(paper)):
                expected.add("duplicate_invoice")
            if paper.paid:
                expected.add("paid_elsewhere")
            if paper.parent is not None and self.row_of(paper.parent) is None:
                expected.add("credit_without_invoice")
        return expected

    def _hand_bill(self, paper: Paper, *, ever: bool) -> bool:
        """Whether people typed a bill of its number that is not it."""
        vendors = [row["id"] for row in self.pair.bill.state("vendors") if row["shortName"] == paper.supplier]
        return any(
            bill["vendorId"] in vendors
            and normalised(bill["invoice"]["invoiceNumber"]) == normalised(paper.number)
            and (ever or not bill["archived"])
            for bill in self.hand.values()
        )

    def _twins(self, paper: Paper) -> Iterator[Paper]:
        for other in self.papers:
            same = (other.supplier, normalised(other.number), other.cents)
            if other is not paper and same == (paper.supplier, normalised(paper.number), paper.cents):
                yield from [] if other.voided or other.gone else [other]

    def _check_gone(self, paper: Paper, record: Record, row: dict[str, Any] | None, about: str) -> None:
        if all(other.gone for other in self.papers if other.flow == paper.flow):
            return  # A source that gives nothing at all is not believed (R19).
        assert record.gone, about
        if row is None:
            assert record.state == State.SKIPPED, about
        elif paper.closed != "archived" and not paper.voided:
            assert row["archived"] is False, about
            assert self.reported("sweep_missing", paper), about

    def _check_voided(self, paper: Paper, record: Record, row: dict[str, Any] | None, about: str) -> None:
        if row is None:
            assert record.state == State.SKIPPED, about
        elif paper.closed == "scheduled":
            assert record.state == State.CONFIRMED, about
            assert row["archived"] is False, about
            assert self.reported("void_after_payment", paper), about
        else:
            assert record.state == State.CONFIRMED, about
            assert row["archived"] is True, about

    def _check_row(self, paper: Paper, row: dict[str, Any], about: str) -> None:
        if paper.closed:
            return
        assert row["archived"] is False, about
        assert Decimal(str(row["amount"])) == Decimal(paper.cents) / 100, about
        lines = row["billLineItems" if paper.flow == "invoices" else "vendorCreditLineItems"]
        assert len(lines) == paper.lines, about
        if paper.parent is None and not paper.hand_due:
            assert row["dueDate"] == paper.due, about
            assert (row["description"].startswith(paper.memo + " ")) or not paper.memo, about


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
    return _own(next(row for row in model.pair.bill.state("bills") if row["id"] == key))


def _own(row: dict[str, Any]) -> dict[str, Any]:
    """Without its vendor's name, which is the vendor's."""
    return {name: value for name, value in row.items() if name != "vendorName"}


# --- the play


@contextmanager
def opened(workspace: Workspace) -> Iterator[Pair]:
    """Two suppliers that BILL does not know, and no document."""
    load = {
        name: json.loads((DATA / f"base_set.{name}.json").read_text(), parse_float=Decimal)
        for name in ("syspro", "bill")
    }
    load["bill"]["vendors"] = []
    documents = ("ApInvoice", "ApInvoicePay", "ApJnlSummary", "ApJnlDistrib", "ApPayRunHdr", "ApPayRunDet")
    books = load["syspro"] | {name: [] for name in documents}
    for table in ("ApSupplier", "ApSupplierAddr"):
        books[table] = [row for row in books[table] if row["Supplier"] in {"ELC001", "PAK003"}]
    with (
        ml_connector.sandbox.start("syspro", seed=1, data=books) as syspro,
        ml_connector.sandbox.start("bill", seed=1, data=load["bill"]) as bill,
        clocks_at(MONDAY, {Side.ERP: syspro, Side.PLATFORM: bill}),
    ):
        pair = Pair(syspro, bill, workspace)
        pair.map_accounts()
        yield pair


CENTS = st.integers(201, 99_999)
SOME = lambda model: bool(model.live)  # noqa: E731
ANY = lambda model: bool(model.present)  # noqa: E731

PLAY = Play(
    open=opened,
    model=Payables,
    acts={
        "enter": Act(enter, {"supplier": NUMBER, "cents": CENTS, "account": NUMBER}),
        "enter_more": Act(enter, {"supplier": NUMBER, "cents": CENTS, "account": NUMBER}),
        "enter_twin": Act(enter_twin, {"of": NUMBER, "cents": CENTS}, ANY),
        "enter_supplier": Act(enter_supplier),
        "amend_header": Act(amend_header, {"of": NUMBER, "day": st.integers(1, 28)}, SOME),
        "amend_amount": Act(amend_amount, {"of": NUMBER, "cents": CENTS}, SOME),
        "split_line": Act(split_line, {"of": NUMBER}, SOME),
        "void": Act(void, {"of": NUMBER}, SOME),
        "credit": Act(credit, {"of": NUMBER, "cents": CENTS}, SOME),
        "debit": Act(debit, {"of": NUMBER, "cents": CENTS}, SOME),
        "pay": Act(pay, {"of": NUMBER}, SOME),
        "remove": Act(remove, {"of": NUMBER}, ANY),
        "bring_back": Act(bring_back, {"of": NUMBER}, lambda model: any(p.gone for p in model.invoices)),
        "remove_supplier": Act(remove_supplier, {"of": NUMBER}),
        "bring_supplier_back": Act(bring_supplier_back, {"of": NUMBER}, lambda m: any(c.gone for c in m.companies)),
        "change_phone": Act(change_phone, {"of": NUMBER, "phone": st.integers(0, 9999)}),
        "rename": Act(rename, {"of": NUMBER, "word": NUMBER}),
        "hold_or_release": Act(hold_or_release, {"of": NUMBER}),
        "take_code_out": Act(take_code_out, {"account": NUMBER}),
        "put_code_back": Act(put_code_back, {"account": NUMBER}),
        "archive_or_restore_account": Act(archive_or_restore_account, {"account": NUMBER}),
        "type_by_hand": Act(type_by_hand, {"of": NUMBER, "cents": CENTS}, SOME),
        "archive_by_hand": Act(archive_by_hand, {"of": NUMBER}),
        "edit_in_bill": Act(edit_in_bill, {"of": NUMBER}, SOME),
        "phone_in_bill": Act(phone_in_bill, {"of": NUMBER, "phone": st.integers(0, 9999)}),
        "close_in_bill": Act(close_in_bill, {"of": NUMBER, "how": st.sampled_from(["archived", "scheduled"])}, SOME),
    },
    requests=(
        (Side.PLATFORM, {"method": "POST", "path": "/v3/bills"}),
        (Side.PLATFORM, {"method": "POST", "path": "/v3/bills"}),
        (Side.PLATFORM, {"method": "PATCH", "path": "/v3/bills/*"}),
        (Side.PLATFORM, {"method": "PUT", "path": "/v3/bills/*"}),
        (Side.PLATFORM, {"method": "POST", "path": "/v3/bills/*/archive"}),
        (Side.PLATFORM, {"method": "POST", "path": "/v3/vendor-credits"}),
        (Side.PLATFORM, {"method": "POST", "path": "/v3/vendors"}),
        (Side.PLATFORM, {"method": "PATCH", "path": "/v3/vendors/*"}),
        (Side.PLATFORM, {"method": "GET", "path": "/v3/*"}),
        (Side.ERP, {"method": "GET", "path": "*"}),
    ),
)
