"""Accepted is not done: what P2P made of a request, asked for until it is decided (R12).

`requestStatus/{requestId}` tells it for the request and each record of it. It shows nothing at first, and errors can
take minutes. `errorFeedbacks`, the older way, is asked where the status names an error without its text, and by a
record's code where no request id is left. A record that did not change since it was last posted is skipped
(`NotProcessed`), even if it came to nothing then: so that word counts only where no error stands against the record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from ml_connector.systems.base import Accepted, CameToNothing, NoLonger, NotFound, Refused, Transient
from ml_connector.systems.basware.errors import NAME
from ml_connector.systems.basware.reading import batch, moment, rows
from ml_connector.systems.basware.rows import instant, members, words
from ml_connector.systems.basware.session import P2P, Json

PATH = "/v1/requestStatus"
FEEDBACKS = "/v1/errorFeedbacks"
KEY = "requestStatus"
FEEDBACK_KEY = "errorList"

HANDLE_MAX = 200
NO_REQUEST = "-"
"""In a handle, in place of request ids that are missing or too many."""
NOTHING_SENT = "="
"""In a handle, in place of a request that was not needed."""

UNDECIDED = frozenset({"InProgress", "Unpublished"})
FAILED = frozenset({"Error", "AcknowledgedError"})
DONE = frozenset({"Success", "Warning", "AcknowledgedSuccess"})
SKIPPED = "NotProcessed"
OVERTAKEN = "RecordExpired"
ENDED = FAILED | DONE | {SKIPPED, OVERTAKEN}
SYSTEM = "P2P"
LOOKED_BACK = timedelta(days=1)
DECIDED_WITHIN = timedelta(hours=1)
"""After this a record without an error is in: errors take minutes to appear."""
TOLD_FOR = timedelta(seconds=5)
"""A request whose status was told so short ago is not asked for again: hundreds of records share one."""
CLOCKS = timedelta(minutes=5)
"""What Basware's stamps of a record and of its request may differ by."""

_TEXT_LIMIT = 400


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the systems behind a request say of one record."""

    statuses: frozenset[str]
    texts: tuple[str, ...]
    categories: frozenset[str]


@dataclass(frozen=True, slots=True)
class Handle:
    """What an accepted write is asked for by: the requests that it took, in their order, and the record's key."""

    requests: tuple[str, ...]
    key: str

    def accepted(self) -> Accepted:
        """As one text. Requests without an id, or too many for the text, leave the key alone to ask by."""
        joined = " ".join(request_id or NO_REQUEST for request_id in self.requests)
        fits = len(joined) + 1 + len(self.key) <= HANDLE_MAX
        return Accepted(f"{joined if fits else NO_REQUEST}|{self.key}")

    @classmethod
    def read(cls, text: str) -> Handle:
        joined, _, key = text.partition("|")
        return cls(tuple(joined.split(" ")), key)


class Statuses:
    """Asks for outcomes."""

    def __init__(self, p2p: P2P) -> None:
        self.p2p = p2p
        self._told: dict[str, tuple[datetime, Json | None]] = {}
        """What was last told of a request, and when: the records of a batch are asked for one after the other."""

    def decided(self, request_id: str, entity: str, codes: Collection[str], about: str, *, whole: bool = False) -> bool:
        """Whether a request is decided for these records; True means that each of them is really in.

        `whole`: the request held nothing else, so that every record that its status names counts.

        Raises Refused with Basware's own words for the first record that P2P did not take, and CameToNothing where
        something came to nothing through no fault of the record.
        """
        if request_id == NOTHING_SENT:
            return True
        if request_id == NO_REQUEST:
            return not codes or self._decided_by_code(entity, codes, about)
        entry = self._entry(request_id, about)
        if entry is None or overall(entry) in {"", *UNDECIDED}:
            # A record that came to nothing is told although others of its request are under way.
            self._refuse_failed(entry, request_id, codes, about)
            return False
        codes = named(entry) or codes if whole else codes
        verdicts = {code: verdict(entry, code) for code in codes}
        if any(found.statuses - ENDED for found in verdicts.values()):
            # Under way, or a word that nobody knows: neither is a success.
            self._refuse_failed(entry, request_id, codes, about)
            return False
        for code, found in verdicts.items():
            self._judge(entry, request_id, code, found, about)
        self._refuse_skipped(entity, [code for code, found in verdicts.items() if SKIPPED in found.statuses], about)
        return True

    def entry(self, request_id: str, about: str) -> Json | None:
        """The status of a request; None while Basware shows none."""
        try:
            answer = self.p2p.read(f"{PATH}/{quote(request_id, safe='')}", about=f"the outcome of {about}")
        except NotFound:
            return None
        found = batch(answer, KEY).rows
        return next((row for row in found if words(row, "requestId") in {None, request_id}), None)

    def _entry(self, request_id: str, about: str) -> Json | None:
        """The same, as it was told some seconds ago at most."""
        now = self.p2p.access.now()
        at, entry = self._told.get(request_id, (None, None))
        if at is None or not timedelta(0) <= now - at < TOLD_FOR:
            entry = self.entry(request_id, about)
            self._told[request_id] = now, entry
        return entry

    def errors(self, since: datetime) -> Iterator[Json]:
        """Requests that ended in an error since then and were not acknowledged: the daily sweep."""
        params = {"status": "Error", "lastUpdated": moment(since)}
        yield from rows(self.p2p, PATH, KEY, params, about="requests that failed")

    def acknowledge(self, request_ids: Sequence[str]) -> None:
        """Takes decided requests off Basware's list. Done twice is done once."""
        wanted = [name for name in dict.fromkeys(request_ids) if name not in {"", NO_REQUEST, NOTHING_SENT}]
        if not wanted:
            return
        try:
            self.p2p.write("POST", f"{PATH}/acknowledge", {"requestIds": wanted}, about="the receipt of outcomes")
        except (NoLonger, NotFound):
            return

    def failed(self, entity: str, codes: Collection[str]) -> set[str]:
        """Those of the records against which an error stands."""
        if len(codes) == 1:
            (code,) = codes
            about = f"errors of {code}"
            return {code} if any(self._feedbacks(f"{FEEDBACKS}/{entity}/{quote(code, safe='')}", about)) else set()
        found = rows(self.p2p, FEEDBACKS, FEEDBACK_KEY, {"entityType": entity}, about=f"errors of {entity} records")
        return {code for row in found if (code := words(row, "externalCode") or "") in codes}

    def refused_before(self, entity: str, codes: Collection[str], updated: datetime | None, about: str) -> set[str]:
        """Those of the records that Basware holds and P2P did not take, long or short ago.

        `updated`: when Basware last got them. Raises Transient while that is not decided: what came within the last
        hour has to be named by a request that ended well.
        """
        if self._under_way(entity, codes):
            raise Transient(f"{NAME} is still handling {about}. It is looked up again.")
        failed = self.failed(entity, codes)
        if failed or updated is None or updated < self.p2p.access.now() - DECIDED_WITHIN:
            return failed
        if not self._ended_well(entity, codes, updated - CLOCKS):
            raise Transient(f"{NAME} does not say yet what became of {about}. It is looked up again.")
        return set()

    def _under_way(self, entity: str, codes: Collection[str]) -> bool:
        """Whether a request that is not decided holds one of the records, or does not say yet which it holds."""
        params = {"status": "InProgress", "entityType": entity}
        recent = self.p2p.access.now() - DECIDED_WITHIN
        for entry in rows(self.p2p, PATH, KEY, params, about=f"requests under way for {entity} records"):
            held = named(entry)
            if held and not set(held).isdisjoint(codes):
                return True
            if not held and (instant(entry, "lastUpdated") or recent) >= recent:
                return True
        return False

    def _ended_well(self, entity: str, codes: Collection[str], since: datetime) -> bool:
        """Whether each record is named by a request that ended well since then."""
        missing = set(codes)
        for status in ("Success", "AcknowledgedSuccess"):
            params = {"status": status, "entityType": entity, "lastUpdated": moment(since)}
            for entry in rows(self.p2p, PATH, KEY, params, about=f"requests that ended for {entity} records"):
                missing -= set(named(entry))
                if not missing:
                    return True
        return not missing

    def _decided_by_code(self, entity: str, codes: Collection[str], about: str) -> bool:
        """Without a request to ask for: each record has to be named by one of the last day that ended well."""
        if self._under_way(entity, codes):
            return False
        failed = self.failed(entity, codes)
        if failed:
            code = sorted(failed)[0]
            texts = self._texts(f"{FEEDBACKS}/{entity}/{quote(code, safe='')}", code)
            raise _refusal(about, code, texts)
        return self._ended_well(entity, codes, self.p2p.access.now() - LOOKED_BACK)

    def _refuse_failed(self, entry: Json | None, request_id: str, codes: Collection[str], about: str) -> None:
        for code in codes:
            found = verdict(entry, code) if entry is not None else None
            if found is not None and found.statuses & FAILED and not found.statuses & UNDECIDED:
                self._judge(entry or {}, request_id, code, found, about)

    def _judge(self, entry: Json, request_id: str, code: str, found: Verdict, about: str) -> None:
        """Raises for a record that is not in."""
        if found.statuses & FAILED:
            texts = found.texts or self._texts(f"{FEEDBACKS}/{quote(request_id, safe='')}", code)
            if found.categories == {"Technical"}:
                raise CameToNothing(
                    f"{NAME} had a technical error with {about}: {_joined(texts)} It is sent again; if it stays so, "
                    "Basware's support has to act."
                )
            raise _refusal(about, code, texts)
        if OVERTAKEN in found.statuses:
            raise CameToNothing(f"{NAME} passed over {about} for a newer version of it. It is sent again.")
        if found.statuses or overall(entry) in DONE:
            return
        texts = self._texts(f"{FEEDBACKS}/{quote(request_id, safe='')}", code)
        raise _refusal(about, code, texts)

    def _refuse_skipped(self, entity: str, codes: Collection[str], about: str) -> None:
        if codes and self.failed(entity, codes):
            raise CameToNothing(
                f"{NAME} skipped {about} because it did not change, although P2P refused it before. It is sent again "
                "with a change."
            )

    def _texts(self, path: str, code: str) -> tuple[str, ...]:
        """Basware's words about a record of a request, or about the request where it names no record."""
        found = [row for row in self._feedbacks(path, "errors") if words(row, "externalCode") in {None, code}]
        return tuple(str(said) for row in found for said in row.get("errors") or ())

    def _feedbacks(self, path: str, about: str) -> list[Json]:
        try:
            return batch(self.p2p.read(path, about=about), FEEDBACK_KEY).rows
        except NotFound:
            return []


def verdict(entry: Json, code: str) -> Verdict:
    """What the items of a request say of a record; no statuses where it is not named."""
    items = [
        item for system in _systems(entry) for item in members(system, "items") if words(item, "externalCode") == code
    ]
    errors = [error for item in items for error in members(item, "errors") if words(error, "type") != "Warning"]
    return Verdict(
        frozenset(status for item in items if (status := words(item, "status"))),
        tuple(said for error in errors if (said := words(error, "message"))),
        frozenset(words(error, "category") or "Unknown" for error in errors),
    )


def named(entry: Json) -> list[str]:
    """The records that the status of a request names."""
    items = [item for system in _systems(entry) for item in members(system, "items")]
    return list(dict.fromkeys(code for item in items if (code := words(item, "externalCode"))))


def overall(entry: Json) -> str:
    """The status of a request in P2P, else over all systems behind it; empty where none is told."""
    told = [status for system in _systems(entry) if (status := words(system, "systemStatus"))]
    return told[0] if len(told) == 1 else words(entry, "requestStatus") or ""


def _systems(entry: Json) -> list[Json]:
    """P2P alone where it is named: what the network or the portal make of a record does not hold it back."""
    systems = members(entry, "systems")
    return [system for system in systems if (words(system, "system") or "").upper() == SYSTEM] or systems


def _refusal(about: str, code: str, texts: Sequence[str]) -> Refused:
    return Refused(
        "not_taken_by_p2p",
        f"{NAME} accepted {about}, and P2P did not take it: {_joined(texts)} (record {code})",
    )


def _joined(texts: Sequence[str]) -> str:
    said = "; ".join(dict.fromkeys(" ".join(one.split()) for one in texts))[:_TEXT_LIMIT]
    return said or "it gave no reason."
