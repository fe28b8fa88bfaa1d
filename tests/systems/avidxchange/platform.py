"""A server of a few lines on a real socket that speaks by whatever contract map it is given."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml

from ml_connector.systems.avidxchange import paths
from ml_connector.systems.avidxchange.contract import Contract, named, shipped
from ml_connector.systems.avidxchange.rows import render
from ml_connector.systems.transport.answer import encode_json

COMPANY = "company-7"
TODAY = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
LISTS = {"vendors": "vendor", "codes": "code", "groups": "group", "orders": "order", "invoices": "invoice",
         "payments": "payment", "systems": "system", "batches": "batch"}  # fmt: skip
PUTS = {"vendor_put": ("vendors", "vendor", "code"), "code_put": ("codes", "code", "code"),
        "order_put": ("orders", "order", "external_id"),
        "invoice_put": ("invoices", "invoice", "external_id")}  # fmt: skip


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    operation: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


LOST = "lost"
"""Does what is asked and closes the connection."""


class Platform:
    """Holds rows by list; `answers` are given first, by operation: a Reply, or LOST."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in LISTS}
        self.batch: dict[str, list[dict[str, Any]]] = {}
        self.answers: dict[str, list[Any]] = {}
        self.seen: list[Seen] = []
        self.tokens = 0
        self.life: int = 3600
        self.slow = 0.0
        self.dead: set[str] = set()
        self._lock = threading.Lock()
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

            def handle_any(self) -> None:
                parts = urlsplit(self.path)
                content = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = platform.reply(
                    self.command, unquote(parts.path), dict(parse_qsl(parts.query)), headers, content
                )
                if reply is None:
                    self.close_connection = True
                    return
                body = reply.body if isinstance(reply.body, bytes) else encode_json(reply.body)
                self.send_response(reply.status)
                for name, value in {"content-type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = handle_any  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.add("systems", id=11, name="SYSPRO RIL")
        for group in (contract.account_group, "Branch"):
            self.add("groups", name=group)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def row(self, record: str, /, **values: Any) -> dict[str, Any]:
        return render(getattr(self.contract.records, record), values, "a row")

    def add(self, listed: str, /, **values: Any) -> dict[str, Any]:
        made = self.row(LISTS[listed], **values)
        self.rows[listed].append(made)
        return made

    def calls(self, *operations: str) -> list[Seen]:
        return [one for one in self.seen if one.operation in operations]

    def reply(self, method: str, path: str, query: dict[str, str], headers: dict[str, str], content: bytes) -> Any:
        name, place = self._operation(method, path)
        with self._lock:
            self.seen.append(Seen(name, path, query, headers, content))
            queue = self.answers.get(name) or []
            special = queue.pop(0) if queue else None
        if name == "token":
            time.sleep(self.slow)
        if isinstance(special, Reply):
            return special
        if name in {"token", "authorize"}:
            self.tokens += 1
            return Reply(200, {"access_token": f"token-{self.tokens}", "expires_in": self.life, "token_type": "Bearer"})
        bearer = headers.get(self.contract.headers.bearer.lower(), "").removeprefix("Bearer ")
        if bearer in self.dead:
            return Reply(401, {"fault": {"code": 900901, "message": "Invalid Credentials", "description": "expired"}})
        if not self._company_named(query, headers):
            return Reply(400, {"message": "no company"})
        with self._lock:
            reply = self._handled(name, place, query, content)
        return None if special == LOST else reply

    def _company_named(self, query: dict[str, str], headers: dict[str, str]) -> bool:
        company = self.contract.company
        values = {"header": headers.get(company.name.lower()), "query": query.get(company.name)}
        return values[company.place.value] == COMPANY

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, str]]:
        gateway = self.contract.gateway
        if path == gateway.token_path:
            return "token", {}
        root = f"{gateway.context}/{gateway.version}"
        operations = sorted(named(self.contract.operations), key=lambda pair: "{" in pair[1].path)
        for name, operation in operations:
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(root + operation.path))
            found = re.fullmatch(pattern, path)
            if found and operation.method == method:
                return name, found.groupdict()
        return "", {}

    def _handled(self, name: str, place: dict[str, str], query: dict[str, str], content: bytes) -> Reply:
        if name in LISTS:
            return self._listed(name, query)
        if name in PUTS:
            return self._put(name, json.loads(content))
        if name == "acknowledge":
            return Reply(200, {})
        if name == "batch":
            return self._paged(self.batch[place["id"]], query)
        if name == "invoice":
            at = self.contract.records.invoice.id.at
            found = [row for row in self.rows["invoices"] if str(paths.read(row, at)) == place["id"]]
            return Reply(200, found[0]) if found else Reply(404, {"fine": "words"})
        return Reply(
            404, {"code": "404", "type": "Status report", "message": "Not Found", "description": "no resource"}
        )

    def _listed(self, name: str, query: dict[str, str]) -> Reply:
        operation = getattr(self.contract.operations, name)
        fields, asked, rows = getattr(self.contract.records, LISTS[name]), operation.query, self.rows[name]
        if asked.external_ids and asked.external_ids in query:
            at = (fields.code if name == "vendors" else fields.external_id).at
            rows = [row for row in rows if paths.read(row, at) == query[asked.external_ids]]
        elif asked.ids and asked.ids in query:
            rows = [row for row in rows if str(paths.read(row, fields.id.at)) == query[asked.ids]]
        elif asked.since and asked.since in query:
            at = (fields.closed if name == "batches" else fields.modified).at
            rows = [r for r in rows if query[asked.since] <= str(paths.read(r, at))[:10] <= query[asked.until]]
        elif asked.demanded:
            return Reply(400, {"message": "a filter is needed"})
        return self._paged(rows, query)

    def _paged(self, rows: list[dict[str, Any]], query: dict[str, str]) -> Reply:
        lists, body = self.contract.lists, {}
        size, number = int(query[lists.size_parameter]), int(query[lists.page_parameter])
        paths.put(body, lists.rows, rows[(number - 1) * size : number * size])
        paths.put(body, lists.pages[0], max(1, -(-len(rows) // size)))
        paths.put(body, lists.total, len(rows))
        return Reply(200, body)

    def _put(self, name: str, body: dict[str, Any]) -> Reply:
        listed, record, key = PUTS[name]
        fields, writes = getattr(self.contract.records, record), self.contract.writes
        (item,) = body[writes.wrap]
        at = getattr(fields, key).at
        same = [row for row in self.rows[listed] if paths.read(row, at) == paths.read(item, at)]
        for row in same:
            self.rows[listed].remove(row)
        paths.put(item, fields.id.at, paths.read(same[0], fields.id.at) if same else 100 + len(self.rows[listed]))
        if getattr(fields, "modified", None):
            paths.put(item, fields.modified.at, TODAY.isoformat())
        if record == "invoice":
            paths.put(item, fields.status.at, self.contract.words.invoice[next(iter(self.contract.words.invoice))][0])
        self.rows[listed].append(item)
        return Reply(200, self.result(item=item))

    def result(self, *, item: Any = None, ok: Any = True, code: str = "", text: str = "", single: bool = False) -> Any:
        """The result of one write; `single`: lists of one are the one."""
        writes, one = self.contract.writes, {}
        paths.put(one, writes.ok, ok)
        paths.put(one, writes.item, item)
        if text:
            error: dict[str, Any] = {}
            paths.put(error, writes.error_code, code)
            paths.put(error, writes.error_text, text)
            paths.put(one, writes.errors, error if single else [error])
        body: dict[str, Any] = {}
        paths.put(body, writes.results, one if single else [one])
        return body


def renamed() -> str:
    """A map in which every name is another one, and company, token address and error shapes lie elsewhere."""
    values = shipped()
    values |= {
        "contract": "another",
        "account_group": "Konto",
        "company": {"place": "query", "name": "firm"},
        "gateway": {"context": "/elsewhere", "version": "2.0", "token_path": "/oauth2/token", "client_in": "body",
                    "early_renewal": 30, "token_form": {"tenant": "{company}"}},
        "headers": {name: f"Zz-{text}" for name, text in values["headers"].items()},
        "single": ["tcejbo", "."],
    }  # fmt: skip
    for record in values["records"].values():
        for one in record.values():
            one["at"] = _other_path(one["at"])
    for part in ("lists", "writes"):
        for name, value in values[part].items():
            if name in {"known", "size"}:
                continue
            values[part][name] = [_other_path(v) for v in value] if isinstance(value, list) else _other_path(value)
    for operation in values["operations"].values():
        method, _, path = operation["do"].partition(" ")
        operation["do"] = method + " " + "/".join(s if not s or s[0] == "{" else _other(s) for s in path.split("/"))
        for name, value in operation.get("query", {}).items():
            if isinstance(value, str):
                operation["query"][name] = _other(value)
    for name, words in values["words"].items():
        if name != "known":
            values["words"][name] = {ours: [f"Q {text}" for text in texts] for ours, texts in words.items()}
    for shape in values["errors"]:
        shape |= {name: _other_path(path) for name, path in shape.items() if name != "name"}
    return str(yaml.safe_dump(values, sort_keys=False))


def _other(name: str) -> str:
    return "zz" + name[::-1]


def _other_path(path: str) -> str:
    return re.sub(r"(^|\.)([^.\[\]]+)", lambda found: found[1] + _other(found[2]), path)


Maker = Callable[..., Any]
