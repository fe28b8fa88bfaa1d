"""Addresses for machines."""

from __future__ import annotations

from django.urls import URLPattern, path

from ml_connector.api import views

urlpatterns: list[URLPattern] = [
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("metrics", views.metrics),
]
