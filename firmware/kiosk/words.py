"""What the kiosk says, in the language chosen: files built by `smilehub.devices.assets`, one a language."""

from binascii import crc32

from micropython import const

from kiosk.glyphs import ENTRY, AssetDamaged, Font

_NONE = const(255)
_FIRST = const(0x10)  # stands where the first value goes
_HEAD = const(12)
_NOTE = const(5)
_RECENT = const(16)


def plain(text: str):
    """A person's or a chair's name as glyph codes: ASCII as it is, anything else as "?"."""
    return bytes([ord(c) if 32 <= ord(c) < 127 else 63 for c in text])


class Words(Font):
    """Strings by name, as glyph codes already broken into lines for their boxes and in visual order.

    One buffer holds the glyphs that the language in use often needs, so that changing it allocates nothing
    that stays; its strings and other glyphs (whose place in the file is beyond the buffer, see `rare`) are
    read from flash. Glyphs lie on their side, as pictures do. `languages` is a list of (code, rtl), `rtl` the
    direction of the language in use. `scratch` is used while a string is looked for.
    """

    def __init__(self, folder: str, scratch):
        self._folder = folder
        with open(folder + "/words.idx", "rb") as file:
            head = file.read(10)
            if len(head) != 10 or head[:4] != b"SHW3":
                raise AssetDamaged(folder)
            self.languages = []
            for _ in range(head[4]):
                code = file.read(3)
                self.languages.append((code[:2].decode(), bool(code[2])))
        self.glyphs = memoryview(bytearray(head[6] | head[7] << 8))
        self._texts = (bytearray(head[8]), bytearray(head[8]))
        self._turn = 0
        self._filled = bytearray(head[9])
        self._scratch = scratch
        # Of a string three bytes of its name's CRC-32, its icon and its length: names themselves are in the
        # program already. This one is of the string that the file is at.
        self._note = bytearray(_NOTE)
        self._recent = bytearray(_NOTE * _RECENT)  # likewise, and where the string is
        self._put = 0
        self._last = self._icon = None
        self.first = 1
        self.table = _HEAD - ENTRY
        self.after = self._index = self._bytes = 0
        self.rtl = False
        self._file = None
        self.language = None
        self.use(self.languages[0][0])

    def use(self, code: str) -> None:
        """Read a language into the buffer; OSError when its file is missing."""
        if code == self.language:
            return
        self.language = self._last = None
        if self._file is not None:
            self._file.close()
        self._file = file = open(self._folder + "/" + code + ".str", "rb")
        b = self.glyphs
        if file.readinto(b) < _HEAD or b[:4] != b"SHL3":
            raise AssetDamaged(code)
        self.rtl = bool(b[4])
        self.after = b[5]
        self._index = b[8] | b[9] << 8
        self._bytes = _NOTE * (b[10] | b[11] << 8)
        self._note[:] = bytes(_NOTE)
        self._recent[:] = bytes(_NOTE * _RECENT)
        self.language = code

    def rare(self, place: int, into) -> None:
        """Read a glyph's bitmap from its place in the file."""
        self._go(place, into)

    def __call__(self, name: str):
        """The string of that name in the language in use, valid until the next but one is asked for.

        KeyError: no such string. OSError: it cannot be read.
        """
        if not self._find(name):
            raise KeyError(name)
        note = self._note
        self._turn ^= 1
        text = memoryview(self._texts[self._turn])[: note[4]]
        self._file.readinto(text)
        self._last = name
        self._icon = note[3]
        self._file.readinto(note)  # the next string's: a screen asks for its own in their order
        return text

    def __contains__(self, name: str) -> bool:
        return self._find(name)

    def icon(self, name: str):
        """The number of the icon that goes with a string, or None."""
        icon = _NONE
        if name == self._last:
            icon = self._icon
        elif self._find(name):
            icon = self._note[3]
        return None if icon == _NONE else icon

    def fill(self, name: str, *values):
        """The string with its `{}` replaced in order, by numbers, str (as `plain`) or glyph codes.

        Valid until the next fill. Too long values are cut.
        """
        out = self._filled
        most = len(out)
        n = 0
        for c in self(name):
            value = (c,)
            if _FIRST <= c < _FIRST + 8:
                value = values[c - _FIRST]
                if not isinstance(value, (bytes, bytearray, memoryview)):
                    value = plain(str(value))
            for v in value:
                if n < most:
                    out[n] = v
                    n += 1
        return memoryview(out)[:n]

    def _go(self, place, into):
        note = self._note
        note[0] = note[1] = note[2] = 0  # the file leaves that string
        self._file.seek(place)
        self._file.readinto(into)

    def _find(self, name):
        """Whether there is a string of that name; then `_note` is its own and the file is at its text."""
        crc = crc32(name.encode())
        key = bytes((crc & 255, crc >> 8 & 255, crc >> 16 & 255))
        note = self._note
        if note[:3] == key:
            return True
        where = self._recent
        at = _search(where, key, len(where))
        if at < 0:
            where = self._scratch
            self._go(self._index, memoryview(where)[: self._bytes])
            at = _search(where, key, self._bytes)
            if at < 0:
                return False
            self._put = (self._put + _NOTE) % len(self._recent)
            for i in range(_NOTE):
                self._recent[self._put + i] = where[at + i]
        self._go(where[at + 3] | where[at + 4] << 8, note)
        return True


def _search(where, key, end):
    at = where.find(key, 0, end)
    while at >= 0 and at % _NOTE:
        at = where.find(key, at + 1, end)
    return at
