"""ST7796S panel controller on a 4-line serial bus: what it makes of chip select, D/C, reset and bytes.

Source: Sitronix ST7796S datasheet V1.0 (2014/11): commands of section 9, timing of section 7.
The picture comes from the modelled memory alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops

from smilehub.sim.peripherals.base import Config, Part, SpiMode
from smilehub.sim.peripherals.gram import COLUMNS, MV, ROWS, FrameMemory

DATASHEET_WRITE_HZ = 15_151_515  # serial clock cycle, write: 66 ns
DATASHEET_READ_HZ = 6_666_666  # serial clock cycle, read: 150 ns

_BGR = 0x08

_SWRESET, _SLPIN, _SLPOUT, _PTLON, _NORON = 0x01, 0x10, 0x11, 0x12, 0x13
_INVOFF, _INVON, _DISPOFF, _DISPON = 0x20, 0x21, 0x28, 0x29
_CASET, _RASET, _RAMWR, _RAMRD = 0x2A, 0x2B, 0x2C, 0x2E
_MADCTL, _IDMOFF, _IDMON, _COLMOD, _RAMWRC, _RAMRDC, _CSCON = 0x36, 0x38, 0x39, 0x3A, 0x3C, 0x3E, 0xF0

# Parameter bytes of each command that is written to; None: as many as wished.
_PARAMETERS: dict[int, int | None] = {
    0x00: 0, _SWRESET: 0, _SLPIN: 0, _SLPOUT: 0, _PTLON: 0, _NORON: 0, _INVOFF: 0, _INVON: 0, _DISPOFF: 0,
    _DISPON: 0, _CASET: 4, _RASET: 4, _RAMWR: None, 0x30: 4, 0x33: 6, 0x34: 0, 0x35: 1, _MADCTL: 1, 0x37: 2,
    _IDMOFF: 0, _IDMON: 0, _COLMOD: 1, _RAMWRC: None, 0x44: 2, 0x51: 1, 0x53: 1, 0x55: 1, 0x5E: 1, _CSCON: 1,
}  # fmt: skip
# Command table 2: written only after CSCON has been sent C3h and 96h.
_TABLE_2: dict[int, int] = {
    0xB0: 1, 0xB1: 2, 0xB2: 2, 0xB3: 2, 0xB4: 1, 0xB5: 4, 0xB6: 3, 0xB7: 1, 0xC0: 2, 0xC1: 1, 0xC2: 1,
    0xC5: 1, 0xC6: 1, 0xD0: 2, 0xE0: 14, 0xE1: 14, 0xE8: 8,
}  # fmt: skip
# Dummy clocks before the first bit of the answer to each command that is read, and how many bytes it has.
_READS: dict[int, tuple[int, int]] = {
    0x04: (1, 3), 0x09: (1, 4), 0x0A: (0, 1), 0x0B: (0, 1), 0x0C: (0, 1), 0x0D: (0, 1), 0x0E: (0, 1),
    0x0F: (0, 1), 0xD3: (8, 3), 0xDA: (0, 1), 0xDB: (0, 1), 0xDC: (0, 1),
}  # fmt: skip

_AFTER_RESET_US = 5_000
_AFTER_SLEEP_US = 120_000
_RESET_PULSE_US = 10


@dataclass(slots=True)
class Traffic:
    """Bytes since power came or since `mark()`: pixels (after a memory write), commands with their
    parameters, and how many memory writes began."""

    pixel_bytes: int = 0
    command_bytes: int = 0
    windows: int = 0


class ST7796S(Part):
    """The controller, its glass and its backlight. Roles: cs, dc, rst, bl.

    board.toml: `width`, `height` and `rotation` say how the module is mounted: `rotation` quarter-turns of
    the picture from the module's own portrait position (1 and 3 are landscape). Further keys, with what
    common modules have: `mirrored` = true (columns run right to left on the glass), `bgr` = true (the
    glass' colour filter), `inverted` = false (normally black glass), `write_hz_max` (what the module
    stands; default: datasheet), `id` = three bytes of the module's maker.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.rotation = int(config.get("rotation", 0))
        size = (ROWS, COLUMNS) if self.rotation % 2 else (COLUMNS, ROWS)
        if self.rotation not in range(4) or (config["width"], config["height"]) != size:
            raise ValueError(f"an ST7796S at rotation {self.rotation} is {size[0]}x{size[1]} pixels")
        self.size: tuple[int, int] = size
        self._mirrored = bool(config.get("mirrored", True))
        self._bgr_glass = bool(config.get("bgr", True))
        self._inverted_glass = bool(config.get("inverted", False))
        self._write_hz_max = int(config.get("write_hz_max", DATASHEET_WRITE_HZ))
        self._id = bytes(config.get("id", (0x54, 0x80, 0x66)))
        self._has_rst = "rst" in config
        self._has_bl = "bl" in config
        self._mode: SpiMode | None = None
        self._too_fast = False
        #: Staged: a controller that does nothing and answers nothing, on dark glass.
        self.broken = False
        self.total = Traffic()
        self._since = Traffic()
        self.power(False)

    # What comes over the pins

    def power(self, on: bool) -> None:
        self._on = on
        self._cs, self._dc, self._rst = 1, 0, 1
        self._bl = 0 if self._has_bl else 65535
        self._fell_us = 0
        self._gram = FrameMemory()
        self._awake = False
        self._reset(0, busy_us=0)

    def gpio(self, role: str, level: int, t_us: int) -> None:
        if role == "cs":
            self._cs = level
        elif role == "dc":
            self._dc = level
        elif role == "bl":
            self._bl = 65535 if level else 0
        elif role == "rst" and level != self._rst:
            self._rst = level
            if not level:
                self._fell_us = t_us
            elif t_us - self._fell_us < _RESET_PULSE_US:
                self.forbid(t_us, f"reset pulse of {t_us - self._fell_us} us; 10 us are needed")
            else:
                self._reset(t_us, busy_us=_AFTER_RESET_US)

    def pwm(self, role: str, duty_u16: int, freq_hz: int, t_us: int) -> None:
        if role == "bl":
            self._bl = duty_u16
        else:
            self.forbid(t_us, f"{role} is modulated")

    def spi_setup(self, mode: SpiMode, t_us: int) -> None:
        self._mode = mode
        self._too_fast = False
        if mode.polarity != mode.phase or mode.lsb_first or mode.bits != 8:
            self.forbid(t_us, "the bus is not in SPI mode 0 or 3, 8 bits, most significant first")

    def spi_write(self, data: bytes, t_us: int) -> None:
        if self._cs or not self._rst or not self._on or self.broken or not data:
            return
        if self._mode and self._mode.baud > self._write_hz_max and not self._too_fast:
            self._too_fast = True
            self.forbid(t_us, f"written at {self._mode.baud} Hz; {self._write_hz_max} Hz is the maximum")
        if not self._dc:
            self.total.command_bytes += len(data)
            self._since.command_bytes += len(data)
            for byte in data:
                self._begin(byte, t_us)
        elif self._command in (_RAMWR, _RAMWRC):
            self.total.pixel_bytes += len(data)
            self._since.pixel_bytes += len(data)
            self._pixels(data, t_us)
        else:
            self.total.command_bytes += len(data)
            self._since.command_bytes += len(data)
            self._parameter(data, t_us)

    def spi_transfer(self, data: bytes, t_us: int) -> bytes:
        reads = self._command in _READS or self._command in (_RAMRD, _RAMRDC)
        if self._cs or not self._dc or not reads or not self._on or self.broken:
            self.spi_write(data, t_us)
            return b"\xff" * len(data)
        if self._mode and self._mode.baud > DATASHEET_READ_HZ:
            self.forbid(t_us, f"read at {self._mode.baud} Hz; {DATASHEET_READ_HZ} Hz is the maximum")
        answer = self._answer[: len(data)]
        self._answer = self._answer[len(data) :]
        return answer + b"\xff" * (len(data) - len(answer))

    # What can be seen and counted

    @property
    def awake(self) -> bool:
        return self._awake

    @property
    def lit(self) -> bool:
        """True if somebody in front of the panel sees a picture: powered, awake, display on, backlight on,
        not broken."""
        return bool(self._on and not self.broken and self._awake and self._displaying and self._bl)

    @property
    def window(self) -> tuple[int, int, int, int]:
        """First and last column, first and last row, as last set."""
        return (*self._xs, *self._ys)

    def mark(self) -> None:
        """Start counting `since_mark` anew."""
        self._since = Traffic()

    @property
    def since_mark(self) -> Traffic:
        return self._since

    def image(self) -> Image.Image:
        """What a person in front of the mounted panel sees, RGB; black if it is not `lit`."""
        if not self.lit:
            return Image.new("RGB", self.size)
        picture = self._gram.image
        if bool(self._madctl & _BGR) != self._bgr_glass:
            red, green, blue = picture.split()
            picture = Image.merge("RGB", (blue, green, red))
        if self._inverting != self._inverted_glass:
            picture = ImageChops.invert(picture)
        if self._mirrored:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if self.rotation:
            turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
            picture = picture.transpose(turns[self.rotation - 1])
        if self._bl < 65535:
            share = self._bl / 65535
            return picture.point([round(value * share) for value in range(256)] * 3)
        return picture.copy()

    def png(self, path: Path | str) -> None:
        """Write `image()` to a PNG file."""
        self.image().save(path, "PNG")

    # What the controller does

    def _reset(self, t_us: int, busy_us: int) -> None:
        was_awake = self._awake
        self._awake = False
        self._displaying = False
        self._inverting = False
        self._madctl = 0
        self._colmod = 0x06
        self._xs: tuple[int, int] = (0, COLUMNS - 1)
        self._ys: tuple[int, int] = (0, ROWS - 1)
        self._gram.home()
        self._unlock = 0
        self._command: int | None = None
        self._got = bytearray()
        self._rest = b""
        self._answer = b""
        self._ready_us = t_us + busy_us
        self._sleep_ok_us = t_us + (_AFTER_SLEEP_US if was_awake else busy_us)

    def _begin(self, command: int, t_us: int) -> None:
        self._finish(t_us)
        if t_us < self._ready_us:
            self.forbid(
                t_us, f"command {command:02X}h {self._ready_us - t_us} us before the controller is ready"
            )
        self._command = command
        self._got = bytearray()
        if command == _SWRESET:
            self._reset(t_us, busy_us=_AFTER_RESET_US)
        elif command in (_SLPIN, _SLPOUT):
            if t_us < self._sleep_ok_us:
                self.forbid(
                    t_us, "sleep in or out less than 120 ms after the last sleep out, sleep in or reset"
                )
            self._awake = command == _SLPOUT
            self._ready_us = t_us + _AFTER_RESET_US
            self._sleep_ok_us = t_us + _AFTER_SLEEP_US
        elif command in (_DISPOFF, _DISPON):
            self._displaying = command == _DISPON
        elif command in (_INVOFF, _INVON):
            self._inverting = command == _INVON
        elif command == _RAMWR:
            self.total.windows += 1
            self._since.windows += 1
            self._gram.home()
        elif command in (_RAMRD, _RAMRDC):
            self._answer = b"\x00" + self._gram.read(self._xs, self._ys, self._madctl)
        elif command in _READS:
            self._answer = self._status(command)
        elif command in _TABLE_2:
            if self._unlock != 2:
                self.forbid(t_us, f"command {command:02X}h without CSCON (F0h) C3h, 96h before it")
        elif command not in _PARAMETERS:
            self.forbid(t_us, f"command {command:02X}h does not exist")

    def _finish(self, t_us: int) -> None:
        """The command before is over: did it get what it needs?"""
        command = self._command
        if command is None:
            return
        if self._rest:
            self.forbid(t_us, f"memory write ends {len(self._rest)} bytes into a pixel")
            self._rest = b""
        want = _PARAMETERS[command] if command in _PARAMETERS else _TABLE_2.get(command)
        if want is not None and len(self._got) != want:
            self.forbid(t_us, f"command {command:02X}h got {len(self._got)} parameter bytes; it takes {want}")

    def _parameter(self, data: bytes, t_us: int) -> None:
        command, before = self._command, len(self._got)
        if command is None:
            self.forbid(t_us, "parameter bytes without a command")
            return
        self._got += data
        got = self._got
        if command in (_CASET, _RASET) and before < 4 <= len(got):
            self._set_window(command, (got[0] << 8 | got[1], got[2] << 8 | got[3]), t_us)
        elif command == _MADCTL and before == 0:
            self._madctl = got[0]
        elif command == _COLMOD and before == 0:
            self._colmod = got[0] & 7
            if self._colmod not in (5, 6):
                self.forbid(t_us, f"pixel format {got[0]:02X}h is prohibited on the serial bus")
        elif command == _CSCON and before == 0:
            self._unlock = {0xC3: 1, 0x96: 2 if self._unlock == 1 else 0}.get(got[0], 0)

    def _set_window(self, command: int, span: tuple[int, int], t_us: int) -> None:
        name = "columns" if command == _CASET else "rows"
        exchanged = bool(self._madctl & MV)
        limit = COLUMNS if (command == _CASET) != exchanged else ROWS
        if not span[0] <= span[1] < limit:
            self.forbid(t_us, f"window of {name} {span[0]} to {span[1]}; there are {limit}")
            return
        if command == _CASET:
            self._xs = span
        else:
            self._ys = span

    def _pixels(self, data: bytes, t_us: int) -> None:
        if t_us < self._ready_us:
            self.forbid(t_us, f"memory write {self._ready_us - t_us} us before the controller is ready")
        if self._colmod not in (5, 6):
            self.forbid(t_us, "memory write without a valid pixel format")
            return
        size = 2 if self._colmod == 5 else 3
        if self._rest:
            data = self._rest + data
        whole = len(data) // size * size
        self._rest = bytes(data[whole:])
        self._gram.write(data[:whole], self._colmod, self._xs, self._ys, self._madctl)

    def _status(self, command: int) -> bytes:
        mode = 0x88 | self._awake << 4 | self._displaying << 2
        inversion = self._inverting << 5
        answers = {
            0x04: self._id,
            0x09: bytes((
                0x80 | self._madctl >> 2 << 1 & 0x7E,
                self._colmod << 4 | self._awake << 1 | 1,
                self._inverting << 5 | self._displaying << 2,
                0,
            )),
            0x0A: bytes((mode,)),
            0x0B: bytes((self._madctl,)),
            0x0C: bytes((self._colmod,)),
            0x0D: bytes((inversion,)),
            0xD3: b"\x00\x77\x96",
            0xDA: self._id[0:1],
            0xDB: self._id[1:2],
            0xDC: self._id[2:3],
        }  # fmt: skip
        dummy, length = _READS[command]
        bits = int.from_bytes(answers.get(command, bytes(length)), "big") << (8 - dummy) % 8
        return bits.to_bytes(length + (dummy + 7) // 8, "big")
