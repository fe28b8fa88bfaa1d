"""What became of writes: requestStatus, and the older errorFeedbacks."""

from collections.abc import Callable, Iterable, Iterator

from ml_connector.sandbox.basware.calls import Call, Routes
from ml_connector.sandbox.basware.errors import NOT_ALLOWED, PARAMETER, Bare, Error, Refused, no_rows
from ml_connector.sandbox.basware.incoming import entity_of
from ml_connector.sandbox.basware.kinds import STATUS_ENTITIES
from ml_connector.sandbox.basware.listing import Lister
from ml_connector.sandbox.basware.options import BaswareOptions
from ml_connector.sandbox.basware.output import stamp
from ml_connector.sandbox.basware.processing import P2P_MODULE, P2P_SYSTEM, Processing, Submission
from ml_connector.sandbox.clock import Clock
from ml_connector.sandbox.http import Response
from ml_connector.sandbox.standin import Row

STATUSES = ("InProgress", "Success", "Error", "AcknowledgedSuccess", "AcknowledgedError")
PAGE = 500
GOOD = frozenset({"Success", "NotProcessed"})


class Statuses:
    def __init__(self, processing: Processing, lister: Lister, options: BaswareOptions, clock: Clock) -> None:
        self._processing = processing
        self._lister = lister
        self._options = options
        self._clock = clock

    def add_routes(self, routes: Routes) -> None:
        routes.add("GET /v1/requestStatus", "requestStatus.read", self._list)
        routes.add("POST /v1/requestStatus/acknowledge", "requestStatus.write", self._acknowledge)
        routes.add("GET /v1/requestStatus/{id}", "requestStatus.read", self._get)
        routes.add("GET /v1/errorFeedbacks", "errorFeedbacks.read", self._feedbacks)
        routes.add("GET /v1/errorFeedbacks/{id}", "errorFeedbacks.read", self._feedback_of_request)
        routes.add("GET /v1/errorFeedbacks/{entity}/{code}", "errorFeedbacks.read", self._feedback_of_record)

    def rows(self) -> list[Row]:
        return [self.row(submission) for submission in self._processing.submissions.values()]

    def row(self, submission: Submission, *, only_open: bool = False) -> Row:
        """A request as the API shows it; `only_open` leaves out the records that are well."""
        updated = stamp(submission.updated)
        items = [
            {
                "externalCode": item.external_code,
                "parentExternalCode": item.parent,
                "status": item.status,
                "errors": list(_errors(item.status, ((c.severity, c.message, c.category) for c in item.complaints))),
            }
            for item in submission.items
            if not (only_open and item.status in GOOD)
        ]
        system = {
            "system": P2P_SYSTEM,
            "module": P2P_MODULE,
            "systemStatus": submission.status,
            "lastUpdated": updated,
            "items": [_without_nulls(item) for item in items],
        }
        return _without_nulls(
            {
                "requestId": submission.request_id,
                "entityType": submission.entity,
                "entityVersion": submission.version,
                "requestStatus": submission.status,
                "changedBy": submission.by,
                "operationType": submission.operation,
                "genericListKey": submission.list_key,
                "lastUpdated": updated,
                "systems": [system],
            }
        )

    def _list(self, call: Call) -> Response:
        query = call.query
        status = query.choice("status", STATUSES)
        entity = query.choice("entityType", STATUS_ENTITIES)
        system = query.text("system")
        only_open = query.flag("ignoreSuccessfullItems")
        newer = self._lister.since(query)
        if status is None and entity is None and system is None:
            status = "Error"

        def wanted(row: Row) -> bool:
            offered = row["requestStatus"] == status if status else not row["requestStatus"].startswith("Ack")
            return offered and entity in (None, row["entityType"]) and newer(row)

        if system not in (None, P2P_SYSTEM):
            raise no_rows()
        rows = ((number, self.row(one, only_open=only_open)) for number, one in enumerate(self._visible(), 1))
        page = self._lister.page(rows, call.request, wanted, query.page_size(PAGE, PAGE))
        return self._answer(page.rows, page.headers)

    def _get(self, call: Call) -> Response:
        only_open = call.query.flag("ignoreSuccessfulItems")
        system = call.query.text("system")
        submission = self._processing.submissions.get(call.ids[0])
        if submission is None or not self._is_visible(submission) or system not in (None, P2P_SYSTEM):
            raise no_rows()
        return self._answer([self.row(submission, only_open=only_open)])

    def _answer(self, rows: list[Row], headers: Iterable[tuple[str, str]] = ()) -> Response:
        bare = "requestStatus" in self._options.bare_lists
        return Response.json(rows if bare else {"requestStatus": rows}, headers=headers)

    def _acknowledge(self, call: Call) -> Response:
        ids = entity_of(call.request, "RequestIds", self._options.unknown_fields).get("requestIds", [])
        if not ids:
            raise Refused(400, Error(PARAMETER, "requestIds must name at least one request."))
        known = {submission.request_id: submission for submission in self._visible()}
        if any(one not in known for one in ids):
            raise Bare(404)
        for one in ids:
            if known[one].acknowledged:
                raise Refused(405, Error(NOT_ALLOWED, f"Request {one} is acknowledged already."))
            if known[one].outcome == "InProgress":
                raise Refused(400, Error(NOT_ALLOWED, f"Request {one} is still being processed."))
        for one in ids:
            known[one].acknowledged = True
            known[one].updated = self._clock.now()
        return Response.json("Acknowledged")

    def _visible(self) -> Iterator[Submission]:
        return (one for one in self._processing.submissions.values() if self._is_visible(one))

    def _is_visible(self, submission: Submission) -> bool:
        """Whether a request is old enough to be found."""
        return (self._clock.now() - submission.posted).total_seconds() >= self._options.status_seconds

    def _feedbacks(self, call: Call) -> Response:
        query = call.query
        entity, system = query.choice("entityType", STATUS_ENTITIES), query.text("targetSystem")
        newer = self._lister.since(query)

        def wanted(row: Row) -> bool:
            stamped = {"lastUpdated": row["errorStamp"]}
            return entity in (None, row["entityType"]) and system in (None, row["targetSystem"]) and newer(stamped)

        rows = self._processing.feedbacks.numbered()
        page = self._lister.page(rows, call.request, wanted, query.page_size(PAGE, PAGE))
        return Response.json({"errorList": page.rows}, headers=page.headers)

    def _feedback_of_request(self, call: Call) -> Response:
        return self._feedback(call, lambda row: row["requestId"] == call.ids[0])

    def _feedback_of_record(self, call: Call) -> Response:
        entity, code = call.ids
        return self._feedback(call, lambda row: (row["entityType"], row["externalCode"]) == (entity, code))

    def _feedback(self, call: Call, wanted: Callable[[Row], bool]) -> Response:
        rows = self._processing.feedbacks.numbered()
        page = self._lister.page(rows, call.request, wanted, call.query.page_size(PAGE, PAGE))
        return Response.json({"errorList": page.rows}, headers=page.headers)


def _errors(status: str, complaints: Iterable[tuple[str, str, str]]) -> Iterator[Row]:
    for severity, message, category in complaints:
        yield {"type": severity, "message": message, "category": category}
    if status == "RecordExpired":
        yield {"type": "RecordExpired", "message": "A newer version of the record was posted.", "category": "Unknown"}


def _without_nulls(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}
