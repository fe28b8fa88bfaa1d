"""By what way a document goes in: by its size, by what the site has, and what the test of a Connection says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import etree
from tests.systems.transport import nettcp_peer
from tests.systems.transport.nettcp_peer import SERVICE, Peer

from ml_connector.systems.base import AuthFailed, OutcomeUnknown, Refused, Step, Transient
from ml_connector.systems.syspro.session import SessionEnded
from ml_connector.systems.syspro.wcf import result
from ml_connector.systems.transport.nettcp import TLS, WINDOWS, Element

from .conftest import Erp
from .enet import DEAD, DROP

DOCUMENT = {
    "BusinessObject": "APSTIN",
    "XmlParameters": "<PostApInvoice><Parameters/></PostApInvoice>",
    "XmlIn": f"<PostApInvoice><Item><Notation>{'&#233;' * 2_000}</Notation></Item></PostApInvoice>",
}
SMALL = {**DOCUMENT, "XmlIn": "<PostApInvoice/>"}
POST = "Transaction/Post"


@pytest.fixture
def peer(erp: Erp) -> Iterator[Callable[..., Peer]]:
    """The e.net server's endpoint over net.tcp."""
    made: list[Peer] = []

    def answer(call: nettcp_peer.Call) -> Element | None:
        said = erp.enet.over_nettcp(call.action, call.arguments())
        if said == DROP:
            return None
        if said.startswith("ERROR"):
            return nettcp_peer.fault(call, said.removeprefix("ERROR: "), "a:InternalServiceFault")
        return nettcp_peer.result(call, said)

    def make(**wishes: Any) -> Peer:
        made.append(Peer(answer, **wishes))
        return made[-1]

    yield make
    for each in made:
        each.close()


def write(erp: Erp, operation: str = POST, parameters: dict[str, str] = DOCUMENT, **settings: Any) -> str:
    """As a posting of that size is sent."""
    enet = erp.connect(**settings)._tables.enet
    options = erp.connect(**settings)._options
    if enet.url_bytes(operation, **parameters) <= options.max_url_bytes:
        return enet.write(operation, about="invoice PK-502", **parameters)
    return enet.write_large(operation, about="invoice PK-502", **parameters)


def ways(erp: Erp) -> list[tuple[str, str]]:
    return [(call.method, call.operation) for call in erp.enet.calls]


@pytest.fixture(autouse=True)
def answers(erp: Erp) -> None:
    for name in ("APSTIN", "APSSSP"):
        erp.enet.answer[name] = lambda call: f"<{call.business_object.lower()}/>"


@pytest.mark.parametrize(
    ("parameters", "mode", "missing", "way"),
    [
        (SMALL, "postld", "", ("GET", POST)),
        (SMALL, "nettcp", "", ("GET", POST)),
        (DOCUMENT, "postld", "", ("POST", "Transaction/PostLD")),
        (DOCUMENT, "postld", "PostLD", ("NET.TCP", "TransactionPost")),
        (DOCUMENT, "nettcp", "", ("NET.TCP", "TransactionPost")),
    ],
)
def test_the_way_is_chosen_by_size_and_by_what_the_site_has(
    erp: Erp, peer: Callable[..., Peer], parameters: dict[str, str], mode: str, missing: str, way: tuple[str, str]
) -> None:
    erp.enet.missing = missing
    said = write(erp, parameters=parameters, large_post_mode=mode, nettcp_address=peer().address)
    assert said.strip() == "<apstin/>"
    assert ways(erp) == [way]
    (call,) = erp.enet.calls
    assert call.session == f"{1:032X}00"
    if parameters is DOCUMENT:
        assert call.value("Item/Notation") == "é" * 2_000


def test_every_way_carries_the_same_document(erp: Erp, peer: Callable[..., Peer]) -> None:
    service = peer()
    settings = ({"max_url_bytes": 64_000}, {}, {"large_post_mode": "nettcp", "nettcp_address": service.address})
    erp.enet.longest = 64_000
    for each in settings:
        write(erp, **each)
    assert ways(erp) == [("GET", POST), ("POST", "Transaction/PostLD"), ("NET.TCP", "TransactionPost")]
    assert len({etree.tostring(call.document) for call in erp.enet.calls}) == 1
    assert len({etree.tostring(call.parameters) for call in erp.enet.calls}) == 1
    (sent,) = service.calls
    assert list(sent.arguments()) == ["UserId", "BusinessObject", "XmlParameters", "XmlIn"]  # the contract's order


def test_a_body_that_is_too_long_for_postld_goes_by_nettcp(erp: Erp, peer: Callable[..., Peer]) -> None:
    erp.enet.longest_body = 10_000
    write(erp, nettcp_address=peer().address)
    assert ways(erp) == [("NET.TCP", "TransactionPost")]
    with pytest.raises(Refused, match="by PostLD") as raised:
        write(erp)
    assert (raised.value.code, raised.value.field) == ("document_too_large", "large_post_mode")


def test_a_setup_has_no_postld_and_goes_by_nettcp(erp: Erp, peer: Callable[..., Peer]) -> None:
    supplier = {**DOCUMENT, "BusinessObject": "APSSSP"}
    write(erp, "Setup/Add", supplier, nettcp_address=peer().address)
    write(erp, "Setup/Update", supplier, nettcp_address=peer().address)
    assert ways(erp) == [("NET.TCP", "SetupAdd"), ("NET.TCP", "SetupUpdate")]
    with pytest.raises(Refused) as raised:
        write(erp, "Setup/Add", supplier)
    assert raised.value.field == "max_url_bytes"


def test_nothing_goes_another_way_where_people_enter_large_documents(erp: Erp, peer: Callable[..., Peer]) -> None:
    with pytest.raises(Refused) as raised:
        write(erp, large_post_mode="refuse", nettcp_address=peer().address)
    assert (raised.value.code, ways(erp)) == ("document_too_large", [])


def test_a_write_whose_answer_is_lost_is_in_doubt_and_takes_no_other_way(
    erp: Erp, peer: Callable[..., Peer]
) -> None:  # R3, R8
    erp.enet.answer["APSTIN"] = lambda call: DROP
    for mode in ("postld", "nettcp"):
        with pytest.raises(OutcomeUnknown):
            write(erp, large_post_mode=mode, nettcp_address=peer().address)
    assert ways(erp) == [("POST", "Transaction/PostLD"), ("NET.TCP", "TransactionPost")]


def test_a_service_over_nettcp_that_is_down_was_not_written_to(erp: Erp, peer: Callable[..., Peer]) -> None:  # R63
    service = peer()
    service.close()
    with pytest.raises(Transient):
        write(erp, large_post_mode="nettcp", nettcp_address=service.address)
    assert ways(erp) == []


def test_a_session_that_ended_is_renewed_and_the_write_searched_for(erp: Erp, peer: Callable[..., Peer]) -> None:  # R62
    erp.enet.dead = 1
    settings = {"large_post_mode": "nettcp", "nettcp_address": peer().address}
    with pytest.raises(SessionEnded) as raised:
        write(erp, **settings)
    assert raised.value.then is None
    assert (erp.enet.logons, erp.asked) == (2, 1)
    write(erp, **settings)
    assert ways(erp) == [("NET.TCP", "TransactionPost")]


@pytest.mark.parametrize(
    ("said", "kind", "code"),
    [
        ("ERROR: e.net exception raised: 100000", Refused, "not_licensed"),
        ("ERROR: Invalid operator password", AuthFailed, None),
        ("ERROR: Period is closed", Refused, "error"),
        (DEAD, SessionEnded, None),
    ],
)
def test_a_fault_means_what_the_same_words_mean_over_rest(
    erp: Erp, peer: Callable[..., Peer], said: str, kind: type[Exception], code: str | None
) -> None:  # R12, R63
    erp.enet.answer["APSTIN"] = lambda call: said
    for mode in ("postld", "nettcp"):
        with pytest.raises(kind) as raised:
            write(erp, large_post_mode=mode, nettcp_address=peer().address)
        assert getattr(raised.value, "code", None) == code


def test_an_error_shows_neither_password_nor_session(erp: Erp, peer: Callable[..., Peer]) -> None:  # R71
    erp.enet.answer["APSTIN"] = lambda call: f"ERROR: bad {call.session} canary-operator"
    with pytest.raises(Refused) as raised:
        write(erp, large_post_mode="nettcp", nettcp_address=peer().address)
    assert str(raised.value) == "SYSPRO answered: bad *** ***"


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (["<a>é</a>"], "<a>é</a>"),
        ([b"<a>", "é".encode()[:1], "é".encode()[1:], b"</a>"], "<a>é</a>"),
        (["<a>é</a>".encode("cp1252")], "<a>é</a>"),
        (["PGE+w6k8L2E+"], "<a>é</a>"),
        (["8.0.0.1"], "8.0.0.1"),
        (["abcd"], "abcd"),
        ([], ""),
    ],
)
def test_a_result_is_text_or_bytes_in_pieces_or_base64(parts: list[str | bytes], text: str) -> None:
    found = Element("QueryQueryResult", SERVICE, parts=parts)
    assert result(Element("QueryQueryResponse", SERVICE, children=[found]), "QueryQuery") == text


def test_an_answer_to_something_else_is_none(erp: Erp) -> None:  # R12
    for answer in (
        Element("SetupAddResponse", SERVICE, children=[Element("SetupAddResult", SERVICE, parts=["<a/>"])]),
        Element("TransactionPostResponse", "urn:other"),
        Element("TransactionPostResponse", SERVICE),
    ):
        assert result(answer, "TransactionPost") is None


# --- settings, and what the test says


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"large_post_mode": "nettcp"}, "nettcp_address"),
        ({"large_post_mode": "soap"}, "large_post_mode"),
        ({"nettcp_address": "http://erp"}, "nettcp_address"),
        ({"nettcp_address": "net.tcp://erp/S", "nettcp_via": "erp:1"}, "nettcp_via"),
        ({"nettcp_address": "net.tcp://erp/S", "nettcp_security": "windows"}, "nettcp_security"),
        ({"nettcp_address": "net.tcp://erp/S", "nettcp_mode": "sized"}, "nettcp_mode"),
        ({"nettcp_address": "net.tcp://erp/S", "nettcp_seconds": 301}, "nettcp_seconds"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(erp: Erp, settings: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as raised:
        erp.connect(**settings)
    assert raised.value.field == field


def ping(erp: Erp, *, try_writing: bool = False, **settings: Any) -> Step:
    (step,) = [s for s in erp.connect(**settings).ping([], try_writing=try_writing) if s.name == "large documents"]
    return step


def test_the_test_says_which_way_documents_take(erp: Erp, peer: Callable[..., Peer]) -> None:
    service = peer()
    step = ping(erp)
    assert step.ok and "8000 bytes in an address" in step.text
    assert "longer postings: PostLD; longer suppliers: left to a person" in step.text
    step = ping(erp, nettcp_address=service.address)
    assert step.ok and f"net.tcp at 127.0.0.1:{service.port} answers (version 8.0.0.1, buffered, unenc" in step.text
    assert "longer postings: PostLD, else net.tcp; longer suppliers: net.tcp" in step.text
    step = ping(erp, nettcp_address=service.address, large_post_mode="nettcp", nettcp_mode="streamed")
    assert step.ok and "streamed" in step.text and "longer postings: net.tcp;" in step.text
    step = ping(erp, large_post_mode="refuse", try_writing=True)
    assert step.ok and "longer postings: left to a person" in step.text
    assert (erp.enet.calls, erp.asked) == ([], 0)


def test_the_test_says_where_large_documents_have_no_way(erp: Erp) -> None:
    erp.enet.missing = "PostLD"
    assert ping(erp).ok and "no PostLD" in ping(erp).text  # it may be that nothing is ever written
    step = ping(erp, try_writing=True)
    assert step.ok is False and "nettcp_address" in step.fix


def test_a_site_that_demands_windows_authentication_is_told_so(erp: Erp, peer: Callable[..., Peer]) -> None:
    step = ping(erp, nettcp_address=peer(upgrades=(WINDOWS,)).address)
    assert step.ok is False and "Windows authentication" in step.text and "PostLD" in step.fix
    step = ping(erp, nettcp_address=peer(upgrades=(WINDOWS,)).address, nettcp_security="tls")
    assert step.ok is False and "Windows authentication" in step.text


def test_a_site_that_wants_tls_is_told_how(erp: Erp, peer: Callable[..., Peer]) -> None:
    step = ping(erp, nettcp_address=peer(upgrades=(TLS,)).address)
    assert step.ok is False and step.fix == "Set nettcp_security to tls."


def test_an_endpoint_that_is_not_there_is_red_and_named(erp: Erp, peer: Callable[..., Peer]) -> None:
    service = peer()
    service.close()
    step = ping(erp, nettcp_address=service.address)
    assert step.ok is False and str(service.port) in step.text and "nettcp_address" in step.fix
    step = ping(erp, nettcp_address=peer(always="EndpointNotFound").address)
    assert step.ok is False and "no service at this address" in step.text
