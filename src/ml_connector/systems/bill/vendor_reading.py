"""BILL vendor -> Supplier as a source, with a fingerprint of where the vendor's money goes (R52 to R54)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from ml_connector.domain.records import Supplier
from ml_connector.systems import fingerprint
from ml_connector.systems.base import Cursor, Item, Page
from ml_connector.systems.bill.lists import Rowed, instant, part, stamp, text
from ml_connector.systems.bill.session import PARALLEL, Bill, Json
from ml_connector.systems.bill.vendors import PATH, from_vendor


class ReadVendors:
    """Source of Supplier: the vendors, each read whole, because a row of the list can lack what tells that its bank
    details changed. Whether such a change moves a vendor's time is not documented: a sweep reads all of them."""

    def __init__(self, bill: Bill) -> None:
        self._bill = bill
        self._rows: Rowed[Supplier] = Rowed(bill, PATH, "vendor", self._item)

    def changes(self, since: Cursor | None) -> Iterator[Page[Supplier]]:
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="vendors") as pool:
            for page in self._rows.changes(since):
                whole = pool.map(self._whole, page.items)
                yield Page([item for item in whole if item is not None], page.cursor, page.digest)

    def keys(self) -> Iterator[str]:
        return self._rows.keys()

    def get(self, key: str) -> Item[Supplier] | None:
        return self._rows.get(key)

    def sweep(self) -> Iterator[Page[Supplier]]:
        return self.changes(None)

    def _whole(self, item: Item[Supplier]) -> Item[Supplier] | None:
        return self.get(item.key)

    def _item(self, row: Json) -> Item[Supplier]:
        stated = {"archived": "yes"} if row.get("archived") is True else {}
        stated |= payee(row, self._bill.access.fingerprint)
        return Item(text(row, "id"), from_vendor(row), stamp(row), instant(row), stated)


def payee(row: Json, keyed: Callable[[str], str] | None) -> dict[str, str]:
    """The fingerprint of where the vendor's money goes (R52 to R54). Of a whole vendor only: a row of the list may
    leave parts out, which would read as removed."""
    about = "paymentInformation"
    account = {name: part(row, f"{about}.bankAccount.{name}") for name in ("accountNumber", "routingNumber")}
    kind = [part(row, f"{about}.bankAccount.{name}") for name in ("type", "ownerType", "paymentCurrency")]
    method = [part(row, f"{about}.{name}") for name in ("payByType", "payBySubType", "virtualCard")]
    return fingerprint.observed(
        keyed,
        {
            fingerprint.ACCOUNT: account,
            fingerprint.PAYEE: [part(row, f"{about}.payeeName"), part(row, f"{about}.bankAccount.nameOnAccount")],
            fingerprint.METHOD: [*method, *kind, row.get("rppsId"), row.get("bankAccountStatus")],
            fingerprint.REMIT_EMAIL: part(row, f"{about}.email"),
        },
    )
