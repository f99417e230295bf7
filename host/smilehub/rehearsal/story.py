"""Stories: scripts of keys and events, played on a simulated hub, and the pictures taken on the way.

A story is a text of one event a line (``HELP`` says which). Time is virtual: the same story and seed give the
same pictures. Nothing is done to the kiosk but through its keys, its link port, its power and its parts.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw

from hubcore.records import Record
from smilehub.errors import SimulationError, SmilehubError, UsageError
from smilehub.rehearsal.hub import SimulatedHub

HELP = """\
press KEY ...          press keys one after the other: up, down, yes, back, help
type LETTERS           the same in one word of u, d, y, b (a code, a PIN);
                       $code is the last code that the kiosk told the laptop
hold KEY [TIME]        keep a key pressed, for 2 s if not said otherwise
chord KEY KEY          press two keys at once
wait TIME              let time pass: 300 ms, 5 s, 10 min, 8 h
laptop COMMAND ...     have the laptop send a command, values by position or
                       as name=value; $1 is the story's first ticket
unplug                 take the laptop away; its next command brings it back
power off [TIME]       take the power away, for TIME or until `power on`
break PART, mend PART  panel, wall, clock (off its bus), battery (of the
                       clock), or a key (stuck); first of all: from the start
snap [NAME]            take a picture of panel and wall
# ...                  a comment

\b
For example:
laptop day_open
laptop chair_open 1
press yes yes
snap need
laptop checkin need=toothache
laptop call 1
wait 1 s
snap called
"""

KEYS = ("up", "down", "yes", "back", "help")
_LETTERS = {"u": "up", "d": "down", "y": "yes", "b": "back"}
_PARTS = ("panel", "wall", "clock", "battery", *KEYS)
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
_HOLD_S = 2.0
_PRESS_MS = 80
_LONGEST_S = 100 * 3600.0
_LOOK_S = 0.05
_STILL_S = 0.4
_STILL_WITHIN_S = 4.0
_BOOT_S = 15.0
_ANSWERS_S = 60.0
# What the words after a command's name stand for, in this order.
_POSITIONS: dict[str, tuple[str, ...]] = {
    "call": ("chair",),
    "chair_close": ("chair",),
    "chair_open": ("chair", "lanes"),
    "class": ("ticket", "need", "why"),
    "day_close": ("rest",),
    "defer": ("ticket",),
    "left": ("ticket",),
    "no_show": ("ticket",),
    "pause": ("chair", "paused"),
    "recall": ("ticket",),
    "requeue": ("ticket",),
    "seated": ("ticket",),
    "served": ("ticket",),
    "staff_remove": ("staff",),
    "staff_set": ("staff", "pin"),
    "transfer": ("ticket", "lane"),
}
#: Pixels of a picture from one LED of the wall to the next.
WALL_SCALE = 5
#: Pixels between wall and panel, with the status pixel in their middle.
STRIP = 20


class Step(NamedTuple):
    """One line: its number, what to do, and with what."""

    line: int
    verb: str
    words: tuple[str, ...]


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


def parse(text: str, source: str = "the story") -> list[Step]:
    """The steps of a story. Raises UsageError with the number of a line that says nothing."""
    steps: list[Step] = []
    for number, raw in enumerate(text.splitlines(), 1):
        words = raw.split("#")[0].split()
        if not words:
            continue
        step = Step(number, words[0], tuple(words[1:]))
        try:
            _check(step)
        except ValueError as error:
            raise UsageError(
                f"{source}, line {number}: {error}.",
                hint="`smilehub sim kiosk --help` lists what a story may say.",
            ) from None
        steps.append(step)
    if not any(step.verb == "snap" for step in steps):
        raise UsageError(f"{source} takes no picture.", hint="Add a line `snap` where one is wanted.")
    return steps


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


def _check(step: Step) -> None:
    """Raises ValueError saying what is wrong with a line."""
    match step.verb, step.words:
        case "press", (_, *_) as keys:
            for key in keys:
                _key(key)
        case "chord", (one, other):
            _key(one)
            _key(other)
        case "type", (letters,):
            if letters != "$code" and not set(letters) <= _LETTERS.keys():
                raise ValueError(f"{letters!r} is not made of u, d, y and b")
        case "hold", (key, *time):
            _key(key)
            _seconds(time, _HOLD_S)
        case "wait", time:
            _seconds(list(time), None)
        case "laptop", (_, *words):
            _arguments(step.words[0], words, lambda value: value)
        case "power", ("on",):
            pass
        case "power", ("off", *time):
            _seconds(time, 0.0)
        case (("break" | "mend"), (part,)):
            if part not in _PARTS:
                raise ValueError(f"there is no part {part!r}; there are {', '.join(_PARTS)}")
        case "snap", words if len(words) <= 1:
            if words and not re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", words[0]):
                raise ValueError("a picture's name is of letters, digits, '-', '_' and '.'")
        case "unplug", ():
            pass
        case (("press" | "chord" | "type" | "hold" | "laptop" | "power" | "break" | "mend" | "snap"), _):
            raise ValueError(f"'{step.verb}' cannot be meant with so few or so many words")
        case _:
            raise ValueError(f"'{step.verb}' is nothing that can happen in a story")


def _key(word: str) -> None:
    if word not in KEYS:
        raise ValueError(f"there is no key {word!r}; there are {', '.join(KEYS)}")


def _seconds(words: list[str], default: float | None) -> float:
    """``5 s`` or ``5s``."""
    if not words and default is not None:
        return default
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|min|h)", "".join(words))
    if found is None:
        raise ValueError(f"a time is needed, such as 5 s or 300 ms, not {' '.join(words)!r}")
    seconds = float(found[1]) * _UNITS[found[2]]
    if seconds > _LONGEST_S:
        raise ValueError(f"{' '.join(words)} is longer than {_LONGEST_S / 3600:g} h")
    return seconds


def _arguments(command: str, words: list[str], ticket: Callable[[str], str]) -> dict[str, Any]:
    """A command's arguments; ``ticket`` turns $1 into a label."""
    args: dict[str, Any] = {}
    positions = iter(_POSITIONS.get(command, ()))
    for word in words:
        name, is_named, value = word.partition("=")
        if not is_named:
            name, value = next(positions, ""), word
            if not name:
                raise ValueError(f"{command} takes no more words; write name=value")
        if value.startswith("$") and not value[1:].isdigit():
            raise ValueError(f"{value} is no ticket of the story; the first is $1")
        args[name] = _value(name, ticket(value) if value.startswith("$") else value)
    return args


def _value(name: str, word: str) -> Any:
    if name == "lanes":
        return word.split(",")
    if word in ("true", "false"):
        return word == "true"
    if name in ("size", "pictogram", "utc_s") and word.isdigit():
        return int(word)
    return word.replace("_", " ") if name == "why" else word


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
                    await self._press(_LETTERS[letter])
            case "hold":
                await self._press(words[0], round(1000 * _seconds(words[1:], _HOLD_S)))
            case "chord":
                for key in words:
                    self._hub.board.keys.press(key)
                await self._still()
            case "wait":
                await asyncio.sleep(_seconds(words, None))
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
        args = _arguments(name, words, self._ticket)
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
            await asyncio.sleep(_seconds(words[1:], None))
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
