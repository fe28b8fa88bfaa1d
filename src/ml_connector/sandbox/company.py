"""A believable distributor, the same for the same seed.

Its chart of accounts, cost centers, suppliers and a year of supplier invoices, in no vendor's shape: each
stand-in turns them into its own tables. All amounts are exact; lines add up to their document.

    accounts(seed)         about 60, codes "company-account" such as 10-6100
    cost_centers(seed)     WH1, WH2 and ten more
    suppliers(seed)        200, of eight countries, four currencies
    invoices(seed, count)  entered 2025-11-17 to 2026-11-13, with their credit notes and payments
"""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from ml_connector.sandbox.company_names import CHART, CITIES, COST_CENTERS, FORMS, HEADS, STREETS, TRADES

AccountType = Literal["asset", "liability", "capital", "revenue", "expense", "statistical", "template"]
LineKind = Literal["item", "tax", "freight"]

LOCAL_CURRENCY = "USD"
FIRST_DAY = dt.date(2025, 11, 17)
LAST_DAY = dt.date(2026, 11, 13)  # the Friday before the Monday on which the sandbox's clock starts

INPUT_TAX = "10-2250"
FREIGHT = "10-6300"
SUNDRY = "10-6999"  # has no counterpart on the AP platform
TAX_PERCENT = {"A": Decimal("8.00000"), "B": Decimal("5.00000"), "Z": Decimal(0)}


@dataclass(frozen=True, slots=True)
class Account:
    code: str
    name: str
    type: AccountType
    control: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class CostCenter:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Supplier:
    code: str
    name: str
    short_name: str
    contact: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str  # ISO 3166-1 alpha-2
    country3: str  # and alpha-3
    tax_id: str
    email: str
    phone: str
    currency: str
    terms: str
    tax_code: str
    account: str  # where its invoices are usually coded
    on_hold: bool = False
    needs_receipt_match: bool = False
    reports_1099: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    kind: LineKind
    account: str
    cost_center: str
    text: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Credit:
    entered: dt.date
    text: str
    lines: tuple[Line, ...]

    @property
    def amount(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal("0.00"))


@dataclass(frozen=True, slots=True)
class Payment:
    date: dt.date
    amount: Decimal
    number: int


@dataclass(frozen=True, slots=True)
class Invoice:
    supplier: str
    number: str
    date: dt.date
    due_date: dt.date
    entered: dt.date
    currency: str
    reference: str
    tax_code: str
    lines: tuple[Line, ...]
    credits: tuple[Credit, ...] = ()
    payments: tuple[Payment, ...] = ()

    @property
    def gross(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal("0.00"))

    @property
    def open(self) -> Decimal:
        """What is still owed, credit notes and payments taken off."""
        settled = sum((credit.amount for credit in self.credits), Decimal("0.00"))
        return self.gross - settled - sum((payment.amount for payment in self.payments), Decimal("0.00"))


TERMS_DAYS = {"07": 7, "14": 14, "15": 15, "30": 30, "45": 45, "60": 60}


def accounts(seed: int) -> list[Account]:
    """The chart. The well-known accounts are the same for every seed; so is the order."""
    rng = _random("accounts", seed)
    chart = [Account(f"10-{number}", name, kind, *flags) for number, name, kind, *flags in CHART]
    spare = rng.sample(range(6800, 6990), 4)
    chart += [Account(f"10-{n}", f"Site project {n - 6799}", "expense") for n in spare]
    return sorted(chart, key=lambda account: account.code)


def cost_centers(seed: int) -> list[CostCenter]:
    """Warehouses first, then departments: the three characters that may follow an expense account."""
    rng = _random("cost centers", seed)
    fixed, others = COST_CENTERS[:2], list(COST_CENTERS[2:])
    chosen = rng.sample(others, 10)
    return [CostCenter(*pair) for pair in (*fixed, *sorted(chosen))]


@lru_cache(maxsize=4)
def suppliers(seed: int) -> tuple[Supplier, ...]:
    """200 suppliers by code. Some are on hold, one has no postal code and one no name."""
    rng = _random("suppliers", seed)
    countries = ["US"] * 140 + ["CA"] * 16 + ["DE"] * 14 + ["GB"] * 12 + ["FR"] * 7 + ["NL"] * 5 + ["IT"] * 4
    countries += ["MX"] * 2
    rng.shuffle(countries)
    names: set[str] = set()
    rows = [_supplier(rng, country, number, names) for number, country in enumerate(countries, 1)]
    for index in rng.sample(range(10, 200), 6):
        rows[index] = replace(rows[index], on_hold=True)
    rows[0] = replace(rows[0], name="“Best Fit” Fasteners Inc.", short_name="Best Fit")
    rows[1] = replace(rows[1], name="Société Générale de Câbles", short_name="Câbles Générale")
    rows[7] = replace(rows[7], postal_code="")
    rows[8] = replace(rows[8], name="")
    return tuple(sorted(rows, key=lambda supplier: supplier.code))


def invoices(seed: int, count: int = 2000) -> list[Invoice]:
    """`count` supplier invoices in the order in which they were entered.

    About 1 in 50 is dated a month or two before it was entered, 1 in 33 has a credit note, most that are
    due are paid, some in part. Whatever the count: the last weeks hold five invoices coded to the sundry
    account and one typed twice under two spellings of its number.
    """
    rng = _random("invoices", seed, count)
    people = suppliers(seed)
    weights = [1 / (rank + 3) for rank in range(len(people))]
    rng.shuffle(weights)
    centers = [center.code for center in cost_centers(seed)]
    styles = {s.code: _NumberStyle(rng, s) for s in people}
    days = sorted(rng.choices(list(_working_days(FIRST_DAY, LAST_DAY)), k=count))
    chosen = rng.choices(people, weights, k=count)
    pick = _LinePicker(rng, [a.code for a in accounts(seed) if _is_everyday_expense(a)], centers)
    made = [
        _invoice(rng, supplier, styles[supplier.code].next(day), day, pick)
        for supplier, day in zip(chosen, days, strict=True)
    ]
    _code_some_to_sundry(made)
    _enter_one_twice(made)
    return [_with_credits_and_payments(rng, number, invoice) for number, invoice in enumerate(made)]


def _random(what: str, *seed: int) -> random.Random:
    return random.Random(f"{what} {seed}")


def coded(account: str, cost_center: str) -> str:
    """The ledger code of an account in a cost center: 10-6400 in WH1 is 10-6400-WH1."""
    return f"{account}-{cost_center}" if cost_center else account


# --- suppliers -------------------------------------------------------------------------------------------


def _supplier(rng: random.Random, country: str, number: int, taken: set[str]) -> Supplier:
    trade, account, words = rng.choice(TRADES)
    while (stem := f"{rng.choice(HEADS[country])} {rng.choice(words)}") in taken:
        pass
    taken.add(stem)
    country3, currency, forms = FORMS[country]
    city, region, postal, dial = rng.choice(CITIES[country])
    domain = "".join(c for c in stem.lower() if c.isascii() and c.isalnum())
    letters = "".join(c for c in stem.upper() if "A" <= c <= "Z")
    if country in {"CA", "MX"} and rng.random() < 0.5:
        currency = LOCAL_CURRENCY
    return Supplier(
        code=f"{letters[:3]}{number:03d}",
        name=f"{stem} {rng.choice(forms)}",
        short_name=stem[:20].strip(),
        contact=f"{rng.choice(HEADS['contacts'])}",
        line1=f"{rng.randint(1, 2400)} {rng.choice(STREETS[country])}",
        line2=rng.choice(["", "", "", "Unit 4", "Building B", "Dock 12"]),
        city=city,
        region=region,
        postal_code=_digits(rng, postal),
        country=country,
        country3=country3,
        tax_id=_tax_id(rng, country),
        email=f"accounts@{domain}.example",
        phone=_digits(rng, f"{dial} 555 01##"),
        currency=currency,
        terms=rng.choice(["30", "30", "30", "14", "15", "45", "60", "07"]),
        tax_code={"US": "A", "CA": "B"}.get(country, "Z"),
        account=account,
        needs_receipt_match=trade == "components" and rng.random() < 0.2,
        reports_1099=country == "US" and rng.random() < 0.1,
    )


def _tax_id(rng: random.Random, country: str) -> str:
    forms = {"US": "##-#######", "DE": "DE#########", "GB": "GB#########", "CA": "######### RT0001"}
    forms |= {"FR": "FR###########", "NL": "NL#########B01", "IT": "IT###########", "MX": "TRA######AB#"}
    return _digits(rng, forms[country])


def _digits(rng: random.Random, pattern: str) -> str:
    """`#` becomes a digit, `@` a letter."""
    out = []
    for character in pattern:
        if character == "#":
            out.append(str(rng.randint(0, 9)))
        elif character == "@":
            out.append(rng.choice("ABCEGHJKLMNPRSTVXY"))
        else:
            out.append(character)
    return "".join(out)


# --- invoices --------------------------------------------------------------------------------------------


class _NumberStyle:
    """How one supplier numbers its invoices: its prefix, and a number that only rises."""

    def __init__(self, rng: random.Random, supplier: Supplier) -> None:
        self.rng = rng
        head = supplier.code[:3]
        self.pattern = rng.choice(
            [f"{head}-{{n}}", "INV-{n}", "{n}", f"{head}{{n}}", "{year}/{n}", "{n}/A", f"{head} {{n}}"]
        )
        self.number = rng.randint(10_000, 60_000)

    def next(self, day: dt.date) -> str:
        self.number += self.rng.randint(1, 9)
        return self.pattern.format(n=self.number, year=day.year)


class _LinePicker:
    """Draws the coded lines of a document. Works in cents."""

    TEXTS = ("Goods as ordered", "Weekly delivery", "Spare parts", "Service", "Monthly charge", "Materials")

    def __init__(self, rng: random.Random, everyday: list[str], centers: list[str]) -> None:
        self.rng, self.everyday, self.centers = rng, everyday, centers

    def lines(self, supplier: Supplier) -> tuple[Line, ...]:
        rng = self.rng
        items = rng.choices((1, 2, 3, 4), (55, 25, 13, 7))[0]
        cents = [max(150, int(rng.lognormvariate(10.6, 1.1))) for _ in range(items)]
        lines = [self._item(supplier, amount) for amount in cents]
        if rng.random() < 0.18 and supplier.account != FREIGHT:
            freight = rng.randint(900, 18_000)
            lines.append(Line("freight", FREIGHT, "", "Freight", _money(freight)))
        if supplier.tax_code != "Z" and rng.random() < 0.45:
            net = sum(line.amount for line in lines)
            tax = (net * TAX_PERCENT[supplier.tax_code] / 100).quantize(Decimal("0.01"))
            lines.append(Line("tax", INPUT_TAX, "", f"Tax {supplier.tax_code}", tax))
        return tuple(lines)

    def _item(self, supplier: Supplier, cents: int) -> Line:
        rng = self.rng
        account = supplier.account if rng.random() < 0.8 else rng.choice(self.everyday)
        center = rng.choice(self.centers) if account in BY_COST_CENTER else ""
        return Line("item", account, center, rng.choice(self.TEXTS), _money(cents))


BY_COST_CENTER = frozenset({"10-6400", "10-6410", "10-6420", "10-6500", "10-6510", "10-6600", "10-6610"})
"""Expense accounts whose ledger codes carry the cost center as their third segment."""


def _invoice(rng: random.Random, supplier: Supplier, number: str, entered: dt.date, pick: _LinePicker) -> Invoice:
    back_dated = rng.random() < 0.02
    date = entered - dt.timedelta(days=rng.randint(30, 60) if back_dated else rng.choice((0, 1, 1, 2, 3, 6)))
    lines = pick.lines(supplier)
    return Invoice(
        supplier=supplier.code,
        number=number,
        date=date,
        due_date=date + dt.timedelta(days=TERMS_DAYS[supplier.terms]),
        entered=entered,
        currency=supplier.currency,
        reference=f"PO {rng.randint(100, 9999)}" if rng.random() < 0.3 else "",
        tax_code=supplier.tax_code if any(line.kind == "tax" for line in lines) else "",
        lines=lines,
    )


def _code_some_to_sundry(made: list[Invoice]) -> None:
    for index in range(len(made) - 3, max(len(made) - 33, 0), -6):
        first, *rest = made[index].lines
        made[index] = replace(made[index], lines=(replace(first, account=SUNDRY, cost_center=""), *rest))


def _enter_one_twice(made: list[Invoice]) -> None:
    """The last invoice but one again with its number spelt otherwise: another key, the same document."""
    if len(made) < 10:
        return
    original = made[-2]
    plain = "".join(character for character in original.number if character.isalnum())
    spelling = plain if plain != original.number else f"{plain[:-5]}-{plain[-5:]}"
    made[-1] = replace(original, number=spelling, entered=made[-1].entered)


def _with_credits_and_payments(rng: random.Random, number: int, invoice: Invoice) -> Invoice:
    settled_on = invoice.due_date + dt.timedelta(days=rng.randint(0, 5))
    chance = rng.random()
    if chance < 0.03:
        day = invoice.entered + dt.timedelta(days=rng.randint(2, 6))
        if day <= LAST_DAY:
            invoice = replace(invoice, credits=(_credit(rng, invoice, min(day, LAST_DAY)),))
    if settled_on > LAST_DAY or settled_on <= invoice.entered + dt.timedelta(days=6) or chance > 0.93:
        return invoice
    share = Decimal("0.5") if chance > 0.90 else Decimal(1)
    amount = (invoice.open * share).quantize(Decimal("0.01"))
    if amount <= 0:
        return invoice
    return replace(invoice, payments=(Payment(_working(settled_on), amount, 100_000 + number),))


def _credit(rng: random.Random, invoice: Invoice, day: dt.date) -> Credit:
    line = max(invoice.lines, key=lambda line: line.amount)
    if rng.random() < 0.1:  # over the whole value: the document is taken back
        return Credit(_working(day), "Cancelled", invoice.lines)
    amount = (line.amount * rng.randint(5, 60) / 100).quantize(Decimal("0.01"))
    return Credit(_working(day), "Goods returned", (replace(line, amount=max(amount, Decimal("0.01"))),))


def _is_everyday_expense(account: Account) -> bool:
    return account.code >= "10-6" and account.type == "expense" and not account.held and account.code != SUNDRY


def _working_days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    for offset in range((last - first).days + 1):
        day = first + dt.timedelta(days=offset)
        if day.weekday() < 5:
            yield day


def _working(day: dt.date) -> dt.date:
    """The same day, or the Friday before a weekend."""
    return day - dt.timedelta(days=max(0, day.weekday() - 4))


def _money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
