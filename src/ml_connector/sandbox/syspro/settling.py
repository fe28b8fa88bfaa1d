"""What reads see of the tables: some sites show a post's effect only after a while."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from ml_connector.sandbox.syspro.options import SysproOptions
from ml_connector.sandbox.syspro.table import Change, Table


class Settling:
    """Keeps the changes of posts until their time; `now` is the stand-in's clock: a held one settles nothing."""

    def __init__(self, tables: Mapping[str, Table], options: SysproOptions, now: Callable[[], dt.datetime]) -> None:
        self._tables = tables
        self._options = options
        self._now = now
        self._waiting: list[tuple[dt.datetime, Sequence[Change]]] = []

    def add(self, changes: Sequence[Change]) -> None:
        """Of a post that went in just now."""
        if changes and self._options.settle_seconds:
            due = self._now() + dt.timedelta(seconds=self._options.settle_seconds)
            self._waiting.append((due, changes))

    def seen_by_enet(self) -> Mapping[str, Table]:
        return self._tables if self._options.settles == "odata" else self.seen_by_odata()

    def seen_by_odata(self) -> Mapping[str, Table]:
        """Tables as they were before what has not settled yet."""
        now = self._now()
        self._waiting = [(due, changes) for due, changes in self._waiting if due > now]
        if not self._waiting:
            return self._tables
        unseen = [change for _, changes in self._waiting for change in changes]
        touched = {change.table.definition.name for change in unseen}
        shadows = {
            name: self._tables[name].before([change for change in unseen if change.table is self._tables[name]])
            for name in touched
        }
        return {**self._tables, **shadows}
