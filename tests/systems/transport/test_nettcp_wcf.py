"""The client against a WCF host whose transport is not ours: Mono's, on a service of a few lines (wcf_host.cs).

Runs where Mono's compiler and runtime are on the path, or where MONO_MCS and MONO name them. On Debian they are
mono-mcs, mono-runtime and libmono-system-servicemodel4.0a-cil.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ml_connector.systems.base import OutcomeUnknown, SystemFailure, Transient
from ml_connector.systems.transport.nettcp import Element, Endpoint, Fault, Limits, NetTcp, NotOpened
from ml_connector.systems.transport.nettcp.encoder import encode
from ml_connector.systems.transport.nettcp.envelope import answer, request
from ml_connector.systems.transport.nettcp.framing import Session
from ml_connector.systems.transport.network import Network
from ml_connector.systems.transport.policy import NetworkPolicy

SERVICE = "http://SYSPROWcfService"
SOURCE = Path(__file__).parent / "wcf_host.cs"
MCS = shutil.which(os.environ.get("MONO_MCS", "mcs"))
MONO = shutil.which(os.environ.get("MONO", "mono"))
REFERENCES = ("System.ServiceModel.dll", "System.Runtime.Serialization.dll", "System.Xml.dll")

pytestmark = pytest.mark.skipif(
    not (MCS and MONO),
    reason="no Mono: install mono-mcs, mono-runtime and libmono-system-servicemodel4.0a-cil, or name the programs by "
    "MONO_MCS and MONO",
)

DOCUMENT = "<Größe>é漢字🎉 & Ünïcödé</Größe>\r\n" * 45_000
"""2.3 MB in UTF-8, in characters of one to four bytes."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("wcf") / "host.exe"
    assert MCS
    references = [f"-r:{name}" for name in REFERENCES]
    done = subprocess.run([MCS, *references, f"-out:{made}", SOURCE], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@dataclass
class Host:
    """The running service."""

    program: Path
    mode: str
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"net.tcp://127.0.0.1:{port}/SYSPROWCFService"
        self._ready = threading.Event()
        assert MONO
        self.process = subprocess.Popen(
            [MONO, str(self.program), self.address, self.mode], stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._listen, daemon=True).start()
        assert self._ready.wait(60), "the host does not come up"

    def ask(self, verb: str, operation: Element, **wishes: Any) -> Element | Fault:
        """A call. Mono leaves one session in forty without an acknowledgement, whose call has then not left."""
        for _ in range(3):
            try:
                said: Element | Fault = getattr(self.client(**wishes), verb)(operation.name, operation)
            except NotOpened:
                if self.process.poll() is not None:
                    raise
            else:
                return said
        raise AssertionError("Mono acknowledges no session")

    def client(self, **wishes: Any) -> NetTcp:
        settings: dict[str, Any] = {"streamed": self.mode != "Buffered", "total_timeout": 30, **wishes}
        return NetTcp(
            Endpoint.of(self.address),
            name="SYSPRO",
            access_network=NetworkPolicy(),
            may_write=lambda: None,
            **settings,
        )

    def got(self) -> list[tuple[int, str]]:
        """Characters and SHA-256 of the documents that reached the operation."""
        lines = [line.split() for line in self.said if line.startswith("GOT")]
        return [(int(size), digest) for _, size, digest in lines]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(line.strip())
            if line.strip() == "READY":
                self._ready.set()


@pytest.fixture(scope="module", params=["Buffered", "Streamed", "StreamedResponse"])
def host(request: pytest.FixtureRequest, program: Path) -> Iterator[Host]:
    running = Host(program, request.param)
    yield running
    running.close()


def post(xml: str | None, user: str = "3EA6", parameters: str | None = "") -> Element:
    given = {"UserId": user, "BusinessObject": "APSTIN", "XmlParameters": parameters, "XmlIn": xml}
    parts = [Element(name, SERVICE, parts=[value]) for name, value in given.items() if value is not None]
    return Element("TransactionPost", SERVICE, children=parts)


def only(said: Element | Fault) -> Element:
    assert isinstance(said, Element) and len(said.children) == 1, said
    return said.children[0]


def test_two_megabytes_beyond_ascii_go_both_ways_as_text(host: Host) -> None:
    assert len(DOCUMENT.encode()) > 2_000_000
    result = only(host.ask("write", post(DOCUMENT)))
    characters = len(DOCUMENT.encode("utf-16-le")) // 2  # as .NET counts them
    assert host.got()[-1] == (characters, hashlib.sha256(DOCUMENT.encode()).hexdigest())
    assert result.text == f"APSTIN||{DOCUMENT}"


def test_two_megabytes_beyond_ascii_come_back_as_a_stream(host: Host) -> None:
    parts = [Element("UserId", SERVICE, parts=["3EA6"]), Element("XmlIn", SERVICE, parts=[DOCUMENT])]
    result = only(host.ask("read", Element("QueryQuery", SERVICE, children=parts)))
    assert result.name == "QueryQueryResult"
    assert result.content == DOCUMENT.encode()
    assert len(result.parts) > 1  # in pieces, whose ends fall anywhere


def test_an_empty_argument_is_empty_and_one_left_out_is_none(host: Host) -> None:
    assert only(host.ask("write", post("", parameters=None))).text == "APSTIN|(null)|"


def test_a_fault_comes_back_in_the_words_of_the_operation(host: Host) -> None:
    fault = host.ask("write", post("<x/>", user="DEAD"))
    assert isinstance(fault, Fault)
    assert fault.reason.startswith("The supplied UserID is invalid.")
    assert only(host.ask("read", Element("GetVersion", SERVICE))).text == "8.0.0.1"


def test_several_calls_share_a_session_and_its_words(program: Path) -> None:
    """Mono names an answer's elements by words that it announced in the answer before."""
    running = Host(program, "Buffered")
    network = Network(NetworkPolicy())
    endpoint = Endpoint.of(running.address)
    try:
        with network.request(30):
            session = Session(network.connect_tcp(endpoint.host, endpoint.port), Limits(), streamed=False, step=10)
            session.open(endpoint.via)
            for number in range(3):
                message_id = uuid4()
                sent = encode(request("TransactionPost", endpoint.address, message_id, post(f"<n>{number}</n>")))
                assert only(answer(session.ask(sent), message_id)).text == f"APSTIN||<n>{number}</n>"
            session.end()
    finally:
        running.close()


@pytest.mark.parametrize("mode", ["Buffered", "Streamed"])
def test_a_service_that_dies_inside_a_write_leaves_it_in_doubt(program: Path, mode: str) -> None:  # R3, R8
    running = Host(program, mode)
    try:
        with pytest.raises(OutcomeUnknown):
            running.ask("write", post("<x/>", user="KILL"))
        assert running.process.wait(10) == 3
        assert len(running.got()) == 1
        with pytest.raises(Transient):  # nothing left: not in doubt
            running.ask("write", post("<x/>"))
    finally:
        running.close()


@pytest.mark.parametrize("mode", ["Buffered", "Streamed"])
def test_a_service_that_never_answers_leaves_a_write_in_doubt(program: Path, mode: str) -> None:  # R3
    running = Host(program, mode)
    try:
        with pytest.raises(OutcomeUnknown, match="2 s"):
            running.ask("write", post("<x/>", user="MUTE"), total_timeout=2)
        assert len(running.got()) == 1
    finally:
        running.close()


def test_a_service_that_streams_is_found_by_a_client_that_buffers(program: Path) -> None:
    running = Host(program, "Streamed")
    try:
        assert only(running.ask("write", post("<x/>"), streamed=False)).text == "APSTIN||<x/>"
        assert len(running.got()) == 1
    finally:
        running.close()


def test_an_operation_that_the_service_does_not_have_is_no_answer(host: Host) -> None:
    """Mono stays silent where .NET answers a fault."""
    with pytest.raises(SystemFailure):
        host.ask("read", Element("NoSuchOperation", SERVICE), total_timeout=2)
