"""What is answered instead: problem details as RFC 9457 has them.

{"type": "urn:ml-connector:failure:scope", "title": "...", "status": 403, "detail": "what happened, to what",
 "fix": "what to do", "instance": "/api/v1/w/acme/problems/7/decide"}
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from ml_connector.redaction import redacted
from ml_connector.sync.links import LinkRefused
from ml_connector.sync.mapping_checks import MappingRefused
from ml_connector.sync.mappings import MappingMoved
from ml_connector.sync.pings import PingRunning
from ml_connector.sync.problems import DecisionRefused

MEDIA_TYPE = "application/problem+json"

TITLES = {
    "request": (400, "This request cannot be read"),
    "token": (401, "No good token came with this request"),
    "scope": (403, "This token may not do this"),
    "not-found": (404, "There is nothing here"),
    "method": (405, "This cannot be done to this address"),
    "refused": (409, "This cannot be done in this state"),
    "moved": (412, "Somebody changed it meanwhile"),
    "too-large": (413, "This request is too large"),
    "media-type": (415, "This body is no JSON"),
    "fields": (422, "Some fields are not as they must be"),
    "version-wanted": (428, "Say which version this changes"),
    "limit": (429, "Too many requests"),
    "ours": (500, "This is an error of ours"),
}
"""The kinds of failure: status and title."""

log = logging.getLogger(__name__)


class Failure(Exception):
    """Ends a call with one of TITLES. The texts are shown as they are: no secrets in them."""

    def __init__(
        self,
        kind: str,
        detail: str,
        fix: str = "",
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.kind, self.detail, self.fix = kind, detail, fix
        self.errors, self.headers = errors, headers or {}
        super().__init__(detail)


def answer(request: HttpRequest, failure: Failure) -> HttpResponse:
    status, title = TITLES[failure.kind]
    body: dict[str, Any] = {
        "type": f"urn:ml-connector:failure:{failure.kind}",
        "title": title,
        "status": status,
        "detail": redacted(failure.detail),
        "instance": redacted(request.path),
    }
    if failure.fix:
        body["fix"] = failure.fix
    if failure.errors is not None:
        body["errors"] = failure.errors
    return HttpResponse(msgspec.json.encode(body), status=status, content_type=MEDIA_TYPE, headers=failure.headers)


def install(api: NinjaAPI) -> None:
    """Has the API answer every exception so."""
    for kind, told in _TOLD.items():
        api.add_exception_handler(kind, functools.partial(_answered, told))


def _answered(told: Callable[[Any], Failure], request: HttpRequest, error: Any) -> HttpResponse:
    return answer(request, told(error))


def nothing_here() -> Failure:
    return Failure(
        "not-found",
        "The address is wrong, the thing is gone, or it belongs to another workspace.",
        "Compare the address with the document at /api/v1/openapi.json.",
    )


def _fields(error: ValidationError) -> Failure:
    errors = [{"where": _place(one["loc"]), "text": str(one["msg"])} for one in error.errors]
    places = ", ".join(one["where"] for one in errors[:5])
    return Failure(
        "fields", f"Not as it must be: {places}. Nothing was changed.", "Correct what `errors` names.", errors
    )


def _refused_entries(refused: MappingRefused) -> Failure:
    errors = [{"where": f"body.entries.{one.source}", "text": one.text} for one in refused.faults]
    return Failure("fields", str(refused), "Nothing was published. Correct the entries and send all again.", errors)


def _ours(error: Exception) -> Failure:
    log.error("A call of the API ended in an error of ours.", exc_info=error)
    text = f"The call ended unexpectedly ({type(error).__name__}); what it changed was taken back."
    return Failure("ours", text, "Try again; if it stays so, report it: the log says where it happened.")


def _place(location: tuple[Any, ...]) -> str:
    """`body.action`: the parts that only the library knows are left out."""
    source, *parts = [str(part) for part in location]
    return ".".join([source, *(part for part in parts if part not in {"body", "data"})])


_TOLD: dict[type[Exception], Callable[[Any], Failure]] = {
    Failure: lambda failure: failure,
    ValidationError: _fields,
    HttpError: lambda _: Failure("request", "The body is no JSON that can be read.", "Send one JSON object, as UTF-8."),
    Http404: lambda _: nothing_here(),
    RequestDataTooBig: lambda _: Failure("too-large", "The body is larger than is taken.", "Send less at a time."),
    DecisionRefused: lambda refused: Failure("refused", str(refused)),
    LinkRefused: lambda refused: Failure("refused", str(refused)),
    PingRunning: lambda refused: Failure("refused", str(refused)),
    MappingMoved: lambda moved: Failure("moved", str(moved)),
    MappingRefused: _refused_entries,
    Exception: _ours,
}
"""What each exception comes to; the nearest class counts."""
