"""The OpenAPI document, and the addresses of what it describes.

python -m ml_connector.api.v1.document docs/     writes openapi.json and the tables of api.md anew
"""

from __future__ import annotations

import functools
import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from ml_connector.api.v1 import (
    connections,
    failures,
    idempotency,
    mappings,
    overview,
    problems,
    records,
    runs,
    trail,
    webhooks,
)
from ml_connector.api.v1.failures import TITLES, Failure
from ml_connector.api.v1.frame import API
from ml_connector.tokens import PER_MINUTE, SCOPES

PREFIX = "/api/v1"

for _router in (overview, problems, records, mappings, runs, connections, webhooks, trail):
    API.add_router("", _router.router)

_ALWAYS = ("request", "token", "scope", "not-found", "fields", "limit", "ours")
_OF_CHANGES = ("refused", "too-large", "media-type")

DESCRIPTION = f"""\
Everything that the console shows and does, for programs.

A token comes as `Authorization: Bearer mlc_...`, is of one workspace, and has scopes: {", ".join(SCOPES)}. Nothing that
waits for a second person can be approved with one.

Money is text, exact. Instants are UTC. Fields that are not described are refused. Lists are paged: `next` of a page is
the `cursor` of the one behind it, and rows that are added meanwhile move nothing. Every failure is
`{failures.MEDIA_TYPE}`.

A token may ask {PER_MINUTE} times a minute; `RateLimit-*` headers tell what is left, and `Retry-After` when to go on.
A call that changes something may carry `{idempotency.HEADER}`: sent again within {idempotency.KEPT_HOURS} hours it is
answered like the first time and does nothing."""


@functools.cache
def document() -> dict[str, Any]:
    """The OpenAPI document, as plain values."""
    made: dict[str, Any] = json.loads(json.dumps(API.get_openapi_schema(path_prefix=PREFIX)))
    made["info"]["description"] = DESCRIPTION
    made["servers"] = [{"url": "/"}]
    made["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "An API token: mlc_..."}
    }
    made["components"]["schemas"]["Failure"] = _failure()
    made["components"]["responses"] = {kind: _told(title) for kind, (_, title) in TITLES.items()}
    for operations in made["paths"].values():
        for operation in operations.values():
            _complete(operation)
    return made


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def tables() -> dict[str, str]:
    """The tables of docs/api.md, by name."""
    rows = [
        (operation["tags"][0], method.upper(), address.partition("{workspace}")[2], operation)
        for address, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]
    operations = ["| | below `/api/v1/w/WORKSPACE` | scope | |", "|---|---|---|---|"]
    operations += [
        f"| {method} | `{address}` | {one['x-scope']} | {' '.join(one['description'].split())} |"
        for _, method, address, one in rows
    ]
    kinds = ["| `type` ends in | status | |", "|---|---|---|"]
    kinds += [f"| `{kind}` | {status} | {title} |" for kind, (status, title) in TITLES.items()]
    return {"operations": "\n".join(operations), "failures": "\n".join(kinds)}


def with_tables(page: str) -> str:
    """A page whose tables between `<!-- NAME -->` and `<!-- end -->` are written anew."""
    for name, table in tables().items():
        begin, end = f"<!-- {name} -->\n", "\n<!-- end -->"
        before, _, rest = page.partition(begin)
        page = before + begin + table + end + rest.partition(end)[2]
    return page


def _complete(operation: dict[str, Any]) -> None:
    """Adds what is true of every operation."""
    operation["security"] = [{"token": [operation["x-scope"]]}]
    kinds = _ALWAYS + (_OF_CHANGES if operation["x-changes"] else ())
    if operation["operationId"] == "publishMapping":
        kinds += ("moved", "version-wanted")
    for kind in kinds:
        operation["responses"][str(TITLES[kind][0])] = {"$ref": f"#/components/responses/{kind}"}
    operation["responses"] = dict(sorted(operation["responses"].items()))
    if operation["x-changes"]:
        operation["parameters"].append(
            {
                "in": "header",
                "name": idempotency.HEADER,
                "required": False,
                "schema": {"type": "string", "maxLength": 200},
                "description": f"Of the caller's choice; kept for {idempotency.KEPT_HOURS} hours.",
            }
        )


def _told(title: str) -> dict[str, Any]:
    content = {failures.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Failure"}}}
    return {"description": title, "content": content}


def _failure() -> dict[str, Any]:
    string = {"type": "string"}
    pointed = {"type": "object", "properties": {"where": string, "text": string}, "required": ["where", "text"]}
    return {
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "properties": {
            "type": {"type": "string", "enum": [f"urn:ml-connector:failure:{kind}" for kind in TITLES]},
            "title": string,
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What happened, to what."},
            "fix": {"type": "string", "description": "What to do."},
            "instance": string,
            "errors": {"type": "array", "items": pointed},
        },
        "required": ["type", "title", "status", "detail", "instance"],
    }


@require_safe
def _show(request: HttpRequest) -> HttpResponse:
    return HttpResponse(text(), content_type="application/json")


@csrf_exempt
def _nothing(request: HttpRequest) -> HttpResponse:
    return failures.answer(request, failures.nothing_here())


def _by_method(view: Any) -> Any:
    """An address that is asked in a way that it does not know is answered in the API's form."""

    @functools.wraps(view)
    def answered(request: HttpRequest, **parts: Any) -> HttpResponse:
        response: HttpResponse = view(request, **parts)
        if response.status_code != 405:
            return response
        failure = Failure(
            "method",
            f"{request.method} is not known here.",
            f"Known are: {response['Allow']}.",
            headers={"Allow": response["Allow"]},
        )
        return failures.answer(request, failure)

    return answered


def urls() -> list[URLPattern | URLResolver]:
    """The addresses below PREFIX, the last of which answers for all that are not there."""
    made: list[URLPattern | URLResolver] = [path("openapi.json", _show, name="openapi")]
    for pattern in API.urls[0]:
        if not isinstance(pattern, URLPattern) or pattern.name == "api-root":
            continue
        pattern.callback = _by_method(pattern.callback)
        made.append(pattern)
    made.append(re_path(r"", _nothing))
    return made
