"""Document numbers as people compare them, and the mark that finds our own documents again."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_CONFUSED = str.maketrans({"O": "0", "I": "1", "L": "1"})
_KEPT = re.compile(r"[^A-Z0-9]")
_PADDING = re.compile(r"(?<![0-9])0+(?=[0-9])")
_ASCII = {code: chr(code).upper().translate(_CONFUSED) if chr(code).isalnum() else None for code in range(128)}
"""What `normalised` makes of each ASCII character, in one step."""
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

MARK_LENGTH = 13
MARK_PATTERN = re.compile(r"\bmlc[0-9A-HJKMNP-TV-Z]{10}\b")


def normalised(number: str) -> str:
    """A document number without the differences that people do not see (R38).

    Unicode width and case folded, only A-Z and 0-9 kept, O read as 0, I and L as 1, leading zeros of each run
    of digits dropped. `ELC-1001` and `e1c 01001` are the same number.
    """
    if number.isascii():
        text = number.translate(_ASCII)
    else:
        text = _KEPT.sub("", unicodedata.normalize("NFKC", number).upper()).translate(_CONFUSED)
    return _PADDING.sub("", text) if "0" in text else text


def normalised_code(code: str) -> str:
    """A code of a source system as codes are compared: trimmed, and without padding zeros when all digits."""
    code = code.strip()
    return code.lstrip("0") or "0" if code.isdigit() else code


def mark(workspace: str, integration: str, flow: str, key: str, kind: str, cycle: int = 1) -> str:
    """The reference written into the target, from which our own document is found again (R6).

    13 letters and digits made of lasting names, so that a rebuilt installation makes the same one.
    """
    text = "|".join((workspace, integration, flow, key, kind, str(cycle)))
    bits = int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") >> 6
    return "mlc" + "".join(_CROCKFORD[bits >> shift & 31] for shift in range(45, -5, -5))


def find_mark(text: str) -> str | None:
    """The first mark inside a text that a target gave back, if there is one."""
    found = MARK_PATTERN.search(text)
    return found.group() if found else None
