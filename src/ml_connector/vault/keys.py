"""Where key-encryption keys come from: the environment, or a file that is made on first start.

The file is JSON with mode 0600: the current key, the one before while a rotation runs, and the seed that checkpoints of
the audit trail are signed with. Back it up apart from the database: without it no secret can be read.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ml_connector.vault.errors import KeyMissing, KeyUnusable, WrongKey
from ml_connector.vault.sealing import KEY_BYTES, derived, new_key

FILE_NAME = "vault.key"
KEY = "ML_CONNECTOR_KEY"
SIGNING_KEY = "ML_CONNECTOR_SIGNING_KEY"
MAKE_ONE = f"Make one with: head -c {KEY_BYTES} /dev/urandom | base64"


@dataclass(frozen=True, repr=False)
class Keys:
    """The key-encryption keys in force: the first wraps, all of them unwrap."""

    ring: tuple[bytes, ...]
    signing_seed: bytes
    where: str
    """What people call the place."""

    @property
    def current(self) -> bytes:
        return self.ring[0]

    def named(self, key_id_: str) -> bytes:
        """The key of this id. Raises WrongKey where it is not on the ring."""
        for key in self.ring:
            if key_id(key) == key_id_:
                return key
        raise WrongKey(
            f"The key-encryption key is not the one that this database's secrets were sealed with: they need"
            f" {key_id_}, {self.where} holds {', '.join(map(key_id, self.ring))}. Restore {FILE_NAME} from its backup,"
            f" or set {KEY} to the key that was used. Nothing was changed."
        )


def key_id(key: bytes) -> str:
    """A name for a key that says nothing about it, the same wherever the key is kept."""
    return hashlib.sha256(b"ml-connector key id" + key).hexdigest()[:16]


class KeyProvider(Protocol):
    """Gives the keys; a cloud's key service can stand here."""

    def keys(self) -> Keys:
        """As they are now; cheap enough for every use. Raises KeyMissing and KeyUnusable."""

    def make(self) -> None:
        """Makes the first key of an installation. Raises KeyMissing where people have to bring it."""

    def rotating(self) -> AbstractContextManager[None]:
        """Keeps others from rotating. Raises KeyUnusable while somebody does."""

    def renew(self) -> Keys:
        """Puts a new key in front of the ring; while a rotation is unfinished, the one it had put there. Raises
        KeyUnusable where the keys are not ours to change."""

    def retire(self) -> None:
        """Drops all keys but the current one."""


class EnvironmentKeys:
    """ML_CONNECTOR_KEY: one or two keys as base64, separated by a comma; the first is current."""

    def __init__(self, text: str) -> None:
        self._text = text

    def keys(self) -> Keys:
        ring = tuple(_decoded(part, KEY) for part in self._text.split(","))
        seed = os.environ.get(SIGNING_KEY)
        return Keys(ring, _decoded(seed, SIGNING_KEY) if seed else derived(ring[-1], "signing seed"), KEY)

    def make(self) -> None:
        raise KeyMissing(f"{KEY} is not set. {MAKE_ONE}")

    @contextmanager
    def rotating(self) -> Iterator[None]:
        """Two rotations at a time do no harm: no key is made or dropped here."""
        yield

    def renew(self) -> Keys:
        keys = self.keys()
        if len(keys.ring) == 1 or not os.environ.get(SIGNING_KEY):
            raise KeyUnusable(
                f"The key comes from {KEY}. Put a new key before the old one there, separated by a comma; set"
                f" {SIGNING_KEY}, so that checkpoints are signed with the same key ever after; restart, and rotate"
                f" again. {MAKE_ONE}"
            )
        return keys

    def retire(self) -> None:
        """The host takes the old key out of the variable."""


_read: dict[Path, tuple[tuple[int, int, int], Keys]] = {}
"""Key files as last read, beside what changes when they do: a running process sees a rotation at once."""


class KeyFile:
    """The file `vault.key` in the data directory, replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def keys(self) -> Keys:
        try:
            state = self.path.stat()
        except FileNotFoundError:
            raise KeyMissing(f"The key file {self.path} is missing.") from None
        if state.st_mode & 0o077:
            raise KeyUnusable(
                f"{self.path} can be read by others (mode {state.st_mode & 0o777:o}). Run: chmod 600 {self.path}"
            )
        stamp = (state.st_ino, state.st_mtime_ns, state.st_size)
        known = _read.get(self.path)
        if known is None or known[0] != stamp:
            known = _read[self.path] = (stamp, self._parsed())
        return known[1]

    def make(self) -> None:
        """Two processes that start together end with one file: the second finds the first's."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._draft([new_key()], new_key())
        try:
            os.link(draft, self.path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        _to_disk(self.path.parent)

    @contextmanager
    def rotating(self) -> Iterator[None]:
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            try:
                fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise KeyUnusable("Another command is rotating the key just now. Wait for it to end.") from None
            yield
        finally:
            os.close(directory)

    def renew(self) -> Keys:
        keys = self.keys()
        if len(keys.ring) == 1:
            self._replace([new_key(), *keys.ring], keys.signing_seed)
        return self.keys()

    def retire(self) -> None:
        keys = self.keys()
        self._replace([keys.current], keys.signing_seed)

    def _parsed(self) -> Keys:
        place = f"the key file {self.path}"
        try:
            content = json.loads(self.path.read_text())
            ring = tuple(_decoded(key, place) for key in content["keys"])
            return Keys((ring[0], *ring[1:]), _decoded(content["signing_seed"], place), place)
        except PermissionError:
            text = f"{self.path} cannot be read by this user. Run as the user who owns it."
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            text = f"{self.path} is no key file of ours, or is damaged. Restore it from its backup."
        raise KeyUnusable(text)

    def _replace(self, ring: Sequence[bytes], signing_seed: bytes) -> None:
        self._draft(ring, signing_seed).replace(self.path)
        _to_disk(self.path.parent)

    def _draft(self, ring: Sequence[bytes], signing_seed: bytes) -> Path:
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        content = {"keys": [_encoded(key) for key in ring], "signing_seed": _encoded(signing_seed)}
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as stream:
            json.dump(content, stream)
            stream.flush()
            os.fsync(stream.fileno())
        return draft


def provider(data: Path) -> KeyProvider:
    """The environment's key where there is one, else the file in the data directory."""
    text = os.environ.get(KEY)
    return EnvironmentKeys(text) if text else KeyFile(data / FILE_NAME)


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyUnusable(f"A key in {where} is not {KEY_BYTES} bytes as base64. {MAKE_ONE}")
    return key


def _encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _to_disk(directory: Path) -> None:
    """A file that was renamed into place survives a power failure once its directory is written."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
