"""A mail server and a web server to which messages really go."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Mailbox:
    """A mail server that takes everything, unless told otherwise."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], Message]] = []
        self.refuse_recipients = False
        self.drop_after_data = False
        """Takes the message and closes without a word."""
        self.port = 0

    def text(self, at: int = -1) -> str:
        payload = self.mails[at][1].get_payload(decode=True)
        assert isinstance(payload, bytes)
        return payload.decode()


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    box = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 here")
            to: list[str] = []
            while line := self.rfile.readline().decode().strip():
                verb = line.split(" ")[0].upper()
                if verb in {"EHLO", "HELO"}:
                    self.say("250 here")
                elif verb == "RCPT":
                    if box.refuse_recipients:
                        self.say("550 no such person")
                        continue
                    to.append(line.partition("<")[2].partition(">")[0])
                    self.say("250 ok")
                elif verb == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (part := self.rfile.readline()) != b".\r\n":
                        lines.append(part)
                    box.mails.append((to, message_from_bytes(b"".join(lines))))
                    if box.drop_after_data:
                        return
                    self.say("250 taken")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        box.port = server.server_address[1]
        with _running(server.serve_forever, server.shutdown):
            yield box


class Hook:
    """A webhook: what it was sent, and how it answers."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.status = 200
        self.location = ""
        self.silent = False
        """Reads the request and closes without an answer."""
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/s3cretpath"


@contextmanager
def webhook() -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            hook.paths.append(self.path)
            hook.seen.append(json.loads(body))
            if hook.silent:
                self.close_connection = True
                return
            self.send_response(hook.status)
            if hook.location:
                self.send_header("location", hook.location)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.port = server.server_address[1]
        with _running(server.serve_forever, server.shutdown):
            yield hook


@contextmanager
def _running(serve: Callable[[float], None], stop: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=serve, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join()
