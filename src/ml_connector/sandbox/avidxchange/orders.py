"""Purchase orders: written whole, by the ERP's key or else by number."""

from decimal import Decimal

from ml_connector.sandbox.avidxchange.books import Books, Wrong
from ml_connector.sandbox.avidxchange.masters import check_coding
from ml_connector.sandbox.standin import Row


class Orders:
    def __init__(self, books: Books) -> None:
        self._books = books

    def write(self, given: Row) -> Row:
        """Raises Wrong."""
        vendor = self._books.vendor(given["vendor"])
        if vendor is None:
            raise Wrong(f"There is no vendor {given['vendor']}.", code="UnknownVendor")
        known = self._known(given)
        wrong: list[str] = []
        numbers = [line["number"] for line in given["lines"]]
        if len(set(numbers)) != len(numbers):
            wrong.append("two lines have the same number")
        for line in given["lines"]:
            wrong += check_coding(self._books, f"line {line['number']}", line.get("codes") or [], complete=False)
        total = sum((line["amount"] for line in given["lines"]), Decimal(0))
        if total != given["total"]:
            wrong.append(f"the lines add up to {total}, the total is {given['total']}")
        if known is not None and known["vendor"] != vendor["code"]:
            wrong.append("the vendor of an order cannot change")
        if wrong:
            raise Wrong(*wrong)
        row = {"status": "open", **given, "vendor": vendor["code"]}
        if known is None:
            return self._books.orders.put(
                {"id": str(self._books.number("order")), **row, "modified": self._books.now()}
            )
        if any(known.get(name) != value for name, value in row.items()):
            self._books.change(self._books.orders, known, **row)
        return known

    def _known(self, given: Row) -> Row | None:
        by_number = self._books.orders.find(("number",), given["number"])
        key = given.get("external_id")
        by_key = None if key is None else self._books.orders.find(("external_id",), key)
        if by_key is None and by_number is not None and key is not None and by_number.get("external_id"):
            raise Wrong(f"Order {given['number']} exists under another key.", code="Duplicate")
        return by_key or by_number
