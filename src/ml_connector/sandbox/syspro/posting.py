"""What all setup and transaction business objects have in common: how they take a document.

Two documents come in, parameters and items, both under the business object's root. Each item is looked at and, where
nothing is wrong with it, posted; then all of it is taken back for ValidateOnly, or because ApplyIfEntireDocumentValid
does not want half a document. Elements that a business object does not know are passed over in silence.

An answer names the items in their order. What is wrong with one stands in the element of the failing field, as Value,
ErrorNumber and ErrorDescription, or WarningNumber and WarningDescription; counters say how many went in.

ASSUMED: flags that are left out are N, and so is IgnoreWarnings: a warning rejects. Numbers and texts of errors are
the stand-in's own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Protocol

from lxml import etree

from ml_connector.sandbox.standin import BadInput
from ml_connector.sandbox.syspro.books import Books, Transaction
from ml_connector.sandbox.syspro.documents import Node, Refused, parse, render, text_of
from ml_connector.sandbox.syspro.item import Item
from ml_connector.sandbox.syspro.ledger import Ledger
from ml_connector.sandbox.syspro.options import SysproOptions


@dataclass(frozen=True)
class Call:
    """One call of a business object by an operator."""

    books: Books
    ledger: Ledger
    options: SysproOptions
    operator: str
    action: str
    """post, or add, update and delete for a setup."""
    parameters: etree._Element = field(default_factory=lambda: etree.Element("Parameters"))

    def text(self, name: str) -> str:
        return text_of(self.parameters, name)

    def number(self, name: str) -> Decimal:
        """0 for none. Raises Refused for what is not numeric."""
        try:
            return Decimal(self.text(name) or "0")
        except InvalidOperation:
            raise Refused(f"{name} '{self.text(name)}' is not numeric") from None

    def flag(self, name: str) -> bool:
        return self.text(name).upper() == "Y"


@dataclass
class Tally:
    """How many items were read, went in, and were refused."""

    read: int = 0
    processed: int = 0
    invalid: int = 0


class Posting(Protocol):
    """One document on its way through a business object; made anew for each call."""

    def named(self, item: Item, number: int) -> list[Node]:
        """What the answer says of an item, `number` from 1, that was not posted."""

    def post(self, item: Item, number: int) -> list[Node]:
        """Writes an item and gives its part of the answer, or says to the item what is wrong with it."""

    def close(self, tally: Tally, *, posted: bool) -> list[Node]:
        """After the last item: what is done once for a document that was posted, and the tail of the answer."""


@dataclass(frozen=True)
class BusinessObject:
    code: str
    root: str
    answer: str
    start: Callable[[Call], Posting]
    kind: str = "transaction"
    item: str = "Item"
    answer_item: str = "Item"
    whole: str = "ApplyIfEntireDocumentValid"
    """The parameter by which one bad item stops all."""

    def run(self, call: Call, transaction: Transaction, parameters: str | None, xml: str | None) -> bytes:
        """The answer's bytes; what is not to stay is taken back in the transaction.

        Raises Refused when the call as a whole cannot be taken.
        """
        document = parse(xml, self.root)
        call = replace(call, parameters=_parameters(parameters, self.root))
        outcome = _Outcome(self, call, transaction, document.findall(self.item))
        look_only = call.flag("ValidateOnly")
        all_or_nothing = bool(self.whole) and call.flag(self.whole)
        if look_only or not outcome.tally.processed or (outcome.tally.invalid and all_or_nothing):
            transaction.roll_back()
            return outcome.rendered(posted=False, look_only=look_only)
        return outcome.rendered(posted=True, look_only=False)


class _Outcome:
    """The items of a document, each posted or refused."""

    def __init__(
        self, kind: BusinessObject, call: Call, transaction: Transaction, elements: Sequence[etree._Element]
    ) -> None:
        self.kind, self.call = kind, call
        self.posting = kind.start(call)
        self.tally = Tally(read=len(elements))
        self.items: list[tuple[Item, list[Node]]] = []
        for number, element in enumerate(elements, 1):
            item = Item(element, call.options.long_text, _warnings(call))
            mark = transaction.mark()
            nodes = self._posted(item, number)
            if item.is_refused:
                transaction.roll_back_to(mark)
                self.tally.invalid += 1
            else:
                self.tally.processed += 1
            self.items.append((item, nodes))

    def rendered(self, *, posted: bool, look_only: bool) -> bytes:
        if not posted and not look_only:
            self.tally.processed = 0
        answers: list[Node] = []
        for number, (item, nodes) in enumerate(self.items, 1):
            named = nodes if posted and not item.is_refused else self.posting.named(item, number)
            said = item.remarks_as_nodes(lower=self.kind.kind == "setup")
            answers.append((self.kind.answer_item, _merged(named, said)))
        tail = self.posting.close(self.tally, posted=posted)
        return render(self.kind.answer, [*answers, *tail])

    def _posted(self, item: Item, number: int) -> list[Node]:
        try:
            return self.posting.post(item, number)
        except BadInput as error:
            item.wrong("", 100099, str(error))
            return []


def _parameters(xml: str | None, root: str) -> etree._Element:
    """The element whose children are the parameters; an empty one when there is nothing to say.

    `<Parameters />` alone has been seen to be taken, whatever the business object's root.
    """
    if not xml or not xml.strip():
        return etree.Element("Parameters")
    try:
        element = parse(xml, root)
    except Refused:
        return parse(xml, "Parameters")
    found = element.find("Parameters")
    return etree.Element("Parameters") if found is None else found


def _warnings(call: Call) -> str:
    letter = call.text("IgnoreWarnings").upper()
    return letter if letter in {"Y", "W"} else "N"


def _merged(named: list[Node], said: list[Node]) -> list[Node]:
    """A field that is wrong takes the place of its plain value."""
    wrong = {name: content for name, content in said if isinstance(content, list)}
    kept = [(name, content) for name, content in named if isinstance(content, list) or name not in wrong]
    return [*kept, *said]
