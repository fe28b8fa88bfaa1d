"""How alike two names or two codes are. Pure; used for suggestions, which people decide on."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache

SIMILAR = 0.88
"""Names at least this alike are suggested."""

CLOSE = 0.03
"""Two candidates whose scores differ by no more than this cannot be told apart."""

_FORMS = """
ab ag aps as asa bv bvba co company corp corporation cv doo eeig ek eood ev gesmbh gmbh inc incorporated kft kg kgaa
kk limited llc llp lp ltd ltda mbh nv nyrt ohg oy oyj plc pllc pte pty pvt sa sab sae sarl sas sasu sca scs se sl slu
snc spa spolka spzoo srl sro uab ug
"""
LEGAL_FORMS = frozenset(_FORMS.split())

_REMEMBERED = 20_000
"""Names and codes whose parts are remembered: pages ask for the same lists again and again."""

_APART = re.compile(r"[^0-9a-z]+")
_JOINED = re.compile(r"[.'’`]")
_SEPARATED = re.compile(r"[^0-9A-Z]+")


@lru_cache(maxsize=_REMEMBERED)
def words(name: str) -> tuple[str, ...]:
    """The words of a name as names are compared: case, accents, punctuation and legal forms at its end left out.

    `Hydra Utilities` and `HYDRA UTILITIES, Inc.` have the same words.
    """
    text = unicodedata.normalize("NFKD", name.casefold())
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    found = [word for word in _APART.split(_JOINED.sub("", text.replace("&", " and "))) if word]
    kept = list(found)
    while kept and (kept[-1] in LEGAL_FORMS or (kept[-1] == "and" and len(kept) < len(found))):
        kept.pop()
    return tuple(kept or found)


def similarity(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """Token set ratio, 0 to 1: what the names share comes first, the rest after it, then letters are compared.

    A name that holds all of the other's words counts as the same only when those are two words or more: `Freight`
    is not `Freight and packaging`.
    """
    if not one or not other:
        return 0.0
    mine, theirs = set(one), set(other)
    shared = sorted(mine & theirs)
    common = " ".join(shared)
    left = " ".join([*shared, *sorted(mine - theirs)])
    right = " ".join([*shared, *sorted(theirs - mine)])
    best = _ratio(left, right)
    if len(shared) >= 2:
        best = max(best, _ratio(common, left), _ratio(common, right))
    return best


@lru_cache(maxsize=_REMEMBERED)
def segments(code: str) -> tuple[str, ...]:
    """The parts of a code between its separators, upper case: `10-6100` has `10` and `6100`."""
    return tuple(part for part in _SEPARATED.split(unicodedata.normalize("NFKC", code).upper()) if part)


def code_form(parts: tuple[str, ...]) -> str:
    """Segments as codes are compared: joined, without leading zeros."""
    return "".join(parts).lstrip("0") or "0"


def tax_form(tax_id: str) -> str:
    """A tax id as tax ids are compared; empty for one that is none (`N/A`, all zeros)."""
    text = _SEPARATED.sub("", unicodedata.normalize("NFKC", tax_id).upper())
    return text if len(text) >= 6 and len(set(text)) > 2 and any(sign.isdigit() for sign in text) else ""


def _ratio(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if 2 * min(len(one), len(other)) < SIMILAR * (len(one) + len(other)):
        return 0.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.quick_ratio() < SIMILAR:
        return 0.0
    return matcher.ratio()
