"""What every call of the API goes through.

    @reads(router, "/problems", ProblemPage)
    @changes(router, "/problems/{problem}/decide", Decided, Permission.SOLVE)

The token is checked and counted, then its scope, then what was sent; a call that changes something is one transaction
with its entry in the trail and with the answer that is kept for its Idempotency-Key. What is answered with a failure
has changed nothing.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Router
from ninja.decorators import decorate_view
from ninja.security.base import AuthBase

from ml_connector import audit, tokens
from ml_connector.api.v1 import failures, idempotency
from ml_connector.api.v1.failures import Failure
from ml_connector.tokens import Allowance, TokenRefused
from ml_connector.workspaces.models import ApiToken, Workspace
from ml_connector.workspaces.roles import Permission

F = TypeVar("F", bound=Callable[..., Any])
Run = Callable[..., HttpResponse]

WORKSPACE = "/w/{workspace}"


class Call(HttpRequest):
    """A request that has come through: its token is good and may do what it asks for."""

    token: ApiToken
    workspace: Workspace
    actor: str
    """What the trail calls the token."""


@dataclass(frozen=True)
class Guard:
    """What one operation asks of a call."""

    operation: str
    scope: Permission
    changes: bool
    query: frozenset[str]
    """Names that its address may carry behind the question mark."""


class Bearer(AuthBase):
    """Says in the schema how one comes in. The check itself is `_entered`, which also tells the limits."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> bool:
        return hasattr(request, "token")


BEARER = Bearer()


def reads(router: Router, path: str, answer: Any) -> Callable[[F], F]:
    """An operation that changes nothing."""
    return _operation(router, "GET", path, answer, Permission.VIEW, 200)


def changes(router: Router, path: str, answer: Any, scope: Permission, status: int = 200) -> Callable[[F], F]:
    """An operation that decides, publishes or starts something."""
    return _operation(router, "POST", path, answer, scope, status)


def _operation(router: Router, method: str, path: str, answer: Any, scope: Permission, status: int) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        guard = Guard(_camel(function.__name__), scope, method != "GET", _query_of(function, path))
        register = router.api_operation(
            [method],
            WORKSPACE + path,
            auth=BEARER,
            response={status: answer},
            operation_id=guard.operation,
            summary=function.__name__.replace("_", " ").capitalize(),
            openapi_extra={"x-scope": scope.value, "x-changes": guard.changes},
        )
        register(decorate_view(functools.partial(_guarded, guard))(function))
        return function

    return decorate


def _query_of(function: Callable[..., Any], path: str) -> frozenset[str]:
    elsewhere = {"request", "response", "workspace", "body", "if_match", *re.findall(r"{(?:\w+:)?(\w+)}", path)}
    return frozenset(inspect.signature(function).parameters) - elsewhere


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _guarded(guard: Guard, run: Run) -> Run:
    def call(request: HttpRequest, **parts: Any) -> HttpResponse:
        headers: dict[str, str] = {}
        try:
            entered = _entered(request, str(parts.get("workspace", "")), headers)
            _allowed(entered, guard)
            response = _as_one(entered, guard, run, parts) if guard.changes else run(request, **parts)
        except Failure as failure:
            response = failures.answer(request, failure)
        except Exception as error:
            response = API.on_exception(request, error)
        for name, value in headers.items():
            response[name] = value
        return response

    return call


def _entered(request: HttpRequest, workspace: str, headers: dict[str, str]) -> Call:
    """Checks and counts the token. Raises Failure."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    asked = {"WWW-Authenticate": 'Bearer realm="ml-connector"'}
    if kind.lower() != "bearer" or not text.strip():
        fix = "Send the header `Authorization: Bearer mlc_...`. Tokens are made in the console under Settings."
        raise Failure("token", "The request carries no token.", fix, headers=asked)
    if "\0" in workspace:
        raise failures.nothing_here()
    try:
        token = tokens.check(workspace, text.strip())
    except TokenRefused as refused:
        raise Failure("token", str(refused), headers=asked) from None
    allowance = tokens.count(token)
    headers.update(_limits(allowance))
    if not allowance.granted:
        text = f"The token {token.name} has made its {tokens.PER_MINUTE} requests of this minute."
        raise Failure("limit", text, f"Wait {allowance.seconds} seconds.")
    call = cast(Call, request)
    call.token, call.workspace, call.actor = token, token.workspace, token.actor
    return call


def _limits(allowance: Allowance) -> dict[str, str]:
    found = {
        "RateLimit-Limit": str(tokens.PER_MINUTE),
        "RateLimit-Policy": f"{tokens.PER_MINUTE};w=60",
        "RateLimit-Remaining": str(allowance.left),
        "RateLimit-Reset": str(allowance.seconds),
    }
    return found if allowance.granted else {**found, "Retry-After": str(allowance.seconds)}


def _allowed(call: Call, guard: Guard) -> None:
    """Raises Failure where the token's scopes do not allow it, or where it asks in a form that nobody reads."""
    if guard.scope not in call.token.scopes:
        has = ", ".join(call.token.scopes) or "nothing"
        text = f"{guard.operation} needs the scope {guard.scope.value}; the token {call.token.name} has: {has}."
        raise Failure("scope", text, "Make a token with that scope under Settings, or use another one.")
    unknown = sorted(call.GET.keys() - guard.query)
    if unknown:
        known = ", ".join(sorted(guard.query)) or "none"
        errors = [{"where": f"query.{name}", "text": "is unknown"} for name in unknown]
        raise Failure("fields", f"Unknown: {', '.join(unknown)}. Nothing was changed.", f"Known are: {known}.", errors)
    if "\0" in call.path or any("\0" in value for values in call.GET.lists() for value in values[1]):
        raise Failure("request", "The address holds a NUL character.", "Leave it out.")
    if guard.changes and call.body and call.content_type != "application/json":
        raise Failure("media-type", f"The body is {call.content_type or 'of no kind'}.", "Send application/json.")


class _Undone(Exception):
    """Takes a transaction back whose call was answered with a failure."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response


def _as_one(call: Call, guard: Guard, run: Run, parts: dict[str, Any]) -> HttpResponse:
    """The call in one transaction, with its entry in the trail and its kept answer."""
    try:
        with audit.recording(call.workspace, actor=call.actor) as trail:
            repeat = idempotency.begun(call)
            if isinstance(repeat, HttpResponse):
                return repeat
            response = _good(run(call, **parts))
            trail.add("api_call", f"token:{call.token.pk}", operation=guard.operation, address=call.path[:300])
            idempotency.keep(repeat, response)
            return response
    except _Undone as undone:
        return undone.response


def _good(response: HttpResponse) -> HttpResponse:
    if response.status_code >= 400:
        raise _Undone(response)
    return response


class Api(NinjaAPI):
    """Answers every exception as a problem detail."""

    def set_default_exception_handlers(self) -> None:
        failures.install(self)


API = Api(title="ml-connector", version="1", urls_namespace="api", openapi_url=None, docs_url=None)
