"""Which screens take turns in memory.

The languages, help and notices stay (kiosk.registry). All others come in groups of modules. When a screen of
a group is shown that is not there, the group is loaded and what others made is forgotten, modules and all.
So that nobody waits for that, the group that comes next is loaded while a screen is read, if there is room:
the check-in's questions at idle, what they end in when they begin, idle under the ticket. Only the desk's
alert joins whatever is there, so that back from it everything is as it was.
What the largest set takes is counted by the laptop's smilehub.devices.memory.
"""

import gc
from time import ticks_diff, ticks_ms

from micropython import const

from tasks.forget import fetch, forget

_QUIET_MS = const(5000)
_ROOM = const(20480)  # with fewer bytes free nothing is loaded before it is shown
SHORT = 12288  # so few bytes free: screens that nobody looks at give way

# By the screen that a group is entered by: its modules; `screens(ui)` of the first one makes all its screens.
GROUPS = {
    "idle": ("idle",),
    "need": ("checkin", "emergency", "visitor"),
    "pictogram": ("pictures", "grid", "ticket", "visitor"),
    "mine": ("mine",),
    "mine_code": ("mine_code", "code", "visitor"),
    "mine_find": ("mine_find", "grid", "mine_code", "code", "visitor"),
    "desk_in": ("desk_in", "desk", "code"),
    "desk": ("desk_board", "desk"),
    "desk_acts": ("desk_ticket",),
    "desk_close": ("desk_day",),
    "desk_alert": ("desk_alert", "desk"),
}
# Which others may stay when a group is loaded.
_DESK = ("desk", "desk_alert")
_MINE = ("idle", "mine", "mine_code", "mine_find")
BESIDE = {
    "idle": ("need", "pictogram") + _MINE,
    "need": ("idle",),
    "pictogram": ("need",),
    "mine": ("idle", "need"),
    "mine_code": _MINE,
    "mine_find": _MINE,
    "desk_acts": _DESK,
    "desk_close": _DESK,
    "desk_alert": tuple(GROUPS),
}
# Other screens that a group is entered by; those of need are not listed.
_ALSO = {
    "ticket": "pictogram",
    "desk_queue": "desk_acts",
    "desk_promised": "desk_acts",
    "desk_health": "desk_close",
}
# What is loaded while a screen is read.
_AHEAD = {
    "idle": "need",
    "language": "need",
    "need": "pictogram",
    "flags": "pictogram",
    "size": "pictogram",
    "ticket": "idle",
    "seat": "idle",
    "mine": "mine_code",
}


def load(ui, name: str) -> None:
    """Bring the group of a screen into memory, instead of those that it takes turns with."""
    name = _ALSO.get(name, name)
    if name not in GROUPS:
        name = "need"
    if name in ui.groups:
        return
    modules = GROUPS[name]
    if drop(ui, BESIDE.get(name, ()), modules):
        gc.collect()
    try:
        made = fetch("kiosk." + modules[0]).screens(ui)
    except MemoryError:
        # Then with no more than the desk: back leads past what is no longer there.
        drop(ui, _DESK, modules)
        gc.collect()
        made = fetch("kiosk." + modules[0]).screens(ui)
    if gc.mem_free() < SHORT:
        gc.collect()
        if gc.mem_free() < SHORT and drop(ui, _DESK, modules):
            gc.collect()
    ui.screens.update(made)
    ui.groups[name] = tuple(made)


def follows(ui, name: str) -> "str | None":
    """The group that is to be loaded while that screen is read, if any."""
    group = _AHEAD.get(name)
    return None if group in ui.groups or ui.home != "idle" else group


def prepare(ui) -> None:
    """Load it now, if there is room and nothing in use has to make some."""
    name = ui.ahead
    ui.ahead = None
    gc.collect()
    if gc.mem_free() > _ROOM:
        for group in ui.groups:
            if group not in BESIDE[name] and ui.uses(ui.groups[group]):
                return
        load(ui, name)


def drop(ui, beside=(), modules=()) -> bool:
    """Forget all groups but those `beside`, and of these groups' modules all that no other has but those
    named. Whether there were any; they are garbage then."""
    groups = ui.groups
    gone = [group for group in groups if group not in beside]
    for group in gone:
        for name in groups.pop(group):
            del ui.screens[name]
    for group in gone:
        for module in GROUPS[group]:
            if module not in modules and not any([module in GROUPS[kept] for kept in groups]):
                forget("kiosk." + module)
    if gone:
        ui.release()
    return bool(gone)


def spare(ui, quiet_ms=_QUIET_MS) -> bool:
    """Drop every group that neither shows nor lies behind what shows, if no key was pressed for so long.

    Whether so. What was dropped is loaded when it is next shown, which takes as long as at the first time.
    """
    if ticks_diff(ticks_ms(), ui.since) < quiet_ms:
        return False
    ui.ahead = None
    if drop(ui, [group for group in ui.groups if group == "desk" or ui.uses(ui.groups[group])]):
        gc.collect()
    return True
