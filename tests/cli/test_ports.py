"""Which ports count: known USB ids and named links; one is taken, several are listed, none is guessed."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from smilehub.devices.ports import BRIDGES, choose, discover
from smilehub.errors import NoDevice, SeveralDevices


@dataclass
class Usb:
    device: str
    vid: int | None = None
    pid: int | None = None
    location: str | None = None
    serial_number: str | None = None


CP2105 = [
    Usb("/dev/ttyUSB1", 0x10C4, 0xEA70, "1-4:1.1", "A1"),
    Usb("/dev/ttyUSB0", 0x10C4, 0xEA70, "1-4:1.0", "A1"),
]
CH342 = [
    Usb("/dev/ttyACM0", 0x1A86, 0x55D2, "1-2:1.0"),
    Usb("/dev/ttyACM1", 0x1A86, 0x55D2, "1-2:1.2"),
]
NATIVE = [Usb("/dev/ttyACM7", 0x303A, 0x1001, "1-9:1.0")]
STRANGERS = [Usb("/dev/ttyS0"), Usb("/dev/ttyUSB9", 0x1234, 0x5678, "1-1:1.0")]


def test_the_second_port_of_a_dual_bridge_is_the_link():
    assert choose(None, environ={}, usb=CP2105 + STRANGERS) == "/dev/ttyUSB1"
    assert choose(None, environ={}, usb=CH342) == "/dev/ttyACM1"
    roles = {port.path: port.role for port in discover({}, CP2105)}
    assert roles == {"/dev/ttyUSB0": "console", "/dev/ttyUSB1": "link"}


def test_two_boards_are_refused_and_listed():
    with pytest.raises(SeveralDevices) as error:
        choose(None, environ={}, usb=CP2105 + CH342)
    assert "/dev/ttyUSB1 (CP2105 dual bridge)" in error.value.message
    assert "/dev/ttyACM1 (CH342 dual bridge)" in error.value.message
    assert "--port" in error.value.hint


def test_two_boards_of_the_same_kind_are_two():
    twin = [Usb("/dev/ttyUSB2", 0x10C4, 0xEA70, "1-5:1.0"), Usb("/dev/ttyUSB3", 0x10C4, 0xEA70, "1-5:1.1")]
    with pytest.raises(SeveralDevices):
        choose(None, environ={}, usb=CP2105 + twin)


def test_a_named_port_is_taken_as_it_is():
    assert choose("/dev/whatever", environ={}, usb=CP2105 + CH342) == "/dev/whatever"


@pytest.mark.parametrize(
    ("usb", "said"), [([], "No kiosk is connected."), (STRANGERS, "No kiosk"), (NATIVE, "only a console")]
)
def test_nothing_is_guessed(usb: list[Usb], said: str):
    with pytest.raises(NoDevice, match=said):
        choose(None, environ={}, usb=usb)


def test_links_named_in_the_environment(tmp_path: Path):
    master, slave = os.openpty()
    folder = tmp_path / "boards"
    folder.mkdir()
    (folder / "kiosk").symlink_to(os.ttyname(slave))
    (folder / "left over").symlink_to(tmp_path / "gone")
    (folder / "notes.txt").write_text("")
    named = str(folder / "kiosk")
    try:
        assert choose(None, environ={"SMILEHUB_PORTS": str(folder)}, usb=[]) == named
        both = os.pathsep.join([named, str(folder), os.ttyname(slave)])
        assert [port.path for port in discover({"SMILEHUB_PORTS": both}, [])] == [named], "the same port once"
        with pytest.raises(SeveralDevices):
            choose(None, environ={"SMILEHUB_PORTS": named}, usb=CP2105)
        with pytest.raises(NoDevice, match="which is not there"):
            choose(None, environ={"SMILEHUB_PORTS": str(tmp_path / "gone")}, usb=[])
    finally:
        os.close(master)
        os.close(slave)


def test_every_known_bridge_has_a_name_and_a_place_for_the_link():
    for (vid, pid), bridge in BRIDGES.items():
        assert 0 < vid < 0x10000 and 0 < pid < 0x10000 and bridge.name
        ports = [
            Usb(f"/dev/ttyX{n}", vid, pid, f"1-1:1.{n}") for n in range(4 if "quad" in bridge.name else 2)
        ]
        links = [port.path for port in discover({}, ports) if port.role == "link"]
        assert links == ([] if bridge.link is None else [f"/dev/ttyX{bridge.link}"])
