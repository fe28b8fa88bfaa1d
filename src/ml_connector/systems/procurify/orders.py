"""PurchaseOrder <- purchase order. Pure but for its Source.

An order is made of approved requests only. `procurify_PO` is its key for ever; an amendment raises `version`. The list
has no lines and is asked for by the day of change. States: 0 purchased, 1 cancelled, 3 closed, 4 paid, 5 reopened; 2 is
of old. A line may be an amount without a quantity; a cancelled one stays, marked. Tax and discount of the head are an
amount or a percentage, of what is not said: the one that makes the total is taken (R22).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

from ml_connector.domain.money import MINOR_UNITS, restated, rounded, step
from ml_connector.domain.orders import OrderLineKind, OrderStatus, PurchaseOrder, PurchaseOrderLine
from ml_connector.systems.base import Item
from ml_connector.systems.procurify.changes import Changed, cut_over
from ml_connector.systems.procurify.currencies import Currencies, rate_of
from ml_connector.systems.procurify.errors import NAME
from ml_connector.systems.procurify.rows import (
    NO_CURRENCY,
    NO_DATE,
    ZERO,
    Unsound,
    day,
    flag,
    ident,
    maybe_ident,
    maybe_instant,
    members,
    number,
    part,
    plain,
    text,
    whole,
    words,
)
from ml_connector.systems.procurify.session import Domain, Json
from ml_connector.systems.procurify.settings import Options

LIST = "/api/v2/purchase_orders/purchased/all/"
"""The only list of orders that there is."""
ORDER = "/api/v2/purchase_orders/{}/"

STATES = {
    0: OrderStatus.OPEN,
    1: OrderStatus.CANCELLED,
    2: OrderStatus.CLOSED,
    3: OrderStatus.CLOSED,
    4: OrderStatus.CLOSED,
    5: OrderStatus.OPEN,
}
REJECTED, DENIED = 4, 7
"""Statuses of lines that are not ordered."""
BY_AMOUNT, BLANKET = 1, 2
"""`receive_method`, and `type`, of a line that is an amount."""
ROOM = timedelta(hours=12)
"""How far behind UTC a company's day may be: in whose zone a day counts is not said."""
FILTER_ROOM = timedelta(hours=50)
"""What a list by the day may reach further back than its overlap: the day itself and all zones."""


def from_order(row: Json, options: Options, currencies: Currencies) -> Item[PurchaseOrder]:
    """The order with its lines. One that cannot travel says why, and does not keep the others from it."""
    key, shown = ident(row, "procurify_PO"), text(row, "number")
    about = f"Order {shown}"
    state, supplier = whole(row, "state"), maybe_ident(row, "pref_vendor")
    bought = part(row, "purchased_currency")
    currency = (words(bought, "name") or "").upper()
    problem: str | None = None
    if currency not in MINOR_UNITS:
        problem = f"unmapped_code: {about} is in {currency!r}, which is no ISO 4217 currency. Correct it in {NAME}."
        currency = NO_CURRENCY
    if problem is None and state not in STATES:
        problem = f"unknown_status: {about} has the state {state}, which is not known. Look it up in {NAME}."
    lines, sums = tuple[PurchaseOrderLine, ...](), Charges()
    total = number(row, "total") or ZERO
    if problem is None:
        total = rounded(total, currency)
        try:
            listed = members(row, "order_items")
            lines = tuple(line for one in listed for line in from_item(one, currency, options, about))
            sums = charges(row, listed, lines, currency, about)
        except Unsound as unsound:
            problem = str(unsound)
    made = day(row, "date", options.zone)
    if problem is None and (made is None or supplier is None):
        problem = f"field_missing: {about} has no {'date' if made is None else 'vendor'}. Complete it in {NAME}."
    given = number(row, "purchased_currency_rate") or number(bought, "rate")
    costs = part(row, "cost_details")
    rate = None
    if problem is None and not currencies.is_base(currency):
        converted = number(costs, "total_cost_in_base_currency")
        rate = rate_of(given, options.rate_direction, number(costs, "total_cost"), converted, step(currency) * 5)
    record = PurchaseOrder(
        number=shown,
        revision=whole(row, "version"),
        supplier=supplier or "",
        date=made or NO_DATE,
        due_date=day(row, "promise_date", options.zone),
        currency=currency,
        rate=rate,
        status=STATES.get(_state(row), OrderStatus.OPEN),
        terms=maybe_ident(row, "payment_term"),
        note=words(row, "comment"),
        total=total,
        freight=sums.freight,
        other=sums.other,
        tax=sums.tax,
        discount=sums.discount,
        lines=lines,
    )
    return Item(key, record, None, maybe_instant(row, "last_modified"), {"state": str(state)}, problem)


# --- lines


def from_item(row: Json, currency: str, options: Options, about: str) -> Iterator[PurchaseOrderLine]:
    """A line; several where its cost is split over accounts, each with a key of its own (R42)."""
    key = ident(row, "id")
    count = whole(row, "PO_line_num")
    shown = str(count) if count is not None else key
    named = f"{about}, line {shown} ({words(row, 'name') or 'without a name'})"
    active = is_active(row)
    quantity, price, amount = priced(row, currency, named, active=active)
    catalog = row.get("catalog_item") is not None
    sku = words(row, "num") or words(row, "sku")
    stocked = {"none": False, "catalog": catalog, "sku": sku is not None}[options.stocked_lines]
    status = OrderStatus.OPEN if active else OrderStatus.CANCELLED
    shares = split(row, amount, currency, named)
    for suffix, share, account, department in shares:
        whole_line = len(shares) == 1
        yield PurchaseOrderLine(
            line_key=f"{key}{suffix}",
            number=shown,
            kind=OrderLineKind.STOCK if stocked else OrderLineKind.SERVICE,
            sku=sku,
            description=words(row, "name") or sku or f"Line {shown}",
            unit=words(row, "unit"),
            quantity=quantity if whole_line else Decimal(1),
            unit_price=price if whole_line else share,
            amount=share,
            account=account,
            cost_center=department,
            received=plain(number(row, "receivedPassQty") or ZERO) if whole_line else None,
            status=status,
        )


def is_active(row: Json) -> bool:
    gone = flag(row, "active") is False or flag(row, "is_active") is False
    return not gone and whole(row, "status") not in {REJECTED, DENIED}


def priced(row: Json, currency: str, about: str, *, active: bool) -> tuple[Decimal, Decimal, Decimal]:
    """Quantity, price and amount of a line, which agree. Raises Unsound where nothing that it states does.

    What was approved counts before what was asked for; after an amendment only what is ordered now makes the cost.
    """
    stated = number(row, "total_cost")
    quantities = [number(row, "approved_quantity"), number(row, "quantity")]
    prices = [number(row, "approved_price"), number(row, "price")]
    if whole(row, "receive_method") == BY_AMOUNT or whole(row, "type") == BLANKET or not any(quantities):
        blanket = part(row, "blanket")
        amount = stated if stated is not None else number(blanket, "amount") or number(row, "price")
        if amount is None:
            raise Unsound(f"totals_differ: {about} has no cost. Complete it in {NAME}.")
        amount = rounded(amount, currency)
        return Decimal(1), amount, amount
    extras = (number(row, "tax_amount") or ZERO) + (number(row, "shipping_amount") or ZERO)
    pairs = [(q, p) for q, p in product(quantities, prices) if q is not None and p is not None]
    for quantity, price in pairs:
        amount = rounded(quantity * price, currency)
        if stated is None or amount in {rounded(stated, currency), rounded(stated - extras, currency)}:
            return plain(quantity), plain(price), amount
    if not active and pairs:
        quantity, price = pairs[-1]
        return plain(quantity), plain(price), rounded(quantity * price, currency)
    counted = ", ".join(f"{q:f} x {p:f}" for q, p in pairs[-1:]) or "no quantity and price"
    raise Unsound(f"totals_differ: {about} comes to {counted}, but its cost is {stated}. Correct it in {NAME}.")


def split(row: Json, amount: Decimal, currency: str, about: str) -> list[tuple[str, Decimal, str | None, str | None]]:
    """How a line's amount is coded: ending of the line's key, amount, account, department.

    Raises Unsound where the split makes another sum.
    """
    given = members(row, "spend_allocation")
    if len(given) <= 1:
        account, department = coding(part(given[0], "account") if given else part(row, "account"))
        return [("", amount, account or words(row, "accountCode"), department)]
    shares = [number(one, "amount") or ZERO for one in given]
    coded = sum(shares, ZERO)
    if abs(coded - amount) > step(currency) * len(shares) or (amount and not coded):
        raise Unsound(
            f"totals_differ: {about} is split over accounts into {coded}, but comes to {amount}. Correct "
            f"the split in {NAME}."
        )
    exact = restated(shares, amount, currency)
    return [
        (f"-{ident(one, 'id')}", share, *coding(part(one, "account"))) for one, share in zip(given, exact, strict=True)
    ]


def coding(account: Json) -> tuple[str | None, str | None]:
    """Account code and department id of an account, which is a budget of both."""
    return words(part(account, "account_code"), "code"), maybe_ident(account, "department")


# --- the head


@dataclass(frozen=True, slots=True)
class Charges:
    """Head charges of an order, in its currency."""

    freight: Decimal = ZERO
    other: Decimal = ZERO
    tax: Decimal = ZERO
    discount: Decimal = ZERO


def charges(row: Json, items: Sequence[Json], lines: Sequence[PurchaseOrderLine], currency: str, about: str) -> Charges:
    """The charges that make the total out of the lines. Raises Unsound where none do."""

    def money(value: Decimal | None) -> Decimal:
        return rounded(value or ZERO, currency)

    net = sum((line.amount for line in lines if line.status is not OrderStatus.CANCELLED), ZERO)
    freight, other, total = money(number(row, "freight")), money(number(row, "other")), money(number(row, "total"))
    ordered = [one for one in items if is_active(one)]
    line_tax = money(sum((number(one, "tax_amount") or ZERO for one in ordered), ZERO))
    line_freight = money(sum((number(one, "shipping_amount") or ZERO for one in ordered), ZERO))
    fitting: list[tuple[Decimal, Charges]] = []
    for discount in modifier(part(row, "discount"), [net, net + freight, net + freight + other], currency):
        bases = [net - discount, net, net - discount + freight, net - discount + freight + other]
        for tax in modifier(part(row, "tax"), bases, currency):
            for more_tax, more_freight in product(dict.fromkeys((ZERO, line_tax)), dict.fromkeys((ZERO, line_freight))):
                left = total - (net + freight + more_freight + other + tax + more_tax - discount)
                fitting.append((abs(left), Charges(freight + more_freight, other, tax + more_tax + left, discount)))
    # A percentage may be rounded otherwise than here by the smallest coin: the source's total counts (R22).
    allowed = step(currency) if any(_is_percentage(part(row, name)) for name in ("tax", "discount")) else ZERO
    left, found = min(fitting, key=lambda one: one[0])
    if left <= allowed:
        return found
    raise Unsound(
        f"totals_differ: {about} comes to {total} {currency}; its lines are {net}, freight {freight}, other {other}, "
        f"and no reading of its tax and discount makes the rest. Look at its tax and discount in {NAME}."
    )


def modifier(given: Json, bases: Sequence[Decimal], currency: str) -> list[Decimal]:
    """What an amount or a percentage can come to."""
    value = number(given, "value") or ZERO
    if _is_percentage(given):
        return list(dict.fromkeys(rounded(base * value / 100, currency) for base in bases))
    return [rounded(value, currency)]


def _is_percentage(given: Json) -> bool:
    return words(given, "type") == "percentage"


# --- the Source


def orders(domain: Domain, currencies: Currencies, policy: Mapping[str, Any]) -> Changed[PurchaseOrder]:
    """Source of PurchaseOrder. `policy["from_date"]`: the first date of orders that are read."""
    chosen = domain.options
    overlap = timedelta(days=chosen.overlap_days)
    begun = cut_over(policy, "date", chosen.zone)

    def fetch(key: str) -> tuple[Item[PurchaseOrder] | None, str] | None:
        found = domain.one(ORDER.format(key), about=f"order {key}") if key.isdigit() else None
        if found is None:
            return None
        return from_order(found[0], chosen, currencies), hashlib.sha256(found[1].content).hexdigest()

    return Changed(
        domain=domain,
        path=LIST,
        about="the list of orders",
        key=lambda row: ident(row, "procurify_PO"),
        stamp="last_modified",
        since=since_day,
        overlap=overlap,
        kept=overlap + FILTER_ROOM,
        wanted=begun,
        open=lambda row: STATES.get(_state(row)) is OrderStatus.OPEN and begun(row),
        exists=lambda row: True,
        fetch=fetch,
    )


def _state(row: Json) -> int:
    state = whole(row, "state")
    return -1 if state is None else state


def since_day(start: datetime) -> dict[str, str]:
    """From the day before in whichever zone days are counted."""
    return {"modified_date_0": (start - ROOM).date().isoformat()}
