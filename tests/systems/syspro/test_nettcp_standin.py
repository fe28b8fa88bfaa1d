"""A document that is too long for an address, by each way into SYSPRO, under every fault of the matrix."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ml_connector import sandbox
from ml_connector.conformance.faults import LATE_COMMIT, MATRIX, Fault
from ml_connector.domain.records import Invoice, InvoiceLine
from ml_connector.systems.base import Access, OutcomeUnknown, Refused, Step, SystemFailure, Throttled, Transient
from ml_connector.systems.syspro import SYSTEM
from ml_connector.systems.syspro.client import Client

from .conftest import NOW, NoBudget, Session

PART = "SYSPRO, a large document, by its client without the engine"
"""As the matrix says it."""

MARK = "mlc0123456789"
LINES = 150
INVOICE = Invoice(
    number="LONG-1",
    supplier="ELC001",
    date=date(2026, 11, 10),
    due_date=date(2026, 12, 10),
    currency="USD",
    gross=Decimal("1500.00"),
    net=Decimal("1500.00"),
    tax=Decimal(0),
    lines=tuple(
        InvoiceLine(line_key=str(n), amount=Decimal("10.00"), account="10-6100", description=f"<Größe> & Länge {n}")
        for n in range(LINES)
    ),
)
"""Some 40,000 bytes as an address."""


@dataclass(frozen=True)
class Way:
    """How documents of that length go in, and what the site is like."""

    method: str
    settings: dict[str, Any]
    site: dict[str, Any]


NETTCP = {"large_post_mode": "nettcp"}
WAYS = {
    "an address": Way("GET", {"max_url_bytes": 64_000}, {"max_url_bytes": 64_000}),
    "PostLD": Way("POST", {}, {}),
    "net.tcp": Way("NET.TCP", NETTCP, {"nettcp": True}),
    "net.tcp, streamed": Way(
        "NET.TCP", {**NETTCP, "nettcp_mode": "streamed"}, {"nettcp": True, "nettcp_mode": "streamed"}
    ),
    "net.tcp, bytes as results": Way("NET.TCP", NETTCP, {"nettcp": True, "nettcp_results": "stream"}),
    "net.tcp under TLS": Way(
        "NET.TCP", {**NETTCP, "nettcp_security": "tls"}, {"nettcp": True, "tls": True, "nettcp_security": "tls"}
    ),
    "net.tcp, for want of PostLD": Way("NET.TCP", {}, {"nettcp": True, "large_posts": False}),
    "net.tcp, in the mode that it takes": Way("NET.TCP", NETTCP, {"nettcp": True, "nettcp_mode": "streamed"}),
}


class Site:
    """A stand-in with the base set, a client, and a clock that a test moves on."""

    def __init__(self, syspro: Any) -> None:
        self.syspro = syspro
        self.session = Session()
        self.asked = 0

    def connect(self, **settings: Any) -> Client:
        given = {**self.syspro.settings, **settings}
        access = Access(given, self.syspro.secrets, self.session, NoBudget(), lambda: NOW, self._may_write)
        client = SYSTEM.connect(access)
        assert isinstance(client, Client)
        return client

    def later(self, seconds: int) -> None:
        self.syspro.clock(now=(NOW + timedelta(seconds=seconds)).isoformat(), running=False)

    def posts(self) -> list[str]:
        """The methods of the posts that arrived."""
        return [row["method"] for row in self.syspro.requests() if "/transaction/post" in row["path"].lower()]

    def booked(self) -> int:
        return sum(row["Invoice"] == INVOICE.number for row in self.syspro.state("ApInvoice"))

    def _may_write(self) -> None:
        self.asked += 1


@pytest.fixture
def site(base_set: Any) -> Iterator[Callable[..., Site]]:
    running: list[Any] = []

    def start(**options: Any) -> Site:
        held = sandbox.start("syspro", seed=1, data=base_set, options=options)
        running.append(held)
        syspro = held.__enter__()
        syspro.clock(now=NOW.isoformat(), running=False)
        return Site(syspro)

    yield start
    for held in running:
        held.__exit__(None, None, None)


@pytest.mark.parametrize("name", WAYS)
def test_a_document_over_the_limit_arrives_whole_by_each_way(
    site: Callable[..., Site], name: str, record_property: Any
) -> None:
    record_property("declared", [PART, f"by {name}"])
    way = WAYS[name]
    erp = site(**way.site)
    target = erp.connect(**way.settings).target("invoice", {})
    ref = target.create(INVOICE, MARK)
    assert (ref.amount, erp.booked()) == (Decimal("1500.00"), 1)
    assert set(erp.posts()) == {way.method} | ({"POST"} if "want" in name else set())
    found = target.get(ref.key)
    assert found is not None and target.differences(INVOICE, found.record) == []
    assert {line.description for line in found.record.lines} == {line.description for line in INVOICE.lines}


@pytest.mark.parametrize("fault", MATRIX, ids=lambda fault: fault.name)
@pytest.mark.parametrize("name", ["an address", "PostLD", "net.tcp", "net.tcp, streamed"])
def test_one_effect_whatever_happens_on_the_way(
    site: Callable[..., Site], name: str, fault: Fault, record_property: Any
) -> None:  # R3, R8, R12, R62, R63
    """As the engine goes about it: what is in doubt is searched for, and sent again only where it is not there."""
    record_property("declared", [PART, f"SYSPRO: post an invoice over the URL limit by {name}"])
    record_property("fault", fault.name)
    way = WAYS[name]
    erp = site(**way.site)
    target = erp.connect(**way.settings, nettcp_seconds=10).target("invoice", {"validate_first": False})
    target.find(INVOICE, MARK)  # signs in
    match = {"method": way.method, "path": "*/transaction/post*"}
    erp.syspro.faults([{"match": match, "times": 1, **fault.do}])
    outcome = "done"
    try:
        target.create(INVOICE, MARK)
    except OutcomeUnknown:
        erp.later(LATE_COMMIT + 1)
        time.sleep(3 * fault.lasts)  # on a busy machine the way is closed for longer
        there = len(target.find(INVOICE, MARK))
        outcome = "in doubt, found" if there else "in doubt, not there, sent again"
        assert there == erp.booked() <= 1
        assert there or not fault.committed
    except (Transient, Throttled, Refused):
        outcome = "known not done, sent again"
        time.sleep(3 * fault.lasts)  # on a busy machine the way is closed for longer
        erp.later(LATE_COMMIT + 1)
        assert erp.booked() == 0, "it was called not done, and was done"
        assert not fault.committed
    else:
        assert erp.booked() == 1
    assert erp.syspro.faults()[0]["fired"] == 1
    if not erp.booked():
        target.create(INVOICE, MARK)
    assert erp.booked() == 1
    record_property("outcome", outcome)


@pytest.mark.parametrize("mode", ["buffered", "streamed"])
@pytest.mark.parametrize("how", ["record", "size", "xml", "number", "deep", "strings", "endless", "relates_to"])
def test_an_answer_that_no_client_can_take_leaves_the_write_in_doubt(
    site: Callable[..., Site], how: str, mode: str
) -> None:  # R3, R12
    erp = site(nettcp=True, nettcp_mode=mode)
    target = erp.connect(**NETTCP, nettcp_mode=mode, nettcp_seconds=10).target("invoice", {"validate_first": False})
    target.find(INVOICE, MARK)
    erp.syspro.faults([{"match": {"method": "NET.TCP"}, "times": 1, "do": "malform", "how": how}])
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        target.create(INVOICE, MARK)
    assert time.monotonic() - started < 15
    assert (len(target.find(INVOICE, MARK)), erp.booked()) == (1, 1)


@pytest.mark.parametrize(
    ("refuses", "kind"),
    [("ServerTooBusy", Throttled), ("EndpointUnavailable", Transient), ("EndpointNotFound", Refused)],
)
def test_a_preamble_that_is_refused_leaves_nothing_in_doubt(
    site: Callable[..., Site], refuses: str, kind: type[SystemFailure]
) -> None:  # R63
    erp = site(nettcp=True, nettcp_refuses=refuses)
    with pytest.raises(kind):
        erp.connect(**NETTCP).target("invoice", {"validate_first": False}).create(INVOICE, MARK)
    assert erp.booked() == 0


@pytest.mark.parametrize("quota", ["nettcp_max_message", "nettcp_max_text"])
@pytest.mark.parametrize("mode", ["buffered", "streamed"])
def test_a_document_over_a_quota_of_the_service_is_refused_and_not_done(
    site: Callable[..., Site], quota: str, mode: str
) -> None:  # R63
    erp = site(nettcp=True, nettcp_mode=mode, **{quota: 8_192})
    with pytest.raises(Refused) as raised:
        erp.connect(**NETTCP, nettcp_mode=mode).target("invoice", {"validate_first": False}).create(INVOICE, MARK)
    assert (raised.value.code, erp.booked()) == ("document_too_large", 0)


def test_the_address_of_the_service_is_not_that_of_the_way(site: Callable[..., Site]) -> None:
    own = "net.tcp://erp.internal:31001/SYSPROWCFService"
    erp = site(nettcp=True, nettcp_listens_as=own)
    assert erp.syspro.settings["nettcp_address"] == own
    assert erp.connect(**NETTCP).target("invoice", {}).create(INVOICE, MARK).amount == Decimal("1500.00")
    wrong = erp.connect(**NETTCP, nettcp_address=erp.syspro.settings["nettcp_via"], nettcp_via="")
    with pytest.raises(Refused, match="nettcp_address"):
        wrong.target("invoice", {"validate_first": False}).create(INVOICE, MARK)


# --- what the test of a Connection says


def large(site: Site, **settings: Any) -> Step:
    steps = list(site.connect(**settings).ping(["supplier"], try_writing=True))
    return next(step for step in steps if step.name == "large documents")


def test_the_test_of_a_connection_shows_the_choice(site: Callable[..., Site]) -> None:
    erp = site(nettcp=True, nettcp_mode="streamed")
    step = large(erp)
    assert step.ok and "PostLD is there" in step.text and "streamed, unencrypted" in step.text
    assert "longer postings: PostLD, else net.tcp; longer suppliers: net.tcp" in step.text
    step = large(site(large_posts=False))
    assert step.ok is False and "no PostLD" in step.text


def test_a_site_that_demands_windows_authentication_is_told_so(site: Callable[..., Site]) -> None:
    erp = site(nettcp=True, nettcp_security="windows")
    step = large(erp)
    assert step.ok is False and "Windows authentication" in step.text


def test_a_site_that_wants_tls_is_told_how_and_then_spoken_to(site: Callable[..., Site]) -> None:
    erp = site(nettcp=True, tls=True, nettcp_security="tls")
    step = large(erp, nettcp_security="none")
    assert step.ok is False and step.fix == "Set nettcp_security to tls."
    step = large(erp, nettcp_security="tls")
    assert step.ok and "TLS" in step.text
