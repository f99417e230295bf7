"""Runs under MicroPython: the staff desk on the real fold and desk, with a clock that only the script moves.

Arguments: firmware folder, assets folder, a folder for pictures (or "-"). One JSON list of steps comes on
stdin. Each prints one JSON object. Steps: ["key", name], ["hold", name], ["wait", ms], ["wish", name, args]
(of somebody else), ["staff", name, pin], ["trouble", name, on], ["left_over", on], ["alarm", what],
["fail", reason] (every wish is refused; null: none), ["use", language], ["snap", name], ["heap"].
"""

import json
import sys

firmware, assets, pictures = sys.argv[1:4]
script = sys.stdin.read()
sys.path[:0] = [firmware]

import asyncio  # noqa: E402  (before the clock is replaced: it takes the real one)

NOW = 1000


class Clock:
    """Stands in for the module `time`, and for services.clock."""

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
    def uptime_ms():
        return NOW


assert asyncio
sys.modules["time"] = Clock

import gc  # noqa: E402

import framebuf  # noqa: E402

from hubcore import records  # noqa: E402
from hubcore.desk import decide  # noqa: E402
from hubcore.errors import Refused  # noqa: E402
from hubcore.fold import Hub  # noqa: E402
from kiosk import parts  # noqa: E402
from services.staff import Staff  # noqa: E402

W, H = 480, 320
JOURNAL = b"\1" * 8


class Panel:
    """The panel's memory; counts what is sent."""

    width = W
    height = H

    def __init__(self):
        self.memory = bytearray(W * H * 2)
        self.fb = framebuf.FrameBuffer(self.memory, W, H, framebuf.RGB565)
        self.sent = 0

    def send(self, fb, palette, x, y, w, h, left=0):
        assert x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= W and y + h <= H, (x, y, w, h)
        window = framebuf.FrameBuffer(memoryview(self.memory)[(y * W + x) * 2 :], w, h, framebuf.RGB565, W)
        window.blit(fb, -left, 0, -1, palette)
        self.sent += w * h * 2

    def fill(self, x, y, w, h, rgb565):
        self.fb.fill_rect(x, y, w, h, rgb565)
        self.sent += w * h * 2


class Keys(dict):
    """Stands in for the key store."""

    device_key = b"\2" * 32
    names = dict.keys
    set = dict.__setitem__


class Health:
    standing = ()


class KioskHub:
    """As kiosk.hub.KioskHub, with a journal that is only the fold."""

    def __init__(self):
        self.fold = Hub()
        self.clock = Clock
        self.alarm = None
        self.left_over = False
        self.refuse = None
        self.wishes = []
        self.faults = []
        self.health = Health()
        self.staff = Staff(self, Keys(), lambda n: bytes(range(n)))
        self.taken = 0

    @property
    def taking(self):
        return self.fold.day_open and not self.fold.full

    def now_ms(self):
        return self.fold.now_ms(1, NOW)

    def rnd(self, n):
        self.taken += 7
        return bytes((self.taken + i) & 255 for i in range(n))

    def note(self, kind, fields):
        code, body = records.build(kind, fields)
        raw = records.encode(code, self.fold.next_seq, 1, NOW, None, body)
        record = records.decode(raw)
        self.fold.apply(JOURNAL, record)
        return record

    def wish(self, name, args, cmd=None):
        if args.get("who"):
            self.wishes.append([name, {k: v for k, v in args.items()}])
        if self.refuse:
            raise Refused(self.refuse, "K12")
        if name == "alert_ack" and self.alarm and not self.fold.alerts:
            self.alarm = None
            return {}
        record = self.note(*decide(self.fold, name, args, self.now_ms(), self.rnd, cmd, "K"))
        result = {"seq": record.seq, "already": False}
        if "label" in record.body:
            result["ticket"] = record.body["label"]
            result["others"] = record.body.get("others", [])
        return result

    def settle(self, who):
        self.wishes.append(["settle", {"who": who}])
        self.left_over = False

    def fault(self, task, error):
        self.faults.append([task, str(error)])


class Spy:
    """Words that remember which strings were asked for."""

    def __init__(self, words):
        self.words = words
        self.seen = {}

    def __getattr__(self, name):
        return getattr(self.words, name)

    def __contains__(self, name):
        return name in self.words

    def __call__(self, name):
        self.seen[name] = 1
        return self.words(name)

    def fill(self, name, *values):
        self.seen[name] = 1
        return self.words.fill(name, *values)


class Font:
    """A font that notes what does not stay on the panel."""

    def __init__(self, font):
        self.font = font
        self.clipped = []

    def __getattr__(self, name):
        return getattr(self.font, name)

    def draw(self, fb, text, x, y, ink):
        end = self.font.draw(fb, text, x, y, ink)
        if end > W - 4:
            self.clipped.append([str(bytes(text)), end])
        return end


panel = Panel()
hub = KioskHub()
ui = parts.build_ui(panel, hub, assets)
ui.words = Spy(ui.words)
ui.canvas.font = Font(ui.canvas.font)
ui.staff = hub.staff
ui.health = hub.health


def report(step):
    name = None
    for key, screen in ui.screens.items():
        if screen is ui.screen:
            name = key
    fold = hub.fold
    rows = getattr(ui.screen, "rows", None)
    out = {
        "step": step,
        "screen": name,
        "warned": ui._warned,
        "sent": panel.sent,
        "wishes": hub.wishes,
        "seen": list(ui.words.seen),
        "clipped": ui.canvas.font.clipped,
        "at": getattr(ui.screen, "at", None),
        "rows": None if rows is None else [row if isinstance(row, str) else "*" for row in rows],
        "who": hub.staff.who,
        "home": ui.home,
        "language": ui.words.language,
        "left_ms": ui.left_ms(),
        "loaded": sorted(key for key in sys.modules if "desk" in key and key.startswith("kiosk")),
        "day_open": fold.day_open,
        "full": fold.full,
        "chairs": {name: [chair.open, chair.visit, chair.paused] for name, chair in fold.chairs.items()},
        "visits": {label: [visit.state, visit.lane, visit.need] for label, visit in fold.visits.items()},
        "alerts": len(fold.alerts),
        "faults": hub.faults,
    }
    panel.sent = 0
    hub.wishes = []
    ui.words.seen = {}
    print(json.dumps(out))


ui.start()
report(["start"])
for step in json.loads(script):
    what = step[0]
    if what == "key":
        ui.press(step[1])
        ui.tick()
    elif what == "hold":
        ui.press(step[1])
        ui.hold(step[1])
        ui.tick()
    elif what == "wait":
        left = step[1]
        while left > 0:
            due = ui.left_ms()
            pause = left if due is None else max(1, min(left, due))
            NOW += pause
            left -= pause
            ui.tick()
    elif what == "wish":
        result = hub.wish(step[1], step[2])
        ui.tick()
        print(json.dumps({"result": result}))
    elif what == "staff":
        hub.staff.set(step[1], step[2])
    elif what == "trouble":
        names = set(hub.health.standing)
        (names.add if step[2] else names.discard)(step[1])
        hub.health.standing = tuple(sorted(names))
        ui.tick()
    elif what == "left_over":
        hub.left_over = step[1]
        ui.tick()
    elif what == "alarm":
        hub.alarm = step[1]
        ui.tick()
    elif what == "fail":
        hub.refuse = step[1]
    elif what == "use":
        ui.words.use(step[1])
    elif what == "heap":
        gc.collect()
        gc.collect()
        print(json.dumps({"heap": gc.mem_alloc()}))
    elif what == "snap" and pictures != "-":
        with open(pictures + "/" + step[1] + ".565", "wb") as file:  # noqa: PTH123  (MicroPython)
            file.write(panel.memory)
    report(step)
