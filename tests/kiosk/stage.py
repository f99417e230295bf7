"""Runs under MicroPython: the kiosk's screens and hub, with a panel whose bus is decoded, flash in memory and
a clock that only the script moves.

Arguments: firmware folder, assets folder, a folder for pictures (or "-"). One JSON list of steps comes on
stdin (an argument of MicroPython's is at most 255 bytes). Each step prints one JSON object. Steps: ["key",
name], ["hold", key], ["event", key, what], ["wait", ms], ["wish", name, args], ["trouble", name], ["well",
name], ["refuse", reason or null] (what visitors wish from now on), ["type"] (the last ticket's code) or
["type", presses], ["language", code], ["home"], ["visits", n] (n whole check-ins, one after the other),
["power"] (cut and restart), ["snap", name], ["spare"] (drop what nobody uses), ["read"] (the ui's task has
time for what comes next), ["lack", n, key] (a press whose n-th part finds no memory, once).
"""

import json
import sys

firmware, assets, pictures = sys.argv[1:4]
script = sys.stdin.read()
sys.path[:0] = [firmware]

import asyncio  # noqa: E402  (before the clock is replaced: it takes the real one)
import time as real_time  # noqa: E402

NOW = 1000


class Time:
    """Stands in for the module `time`."""

    ticks_us = real_time.ticks_us

    @staticmethod
    def ticks_ms():
        return NOW & 0x3FFFFFFF

    @staticmethod
    def ticks_diff(a, b):
        return ((a - b + 0x20000000) & 0x3FFFFFFF) - 0x20000000

    @staticmethod
    def ticks_add(a, b):
        return (a + b) & 0x3FFFFFFF

    @staticmethod
    def sleep_ms(ms):
        pass


assert asyncio
sys.modules["time"] = Time

import gc  # noqa: E402

import micropython  # noqa: E402

from drivers.st7796 import ST7796  # noqa: E402
from hubcore.errors import HubError, Refused  # noqa: E402
from kiosk import parts  # noqa: E402
from kiosk import ui as machine  # noqa: E402
from kiosk.canvas import Canvas  # noqa: E402
from kiosk.groups import prepare, spare  # noqa: E402
from kiosk.hub import KioskHub  # noqa: E402
from services.clock import Clock  # noqa: E402
from services.journal import Journal  # noqa: E402
from tasks.forget import sheds  # noqa: E402

W = 480
H = 320


class Flash:
    """A partition in memory that takes what it is told."""

    def __init__(self, sectors):
        self.data = bytearray(b"\xff" * (4096 * sectors))

    def readblocks(self, block, buf, offset=0):
        at = block * 4096 + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset):
        at = block * 4096 + offset
        self.data[at : at + len(buf)] = buf

    def ioctl(self, command, block):
        if command == 4:
            return len(self.data) // 4096
        if command == 5:
            return 4096
        self.data[block * 4096 : block * 4096 + 4096] = b"\xff" * 4096
        return 0


@micropython.viper
def _turn(columns: ptr16, rows: ptr16, w: int, h: int):  # noqa: F821  (viper's own type)
    for y in range(h):
        for x in range(w):
            rows[y * w + x] = columns[x * h + y]


def picture(columns):
    """The panel's memory, which goes column by column, row by row."""
    rows = bytearray(len(columns))
    _turn(columns, rows, W, H)
    return rows


class Bus:
    """What a controller makes of the panel's bus: its memory (column by column, as it is written), and how
    many bytes of pixels came."""

    def __init__(self):
        self.memory = bytearray(W * H * 2)
        self.sent = 0
        self.data = 0
        self.command = 0
        self.at = [0, 0, 0, 0]  # the window
        self.put = 0

    def dc(self, level):
        self.data = level

    def init(self, **_):
        pass

    def write(self, buf):
        if not self.data:
            self.command = buf[0]
            self.put = 0
        elif self.command in (0x2A, 0x2B):
            i = 0 if self.command == 0x2A else 2
            self.at[i] = buf[0] << 8 | buf[1]
            self.at[i + 1] = buf[2] << 8 | buf[3]
        elif self.command == 0x2C:
            self._pixels(memoryview(buf))

    def _pixels(self, buf):
        top, bottom, left, right = self.at
        assert 0 <= left <= right < W and 0 <= top <= bottom < H, self.at
        column = (bottom - top + 1) * 2
        self.sent += len(buf)
        done = 0
        while done < len(buf):
            x, y = divmod(self.put, column)
            assert left + x <= right, "more pixels than the window has"
            n = min(column - y, len(buf) - done)
            at = ((left + x) * H + top) * 2 + y
            self.memory[at : at + n] = buf[done : done + n]
            done += n
            self.put += n


class Checked(Canvas):
    """A canvas that notes what does not stay within the panel or its part, and what overlaps in a picture."""

    faults = []
    lack = 0

    def __init__(self, *parts):
        self._depth = 0
        self._live = False
        self._rects = []
        super().__init__(*parts)

    def begin(self, *args):
        self._rects = []
        self._live = True
        super().begin(*args)

    def end(self):
        self._live = False
        super().end()

    def claim(self, what, x, y, w, h):
        if self._depth:
            return
        if x < 0 or y < 0 or x + w > W or y + h > H or y % 4 or h <= 0:
            self.faults.append([what, "outside", x, y, w, h])
        if self._live:
            for a, b, c, d in self._rects:
                if x < a + c and a < x + w and y < b + d and b < y + h:
                    self.faults.append([what, "overlaps", x, y, w, h, a, b, c, d])
            self._rects.append((x, y, w, h))

    def _open(self, *args):
        if self.lack:
            Checked.lack -= 1
            if not self.lack:
                self._depth = 0
                raise MemoryError
        super()._open(*args)

    def _fits(self, what, text, x, y, h):
        for line in bytes(text).split(b"\n"):
            if x + self.words.width(line) > W - 4:
                self.faults.append([what, "clipped", repr(line)])
            self.claim(what, 0, y, W, h)
            y += h
            h = 48

    def _call(self, method, *args):
        self._depth += 1
        try:
            return method(*args)
        finally:
            self._depth -= 1

    def heading(self, text, icon=None):
        self.title = "".join([chr(c) if 32 <= c < 127 else "?" for c in text])
        self._fits("heading", text, 8 if icon is None else 60, 0, 52)
        return self._call(super().heading, text, icon)

    def text(self, text, y, *args):
        self._fits("text", text, 8, y, 48)
        return self._call(super().text, text, y, *args)

    def part(self, text, y, start, end, icon=None):
        if start + (8 if icon is None else 52) + self.words.width(text) > end:
            self.faults.append(["part", "clipped", repr(bytes(text))])
        self.claim("part", start, y, end - start, 48)
        self._call(super().part, text, y, start, end, icon)

    def row(self, text, y, chosen, icon=None, h=48, beside=0, size=44):
        x = 48 if size == 44 else 48 + size
        if x + self.words.width(text) > W - beside - (0 if beside else 4):
            self.faults.append(["row", "clipped", repr(bytes(text))])
        self.claim("row", 0, y, W - beside, h)
        self._call(super().row, text, y, chosen, icon, h, beside, size)

    def beside(self, icon, y, *args):
        self.claim("beside", W - 80, y, 80, 80)
        self._call(super().beside, icon, y, *args)

    def cell(self, what, x, y, w, h, size, *args):
        if (size or self.words.width(what)) > w:
            self.faults.append(["cell", "clipped", repr(what)])
        self.claim("cell", x, y, w, h)
        self._call(super().cell, what, x, y, w, h, size, *args)

    def endonym(self, language, y, chosen):
        self.claim("endonym", 0, y, W, 48)
        self._call(super().endonym, language, y, chosen)

    def begin_line(self, language, y):
        self.claim("begin", 0, y, W, 48)
        return self._call(super().begin_line, language, y)

    def blank(self, y, h, *args):
        if h:
            self.claim("blank", 0, y, W, h)
            self._call(super().blank, y, h, *args)

    def picture(self, index, x, y, size, *args):
        self.claim("picture", x, y, size, size)
        self._call(super().picture, index, x, y, size, *args)

    def label(self, text, x, y):
        pictures = self.pictures
        w = sum([pictures.width(pictures.letter(c)) for c in text])
        self.claim("label", x, y, w, 92)
        self._call(super().label, text, x, y)


class Chance:
    """Random bytes that are the same each time."""

    state = 7

    def __call__(self, n):
        out = bytearray(n)
        for i in range(n):
            self.state = (self.state * 1103515245 + 12345) & 0x3FFFFFFF
            out[i] = self.state >> 13 & 255
        return bytes(out)


def load(ui, name, real=machine.load):
    """As the machine's own; a grid of pictograms then always begins with the first."""
    real(ui, name)
    if "kiosk.pictures" in sys.modules:
        sys.modules["kiosk.pictures"].urandom = bytes


machine.load = load


class Stage:
    """The kiosk as power on makes it."""

    flash = Flash(96)
    secrets = Flash(16)

    def __init__(self):
        self.bus = Bus()
        self.wishes = []
        self.refused = None
        self.last_code = None
        self.spared = None
        self.wished = None  # what was in memory at the last wish
        self.hub = KioskHub(Journal(self.flash), Clock(), "K", Chance(), self.secrets)
        self.hub.start("power", "test")
        self._wish = self.hub.wish
        self.hub.wish = self.wish
        none = lambda level: None  # noqa: E731
        panel = ST7796(self.bus, none, self.bus.dc, none, none, W, H, 1, bytearray(4 * W))
        panel.init()
        self.ui = parts.build_ui(panel, self.hub, assets, None, Checked)
        sheds[:] = [self.ui.shed]
        self.hub.listeners.append(self.ui.changed)
        self.bus.sent = 0
        self.ui.start()

    def wish(self, name, args, cmd=None):
        self.wishes.append([name, args])
        self.wished = sorted(self.ui.groups)
        del self.wishes[:-4]
        if self.refused and name in ("checkin", "promise", "left", "consent_give"):
            raise Refused(self.refused)
        result = self._wish(name, args, cmd)
        if "code" in result:
            self.last_code = result["code"]
        return result

    def report(self, step):
        ui = self.ui
        name = None
        for key, screen in ui.screens.items():
            if screen is ui.screen:
                name = key
        fold = self.hub.fold
        answers = ui.answers
        out = {
            "step": step,
            "screen": name,
            "warned": ui._warned,
            "sent": self.bus.sent,
            "wishes": [[name, _plain(args)] for name, args in self.wishes],
            "language": ui.words.language,
            "at": getattr(ui.screen, "at", None),
            "need": answers.need,
            "label": answers.label,
            "others": list(answers.others),
            "code": self.last_code,
            "faults": Checked.faults,
            "left_ms": ui.left_ms(),
            "alerts": [alert.why for alert in fold.alerts.values()],
            "visits": [[v.label, v.state, list(v.consents)] for v in fold.visits.values()],
            "closed": {label: list(visit.consents) for label, visit in fold.closed.items()},
            "promises": list(fold.promises),
            "depth": ui._depth,
            "groups": sorted(ui.groups),
            "wished": self.wished,
            "spared": self.spared,
            "passing": [
                name
                for name in [name[6:] for name in sys.modules if name.startswith("kiosk.")]
                + dir(sys.modules["kiosk"])
                if name.startswith(("desk", "mine", "code"))
            ],
        }
        self.bus.sent = 0
        print(json.dumps(out))


def _plain(args):
    return {key: "..." if isinstance(value, bytes) else value for key, value in args.items()}


def tap(ui, key):
    """A press and its end."""
    ui.press(key)
    if key != "help":
        ui.event(key, "release")


def play(steps):
    global NOW
    stage = Stage()
    stage.report(["start"])
    for step in steps:
        what = step[0]
        ui = stage.ui
        if what == "key":
            tap(ui, step[1])
        elif what == "hold":
            ui.press(step[1]) if step[1] != "help" else None
            ui.hold(step[1])
            ui.event(step[1], "release")
        elif what == "event":
            ui.event(step[1], step[2])
        elif what == "wait":
            NOW += step[1]
            ui.tick()
        elif what == "wish":
            try:
                stage._wish(step[1], step[2])
            except HubError as error:
                print(step, error)
                raise
            ui.tick()
        elif what == "trouble":
            stage.hub.health.set(step[1], True, "test")
            ui.tick()
        elif what == "well":
            stage.hub.health.set(step[1], False)
        elif what == "refuse":
            stage.refused = step[1]
        elif what == "type":
            for key in stage.last_code if len(step) == 1 else step[1]:
                tap(ui, {"u": "up", "d": "down", "y": "yes", "b": "back"}[key])
        elif what == "language":
            ui.words.use(step[1])
            (ui.screens["warning"] if ui._warned else ui.screen).draw(ui.canvas)
        elif what == "home":
            ui.idle()
        elif what == "visits":
            for _ in range(step[1]):
                for key in ("yes",) * 6:
                    ui.press(key)
                assert ui.screen is ui.screens["ticket"], ui.screen
                stage._wish("left", {"ticket": ui.answers.label})
                ui.idle()
            gc.collect()
            print(json.dumps({"heap": gc.mem_alloc()}))
        elif what == "spare":
            stage.spared = spare(ui)
        elif what == "read":
            if ui.ahead:
                prepare(ui)
        elif what == "lack":
            Checked.lack = step[1]
            ui._safely(ui.press, step[2])
        elif what == "power":
            stage = Stage()
        elif what == "snap" and pictures != "-":
            with open(pictures + "/" + step[1] + ".rgb", "wb") as file:  # noqa: PTH123  (MicroPython)
                file.write(picture(stage.bus.memory))
        stage.report(step)


if __name__ == "__main__":
    play(json.loads(script))
