"""What a reply's status means: the result of what went well, an error in words for all else."""

from collections.abc import Mapping
from typing import Any

from hubcore import requests
from smilehub.errors import (
    JournalFull,
    KioskFault,
    KioskRefused,
    NoAnswer,
    ProtocolError,
    RoleForbidden,
    VersionMismatch,
)
from smilehub.link import reasons


def good(what: str, status: int, result: Any) -> Any:
    """The result of a request called ``what`` that went well; anything else is raised."""
    if status == requests.DONE:
        return result
    said = _text(result, 0)
    reason = _text(result, 1)
    hint = None
    if status in (requests.REFUSED, requests.JOURNAL_FULL):
        said, hint = reasons.words(reason, _about(result), said)
    if status == requests.JOURNAL_FULL or (status == requests.REFUSED and reason == "journal_full"):
        raise JournalFull(_sentence(said or "the kiosk's journal is full"))
    if status == requests.REFUSED:
        about = _about(result) or ""
        raise KioskRefused(_sentence(said or "the kiosk refused"), reason=reason, about=about, hint=hint)
    if status == requests.FAULT:
        sentence, hint = reasons.fault(said)
        sentence = sentence or f"The kiosk could not carry out '{what}': {said or 'it gives no reason'}"
        raise KioskFault(_sentence(sentence), hint=hint)
    if status == requests.FORBIDDEN:
        raise RoleForbidden(f"The kiosk does not do '{what}' for this laptop's role.")
    if status == requests.UNKNOWN_OP:
        raise VersionMismatch(
            f"The kiosk's firmware does not know '{what}' yet.", hint="Update the kiosk's firmware."
        )
    if status == requests.LATE:
        raise NoAnswer(f"The kiosk did not get round to '{what}' in time.")
    known = reasons.STATUSES[status] if status < len(reasons.STATUSES) else f"status {status}"
    raise ProtocolError(
        _sentence(f"The kiosk does not accept '{what}' ({known}): {said or 'no reason given'}")
    )


def under(result: Any, key: int) -> Any:
    """The value under a key of what may be a map."""
    return result.get(key) if isinstance(result, Mapping) else None


def _text(result: Any, key: int) -> str:
    value = under(result, key)
    return value if isinstance(value, str) else ""


def _about(result: Any) -> str | None:
    """What a refusal is about; None where an older kiosk does not tell."""
    return _text(result, 3) if isinstance(result, Mapping) and 3 in result else None


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
