"""Payments, which can only be read: the list of today, and the old one that the vendor has taken away."""

from decimal import Decimal

from ml_connector.sandbox.http import Response
from ml_connector.sandbox.procurify.bill_shapes import BillShapes
from ml_connector.sandbox.procurify.books import Books
from ml_connector.sandbox.procurify.calls import Call, Routes
from ml_connector.sandbox.procurify.listing import Filter, Filters, Lists, choice, instants, number, one_of, same, whole
from ml_connector.sandbox.procurify.options import OLD_PAYMENTS
from ml_connector.sandbox.procurify.states import PAYMENTS as STATES
from ml_connector.sandbox.standin import Row

LIST = "/api/public/v1/payments/"


class Payments:
    def __init__(self, books: Books, shapes: BillShapes, lists: Lists) -> None:
        self._books = books
        self._shapes = shapes
        self._lists = lists

    def add_routes(self, routes: Routes) -> None:
        routes.add(f"GET {LIST}", "payments", self._list)
        routes.add(f"GET {OLD_PAYMENTS}", "payments", self._old)

    def _list(self, call: Call) -> Response:
        books = self._books
        ends = ("_after", "_before")

        def invoices(payment: Row) -> list[str]:
            groups = set(payment["bill_groups"])
            return [bill["invoice_number"] for bill in books["bills"] if bill["group"] in groups]

        filters: Filters = {
            "status": one_of("status", choice(tuple(STATES))),
            "ids": one_of("id"),
            "bill_groups": Filter(whole, lambda row, keys: not set(keys).isdisjoint(row["bill_groups"]), many=True),
            "currency": same("currency"),
            "vendor": same("vendor"),
            "payment_amount": same("amount", number),
            "invoice_number": Filter(str, lambda row, value: value in invoices(row)),
            **instants("created_at", "created_at", ends),
            **instants("updated_at", "updated_at", ends),
            **instants("processing_date", "processing_date", ends),
        }
        found = self._lists.chosen(call.request, reversed(list(books["payments"])), filters, ())
        return self._lists.answer(call.request, found, self._shapes.payment, order=("created_at", "updated_at"))

    def _old(self, call: Call) -> Response:
        """Deprecated; it is there only while `removed` does not name it."""
        filters: Filters = {"currency": same("currency"), **self._lists.days("payment_date", "processing_date")}
        found = self._lists.chosen(call.request, self._books["payments"], filters, ())
        rights = {"can_edit": False, "can_delete": False, "can_approve": False}

        def metadata(rows: list[Row]) -> Row:
            cost = sum((Decimal(row["amount"]) for row in rows), Decimal("0.00"))
            return {"summary": {"total_cost": cost}, "permissions": rights}

        return self._lists.answer(call.request, found, self._shapes.old_payment, metadata)
