"""Bills: the list, one bill, billed items, marking as paid.

Procurify: bills are entered, approved and denied by people; POST and DELETE are 405. The list has no filter by
status. Only an approved bill without a payment can be marked as paid.
"""

from collections.abc import Callable
from decimal import Decimal

from ml_connector.sandbox.http import Response
from ml_connector.sandbox.procurify.amounts import totals
from ml_connector.sandbox.procurify.bill_shapes import BillShapes
from ml_connector.sandbox.procurify.books import BOUND_USER, Books
from ml_connector.sandbox.procurify.calls import Call, Routes
from ml_connector.sandbox.procurify.errors import Invalid, Refused, Wrong, invalid
from ml_connector.sandbox.procurify.incoming import body_of, changed
from ml_connector.sandbox.procurify.listing import (
    Filter,
    Filters,
    Lists,
    choice,
    flag,
    ignored,
    instants,
    number,
    one_of,
    same,
    single,
    through,
    whole,
)
from ml_connector.sandbox.procurify.requests import TYPES
from ml_connector.sandbox.procurify.states import BILL_APPROVED, BILL_PAID
from ml_connector.sandbox.standin import Row

LIST = "/api/v3/ap/bills/"
MARK = f"{LIST}mark-as-paid/"
ITEMS = "/api/v2/ap/items/"


class Bills:
    def __init__(self, books: Books, shapes: BillShapes, lists: Lists) -> None:
        self._books = books
        self._shapes = shapes
        self._lists = lists

    def add_routes(self, routes: Routes) -> None:
        routes.add(f"GET {LIST}", "bills", self._list)
        routes.add(f"POST {MARK}", "bills", self._mark)
        routes.add(f"PATCH {LIST}{{uuid}}/", "bills", self._patch)
        routes.add("GET /api/v2/ap/bills/{uuid}/", "bills", self._get)
        routes.add(f"GET {ITEMS}", "bills", self._items)

    # --- reading -------------------------------------------------------------------------------------------

    def _list(self, call: Call) -> Response:
        rows = reversed(list(self._books["bills"]))
        found = self._lists.chosen(call.request, rows, self._filters(), ("invoice_number", "note"))
        return self._lists.answer(call.request, found, self._shapes.listed_bill, self._metadata)

    def _metadata(self, rows: list[Row]) -> Row:
        rights = {"can_edit": True, "can_delete": False, "can_approve": True}
        return {"summary": _summary(rows), "permissions": rights}

    def _filters(self) -> Filters:
        books, days = self._books, self._lists.days

        def accounts(bill: Row) -> list[Row]:
            keys = [one["account"] for item in bill["items"] for one in item["allocations"]]
            return [books.row("accounts", key) for key in keys + [cost["account"] for cost in bill["costs"]]]

        def departments(bill: Row) -> list[Row]:
            return [books.row("departments", account["department"]) for account in accounts(bill)]

        def coded(name: str, of: Callable[[Row], list[Row]]) -> Filter:
            return Filter(whole, lambda bill, value: any(row[name] == value for row in of(bill)))

        def paid_on(bill: Row) -> Row:
            return books["payments"].get(bill["payment"]) or {}

        payment_days = through(paid_on, days("payment_date", "processing_date"))
        spans = ("due_date", "gl_post_date", "invoice_date", "last_export_date", "submitted_date")
        return {
            **instants("last_modified_datetime", "last_modified_datetime"),
            **days("modified_date", "last_modified_datetime"),
            **{name: one for span in spans for name, one in days(span, span).items()},
            **payment_days,
            **{name: same(name) for name in ("currency", "group", "user", "creator")},
            "approver": same("approver", number),
            "type": Filter(choice(("0", "1", "2")), lambda bill, value: bill["type"] == int(value)),
            "vendor": one_of("vendor"),
            "vendor[]": one_of("vendor"),
            "include_bill_group_ids": one_of("group"),
            "exclude_bill_group_ids": Filter(whole, lambda bill, values: bill["group"] not in values, many=True),
            "account_code": coded("account_code", accounts),
            "department": coded("department", accounts),
            "location": coded("branch", departments),
            "has_payment": Filter(flag, lambda bill, value: (bill["payment"] is not None) == value),
            "has_posting_date": Filter(flag, lambda bill, value: (bill["gl_post_date"] is not None) == value),
            "is_exported": Filter(flag, lambda bill, value: (bill["last_export_date"] is not None) == value),
            "is_invoice_created": Filter(flag, lambda bill, value: (bill["status"] == BILL_PAID) == value),
            "contract": ignored(number),
            "last_export_user": ignored(number),
            **{name: ignored() for name in ("expense", "exclude_expense_bills", "sync_status_v2")},
        }

    def _get(self, call: Call) -> Response:
        bill = self._find(call.ids[0])
        rights = {
            "can_edit": bill["status"] not in {BILL_APPROVED, BILL_PAID},
            "can_delete": False,
            "can_approve": True,
        }
        return single(call.request, self._shapes.bill(bill), {"summary": _summary([bill]), "permissions": rights})

    def _find(self, text: str) -> Row:
        bill = self._by_uuid(text)
        if bill is None:
            raise Refused(404)
        return bill

    def _by_uuid(self, text: str) -> Row | None:
        """With or without dashes."""
        bare = text.replace("-", "").lower()
        return self._books.find("bills", lambda row: bool(row["uuid"].replace("-", "") == bare))

    def _items(self, call: Call) -> Response:
        rows = [{**item, "of": bill} for bill in self._books["bills"] for item in bill["items"]]
        days = self._lists.days

        def of_bill(wanted: Callable[[Row, object], bool]) -> Callable[[Row, object], bool]:
            return lambda row, value: wanted(row["of"], value)

        filters: Filters = {
            "bill": Filter(whole, of_bill(lambda bill, value: bool(bill["id"] == value))),
            "bill_uuid": Filter(_bare_uuid, of_bill(lambda bill, value: bill["uuid"].replace("-", "") == value)),
            "vendor": Filter(whole, of_bill(lambda bill, value: bool(bill["vendor"] == value))),
            "billed": Filter(flag, lambda row, value: bool(value)),
            "reimburse": Filter(flag, lambda row, value: not value),
            **days("created_at", "created_at"),
            **days("received_on", "received_on"),
            **{name: ignored(number) for name in ("department", "location", "requester")},
            "budget": ignored(whole),
            "exclude": ignored(),
        }
        found = self._lists.chosen(call.request, rows, filters, ("description", "sku"))
        return self._lists.answer(
            call.request, found, lambda row: self._shapes.bill_item(row["of"], row), _item_summary
        )

    # --- writing -------------------------------------------------------------------------------------------

    def _mark(self, call: Call) -> Response:
        given = body_of(call.request, TYPES, "MarkAsPaid")
        wrong: dict[str, Wrong] = {}
        bills: dict[int, Row] = {}
        for index, text in enumerate(given["bill_uuids"]):
            self._take(self._by_uuid(text), f"bill_uuids.{index}", bills, wrong)
        for index, group in enumerate(given.get("bill_group_ids", [])):
            members: list[Row | None] = [row for row in self._books["bills"] if row["group"] == group]
            for row in members or [None]:
                self._take(row, f"bill_group_ids.{index}", bills, wrong)
        if not bills and not wrong:
            raise invalid("bill_uuids", "This list may not be empty.", "REQUIRED")
        if wrong and (self._books.options.mark_as_paid == "whole" or not bills):
            raise Invalid(wrong)
        for bill in bills.values():
            self.pay(bill, given["payment_date"].isoformat())
        shown = {"bill_uuids": given["bill_uuids"], "bill_group_ids": given.get("bill_group_ids", [])}
        return Response.json({**shown, "payment_date": given["payment_date"].isoformat()})

    def _take(self, bill: Row | None, where: str, bills: dict[int, Row], wrong: dict[str, Wrong]) -> None:
        """Puts a bill among those that can be marked, or says why it cannot."""
        if bill is None:
            wrong[where] = Wrong("The bill does not exist.", "DOES_NOT_EXIST")
        elif bill["status"] != BILL_APPROVED or bill["payment"] is not None:
            wrong[where] = Wrong("Only approved bills without a payment can be marked as paid.", "NOT_PAYABLE")
        else:
            bills[bill["id"]] = bill

    def pay(self, bill: Row, day: str, reference: str = "") -> Row:
        """The bill is paid in full on that day, outside Procurify."""
        group = bill["group"] or max((one["group"] or 0 for one in self._books["bills"]), default=0) + 1
        payment = self._books.add(
            "payments",
            {
                "amount": totals(bill).gross,
                "currency": bill["currency"],
                "vendor": bill["vendor"],
                "status": "paid",
                "processing_date": day,
                "posted_date": day,
                "reference_number": reference,
                "bill_groups": [group],
            },
        )
        paid = {
            "status": BILL_PAID,
            "payment": payment["id"],
            "group": group,
            "statuses": self.history(bill, BILL_PAID),
        }
        return self._books.edit("bills", {"id": bill["id"], **paid})

    def history(self, bill: Row, status: int) -> list[Row]:
        """The bill's states with another one."""
        return [*bill["statuses"], {"user": BOUND_USER, "date": self._books.now(), "status": status}]

    def _patch(self, call: Call) -> Response:
        """Undocumented: what is sent is stored in any state of the bill."""
        if not self._books.options.bill_patch:
            raise Refused(405, 'Method "PATCH" not allowed.')
        bill = self._find(call.ids[0])
        given = body_of(call.request, TYPES, "Bill", partial=True)
        given.pop("approval_chain", None)
        for name in ("invoice_date", "due_date", "gl_post_date"):
            if given.get(name) is not None:
                given[name] = given[name].isoformat().replace("+00:00", "Z")
        for name, kind in (("vendor", "vendors"), ("currency", "currencies"), ("approver", "users")):
            if given.get(name) is not None and given[name] not in self._books[kind]:
                raise invalid(name, f'Invalid pk "{given[name]}" - object does not exist.', "DOES_NOT_EXIST")
        version = bill["version"] + any(True for _ in changed(bill, given))
        row = self._books.edit("bills", {**given, "id": bill["id"], "version": version})
        return single(call.request, self._shapes.bill(row))


def _summary(bills: list[Row]) -> Row:
    cost = sum((totals(bill).gross for bill in bills), Decimal("0.00"))
    return {"has_multiple_currency": len({bill["currency"] for bill in bills}) > 1, "total_cost": cost}


def _item_summary(rows: list[Row]) -> Row:
    whole_cost = sum((Decimal(row["quantity"]) * Decimal(row["unit_cost"]) for row in rows), Decimal("0.00"))
    return {"summary": {"total_items": len(rows), "total_cost": whole_cost}}


def _bare_uuid(text: str) -> str:
    bare = text.replace("-", "").lower()
    if len(bare) != 32 or set(bare) - set("0123456789abcdef"):
        raise ValueError("Enter a valid UUID.")
    return bare
