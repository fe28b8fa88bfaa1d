"""Code lists: what each side last said its accounts, cost centers, currencies and terms are.

store_codes     a reading of one list of one Connection
code_index      the list in memory, for a Run
entry, fault    one code, and why nothing can be posted to it (R49, R50)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple, TypeVar

from django.db import transaction

from ml_connector import audit, clock
from ml_connector.domain.numbers import normalised_code
from ml_connector.domain.records import CostCenter, Currency, GlAccount, PaymentTerm, Record
from ml_connector.sync.models import CodeListEntry, Connection
from ml_connector.systems.base import ShapeChanged

T = TypeVar("T")

LABELS = {
    "gl_account": "GL account",
    "cost_center": "cost center",
    "currency": "currency",
    "payment_term": "payment term",
}
"""What people call one code of a list."""

NEVER_POSTED_TO = {"heading": "a heading", "statistical": "a statistical account"}

_WRITTEN = ("number", "name", "type", "postable", "payload", "seen_at", "gone")
_BATCH = 500


class ListedCode(NamedTuple):
    """One code of a list in memory: what is asked of it while documents are judged and pages made."""

    code: str
    number: str
    name: str
    type: str
    postable: bool
    gone: bool


class CodeIndex:
    """One list of one Connection in memory. Codes compare exactly, else by their normalised form if that is unique."""

    def __init__(self, list_name: str, entries: Iterable[ListedCode]) -> None:
        self.list = list_name
        self._by_code = {entry.code: entry for entry in entries}

    @cached_property
    def _normalised(self) -> dict[str, ListedCode]:
        return unique_by_form(self._by_code)

    @cached_property
    def _by_number(self) -> dict[str, list[ListedCode]]:
        found: dict[str, list[ListedCode]] = {}
        for entry in self._by_code.values():
            found.setdefault(entry.number.casefold(), []).append(entry)
        return found

    def get(self, code: str) -> ListedCode | None:
        """The entry of a code, also one that is gone by now."""
        exact = self._by_code.get(code)
        return exact if exact is not None else self._normalised.get(normalised_code(code))

    def numbered(self, number: str) -> list[ListedCode]:
        """Entries that people know by this number, whatever its case; without those that are gone."""
        return [entry for entry in self._by_number.get(number.strip().casefold(), []) if not entry.gone]

    def named(self, code_or_number: str) -> ListedCode | None:
        """The entry of a code, or the only one of a number: what a Mapping given before the first reading holds."""
        found = self.get(code_or_number)
        if found is None and len(numbered := self.numbered(code_or_number)) == 1:
            return numbered[0]
        return found

    def fault(self, code: str) -> str | None:
        """Why nothing can be posted to a code, as a sentence; None for one that can be used."""
        found = self.named(code)
        if found is None:
            return f"{code} is not among its {LABELS.get(self.list, self.list)}s as last read."
        return fault(found)

    def present(self) -> list[ListedCode]:
        """The entries that are not gone, by number."""
        return sorted((entry for entry in self if not entry.gone), key=lambda entry: (entry.number, entry.code))

    def __iter__(self) -> Iterator[ListedCode]:
        return iter(self._by_code.values())

    def __len__(self) -> int:
        return len(self._by_code)


def store_codes(
    trail: audit.Trail, connection: Connection, list_name: str, records: Iterable[Record], *, complete: bool
) -> dict[str, int]:
    """Stores a reading of a list and says how many codes were read, new, changed, gone. Unchanged rows stay untouched.

    `complete`: everything there is was read, so what is missing is marked as gone (R18). Raises ShapeChanged when
    a complete reading is empty although codes were known (R19); then nothing was changed.
    """
    stored = CodeListEntry.objects.of(connection.workspace_id).filter(connection=connection, list=list_name)
    known = {row.code: row for row in stored}
    read = {row.code: row for row in (_row(connection, list_name, record) for record in records)}
    if complete and not read and any(not row.gone for row in known.values()):
        raise ShapeChanged(
            list_name,
            f"{connection.name} gave no {LABELS.get(list_name, list_name)}s at all, and {len(known)} were known."
            " Nothing was changed. Check the rights of the Connection's user.",
        )
    new = [row for code, row in read.items() if code not in known]
    changed = [row for code, row in read.items() if code in known and _facts(row) != _facts(known[code])]
    gone = [row for code, row in known.items() if complete and code not in read and not row.gone]
    with transaction.atomic():
        CodeListEntry.objects.bulk_create(
            new + changed,
            update_conflicts=True,
            unique_fields=["workspace", "connection", "list", "code"],
            update_fields=list(_WRITTEN),
            batch_size=_BATCH,
        )
        rows = CodeListEntry.objects.of(connection.workspace_id)
        for start in range(0, len(gone), _BATCH):
            rows.filter(pk__in=[row.pk for row in gone[start : start + _BATCH]]).update(gone=True)
    counts = {"read": len(read), "new": len(new), "changed": len(changed), "gone": len(gone)}
    trail.add("read_batch", f"connection:{connection.pk}", list=list_name, complete=complete, counts=counts)
    return counts


def code_index(connection: Connection, list_name: str) -> CodeIndex:
    """The list as last read, without payloads."""
    rows = CodeListEntry.objects.of(connection.workspace_id).filter(connection=connection, list=list_name)
    return CodeIndex(list_name, (ListedCode._make(row) for row in rows.values_list(*ListedCode._fields)))


def entry(connection: Connection, list_name: str, code: str) -> CodeListEntry | None:
    """One code exactly as the Connection spells it, or None."""
    rows = CodeListEntry.objects.of(connection.workspace_id)
    return rows.filter(connection=connection, list=list_name, code=code).first()


def fault(entry: ListedCode | CodeListEntry) -> str | None:
    """Why nothing can be posted to this code, as a sentence; None for one that can be used."""
    if entry.gone:
        return f"{shown(entry)} was not in the last complete reading: deleted, or no longer visible."
    if entry.type in NEVER_POSTED_TO:
        return f"{shown(entry)} is {NEVER_POSTED_TO[entry.type]}; nothing is posted to it."
    if not entry.postable:
        return f"{shown(entry)} is archived, on hold or closed for posting."
    return None


def shown(entry: ListedCode | CodeListEntry) -> str:
    """A code as people know it: its number, then its name where that says more."""
    return f"{entry.number} ({entry.name})" if entry.name and entry.name != entry.number else entry.number


def unique_by_form(by_code: Mapping[str, T]) -> dict[str, T]:
    """The same values under the normalised form of their codes; a form that two codes share leads nowhere."""
    forms: dict[str, list[T]] = {}
    for code, value in by_code.items():
        forms.setdefault(normalised_code(code), []).append(value)
    return {form: values[0] for form, values in forms.items() if len(values) == 1}


class _Facts(NamedTuple):
    number: str
    name: str
    type: str
    postable: bool
    gone: bool
    payload: bytes


def _facts(row: CodeListEntry) -> _Facts:
    return _Facts(row.number, row.name, row.type, row.postable, row.gone, bytes(row.payload))


def _row(connection: Connection, list_name: str, record: Record) -> CodeListEntry:
    kind, postable, number = "", True, ""
    if isinstance(record, GlAccount):
        kind, postable, number = record.type.value, record.postable, record.number or ""
    elif isinstance(record, CostCenter):
        kind, postable, number = "", record.postable, record.number or ""
    elif isinstance(record, Currency):
        number = record.iso or ""
    elif not isinstance(record, PaymentTerm):
        raise TypeError(f"A {type(record).__name__} is no entry of a code list.")
    return CodeListEntry(
        workspace_id=connection.workspace_id,
        connection=connection,
        list=list_name,
        code=record.code,
        number=number or record.code,
        name=record.name[:200],
        type=kind,
        postable=postable,
        payload=record.payload(),
        seen_at=clock.now(),
        gone=False,
    )
