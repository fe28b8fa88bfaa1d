"""Rows as the two versions show them: the whole entity in its order, dates and numbers in their own spelling."""

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

from ml_connector.sandbox.http import Response
from ml_connector.sandbox.sapb1.schema import SETS, Property, Schema, Type
from ml_connector.sandbox.standin import Row

Version = Literal["v1", "v2"]
Lacks = Callable[[str, Property], bool]
"""Whether a company does not have a property of a type."""

CONTENT_TYPES: dict[Version, str] = {
    "v1": "application/json;odata=minimalmetadata;charset=utf-8",
    "v2": "application/json;odata.metadata=minimal;charset=utf-8",
}
PROTOCOL: dict[Version, tuple[str, str]] = {"v1": ("DataServiceVersion", "3.0"), "v2": ("OData-Version", "4.0")}


def answer(value: object, version: Version, status: int = 200, headers: Collection[tuple[str, str]] = ()) -> Response:
    """JSON as the Service Layer prints it, indented."""
    body = msgspec.json.format(msgspec.json.encode(value), indent=3)
    return Response(status, body, CONTENT_TYPES[version], [PROTOCOL[version], *headers])


def tag(name: str, version: Version) -> str:
    """`odata.count` in v1, `@odata.count` in v2."""
    return f"odata.{name}" if version == "v1" else f"@odata.{name}"


def context(version: Version) -> str:
    """The property that names what an answer is: `odata.metadata`, or `@odata.context`."""
    return "odata.metadata" if version == "v1" else "@odata.context"


def etag(set_name: str, key: object, row: Mapping[str, Any]) -> str | None:
    """None for sets without optimistic concurrency."""
    if not SETS[set_name].etag:
        return None
    text = f"{set_name} {key} {row.get('DataVersion')}"
    return f'W/"{hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest().upper()}"'


class Shown:
    """Shapes rows for one version, without what the company `lacks`."""

    def __init__(self, schema: Schema, version: Version, lacks: Lacks, *, minute_times: bool) -> None:
        self._schema = schema
        self._version = version
        self._lacks = lacks
        self._whole: dict[str, list[Property]] = {}
        self._minute_times = minute_times

    def row(self, type_: Type, row: Mapping[str, Any], select: Collection[str] | None = None) -> Row:
        if select is not None:
            properties = self._had(type_, select)
        elif (known := self._whole.get(type_.name)) is not None:
            properties = known
        else:
            properties = self._whole[type_.name] = self._had(type_, type_.properties)
        return {one.name: self.value(one, row.get(one.name, one.default)) for one in properties}

    def _had(self, type_: Type, names: Iterable[str]) -> list[Property]:
        properties = [type_.properties[name] for name in names]
        return [one for one in properties if not self._lacks(type_.name, one)]

    def value(self, property_: Property, value: Any) -> Any:
        match value:
            case None:
                return [] if property_.kind == "list" else None
            case Decimal():
                return float(value)
            case list():
                inner = self._schema.types[property_.of]
                return [self.row(inner, row) for row in value]
            case dt.date():
                return value.isoformat() if self._version == "v1" else f"{value.isoformat()}T00:00:00Z"
            case dt.time():
                return value.strftime("%H:%M:00" if self._minute_times else "%H:%M:%S")
        return value


def state_of(row: Mapping[str, Any]) -> Row:
    """A row for the control side: what is set, dates and times in ISO, amounts exact.

    What the stand-in keeps for itself begins with an underscore and stays out.
    """
    return {
        name: _plain(value) for name, value in row.items() if value not in (None, [], "") and not name.startswith("_")
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [state_of(one) for one in value]
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value
