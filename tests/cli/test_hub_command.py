"""`smilehub hub` as people and scripts run it: two laptops, a backup, an invitation, what can go wrong."""

import io
import json
import os
import pty
import re
import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from smilehub import cli
from smilehub.trust import sealed
from smilehub.trust.authority import Authority
from smilehub.trust.given import RevocationLists
from smilehub.trust.identity import Identity

PROGRAM = [sys.executable, "-m", "smilehub.cli"]
Said = pytest.CaptureFixture[str]
WORDS = "correct horse battery staple"


class Laptop:
    """A laptop of its own: nothing but its folder tells it from another."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> None:
        self.home = home
        self._patch = monkeypatch
        self._said = capfd
        home.mkdir()
        self.words = home / "passphrase"
        self.words.write_text(WORDS + "\n")
        self.words.chmod(0o600)

    def run(self, *args: str | Path, code: int = 0) -> str:
        """What a command says; `code` is how it must end."""
        with self._patch.context() as here:
            here.setenv("SMILEHUB_HOME", str(self.home))
            here.chdir(self.home)
            here.setattr("sys.stdin", io.StringIO())
            with pytest.raises(SystemExit) as end:
                cli.main([str(arg) for arg in args])
        out, err = self._said.readouterr()
        assert end.value.code == code, out + err
        assert "Traceback" not in err
        return out if code == 0 else err

    def answer(self, *args: str | Path) -> Any:
        return json.loads(self.run(*args, "--json"))

    def sealed(self, *args: str | Path, code: int = 0) -> str:
        return self.run(*args, "--passphrase-file", self.words, code=code)


@pytest.fixture
def desk(second: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> Laptop:
    laptop = Laptop(tmp_path / "desk", monkeypatch, capfd)
    laptop.run("hub", "init", "Northside clinic")
    return laptop


@pytest.fixture
def second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> Laptop:
    return Laptop(tmp_path / "second", monkeypatch, capfd)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guesses at a passphrase cost next to nothing in these tests."""
    monkeypatch.setattr(sealed, "COST", 4)


def test_a_hub_begins_once_and_says_who_it_is(desk: Laptop) -> None:
    shown = desk.answer("hub", "show")
    assert (shown["name"], shown["authority"], shown["role"]) == ("Northside clinic", True, "laptop")
    assert shown["laptop"] == "desk" and shown["hub"] in desk.run("hub", "show")
    before = {path.name: path.read_bytes() for path in (desk.home / "trust").iterdir()}
    assert "already" in desk.run("hub", "init", "Another", code=61)
    assert {path.name: path.read_bytes() for path in (desk.home / "trust").iterdir()} == before
    assert stat.S_IMODE((desk.home / "trust").stat().st_mode) == 0o700


def test_a_laptop_without_a_hub_is_told_what_to_do(second: Laptop) -> None:
    assert "smilehub hub init" in second.run("hub", "show", code=47)
    for command in (("people",), ("export", "x"), ("invite", "Ana", "--out", "x"), ("revoke", "Ana")):
        assert "smilehub hub import" in second.run("hub", *command, code=60)
    assert "smilehub hub import" in second.run("enroll", "--console", "/dev/null", code=60)
    assert not (second.home / "trust").exists(), "asking makes nothing"


def test_power_lost_between_authority_and_identity(desk: Laptop) -> None:
    before = desk.answer("hub", "show")["hub"]
    (desk.home / "trust" / "laptop").unlink()
    assert desk.answer("hub", "init", "Northside clinic", "--laptop", "desk 2")["hub"] == before
    assert desk.answer("hub", "show")["laptop"] == "desk 2"


def test_a_technician_is_invited_accepts_and_is_taken_back(desk: Laptop, second: Laptop) -> None:
    file = desk.home / "ana.invitation"
    desk.sealed("hub", "invite", "Ana", "--role", "technician", "--out", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "does not open" in _other_words(second, file)
    assert "--passphrase-file" in second.run("hub", "accept", file, code=2)
    second.sealed("hub", "accept", file)
    shown = second.answer("hub", "show")
    assert (shown["hub"], shown["role"], shown["authority"]) == (
        desk.answer("hub", "show")["hub"],
        "technician",
        False,
    )
    second.sealed("hub", "accept", file)  # again: nothing changes
    assert second.answer("hub", "show") == shown
    assert "Another laptop" in second.run("hub", "show")
    people = [json.loads(line) for line in desk.run("hub", "people", "--json").splitlines()]
    assert [(one["name"], one["role"], one["revoked_s"]) for one in people] == [
        ("desk", "laptop", None),
        ("Ana", "technician", None),
    ]
    assert people[1]["serial"] == shown["serial"]
    desk.run("hub", "revoke", shown["serial"])
    assert shown["serial"] in desk.run("hub", "people")
    hub = Authority.load(desk.home / "trust")
    assert hub.revoked == {bytes.fromhex(shown["serial"])}
    assert "Nobody" in desk.run("hub", "revoke", "Nobody", code=2)
    assert "itself" in desk.run("hub", "revoke", "desk", code=2)
    assert "is there already" in desk.sealed("hub", "invite", "Bo", "--out", file, code=2)


def test_the_authoritys_own_laptop_becomes_a_technicians_by_the_two_commands_that_it_is_told(
    desk: Laptop,
) -> None:
    port = os.ttyname(os.openpty()[1])
    for number in ("", "-2"):
        said = desk.run("logs", "--port", port, code=39)
        invite, accept = re.findall("`smilehub (hub [^`]*)`", said)
        assert f"technician{number}.invitation" in accept
        desk.sealed(*invite.split())
        if not number:
            (desk.home / "technician.invitation").unlink()  # lost before it was opened
            continue
        desk.sealed(*accept.split())
    shown = desk.answer("hub", "show")
    assert (shown["authority"], shown["role"], shown["technician"]) == (True, "laptop", "technician-2")
    assert "technician-2" in desk.run("hub", "show")
    assert Identity.load(desk.home / "trust", "laptop").name == "desk", "the laptop's own stays"
    desk.sealed("hub", "invite", "Bo", "--out", desk.home / "bo")
    assert "already" in desk.sealed("hub", "accept", desk.home / "bo", code=61), "but never another laptop's"


def test_a_laptop_that_is_not_the_authority_is_told_who_makes_it_a_technicians(
    desk: Laptop, second: Laptop
) -> None:
    desk.sealed("hub", "invite", "Bo", "--out", desk.home / "bo")
    second.sealed("hub", "accept", desk.home / "bo")
    said = second.run("logs", "--port", os.ttyname(os.openpty()[1]), code=39)
    assert "`smilehub hub invite NAME --role technician --out technician.invitation`" in said
    desk.sealed("hub", "invite", "Ana", "--role", "technician", "--out", desk.home / "technician.invitation")
    second.sealed("hub", "accept", desk.home / "technician.invitation")
    assert second.answer("hub", "show")["technician"] == "Ana"


def _other_words(laptop: Laptop, file: Path) -> str:
    wrong = laptop.home / "wrong"
    wrong.write_text("something else\n")
    wrong.chmod(0o600)
    return laptop.run("hub", "accept", file, "--passphrase-file", wrong, code=66)


def test_a_backup_makes_another_laptop_the_authority(desk: Laptop, second: Laptop) -> None:
    file = desk.home / "hub.backup"
    desk.sealed("hub", "export", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "stays as it is" in desk.sealed("hub", "export", file, code=2)
    assert "before" in desk.sealed("hub", "import", file), "it adds what only the backup knows: nothing"
    damaged = second.home / "damaged"
    damaged.write_bytes(file.read_bytes()[:-9])
    assert "damaged" in second.sealed("hub", "import", damaged, code=65)
    assert "not a backup" in second.sealed("hub", "import", second.words, code=65)
    assert "smilehub hub import" in second.sealed("hub", "accept", file, code=65)
    assert "cannot be read" in second.sealed("hub", "import", second.home / "none", code=2)
    assert not (second.home / "trust").exists()
    second.sealed("hub", "import", file)
    shown = second.answer("hub", "show")
    assert (shown["name"], shown["laptop"], shown["authority"]) == ("Northside clinic", "desk 2", True)
    old = Identity.load(desk.home / "trust")
    assert Identity.load(second.home / "trust").authority == old.authority
    second.run("hub", "revoke", "desk")
    assert old.serial in Authority.load(second.home / "trust").revoked


def test_after_a_backup_was_brought_back_a_kiosk_is_asked_before_anybody_is_taken_back(
    desk: Laptop, second: Laptop
) -> None:
    Authority.load(desk.home / "trust").issue_kiosk(b"kiosk1")
    file = desk.home / "hub.backup"
    desk.sealed("hub", "export", file)
    second.sealed("hub", "import", file)
    assert "Sync one of them first" in second.run("hub", "revoke", "desk", code=70)
    lists = RevocationLists(second.home / "trust")
    lists.given(b"kiosk1", b"SERIAL-1", 5)
    assert "newest backup" in second.run("hub", "revoke", "desk", code=70)
    assert not Authority.load(second.home / "trust").revoked
    second.run("hub", "revoke", "desk", "--newest")
    authority = Authority.load(second.home / "trust")
    assert authority.sequence > 5 and len(authority.revoked) == 1


def test_a_laptop_belongs_to_one_hub(desk: Laptop, second: Laptop) -> None:
    second.run("hub", "init", "Southside")
    desk.sealed("hub", "invite", "Bo", "--out", desk.home / "bo")
    desk.sealed("hub", "export", desk.home / "backup")
    before = Identity.load(second.home / "trust")
    second.sealed("hub", "accept", desk.home / "bo", code=61)
    second.sealed("hub", "import", desk.home / "backup", code=61)
    assert Identity.load(second.home / "trust") == before


@pytest.mark.parametrize("words", ["short\n", "\n", ""])
def test_bad_passphrases_make_no_file(desk: Laptop, words: str) -> None:
    desk.words.write_text(words)
    for command in (("export", "x"), ("invite", "Ana", "--out", "x")):
        said = desk.sealed("hub", *command, code=2)
        assert ("too short" if words == "short\n" else "is empty") in said
    assert not (desk.home / "x").exists()
    assert len(Authority.load(desk.home / "trust").issued) == 1, "nobody was issued anything"


def test_keys_that_others_may_read_are_told_and_not_used(desk: Laptop) -> None:
    (desk.home / "trust" / "authority").chmod(0o644)
    assert "chmod 600" in desk.run("hub", "show", code=62)
    assert "chmod 600" in desk.run("enroll", "--console", "/dev/null", code=62)


def test_on_a_terminal_the_passphrase_is_asked_twice_and_never_shown(desk: Laptop) -> None:
    shown = _typed(desk, ["hub", "export", "typed.backup"], [WORDS, "something else", WORDS, WORDS])
    assert shown.count("Passphrase") == 2 and shown.count("epeat") == 2
    assert WORDS not in shown and "something else" not in shown
    data = (desk.home / "typed.backup").read_bytes()
    assert sealed.unseal(sealed.BACKUP, data, WORDS)


def _typed(laptop: Laptop, args: list[str], lines: list[str]) -> str:
    """What a terminal shows of a command when each line is typed at the next question."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(laptop.home)
        os.execve(PROGRAM[0], [*PROGRAM, *args], os.environ | {"SMILEHUB_HOME": str(laptop.home)})
    shown = ""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            new = os.read(fd, 4096).decode()
        except OSError:
            break
        shown += new
        if lines and shown.rstrip(" ").endswith(":"):
            time.sleep(0.05)  # the terminal stops echoing after the question
            os.write(fd, lines.pop(0).encode() + b"\n")
    os.close(fd)
    assert os.waitpid(pid, 0)[1] == 0, shown
    return shown


def test_every_command_has_an_example(second: Laptop) -> None:
    for command in ("init", "show", "people", "invite", "accept", "revoke", "export", "import"):
        said = second.run("hub", command, "--help")
        assert f"smilehub hub {command}" in said and "--json" in said
    assert "smilehub enroll --console" in second.run("enroll", "--help")
