"""Random workdays: whatever people do and clients send, money is neither made nor lost, and nothing fails."""

import copy
import random
from collections import defaultdict
from decimal import Decimal

import pytest
from tests.sandbox.avidxchange.conftest import Api, code, invoice, line, order, vendor

from ml_connector import sandbox

D = Decimal
GONE = ("voided", "stopped")


@pytest.fixture
def approved():
    """Twelve approved invoices of two vendors, every fourth a credit note."""
    with sandbox.start("avidxchange", seed=1) as running:
        running.clock(now="2026-11-16T12:00:00Z", running=False)
        api = Api(running)
        api.set_up()
        for number in range(12):
            amount = -7.5 if number % 4 == 3 else 100 + number
            vendor = ("ELC001", "PAK003")[number % 2]
            api.approved(invoice(f"R-{number}", vendor, line(amount)))
        yield api


def wish(rng, payments):
    """Something that a person might do, possible or not."""
    do = rng.choice(("run", "run", "issue", "clear", "void", "stop", "reissue", "fail", "all"))
    if do == "run":
        parts = rng.sample(range(12), rng.randint(1, 3))
        remittances = [{"invoice": f"R-{number}", "gross": rng.choice((100, 50, 25.5, -7.5))} for number in parts]
        method = rng.choice(("check", "direct", "card"))
        return {"do": "run", "payments": [{"method": method, "remittances": remittances}]}
    if do == "all":
        return {"do": "run", "of": "approved", "status": rng.choice(("processing", "issued", "cleared"))}
    return {"do": do, "payment": rng.choice(payments or [1]), "done": rng.random() < 0.5}


def settled(payments):
    """By invoice: what the payments that are not taken back settle."""
    sums = defaultdict(Decimal)
    for row in payments:
        for part in row["remittances"]:
            sums[part["number"]] += 0 if row["status"] in GONE else part["gross"]
    return sums


@pytest.mark.parametrize("seed", range(5))
def test_an_invoice_is_paid_by_what_its_payments_settle(approved, seed):  # R22
    rng = random.Random(seed)
    done = 0
    for _ in range(150):
        stand_in = approved.stand_in
        try:
            stand_in.edit("actions", wish(rng, [row["id"] for row in stand_in.state("payments")]))
            done += 1
        except sandbox.BadInput:
            continue
        payments, rows = stand_in.state("payments"), stand_in.state("invoices")
        sums = settled(payments)
        for row in rows:
            assert row["paid"] == sums[row["number"]]
            assert abs(row["paid"]) <= abs(row["gross"])
            assert (row["status"] == "paid") == (row["paid"] == row["gross"])
        assert all(row["amount"] == sum(part["net"] for part in row["remittances"]) > 0 for row in payments)
    assert done > 20


JUNK = (
    None,
    True,
    5,
    -1.5,
    "",
    "x",
    [],
    {},
    [None],
    [{}],
    {"Value": {}},
    1e300,
    "\ud83d\ude00" * 3000,
    10**30,
    "NaN",
    "-0",
)
GOOD = {
    "vendors.write": vendor("ELC001", tax_id="1", country="US", line1="x"),
    "codes.write": code("10-6100"),
    "orders.write": order(external_id="k"),
    "invoices.write": invoice(),
}


def spoilt(rng, body):
    """The body with one of its values, at any depth, replaced by junk."""
    body = copy.deepcopy(body)
    here = body
    while True:
        key = rng.choice(list(here) if isinstance(here, dict) else range(len(here)))
        if not here[key] or not isinstance(here[key], dict | list) or rng.random() < 0.3:
            here[key] = rng.choice(JUNK)
            return body
        here = here[key]


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_a_client_sends_makes_the_stand_in_fail(api, seed):
    rng = random.Random(seed)
    api.set_up()
    items = api.contract["writes"]["items"]
    for _ in range(150):
        name, row = rng.choice(list(GOOD.items()))
        body = {items: [api.body(api.contract["calls"][name]["record"], row)]}
        reply = api.call(name, spoilt(rng, body))
        assert reply.status_code in (200, 400), reply.text
    for name, call in api.contract["calls"].items():
        for junk in ("x", "0", "-1", "9999999", "2026-02-30", "\u0663", "%00"):
            values = dict.fromkeys(("id", "system"), junk)
            reply = api.call(name, None if call["call"].startswith("GET") else {}, values)
            assert reply.status_code in (200, 400, 403, 404), reply.text
            for parameter in call.get("takes", {}):
                reply = api.call(name, values=values, **{parameter: junk})
                assert reply.status_code in (200, 400, 403, 404), reply.text
