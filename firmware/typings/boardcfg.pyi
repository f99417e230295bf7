"""Stands for the module that the image builder makes of board.toml: plain constants by upper-case name."""

from typing import Any

KEYS: dict[str, int]
LETTER: str
VERSION: str

def __getattr__(name: str) -> Any: ...
