"""What the kiosk says, in the language chosen: tables built by `smilehub.devices.assets` from one file a
language."""


class Words:
    """Strings by name, as UTF-8 bytes already broken into lines for their boxes.

    One buffer holds the language in use, so that changing it allocates nothing that stays. `languages` is a
    list of (code, endonym, how to begin), the last two as UTF-8 bytes.
    """

    def __init__(self, folder: str):
        self._folder = folder
        self._index = {}
        self.languages = []
        with open(folder + "/words.idx", "rb") as file:
            self._buffer = bytearray(int(file.readline()))
            while line := file.readline().strip():
                code, endonym, begin = line.split(b"\t")
                self.languages.append((code.decode(), endonym, begin))
            while line := file.readline().strip():
                self._index[line.decode()] = len(self._index)
        self._view = memoryview(self._buffer)
        self._filled = bytearray(64)
        self.language = None
        self.use(self.languages[0][0])

    def use(self, code: str) -> None:
        """Read a language into the buffer; OSError when its file is missing."""
        if code != self.language:
            with open(self._folder + "/" + code + ".str", "rb") as file:
                file.readinto(self._buffer)
            self.language = code

    def __call__(self, name: str):
        """The string of that name in the language in use; valid until the language changes. KeyError: no
        such string."""
        at = 2 + 2 * self._index[name]
        b = self._buffer
        return self._view[b[at] | b[at + 1] << 8 : b[at + 2] | b[at + 3] << 8]

    def __contains__(self, name: str) -> bool:
        return name in self._index

    def fill(self, name: str, value):
        """The string with `{}` replaced by a number or a short bytes; valid until the next fill."""
        text = self(name)
        if not isinstance(value, (bytes, bytearray)):
            value = str(value).encode()
        out = self._filled
        n = 0
        skip = False
        for c in text:
            if c == 0x7B:
                for v in value:
                    out[n] = v
                    n += 1
                skip = True
            elif skip:
                skip = False
            else:
                out[n] = c
                n += 1
        return memoryview(out)[:n]
