"""Files, ports and terminals that are not what they seem: one sentence, a number, nothing touched."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smilehub import cli
from smilehub.devices.ports import choose, discover
from smilehub.errors import NotAPort, StoreReadOnly, UsageError
from smilehub.store.database import Store

SMILEHUB = [sys.executable, "-m", "smilehub.cli"]


def run(capsys: pytest.CaptureFixture[str], *args: str | Path) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        cli.main([str(arg) for arg in args])
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert isinstance(end.value.code, int)
    return end.value.code, err


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter.txt"
    path.write_text("Dear hub,")
    return path


def test_a_file_is_no_port_and_stays_as_it_is(letter: Path, capsys: pytest.CaptureFixture[str]):
    with letter.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # somebody works with it: still no port
        assert run(capsys, "sync", "--port", letter)[0] == 5
    assert run(capsys, "sync", "--port", letter.parent)[0] == 5
    assert run(capsys, "sync", "--port", "")[0] == 2
    assert letter.read_text() == "Dear hub,"


@pytest.mark.parametrize("write", [True, False])
def test_what_is_no_store_gets_nothing_beside_it(letter: Path, write: bool):
    folder = letter.parent / "folder"
    folder.mkdir()
    for path, said in ((folder, "folder"), (Path(os.devnull), "device"), (letter, "not a smilehub store")):
        with pytest.raises(Exception, match=said) as error:
            Store.open(path, write=write)
        assert getattr(error.value, "exit_code", 1) == 24
    assert sorted(entry.name for entry in letter.parent.iterdir()) == ["folder", "letter.txt"]
    assert not Path(os.devnull + ".lock").exists()


def test_a_store_that_cannot_be_made_is_not_called_busy():
    with pytest.raises(StoreReadOnly):
        Store.open(Path("/proc/store.sqlite"))


def test_a_simulated_board_takes_no_strange_file_for_its_flash(
    letter: Path, capsys: pytest.CaptureFixture[str]
):
    code, err = run(capsys, "sim", "kiosk", "--flash", letter)
    assert code == 32 and "is not the flash of this board" in err
    assert letter.read_text() == "Dear hub,"
    assert run(capsys, "sim", "kiosk", "--flash", letter / "x")[0] == 32
    picture = letter.parent / "no" / "panel.png"
    assert run(capsys, "sim", "kiosk", "--flash", letter, "--panel-png", picture)[0] == 2
    (letter.parent / "board.toml").write_bytes(b"\xff\xfe\xd0")
    assert run(capsys, "sim", "kiosk", "--board", letter.parent / "board.toml")[0] == 2


def test_arguments_that_fit_no_record_are_refused_before_anything_is_sent(capsys: pytest.CaptureFixture[str]):
    nowhere = ("--port", "/nowhere")
    assert run(capsys, "alert", "ack", "9" * 20, *nowhere)[0] == 2
    assert run(capsys, "undo", "--why", "ö" * 3000, *nowhere)[0] == 2
    assert run(capsys, "undo", "--why", "ö" * 30, *nowhere)[0] == 5
    assert run(capsys, "queue", "--offline", "--limit", "0")[0] == 2


def test_the_console_of_a_dual_bridge_is_not_written_to():
    class Usb:
        vid, pid, serial_number = 0x10C4, 0xEA70, "A1"

        def __init__(self, number: int):
            self.device = f"/dev/ttyUSB{number}"
            self.location = f"1-4:1.{number}"

    bridge = [Usb(0), Usb(1)]
    with pytest.raises(NotAPort, match="console") as error:
        choose("/dev/ttyUSB0", environ={}, usb=bridge)
    assert "/dev/ttyUSB1" in error.value.hint
    assert choose("/dev/ttyUSB1", environ={}, usb=bridge) == "/dev/ttyUSB1"
    with pytest.raises(UsageError):
        choose("", environ={}, usb=bridge)


def test_the_entry_of_a_board_that_died_is_no_port(tmp_path: Path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    controller, terminal = os.openpty()
    try:
        for process in (os.getpid(), gone.pid):
            (tmp_path / f"kiosk-{process}").symlink_to(os.ttyname(terminal))
        (tmp_path / "mine").symlink_to("/dev/null")
        found = {Path(port.path).name for port in discover({"SMILEHUB_PORTS": str(tmp_path)}, [])}
    finally:
        os.close(controller)
        os.close(terminal)
    assert found == {f"kiosk-{os.getpid()}", "mine"}


@pytest.mark.parametrize("extra", [(), ("--json",)])
def test_letters_that_the_terminal_lacks_end_nothing(tmp_path: Path, extra: tuple[str, ...]):
    environment = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
    }
    for args, code in ((("queue", "--offline", "--store", "nö"), 25), (("left", "K1", "--why", "ö"), 2)):
        done = subprocess.run([*SMILEHUB, *args, *extra], env=environment, capture_output=True, timeout=60)
        assert done.returncode == code, done.stderr
        assert b"unexpected" not in done.stdout + done.stderr


def test_an_output_that_is_closed_is_no_error(tmp_path: Path):
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&- 2>&-', "sh", *SMILEHUB, "devices"],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        timeout=60,
    )
    assert done.returncode == 0
