"""The contract map: schema, overlays, the guard, the comparison with OpenAPI, and that no name stands in the code."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import ml_connector.systems.avidxchange as package
from ml_connector.cli.app import app
from ml_connector.systems.avidxchange import contract, openapi, paths
from ml_connector.systems.avidxchange.contract import ContractWrong, load, shipped
from ml_connector.systems.avidxchange.settings import options
from ml_connector.systems.base import Refused

from .platform import renamed

VERIFIED = "{revision: 2, state: verified}"
GIVEN = {"base_url": "https://gw.example", "company_id": "c", "client_id": "k"}


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("A.B", {"A": {"B": 1}}, 1),
        ("A.B", {"A": None}, None),
        ("A[]", {"A": {"B": 1}}, [{"B": 1}]),
        ("A[].B", {"A": [{"B": 1}, {"B": 2}]}, [1, 2]),
        ("A[1].B", {"A": [{"B": 1}, {"B": 2}]}, 2),
        ("A[4].B", {"A": []}, None),
        ("A[Rel=x.y].B", {"A": [{"Rel": "n", "B": 1}, {"Rel": "x.y", "B": 2}]}, 2),
    ],
)
def test_a_path_leads_to_its_value(path, value, found):
    assert paths.read(value, path) == found


def test_what_is_written_at_a_path_is_read_at_it():
    body: dict[str, Any] = {}
    for path in ("A.B", "A.C[0].D", "A.C[1].D", "E[Rel=x].F"):
        paths.put(body, path, path)
        assert paths.read(body, path) == path
    assert body["E"] == [{"Rel": "x", "F": "E[Rel=x].F"}]


@pytest.mark.parametrize(
    ("overlay", "words"),
    [
        ("records: {vendor: {colour: {at: X}}}", "records.vendor: Object contains unknown field `colour`"),
        ("records: {vendor: {code: {at: 'X['}}}", "records.vendor.code: 'X[' is no path"),
        ("records: {vendor: {code: {at: X, form: money}}}", "records.vendor.code.form: Invalid enum value 'money'"),
        ("records: {vendor: {code: {at: X}, name: {at: X.Y}}}", "records.vendor.name.at: X is a value and an object"),
        ("records: {payment: {amount: null}}", "records.payment.amount: Expected `object`"),
        ("operations: {vendors: {do: LIST /x}}", "operations.vendors: 'LIST /x' is no request"),
        ("operations: {vendors: {query: {to: ''}}}", "operations.vendors.query: a window needs both from and to"),
        ("company: {place: path}", "its top: company: {company} stands in a path"),
        ("words: {order: {closed: [open]}}", "words: order: open stands for two words of ours"),
        ("words: {order: {closed: []}}", "words: order: each of open, closed and cancelled"),
        ("words: {payment: {stopped: [Stop]}}", "words.payment"),
        ("state: verified", "its top: revision: a verified map has a revision"),
        ("lists: {size: 0}", "lists: a page has at least one row"),
        ("[1", "no YAML at line 1"),
        ("just words", "no YAML object"),
    ],
)
def test_what_is_wrong_with_a_map_is_said_with_its_place(overlay, words):
    with pytest.raises(ContractWrong) as wrong:
        load(overlay)
    assert words in str(wrong.value)


def test_an_overlay_replaces_names_one_by_one():
    found = load("revision: 3\nrecords: {vendor: {code: {at: VendorCode, known: confirmed}}}")
    assert (found.records.vendor.code.at, found.records.vendor.name.at) == ("VendorCode", "VendorName")
    assert found.fingerprint != load().fingerprint
    assert "records.vendor.active" in found.assumed()
    assert load(VERIFIED).assumed() == []


@pytest.mark.parametrize(
    ("settings", "passes"),
    [
        ({}, False),
        ({"verified_contract": True}, False),
        ({"contract_map": VERIFIED}, False),
        ({"contract_map": "revision: 2", "verified_contract": True}, False),
        ({"contract_map": VERIFIED, "verified_contract": True}, True),
        ({"base_url": "http://127.0.0.1:1"}, True),
        ({"base_url": "http://localhost:1"}, True),
        ({"base_url": "http://127.0.0.1.evil.example"}, False),
        ({"base_url": "http://127.0.0.1:1", "token_url": "https://gw.example/token"}, False),
    ],
)
def test_an_assumed_map_leads_to_this_machine_only(settings, passes):
    if passes:
        assert options({**GIVEN, **settings}).company_id == "c"
        return
    with pytest.raises(Refused) as refused:
        options({**GIVEN, **settings})
    assert (refused.value.code, refused.value.field) == ("contract_assumed", "contract_map")


def test_values_that_make_no_sense_are_refused_by_name():
    here = {**GIVEN, "base_url": "http://127.0.0.1:1"}
    for more, field in (
        ({"client_id": ""}, "client_id"),
        ({"post_payment_when": ["paid"]}, "post_payment_when"),
        ({"requests_per_second": 0}, "requests_per_second"),
        ({"contract_map": "zz: 1"}, "contract_map"),
    ):
        with pytest.raises(Refused) as refused:
            options({**here, **more})
        assert refused.value.field == field


def names_of(value: Any) -> Iterator[str]:
    """The wire names of a map: steps of paths, parameters, headers, words."""
    for record in value["records"].values():
        for one in record.values():
            yield from (step.name for step in paths.parse(one["at"]))
    for operation in value["operations"].values():
        yield from (part for part in operation["do"].split("/")[1:] if not part.startswith("{"))
        yield from (text for text in operation.get("query", {}).values() if isinstance(text, str))
    yield from (text for name, text in value["headers"].items() if text != "Authorization")
    yield from (value["company"]["name"], value["account_group"])
    for name, words in value["words"].items():
        if name != "known":
            yield from (text for texts in words.values() for text in texts)


def test_no_name_of_theirs_stands_in_the_code():
    wire = {name for name in names_of(shipped()) if not name.islower()}
    assert {"VendorExternalSystemID", "lastModifiedFrom", "ACH Credit Issued"} <= wire
    found = []
    for file in sorted(Path(package.__file__).parent.glob("*.py")):
        nodes = ast.walk(ast.parse(file.read_text("utf-8")))
        texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        found += [(file.name, text) for text in texts if text in wire and len(text) > 4]
    assert found == []


def test_the_renamed_map_shares_no_name_with_the_shipped_one():
    other = yaml.safe_load(renamed())
    assert set(names_of(other)) & set(names_of(shipped())) == set()
    assert contract.of(other).contract == "another"


# --- against an OpenAPI file ---


def described() -> dict[str, Any]:
    """An OpenAPI file that the shipped map agrees with, made of the map."""
    held = load()
    document: dict[str, Any] = {"openapi": "3.0.3", "paths": {}, "components": {"schemas": {}}}
    for record, fields in contract.named(held.records):
        schema: dict[str, Any] = {"type": "object", "properties": {}}
        for name, field in contract.named(fields):
            _described(schema, paths.parse(field.at), field.form, openapi.INSIDE.get((record, name)))
        document["components"]["schemas"][record] = schema
    for name, operation in contract.named(held.operations):
        query = operation.query
        used = [query.since, query.until, query.ids, query.external_ids]
        used += [held.lists.page_parameter, held.lists.size_parameter] if name in openapi.LISTED else []
        parameters = [{"in": "query", "name": one} for one in used if one]
        item: dict[str, Any] = {"parameters": [*parameters, {"in": "header", "name": held.company.name}]}
        if name in openapi.LISTED:
            rows = {"type": "array", "items": {"$ref": f"#/components/schemas/{openapi.LISTED[name]}"}}
            body = {"allOf": [{"properties": {held.lists.rows: rows}}]}
            item["responses"] = {"200": {"content": {"application/json": {"schema": body}}}}
        if name in openapi.WRITTEN:
            one = {"$ref": f"#/components/schemas/{openapi.WRITTEN[name]}"}
            wrapped = {"type": "object", "properties": {held.writes.wrap: {"type": "array", "items": one}}}
            body = one if operation.bare else wrapped
            item["requestBody"] = {"content": {"application/json": {"schema": body}}}
        path = "/v1" + operation.path.replace("{id}", "{key}")
        document["paths"].setdefault(path, {})[operation.method.lower()] = item
    return document


def _described(schema: dict[str, Any], steps: Any, form: Any, inside: str | None) -> None:
    kind = {"flag": "boolean", "amount": "number", "number": "number", "integer": "integer"}.get(form.value, "string")
    for position, step in enumerate(steps):
        last = position == len(steps) - 1
        leaf = {"$ref": f"#/components/schemas/{inside}"} if inside else {"type": kind}
        below = leaf if last else {"type": "object", "properties": {}}
        given = {"type": "array", "items": below} if step.plural else below
        held = schema.setdefault("properties", {}).setdefault(step.name, given)
        schema = held["items"] if held.get("type") == "array" else held


def test_a_map_that_agrees_has_no_findings():
    assert not openapi.compare(load(), described())


def test_what_differs_is_found_in_three_lists():
    document = described()
    schemas = document["components"]["schemas"]
    schemas["vendor"]["properties"]["Code"] = schemas["vendor"]["properties"].pop("VendorExternalSystemID")
    schemas["vendor"]["required"] = ["Code", "VendorName"]
    schemas["invoice"]["properties"]["GrossAmount"]["type"] = "string"
    del document["paths"]["/v1/accountingCodeGroups"]
    del document["paths"]["/v1/payments"]["get"]["parameters"][0]
    found = openapi.compare(load(), document)
    assert "operations.groups: GET /accountingCodeGroups is not in the file." in found.missing
    assert "operations.payments: GET /payments has no parameter lastModifiedFrom." in found.missing
    assert "records.vendor.code: VendorExternalSystemID is not in the body of POST /vendors." in found.missing
    assert "records.invoice.gross: the file has string, the map has amount." in found.other_type
    assert found.unmapped == ["POST /vendors needs Code in vendor, which the map does not give."]


def test_the_command_says_what_differs_and_ends_with_one(tmp_path):
    document = described()
    del document["paths"]["/v1/vendors"]["post"]
    (tmp_path / "api.json").write_text(json.dumps(document))
    (tmp_path / "map.yaml").write_text("revision: 1")
    given = ["contract", "check", str(tmp_path / "map.yaml")]
    assert CliRunner().invoke(app, given).exit_code == 0
    result = CliRunner().invoke(app, [*given, "--openapi", str(tmp_path / "api.json"), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["missing"] == ["operations.vendor_put: POST /vendors is not in the file."]


def test_the_command_refuses_what_is_no_map_and_no_openapi(tmp_path):
    (tmp_path / "map.yaml").write_text("records: {vendor: {colour: {at: X}}}")
    (tmp_path / "api.json").write_text("[]")
    assert CliRunner().invoke(app, ["contract", "check", str(tmp_path / "map.yaml")]).exit_code == 2
    (tmp_path / "map.yaml").write_text("revision: 1")
    given = ["contract", "check", str(tmp_path / "map.yaml"), "--openapi", str(tmp_path / "api.json")]
    assert CliRunner().invoke(app, given).exit_code == 2


def test_the_shown_map_is_a_map_of_its_own(tmp_path):
    result = CliRunner().invoke(app, ["contract", "show"])
    assert load(result.stdout) == load()
