"""A WCF client that is not ours on the stand-in's net.tcp: Mono's. Run on request, with SYSPRO_MONO=1."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.sandbox.syspro_client import element, parsed
from tests.sandbox.test_syspro_nettcp import DEAD, PARAMETERS, invoice, query

from ml_connector import sandbox

SOURCE = Path(__file__).parent / "mono" / "Caller.cs"
LIBRARIES = ("System.ServiceModel.dll", "System.Runtime.Serialization.dll", "System.Xml.dll")
TEXT = "Škoda, œuvre: 5 € für Ærø-Café"


@pytest.fixture(scope="module")
def caller(tmp_path_factory):
    """The command of the compiled client."""
    if os.environ.get("SYSPRO_MONO") != "1":
        pytest.skip("SYSPRO_MONO=1 does not ask for it")
    compiler, runtime = shutil.which("mcs"), shutil.which("mono")
    if compiler is None or runtime is None:
        pytest.skip("there is no Mono here: mono-mcs, mono-runtime, libmono-system-servicemodel4.0a-cil")
    program = tmp_path_factory.mktemp("mono") / "caller.exe"
    references = [f"-r:{library}" for library in LIBRARIES]
    done = subprocess.run(
        [compiler, *references, f"-out:{program}", str(SOURCE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [runtime, str(program)]


@pytest.mark.parametrize("mode", ["buffered", "streamed"])
@pytest.mark.parametrize("form", ["string", "stream"])
def test_a_wcf_client_posts_and_reads_megabytes_and_loses_its_session(caller, tmp_path, mode, form):
    document = f"<!--{TEXT * 60_000}-->{invoice('MONO-1', lines=1500, notation=TEXT)}"
    assert len(document.encode()) > 2_000_000
    (tmp_path / "document.xml").write_text(document, "utf-8")
    (tmp_path / "parameters.xml").write_text(PARAMETERS, "utf-8")
    (tmp_path / "query.xml").write_text(query("ApJnlDistrib", *["Reference"] * 25), "utf-8")
    options = {"base_set": "bill", "nettcp": True, "nettcp_mode": mode, "nettcp_results": form}
    with sandbox.start("syspro", options=options) as syspro:
        syspro.clock(now="2026-11-16T12:00:00Z", running=False)
        where = [syspro.settings["nettcp_address"], mode, form, "MLCONN", syspro.secrets["operator_password"], "RIL"]
        done = subprocess.run([*caller, *where, str(tmp_path)], capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["34", "True", "0", DEAD]
        assert [row["method"] for row in syspro.requests()] == ["NET.TCP"] * 5
        assert sum(row["Reference"] == TEXT for row in syspro.state("ApJnlDistrib")) == 1500
    found = (tmp_path / "found.xml").read_text("utf-8")
    assert len(found.encode()) > 2_000_000
    assert found.count(element("Reference", TEXT)) == 1500 * 25
    assert parsed(found.encode("cp1252")).tag == "ApJnlDistrib"
