"""The text of a story: one event a line (``HELP`` says which), read into steps."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from smilehub.errors import UsageError

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
LETTERS = {"u": "up", "d": "down", "y": "yes", "b": "back"}
_PARTS = ("panel", "wall", "clock", "battery", *KEYS)
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
HOLD_S = 2.0
_LONGEST_S = 100 * 3600.0
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


class Step(NamedTuple):
    """One line: its number, what to do, and with what."""

    line: int
    verb: str
    words: tuple[str, ...]


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
            if letters != "$code" and not set(letters) <= LETTERS.keys():
                raise ValueError(f"{letters!r} is not made of u, d, y and b")
        case "hold", (key, *time):
            _key(key)
            seconds(time, HOLD_S)
        case "wait", time:
            seconds(list(time), None)
        case "laptop", (_, *words):
            arguments(step.words[0], words, lambda value: value)
        case "power", ("on",):
            pass
        case "power", ("off", *time):
            seconds(time, 0.0)
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


def seconds(words: list[str], default: float | None) -> float:
    """``5 s`` or ``5s``."""
    if not words and default is not None:
        return default
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|min|h)", "".join(words))
    if found is None:
        raise ValueError(f"a time is needed, such as 5 s or 300 ms, not {' '.join(words)!r}")
    span = float(found[1]) * _UNITS[found[2]]
    if span > _LONGEST_S:
        raise ValueError(f"{' '.join(words)} is longer than {_LONGEST_S / 3600:g} h")
    return span


def arguments(command: str, words: list[str], ticket: Callable[[str], str]) -> dict[str, Any]:
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
