"""The OData pager, against a service that is a function."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from ml_connector.systems.base import AuthFailed, Refused, ShapeChanged, Throttled, Transient
from ml_connector.systems.transport.http import Answer
from ml_connector.systems.transport.odata import Query, Service, typed_rows

ROOT = "https://erp.example/odata"


class Row(msgspec.Struct):
    Id: int


class Server:
    """Answers with what a function makes of the options asked for."""

    def __init__(self, answer: Callable[[dict[str, str]], Answer]) -> None:
        self.urls: list[str] = []
        self._answer = answer

    def read(self, method: str, url: str, *, headers: Any) -> Answer:
        assert headers["authorization"] == "Basic canary"
        self.urls.append(url)
        return self._answer({name: values[0] for name, values in parse_qs(urlsplit(url).query).items()})


def rows(*ids: int, following: str | None = None) -> Answer:
    body: dict[str, Any] = {"value": [{"Id": i} for i in ids]}
    if following:
        body["@odata.nextLink"] = following
    return Answer(200, {}, json.dumps(body).encode())


def read(answer: Callable[[dict[str, str]], Answer], *, by_key: bool = True, top: int = 2) -> list[int]:
    service = Service(Server(answer), ROOT, "Basic canary", "The ERP")  # type: ignore[arg-type]
    query = Query(("Id",), "", ("Id",), top)
    following = (lambda row: f"Id gt {row.Id}") if by_key else None
    return [row.Id for batch in service.pages("T", query, typed_rows(Row), following) for row in batch.rows]


def test_pages_by_key_lose_nothing_when_rows_go_between_them() -> None:  # R16
    there = [1, 2, 3, 4, 5]

    def answer(options: dict[str, str]) -> Answer:
        start = int(options.get("$filter", "Id gt 0").split()[-1])
        found = rows(*[i for i in there if i > start][:2])
        there.remove(start) if start in there else None
        return found

    assert read(answer) == [1, 2, 3, 4, 5]


def test_a_short_page_with_a_next_link_is_not_the_last() -> None:
    def answer(options: dict[str, str]) -> Answer:
        start = int(options.get("$filter", "Id gt 0").split()[-1])
        return rows(start + 1, following="T?$skiptoken=x") if start < 3 else rows()

    assert read(answer) == [1, 2, 3]


def test_without_a_key_the_next_link_is_followed_else_rows_are_skipped() -> None:
    pages = iter([rows(1, 2, following=f"{ROOT}/T?$skiptoken=2"), rows(3, 4), rows(5)])
    asked: list[dict[str, str]] = []

    def answer(options: dict[str, str]) -> Answer:
        asked.append(options)
        return next(pages)

    assert read(answer, by_key=False) == [1, 2, 3, 4, 5]
    assert asked[1] == {"$skiptoken": "2"}
    assert asked[2]["$skip"] == "4"


def test_a_next_link_to_another_server_is_not_followed() -> None:
    with pytest.raises(Refused, match="another server"):
        read(lambda _: rows(1, 2, following="https://evil.example/T"), by_key=False)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(401, {}, b""), AuthFailed),
        (Answer(403, {}, b""), AuthFailed),
        (Answer(404, {}, b""), ShapeChanged),
        (Answer(400, {}, b'{"error":{"code":"x","message":"Could not find a property named \'Id\'."}}'), ShapeChanged),
        (Answer(400, {}, b'{"error":{"code":"x","message":"bad filter"}}'), Refused),
        (Answer(400, {}, b"<html>"), Refused),
        (Answer(429, {}, b""), Throttled),
        (Answer(500, {}, b"{}"), Transient),
        (Answer(200, {}, b'{"value":[{"Id":1'), Transient),
        (Answer(200, {}, b"<html>"), Transient),
        (Answer(200, {}, b""), Transient),
    ],
)
def test_each_failure_is_one_class_and_shows_no_credential(answer: Answer, error: type[Exception]) -> None:  # R63, R71
    with pytest.raises(error) as raised:
        read(lambda _: answer)
    assert "canary" not in str(raised.value)


def test_no_more_rows_are_asked_for_than_the_service_gives() -> None:
    assert "$top=5000" in Query(top=20_000).text()
