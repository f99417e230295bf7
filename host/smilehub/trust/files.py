"""Where keys live on this laptop: a folder of this account alone, each file written whole or not at all."""

import os
import stat
import tempfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from smilehub.errors import KeysDamaged, KeysExposed, KeysUnreadable

#: Names another folder for all of Smilehub's data.
ENVIRONMENT = "SMILEHUB_HOME"
_CRC = 4
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def data_folder() -> Path:
    """The folder of Smilehub's data: SMILEHUB_HOME, or the platform's for this account."""
    home = os.environ.get(ENVIRONMENT)
    if home:
        return Path(home)
    import platformdirs

    return platformdirs.user_data_path("smilehub")


def trust_folder() -> Path:
    """Where this laptop's keys are."""
    return data_folder() / "trust"


def read(path: Path) -> bytes | None:
    """A file of secrets, or None if there is none.

    Raises KeysExposed if another account could have read or changed it (it is not repaired: then nobody would
    learn that a key may be known), KeysUnreadable, KeysDamaged.
    """
    try:
        with path.open("rb") as file:
            for what, state in ((path.parent, path.parent.stat()), (path, os.fstat(file.fileno()))):
                if state.st_uid != os.getuid() or state.st_mode & _OTHERS:
                    raise _exposed(what, state)
            data = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        if isinstance(error, KeysExposed):
            raise
        raise KeysUnreadable(f"The file {path} cannot be read: {error.strerror}.") from error
    if zlib.crc32(data[:-_CRC]) != int.from_bytes(data[-_CRC:], "little") or len(data) <= _CRC:
        raise KeysDamaged(f"The file {path} is damaged: it is not as it was written.")
    return data[:-_CRC]


def write(path: Path, data: bytes) -> None:
    """Keep secrets in a file (0600, in a folder 0700); on return they are on the disk. Raises KeysExposed,
    KeysUnreadable."""
    try:
        make_folder(path.parent)
        with _fresh(path.parent) as (fd, part):
            os.write(fd, data + zlib.crc32(data).to_bytes(_CRC, "little"))
            os.fsync(fd)
            part.replace(path)
        _sync(path.parent)
    except OSError as error:
        if isinstance(error, KeysExposed):
            raise
        raise KeysUnreadable(f"The file {path} cannot be written: {error.strerror}.") from error


def make_folder(folder: Path) -> None:
    """Make a folder for secrets. Raises KeysExposed if it is there and open to others, OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        state = folder.stat()
        if state.st_uid != os.getuid() or state.st_mode & _OTHERS:
            raise _exposed(folder, state) from None


@contextmanager
def passed(data: bytes) -> Generator[str]:
    """A path under which a library that reads only files finds ``data``; nothing of it stays on the disk."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("smilehub", os.MFD_CLOEXEC)
        try:
            os.write(fd, data)
            yield f"/proc/self/fd/{fd}"
        finally:
            os.close(fd)
        return
    with tempfile.NamedTemporaryFile(prefix="smilehub-") as file:  # made with mode 0600
        file.write(data)
        file.flush()
        yield file.name


def _exposed(path: Path, state: os.stat_result) -> KeysExposed:
    if state.st_uid != os.getuid():
        return KeysExposed(f"{path} belongs to another account, which could have put other keys there.")
    right = "700" if stat.S_ISDIR(state.st_mode) else "600"
    return KeysExposed(
        f"Other accounts may read or change {path}, which holds this hub's keys.",
        hint=f"If nobody else uses this computer: chmod {right} '{path}'. Otherwise the keys may be known: "
        "revoke them with `smilehub hub revoke`, or begin a new hub.",
    )


@contextmanager
def _fresh(folder: Path) -> Generator[tuple[int, Path]]:
    fd, name = tempfile.mkstemp(prefix=".part-", dir=folder)  # 0600
    try:
        yield fd, Path(name)
    finally:
        os.close(fd)
        Path(name).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
