"""Classifications: chart of accounts, accounting classes, departments, locations, jobs, items, employees.

BILL: bulk create and change of at most 50, reply wrapped under the kind's name; archiving a parent account
archives all its children, restoring it does not restore them.
"""

from ml_connector.sandbox.bill.errors import Error, Refused
from ml_connector.sandbox.bill.ids import ACCOUNT, CLASS, DEPARTMENT, EMPLOYEE, ITEM, JOB, LOCATION
from ml_connector.sandbox.bill.listing import ANY_OF, EQUAL, Rules, flag, text, time
from ml_connector.sandbox.bill.reading import Reader, body_of, merged, rows_of, without_null
from ml_connector.sandbox.bill.records import Books, Call, Creatable, rolled_back
from ml_connector.sandbox.http import Response
from ml_connector.sandbox.standin import Row

ACCOUNT_TYPES = (
    "UNSPECIFIED",
    "ACCOUNTS_PAYABLE",
    "ACCOUNTS_RECEIVABLE",
    "BANK",
    "COST_OF_GOODS_SOLD",
    "CREDIT_CARD",
    "EQUITY",
    "EXPENSE",
    "FIXED_ASSET",
    "INCOME",
    "LONG_TERM_LIABILITY",
    "OTHER_ASSET",
    "OTHER_CURRENT_ASSET",
    "OTHER_CURRENT_LIABILITY",
    "OTHER_EXPENSE",
    "OTHER_INCOME",
    "NON_POSTING",
)
ITEM_TYPES = ("SALES_TAX", "SALES_TAX_GROUP", "INVENTORY", "PAYMENT", "FIXED_ASSET", "OTHER_CHARGE")
WRAPPERS = {
    "chart-of-accounts": ("chartOfAccounts", ACCOUNT),
    "accounting-classes": ("accountingClasses", CLASS),
    "departments": ("departments", DEPARTMENT),
    "locations": ("locations", LOCATION),
    "jobs": ("jobs", JOB),
    "items": ("items", ITEM),
    "employees": ("employees", EMPLOYEE),
}
RULES = Rules(
    filters={
        "id": text(*ANY_OF),
        "archived": flag(),
        "name": text(*EQUAL, "sw"),
        "createdTime": time(),
        "updatedTime": time(),
    },
    sorts=("archived", "name", "description", "shortName", "createdTime", "updatedTime"),
)


class Classifications(Creatable):
    most = 50

    def __init__(self, books: Books, kind: str) -> None:
        self.kind = kind
        self.wrapper, prefix = WRAPPERS[kind]
        super().__init__(books, books.classifications[kind], RULES, prefix)

    def draft(self, body: object, batch: list[Row]) -> Row:
        reader = Reader(body)
        self._read(reader)
        row = without_null(self.taken(reader))
        self._check_parent(row)
        return {**self.defaults(row), **row}

    def patch(self, call: Call) -> Response:
        changed = self._patched(call.ids[0], body_of(call.request))
        return Response.json(self.show(self.change(self.find(call.ids[0]), changed)))

    def patch_bulk(self, call: Call) -> Response:
        bodies = rows_of(call.request, self.most)
        changed: list[Row] = []
        failures: dict[int, Refused] = {}
        for number, body in enumerate(bodies):
            try:
                changed.append(self._patched(_id_of(body), body))
            except Refused as refused:
                failures[number] = refused
        if failures:
            raise rolled_back(failures, len(bodies))
        return self.bulk_reply([self.change(self.find(row["id"]), row) for row in changed])

    def archive_bulk(self, call: Call) -> Response:
        return self._set_all(call, archived=True)

    def restore_bulk(self, call: Call) -> Response:
        return self._set_all(call, archived=False)

    def set_archived(self, row: Row, *, archived: bool) -> None:
        super().set_archived(row, archived=archived)
        if archived and self.kind == "chart-of-accounts":
            for child in self.table.where("parentId", [row["id"]]):
                self.set_archived(child, archived=True)

    def show(self, row: Row, *, listed: bool = False) -> Row:
        if self.kind == "chart-of-accounts" and not self.books.options.coa_show_parent:
            return {name: value for name, value in row.items() if name != "parentId"}
        return row

    def defaults(self, row: Row) -> Row:
        return {"account": {"type": "UNSPECIFIED"}} if self.kind == "chart-of-accounts" else {}

    def _set_all(self, call: Call, *, archived: bool) -> Response:
        rows = self.find_many(call)
        for row in rows:
            self.set_archived(row, archived=archived)
        return self.bulk_reply(rows)

    def _patched(self, identifier: str, body: object) -> Row:
        row = self.find(identifier)
        reader = Reader(body, partial=True)
        reader.text("id")
        self._read(reader)
        taken = self.taken(reader)
        self._check_parent(taken)
        return merged(row, taken)

    def _check_parent(self, row: Row) -> None:
        if row.get("parentId") is not None:
            self.books.require([(self.table, row["parentId"])])

    def _read(self, reader: Reader) -> None:
        if self.kind == "employees":
            reader.text("firstName", required=True)
            reader.text("lastName", required=True)
        else:
            reader.text("name", required=True, longest=100)
        reader.text("shortName")
        reader.text("description", longest=4000)
        reader.text("parentId")
        if self.kind == "chart-of-accounts":
            account = reader.inner("account")
            if account is not None:
                account.choice("type", ACCOUNT_TYPES)
                account.text("number")
        elif self.kind == "items":
            _read_item(reader)


def _id_of(body: object) -> str:
    identifier = body.get("id") if isinstance(body, dict) else None
    if not isinstance(identifier, str):
        raise Refused(400, Error("id: must not be null"))
    return identifier


def _read_item(reader: Reader) -> None:
    reader.choice("type", ITEM_TYPES)
    for name in ("price", "purchaseCost", "percentage"):
        reader.number(name, places=6)
    for name in ("purchaseDescription", "chartOfAccountId", "expenseChartOfAccountId"):
        reader.text(name)
    reader.flag("taxable")
