"""What a path under /b1s/v1 or /b1s/v2 names: a set, one row by its key, and what of it."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ml_connector.sandbox.http import Request
from ml_connector.sandbox.sapb1.errors import bad_query
from ml_connector.sandbox.sapb1.output import Version
from ml_connector.sandbox.sapb1.schema import Type

PREFIXES: dict[str, Version] = {"/b1s/v1": "v1", "/b1s/v2": "v2"}

_resource = re.compile(r"(\$?\w+)(?:\(((?:'(?:[^']|'')*'|[^'()])*)\))?(?:/(.*))?")
_argument = re.compile(r"\s*(?:(\w+)\s*=\s*)?('(?:[^']|'')*'|-?\d+)\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Address:
    """`PurchaseInvoices(12)/Cancel` is name, arguments and rest."""

    version: Version
    name: str
    arguments: dict[str, Any] | None
    """Values by name; a key without a name stands under ''. None without brackets."""
    rest: str

    def key(self, type_: Type) -> Any:
        """The primary key that the brackets name. Raises Refused."""
        given = self.arguments or {}
        if set(given) == {""} and len(type_.keys) == 1:
            return _of_kind(type_, type_.keys[0], given[""])
        if set(given) != set(type_.keys):
            raise bad_query("Query string error - Invalid key")
        values = tuple(_of_kind(type_, name, given[name]) for name in type_.keys)
        return values[0] if len(values) == 1 else values


def address_of(request: Request) -> Address | None:
    """None for a path outside the service, a hosting provider's prefix in front of /b1s apart. Raises Refused."""
    for prefix, version in PREFIXES.items():
        _, found, path = request.path.partition(f"{prefix}/")
        if found:
            return _parsed(path.rstrip("/"), version)
    return None


def _parsed(path: str, version: Version) -> Address:
    match = _resource.fullmatch(path)
    if match is None:
        raise bad_query("Query string error - Invalid resource path")
    name, brackets, rest = match.groups()
    return Address(version, name, None if brackets is None else _arguments(brackets), rest or "")


def _arguments(text: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    position = 0
    while position < len(text):
        match = _argument.match(text, position)
        if match is None:
            raise bad_query("Query string error - Invalid key")
        name, value = match.groups()
        arguments[name or ""] = value[1:-1].replace("''", "'") if value.startswith("'") else int(value)
        position = match.end()
    return arguments


def key_text(type_: Type, row: dict[str, Any]) -> str:
    """`('V100')`, `(12)`, `(TableName='OPCH',FieldID=0)`, percent-encoded."""
    values = [(name, row[name]) for name in type_.keys]
    texts = [(n, f"'{v.replace(chr(39), chr(39) * 2)}'" if isinstance(v, str) else str(v)) for n, v in values]
    inner = texts[0][1] if len(texts) == 1 else ",".join(f"{name}={text}" for name, text in texts)
    return f"({quote(inner, safe=chr(39) + '=,')})"


def _of_kind(type_: Type, name: str, value: Any) -> Any:
    kind = type_.properties[name].kind
    if (kind == "int") is not isinstance(value, int):
        raise bad_query("Query string error - Invalid key")
    return value


def root_of(request: Request, scheme: str, version: Version) -> str:
    """The service root as the client wrote it."""
    prefix = next(prefix for prefix, one in PREFIXES.items() if one == version)
    before, _, _ = request.path.partition(f"{prefix}/")
    return f"{scheme}://{request.headers.get('host', '')}{before}{prefix}"
