"""The simulated board: real MicroPython on modelled hardware, in real or simulated time."""
