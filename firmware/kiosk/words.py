"""What the kiosk says, in the language chosen: files built by `smilehub.devices.assets`, one a language."""

from binascii import crc32

from micropython import const

from kiosk.glyphs import AssetDamaged

_NONE = const(255)
_FIRST = const(0x10)  # stands where the first value goes


def plain(text: str):
    """A person's or a chair's name as glyph codes: ASCII as it is, anything else as "?"."""
    return bytes([ord(c) if 32 <= ord(c) < 127 else 63 for c in text])


class Words:
    """Strings by name, as glyph codes already broken into lines for their boxes and in visual order.

    One buffer holds the glyphs of the language in use, so that changing it allocates nothing that stays; its
    strings are read from flash. `languages` is a list of (code, rtl), `rtl` the direction of the language in
    use. `glyphs`, `table` and `after` are for Font: a glyph of code c has its table entry at `table + 8 * c`,
    codes end before `after`.
    """

    def __init__(self, folder: str):
        self._folder = folder
        with open(folder + "/words.idx", "rb") as file:
            head = file.read(10)
            if len(head) != 10 or head[:4] != b"SHW2":
                raise AssetDamaged(folder)
            self.languages = []
            for _ in range(head[4]):
                code = file.read(3)
                self.languages.append((code[:2].decode(), bool(code[2])))
            # Three bytes of each name's CRC-32 and its icon: names themselves are in the program already.
            self._names = file.read()
        self._glyphs = bytearray(head[6] | head[7] << 8)
        self._texts = (bytearray(head[8]), bytearray(head[8]))
        self._turn = 0
        self._place = bytearray(4)
        self._filled = bytearray(head[9])
        self.glyphs = memoryview(self._glyphs)
        self.table = 8 - 8 * 0x80
        self.after = self._offsets = 0
        self.rtl = False
        self._file = None
        self.language = None
        self.use(self.languages[0][0])

    def use(self, code: str) -> None:
        """Read a language into the buffer; OSError when its file is missing."""
        if code == self.language:
            return
        self.language = None
        if self._file is not None:
            self._file.close()
        self._file = file = open(self._folder + "/" + code + ".str", "rb")
        b = self._glyphs
        if file.readinto(b) < 8 or b[:4] != b"SHL2":
            raise AssetDamaged(code)
        # Magic, flags, glyphs, where the strings' offsets are; the table of glyphs.
        self.rtl = bool(b[4] & 1)
        self.after = 0x80 + b[5]
        self._offsets = b[6] | b[7] << 8
        self.language = code

    def __call__(self, name: str):
        """The string of that name in the language in use, valid until the next but one is asked for.

        KeyError: no such string. OSError: it cannot be read.
        """
        at = self._find(name)
        if at < 0:
            raise KeyError(name)
        file = self._file
        file.seek(self._offsets + (at >> 1))
        b = self._place
        file.readinto(b)
        start = b[0] | b[1] << 8
        self._turn ^= 1
        text = memoryview(self._texts[self._turn])[: (b[2] | b[3] << 8) - start]
        file.seek(start)
        file.readinto(text)
        return text

    def __contains__(self, name: str) -> bool:
        return self._find(name) >= 0

    def icon(self, name: str):
        """The number of the icon that goes with a string, or None."""
        at = self._find(name)
        icon = _NONE if at < 0 else self._names[at + 3]
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

    def _find(self, name):
        """Where the entry of a name begins, -1 if there is none."""
        crc = crc32(name.encode())
        key = bytes((crc & 255, crc >> 8 & 255, crc >> 16 & 255))
        at = self._names.find(key)
        while at >= 0 and at & 3:
            at = self._names.find(key, at + 1)
        return at
