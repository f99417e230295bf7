"""Turns texts of compiled code into names, which the interpreter keeps once and in less memory.

mpy-cross makes names (qstrs) of short texts only; each longer one is an object of two pieces of heap. In code
that stays in memory they are better off as names as well. The bytecode's length does not change: only
instructions with operands of one byte are touched. The format is that of ``.mpy`` files of version 6
(MicroPython, py/persistentcode.c and py/bc.h).
"""

from __future__ import annotations

_MAGIC = b"M\x06"
_LOAD_STRING = 0x10
_LOAD_OBJECT = 0x23
_MOST = 128  # operands below are one byte
_LONGEST = 200
_STR, _TUPLE, _FIRST_WITH_TEXT = 5, 10, 5
_FUNCTION_TABLE = 0


def intern_texts(code: bytes) -> bytes:
    """The same program with its long texts as names. Raises ValueError for what it does not understand."""
    if code[:2] != _MAGIC:
        raise ValueError("not bytecode of version 6")
    return _File(code).interned()


class _File:
    """A ``.mpy`` file, read once from its beginning to its end."""

    def __init__(self, code: bytes) -> None:
        self._code = code
        self._at = 4
        names, objects = self._number(), self._number()
        self._head = self._at
        for _ in range(names):
            size = self._number()
            self._at += 0 if size & 1 else (size >> 1) + 1
        self._names = names
        self._name_bytes = code[self._head : self._at]
        self._objects: list[bytes] = []
        self._in_tuples: list[bytes] = []
        for _ in range(objects):
            begin = self._at
            self._skip_object()
            self._objects.append(code[begin : self._at])
        self._begin = self._at
        self._loads: list[int] = []  # where instructions that load an object have their operand
        self._wide = False  # whether an object has an operand of more than one byte
        self._skip_function()
        if self._at != len(code):
            raise ValueError("something behind the code")

    def interned(self) -> bytes:
        """The file made anew."""
        if self._wide:
            return self._code  # their numbers would change, and perhaps their length
        operands = [self._code[at] for at in self._loads]
        texts: dict[int, bytes] = {}
        for index in sorted(set(operands)):
            value = self._objects[index]
            if value[0] == _STR and self._names + len(texts) < _MOST:
                size, at = _number(value, 1)
                if size <= _LONGEST:
                    texts[index] = value[at : at + size]
        # Those within tuples are found among the names when the file is loaded, if they are there.
        more = dict.fromkeys(self._in_tuples)
        kept = [index for index in range(len(self._objects)) if index not in texts]
        place = {index: at for at, index in enumerate(kept)}
        name = {index: self._names + at for at, index in enumerate(texts)}
        code = bytearray(self._code)
        for at in self._loads:
            index = code[at]
            if index in name:
                code[at - 1] = _LOAD_STRING
            code[at] = name[index] if index in name else place[index]
        head = self._code[:4] + _as_number(self._names + len(texts) + len(more)) + _as_number(len(kept))
        names = self._name_bytes + b"".join(
            _as_number(2 * len(t)) + t + b"\0" for t in [*texts.values(), *more]
        )
        objects = b"".join(self._objects[index] for index in kept)
        return head + names + objects + bytes(code[self._begin :])

    def _number(self) -> int:
        value, self._at = _number(self._code, self._at)
        return value

    def _skip_object(self, within: bool = False) -> None:
        kind = self._code[self._at]
        self._at += 1
        if kind == _TUPLE:
            for _ in range(self._number()):
                self._skip_object(True)
        elif kind >= _FIRST_WITH_TEXT:
            size = self._number()
            if within and kind == _STR and size <= _LONGEST:
                self._in_tuples.append(self._code[self._at : self._at + size])
            self._at += size + (kind <= _STR + 1)  # texts and bytes end with a zero
        elif kind == _FUNCTION_TABLE:
            raise ValueError("machine code")

    def _skip_function(self) -> None:
        head = self._number()
        if head & 3:
            raise ValueError("machine code")
        end = self._at + (head >> 3)
        self._skip_prelude()
        while self._at < end:
            self._skip_instruction()
        if self._at != end:
            raise ValueError("an instruction that is not known")
        if head & 4:
            for _ in range(self._number()):
                self._skip_function()

    def _skip_prelude(self) -> None:
        code = self._code
        while code[self._at] & 0x80:  # how many arguments and variables
            self._at += 1
        self._at += 1
        info = cells = bits = 0
        while True:  # six bits of the one, one of the other
            byte = code[self._at]
            self._at += 1
            cells |= (byte & 1) << bits
            info |= (byte >> 1 & 0x3F) << 6 * bits
            bits += 1
            if not byte & 0x80:
                break
        self._at += info + cells

    def _skip_instruction(self) -> None:
        code = self._code
        op = code[self._at]
        form = 0x3A4 >> 2 * (op >> 4) & 3
        self._at += 1
        if form == 3:  # a jump
            self._at += 1 + (code[self._at] >> 7)
        elif form:
            begin = self._at
            self._number()
            if op == _LOAD_OBJECT:
                if self._at - begin == 1:
                    self._loads.append(begin)
                else:
                    self._wide = True
        if not op & 0x9E:
            self._at += 1


def _number(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned number, and where it ends: seven bits a byte, the highest first."""
    value = 0
    while True:
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            return value, at


def _as_number(value: int) -> bytes:
    data = bytes([value & 0x7F])
    while value := value >> 7:
        data = bytes([value & 0x7F | 0x80]) + data
    return data
