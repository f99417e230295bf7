"""How a kiosk.hub.KioskHub begins; in memory only until then."""

from hubcore import records
from services.keys import KeysError
from services.replay import replay
from tasks.forget import forget


def device_key(hub) -> "bytes | None":
    """The device key, or None: visitors are served without it all the same, and staff have the laptop."""
    hub.rekeyed = False
    if hub.keys is None:
        return None
    try:
        store = hub.secrets()
        hub.rekeyed = store.new
        return store.device_key
    except KeysError as error:
        print("no secrets:", error)
        hub.keys = None
        return None


def start(hub, cause: str, firmware: str, slot, damaged: str) -> None:
    """Open the journal, fold what it holds from the newest day on, and record this boot."""
    journal = hub.journal
    journal.open()
    known = replay(journal, hub.fold, hub.apply)
    journal.confirm(hub.fold.confirmed)
    hub.watch.ask("begin")
    cause, firmware = records.clean(cause, 16) or "?", records.clean(firmware, 24) or "?"
    hub.note("boot", {"cause": cause, "firmware": firmware, "slot": slot})
    hub.repeats = known
    hub.health.set("slot", bool(damaged), damaged)
    if hub.rekeyed and journal.boot > 1:
        hub.fault("keys", "the secrets were not readable: codes and PINs of before do not hold")
    hub.idle()
    forget("services.replay", "services.keys", "kiosk.opening")
