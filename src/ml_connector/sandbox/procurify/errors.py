"""Refusals. The vendor documents none: 400 names fields, everything else has a `detail`."""

from collections.abc import Mapping
from dataclasses import dataclass

from ml_connector.sandbox.http import Response
from ml_connector.sandbox.procurify.options import ProcurifyOptions

WHOLE = "null"
"""The field of an error that belongs to no field."""

DETAILS = {
    401: "Authentication credentials were not provided.",
    403: "You do not have permission to perform this action.",
    404: "Not found.",
    405: "Method not allowed.",
    415: "Unsupported media type.",
    429: "Request was throttled.",
}


@dataclass(frozen=True)
class Wrong:
    """What is wrong with one field."""

    message: str
    code: str = "INVALID"


class Refused(Exception):
    """A refusal of which only the status and one text are told."""

    def __init__(self, status: int, detail: str = "") -> None:
        super().__init__(detail or DETAILS.get(status, "Error."))
        self.status = status

    def response(self, options: ProcurifyOptions) -> Response:
        return Response.json({"detail": str(self)}, self.status)


class Invalid(Refused):
    """400: what is wrong, field by field."""

    def __init__(self, wrong: Mapping[str, Wrong]) -> None:
        super().__init__(400, "; ".join(f"{name}: {one.message}" for name, one in wrong.items()))
        self.wrong = dict(wrong)

    def response(self, options: ProcurifyOptions) -> Response:
        if options.error_form == "fields":
            named = {("non_field_errors" if name == WHOLE else name): [one.message] for name, one in self.wrong.items()}
            return Response.json(named, 400)
        errors = {name: {"message": one.message, "code": one.code} for name, one in self.wrong.items()}
        return Response.json({"errors": errors}, 400)


def invalid(name: str, message: str, code: str = "INVALID") -> Invalid:
    """A refusal for one field; `WHOLE` for none."""
    return Invalid({name: Wrong(message, code)})
