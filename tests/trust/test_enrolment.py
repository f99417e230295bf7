"""`smilehub enroll` at a simulated board's console, as a technician runs it; and no key shows anywhere."""

import asyncio
import base64
import json
import os
import pty
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from console_bench import Kiosk, mpremote

from services import identity
from smilehub import cli
from smilehub.cli import sim
from smilehub.cli._enrolled import enrolled
from smilehub.devices import enrol
from smilehub.devices.image import build_image
from smilehub.devices.partitions import load_board
from smilehub.devices.sources import board_toml
from smilehub.errors import EnrolledElsewhere
from smilehub.sim.board import device_id
from smilehub.sim.flash import create
from smilehub.sim.spec import load_spec
from smilehub.trust import certificates
from smilehub.trust.authority import Authority
from smilehub.trust.identity import Identity, KioskIdentity
from smilehub.ui import Ui

ROOT = Path(__file__).parents[2]
DEVICE = device_id(0)


class Partition:
    """The partition `keys` of a flash file, for services.identity."""

    def __init__(self, flash: Path) -> None:
        keys = load_board(board_toml()).partition("keys")
        self.data = flash.read_bytes()[keys.offset : keys.end]

    def readblocks(self, block: int, buf: bytearray, offset: int) -> None:
        at = block * 4096 + offset
        buf[:] = self.data[at : at + len(buf)]


def stored(flash: Path) -> KioskIdentity | None:
    parts = identity.load(Partition(flash))
    return parts and KioskIdentity(*parts)


class Technician:
    """A laptop with a hub; keeps all that its commands said."""

    def __init__(self, home: Path) -> None:
        self.env = os.environ | {"SMILEHUB_HOME": str(home)}
        self.folder = home / "trust"
        self.hub = Authority.create(self.folder, "Hub")
        self.hub.issue_person("laptop", "desk").save(self.folder)
        self.said = ""

    def run(self, *args: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "smilehub.cli", *args],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.said += done.stdout + done.stderr
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def enroll(self, port: str, *more: str, code: int = 0) -> Any:
        said = self.run("enroll", "--console", port, "--json", *more, code=code)
        return json.loads(next(line for line in said.splitlines() if line.startswith("{")))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("technicians")


@pytest.fixture(scope="module")
def kiosk(home: Path) -> Iterator[Kiosk]:
    kiosk = Kiosk(home, "--bare")
    yield kiosk
    kiosk.stop()


def test_a_bare_board_is_enrolled_taken_over_and_renewed(kiosk: Kiosk, home: Path) -> None:
    ours, other = Technician(home / "ours"), Technician(home / "other")
    assert kiosk.said["hub"] is None
    assert stored(kiosk.flash) is None
    done = ours.enroll(kiosk.console, "--debug")
    assert done == {
        "device_id": DEVICE.hex(),
        "firmware": done["firmware"],
        "hub": ours.hub.hub,
        "hub_before": None,
        "already": False,
    }
    first = stored(kiosk.flash)
    assert first is not None
    assert (first.device_id, first.authority, first.hub_key) == (DEVICE, ours.hub.cert, ours.hub.hub_key)
    kiosk_row = Authority.load(ours.folder).issued[-1]
    assert (kiosk_row.role, kiosk_row.name) == ("kiosk", DEVICE.hex())
    assert kiosk_row.serial == certificates.serial_of(first.cert)

    assert ours.enroll(kiosk.console)["already"] is True
    assert stored(kiosk.flash) == first
    assert other.enroll(kiosk.console, code=68)["error"]["code"] == "enrolled_elsewhere"
    assert stored(kiosk.flash) == first
    assert [one.role for one in Authority.load(other.folder).issued] == ["laptop"]

    assert ours.enroll(kiosk.console, "--replace", "--debug")["already"] is False
    second = stored(kiosk.flash)
    assert second is not None and second.key != first.key
    assert first.key not in kiosk.flash.read_bytes(), "nothing stays of the key before"
    assert Authority.load(ours.folder).revoked == {kiosk_row.serial}

    assert other.enroll(kiosk.console, "--replace")["hub_before"] == ours.hub.hub
    third = stored(kiosk.flash)
    assert third is not None and third.authority == other.hub.cert
    assert second.key not in kiosk.flash.read_bytes()
    # It went back to work by a reset of the whole board, as after switching it on.
    asked = "import machine; print(machine.reset_cause() == machine.HARD_RESET)"
    assert mpremote(kiosk.console, "resume", "exec", asked) == "True\n"

    secrets = [
        key
        for held in (first, second, third)
        for key in (held.key, held.hub_key, held.list_key, _scalar(held.key))
    ]
    for technician in (ours, other):
        secrets += _secrets_of(technician.folder)
    assert _shown(ours.said + other.said, secrets) == [], "a command's words, --debug and all"
    assert "private" not in (ours.said + other.said).lower()
    keys = load_board(board_toml()).partition("keys")
    flash = kiosk.flash.read_bytes()
    elsewhere = flash[: keys.offset] + flash[keys.end :]
    assert not [key for key in secrets if key in elsewhere], "only the partition keys holds keys"


def test_no_process_shows_a_key_in_its_command_line_or_environment(kiosk: Kiosk, home: Path) -> None:
    """All processes that enroll starts, from its first moment to its last, as any account can list them."""
    technician = Technician(home / "watched")
    seen: set[bytes] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            for entry in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        seen.add((entry / name).read_bytes())
                    except OSError:
                        continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        technician.enroll(kiosk.console, "--replace")
        held = stored(kiosk.flash)
    finally:
        done.set()
        watcher.join()
    assert held is not None
    assert any(b"enroll" in line for line in seen), "the watcher saw it run"
    secrets = [held.key, _scalar(held.key), held.hub_key, held.list_key, *_secrets_of(technician.folder)]
    assert _shown(b"\n".join(seen).decode("latin-1"), secrets) == []


def test_a_simulated_kiosk_is_born_into_this_laptop_s_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    laptop = tmp_path / "laptop"
    monkeypatch.setenv("SMILEHUB_HOME", str(laptop))
    served: list[tuple[Path, str | None]] = []

    async def serve(*args: Any) -> None:
        served.append(args[4:6])

    monkeypatch.setattr(sim, "_serve", serve)
    monkeypatch.setattr("smilehub.devices.memory.kiosk_heap", lambda _: 1_000_000)
    flash, bare = tmp_path / "flash.bin", tmp_path / "bare.bin"
    for path in (flash, bare):
        create(path, load_spec(board_toml()))
    for _ in range(2):
        with pytest.raises(SystemExit) as end:
            cli.main(["sim", "kiosk", "--flash", str(flash)])
        assert end.value.code == 0
    said = capsys.readouterr().out
    hub = Authority.load(laptop / "trust")
    assert served == [(flash, hub.hub)] * 2
    assert said.count("is enrolled in hub " + hub.hub) == said.count("the authority of a new hub") == 1
    held = stored(flash)
    assert held is not None and held.device_id == DEVICE and held.authority == hub.cert
    assert Identity.load(laptop / "trust").name == "desk"
    assert flash.stat().st_mode & 0o077 == 0, "a key is in it"
    # On another laptop it stays what it is, and on one that only was invited a new one stays bare.
    monkeypatch.setenv("SMILEHUB_HOME", str(tmp_path / "other"))
    assert enrolled(flash, DEVICE, Ui()) == hub.hub
    assert "this laptop does not" in capsys.readouterr().err
    hub.issue_person("laptop", "second").save()
    assert enrolled(bare, DEVICE, Ui()) is None
    assert "not enrolled" in capsys.readouterr().err


def test_an_image_may_be_born_enrolled(tmp_path: Path) -> None:
    held = Authority.from_seed("image").issue_kiosk(DEVICE)
    flash = tmp_path / "flash.bin"
    build_image(board_toml(), flash, slots=(), identity=held.blob)
    assert stored(flash) == held
    assert flash.stat().st_mode & 0o077 == 0, "a key is in it"


def test_a_person_is_asked_before_a_kiosk_leaves_another_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMILEHUB_HOME", str(tmp_path))
    Authority.create(tmp_path / "trust", "Hub")
    asked: list[bool] = []

    async def enroll(*_: object, replace: bool) -> enrol.Enrolled:
        asked.append(replace)
        if not replace:
            raise EnrolledElsewhere("This kiosk belongs to another hub, 0badcafe.")
        return enrol.Enrolled(DEVICE, "0.1.0", "0badcafe", already=False)

    monkeypatch.setattr(enrol, "enroll", enroll)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for answer, code, tries in ((False, 68, [False]), (True, 0, [False, True])):
        asked.clear()
        monkeypatch.setattr("rich_click.confirm", lambda *_, answer=answer, **__: answer)
        with pytest.raises(SystemExit) as end:
            cli.main(["enroll", "--console", "/dev/null"])
        assert (end.value.code, asked) == (code, tries)
        assert "0badcafe" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["enroll", "--console", "/dev/null", "--json"])
    assert asked == [False, True, False], "programs are never asked"


def test_ports_that_are_no_kiosk_s_console(home: Path, tmp_path: Path) -> None:
    technician = Technician(home / "ports")
    error = technician.enroll("/dev/nothing-here", code=5)["error"]
    assert error["code"] == "port_missing" and error["hint"]
    (tmp_path / "file").write_text("")
    assert technician.enroll(str(tmp_path / "file"), code=5)["error"]["code"] == "not_a_port"
    assert [one.role for one in Authority.load(technician.folder).issued] == ["laptop"]


class Repl:
    """What answers at a console: a raw REPL that `answers` plays; None: it is no MicroPython at all."""

    def __init__(self, answers: dict[str, str] | None) -> None:
        self.answers = answers
        self.codes: list[str] = []
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        held = b""
        while True:
            try:
                held += os.read(self.master, 4096)
            except OSError:
                return
            if self.answers is None:
                os.write(self.master, b"OK>welcome to something else\r\n")
                held = b""
            while b"\x01" in held:
                held = held.partition(b"\x01")[2]
                os.write(self.master, b"raw REPL; CTRL-B to exit\r\n>")
            while b"\x04" in held:
                code, _, held = held.partition(b"\x04")
                os.write(self.master, self._answer(code.decode()))

    def _answer(self, code: str) -> bytes:
        self.codes.append(code)
        if not code:
            return b"OK\r\nMPY: soft reboot\r\nraw REPL; CTRL-B to exit\r\n>"
        assert self.answers is not None
        for part, said in self.answers.items():
            if part in code:
                if said.startswith("!"):
                    return f"OK\x04Traceback (most recent call last):\r\n{said[1:]}\r\n\x04>".encode()
                return f"OK{said}\r\n\x04\x04>".encode()
        return b"OK\x04\x04>"

    def close(self) -> None:
        os.close(self._slave)
        self._thread.join(5)  # it ends when it has read all that was said
        os.close(self.master)


KIOSK = {
    "BOARD_ID": '["kiosk", "0.1.0"]',
    "uname": '"Generic ESP32S3 module with ESP32S3"',
    "unique_id": '"0a0b0c0d0e0f"',
    "len(p)": "1",
    "bool(h)": "false",
    "i.store": "true",
    "d.digest": '"00"',
}


_AUTHORITY = f'"{Authority.from_seed("boards").cert.hex()}"'
_UNKNOWN = f'"{Authority.from_seed("boards").issue_kiosk(DEVICE).cert.hex()}"'


@pytest.mark.parametrize(
    ("answers", "code", "words"),
    [
        (None, "wrong_board", "as MicroPython does"),
        (KIOSK | {"import boardcfg": "!ImportError: no module"}, "wrong_board", "not Smilehub's firmware"),
        (KIOSK | {"BOARD_ID": '["badge", "1"]'}, "wrong_board", "is a badge, not a kiosk"),
        (KIOSK | {"uname": '"ESP32C3 module with ESP32C3"'}, "wrong_board", "ESP32S3"),
        (KIOSK | {"unique_id": "nonsense"}, "wrong_board", "nonsense"),
        (KIOSK | {"unique_id": "5"}, "wrong_board", "who it is"),
        (KIOSK | {"import identity": "!ImportError: no"}, "wrong_board", "too old"),
        (KIOSK | {"len(p)": "0"}, "wrong_board", "no partition for keys"),
        (KIOSK | {"bool(h)": "true", "h[": '"30"'}, "enrolled_elsewhere", "unknown"),
        # One of this hub that its authority does not know (an older backup) is given a new identity unasked.
        (
            KIOSK | {"bool(h)": "true", "h[0]": _AUTHORITY, "h[1]": _UNKNOWN},
            "enroll_failed",
            "something else",
        ),
        (KIOSK | {"i.store": "!OSError: 5"}, "enroll_failed", "OSError: 5"),
        (KIOSK | {"i.store": "false"}, "enroll_failed", "on its way"),
        (KIOSK, "enroll_failed", "something else"),
    ],
)
def test_each_board_that_cannot_be_enrolled_has_its_sentence(
    answers: dict[str, str] | None, code: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smilehub.devices import enrol_repl
    from smilehub.errors import SmilehubError
    from smilehub.link.serial import SerialTransport

    monkeypatch.setattr(enrol_repl, "_TRY_S", 0.2 if answers is None else 5)
    repl = Repl(answers)
    hub = Authority.from_seed("boards")
    try:
        with pytest.raises(SmilehubError) as error:
            asyncio.run(enrol.enroll(SerialTransport(repl.path), hub))
    finally:
        repl.close()
    assert error.value.code == code
    assert words in error.value.message and error.value.hint
    assert not hub.revoked, "what the kiosk had before still counts"
    if answers is not None:
        assert "machine.reset()" in repl.codes[-1], "it goes back to work"


def test_the_repository_holds_no_private_key() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, timeout=60)
    if listed.returncode:
        pytest.skip("not a checkout")
    # SEC 1 and PKCS #8 begin so (P-256); PEM says it in words, here in two halves.
    marks = (b"\x02\x01\x01\x04\x20", b"PRIVATE" + b" KEY")
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = ROOT / name
        data = path.read_bytes() if path.is_file() else b""
        assert not [mark for mark in marks if mark in data or mark.hex().encode() in data], name


def _scalar(key: bytes) -> bytes:
    return certificates.key_from_der(key).private_numbers().private_value.to_bytes(32)


def _secrets_of(folder: Path) -> list[bytes]:
    own = Identity.load(folder)
    hub = Authority.load(folder)
    held = [hub._key, hub._list_secret, hub.hub_key, own.key]  # pyright: ignore[reportPrivateUsage]
    return held + [_scalar(key) for key in (held[0], own.key)]


def _shown(text: str, secrets: list[bytes]) -> list[str]:
    """Those that stand in the text in any usual form, whole or the half of it."""
    found: list[str] = []
    for secret in secrets:
        half = secret[: max(16, len(secret) // 2)]
        forms = (
            half.hex(),
            base64.b64encode(half).decode()[:-3],
            base64.urlsafe_b64encode(half).decode()[:-3],
            half.decode("latin-1"),
            repr(half)[2:-1],
        )
        found += [form for form in forms if form.lower() in text.lower()]
    return found


def test_the_search_finds_a_key_that_shows() -> None:
    key = Authority.from_seed(1).hub_key
    for text in (key.hex(), f"x{key!r}", base64.b64encode(key).decode(), key.hex().upper()):
        assert _shown(text, [key])
    assert not _shown("nothing", [key])
