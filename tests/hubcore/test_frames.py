"""Frames: what goes in comes out, and rubbish costs at most the frame it touches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubcore import frames
from hubcore.errors import FrameError

PAYLOADS = st.one_of(
    st.binary(min_size=1, max_size=frames.MAX_PAYLOAD),
    st.integers(1, frames.MAX_PAYLOAD).map(bytes),
    st.integers(1, frames.MAX_PAYLOAD).map(lambda n: b"\x07" * n),
)


def unstuff(frame):
    """COBS by its definition, byte by byte."""
    out = bytearray()
    at = 0
    while at < len(frame):
        code = frame[at]
        out += frame[at + 1 : at + code]
        at += code
        if code < 255 and at < len(frame):
            out.append(0)
    return bytes(out)


@given(PAYLOADS)
def test_a_frame_has_one_zero_and_little_overhead(payload):
    frame = frames.encode(payload)
    assert frame.find(0) == len(frame) - 1
    assert unstuff(frame[:-1])[:-4] == payload
    assert len(frame) <= len(payload) + 4 + (len(payload) + 4) // 254 + 2
    assert frames.Decoder().feed(frame) == [payload]


@given(st.lists(PAYLOADS, max_size=4), st.data())
def test_cuts_between_reads_do_not_matter(payloads, data):
    stream = b"".join(map(frames.encode, payloads))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    decoder = frames.Decoder()
    got = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += decoder.feed(memoryview(stream)[start:end])
    assert got == payloads
    assert decoder.dropped == 0


@given(st.binary(max_size=3000), st.lists(PAYLOADS, min_size=2, max_size=3))
def test_after_rubbish_at_most_one_frame_is_lost(rubbish, payloads):
    decoder = frames.Decoder()
    decoder.feed(rubbish)
    assert decoder.feed(b"".join(map(frames.encode, payloads)))[-len(payloads) + 1 :] == payloads[1:]
    decoder.feed(rubbish + b"\0")
    assert decoder.feed(frames.encode(payloads[0])) == payloads[:1]


@given(PAYLOADS, st.data())
def test_a_changed_byte_drops_the_frame(payload, data):
    frame = bytearray(frames.encode(payload))
    at = data.draw(st.integers(0, len(frame) - 2))
    frame[at] ^= data.draw(st.integers(1, 255))
    decoder = frames.Decoder()
    assert decoder.feed(frame) == []
    assert decoder.dropped >= 1 or not any(frame[:-1])


def test_an_endless_frame_uses_no_more_memory_and_counts_once():
    decoder = frames.Decoder(64)
    for _ in range(100):
        assert decoder.feed(b"\x05" * 100) == []
    assert decoder.feed(b"\0" + frames.encode(b"well")) == [b"well"]
    assert decoder.dropped == 1


def test_zeros_between_frames_are_nothing():
    decoder = frames.Decoder()
    assert decoder.feed(b"\0\0" + frames.encode(b"a") + b"\0\0\0") == [b"a"]
    assert decoder.dropped == 0


def test_a_payload_longer_than_the_receiver_takes_is_dropped():
    decoder = frames.Decoder(10)
    assert decoder.feed(frames.encode(b"x" * 11) + frames.encode(b"y" * 10)) == [b"y" * 10]
    assert decoder.dropped == 1


@pytest.mark.parametrize("payload", [b"", bytes(frames.MAX_PAYLOAD + 1)])
def test_refuses_to_write_empty_and_oversized(payload):
    with pytest.raises(FrameError):
        frames.encode(payload)
