"""The wheel as the image builds it, in a clean virtual environment: entry point, health check, read-only code."""

from __future__ import annotations

import json
import os
import re
import site
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif("config.getoption('--database') != 'sqlite'", reason="The wheel is the same")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and, by reference, the packages that its lock file pins."""
    place = tmp_path_factory.mktemp("clean")
    wheels = place / "wheels"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    python = place / "venv" / "bin" / "python"
    wheel = next(wheels.glob("*.whl"))
    # Installed alone first: only then may it see our packages, or pip would take our own checkout for it.
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel], check=True)
    packages = next((place / "venv" / "lib").glob("python*/site-packages"))
    (packages / "pinned.pth").write_text(f"{site.getsitepackages()[0]}\n")
    for path in (packages / "ml_connector").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return place / "venv"


@pytest.fixture
def environment(clean: Path, tmp_path: Path) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("ML_CONNECTOR", "PYTHON", "DJANGO"))
    }
    kept.pop("DATABASE_URL", None)
    return {**kept, "PATH": f"{clean}/bin:{os.environ['PATH']}", "ML_CONNECTOR_DATA": str(tmp_path / "data")} | {
        "PYTHONDONTWRITEBYTECODE": "1"
    }


def dockerfile(instruction: str) -> list[str]:
    """The words of an instruction in its JSON form."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    found = re.findall(rf"^{instruction}\b[^\[]*(\[.+\])$", text, re.MULTILINE)
    return list(json.loads(found[-1]))


def test_the_wheel_is_what_runs(clean: Path, environment: dict[str, str]) -> None:
    code = "import ml_connector; print(ml_connector.__file__)"
    said = subprocess.run(
        [clean / "bin/python", "-c", code], env=environment, check=True, capture_output=True, text=True, cwd=clean
    )
    assert said.stdout.startswith(str(clean))


@pytest.fixture
def served(clean: Path, environment: dict[str, str]) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*dockerfile("ENTRYPOINT"), *dockerfile("CMD"), "--port", str(port)]
    process = subprocess.Popen(command, env=environment, cwd=clean)
    try:
        yield port
    finally:
        process.terminate()
        assert process.wait(120) == 0


def test_the_image_s_commands_work(served: int, environment: dict[str, str], tmp_path: Path) -> None:
    check = [word.replace("127.0.0.1:8000", f"127.0.0.1:{served}") for word in dockerfile("HEALTHCHECK")]
    until = time.monotonic() + 60
    while subprocess.run(check, env=environment, capture_output=True, check=False).returncode:
        assert time.monotonic() < until, "it was never healthy"
        time.sleep(0.5)
    migrate = subprocess.run(
        [*dockerfile("ENTRYPOINT"), "migrate"], env=environment, capture_output=True, text=True, check=False
    )
    assert migrate.stdout == "The database was up to date already. Nothing was changed.\n", migrate.stderr
    assert (tmp_path / "data" / "ml-connector.sqlite3").exists()
