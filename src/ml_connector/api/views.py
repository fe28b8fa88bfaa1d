"""Health and metrics, for those who operate the installation. They say nothing of what a customer's records hold."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from ml_connector import vault
from ml_connector.api.metrics import Installation
from ml_connector.installation import Schema, schema
from ml_connector.jobs.presence import workers_alive

OK = "ok"


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The database, its tables and the key are as they must be, and a worker runs; 503 where not."""
    checks = {"database": _database(), "key": "not checked", "worker": "not checked"}
    if checks["database"] == OK:
        checks["key"] = _key()
        checks["worker"] = OK if workers_alive() else "none runs"
    ready = all(said == OK for said in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures in the text form of Prometheus, counted when asked."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Installation())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _database() -> str:
    try:
        found = schema()
    except DatabaseError:
        connection.close()
        return "does not answer"
    return OK if found is Schema.CURRENT else f"its tables are {found.value}"


def _key() -> str:
    try:
        vault.check()
    except vault.VaultError as error:
        return str(error)
    return OK
