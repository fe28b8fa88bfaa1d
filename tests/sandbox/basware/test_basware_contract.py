"""Our form of the contract against the vendor's published files, field by field and body by body (see published)."""

import random

import pytest
from tests.sandbox.basware.published import json_schema, needed, schemas

from ml_connector.sandbox.basware.incoming import Reader
from ml_connector.sandbox.basware.kinds import KINDS, LIST_KEYS, STATUS_ENTITIES
from ml_connector.sandbox.basware.schema import CHOICES, TYPES, Field
from ml_connector.sandbox.http import decode, encode

SPELT = {
    "Name": "LanguageTranslationEntity",
    "CodingRow": "StandardCodingEntity",
    "Project": "ProjectEntityV2",
    "VendorFinancialAccount": "VendorfinancialAccountsEntity",
    "RequestIds": "ProcessingStatusGetBatchRequest",
}
"""Our names of types that the vendor names otherwise; the rest is ours with `Entity` behind it, or the same."""

pytestmark = needed


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
