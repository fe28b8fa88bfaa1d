"""Payment runs and what becomes of each payment. Nothing here is written by the ERP; a person, or a test, decides.

A payment keeps its id for life; its number, method and status change, also after it reached the supplier.
"""

from decimal import Decimal
from typing import Any

from ml_connector.sandbox.avidxchange.books import Books, Wrong
from ml_connector.sandbox.avidxchange.invoices import APPROVED, NOTHING, Invoices
from ml_connector.sandbox.standin import Row

METHODS = ("check", "direct", "card", "epayment")
ISSUED = {"check": "mailed", "direct": "deposited", "card": "card_delivered", "epayment": "deposited"}
"""The status in which a payment is on its way to the supplier."""
ON_ITS_WAY = (*set(ISSUED.values()), "at_printer", "cleared", "stop_requested", "stopped")
BEFORE_ISSUE = ("pending_approval", "held", "processing", "debit_requested", "funds_received", "failed")
OVER = ("voided", "stopped")
REASONS = {4: "Bank account missing", 5: "Bank account testing", 6: "Bank account inactive", 9: "Bank account imported"}
"""Why a payment stays in error."""


class Payments:
    def __init__(self, books: Books, invoices: Invoices) -> None:
        self._books, self._invoices = books, invoices

    def plan(self, run: str, given: Row, remittances: list[tuple[Row, Decimal, Decimal]]) -> Row:
        """A payment of one vendor in one currency; each remittance is an invoice, its gross part and its discount.

        The amount is the sum of the net parts; what is below 0 is a credit. Raises Wrong.
        """
        if not remittances:
            raise Wrong("A payment needs an invoice.")
        if len({row["id"] for row, _, _ in remittances}) < len(remittances):
            raise Wrong("A payment has an invoice once.")
        vendors, currencies = ({row[name] for row, _, _ in remittances} for name in ("vendor", "currency"))
        if len(vendors) > 1 or len(currencies) > 1:
            raise Wrong("A payment is for one vendor in one currency.")
        for row, gross, _ in remittances:
            if row["status"] not in APPROVED:
                raise Wrong(f"Invoice {row['number']} is {row['status']}, not approved.")
            open_amount = row["gross"] - row["paid"]
            if not gross or (gross > 0) != (row["gross"] > 0) or abs(gross) > abs(open_amount):
                raise Wrong(f"Invoice {row['number']} has {open_amount} open, not {gross}.")
        amount = sum((gross - discount for _, gross, discount in remittances), NOTHING)
        if amount <= 0:
            raise Wrong(f"A payment of {amount} is none.")
        method = given.get("method") or (self._books.vendor(next(iter(vendors))) or {}).get("method") or "check"
        if method not in METHODS:
            raise Wrong(f"The method must be one of {', '.join(METHODS)}.")
        row = self._row(run, given, method, amount)
        row |= {"vendor": next(iter(vendors)), "currency": next(iter(currencies))}
        row["remittances"] = [self._remittance(*one) for one in remittances]
        self._books.payments.put(row)
        for invoice, gross, _ in remittances:
            self._invoices.settle(invoice, gross)
        self._note(row, "Payment created")
        return row

    def move(self, row: Row, status: str) -> Row:
        """Any status before the payment is issued, in any order."""
        if row["status"] in (*ON_ITS_WAY, "voided"):
            raise Wrong(f"Payment {row['id']} is {row['status']}.")
        return self._to(row, status)

    def issue(self, row: Row, given: Row) -> Row:
        """The supplier's check is in the post, the transfer at the bank, or the card delivered."""
        if row["status"] not in (*BEFORE_ISSUE, "at_printer"):
            raise Wrong(f"Payment {row['id']} is {row['status']}.")
        return self._to(row, ISSUED[row["method"]], **self._reference(row["method"], given))

    def clear(self, row: Row, given: Row) -> Row:
        """The supplier has the money; a payment that was not issued yet is issued on the way."""
        if row["status"] in BEFORE_ISSUE:
            self.issue(row, given)
        if row["status"] in ("cleared", *OVER):
            raise Wrong(f"Payment {row['id']} is {row['status']}.")
        cleared = f"{given['date']}T00:00:00" if given.get("date") else self._books.now()
        return self._to(row, "cleared", cleared=cleared, image=row["method"] == "check")

    def void(self, row: Row, given: Row) -> Row:
        """Taken back, also after it cleared; its invoices are open again."""
        if row["status"] == "voided":
            raise Wrong(f"Payment {row['id']} is voided already.")
        self._give_back(row)
        return self._to(row, "voided", cleared=None, image=False)

    def stop(self, row: Row, given: Row) -> Row:
        """The bank is asked to stop it, and with `done` it has."""
        if row["status"] in ("cleared", "voided", "stopped", *BEFORE_ISSUE):
            raise Wrong(f"Payment {row['id']} is {row['status']}.")
        if not given.get("done"):
            return self._to(row, "stop_requested")
        self._give_back(row)
        return self._to(row, "stopped")

    def reissue(self, row: Row, given: Row) -> Row:
        """The same payment once more, with a new number and perhaps another method."""
        if row["status"] in BEFORE_ISSUE:
            raise Wrong(f"Payment {row['id']} is {row['status']}, it was never issued.")
        method = given.get("method", row["method"])
        if method not in METHODS:
            raise Wrong(f"The method must be one of {', '.join(METHODS)}.")
        if row["status"] in OVER:
            self._take_again(row)
        changes = {"check_number": None, "trace": None, "card": None, "cleared": None, "image": False}
        status = "processing"
        if self._books.options.status_after_reissue == "issued":
            status = ISSUED[method]
            changes |= self._reference(method, given)
        row["method"] = method
        return self._to(row, status, cycle=row["cycle"] + 1, date=self._books.today().isoformat(), **changes)

    def fail(self, row: Row, given: Row) -> Row:
        """Stays in error for a reason that a person can mend."""
        reason = int(given.get("reason", 4))
        if reason not in REASONS:
            raise Wrong(f"The reason must be one of {', '.join(map(str, REASONS))}.")
        if row["status"] not in BEFORE_ISSUE:
            raise Wrong(f"Payment {row['id']} is {row['status']}.")
        return self._to(row, "failed", exceptions=[{"number": reason, "text": REASONS[reason]}])

    def say(self, row: Row, text: str) -> Row:
        """Any text as its status, as one that nobody has heard of; money and invoices stay."""
        return self._to(row, text)

    def run_status(self, run: str) -> str:
        statuses = {row["status"] for row in self._books.payments.all(("run",), run)}
        if "failed" in statuses:
            return "exceptions"
        return "processing" if statuses & set(BEFORE_ISSUE) else "closed"

    def shown(self, row: Row) -> Row:
        """The payment with the numbers that go with its texts, its vendor with the remit address."""
        contract = self._books.wire.contract
        vendor = self._books.vendor(row["vendor"]) or {}
        remit = vendor.get("remit")
        keys = self._books.options.remittance_keys
        return {
            **row,
            "status_number": contract.number("payment_status", row["status"]),
            "method_number": contract.number("method", row["method"]),
            "vendor": f"{row['vendor']}|{remit}" if remit else row["vendor"],
            "remittances": [one if keys else {**one, "external_id": None} for one in row["remittances"]],
        }

    def _row(self, run: str, given: Row, method: str, amount: Decimal) -> Row:
        if given.get("id") is not None:
            number = int(given["id"])
            if self._books.payments.get(number) is not None:
                raise Wrong(f"There is a payment {number} already.")
            self._books.taken("payment", number)
        else:
            number = self._books.number("payment")
        return {
            "id": number,
            "external_id": given.get("external_id"),
            "run": run,
            "status": "processing",
            "method": method,
            "amount": amount,
            "buyer_check_number": given.get("buyer_check_number"),
            "date": given.get("date") or self._books.today().isoformat(),
            "cleared": None,
            "image": False,
            "bank_account": given.get("bank_account", "OPERATING"),
            "exceptions": [],
            "cycle": 1,
            "modified": self._books.now(),
        }

    def _remittance(self, invoice: Row, gross: Decimal, discount: Decimal) -> Row:
        return {
            "invoice": invoice["id"],
            "number": invoice["number"],
            "external_id": invoice["external_id"],
            "date": invoice["date"],
            "gross": gross,
            "discount": discount,
            "net": gross - discount,
        }

    def _reference(self, method: str, given: Row) -> Row:
        """The check number, trace or end of the card: as given, or made up."""
        match method:
            case "check":
                number = given.get("check_number")
                return {"check_number": str(number or self._books.number("check") + 69_000)}
            case "card":
                return {"card": str(given.get("card") or self._books.digits(4))}
        return {"trace": str(given.get("trace") or self._books.digits(15))}

    def _give_back(self, row: Row) -> None:
        if row["status"] not in OVER:
            self._settle(row, -1)

    def _take_again(self, row: Row) -> None:
        for one in row["remittances"]:
            invoice = self._books.invoices.get(one["invoice"])
            if invoice is not None and abs(one["gross"]) > abs(invoice["gross"] - invoice["paid"]):
                raise Wrong(f"Invoice {one['number']} was paid otherwise meanwhile.")
        self._settle(row, 1)

    def _settle(self, row: Row, sign: int) -> None:
        for one in row["remittances"]:
            invoice = self._books.invoices.get(one["invoice"])
            if invoice is not None:
                self._invoices.settle(invoice, one["gross"] * sign)

    def _to(self, row: Row, status: str, **changes: Any) -> Row:
        if status != "failed":
            changes.setdefault("exceptions", [])
        self._books.change(self._books.payments, row, status=status, **changes)
        self._note(row, f"Status {status}")
        return row

    def _note(self, row: Row, text: str) -> None:
        entry = {"id": self._books.number("history"), "payment": row["id"], "process": "Payment", "text": text}
        self._books.history.put({**entry, "comment": None, "at": self._books.now()})
