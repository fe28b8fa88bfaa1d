"""Verifies an exported trail. Stands alone: copy this file anywhere and run it with Python 3.11 or newer.

    python offline_verify.py trail.jsonl [--anchor SEQUENCE:HASH] [--public-key HEX]

Exit status 0: unbroken; 1: not; 2: it cannot be told. Signatures are checked where the `cryptography` package is
installed. Without it the script says that those of checkpoints were not checked; a trail whose oldest entries were
removed by retention needs it, because only the signature tells such a removal from any other.

Each entry's hash is made over the hash before it and the entry's own content, so that a change, a removal or another
order shows at the first entry concerned. Whoever can write to the database could make the whole chain anew, or cut its
end off. Against that give an anchor that was kept elsewhere (each checkpoint says one) and the public key.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FORMAT = "ml-connector-trail-1"


class Broken(Exception):
    """The trail is not what was written."""

    def __init__(self, sequence: int, text: str) -> None:
        super().__init__(text)
        self.sequence = sequence
        """The first entry that is wrong or missing."""


def beginning(workspace: str) -> bytes:
    """What a Workspace's first entry is chained to: one Workspace's trail cannot pass for another's."""
    return hashlib.sha256(f"{FORMAT}\n{workspace}".encode()).digest()


def canonical(values: Sequence[Any]) -> bytes:
    """An entry as it is hashed: sequence, at, actor, run, transaction, action, subject, source version, detail."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def statement(workspace: str, sequence: int, digest: str, at: str) -> bytes:
    """What a checkpoint's signature is made over."""
    return canonical(["ml-connector-checkpoint-1", workspace, sequence, digest, at])


CUT = ("since", "cut", "hash", "oldest", "newest", "years", "actor", "noted", "at")
"""What is signed of a removal by retention: the entry before the first that went, the last one and its hash, their
times, the years that were set, who removed them, the entry that tells of it, and when."""


def cut_statement(workspace: str, row: Mapping[str, Any]) -> bytes:
    """What a removal's signature is made over."""
    return canonical(["ml-connector-cut-1", workspace, *(row[name] for name in CUT)])


class Walk:
    """Goes along a trail in constant memory. Each step raises Broken for the first thing that is wrong."""

    def __init__(
        self,
        workspace: str,
        since: int = 0,
        start: str = "",
        *,
        anchor: tuple[int, str] | None = None,
        public_key: str | None = None,
    ) -> None:
        """`since` and `start`: the entry before the first, and its hash, where not all of the trail is walked."""
        self.workspace = workspace
        self.sequence = self.since = since
        self.hash = start if since else beginning(workspace).hex()
        self.entries = self.checkpoints = self.unchecked = 0
        self.cuts: list[Mapping[str, Any]] = []
        self.unproved = False
        """A removal was given whose signature could not be checked."""
        self._told: dict[int, Mapping[str, Any]] = {}
        self._compared = False
        self._anchor = anchor
        self._public_key = public_key
        if since == 0 and start not in {"", self.hash}:
            raise Broken(1, "The trail does not begin at its beginning.")
        self._compare_anchor(self.sequence, self.hash)

    def cut(self, row: Mapping[str, Any]) -> None:
        """A removal by retention. To be given before the first entry, the oldest first."""
        since, sequence = row["since"], row["cut"]
        if self.since or self.entries or since != self.sequence or sequence <= since:
            text = (
                f"Entry {self.sequence + 1} is missing, and no removal covers it: the next begins behind entry {since}."
            )
            raise Broken(self.sequence + 1, text)
        fits = self._signed(row, cut_statement(self.workspace, row), since + 1, f"The removal of entries {_span(row)}")
        self.unproved = self.unproved or fits is None
        self.cuts.append(row)
        self._told[row["noted"]] = row
        self.sequence, self.hash = sequence, row["hash"]
        self._compare_anchor(self.sequence, self.hash)

    def removed_checkpoint(self, row: Mapping[str, Any]) -> None:
        """One whose entry was removed: its signature, and the anchor if it is about the same entry."""
        sequence = row["checkpoint"]
        message = statement(self.workspace, sequence, row["hash"], row["at"])
        self._signed(row, message, sequence, f"Checkpoint {sequence}")
        ends = {cut["cut"]: cut["hash"] for cut in self.cuts}
        if ends.get(sequence, row["hash"]) != row["hash"]:
            raise Broken(sequence, f"Checkpoint {sequence} and the removal that ends there name different entries.")
        self._compare_anchor(sequence, row["hash"])

    def entry(self, values: Sequence[Any], digest: str) -> None:
        expected = self.sequence + 1
        if values[0] != expected:
            raise Broken(expected, f"Entry {expected} is missing; {values[0]} stands in its place.")
        if hashlib.sha256(bytes.fromhex(self.hash) + canonical(values)).hexdigest() != digest:
            raise Broken(expected, f"Entry {expected} was changed, or one before it was removed or moved.")
        if expected in self._told:
            _must_tell(values, self._told.pop(expected))
        self.sequence, self.hash = expected, digest
        self.entries += 1
        self._compare_anchor(self.sequence, self.hash)

    def checkpoint(self, row: Mapping[str, Any]) -> None:
        """To be given right after the entry that it vouches for."""
        sequence = row["checkpoint"]
        if (sequence, row["hash"]) != (self.sequence, self.hash):
            text = f"Checkpoint {sequence} vouches for an entry that is missing, or was written anew since."
            raise Broken(min(sequence, self.sequence + 1), text)
        message = statement(self.workspace, sequence, row["hash"], row["at"])
        fits = self._signed(row, message, sequence, f"Checkpoint {sequence}")
        self.checkpoints += 1
        self.unchecked += fits is None

    def end(self, sequence: int, digest: str) -> None:
        """Where the trail should end."""
        if (sequence, digest) != (self.sequence, self.hash):
            raise Broken(self.sequence + 1, f"The trail ends at entry {self.sequence}; it should end at {sequence}.")
        if self._anchor is not None and self._anchor[0] > self.sequence:
            text = f"The trail was cut off: it ends at entry {self.sequence}, the anchor names {self._anchor[0]}."
            raise Broken(self.sequence + 1, text)
        for noted, cut in self._told.items():
            if noted > self.sequence:
                text = f"The trail was cut off: it ends at entry {self.sequence}; entry {noted} told that entries"
                raise Broken(self.sequence + 1, f"{text} {_span(cut)} were removed.")

    def text(self) -> str:
        """What was found of an unbroken trail, and what could not be checked."""
        begins = f" from entry {self.cuts[-1]['cut'] + 1} on" if self.cuts else ""
        found = [
            f"{self.entries} entries, unbroken{begins}, up to {self.sequence}:{self.hash};"
            f" {self.checkpoints} checkpoints."
        ]
        if self.cuts:
            last, times = self.cuts[-1], len(self.cuts)
            found.append(
                f"Entries 1 to {last['cut']} were removed by retention,"
                f" {'once' if times == 1 else f'{times} times, the last time'} on {last['at'][:10]}"
                f" ({_span(last)}, of {last['oldest'][:10]} to {last['newest'][:10]}, kept for {last['years']} years),"
                " signed."
            )
            if self._public_key is None:
                found.append(f"Whose key that is was not compared: --public-key {last['public_key']} if it is yours.")
        if self.since:
            found.append(f"Entries up to {self.since} were not given.")
        if self._anchor is not None and not self._compared:
            found.append("The anchor lies before what was given and was not compared.")
        if self.unchecked:
            found.append(f"{self.unchecked} signatures not checked: the cryptography package is missing.")
        return " ".join(found)

    def _signed(self, row: Mapping[str, Any], message: bytes, sequence: int, what: str) -> bool | None:
        """None where the package that could tell is missing."""
        if self._public_key is not None and row.get("public_key") != self._public_key:
            raise Broken(sequence, f"{what} is signed with another key.")
        fits = _signature_fits(row, message)
        if fits is False:
            raise Broken(sequence, f"{what} has a false signature.")
        return fits

    def _compare_anchor(self, sequence: int, digest: str) -> None:
        if self._anchor is None or self._anchor[0] != sequence:
            return
        self._compared = True
        if self._anchor[1].lower() != digest:
            raise Broken(sequence, f"Entry {sequence} is not the one that the anchor names.")


def verify(lines: Iterable[str], anchor: tuple[int, str] | None = None, public_key: str | None = None) -> str:
    """Says what is unbroken. Raises Broken with the first fault, ValueError if it is no trail or cannot be judged."""
    rows = _rows(lines)
    header = next(rows, {})
    if header.get("format") != FORMAT:
        raise ValueError("This is not an exported trail.")
    walk = Walk(header["workspace"], header["since"], header["start"], anchor=anchor, public_key=public_key)
    for row in rows:
        if "entry" in row:
            walk.entry(row["entry"], row["hash"])
        elif "checkpoint" in row:
            walk.checkpoint(row)
        elif "cut" in row:
            walk.cut(row)
        elif "end" in row:
            walk.end(row["end"], row["hash"])
            if next(rows, None) is not None:
                raise Broken(walk.sequence + 1, "Something follows the end line.")
            if walk.unproved:
                raise ValueError(
                    f"entries 1 to {walk.cuts[-1]['cut']} were removed, and whether that was signed can only be told"
                    " with the cryptography package (pip install cryptography). The rest is unbroken."
                )
            return walk.text()
    raise Broken(walk.sequence + 1, f"The file is cut off after entry {walk.sequence}.")


def _rows(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        try:
            yield dict(json.loads(line))
        except (ValueError, TypeError):
            raise Broken(0, f"Line {number} is not readable.") from None


def _span(cut: Mapping[str, Any]) -> str:
    return f"{cut['since'] + 1} to {cut['cut']}"


def _must_tell(values: Sequence[Any], cut: Mapping[str, Any]) -> None:
    """The entry that a removal names must tell of it: so nobody can take either away."""
    tells = (values[5], values[6]) == ("cut", f"audit:{cut['cut']}") and f'"hash":"{cut["hash"]}"' in values[8]
    if not tells:
        raise Broken(
            values[0], f"Entry {values[0]} does not tell that entries {_span(cut)} were removed, as it should."
        )


def _signature_fits(row: Mapping[str, Any], message: bytes) -> bool | None:
    """None where the package that could tell is missing."""
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    except ImportError:
        return None
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(row.get("public_key", "")))
        key.verify(bytes.fromhex(row.get("signature", "")), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _anchor(text: str) -> tuple[int, str]:
    sequence, _, digest = text.partition(":")
    if len(bytes.fromhex(digest)) != hashlib.sha256().digest_size:
        raise ValueError(text)
    return int(sequence), digest.lower()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Verifies an exported trail of ml-connector.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--anchor", type=_anchor, metavar="SEQUENCE:HASH", help="as it was kept elsewhere")
    parser.add_argument("--public-key", type=str.lower, metavar="HEX", help="key that must have signed")
    given = parser.parse_args(arguments)
    try:
        with given.file.open(encoding="utf-8") as lines:
            print(verify(lines, given.anchor, given.public_key))
    except Broken as broken:
        print(f"NOT UNBROKEN: {broken}")
        return 1
    except (ValueError, KeyError, TypeError, IndexError, OSError) as error:
        print(f"Cannot verify {given.file}: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
