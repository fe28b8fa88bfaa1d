"""The vendor's API description. It cannot be part of this project: PROCURIFY_OPENAPI names the file, YAML or JSON."""

import json
import os
import re
from pathlib import Path

import pytest
import yaml
from tests.sandbox.procurify.conftest import Api

VARIABLE = "PROCURIFY_OPENAPI"
FILE = os.environ.get(VARIABLE, "")
REFUSALS = {301, 400, 401, 403, 404, 405, 410, 415, 429}
"""Statuses for which the vendor declares no answer."""

NULL_TOO = (
    *(("ItemReadSerializer_v2", name) for name in ("orderitem", "po")),
    *(("PurchaseOrderLineItemRead", name) for name in ("quantity", "approved_quantity")),
    *(("OrderItemRead", name) for name in ("quantity", "approved_quantity")),
    ("OrderItem", "quantity"),
)
"""Fields that are null for an item without an order, and for a blanket, though the description does not say so."""

needed = pytest.mark.skipif(not FILE, reason=f"{VARIABLE} does not name the file of Procurify's API description")


class Contract:
    """The description: operations by method and path, schemas ready for validation."""

    def __init__(self, path):
        content = self.content = yaml.safe_load(Path(path).read_text())
        self.paths = content["paths"]
        self.schemas = content["components"]["schemas"]
        for name, field in NULL_TOO:
            described = self.schemas[name]["properties"][field]
            self.schemas[name]["properties"][field] = {"allOf": [described], "nullable": True}
        # The generator wrapped every row of this list in an envelope of its own; the vendor's answers have plain rows.
        rows = self.schemas["PaginatedLocationViewSerializerListList"]["properties"]["data"]
        rows["items"] = {"$ref": "#/components/schemas/LocationView"}
        self.components = plain({"schemas": self.schemas})

    def operation(self, method, path):
        """The operation of a request, the path spelt out first; None when there is none."""
        exact = self.paths.get(path, {}).get(method.lower())
        if exact is not None:
            return exact
        for template, operations in self.paths.items():
            pattern = re.sub(r"\\\{[^/]+\\\}", "[^/]+", re.escape(template))
            if method.lower() in operations and re.fullmatch(pattern, path):
                return operations[method.lower()]
        return None

    def wrong(self, schema, value):
        """What of a value the schema does not allow."""
        from jsonschema import Draft202012Validator

        whole = {**plain(schema), "components": self.components}
        return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(whole).iter_errors(value)]


def plain(schema):
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    said = {name: plain(value) for name, value in schema.items() if name not in {"nullable", "example"}}
    return {"anyOf": [said, {"type": "null"}]} if schema.get("nullable") is True else said


def json_schema(declared):
    return declared.get("content", {}).get("application/json", {}).get("schema")


class Held(Api):
    """A client of the stand-in whose every exchange is held against the description."""

    def __init__(self, stand_in, contract):
        self.contract = contract
        self.seen = []
        super().__init__(stand_in)
        self.http.event_hooks = {"response": [self._check]}
        self.log_in()

    def _check(self, reply):
        reply.read()
        method, path = reply.request.method, reply.request.url.path
        where = f"{method} {path} -> {reply.status_code}"
        self.seen.append((method, path, reply.status_code))
        if reply.status_code in REFUSALS:
            return
        operation = self.contract.operation(method, path)
        assert operation is not None, f"{where} is not described"
        declared = operation["responses"].get(str(reply.status_code))
        assert declared is not None, f"{where} is not declared"
        schema = json_schema(declared)
        if schema is not None and reply.headers["content-type"] == "application/json":
            assert self.contract.wrong(schema, reply.json()) == [], where
        asked = json_schema(operation.get("requestBody", {}))
        if asked is not None:
            assert self.contract.wrong(asked, json.loads(reply.request.content)) == [], where
