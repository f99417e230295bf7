"""Puts the device together; needed once, and then no longer in memory."""

import gc
import os

from machine import WDT
from micropython import const

from kiosk import wiring
from kiosk.canvas import TILE_BYTES
from kiosk.glyphs import Font
from kiosk.hub import KioskHub
from kiosk.parts import build_ui
from kiosk.signs import Signs
from kiosk.wall import Wall
from services.cable import Cable
from services.clock import Clock
from services.journal import Journal
from services.log import Log
from services.radio import Radio
from services.session import Gate, Session
from services.supervisor import Supervisor
from services.watchdog import Watchdog
from tasks.forget import fetch, forget, shed, sheds

_ASSETS = __file__.rsplit("/", 1)[0] + "/assets"

_REPLAY = const(131072)


def build(app, slot: int, damaged: str) -> tuple:
    """All parts of ``app``, a kiosk.device.App; ``slot`` and ``damaged`` are what boot.py found."""
    # Nothing draws while the journal is read or an answer is made of it: they share what is drawn in.
    tile = bytearray(TILE_BYTES)
    scratch = memoryview(tile)
    panel = wiring.panel(scratch)
    journal = Journal(wiring.partition("journal"), buf=scratch)
    clock = Clock(chip=wiring.chip())
    hub = KioskHub(journal, clock, wiring.LETTER, keys=wiring.partition("keys"), tz=wiring.TZ)
    ui = build_ui(panel, hub, _ASSETS, tile)
    sheds.extend((ui.shed, hub.shed))
    matrix = wiring.matrix()
    wall = Wall(matrix, Font(_ASSETS + "/wall.fnt"), hub)
    sounder = wiring.sounder()
    signs = Signs(hub, sounder, wiring.pixel(), hub.health)
    keypad = wiring.keypad()
    log = Log()
    os.dupterm(log)
    known = fetch("services.identity").load(hub.keys) if hub.keys else None
    gate = Gate(hub, scratch, wiring.ABOUT, known, slot, log, ui, keypad, shed)
    cable = Cable(wiring.uart(), gate.out, wiring.ABOUT[0], gate.context is not None)
    radio = Radio(known and known[3], wiring.ABOUT[0], hub.health, gate.refuse)
    works = {
        "cable in": cable.read,
        "cable out": cable.write_all,
        "session": Session(cable, gate).run,
        "radio": radio.run,
        "air": Session(radio, gate).run,
    }
    supervisor = Supervisor(hub, Watchdog(WDT))
    gate.restarts = supervisor.restarts
    supervisor.chore(hub.idle)
    supervisor.chore(app.look)
    supervisor.chore(app.tidy)
    fetch("services.rare").begin(gate)
    forget("services.identity", "services.door", "hubcore.asked", "services.rare")
    # Last, when every buffer has its place: a replay makes much garbage, and collecting it every few records
    # would take most of the start.
    gc.collect()
    gc.threshold(_REPLAY)
    hub.start(wiring.cause(), wiring.VERSION, slot, damaged)
    return panel, hub, ui, matrix, wall, sounder, signs, keypad, radio, works, supervisor
