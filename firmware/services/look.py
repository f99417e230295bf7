"""What the hourly look does, in memory only for so long; ``watch`` is the services.watch.Watch."""

from hubcore.compat import const
from hubcore.errors import HubError
from tasks.forget import fetch, forget

_DAY_TURNS_S = const(14_400)
_DAY_S = const(86_400)
_WEEK_S = const(604_800)
_STEP_S = const(2)
_DRIFT_S = const(300)  # the chip is right about so much; beyond it, one of the two clocks is broken
_RECEIPT = "receipt"  # in the key store: when a laptop last confirmed records, UTC seconds, at most daily


def begin(watch) -> None:
    """At the start, before anything is recorded: take the time from the chip, if it knows it."""
    hub = watch.hub
    utc_s, _ = hub.clock.ask_chip()
    if utc_s is not None:
        hub.clock.set_utc(utc_s, False)
    if hub.keys:
        kept = hub.secrets().get(_RECEIPT)
        forget("services.keys")
        if kept:
            watch.met = int.from_bytes(kept, "little")


def meet(watch, now: int) -> None:
    """Keep that a laptop confirmed records at ``now``, UTC seconds."""
    watch.met = now
    try:
        watch.hub.secrets().set(_RECEIPT, now.to_bytes(8, "little"))
    except HubError as error:  # the flash failed
        watch.hub.fault("keys", error)
    forget("services.keys")


def look(watch) -> None:
    """At the clock chip, what depends on the clock, and room in the journal."""
    hub = watch.hub
    health = hub.health
    _ask_chip(hub)
    now = hub.clock.utc_s()
    if now is not None:
        met = watch.met
        if hub.keys and (met is None or met > now + _DAY_S):
            watch.confirmed()  # a new kiosk's week begins; so does that of one whose clock was wrong
        elif met is not None and now - met >= _WEEK_S:
            days = str((now - met) // _DAY_S)
            health.set("laptop", True, "no laptop has taken the records for " + days + " days")
        _compare(watch, now)
    health.set("journal", hub.worn or not hub.journal.room(), "the journal is full")


def local(watch, utc_s: int) -> tuple:
    """(year, month, day, hour, minute) of a moment where the kiosk stands."""
    zone = fetch("services.zone")
    forget("services.zone")
    return zone.local(watch.tz, utc_s)


def _ask_chip(hub):
    clock = hub.clock
    utc_s, wrong = clock.ask_chip()
    known = clock.utc_s()
    if utc_s is not None and known is not None and abs(utc_s - known) > _DRIFT_S:
        wrong = "the clock chip is wrong by " + str(utc_s - known) + " s"
    elif utc_s is not None and (known is None or abs(utc_s - known) >= _STEP_S):
        clock.set_utc(utc_s, False)
        hub.note("clock_set", {"utc": utc_s, "source": "chip"})
    hub.health.set("clock", bool(wrong), wrong)


def _compare(watch, now):
    # Once a boot, as soon as both dates are known.
    hub = watch.hub
    if watch.dated or not hub.fold.day_open or watch.opening is None:
        return
    boot, uptime_ms, then = watch.opening
    offset = hub.fold.offsets.get(boot)
    if offset is not None:
        then = (offset + uptime_ms) // 1000
    if then is None:
        return
    watch.dated = True
    if boot != hub.journal.boot and _date(watch, now) != _date(watch, then):
        watch.left_over = True


def _date(watch, utc_s):
    return local(watch, utc_s - _DAY_TURNS_S)[:3]
