"""Whatever the shipping firmware may answer has words on this side."""

import re
from pathlib import Path

import pytest

from hubcore import requests
from smilehub.errors import Downgraded, HandshakeFailed, KioskRefused, SmilehubError
from smilehub.link import answers, bye, reasons

FIRMWARE = Path(__file__).parents[2] / "firmware"
SOURCES = [path for path in sorted(FIRMWARE.rglob("*.py")) if "typings" not in path.parts]
_REFUSAL = re.compile(r"raise (?:Refused|NotDone)\(\s*([^,)]*)")


def refusals() -> dict[str, str]:
    """Reason: the file that gives it."""
    found: dict[str, str] = {}
    for path in SOURCES:
        for said in _REFUSAL.findall(path.read_text()):
            if said.startswith('"'):
                found[said.strip('"')] = path.name
            else:
                assert "reason" in said, (path, said)  # another's that is passed on
    return found


def test_every_reason_that_the_firmware_gives_has_words():
    found = refusals()
    assert len(found) > 30, "the sources were understood"
    assert {reason: file for reason, file in found.items() if reason not in reasons.REASONS} == {}


@pytest.mark.parametrize("reason", sorted(reasons.REASONS))
def test_words_are_whole_with_and_without_what_they_are_about(reason: str):
    for about in ("", "K12", None):
        result = {0: "said", 1: reason, 3: about} if about is not None else {0: "said", 1: reason}
        with pytest.raises(SmilehubError) as caught:
            answers.good("wish", requests.REFUSED, result)
        message = caught.value.message
        assert "%s" not in message and "  " not in message and message.endswith("."), message
        if isinstance(caught.value, KioskRefused):
            assert caught.value.reason == reason and caught.value.hint


def statuses() -> dict[int, str]:
    """All statuses that there are, by hubcore.requests' own text: those from DONE to what is no status."""
    text = Path(requests.__file__).read_text()
    block = text[text.index("\nDONE = 0") :].split("\n\n")[0]
    return {int(number): name for name, number in re.findall(r"^(\w+) = (\d+)", block, re.M)}


def test_every_status_has_words():
    found = statuses()
    assert sorted(found) == list(range(len(reasons.STATUSES))) and found[requests.BUSY] == "BUSY"
    for path in SOURCES:  # the kiosk's own modules have the numbers folded in
        for name, number in re.findall(r"^_(\w+) = const\((\d+)\)", path.read_text(), re.M):
            if name in ("LATE", "BUSY", "CANCELLED", "FORBIDDEN") and path.name in (
                "answers.py",
                "telling.py",
            ):
                assert found[int(number)] == name, path
    for status in set(found) - {requests.DONE}:
        with pytest.raises(SmilehubError) as caught:
            answers.good("health", status, {0: "said"})
        assert f"status {status}" not in caught.value.message and caught.value.hint


def test_every_reason_for_the_end_of_a_session_has_words_of_its_own():
    link = (FIRMWARE.parent / "docs" / "link.md").read_text()
    table = link[link.index("| BYE | |") :].split("\n\n")[0]
    numbers = {int(number) for number in re.findall(r"^\| (\d+) \|", table, re.M)}
    assert len(numbers) > 8
    said = {number: str(bye.error(number, "here")) for number in numbers}
    assert len(set(said.values())) == len(numbers)
    assert str(bye.error(max(numbers) + 1, "here")) == said[bye.DONE], "one of tomorrow: it has ended"
    assert isinstance(bye.error(bye.WEAKER, "here"), Downgraded)
    assert isinstance(bye.error(bye.REFUSED, "here"), HandshakeFailed)


def test_a_status_of_tomorrow_is_a_sentence_too():
    with pytest.raises(SmilehubError, match="status 99"):
        answers.good("health", 99, {})
