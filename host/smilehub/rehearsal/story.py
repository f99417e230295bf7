"""Stories: scripts of keys and events, played on a simulated hub, and the pictures taken on the way.

A story is a text of one event a line (smilehub.rehearsal.script). Time is virtual: the same story and seed
give the same pictures. Nothing is done to the kiosk but through its keys, link port, power and parts.
"""

import asyncio
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from hubcore.records import Record
from smilehub.errors import SimulationError, SmilehubError, UsageError
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.rehearsal.script import HOLD_S, KEYS, LETTERS, Step, arguments, seconds

_PRESS_MS = 80
_LOOK_S = 0.05
_STILL_S = 0.4
_STILL_WITHIN_S = 4.0
_BOOT_S = 15.0
_ANSWERS_S = 60.0
#: Pixels of a picture from one LED of the wall to the next.
WALL_SCALE = 5
#: Pixels between wall and panel, with the status pixel in their middle.
STRIP = 20


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a story: where it is, the line that took it, the story's time in seconds, the status
    pixel's colour and how many tones were heard since the last one."""

    name: str
    file: str
    line: int
    at_s: float
    pixel: tuple[int, int, int]
    tones: int


def play(hub: SimulatedHub, steps: list[Step], folder: Path) -> list[Picture]:
    """Play a story on a virtual hub that is off, and write its pictures, numbered, into ``folder``.

    Raises SimulationError naming the line at which the kiosk refused or the story ran into nothing.
    """
    return hub.kernel.run(_Stage(hub, folder, steps).play())


def picture(hub: SimulatedHub) -> Image.Image:
    """Wall, status pixel and panel, one below the other, as wide as the panel."""
    panel = hub.board.part("panel").image().convert("RGB")
    wall = hub.board.part("wall").image(scale=WALL_SCALE)
    out = Image.new("RGB", (panel.width, wall.height + STRIP + panel.height), (24, 26, 30))
    out.paste(wall, ((panel.width - wall.width) // 2, 0))
    x, y = panel.width // 2, wall.height + STRIP // 2
    ImageDraw.Draw(out).ellipse((x - 6, y - 6, x + 6, y + 6), fill=hub.board.part("pixel").colour)
    out.paste(panel, (0, wall.height + STRIP))
    return out


class _Stage:
    """One performance."""

    def __init__(self, hub: SimulatedHub, folder: Path, steps: list[Step]) -> None:
        self._hub = hub
        self._folder = folder
        self._steps = steps
        self._pictures: list[Picture] = []
        self._digits = max(2, len(str(sum(step.verb == "snap" for step in steps))))
        self._watch: asyncio.Task[None] | None = None
        self._tickets: list[str] = []
        self._code = ""
        self._tones_us = 0
        self._began = False
        self._clock_set = True
        hub.laptop.on_record.append(self._record)

    async def play(self) -> list[Picture]:
        for step in self._steps:
            try:
                await self._do(step)
            except SimulationError:
                raise
            except (SmilehubError, ValueError) as error:
                raise SimulationError(
                    f"Line {step.line} of the story cannot happen: {error}",
                    hint="The pictures before it have been written.",
                ) from error
        await self._unplug()
        return self._pictures

    async def _do(self, step: Step) -> None:
        if not self._began and step.verb not in ("break", "power"):
            await self._power_on()
        words = list(step.words)
        match step.verb:
            case "press":
                for key in words:
                    await self._press(key)
            case "type":
                if words[0] == "$code" and not self._code:
                    raise ValueError("the kiosk has told the laptop no code yet.")
                for letter in self._code if words[0] == "$code" else words[0]:
                    await self._press(LETTERS[letter])
            case "hold":
                await self._press(words[0], round(1000 * seconds(words[1:], HOLD_S)))
            case "chord":
                for key in words:
                    self._hub.board.keys.press(key)
                await self._still()
            case "wait":
                await asyncio.sleep(seconds(words, None))
            case "laptop":
                await self._command(words[0], words[1:])
            case "unplug":
                await self._unplug()
            case "power":
                await self._power(words)
            case "break" | "mend":
                self._stage(words[0], step.verb == "break")
            case _:
                await self._snap(step)

    async def _press(self, key: str, for_ms: int = _PRESS_MS) -> None:
        self._hub.board.keys.press(key, for_ms)
        await asyncio.sleep(for_ms / 1000)
        await self._still()

    async def _still(self) -> None:
        """Wait until the panel has stood still for a moment; what moves all the time is not waited for."""
        total = self._hub.board.part("panel").total
        loop = asyncio.get_running_loop()
        end = loop.time() + _STILL_WITHIN_S
        seen, since = -1, loop.time()
        while loop.time() < end:
            if seen != (seen := total.pixel_bytes):
                since = loop.time()
            elif loop.time() - since >= _STILL_S:
                return
            await asyncio.sleep(_LOOK_S)

    async def _command(self, name: str, words: list[str]) -> None:
        if self._watch is None:
            self._watch = asyncio.create_task(self._hub.laptop.watch())
        args = arguments(name, words, self._ticket)
        try:
            async with asyncio.timeout(_ANSWERS_S):
                done = await self._hub.laptop.command(name, args)
        except TimeoutError:
            raise ValueError(f"the kiosk has not answered '{name}' for {_ANSWERS_S:g} s.") from None
        self._code = str(done.result.get("code") or self._code)
        await self._still()

    def _ticket(self, reference: str) -> str:
        number = int(reference[1:])
        if not 0 < number <= len(self._tickets):
            raise ValueError(f"the laptop knows of {len(self._tickets)} tickets, so there is no {reference}.")
        return self._tickets[number - 1]

    def _record(self, record: Record) -> None:
        if record.kind == "checkin":
            self._tickets += [record.body["label"], *record.body.get("others", ())]

    async def _unplug(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None

    async def _power_on(self) -> None:
        board, loop = self._hub.board, asyncio.get_running_loop()
        if self._clock_set and not self._began:  # as somebody did who put the battery in
            board.part("rtc").set(self._hub.clock())
        self._began = True
        await board.power_on()
        end = loop.time() + _BOOT_S
        while not (board.part("panel").lit or board.part("wall").lit):
            if loop.time() > end:
                raise SimulationError(
                    f"The kiosk has shown nothing for {_BOOT_S:g} s.",
                    hint=f"The end of its console:\n{board.console_text()[-1500:]}",
                )
            await asyncio.sleep(_LOOK_S)
        await self._still()

    async def _power(self, words: list[str]) -> None:
        if words[0] == "off":
            self._hub.board.power_cut()
            if len(words) == 1:
                self._began = True
                return
            await asyncio.sleep(seconds(words[1:], None))
        if self._hub.board.powered:
            raise ValueError("the power is on already.")
        await self._power_on()

    def _stage(self, part: str, broken: bool) -> None:
        board = self._hub.board
        if part in KEYS:
            key, now = board.part(f"keys.{part}"), board.kernel.now_us()
            _ = key.stick(now) if broken else key.free(now)
        elif part == "battery":
            board.part("rtc").battery = not broken
            self._clock_set = False
        elif part == "clock":
            board.part("rtc").absent = broken
        else:
            board.part(part).broken = broken

    async def _snap(self, step: Step) -> None:
        await self._still()
        number = f"{len(self._pictures) + 1:0{self._digits}}"
        name = step.words[0] if step.words else ""
        path = self._folder / ("-".join(filter(None, (number, name))) + ".png")
        picture(self._hub).save(path, "PNG", optimize=True)
        board = self._hub.board
        heard = board.part("sounder").heard(self._tones_us)
        self._tones_us = board.kernel.now_us()
        at_s = round(asyncio.get_running_loop().time(), 3)
        self._pictures.append(
            Picture(name, str(path), step.line, at_s, board.part("pixel").colour, len(heard))
        )


def stale(folder: Path) -> Iterator[Path]:
    """What an earlier story left in a folder. Raises UsageError if there is anything else in it."""
    for path in sorted(folder.iterdir()):
        if not re.fullmatch(r"\d{2,}(-[A-Za-z0-9_.-]+)?\.png", path.name):
            raise UsageError(
                f"{folder} holds {path.name}, which is no picture of a story.",
                hint="Name a folder that is empty or not there with --to.",
            )
        yield path
