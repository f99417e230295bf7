"""What commands say: sentences and tables for people, JSON lines for programs, progress on a terminal."""

import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

# What a terminal would obey, or hide: controls but tab and newline, halves of pairs, what separates lines,
# turns the direction of writing or takes no place. The joiners (U+200C, U+200D) stay: scripts need them.
_OBEYED = (
    *(*range(9), *range(11, 32), *range(127, 160), 0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F),
    *(*range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC)),
    *(*range(0xD800, 0xE000), *range(0xE0000, 0xE0080)),
)
_SHOWN = dict.fromkeys(_OBEYED, "\ufffd")
_IN_JSON = {
    code: f"\\u{code:04x}" if code < 0x10000 else json.dumps(chr(code))[1:-1] for code in _OBEYED if code > 31
}


class Progress(Protocol):
    """What a long job tells about itself; libraries take one and never print."""

    def update(self, done: int, total: int | None = None) -> None:
        """``done`` of ``total`` (None: not known yet)."""
        ...


class Quiet:
    """A Progress that shows nothing."""

    def update(self, done: int, total: int | None = None) -> None:
        """Ignore the news."""


def plain(text: str) -> str:
    """``text`` without what a terminal would obey: some of it comes from kiosks."""
    return text.replace("\r\n", "\n").translate(_SHOWN)


def json_line(value: object, *, ascii_only: bool = False) -> str:
    """``value`` as one line of JSON; a terminal obeys nothing in it, and a program reads what was meant."""
    return json.dumps(jsonable(value), ensure_ascii=ascii_only).translate(_IN_JSON)


def jsonable(value: object) -> Any:
    """``value`` as JSON can carry it: bytes as hex, keys as text, sequences as lists."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, Mapping):
        return {
            bytes(k).hex() if isinstance(k, bytes) else str(k): jsonable(v)
            for k, v in value.items()  # pyright: ignore[reportUnknownVariableType] -- any mapping
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(item) for item in value]  # pyright: ignore[reportUnknownVariableType] -- any items
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


class Ui:
    """One command's voice.

    With ``as_json`` only JSON lines go to stdout; otherwise sentences. News about the work (progress,
    warnings) go to stderr, so that stdout stays what was asked for.
    """

    def __init__(
        self, *, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.as_json = as_json
        self._out = out
        self._err = err

    @property
    def out(self) -> TextIO:
        """Where answers go."""
        return self._out if self._out is not None else sys.stdout

    @property
    def err(self) -> TextIO:
        """Where warnings and progress go."""
        return self._err if self._err is not None else sys.stderr

    def say(self, text: str) -> None:
        """A sentence for a person; silent in JSON mode."""
        if not self.as_json:
            print(plain(text), file=self.out, flush=True)

    def data(self, value: object) -> None:
        """A JSON line for a program; silent otherwise."""
        if self.as_json:
            # escapes where the terminal or pipe cannot carry the letters themselves
            plain = (getattr(self.out, "encoding", None) or "utf-8").lower() not in ("utf-8", "utf8")
            print(json_line(value, ascii_only=plain), file=self.out, flush=True)

    def answer(self, value: object, text: str) -> None:
        """The same answer twice: ``value`` for programs, ``text`` for people."""
        self.data(value)
        self.say(text)

    def warn(self, text: str) -> None:
        """A sentence on stderr, in both modes."""
        print(plain(text), file=self.err, flush=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Columns as wide as they need to be, each row one line; silent in JSON mode."""
        if self.as_json:
            return
        cells = [[str(c) for c in columns]] + [
            ["–" if cell is None else " ".join(str(cell).split()) for cell in row] for row in rows
        ]
        widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
        for row in cells:
            self.say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    @contextmanager
    def progress(self, label: str) -> Generator[Progress]:
        """A bar on stderr while the block runs, if a person is watching; nothing otherwise."""
        if self.as_json or not self.err.isatty():
            yield Quiet()
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bars(*columns, console=Console(file=self.err), transient=True, auto_refresh=False) as bars:
            task = bars.add_task(label, total=None)

            class _Bar:
                def update(self, done: int, total: int | None = None) -> None:
                    bars.update(task, completed=done, total=total, refresh=True)

            yield _Bar()
