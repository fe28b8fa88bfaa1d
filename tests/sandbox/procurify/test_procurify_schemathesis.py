"""A public property tester against the stand-in. It is not installed with the project: PROCURIFY_SCHEMATHESIS names
its command. Needs the vendor's API description too (see published).
"""

import os
import subprocess

import pytest
import yaml
from tests.sandbox.procurify.conftest import NOW, Api
from tests.sandbox.procurify.published import FILE, Contract, needed

from ml_connector import sandbox

VARIABLE = "PROCURIFY_SCHEMATHESIS"
COMMAND = os.environ.get(VARIABLE, "")
EXAMPLES = os.environ.get("PROCURIFY_SCHEMATHESIS_EXAMPLES", "15")
CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance,response_headers_conformance"

pytestmark = [
    needed,
    pytest.mark.skipif(not COMMAND, reason=f"{VARIABLE} does not name the command schemathesis"),
]


def aimed(content, bills):
    """The description with keys that mostly exist, and with CSV, which the vendor offers without describing it."""
    for path, operations in content["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path" and parameter["name"] in {"id", "procurify_PO"}:
                    parameter["schema"] = {"type": "integer", "minimum": 1, "maximum": 8}
                    if path.startswith("/api/v2/ap/bills/"):
                        parameter["schema"] = {"type": "string", "enum": bills}
            for declared in operation["responses"].values():
                if declared.get("content"):
                    declared["content"]["text/csv"] = {"schema": {"type": "string"}}
    return content


def test_no_request_of_the_tester_finds_a_failure_or_an_answer_that_is_not_described(tmp_path):
    description = tmp_path / "description.yaml"
    with sandbox.start("procurify", seed=1, options={"base_set": "syspro"}) as stand_in:
        stand_in.clock(now=NOW, running=False)
        client = Api(stand_in)
        bills = [row["uuid"].replace("-", "") for row in stand_in.state("bills")]
        description.write_text(yaml.safe_dump(aimed(Contract(FILE).content, bills)))
        headers = {name: client.http.headers[name] for name in ("Authorization", "X-Procurify-Client")}
        given = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
        limits = [
            "--max-examples",
            EXAMPLES,
            "--seed",
            "7",
            "--checks",
            CHECKS,
            "--phases",
            "examples,coverage,fuzzing",
        ]
        command = [COMMAND, "run", str(description), "--url", stand_in.url, *given, *limits, "--no-color"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=1800, cwd=tmp_path, check=False)
        print(done.stdout[-8000:] + done.stderr[-2000:])  # pytest shows it for a failure, and with -rP
        assert done.returncode == 0
        asked = stand_in.requests()
    assert len(asked) > 1000
    assert {row["status"] for row in asked} >= {200, 201, 400, 404}
