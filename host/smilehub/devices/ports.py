"""Which ports may belong to a kiosk: USB bridges by their ids, and links named in SMILEHUB_PORTS."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from smilehub.errors import NoDevice, NotAPort, SeveralDevices, UsageError

ENVIRONMENT = "SMILEHUB_PORTS"

Role = Literal["link", "console"]


@dataclass(frozen=True, slots=True)
class Bridge:
    """A USB device found on ESP32 boards. Of its ports, in order, ``link`` is the one that carries frames.

    None: it has a single port, which on a kiosk is the console; frames would disturb it, so
    it is only listed.
    """

    name: str
    link: int | None


# USB vendor and product ids, as their makers publish them and as usb.ids lists them. On a kiosk's
# dual bridge the first port is the console, the second the link.
BRIDGES: dict[tuple[int, int], Bridge] = {
    (0x10C4, 0xEA70): Bridge("CP2105 dual bridge", 1),
    (0x10C4, 0xEA71): Bridge("CP2108 quad bridge", 1),
    (0x10C4, 0xEA60): Bridge("CP2102 single bridge", None),
    (0x1A86, 0x55D2): Bridge("CH342 dual bridge", 1),
    (0x1A86, 0x55D5): Bridge("CH344 quad bridge", 1),
    (0x1A86, 0x55D3): Bridge("CH343 single bridge", None),
    (0x1A86, 0x55D4): Bridge("CH9102 single bridge", None),
    (0x1A86, 0x7523): Bridge("CH340 single bridge", None),
    (0x0403, 0x6010): Bridge("FT2232 dual bridge", 1),
    (0x0403, 0x6011): Bridge("FT4232 quad bridge", 1),
    (0x0403, 0x6001): Bridge("FT232 single bridge", None),
    (0x303A, 0x1001): Bridge("ESP32-S3 USB serial/JTAG", None),
    (0x303A, 0x4001): Bridge("ESP32-S3 native USB", None),
}


class UsbPort(Protocol):
    """The part of pyserial's ListPortInfo that is used here."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None
    location: str | None


@dataclass(frozen=True, slots=True)
class Port:
    """A port that is there, and why it counts as a kiosk's."""

    path: str
    known_as: str
    role: Role
    serial_number: str | None = None


def discover(environ: Mapping[str, str] | None = None, usb: Iterable[UsbPort] | None = None) -> list[Port]:
    """All known ports, those named in SMILEHUB_PORTS first; nothing is opened.

    ``environ`` and ``usb`` default to this process's environment and to the USB devices of this machine.
    """
    named, _ = _named(os.environ if environ is None else environ)
    found = named + _by_usb_id(_usb_ports() if usb is None else usb)
    unique: dict[str, Port] = {}
    for port in found:
        unique.setdefault(os.path.realpath(port.path), port)
    return list(unique.values())


def choose(
    wanted: str | None, *, environ: Mapping[str, str] | None = None, usb: Iterable[UsbPort] | None = None
) -> str:
    """The path of the one port to talk to: ``wanted`` if a person named it, else the only known link.

    Raises NoDevice or SeveralDevices; never guesses.
    """
    if wanted == "":
        raise UsageError("--port names no port.", hint="Name one, or leave --port away.")
    ports = discover(environ, usb)
    if wanted is not None:
        _not_a_console(wanted, ports)
        return wanted
    links = [port for port in ports if port.role == "link"]
    if len(links) == 1:
        return links[0].path
    if links:
        listed = ", ".join(f"{port.path} ({port.known_as})" for port in links)
        raise SeveralDevices(
            f"{len(links)} kiosks are connected, and nobody said which one is meant: {listed}.",
            hint=f"Say which one, for example: --port {links[0].path}",
        )
    raise _none(ports, _named(os.environ if environ is None else environ)[1])


def _not_a_console(wanted: str, ports: Sequence[Port]) -> None:
    """Raise NotAPort for the console of a board that has a link port: there our bytes would be Ctrl-C."""
    place = os.path.realpath(wanted)
    for port in ports:
        if os.path.realpath(port.path) == place and port.role == "console":
            for link in ports:
                same = (link.known_as, link.serial_number) == (port.known_as, port.serial_number)
                if link.role == "link" and same:
                    raise NotAPort(
                        f"{wanted} is the kiosk's console, not its link port.",
                        hint=f"Use its link port: --port {link.path}",
                    )


def _none(ports: Sequence[Port], missing: Sequence[str]) -> NoDevice:
    if missing:
        return NoDevice(
            f"No kiosk is connected: {ENVIRONMENT} names {', '.join(missing)}, "
            f"which {'is' if len(missing) == 1 else 'are'} not there.",
            hint="Start the simulated board again, or correct the name.",
        )
    if ports:
        listed = ", ".join(f"{port.path} ({port.known_as})" for port in ports)
        return NoDevice(
            f"No kiosk's link port is connected; only a console: {listed}.",
            hint="Connect the kiosk by its dual USB bridge, or name the link port with --port.",
        )
    return NoDevice("No kiosk is connected.")


def _named(environ: Mapping[str, str]) -> tuple[list[Port], list[str]]:
    """Ports named in the environment, and names that lead nowhere. A folder stands for every link in it."""
    ports: list[Port] = []
    missing: list[str] = []
    for name in filter(None, environ.get(ENVIRONMENT, "").split(os.pathsep)):
        path = Path(name)
        if path.is_dir():
            # a link left behind by a board that has died leads nowhere and is no port
            inside = [e for e in sorted(path.iterdir()) if e.is_char_device() and not _left_behind(e)]
            ports += [Port(str(entry), f"named in {ENVIRONMENT}", "link") for entry in inside]
        elif path.exists():
            ports.append(Port(name, f"named in {ENVIRONMENT}", "link"))
        else:
            missing.append(name)
    return ports, missing


def _left_behind(entry: Path) -> bool:
    """Whether a simulated board's entry (its name ends with the process) has outlived the board.

    The pseudo-terminal that it names may be another program's by now.
    """
    process = re.search(r"-(\d+)$", entry.name)
    if process is None or not entry.is_symlink():
        return False
    try:
        os.kill(int(process[1]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        pass  # another account's, but alive
    return False


def _usb_ports() -> Iterable[UsbPort]:
    from serial.tools import list_ports

    return list_ports.comports()


def _by_usb_id(usb: Iterable[UsbPort]) -> list[Port]:
    boards: dict[tuple[int, int, str], list[UsbPort]] = {}
    for port in usb:
        if port.vid is None or port.pid is None or (port.vid, port.pid) not in BRIDGES:
            continue
        # "1-4.2:1.0": the bus position before the colon is one USB device's, whichever of its ports this is
        place = (port.location or port.device).split(":")[0]
        boards.setdefault((port.vid, port.pid, place), []).append(port)
    found: list[Port] = []
    for (vid, pid, _), ports in sorted(boards.items(), key=lambda item: item[0][2]):
        bridge = BRIDGES[vid, pid]
        for index, port in enumerate(sorted(ports, key=_interface)):
            role: Role = "link" if index == bridge.link else "console"
            found.append(Port(port.device, bridge.name, role, port.serial_number))
    return found


def _interface(port: UsbPort) -> tuple[int, str]:
    tail = re.search(r":\d+\.(\d+)$", port.location or "")
    digits = re.search(r"(\d+)$", port.device)
    return int(tail[1]) if tail else int(digits[1]) if digits else 0, port.device
