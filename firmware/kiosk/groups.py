"""Which screens take turns in memory.

The languages, help and notices stay (kiosk.registry). All others come in groups of modules. When a screen of
a group is shown that is not there, the group is loaded and what others made is forgotten, modules and all:
check-in, lookup, sign-in and staff desk are never in memory together, nor are the desk's two large parts,
tickets and day. Only the desk's alert joins whatever is there, so that back from it everything is as it was,
and idle stands beside the check-in, which is loaded for the next visitor once nobody waits for a picture, if
there is room: it is for speed alone.
What the largest set takes is counted by the laptop's smilehub.devices.memory.
"""

import gc
from time import ticks_diff, ticks_ms

from micropython import const

from tasks.forget import fetch, forget

_QUIET_MS = const(5000)
SHORT = 12288  # so few bytes free: screens that nobody looks at give way

# By the screen that a group is entered by (the check-in by any): its modules; `screens(ui)` of the first one
# makes all its screens.
GROUPS = {
    "idle": ("idle",),
    "need": ("checkin", "emergency", "pictures", "grid", "ticket", "visitor"),
    "mine": ("mine", "mine_find", "grid", "code", "visitor"),
    "desk_in": ("desk_in", "desk", "code"),
    "desk": ("desk_board", "desk"),
    "desk_acts": ("desk_ticket",),
    "desk_close": ("desk_day",),
    "desk_alert": ("desk_alert", "desk"),
}
# Which others may stay when a group is loaded.
_DESK = ("desk", "desk_alert")
_BESIDE = {
    "idle": ("need",),
    "need": ("idle",),
    "desk_acts": _DESK,
    "desk_close": _DESK,
    "desk_alert": tuple(GROUPS),
}
# Other screens that a group is entered by.
_ALSO = {"desk_queue": "desk_acts", "desk_promised": "desk_acts", "desk_health": "desk_close"}


def load(ui, name: str) -> None:
    """Bring the group of a screen into memory, instead of those that it takes turns with."""
    name = _ALSO.get(name, name)
    if name not in GROUPS:
        name = "need"
    if name in ui.groups:
        return
    modules = GROUPS[name]
    drop(ui, _BESIDE.get(name, ()), modules)
    try:
        made = fetch("kiosk." + modules[0]).screens(ui)
    except MemoryError:
        # Then with no more than the desk: back leads past what is no longer there.
        drop(ui, _DESK, modules)
        made = fetch("kiosk." + modules[0]).screens(ui)
    if gc.mem_free() < SHORT:
        gc.collect()
        if gc.mem_free() < SHORT:
            drop(ui, _DESK, modules)
    ui.screens.update(made)
    ui.groups[name] = tuple(made)


def drop(ui, beside=(), modules=()) -> None:
    """Forget all groups but those `beside`, and of these groups' modules all but those named."""
    groups = ui.groups
    gone = [group for group in groups if group not in beside]
    for group in gone:
        for name in groups.pop(group):
            del ui.screens[name]
        for module in GROUPS[group]:
            if module not in modules:
                forget("kiosk." + module)
    if gone:
        ui.release()
        gc.collect()


def spare(ui, quiet_ms=_QUIET_MS) -> bool:
    """Drop every group that neither shows nor lies behind what shows, if no key was pressed for so long.

    Whether so. What was dropped is loaded when it is next shown, which takes as long as at the first time.
    """
    if ticks_diff(ticks_ms(), ui.since) < quiet_ms:
        return False
    ui.stale = False
    kept = [group for group in ui.groups if group == "desk" or ui.uses(ui.groups[group])]
    drop(ui, kept, [module for group in kept for module in GROUPS[group]])
    return True
