"""The kiosk's program."""

import gc

# While modules load, what is thrown away is used again at once: what stays lies close together at the heap's
# beginning, instead of leaving holes everywhere that no buffer fits into.
gc.collect()
gc.threshold(16384)

import asyncio  # noqa: E402

from kiosk.device import App  # noqa: E402


def main(slot: int, damaged: str) -> None:
    """Run the kiosk until Ctrl-C, which leaves to the console's prompt.

    ``slot`` is where the application lies (0: app_a, 1: app_b), ``damaged`` what is wrong with a slot.
    """
    app = App(slot, damaged)
    gc.collect()
    gc.threshold(8192)
    try:
        asyncio.run(app.run())
    except KeyboardInterrupt:
        print("The kiosk's program was stopped. Ctrl-D starts it again.")
    finally:
        app.close()
        asyncio.new_event_loop()
