"""Binary XML: what each record says, that nothing else is taken for something, and that every bound holds."""

from __future__ import annotations

import struct
import time
import tracemalloc
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ml_connector.systems.transport.nettcp.cursor import Cursor, read_size, write_size
from ml_connector.systems.transport.nettcp.decoder import SessionWords, decode
from ml_connector.systems.transport.nettcp.element import Element, Limits, Malformed, as_xml
from ml_connector.systems.transport.nettcp.encoder import ADDRESSING, INSTANCE, SOAP, encode
from ml_connector.systems.transport.nettcp.envelope import request
from ml_connector.systems.transport.nettcp.strings import STATIC

A = b"\x40\x01a"
"""<a>"""
END = b"\x01"


def read(document: bytes, *words: str, **limits: Any) -> Element:
    return decode(Cursor(document), words, Limits(**limits))


def refused(document: bytes, *words: str, **limits: Any) -> str:
    with pytest.raises(Malformed) as raised:
        read(document, *words, **limits)
    return str(raised.value)


# --- the published encoding


def test_the_static_dictionary_has_the_published_numbers() -> None:
    assert len(STATIC) == 487
    published = {
        0x00: "mustUnderstand",
        0x02: "Envelope",
        0x04: SOAP,
        0x06: ADDRESSING,
        0x08: "Header",
        0x0A: "Action",
        0x0E: "Body",
        0x12: "RelatesTo",
        0x14: f"{ADDRESSING}/anonymous",
        0x1A: "MessageID",
        0x2C: "ReplyTo",
        0x86: "Fault",
        0x8E: "Code",
        0x90: "Reason",
        0x92: "Text",
        0x98: "Detail",
        0x9A: "Value",
        0x9C: "Subcode",
        0x372: INSTANCE,
        0x376: "nil",
        0x3CC: "detail",
    }
    assert {number: STATIC[number >> 1] for number in published} == published


def test_a_request_has_the_bytes_that_the_facts_give() -> None:
    message_id = UUID("00112233-4455-6677-8899-aabbccddeeff")
    to = "net.tcp://erp:31001/SYSPROWCFService"
    service = "http://SYSPROWcfService"
    arguments = {"Operator": "ADMIN", "OperatorPassword": "pw", "CompanyId": "EDU1", "CompanyPassword": ""}
    parts = [Element(name, service, parts=[value]) for name, value in arguments.items()]
    sent = encode(request("Logon", to, message_id, Element("Logon", service, children=parts)))
    assert sent == (
        bytes.fromhex("5602 0b0173 04 0b0161 06 5608 440a 1e00 82 9905")
        + b"Logon"
        + bytes.fromhex("441a ad")
        + message_id.bytes_le
        + bytes.fromhex("442c 442a ab14 01 440c 1e00 82 9924")
        + to.encode()
        + bytes.fromhex("01 560e 4005")
        + b"Logon\x08\x17http://SYSPROWcfService"
        + b"\x40\x08Operator\x99\x05ADMIN\x40\x10OperatorPassword\x99\x02pw"
        + b"\x40\x09CompanyId\x99\x04EDU1\x40\x0fCompanyPassword\xa9"
        + bytes.fromhex("01 01 01")
    )
    assert len(sent) == 205


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        ("80", "0"),
        ("82", "1"),
        ("84", "false"),
        ("86", "true"),
        ("88 80", "-128"),
        ("8a ffff", "-1"),
        ("8c 00000080", "-2147483648"),
        ("8e ffffffffffffff7f", "9223372036854775807"),
        ("90 0000803f", "1"),
        ("90 0000807f", "INF"),
        ("90 cdcccc3d", "0.100000001"),
        ("92 000000000000f0ff", "-INF"),
        ("92 000000000000f87f", "NaN"),
        ("92 9a9999999999b93f", "0.1"),
        ("94 0000 02 80 00000000 da78020000000000", "-1620.10"),
        ("94 0000 00 00 ffffffff ffffffffffffffff", "79228162514264337593543950335"),
        ("96 0000000000000000", "0001-01-01T00:00:00"),
        ("98 03 c3a961", "éa"),
        ("9a 0200 c3a9", "é"),
        ("9c 02000000 c3a9", "é"),
        ("9e 02 6869", "aGk="),
        ("a0 0200 6869", "aGk="),
        ("a2 02000000 6869", "aGk="),
        ("a4 82 9801 78 a6", "1 x"),
        ("a8", ""),
        ("aa 8601", "Fault"),
        ("aa 03", "second"),
        ("ac 33221100554477668899aabbccddeeff", "urn:uuid:00112233-4455-6677-8899-aabbccddeeff"),
        ("ae 0000000000000000", "PT0S"),
        ("ae 80969800 00000000", "PT1S"),
        ("ae ffffffffffffff7f", "P10675199DT2H48M5.4775807S"),
        ("ae 0000000000000080", "-P10675199DT2H48M5.4775808S"),
        ("b0 33221100554477668899aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff"),
        ("b2 ffffffffffffffff", "18446744073709551615"),
        ("b4 01", "true"),
        ("b6 04 e900 6100", "éa"),
        ("b8 0200 e900", "é"),
        ("ba 02000000 e900", "é"),
        ("bc 12 000086", "s:Fault"),
    ],
)
def test_each_value_is_shown_as_xml_would(record: str, shown: str) -> None:
    raw = bytes.fromhex(record)
    found = read(A + raw + END, "first", "second")
    with_end = read(A + bytes([raw[0] | 1]) + raw[1:], "first", "second") if raw[0] != 0xA4 else found
    assert found.text == with_end.text == shown
    attribute = read(A + b"\x04\x01b" + raw + END, "first", "second")
    assert attribute.attributes == {("", "b"): shown}


def test_a_time_keeps_its_ticks_and_its_zone() -> None:
    ticks = 638_988_912_001_234_567
    assert read(A + b"\x97" + struct.pack("<Q", ticks)).text == "2025-11-16T12:00:00.1234567"
    assert read(A + b"\x97" + struct.pack("<Q", 1 << 62 | ticks)).text == "2025-11-16T12:00:00.1234567Z"
    assert "zone" in refused(A + b"\x97" + struct.pack("<Q", 2 << 62 | ticks))
    assert "9999" in refused(A + b"\x97" + struct.pack("<Q", 3_155_378_976_000_000_000))


def test_names_come_spelled_or_by_number_with_any_prefix_or_none() -> None:
    spaces = b"\x09\x01s\x01u\x0b\x01a\x06"
    document = b"\x41\x01s\x01r" + spaces
    for record in (b"\x41\x01s\x01e", b"\x43\x01a\x0e", b"\x44\x0e", b"\x70\x01e", b"\x40\x01e", b"\x42\x0e"):
        document += record + END
    found = read(document + END)
    assert [(child.namespace, child.name) for child in found.children] == [
        ("u", "e"),
        (ADDRESSING, "Body"),
        (ADDRESSING, "Body"),
        ("u", "e"),
        ("", "e"),
        ("", "Body"),
    ]


def test_attributes_come_spelled_or_by_number_and_the_default_namespace_is_not_theirs() -> None:
    document = (
        b"\x40\x01r\x04\x01p\x82\x08\x01d\x05\x01s\x01q\x80\x06\x0e\x84\x07\x01s\x00\x86\x0c\x02\x82\x38\x01z\x82"
        b"\x09\x01s\x01u\x09\x01a\x01w"
    )
    found = read(document + END)
    assert found.namespace == "d"
    assert found.attributes == {
        ("", "p"): "1",
        ("u", "q"): "0",
        ("", "Body"): "false",
        ("u", "mustUnderstand"): "true",
        ("w", "Envelope"): "1",
        ("u", "z"): "1",
    }


def test_a_namespace_holds_below_its_element_and_no_further() -> None:
    inner = read(b"\x40\x01r\x40\x01m\x08\x01d\x40\x01i\x08\x00\x01\x40\x01j\x01\x01\x40\x01k\x01\x01")
    assert [child.namespace for child in inner.children] == ["d", ""]
    assert [child.namespace for child in inner.children[0].children] == ["", "d"]


def test_pieces_of_text_are_joined_and_pieces_of_bytes_before_they_are_shown() -> None:
    found = read(A + b"\x98\x01x\x02\x04note\x98\x01y\x9e\x01h\x9e\x01i\x99\x01z")
    assert (found.text, found.content) == ("xyaGk=z", None)
    stream = read(A + b"\x9e\x02\xc3\xa9\x9e\x01\xe6\x9f\x02\xbc\xa2")
    assert stream.content == "é漢".encode()
    assert (read(A + b"\x01").content, read(A + b"\x9f\x00").content) == (None, b"")


def test_an_array_is_so_many_elements() -> None:
    found = read(b"\x40\x01r\x03\x40\x01n\x04\x01k\x82\x01\x8b\x03\x01\x00\x02\x00\xff\xff\x01")
    assert [(child.text, child.attributes) for child in found.children] == [
        ("1", {("", "k"): "1"}),
        ("2", {("", "k"): "1"}),
        ("-1", {("", "k"): "1"}),
    ]


def test_the_words_of_a_session_are_numbered_odd_over_all_its_messages() -> None:
    words = SessionWords(Limits())
    for block, document, wanted in (
        (b"\x08\x03one\x03two", b"\x42\x03\x01", "two"),
        (b"\x00", b"\x42\x01\x01", "one"),
        (b"\x06\x05three", b"\x42\x05\x01", "three"),
    ):
        message = Cursor(block + document)
        words.learn(message)
        assert decode(message, words.words).name == wanted
    assert "word 7" in refused(b"\x42\x07\x01", *words.words)


# --- the way out and back


known = st.integers(0, len(STATIC) - 1).map(STATIC.__getitem__)
names = st.one_of(
    known.filter(lambda word: word and ":" not in word),
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8),
)
spaces = st.sampled_from(["", SOAP, ADDRESSING, INSTANCE, "http://SYSPROWcfService", "urn:other"])
long = st.sampled_from([127, 128, 255, 256, 32_767, 32_768, 65_536]).map(
    lambda size: "é" * (size // 2) + "x" * (size % 2)
)
texts = st.one_of(st.text(max_size=40), known, long)
values = st.one_of(texts, st.binary(max_size=300))
attributes = st.dictionaries(st.tuples(st.sampled_from(["", SOAP, INSTANCE]), names), texts, max_size=3)
leaves = st.builds(Element, names, spaces, attributes, st.just([]), st.lists(values, max_size=3))
trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        Element, names, spaces, attributes, st.lists(inner, max_size=4), st.lists(values, max_size=2)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(trees)
def test_what_is_encoded_is_decoded_as_it_was(tree: Element) -> None:
    assert read(encode(tree)) == tree


@settings(deadline=None, max_examples=60)
@given(trees, st.data())
def test_every_beginning_of_a_document_is_refused(tree: Element, data: st.DataObject) -> None:
    document = encode(tree)
    cut = data.draw(st.integers(0, len(document) - 1))
    assert refused(document[:cut])
    assert refused(document + data.draw(st.binary(min_size=1, max_size=8).filter(lambda more: more[0] != 2)))


_opening = st.sampled_from([A, b"\x42\x0e", b"\x56\x02\x0b\x01s\x04", b"\x44\x0a", b"\x03", b"\x41\x01s\x01e"])
_inside = st.sampled_from([b"\x04\x01b", b"\x09\x01s\x01u", b"\x0b\x01a\x06", b"\x08\x00", b"\x1e\x00", b"\x82"])
_values = st.sampled_from([b"\x99\x01x", b"\x98\x02\xff\xff", b"\xa4", b"\xa6", b"\xab\x03", b"\xbd\x12\x00\x00\x86"])
_records = st.one_of(_opening, _inside, _values, st.just(END), st.binary(max_size=6))


@settings(deadline=None, max_examples=400)
@given(st.one_of(st.binary(max_size=400), st.lists(_records, max_size=40).map(b"".join)))
@example(b"")
@example(b"\x03\x40\x01n\x01\x8b\x00")
@example(A + b"\x9d\xff\xff\xff\x7f")
@example(A + b"\x9d\xff\xff\xff\xff")
@example(b"\x40\xff\xff\xff\xff\xff")
def test_whatever_arrives_is_a_whole_document_or_refused(data: bytes) -> None:
    try:
        found = read(data, "first", depth=8, nodes=100, records=200)
    except Malformed as broken:
        assert str(broken)
    else:
        assert found.name is not None and read(data, "first") == found


@settings(deadline=None, max_examples=300)
@given(trees, st.data())
def test_a_damaged_document_is_a_whole_document_or_refused(tree: Element, data: st.DataObject) -> None:
    document = bytearray(encode(tree))
    for _ in range(data.draw(st.integers(1, 4))):
        document[data.draw(st.integers(0, len(document) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(document))
    except Malformed:
        return
    assert isinstance(as_xml(found), bytes)


@pytest.mark.parametrize(
    "document",
    [
        END,
        b"\x99\x01x",
        b"\x02\x01x",
        b"\x04\x01b\x82",
        A + b"\x98\x01x\x04\x01b\x82\x01",
        A + b"\x04\x01b\x01",
        A + b"\x04\x01b\x83\x01",
        A + b"\x04\x01b\x82\x04\x01b\x80\x01",
        A + b"\x09\x01s\x01u\x09\x01s\x01v\x01",
        A + b"\x09\x03xml\x01u\x01",
        A + b"\x09\x01s\x00\x01",
        b"\x5e\x01e\x01",
        A + b"\x05\x01s\x01b\x82\x01",
        A + b"\xa6\x01",
        A + b"\xa4\xa4\xa6\xa6\x01",
        A + b"\xa4\x83\xa6\x01",
        A + b"\x78\x01",
        A + b"\x00\x01",
        A + b"\xbe\x01",
        A + b"\xb4\x02\x01",
        A + b"\xbc\x1a\x00\x00\x86\x01",
        A + b"\xb6\x03abc\x01",
        A + b"\xb6\x02\x00\xd8\x01",
        A + b"\x98\x01\xff\x01",
        A + b"\x94\x00\x00\x1d\x00" + bytes(12) + END,
        A + b"\x42\xce\x07\x01\x01",
        A + b"\x03\x40\x01n\x99\x01x\x8b\x00\x01",
        A + b"\x03\x40\x01n\x01\x99\x01\x01x\x01",
        b"\x03\x40\x01n\x01\x8b\x01\x01\x00",
        A + END + A + END,
        A + END + END,
        b"\x40\x80\x80\x80\x80\x80\x01a\x01",
        b"\x40\x80\x80\x80\x80\x08a\x01",
    ],
)
def test_what_no_sender_may_write_is_refused(document: bytes) -> None:
    assert refused(document)


@given(st.integers(0, 0x7FFF_FFFF))
@settings(deadline=None)
def test_a_size_is_read_as_it_was_written(value: int) -> None:
    written = write_size(value)
    assert read_size(iter(written).__next__) == value
    assert len(written) == max(1, -(-value.bit_length() // 7))


# --- bounds


def test_a_document_may_be_as_deep_as_the_limit_and_no_deeper() -> None:
    assert read(A * 64 + END * 64).name == "a"
    assert "64 deep" in refused(A * 65 + END * 65)
    assert "64 deep" in refused(A * 5_000_000)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (A + (A + END) * 20_000 + END, "elements"),
        (A + b"".join(b"\x04\x03%03d\x82" % number for number in range(999)) * 11 + END, "elements"),
        (A + b"\x03\x40\x01n\x01\xb5\xff\xff\xff\x07" + b"\x01" * 1_000_000, "elements"),
        (A + b"\xa8" * 1_000_000 + END, "records"),
        (A + b"\xa4" + b"\xa8" * 1_000_000 + b"\xa6" + END, "records"),
        (A + b"\x02\x00" * 1_000_000 + END, "records"),
    ],
)
def test_a_document_of_many_small_things_is_refused_in_time_and_memory(document: bytes, said: str) -> None:
    started = time.process_time()
    tracemalloc.start()
    try:
        assert said in refused(document, records=30_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 1024 * 1024
    assert time.process_time() - started < 5


def test_a_word_that_is_named_often_is_counted_each_time() -> None:
    word = "x" * 60_000
    assert len(read(A + b"\xaa\x01" * 10 + END, word).text) == 600_000
    assert "characters" in refused(A + b"\xaa\x01" * 2_000 + END, word)
    assert "characters" in refused(A + b"\x04\x01b\xa4" + b"\xaa\x01" * 2_000 + b"\xa6" + END, word)


def test_a_session_may_announce_as_many_words_as_the_limit_and_no_more() -> None:
    words = SessionWords(Limits(words=10))
    words.learn(Cursor(b"\x06\x05three"))
    with pytest.raises(Malformed, match="more words"):
        words.learn(Cursor(b"\x05\x04four"))
    for block in (b"\x05\x03one", b"\x03\x03one", b"\x04\x04one", b"\x02\x01\xff"):
        with pytest.raises(Malformed):
            SessionWords(Limits()).learn(Cursor(block))


def test_a_text_longer_than_the_limit_is_refused() -> None:
    assert read(A + b"\x99\x0a" + b"x" * 10, size=10).text == "x" * 10
    assert "10 characters" in refused(A + b"\x99\x0b" + b"x" * 11, size=10)


def test_people_see_it_as_xml_without_what_xml_cannot_hold() -> None:
    shown = as_xml(read(b"\x40\x01r\x08\x01u\x40\x01i\x99\x05<&\x00\x08>\x01"))
    assert shown == b'<r xmlns="u"><i>&lt;&amp;&gt;</i></r>'
