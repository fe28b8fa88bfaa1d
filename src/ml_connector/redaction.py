"""What must not be shown: secrets in log lines, error texts, exports (R71).

Two nets. Values that the vault opened or sealed in this process are known by heart, in the spellings in which they
travel (URL, JSON, XML). Whatever else stands where a secret stands (`password=...`, a field named `token`, an
`Authorization` header, a valid IBAN, a token of our own API) is known by its place or its form.
"""

from __future__ import annotations

import html
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "***"

REMEMBERED = 4096
"""Values kept; the one unused for longest is forgotten first."""
SHORTEST = 4
"""Shorter values are part of too many innocent words to be looked for."""
_WHOLE_WORDS_BELOW = 8

_SECRET_NAMES = (
    "password", "passwd", "passphrase", "secret", "token", "apikey", "devkey", "privatekey", "sessionid", "credential",
    "authorization", "cookie", "iban", "bankaccount", "routingnumber", "taxid",
)  # fmt: skip
_NAME = (
    r"[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|dev[_-]?key|private[_-]?key|session[_-]?id|cookie"
    r"|iban|bank[_-]?account|routing[_-]?number|tax[_-]?id)[\w.-]*"
)
_QUOTED = re.compile(rf"""(?i)(["']{_NAME}["']\s*:\s*)(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\d+)""")
_PLACES = (
    re.compile(rf"""(?i)\b({_NAME}=)[^\s&"'<>,;)]+"""),
    re.compile(rf"(?i)(<{_NAME}>)[^<]+"),
    re.compile(r"(?i)(\bauthorization[\"']?\s*[:=]\s*[\"']?)(?:(?:basic|bearer|digest)\s+)?[^\s\"',;]+"),
    re.compile(r"(://)[^\s/@:]+:[^\s/@]+(?=@)"),
    re.compile(r"\b(mlc_)[A-Za-z0-9]{16,}"),
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")

_known: OrderedDict[str, tuple[str, ...]] = OrderedDict()
_lock = threading.Lock()


def register(value: str) -> None:
    """From now on this value is never shown. Called by the vault for each secret that it opens or seals."""
    if len(value) < SHORTEST:
        return
    with _lock:
        if value not in _known:
            _known[value] = spellings(value)
        _known.move_to_end(value)
        while len(_known) > REMEMBERED:
            _known.popitem(last=False)


def redacted(text: str) -> str:
    """The text with every secret replaced by `***`. For whatever people or logs are shown."""
    with _lock:
        known = list(_known.values())
    for spellings in known:
        for spelling in spellings:
            if spelling in text:
                text = _without(spelling, text)
    text = _QUOTED.sub(rf'\1"{HIDDEN}"', text)
    for place in _PLACES:
        text = place.sub(rf"\1{HIDDEN}", text)
    return _IBAN.sub(_hide_iban, text)


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds something that is not to be shown: `devKey`, `tax_id`, `X-Api-Key`."""
    plain = re.sub(r"[^a-z]", "", name.lower())
    return any(secret in plain for secret in _SECRET_NAMES)


def spellings(value: str) -> tuple[str, ...]:
    """As it is, and as URLs, JSON and XML write it; the longest first, so that no part of one remains."""
    forms: Iterable[str] = {
        value,
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value),
        html.escape(value, quote=False),
    }
    return tuple(sorted(forms, key=len, reverse=True))


def _without(spelling: str, text: str) -> str:
    if len(spelling) >= _WHOLE_WORDS_BELOW:
        return text.replace(spelling, HIDDEN)
    return re.sub(rf"(?<!\w){re.escape(spelling)}(?!\w)", HIDDEN, text)


def _hide_iban(found: re.Match[str]) -> str:
    """Hidden only when its check digits agree: a document number of that shape is left alone."""
    digits = found[0].replace(" ", "")
    number = "".join(str(int(letter, 36)) for letter in digits[4:] + digits[:4])
    return found[0][:4] + HIDDEN if int(number) % 97 == 1 else found[0]
