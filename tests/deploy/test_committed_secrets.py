"""No secret is in the repository. Works without a network: nothing that is found is tried anywhere."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from detect_secrets.core.scan import scan_line
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings

ROOT = Path(__file__).parents[2]

HEX, BASE64 = "Hex High Entropy String", "Base64 High Entropy String"
WORD, IN_URL, SLACK = "Secret Keyword", "Basic Auth Credentials", "Slack Token"

ALLOWED: dict[tuple[str, str], str] = {
    ("deploy/ml-connector.service", BASE64): "names of system call groups",
    ("docs/*.md", IN_URL): "examples: user:password",
    ("docs/quick-start.md", HEX): "hashes of a trail, as commands print them",
    ("docs/quick-start.md", WORD): "passwords of the stand-ins",
    ("src/ml_connector/backup/postgresql.py", WORD): "the name of a variable",
    ("src/ml_connector/console/templates/console/settings/notifications.html", IN_URL): "an example: user:password",
    ("src/ml_connector/domain/numbers.py", BASE64): "an alphabet",
    ("src/ml_connector/messenger/address.py", IN_URL): "an example: user:password",
    ("src/ml_connector/sandbox/data/*.json", HEX): "ids of invented documents",
    ("src/ml_connector/settings.py", IN_URL): "an example: user:password",
    ("src/ml_connector/systems/syspro/writing/apstpm.py", BASE64): "an alphabet",
    ("tests/*", HEX): "hashes and ids of invented documents",
    ("tests/*", WORD): "passwords of stand-ins and of invented people",
    ("tests/api/test_operations.py", BASE64): "a long word",
    ("tests/deploy/test_committed_secrets.py", BASE64): "what must be found, invented",
    ("tests/notify/*.py", IN_URL): "an invented mail account",
    ("tests/notify/*.py", SLACK): "an invented address of a channel",
    ("tests/systems/bill/test_webhooks.py", BASE64): "signatures of vectors that anybody can compute",
    ("tests/systems/transport/*.py", IN_URL): "an address that must be refused",
    ("tests/test_logs.py", IN_URL): "what must not be logged, invented",
    ("tests/upgrade/*/vault.key", BASE64): "keys of the stored releases, which hold stand-ins' passwords only",
    ("tools/screenshots.py", WORD): "the password of an invented person",
}
"""What a scan finds and is none, by file and kind, with the reason. Private keys and tokens of the known services are
allowed nowhere but where they are named here."""


def tracked() -> list[str]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("This is no git checkout: there are no tracked files")
    return [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def found(names: list[str]) -> Iterator[tuple[str, str, int]]:
    with default_settings():
        secrets = SecretsCollection(root=str(ROOT))
        for name in names:
            # Lock files are hashes and nothing else: test_dependencies.py reads every line of them.
            if not name.endswith(".lock"):
                secrets.scan_file(name)
    for name, secret in secrets:
        yield name, secret.type, secret.line_number


def test_no_secret_is_committed() -> None:  # R71
    used: set[tuple[str, str]] = set()
    faults = []
    for name, kind, line in found(tracked()):
        rules = {rule for rule in ALLOWED if fnmatch(name, rule[0]) and kind == rule[1]}
        used |= rules
        if not rules:
            faults.append(f"{name}:{line}: {kind}")
    assert faults == [], (
        "These look like secrets. A real one: replace it where it is used, for it is known now, and take it out of the"
        " history. Not one: say so in ALLOWED, with the reason."
    )
    assert set(ALLOWED) == used, "These rules allow nothing that is there: take them out."


PRIVATE_KEY = "-----BEGIN " + "RSA PRIVATE KEY-----"
AWS_KEY = "AKIA" + "QWERTYUIOPASDFGH"
GITHUB = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
RANDOM = f'signer = "{base64.b64encode(hashlib.sha256().digest()).decode()}"'


@pytest.mark.parametrize("line", [PRIVATE_KEY, AWS_KEY, GITHUB, RANDOM], ids=["private key", "AWS", "GitHub", "random"])
def test_a_secret_would_be_found(line: str) -> None:
    with default_settings():
        assert list(scan_line(line))
