"""`$metadata`: the company's types as EDMX, in the dialect of either version."""

from xml.sax.saxutils import quoteattr

from ml_connector.sandbox.sapb1.enums import ENUMS
from ml_connector.sandbox.sapb1.output import Lacks, Version
from ml_connector.sandbox.sapb1.schema import NAVIGATION, SETS, Property, Schema, Type

EDM = {
    "v1": {"string": "String", "int": "Int32", "double": "Double", "date": "DateTime", "time": "Time"},
    "v2": {"string": "String", "int": "Int32", "double": "Double", "date": "DateTimeOffset", "time": "TimeOfDay"},
}
FUNCTIONS = (
    "CompanyService_GetAdminInfo",
    "CompanyService_GetCompanyInfo",
    "SBOBobService_GetLocalCurrency",
    "SBOBobService_GetSystemCurrency",
    "SBOBobService_GetCurrencyRate",
)
ACTIONS = (
    "Login",
    "Logout",
    "CompanyService_GetPeriods",
    "CompanyService_GetFinancePeriods",
    "CompanyService_GetFinancePeriod",
    "DraftsService_SaveDraftToDocument",
)
UNBOUND_TYPES = (
    "B1Session",
    "AdminInfo",
    "CompanyInfo",
    "FinancePeriod",
    "FinancePeriodParams",
    "PeriodCategoryParams",
)
BOUND = {
    "Document": ("Cancel", "Close", "Reopen"),
    "Payment": ("Cancel", "CancelbyCurrentSystemDate", "SaveDraftToDocument"),
}


def metadata(schema: Schema, version: Version, lacks: Lacks) -> str:
    entities = {one.type for one in SETS.values()} | {"B1Session"}
    parts = [_enum(name, members, version) for name, members in ENUMS.items()]
    for type_ in _described(schema, lacks):
        kind = "EntityType" if type_.name in entities else "ComplexType"
        parts.append(_type(type_, kind, version, lacks))
    if version == "v2":
        parts += [f'<Function Name="{name}"/>' for name in FUNCTIONS]
        parts += [f'<Action Name="{name}"/>' for name in ACTIONS]
        parts += [
            f'<Action IsBound="true" Name="{name}"><Parameter Name="{type_}Params" Type="SAPB1.{type_}"/></Action>'
            for type_, names in BOUND.items()
            for name in names
        ]
    parts.append(_container(version))
    return _document("".join(parts), version)


def _described(schema: Schema, lacks: Lacks) -> list[Type]:
    """The types that this release has, in their order: those of the sets and services, and what they are made of."""
    wanted = [*(one.type for one in SETS.values()), *UNBOUND_TYPES]
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        found.add(name)
        properties = schema.types[name].properties.values()
        shown = [one for one in properties if one.kind == "list" and not lacks(name, one)]
        wanted += [one.of for one in shown if one.of not in found]
    return [type_ for type_ in schema.types.values() if type_.name in found]


def _document(content: str, version: Version) -> str:
    if version == "v1":
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx">'
            '<edmx:DataServices m:DataServiceVersion="3.0" '
            'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
            f'<Schema Namespace="SAPB1" xmlns="http://schemas.microsoft.com/ado/2009/11/edm">{content}</Schema>'
            "</edmx:DataServices></edmx:Edmx>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema Namespace="SAPB1" xmlns="http://docs.oasis-open.org/odata/ns/edm">{content}</Schema>'
        "</edmx:DataServices></edmx:Edmx>"
    )


def _enum(name: str, members: dict[str, str], version: Version) -> str:
    """v1 gives the letter of the database, v2 a number."""
    values = [(one, letter if version == "v1" else str(n)) for n, (one, letter) in enumerate(members.items())]
    inner = "".join(f"<Member Name={quoteattr(one)} Value={quoteattr(value)}/>" for one, value in values)
    return f'<EnumType Name="{name}" UnderlyingType="Edm.Int32">{inner}</EnumType>'


def _type(type_: Type, kind: str, version: Version, lacks: Lacks) -> str:
    keys = "".join(f'<PropertyRef Name="{name}"/>' for name in type_.keys)
    head = f"<Key>{keys}</Key>" if kind == "EntityType" and keys else ""
    shown = [one for one in type_.properties.values() if not lacks(type_.name, one)]
    inner = "".join(_property(one, version, key=one.name in type_.keys) for one in shown)
    if kind == "EntityType":
        inner += "".join(
            _navigation(name, to, version) for (of, name), (to, _) in NAVIGATION.items() if of == type_.name
        )
    return f'<{kind} Name="{type_.name}">{head}{inner}</{kind}>'


def _navigation(name: str, to: str, version: Version) -> str:
    target = f"SAPB1.{SETS[to].type}"
    if version == "v2":
        return f'<NavigationProperty Name="{name}" Type="{target}"/>'
    return f'<NavigationProperty Name="{name}" Relationship="SAPB1.{name}" ToRole="{SETS[to].type}"/>'


def _property(one: Property, version: Version, *, key: bool) -> str:
    match one.kind:
        case "enum":
            edm = f"SAPB1.{one.of}"
        case "list":
            edm = f"Collection(SAPB1.{one.of})"
        case _:
            edm = f"Edm.{EDM[version][one.kind]}"
    nullable = ' Nullable="false"' if key else ""
    return f'<Property Name="{one.name}" Type="{edm}"{nullable}/>'


def _container(version: Version) -> str:
    sets = "".join(f'<EntitySet EntityType="SAPB1.{one.type}" Name="{one.name}"/>' for one in SETS.values())
    if version == "v1":
        sets += "".join(f'<FunctionImport Name="{name}"/>' for name in (*ACTIONS, *FUNCTIONS))
    else:
        sets += "".join(f'<ActionImport Action="SAPB1.{name}" Name="{name}"/>' for name in ACTIONS)
        sets += "".join(f'<FunctionImport Function="SAPB1.{name}" Name="{name}"/>' for name in FUNCTIONS)
    return f'<EntityContainer Name="ServiceLayer">{sets}</EntityContainer>'
