"""What people do in AvidXchange and at its gateway, as `POST state/actions`.

An invoice is named by id, by the ERP's key, or by number, with `vendor` where two have the same. Payments are named by
`payment` or all at once by `run`.

{"do": "capture", "vendor": "PAK003", "number": "PK-700", "date": "2026-11-16", "lines": [{"amount": 80,
 "codes": [{"group": "GL Account", "code": "10-6200"}]}]}
{"do": "code", "invoice": "PK-700", "lines": [...]}
{"do": "approve", "invoice": "PK-700"}, also "start", "hold", "reject", "void_invoice"; {"do": "approve_all"}
{"do": "close_batch", "invoices": ["PK-700"], "name": "..."}, {"do": "close_again", "batch": "..."}
{"do": "run", "run": "R-1", "payments": [{"id": 9001, "method": "check", "check_number": "70011", "status": "cleared",
 "remittances": [{"invoice": "ELC-1001", "gross": 1620, "discount": 0}]}]}
{"do": "run", "of": "approved", "method": "direct", "status": "cleared"}
{"do": "issue", "payment": 9001, "check_number": "70011"}, also "clear", "void", "stop", "reissue", "fail"
{"do": "move", "payment": 9001, "status": "held"}, {"do": "say", "payment": 9001, "status": "Refund Pending"}
{"do": "archive_code", "group": "GL Account", "code": "10-6999"}, also "restore_code"
{"do": "gateway_fault", "code": "900804", "seconds": 30, "shape": "xml", "retry_after": "date"}
{"do": "revoke_tokens"}
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from ml_connector.sandbox.avidxchange.access import Access
from ml_connector.sandbox.avidxchange.books import Books
from ml_connector.sandbox.avidxchange.invoices import APPROVED, NOTHING, STEPS, Invoices
from ml_connector.sandbox.avidxchange.masters import Masters
from ml_connector.sandbox.avidxchange.payments import BEFORE_ISSUE, Payments
from ml_connector.sandbox.avidxchange.throttling import Throttling
from ml_connector.sandbox.standin import BadInput, Row

STEPS_BY_NAME = {
    "start": "in_workflow",
    "hold": "on_hold",
    "approve": "approved",
    "reject": "rejected",
    "void_invoice": "voided",
}


class Actions:
    def __init__(
        self,
        books: Books,
        masters: Masters,
        invoices: Invoices,
        payments: Payments,
        access: Access,
        throttling: Throttling,
    ) -> None:
        self._books, self._masters = books, masters
        self._invoices, self._payments = invoices, payments
        self.done: list[Row] = []
        self._known: dict[str, Callable[[Row], object]] = {
            "capture": self._capture,
            "code": lambda action: invoices.code(self._invoice(action), self._lines(action)),
            **dict.fromkeys(STEPS_BY_NAME, self._step),
            "approve_all": self._approve_all,
            "close_batch": self._close_batch,
            "close_again": self._close_again,
            "run": self._run,
            "issue": lambda action: self._each(action, payments.issue),
            "clear": lambda action: self._each(action, payments.clear),
            "void": lambda action: self._each(action, payments.void),
            "stop": lambda action: self._each(action, payments.stop),
            "reissue": lambda action: self._each(action, payments.reissue),
            "fail": lambda action: self._each(action, payments.fail),
            "move": self._move,
            "say": lambda action: self._each(action, lambda row, _: payments.say(row, _text(action, "status"))),
            "archive_code": lambda action: self._archive(action, archived=True),
            "restore_code": lambda action: self._archive(action, archived=False),
            "gateway_fault": throttling.order,
            "revoke_tokens": lambda _: access.expire(None),
        }

    def perform(self, action: Row) -> Row:
        """Raises BadInput or Wrong when it cannot be done."""
        do = action.get("do")
        if do not in self._known:
            raise BadInput(f"actions: {do!r} is unknown; known: {', '.join(self._known)}")
        self._known[str(do)](action)
        self.done.append(action)
        return action

    # --- invoices --------------------------------------------------------------------------------------------

    def _capture(self, action: Row) -> None:
        lines = self._lines(action)
        names = ("vendor", "number", "date", "due_date", "order", "memo", "account_no")
        row = {name: action[name] for name in names if name in action}
        for name in ("vendor", "number", "date"):
            _text(row, name)
        row["currency"] = action.get("currency", "USD")
        row["gross"] = _money(action, "gross") if "gross" in action else _total(lines)
        self._invoices.capture({"lines": lines, **row})

    def _step(self, action: Row) -> None:
        self._invoices.move(self._invoice(action), STEPS_BY_NAME[action["do"]])

    def _approve_all(self, action: Row) -> None:
        for row in list(self._books.invoices):
            if row["status"] in STEPS["approved"]:
                self._invoices.move(row, "approved")

    def _close_batch(self, action: Row) -> None:
        """Without names: all approved invoices that are in no batch, those of the ERP among them."""
        if "invoices" in action:
            rows = [self._invoice({**action, "invoice": one}) for one in action["invoices"]]
        else:
            rows = [row for row in self._books.invoices if row["status"] in APPROVED and row["batch"] is None]
        self._invoices.close_batch(rows, str(action.get("name", "")))

    def _close_again(self, action: Row) -> None:
        wanted = action.get("batch")
        batch = next((row for row in self._books.batches if wanted in (row["id"], row["name"])), None)
        if batch is None:
            raise BadInput(f"close_again: no batch {wanted}")
        self._invoices.close_again(batch)

    def _invoice(self, action: Row) -> Row:
        wanted = str(action.get("invoice", ""))
        table = self._books.invoices
        row = table.get(wanted) or table.find(("external_id",), wanted)
        if row is not None:
            return row
        found = [row for row in table if row["number"] == wanted and action.get("vendor") in (None, row["vendor"])]
        if len(found) != 1:
            raise BadInput(f"{action['do']}: {len(found) or 'no'} invoices {wanted}")
        return found[0]

    def _lines(self, action: Row) -> list[Row]:
        given = action.get("lines")
        if not isinstance(given, list) or not given:
            raise BadInput(f"{action['do']}: lines are needed")
        lines: list[Row] = []
        for line in given:
            codes = [{"group": _text(one, "group"), "code": _text(one, "code")} for one in line.get("codes", ())]
            lines.append({"description": line.get("description"), "amount": _money(line, "amount"), "codes": codes})
        return lines

    # --- payments --------------------------------------------------------------------------------------------

    def _run(self, action: Row) -> None:
        run = str(action.get("run") or f"RUN-{self._books.number('run')}")
        self._books.runs.put({"id": run})
        if "payments" in action:
            plans = [(given, self._remittances(action, given)) for given in action["payments"]]
        elif action.get("of") == "approved":
            plans = self._approved(action)
        else:
            raise BadInput('run: needs payments, or "of": "approved"')
        for given, remittances in plans:
            row = self._payments.plan(run, given, remittances)
            self._bring(row, given)

    def _bring(self, row: Row, given: Row) -> None:
        status = given.get("status", "processing")
        match status:
            case "issued":
                self._payments.issue(row, given)
            case "cleared":
                self._payments.clear(row, {**given, "date": given.get("cleared")})
            case _ if status in BEFORE_ISSUE:
                self._payments.move(row, status)
            case _:
                raise BadInput(f"run: status must be issued, cleared or one of {', '.join(BEFORE_ISSUE)}")

    def _remittances(self, action: Row, given: Row) -> list[tuple[Row, Decimal, Decimal]]:
        found: list[tuple[Row, Decimal, Decimal]] = []
        for one in given.get("remittances", ()):
            row = self._invoice({"do": action["do"], "vendor": given.get("vendor"), **one})
            gross = _money(one, "gross") if "gross" in one else row["gross"] - row["paid"]
            found.append((row, gross, _money(one, "discount") if "discount" in one else NOTHING))
        return found

    def _approved(self, action: Row) -> list[tuple[Row, list[tuple[Row, Decimal, Decimal]]]]:
        """One payment per vendor and currency, where something is to be paid after the credits."""
        groups: dict[tuple[str, str], list[tuple[Row, Decimal, Decimal]]] = {}
        for row in self._books.invoices:
            if row["status"] in APPROVED and row["gross"] != row["paid"]:
                part = (row, row["gross"] - row["paid"], NOTHING)
                groups.setdefault((row["vendor"], row["currency"]), []).append(part)
        chosen: Row = {name: action[name] for name in ("method", "status", "date") if name in action}
        return [(chosen, parts) for parts in groups.values() if sum(gross for _, gross, _ in parts) > 0]

    def _move(self, action: Row) -> None:
        status = action.get("status")
        if status not in (*BEFORE_ISSUE, "at_printer"):
            raise BadInput(f"move: status must be one of {', '.join((*BEFORE_ISSUE, 'at_printer'))}")
        self._each(action, lambda row, _: self._payments.move(row, str(status)))

    def _each(self, action: Row, do: Callable[[Row, Row], object]) -> None:
        if "run" in action:
            rows = self._books.payments.all(("run",), action["run"])
        else:
            row = self._books.payments.get(action.get("payment"))
            rows = [] if row is None else [row]
        if not rows:
            raise BadInput(f"{action['do']}: no payment {action.get('payment', action.get('run'))}")
        for row in rows:
            do(row, action)

    def _archive(self, action: Row, *, archived: bool) -> None:
        self._masters.archive_code(_text(action, "group"), _text(action, "code"), archived=archived)


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise BadInput(f"actions: {name} is needed, a text")
    return value


def _money(row: Row, name: str) -> Decimal:
    value: Any = row.get(name)
    try:
        return Decimal(str(value)).quantize(Decimal("0.01"))
    except InvalidOperation:
        raise BadInput(f"actions: {name} must be a number, not {value!r}") from None


def _total(lines: list[Row]) -> Decimal:
    return sum((line["amount"] for line in lines), NOTHING)
