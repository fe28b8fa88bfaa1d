"""The stand-in against the vendor's published OpenAPI files, which cannot be part of this project.

With BASWARE_OPENAPI naming the folder that holds them (those of the P2P API, authentication and push notifications, as
Basware publishes them), every field of the contract is compared with ours, and every answer of a walk through the API,
and every request that it accepts, is validated.
"""

import json
import os
import random
import re
from pathlib import Path

import httpx2
import pytest
from tests.sandbox.basware.conftest import (
    Api,
    account,
    answer,
    coding,
    cost_center,
    invoice,
    line,
    order,
    term,
    vendor,
)

from ml_connector import sandbox
from ml_connector.sandbox.basware.incoming import Reader
from ml_connector.sandbox.basware.kinds import KINDS, LIST_KEYS, STATUS_ENTITIES
from ml_connector.sandbox.basware.schema import CHOICES, TYPES, Field
from ml_connector.sandbox.http import decode, encode

VARIABLE = "BASWARE_OPENAPI"
FOLDER = os.environ.get(VARIABLE, "")
SPELT = {
    "Name": "LanguageTranslationEntity",
    "CodingRow": "StandardCodingEntity",
    "Project": "ProjectEntityV2",
    "VendorFinancialAccount": "VendorfinancialAccountsEntity",
    "RequestIds": "ProcessingStatusGetBatchRequest",
}
"""Our names of types that the vendor names otherwise; the rest is ours with `Entity` behind it, or the same."""

UNDECLARED = {403, 405, 413, 429}
"""Statuses of the gateway, for which no answer is declared."""
WRITTEN = {"POST", "PATCH", "DELETE"}

pytestmark = pytest.mark.skipif(not FOLDER, reason=f"{VARIABLE} does not name a folder with Basware's OpenAPI files")


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


@pytest.fixture(scope="module")
def contract():
    return Contract(FOLDER)


@pytest.fixture
def held(stand_in, contract):
    stand_in.options({"bare_lists": []})
    client = Held(stand_in, contract)
    yield client
    client.http.close()


# --- the contract --------------------------------------------------------------------------------------------


def expected(published, name, required):
    """A published property as a field of ours."""
    reference = published.get("$ref") or published.get("items", {}).get("$ref", "")
    kind = {
        ("string", "date-time"): "date",
        ("string", None): "text",
        ("string", "uri"): "text",
        ("boolean", None): "flag",
        ("integer", "int32"): "whole",
        ("number", "double"): "number",
        ("array", None): "list",
        (None, None): "object",
    }[published.get("type"), published.get("format")]
    pattern = published.get("pattern", "") if kind == "text" else ""
    choices = published.get("enum") or ([] if "@" in pattern else [one for one in pattern.split("|") if one])
    if choices:
        kind = "choice"
    elif "@" in pattern:
        kind = "mail"
    bounds = {name: published.get(name) for name in ("minimum", "maximum")}
    if kind == "whole" and "pattern" in published:
        digits = published["pattern"].split("|")
        bounds = {"minimum": int(digits[0]), "maximum": int(digits[-1])}
    text = kind in {"text", "mail"}
    return {
        "kind": kind,
        "type": reference.rpartition("/")[2],
        "choices": tuple(choices) if kind == "choice" else (),
        "shortest": published.get("minLength", 0) if text else 0,
        "longest": published.get("maxLength") if text else None,
        **bounds,
        "required": required,
        "nullable": published.get("nullable", False),
    }


def ours(field: Field):
    is_type = field.kind in {"object", "list"} and field.of
    return {
        "kind": field.kind,
        "type": published_name(field.of) if is_type else "",
        "choices": CHOICES[field.of] if field.kind == "choice" else (),
        "shortest": field.shortest,
        "longest": field.longest,
        "minimum": None if field.least is None else int(field.least),
        "maximum": None if field.most is None else int(field.most),
        "required": field.required,
        "nullable": field.nullable,
    }


def published_name(name):
    if name in {"DisputeInfo", "Attachment", "InvoiceLine", "PaymentTermDiscountRule", "TaxCodeAdditionalData"}:
        return name
    return SPELT.get(name, name if name == "DeleteRequest" else f"{name}Entity")


@pytest.mark.parametrize("name", TYPES)
def test_every_field_is_as_published(contract, name):
    published = schemas(contract.p2p)[published_name(name)]
    assert published["additionalProperties"] is False
    required = published.get("required", [])
    assert {key: ours(field) for key, field in TYPES[name].items()} == {
        key: expected(value, key, key in required) for key, value in published["properties"].items()
    }


def made(rng, name):
    """A body that the contract allows, every optional field left out, null or filled by chance."""
    row = {}
    for field in TYPES[name].values():
        if field.required or rng.random() < 0.3:
            row[field.name] = None if field.nullable and rng.random() < 0.2 else value(rng, field)
    return row


def value(rng, field):
    if field.kind == "list":
        return [made(rng, field.of) if field.of else "x" for _ in range(rng.randint(0, 2))]
    if field.kind == "object":
        return made(rng, field.of)
    most = field.shortest + 5 if field.longest is None else min(field.longest, field.shortest + 5)
    number = int(rng.choice([field.least if field.least is not None else -3, field.most or 7]))
    return {
        "text": "x" * rng.randint(field.shortest, most),
        "mail": "a@b.example",
        "whole": number,
        "number": number,
        "flag": rng.random() < 0.5,
        "date": rng.choice(["2026-11-16", "2026-11-16T12:00:00Z"]),
        "choice": rng.choice(CHOICES.get(field.of, ("",))),
    }[field.kind]


def spoilt(rng, name, row):
    """The body with one thing changed that the contract may not allow, somewhere in it."""
    fields = [one for one in TYPES[name].values() if not one.server_set]
    inner = [one for one in fields if one.kind in {"object", "list"} and one.of and row.get(one.name)]
    if inner and rng.random() < 0.6:
        field = rng.choice(inner)
        below = row[field.name]
        if isinstance(below, list):
            below = [spoilt(rng, field.of, below[0]), *below[1:]]
        else:
            below = spoilt(rng, field.of, below)
        return {**row, field.name: below}
    field = rng.choice(fields)
    wrong = [None, True, 5, {}, [], [7], "", "y" * 2001, "nowhere"]
    if field.kind in {"date", "mail"}:
        wrong = [None, True, 5, {}]
    if field.kind == "whole" and field.most is not None and field.most < 10:
        wrong = [None, True, "", {}]
    changed = {**row, field.name: rng.choice(wrong)}
    match rng.randrange(5):
        case 0:
            return {key: inner for key, inner in row.items() if key != field.name}
        case 1:
            return {**row, "colour": "red"}
    return changed


@pytest.mark.parametrize("name", sorted({kind.entity for kind in KINDS.values()} | {"TransferResponse", "Order"}))
def test_the_stand_in_takes_what_the_contract_takes(contract, name):
    rng = random.Random(name)
    schema = {"$ref": f"#/components/schemas/{published_name(name)}"}
    taken = 0
    for _ in range(100):
        body = made(rng, name)
        for one in (body, spoilt(rng, name, body)):
            reader = Reader("reject")
            reader.entity(name, decode(encode(one)))
            allowed = contract.wrong(contract.p2p, schema, one)
            assert bool(reader.wrong) == bool(allowed), (one, reader.wrong, allowed)
            taken += not reader.wrong
    assert 100 < taken < 200


def test_paths_list_keys_and_known_values_are_as_published(contract):
    paths = contract.p2p["paths"]
    for kind in KINDS.values():
        path = f"/v{kind.version}/{kind.name}" + ("/{listKey}" if kind.keyed else "")
        content = json_schema(paths[path]["get"]["responses"]["200"])
        wrapper = schemas(contract.p2p)[content["$ref"].rpartition("/")[2]]
        assert list(wrapper["properties"]) == [kind.list_key], path
        assert set(paths[path]) >= {"get", "post", "delete"}
    (keys,) = [one for one in paths["/v1/lists/{listKey}"]["get"]["parameters"] if one["name"] == "listKey"]
    assert set(keys["schema"]["enum"]) == LIST_KEYS
    user_view = schemas(contract.p2p)["ConsumerLogEventUserView"]["properties"]
    assert set(user_view["entityType"]["enum"]) == STATUS_ENTITIES


# --- a walk through the API ----------------------------------------------------------------------------------


def test_master_data_and_what_becomes_of_it(held):
    rows = {"paymentTerms": term(), "accounts": account(text5="x"), "costCenters": cost_center(date1="2026-01-01")}
    rows |= {"vendors": full_vendor(), "matchingOrders": order(created="2026-11-16T08:00:00Z", text10="x")}
    receipts = [{"externalCode": "g1", "goodsReceiptNumber": "G1", "quantity": 10, "deliveryDate": "2026-11-10"}]
    rows["matchingOrderLines"] = line(orderLineCoding=coding(dimCode10="x"), goodsReceipts=receipts)
    rows["lists/ACC_LIST_3"] = {"externalCode": "D1", "text_25": "x", "dateValue_1": "2026-01-01"}
    for name, row in rows.items():
        assert held.post(f"/v1/{name}", [row]).status_code == 200
        assert held.get(f"/v1/{name}", orderExternalCode=row.get("orderExternalCode", "")).status_code == 200
        assert held.get(f"/v1/{name}/{row['externalCode']}").status_code == 200
        held.stand_in.options({"null_fields": "show"})
        assert held.get(f"/v1/{name}/{row['externalCode']}").status_code == 200
        held.stand_in.options({"null_fields": "omit"})
    assert held.call("PATCH", "/v1/vendors/RIL_vendor_ELC001", {"name": "Electra"}).status_code == 200
    held.stand_in.clock(advance=5)
    wrong = account("10-9", companies=[{"companyCode": "XXX", "inherit": True, "active": True}])
    request = held.written("accounts", wrong)
    assert held.get(f"/v1/requestStatus/{request}").status_code == 200
    held.stand_in.clock(advance=5)
    for path in ("requestStatus", "requestStatus?entityType=Vendor", f"requestStatus/{request}", "errorFeedbacks"):
        assert held.get(f"/v1/{path}").status_code == 200
    assert held.post("/v1/requestStatus/acknowledge", {"requestIds": [request]}).status_code == 200
    assert held.post("/v1/requestStatus/acknowledge", {"requestIds": [request]}).status_code == 405
    assert held.get("/v1/companies").status_code == 200


def full_vendor():
    bank = {"financialInstitution": {"name": "Bank", "id": "GENODEF1", "schemeId": "BIC"}}
    bank["financialAccountIdentifiers"] = [{"schemeId": "IBAN", "id": "DE02", "currencyCode": "USD"}]
    address = {"externalCode": "a1", "name": "Head office", "addressType": "PostalAddress", "streetName": "410 Kinzie"}
    address |= {"cityName": "Chicago", "postalZone": "60654", "countryId": "US", "default": True}
    address["additionalAddressFields"] = [{"key": "Floor", "value": "4"}]
    return vendor(
        addresses=[address],
        contacts=[{"name": "Dana", "email": "accounts@electra.example", "role": "PrimaryContact"}],
        paymentMeans=[{"paymentMeansCode": "ACH", "currencyCode": "USD", "financialAccounts": [bank]}],
        orderingDetails={"orderingFormat": "none"},
        tags=[{"name": "a", "value": "b"}],
        customFields=[{"name": "a", "value": "b"}],
    )


def test_refusals(held):
    assert held.post("/v1/vendors", [{"externalCode": "x"}]).status_code == 400
    assert held.post("/v1/vendors", [vendor(), vendor()]).status_code == 409
    assert held.get("/v1/vendors").status_code == 404
    assert held.get("/v1/vendors/none").status_code == 404
    assert held.call("DELETE", "/v1/accounts", {}).status_code == 400
    assert held.call("DELETE", "/v1/accounts", {"lastUpdated": "0001-01-01T00:00:00Z"}).status_code == 202
    assert held.post("/v1/accountingDocuments/none/acknowledge").status_code == 404
    assert held.token("").status_code == 400
    assert held.token(auth=("x", "y")).status_code == 401
    assert held.token(data=None, content=b"").status_code == 422
    held.http.headers["Authorization"] = "Bearer nothing"
    assert held.get("/v1/vendors").status_code == 401


def test_invoices_and_their_answers(held):
    base = Path(sandbox.__file__).parent / "data" / "base_set.basware.json"
    held.stand_in.edit("accountingDocuments", decode(base.read_bytes())["accountingDocuments"])
    documents = held.file("/v1/accountingDocuments", ProcessingStatus="WaitingForTransfer")["accountingDocuments"]
    assert len(documents) == 12
    first = f"/v1/accountingDocuments/{documents[0]['invoiceId']}"
    held.stand_in.options({"null_fields": "show"})
    held.file(first)
    held.stand_in.options({"null_fields": "omit"})
    assert held.post(f"{first}/acknowledge").status_code == 200
    assert held.post(f"{first}/acknowledge").status_code == 405
    body = answer(voucherNumber1="2026-11 00017-001", sourceSystem="SYSPRO", transferDate="2026-11-16T12:00:00Z")
    assert held.post(f"{first}/transferResponses", body).status_code == 200
    assert held.post(f"{first}/transferResponses", body).status_code == 400
    paid = {"externalCode": "p1", "success": True, "paymentBlock": False, "paidTotal": 250}
    assert held.post(f"{first}/paymentResponses", paid).status_code == 200
    assert held.post(f"{first}/paymentResponses", paid).status_code == 409
    held.file(first)
    held.stand_in.options({"invoice_status": True})
    query = {"companyCode": "RIL", "invoiceNumber": "ELC-1001", "invoiceDate": "2026-11-10"}
    assert held.get("/v1/accountingDocuments/status", **query).status_code == 200


def test_seeded_invoices(contract):
    with sandbox.start("basware", seed=3, options={"documents": 300}) as stand_in:
        client = Held(stand_in, contract)
        headers, count = {}, 0
        while True:
            reply = client.http.get("/v1/accountingDocuments", headers=headers)
            file = httpx2.get(reply.headers["location"])
            content, operation = contract.operation("GET", "/v1/accountingDocuments")
            assert contract.wrong(content, json_schema(operation["responses"]["200"]), file.json()) == []
            count += len(file.json()["accountingDocuments"])
            if "x-amz-meta-continuationtoken" not in file.headers:
                break
            headers = {"x-amz-meta-continuationtoken": file.headers["x-amz-meta-continuationtoken"]}
        assert count == 300


def test_subscriptions_tasks_and_notifications(held, receiver):
    wish = {"taskType": "AccountingDocuments", "taskSubType": "WaitingForTransfer", "subscriptionType": "Webhook"}
    wish |= {"notificationWebhookURL": receiver.url, "webhookAuthenticationToken": "secret"}
    assert held.post("/v1/subscriptions", [wish]).status_code == 200
    assert held.post("/v1/subscriptions", [{}]).status_code == 400
    assert held.get("/v1/subscriptions").status_code == 200
    assert held.get("/v1/subscriptions?taskType=Nothing").status_code == 404
    held.stand_in.edit("accountingDocuments", invoice())
    bodies = receiver.wait(2)
    content, operation = held.contract.operation("POST", "/v1/subscriptions")
    callback = operation["callbacks"]["notification"]["{$notificationWebhookURL}"]["post"]
    for body in bodies:
        assert held.contract.wrong(content, json_schema(callback["requestBody"]), body) == []
    assert held.get("/v1/tasks").status_code == 200
    assert held.get(f"/v1/tasks/{bodies[1]['taskId']}").status_code == 200
    assert held.get("/v1/tasks?taskStatus=Failed").status_code == 404
    assert held.get("/v1/tasks/none").status_code == 404
    assert held.call("DELETE", "/v1/subscriptions").status_code == 422
    path = "/v1/subscriptions?taskType=All&taskSubType=All&lastUpdated=2000-01-01"
    assert held.call("DELETE", path).status_code == 200
    assert held.get("/.well-known/jwks.json").status_code == 200
    assert held.get("/.well-known/openid-configuration").status_code == 200
