"""A daisy chain of MAX7219 LED drivers, each with an 8×8 dot matrix: the wall.

Source: Maxim MAX7219/MAX7221 datasheet 19-4452 Rev 4: serial addressing (figure 1), register map (table 2).
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from smilehub.sim.peripherals.base import Config, Part, SpiMode

MAX_HZ = 10_000_000

_DECODE, _INTENSITY, _SCAN_LIMIT, _SHUTDOWN, _TEST = 0x9, 0xA, 0xB, 0xC, 0xF

# Segments of code B, DP A B C D E F G from bit 7 down: 0 to 9, "-", E, H, L, P, blank.
_CODE_B = bytes.fromhex("7e306d79335b5f707f7b014f370e6700")


class _Chip:
    """The registers of one MAX7219 as they are when power comes."""

    __slots__ = ("decode", "digits", "intensity", "on", "scan_limit", "test")

    def __init__(self) -> None:
        self.digits = bytearray(8)
        self.decode = 0
        self.intensity = 0
        self.scan_limit = 0
        self.on = False
        self.test = False

    def rows(self) -> bytes:
        """Eight rows as they light, column 0 in bit 7."""
        if self.test:
            return b"\xff" * 8
        if not self.on:
            return bytes(8)
        out = bytearray(8)
        for digit in range(self.scan_limit + 1):
            value = self.digits[digit]
            if self.decode >> digit & 1:
                value = value & 0x80 | _CODE_B[value & 0x0F]
            out[digit] = value
        return bytes(out)


class MAX7219(Part):
    """`columns` × `rows` chips, the first in the chain at the top left, onwards to the right and then down.

    Role: cs (LOAD). On each matrix digit 0 is the top row and segment DP the left column, as on the common
    modules with a 1088AS. DOUT of the last chip goes back to the controller's MISO. `broken` True: nothing of
    it works any more, no LED and no DOUT. board.toml: `pitch_mm`, `led_mm` and `colour` are used for the
    picture.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.columns = int(config["columns"])
        self.rows = int(config["rows"])
        self.size: tuple[int, int] = (self.columns * 8, self.rows * 8)
        self._colour = str(config.get("colour", "#ff2a12"))
        self._led_share = float(config.get("led_mm", 3.0)) / float(config.get("pitch_mm", 4.0))
        self._bytes = self.columns * self.rows * 2
        self._mode: SpiMode | None = None
        self.broken = False
        self.latches = 0
        self.bytes_written = 0
        self.power(False)

    def power(self, on: bool) -> None:
        self._on = on
        self._chips = [_Chip() for _ in range(self.columns * self.rows)]
        self._shift = bytes(self._bytes)
        self._cs = 1

    def gpio(self, role: str, level: int, t_us: int) -> None:
        if role != "cs" or level == self._cs:
            return
        self._cs = level
        if level and self._on:
            self._latch(t_us)

    def spi_setup(self, mode: SpiMode, t_us: int) -> None:
        self._mode = mode
        if mode.baud > MAX_HZ:
            self.forbid(t_us, f"clocked at {mode.baud} Hz; {MAX_HZ} Hz is the maximum")
        if mode.polarity != mode.phase or mode.lsb_first:
            self.forbid(t_us, "the bus is not in SPI mode 0 or 3, most significant bit first")

    def spi_write(self, data: bytes, t_us: int) -> None:
        # The MAX7219 shifts whatever LOAD is; only the MAX7221 waits for its chip select.
        if self._on:
            self.bytes_written += len(data)
            self._shift = (self._shift + data)[-self._bytes :]

    def spi_transfer(self, data: bytes, t_us: int) -> bytes:
        # Bit for bit, what comes out at the end of the chain is what went in a chain's length before.
        before = self._shift
        self.spi_write(data, t_us)
        if not self._on or self.broken:
            return b"\xff" * len(data)
        return (before + data)[: len(data)]

    @property
    def intensity(self) -> int:
        """The brightest chip's intensity, 0 to 15."""
        return max(chip.intensity for chip in self._chips)

    @property
    def lit(self) -> bool:
        """True if any LED is on."""
        return any(any(row) for row in self.pixels())

    def pixels(self) -> list[list[bool]]:
        """Which LEDs are on, as rows from the top, each from the left."""
        grid: list[list[bool]] = []
        for band in range(self.rows):
            chips = [chip.rows() for chip in self._chips[band * self.columns : (band + 1) * self.columns]]
            for y in range(8):
                grid.append([bool(rows[y] >> (7 - x) & 1) for rows in chips for x in range(8)])
        return grid if self._on and not self.broken else [[False] * self.size[0] for _ in range(self.size[1])]

    def image(self, scale: int = 10) -> Image.Image:
        """What somebody in front of the wall sees: round LEDs, `scale` pixels from one to the next."""
        over = 3  # drawn larger, then reduced, so that the LEDs are round
        step = scale * over
        width, height = self.size
        picture = Image.new("RGB", (width * step, height * step), "#0c0d0f")
        draw = ImageDraw.Draw(picture)
        margin = step * (1 - self._led_share) / 2
        red, green, blue = (int(self._colour[i : i + 2], 16) for i in (1, 3, 5))
        grid = self.pixels()
        brightness = [(2 * chip.intensity + 1) / 32 for chip in self._chips]
        for y in range(height):
            for x in range(width):
                box = (x * step + margin, y * step + margin, (x + 1) * step - margin, (y + 1) * step - margin)
                if not grid[y][x]:
                    draw.ellipse(box, fill="#221a19")
                    continue
                # The eye hardly sees the duty cycle: 1/32 still looks like more than half as bright as 31/32.
                share = 0.55 + 0.45 * brightness[y // 8 * self.columns + x // 8] ** 0.5
                fill = (round(red * share), round(green * share), round(blue * share))
                draw.ellipse(box, fill=fill)
                inner = step * self._led_share / 4
                centre = (x * step + step / 2, y * step + step / 2)
                glow = tuple(min(255, value + 60) for value in fill)
                draw.ellipse(
                    (centre[0] - inner, centre[1] - inner, centre[0] + inner, centre[1] + inner), fill=glow
                )
        return picture.resize((width * scale, height * scale), Image.Resampling.BOX)

    def png(self, path: Path | str) -> None:
        """Write `image()` to a PNG file."""
        self.image().save(path, "PNG")

    def _latch(self, t_us: int) -> None:
        self.latches += 1
        count = len(self._chips)
        for i, chip in enumerate(self._chips):
            # What was sent first has travelled furthest.
            at = 2 * (count - 1 - i)
            address, value = self._shift[at] & 0x0F, self._shift[at + 1]
            if 1 <= address <= 8:
                chip.digits[address - 1] = value
            elif address == _DECODE:
                chip.decode = value
            elif address == _INTENSITY:
                chip.intensity = value & 0x0F
            elif address == _SCAN_LIMIT:
                chip.scan_limit = value & 0x07
            elif address == _SHUTDOWN:
                chip.on = bool(value & 1)
            elif address == _TEST:
                chip.test = bool(value & 1)
            elif address:
                self.forbid(t_us, f"chip {i}: register {address:X}h does not exist")
            if chip.on and chip.scan_limit < 3:
                self.forbid(t_us, f"chip {i}: three digits or fewer are scanned: the drivers overheat")
