"""The vendor's OpenAPI description: whether a request is as it says, and a form of it that a mock server can serve."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from .domain import Seen

UNDECLARED = {
    "authorization", "x-procurify-client", "accept", "accept-encoding", "host", "user-agent", "content-length",
    "content-type", "connection",
}  # fmt: skip
"""Headers that no operation declares: of HTTP itself, of the sign-in, and the one that every request bears."""

ONE_PAGE = {"count": 1, "next": None, "previous": None, "page_size": 10, "num_pages": 1, "current_page": 1}


class Contract:
    def __init__(self, file: Path) -> None:
        self.document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        loosened(self.document)
        self.operations: list[tuple[str, re.Pattern[str], dict[str, Any], list[dict[str, Any]]]] = []
        for path, methods in self.document["paths"].items():
            pattern = re.compile("[^/]+".join(re.escape(part) for part in re.split(r"\{[^}]+\}", path)))
            for method, operation in methods.items():
                if method in {"get", "post", "put", "patch", "delete"}:
                    parameters = [*methods.get("parameters", []), *operation.get("parameters", [])]
                    self.operations.append((method.upper(), pattern, operation, parameters))

    def faults(self, seen: Seen) -> Iterator[str]:
        """What of a request the contract does not allow."""
        matching = [one for one in self.operations if one[0] == seen.method and one[1].fullmatch(seen.path)]
        if not matching:
            yield "there is no such operation"
            return
        _, _, operation, parameters = min(matching, key=lambda one: one[1].pattern.count("[^/]+"))
        declared = {one["name"]: one for one in parameters if one["in"] == "query"}
        for name, value in seen.query.items():
            if name not in declared:
                yield f"the parameter {name} is not declared"
            else:
                yield from self._parameter(declared[name], value)
        yield from (
            f"the parameter {name} is missing"
            for name, one in declared.items()
            if one.get("required") and name not in seen.query
        )
        yield from (f"the header {name} is not declared" for name in set(seen.headers) - UNDECLARED)
        wanted = operation.get("requestBody", {}).get("content", {})
        if not wanted:
            if seen.content:
                yield "it has a body, and none is declared"
        elif "application/json" not in seen.headers.get("content-type", ""):
            yield "its body is no JSON"
        else:
            schema = {**self._strict(wanted["application/json"]["schema"]), "components": self._components}
            for error in jsonschema.Draft202012Validator(schema).iter_errors(seen.json):
                yield f"{error.json_path}: {error.message}"

    def _parameter(self, declared: dict[str, Any], value: str) -> Iterator[str]:
        schema = declared.get("schema") or {}
        if schema.get("type") == "array":  # ids of one parameter stand with commas between them
            for part in value.split(","):
                yield from self._parameter({**declared, "schema": schema["items"]}, part)
            return
        given: Any = value
        if schema.get("type") in {"integer", "number"}:
            given = int(value) if value.lstrip("-").isdigit() else value
        elif schema.get("type") == "boolean":
            given = {"true": True, "false": False}.get(value, value)
        checker = jsonschema.FormatChecker(("date",))
        for error in jsonschema.Draft202012Validator(schema, format_checker=checker).iter_errors(given):
            yield f"the parameter {declared['name']}: {error.message}"

    @cached_property
    def _components(self) -> Any:
        schemas = self.document["components"]["schemas"]
        return {"schemas": {name: self._strict(schema) for name, schema in schemas.items()}}

    def _strict(self, schema: Any) -> Any:
        """A schema of OpenAPI 3.0 as JSON Schema: nullable is a type of its own there; fields that are not described
        may not be sent."""
        if not isinstance(schema, dict):
            return schema
        found = {name: part for name, part in schema.items() if name not in {"nullable", "example", "format"}}
        if "properties" in found:
            found["properties"] = {name: self._strict(part) for name, part in found["properties"].items()}
            found.setdefault("additionalProperties", False)
        for name in ("allOf", "anyOf", "oneOf"):
            if name in found:
                found[name] = [self._strict(part) for part in found[name]]
        for name in ("items", "additionalProperties"):
            if name in found:
                found[name] = self._strict(found[name])
        return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") is True else found


def loosened(document: dict[str, Any]) -> None:
    """A bill's id may have dashes, which the description of 2024 left out."""
    for one in document["paths"]["/api/v2/ap/bills/{id}/"]["get"]["parameters"]:
        if one["in"] == "path":
            one["schema"]["pattern"] = "^[0-9a-f-]+$"


def mockable(document: dict[str, Any]) -> dict[str, Any]:
    """The contract with examples where a mock server would otherwise answer nonsense: decimals that are none, lists
    without end, currencies of no country, bills that nobody approved."""
    found = copy.deepcopy(document)
    _exemplified(found)
    schemas = found["components"]["schemas"]
    for name in ("Currency", "CurrencySummary"):
        schemas[name]["properties"]["name"]["example"] = "USD"
    for name in ("BillRead", "SimpleBill"):
        schemas[name]["properties"]["status"] = {"type": "integer", "example": 2}
    return found


def _exemplified(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            schema["example"] = "12.50"
        if schema.get("type") == "number":
            schema["example"] = 12.5
        if "num_pages" in (schema.get("properties") or {}):
            schema["example"] = ONE_PAGE
        for part in schema.values():
            _exemplified(part)
    elif isinstance(schema, list):
        for part in schema:
            _exemplified(part)
