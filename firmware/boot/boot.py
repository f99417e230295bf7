"""Chooses the application slot by the boot state and mounts it, read-only, on /app."""


def _slot():
    # Of the entries whose CRC fits, the one with the highest counter (docs/formats.md); without any, slot 0.
    import struct
    from binascii import crc32

    from esp32 import Partition

    best = slot = 0
    entry = bytearray(16)
    for part in Partition.find(Partition.TYPE_DATA, label="keys"):
        for at in range(0, 8192, 16):
            part.readblocks(at >> 12, entry, at & 4095)
            if entry[:2] == b"SB" and entry[2] < 2:
                _, _, _, counter, _, crc = struct.unpack("<2sBBI4sI", entry)
                if counter >= best and crc == crc32(memoryview(entry)[:12]):
                    best, slot = counter, entry[2]
    return slot


def _mount(name):
    import vfs
    from esp32 import Partition

    for part in Partition.find(Partition.TYPE_DATA, label=name):
        vfs.mount(vfs.VfsLfs2(part), "/app", readonly=True)
        return True
    return False


def _boot():
    import sys

    try:
        first = _slot()
    except OSError:
        first = 0
    names = ("app_a", "app_b")
    for name in (names[first], names[1 - first]):
        try:
            if _mount(name):
                sys.path.insert(0, "/app")
                return
        except (OSError, ValueError):
            pass  # damaged or erased: the other slot may do
    print("Smilehub: no application in app_a or app_b. Write the image again with esptool,")
    print("all but the journal partition: what the kiosk has recorded is kept there.")


_boot()
# What is left in the namespace of the prompt would stay in memory as long as the program runs.
for _name in ("_boot", "_mount", "_slot"):
    globals().pop(_name)
