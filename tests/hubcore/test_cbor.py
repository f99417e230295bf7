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


def test_a_long_length_allocates_nothing():
    with pytest.raises(CodecError):
        cbor.loads(b"\x9a\x7f\xff\xff\xff")
    with pytest.raises(CodecError):
        cbor.loads(b"\x5b" + b"\x7f" * 8)


def test_writes_into_a_callers_buffer():
    buf = bytearray(2)
    end = cbor.dump_into(buf, 1, ["ab", 70000])
    assert cbor.loads(buf[1:end]) == ["ab", 70000]
