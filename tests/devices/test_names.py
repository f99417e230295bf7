"""A kiosk's traceback is read by the names of its sources."""

from smilehub.devices import image, names, shorten
from smilehub.devices.partitions import load_board
from smilehub.devices.sources import board_toml


def test_short_names_in_a_traceback_are_those_of_the_sources_again() -> None:
    table = shorten.names(image.app_sources(load_board(board_toml())), image.names_kept())
    short = table["kiosk/hub.py"]["withdraw"]
    assert short != "withdraw"
    printed = (
        "Traceback (most recent call last):\n"
        f'  File "kiosk.hub", line 1, in {short}\n'
        '  File "kiosk.hub", line 1, in nobodys\n'
        f'  File "elsewhere", line 7, in {short}\n'
        f"MemoryError: {short}\n"
    )
    assert names.readable(printed).splitlines() == [
        "Traceback (most recent call last):",
        '  File "kiosk.hub", in withdraw',
        '  File "kiosk.hub", in nobodys',
        f'  File "elsewhere", in {short}',
        f"MemoryError: {short}",
    ]
