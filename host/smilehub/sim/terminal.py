"""What the console's output means: newlines, marks of the launcher and which prompt shows. No I/O.

The guest prints Unix lines; a board's REPL prints `\\r\\n`. Two marks, both impossible in UTF-8 text and in
the REPL's own protocol, let the launcher speak to the board inside the stream:

* `REPL_MARK`: written once, as the launcher's last act; what follows is the interpreter's prompt.
* `BINARY_MARK` + length (u16, little-endian) + that many bytes: written by the guest's `sys.stdout.buffer` in
  one piece, passed on as they are.
"""

from __future__ import annotations

REPL_MARK = b"\xff\xfeREPL"
BINARY_MARK = b"\xff\xfeDATA"
RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
FRIENDLY_BANNER = b"\nMicroPython "
SOFT_REBOOT = b"MPY: soft reboot\r\n"

_FIRST = REPL_MARK[0]
_MARK_LENGTH = len(REPL_MARK)  # both marks have this length
_HEADER = _MARK_LENGTH + 2


class Terminal:
    """The stream of one board's console, across the guests it starts.

    `raw`: the last prompt seen was the raw REPL's. `prompted`: the guest's launcher has finished.
    `entering_raw`: the guest was started for the raw REPL and has not shown its banner.
    """

    def __init__(self) -> None:
        self.raw = False
        self.prompted = False
        self._held = b""
        self._binary_left = 0
        self._last = 0
        self.entering_raw = False
        self._swallow = False
        self._swallowed = b""
        self._tail = b""
        self._expects = b""

    def start(self, *, raw: bool) -> None:
        """A new guest begins. With `raw`, nothing between the launcher's mark and the raw banner is shown."""
        self.raw = raw
        self.prompted = False
        self._held = b""
        self._binary_left = 0
        self._swallow = False
        self._swallowed = b""
        self._tail = b""
        self._expects = b""
        self.entering_raw = raw

    def typed(self, data: bytes) -> None:
        """Bytes handed to the guest while a prompt shows: they say which banner may come."""
        for byte in data:
            if byte == 1:
                self._expects = RAW_BANNER
            elif byte == 2 and self.raw:
                self._expects = FRIENDLY_BANNER
            elif byte == 13 and not self.raw:
                self._expects = b""

    def feed(self, data: bytes) -> bytes:
        """Takes what the guest wrote, returns what a client sees. Holds back half a mark: see `flush`."""
        data = self._held + data
        self._held = b""
        out = bytearray()
        at = 0
        while at < len(data):
            if self._binary_left:
                chunk = data[at : at + self._binary_left]
                self._binary_left -= len(chunk)
                at += len(chunk)
                out += self._visible(chunk)
                self._last = chunk[-1]
                continue
            mark = data.find(_FIRST, at)
            if mark < 0:
                out += self._visible(self._cook(data[at:]))
                break
            if mark > at:
                out += self._visible(self._cook(data[at:mark]))
                at = mark
            head = data[at : at + _HEADER]
            if head.startswith(REPL_MARK):
                self.prompted = True
                self._swallow = self.entering_raw
                at += _MARK_LENGTH
            elif head.startswith(BINARY_MARK) and len(head) == _HEADER:
                self._binary_left = int.from_bytes(head[_MARK_LENGTH:], "little")
                at += _HEADER
            elif len(head) < _HEADER and (
                REPL_MARK.startswith(head) or BINARY_MARK.startswith(head[:_MARK_LENGTH])
            ):
                self._held = head
                break
            else:
                out += self._visible(self._cook(data[at : at + 1]))
                at += 1
        return bytes(out)

    def flush(self) -> bytes:
        """Nothing more has come for now: what looked like the beginning of a mark was text."""
        held, self._held = self._held, b""
        return self._visible(self._cook(held)) if held else b""

    def _cook(self, data: bytes) -> bytes:
        """Lone line feeds become carriage return and line feed."""
        if not data:
            return data
        if b"\n" not in data:
            self._last = data[-1]
            return data
        out = bytearray()
        last = self._last
        for byte in data:
            if byte == 10 and last != 13:
                out.append(13)
            out.append(byte)
            last = byte
        self._last = last
        return bytes(out)

    def _visible(self, data: bytes) -> bytes:
        if self._swallow:
            self._swallowed += data
            at = self._swallowed.find(RAW_BANNER)
            if at < 0:
                self._swallowed = self._swallowed[-len(RAW_BANNER) :]
                return b""
            data, self._swallowed = self._swallowed[at:], b""
            self._swallow = self.entering_raw = False
        self._note(data)
        return data

    def _note(self, data: bytes) -> None:
        if not self._expects:
            return
        seen = self._tail + data
        if self._expects in seen:
            self.raw = self._expects == RAW_BANNER
            self._expects = b""
            self._tail = b""
        else:
            self._tail = seen[-len(RAW_BANNER) :]
