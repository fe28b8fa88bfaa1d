"""What is there before the ERP has written anything: its connection, the code groups, and no vendors or codes.

With the option `captured` also the distributor's vendors and codes, and its latest invoices as AvidXchange captured
them: coded, approved and in closed batches of 25.
"""

from collections.abc import Mapping

from ml_connector.sandbox import company
from ml_connector.sandbox.avidxchange.books import Books
from ml_connector.sandbox.avidxchange.desk import RECORDS, Desk
from ml_connector.sandbox.avidxchange.options import AvidXchangeOptions
from ml_connector.sandbox.standin import BadInput, Row

SYSTEM = "SYSPRO RIL"
ACCOUNT, COST_CENTER = "GL Account", "Cost Center"
ENTERED = 2000
"""Invoices of the distributor's year, of which the last ones are captured."""
IN_BATCH = 25


def fill(desk: Desk, books: Books, seed: int, options: AvidXchangeOptions, data: Mapping[str, list[Row]]) -> None:
    """Takes every type from the data or, when that does not name it, seeds it. Raises BadInput, naming the type."""
    unknown = data.keys() - RECORDS.keys()
    if unknown:
        raise BadInput(f"{', '.join(sorted(unknown))}: unknown type; known: {', '.join(RECORDS)}")
    seeded: dict[str, list[Row]] = {
        "accountingSystems": [{"name": SYSTEM}],
        "dimensions": [{"name": ACCOUNT, "required": True}, {"name": COST_CENTER, "required": False}],
    }
    if options.captured > 0:
        seeded |= {"vendors": _vendors(seed), "codes": _codes(seed)}
    for type_name in RECORDS:
        desk.edit(type_name, data.get(type_name, seeded.get(type_name, [])))
    if options.captured > 0 and "invoices" not in data:
        _capture(desk, books, seed, options.captured)


def _vendors(seed: int) -> list[Row]:
    return [
        {"code": one.code, "name": one.name or one.code, "currency": one.currency, "active": not one.on_hold}
        for one in company.suppliers(seed)
    ]


def _codes(seed: int) -> list[Row]:
    accounts = [{"group": ACCOUNT, "code": one.code, "description": one.name} for one in company.accounts(seed)]
    centers = [{"group": COST_CENTER, "code": one.code, "description": one.name} for one in company.cost_centers(seed)]
    return accounts + centers


def _capture(desk: Desk, books: Books, seed: int, count: int) -> None:
    """Invoices of vendors that are active, oldest first."""
    open_to = {row["code"] for row in books.vendors if row["active"]}
    invoices = [one for one in company.invoices(seed, max(count * 2, ENTERED)) if one.supplier in open_to]
    for number, invoice in enumerate(invoices[-count:], 1):
        desk.edit("actions", [_captured(invoice)])
        if number % IN_BATCH == 0 or number == count:
            desk.edit("actions", [{"do": "approve_all"}, {"do": "close_batch"}])
    desk.actions.done.clear()


def _captured(invoice: company.Invoice) -> Row:
    return {
        "do": "capture",
        "vendor": invoice.supplier,
        "number": invoice.number,
        "date": invoice.date.isoformat(),
        "due_date": invoice.due_date.isoformat(),
        "currency": invoice.currency,
        "order": invoice.reference or None,
        "lines": [_line(line) for line in invoice.lines],
    }


def _line(line: company.Line) -> Row:
    codes = [{"group": ACCOUNT, "code": line.account}]
    if line.cost_center:
        codes.append({"group": COST_CENTER, "code": line.cost_center})
    return {"amount": line.amount, "description": line.text, "codes": codes}
