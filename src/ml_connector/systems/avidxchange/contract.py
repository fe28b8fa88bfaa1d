"""The contract map: every name that AvidXchange's interface is spoken to with, as one value.

Its reference is open to licensed partners only, so the names are data: a file that a partner corrects from the portal's
OpenAPI. The schema is closed, and what is wrong is said with its place. Each name says how it is known; as long as the
map as a whole is `assumed`, it serves only for servers on this machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec
import yaml

from ml_connector.domain.approvals import ApprovalState
from ml_connector.domain.orders import OrderStatus
from ml_connector.domain.records import PaymentStatus
from ml_connector.systems.avidxchange import paths

SHIPPED = "avidconnect.yaml"


class ContractWrong(ValueError):
    """A map that cannot be used. Says the place, such as `records.vendor.code.at`, and what is wrong there."""


class Known(StrEnum):
    """How a name is known."""

    CONFIRMED = "confirmed"
    """By a partner, from the portal."""
    SEEN = "seen"
    """In public programs that speak to an older interface of the vendor."""
    ASSUMED = "assumed"


class State(StrEnum):
    ASSUMED = "assumed"
    VERIFIED = "verified"


class Form(StrEnum):
    """How a value is written."""

    TEXT = "text"
    INTEGER = "integer"
    FLAG = "flag"
    AMOUNT = "amount"
    """A number of two decimals."""
    AMOUNT_TEXT = "amount_text"
    NUMBER = "number"
    DAY = "day"
    INSTANT = "instant"
    LIST = "list"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of what a map is made of: no name that the schema does not know."""


class Field(Part, frozen=True):
    """Where one value of a record lies."""

    at: str
    form: Form = Form.TEXT
    known: Known = Known.ASSUMED

    def __post_init__(self) -> None:
        paths.parse(self.at)


class Place(StrEnum):
    HEADER = "header"
    QUERY = "query"
    PATH = "path"
    BODY = "body"


class Company(Part, frozen=True):
    """Where a request names the company. In a path it is the placeholder {company}."""

    place: Place
    name: str
    known: Known = Known.ASSUMED


class Gateway(Part, frozen=True):
    context: str
    version: str
    token_path: str
    """Of client credentials, below the address of the gateway."""
    client_in: Literal["basic", "body"]
    early_renewal: int
    """Seconds before its end from which a token is not used any more."""
    token_form: dict[str, str] = msgspec.field(default_factory=dict)
    """Further fields of the token request; {company} stands for the company's id."""
    known: Known = Known.ASSUMED


class Headers(Part, frozen=True):
    """Header names of the three kinds of credentials."""

    bearer: str
    gateway_key: str
    user_bearer: str
    company_token: str
    user_token: str
    known: Known = Known.ASSUMED


class Lists(Part, frozen=True):
    """How a list comes, and its pages."""

    rows: str
    page_parameter: str
    size_parameter: str
    size: int
    pages: tuple[str, ...]
    """Where the number of pages may lie; the first that is there counts. None of them: one page."""
    total: str
    known: Known = Known.ASSUMED

    def __post_init__(self) -> None:
        for path in (self.rows, *self.pages, self.total):
            paths.parse(path)
        if self.size < 1:
            raise ValueError("a page has at least one row")


class Writes(Part, frozen=True):
    """How a write is wrapped, and how the result of each item comes back."""

    wrap: str
    """The name under which the items stand; blank: the item is the body."""
    results: str
    ok: str
    item: str
    errors: str
    error_code: str
    error_text: str
    known: Known = Known.ASSUMED

    def __post_init__(self) -> None:
        for path in (self.results, self.ok, self.item, self.errors, self.error_code, self.error_text):
            paths.parse(path)


class Query(Part, frozen=True, rename={"since": "from", "until": "to"}):
    """Parameters by which a list is narrowed; blank: it has no such parameter."""

    since: str = ""
    until: str = ""
    ids: str = ""
    external_ids: str = ""
    numbers: str = ""
    days: int = 30
    """The longest window that is asked for at once."""
    demanded: bool = False
    """Whether the list is refused without a window."""

    def __post_init__(self) -> None:
        if bool(self.since) != bool(self.until):
            raise ValueError("a window needs both from and to")
        if self.demanded and not self.since:
            raise ValueError("a window that is demanded needs from and to")
        if self.days < 1:
            raise ValueError("a window has at least one day")


class Operation(Part, frozen=True):
    """One request: `GET /vendors/{id}`."""

    do: str
    query: Query = msgspec.field(default_factory=Query)
    fixed: dict[str, Any] = msgspec.field(default_factory=dict)
    """What its body always holds."""
    bare: bool = False
    """A write whose body is not wrapped."""
    known: Known = Known.ASSUMED

    def __post_init__(self) -> None:
        method, _, path = self.do.partition(" ")
        if method not in {"GET", "POST", "PUT", "PATCH", "DELETE"} or not path.startswith("/"):
            raise ValueError(f"{self.do!r} is no request: write it as GET /path")

    @property
    def method(self) -> str:
        return self.do.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.do.partition(" ")[2]


class Operations(Part, frozen=True):
    systems: Operation
    vendors: Operation
    vendor_put: Operation
    codes: Operation
    code_put: Operation
    groups: Operation
    orders: Operation
    order_put: Operation
    invoices: Operation
    invoice: Operation
    invoice_put: Operation
    batches: Operation
    batch: Operation
    acknowledge: Operation
    payments: Operation
    authorize: Operation


class SystemFields(Part, frozen=True):
    id: Field
    name: Field


class VendorFields(Part, frozen=True):
    code: Field
    name: Field
    id: Field | None = None
    active: Field | None = None
    tax_id: Field | None = None
    email: Field | None = None
    phone: Field | None = None
    currency: Field | None = None
    terms: Field | None = None
    line1: Field | None = None
    line2: Field | None = None
    city: Field | None = None
    region: Field | None = None
    postal_code: Field | None = None
    country: Field | None = None
    modified: Field | None = None


class CodeFields(Part, frozen=True):
    """A GL account or another dimension's code, in its list and on a line."""

    code: Field
    name: Field
    group: Field
    id: Field | None = None
    active: Field | None = None


class GroupFields(Part, frozen=True):
    name: Field


class OrderFields(Part, frozen=True):
    external_id: Field
    number: Field
    vendor: Field
    date: Field
    total: Field
    lines: Field
    id: Field | None = None
    currency: Field | None = None
    status: Field | None = None
    modified: Field | None = None


class OrderLineFields(Part, frozen=True):
    number: Field
    description: Field
    quantity: Field
    unit_price: Field
    amount: Field
    sku: Field | None = None
    unit: Field | None = None
    codes: Field | None = None


class InvoiceFields(Part, frozen=True):
    id: Field
    external_id: Field
    number: Field
    vendor: Field
    date: Field
    gross: Field
    lines: Field
    status: Field
    vendor_name: Field | None = None
    due_date: Field | None = None
    order: Field | None = None
    currency: Field | None = None
    memo: Field | None = None
    modified: Field | None = None


class InvoiceLineFields(Part, frozen=True):
    amount: Field
    codes: Field
    description: Field | None = None


class PaymentFields(Part, frozen=True):
    id: Field
    status: Field
    method: Field
    amount: Field
    vendor: Field
    remittances: Field
    currency: Field | None = None
    date: Field | None = None
    cleared: Field | None = None
    check: Field | None = None
    trace: Field | None = None
    card: Field | None = None
    reasons: Field | None = None
    modified: Field | None = None


class RemittanceFields(Part, frozen=True):
    number: Field
    net: Field
    external_id: Field | None = None
    date: Field | None = None
    gross: Field | None = None
    discount: Field | None = None


class BatchFields(Part, frozen=True):
    id: Field
    closed: Field
    invoices: Field | None = None
    """A link to the invoices, where the row has one."""


class AcknowledgementFields(Part, frozen=True):
    batch: Field
    started: Field
    ended: Field


class Records(Part, frozen=True):
    system: SystemFields
    vendor: VendorFields
    code: CodeFields
    group: GroupFields
    order: OrderFields
    order_line: OrderLineFields
    invoice: InvoiceFields
    invoice_line: InvoiceLineFields
    payment: PaymentFields
    remittance: RemittanceFields
    batch: BatchFields
    acknowledgement: AcknowledgementFields


Method = Literal["check", "ach", "wire", "virtual_card", "epayment", "other"]
Texts = tuple[str, ...]


class Words(Part, frozen=True):
    """By our word, theirs; the first one is written. In any case of letters; what is missing is unknown."""

    payment: dict[PaymentStatus, Texts]
    method: dict[Method, Texts]
    invoice: dict[ApprovalState, Texts]
    order: dict[OrderStatus, Texts]
    known: Known = Known.ASSUMED

    def __post_init__(self) -> None:
        for name in ("payment", "method", "invoice", "order"):
            texts = [text.casefold() for row in getattr(self, name).values() for text in row]
            twice = sorted({text for text in texts if texts.count(text) > 1})
            if twice:
                raise ValueError(f"{name}: {', '.join(twice)} stands for two words of ours")
        if not all(self.order.get(status) for status in OrderStatus):
            raise ValueError("order: each of open, closed and cancelled needs a word, because orders are written")


class Shape(Part, frozen=True):
    """One form of an error's body."""

    name: str
    code: str
    text: str
    detail: str = ""
    next_access: str = ""

    def __post_init__(self) -> None:
        for path in (self.code, self.text, self.detail, self.next_access):
            if path:
                paths.parse(path)


class Contract(Part, frozen=True):
    contract: str
    version: str
    revision: int
    state: State
    gateway: Gateway
    headers: Headers
    company: Company
    account_group: str
    """The group that GL accounts belong to."""
    lists: Lists
    single: tuple[str, ...]
    """Where one object of an answer may lie; the first that is there counts."""
    writes: Writes
    operations: Operations
    records: Records
    words: Words
    errors: tuple[Shape, ...]

    def __post_init__(self) -> None:
        for path in self.single:
            paths.parse(path)
        addresses = [self.gateway.context, *(each.path for _, each in named(self.operations))]
        if (self.company.place is Place.PATH) != any("{company}" in address for address in addresses):
            raise ValueError("company: {company} stands in a path if and only if its place is path")
        if self.state is State.VERIFIED and self.revision < 1:
            raise ValueError("revision: a verified map has a revision of its own, 1 or above")

    @property
    def verified(self) -> bool:
        return self.state is State.VERIFIED

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that differ for every other map."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:12]

    @property
    def title(self) -> str:
        return f"{self.contract} {self.version}, revision {self.revision} ({self.fingerprint}), {self.state.value}"

    def assumed(self) -> list[str]:
        """Names of the map that rest on no evidence, by their place in it; none once it is verified."""
        return [] if self.verified else sorted(_assumed(self, ""))


def shipped() -> dict[str, Any]:
    """The map of the package, as plain values."""
    value: dict[str, Any] = yaml.safe_load(shipped_text())
    return value


def shipped_text() -> str:
    return files(__package__).joinpath(SHIPPED).read_text("utf-8")


@cache
def load(overlay: str = "") -> Contract:
    """The shipped map, with a Connection's overlay (YAML text) laid over it. Raises ContractWrong."""
    return of(overlaid(overlay))


def overlaid(overlay: str) -> dict[str, Any]:
    """Deeply merged: an object's names are replaced one by one, lists and values as a whole. Raises ContractWrong."""
    if not overlay.strip():
        return shipped()
    try:
        given = yaml.safe_load(overlay)
    except yaml.YAMLError as broken:
        mark = getattr(broken, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        wrong = ContractWrong(f"The contract map is no YAML{where}.")
    else:
        if isinstance(given, dict):
            return _merged(shipped(), given)
        wrong = ContractWrong("The contract map is no YAML object: it begins with names such as revision: 1.")
    raise wrong


def of(values: Mapping[str, Any]) -> Contract:
    """The map behind plain values. Raises ContractWrong, naming the place."""
    try:
        contract = msgspec.convert(values, Contract)
        _check_writable(contract)
    except msgspec.ValidationError as wrong:
        text, _, place = str(wrong).partition(" - at `$")
        where = place.rstrip("`").lstrip(".") or "its top"
        failure = ContractWrong(f"{where}: {text}")
    else:
        return contract
    raise failure


def named(part: Part) -> Iterator[tuple[str, Any]]:
    """The names of a part that are set, each with its value."""
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if value is not None:
            yield name, value


WRITTEN = ("vendor", "code", "order", "order_line", "invoice", "invoice_line", "acknowledgement")
"""Records that are sent as well as read."""


def _check_writable(contract: Contract) -> None:
    for record in WRITTEN:
        body: paths.Json = {}
        for name, field in named(getattr(contract.records, record)):
            try:
                paths.put(body, field.at, "")
            except (ValueError, AttributeError) as wrong:
                failure = ContractWrong(f"records.{record}.{name}.at: {wrong}")
            else:
                continue
            raise failure


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        below = base.get(name)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[name] = _merged(below, value) if both and below is not None else value
    return merged


def _assumed(part: Part, place: str) -> Iterator[str]:
    if getattr(part, "known", None) is Known.ASSUMED:
        yield place
    for name, value in named(part):
        if isinstance(value, Part):
            yield from _assumed(value, f"{place}.{name}".lstrip("."))
