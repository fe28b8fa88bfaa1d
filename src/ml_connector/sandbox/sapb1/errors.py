"""How the Service Layer says no: an HTTP status, a business code and a text, in the envelope of either version."""

from ml_connector.sandbox.http import Response
from ml_connector.sandbox.sapb1.output import Version, answer

NODE_BROKEN = 299
WRONG_LOGIN = -304
UNKNOWN_COMPANY = -306
NOT_FOUND = -2028
EXISTS = -2035
CHANGED_MEANWHILE = -2039
NO_RIGHT = -6006
NOT_SUPPORTED = -5006
NOT_UPDATABLE = -1029
UNKNOWN_PROPERTY = -1000
NOT_IN_LIST = -1004
VALIDATION = -5002
BUSINESS = -10
BAD_QUERY = 201

LOGIN_TEXT = "Fail to NONE-SSO login from SLD."
SESSION_TEXT = "Invalid session or session already timeout."


class Refused(Exception):
    """An error answer. Nothing has been changed when it is raised."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text

    def response(self, version: Version) -> Response:
        if version == "v1":
            error: dict[str, object] = {"code": self.code, "message": {"lang": "en-us", "value": self.text}}
        else:
            details = [{"code": "", "message": ""}]
            error = {"code": str(self.code), "details": details, "message": self.text}
        return answer({"error": error}, version, self.status)


def invalid(text: str) -> Refused:
    """The generic refusal of a value by the business rules."""
    return Refused(400, VALIDATION, text)


def business(text: str) -> Refused:
    return Refused(400, BUSINESS, text)


def bad_query(text: str) -> Refused:
    return Refused(400, BAD_QUERY, text)


def no_match() -> Refused:
    return Refused(404, NOT_FOUND, "No matching records found (ODBC -2028)")


def missing_reference() -> Refused:
    """A record that the body refers to does not exist."""
    return Refused(400, NOT_FOUND, "No matching records found (ODBC -2028)")


def not_supported() -> Refused:
    return Refused(400, NOT_SUPPORTED, "The requested action is not supported for this object.")
