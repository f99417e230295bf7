"""Pure logic shared by device and laptop, for MicroPython and CPython: no I/O, no clock, no hardware."""
