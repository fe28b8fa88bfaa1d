"""tools/release.py: what is built, signed, and found to be so with the public key alone."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools/release.py"
pytestmark = pytest.mark.skipif("config.getoption('--database') != 'sqlite'", reason="A release is the same")

_spec = importlib.util.spec_from_file_location("release", TOOL)
assert _spec is not None
assert _spec.loader is not None
release = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(release)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is tracked of ours that a release is made of, on the day of the release."""
    place = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "src", place / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (place / "tools").mkdir()
    shutil.copy(TOOL, place / "tools")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place)
    changes = (ROOT / "CHANGELOG.md").read_text().replace("(not yet released)", "(2026-12-01)")
    (place / "CHANGELOG.md").write_text(changes)
    return place


def run(project: Path, *arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, project / "tools/release.py", *arguments], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def made(project: Path) -> Path:
    """A release in `dist`, beside the public key that it is checked with."""
    status, public = run(project, "--new-key", project / "key.pem")
    assert status == 0
    (project / "public.pem").write_text(public)
    status, said = run(project, project / "dist", "--key", project / "key.pem")
    assert (status, said) == (0, f"ml-connector {release.version_of(project)} is in {project}/dist, signed.\n")
    return project


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "dist", tmp_path / "dist"))


def test_a_release_is_checked_with_the_public_key(made: Path) -> None:
    version = release.version_of(made)
    assert run(made, made / "dist", "--verify", made / "public.pem") == (
        0,
        f"As released: ml_connector-{version}-py3-none-any.whl, ml_connector-{version}.tar.gz.\n",
    )


def test_other_tools_check_it_too(made: Path, tmp_path: Path) -> None:
    """With the commands that docs/releasing.md gives."""
    if shutil.which("sha256sum") is None or shutil.which("openssl") is None:
        pytest.skip("sha256sum or openssl is not on this machine")
    page = (ROOT / "docs/releasing.md").read_text().partition("OpenSSL 3:")[2]
    commands = [line.strip() for line in page.splitlines() if line.startswith("    ")][:3]
    assert [line.split()[0] for line in commands] == ["base64", "openssl", "sha256sum"]
    place = shutil.copytree(made / "dist", tmp_path / "dist")
    shutil.copy(made / "public.pem", place / "ml-connector-release.pub")
    subprocess.run("\n".join(["set -e", *commands]), shell=True, cwd=place, check=True)


def test_what_was_changed_is_found(made: Path, copy: Path) -> None:
    wheel = next(copy.glob("*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    status, said = run(made, copy, "--verify", made / "public.pem")
    assert (status, said) == (1, f"{wheel.name} is not what was released. Do not use it.\n")


def test_checksums_made_anew_are_found(made: Path, copy: Path) -> None:
    sums, wheel = copy / "SHA256SUMS", next(copy.glob("*.whl"))
    wheel.write_bytes(b"another")
    old = sums.read_text()
    digest = next(line.split()[0] for line in old.splitlines() if line.endswith(".whl"))
    sums.write_text(old.replace(digest, release._digest(wheel)))
    with pytest.raises(release.Unfit, match="not signed with this key, or was changed"):
        release.verify(copy, release.public_key(made / "public.pem"))


def test_another_key_a_missing_and_an_added_file_are_found(made: Path, copy: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(release.make_key(tmp_path / "other-private.pem"))
    with pytest.raises(release.Unfit, match="not signed with this key"):
        release.verify(copy, release.public_key(other))
    (copy / "more.whl").write_bytes(b"")
    with pytest.raises(release.Unfit, match=r"Not part of the release: more\.whl"):
        release.verify(copy, release.public_key(made / "public.pem"))
    (copy / "more.whl").unlink()
    next(copy.glob("*.tar.gz")).unlink()
    with pytest.raises(release.Unfit, match=r"tar\.gz is missing"):
        release.verify(copy, release.public_key(made / "public.pem"))


def test_nothing_is_written_over(made: Path) -> None:
    status, said = run(made, made / "dist", "--key", made / "key.pem")
    assert status == 1
    assert "is not empty" in said
    status, said = run(made, "--new-key", made / "key.pem")
    assert status == 1
    assert "exists" in said


def test_what_is_in_no_commit_is_not_released(project: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(project, tmp_path / "project", ignore=shutil.ignore_patterns("dist", "*.pem")))
    subprocess.run(["git", "init", "-q"], cwd=place, check=True)
    with pytest.raises(release.Unfit, match=r"in no commit: CHANGELOG\.md, "):
        release.build(place, tmp_path / "dist")


def test_a_key_that_others_can_read_is_not_used(made: Path, tmp_path: Path) -> None:
    key = Path(shutil.copy(made / "key.pem", tmp_path / "key.pem"))
    key.chmod(0o644)
    with pytest.raises(release.Unfit, match="can be read by others"):
        release.private_key(key)


@pytest.mark.parametrize(
    ("file", "was", "becomes", "said"),
    [
        ("CHANGELOG.md", "(2026-12-01)", "(not yet released)", "put the day of the release there"),
        ("CHANGELOG.md", "\n## ", "\n## 99.0.0 (2026-12-02)\n\n## ", "does not begin with"),
        ("src/ml_connector/__init__.py", "__version__ = ", "__version__ = 'x' + ", "does not say"),
    ],
)
def test_versions_that_disagree_make_no_release(
    project: Path, tmp_path: Path, file: str, was: str, becomes: str, said: str
) -> None:
    place = tmp_path / "project"
    for name in ("pyproject.toml", "CHANGELOG.md", "src/ml_connector/__init__.py"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / name, place / name)
    changed = (place / file).read_text()
    assert was in changed
    (place / file).write_text(changed.replace(was, becomes, 1))
    with pytest.raises(release.Unfit, match=said):
        release.version_of(place)
