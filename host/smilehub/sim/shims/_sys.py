"""``sys`` as the firmware sees it: the interpreter's own, on the platform ``esp32``."""

import sys as _native
from sys import *

__name__ = "sys"
platform = "esp32"
path = _native.path
argv = _native.argv
modules = _native.modules
ps1 = _native.ps1
ps2 = _native.ps2
