"""The records of binary XML as the stand-ins' net.tcp reads and writes them, byte by byte."""

import struct
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_connector.sandbox.nettcp.errors import Malformed
from ml_connector.sandbox.nettcp.reader import QuotaExceeded, Quotas, Reader
from ml_connector.sandbox.nettcp.strings import FIXED, ReceivedStrings, SentStrings
from ml_connector.sandbox.nettcp.texts import Cursor
from ml_connector.sandbox.nettcp.writer import Writer, size

ID = uuid.UUID("01020304-0506-0708-090a-0b0c0d0e0f10")


def read(data, quotas=Quotas(), strings=None):  # noqa: B008
    """The root of a document."""
    return Reader(Cursor(data), strings or ReceivedStrings(), quotas).document()


def inside(record):
    """<x>, the record, </x>."""
    return b"\x40\x01x" + record + b"\x01"


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ("80", "0"),
        ("82", "1"),
        ("84", "false"),
        ("86", "true"),
        ("88 ff", "-1"),
        ("8a 00 80", "-32768"),
        ("8c 40 e2 01 00", "123456"),
        ("8e 00 00 00 00 00 00 00 80", "-9223372036854775808"),
        ("90 cd cc 8c 3f", "1.10000002"),
        ("90 00 00 80 ff", "-INF"),
        ("92 9a 99 99 99 99 99 f1 3f", "1.1"),
        ("94 00 00 02 80 00 00 00 00 39 30 00 00 00 00 00 00", "-123.45"),
        ("94 00 00 00 00 ff ff ff ff ff ff ff ff ff ff ff ff", "79228162514264337593543950335"),
        ("96 00 80 b5 f7 f5 7f 9f 48", "1970-01-01T00:00:00Z"),
        ("96 01 80 b5 f7 f5 7f 9f 08", "1970-01-01T00:00:00.0000001"),
        ("98 02 c3 a9", "é"),
        ("9a 01 00 41", "A"),
        ("9c 03 00 00 00 e2 82 ac", "€"),
        ("9e 03 01 02 03", "AQID"),
        ("a0 01 00 ff", "/w=="),
        ("a2 00 00 00 00", ""),
        ("a4 88 01 98 01 62 a6", "1 b"),
        ("a8", ""),
        ("aa 02", "Envelope"),
        ("ac 04 03 02 01 06 05 08 07 09 0a 0b 0c 0d 0e 0f 10", f"urn:uuid:{ID}"),
        ("ae 80 96 98 00 00 00 00 00", "P0DT1S"),
        ("b0 04 03 02 01 06 05 08 07 09 0a 0b 0c 0d 0e 0f 10", str(ID)),
        ("b2 ff ff ff ff ff ff ff ff", "18446744073709551615"),
        ("b4 01", "true"),
        ("b6 02 ac 20", "€"),
        ("b8 04 00 3d d8 00 de", "😀"),
        ("ba 00 00 00 00", ""),
        ("bc 12 00 00 86", "s:Fault"),
    ],
)
def test_a_text_record_means_its_text_with_and_without_the_end_of_its_element(record, text):
    data = bytes.fromhex(record)
    assert read(inside(data)).text == text
    assert read(b"\x40\x01x" + bytes((data[0] + 1,)) + data[1:]).text == text


def test_pieces_of_a_text_are_one_text_and_pieces_of_bytes_one_run_of_bytes():
    assert read(inside(bytes.fromhex("98 01 61 9a 01 00 62 a8 98 01 63"))).text == "abc"
    assert read(inside(bytes.fromhex("9e 02 01 02 9e 02 03 04 9e 01 05"))).text == "AQIDBAU="
    assert read(inside(bytes.fromhex("9e 01 01 98 01 3d 9e 01 02"))).text == "AQ===Ag=="


@pytest.mark.parametrize(
    ("start", "namespace", "name"),
    [
        (b"\x40\x01n", "", "n"),
        (b"\x40\x01n\x08\x03urn", "urn", "n"),
        (b"\x41\x02pq\x01n\x09\x02pq\x03urn", "urn", "n"),
        (b"\x42\x02\x0a\x04", FIXED[4], "Envelope"),
        (b"\x43\x02pq\x08\x0b\x02pq\x06", FIXED[6], "Header"),
        (b"\x44\x0a\x09\x01a\x03urn", "urn", "Action"),
        (b"\x5d\x0a\x09\x01z\x03urn", "urn", "Action"),
        (b"\x5e\x01n\x09\x01a\x03urn", "urn", "n"),
        (b"\x77\x01n\x0b\x01z\x04", FIXED[4], "n"),
    ],
)
def test_an_element_is_named_in_each_of_the_ways(start, namespace, name):
    element = read(start + b"\x01")
    assert (element.namespace, element.name) == (namespace, name)


@pytest.mark.parametrize(
    ("attribute", "key"),
    [
        (b"\x04\x01n", ("", "n")),
        (b"\x05\x02pq\x01n", ("urn:p", "n")),
        (b"\x06\x0a", ("", "Action")),
        (b"\x07\x02pq\x0a", ("urn:p", "Action")),
        (b"\x0c\x0a", ("urn:a", "Action")),
        (b"\x25\x0a", ("urn:z", "Action")),
        (b"\x26\x01n", ("urn:a", "n")),
        (b"\x3f\x01n", ("urn:z", "n")),
        (b"\x05\x03xml\x04lang", ("http://www.w3.org/XML/1998/namespace", "lang")),
    ],
)
def test_an_attribute_is_named_in_each_of_the_ways_before_its_prefix_is_declared(attribute, key):
    declared = b"\x09\x02pq\x05urn:p\x09\x01a\x05urn:a\x09\x01z\x05urn:z"
    element = read(b"\x40\x01x\x08\x03urn" + attribute + b"\x98\x01v" + declared + b"\x01")
    assert element.attributes == {key: "v"}


def test_a_namespace_holds_for_what_is_inside_until_another_is_declared():
    root = read(b"\x40\x01x\x08\x03urn\x40\x01y\x01\x40\x01z\x08\x00\x40\x01w\x01\x01\x40\x01v\x01\x01")
    assert [(child.name, child.namespace) for child in root.children] == [("y", "urn"), ("z", ""), ("v", "urn")]
    assert root.children[1].children[0].namespace == ""


def test_an_array_is_its_element_once_for_each_value():
    root = read(inside(b"\x03\x40\x01n\x08\x03urn\x01\x8b\x03\x01\x00\x02\x00\xff\xff\x40\x01m\x01"))
    assert [(child.name, child.namespace, child.text) for child in root.children] == [
        ("n", "urn", "1"),
        ("n", "urn", "2"),
        ("n", "urn", "-1"),
        ("m", "", ""),
    ]


def test_a_comment_is_passed_over():
    assert read(inside(b"\x02\x05hello\x98\x01a\x02\x00\x98\x01b")).text == "ab"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x98\x01a",
        b"\x40\x01x",
        b"\x40\x05x",
        b"\x40\x01x\x01\x01",
        inside(b"\x98\x05ab"),
        inside(b"\x9c\xff\xff\xff\xffab"),
        inside(b"\x98\x01\xff"),
        inside(b"\xb6\x01a"),
        inside(b"\xb6\x02\x00\xd8"),
        inside(b"\xb4\x02"),
        inside(b"\x94" + bytes((0, 0, 29, 0)) + bytes(12)),
        inside(b"\x94" + bytes((0, 0, 2, 1)) + bytes(12)),
        inside(b"\x96" + b"\xff" * 8),
        inside(b"\xaa\x01"),
        inside(b"\xaa\xff\xff\x01"),
        inside(b"\xaa\xff\xff\xff\xff\xff\xff"),
        inside(b"\xa4\x88\x01"),
        inside(b"\xa4\xa4\xa6\xa6"),
        inside(b"\x03\x40\x01n\x01\x8a\x01\x01\x00"),
        inside(b"\x03\x98\x01n\x01\x8b\x01\x01\x00"),
        inside(b"\xbe"),
        inside(b"\xff"),
        inside(b"\x5e\x01n\x01"),
        b"\x40\x01x\x04\x01n\x99\x01v\x01",
        b"\x40\x01x\x04\x01n\x98\x01v\x04\x01n\x98\x01w\x01",
        b"\x40\x01x\x09\x01p\x01a\x09\x01p\x01b\x01",
    ],
)
def test_what_is_no_document_is_refused(data):
    with pytest.raises(Malformed):
        read(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_bytes_of_any_kind_are_read_or_refused_but_nothing_else(data, begun):
    try:
        read(b"\x40\x01x" + data if begun else data, Quotas(depth=32, text=100))
    except (Malformed, QuotaExceeded):
        return


def test_the_quotas_hold_to_the_character_and_the_element():
    nested = b"\x40\x01x" * 3 + b"\x01" * 3
    assert read(nested, Quotas(depth=3)).name == "x"
    with pytest.raises(QuotaExceeded) as exceeded:
        read(nested, Quotas(depth=2))
    assert exceeded.value.root.children[0].name == "x"
    assert read(inside(b"\x98\x04" + "éé".encode()), Quotas(text=2)).text == "éé"
    with pytest.raises(QuotaExceeded):
        read(inside(b"\x98\x02ab\x98\x01c"), Quotas(text=2))
    with pytest.raises(QuotaExceeded):
        read(inside(b"\x03\x40\x01n\x01\x81" + size(1 << 30)))


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=400), st.binary(max_size=2000))
def test_what_is_written_is_read_again(text, content):
    writer = Writer()
    writer.start("", "root")
    writer.declare("", "urn:mine")
    writer.declare("s", FIXED[4])
    writer.leaf("s", "Fault", text)
    writer.leaf("", "Result", text)
    writer.start("", "Stream")
    writer.close_with_stream(content)
    writer.start("", "Id")
    writer.close_with_id(f"urn:uuid:{ID}")
    writer.end()
    root = read(bytes(writer.data), Quotas(text=10_000))
    assert [(child.namespace, child.name) for child in root.children] == [
        (FIXED[4], "Fault"),
        ("urn:mine", "Result"),
        ("urn:mine", "Stream"),
        ("urn:mine", "Id"),
    ]
    assert [child.text for child in root.children[:2]] == [text, text]
    assert b"".join(piece for piece in root.children[2].content if isinstance(piece, bytes)) == content
    assert root.children[3].text == f"urn:uuid:{ID}"


def test_a_stream_is_written_in_records_of_255_bytes_of_which_the_last_ends_the_element():
    for length in (0, 1, 254, 255, 256, 510, 511):
        writer = Writer()
        writer.close_with_stream(bytes(length))
        data, lengths = bytes(writer.data), []
        while data:
            lengths.append((data[0], data[1]))
            data = data[2 + data[1] :]
        assert [code for code, _ in lengths] == [0x9E] * (len(lengths) - 1) + [0x9F]
        assert sum(count for _, count in lengths) == length
        assert all(count == 255 for _, count in lengths[:-1])


@pytest.mark.parametrize(
    ("length", "begin", "end"),
    [
        (0, b"\xa9", b"\xa9"),
        (1, b"\x99\x01", b"x"),
        (169, b"\x99\xa9", b"x"),
        (170, b"\x98\xaa", b"x\x01"),
        (256, b"\x9a\x00\x01", b"x\x01"),
        (65_536, b"\x9c\x00\x00\x01\x00", b"x\x01"),
    ],
)
def test_a_text_is_written_in_the_narrowest_record(length, begin, end):
    writer = Writer()
    writer.close_with("x" * length)
    assert writer.data.startswith(begin)
    assert writer.data.endswith(end)


def test_a_session_gives_each_string_an_odd_number_while_there_is_room():
    strings = SentStrings()
    assert [strings.number(text) for text in ("a", "b", "a", "c")] == [1, 3, 1, 5]
    assert strings.news == [b"a", b"b", b"c"]
    assert strings.number("x" * 2046) is None
    assert strings.number("y" * 2045) == 7
    assert strings.number("d") is None
    assert strings.number("b") == 3


@pytest.mark.parametrize(
    ("number", "coded"), [(0, "00"), (127, "7f"), (128, "80 01"), (206, "ce 01"), (2**31 - 1, "ff ff ff ff 07")]
)
def test_a_size_takes_seven_bits_to_a_byte(number, coded):  # fmt: skip
    assert size(number) == bytes.fromhex(coded)
    assert Cursor(bytes.fromhex(coded)).size() == number


def test_the_fixed_strings_have_the_numbers_of_the_published_table():
    known = {0x86: "Fault", 0x8E: "Code", 0x90: "Reason", 0x92: "Text", 0x98: "Detail", 0x9A: "Value", 0x9C: "Subcode"}
    known |= {0x1A: "MessageID", 0x2C: "ReplyTo", 0x372: "http://www.w3.org/2001/XMLSchema-instance", 0x376: "nil"}
    assert known.items() <= FIXED.items()
    assert struct.unpack("<B", b"\x14")[0] == next(n for n, text in FIXED.items() if text.endswith("/anonymous"))
