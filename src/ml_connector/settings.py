"""Settings of an installation, from the environment. What a customer sets lives in the database instead.

ML_CONNECTOR_DATA       directory for the database file and the key file (default: ./ml-connector-data)
DATABASE_URL            postgresql://user:password@host:port/name; absent: SQLite in the data directory
ML_CONNECTOR_KEY        key-encryption key as base64; absent: the file vault.key in the data directory
ML_CONNECTOR_HOSTS      comma-separated host names that the console answers for (default: localhost)
ML_CONNECTOR_ALLOW_PRIVATE_ADDRESSES, ML_CONNECTOR_ALLOW_LOOPBACK   1 (default) or 0: where Connections may lead
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

DATA = Path(os.environ.get("ML_CONNECTOR_DATA", "ml-connector-data")).absolute()
ALLOW_PRIVATE_ADDRESSES = os.environ.get("ML_CONNECTOR_ALLOW_PRIVATE_ADDRESSES", "1") != "0"
ALLOW_LOOPBACK = os.environ.get("ML_CONNECTOR_ALLOW_LOOPBACK", "1") != "0"

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
    " PRAGMA busy_timeout=20000; PRAGMA cache_size=-8000;"
)
"""FULL: an intent that was committed is on the disk before its request leaves (R1)."""


def _database(url: str | None) -> dict[str, Any]:
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA / "ml-connector.sqlite3",
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": SQLITE_PRAGMAS, "timeout": 20},
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql://; leave it out for SQLite.")
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {key: unquote(value) for key, value in query.items() if key != "host"},
    }


DATABASES = {"default": _database(os.environ.get("DATABASE_URL"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = os.environ.get("ML_CONNECTOR_SECRET_KEY") or secrets.token_urlsafe(48)
DEBUG = False
ALLOWED_HOSTS = os.environ.get("ML_CONNECTOR_HOSTS", "localhost,127.0.0.1").split(",")

INSTALLED_APPS = [
    "ml_connector.workspaces",
    "ml_connector.vault",
    "ml_connector.audit",
    "ml_connector.sync",
]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "ml_connector.urls"
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING_CONFIG = None
