"""Chooses the application slot by the boot state, the other one if it is damaged, and mounts it on /app.

Leaves ``boot``, (slot, what was damaged), for main.py.
"""


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

    try:
        vfs.umount("/app")
    except OSError:
        pass  # nothing was mounted
    for part in Partition.find(Partition.TYPE_DATA, label=name):
        # Caches four times as large as usual: the start, which reads everything, then takes two seconds less.
        vfs.mount(vfs.VfsLfs2(part, readsize=128), "/app", readonly=True)
        return
    raise OSError(19)


def _damage(name):
    # Mount a slot and compare its files with its manifest (docs/formats.md). (2: whole, 1: the program is
    # whole, 0: unusable; what is damaged). Code that is not what was built never runs; a picture or a
    # language that is damaged is better than no kiosk.
    from binascii import crc32

    state, what = 2, ""
    try:
        _mount(name)
        with open("/app/manifest", "rb") as file:
            text = file.read()
        body = text[:-9]
        if int(text[-9:-1], 16) != crc32(body):
            return 0, "manifest"
        buf = memoryview(bytearray(4096))
        for line in body.decode().split("\n")[:-1]:
            want, path = line.split(" ", 1)
            crc = 0
            try:
                with open("/app/" + path, "rb") as file:
                    n = file.readinto(buf)
                    while n:
                        crc = crc32(buf[:n], crc)
                        n = file.readinto(buf)
            except OSError:
                crc = -1
            if crc != int(want, 16):
                what = path
                if path.endswith("py"):
                    return 0, what
                state = 1
    except (OSError, ValueError):
        return 0, what or "file system"
    return state, what


def _boot():
    import sys

    try:
        first = _slot()
    except OSError:
        first = 0
    names = ("app_a", "app_b")
    best, told = -1, ""
    usable = 0
    for slot in (first, 1 - first):
        state, what = _damage(names[slot])
        if state > usable:
            best, usable = slot, state
        if state == 2:
            break
        told += (", " if told else "") + names[slot] + ": " + what
    if best < 0:
        print("Smilehub: no application in app_a or app_b. Write the image again with esptool,")
        print("all but the journal partition: what the kiosk has recorded is kept there.")
        return -1, told
    if told:
        print("Smilehub: damaged:", told + ".", names[best], "runs.")
    if state != 2 and slot != best:
        _mount(names[best])
    sys.path.insert(0, "/app")
    return best, told


boot = _boot()
# What is left in the namespace of the prompt would stay in memory as long as the program runs.
for _name in ("_boot", "_mount", "_slot", "_damage"):
    globals().pop(_name)
