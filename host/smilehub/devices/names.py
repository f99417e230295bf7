"""What the short names in a kiosk's tracebacks mean (``smilehub.devices.shorten``)."""

from __future__ import annotations

import re
from functools import lru_cache

from smilehub.devices import image, shorten
from smilehub.devices.partitions import load_board
from smilehub.devices.sources import board_toml

# Lines have no numbers on the kiosk: "line 1" says nothing.
_FRAME = re.compile(r'File "([\w.]+)", line \d+, in (\w+)')


def readable(text: str) -> str:
    """What a kiosk of this version has printed, with the names of its sources in tracebacks."""

    def named(frame: re.Match[str]) -> str:
        module, name = frame.groups()
        return f'File "{module}", in {_given().get(module, {}).get(name, name)}'

    return _FRAME.sub(named, text)


@lru_cache(1)
def _given() -> dict[str, dict[str, str]]:
    """For each module what its short names stand for."""
    tables = shorten.names(image.app_sources(load_board(board_toml())), image.names_kept())
    return {
        path.removesuffix(".py").replace("/", "."): {short: name for name, short in table.items()}
        for path, table in tables.items()
    }
