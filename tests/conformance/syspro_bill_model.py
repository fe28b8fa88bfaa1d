"""What must be in BILL, given what people did in SYSPRO, in BILL and to the codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from ml_connector.domain.money import from_units
from ml_connector.domain.numbers import find_mark, normalised
from ml_connector.sync.models import Link, Problem, ProblemState, Record, RunKind, State
from tests.conformance.syspro_bill_acts import as_left, enter, hold, map_code
from tests.conformance.syspro_bill_papers import ACCOUNTS, HAND_DUE, Company, Paper
from tests.sync.pair import Pair


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
                assert as_left(there[key]) == row, f"a bill of somebody else was touched: {there[key]}"
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
