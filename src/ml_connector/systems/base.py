"""What a system offers to the engine, and what the engine lends to a system.

A system knows wire formats. It knows nothing of the database, of retries, of other systems: sessions, budgets
and the right to write come in with `Access`, and every answer of the vendor leaves as a value or as exactly one
of the errors below (R63).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

import msgspec

from ml_connector.domain.records import Record
from ml_connector.systems.transport.policy import NetworkPolicy

R = TypeVar("R", bound=Record)
Sent = TypeVar("Sent", bound=Record, contravariant=True)

Cursor = Mapping[str, str]
"""Where a source was read up to, in the source's own stamps. Opaque to the engine, stored as JSON."""


# --- errors: what the engine does with each stands beside it ---------------------------------------------


class SystemFailure(Exception):
    """Base of everything a system may raise. The text is shown to people: no secret is ever part of it."""


class Transient(SystemFailure):
    """Nothing happened, try later. The engine backs off; after a while it opens a Problem."""


class CameToNothing(Transient):
    """What was accepted was decided, and nothing came of it through no fault of the record. It is sent again."""


class Throttled(SystemFailure):
    """A limit was hit. The engine waits and no record's retries are used up (R59)."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after
        """Seconds, where the vendor said so or the limit implies it."""


class AuthFailed(SystemFailure):
    """Credentials refused. The engine opens the Connection's circuit: one alert, no log-in storm (R61)."""


class OutcomeUnknown(SystemFailure):
    """The write may have happened. The engine puts the record in doubt and searches (R3)."""

    def __init__(self, text: str, then: SystemFailure | None = None) -> None:
        super().__init__(text)
        self.then = then
        """What came after it and keeps anything else from being sent: a sign-in that failed, say."""


class Refused(SystemFailure):
    """The target says no. The engine opens a Problem; it never repeats blindly (R63)."""

    def __init__(self, code: str, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.field = field


class NoLonger(Refused):
    """The target says: not any more, in the state that the document has reached (paid, posted, closed)."""


class NotFound(SystemFailure):
    """The object that we thought to be there is not. The engine re-reads, then decides."""


class Conflict(SystemFailure):
    """The object differs from what we thought. The engine re-reads, then decides."""


class ShapeChanged(SystemFailure):
    """A field that must be there is missing or has another type. The Flow stops, naming the field (R20)."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class WrongCompany(SystemFailure):
    """The Connection leads to another company than the one first confirmed (R51). Nothing is read or written."""


# --- reading ---------------------------------------------------------------------------------------------


class Item(msgspec.Struct, Generic[R], frozen=True, gc=False):
    """One record as its source states it now."""

    key: str
    record: R
    version: str | None = None
    """The source's own version stamp, sortable as text, or None where the content hash must serve."""
    changed_at: datetime | None = None
    observed: Mapping[str, str] = msgspec.field(default_factory=dict)
    """What the source states besides and the hash leaves out: open, paid (decimal text), bank_fingerprint; and
    paid_counts = credits, where the credit notes that correct a document count as paid on it. Where the source
    HandsOver: offered, for the how-manieth time the document waits to be claimed; absent where it does not wait."""
    invalid: str | None = None
    """Why this one record cannot travel (a field's text is no date, amounts that do not add up): `cause: text`.
    The rest of the page travels all the same; the record is staged and blocked."""


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Records that are staged in one transaction, perhaps with further pages, and the cursor after them (R15)."""

    items: Sequence[Item[R]]
    cursor: Cursor | None
    digest: str
    """SHA-256 (hex) of the raw answers that the page was made of; goes into the audit trail."""


class Source(Protocol[R]):
    """Reads one record type of one Connection."""

    def changes(self, since: Cursor | None) -> Iterator[Page[R]]:
        """What may have changed since the cursor, overlap included; all of it for None. In an order in which
        each page's cursor is true: everything up to it has been yielded."""

    def keys(self) -> Iterator[str]:
        """Every key there is now, for the completeness sweep. Ends normally only if it was complete (R18)."""

    def get(self, key: str) -> Item[R] | None:
        """One record as it is now, or None when the source says that it does not exist."""


@runtime_checkable
class Swept(Protocol[R]):
    """A Source that can also read what its cursor cannot find: open documents that were edited without a stamp."""

    def sweep(self) -> Iterator[Page[R]]:
        """All that may still change, whatever its stamps say (R17). The pages' cursors are not stored."""


class Claim(StrEnum):
    """What became of claiming a document."""

    OURS = "ours"
    """It waited, and is ours by this very request."""
    BEFORE = "before"
    """It was claimed before: by us, where an earlier request of ours may have done it; else by somebody else."""
    ANSWERED = "answered"
    """It was claimed and answered before."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source is told of a document that it handed over."""

    success: bool
    text: str
    """What people read there."""
    vouchers: tuple[str, ...] = ()
    """The target's numbers of what was booked, as in a Ref."""
    on: date | None = None


@runtime_checkable
class HandsOver(Protocol):
    """A Source whose documents are claimed once they are stored and before they are sent on, and answered with what
    became of them. One that is answered as failed may be offered again, under the same key: in the next cycle.

    `claim` and `answer` are requests that write, and raise what a Target's do; the others only read.
    """

    def claim(self, key: str) -> Claim:
        """Claims a document that waits. Raises Conflict for one that neither waits nor was claimed."""

    def claimed(self, key: str) -> Claim | None:
        """Whether a document was claimed, without saying by whom; None while it still waits. Settles a lost answer."""

    def answer_code(self, key: str, cycle: int, answer: Answer) -> str:
        """What the answer will be known by in the source, at most 60 characters; stored before it is sent."""

    def answer(self, key: str, cycle: int, answer: Answer) -> Accepted | None:
        """Answers a document, once what became of it is certain. None where this very answer is there already.

        Raises NoLonger where it was answered in another way, Conflict where it is not claimed.
        """

    def answered(self, key: str, cycle: int, answer: Answer) -> bool:
        """Whether the source holds this very answer. Settles a lost one."""

    def answer_taken(self, key: str, handle: str, answer: Answer) -> bool:
        """Whether an accepted answer was taken; False while that is not decided. Raises Refused where it was not."""


# --- writing ---------------------------------------------------------------------------------------------


class DocumentState(StrEnum):
    """How far a document has gone in its target: what may still be done to it."""

    OPEN = "open"
    SCHEDULED = "scheduled"
    PART_PAID = "part_paid"
    PAID = "paid"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Remark:
    """What people have to know of a write that took effect. Becomes a Problem that holds nothing back."""

    cause: str
    text: str
    fix: str


@dataclass(frozen=True, slots=True)
class Ref:
    """A document or master record in the target."""

    key: str
    lines: tuple[str, ...] = ()
    """The target's line ids, in the order of the record's lines, where it has any."""
    amount: Decimal | None = None
    """The gross amount that the target answered with, compared with what was sent."""
    vouchers: tuple[str, ...] = ()
    """The target's own numbers of what was booked, to be told to the source: register entry, ledger journal."""
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The target took the request and decides later; `handle` asks for the outcome."""

    handle: str
    """At most 200 characters."""


@dataclass(frozen=True, slots=True)
class Found(Generic[R]):
    """A document or master record that a search or listing turned up, in canonical terms."""

    key: str
    record: R
    """With the target's own ids where the record refers to suppliers, accounts, cost centers."""
    mark: str | None = None
    state: DocumentState = DocumentState.OPEN
    open: Decimal | None = None
    updated: str | None = None
    lines: tuple[str, ...] = ()
    vouchers: tuple[str, ...] = ()
    """As those of a Ref, as far as they can be read: what is found after a lost answer is told to the source too."""


class Target(Protocol[R]):
    """Writes one record type of one Connection. Records come resolved: all references are the target's ids.

    `create` and `update` raise Refused for what the target would not take, before a request leaves where that
    is known, and OutcomeUnknown when the answer is lost or says nothing.
    """

    def find(self, record: R, mark: str) -> list[Found[R]]:
        """Everything that could be this record: by mark first, then by natural key. Asks the target now.

        Raises Transient also where the target cannot say yet what became of this one record: others go on. An
        Asynchronous target gives only what it has decided to take.
        """

    def get(self, key: str) -> Found[R] | None:
        """The object as it is now, or None."""

    def create(self, record: R, mark: str) -> Ref | Accepted:
        """One create request. Never repeated by itself (R8)."""

    def update(self, ref: Ref, record: R, mark: str) -> Ref | Accepted:
        """Amends in place; never deletes and recreates. Raises NoLonger where its state forbids it."""

    def cancel(self, ref: Ref, reason: str) -> Accepted | None:
        """Takes back a document that has not moved money (BILL: archive). Raises NoLonger otherwise."""

    def identity_differences(self, sent: R, found: R) -> list[str]:
        """Names of the fields that make it the same thing and that differ; none = may be adopted (R5).

        For a document: supplier, normalised number, currency, gross, date.
        """

    def differences(self, sent: R, found: R) -> list[str]:
        """Names of all fields that we own and that differ, those of the identity first; settles an update."""


@runtime_checkable
class Listed(Protocol[R]):
    """A Target whose documents can be listed, so that a first create is searched in a list (R40)."""

    def listing(self, since: Cursor | None) -> Iterator[Sequence[Found[R]]]:
        """Pages of documents changed since the cursor; all for None."""

    def listing_cursor(self, seen: Found[R]) -> Cursor:
        """The cursor that `listing` goes on from when this is the newest document seen."""


@runtime_checkable
class Batched(Protocol[Sent]):
    """A Target that creates several records by one all-or-nothing request; for first loads."""

    batch_size: int

    def create_batch(self, records: Sequence[tuple[Sent, str]]) -> Sequence[Ref | Accepted]:
        """References in the order given. One Refused means that none of them was created."""


@runtime_checkable
class Asynchronous(Protocol[Sent]):
    """A Target that accepts now and decides later: what it answers with `Accepted` counts only once it is decided."""

    def outcome(self, handle: str, record: Sent, mark: str) -> Ref | None:
        """What became of an accepted write of this record; None while it is not decided.

        Reads only, so it may be asked as often as one likes. Raises Refused where the target does not take this
        record (of several in one request it is this one's own error), and CameToNothing where it is to be sent again.
        Any other Transient says that there was no answer this time.
        """


@runtime_checkable
class Foresees(Protocol[Sent]):
    """A Target whose records the client's other Targets look up in the system. A preview says what would be there."""

    def foresee(self, key: str, record: Sent) -> None:
        """From now on the client takes `key` for a record that the system has, as long as it is open."""


# --- a Connection ----------------------------------------------------------------------------------------


class Sessions(Protocol):
    """The Connection's shared session: sealed in the database, renewed by one process at a time (R60)."""

    def current(self) -> str | None:
        """The stored session, or None when there is none or when it has been idle too long."""

    def renew(self, stale: str | None, sign_in: Callable[[], str]) -> str:
        """The session to go on with: another process's if it renewed meanwhile, else `sign_in()`'s, stored.

        AuthFailed from `sign_in` opens the circuit (R61) and travels on.
        """

    def used(self) -> None:
        """Notes that the session was used now, which restarts the vendor's idle clock."""


class Budget(Protocol):
    """Counted allowances of the credential, shared by all processes (R59)."""

    def spend(self, allowance: str, limit: int, seconds: int) -> None:
        """Counts one use. Raises Throttled with the seconds until the window ends when `limit` is reached."""


@dataclass(frozen=True)
class Access:
    """What the engine lends to a system for speaking for one Connection."""

    settings: Mapping[str, Any]
    """Checked against the System's form, defaults filled in."""
    secrets: Mapping[str, str]
    sessions: Sessions
    budget: Budget
    now: Callable[[], datetime]
    """The one Clock; aware, UTC."""
    may_write: Callable[[], None]
    """Called before each request that writes; raises where the Connection's lease is no longer ours."""
    network: NetworkPolicy = field(default_factory=NetworkPolicy)
    fingerprint: Callable[[str], str] | None = None
    """Keyed hash of what must not be kept (bank details, R52); None: no fingerprints are made."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a Connection's test."""

    name: str
    ok: bool | None
    """None = not tried, because an earlier step failed or because the Connection does not ask for it."""
    text: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which company a Connection leads to; kept when first confirmed and compared ever after (R51)."""

    key: str
    text: str
    local_currency: str | None = None


class Client(Protocol):
    """An opened Connection. Closed by the engine; usable from as many threads as `parallel` says."""

    parallel: int
    """Requests that the vendor allows at a time."""

    def source(self, record_type: str, policy: Mapping[str, Any]) -> Source[Any]:
        """Raises KeyError for a record type that this system does not read."""

    def target(self, record_type: str, policy: Mapping[str, Any]) -> Target[Any]:
        """Raises KeyError for a record type that this system does not write."""

    def identity(self) -> Identity:
        """The company as the system names it now."""

    def ping(self, record_types: Sequence[str], *, try_writing: bool = False) -> Iterator[Step]:
        """Each step of the test as it ends, with what to fix; never raises a SystemFailure."""

    def server_time(self) -> datetime | None:
        """What the system's clock said in its last answer; None where it does not say."""

    def close(self) -> None:
        """Frees connections. Does not sign off a session that other processes use."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What the books of a system say of one account."""

    account: str
    """What people know it by."""
    name: str
    amount: Decimal
    """Above zero: a debit balance."""
    currency: str


@runtime_checkable
class Clears(Protocol):
    """A Client that posts the other side's payments through a clearing account."""

    def clearing(self) -> Balance | None:
        """The account's balance now; None where no account is set or the system does not know it."""


# --- webhooks: what a system says by itself --------------------------------------------------------------


class NotGenuine(Exception):
    """What arrived for a Connection was not signed with one of its keys, or is about another company. It is answered
    401 and counted (R57). The text holds nothing of what arrived."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """Something that happened, as the system announces it: where to look. What is there now is always asked (R58)."""

    id: str
    """The vendor's own. Sent again, an event keeps it."""
    type: str
    """In the vendor's words."""
    record_type: str
    """Ours; empty for something that we have no name for."""
    key: str
    """What `Source.get` of that record type takes; empty where `record_type` is."""
    at: datetime | None = None


@dataclass(frozen=True)
class Webhooks:
    """How a System's notifications are read. Needs no open Connection."""

    record_types: frozenset[str]
    """What can be announced."""
    read: Callable[[bytes, Mapping[str, str], Sequence[str], Mapping[str, Any]], Sequence[WebhookEvent]]
    """`(body, headers, keys, settings)`: the events of one request. Header names are in lower case, `keys` are all that
    are good now, and `settings` are the Connection's, defaults filled in. The signature is compared in constant time,
    over the raw bytes, before anything is parsed. No event: it is genuine and says nothing (a vendor's test).

    Raises NotGenuine, and ShapeChanged for what is genuine and cannot be read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a subscription is to be like."""

    name: str
    """By which people know it in the vendor's lists."""
    url: str
    record_types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What the vendor sends to whom, as the vendor has it now."""

    id: str
    url: str
    enabled: bool
    record_types: frozenset[str]
    """Those of which everything is announced that we want to hear of."""
    key: str | None = field(default=None, repr=False)
    """What notifications are signed with. Only known when it has just been made."""


class Subscriptions(Protocol):
    """A Connection's subscriptions. `attempt` is a UUID that stays the same for a request whose answer was lost; a
    vendor who knows such keys then gives the lost answer. Raises Refused where there is no room for another one."""

    def listed(self) -> Sequence[Subscription]:
        """All of the company, those of other programs too."""

    def get(self, subscription: str) -> Subscription | None:
        """One as it is now; None when it is gone."""

    def make(self, wanted: Wanted, attempt: str) -> Subscription:
        """A new one, with its key."""

    def amend(self, subscription: str, wanted: Wanted) -> None:
        """Makes it as wanted, and turns it on. Raises NotFound when it is gone, or where the vendor only makes them
        anew."""

    def new_key(self, subscription: str, attempt: str) -> str:
        """Puts a new key in force and gives it. Whether the old one is good for a while is the vendor's secret."""

    def remove(self, subscription: str) -> None:
        """Ends it; one that is gone is fine."""

    def events(self, subscription: str, since: datetime) -> Iterator[WebhookEvent]:
        """What was, or should have been, announced since then, whether it arrived or not (R58)."""


@runtime_checkable
class Subscribing(Protocol):
    """A Client whose System sends webhooks to whoever subscribes."""

    def subscriptions(self) -> Subscriptions: ...


# --- settings --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a Connection's form. The file's check, the console's form and the docs are made of it."""

    name: str
    help: str
    """What it is and where in the vendor's screens a person finds it."""
    type: type = str
    """str, int, bool, date, Decimal, list (of str), dict (str to str) or Money (an amount above zero per currency,
    stored as text by ISO code)."""
    required: bool = False
    default: Any = None
    secret: bool = False
    choices: tuple[str, ...] = ()
    label: str = ""
    """What people call it in a form."""
    group: str = ""
    """Heading under which it stands in a form; those without one, which a Connection needs most, come first."""
    lines: bool = False
    """A text of several lines, such as a certificate."""
    binds_secrets: bool = False
    """It says for which place the secrets are good: who changes it gives every secret again, or nothing is changed,
    so that no stored secret ever goes elsewhere (R65)."""
    needs: str = ""
    """Of a policy: another policy of the same Flow, without which this one has no meaning and is refused."""


WEB_SETTINGS = (
    Setting(
        "web_address",
        "Address of the web application in which people look at documents, such as https://erp.example; https only. "
        "The console then links to them.",
        default="",
        label="Address of its web application",
        group="Links for people",
    ),
    Setting(
        "web_pages",
        "Path there of each type of record, {key} standing for its key and {number} for its number: "
        "{invoice: '/invoices/{key}', supplier: '/suppliers/{key}'}. Open a document there and copy it from the "
        "browser's address.",
        type=dict,
        default={},
        label="Paths of its pages",
        group="Links for people",
    ),
)
"""What every form ends with: where people look at documents."""


@dataclass(frozen=True)
class System:
    """One kind of external system."""

    name: str
    label: str
    form: tuple[Setting, ...]
    connect: Callable[[Access], Client]
    credential: Callable[[Mapping[str, Any], Mapping[str, str]], str]
    """What is limited: two Connections with the same text are refused (same server and operator, say)."""
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    check: Callable[[Mapping[str, Any]], object] | None = None
    """Raises Refused, naming the setting, where values that each have their type make no sense to the System."""
    session_idle: Callable[[Mapping[str, Any]], int] = lambda _settings: 25 * 60
    """Seconds without use, by the settings, after which `Sessions.current` no longer gives the session."""
    counted: Callable[[Mapping[str, Any], Mapping[str, str]], str] | None = None
    """What `Budget` counts by, where that is wider than the credential: BILL's developer key of many organisations."""
    webhooks: Webhooks | None = None
    """Where it has some, its Client is Subscribing."""
    code_lists: ClassVar[frozenset[str]] = frozenset({"gl_account", "cost_center", "currency", "payment_term"})

    def __post_init__(self) -> None:
        object.__setattr__(self, "form", (*self.form, *WEB_SETTINGS))

    def settings(self) -> tuple[Setting, ...]:
        return tuple(setting for setting in self.form if not setting.secret)

    def secrets(self) -> tuple[Setting, ...]:
        return tuple(setting for setting in self.form if setting.secret)
