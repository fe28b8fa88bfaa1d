"""Posting periods: twelve months of a fiscal year each, with the lock that a person sets."""

import datetime as dt
from collections.abc import Iterator

from ml_connector.sandbox.standin import BadInput, Row

STATUSES = ("ltUnlocked", "ltUnlockedExceptSales", "ltPeriodClosing", "ltLocked")


class Periods:
    """A day outside every period counts as a fiscal year that is closed or not yet opened."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}

    def rows(self, category: int | None = None) -> list[Row]:
        """In the order of time; `category` is the fiscal year's number."""
        ordered = sorted(self._rows.values(), key=lambda row: row["PostingDateFrom"])
        return [row for row in ordered if category is None or _category(row) == category]

    def get(self, number: object) -> Row | None:
        return self._rows.get(number) if isinstance(number, int) else None

    def categories(self) -> list[int]:
        return sorted({_category(row) for row in self._rows.values()})

    def open_years(self, years: range, months_locked_before: dt.date) -> None:
        """Creates the months of these years; those that end before the day are locked."""
        for year in years:
            for first, last in _months(year):
                number = len(self._rows) + 1
                locked = last < months_locked_before
                self._rows[number] = {
                    "AbsoluteEntry": number,
                    "PeriodCode": f"{year}-{first.month:02d}",
                    "PeriodName": f"{year}-{first.month:02d}",
                    "PostingDateFrom": first,
                    "PostingDateTo": last,
                    "ValueDateFrom": first,
                    "ValueDateTo": last + dt.timedelta(days=365),
                    "TaxDateFrom": first - dt.timedelta(days=365),
                    "TaxDateTo": last + dt.timedelta(days=365),
                    "Locked": "tYES" if locked else "tNO",
                    "PeriodIndicator": str(year),
                    "SubNum": first.month,
                    "PeriodStatus": "ltLocked" if locked else "ltUnlocked",
                }

    def closed(self, day: dt.date) -> str | None:
        """Why nothing can be posted on that day, or None."""
        row = self._of(day)
        if row is None:
            return f"Date {day.isoformat()} deviates from the permissible range: no open fiscal year"
        if row["PeriodStatus"] == "ltLocked":
            return f"Posting period {row['PeriodCode']} is locked"
        if row["PeriodStatus"] == "ltPeriodClosing":
            return f"Posting period {row['PeriodCode']} is in closing"
        return None

    def edit(self, given: Row) -> Row:
        """`PeriodCode` or `AbsoluteEntry` with `PeriodStatus`, or `_delete`. Raises BadInput."""
        named = ("PeriodCode", "AbsoluteEntry")
        row = next(
            (one for one in self._rows.values() if any(name in given and one[name] == given[name] for name in named)),
            None,
        )
        if row is None:
            raise BadInput(f"FinancePeriods: no period {given.get('PeriodCode', given.get('AbsoluteEntry'))!r}")
        if given.get("_delete") is True:
            return self._rows.pop(row["AbsoluteEntry"])
        unknown = set(given) - {*named, "PeriodStatus"}
        if unknown:
            raise BadInput(f"FinancePeriods: {', '.join(sorted(unknown))} cannot be set; only PeriodStatus can")
        status = given.get("PeriodStatus", row["PeriodStatus"])
        if status not in STATUSES:
            raise BadInput(f"FinancePeriods: PeriodStatus {status!r} is unknown; known: {', '.join(STATUSES)}")
        row["PeriodStatus"], row["Locked"] = status, "tYES" if status == "ltLocked" else "tNO"
        return row

    def _of(self, day: dt.date) -> Row | None:
        return next((r for r in self._rows.values() if r["PostingDateFrom"] <= day <= r["PostingDateTo"]), None)


def _category(row: Row) -> int:
    """The number under which the fiscal year's category is kept: 26 for 2026."""
    return int(row["PeriodIndicator"]) - 2000


def _months(year: int) -> Iterator[tuple[dt.date, dt.date]]:
    for month in range(1, 13):
        following = dt.date(year + month // 12, month % 12 + 1, 1)
        yield dt.date(year, month, 1), following - dt.timedelta(days=1)
