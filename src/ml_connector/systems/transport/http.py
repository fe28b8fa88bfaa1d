"""The one HTTP client: time, size, parallelism, TLS, where requests may go, and what may be shown of them.

It repeats no write (R8), follows no redirect, keeps no cookie, reads no proxy or certificate setting from the
environment's HTTP variables, and verifies every certificate (R64). What it raises says what happened and what to
do, and holds neither header values, query parameters nor content (R71).
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore2
import httpx2

from ml_connector.systems.base import OutcomeUnknown, Refused, SystemFailure, Transient
from ml_connector.systems.transport.answer import Answer, encode_json
from ml_connector.systems.transport.network import AddressRefused, Network, Progress
from ml_connector.systems.transport.policy import NetworkPolicy
from ml_connector.systems.transport.pool import Pooled
from ml_connector.systems.transport.tls import verifying
from ml_connector.systems.transport.wire import Body, Heard, listener

__all__ = ["Answer", "Http", "encode_json"]

MEBIBYTE = 1024 * 1024
KEEP_ALIVE_SECONDS = 4.0
"""Below the five seconds after which common servers close an idle connection: a stale one costs a search."""

Parameters = Mapping[str, str] | Sequence[tuple[str, str]]

_log = logging.getLogger("ml_connector.transport")

_GATEWAY_STATUSES = frozenset({502, 503, 504})
CHECK = "Check the address, the name service and the firewall between."
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class Http:
    """The way to one system for one Connection. Thread-safe; `parallel` requests at a time."""

    def __init__(
        self,
        base_url: str,
        *,
        name: str,
        access_network: NetworkPolicy,
        may_write: Callable[[], None],
        parallel: int,
        ca_certificates: str | None = None,
        total_timeout: float = 60,
        connect_timeout: float = 10,
        max_answer: int = 64 * MEBIBYTE,
        secret_parameters: frozenset[str] = frozenset(),
        more_bases: Sequence[str] = (),
        allow_plain_http: bool = False,
    ) -> None:
        """`more_bases`: further addresses of the same system that absolute URLs may lead to.

        `secret_parameters`: names of query parameters whose values are never shown, in any case of letters.
        Raises Refused, naming the setting, for an address or certificate that cannot be used.
        """
        self.name = name
        self.base_url = base_url.rstrip("/")
        self._origins = {_origin(url, name, allow_plain_http) for url in (base_url, *more_bases)}
        self._may_write = may_write
        self._slots = threading.BoundedSemaphore(parallel)
        self._total_timeout = total_timeout
        self._max_answer = max_answer
        self._secret_parameters = frozenset(parameter.lower() for parameter in secret_parameters)
        self._date = ""
        self._network = Network(access_network)
        pool = httpcore2.ConnectionPool(
            ssl_context=verifying(ca_certificates, name),
            max_connections=parallel,
            max_keepalive_connections=parallel,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            network_backend=self._network,
        )
        self._client = httpx2.Client(
            transport=Pooled(pool),
            timeout=httpx2.Timeout(None, connect=connect_timeout),
            headers={"accept-encoding": "gzip"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )

    def server_time(self) -> datetime | None:
        """What the system's clock said in its last answer; None where it does not say."""
        try:
            return parsedate_to_datetime(self._date)
        except ValueError:
            return None

    def read(
        self,
        method: str,
        path_or_url: str,
        *,
        params: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: Any = None,
        total_timeout: float | None = None,
    ) -> Answer:
        """A request that changes nothing. A connection that breaks before the answer begins is tried once more.

        Raises Transient for no answer, or for a gateway's page in place of one.
        """
        for last in (False, True):
            outcome = self._exchange(method, path_or_url, params, headers, content, json, total_timeout, write=False)
            if isinstance(outcome, _Broken) and outcome.repeatable and not last:
                continue
            break
        return self._judged(outcome)

    def download(self, url: str) -> Answer:
        """What lies where an answer pointed to, on whatever server: fetched without any header of ours.

        For redirects that the vendor documents. https only, or plain http where this Connection itself speaks it to
        this machine. Raises Transient for no answer, Refused for an address that is none.
        """
        return self._judged(self._exchange("GET", url, None, None, None, None, None, write=False, elsewhere=True))

    def write(
        self,
        method: str,
        path_or_url: str,
        *,
        params: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: Any = None,
        total_timeout: float | None = None,
    ) -> Answer:
        """A request that changes something; leaves at most once (R8), after `may_write` had no objection.

        Raises Transient while nothing has left, OutcomeUnknown once a byte has and no whole answer came back.
        """
        return self._judged(
            self._exchange(method, path_or_url, params, headers, content, json, total_timeout, write=True)
        )

    def close(self) -> None:
        self._client.close()

    def _judged(self, outcome: Answer | _Broken) -> Answer:
        """The answer, or the error that stands for its absence. Raised here, where no cause trails behind it."""
        if isinstance(outcome, _Broken):
            raise outcome.failure
        if outcome.status in _GATEWAY_STATUSES and not _is_data(outcome):
            raise outcome.unclear("with a gateway's page in place of its own answer")
        return outcome

    def _exchange(
        self,
        method: str,
        path_or_url: str,
        params: Parameters | None,
        headers: Mapping[str, str] | None,
        content: bytes | None,
        json: Any,
        total_timeout: float | None,
        *,
        write: bool,
        elsewhere: bool = False,
    ) -> Answer | _Broken:
        if json is not None:
            content = encode_json(json)
            headers = {"content-type": "application/json", **(headers or {})}
        limit = total_timeout if total_timeout is not None else self._total_timeout
        try:
            url = self._elsewhere(path_or_url) if elsewhere else self._url(path_or_url)
            request = self._client.build_request(
                method, url, params=_parameters(params, url), headers=headers, content=content
            )
        except (httpx2.InvalidURL, UnicodeError, ValueError, TypeError):
            return _Broken(Refused("request_invalid", self._invalid_text()))
        with self._slots:
            if write:
                self._may_write()
            started = time.monotonic()
            with self._network.request(limit) as progress:
                outcome = self._sent(request, progress, limit, write=write)
        self._note(request, outcome, started)
        heard = listener()
        if write and heard is not None:
            heard.append(self._heard(request, content or b"", outcome, started))
        return outcome

    def _sent(self, request: httpx2.Request, progress: Progress, limit: float, *, write: bool) -> Answer | _Broken:
        answered = False
        try:
            response = self._client.send(request, stream=True)
            answered = True
            try:
                content = self._content(response, progress)
            finally:
                response.close()
        except AddressRefused as refused:
            return _Broken(Transient(f"{self.name} was not called: {refused}."))
        except (httpcore2.LocalProtocolError, UnicodeError, ValueError):
            if progress.sent:
                return self._broken("answered with something that is not HTTP.", sent=True, write=write)
            return _Broken(Refused("request_invalid", self._invalid_text()))
        except (_TooLong, httpx2.DecodingError) as unusable:
            return self._broken(_reason(unusable, limit), sent=True, write=write)
        except _NETWORK_ERRORS as error:
            timed_out = isinstance(error, httpcore2.TimeoutException)
            repeatable = progress.sent and not answered and not timed_out
            reason = _reason(error, limit, sent=progress.sent, where=_where(request))
            return self._broken(reason, sent=progress.sent, write=write, repeatable=repeatable)
        names = {key.lower(): value for key, value in response.headers.items()}
        self._date = names.get("date", self._date)
        return Answer(response.status_code, names, content, self.name, write)

    def _content(self, response: httpx2.Response, progress: Progress) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            size += len(part)
            if size > self._max_answer:
                raise _TooLong(f"more than {self._max_answer // MEBIBYTE} MiB")
            progress.left()
            parts.append(part)
        return b"".join(parts)

    def _broken(self, reason: str, *, sent: bool, write: bool, repeatable: bool = False) -> _Broken:
        if write and sent:
            return _Broken(OutcomeUnknown(f"{self.name} {reason} Whether it did what was asked is not known."))
        return _Broken(Transient(f"{self.name} {reason}"), repeatable)

    def _url(self, path_or_url: str) -> httpx2.URL:
        if "://" not in path_or_url:
            return httpx2.URL(f"{self.base_url}/{path_or_url.lstrip('/')}")
        url = httpx2.URL(path_or_url)
        if (url.scheme, url.host, url.port) not in self._origins:
            raise Refused(
                "foreign_address",
                f"{self.name} pointed to another server ({url.host}), where this Connection does not go. "
                "If that server belongs to it, its address must be one of the Connection's settings.",
            )
        return url

    def _elsewhere(self, text: str) -> httpx2.URL:
        """An address that an answer pointed to. Its own words are not shown: it can hold a signature."""
        url = httpx2.URL(text)
        to_itself = url.scheme == "http" and url.host in LOOPBACK_HOSTS and self.base_url.startswith("http://")
        if not url.host or url.userinfo or not (url.scheme == "https" or to_itself):
            raise Refused(
                "foreign_address",
                f"{self.name} pointed to an address that does not begin with https:// and is not followed.",
            )
        return url

    def _invalid_text(self) -> str:
        return (
            f"A request to {self.name} could not be written down: the URL or a credential in the Connection's "
            "settings holds a character that HTTP does not allow (a line break, a letter outside ASCII)."
        )

    def _note(self, request: httpx2.Request, outcome: Answer | _Broken, started: float) -> None:
        if not _log.isEnabledFor(logging.DEBUG):
            return
        _log.debug(
            "request",
            extra={
                "system": self.name,
                "method": request.method,
                "path": self._path(request),
                "status": outcome.status if isinstance(outcome, Answer) else type(outcome.failure).__name__,
                "ms": round((time.monotonic() - started) * 1000),
            },
        )

    def _heard(self, request: httpx2.Request, content: bytes, outcome: Answer | _Broken, started: float) -> Heard:
        answered = outcome if isinstance(outcome, Answer) else None
        headers = answered.headers if answered else {}
        return Heard(
            request.method,
            self._path(request),
            Body.of(content, request.headers.get("content-type", "")),
            answered.status if answered else None,
            Body.of(answered.content if answered else b"", headers.get("content-type", "")),
            str(outcome.failure) if isinstance(outcome, _Broken) else "",
            round((time.monotonic() - started) * 1000),
        )

    def _path(self, request: httpx2.Request) -> str:
        if (request.url.scheme, request.url.host, request.url.port) not in self._origins:
            return str(request.url.path)
        shown = "&".join(
            f"{key}={'***' if key.lower() in self._secret_parameters else value}"
            for key, value in request.url.params.multi_items()
        )
        return str(request.url.path) + (f"?{shown}" if shown else "")


@dataclass(frozen=True, slots=True)
class _Broken:
    """No whole answer, and the error that says so."""

    failure: SystemFailure
    repeatable: bool = False


class _TooLong(Exception):
    """The answer exceeds the limit in bytes."""


_NETWORK_ERRORS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.UnsupportedProtocol,
    httpx2.HTTPError,
    httpx2.StreamError,
    OSError,
)


def _parameters(params: Parameters | None, url: httpx2.URL) -> httpx2.QueryParams | None:
    """Parameters added to those of the URL, instead of replacing them."""
    if params is None:
        return None
    given = params.items() if isinstance(params, Mapping) else params
    return httpx2.QueryParams([*url.params.multi_items(), *given])


def _is_data(answer: Answer) -> bool:
    kind = answer.headers.get("content-type", "").lower()
    return "json" in kind or "xml" in kind


def _where(request: httpx2.Request) -> str:
    port = f":{request.url.port}" if request.url.port else ""
    return f"{request.url.host}{port}"


def _reason(error: Exception, limit: float, *, sent: bool = True, where: str = "") -> str:
    """What happened, as the end of a sentence that begins with the system's name. No text of a library is shown."""
    if isinstance(error, _TooLong):
        return f"answered with {error}, which is beyond the limit."
    if isinstance(error, httpx2.DecodingError):
        return "answered with a body that could not be unpacked."
    if isinstance(error, httpcore2.TimeoutException):
        return (
            f"did not answer within {limit:g} s." if sent else f"could not be connected to in time at {where}. {CHECK}"
        )
    if sent:
        return "closed the connection before its answer was complete."
    return unconnected(error.args[0] if error.args else None, where)


def unconnected(cause: object, where: str, speaks: str = "https") -> str:
    """Why no connection came about, as the end of a sentence that begins with the system's name."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"shows a certificate for {where} that is not trusted ({cause.verify_message}). If your own authority "
            "issued it, put that authority's certificate (PEM) into the Connection's certificate setting."
        )
    if isinstance(cause, ssl.SSLError):
        return (
            f"and we agreed on no secure connection at {where}. Check that the address speaks {speaks}, TLS 1.2 or "
            "later."
        )
    if isinstance(cause, ConnectionRefusedError):
        return f"refused the connection at {where}. Check that it runs and that address and port are right."
    return f"could not be reached at {where}. {CHECK}"


def _origin(url: str, name: str, allow_plain_http: bool) -> tuple[str, str, int | None]:  # noqa: FBT001
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        parsed = httpx2.URL("")
    if parsed.scheme not in {"https", "http"} or not parsed.host:
        raise Refused("bad_address", f"The address of {name} must begin with https:// and name a server.", "base_url")
    if parsed.userinfo:
        raise Refused("bad_address", f"The address of {name} must not contain a user name or password.", "base_url")
    if parsed.scheme == "http" and parsed.host not in LOOPBACK_HOSTS:
        if not allow_plain_http:
            raise Refused("plain_http", f"The address of {name} must begin with https://.", "base_url")
        _log.warning("plain http: credentials travel unencrypted", extra={"system": name, "host": parsed.host})
    return parsed.scheme, parsed.host, parsed.port
