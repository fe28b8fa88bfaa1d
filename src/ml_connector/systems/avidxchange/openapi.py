"""Compares a contract map with an OpenAPI file: is each request there, each parameter, each field, and of which type.

What is found is a list of sentences under three headings. The file itself is neither kept nor shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ml_connector.systems.avidxchange import paths
from ml_connector.systems.avidxchange.contract import Contract, ContractWrong, Form, Operation, Part, Place, named
from ml_connector.systems.avidxchange.paths import Step

LISTED = {
    "systems": "system",
    "vendors": "vendor",
    "codes": "code",
    "groups": "group",
    "orders": "order",
    "invoices": "invoice",
    "batches": "batch",
    "batch": "invoice",
    "payments": "payment",
}
"""Operations that answer lists, and the record of their rows."""
WRITTEN = {
    "vendor_put": "vendor",
    "code_put": "code",
    "order_put": "order",
    "invoice_put": "invoice",
    "acknowledge": "acknowledgement",
}
INSIDE = {
    ("order", "lines"): "order_line",
    ("order_line", "codes"): "code",
    ("invoice", "lines"): "invoice_line",
    ("invoice_line", "codes"): "code",
    ("payment", "remittances"): "remittance",
}
NOT_SENT = frozenset({"id", "modified", "status"})
TYPES = {
    Form.TEXT: {"string", "integer", "number"},
    Form.INTEGER: {"integer", "number", "string"},
    Form.FLAG: {"boolean", "string"},
    Form.AMOUNT: {"number", "integer"},
    Form.AMOUNT_TEXT: {"string"},
    Form.NUMBER: {"number", "integer"},
    Form.DAY: {"string"},
    Form.INSTANT: {"string"},
    Form.LIST: {"array", "object"},
}
DEEPEST = 30
"""References followed one after the other; more are a circle."""

Json = dict[str, Any]


@dataclass
class Findings:
    """What the map and the file do not agree on."""

    missing: list[str] = field(default_factory=list)
    other_type: list[str] = field(default_factory=list)
    unmapped: list[str] = field(default_factory=list)
    """Properties that a request must have and the map does not give."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.other_type or self.unmapped)


def read(text: str) -> Json:
    """The document. Raises ContractWrong for what is no OpenAPI file."""
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise ContractWrong("The OpenAPI file cannot be read: it is neither JSON nor YAML with an object `paths`.")
    return document


def compare(contract: Contract, document: Json) -> Findings:
    """All differences. Where the file gives no schema for a request or an answer, nothing is said of its fields."""
    found = Findings()
    for name, operation in named(contract.operations):
        _Compared(contract, document, found, name, operation).all()
    return found


@dataclass
class _Compared:
    contract: Contract
    document: Json
    found: Findings
    name: str
    operation: Operation

    def all(self) -> None:
        described = self._described()
        if described is None:
            self.found.missing.append(f"operations.{self.name}: {self.operation.do} is not in the file.")
            return
        self._parameters(described)
        if self.name in LISTED:
            self._rows(described)
        if self.name in WRITTEN:
            self._request(described)

    def _described(self) -> Json | None:
        """The request as the file has it; placeholders may have other names, and the address may begin earlier."""
        gateway = self.contract.gateway
        whole = f"{gateway.context}/{gateway.version}{self.operation.path}"
        wanted = {_shape(path) for path in (self.operation.path, f"/{gateway.version}{self.operation.path}", whole)}
        for path, item in self.document["paths"].items():
            if _shape(str(path)) in wanted and isinstance(item, dict):
                described = item.get(self.operation.method.lower())
                if isinstance(described, dict):
                    common = item.get("parameters") or []
                    return {**described, "parameters": [*common, *(described.get("parameters") or [])]}
        return None

    def _parameters(self, described: Json) -> None:
        there = {
            (str(one.get("in")), str(one.get("name")).lower()) for one in map(self._resolved, described["parameters"])
        }
        query, lists, company = self.operation.query, self.contract.lists, self.contract.company
        wanted = [query.since, query.until, query.ids, query.external_ids, query.numbers]
        if self.name in LISTED:
            wanted += [lists.page_parameter, lists.size_parameter]
        for parameter in wanted:
            if parameter and ("query", parameter.lower()) not in there:
                self.found.missing.append(f"operations.{self.name}: {self.operation.do} has no parameter {parameter}.")
        place = company.place.value
        named_here = company.place in {Place.HEADER, Place.QUERY} and self.name != "authorize"
        if named_here and (place, company.name.lower()) not in there:
            self.found.missing.append(f"company: {self.operation.do} has no {place} {company.name}.")

    def _rows(self, described: Json) -> None:
        schema = self._schema(self._answer(described))
        if not schema:
            return
        rows = self._at(schema, paths.parse(self.contract.lists.rows))
        if rows is None:
            rows = schema if schema.get("type") == "array" else None
        if rows is None:
            self.found.missing.append(
                f"lists.rows: the answer to {self.operation.do} has no {self.contract.lists.rows}."
            )
            return
        self._fields(LISTED[self.name], self._element(rows), sent=False)

    def _request(self, described: Json) -> None:
        content = self._resolved(described.get("requestBody") or {}).get("content") or {}
        schema = self._schema(content)
        for one in map(self._resolved, described["parameters"]):
            if one.get("in") == "body":
                schema = self._resolved(one.get("schema") or {})
        if not schema:
            return
        wrap = self.contract.writes.wrap
        if wrap and not self.operation.bare:
            inner = self._at(schema, (Step(wrap),))
            if inner is None:
                self.found.missing.append(f"writes.wrap: the body of {self.operation.do} has no {wrap}.")
                return
            schema = self._element(inner)
        self._fields(WRITTEN[self.name], schema, sent=True)

    def _fields(self, record: str, schema: Json, *, sent: bool) -> None:
        fields: Part = getattr(self.contract.records, record)
        mapped: set[str] = set(self.operation.fixed)
        for name, mapped_field in named(fields):
            steps = paths.parse(mapped_field.at)
            mapped |= {steps[0].name} if steps else set()
            if sent and name in NOT_SENT and (record, name) != ("order", "status"):
                continue
            place = f"records.{record}.{name}"
            there = self._at(schema, steps)
            if there is None:
                self.found.missing.append(f"{place}: {mapped_field.at} is not in {self._where(sent=sent)}.")
                continue
            if mapped_field.form is not Form.LIST or steps[-1].plural:
                self._type(place, mapped_field.form, there)
            inside = INSIDE.get((record, name))
            if inside:
                self._fields(inside, self._element(there), sent=sent)
        if sent:
            self.found.unmapped += [
                f"{self.operation.do} needs {name} in {record}, which the map does not give."
                for name in sorted(set(schema.get("required") or []) - mapped)
            ]

    def _type(self, place: str, form: Form, schema: Json) -> None:
        given = schema.get("type")
        types = set(given) if isinstance(given, list) else {given}
        if given is not None and not types & TYPES[form]:
            said = " or ".join(sorted(str(one) for one in types))
            self.found.other_type.append(f"{place}: the file has {said}, the map has {form.value}.")

    def _where(self, *, sent: bool) -> str:
        return f"the {'body of' if sent else 'answer to'} {self.operation.do}"

    def _answer(self, described: Json) -> Json:
        answers = described.get("responses") or {}
        answer = self._resolved(next((answers[code] for code in answers if str(code).startswith("2")), {}))
        return answer.get("content") or ({"": {"schema": answer["schema"]}} if "schema" in answer else {})

    def _schema(self, content: Mapping[str, Any]) -> Json:
        written = [one for kind, one in content.items() if "json" in kind] or [*content.values()]
        chosen: Json = written[0] if written else {}
        return self._resolved(chosen.get("schema") or {})

    def _at(self, schema: Json, steps: tuple[Step, ...]) -> Json | None:
        """The schema of a path, or None where it is not there."""
        for position, step in enumerate(steps):
            properties = schema.get("properties") or {}
            if step.name not in properties:
                return None
            schema = self._resolved(properties[step.name])
            last = position == len(steps) - 1
            if step.plural and not (last and step.each):
                schema = self._element(schema)
        return schema

    def _element(self, schema: Json) -> Json:
        return self._resolved(schema.get("items") or {}) if schema.get("type") == "array" else schema

    def _resolved(self, schema: Any) -> Json:
        """Without references, and with the parts of `allOf` as one."""
        for _ in range(DEEPEST):
            if not isinstance(schema, dict):
                return {}
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                break
            schema = self._referenced(reference)
        parts = list(_parts(schema))
        if not parts:
            return dict(schema)
        whole: Json = {**schema, "properties": dict(schema.get("properties") or {})}
        for part in map(self._resolved, parts):
            whole["properties"] |= part.get("properties") or {}
            whole["required"] = [*(whole.get("required") or []), *(part.get("required") or [])]
            whole.setdefault("type", part.get("type", "object"))
        return whole

    def _referenced(self, reference: str) -> Any:
        at: Any = self.document
        for part in reference.removeprefix("#/").split("/"):
            at = at.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(at, dict) else None
        return at


def _parts(schema: Json) -> Iterator[Any]:
    yield from schema.get("allOf") or []


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("/").lower()
