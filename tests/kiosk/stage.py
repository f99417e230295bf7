"""Runs under MicroPython: the kiosk's screens on a bare frame buffer with a clock that only the script moves.

Arguments: firmware folder, assets folder, a folder for pictures (or "-"). One JSON list of steps comes on
stdin (an argument of MicroPython's is at most 255 bytes). Each step prints one JSON object. Steps: ["key",
name], ["wait", ms], ["hub", attribute, value], ["visit", attribute, value] (of all), ["snap", name],
["use", language], ["visits", n] (n whole check-ins), ["alerts"] (all acknowledged), ["speed", keys] (CPU a
key), ["restart"].
"""

import json
import sys

firmware, assets, pictures = sys.argv[1:4]
script = sys.stdin.read()
sys.path[:0] = [firmware]

import asyncio  # noqa: E402  (before the clock is replaced: it takes the real one)
import time as real_time  # noqa: E402

NOW = 1000


class Clock:
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


assert asyncio
sys.modules["time"] = Clock

import gc  # noqa: E402

import framebuf  # noqa: E402

from hubcore.classes import class_of  # noqa: E402
from hubcore.errors import Refused  # noqa: E402
from hubcore.labels import PICTOGRAMS  # noqa: E402
from kiosk import parts  # noqa: E402
from kiosk.canvas import Canvas  # noqa: E402


class Panel:
    """A frame buffer that counts what would be sent and keeps what was."""

    width = 480
    height = 320

    def __init__(self):
        self.buffer = bytearray(self.width * self.height // 4)
        self.fb = framebuf.FrameBuffer(self.buffer, self.width, self.height, framebuf.GS2_HMSB)
        self.seen = bytearray(len(self.buffer))
        self.sent = 0
        self.shows = []
        self.colours = [None] * 4

    def colour(self, index, red, green, blue):
        self.colours[index] = [red, green, blue]

    def show(self, x, y, w, h):
        assert x >= 0 and y >= 0 and x + w <= 480 and y + h <= 320, (x, y, w, h)
        self.sent += w * h * 2
        self.shows.append([x, y, w, h])
        for row in range(y, y + h):
            at = row * 120 + x // 4
            end = row * 120 + (x + w + 3) // 4
            self.seen[at:end] = self.buffer[at:end]


class Checked(Canvas):
    """A canvas that notes text which does not stay on the panel."""

    clipped = []

    def text(self, text, x, y, ink):
        end = 0
        bottom = y
        for line in bytes(text).split(b"\n"):
            end = max(end, x + self.font.width(line))
            bottom += 48
        if end > self.width - 4 or bottom > self.height + 2:
            self.clipped.append([bytes(text).decode(), end, bottom])
        return super().text(text, x, y, ink)


class Thing:
    def __init__(self, **fields):
        for name, value in fields.items():
            setattr(self, name, value)


class Hub:
    """Stands in for kiosk.hub.KioskHub: remembers wishes, refuses when told to."""

    def __init__(self):
        self.wishes = []
        self.refuse = None
        self.number = 10
        self.fold = Thing(
            day_open=True,
            full=False,
            counts={"waiting": 0},
            last_call=None,
            alerts={},
            visits={},
            place=self.place,
        )

    def now_ms(self):
        return NOW

    def place(self, label, now_ms):
        return list(self.fold.visits).index(label) + 1

    def wish(self, name, args):
        self.wishes.append([name, args])
        del self.wishes[:-4]
        if name == "checkin":
            if self.refuse:
                raise Refused(self.refuse)
            label = "K" + str(self.number)
            self.number += 1
            visits = self.fold.visits
            if len(visits) > 5:
                visits.clear()
            visits[label] = Thing(
                label=label,
                seq=self.number,
                state="waiting",
                lang=args["lang"],
                pictogram=args["pictogram"],
                arrival_s=NOW // 1000,
                cls=class_of(args["need"]),
            )
            self.fold.counts["waiting"] = len(visits)
            return {"ticket": label}
        self.fold.alerts[len(self.fold.alerts)] = Thing(why=args["why"], acknowledged=False)
        return {}


panel = Panel()
hub = Hub()
ui = parts.build_ui(panel, hub, assets, Checked)


def report(step):
    name = None
    for key, screen in ui.screens.items():
        if screen is ui.screen:
            name = key
    out = {
        "step": step,
        "screen": name,
        "warned": ui._warned,
        "sent": panel.sent,
        "shows": panel.shows,
        "wishes": hub.wishes,
        "language": ui.words.language,
        "at": getattr(ui.screen, "at", None),
        "label": ui.answers.label,
        "need": ui.answers.need,
        "clipped": Checked.clipped,
        "whole": panel.seen == panel.buffer,
        "accent": panel.colours[3],
        "left_ms": ui.left_ms(),
    }
    panel.sent = 0
    panel.shows = []
    print(json.dumps(out))


def visit():
    for key in ("yes", "yes", "down", "yes", "yes", "yes", "down", "yes"):
        ui.press(key)
    assert ui.screen is ui.screens["ticket"], ui.screen
    ui.press("yes")
    panel.shows = []


ui.start()
ui.canvas.flush()
report(["start"])
for step in json.loads(script):
    what = step[0]
    if what == "key":
        ui.press(step[1])
    elif what == "wait":
        NOW += step[1]
        ui.tick()
    elif what == "hub":
        setattr(hub if step[1] == "refuse" else hub.fold, step[1], step[2])
        ui.tick()
    elif what == "visit":
        for open_visit in hub.fold.visits.values():
            setattr(open_visit, step[1], step[2])
    elif what == "use":
        ui.words.use(step[1])
    elif what == "alerts":
        for alert in hub.fold.alerts.values():
            alert.acknowledged = True
    elif what == "visits":
        for _ in range(step[1]):
            visit()
        gc.collect()
        print(json.dumps({"heap": gc.mem_alloc()}))
    elif what == "restart":
        ui.start()
        ui.canvas.flush()
    elif what == "speed":
        worst = []
        for key in step[1]:
            gc.collect()
            start = real_time.ticks_us()
            ui.press(key)
            worst.append(real_time.ticks_diff(real_time.ticks_us(), start))
        print(json.dumps({"us": worst}))
    elif what == "snap" and pictures != "-":
        with open(pictures + "/" + step[1] + ".gs2", "wb") as file:  # noqa: PTH123  (MicroPython)
            file.write(panel.seen)
    report(step)
print(json.dumps({"pictograms": PICTOGRAMS}))
