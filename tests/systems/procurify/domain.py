"""A customer's domain of a few lines on a real socket: lists in pages, objects, and what a test tells it to answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

Row = dict[str, Any]


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
        self.url = ""
        self._routes: dict[tuple[str, str], list[Any]] = {}
        self._lock = threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 64 * 1024  # head and body in one packet

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

            do_GET = do_POST = do_PATCH = do_PUT = handle_any  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def on(self, method: str, path: str, *replies: Any) -> None:
        """`replies`: each a Reply, a function of the request, or None for a connection that breaks."""
        with self._lock:
            self._routes[method, path] = list(replies)

    def rows(self, path: str, rows: list[Row], *, top: bool = False, most: int = 1000) -> None:
        """A list, in pages; `top`: the pagination stands beside its rows; `most`: rows of a page at most."""
        self.on("GET", path, lambda seen: page(self.url, seen, rows, top=top, most=most))

    def object(self, path: str, row: Row) -> None:
        """An object that takes amendments."""
        held = dict(row)

        def amended(seen: Seen) -> Reply:
            held.update(seen.json)
            return Reply(200, {"metadata": {}, "data": held})

        self.on("GET", path, lambda _: Reply(200, {"metadata": {}, "data": held}))
        self.on("PATCH", path, amended)
        self.on("PUT", path, amended)

    def reply(self, request: Seen) -> Reply | None:
        with self._lock:
            self.seen.append(request)
            left = self._routes.get((request.method, request.path))
            given = Reply(404, {"detail": "Not found."}) if left is None else left.pop(0) if len(left) > 1 else left[0]
        reply = given(request) if callable(given) else given
        return reply if reply is None or isinstance(reply, Reply) else Reply(200, reply)

    def calls(self, method: str, path: str) -> list[Seen]:
        return [request for request in self.seen if (request.method, request.path) == (method, path)]

    def writes(self) -> list[tuple[str, str]]:
        """What changed something, but for tokens."""
        return [(one.method, one.path) for one in self.seen if one.method != "GET" and one.path != "/oauth/token"]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def page(url: str, seen: Seen, rows: list[Row], *, top: bool = False, most: int = 1000) -> Reply:
    """A page of rows as Procurify gives it; 404 beyond the last one."""
    size = min(int(seen.query.get("page_size", 10)), most)
    number, pages = int(seen.query.get("page", 1)), max(1, -(-len(rows) // size))
    if number > pages:
        return Reply(404, {"detail": "Invalid page."})
    following = None
    if number < pages:
        following = f"{url.replace('http', 'https')}{seen.path}?{urlencode({**seen.query, 'page': number + 1})}"
    block = {
        "count": len(rows),
        "next": following,
        "previous": None,
        "page_size": size,
        "num_pages": pages,
        "current_page": number,
    }
    data = rows[(number - 1) * size : number * size]
    body = {"pagination": block, "data": data} if top else {"metadata": {"pagination": block}, "data": data}
    return Reply(200, body)


def token(value: str = "token-1", *, seconds: float = 86400, domain: str = "acme") -> Reply:
    scope = f"urn:procurify-api:domain:{domain} urn:procurify-api:email:robot@acme.example"
    return Reply(200, {"access_token": value, "token_type": "Bearer", "expires_in": seconds, "scope": scope})


def single(row: Row) -> Reply:
    return Reply(200, {"metadata": {}, "data": row})


def made(key: int, more: Callable[[Row], Row] = dict) -> Callable[[Seen], Reply]:
    """What Procurify answers to a POST of an object: the object with its id."""
    return lambda seen: Reply(201, {"metadata": {}, "data": {**more(seen.json), "id": key}})
