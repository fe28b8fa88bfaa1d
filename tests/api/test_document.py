"""The document that is committed is the one that is served, and the page beside it says the same."""

from __future__ import annotations

from pathlib import Path

from django.test import Client

from ml_connector.api.v1 import document
from tests.api.conftest import operations

DOCS = Path(__file__).parents[2] / "docs"
BEHIND = "Write it anew: ./run openapi"


def test_the_committed_document_is_what_the_code_says():
    assert (DOCS / "openapi.json").read_text() == document.text(), BEHIND


def test_the_tables_of_the_page_are_what_the_code_says():
    page = (DOCS / "api.md").read_text()
    assert document.with_tables(page) == page, BEHIND
    assert all(f"`{operation.path.partition('{workspace}')[2]}`" in page for operation in operations())


def test_the_document_is_served_to_everybody(database):
    answer = Client(headers={"host": "localhost"}).get("/api/v1/openapi.json")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    assert answer.content.decode() == document.text()


def test_every_operation_says_what_it_is_and_what_it_may_answer():
    seen = set()
    for methods in document.document()["paths"].values():
        for method, operation in methods.items():
            assert operation["operationId"] not in seen
            seen.add(operation["operationId"])
            assert operation["description"].endswith("."), operation["operationId"]
            assert {"401", "403", "422", "429", "500"} <= set(operation["responses"])
            assert operation["security"] == [{"token": [operation["x-scope"]]}]
            assert (
                (method == "post")
                == operation["x-changes"]
                == any(one["name"] == "Idempotency-Key" for one in operation["parameters"])
            )
            good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            assert "$ref" in good["content"]["application/json"]["schema"]


def test_every_reference_leads_somewhere():
    import json
    import re

    text = document.text()
    found = json.loads(text)["components"]
    for kind, name in set(re.findall(r'"#/components/(\w+)/([\w-]+)"', text)):
        assert name in found[kind], name
