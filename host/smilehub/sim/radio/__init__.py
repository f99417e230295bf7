"""A virtual Bluetooth Low Energy radio: boards and laptops in one air, in virtual or real time.

``Radio(kernel)`` makes the air; ``radio.board(board)`` and ``radio.laptop()`` put somebody into it.
"""

from smilehub.sim.radio.conditions import Path, Timing
from smilehub.sim.radio.laptop import Laptop
from smilehub.sim.radio.radio import Radio

__all__ = ["Laptop", "Path", "Radio", "Timing"]
