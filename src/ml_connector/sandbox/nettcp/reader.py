"""Binary XML to elements, within the quotas of a reader."""

import base64
from dataclasses import dataclass, field
from itertools import groupby

from ml_connector.sandbox.nettcp.errors import Malformed
from ml_connector.sandbox.nettcp.strings import ReceivedStrings
from ml_connector.sandbox.nettcp.texts import READERS, Cursor

XML = "http://www.w3.org/XML/1998/namespace"
END, COMMENT, ARRAY = 0x01, 0x02, 0x03
LIST, LIST_END, NUMBERED, QUALIFIED = 0xA4, 0xA6, 0xAA, 0xBC
LETTER_A = 0x61
ARRAY_LENGTH = 16_384
"""MaxArrayLength of a .NET reader."""


@dataclass
class Element:
    name: str
    namespace: str
    attributes: dict[tuple[str, str], str] = field(default_factory=dict)
    """By namespace and name."""
    children: list["Element"] = field(default_factory=list)
    content: list[str | bytes] = field(default_factory=list)
    """Texts and pieces of binary data as they came."""

    @property
    def text(self) -> str:
        """The whole text; binary data as base64, pieces that follow each other taken together."""
        said: list[str] = []
        for _, run in groupby(self.content, type):
            pieces = list(run)
            said += [piece for piece in pieces if isinstance(piece, str)]
            said.append(base64.b64encode(b"".join(piece for piece in pieces if isinstance(piece, bytes))).decode())
        return "".join(said)

    def is_named(self, namespace: str, name: str) -> bool:
        return (self.namespace, self.name) == (namespace, name)


@dataclass(frozen=True)
class Quotas:
    depth: int = 32
    """How deep elements may be nested."""
    text: int = 8192
    """How many characters the text of one element may have."""


class QuotaExceeded(Exception):
    """`root` is what was read before."""

    def __init__(self, text: str, root: Element) -> None:
        super().__init__(text)
        self.root = root


class Reader:
    """Reads one document. Raises Malformed and QuotaExceeded."""

    def __init__(self, cursor: Cursor, strings: ReceivedStrings, quotas: Quotas) -> None:
        self._cursor = cursor
        self._strings = strings
        self._quotas = quotas
        self._open: list[tuple[Element, dict[str, str]]] = []
        """The elements that have begun, each with the prefixes known in it."""
        self._lengths: list[int] = []

    def document(self) -> Element:
        code = self._cursor.byte()
        if not 0x40 <= code <= 0x77:
            raise Malformed("a document begins with an element")
        self._start(code)
        root = self._open[0][0]
        while self._open:
            self._record(self._cursor.byte(), root)
        if not self._cursor.done:
            raise Malformed("bytes follow the document")
        return root

    def _record(self, code: int, root: Element) -> None:
        if code == END:
            self._end()
        elif code == COMMENT:
            self._cursor.string()
        elif code == ARRAY:
            self._array(root)
        elif 0x40 <= code <= 0x77:
            if len(self._open) >= self._quotas.depth:
                raise QuotaExceeded(f"The maximum read depth ({self._quotas.depth}) has been exceeded.", root)
            self._start(code)
        else:
            self._text(code & ~1, root)
            if code & 1:
                self._end()

    def _text(self, code: int, root: Element) -> None:
        value = self._value(code)
        self._lengths[-1] += len(value)
        if self._lengths[-1] > self._quotas.text:
            raise QuotaExceeded(
                f"The maximum string content length quota ({self._quotas.text}) has been exceeded while reading XML "
                "data. This quota is MaxStringContentLength of the reader.",
                root,
            )
        self._open[-1][0].content.append(value)

    def _end(self) -> None:
        self._open.pop()
        self._lengths.pop()

    def _start(self, code: int) -> None:
        prefix, name = self._name(code - 0x40)
        attributes: list[tuple[str, str, str]] = []
        declared: dict[str, str] = {}
        while not self._cursor.done:
            code = self._cursor.byte()
            if 0x08 <= code <= 0x0B:
                known = self._cursor.string() if code in (0x09, 0x0B) else ""
                if known in declared:
                    raise Malformed("a prefix is declared twice in one element")
                declared[known] = self._cursor.string() if code < 0x0A else self._numbered()
            elif 0x04 <= code <= 0x3F:
                own, attribute = self._name(code - 0x04 if code < 0x08 else code - 0x08)
                attributes.append((own, attribute, self._attribute_value()))
            else:
                self._cursor.at -= 1
                break
        scope = {**(self._open[-1][1] if self._open else {"": "", "xml": XML}), **declared}
        element = Element(name, _namespace(prefix, scope))
        for own, attribute, value in attributes:
            key = (_namespace(own, scope) if own else "", attribute)
            if key in element.attributes:
                raise Malformed("an element has an attribute twice")
            element.attributes[key] = value
        if self._open:
            self._open[-1][0].children.append(element)
        self._open.append((element, scope))
        self._lengths.append(0)

    def _name(self, form: int) -> tuple[str, str]:
        """Prefix and name; forms 0 to 3, then a prefix of one letter with a numbered name, then with a spelt one."""
        match form:
            case 0:
                return "", self._cursor.string()
            case 1:
                return self._cursor.string(), self._cursor.string()
            case 2:
                return "", self._numbered()
            case 3:
                return self._cursor.string(), self._numbered()
        letter, spelt = (form - 4) % 26, form >= 4 + 26
        return chr(LETTER_A + letter), self._cursor.string() if spelt else self._numbered()

    def _numbered(self) -> str:
        return self._strings[self._cursor.size()]

    def _attribute_value(self) -> str:
        code = self._cursor.byte()
        if code & 1:
            raise Malformed("the value of an attribute is no text")
        value = self._value(code)
        return base64.b64encode(value).decode() if isinstance(value, bytes) else value

    def _value(self, code: int) -> str | bytes:
        if code == NUMBERED:
            return self._numbered()
        if code == QUALIFIED:
            letter, number = self._cursor.byte(), int.from_bytes(self._cursor.take(3), "big")
            return f"{chr(LETTER_A + letter)}:{self._strings[number]}"
        if code == LIST:
            return " ".join(self._listed())
        if code not in READERS:
            raise Malformed(f"no record has the code {code:#04x}")
        return READERS[code](self._cursor)

    def _listed(self) -> list[str]:
        parts: list[str] = []
        while (code := self._cursor.byte()) != LIST_END:
            if code in (LIST, LIST_END + 1) or code & 1:
                raise Malformed("a list holds no plain texts")
            value = self._value(code)
            parts.append(base64.b64encode(value).decode() if isinstance(value, bytes) else value)
        return parts

    def _array(self, root: Element) -> None:
        """The same element several times over, written once: its records, the kind of value, the number, the values."""
        self._start(self._element_code())
        pattern = self._open[-1][0]
        self._end()
        self._open[-1][0].children.pop()
        if self._cursor.byte() != END:
            raise Malformed("the element of an array is empty")
        kind, number = self._cursor.byte(), self._cursor.size()
        if not kind & 1 or (kind & ~1) not in READERS:
            raise Malformed("an array holds no values")
        if number > ARRAY_LENGTH:
            raise QuotaExceeded(f"The maximum array length quota ({ARRAY_LENGTH}) has been exceeded.", root)
        for _ in range(number):
            value = READERS[kind & ~1](self._cursor)
            self._open[-1][0].children.append(
                Element(pattern.name, pattern.namespace, dict(pattern.attributes), [], [value])
            )

    def _element_code(self) -> int:
        code = self._cursor.byte()
        if not 0x40 <= code <= 0x77:
            raise Malformed("an array begins with an element")
        return code


def _namespace(prefix: str, scope: dict[str, str]) -> str:
    if prefix not in scope:
        raise Malformed(f"the prefix {prefix} is not declared")
    return scope[prefix]
