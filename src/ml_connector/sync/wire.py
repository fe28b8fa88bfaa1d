"""What an Attempt sent and was answered, kept for the page of its Record: without what is secret, and bounded (R71).

Stored as readable as payloads are. Bodies that are neither JSON nor XML are not kept, because nothing in them can be
told to be harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from lxml import etree

from ml_connector import clock
from ml_connector.redaction import HIDDEN, is_secret_name, redacted
from ml_connector.sync.models import Attempt, Exchange
from ml_connector.systems.transport import xml
from ml_connector.systems.transport.wire import Body, Heard

LONGEST = 32_000
"""Characters of one body that are stored."""
MOST = 8
"""Exchanges of one Attempt that are stored, the first."""

_BANK = ("accountnumber", "accountno", "routing", "sortcode", "swift", "bank", "taxnumber", "taxregistration", "vatid",
         "vatnumber", "vatreg", "ssn", "cardnumber")  # fmt: skip
_BANK_EXACTLY = frozenset({"bic", "ein", "tin"})
_SESSIONS = frozenset({"userid"})
"""XML elements that hold a live session's id: SYSPRO's."""
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def keep(attempts: Sequence[Attempt], heard: Sequence[Heard]) -> None:
    """Stores what was heard while these Attempts were made by one request, with the first of them.

    To be called in the transaction that stores their outcome.
    """
    if not attempts or not heard:
        return
    first, *others = attempts
    hide = [text for attempt in attempts if (text := _tax_id(attempt))]
    now = clock.now()
    Exchange.objects.bulk_create(
        Exchange(
            workspace_id=first.workspace_id,
            attempt=first,
            method=one.method[:10],
            path=_without(hide, redacted(one.path))[:500],
            request=shown(one.request, hide),
            status=one.status,
            answer=shown(one.answer, hide) if one.status is not None else _without(hide, redacted(one.failure)),
            milliseconds=one.milliseconds,
            at=now,
        )
        for one in heard[:MOST]
    )
    if others:
        rows = Attempt.objects.of(first.workspace_id).filter(pk__in=[attempt.pk for attempt in others])
        rows.update(sent_with=first)


def shown(body: Body, hide: Iterable[str] = ()) -> str:
    """A body as people may see it, indented. `hide`: texts that must not stand in it."""
    if not body.size:
        return ""
    if body.content is None:
        return f"({body.size:,} bytes: too long to be kept)"
    text = _json(body.content) if "xml" not in body.type else None
    if text is None:
        text = _xml(body.content)
    if text is None:
        return f"({body.size:,} bytes of {_kind(body.type)}: not kept, because it is neither JSON nor XML)"
    text = _without(hide, redacted(text))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n({len(text) - LONGEST:,} characters more)"


def is_hidden_name(name: str) -> bool:
    """Whether a vendor's field of this name may hold a secret, a bank number or a tax id."""
    plain = re.sub(r"[^a-z]", "", name.lower())
    return is_secret_name(name) or plain in _BANK_EXACTLY or any(part in plain for part in _BANK)


def _json(content: bytes) -> str | None:
    try:
        value = _masked(_decoder.decode(content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return msgspec.json.format(_encoder.encode(value), indent=2).decode()


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: HIDDEN if is_hidden_name(key) and part else _masked(part) for key, part in value.items()}
    return [_masked(part) for part in value] if isinstance(value, list) else value


def _xml(content: bytes) -> str | None:
    try:
        root = xml.parse(content.decode())
    except (xml.Malformed, UnicodeDecodeError):
        return None
    for element in root.iter():
        name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        if is_hidden_name(name) or name.lower() in _SESSIONS:
            for part in list(element):
                element.remove(part)
            element.text = HIDDEN
        for attribute in element.attrib:
            if is_hidden_name(str(attribute).rpartition("}")[2]):
                element.attrib[attribute] = HIDDEN
    etree.indent(root)
    return etree.tostring(root, encoding="unicode")


def _tax_id(attempt: Attempt) -> str:
    return msgspec.json.decode(bytes(attempt.request), type=_TaxId).tax_id or ""


class _TaxId(msgspec.Struct):
    tax_id: str | None = None


def _without(hide: Iterable[str], text: str) -> str:
    for secret in hide:
        text = text.replace(secret, HIDDEN)
    return text


def _kind(media_type: str) -> str:
    return media_type.partition(";")[0].strip()[:60] or "no stated type"
