"""Why a kiosk refuses: the words for the reason codes that ``hubcore.desk`` and the kiosk give.

The kiosk itself sends only the code and what it is about: its screens have words of their own, and its memory
is small.
"""

import re

#: By the number of a reply's status (hubcore.requests).
STATUSES = (
    "done",
    "bad request",
    "other version",
    "unknown request",
    "refused",
    "other journal",
    "journal full",
    "fault",
    "not for this role",
    "cancelled",
    "too late",
    "busy",
)

#: What to do next about an error of the core, by the name of its class.
HINTS = {
    "CodecError": "The data is damaged or comes from a newer version: sync again, or update this side.",
    "RecordError": "Run `smilehub verify` to see which record is damaged, and keep both copies.",
    "FrameError": "Ask for less at a time.",
    "RequestError": "Update the side with the older version.",
    "Refused": "Run `smilehub queue` to see how things stand.",
}

#: reason: (sentence, what to do next or ""); %s is what the wish was about.
REASONS: dict[str, tuple[str, str]] = {
    "alert_unknown": (
        "There is no alert %s to acknowledge.",
        "Run `smilehub queue` to see the alerts that stand.",
    ),
    "alerts_standing": (
        "More alerts stand than a new day can take over.",
        "Acknowledge some, then open the day.",
    ),
    "bad_list": (
        "The kiosk holds a list of withdrawn identities that is as new, or this one is not of its hub.",
        "Sync from the laptop that is the hub's authority.",
    ),
    "bad_argument": ("The wish lacks %s, or it is not one that this hub knows.", "Check its spelling."),
    "bad_name": (
        "The kiosk cannot show the name %s.",
        "Use letters A to Z, digits and . , - ' ( ) / : + & # ! ? alone.",
    ),
    "bad_setting": (
        "This is not a value that the setting %s can have.",
        "Run `smilehub config --help` to see which it can.",
    ),
    "chair_alike": (
        "The wall cannot tell this chair from chair %s.",
        "Give it a name that differs in more than small and capital letters.",
    ),
    "chair_busy": ("Chair %s still has a visitor.", "Mark the visitor served, no-show or left first."),
    "chair_paused": ("Chair %s pauses.", "End the pause, then call."),
    "chair_closed": ("Chair %s is not open.", "Open it with `smilehub chair open`."),
    "code_paused": (
        "No code is taken for some minutes: too many were wrong.",
        "Wait, or let staff lift the pause.",
    ),
    "day_closed": ("The day is closed.", "Open it with `smilehub day open`."),
    "day_is_open": ("The day is open already.", "Nothing more is needed."),
    "emergencies_waiting": (
        "More emergencies wait than a new day can take over.",
        "Mark those who left first.",
    ),
    "emergency_waiting": (
        "Emergency %s still waits.",
        "Call this visitor, or mark the ticket left.",
    ),
    "full": ("The hub is full for today.", "Come tomorrow first; emergencies are always taken."),
    "help_called": ("Staff have been called already.", "Acknowledge the alerts that stand."),
    "journal_full": ("The kiosk's journal is full.", ""),
    "journal_shorter": ("The laptop holds records that this kiosk lacks.", ""),
    "journal_worn": (
        "The kiosk's memory no longer keeps what is written.",
        "Go on by hand, and have the kiosk repaired.",
    ),
    "no_change": ("Ticket %s stands that way already.", "Nothing more is needed."),
    "no_labels": ("Every ticket label is in use.", "Mark those who left first."),
    "nobody_waits": ("Nobody waits for chair %s.", "Try again when somebody has checked in."),
    "not_full": ("The hub is not full.", "Check in: nobody need come tomorrow."),
    "nothing_to_undo": (
        "There is nothing that can be undone%s.",
        "Only the last act can, of each chair and of the desk; else make a new one.",
    ),
    "promise_tomorrow": ("Ticket %s comes first tomorrow, not today.", "Come when the next day is open."),
    "read_only": (
        "The kiosk runs from where %s would be, and keeps that as it is.",
        "Only below /other can files be put or removed: it is the half of the memory that does not run.",
    ),
    "too_many_chairs": ("No more than 16 chairs can be used in a day.", "Use one that was opened before."),
    "too_many_staff": ("No more than 16 people can have a PIN.", "Remove one who no longer needs it."),
    "unknown_command": ("This kiosk does not know this command.", "Update the kiosk."),
    "unknown_promise": (
        "Nobody was promised a place as %s.",
        "Check in as anybody does; a promise holds for the next day.",
    ),
    "unknown_setting": (
        "The kiosk has no setting called %s.",
        "Run `smilehub config` to see all there are; a newer one needs newer firmware.",
    ),
    "unknown_staff": ("%s has no PIN on this kiosk.", "Check the spelling; the PIN may be gone already."),
    "unknown_ticket": ("There is no open ticket %s.", "Run `smilehub queue` to see the open tickets."),
    "wrong_state": ("Ticket %s.", "Run `smilehub queue` to see where it stands."),
}


_NO_FILES_YET = (
    "The half of the kiosk's memory that does not run holds no files yet; %s cannot be there.",
    "`smilehub files put FILE /other/NAME` makes the first.",
)
#: What a kiosk's file system says no with: (sentence with the path for %s, what to do next).
_ERRNOS = {
    2: ("There is no %s on the kiosk.", "Run `smilehub files list FOLDER` to see what there is."),
    19: _NO_FILES_YET,
    84: _NO_FILES_YET,  # as littlefs calls what is no file system
    20: ("On the way to %s is a file where a folder would have to be.", "Choose another path."),
    21: ("On the kiosk %s is a folder.", "Name a file in it: `smilehub files list FOLDER` shows them."),
    22: ("The kiosk cannot do that with %s.", "Run `smilehub files list FOLDER` to see what there is."),
    28: (
        "The kiosk has no room for %s.",
        "Remove something below /other first: `smilehub files list /other`, `smilehub files remove PATH`.",
    ),
    36: ("The name of %s is too long for the kiosk.", "Choose a shorter one."),
    39: ("The folder %s on the kiosk is not empty.", "Remove what is in it first."),
}
_NO_FILE = re.compile(r"The kiosk cannot: (.*): (?:\[Errno )?(\d+)")


def fault(said: str) -> tuple[str, str | None]:
    """(sentence, what to do next or None) for a fault that the kiosk describes as ``said``."""
    found = _NO_FILE.match(said)
    sentence, hint = _ERRNOS.get(int(found[2]) if found else 0, ("", None))
    return (sentence % found[1] if found and sentence else "", hint)


def words(reason: str, about: str | None, said: str) -> tuple[str, str | None]:
    """(sentence, what to do next or None) for a refusal; ``about`` is "" when what it was about is forgotten.

    ``said``, what the kiosk says itself, serves for a reason that this version does not know, and where an
    older kiosk does not tell what it is about.
    """
    sentence, hint = REASONS.get(reason, (said, ""))
    if about is None:
        sentence = said
    elif not about:
        sentence = sentence.replace(" %s", "").replace("%s", "")
    elif "%s" in sentence:
        sentence = sentence % about
    return sentence, hint or None
