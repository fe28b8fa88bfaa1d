"""Refusals in BILL's v3 shape: a JSON array of errors, never a single object."""

from dataclasses import dataclass, field
from datetime import datetime

from ml_connector.sandbox.http import Response
from ml_connector.sandbox.standin import Row

REQUEST, APPLICATION = "REQUEST", "APPLICATION"


@dataclass(frozen=True)
class Error:
    """One element. A plain validation error has no code."""

    message: str
    code: str | None = None
    category: str = REQUEST
    params: dict[str, object] = field(default_factory=dict)

    def row(self, timestamp: str) -> Row:
        row: Row = {"timestamp": timestamp}
        if self.code is not None:
            row["code"] = self.code
        row |= {"severity": "ERROR", "category": self.category, "message": self.message}
        row["params"] = [{"name": k, "value": v, "additional": {}} for k, v in self.params.items()] or {}
        return row


class Refused(Exception):
    """The request is refused with this status and these errors; nothing was changed."""

    def __init__(self, status: int, *errors: Error) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.status = status
        self.errors = errors

    def response(self, now: datetime) -> Response:
        timestamp = now.isoformat(timespec="milliseconds")
        return Response.json([error.row(timestamp) for error in self.errors], self.status)


def invalid(message: str) -> Error:
    """`BDC_1143`: the entity's data break a rule, such as a length."""
    return Error(f"Invalid entity data. {message}", "BDC_1143", APPLICATION)


def not_found(identifier: str) -> Refused:
    """`BDC_1205`, 404: no object with this id."""
    return Refused(404, no_such(identifier))


def no_such(identifier: str) -> Error:
    return Error(f"Unable to find object with id: {identifier}.", "BDC_1205", APPLICATION, {"id": identifier})


def overpaid(identifier: str) -> Refused:
    """`BDC_1159`: a bill cannot be paid or credited beyond its open amount."""
    return Refused(422, Error(f"Payment exceeds the amount due of bill {identifier}.", "BDC_1159", APPLICATION))


def untrusted() -> Refused:
    """403 `BDC_1361`: the operation needs a session that passed MFA."""
    return Refused(403, Error("Untrusted session.", "BDC_1361"))


def hourly_limit(status: int, limit: int) -> Refused:
    """`BDC_1144`: the limit of the clock hour, not the one of concurrency."""
    return Refused(status, Error(f"Max number of allowed requests per hour reached: {limit}.", "BDC_1144"))


def concurrency_limit(status: int) -> Refused:
    """`BDC_1322`: more than three requests at once for one developer key and organisation."""
    return Refused(status, Error("Max number of concurrent requests per organization reached.", "BDC_1322"))
