"""Where this installation keeps the firmware's sources and the boards' descriptions."""

from pathlib import Path

from smilehub.errors import ImageError


def firmware_root() -> Path:
    """The firmware's sources: beside the checkout's ``host``, or in the wheel. Raises ImageError."""
    return _data_root("firmware", "_firmware")


def hardware_root() -> Path:
    """The boards' descriptions, as :func:`firmware_root`."""
    return _data_root("hardware", "_hardware")


def board_toml(device: str = "kiosk") -> Path:
    """The description that comes with Smilehub for one kind of device."""
    return hardware_root() / device / "board.toml"


def _data_root(checkout: str, wheel: str) -> Path:
    here = Path(__file__).resolve()
    for folder in (here.parents[3] / checkout, here.parents[1] / wheel):
        if folder.is_dir():
            return folder
    raise ImageError(f"Smilehub's {checkout} files are not where this installation should have them.")
