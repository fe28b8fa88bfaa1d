"""`python -m ml_connector.sandbox`: the ready line, the files it takes, and a clean end."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from ml_connector import sandbox

SOURCE = Path(sandbox.__file__).parents[2]


def spawn(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ml_connector.sandbox", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_ends_on_a_signal(number):
    process = spawn("bill", "--port", "0", "--seed", "2", "--option", "latency=0")
    ready = json.loads(process.stdout.readline())
    assert ready["ready"] is True
    assert ready["settings"]["base_url"].endswith("/connect")
    assert set(ready["secrets"]) == {"password", "devKey"}
    assert httpx2.get(f"{ready['control']}state").json()["bills"] == 0
    process.send_signal(number)
    assert process.communicate(timeout=5) == ("", "")
    assert process.returncode == 0


def test_it_takes_data_and_faults_from_files(tmp_path):
    data, faults = tmp_path / "data.json", tmp_path / "faults.json"
    data.write_text('{"vendors": [{"name": "From a file"}]}')
    faults.write_text('[{"match": {"path": "*"}, "do": "status", "status": 503}]')
    process = spawn("bill", "--data", str(data), "--faults", str(faults))
    control = json.loads(process.stdout.readline())["control"]
    assert httpx2.get(f"{control}state/vendors").json()[0]["name"] == "From a file"
    assert httpx2.get(control.replace("_control/", "connect/v3/login/session")).status_code == 503
    process.terminate()
    process.communicate(timeout=5)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "no valid JSON"),
        ("[]", "expected an object"),
        ('{"vendors": {}}', "vendors: expected a list of rows"),
        ('{"wendors": []}', "wendors: unknown type"),
        ('{"bills": [{"amount": 1}]}', "bills: vendorId is missing"),
    ],
)
def test_bad_data_are_explained_with_the_name_of_the_file(tmp_path, capsys, content, says):
    file = tmp_path / "data.json"
    file.write_text(content)
    assert sandbox.run("bill", data=file) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {file}: ")
    assert says in error


def test_a_missing_file_is_named(tmp_path, capsys):
    assert sandbox.run("bill", faults=tmp_path / "none.json") == 2
    assert "none.json: No such file" in capsys.readouterr().err


def test_a_bad_fault_file_is_named(tmp_path, capsys):
    file = tmp_path / "faults.json"
    file.write_text('[{"do": "explode"}]')
    assert sandbox.run("bill", faults=file) == 2
    assert f"{file}: faults[0].do" in capsys.readouterr().err


def test_an_unknown_system_or_option_is_refused(capsys):
    assert sandbox.run("oracle") == 2
    assert sandbox.run("bill", options={"speed": 1}) == 2
    assert "option speed is unknown" in capsys.readouterr().err


def test_one_that_is_tied_ends_with_its_standard_input():
    command = [sys.executable, "-m", "ml_connector.sandbox", "bill", "--tied"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert '"ready":true' in process.stdout.readline().replace(" ", "")
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.stdout.close()
