"""Settings of an installation, from the environment. What a customer sets lives in the database instead.

ML_CONNECTOR_DATA       directory for the database file and the key file (default: ./ml-connector-data)
DATABASE_URL            postgresql://user:password@host:port/name; absent: SQLite in the data directory
ML_CONNECTOR_KEY        key-encryption key as base64; absent: the file vault.key in the data directory
ML_CONNECTOR_SIGNING_KEY   seed that checkpoints of the trail are signed with, as base64, where the key comes from the
                        environment (default: made of the key)
ML_CONNECTOR_HOSTS      comma-separated host names that the console answers for (default: localhost)
ML_CONNECTOR_URL        where people reach the console, for example https://connector.example.com, when a proxy that
                        speaks https stands before it: cookies are then sent over https only
ML_CONNECTOR_WEBHOOK_URL   where vendors reach this installation with their webhooks, for example
                        https://hooks.example.com; absent: changes are found by polling only
ML_CONNECTOR_ALLOW_PRIVATE_ADDRESSES, ML_CONNECTOR_ALLOW_LOOPBACK   1 (default) or 0: where Connections may lead
ML_CONNECTOR_NOTIFY_INTERNAL   1 or 0 (default): whether messages may go to private addresses and this machine
ML_CONNECTOR_OIDC_ISSUER, ML_CONNECTOR_OIDC_CLIENT_ID, ML_CONNECTOR_OIDC_CLIENT_SECRET   single sign-on by OpenID
                        Connect; all three or none
ML_CONNECTOR_OIDC_NAME  what the button on the sign-in page calls it (default: single sign-on)
ML_CONNECTOR_OIDC_PASSWORDS   1 (default) or 0: whether people who signed in so may also sign in by password
ML_CONNECTOR_LOG        DEBUG, INFO, WARNING, ERROR or CRITICAL: from which level on log lines are written (default:
                        INFO for serve and worker, nothing below CRITICAL for other commands)
ML_CONNECTOR_WORKSPACE  the Workspace that commands are about (default: the only one)
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

DATA = Path(os.environ.get("ML_CONNECTOR_DATA", "ml-connector-data")).absolute()
ALLOW_PRIVATE_ADDRESSES = os.environ.get("ML_CONNECTOR_ALLOW_PRIVATE_ADDRESSES", "1") != "0"
ALLOW_LOOPBACK = os.environ.get("ML_CONNECTOR_ALLOW_LOOPBACK", "1") != "0"
NOTIFY_INTERNAL = os.environ.get("ML_CONNECTOR_NOTIFY_INTERNAL", "0") == "1"

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
    " PRAGMA busy_timeout=20000; PRAGMA cache_size=-8000; PRAGMA wal_autocheckpoint=4000;"
)
"""FULL: an intent that was committed is on the disk before its request leaves (R1). The log grows to 16 MB before it
is copied into the database: index pages that one page of Records after the other touches are copied less often."""


SQLITE_NAME = "ml-connector.sqlite3"


def sqlite_database(file: Path) -> dict[str, Any]:
    """How Django is to use the SQLite database in `file`."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": file,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": SQLITE_PRAGMAS, "timeout": 20},
    }


def _database(url: str | None) -> dict[str, Any]:
    if not url:
        return sqlite_database(DATA / SQLITE_NAME)
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


def _single_sign_on() -> dict[str, Any]:
    """Empty where there is none."""
    given = {part: os.environ.get(f"ML_CONNECTOR_OIDC_{part}", "") for part in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")}
    if not any(given.values()):
        return {}
    if not all(given.values()):
        missing = ", ".join(f"ML_CONNECTOR_OIDC_{part}" for part, value in given.items() if not value)
        raise ImproperlyConfigured(f"Single sign-on needs {missing} as well; leave all of them out for none.")
    issuer = urlsplit(given["ISSUER"])
    if issuer.scheme != "https" and issuer.hostname not in {"localhost", "127.0.0.1"}:
        raise ImproperlyConfigured("ML_CONNECTOR_OIDC_ISSUER must begin with https://.")
    return {
        "issuer": given["ISSUER"],
        "client_id": given["CLIENT_ID"],
        "client_secret": given["CLIENT_SECRET"],
        "name": os.environ.get("ML_CONNECTOR_OIDC_NAME", "single sign-on"),
        "passwords": os.environ.get("ML_CONNECTOR_OIDC_PASSWORDS", "1") != "0",
    }


def _webhook_url(url: str) -> str:
    """Without https anybody between could read and hold back what vendors send. This machine itself is for tests."""
    found = urlsplit(url)
    here = found.scheme == "http" and found.hostname in {"localhost", "127.0.0.1"}
    if url and (not found.hostname or (found.scheme != "https" and not here) or found.query or found.fragment):
        raise ImproperlyConfigured("ML_CONNECTOR_WEBHOOK_URL must be an address that begins with https://.")
    return url


def release_of(directory: Path) -> str:
    """A name for the content of a directory's files."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(directory)} {path.stat().st_size}".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


DATABASES = {"default": _database(os.environ.get("DATABASE_URL"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PUBLIC_URL = os.environ.get("ML_CONNECTOR_URL", "").rstrip("/")
HTTPS = PUBLIC_URL.startswith("https://")
WEBHOOK_URL = _webhook_url(os.environ.get("ML_CONNECTOR_WEBHOOK_URL", "").rstrip("/"))

SECRET_KEY = secrets.token_urlsafe(48)
"""Of this process; what answers over HTTP takes one that lasts (see console.security)."""
DEBUG = False
ALLOWED_HOSTS = os.environ.get("ML_CONNECTOR_HOSTS", "localhost,127.0.0.1").split(",")
if WEBHOOK_URL:
    ALLOWED_HOSTS.append(urlsplit(WEBHOOK_URL).hostname or "")
if PUBLIC_URL:
    ALLOWED_HOSTS.append(urlsplit(PUBLIC_URL).hostname or "")

INSTALLED_APPS = [
    "ml_connector.workspaces",
    "ml_connector.vault",
    "ml_connector.audit",
    "ml_connector.sync",
    "ml_connector.console",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
]
"""What only the console needs stands here too, so that one `migrate` makes all tables: 2.4 MB in a worker."""
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "ml_connector.console.security.Headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "ml_connector.urls"
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING_CONFIG = None

# --- the console

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "console" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ml_connector.console.layout.layout",
            ]
        },
    }
]
STATIC_ROOT = Path(__file__).parent / "console" / "static"
STATIC_URL = f"/static/{release_of(STATIC_ROOT)}/"
"""The address changes with the files' content, so browsers may keep what they have for ever; no build step."""
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/"
WHITENOISE_ALLOW_ALL_ORIGINS = False

CSRF_FAILURE_VIEW = "ml_connector.console.failures.csrf_failed"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "ml_session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "ml_csrf"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if HTTPS:
    CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "workspaces_cache"},
}
"""Holds nothing but counted attempts, for all processes together."""

AUTH_USER_MODEL = "workspaces.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "ml_connector.console.signing_in.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reauthenticate": "10/m/user",
    "join": "20/m/ip",
    "sso": "20/m/ip",
}
SOCIALACCOUNT_ADAPTER = "ml_connector.console.signing_in.SingleSignOnAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SINGLE_SIGN_ON = _single_sign_on()
MFA_ADAPTER = "ml_connector.console.signing_in.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "ml-connector"
