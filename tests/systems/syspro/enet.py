"""An e.net server of a few lines on a real socket: tables that COMFND reads, and posts that a test answers."""

from __future__ import annotations

import operator
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lxml import etree

DEAD = (
    "ERROR: The supplied UserID is invalid. Either you were not logged in; or your session has expired. You will need "
    "to logon again."
)
PROFILE = "<UserInfo><CompanyName>RIL</CompanyName><LocalCurrencyCode>USD</LocalCurrencyCode></UserInfo>"
DROP = "drop"
"""The connection is closed instead of an answer."""

Row = dict[str, Any]
_COMPARE = {
    "EQ": operator.eq,
    "NE": operator.ne,
    "GT": operator.gt,
    "GE": operator.ge,
    "LT": operator.lt,
    "LE": operator.le,
}


@dataclass
class Call:
    """One post or setup call as it arrived."""

    method: str
    operation: str
    business_object: str
    parameters: Any
    document: Any
    session: str

    def parameter(self, name: str) -> str:
        return str(self.parameters.findtext(f"Parameters/{name}") or "")

    @property
    def validates(self) -> bool:
        return self.parameter("ValidateOnly") == "Y"

    def value(self, path: str) -> str:
        """The text at a path of the document; empty where there is none."""
        return str(self.document.findtext(path) or "")

    def values(self, path: str) -> list[str]:
        return [found.text or "" for found in self.document.findall(path)]


@dataclass
class Enet:
    """The server. `answer[BO]` makes the answer to a post that is not only validated."""

    tables: dict[str, list[Row]] = field(default_factory=dict)
    answer: dict[str, Callable[[Call], str]] = field(default_factory=dict)
    validation: dict[str, Callable[[Call], str]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    dead: int = 0
    """So many of the next posts meet a dead session."""
    logons: int = 0
    missing: str = ""
    """An operation that the server does not have."""
    longest: int = 8_000
    """Bytes of an address; a longer one is refused with 414."""
    longest_body: int = 1_000_000
    """Bytes of a body; a longer one is refused with 413."""

    def __post_init__(self) -> None:
        enet = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                enet._handle(self, b"")

            def do_POST(self) -> None:
                enet._handle(self, self.rfile.read(int(self.headers["content-length"])))

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/SYSPROWCFService/Rest"

    def posts(self, business_object: str | None = None) -> list[Call]:
        """The calls that were not only validated."""
        return [c for c in self.calls if not c.validates and business_object in {None, c.business_object}]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handle(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        if len(request.path) > self.longest:
            status, text = 414, "too long"
        elif self.missing and self.missing in request.path:
            status, text = 404, "no such operation"
        elif request.command == "GET" and "PostLD" in request.path:
            status, text = 405, "method not allowed"
        elif len(body) > self.longest_body:
            status, text = 413, "too large"
        else:
            status, text = 200, self._text(request, body)
        if text == DROP:
            request.close_connection = True
            return
        content = text.encode("cp1252")
        request.send_response(status)
        request.send_header("Content-Type", "application/octet-stream")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def _text(self, request: BaseHTTPRequestHandler, body: bytes) -> str:
        url = urlsplit(request.path)
        given = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        operation = url.path.rpartition("/Rest/")[2]
        if operation == "Logon":
            self.logons += 1
        fixed = {
            "Logon": f"{self.logons:032X}00  ",
            "GetVersion": "8.0.0.1",
            "GetLogonProfile": PROFILE,
        }
        if operation in fixed:
            return fixed[operation]
        if operation == "Query/Query":
            asked = given["BusinessObject"]
            return self._comfnd(etree.fromstring(given["XmlIn"].encode())) if asked == "COMFND" else f"<{asked}/>"
        if operation == "Transaction/PostLD":
            root = etree.fromstring(body)
            given = {etree.QName(each).localname: each.text or "" for each in root}
        return self._called(request.command, operation, given)

    def over_nettcp(self, operation: str, given: dict[str, str]) -> str:
        """The same service's answer to an operation that came by net.tcp."""
        return "8.0.0.1" if operation == "GetVersion" else self._called("NET.TCP", operation, given)

    def _called(self, method: str, operation: str, given: dict[str, str]) -> str:
        call = Call(
            method,
            operation,
            given["BusinessObject"],
            etree.fromstring(given["XmlParameters"].encode()),
            etree.fromstring(given["XmlIn"].encode()),
            given["UserId"],
        )
        if self.dead:
            self.dead -= 1
            return DEAD
        self.calls.append(call)
        if call.validates:
            made = self.validation.get(call.business_object)
            return made(call) if made else f"<{call.document.tag.lower()}/>"
        return self.answer[call.business_object](call)

    def _comfnd(self, query: Any) -> str:
        name = query.findtext("TableName")
        columns = [column.text for column in query.findall("Columns/Column")]
        rows = [row for row in self.tables.get(name, []) if meets(row, query.findall("Where/Expression"))]
        order = [column.text for column in query.findall("OrderBy/Column")]
        rows.sort(key=lambda row: [row[column] for column in order])
        shown = "".join(
            f"<Row>{''.join(f'<{c}>{_escaped(row[c])}</{c}>' for c in columns)}</Row>"
            for row in rows[: int(query.findtext("ReturnRows"))]
        )
        return f'<?xml version="1.0" encoding="Windows-1252"?>\n<{name} DecFormat=\'1\'>{shown}</{name}>\n '


def meets(row: Row, expressions: Iterable[Any]) -> bool:
    """Whether a row meets COMFND's expressions, brackets included."""
    text = ""
    for number, each in enumerate(expressions):
        joined = f" {(each.findtext('AndOr') or 'And').lower()} " if number else ""
        truth = _compared(row[each.findtext("Column")], each.findtext("Condition"), each.findtext("Value") or "")
        text += f"{joined}{each.findtext('OpenBracket') or ''}{truth}{each.findtext('CloseBracket') or ''}"
    return bool(eval(text)) if text else True


def _compared(stored: Any, condition: str, value: str) -> bool:
    if condition == "LIKE":
        pattern = re.escape(value).replace(r"\*", ".*").replace(r"\?", ".")
        return re.fullmatch(pattern, str(stored).strip()) is not None
    left, right = (stored, type(stored)(value)) if not isinstance(stored, str) else (stored.rstrip(), value)
    return bool(_COMPARE[condition](left, right))


def _escaped(value: Any) -> str:
    return str(value).replace("&", "&amp;").replace("<", "&lt;")
