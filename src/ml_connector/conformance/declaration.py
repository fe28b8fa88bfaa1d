"""What the author of an adapter or a pair tells the suite: how to open a bench, and what people do in the systems.

The acts are edits of the stand-ins, not calls of ours: the engine has to notice them and do what follows by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ml_connector.integrations.base import Side

if TYPE_CHECKING:
    # Models need settings; whoever writes a Declaration, or runs this package as a command, may have none yet.
    from ml_connector.conformance.bench import Bench
    from ml_connector.workspaces.models import Workspace

Open: TypeAlias = "Callable[[Workspace], AbstractContextManager[Bench]]"
"""Starts both stand-ins and gives a bench on them: codes mapped, nothing delivered yet, clocks held."""

Act = Callable[[Any], None]
"""Something that people do in one of the two systems. Gets what `open` gave."""


@dataclass(frozen=True)
class WriteCall:
    """One call by which a system is written to."""

    name: str
    """In words, as the matrix says it: create a bill."""
    match: Mapping[str, Any]
    """Which requests are this call, as a fault's `match` says it: method, path, contains. Meets one document, or
    one batch."""
    flows: tuple[str, ...]
    """The Flows that take part, in order; the others stand still."""
    act: Act
    """What people do that makes the engine use the call, once."""
    there: Callable[[Any], Sequence[Any]]
    """What in the written system shows that the act took effect: each thing that stands for it. Once it did, there
    are exactly `things`."""
    things: int = 1
    answers_nothing: bool = False
    """Its success has no body: where the status arrived, nobody need be in doubt."""
    before: Act | None = None
    """What must have happened first; left out, everything of these Flows has arrived."""
    side: Side = Side.PLATFORM
    """Whose API the call is of."""
    open: Open | None = None
    """A bench of its own, where the declaration's has not enough documents."""


@dataclass(frozen=True)
class ReadCall:
    """One Flow's way of reading, and what people do to what it reads."""

    name: str
    """In words, as the matrix says it: invoices by OData."""
    flow: str
    match: Mapping[str, Any]
    """Which requests read a page of it, or of its keys, as a fault's `match` says it."""
    enter: Callable[[Any, str], None]
    """Somebody enters a document, or whatever the Flow reads, under this number, dated today."""
    edit: Callable[[Any, str, int], None]
    """Changes a field that travels, without a stamp where the source has none; the n-th edit differs from the
    others."""
    edited: Callable[[Any, str, int], bool]
    """Whether the other side shows the n-th edit."""
    remove: Callable[[Any, str], Callable[[], None]]
    """Takes it out of the source without a trace; gives what puts it back."""
    break_shape: Callable[[Any], tuple[str, Callable[[], None]]]
    """Renames a field that must be there; gives what the field is called, and what undoes it."""
    page_size: str
    """The setting of the Connection that says how many a page holds."""
    enter_back_dated: Callable[[Any, str], None] | None = None
    """The same as `enter` with a date half a year ago; None where it has no date."""
    open: Open | None = None
    """A bench of its own."""


@dataclass(frozen=True)
class Limits:
    """What a system allows, as its stand-in counts it."""

    name: str
    side: Side
    at_a_time: int
    """Requests that the vendor takes at a time."""
    flow: str
    """The Flow that writes to it."""
    enter: Callable[[Any, int], None]
    """Has so many documents of the Flow wait, numbered CAP-000 and so on."""
    match: Mapping[str, Any]
    """The requests that create them."""
    sign_ins: Callable[[Any], int]
    """How often somebody signed in so far."""
    password: str
    """The name of the secret that is wrong in the test of a dead credential."""


@dataclass(frozen=True)
class Declaration:
    """One pair, or one adapter beside a pair's other side."""

    name: str
    open: Open
    writes: tuple[WriteCall, ...]
    reads: tuple[ReadCall, ...]
    limits: tuple[Limits, ...] = ()
    undeclared: tuple[str, ...] = ()
    """Ends of the paths of requests that write and are no call of the matrix: sign-in and the like."""
