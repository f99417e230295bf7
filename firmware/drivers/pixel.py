"""The status light: one WS2812."""

from time import sleep_us

from micropython import const

_RESET_US = const(300)  # so long the line is low before a pixel takes the next colour as its own


class Pixel:
    """`neopixel` is a neopixel.NeoPixel of one pixel; dark until `show`."""

    def __init__(self, neopixel):
        self._neopixel = neopixel
        self._shown = None
        self.show(0, 0, 0)

    def show(self, red: int, green: int, blue: int) -> None:
        """Show a colour, 0 to 255 each; sends nothing when it shows already. It never blinks by itself."""
        colour = (red, green, blue)
        if colour != self._shown:
            sleep_us(_RESET_US)
            self._neopixel[0] = colour
            self._neopixel.write()
            self._shown = colour
