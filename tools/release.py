"""Builds a release, and checks one: python tools/release.py --help

Wheel and source archive, SHA256SUMS over both, and SHA256SUMS.sig: its Ed25519 signature as base64 in one line.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import re
import subprocess
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

ROOT = Path(__file__).parent.parent
SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"
LINE = re.compile(r"([0-9a-f]{64})  ([^/\s]+)")


class Unfit(Exception):
    """No release can be made of this, or it is not what was released. The text says why."""


def version_of(project: Path) -> str:
    """The version that pyproject.toml, the package and CHANGELOG.md agree on. Raises Unfit."""
    version = str(tomllib.loads((project / "pyproject.toml").read_text())["project"]["version"])
    if f'__version__ = "{version}"' not in (project / "src/ml_connector/__init__.py").read_text():
        raise Unfit(f"src/ml_connector/__init__.py does not say {version}, as pyproject.toml does.")
    newest = re.search(r"^## (\S+) \((.*)\)$", (project / "CHANGELOG.md").read_text(), re.MULTILINE)
    if newest is None or newest[1] != version:
        raise Unfit(f"CHANGELOG.md does not begin with {version}: say there what a person notices of it.")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", newest[2]):
        raise Unfit(f'CHANGELOG.md says "{newest[2]}" of {version}: put the day of the release there.')
    return version


def build(project: Path, directory: Path) -> str:
    """Makes wheel and source archive in an empty directory; gives the version. Raises Unfit."""
    version = version_of(project)
    if loose := _uncommitted(project):
        raise Unfit(f"The archive would hold what is in no commit: {', '.join(loose)}. Commit it or move it away.")
    if directory.exists() and any(directory.iterdir()):
        raise Unfit(f"{directory} is not empty: nothing is written over a release.")
    directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(directory.resolve())]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unfit(f"It could not be built: {done.stderr.strip()}")
    made = sorted(path.name for path in directory.iterdir())
    if made != [f"ml_connector-{version}-py3-none-any.whl", f"ml_connector-{version}.tar.gz"]:
        raise Unfit(f"What was built is not wheel and source archive of {version}: {', '.join(made)}.")
    return version


def _uncommitted(project: Path) -> list[str]:
    """Changed and new files of a git checkout; of a copy without history none can be told."""
    if not (project / ".git").exists():
        return []
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    said = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout
    return [line[3:] for line in said.splitlines()]


def sign(directory: Path, key: Ed25519PrivateKey) -> None:
    """Writes the checksums of all files of the directory, and their signature."""
    names = sorted(path.name for path in directory.iterdir())
    sums = "".join(f"{_digest(directory / name)}  {name}\n" for name in names)
    (directory / SUMS).write_text(sums)
    (directory / SIGNATURE).write_text(base64.b64encode(key.sign(sums.encode())).decode() + "\n")


def verify(directory: Path, key: Ed25519PublicKey) -> list[str]:
    """The files of a release that is as it was signed. Raises Unfit, naming what is not."""
    try:
        sums = (directory / SUMS).read_bytes()
        key.verify(base64.b64decode((directory / SIGNATURE).read_text().strip(), validate=True), sums)
        lines = [LINE.fullmatch(line) for line in sums.decode().splitlines()]
    except FileNotFoundError as error:
        raise Unfit(f"{error.filename} is missing.") from None
    except (InvalidSignature, ValueError):
        raise Unfit(f"{SUMS} was not signed with this key, or was changed. Do not use these files.") from None
    signed = {line[2]: line[1] for line in lines if line}
    if not signed or None in lines:
        raise Unfit(f"{SUMS} is no list of checksums.")
    for name, digest in signed.items():
        if not (directory / name).is_file():
            raise Unfit(f"{name} is missing.")
        if _digest(directory / name) != digest:
            raise Unfit(f"{name} is not what was released. Do not use it.")
    others = sorted({path.name for path in directory.iterdir()} - {*signed, SUMS, SIGNATURE})
    if others:
        raise Unfit(f"Not part of the release: {', '.join(others)}.")
    return sorted(signed)


def make_key(path: Path) -> str:
    """Writes a new private key for its owner only, and gives the public one. Raises FileExistsError."""
    key = Ed25519PrivateKey.generate()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_key(path: Path) -> Ed25519PrivateKey:
    """Raises Unfit."""
    if path.stat().st_mode & 0o077:
        raise Unfit(f"{path} can be read by others. Run: chmod 600 {path}")
    with suppress(ValueError, TypeError):
        key = load_pem_private_key(path.read_bytes(), password=None)
        if isinstance(key, Ed25519PrivateKey):
            return key
    raise Unfit(f"{path} is no Ed25519 private key in PEM without a passphrase.")


def public_key(path: Path) -> Ed25519PublicKey:
    """Raises Unfit."""
    with suppress(ValueError):
        key = load_pem_public_key(path.read_bytes())
        if isinstance(key, Ed25519PublicKey):
            return key
    raise Unfit(f"{path} is no Ed25519 public key in PEM.")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Builds and signs a release, or checks one.")
    parser.add_argument("directory", type=Path, nargs="?", help="where the release is, or is to be made: an empty one")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--key", type=Path, help="build, and sign with the private key of this file")
    what.add_argument("--verify", type=Path, metavar="PUBLIC", help="check with the public key of this file")
    what.add_argument("--new-key", type=Path, metavar="FILE", help="make a private key; the public one is printed")
    given = parser.parse_args(arguments)
    if given.new_key is None and given.directory is None:
        parser.error("name the directory")
    try:
        if given.new_key is not None:
            print(make_key(given.new_key), end="")
        elif given.key is not None:
            key = private_key(given.key)
            version = build(ROOT, given.directory)
            sign(given.directory, key)
            print(f"ml-connector {version} is in {given.directory}, signed.")
        else:
            names = verify(given.directory, public_key(given.verify))
            print(f"As released: {', '.join(names)}.")
    except (Unfit, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
