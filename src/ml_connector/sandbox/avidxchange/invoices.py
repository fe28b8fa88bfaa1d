"""Invoices: from the ERP by its key, or captured by AvidXchange; their workflow, and the batches in which approved
ones are handed to the ERP.

received -> in_workflow -> approved -> exported -> paid; on_hold, rejected and voided beside it.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ml_connector.sandbox import company
from ml_connector.sandbox.avidxchange.books import Books, Wrong
from ml_connector.sandbox.avidxchange.masters import check_coding
from ml_connector.sandbox.standin import Row

EDITABLE = "received"
APPROVED = ("approved", "exported")
STEPS: dict[str, tuple[str, ...]] = {
    "in_workflow": ("received", "on_hold", "rejected"),
    "on_hold": ("received", "in_workflow"),
    "approved": ("received", "in_workflow", "on_hold"),
    "rejected": ("received", "in_workflow", "on_hold"),
    "voided": ("received", "in_workflow", "on_hold", "approved", "exported", "rejected"),
}
"""What a person can make of an invoice, and from where."""
CONTENT = ("number", "vendor", "order", "date", "due_date", "gross", "currency", "memo", "account_no", "lines")
NOTHING = Decimal("0.00")


class Invoices:
    def __init__(self, books: Books) -> None:
        self._books = books

    def write(self, given: Row) -> Row:
        """Creates the invoice, or finds it by its key. Raises Wrong."""
        row = self._checked(given)
        known = self._books.invoices.find(("external_id",), given["external_id"])
        if known is None:
            return self._add({**row, "status": self._books.options.invoice_arrives, "captured": False})
        if all(known.get(name) == row.get(name) for name in CONTENT):
            return known
        if known["status"] == EDITABLE or (
            self._books.options.repeated_invoice == "update" and known["status"] in STEPS["approved"]
        ):
            return self._books.change(self._books.invoices, known, **row)
        raise Wrong(f"Invoice {known['number']} is in workflow and cannot be changed.", code="InWorkflow")

    def capture(self, given: Row) -> Row:
        """An invoice that came to AvidXchange itself; its coding may be missing until it is approved. Raises Wrong."""
        row = self._checked(given, complete=False)
        return self._add({**row, "external_id": None, "status": "received", "captured": True})

    def code(self, row: Row, lines: list[Row]) -> Row:
        """Lines anew, by a person. Raises Wrong."""
        if row["status"] not in STEPS["approved"]:
            raise Wrong(f"Invoice {row['number']} is {row['status']}.")
        self._checked({**row, "lines": lines}, complete=False)
        return self._books.change(self._books.invoices, row, lines=lines)

    def move(self, row: Row, status: str) -> Row:
        """A step of the workflow by a person. Raises Wrong."""
        if row["status"] not in STEPS[status]:
            raise Wrong(f"Invoice {row['number']} is {row['status']} and cannot become {status}.")
        if status == "voided" and row["paid"]:
            raise Wrong(f"Invoice {row['number']} is paid in part.")
        if status == "approved":
            self._checked(row)
        return self._books.change(self._books.invoices, row, status=status)

    def settle(self, row: Row, amount: Decimal) -> None:
        """A payment takes its part of the invoice, or gives it back below 0."""
        paid = row["paid"] + amount
        status = row["status"]
        if paid == row["gross"]:
            status = "paid"
        elif status == "paid":
            status = "exported" if row["batch"] else "approved"
        self._books.change(self._books.invoices, row, paid=paid, status=status)

    # --- batches ---------------------------------------------------------------------------------------------

    def close_batch(self, rows: Sequence[Row], name: str) -> Row:
        """Approved invoices go into a batch that is closed now. Raises Wrong."""
        for row in rows:
            if row["status"] not in (*APPROVED, "paid"):
                raise Wrong(f"Invoice {row['number']} is {row['status']}, not approved.")
            if row["batch"] is not None:
                raise Wrong(f"Invoice {row['number']} is in a batch already.")
        if not rows:
            raise Wrong("There is no approved invoice without a batch.")
        number = self._books.number("batch")
        batch = {"id": self._books.guid(), "name": name or f"Batch {number}", "closed": self._books.now()}
        self._books.batches.put({**batch, "invoices": [row["id"] for row in rows], "acknowledged": None})
        for row in rows:
            self._books.change(self._books.invoices, row, batch=batch["id"])
        return self.described(self._books.batches.get(batch["id"]) or {})

    def close_again(self, batch: Row) -> Row:
        """A person opened a batch, changed invoices and closed it again: its time of closing is new."""
        batch.update(closed=self._books.now(), acknowledged=None)
        return self._books.batches.put(batch)

    def described(self, batch: Row) -> Row:
        rows = self.of_batch(batch)
        return {**batch, "count": len(rows), "total": sum((row["gross"] for row in rows), NOTHING)}

    def of_batch(self, batch: Row) -> list[Row]:
        found = [self._books.invoices.get(identifier) for identifier in batch["invoices"]]
        return [row for row in found if row is not None]

    def acknowledge(self, given: Row) -> Row:
        """The ERP says that it has taken a batch, with 1 as the result; others are kept and change nothing."""
        batch = self._books.batches.get(given["batch"])
        if batch is None:
            raise Wrong(f"There is no batch {given['batch']}.", code="UnknownBatch")
        if given["ended"] < given["started"]:
            raise Wrong("The end is before the start.")
        row = {"id": self._books.number("acknowledgement"), **given, "at": self._books.now()}
        self._books.acknowledgements.put(row)
        if given["result"] == 1 and batch["acknowledged"] is None:
            batch["acknowledged"] = self._books.now()
            for one in self.of_batch(batch):
                if one["status"] == "approved":
                    self._books.change(self._books.invoices, one, status="exported")
        return row

    # --- rules -----------------------------------------------------------------------------------------------

    def _add(self, row: Row) -> Row:
        same = self._books.invoices.all(("vendor", "number"), row["vendor"], row["number"])
        if same and self._books.options.duplicate_number == "refuse":
            raise Wrong(f"Vendor {row['vendor']} has an invoice {row['number']} already.", code="Duplicate")
        defaults: dict[str, Any] = {"id": str(self._books.number("invoice")), "batch": None, "paid": NOTHING}
        if row["captured"]:
            defaults["image"] = f"https://images.example.com/{self._books.guid()}.pdf"
        return self._books.invoices.put({**defaults, **row, "modified": self._books.now()})

    def _checked(self, given: Row, *, complete: bool = True) -> Row:
        vendor = self._books.vendor(given["vendor"])
        if vendor is None:
            raise Wrong(f"There is no vendor {given['vendor']}.", code="UnknownVendor")
        wrong: list[str] = []
        if not vendor["active"]:
            wrong.append(f"vendor {vendor['code']} is not active")
        for index, line in enumerate(given["lines"], 1):
            wrong += check_coding(self._books, f"line {index}", line.get("codes") or [], complete=complete)
        total = sum((line["amount"] for line in given["lines"]), Decimal(0))
        if total != given["gross"]:
            wrong.append(f"the lines add up to {total}, the invoice is {given['gross']}")
        if given.get("due_date") and given["due_date"] < given["date"]:
            wrong.append("the due date is before the date of the invoice")
        if wrong:
            raise Wrong(*wrong)
        currency = given.get("currency") or vendor.get("currency") or company.LOCAL_CURRENCY
        return {**given, "vendor": vendor["code"], "vendor_name": vendor["name"], "currency": currency}
