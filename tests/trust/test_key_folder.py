"""Keys on this laptop's disk: who may read them, and what is said when somebody else may."""

import os
import stat
from pathlib import Path

import pytest

from smilehub.errors import KeysExposed, KeysUnreadable
from smilehub.trust import files
from smilehub.trust.authority import Authority
from smilehub.trust.identity import Identity


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A hub's folder, made under the widest umask."""
    before = os.umask(0)
    try:
        folder = tmp_path / "deep" / "trust"
        hub = Authority.create(folder, "Hub")
        hub.issue_person("laptop", "desk").save(folder)
    finally:
        os.umask(before)
    return folder


def test_files_and_folder_are_this_account_s_alone(folder: Path) -> None:
    assert mode(folder) == 0o700
    assert {path.name: mode(path) for path in folder.iterdir()} == {
        "authority": 0o600,
        "laptop": 0o600,
        ".lock": 0o600,
    }


@pytest.mark.parametrize(("what", "bits"), [("laptop", 0o640), ("laptop", 0o602), (".", 0o750), (".", 0o701)])
def test_what_others_may_read_or_change_is_refused_and_stays_as_it_is(
    folder: Path, what: str, bits: int
) -> None:
    (folder / what).chmod(bits)
    with pytest.raises(KeysExposed) as error:
        Identity.load(folder)
    assert "chmod" in error.value.hint and str(folder) in error.value.hint
    assert mode(folder / what) == bits


def test_nothing_is_written_into_a_folder_that_others_may_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(KeysExposed):
        Authority.create(tmp_path, "Hub")
    assert list(tmp_path.iterdir()) == []


def test_keys_of_another_account_are_not_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    with pytest.raises(KeysExposed, match="another account"):
        Authority.load(folder)


def test_the_disk_s_own_troubles_are_told(folder: Path, tmp_path: Path) -> None:
    (folder / "laptop").unlink()
    (folder / "laptop").mkdir()
    with pytest.raises(KeysUnreadable):
        Identity.load(folder)
    (tmp_path / "file").write_text("")
    with pytest.raises(KeysUnreadable):
        Authority.create(tmp_path / "file" / "trust", "Hub")


def test_the_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(files.ENVIRONMENT, str(tmp_path / "elsewhere"))
    assert files.trust_folder() == tmp_path / "elsewhere" / "trust"
    monkeypatch.delenv(files.ENVIRONMENT)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert files.data_folder().name == "smilehub"


@pytest.mark.parametrize("memory", [True, False])
def test_what_libraries_read_as_a_file_is_nowhere_afterwards(
    memory: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with files.passed(b"secret") as path:
        assert Path(path).read_bytes() == b"secret"
        assert mode(Path(path)) & 0o077 == 0 or memory
    assert not Path(path).exists()
    assert list(tmp_path.iterdir()) == []
