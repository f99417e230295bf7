"""The codec against cbor2, both ways, and against whatever bytes there are."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubcore import cbor
from hubcore.errors import CodecError

INTEGERS = st.one_of(
    st.integers(-(2**64), 2**64 - 1),
    st.integers(-300, 300),
    st.sampled_from(
        [edge + step for bits in (8, 16, 30, 31, 32, 62, 64) for edge in (2**bits,) for step in (-2, -1)]
    ),
)
KEYS = st.one_of(INTEGERS, st.text())
LEAVES = st.one_of(st.none(), st.booleans(), INTEGERS, st.binary(max_size=300), st.text(max_size=100))
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=25)


def sorted_maps(value):
    """Maps in the order of RFC 8949 4.2.1, which cbor2's canonical mode (RFC 7049) does not use."""
    if isinstance(value, dict):
        return {key: sorted_maps(value[key]) for key in sorted(value, key=cbor2.dumps)}
    return [sorted_maps(item) for item in value] if isinstance(value, list) else value


def depth(value):
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(VALUES.filter(lambda value: depth(value) <= 8))
def test_writes_and_reads_what_cbor2_does(value):
    data = cbor2.dumps(sorted_maps(value))
    assert cbor.dumps(value) == data
    for form in (data, bytearray(data), memoryview(data)):
        assert cbor.loads(form) == value
    assert cbor2.loads(cbor.dumps(value)) == value


@given(st.binary(max_size=80))
def test_any_bytes_are_a_value_or_a_codec_error(data):
    try:
        value = cbor.loads(data)
    except CodecError:
        return
    assert cbor.dumps(value) == data


@given(VALUES.filter(lambda value: depth(value) <= 8), st.data())
def test_changed_bytes_are_read_as_themselves_or_refused(value, data):
    raw = bytearray(cbor.dumps(value))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        assert cbor.dumps(cbor.loads(raw)) == raw
    except CodecError:
        pass
    for end in (at, len(raw) - 1):
        with pytest.raises(CodecError):
            cbor.loads(cbor.dumps(value)[:end])


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        object(),
        {1.5: 1},
        {None: 1},
        {True: 1},
        {b"a": 1},
        2**64,
        -(2**64) - 1,
        "\ud800",
        {"\ud800": 1},
        {1, 2},
    ],
)
def test_refuses_to_write_what_the_dialect_lacks(value):
    with pytest.raises(CodecError):
        cbor.dumps(value)


def test_nesting_ends_at_eight():
    value = 0
    for _ in range(8):
        value = [value]
    assert cbor.loads(cbor.dumps(value)) == value
    with pytest.raises(CodecError):
        cbor.dumps([value])
    with pytest.raises(CodecError):
        cbor.loads(b"\x81" * 9 + b"\x00")


def test_maps_nest_as_deep():
    value = {}
    for _ in range(7):
        value = {0: value}
    assert cbor.loads(cbor.dumps(value)) == value


def test_a_long_length_allocates_nothing():
    with pytest.raises(CodecError):
        cbor.loads(b"\x9a\x7f\xff\xff\xff")
    with pytest.raises(CodecError):
        cbor.loads(b"\x5b" + b"\x7f" * 8)


def test_writes_into_a_callers_buffer():
    buf = bytearray(2)
    end = cbor.dump_into(buf, 1, ["ab", 70000])
    assert cbor.loads(buf[1:end]) == ["ab", 70000]


LONE = "a text holds half a character"
LENGTHY = "a text is not in its shortest form"


@pytest.mark.parametrize(
    ("text", "size", "sentence"),
    [
        *(
            (text, len(text.encode()), None)
            for text in ("", "a", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff")
        ),
        *(
            (text, len(text.encode()), None)
            for text in ("\ue000", "\uffff", "\U00010000", "\U0010ffff", "a\u00e9")
        ),
        *(("\0", size, LENGTHY) for size in (2, 3)),
        *(("\x7f", size, LENGTHY) for size in (2, 3, 4)),
        ("\u07ff", 3, LENGTHY),
        ("\uffff", 4, LENGTHY),
        *((chr(code), 3, LONE) for code in (0xD800, 0xDBFF, 0xDC00, 0xDFFF)),
    ],
)
def test_what_a_lenient_interpreter_makes_of_utf8_is_looked_at(text, size, sentence):
    """CPython's own decoder refuses all of it; MicroPython's hands it on."""
    if sentence is None:
        cbor._check_text(text, size)
        return
    with pytest.raises(CodecError, match=sentence):
        cbor._check_text(text, size)


@pytest.mark.parametrize(
    "text", ["\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff\ue000", "\uffff\U00010000\U0010ffff"]
)
def test_texts_up_to_each_length_of_utf8(text):
    assert cbor.dumps(text) == cbor2.dumps(text)
    assert cbor.loads(cbor2.dumps(text)) == text


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "ends early"),
        (b"\x18", "ends early"),
        (b"\x19\x01", "ends early"),
        (b"\x1a\x01\x02\x03", "ends early"),
        (b"\x1a\x7f\x02\x03", "ends early"),
        (b"\x1b" + bytes(7), "ends early"),
        (b"\x1b\x01" + bytes(6), "ends early"),
        (b"\x82\x01", "a length reaches past the end"),
        (b"\x42a", "a length reaches past the end"),
        (b"\x61", "a length reaches past the end"),
        (b"\xa1\x01", "ends early"),
        (b"\x00\x00", "after the end"),
        (b"\x18\x17", "not in its shortest form"),
        (b"\x19\x00\xff", "not in its shortest form"),
        (b"\x1a\x00\x00\xff\xff", "not in its shortest form"),
        (b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff", "not in its shortest form"),
        (b"\x1c", "an indefinite or reserved length"),
        (b"\x1f", "an indefinite or reserved length"),
        (b"\xe0", "without a meaning"),
        (b"\xf3", "without a meaning"),
        (b"\xf7", "without a meaning"),
        (b"\xf8\x20", "without a meaning"),
        (b"\xfb" + bytes(8), "a float"),
        (b"\xc0\x00", "a tag"),
        (b"\xc1\x00", "a tag"),
        (b"\x61\xff", "not UTF-8"),
        (b"\xa1\xf4\x00", "neither integer nor text"),
        (b"\xa1\xf6\x00", "neither integer nor text"),
        (b"\xa1\x80\x00", "nested deeper"),
        (b"\xa2\x00\x01\x00\x01", "repeated or out of order"),
        (b"\xa2\x01\x01\x00\x01", "repeated or out of order"),
        (b"\xa2\x20\x01\x20\x01", "repeated or out of order"),
        (b"\xa2\x20\x01\x00\x01", "repeated or out of order"),
        (b"\xa2\x61a\x01\x20\x01", "repeated or out of order"),
        (b"\xa2\x61b\x01\x61a\x01", "repeated or out of order"),
        (b"\x81" * 8 + b"\x80", "nested deeper"),
        (b"\xa1\x00" * 8 + b"\xa0", "nested deeper"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(data, sentence):
    with pytest.raises(CodecError, match=sentence):
        cbor.loads(data)
    assert cbor._reader.buf == b"", "nothing is kept of it"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (1.5, "no CBOR form for float"),
        ({1, 2}, "no CBOR form for set"),
        ({True: 1}, "a map key is neither integer nor text"),
        ({1: 1, b"a": 1}, "a map key is neither integer nor text"),
        (2**64, "larger than 64 bits"),
        (-(2**64) - 1, "larger than 64 bits"),
        ("\ud800", LONE),
        ([[[[[[[[[]]]]]]]]], "nested deeper than 8"),
        ([[[[[[[[{}]]]]]]]], "nested deeper than 8"),
        ({0: {0: {0: {0: {0: {0: {0: {0: {}}}}}}}}}, "nested deeper than 8"),
    ],
)
def test_what_cannot_be_written_is_told_in_words(value, sentence):
    with pytest.raises(CodecError, match=sentence):
        cbor.dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        *(0, 23, 24, 255, 256, 65535, 65536, 2**30 - 1, 2**30, 2**32 - 1, 2**32, 2**64 - 1, -1, -(2**64)),
        *(None, True, False, "", "abc", b"x" * 300, "e" * 23, "e" * 24, b"x" * 95, b"x" * 96),
        *([0] * 23, [0] * 24, {0: None, 1: "a", 2**16: b"b"}, {-1: 0, "a": 1}, [[True] * 99, "z"]),
    ],
    ids=repr,
)
def test_a_callers_buffer_of_any_size_is_written_from_any_place(value):
    data = cbor2.dumps(sorted_maps(value))
    for place in (0, 1, 7):
        for size in {0, place, place + 1, place + 8, place + len(data) - 1, place + len(data), 200}:
            buf = bytearray(b"\xee" * size)
            end = cbor.dump_into(buf, place, value)
            assert end == place + len(data) and buf[place:end] == data
            assert buf[: min(size, place)] == b"\xee" * min(size, place)


def test_a_buffer_with_room_is_not_made_larger():
    buf = bytearray(9)
    for value in (5, 2**64 - 1, None, b"12345678"):
        cbor.dump_into(buf, 0, value)
        assert len(buf) == 9
    assert cbor.dump_into(buf, 8, True) == len(buf) == 9
    small = bytearray(8)
    cbor.dump_into(small, 0, b"a" * 1000)
    assert 1000 < len(small) <= 1300, "no more than is needed and a little"


def test_a_value_within_a_record_says_where_it_ends():
    data = b"\xff\x19\x01\x00\x63abc\xf5"
    assert cbor.load_from(data, 1) == (256, 4)
    assert cbor.load_from(data, 4) == ("abc", 8)
    assert cbor.load_from(data, 8) == (True, 9)
    assert cbor._reader.buf == b""
    with pytest.raises(IndexError):
        cbor.load_from(data, 9)


class Lenient(str):
    """A text as MicroPython has it: made of any bytes, and written as it came."""

    def __new__(cls, data, encoding="utf-8"):
        return super().__new__(
            cls, data if isinstance(data, str) else bytes(data).decode(encoding, "surrogatepass")
        )

    def encode(self, encoding="utf-8"):
        return super().encode(encoding, "surrogatepass")


def test_half_a_character_is_refused_where_the_interpreter_lets_it_through(monkeypatch):
    assert cbor.dumps(Lenient("\u00e9")) == b"\x62\xc3\xa9"
    with pytest.raises(CodecError, match=LONE):
        cbor.dumps(Lenient("a\ud800"))
    monkeypatch.setattr(cbor, "str", Lenient, raising=False)
    assert cbor.loads(b"\x62\xc3\xa9") == "\u00e9"
    with pytest.raises(CodecError, match=LONE):
        cbor.loads(b"\x64a\xed\xa0\x80")
