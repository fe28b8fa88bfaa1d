"""Where a site keeps its cost centers. SYSPRO has no table of general-ledger cost centers, so the site says it.

`segment(start,len,sep)`: characters `start` (counted from 1) to `start + len - 1` of the GL code, after the
separator `sep`. The account is the GL code without that segment and its separator: under `segment(9,3,-)` the code
`10-6400-WH1` is account `10-6400` at cost center `WH1`. A code that does not
hold such a segment, being too short or built in another way, has no cost center and is its own account.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ml_connector.systems.base import Refused

_FORM = re.compile(r"(segment|analysis|table)\((.+)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the GL code."""

    start: int
    length: int
    separator: str

    def split(self, code: str) -> tuple[str, str | None]:
        """The account and the cost center of a GL code."""
        begin = self.start - 1
        end = begin + self.length
        before = max(0, begin - len(self.separator))
        center = code[begin:end]
        if len(code) < end or not center.strip():
            return code, None
        rest = code[end:]
        if rest and not rest.startswith(self.separator):
            return code, None
        if begin == 0:
            return rest.removeprefix(self.separator), center
        if code[before:begin] != self.separator:
            return code, None
        return code[:before] + rest, center

    def join(self, account: str, center: str) -> str | None:
        """The GL code of an account at a cost center: what `split` takes apart. None where there is no such code."""
        before = max(0, self.start - 1 - len(self.separator))
        if self.start == 1:
            code = f"{center}{self.separator}{account}" if account else center
        else:
            code = f"{account[:before]}{self.separator}{center}{account[before:]}"
        return code if self.split(code) == (account, center) else None


@dataclass(frozen=True, slots=True)
class Analysis:
    """Codes of one general-ledger analysis category."""

    category: str


@dataclass(frozen=True, slots=True)
class CustomTable:
    """A table of the site's own."""

    name: str
    key: str
    description: str


Rule = Segment | Analysis | CustomTable | None


def rule(text: str) -> Rule:
    """The rule behind a setting. Raises Refused."""
    text = text.strip()
    if text in {"", "none"}:
        return None
    found = _FORM.fullmatch(text)
    if found is not None:
        kind, inside = found.groups()
        if kind == "analysis":
            return Analysis(inside.strip())
        parts = inside.split(",", 2)
        if kind == "table" and len(parts) == 3:
            name, key, description = (part.strip() for part in parts)
            return CustomTable(name, key, description)
        if kind == "segment" and len(parts) == 3 and all(part.strip().isdigit() for part in parts[:2]):
            start, length = int(parts[0]), int(parts[1])
            if start >= 1 and length >= 1:
                return Segment(start, length, parts[2].strip())
    raise Refused(
        "bad_setting",
        f"cost_centre_source {text!r} is none of: none, segment(start,len,sep), analysis(category), "
        "table(name,key,description).",
        "cost_centre_source",
    )
