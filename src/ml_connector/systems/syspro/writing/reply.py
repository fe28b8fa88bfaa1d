"""What e.net answers to a post. Pure.

SYSPRO: status 200 whatever happened. An element that failed holds Value, ErrorNumber and ErrorDescription, in setup
objects as a copy in small letters beside its key; warnings have WarningNumber and WarningDescription. Counters may be
empty, padded with blanks or zeros, or missing. Names come back in any case of letters. The texts of errors are not
published: nothing is decided by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ml_connector.systems.base import OutcomeUnknown, Refused, SystemFailure
from ml_connector.systems.transport.xml import Element, Malformed, child, parse, text, to_decimal, walk

_INVALID = ("itemsinvalid", "recordsinvalid", "journalsinvalid", "postingsinvalid", "itemsrejectedwithwarnings")
_PROCESSED = ("itemsprocessed", "journalsprocessed", "postingsprocessed", "itemsprocessedwithwarnings")
_PERIOD = frozenset({"postingperiod", "postingyear"})
"""Elements of which every error means that the period takes nothing."""

_MOST_SHOWN = 5
_TEXT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Said:
    """An error or a warning: about which element, with which number, in which words."""

    field: str
    number: str
    text: str
    value: str = ""

    def __str__(self) -> str:
        named = f"{self.field} {self.value}".strip() if self.value else self.field
        number = f" ({self.number})" if self.number else ""
        return f"{named}: {self.text[:_TEXT_LIMIT]}{number}"


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer of the business object that was asked."""

    root: Element
    errors: tuple[Said, ...]
    warnings: tuple[Said, ...]
    invalid: int
    """What the counters count as invalid, rejected for warnings included."""
    processed: int

    def first(self, name: str) -> Element | None:
        """The first element of that name, anywhere."""
        return next(walk(self.root, name), None)

    def text(self, name: str) -> str:
        """The first text of that name that is not blank, anywhere; empty where there is none."""
        return next((found for element in walk(self.root, name) if (found := (element.text or "").strip())), "")

    def failure(self, about: str, *, wrote: bool = True) -> SystemFailure | None:
        """Why the call came to nothing, or what is not clear about it; None for one that went well.

        `wrote`: whether it could have written anything.
        """
        if not self.errors and not self.invalid:
            return None
        said = (*self.errors, *self.warnings)
        words = "; ".join(map(str, said[:_MOST_SHOWN])) or "it counts it as invalid and gives no reason"
        if self.processed and wrote:
            return OutcomeUnknown(
                f"SYSPRO took a part of {about} and refused another: {words}. What is there is looked up."
            )
        first = said[0] if said else Said("", "", "")
        closed = any(each.field.lower() in _PERIOD for each in self.errors)
        code = "period_closed" if closed else first.number or "invalid"
        return Refused(code, f"SYSPRO does not take {about}. {words}.", first.field or None)


def reply(document: str, root: str, about: str) -> Reply:
    """The answer to a post. Raises OutcomeUnknown for one that is cut off, empty, or of another business object."""
    try:
        found = parse(document)
    except Malformed as broken:
        raise OutcomeUnknown(
            f"SYSPRO's answer to {about} cannot be read: {broken} Whether it was posted is not known."
        ) from None
    if found.tag.lower() != root.lower():
        raise OutcomeUnknown(
            f"SYSPRO answered {about} with a document {found.tag!r}, which is none of this kind. Whether it was posted "
            "is not known."
        )
    return Reply(
        root=found,
        errors=tuple(_said(found, "Error")),
        warnings=tuple(_said(found, "Warning")),
        invalid=_count(found, _INVALID),
        processed=_count(found, _PROCESSED),
    )


def another(about: str, what: str) -> OutcomeUnknown:
    """An answer that names another document than the one sent says nothing of it (R12)."""
    return OutcomeUnknown(f"SYSPRO answered {about} with {what}. Whether it was posted is looked up.")


def _said(root: Element, kind: str) -> Iterator[Said]:
    """Every element that holds a description or a number of that kind."""
    for element in root.iter():
        if not isinstance(element.tag, str) or not len(element):
            continue
        description = text(element, f"{kind}Description")
        number = text(element, f"{kind}Number").lstrip("0")
        if description or number:
            field = element.tag.rpartition("}")[2]
            yield Said(_wire(field, element), number, description or "no words", text(element, "Value"))


def _wire(field: str, element: Element) -> str:
    """The element's name; of a wrapper of warnings, the name of what it stands in."""
    if not field.lower().startswith(("warning", "error")):
        return field
    parent = element.getparent()
    return field if parent is None else parent.tag.rpartition("}")[2]


def _count(root: Element, names: tuple[str, ...]) -> int:
    total = 0
    for element in root.iter():
        if isinstance(element.tag, str) and element.tag.rpartition("}")[2].lower() in names:
            try:
                total += int(to_decimal(element.text or ""))
            except ValueError:
                continue
    return total


def members(element: Element, *path: str) -> Element | None:
    """The element at a path of names, in any case of letters."""
    found: Element | None = element
    for name in path:
        found = None if found is None else child(found, name)
    return found
