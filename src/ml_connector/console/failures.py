"""What is shown instead of a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 400, "This request cannot be answered", "Go back and try again.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = "Your role does not allow this. An owner or administrator of the workspace can change your role."
    return _page(request, 403, "You may not do this", text)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    text = "The form was open for too long, or cookies are blocked. Go back, load the page again, and repeat it."
    return _page(request, 403, "Nothing was changed", text)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = "The address is wrong, the thing is gone, or it belongs to a workspace that you are not in."
    return _page(request, 404, "There is nothing here", text)


def failed(request: HttpRequest) -> HttpResponse:
    text = "This is an error of ours. What was stored before is safe. The log says where it happened: please report it."
    return _page(request, 500, "This page could not be made", text)


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    return render(request, "console/failure.html", {"title": title, "text": text, "status": status}, status=status)
