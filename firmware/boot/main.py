"""Says what runs here, then hands over to the application that boot.py mounted."""

import sys

print("Smilehub on", sys.implementation)
try:
    from boardcfg import VERSION

    from kiosk.app import main
except ImportError as e:
    print("Smilehub: the application does not start:", e)
else:
    print("Smilehub", VERSION)
    try:
        main()
    except Exception as e:  # noqa: BLE001 - the console must stay open; in service the watchdog restarts
        sys.print_exception(e)
