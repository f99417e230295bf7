"""Newlines, marks and prompts in the console's output, however it is cut into pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smilehub.sim.terminal import BINARY_MARK, RAW_BANNER, REPL_MARK, Terminal

FRIENDLY = b'MicroPython v1 on today; linux version\r\nType "help()" for more information.\r\n>>> '


def binary(data: bytes) -> bytes:
    return BINARY_MARK + len(data).to_bytes(2, "little") + data


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces: list[bytes] = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


def shown(terminal: Terminal, pieces: list[bytes]) -> bytes:
    return b"".join(terminal.feed(piece) for piece in pieces) + terminal.flush()


def started(*, raw: bool = False) -> Terminal:
    terminal = Terminal()
    terminal.start(raw=raw)
    return terminal


parts = st.lists(
    st.one_of(
        st.tuples(st.just("text"), st.text(st.sampled_from("a\r\né"), max_size=8)),
        st.tuples(st.just("binary"), st.binary(max_size=40)),
    ),
    max_size=8,
)


@given(parts=parts, sizes=st.lists(st.integers(0, 9), max_size=20))
def test_text_gets_line_ends_and_binary_stays_as_it_is(
    parts: list[tuple[str, str | bytes]], sizes: list[int]
) -> None:
    stream, want, last = b"", b"", 0
    for kind, value in parts:
        if kind == "binary":
            assert isinstance(value, bytes)
            stream += binary(value)
            want += value
            last = value[-1] if value else last
        else:
            assert isinstance(value, str)
            stream += value.encode()
            for byte in value.encode():
                want += b"\r\n" if byte == 10 and last != 13 else bytes([byte])
                last = byte
    assert shown(started(), cut(stream, sizes)) == want


@given(data=st.binary(max_size=200), sizes=st.lists(st.integers(0, 30), max_size=10))
def test_any_bytes_pass_whole_or_cut(data: bytes, sizes: list[int]) -> None:
    whole = shown(started(), [data])
    assert shown(started(), cut(data, sizes)) == whole
    if b"\xff" not in data:
        assert whole.replace(b"\r\n", b"\n") == data.replace(b"\r\n", b"\n")


@given(sizes=st.lists(st.integers(1, 12), max_size=30))
def test_raw_start_shows_boot_and_then_only_the_raw_prompt(sizes: list[int]) -> None:
    terminal = started(raw=True)
    stream = b"boot\n" + REPL_MARK + FRIENDLY + b"\r\n" + RAW_BANNER + b">"
    assert shown(terminal, cut(stream, sizes)) == b"boot\r\n" + RAW_BANNER + b">"
    assert terminal.raw
    assert not terminal.entering_raw


def test_the_mode_follows_what_was_typed_and_shown() -> None:
    terminal = started()
    terminal.feed(REPL_MARK + FRIENDLY)
    assert terminal.prompted
    # A program that prints the banner changes nothing.
    terminal.feed(RAW_BANNER)
    assert not terminal.raw
    terminal.typed(b"\r\x01")
    terminal.feed(b"\r\nraw REPL; CTRL-B")
    assert not terminal.raw
    terminal.feed(b" to exit\r\n>")
    assert terminal.raw
    terminal.feed(b"\r\n" + FRIENDLY)
    assert terminal.raw
    terminal.typed(b"\r\x02")
    terminal.feed(b"\r\n" + FRIENDLY)
    assert not terminal.raw


def test_half_a_mark_is_text_when_nothing_follows() -> None:
    terminal = started()
    assert terminal.feed(b"a" + REPL_MARK[:3]) == b"a"
    assert terminal.flush() == REPL_MARK[:3]
    assert not terminal.prompted
