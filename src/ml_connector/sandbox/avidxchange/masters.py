"""Vendors and enterprise codes: written by their own key, again and again.

A code belongs to a code group (a dimension, the ledger account among them), and groups are set up by people. A code
that a person archived stays archived whatever is written.
"""

from ml_connector.sandbox.avidxchange.books import Books, Wrong
from ml_connector.sandbox.standin import Row


class Masters:
    def __init__(self, books: Books) -> None:
        self._books = books

    def write_vendor(self, given: Row) -> Row:
        """Creates the vendor or changes what the row names. Raises Wrong."""
        code, _, remit = given["code"].partition("|")
        if not code:
            raise Wrong("A vendor needs its code before the |.")
        if given.get("country") and len(given["country"]) != 2:
            raise Wrong("The country must be an ISO 3166-1 code of two letters.")
        given = {**given, "code": code}
        if remit:
            given["remit"] = remit
        known = self._books.vendors.find(("code",), code)
        if known is not None:
            if any(known.get(name) != value for name, value in given.items()):
                self._books.change(self._books.vendors, known, **given)
            return known
        row = {"id": str(self._books.number("vendor")), "active": True, **given, "modified": self._books.now()}
        return self._books.vendors.put(row)

    def write_code(self, given: Row) -> Row:
        """Creates the code in its group or changes it. Raises Wrong."""
        if self._books.dimensions.find(("name",), given["group"]) is None:
            raise Wrong(f"There is no code group {given['group']}.", code="UnknownCodeGroup")
        known = self._books.codes.find(("group", "code"), given["group"], given["code"])
        if known is not None:
            if known.get("archived"):
                given = {**given, "active": False}
            if any(known.get(name) != value for name, value in given.items()):
                self._books.change(self._books.codes, known, **given)
            return known
        row = {"id": str(self._books.number("code")), "active": True, **given, "modified": self._books.now()}
        return self._books.codes.put(row)

    def archive_code(self, group: str, code: str, *, archived: bool) -> Row:
        """A person archives a code or takes it back. Raises Wrong."""
        known = self._books.codes.find(("group", "code"), group, code)
        if known is None:
            raise Wrong(f"There is no code {code} in {group}.")
        return self._books.change(self._books.codes, known, active=not archived, archived=archived)


def check_coding(books: Books, where: str, codes: list[Row], *, complete: bool) -> list[str]:
    """What is wrong with the codes of a line: unknown, archived, two of a group, none of a group that is required."""
    wrong: list[str] = []
    groups = [one["group"] for one in codes]
    for one in codes:
        known = books.codes.find(("group", "code"), one["group"], one["code"])
        if known is None:
            wrong.append(f"{where}: there is no code {one['code']} in {one['group']}")
        elif not known["active"]:
            wrong.append(f"{where}: code {one['code']} in {one['group']} is archived")
    wrong += [f"{where}: two codes of {group}" for group in sorted(set(groups)) if groups.count(group) > 1]
    if complete:
        required = [row["name"] for row in books.dimensions if row["required"]]
        wrong += [f"{where}: a code of {group} is required" for group in required if group not in groups]
    return wrong
