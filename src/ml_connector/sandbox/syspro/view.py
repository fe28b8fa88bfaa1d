"""What a reader sees of a table: its columns under the names that this site gives them."""

from collections.abc import Mapping
from dataclasses import dataclass

from ml_connector.sandbox.syspro.definition import TIMESTAMP, Column
from ml_connector.sandbox.syspro.options import SysproOptions
from ml_connector.sandbox.syspro.table import Table


@dataclass(frozen=True)
class View:
    table: Table
    columns: dict[str, Column]
    """Visible name -> column, in the table's order."""

    @property
    def name(self) -> str:
        return self.table.definition.name

    def position(self, visible: str) -> int:
        return self.table.definition.index[self.columns[visible].name]


def view(tables: Mapping[str, Table], name: str, options: SysproOptions) -> View | None:
    """None when there is no such table: names are case-sensitive."""
    table = tables.get(name)
    if table is None or name in options.hide_tables:
        return None
    hidden = set(options.hide_columns.get(name, ()))
    if options.timestamp == "hidden":
        hidden.add(TIMESTAMP)
    renamed = options.rename.get(name, {})
    shown = [column for column in table.definition.columns if column.name not in hidden]
    return View(table, {renamed.get(column.name, column.name): column for column in shown})
