"""Area kiosk: what people meet: presses, answer times, letters and colours as shown, memory, mutants."""

import asyncio
import math
import random
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from smilehub.devices import image, memory
from smilehub.devices.assets_fonts import AssetError, label_font, text_font, wall_font
from smilehub.devices.assets_strings import BEGIN_BOX, ENDONYM_BOX, fit, load_strings, tokens
from smilehub.devices.sources import board_toml, firmware_root
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.rehearsal.story import STRIP, WALL_SCALE
from smilehub.sim.board import Board
from smilehub.sim.kernel import Kernel
from smilehub.sim.spec import BoardSpec, load_spec
from tools import gallery, mutate
from tools.bench import bare, clinic, looks, shims
from tools.mutation import trial

_VISITORS = 40
_RUNS = 5
_FACTOR = 60  # an ESP32-S3 takes so many times as long as one core here
_SPI_HZ = 40_000_000
_MOST_DEVICE_BYTES = 204_800
_MOST_PRESSES = 20
_BLACK = (0, 0, 0)
_BOOT_S = 20.0
_DARK_S = 3.0
_LOOK_S = 0.005
_EMERGENCY_S = 80.0  # it escalates after 60 s
_BLOCK = 40  # pixels: parts of the panel that could flash by themselves
_MUTANTS, _MUTANT_SEED = 150, 1


def rows() -> Iterator[dict[str, Any]]:
    """Measure and yield the area's rows."""
    yield _presses()
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        yield from _day(Path(folder))
        yield from _pictures(Path(folder) / "gallery")
    yield _flashes()
    yield _row(
        "k-image", "files of the application in its slot", sum(map(len, _app().values())), "B", "<= 1500000"
    )
    yield _mutants()


# ---- by keys and looks ----


def _presses() -> dict[str, Any]:
    """Yes on every screen, from idle until the laptop has the record; the worse of two hubs."""
    most = max(_presses_with(lanes) for lanes in (["any"], ["adult", "child"]))
    what = "presses from idle to the ticket, urgent visitor, first language; worse of one lane and several"
    return _row("k-presses", what, most, "presses", "<= 8")


def _presses_with(lanes: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        hub = SimulatedHub(Path(folder), 1, measure=False)

        async def run() -> int:
            await hub.power_on()
            watch = asyncio.create_task(hub.laptop.watch())
            await hub.laptop.command("day_open", {})
            for number, lane in enumerate(lanes, 1):
                await hub.laptop.command("chair_open", {"chair": str(number), "lanes": [lane]})
            presses = 0
            while not hub.laptop.fold.visits and presses <= _MOST_PRESSES:
                await hub.eyes.still()
                hub.press("yes")
                presses += 1
                await asyncio.sleep(1.5)  # time for the record to reach the laptop
            watch.cancel()
            (visit,) = hub.laptop.fold.visits.values()
            if visit.need != "urgent":
                raise RuntimeError(f"the first answers make a visitor {visit.need}, not urgent")
            return presses

        try:
            return hub.kernel.run(run())
        finally:
            hub.close()


def _pictures(folder: Path) -> Iterator[dict[str, Any]]:
    """Every screen in every language, looked at."""
    spec = load_spec(board_toml())
    panel, wall = _part(spec, "panel"), _part(spec, "wall")
    seen = Seen(int(panel["width"]), int(panel["height"]))
    for shot in gallery.play(folder):
        seen.look(Image.open(shot.path))
    count = f"{seen.pictures} pictures of {len(gallery.languages())} languages"
    low = min(seen.capitals) * float(panel["pitch_mm"])
    yield _row("k-cap-panel", f"lowest capital on the panel at 400 mm, {count}", low, "mm", ">= 4.9")
    low = min(seen.led_capitals) * float(wall["pitch_mm"])
    yield _row("k-cap-wall", "lowest capital on the wall at 4.5 m, as LEDs lit", low, "mm", ">= 55")
    what = f"least contrast of text with its ground, {count}, after RGB565"
    yield _row("k-contrast", what, min(seen.contrasts), "ratio", ">= 4.5")
    unfit = strings_unfit()
    what = (
        f"strings x languages beyond their box ({unfit}), and things cut by the edge in {count} ({seen.cut})"
    )
    yield _row("k-clipped", what, unfit + seen.cut, "count", "== 0")


class Seen:
    """What was found on pictures of the gallery: wall above panel (smilehub.rehearsal.story)."""

    def __init__(self, width: int, height: int) -> None:
        self._size = width, height  # of the panel
        _, languages = load_strings(firmware_root() / "kiosk" / "strings")
        text = text_font({char for language in languages for char in language.characters})
        self._panel = looks.Type([text, label_font()], pictures=True)
        self._wall = looks.Type([wall_font()])
        self._known: set[bytes] = set()
        self.pictures = 0
        self.cut = 0
        self.capitals: list[int] = []
        self.led_capitals: list[int] = []
        self.contrasts: list[float] = []

    def look(self, picture: Image.Image) -> None:
        """Take one picture in; the same panel or wall again is not looked at twice."""
        picture = picture.convert("RGB")
        below = picture.height - self._size[1]
        panel = picture.crop((0, below, self._size[0], picture.height))
        wall = picture.crop((0, 0, picture.width, below - STRIP))
        if self._new(panel):
            self.pictures += 1
            found = looks.regions(panel)
            self.capitals += self._panel.capitals(found)
            self.contrasts += {looks.contrast(one.colour, one.ground) for one in found}
            self.cut += self._panel.cut(found, panel.width, panel.height)
        if self._new(wall):
            leds = looks.leds(wall, WALL_SCALE, (wall.width // WALL_SCALE, wall.height // WALL_SCALE))
            self.led_capitals += self._wall.capitals(looks.regions(leds, _BLACK))

    def _new(self, picture: Image.Image) -> bool:
        raw = picture.tobytes()
        new = raw not in self._known
        self._known.add(raw)
        return new


def strings_unfit(strings: Path | None = None) -> int:
    """How many strings of how many languages are wider or longer than their boxes, as the kiosk's font is
    drawn."""
    boxes, languages = load_strings(strings or firmware_root() / "kiosk" / "strings")
    unfit = 0
    for language in languages:
        font = text_font(language.characters)
        texts = [(box, language.strings[box.name]) for box in boxes]
        for box, text in [*texts, (ENDONYM_BOX, language.endonym), (BEGIN_BOX, language.begin)]:
            try:
                fit(font, box, tokens(box, text))
            except AssetError:
                unfit += 1
    return unfit


# ---- the clinic day ----


def _day(folder: Path) -> Iterator[dict[str, Any]]:
    declared = memory.declared_bytes(_app())
    # More heap than the board has, so that a kiosk that needs too much gives a figure and not an end.
    kept = folder / "day.bin"
    day = clinic.watch(
        _VISITORS, heap_bytes=2 * memory.heap_here(_MOST_DEVICE_BYTES, declared), keep_flash=kept
    )
    peak = day.report.heap_peak_bytes
    calibrations = shims.Shims()
    runs: list[list[clinic.Press]] = []
    with shims.one_core():
        for _ in range(_RUNS):
            calibrations.calibrate()
            runs.append(clinic.watch(_VISITORS, measure=False).presses)
        calibrations.calibrate()
        starts = _starts(kept)
        calibrations.calibrate()
    cost = calibrations.cost()
    drawn = clinic.drawn(runs, cost)
    took = sorted(press_ms(drawn))
    gave, withdrew = day.report.presses_to_give, day.report.presses_to_withdraw
    what = (
        f"presses idle to withdrawn less idle to given, medians of {len(withdrew)} and {len(gave)} visitors"
    )
    yield _row("k-withdraw", what, statistics.median(withdrew) - statistics.median(gave), "presses", "<= 0")
    what = (
        f"key to last SPI byte, CPU x {_FACTOR} (without the simulator's {drawn.share:.0%}; machine "
        f"busy: +{calibrations.busy:.0%}) + flash + SPI at 40 MHz, {len(took)} presses of the day"
    )
    yield _row("k-key-p50", f"{what}: median", statistics.median(took), "ms", "<= 100")
    yield _row("k-key-p99", f"{what}: 99th percentile", took[math.ceil(0.99 * len(took)) - 1], "ms", "<= 250")
    yield _boot(starts, cost)
    on_board = memory.heap_on_board(peak, declared)
    what = f"heap peak over a day of {_VISITORS} visitors, ESP32 bytes ({peak} here)"
    yield _row("k-heap-peak", what, on_board, "B", f"<= {_MOST_DEVICE_BYTES}")


def press_ms(drawn: clinic.Drawn) -> list[float]:
    """What each press that drew something took on the board, ms."""
    return [
        (ns * _FACTOR + flash_ns) / 1e6 + pixel_bytes * 8 * 1000 / _SPI_HZ
        for pixel_bytes, ns, flash_ns in drawn.presses
    ]


@dataclass(frozen=True, slots=True)
class _Start:
    """From power to the lit panel: simulated seconds (flash, SPI and waits in them), the guest's CPU, ns, and
    what it said."""

    seconds: float
    cpu_ns: int
    said: shims.Said


def _starts(day: Path) -> tuple[_Start, _Start]:
    """Of a board without a program, and of the kiosk after a power failure at the end of the day, when the
    journal is at its longest."""
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        stock = _best(bare.flash_with("", Path(folder)), dark=True)
        return stock, _best(Path(shutil.copy(day, Path(folder) / "day.bin")))


def _boot(starts: tuple[_Start, _Start], cost: shims.Cost) -> dict[str, Any]:
    stock, kiosk = starts
    # The start of the interpreter itself and of the shims is in both.
    cpu_ns = kiosk.cpu_ns - stock.cpu_ns
    said = kiosk.said - stock.said
    own_ns = cost.own(cpu_ns, said)
    what = (
        f"power to first screen after a day of {_VISITORS} visitors: CPU x {_FACTOR} "
        f"({own_ns * _FACTOR / 1e9:.2f} s, without the simulator's {1 - own_ns / cpu_ns:.0%}) + flash "
        f"({said.reads} reads), SPI and waits ({kiosk.seconds:.2f} s)"
    )
    return _row("k-boot", what, own_ns * _FACTOR / 1e9 + kiosk.seconds, "s", "<= 5")


def _best(flash: Path, *, dark: bool = False) -> _Start:
    return min((_start(flash, dark=dark) for _ in range(_RUNS)), key=lambda start: start.cpu_ns)


def _start(flash: Path, *, dark: bool = False) -> _Start:
    """Start a board and wait for its first picture; for a ``dark`` one, until its boot.py has long ended."""
    kernel = Kernel.virtual(1)
    spec = load_spec(board_toml())
    board = Board(kernel, spec, flash, heap_bytes=memory.kiosk_heap(spec.heap_limit))
    meter = shims.Meter(board)

    async def run() -> _Start:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await board.power_on()
        while not (loop.time() > _DARK_S if dark else board.part("panel").lit):
            if loop.time() - began > _BOOT_S:
                raise RuntimeError(f"no picture within {_BOOT_S:g} s:\n{board.console_text()[-1000:]}")
            await asyncio.sleep(_LOOK_S)
        return _Start(loop.time() - began, board.cpu_ns(), meter.said())

    try:
        return kernel.run(run())
    finally:
        board.close()
        kernel.close()


# ---- an emergency ----


def _flashes() -> dict[str, Any]:
    """Wall, panel and light while an emergency begins, escalates and is acknowledged."""
    histories: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        hub = SimulatedHub(Path(folder), 1, measure=False)

        async def run() -> None:
            await hub.power_on()
            watch = asyncio.create_task(hub.laptop.watch())
            await hub.laptop.command("day_open", {})
            looking = asyncio.create_task(_look(hub, histories))
            for key in ("yes", "yes", "yes", "down", "yes"):
                await hub.eyes.still()
                hub.press(key)
                await asyncio.sleep(0.5)
            await hub.laptop.until(lambda fold: bool(fold.alerts))
            await asyncio.sleep(_EMERGENCY_S)
            await hub.laptop.command("alert_ack", {})
            await asyncio.sleep(5)
            looking.cancel()
            watch.cancel()

        try:
            hub.kernel.run(run())
        finally:
            hub.close()
    worst = max(histories, key=lambda name: looks.flashes(histories[name]))
    changed = sum(len(history) > 1 for history in histories.values())
    what = (
        f"most flashes in a second of an emergency; {changed} parts of wall, panel and light change; {worst}"
    )
    return _row("k-flash-hz", what, looks.flashes(histories[worst]), "Hz", "<= 3")


async def _look(hub: SimulatedHub, histories: dict[str, list[tuple[float, float]]]) -> None:
    """Note how bright each part is whenever that has changed: chips of the wall, blocks of the panel, the
    light."""
    loop = asyncio.get_running_loop()
    panel, wall, pixel = (hub.board.part(name) for name in ("panel", "wall", "pixel"))
    seen: tuple[object, ...] = ()

    def note(name: str, level: float) -> None:
        history = histories.setdefault(name, [])
        if not history or history[-1][1] != level:
            history.append((loop.time(), level))

    while True:
        now = panel.total.pixel_bytes, panel.lit, wall.latches, pixel.colour
        if now != seen:
            seen = now
            note("the light", looks.luminance(pixel.colour))
            grid = wall.pixels()
            for y in range(0, len(grid), 8):
                for x in range(0, len(grid[0]), 8):
                    lit = sum(sum(row[x : x + 8]) for row in grid[y : y + 8])
                    note(f"the wall's chip {x // 8}.{y // 8}", lit / 64)
            picture = panel.image().convert("RGB")
            blocks = picture.resize((picture.width // _BLOCK, picture.height // _BLOCK), Image.Resampling.BOX)
            for y in range(blocks.height):
                for x in range(blocks.width):
                    colour = blocks.getpixel((x, y))
                    assert isinstance(colour, tuple)
                    note(f"the panel's block {x}.{y}", looks.luminance((colour[0], colour[1], colour[2])))
        await asyncio.sleep(_LOOK_S)


# ---- the core ----


def _mutants() -> dict[str, Any]:
    every = mutate.mutants()
    chosen = random.Random(_MUTANT_SEED).sample(every, min(_MUTANTS, len(every)))
    verdicts = trial.run(chosen, 2, lambda _: None)
    what = f"mutants of hubcore killed: {len(chosen)} of {len(every)}, drawn with seed {_MUTANT_SEED}"
    return _row("k-mutants", what, mutate.score(verdicts), "%", ">= 85")


def _app() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        return image.build_app(Path(folder))


def _part(spec: BoardSpec, name: str) -> dict[str, Any]:
    return dict(next(part.config for part in spec.parts if part.name == name))


def _row(name: str, what: str, value: float, unit: str, limit: str) -> dict[str, Any]:
    return {
        "id": name,
        "area": "kiosk",
        "what": what,
        "value": value,
        "unit": unit,
        "limit": limit,
        "beside": None,
    }
