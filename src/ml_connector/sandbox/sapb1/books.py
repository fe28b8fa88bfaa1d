"""The books of one company: its tables, its clock, its journal, and the look-ups that every posting makes.

Amounts are kept in local currency beside those of the document; a journal entry moves the balances of its accounts
and business partners. All of it is changed by one thread, and only after every check has passed.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ml_connector.sandbox.sapb1.errors import Refused, business, invalid, missing_reference
from ml_connector.sandbox.sapb1.options import SapB1Options
from ml_connector.sandbox.sapb1.periods import Periods
from ml_connector.sandbox.sapb1.schema import SETS, Property, Schema, Type
from ml_connector.sandbox.standin import Row

LOCAL_CURRENCY = "USD"
ALL_CURRENCIES = "##"
PAYABLES = "10-2100"
INPUT_TAX = "10-2250"
FREIGHT = "10-6300"
EXCHANGE_DIFFERENCES = "10-7900"
ROUNDING = "10-7910"
CENT = Decimal("0.01")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Booking:
    """One line of a journal entry: a debit when positive. `partner` books its control account."""

    account: str
    amount: Decimal
    partner: str = ""
    cost_center: str = ""
    text: str = ""


class Books:
    def __init__(self, options: SapB1Options, now: Callable[[], dt.datetime]) -> None:
        self.options = options
        self.schema = Schema()
        self.tables: dict[str, dict[Any, Row]] = {name: {} for name in SETS}
        self.rates: dict[tuple[str, dt.date], Decimal] = {}
        """Local currency for one unit, by currency and day."""
        self.periods = Periods()
        self._now = now
        self._last: dict[str, int] = {}
        self._account_codes: dict[str, str] = {}

    # --- rows ----------------------------------------------------------------------------------------------

    def rows(self, set_name: str) -> list[Row]:
        """By key, which is the order of a read that asks for none."""
        table = self.tables[set_name]
        return [table[key] for key in sorted(table)]

    def key(self, set_name: str, row: Row) -> Any:
        keys = self.schema.of(set_name).keys
        return row[keys[0]] if len(keys) == 1 else tuple(row[name] for name in keys)

    def put(self, set_name: str, row: Row) -> Row:
        """Stores a new row, its numbers and stamps set unless it has them."""
        type_name = SETS[set_name].type
        if type_name in ("Document", "Payment"):
            row.setdefault("DocEntry", self.next(set_name))
            self._last[set_name] = max(self._last.get(set_name, 0), row["DocEntry"])
            row.setdefault("DocNum", row["DocEntry"])
        if type_name == "Document":
            row.setdefault("CreationDate", self.today())
            row.setdefault("UpdateDate", row["CreationDate"])
            row.setdefault("UpdateTime", self.time())
        if set_name == "BusinessPartners":
            row.setdefault("CreateDate", self.today())
            row.setdefault("CreateTime", self.time())
            if self.options.fresh_partner_stamp:
                row.setdefault("UpdateDate", self.today())
                row.setdefault("UpdateTime", self.time())
        if SETS[set_name].etag:
            row.setdefault("DataVersion", 1)
        self.tables[set_name][self.key(set_name, row)] = row
        return row

    def touch(self, row: Row) -> None:
        """Stamps a changed document or business partner with the server's local time."""
        row["UpdateDate"], row["UpdateTime"] = self.today(), self.time()
        self.bump(row)

    def bump(self, row: Row) -> None:
        """A new version, without a stamp."""
        row["DataVersion"] = row.get("DataVersion", 0) + 1

    def next(self, set_name: str) -> int:
        self._last[set_name] = self._last.get(set_name, 0) + 1
        return self._last[set_name]

    def today(self) -> dt.date:
        return self._local().date()

    def time(self) -> dt.time:
        return self._local().time().replace(microsecond=0)

    def _local(self) -> dt.datetime:
        return self._now().astimezone(ZoneInfo(self.options.time_zone))

    def lacks(self, type_name: str, property_: Property) -> bool:
        """Whether this company, or its release, does not have the property."""
        hidden = property_.name in self.options.hide.get(type_name, ())
        return hidden or (self.options.old_release and property_.newer)

    def type_of(self, set_name: str) -> Type:
        """The set's type as this company has it."""
        type_ = self.schema.of(set_name)
        if not self.options.old_release and not self.options.hide:
            return type_
        had = {name: one for name, one in type_.properties.items() if not self.lacks(type_.name, one)}
        return Type(type_.name, had, type_.keys)

    # --- look-ups that refuse ------------------------------------------------------------------------------

    def vendor(self, code: object, day: dt.date, column: str) -> Row:
        """A supplier that may be posted to on that day. Raises Refused."""
        partner = self.tables["BusinessPartners"].get(code)
        if partner is None or partner.get("CardType") != "cSupplier":
            raise invalid(f"Invalid BP code [{column}.CardCode]")
        if not usable(partner, day):
            raise invalid(f"Business partner '{code}' is inactive [{column}.CardCode]")
        return partner

    def posting_account(self, code: object, column: str) -> Row:
        """An account that a document line or a payment may name. Raises Refused."""
        account = self.tables["ChartOfAccounts"].get(code)
        if account is None:
            raise invalid(f"Enter valid code [{column}]")
        if account.get("ActiveAccount") == "tNO":
            raise invalid(f"G/L account '{code}' is a title account; specify an active account [{column}]")
        if account.get("FrozenFor") == "tYES" or account.get("ValidFor") == "tNO":
            raise invalid(f"G/L account '{code}' is inactive [{column}]")
        if "tYES" in (account.get("LockManualTransaction"), account.get("BlockManualPosting")):
            raise invalid(f"G/L account '{code}' is a control account; manual posting is locked [{column}]")
        return account

    def check_rule(self, code: str | None) -> None:
        """A cost center is not a rule. Raises Refused."""
        if code is None:
            return
        rule = self.tables["DistributionRules"].get(code)
        if rule is None or rule.get("Active") == "tNO":
            raise missing_reference()

    def check_period(self, day: dt.date, column: str) -> None:
        """Raises Refused unless the day is in a posting period that is open."""
        reason = self.periods.closed(day)
        if reason is None:
            return
        text = f"{reason} [{column}]"
        raise business(text) if self.options.closed_period_code == -10 else invalid(text)

    def check_branch(self, branch: int | None) -> None:
        """With branches, one is needed. Raises Refused."""
        if branch is None and not self.options.branches:
            return
        place = self.tables["BusinessPlaces"].get(branch)
        if place is None or place.get("Disabled") == "tYES":
            raise missing_reference()

    def check_reference(self, set_name: str, key: object, column: str) -> None:
        if key is not None and key not in self.tables[set_name]:
            raise invalid(f"Enter valid code [{column}]")

    def rate(self, currency: str, day: dt.date) -> Decimal:
        """The rate of the latest day up to this one. Raises Refused."""
        if currency == LOCAL_CURRENCY:
            return Decimal(1)
        known = [(on, rate) for (code, on), rate in self.rates.items() if code == currency and on <= day]
        if not known:
            raise invalid(f"Update the exchange rate of '{currency}' for {day.isoformat()} [ORTT.Rate]")
        return max(known)[1]

    def vat_rate(self, code: str | None, column: str) -> Decimal:
        """Percent. Raises Refused."""
        if code is None:
            return ZERO
        group = self.tables["VatGroups"].get(code)
        if group is None or group.get("Inactive") == "tYES":
            raise invalid(f"Enter valid code [{column}]")
        lines = group.get("VatGroups_Lines") or []
        return Decimal(lines[-1]["Rate"]) if lines else ZERO

    def account_code(self, number: str) -> str:
        """The key of a well-known account, by the number that people use."""
        if number in self.tables["ChartOfAccounts"]:
            return number
        if number not in self._account_codes:
            self._account_codes = {
                row.get("FormatCode", ""): code for code, row in self.tables["ChartOfAccounts"].items()
            }
        return self._account_codes.get(number, number)

    # --- the journal ---------------------------------------------------------------------------------------

    def book(self, origin: str, entry: int, day: dt.date, memo: str, bookings: Sequence[Booking]) -> int:
        """A journal entry that balances; moves the balances and returns its number."""
        lines = [booking for booking in bookings if booking.amount]
        if sum((line.amount for line in lines), ZERO) != ZERO:
            raise AssertionError(f"{origin} {entry}: the journal entry does not balance: {lines}")
        number = self.next("JournalEntries")
        row: Row = {
            "JdtNum": number,
            "Number": number,
            "ReferenceDate": day,
            "TaxDate": day,
            "DueDate": day,
            "Memo": memo,
            "OriginalJournal": origin,
            "Original": entry,
            "JournalEntryLines": [self._line(n, line, day) for n, line in enumerate(lines)],
        }
        self.put("JournalEntries", row)
        for line in lines:
            self._move(line)
        return number

    def _line(self, number: int, booking: Booking, day: dt.date) -> Row:
        return {
            "Line_ID": number,
            "AccountCode": booking.account,
            "ShortName": booking.partner or booking.account,
            "Debit": max(booking.amount, ZERO),
            "Credit": max(-booking.amount, ZERO),
            "DebitSys": max(booking.amount, ZERO),
            "CreditSys": max(-booking.amount, ZERO),
            "CostingCode": booking.cost_center or None,
            "LineMemo": booking.text or None,
            "ReferenceDate1": day,
        }

    def _move(self, booking: Booking) -> None:
        account = self.tables["ChartOfAccounts"].get(booking.account)
        if account is not None:
            account["Balance"] = account.get("Balance", ZERO) + booking.amount
        if booking.partner:
            partner = self.tables["BusinessPartners"][booking.partner]
            partner["CurrentAccountBalance"] = partner.get("CurrentAccountBalance", ZERO) + booking.amount


def usable(partner: Row, day: dt.date) -> bool:
    """Not frozen on that day and, where it is valid for a time only, within it."""
    if partner.get("Frozen") == "tYES" and _within(day, partner.get("FrozenFrom"), partner.get("FrozenTo")):
        return False
    dated = partner.get("ValidFrom") or partner.get("ValidTo")
    if partner.get("Valid") == "tYES" and dated:
        return _within(day, partner.get("ValidFrom"), partner.get("ValidTo"))
    return True


def _within(day: dt.date, first: dt.date | None, last: dt.date | None) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)


def cents(amount: Decimal) -> Decimal:
    """With two decimals, rounded half up as accounts do."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def total(rows: Sequence[Row], name: str) -> Decimal:
    return sum((row.get(name) or ZERO for row in rows), ZERO)


def stated(body: Row) -> Row:
    """A copy of what a body says: what it gives as null it leaves open."""
    return {
        name: [stated(row) for row in value] if isinstance(value, list) else value
        for name, value in body.items()
        if value is not None
    }


def require(present: bool, refusal: Refused) -> None:  # noqa: FBT001 (reads as a sentence where it is called)
    if not present:
        raise refusal
