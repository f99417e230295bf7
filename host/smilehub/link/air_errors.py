"""What Bluetooth on a laptop says when it fails, BlueZ's states above all, as errors that say what to do."""

import asyncio

from smilehub.errors import (
    AirElsewhere,
    AirForbidden,
    AirInProgress,
    AirNotFound,
    AirOff,
    AirStale,
    LinkClosed,
    LinkError,
)

# (what a message or a D-Bus error's name holds, the error, its sentence); the first that fits counts.
_KNOWN: tuple[tuple[tuple[str, ...], type[LinkError], str], ...] = (
    (
        ("accessdenied", "notauthorized", "notpermitted", "not authorized", "denied_by"),
        AirForbidden,
        "This account may not use Bluetooth.",
    ),
    (
        ("notready", "not ready", "powered_off", "no powered", "not turned on", "turned off"),
        AirOff,
        "This laptop's Bluetooth is off.",
    ),
    (
        (
            "no_bluetooth",
            "no_ble_central",
            "serviceunknown",
            "no such file",
            "no bluetooth adapter",
            "dbus.error.noreply",
        ),
        AirOff,
        "This laptop has no Bluetooth that works.",
    ),
    (
        ("inprogress", "in progress", "already connecting", "busy"),
        AirInProgress,
        "This laptop's Bluetooth is busy with something else.",
    ),
    (
        (
            "was not found!",
            "doesnotexist",
            "unknownobject",
            "unknownmethod",
            "service discovery has not been performed",
            "removed from bluez",
            "failed to discover services",
        ),
        AirStale,
        "This laptop's Bluetooth remembers the kiosk differently from what it is.",
    ),
    (
        (
            "le-connection-abort-by-local",
            "connection-unknown",
            "software caused connection abort",
            "host is down",
            "failed to connect",
            "already connected",
            "alreadyconnected",
            "connection refused",
            "page-timeout",
        ),
        AirElsewhere,
        "The kiosk was heard, but lets nobody connect.",
    ),
)


def explain(error: BaseException, device: str) -> LinkError:
    """The tree's error for what bleak, BlueZ or the system raised about a device, or about all of them."""
    if isinstance(error, LinkError):
        return error
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return AirElsewhere(f"The kiosk {device} was heard, but does not let this laptop connect.")
    if isinstance(error, PermissionError):
        return AirForbidden("This account may not use Bluetooth.")
    if isinstance(error, FileNotFoundError):
        return AirOff("This laptop has no Bluetooth that works.")
    said = " ".join([type(error).__name__, *(str(part) for part in error.args), str(error)]).lower()
    reason = getattr(error, "reason", None)
    if reason is not None:
        said += f" {getattr(reason, 'name', reason)}".lower()
    if "bleakdevicenotfound" in said:
        return AirNotFound(f"The kiosk {device} was not heard any more.")
    for signs, kind, words in _KNOWN:
        if any(sign in said for sign in signs):
            return kind(words)
    return LinkClosed(f"Bluetooth failed: {error}.".replace("..", "."))
