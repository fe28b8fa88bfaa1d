"""The files in which somebody else runs ml-connector: linted, and compared with what the product knows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ml_connector import __version__

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COMPOSE = ("compose.yaml", "deploy/compose.postgresql.yaml")
KUBERNETES = ROOT / "deploy/kubernetes/ml-connector.yaml"


def ran(*command: str | Path) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_dockerfile_is_clean() -> None:
    assert ran(BIN / "hadolint", "--failure-threshold", "info", "Dockerfile") == ""


@pytest.mark.parametrize("file", COMPOSE)
def test_compose_files_follow_the_specification(file: str) -> None:
    assert ran(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", file) == ""


def test_kubernetes_takes_every_object() -> None:
    import kubernetes_validate

    for found in yaml.safe_load_all(KUBERNETES.read_text()):
        kubernetes_validate.validate(found, kubernetes_validate.latest_version(), strict=True)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    unit = tmp_path / "ml-connector.service"
    text = (ROOT / "deploy/ml-connector.service").read_text()
    unit.write_text(text.replace("/opt/ml-connector/bin/ml-connector", "/bin/true"))
    said = ran("systemd-analyze", "verify", unit)
    assert [line for line in said.splitlines() if "ml-connector" in line] == []


def commands() -> list[list[str]]:
    """What the files have the image do, after its entry point."""
    found = [["serve", "--host", "0.0.0.0"]]
    for file in COMPOSE:
        services = yaml.safe_load((ROOT / file).read_text())["services"].values()
        found += [service["command"] for service in services if "command" in service]
    for one in yaml.safe_load_all(KUBERNETES.read_text()):
        template = one.get("spec", {}).get("template", {}) if one["kind"] in {"Job", "Deployment"} else {}
        found += [container["args"] for container in template.get("spec", {}).get("containers", [])]
    return found


def test_every_command_that_the_files_give_exists() -> None:
    from typer.core import TyperGroup
    from typer.main import get_command

    from ml_connector.cli.app import app

    group = get_command(app)
    assert isinstance(group, TyperGroup)
    assert len(commands()) == 7
    for name, *options in commands():
        group.commands[name].make_context(name, list(options), resilient_parsing=True)


def test_variables_that_the_files_set_are_read_by_the_product() -> None:
    known = (ROOT / "src/ml_connector/settings.py").read_text()
    for file in ("Dockerfile", *COMPOSE, "deploy/ml-connector.service", "deploy/kubernetes/ml-connector.yaml"):
        for name in set(re.findall(r"\b(?:ML_CONNECTOR_[A-Z_]+|DATABASE_URL)\b", (ROOT / file).read_text())):
            assert name in known, f"{file} sets {name}"


def test_versions_agree() -> None:
    assert f'\nversion = "{__version__}"\n' in (ROOT / "pyproject.toml").read_text()
    assert set(re.findall(r"image: ml-connector:(\S+)", KUBERNETES.read_text())) == {__version__}
    assert f"## {__version__} " in (ROOT / "CHANGELOG.md").read_text()
