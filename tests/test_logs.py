"""No secret appears in logs or error texts, whichever way it comes (R71)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import structlog

from ml_connector import logs, redaction
from ml_connector.redaction import is_secret_name, redacted

CANARY = 'c4n&ry "s3cret"/+'


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    redaction.register(CANARY)
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


def logged(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    [line] = capsys.readouterr().err.splitlines()
    assert "c4n" not in line
    return json.loads(line)  # type: ignore[no-any-return]


def test_standard_logging_gives_one_json_line_without_the_secret(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logging.getLogger("ml_connector.jobs").warning("refused: %s", CANARY, extra={"address": f"x?k={quote(CANARY)}"})
    line = logged(capsys)
    assert (line["event"], line["level"], line["logger"]) == ("refused: ***", "warning", "ml_connector.jobs")
    assert line["address"] == "x?k=***"
    assert line["timestamp"].endswith("Z")


def test_structlog_gives_one_json_line_without_the_secret(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    structlog.get_logger("x").info("sent", body={"a": [f"<{CANARY}>"], "devKey": "short"}, password="abc", status=200)
    line = logged(capsys)
    assert line["body"] == {"a": ["<***>"], "devKey": "***"}
    assert (line["password"], line["status"]) == ("***", 200)


def test_a_stack_trace_holds_no_secret_and_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    try:
        {}[CANARY]
    except KeyError:
        logging.getLogger("x").exception("failed")
    assert "KeyError" in logged(capsys)["exception"]


@pytest.mark.parametrize("as_json", [True, False])
def test_control_characters_cannot_forge_a_line(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    logs.configure(json=as_json)
    logging.getLogger("x").warning("number 1\n12:00 error all is lost\x1b[2J\u2028")
    [line] = [text for text in capsys.readouterr().err.split("\n") if text]
    assert "\x1b" not in line


def test_the_level_is_kept_and_chatty_libraries_are_silenced(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    logging.getLogger("httpx2").info("GET https://x/?devKey=abc")
    logging.getLogger("x").debug("no")
    structlog.get_logger("x").debug("no")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "GET /Logon?Operator=A&OperatorPassword=hunter2&CompanyId=1",
            "GET /Logon?Operator=A&OperatorPassword=***&CompanyId=1",
        ),
        ('{"devKey": "01AB\\"C", "organizationId": "008"}', '{"devKey": "***", "organizationId": "008"}'),
        ("Authorization: Bearer abc.def.ghi, next", "Authorization: ***, next"),
        ("{'authorization': 'Basic YTpi'}", "{'authorization': '***'}"),
        ("<SessionId>4D2F</SessionId>", "<SessionId>***</SessionId>"),
        ("postgresql://ml:geheim@db:5432/x", "postgresql://***@db:5432/x"),
        ("paid to DE89 3704 0044 0532 0130 00 today", "paid to DE89*** today"),
        ("paid to GB82WEST12345698765432", "paid to GB82***"),
    ],
)
def test_what_stands_where_a_secret_stands_is_hidden(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Invoice HU-2201 (Hydra Utilities, USD 218.40) waits: GL account 10-6999 has no account in BILL.",
        "acme.yaml:14: connections.bill.secrets.password is missing. The password: set in BILL.",
        "Document DE12345678901234567890 is no IBAN.",
        "https://server:443/SYSPROWCFService/Rest did not answer",
        "natural_key=A|1|invoice target_key=008",
    ],
)
def test_what_people_need_to_read_is_left_alone(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize(
    "spelled",
    [
        CANARY,
        quote(CANARY, safe=""),
        quote(CANARY),
        quote_plus(CANARY),
        json.dumps(CANARY)[1:-1],
        "c4n&amp;ry &quot;s3cret&quot;/+",
    ],
)
def test_a_known_secret_is_hidden_in_all_its_spellings(spelled: str) -> None:
    assert redacted(f"a{spelled}b") == "a***b"


def test_a_short_secret_is_hidden_as_a_word_only() -> None:
    redaction.register("test")
    assert redacted("the test of the latest") == "the *** of the latest"


def test_values_that_are_too_short_are_not_looked_for() -> None:
    redaction.register("1")
    redaction.register("")
    assert redacted("11 of 1") == "11 of 1"


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "REMEMBERED", 3)
    for number in range(6):
        redaction.register(f"long secret {number}")
    assert redacted("long secret 5") == "***"
    assert redacted("long secret 0") == "long secret 0"
    redaction.register(CANARY)


@pytest.mark.parametrize(
    "name", ["password", "devKey", "X-Api-Key", "operator_password", "tax_id", "Set-Cookie", "sessionId"]
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["natural_key", "account", "currency", "session_serial", "address"])
def test_names_of_what_is_none(name: str) -> None:
    assert not is_secret_name(name)
