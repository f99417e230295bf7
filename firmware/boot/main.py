"""Says what runs here, then hands over to the application that boot.py mounted."""

import sys

print("Smilehub on", sys.implementation)
try:
    from boardcfg import VERSION

    from kiosk.app import main
except Exception as e:  # noqa: BLE001 - damaged modules raise whatever they like
    print("Smilehub: the application does not start:", repr(e))
else:
    print("Smilehub", VERSION)
    try:
        main(*globals()["boot"])  # boot.py ran in this namespace
    except Exception as e:  # noqa: BLE001 - the console must stay open; in service the watchdog restarts
        sys.print_exception(e)
        print("Smilehub: the application has stopped. If a reset does not help, write the image again with")
        print("esptool, all but the journal partition: what the kiosk has recorded is kept there.")
