"""Where requests arrive."""

from __future__ import annotations

from django.urls import URLResolver, include, path

urlpatterns: list[URLResolver] = [
    path("", include("ml_connector.api.urls")),
    path("", include("ml_connector.console.urls")),
]
handler400 = "ml_connector.console.failures.bad_request"
handler403 = "ml_connector.console.failures.forbidden"
handler404 = "ml_connector.console.failures.not_found"
handler500 = "ml_connector.console.failures.failed"
