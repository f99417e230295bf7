"""Files, as a technician asks for them over the link; in memory only meanwhile."""

import os

from hubcore.compat import const
from hubcore.errors import HubError, Refused, RequestError
from services.rare import count

# As in hubcore.requests.
_FILE_LIST = const(12)
_FILE_READ = const(13)
_FILE_WRITE = const(14)
_FILE_REMOVE = const(15)

_MOST = const(1024)  # bytes of a file in a reply
_NAMES = const(24)  # entries of a folder in a reply
_OTHER = "/other"  # where the slot that does not run is mounted while it is asked for


def answer(gate, op: int, args: dict):
    """The result. All may be read; only those of the slot that does not run may be written.

    Raises RequestError, Refused, HubError.
    """
    path = args.get(0)
    if not isinstance(path, str) or path[:1] != "/" or ".." in path.split("/") or len(path) > 128:
        raise RequestError("a path begins with / and has at most 128 characters")
    other = path == _OTHER or path.startswith(_OTHER + "/")
    writes = op == _FILE_WRITE or op == _FILE_REMOVE
    if writes and not other:
        raise Refused("read_only", path)
    try:
        if other:
            _mount(gate.slot, op == _FILE_WRITE)
        try:
            if op == _FILE_LIST:
                return _list(path, count(args.get(1, 0)))
            if op == _FILE_REMOVE:
                os.remove(path)
                return {}
            at = count(args.get(1, 0))
            if op == _FILE_READ:
                return _read(path, at, min(count(args.get(2, _MOST)), _MOST))
            return _write(path, at, args.get(2))
        finally:
            if other:
                os.umount(_OTHER)
    except OSError as error:
        raise HubError("The kiosk cannot: " + path + ": " + str(error)) from None


def _list(path, first):
    # From the first-th entry on: [name, size or -1 for a folder].
    found = []
    for entry in os.ilistdir(path):
        if first > 0:
            first -= 1
        elif len(found) < _NAMES:
            size = -1 if entry[1] & 0x4000 else entry[3] if len(entry) > 3 else 0
            found.append([entry[0], size])
    return found


def _read(path, at, most):
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(min(at, size))
        return {0: file.read(most), 1: size}


def _write(path, at, data):
    if not isinstance(data, bytes):
        raise RequestError("what is to be written is bytes")
    folder = _OTHER
    for name in path.split("/")[2:-1]:
        folder += "/" + name
        try:
            os.mkdir(folder)
        except OSError:
            pass  # it is there
    with open(path, "r+b" if at else "wb") as file:
        if at > file.seek(0, 2):
            raise RequestError("a file has no holes")  # to fill one takes minutes
        file.seek(at)
        file.write(data)
        return {0: file.seek(0, 2)}


def _mount(running, make):
    import vfs
    from esp32 import Partition

    part = Partition.find(Partition.TYPE_DATA, label="app_a" if running else "app_b")[0]
    try:
        system = vfs.VfsLfs2(part)
    except OSError:
        if not make:
            raise
        vfs.VfsLfs2.mkfs(part)
        system = vfs.VfsLfs2(part)
    vfs.mount(system, _OTHER)
