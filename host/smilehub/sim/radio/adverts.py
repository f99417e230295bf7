"""Advertising data as bleak shows it."""

from __future__ import annotations

import uuid

from bleak.backends.scanner import AdvertisementData

_BASE = "-0000-1000-8000-00805f9b34fb"


def uuid_text(little: bytes) -> str:
    """A UUID of 2, 4 or 16 little-endian bytes in its long form."""
    if len(little) < 16:
        return f"{int.from_bytes(little, 'little'):08x}{_BASE}"
    return str(uuid.UUID(bytes=little[::-1]))


def advertisement(data: bytes, rssi: int) -> AdvertisementData:
    """What advertising data, with its scan response, says."""
    name: str | None = None
    power: int | None = None
    makers: dict[int, bytes] = {}
    service_data: dict[str, bytes] = {}
    uuids: list[str] = []
    at = 0
    while at + 1 < len(data) and data[at]:
        kind, value = data[at + 1], data[at + 2 : at + 1 + data[at]]
        at += 1 + data[at]
        width = {0x02: 2, 0x03: 2, 0x04: 4, 0x05: 4, 0x06: 16, 0x07: 16}.get(kind)
        if width is not None:
            uuids += [uuid_text(value[i : i + width]) for i in range(0, len(value) - width + 1, width)]
        elif kind in (0x08, 0x09):
            name = value.decode(errors="replace")
        elif kind == 0x0A and value:
            power = value[0] - 256 if value[0] > 127 else value[0]
        elif kind in (0x16, 0x20, 0x21):
            width = {0x16: 2, 0x20: 4, 0x21: 16}[kind]
            service_data[uuid_text(value[:width])] = value[width:]
        elif kind == 0xFF and len(value) >= 2:
            makers[value[0] | value[1] << 8] = value[2:]
    return AdvertisementData(name, makers, service_data, uuids, power, rssi, ())
