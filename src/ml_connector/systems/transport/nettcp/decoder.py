"""Binary XML [MC-NBFX] into elements, or an error: nothing that is not wholly understood comes out of it.

Time and memory grow with the bytes that arrived and with nothing else. Words from a dictionary cost a few bytes and
stand for many, so it is the text that comes out which is counted; elements cost more than their bytes, so they are
counted too; and nothing calls itself, so that depth is a number and no stack.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from ml_connector.systems.transport.nettcp.cursor import Cursor
from ml_connector.systems.transport.nettcp.element import Element, Limits, Malformed, Name
from ml_connector.systems.transport.nettcp.strings import STATIC
from ml_connector.systems.transport.nettcp.values import (
    ARRAY_TYPES,
    DICTIONARY,
    LIST,
    LIST_END,
    QNAME,
    read_value,
)

END: Final = 0x01
COMMENT: Final = 0x02
ARRAY: Final = 0x03
_FIRST_ATTRIBUTE: Final = 0x04
_LAST_ATTRIBUTE: Final = 0x3F
_FIRST_ELEMENT: Final = 0x40
_LAST_ELEMENT: Final = 0x77
_FIRST_TEXT: Final = 0x80
_LAST_TEXT: Final = 0xBD

XML = "http://www.w3.org/XML/1998/namespace"
XMLNS = "http://www.w3.org/2000/xmlns/"

_PREDECLARED = {"": "", "xml": XML}


class SessionWords:
    """The words that one side of a session has announced so far; numbered 1, 3, 5 ..."""

    def __init__(self, limits: Limits) -> None:
        self._left = limits.words
        self.words: list[str] = []

    def learn(self, cursor: Cursor) -> None:
        """Reads the block of new words that a message of the session begins with. Raises Malformed."""
        size = cursor.size()
        self._left -= size
        if self._left < 0:
            raise Malformed("It announces more words than are accepted.")
        block = Cursor(cursor.take(size))
        while block.left:
            self.words.append(block.word())


def decode(document: Cursor, words: Sequence[str] = (), limits: Limits = Limits()) -> Element:  # noqa: B008
    """The document's root. `words`: those of its session. Raises Malformed."""
    return _Decoder(document, words, limits).root()


class _Decoder:
    def __init__(self, document: Cursor, words: Sequence[str], limits: Limits) -> None:
        self._cursor = document
        self._words = words
        self._limits = limits
        self._open: list[Element] = []
        self._scopes: list[dict[str, str]] = [_PREDECLARED]
        self._root: Element | None = None
        self._nodes = 0
        self._records = 0
        self._characters = 0

    def root(self) -> Element:
        while self._cursor.left:
            code = self._record()
            if code == END:
                self._close()
            elif code == COMMENT:
                self._cursor.word()
            elif code == ARRAY:
                self._array()
            elif _FIRST_ELEMENT <= code <= _LAST_ELEMENT:
                self._start(code)
            elif _FIRST_TEXT <= code <= _LAST_TEXT:
                self._text(code)
            else:
                raise Malformed(f"A record of the code {code:02X} stands where none may be.")
        if self._root is None or self._open:
            raise Malformed("It is cut off.")
        return self._root

    # --- elements

    def _start(self, code: int) -> None:
        prefix, name = self._element_name(code)
        declared: dict[str, str] = {}
        written: list[tuple[str, str, str]] = []
        while self._cursor.left and _FIRST_ATTRIBUTE <= self._cursor.peek() <= _LAST_ATTRIBUTE:
            self._attribute(self._record(), declared, written)
        self._scopes.append(declared)
        element = Element(name, self._namespace(prefix))
        for attribute_prefix, attribute, value in written:
            # Without a prefix an attribute has no namespace, whatever the default is.
            key: Name = (self._namespace(attribute_prefix) if attribute_prefix else "", attribute)
            if key in element.attributes:
                raise Malformed("An element has the same attribute twice.")
            element.attributes[key] = value
        self._put(element)
        self._open.append(element)
        if len(self._open) > self._limits.depth:
            raise Malformed(f"Its elements are nested more than {self._limits.depth} deep.")

    def _put(self, element: Element) -> None:
        self._node()
        if self._open:
            self._open[-1].children.append(element)
        elif self._root is None:
            self._root = element
        else:
            raise Malformed("Something follows its end.")

    def _close(self) -> None:
        if not self._open:
            raise Malformed("An element ends that did not begin.")
        self._open.pop()
        self._scopes.pop()

    def _array(self) -> None:
        """One element, then the values of as many elements like it."""
        if not self._open:
            raise Malformed("An array stands outside of any element.")
        code = self._record()
        if not _FIRST_ELEMENT <= code <= _LAST_ELEMENT:
            raise Malformed("An array does not begin with an element.")
        self._start(code)
        model = self._open[-1]
        if self._record() != END:
            raise Malformed("The element of an array is not empty.")
        self._close()
        self._open[-1].children.pop()
        kind = self._cursor.byte()
        if kind not in ARRAY_TYPES:
            raise Malformed("An array holds values that no array may hold.")
        for _ in range(self._cursor.size()):
            one = Element(model.name, model.namespace, dict(model.attributes))
            one.parts.append(self._counted(read_value(kind - 1, self._cursor)))
            self._put(one)

    def _element_name(self, code: int) -> tuple[str, str]:
        if code < 0x44:
            prefix = self._cursor.word() if code & 1 else ""
            return prefix, self._cursor.word() if code < 0x42 else self._word()
        if code < 0x5E:
            return chr(ord("a") + code - 0x44), self._word()
        return chr(ord("a") + code - 0x5E), self._cursor.word()

    # --- attributes

    def _attribute(self, code: int, declared: dict[str, str], written: list[tuple[str, str, str]]) -> None:
        self._node()
        if 0x08 <= code <= 0x0B:
            prefix = self._cursor.word() if code & 1 else ""
            space = self._cursor.word() if code < 0x0A else self._word()
            if prefix in declared:
                raise Malformed("An element declares a prefix twice.")
            if prefix in {"xml", "xmlns"} or space in {XML, XMLNS} or (prefix and not space):
                raise Malformed("An element declares a prefix that may not be declared.")
            declared[prefix] = space
            return
        if code < 0x08:
            prefix = self._cursor.word() if code & 1 else ""
            name = self._cursor.word() if code < 0x06 else self._word()
        elif code < 0x26:
            prefix, name = chr(ord("a") + code - 0x0C), self._word()
        else:
            prefix, name = chr(ord("a") + code - 0x26), self._cursor.word()
        kind = self._record()
        if not _FIRST_TEXT <= kind <= _LAST_TEXT or kind & 1:
            raise Malformed("An attribute has no value.")
        written.append((prefix, name, _shown(self._value(kind))))

    def _namespace(self, prefix: str) -> str:
        for scope in reversed(self._scopes):
            if prefix in scope:
                return scope[prefix]
        raise Malformed("A prefix stands for no namespace.")

    # --- text

    def _text(self, code: int) -> None:
        if not self._open:
            raise Malformed("Text stands outside of any element.")
        self._open[-1].parts.append(self._value(code & 0xFE))
        if code & 1:
            self._close()

    def _value(self, code: int) -> str | bytes:
        if code == LIST:
            return self._list()
        if code == LIST_END:
            raise Malformed("A list ends that did not begin.")
        return self._counted(self._single(code))

    def _single(self, code: int) -> str | bytes:
        if code == DICTIONARY:
            return self._word()
        if code == QNAME:
            letter = self._cursor.byte()
            if letter > 25:
                raise Malformed("A qualified name has no prefix.")
            word = self._lookup(int.from_bytes(self._cursor.take(3), "big"))
            return f"{chr(ord('a') + letter)}:{word}"
        return read_value(code, self._cursor)

    def _list(self) -> str:
        values = []
        while (code := self._record()) != LIST_END:
            if not _FIRST_TEXT <= code <= _LAST_TEXT or code & 1 or code == LIST:
                raise Malformed("A list holds something that is no value.")
            values.append(_shown(self._counted(self._single(code))))
        return " ".join(values)

    def _counted(self, value: str | bytes) -> str | bytes:
        self._characters += len(value)
        if self._characters > self._limits.size:
            raise Malformed(f"It holds more than {self._limits.size} characters of text.")
        return value

    # --- what is counted

    def _record(self) -> int:
        self._records += 1
        if self._records > self._limits.records:
            raise Malformed(f"It has more than {self._limits.records} records.")
        return self._cursor.byte()

    def _node(self) -> None:
        self._nodes += 1
        if self._nodes > self._limits.nodes:
            raise Malformed(f"It has more than {self._limits.nodes} elements and attributes.")

    # --- words of the dictionaries

    def _word(self) -> str:
        return self._lookup(self._cursor.size())

    def _lookup(self, number: int) -> str:
        words: Sequence[str] = self._words if number & 1 else STATIC
        if number >> 1 >= len(words):
            raise Malformed(f"It names word {number}, which no dictionary has.")
        return words[number >> 1]


def _shown(value: str | bytes) -> str:
    return b64encode(value).decode() if isinstance(value, bytes) else value
