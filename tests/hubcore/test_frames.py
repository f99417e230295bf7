"""Frames: what goes in comes out, and rubbish costs at most the frame it touches."""

from binascii import crc32

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


@pytest.mark.parametrize("n", [*range(245, 257), *range(500, 512), frames.MAX_PAYLOAD])
@pytest.mark.parametrize("byte", [b"\x07", b"\0"])
def test_lengths_around_a_full_block(n, byte):
    for payload in (byte * n, byte * (n - 1) + b"\0", b"\0" + byte * (n - 1)):
        frame = frames.encode(payload)
        assert unstuff(frame[:-1])[:-4] == payload and frame.endswith(b"\0")
        assert frames.Decoder().feed(frame) == [payload]


def test_a_frame_that_ends_early_or_says_so_is_dropped():
    frame = frames.encode(b"well")
    for bad in (frame[:-2] + b"\0", b"\x01\0", b"\x05abcd\0", b"\x09\0", b"\xff\0", frame[:5] + b"\xf0\0"):
        decoder = frames.Decoder()
        assert decoder.feed(bad) == [] and decoder.dropped == 1
        assert decoder.feed(frame) == [b"well"] and decoder.dropped == 1


def test_a_payload_of_one_byte_and_of_all_that_a_receiver_takes():
    decoder = frames.Decoder(300)
    for payload in (b"a", b"\0", b"x" * 300, bytes(300)):
        assert decoder.feed(frames.encode(payload)) == [payload]
    for payload in (b"x" * 301, bytes(301)):
        assert decoder.feed(frames.encode(payload)) == []
    assert decoder.dropped == 2
    empty = b"\x01\x01\x01\x01\x01\0"  # no payload and its CRC, which is zero
    assert decoder.feed(empty) == [] and decoder.dropped == 3


def test_a_frame_carries_a_kibibyte():
    assert frames.MAX_PAYLOAD == 1024, "docs/formats.md, the link"


def test_a_sender_takes_no_more_than_the_receiver():
    assert frames.encode(b"x" * 10, 10)
    for payload in (b"", b"x" * 11):
        with pytest.raises(FrameError, match="a frame carries 1 to 10 bytes"):
            frames.encode(payload, 10)


def test_a_receiver_takes_all_kinds_of_bytes():
    frame = frames.encode(b"well")
    for data in (frame, bytearray(frame), memoryview(frame), list(frame)):
        assert frames.Decoder().feed(data) == [b"well"]


def test_a_frame_whose_last_byte_is_zero():
    """One in 256: the CRC, which comes last, ends with it."""
    payloads = [n.to_bytes(length, "little") for length in (2, 300) for n in range(2000)]
    payloads = [payload for payload in payloads if crc32(payload) >> 24 == 0]
    assert len(payloads) > 5 and {len(payload) for payload in payloads} == {2, 300}
    for payload in payloads:
        frame = frames.encode(payload)
        assert frame[-2:] == b"\x01\0" and unstuff(frame[:-1])[:-4] == payload
        assert frames.Decoder().feed(frame) == [payload]
        room = memoryview(bytearray(b"\xee" * (frames.ROOM + len(payload) + 4)))
        room[frames.ROOM : -4] = payload
        n = frames.encode_in(room, frames.ROOM, len(payload))
        assert room[:n] == frame
