"""What the stand-in says of its types: sound in itself, and true to the metadata of a real company.

A real company's `$metadata` cannot be part of this project. With SAPB1_METADATA_V1 and SAPB1_METADATA_V2 naming files
of it (GET /b1s/v1/$metadata and /b1s/v2/$metadata), every answer is held against them.
"""

import os
import re
from pathlib import Path

import pytest
from lxml import etree
from tests.sandbox.sapb1.conftest import NOW, Layer, invoice_body, payment_body

from ml_connector import sandbox
from ml_connector.sandbox.sapb1.enums import ENUMS
from ml_connector.sandbox.sapb1.schema import NAVIGATION, SETS, Schema

VARIABLES = {"v1": "SAPB1_METADATA_V1", "v2": "SAPB1_METADATA_V2"}
EDM_OF_JSON = {
    "Edm.String": (str,),
    "Edm.Int32": (int,),
    "Edm.Double": (int, float),
    "Edm.DateTime": (str,),
    "Edm.DateTimeOffset": (str,),
    "Edm.Time": (str,),
    "Edm.TimeOfDay": (str,),
}
SPELLING = {
    "Edm.DateTime": r"\d{4}-\d\d-\d\d",
    "Edm.DateTimeOffset": r"\d{4}-\d\d-\d\dT00:00:00Z",
    "Edm.Time": r"\d\d:\d\d:\d\d",
    "Edm.TimeOfDay": r"\d\d:\d\d:\d\d",
}


class Real:
    """The types of an EDMX document."""

    def __init__(self, text: bytes) -> None:
        root = etree.fromstring(text, etree.XMLParser(resolve_entities=False, huge_tree=True))
        self.types, self.enums, self.sets, self.keys = {}, {}, {}, {}
        self.read_only = set()
        for element in root.iter("{*}EntityType", "{*}ComplexType"):
            name = element.get("Name")
            self.types[name] = {one.get("Name"): one.get("Type") for one in element.iterfind("{*}Property")}
            self.keys[name] = [one.get("Name") for one in element.iterfind("{*}Key/{*}PropertyRef")]
            marked = element.iterfind("{*}Property[@Writable='false']")
            self.read_only |= {(name, one.get("Name")) for one in marked}
        for element in root.iter("{*}EnumType"):
            self.enums[element.get("Name")] = {
                one.get("Name"): one.get("Value") for one in element.iterfind("{*}Member")
            }
        for element in root.iter("{*}EntitySet"):
            self.sets[element.get("Name")] = element.get("EntityType").partition(".")[2]

    def wrong(self, type_name: str, row: dict) -> list[str]:
        """What of an answer the real types do not allow."""
        found = []
        for name, value in row.items():
            if name.startswith(("odata.", "@odata.")) or (type_name, name) in NAVIGATION:
                continue
            edm = self.types.get(type_name, {}).get(name)
            where = f"{type_name}.{name}"
            if edm is None:
                found.append(f"{where} is unknown")
            elif edm.startswith("Collection("):
                inner = edm[len("Collection(SAPB1.") : -1]
                found += [text for one in value for text in self.wrong(inner, one)]
            elif value is not None:
                found += self._wrong_value(where, edm, value)
        return found

    def _wrong_value(self, where: str, edm: str, value: object) -> list[str]:
        if edm.startswith("SAPB1."):
            return [] if value in self.enums[edm.partition(".")[2]] else [f"{where}: {value} is no {edm}"]
        if not isinstance(value, EDM_OF_JSON[edm]):
            return [f"{where}: {value!r} is no {edm}"]
        spelling = SPELLING.get(edm)
        return [f"{where}: {value} is spelt wrong"] if spelling and not re.fullmatch(spelling, str(value)) else []


@pytest.fixture(params=["v1", "v2"])
def real(request):
    path = os.environ.get(VARIABLES[request.param])
    if not path:
        pytest.skip(f"{VARIABLES[request.param]} names no file with the $metadata of a real company")
    return request.param, Real(Path(path).read_bytes())


@pytest.fixture
def busy(real):
    """A company in which everything has happened once, as an old release for the old description."""
    version, _ = real
    with sandbox.start("sapb1", options={"invoices": 60, "old_release": version == "v1"}) as stand_in:
        stand_in.clock(now=NOW, running=False)
        layer = Layer(stand_in, version)
        layer.login()
        layer.vendor(BPAddresses=[{"AddressName": "A", "AddressType": "bo_BillTo"}], ContactEmployees=[{"Name": "D"}])
        entry = layer.invoice(100)["DocEntry"]
        layer.payment({"DocEntry": entry, "SumApplied": 10}, total=10)
        layer.post(f"PurchaseInvoices({layer.invoice(5)['DocEntry']})/Cancel")
        stand_in.options({"approval_above": 1})
        layer.post("PurchaseInvoices", invoice_body(5))
        layer.post("VendorPayments", payment_body({"DocEntry": entry, "SumApplied": 10}, total=10))
        layer.made("Projects", {"Code": "P1", "Name": "Project"})
        layer.made("UserFieldsMD", {"TableName": "OVPM", "Name": "MLC_REF"})
        yield layer


def test_every_answer_is_of_the_real_types(real, busy):
    _, edmx = real
    wrong: list[str] = []
    for name, one in SETS.items():
        assert edmx.sets[name] == one.type
        rows = busy.get(name, headers={"B1S-PageSize": "0"}).json()["value"]
        assert rows, name
        wrong += [text for row in rows for text in edmx.wrong(one.type, row) if "U_MLC_REF" not in text]
    for function, type_name in (("GetAdminInfo", "AdminInfo"), ("GetCompanyInfo", "CompanyInfo")):
        wrong += edmx.wrong(type_name, busy.post(f"CompanyService_{function}").json())
    years = busy.post("CompanyService_GetPeriods").json()["value"]
    months = busy.post("CompanyService_GetFinancePeriods", {"PeriodCategoryParams": years[0]}).json()["value"]
    wrong += [text for month in months for text in edmx.wrong("FinancePeriod", month)]
    wrong += edmx.wrong("B1Session", {k: v for k, v in busy.login().json().items() if "odata" not in k})
    assert sorted(set(wrong)) == []


def test_our_description_is_a_part_of_the_real_one(real, busy):
    version, edmx = real
    ours = Real(busy.get("$metadata").content)
    for name, type_name in ours.sets.items():
        assert edmx.sets[name].removeprefix("SAPB1.") == type_name
    for name, properties in ours.types.items():
        mine = {one: edm for one, edm in properties.items() if one != "U_MLC_REF"}
        assert {one: edmx.types[name].get(one) for one in mine} == mine, name
        assert ours.keys[name] == [] or ours.keys[name] == edmx.keys[name]
    for name, members in ours.enums.items():
        real_members = edmx.enums.get(name)
        assert real_members is not None or version == "v1", name
        if version == "v1" and real_members is not None:
            assert {one: real_members.get(one) for one in members} == members, name
        elif real_members is not None:
            assert set(members) <= set(real_members), name


def test_what_is_read_only_there_is_read_only_here(real):
    version, edmx = real
    if version == "v2":
        pytest.skip("v2's description does not say what is read-only; v1's of 2019 does")
    ours = {
        (type_.name, one.name)
        for type_ in Schema().types.values()
        for one in type_.properties.values()
        if one.read_only
    }
    known = {(name, one) for name, one in edmx.read_only if one in Schema().types.get(name, _NONE).properties}
    assert known == {pair for pair in ours if pair[1] in edmx.types.get(pair[0], {})}


# --- without a real company ----------------------------------------------------------------------------------


def test_the_types_name_only_types_and_members_that_exist():
    types = Schema().types
    for type_ in types.values():
        for one in type_.properties.values():
            assert one.kind != "list" or one.of in types
            assert one.kind != "enum" or one.of in ENUMS
            assert one.kind != "enum" or one.default is None or one.default in ENUMS[one.of], f"{type_.name}.{one.name}"
    for one in SETS.values():
        assert types[one.type].keys
    for (type_name, _), (set_name, foreign_key) in NAVIGATION.items():
        assert foreign_key in types[type_name].properties
        assert len(types[SETS[set_name].type].keys) == 1


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_every_answer_is_of_our_own_description(company, version):
    layer = Layer(company, version)
    layer.login()
    reply = layer.get("$metadata")
    assert reply.headers["content-type"].startswith("application/xml")
    own = Real(reply.content)
    assert set(own.sets) == set(SETS)
    for name, one in SETS.items():
        rows = layer.rows(name, top=5)
        assert [text for row in rows for text in own.wrong(one.type, _floats(row))] == []


def _floats(value):
    if isinstance(value, dict):
        return {name: _floats(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_floats(one) for one in value]
    return float(value) if type(value).__name__ == "Decimal" else value


class _NONE:
    properties: dict = {}
