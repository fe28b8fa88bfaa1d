"""Invoice <- bill. Pure.

A bill below zero is a credit note. `items` carry what they cost without shipping and without tax that comes on top;
whether tax that is included in a price stands in an item's cost is not said: the reading that makes `invoice_total` is
taken. An item is coded by `cost_allocations`, over one or several accounts, whose amounts may be with or without tax:
they give the shares. `costs` are charges of the whole bill, with a coding of their own. Amounts of the head are JSON
numbers, those of allocations and costs are texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ml_connector.domain.money import MINOR_UNITS, restated, rounded, step
from ml_connector.domain.records import Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, LineKind
from ml_connector.systems.base import Item
from ml_connector.systems.procurify.currencies import Currencies, rate_of
from ml_connector.systems.procurify.errors import NAME
from ml_connector.systems.procurify.orders import coding
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
    unique,
    whole,
    words,
)
from ml_connector.systems.procurify.session import Json
from ml_connector.systems.procurify.settings import Options

DRAFT, CONFIRMED, APPROVED, DENIED, PAID, WITHDRAWN = 0, 1, 2, 3, 4, 5
AFTER_APPROVAL = frozenset({APPROVED, PAID, 6, 7, 8})
"""Approved, and what comes after it."""
TAKEN_BACK = frozenset({DENIED, WITHDRAWN})


def approved(row: Json) -> bool:
    return whole(row, "status") in AFTER_APPROVAL


def was_approved(row: Json) -> bool:
    """Whether the bill, which is not approved now, once was. Where its history is not given, one that was denied or
    withdrawn counts as such."""
    history = [whole(one, "status") for one in members(row, "bill_statuses")]
    if not history:
        return whole(row, "status") in TAKEN_BACK
    return any(status in AFTER_APPROVAL for status in history)


def from_bill(row: Json, options: Options, currencies: Currencies) -> Item[Invoice]:
    """The invoice that a bill is. One that cannot travel says why, and does not keep the others from it."""
    key, status = unique(row, "uuid"), whole(row, "status")
    name, supplier = words(row, "invoice_number"), maybe_ident(row, "vendor")
    about = f"Bill {name or key} of {words(part(row, 'vendor'), 'name') or 'no vendor'}"
    spelled = (words(part(row, "currency"), "name") or "").upper()
    problem: str | None = None
    currency = spelled
    if currency not in MINOR_UNITS:
        problem = f"unmapped_code: {about} is in {spelled!r}, which is no ISO 4217 currency. Correct it in {NAME}."
        currency = NO_CURRENCY
    sums, lines = Sums(), tuple[InvoiceLine, ...]()
    if problem is None:
        try:
            sums = _sums(row, currency, about)
            lines = tuple(_lines(row, sums, currency, options, about))
        except Unsound as unsound:
            problem = str(unsound)
    invoiced, due = day(row, "invoice_date", options.zone), day(row, "due_date", options.zone)
    problem = problem or _missing(
        about, {"invoice number": name, "vendor": supplier, "invoice date": invoiced, "due date": due}
    )
    rate = None
    if problem is None and not currencies.is_base(currency):
        given = number(part(row, "currency"), "rate")
        converted = number(row, "converted_total_cost")
        rate = rate_of(given, options.rate_direction, number(row, "total_cost"), converted, step(currency) * 5)
    record = Invoice(
        kind=InvoiceKind.CREDIT_NOTE if sums.sign < 0 else InvoiceKind.INVOICE,
        number=name or key,
        supplier=supplier or "",
        date=invoiced or NO_DATE,
        posting_date=day(row, "gl_post_date", options.zone),
        due_date=due or invoiced or NO_DATE,
        currency=currency,
        rate=rate,
        rate_source=NAME if rate else None,
        gross=sums.gross,
        net=sums.gross - sums.tax - sums.freight - sums.charges,
        tax=sums.tax,
        freight=sums.freight,
        charges=sums.charges,
        status=InvoiceStatus.APPROVED if status in AFTER_APPROVAL else InvoiceStatus.VOIDED,
        orders=_orders(row),
        memo=words(row, "note"),
        lines=lines,
    )
    paid = sums.gross if status == PAID else ZERO
    observed = {"status": str(status), "paid": str(paid), "open": str(sums.gross - paid)}
    return Item(key, record, None, maybe_instant(row, "last_modified_datetime"), observed, problem)


@dataclass(frozen=True, slots=True)
class Sums:
    """The head's amounts, all positive but for what runs against its document."""

    sign: int = 1
    gross: Decimal = ZERO
    tax: Decimal = ZERO
    freight: Decimal = ZERO
    charges: Decimal = ZERO
    inside: bool = False
    """Whether the items' costs hold the tax that is included in prices."""


def _items(row: Json) -> list[Json]:
    return [one for one in members(row, "items") if flag(one, "archived") is not True]


def _sums(row: Json, currency: str, about: str) -> Sums:
    """Raises Unsound where no reading of the items makes the total."""

    def money(name: str, source: Json = row) -> Decimal:
        return rounded(number(source, name) or ZERO, currency)

    if number(row, "invoice_total") is None and number(row, "total_cost_with_tax") is None:
        raise Unsound(f"field_missing: {about} has no total. Look it up in {NAME}.")
    freight = money("shipping_amount")
    gross = (
        money("invoice_total") if number(row, "invoice_total") is not None else money("total_cost_with_tax") + freight
    )
    items = sum((money("total_cost", one) for one in _items(row)), ZERO)
    costs = sum((money("amount", one) for one in members(row, "costs")), ZERO)
    on_top, included = money("exclusive_tax_amount"), money("inclusive_tax_amount")
    if number(row, "exclusive_tax_amount") is None and number(row, "inclusive_tax_amount") is None:
        on_top = money("tax_amount")
    left = gross - (items + costs + freight + on_top)
    if included:
        inside = abs(left) <= abs(left - included)
        left = left if inside else left - included
    else:
        inside = False
    if abs(left) > step(currency) * (len(_items(row)) + 1):
        raise Unsound(
            f"totals_differ: {about} comes to {gross} {currency}; its items are {items}, further costs {costs}, "
            f"shipping {freight}, tax {on_top + included}: {left} is left over. Correct it in {NAME}."
        )
    sign = -1 if gross < 0 else 1
    # Zero is added so that none of them is -0.
    gross, tax, freight, costs = (each * sign + ZERO for each in (gross, on_top + included, freight, costs))
    return Sums(sign, gross, tax, freight, costs, inside)


def _lines(row: Json, sums: Sums, currency: str, options: Options, about: str) -> Iterator[InvoiceLine]:
    """Coded items, charges, shipping, and tax. A cent that prices do not make is left to the Flow's rule (R23)."""
    items = _items(row)
    for one in items:
        yield from _coded(one, sums, currency, about)
    for one in members(row, "costs"):
        amount = rounded(number(one, "amount") or ZERO, currency)
        shown = f"{about}, charge {words(one, 'name') or ident(one, 'id')}"
        account, department = coding(_budget(part(one, "cost_allocation")))
        if account is None and amount:
            raise _uncoded(shown)
        yield InvoiceLine(
            line_key=f"cost-{ident(one, 'id')}",
            kind=LineKind.CHARGE,
            description=words(one, "name"),
            amount=amount * sums.sign + ZERO,
            account=account or "",
            cost_center=department,
        )
    if sums.freight:
        yield InvoiceLine(
            line_key="shipping", kind=LineKind.FREIGHT, amount=sums.freight, account=options.freight_account
        )
    for code, amount in _taxes(items, sums, currency):
        yield InvoiceLine(
            line_key=f"tax-{code}" if code else "tax",
            kind=LineKind.TAX,
            amount=amount,
            account=options.tax_account,
            tax_code=code or None,
        )


def _coded(one: Json, sums: Sums, currency: str, about: str) -> Iterator[InvoiceLine]:
    key, said = ident(one, "id"), words(one, "description") or words(one, "sku")
    shown = f"{about}, item {said or key}"
    cost, tax = number(one, "total_cost") or ZERO, number(one, "tax_amount") or ZERO
    net = rounded(cost, currency)
    if sums.inside and flag(one, "tax_is_inclusive"):
        net -= rounded(tax, currency)
    given = members(one, "cost_allocations")
    ordered = part(one, "orderitem")
    if not given:
        account, department = coding(part(ordered, "account"))
        if account is None:
            raise _uncoded(shown)
        shares = [("", net, account, department)]
    else:
        shipping = number(one, "shipping_amount") or ZERO
        stated = [number(part_of, "amount") or ZERO for part_of in given]
        total = number(one, "total_cost_with_tax")
        sums_known = [net, cost, cost + tax, cost + shipping, cost + tax + shipping, *([total] if total else [])]
        room = step(currency) * len(given)
        if not any(abs(sum(stated, ZERO) - known) <= room for known in sums_known):
            raise Unsound(
                f"totals_differ: {shown} costs {net} {currency}, but {sum(stated, ZERO)} of it are coded to accounts. "
                f"Correct its allocation in {NAME}."
            )
        if sum(stated, ZERO) == 0 and net:
            raise _uncoded(shown)
        exact = restated(stated, net, currency)
        shares = []
        for part_of, share in zip(given, exact, strict=True):
            account, department = coding(_budget(part_of))
            if account is None:
                raise _uncoded(shown)
            suffix = f"-{ident(part_of, 'id')}" if len(given) > 1 else ""
            shares.append((suffix, share, account, department))
    for suffix, share, account, department in shares:
        single = len(shares) == 1
        yield InvoiceLine(
            line_key=f"{key}{suffix}",
            description=said,
            amount=share * sums.sign + ZERO,
            quantity=_stated(one, "quantity") if single and sums.sign > 0 else None,
            unit_price=_stated(one, "unit_cost") if single and sums.sign > 0 else None,
            account=account,
            cost_center=department,
            tax_code=tax_code(one) or None,
            order_line=_order_line(one, ordered, account, department),
        )


def _stated(one: Json, name: str) -> Decimal | None:
    value = number(one, name)
    return None if value is None else plain(value)


def _order_line(one: Json, ordered: Json, account: str, department: str | None) -> str | None:
    """Order and line that an item was bought by, as the Source of orders names them: `order/line`."""
    order = maybe_ident(ordered, "purchase_order") or maybe_ident(part(one, "po"), "id")
    if not ordered or order is None:
        return None
    line, parts = ident(ordered, "id"), members(ordered, "spend_allocation")
    if len(parts) > 1:
        same = (each for each in parts if coding(part(each, "account")) == (account, department))
        line = f"{line}-{ident(next(same, parts[0]), 'id')}"
    return f"{order}/{line}"


def _budget(allocation: Json) -> Json:
    return part(allocation, "budget") or part(allocation, "account")


def tax_code(one: Json) -> str:
    """What tells one tax from another: name and percentage, by which it is mapped. Empty where an item has none."""
    name, percent = words(one, "tax_name"), number(one, "tax_percentage")
    shown = "" if percent is None else f"{percent.normalize():f}%"
    return " ".join(each for each in (name, shown) if each) if name or percent else ""


def _taxes(items: Sequence[Json], sums: Sums, currency: str) -> list[tuple[str, Decimal]]:
    """The tax by its codes, where those of the items make the head's; else as one sum."""
    if not sums.tax:
        return []
    found: dict[str, Decimal] = {}
    for one in items:
        if tax := rounded(number(one, "tax_amount") or ZERO, currency) * sums.sign:
            found[tax_code(one)] = found.get(tax_code(one), ZERO) + tax
    if sum(found.values(), ZERO) == sums.tax:
        return [(code, tax) for code, tax in found.items() if tax]
    return [(next(iter(found)) if len(found) == 1 else "", sums.tax)]


def _orders(row: Json) -> tuple[str, ...]:
    """Numbers of the orders that the bill names, and those of its items."""
    added = [words(one, "number") for one in members(row, "added_purchase_orders")]
    of_items = [words(part(one, "po"), "number") for one in _items(row)]
    return tuple(dict.fromkeys(one for one in [*added, *of_items] if one))


def _uncoded(shown: str) -> Unsound:
    return Unsound(f"unmapped_code: {shown} is not coded to an account. Code it in {NAME}.")


def _missing(about: str, fields: dict[str, object]) -> str | None:
    absent = [name for name, value in fields.items() if value is None]
    return f"field_missing: {about} has no {', no '.join(absent)}. Enter it in {NAME}." if absent else None
