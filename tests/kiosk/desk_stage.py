"""Runs under MicroPython: the staff desk on the stage of stage.py; its arguments.

Steps: ["key", name], ["hold", name], ["choose", row, ..] (moves to each row and takes it), ["wait", ms],
["wish", name, args] (of somebody else), ["pin", name, presses], ["trouble", name], ["well", name], ["alarm",
what], ["fail", reason] (every wish at the desk is refused; null: none), ["broken"] (the flash fails once),
["language", code], ["heap"], ["clock", UTC seconds].
"""

import gc
import json
import sys

import stage as room

from hubcore.errors import Refused
from kiosk.words import Words

SEEN = {}


class Spy(Words):
    """Words that remember which strings were asked for."""

    def __call__(self, name):
        SEEN[name] = 1
        return super().__call__(name)


room.parts.Words = Spy


class Desk(room.Stage):
    """A stage that tells what staff see."""

    failing = None
    broken = False
    heap = 0

    def wish(self, name, args, cmd=None):
        if self.broken:
            self.broken = False
            raise room.HubError("the flash failed")
        if self.failing:
            self.wishes.append([name, args])
            raise Refused(self.failing, "K12")
        return super().wish(name, args, cmd)

    def report(self, step):
        ui = self.ui
        fold = self.hub.fold
        rows = getattr(ui.screen, "rows", None)
        name = None
        for key, screen in ui.screens.items():
            if screen is ui.screen:
                name = key
        out = {
            "step": step,
            "heap": self.heap,
            "title": getattr(ui.canvas, "title", None),
            "screen": name,
            "warned": ui._warned,
            "sent": self.bus.sent,
            "wishes": [[name, room._plain(args)] for name, args in self.wishes],
            "seen": [name for name in SEEN if name.startswith("desk.")],
            "faults": room.Checked.faults,
            "at": getattr(ui.screen, "at", None),
            "rows": None if rows is None else [row if isinstance(row, str) else "*" for row in rows],
            "who": self.hub.staff.who,
            "home": ui.home,
            "language": ui.words.language,
            "left_ms": ui.left_ms(),
            "loaded": [key for key in sys.modules if key.startswith("kiosk.desk")],
            "held": [1 for screen in ui._back if screen is not None and "desk" in str(type(screen))],
            "day_open": fold.day_open,
            "full": fold.full,
            "chairs": {key: [chair.open, chair.visit, chair.paused] for key, chair in fold.chairs.items()},
            "visits": {key: [visit.state, visit.lane, visit.need] for key, visit in fold.visits.items()},
            "arrivals": {key: visit.arrival for key, visit in fold.visits.items()},
            "promises": sorted(fold.promises),
            "counts": fold.counts,
            "alerts": [alert.why for alert in fold.alerts.values()],
        }
        self.bus.sent = 0
        self.wishes = []
        SEEN.clear()
        print(json.dumps(out))


def wait(ui, ms):
    """Let time pass as the ui's task does: it looks whenever something is due."""
    while ms > 0:
        due = ui.left_ms()
        pause = ms if due is None else max(1, min(ms, due))
        room.NOW += pause
        ms -= pause
        ui.tick()


def choose(ui, name):
    """Move to a row, of those that are no string the first, and take it."""
    rows = ui.screen.rows
    for i, row in enumerate(rows):
        if row == name or (name == "*" and not isinstance(row, str)):
            key = "down" if i > ui.screen.at else "up"
            while ui.screen.at != i:
                ui.press(key)
            ui.press("yes")
            ui.tick()
            return
    raise ValueError((name, rows))


def play(steps):
    stage = Desk()
    hub = stage.hub
    ui = stage.ui
    stage.report(["start"])
    for step in steps:
        what = step[0]
        if what == "key":
            room.tap(ui, step[1])
            ui.tick()
        elif what == "hold":
            if step[1] != "help":
                ui.press(step[1])
            ui.hold(step[1])
            ui.event(step[1], "release")
        elif what == "clock":
            hub.set_clock(step[1])
            ui.tick()
        elif what == "choose":
            for name in step[1:]:
                choose(ui, name)
        elif what == "wait":
            wait(ui, step[1])
            hub.idle()
            ui.tick()
        elif what == "wish":
            stage._wish(step[1], step[2])
            ui.tick()
        elif what == "pin":
            hub.staff.set(step[1], step[2])
        elif what == "trouble":
            hub.health.set(step[1], True, "test")
            ui.tick()
        elif what == "well":
            hub.health.set(step[1], False)
            ui.tick()
        elif what == "alarm":
            hub.alarm = step[1]
            ui.tick()
        elif what == "fail":
            stage.failing = step[1]
        elif what == "broken":
            stage.broken = True
        elif what == "language":
            ui.words.use(step[1])
            ui.screen.draw(ui.canvas)
        elif what == "heap":
            gc.collect()
            gc.collect()
            stage.heap = gc.mem_alloc()
        stage.report(step)


play(json.loads(room.script))
