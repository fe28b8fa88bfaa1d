"""A server of a few lines on a real socket, told by each test what to answer."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Reply:
    """One answer. `body` is sent as JSON unless it is bytes."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class Site:
    """Answers by method and path: in turn where there are several answers, the last one from then on."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._routes: dict[tuple[str, str], list[Any]] = {}
        self._count = 0
        self._lock = threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

            def handle_any(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("content-length") or 0)
                request = Seen(
                    self.command,
                    unquote(parts.path),
                    dict(parse_qsl(parts.query)),
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
                reply = site.reply(request)
                if reply is None:
                    self.close_connection = True
                    return
                content = reply.content()
                self.send_response(reply.status)
                for name, value in {"content-type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def on(self, method: str, path: str, *replies: Any) -> None:
        """`replies`: each a Reply, a function of the request, or None for a connection that breaks."""
        with self._lock:
            self._routes[method, path] = list(replies)

    def reply(self, request: Seen) -> Reply | None:
        with self._lock:
            self.seen.append(request)
            left = self._routes.get((request.method, request.path))
            given = Reply(404) if left is None else left.pop(0) if len(left) > 1 else left[0]
            self._count += 1
            number = self._count
        reply = given(request) if callable(given) else given
        if reply is None:
            return None
        return Reply(reply.status, reply.body, {"x-amzn-RequestId": f"request-{number}", **reply.headers})

    def calls(self, method: str, path: str) -> list[Seen]:
        return [request for request in self.seen if (request.method, request.path) == (method, path)]

    def writes(self) -> list[tuple[str, str]]:
        """What changed something, but for tokens."""
        return [(one.method, one.path) for one in self.seen if one.method != "GET" and one.path != "/v1/tokens"]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def jwt(**claims: Any) -> str:
    """A token in the form of Basware's; its signature is none."""

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256', 'typ': 'at+jwt'})}.{part(claims)}.c2lnbmVk"


def token(value: str = "opaque-token-1", **more: Any) -> Reply:
    body = {"access_token": value, "scope": "vendors.read", "expires_in": 3600, "token_type": "Bearer", **more}
    return Reply(200, body)


def echo(request: Seen) -> Reply:
    """What Basware answers to a POST: the array that came."""
    return Reply(200, request.json)


def status(request_id: str, items: dict[str, Any], overall: str = "Success", entity: str = "Vendor") -> Reply:
    """The status of a request; `items`: by record, its status or its whole item."""
    listed = [
        {"externalCode": code, **({"status": said} if isinstance(said, str) else said)} for code, said in items.items()
    ]
    system = {"system": "P2P", "systemStatus": overall, "items": listed}
    entry = {"requestId": request_id, "entityType": entity, "requestStatus": overall, "systems": [system]}
    return Reply(200, {"requestStatus": [entry]})
