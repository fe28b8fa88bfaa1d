"""Writes on their way from the API to P2P: taken at once, processed later, each record with its own outcome.

Basware: an unchanged record is not forwarded (NotProcessed); of two versions within about a second the older ends as
RecordExpired; the lines of one request are one transaction; errors may take minutes because P2P tries again.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ml_connector.sandbox.basware.kinds import LINES, Kind
from ml_connector.sandbox.basware.options import BaswareOptions
from ml_connector.sandbox.basware.output import pascal, stamp
from ml_connector.sandbox.basware.p2p import P2P, Complaint
from ml_connector.sandbox.basware.tables import Table
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import encode
from ml_connector.sandbox.standin import Row

P2P_SYSTEM, P2P_MODULE = "P2P", "IA"
IN_PROGRESS = "InProgress"


@dataclass
class Item:
    """One record of a request."""

    external_code: str
    key: str
    row: Row
    parent: str | None = None
    status: str = IN_PROGRESS
    complaints: list[Complaint] = field(default_factory=list)

    @property
    def digest(self) -> str:
        content = {name: value for name, value in self.row.items() if name != "lastUpdated"}
        return hashlib.sha256(encode(_sorted(content))).hexdigest()


@dataclass
class Submission:
    """One request with records for P2P."""

    request_id: str
    entity: str
    version: str
    operation: str
    by: str
    list_key: str | None
    kind: Kind | None
    """None for a response to an invoice."""
    posted: dt.datetime
    due: dt.datetime
    items: list[Item]
    updated: dt.datetime
    acknowledged: bool = False

    @property
    def outcome(self) -> str:
        """InProgress, Error or Success: the worst of its records."""
        statuses = {item.status for item in self.items}
        if IN_PROGRESS in statuses:
            return IN_PROGRESS
        return "Error" if "Error" in statuses else "Success"

    @property
    def status(self) -> str:
        return f"Acknowledged{self.outcome}" if self.acknowledged else self.outcome


class Processing:
    """Takes submissions and settles what is due by the stand-in's clock."""

    def __init__(
        self, p2p: P2P, options: BaswareOptions, clock: Clock, announce: Callable[[str, str, str], None]
    ) -> None:
        self._p2p = p2p
        self._options = options
        self._clock = clock
        self._announce = announce
        self._waiting: list[Submission] = []
        self._posted: dict[tuple[str, str], tuple[dt.datetime, Item]] = {}
        """The newest version of a record that the API has."""
        self._forwarded: dict[tuple[str, str], str] = {}
        """The digest of the version that P2P was last given."""
        self.forced: dict[tuple[str, str], Complaint] = {}
        """What P2P says next to a record, by entity type and external code."""
        self.submissions: dict[str, Submission] = {}
        self.feedbacks = Table()

    def submit(
        self,
        request_id: str,
        kind: Kind,
        rows: Iterable[tuple[str, Row]],
        operation: str,
        by: str,
        list_key: str | None = None,
    ) -> None:
        """Records of a collection, each with the key under which P2P holds it."""
        items = [Item(row["externalCode"], key, row) for key, row in rows]
        version = f"{kind.status_entity}V{kind.version}"
        submission = self._add(request_id, kind.status_entity, version, operation, by, items)
        submission.kind, submission.list_key = kind, list_key
        for item in items:
            self._posted[kind.name, item.key] = (submission.posted, item)

    def respond(self, request_id: str, entity: str, invoice_id: str, row: Row, by: str) -> None:
        """A response to an invoice."""
        code = row["externalCode"]
        item = Item(code, f"{invoice_id}/{code}", row, parent=invoice_id)
        self._add(request_id, entity, f"{entity}V1", "POST", by, [item])

    def forget(self, kind: Kind, keys: Iterable[str]) -> None:
        """The next version of these records is forwarded even when it is the same."""
        for key in keys:
            self._forwarded.pop((kind.name, key), None)

    def settle(self) -> None:
        """Processes what is due, in the order of its time."""
        now = self._clock.now()
        while True:
            due = [one for one in self._waiting if one.due <= now]
            if not due:
                return
            submission = min(due, key=lambda one: one.due)
            self._waiting.remove(submission)
            self._process(submission)

    def _add(
        self, request_id: str, entity: str, version: str, operation: str, by: str, items: list[Item]
    ) -> Submission:
        now = self._clock.now()
        due = now + dt.timedelta(seconds=self._options.processing_seconds)
        submission = Submission(request_id, entity, version, operation, by, None, None, now, due, items, now)
        self.submissions[request_id] = submission
        self._waiting.append(submission)
        return submission

    def _process(self, submission: Submission) -> None:
        open_items = [item for item in submission.items if item.status == IN_PROGRESS]
        last_try = submission.posted + dt.timedelta(seconds=self._options.error_seconds)
        for item in open_items:
            self._decide(submission, item)
        if self._options.failed_line_fails_request and submission.kind is LINES:
            self._fail_together(submission, open_items)
        failed = [item for item in open_items if item.status == "Error"]
        if failed and submission.due < last_try:
            for item in failed:
                item.status, item.complaints = IN_PROGRESS, []
            wait = max(self._options.processing_seconds, 1)
            submission.due = min(last_try, submission.due + dt.timedelta(seconds=wait))
            self._waiting.append(submission)
        for item in open_items:
            self._conclude(submission, item)
        submission.updated = submission.due if submission.outcome != IN_PROGRESS else submission.updated
        if submission.outcome != IN_PROGRESS:
            self._announce("RequestStatus", submission.outcome, submission.request_id)

    def _decide(self, submission: Submission, item: Item) -> None:
        """The record's status and what P2P says to it; nothing is taken yet but by a record that is good."""
        kind = submission.kind
        forced = self.forced.pop((submission.entity, item.external_code), None)
        if forced is not None:
            item.complaints = [forced]
            item.status = forced.severity
        elif kind is None:
            item.status = "Success"
        elif self._expired(kind, submission, item):
            item.status = "RecordExpired"
            return
        elif self._forwarded.get((kind.name, item.key)) == item.digest:
            item.status = "NotProcessed"
            return
        else:
            item.complaints = self._p2p.complaints(kind, item.key, item.row)
            severities = {complaint.severity for complaint in item.complaints}
            item.status = "Error" if "Error" in severities else "Warning" if severities else "Success"
        together = self._options.failed_line_fails_request and kind is LINES
        if kind is not None and item.status != "Error" and not together:
            self._take(kind, item)

    def _take(self, kind: Kind, item: Item) -> None:
        self._p2p.take(kind, item.key, item.row)
        self._forwarded[kind.name, item.key] = item.digest

    def _fail_together(self, submission: Submission, items: list[Item]) -> None:
        """The lines of one request are saved all or none."""
        assert submission.kind is not None
        failed = any(item.status == "Error" for item in items)
        for item in items:
            if item.status in {"Success", "Warning"}:
                if failed:
                    item.status = "Error"
                    text = "Not saved, because another line of the same request failed."
                    item.complaints = [Complaint(text, category="Unknown")]
                else:
                    self._take(submission.kind, item)

    def _conclude(self, submission: Submission, item: Item) -> None:
        if item.status != "Error":
            return
        kind = submission.kind
        if kind is not None and self._options.unchanged_after_error == "skip":
            self._forwarded[kind.name, item.key] = item.digest
        number = len(self.feedbacks) + 1
        self.feedbacks.put(
            f"{submission.request_id}/{item.key}",
            {
                "id": f"{number:08d}",
                "requestId": submission.request_id,
                "externalCode": item.external_code,
                "errorEntity": encode(pascal(item.row)).decode(),
                "entityType": submission.entity,
                "errorStamp": stamp(submission.due),
                "errors": [complaint.message for complaint in item.complaints],
                "targetSystem": P2P_SYSTEM,
            },
        )

    def _expired(self, kind: Kind, submission: Submission, item: Item) -> bool:
        posted, newest = self._posted[kind.name, item.key]
        within = dt.timedelta(seconds=self._options.expires_within)
        return newest is not item and posted - submission.posted <= within


def _sorted(value: object) -> object:
    """The same JSON with its names in order, so that their order is no change."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_sorted(one) for one in value]
    return value
