"""Addresses for machines."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from ml_connector.api import hooks, views
from ml_connector.api.v1 import document

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("metrics", views.metrics),
    path("hooks/<str:path>", hooks.arrived),
    path("api/v1/", include((document.urls(), "api"))),
]
