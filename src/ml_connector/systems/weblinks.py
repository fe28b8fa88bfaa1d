"""Addresses of a document's page in the system's own web application, for people who want to look there.

No vendor promises them, so they are settings: an https address, and a path for each type of record. What is put
together leads to that address and nowhere else, whatever a key from outside holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit


def page_address(settings: Mapping[str, Any], record_type: str, key: str, number: str) -> str:
    """Where a record's page is; empty where it is not set, or set to something that is not https on one host."""
    base, pages = str(settings.get("web_address") or ""), settings.get("web_pages") or {}
    path = str(pages.get(record_type, "")) if isinstance(pages, Mapping) else ""
    if not path.startswith("/") or not key:
        return ""
    address = base.rstrip("/") + path.replace("{key}", quote(key, safe="")).replace("{number}", quote(number, safe=""))
    try:
        found, set_up = urlsplit(address), urlsplit(base)
        same = (found.scheme, found.netloc) == ("https", set_up.netloc)
    except ValueError:
        return ""
    plain = set_up.hostname is not None and "@" not in set_up.netloc and "\\" not in address and address.isprintable()
    return address if same and plain and " " not in address else ""
