"""The keys under which Basware keeps what we send: at most 36 characters, and the same for ever.

Made of the company's code and the record's own, so that a rebuilt installation finds its records again: the key is
the mark. One that would be too long is a UUID made of the same text.
"""

from __future__ import annotations

import re
import uuid

LONGEST = 36
_SPACE = uuid.UUID("6f9f2d4e-7f0c-5d0e-9d0b-2b4a0c9f7a11")
"""Ours, made once; a change of it would make new keys for every long code."""
_PLAIN = re.compile(r"[A-Za-z0-9.:-]+")

VENDOR, ACCOUNT, COST_CENTER, TERM, TAX, ORDER, LINE = "V", "A", "C", "T", "X", "O", "L"


def external_code(company: str, kind: str, *parts: str) -> str:
    """The key of a record: `100_V_ELC001`, or a UUID where that is too long or holds other characters."""
    texts = (company, kind, *parts)
    readable = "_".join(texts)
    if len(readable) <= LONGEST and all(_PLAIN.fullmatch(text) for text in texts):
        return readable
    return str(uuid.uuid5(_SPACE, "|".join(text.replace("\\", "\\\\").replace("|", "\\|") for text in texts)))


def response_code(document: str, *parts: str) -> str:
    """The key of one answer to a document: of the same answer always the same, so that it is found again."""
    return external_code("", "R", document, *parts)


def code_in(key: str, company: str, kind: str) -> str:
    """The record's own code in a readable key; empty for a key of another kind."""
    prefix = f"{company}_{kind}_"
    return key[len(prefix) :] if key.startswith(prefix) else ""
