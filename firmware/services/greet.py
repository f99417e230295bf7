"""What the radio needs only when it starts."""

import asyncio
from binascii import hexlify

import bluetooth

from hubcore.compat import const

# docs/link.md, Air
_ID = "-7d2c-4a5e-9f3a-5d1e54f1e1b0"

_WRITE = const(0x0C)  # with and without response
_NOTIFY = const(0x10)
_MTU = const(247)
_VALUE = const(244)
_RESTART_MS = const(600_000)


async def start(radio, irq):
    """``bluetooth.BLE``, as soon as the radio is not switched off; that it does not start is a trouble."""
    while True:
        while not radio.on:
            await radio.pulse.wait()
        try:
            ble = _start(radio, irq)
        except (OSError, MemoryError) as error:
            radio.health.set("radio", True, "the radio does not start: " + repr(error))
            await asyncio.sleep_ms(_RESTART_MS)
        else:
            radio.health.set("radio", False)
            return ble


def _start(radio, irq):
    ble = bluetooth.BLE()
    ble.active(True)
    ble.irq(irq)
    ble.config(mtu=_MTU)
    service = bluetooth.UUID("5b1e0001" + _ID)
    name = b"SH-" + hexlify(radio.device[-3:])
    ble.config(gap_name=name)
    values = (bluetooth.UUID("5b1e0002" + _ID), _WRITE), (bluetooth.UUID("5b1e0003" + _ID), _NOTIFY)
    ((rx, radio.tx),) = ble.gatts_register_services(((service, values),))
    ble.gatts_set_buffer(rx, _VALUE)
    # Flags, and under 0xFFFF (no company's number) the device's id; and for those who ask: the service, and
    # the name (Core Supplement, part A).
    radio.payload = radio.payload or b"\x02\x01\x06\x09\xff\xff\xff" + radio.device
    radio.answer = b"\x11\x07" + bytes(service) + bytes((len(name) + 1, 9)) + name
    return ble
