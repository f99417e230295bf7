"""Which screens take turns in memory.

Idle, the languages, help, an emergency and notices stay (kiosk.registry). All others come in groups of
modules. When a screen of a group is shown that is not there, the group is loaded and what another one made is
forgotten, modules and all: check-in, lookup, sign-in and staff desk are never in memory together. Only the
desk's alert joins whatever is there, so that back from it everything is as it was. At idle, once nobody
waits for a picture, the check-in is loaded again. What the largest set takes is counted by the laptop's
smilehub.devices.memory.
"""

from tasks.forget import forget

# By the screen that a group is entered by (the check-in by any): its modules; `screens(ui)` of the first one
# makes all its screens.
GROUPS = {
    "need": ("checkin", "pictures", "grid", "ticket", "consents"),
    "mine": ("mine", "mine_find", "grid", "code", "consents"),
    "desk_in": ("desk_in", "desk", "code"),
    "desk": ("desk_board", "desk", "desk_ticket", "desk_day"),
    "desk_alert": ("desk_alert", "desk"),
}
_JOINS = "desk_alert"


def load(ui, name: str) -> None:
    """Bring the group of a screen into memory, instead of the one that is there."""
    if name not in GROUPS:
        name = "need"
    modules = GROUPS[name]
    if name != _JOINS:
        drop(ui, modules)
    made = __import__("kiosk." + modules[0], None, None, ("screens",)).screens(ui)
    ui.screens.update(made)
    ui.groups[name] = tuple(made)


def drop(ui, keep=()) -> None:
    """Forget all groups, but not the modules in `keep`."""
    screens = ui.screens
    for group in ui.groups:
        for name in ui.groups[group]:
            del screens[name]
        for module in GROUPS[group]:
            if module not in keep:
                forget("kiosk." + module)
    ui.groups.clear()
    ui.release()
