"""A kiosk's files, fetched and brought whole; what was broken off goes on where it stopped."""

from smilehub.errors import KioskFault
from smilehub.link.client import KioskClient
from smilehub.ui import Progress


async def get(client: KioskClient, path: str, progress: Progress) -> bytes:
    """All of a file. Raises RoleForbidden, KioskFault if there is none, a LinkError."""
    data = b""
    while True:
        part, size = await client.read_part(path, len(data))
        data += part
        progress.update(len(data), size)
        if len(data) >= size or not part:
            return data


async def put(client: KioskClient, path: str, data: bytes, progress: Progress) -> int:
    """Bring a file, or what the kiosk lacks of it; returns how many bytes were sent.

    What is there already is read and compared up to the first difference, so that nothing has to be
    remembered of an attempt that was broken off. Raises RoleForbidden, KioskRefused where files may not be
    written, KioskFault if there is no room, a LinkError.
    """
    same = await _same(client, path, data, progress)
    at = await client.write_part(path, 0, data) if same is None else same
    while at < len(data):
        progress.update(at, len(data))
        at = await client.write_part(path, at, data)
    progress.update(at, len(data))
    return len(data) - (same or 0)


async def _same(client: KioskClient, path: str, data: bytes, progress: Progress) -> int | None:
    """How many bytes from the first on are as they should be; None: the file has to be begun anew."""
    at = 0
    try:
        while True:
            part, size = await client.read_part(path, at)
            if size > len(data):
                return None
            wanted = data[at : at + len(part)]
            if part != wanted:
                return at + next(i for i, byte in enumerate(part) if byte != wanted[i])
            at += len(part)
            progress.update(at, len(data))
            if at >= size or not part:
                return at
    except KioskFault:
        return None  # there is none, or what hinders reading it hinders writing it too
