"""The OpenAPI files that Basware publishes. They cannot be part of this project: BASWARE_OPENAPI names their folder."""

import json
import os
import re
from pathlib import Path

import httpx2
import pytest
from tests.sandbox.basware.conftest import Api

VARIABLE = "BASWARE_OPENAPI"
FOLDER = os.environ.get(VARIABLE, "")
UNDECLARED = {403, 405, 413, 429}
"""Statuses of the gateway, for which no answer is declared."""
WRITTEN = {"POST", "PATCH", "DELETE"}

needed = pytest.mark.skipif(not FOLDER, reason=f"{VARIABLE} does not name a folder with Basware's OpenAPI files")


class Contract:
    """The published files: operations by method and path, schemas ready for validation."""

    def __init__(self, folder):
        self.files = []
        for path in sorted(Path(folder).glob("*.json")):
            content = json.loads(path.read_text())
            if "paths" in content and "components" in content:
                self.files.append(content)
        self.files.sort(key=lambda one: str(one["info"].get("version")), reverse=True)
        self.components = {
            (one["info"].get("title"), len(one["paths"])): nullable(one["components"]) for one in self.files
        }
        self.p2p = max(self.files, key=lambda one: ("StandardCodingEntity" in schemas(one), len(one["paths"])))

    def operation(self, method, path):
        """The file and operation of a request; None for a path that no file has."""
        for content in (self.p2p, *self.files):
            for template, operations in content["paths"].items():
                if matches(template, path) and method.lower() in operations:
                    return content, operations[method.lower()]
        return None

    def wrong(self, content, schema, value):
        """What of a value the schema does not allow."""
        from jsonschema import Draft202012Validator

        whole = {**nullable(schema), "components": self.components[content["info"]["title"], len(content["paths"])]}
        return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(whole).iter_errors(value)]


def schemas(content):
    return content["components"]["schemas"]


def matches(template, path):
    if template.count("{") and template.endswith("/status"):
        return False
    pattern = re.sub(r"\\\{[^/]+\\\}", "[^/]+", re.escape(template))
    return re.fullmatch(pattern, path) is not None and (template == path or not path.endswith("/status"))


def nullable(schema):
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: nullable(value) for name, value in schema.items() if name not in {"nullable", "example"}}
    if isinstance(schema.get("type"), str) and schema.get("type") != "string":
        plain.pop("pattern", None)
    if schema.get("nullable") is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain


class Held(Api):
    """A client of the stand-in whose every exchange is held against the contract."""

    def __init__(self, stand_in, contract):
        self.contract = contract
        self.seen = []
        super().__init__(stand_in)
        self.http.event_hooks = {"response": [self._check]}
        self.log_in()

    def _check(self, reply):
        reply.read()
        method, path = reply.request.method, reply.request.url.path
        found = self.contract.operation(method, path)
        assert found is not None, f"{method} {path} is not in the contract"
        content, operation = found
        self.seen.append((method, path, reply.status_code))
        where = f"{method} {path} -> {reply.status_code}"
        declared = operation["responses"].get(str(reply.status_code))
        assert declared is not None or reply.status_code in UNDECLARED, f"{where} is not declared"
        schema = json_schema(declared or {})
        if schema is not None:
            assert self.contract.wrong(content, schema, reply.json()) == [], where
        taken = method in WRITTEN and reply.status_code in {200, 202}
        asked = json_schema(operation.get("requestBody", {}))
        if taken and asked is not None and "json" in reply.request.headers.get("content-type", ""):
            body = json.loads(reply.request.content)
            if method == "PATCH":
                name = asked["$ref"].rpartition("/")[2]
                asked = {key: inner for key, inner in schemas(content)[name].items() if key != "required"}
            assert self.contract.wrong(content, asked, body) == [], where

    def file(self, path, **query):
        """The file behind a redirect, held against what its list declares."""
        reply = self.http.get(path, params=query or None)
        assert reply.status_code == 302
        file = httpx2.get(reply.headers["location"])
        content, operation = self.contract.operation("GET", path)
        schema = json_schema(operation["responses"]["200"])
        assert self.contract.wrong(content, schema, file.json()) == [], path
        return file.json()


def json_schema(declared):
    for media, content in declared.get("content", {}).items():
        if "json" in media:
            return content["schema"]
    return None
