"""Where requests arrive."""

from __future__ import annotations

from django.urls import URLResolver, include, path

urlpatterns: list[URLResolver] = [path("", include("ml_connector.api.urls"))]
