"""The heap that a kiosk's program gets, in bytes of the interpreter here (ARCHITECTURE.md, Heap)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from smilehub.errors import ImageError

#: Buffers that live as long as the kiosk's program, bytes: name, size as declared in the file named.
BUFFERS = {
    "what is drawn in, shared with the journal (kiosk/build.py)": 4992,
    "which strings were shown last (kiosk/words.py)": 5 * 17,
    "how far the picture reaches, and colours (kiosk/canvas.py)": 3 * 80 * 2 + 12,
    "link receive ring, rxbuf (board.toml)": 1024,
    "cable: stream both ways, frame decoder (services/cable.py)": 4 * 510 + 4 * 126 + 134,
    "what a laptop writes in the air (services/greet.py)": 244,
    "log of the console (services/log.py)": 512,
    "wall: shown, wanted, words (drivers/max7219.py)": 192 + 192 + 48,
}

_ALERT = {"kiosk/desk_alert", "kiosk/desk"}
_NEED = {"kiosk/checkin", "kiosk/emergency", "kiosk/visitor"}
_TICKET = {"kiosk/pictures", "kiosk/grid", "kiosk/ticket", "kiosk/visitor"}
_MINE = {"kiosk/mine", "kiosk/mine_code", "kiosk/mine_find", "kiosk/grid", "kiosk/code", "kiosk/visitor"}

#: Modules that take turns in memory (kiosk/groups.py, tasks/forget.py): of each row one set is loaded at a
#: time, at most, so the largest counts.
TURNS = (
    (
        {
            "boardcfg",
            "kiosk/wiring",
            "kiosk/build",
            "kiosk/parts",
            "kiosk/registry",
            "kiosk/opening",
            "services/recovery",
            "services/replay",
        },
        _NEED | _TICKET | _ALERT,
        _NEED | {"kiosk/idle", "kiosk/mine"},
        _TICKET | {"kiosk/idle"},
        _MINE | {"kiosk/idle"},
        {"kiosk/desk_in", "kiosk/desk", "kiosk/code"},
        {"kiosk/desk_board", "kiosk/desk", "kiosk/desk_ticket"} | _ALERT,
        {"kiosk/desk_board", "kiosk/desk", "kiosk/desk_day"} | _ALERT,
    ),
    (
        {"services/pins", "services/keys"},
        {"services/look", "services/keys"},
        {"services/look", "services/zone"},
        {"services/look", "drivers/ds3231"},
        {"kiosk/first"},
        {"hubcore/requests"},  # never, in fact
        {"kiosk/settle"},
        {"services/door", "hubcore/asked"},
        {"services/greet"},
        {"services/central"},
    ),
    # kiosk/hub.py: a wish, from deciding on it to folding its record
    (
        {"kiosk/wishes", "hubcore/desk", "hubcore/desk_seldom"},
        {"kiosk/wishes", "hubcore/writing", "hubcore/table"},
        {"kiosk/wishes", "hubcore/steps", "hubcore/steps_seldom"},
        {"hubcore/estimate"},
    ),
    (
        {"kiosk/receipts"},
        {"hubcore/reading"},
        {"hubcore/account"},
        {"services/answers", "hubcore/asked"},
        {"services/identity", "hubcore/asked"},
        {"services/rare", "services/identity"},
        {"services/rare", "services/keys"},
        {"services/rare", "services/files"},
    ),
)


def lasting(path: str) -> bool:
    """Whether a module, by its source's path in the slot, stays in memory: it takes no turns."""
    return path.removesuffix(".py") not in {name for row in TURNS for group in row for name in group}


def declared_bytes(files: Mapping[str, bytes]) -> int:
    """B: what is as large here as on the board, in bytes. ``files`` is the application in its slot.

    These are the declared buffers, the assets that stay in memory, and what of the loaded ``.mpy`` is code
    and constants. Texts of names count once, however many modules use a name: it is interned, and stays.
    """
    words = next(data for name, data in files.items() if name.endswith("words.idx"))
    # The most of a language that stays, two strings, one with its values (smilehub.devices.assets).
    resident = int.from_bytes(words[6:8], "little") + 2 * words[8] + words[9]
    resident += sum(len(data) for name, data in files.items() if name.endswith("wall.fnt"))
    compiled = {name.removesuffix(".mpy"): data for name, data in files.items() if name.endswith(".mpy")}
    own = {name: _own_bytes(data) for name, data in compiled.items()}
    largest = [max(sum(own[name] for name in group) for group in row) for row in TURNS]
    for name in {name for row in TURNS for group in row for name in group}:
        del own[name]
    code = sum(own.values()) + sum(largest) + _text_bytes(compiled.values())
    return sum(BUFFERS.values()) + resident + code


def code_bytes(compiled: Collection[bytes]) -> int:
    """Of these ``.mpy``, all loaded, the bytes that are as many on the board."""
    return sum(_own_bytes(data) for data in compiled) + _text_bytes(compiled)


def _own_bytes(mpy: bytes) -> int:
    # Code and constants.
    return len(mpy) - _stored(mpy_names(mpy))


def _text_bytes(compiled: Iterable[bytes]) -> int:
    return _stored({name for mpy in compiled for name in mpy_names(mpy)})


def mpy_names(mpy: bytes) -> list[bytes]:
    """The names whose text an ``.mpy`` brings along (py/persistentcode.c, version 6).

    Raises ImageError for anything else.
    """
    if mpy[:2] != b"M\x06":
        raise ImageError("the compiled module is of another version than its reader")
    at = 4

    def number() -> int:
        nonlocal at
        value = 0
        while True:
            at += 1
            value = value << 7 | mpy[at - 1] & 0x7F
            if mpy[at - 1] < 0x80:
                return value

    names: list[bytes] = []
    count = number()
    number()  # of constants
    for _ in range(count):
        length = number()
        if not length & 1:  # else it is a name that the interpreter has by itself
            names.append(mpy[at : at + (length >> 1)])
            at += (length >> 1) + 1
    return names


def _stored(names: Iterable[bytes]) -> int:
    # As it stands in the file, and nearly as in memory: a length, the text, a zero.
    return sum(len(name) + 2 for name in names)


def heap_here(limit: int, declared: int) -> int:
    """A heap of ``limit`` bytes on the board in bytes here: all but the ``declared`` are twice as many."""
    return declared + 2 * (limit - declared)


def heap_on_board(heap: int, declared: int) -> float:
    """The inverse of :func:`heap_here`."""
    return declared + (heap - declared) / 2


def kiosk_heap(limit: int) -> int:
    """The heap here of a board with this Smilehub's kiosk program and ``limit`` bytes of its own."""
    from smilehub.devices import image  # which asks here what stays in memory

    return heap_here(limit, declared_bytes(image.build_app(image.cache_root() / "app" / "measured")))
