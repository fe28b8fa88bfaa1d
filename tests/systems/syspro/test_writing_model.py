"""Invoices, credits and orders under random faults, ends of sessions and restarts: never a second document (R3, R11).

Without more a few stories are tried, the same each time. MODEL_EXAMPLES asks for so many others, under a seed that is
printed and that MODEL_SEED repeats; a failure is then made small.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace

from ml_connector import sandbox
from ml_connector.domain.numbers import find_mark
from ml_connector.domain.orders import OrderStatus, PurchaseOrder

from .clerk import SETTLES, Clerk, Paper, State
from .conftest import BASE_SET, Pair
from .papers import LOST, credit, invoice
from .papers import line as invoice_line
from .test_portoi import line, order

D = Decimal
EXAMPLES, STEPS, SEED = 8, 30, 1

AMOUNTS = st.integers(1, 99_999).map(lambda cents: D(cents).scaleb(-2))
FAULTS = [
    *LOST,
    {"do": "in_band_error", "text": "Something went wrong"},
    {"do": "throttle"},
    {"do": "late_commit", "seconds": SETTLES // 3, "status": 504},
]
WHERE = {
    "write": {"contains": "<ValidateOnly>N<"},
    "check": {"contains": "<ValidateOnly>Y<"},
    "read": {"path": "*query*"},
    "odata": {"path": "*odata*"},
    "logon": {"path": "*logon"},
}
ORDER_LINES = st.dictionaries(
    st.sampled_from("abcd"), st.tuples(st.integers(1, 50), st.sampled_from(["1.00", "12.50", "0.99999"])), min_size=1
)


def ordered(number: str, lines: dict[str, tuple[int, str]], freight: Decimal) -> PurchaseOrder:
    made = (line(key, str(quantity), price) for key, (quantity, price) in lines.items())
    return order(*made, number=number, freight=freight)


class Writing(RuleBasedStateMachine):
    """Papers that are entered, changed and worked on in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.stand_in = sandbox.start("syspro", seed=1, data=json.loads(BASE_SET.read_text(), parse_float=D))
        self.stand_in.clock(now="2026-11-16T12:00:00Z", running=False)
        self.pair = Pair(self.stand_in)
        self.papers: list[Paper] = []
        self.clerk = Clerk({})

    @initialize(
        returned=st.booleans(),
        numbers=st.sampled_from(["same", "padded"]),
        cancelled=st.sampled_from(["kept", "removed"]),
        settles=st.sampled_from([0, SETTLES // 2]),
        validates=st.booleans(),
        route=st.sampled_from(["odata", "comfnd"]),
    )
    def begins(self, returned: bool, numbers: str, cancelled: str, settles: int, validates: bool, route: str) -> None:
        self.stand_in.options(
            {
                "order_number_returned": returned,
                "order_numbers": numbers,
                "cancelled_line": cancelled,
                "settle_seconds": settles,
            }
        )
        self.policy: dict[str, Any] = {"validate_first": validates, "amend_printed": True}
        self.pair.route = route
        self.starts()

    @rule()
    def starts(self) -> None:
        """Another process goes on, with nothing in memory."""
        client = self.pair.connect()
        self.clerk.targets = {
            record_type: client.target(record_type, self.policy) for record_type in ("invoice", "purchase_order")
        }

    # --- what people do --------------------------------------------------------------------------------------

    @rule(amount=AMOUNTS)
    def approve_invoice(self, amount: Decimal) -> None:
        number = f"N-{len(self.papers)}"
        self.papers.append(Paper("invoice", number, invoice(invoice_line("1", str(amount)), number=number)))

    @precondition(lambda self: any(paper.record_type == "invoice" and paper.ref for paper in self.papers))
    @rule(data=st.data())
    def approve_credit(self, data: Any) -> None:
        whole = data.draw(st.sampled_from([p for p in self.papers if p.record_type == "invoice" and p.ref]))
        if whole.record.corrects is not None:
            return
        part = data.draw(st.integers(1, 3))
        amount = (whole.record.gross / (part + 3)).quantize(D("0.01")) + D("0.01")
        key = f"C-{len(self.papers)}"
        note = credit(invoice_line("1", str(amount)), number=key, corrects=whole.ref.key)
        self.papers.append(Paper("invoice", key, note))

    @rule(lines=ORDER_LINES, freight=st.sampled_from([D(0), D("35.00")]))
    def approve_order(self, lines: dict[str, tuple[int, str]], freight: Decimal) -> None:
        number = f"PO-{len(self.papers)}"
        self.papers.append(Paper("purchase_order", number, ordered(number, lines, freight)))

    @precondition(lambda self: self._orders())
    @rule(data=st.data(), lines=ORDER_LINES, freight=st.sampled_from([D(0), D("35.00"), D("36.00")]))
    def change_order(self, data: Any, lines: dict[str, tuple[int, str]], freight: Decimal) -> None:
        paper = data.draw(st.sampled_from(self._orders()))
        paper.record = ordered(paper.key, lines, freight)
        if paper.state is State.DONE:
            paper.state = State.WAITING

    @precondition(lambda self: self._orders())
    @rule(data=st.data())
    def cancel_order(self, data: Any) -> None:
        paper = data.draw(st.sampled_from(self._orders()))
        if paper.ref is not None:
            paper.record = replace(paper.record, status=OrderStatus.CANCELLED)
            paper.state = State.WAITING

    def _orders(self) -> list[Paper]:
        return [p for p in self.papers if isinstance(p.record, PurchaseOrder) and p.record.status is OrderStatus.OPEN]

    # --- what goes wrong -------------------------------------------------------------------------------------

    @rule(fault=st.sampled_from(FAULTS), where=st.sampled_from(sorted(WHERE)), nth=st.integers(1, 3))
    def something_breaks(self, fault: dict[str, Any], where: str, nth: int) -> None:
        self.stand_in.faults([{"match": {**WHERE[where], "nth": nth}, "times": 1, **fault}])

    @rule()
    def a_person_takes_the_operator(self) -> None:
        self.pair.act({"do": "log_in", "operator": "MLCONN"})

    @rule(seconds=st.sampled_from([1, 30, SETTLES]))
    def time_passes(self, seconds: int) -> None:
        self.stand_in.clock(advance=seconds)
        self.clerk.now += seconds

    # --- work ------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.papers)
    @rule()
    def work(self) -> None:
        for paper in self.papers:
            if paper.state is not State.DONE:
                self.clerk.work(paper)

    @invariant()
    def no_document_is_there_twice(self) -> None:
        marks = Counter(
            find_mark(text)
            for table, column in (("ApInvoice", "Reference"), ("PorMasterHdr", "CustomerPoNumber"))
            for text in (row[column] for row in self.stand_in.state(table))
        )
        credits = [row for row in self.stand_in.state("ApInvoicePay") if row["TrnType"] == "C"]
        marks.update(find_mark(row["PaymentReference"]) for row in credits)
        known = {paper.mark for paper in self.papers}
        twice = {mark: count for mark, count in marks.items() if mark is not None and (count > 1 or mark not in known)}
        assert not twice, twice

    def teardown(self) -> None:
        """When nothing goes wrong any more, everything is there as it should be."""
        try:
            self.stand_in.faults([])
            for _ in range(6):
                self.time_passes(SETTLES)
                for paper in self.papers:
                    if paper.state is not State.DONE:
                        self.clerk.work(paper)
            self.time_passes(SETTLES)
            self.no_document_is_there_twice()
            for paper in self.papers:
                self._is_as_it_should_be(paper)
        finally:
            self.stand_in.stop()

    def _is_as_it_should_be(self, paper: Paper) -> None:
        target = self.clerk.targets[paper.record_type]
        assert (paper.state, paper.ref is not None) == (State.DONE, True), (paper.key, paper.said)
        found = target.get(paper.ref.key)
        assert found is not None
        assert found.mark == paper.mark
        assert target.differences(paper.record, found.record) == [], (paper.key, paper.said)


def test_whatever_happens_each_document_is_there_once_and_as_it_should_be() -> None:  # R3, R7, R11, R42
    asked = os.environ.get("MODEL_EXAMPLES")
    chosen = int(os.environ.get("MODEL_SEED") or (random.randrange(2**32) if asked else SEED))
    print(f"MODEL_SEED={chosen}")
    profile = settings(
        max_examples=int(asked or EXAMPLES),
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        report_multiple_bugs=False,
        phases=tuple(Phase) if asked else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )

    @seed(chosen)
    def story() -> Writing:
        return Writing()

    run_state_machine_as_test(story, settings=profile)
