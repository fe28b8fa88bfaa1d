"""The control side: what a person sees and changes in the company, past the Service Layer.

Types are the sets, and

    FinancePeriods   PeriodCode, PeriodStatus (ltUnlocked, ltUnlockedExceptSales, ltPeriodClosing, ltLocked)
    ExchangeRates    Currency, RateDate, Rate (local currency for one unit)
    Users            UserName, Password, Locked
    Sessions         only to be deleted
    actions          what a person does, see actions
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from ml_connector.sandbox.sapb1.actions import perform
from ml_connector.sandbox.sapb1.books import Books
from ml_connector.sandbox.sapb1.errors import Refused
from ml_connector.sandbox.sapb1.incoming import Reader, date
from ml_connector.sandbox.sapb1.masters import merged
from ml_connector.sandbox.sapb1.output import state_of
from ml_connector.sandbox.sapb1.schema import SETS
from ml_connector.sandbox.sapb1.sessions import Sessions, User
from ml_connector.sandbox.sapb1.writes import Writes
from ml_connector.sandbox.standin import BadInput, Row

OTHERS = ("FinancePeriods", "ExchangeRates", "Users", "Sessions", "actions")


class Desk:
    def __init__(self, books: Books, writes: Writes, sessions: Sessions) -> None:
        self._books = books
        self._writes = writes
        self._sessions = sessions
        self._done: list[Row] = []

    def take(self, type_name: str, rows: list[Row]) -> None:
        """The rows of a data file for one type. Raises BadInput, naming it."""
        try:
            self.edit(type_name, rows)
        except (BadInput, Refused) as error:
            raise BadInput(f"{type_name}: {error}") from None

    def types(self) -> Sequence[str]:
        return (*SETS, *OTHERS)

    def state(self, type_name: str) -> list[Row]:
        match type_name:
            case "FinancePeriods":
                return [state_of(row) for row in self._books.periods.rows()]
            case "ExchangeRates":
                return [_rate_row(*key, rate) for key, rate in sorted(self._books.rates.items())]
            case "Users":
                return [_user_row(user) for user in self._sessions.users.values()]
            case "Sessions":
                return [
                    {"SessionId": one.id, "UserName": one.user, "CompanyDB": one.company}
                    for one in self._sessions.alive()
                ]
            case "actions":
                return self._done
        return [state_of(row) for row in self._books.tables[type_name].values()]

    def edit(self, type_name: str, rows: list[Row]) -> list[Row]:
        """Raises BadInput or Refused; the rows before the wrong one stay."""
        match type_name:
            case "FinancePeriods":
                return [state_of(self._books.periods.edit(row)) for row in rows]
            case "ExchangeRates":
                return [self._edit_rate(row) for row in rows]
            case "Users":
                return [self._edit_user(row) for row in rows]
            case "Sessions":
                return [self._end_session(row) for row in rows]
            case "actions":
                return [self._act(row) for row in rows]
        return [self._edit(type_name, row) for row in rows]

    def _edit(self, set_name: str, given: Row) -> Row:
        """Merges into the row with this key, or enters a new one as a person would, or deletes it.

        A row that is merged is not checked by business rules. A new document or payment is posted whole, of whatever
        day, without approval; the stamps that it gives stay.
        """
        type_ = self._books.schema.of(set_name)
        values = {name: value for name, value in given.items() if name != "_delete"}
        body = Reader(self._books.schema, self._books.lacks, keep_read_only=True).row(type_, values)
        table = self._books.tables[set_name]
        key = self._books.key(set_name, body) if all(name in body for name in type_.keys) else None
        if given.get("_delete") is True:
            if key not in table:
                raise BadInput(f"{set_name}: no row {key!r} to delete")
            return state_of(table.pop(key))
        if key in table:
            return state_of(self._merge(set_name, table[key], body))
        if set_name == "JournalEntries":
            raise BadInput("JournalEntries: entries come of documents and payments only")
        name, row = self._writes.add(set_name, body, trusted=True)
        if "AuthorizationStatus" in body:
            row["AuthorizationStatus"] = body["AuthorizationStatus"]
        return state_of(self._books.tables[name][self._books.key(name, row)])

    def _merge(self, set_name: str, row: Row, body: Row) -> Row:
        changed = merged(self._books.schema.types, self._books.schema.of(set_name), row, body)
        row.clear()
        row.update(changed)
        if SETS[set_name].etag:
            self._books.touch(row)
            row.update({name: body[name] for name in ("UpdateDate", "UpdateTime") if name in body})
        return row

    def _edit_rate(self, row: Row) -> Row:
        try:
            key = (str(row["Currency"]), date(str(row["RateDate"])))
            rate = Decimal(0) if row.get("_delete") is True else Decimal(str(row["Rate"]))
        except (KeyError, ValueError, ArithmeticError):
            raise BadInput("ExchangeRates: expected Currency, RateDate (yyyy-mm-dd) and Rate") from None
        if rate:
            self._books.rates[key] = rate
        else:
            self._books.rates.pop(key, None)
        return _rate_row(*key, rate)

    def _edit_user(self, row: Row) -> Row:
        name = row.get("UserName")
        if not isinstance(name, str) or not name:
            raise BadInput("Users: UserName is missing")
        if row.get("_delete") is True:
            self._sessions.users.pop(name, None)
            return {"UserName": name}
        user = self._sessions.users.setdefault(name, User(name, ""))
        user.password = str(row.get("Password", user.password))
        user.locked = bool(row.get("Locked", user.locked))
        if not user.locked:
            user.wrong = 0
        return _user_row(user)

    def _end_session(self, row: Row) -> Row:
        if row.get("_delete") is not True:
            raise BadInput("Sessions: only _delete; a session begins with Login")
        self._sessions.end(str(row.get("SessionId", "")))
        return row

    def _act(self, row: Row) -> Row:
        perform(row, self._books, self._writes, self._sessions)
        self._done.append(row)
        return row


def _rate_row(currency: str, day: dt.date, rate: Decimal) -> Row:
    return {"Currency": currency, "RateDate": day.isoformat(), "Rate": rate}


def _user_row(user: User) -> Row:
    return {"UserName": user.code, "Locked": user.locked}
