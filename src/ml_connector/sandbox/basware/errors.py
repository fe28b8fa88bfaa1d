"""Refusals in the vendor's shapes, which differ from API to API.

The P2P API names records in `errors`; the push notification API has `errorMessages`; 401, 403, 404, 405 and 429 have
no declared body, so a gateway's is given (option `bare_errors`).
"""

from dataclasses import dataclass
from typing import Literal

from ml_connector.sandbox.http import Response
from ml_connector.sandbox.standin import Row

ErrorType = Literal["BUSINESS", "VALIDATION", "TECHNICAL", "SECURITY"]
BareStyle = Literal["message", "empty", "text"]

SCHEMA = "SCHEMA_VALIDATION_ERROR"
PARAMETER = "PARAMETER_VALIDATION_ERROR"
CONFLICT = "CONFLICT_IN_POST"
MISMATCH = "EXTERNAL_CODE_MISMATCH"
NOT_ALLOWED = "METHOD_NOT_ALLOWED"
UNEXPECTED = "UNEXPECTED_ERROR"

_TYPES: dict[str, ErrorType] = {
    SCHEMA: "VALIDATION",
    PARAMETER: "VALIDATION",
    MISMATCH: "VALIDATION",
    CONFLICT: "BUSINESS",
    NOT_ALLOWED: "BUSINESS",
    UNEXPECTED: "TECHNICAL",
}
_INFO: dict[ErrorType, str] = {
    "BUSINESS": "The request conflicts with the data.",
    "VALIDATION": "The request does not follow the contract.",
    "TECHNICAL": "The API failed.",
    "SECURITY": "Access was refused.",
}
GATEWAY = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Too Long",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class Error:
    """One element of `errors`."""

    code: str
    message: str
    external_code: str | None = None

    def row(self) -> Row:
        kind = _TYPES[self.code]
        row: Row = {} if self.external_code is None else {"externalCode": self.external_code}
        return {**row, "type": kind, "code": self.code, "message": self.message, "info": _INFO[kind]}


class Refused(Exception):
    """The request is refused in the P2P API's shape; nothing was changed unless said."""

    def __init__(self, status: int, *errors: Error) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.status = status
        self.errors = errors

    def response(self, request_id: str, style: BareStyle) -> Response:
        body = {"requestId": request_id, "hasErrors": True, "errors": [error.row() for error in self.errors]}
        return Response.json(body, self.status)


class Bare(Refused):
    """A refusal for which the vendor declares no body."""

    def __init__(self, status: int) -> None:
        super().__init__(status, Error(UNEXPECTED, GATEWAY[status]))

    def response(self, request_id: str, style: BareStyle) -> Response:
        match style:
            case "empty":
                return Response(self.status)
            case "text":
                return Response.text(GATEWAY[self.status], self.status)
        return Response.json({"message": GATEWAY[self.status]}, self.status)


class RefusedPush(Refused):
    """A refusal of the push notification API."""

    def response(self, request_id: str, style: BareStyle) -> Response:
        match self.status:
            case 400:
                messages = [
                    {"type": _TYPES[error.code], "code": error.code, "message": error.message} for error in self.errors
                ]
                return Response.json({"requestId": request_id, "hasError": True, "errorMessages": messages}, 400)
            case 404:
                return Response.json({"detail": "Not Found"}, 404)
        return Response.json({"message": "UnprocessableEntity"}, self.status)


def parameter(message: str) -> Refused:
    """400: a query parameter or header that cannot be taken."""
    return Refused(400, Error(PARAMETER, message))


def no_rows() -> Refused:
    """404, which is also what an empty list is answered with."""
    return Bare(404)
