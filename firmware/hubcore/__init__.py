"""Pure logic shared by the device and the laptop: runs on MicroPython and CPython alike, without I/O, clock or hardware."""
