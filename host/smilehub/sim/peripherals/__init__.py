"""Bus-level models of the parts on a board, by the name board.toml gives them."""

from __future__ import annotations

from collections.abc import Callable

from smilehub.sim.peripherals.base import Config, Drive, Part, Peripheral, SpiMode
from smilehub.sim.peripherals.keys import Key
from smilehub.sim.peripherals.max7219 import MAX7219
from smilehub.sim.peripherals.st7796s import ST7796S

PARTS: dict[str, Callable[[Config], Peripheral]] = {
    "st7796s": ST7796S,
    "max7219": MAX7219,
    "key": Key,
}
"""`part` of a board.toml table → factory(config); raises KeyError or ValueError on a table that cannot be."""

__all__ = ["MAX7219", "PARTS", "ST7796S", "Config", "Drive", "Key", "Part", "Peripheral", "SpiMode"]
