"""Every error a person can meet: one tree, each leaf with its exit code and a hint (docs/exit-codes.md)."""

from typing import ClassVar


class SmilehubError(Exception):
    """Base of all errors that the commands explain in one sentence.

    ``message`` is that sentence; ``hint`` says what to do next and, if not given, is the class's own.
    """

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "error"
    default_hint: ClassVar[str] = "Run the command again with --debug to see where it happened."

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.default_hint

    def __str__(self) -> str:
        return self.message


# --- what was asked -------------------------------------------------------------------------------


class UsageError(SmilehubError, ValueError):
    """An argument that cannot be meant as it stands."""

    exit_code = 2
    code = "usage"
    default_hint = "Add --help to the command to see what it takes."


# --- finding a device -----------------------------------------------------------------------------


class DeviceError(SmilehubError):
    """Base: no device, or no single one, to talk to."""


class NoDevice(DeviceError, LookupError):
    """No known kiosk is connected."""

    exit_code = 3
    code = "no_device"
    default_hint = (
        "Connect the kiosk by USB and look with `smilehub devices`, or name a port with --port; "
        "without a kiosk, `smilehub demo` runs a simulated one."
    )


class SeveralDevices(DeviceError, LookupError):
    """More than one kiosk is connected, and nobody said which."""

    exit_code = 4
    code = "several_devices"
    default_hint = "Say which one with --port."


# --- the port -------------------------------------------------------------------------------------


class LinkError(SmilehubError, OSError):
    """Base: the byte channel to the kiosk does not work."""

    exit_code = 8
    code = "link"


class PortMissing(LinkError, FileNotFoundError):
    """The named port does not exist."""

    exit_code = 5
    code = "port_missing"
    default_hint = "Check the cable and the name; `smilehub devices` lists the ports that are there."


class PortForbidden(LinkError, PermissionError):
    """The port exists, but this account may not open it."""

    exit_code = 6
    code = "port_forbidden"
    default_hint = (
        "Join the port's group, on most systems with `sudo usermod -aG dialout $USER`, then sign in again."
    )


class PortBusy(LinkError, BlockingIOError):
    """Another program has the port open."""

    exit_code = 7
    code = "port_in_use"
    default_hint = (
        "Close the other program that uses this port (a terminal, or another smilehub) and try again."
    )


class NotAPort(LinkError):
    """The name belongs to something that is not a serial port."""

    exit_code = 5
    code = "not_a_port"
    default_hint = "Name a serial port; `smilehub devices` lists the ports that are there."


class LinkClosed(LinkError, ConnectionError):
    """The connection ended: cable out, device off, port gone."""

    exit_code = 8
    code = "link_closed"
    default_hint = (
        "Check the cable and the kiosk's power, then run the command again; it continues where it stopped."
    )


class NoAnswer(LinkError, TimeoutError):
    """The port is open, but no kiosk answers on it."""

    exit_code = 9
    code = "no_answer"
    default_hint = (
        "Check that the kiosk is on and that this is its link port, not its console; "
        "then run the command again."
    )


class KioskBusy(LinkError, BlockingIOError):
    """The kiosk puts the session off: somebody is at its keys, or another laptop is in its place."""

    exit_code = 48
    code = "kiosk_busy"
    default_hint = "Run the command again once nobody stands at the kiosk."


class HandshakeLate(LinkError, TimeoutError):
    """The kiosk is there, but the session's handshake did not end in time."""

    exit_code = 46
    code = "handshake_late"
    default_hint = "Run the command again; if it stays, go nearer or use a shorter cable."


class HandshakeFailed(LinkError, ConnectionError):
    """The handshake was broken off for a reason that has no error of its own."""

    exit_code = 40
    code = "handshake_failed"
    default_hint = "Run the command again; if it stays, enrol the kiosk anew with `smilehub enroll`."


# --- who may talk to whom -------------------------------------------------------------------------


class TrustError(SmilehubError, PermissionError):
    """Base: one side does not let the other in. Repeating does not help."""


class NoIdentity(TrustError, LookupError):
    """This laptop has no certificate of a hub."""

    exit_code = 47
    code = "no_identity"
    default_hint = (
        "Make a hub with `smilehub hub init`; or, if there is one, have its coordinator invite this laptop "
        "(`smilehub hub invite`), and open the invitation with `smilehub hub accept`."
    )


class NotEnrolled(TrustError):
    """The kiosk has no identity yet."""

    exit_code = 41
    code = "not_enrolled"
    default_hint = "Give it one: `smilehub enroll --console PORT`, over the kiosk's console port."


class WrongAuthority(TrustError):
    """The kiosk and this laptop belong to different hubs."""

    exit_code = 42
    code = "wrong_authority"
    default_hint = (
        "Use a laptop of the kiosk's hub, bring its hub here with `smilehub hub import`, "
        "or take the kiosk over with `smilehub enroll`."
    )


class Revoked(TrustError):
    """This laptop's certificate has been withdrawn."""

    exit_code = 43
    code = "revoked"
    default_hint = "Ask who keeps the hub's authority for a new identity."


class NoCertificate(TrustError):
    """The kiosk saw no certificate of this laptop."""

    exit_code = 44
    code = "no_certificate"
    default_hint = "Run the command again; if it stays, have this laptop's identity issued anew."


class Downgraded(TrustError):
    """What answers wants a weaker session than this program agrees to."""

    exit_code = 45
    code = "downgraded"
    default_hint = (
        "Update the kiosk's firmware. If it is up to date, somebody may be in between: do not go on."
    )


class WrongPeer(TrustError):
    """What answers has a certificate of this hub, but is not the kiosk that was meant."""

    exit_code = 49
    code = "wrong_peer"
    default_hint = "Look with `smilehub devices` which kiosk is where."


class RoleForbidden(TrustError):
    """This laptop's role does not allow the request."""

    exit_code = 39
    code = "role_forbidden"
    default_hint = (
        "Logs and files are a technician's, all else is a laptop's: have an identity made with `smilehub hub "
        "invite NAME --role technician --out FILE`, and take it with `smilehub hub accept FILE`."
    )


# --- the air --------------------------------------------------------------------------------------


class AirOff(LinkError, OSError):
    """This laptop's Bluetooth is off or missing."""

    exit_code = 50
    code = "air_off"
    default_hint = "Switch Bluetooth on (`bluetoothctl power on`), or use a cable."


class AirForbidden(LinkError, PermissionError):
    """This account may not use Bluetooth."""

    exit_code = 51
    code = "air_forbidden"
    default_hint = (
        "Join the group bluetooth (`sudo usermod -aG bluetooth $USER`), sign in again, or use a cable."
    )


class AirInProgress(LinkError, BlockingIOError):
    """Another program, or an attempt that was broken off, occupies this laptop's Bluetooth."""

    exit_code = 52
    code = "air_in_progress"
    default_hint = "Wait half a minute and try again; if it stays, `bluetoothctl power off`, then `power on`."


class AirElsewhere(LinkError, ConnectionRefusedError):
    """The kiosk is connected to somebody else, perhaps to this laptop's own system."""

    exit_code = 53
    code = "air_elsewhere"
    default_hint = (
        "Wait for the other laptop, or use a cable; if there is none, run `bluetoothctl disconnect`."
    )


class AirStale(LinkError, ConnectionAbortedError):
    """This laptop's Bluetooth remembers something about the kiosk that no longer holds."""

    exit_code = 54
    code = "air_stale"
    default_hint = (
        "Run `bluetoothctl devices`, remove the kiosk (SH-…) with `bluetoothctl remove`, and try again."
    )


class AirNotFound(LinkError, LookupError):
    """The kiosk was not heard."""

    exit_code = 55
    code = "air_not_found"
    default_hint = "Go nearer, check that the kiosk is on, or use a cable."


# --- what the kiosk says --------------------------------------------------------------------------


class ProtocolError(SmilehubError, ValueError):
    """The kiosk answered something that its own protocol version does not allow."""

    exit_code = 10
    code = "protocol"
    default_hint = (
        "Run the command again; if it stays, the kiosk's firmware and this program do not fit together."
    )


class VersionMismatch(SmilehubError, ValueError):
    """The kiosk and this program share no protocol version."""

    exit_code = 11
    code = "version"
    default_hint = "Update the older of the two."


class KioskRefused(SmilehubError, PermissionError):
    """The kiosk understood the command and will not do it; ``reason`` is its short code, ``about`` what it is
    about."""

    exit_code = 12
    code = "refused"
    default_hint = "Look at the queue with `smilehub queue`."

    def __init__(self, message: str, *, reason: str = "", about: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.about = about


class JournalFull(SmilehubError, OSError):
    """The kiosk's journal has no room for what may wait; calls and alerts still work."""

    exit_code = 18
    code = "journal_full"
    default_hint = "Run `smilehub sync`: the kiosk makes room for what this laptop has confirmed."


class KioskFault(SmilehubError, RuntimeError):
    """The kiosk tried and something in it failed."""

    exit_code = 19
    code = "kiosk_fault"
    default_hint = (
        "Run the command again; if it stays, switch the kiosk off and on. Nothing it holds is lost."
    )


class RecordInvalid(SmilehubError, ValueError):
    """The kiosk sent a record that is not one; it stays on the kiosk and is not confirmed."""

    exit_code = 13
    code = "record_invalid"
    default_hint = (
        "Nothing was lost: the kiosk keeps the record. Update this program, or have the kiosk looked at."
    )


class RecordConflict(SmilehubError, ValueError):
    """The same identity (journal, seq) came with different bytes; both are kept."""

    exit_code = 14
    code = "record_conflict"
    default_hint = (
        "Both versions are kept in the store's table of conflicts. "
        "Do not erase the kiosk; have both looked at."
    )


class JournalGap(SmilehubError, LookupError):
    """Records between the store's last and the kiosk's first are on neither."""

    exit_code = 15
    code = "journal_gap"
    default_hint = "Another laptop may hold them: the kiosk only drops what some laptop has confirmed."


class JournalShorter(SmilehubError, LookupError):
    """The kiosk's journal ends before what the store already holds: its flash was set back."""

    exit_code = 17
    code = "journal_shorter"
    default_hint = (
        "This laptop holds the longer journal. Do not use the kiosk until somebody has looked at it."
    )


class VerifyFailed(SmilehubError, AssertionError):
    """The store and the kiosk do not agree."""

    exit_code = 16
    code = "verify_failed"
    default_hint = "Keep the store and the kiosk as they are, and report the lines above."


# --- the store ------------------------------------------------------------------------------------


class StoreError(SmilehubError):
    """Base: the laptop's database cannot be used."""

    exit_code = 20
    code = "store"


class StoreBusy(StoreError, BlockingIOError):
    """Another process writes to this store."""

    exit_code = 20
    code = "store_busy"
    default_hint = "Wait for it or stop it, then run the command again."


class StoreNewer(StoreError, ValueError):
    """The store was made by a newer version of this program."""

    exit_code = 21
    code = "store_newer"
    default_hint = "Update smilehub on this laptop, or name another store with --store."


class StoreReadOnly(StoreError, PermissionError):
    """The store or its folder may not be written."""

    exit_code = 22
    code = "store_read_only"
    default_hint = "Give this account the right to write there, or name another store with --store."


class StoreFull(StoreError, OSError):
    """No room on the disk."""

    exit_code = 23
    code = "store_full"
    default_hint = "Make room on the disk and run the command again; the kiosk keeps everything until then."


class StoreDamaged(StoreError, ValueError):
    """The file is no store, or one that is damaged."""

    exit_code = 24
    code = "store_damaged"
    default_hint = "Set the file aside and sync again into a new one; what the kiosk still holds comes back."


class StoreMissing(StoreError, FileNotFoundError):
    """There is nothing to read yet."""

    exit_code = 25
    code = "store_missing"
    default_hint = "Run `smilehub sync` first, or name another store with --store."


# --- who belongs to the hub ------------------------------------------------------------------------


class NoAuthority(SmilehubError, LookupError):
    """This laptop does not hold the hub's authority."""

    exit_code = 60
    code = "no_authority"
    default_hint = (
        "Use the laptop on which the hub was begun, bring its backup here with `smilehub hub import`, "
        "or begin a hub with `smilehub hub init`."
    )


class AuthorityExists(SmilehubError, FileExistsError):
    """This laptop holds an authority already, and nothing overwrites one."""

    exit_code = 61
    code = "authority_exists"
    default_hint = (
        "`smilehub hub show` says which. To begin another one, back this one up and set its folder aside."
    )


class ListsBehind(SmilehubError, RuntimeError):
    """A kiosk holds, or may hold, a newer list of who was taken back than this authority can make."""

    exit_code = 70
    code = "lists_behind"
    default_hint = (
        "Bring the newest backup here: `smilehub hub import FILE`. If there is none, take everybody back "
        "again who was taken back since then, with --newest, before the next sync."
    )


class KeysExposed(SmilehubError, PermissionError):
    """Another account could have read or changed keys."""

    exit_code = 62
    code = "keys_exposed"
    default_hint = "Have the computer's owner look at it; the keys there may be known or exchanged."


class KeysUnreadable(SmilehubError, OSError):
    """The folder of keys cannot be read or written."""

    exit_code = 63
    code = "keys_unreadable"
    default_hint = "Give this account the right to read and write there, or make room on the disk."


class KeysDamaged(SmilehubError, ValueError):
    """Keys or certificates that are not as they were written."""

    exit_code = 64
    code = "keys_damaged"
    default_hint = "Set the folder of keys aside and bring the backup back with `smilehub hub import`."


class SealedDamaged(SmilehubError, ValueError):
    """A backup or invitation that is not one, or not whole."""

    exit_code = 65
    code = "sealed_damaged"
    default_hint = "Copy the file again from where it was made."


class WrongPassphrase(SmilehubError, PermissionError):
    """The file is whole, and this passphrase does not open it."""

    exit_code = 66
    code = "wrong_passphrase"
    default_hint = "Type it again; capital letters and blanks count."


class WrongBoard(SmilehubError, ValueError):
    """What answers at the console is not a kiosk that can be enrolled."""

    exit_code = 67
    code = "wrong_board"
    default_hint = "Write Smilehub's image to the kiosk first, and name that kiosk's console port."


class EnrolledElsewhere(SmilehubError, PermissionError):
    """The kiosk belongs to another hub."""

    exit_code = 68
    code = "enrolled_elsewhere"
    default_hint = "If it is to leave that hub, run the command again with --replace."


class NotEnrolledWell(SmilehubError, RuntimeError):
    """The kiosk did not keep the identity that it was given."""

    exit_code = 69
    code = "enroll_failed"
    default_hint = "Run the command again; if it stays, the kiosk's flash is worn out."


# --- building, simulating, rehearsing -------------------------------------------------------------


class MissingExtra(SmilehubError, ImportError):
    """An optional part of the installation is needed for this command."""

    exit_code = 30
    code = "missing_extra"
    default_hint = "Install it with `pip install 'smilehub[sim]'`."


class ImageError(SmilehubError, ValueError):
    """The firmware image cannot be built or read."""

    exit_code = 31
    code = "image"
    default_hint = "Check the board description and the firmware sources named above."


class SimulationError(SmilehubError, RuntimeError):
    """The simulated board cannot start or has died."""

    exit_code = 32
    code = "simulation"
    default_hint = "Run it again with --debug, and look at the end of the board's console."


class DemoFailed(SmilehubError, AssertionError):
    """A rehearsed day ended with something that does not agree."""

    exit_code = 33
    code = "demo_failed"
    default_hint = "Run it again with --keep DIR and the same seed, and look at what is kept."


def leaves(base: type[SmilehubError] = SmilehubError) -> list[type[SmilehubError]]:
    """All classes of this file without subclasses here, in the order of the file."""
    found: list[type[SmilehubError]] = []
    for cls in base.__subclasses__():
        if cls.__module__ == __name__:
            found += leaves(cls) or [cls]
    return found
