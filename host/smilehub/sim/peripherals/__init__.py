"""Bus-level models of the parts on a board, by the name board.toml gives them."""

from __future__ import annotations

from collections.abc import Callable

from smilehub.sim.peripherals.base import Config, Drive, Part, Peripheral, Pulses, SpiMode
from smilehub.sim.peripherals.ds3231 import DS3231
from smilehub.sim.peripherals.keys import Key
from smilehub.sim.peripherals.max7219 import MAX7219
from smilehub.sim.peripherals.sounder import Sounder, Tone
from smilehub.sim.peripherals.st7796s import ST7796S
from smilehub.sim.peripherals.ws2812 import WS2812

PARTS: dict[str, Callable[[Config], Peripheral]] = {
    "st7796s": ST7796S,
    "max7219": MAX7219,
    "key": Key,
    "ds3231": DS3231,
    "buzzer": Sounder,
    "ws2812": WS2812,
}
"""`part` of a board.toml table → factory(config); raises KeyError or ValueError on a table that cannot be."""

__all__ = [
    "DS3231",
    "MAX7219",
    "PARTS",
    "ST7796S",
    "WS2812",
    "Config",
    "Drive",
    "Key",
    "Part",
    "Peripheral",
    "Pulses",
    "Sounder",
    "SpiMode",
    "Tone",
]
