"""What a TLS handshake takes of the kiosk's memory: its own session, as compiled for the board, in the plain
interpreter, with the laptop's TLS at the other end of a socket pair."""

import itertools
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from smilehub.devices import image
from smilehub.link.tls import context
from smilehub.trust.authority import Authority

#: What the ESP32's interpreter sets aside for records: mbedTLS with 16 KiB in and 4 KiB out, and 13 bytes of
#: sequence number and head, 64 of MAC, cipher block and IV (ESP-IDF, CONFIG_MBEDTLS_ASYMMETRIC_CONTENT_LEN).
ESP32_RECORDS = 16384 + 4096 + 2 * 333
_RECORDS_FROM = 4096  # what is larger is one of the two buffers for records, here
_FOLDER_BYTES = 32768  # what listing a folder takes and gives back in the C library: our mark
_MEMUSAGE = "libmemusage.so"
_ENTRY = struct.Struct("<QQII")  # bytes in use, stack, time (glibc, malloc/memusage.c)
_MOST_S = 60
#: What is in memory for a handshake alone; the last only once it is known who has shaken hands.
_LOADED = ("services/door", "hubcore/asked", "services/identity")
_KIOSK = """
import asyncio, gc, io, os, select, sys
from services.session import Gate, Session
from tasks.forget import forget
pipe = open(int(sys.argv[2]), "r+b")
poller = select.poll()
poller.register(pipe, select.POLLIN)
keys = open(sys.argv[3], "rb").read()
parts = [open(name, "rb").read() for name in sys.argv[4:]]
most = 0
known = False
def look():
    global most, known
    gc.collect()
    used = gc.mem_alloc()
    if used > most:
        most = used
        known = "services.identity" in sys.modules
def end():
    look()
    print(session.role, most - base, int(known))
    os.listdir("/")
    raise SystemExit
class Flash:
    def readblocks(self, block, buf, offset=0):
        at = block * 4096 + offset
        buf[:] = keys[at : at + len(buf)]
        look()
class Hub:
    keys = Flash()
    listeners = []
    def fault(self, task, error):
        print(task, error)
    @property
    def journal(self):
        end()
class Wake:
    async def wait(self, ms=None):
        if session.role:
            end()
        look()
        if not carrier.have:
            poller.poll()
            carrier.have = pipe.readinto(room)
            carrier.at = 0
    def set(self):
        pass
class Turn:
    def begin(self):
        pass
    rest = begin
class Ui:
    since = touched = 0
room = bytearray(1024)
class Carrier(io.IOBase):
    way = "cable"
    wake = Wake()
    ended = False
    have = at = 0
    def readinto(self, buf):
        look()
        n = min(self.have, len(buf))
        buf[:n] = room[self.at : self.at + n]
        self.at += n
        self.have -= n
        return n or None
    def write(self, buf):
        look()
        return pipe.write(buf)
    def ioctl(self, op, arg):
        return 0
    def handshaking(self, on):
        look()
    def hang_up(self, reason=0):
        raise SystemExit
carrier = Carrier()
carrier.peer = carrier
os.listdir("/")
about = bytes(6), "bench", "kiosk", "K"
session = Session(carrier, Gate(Hub(), bytearray(5000), about, parts, 0, None, Ui(), Ui(), gc.collect))
# As it is between two sessions: what lets somebody in is loaded anew each time.
forget("services.door", "hubcore.asked", "services.identity")
gc.collect()
base = gc.mem_alloc()
asyncio.run(session.run(Turn()))
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes: most native memory beside the records' buffers; those buffers, here; most interpreter heap over
    the level before, here, and of that the code that is loaded for it."""

    native: int
    records: int
    heap: int
    code: int

    @property
    def heap_on_board(self) -> float:
        """The heap on an ESP32: objects half as large, code the same (ARCHITECTURE.md, Heap)."""
        return self.code + (self.heap - self.code) / 2


def measure() -> Memory:
    """Let a kiosk's session and this laptop's TLS shake hands. Raises RuntimeError if they do not."""
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as name:
        folder = Path(name)
        trace = folder / "trace"
        heap, code = _shake_hands(folder, {"LD_PRELOAD": _MEMUSAGE, "MEMUSAGE_OUTPUT": str(trace)})
        native, records = peak([entry[0] for entry in _ENTRY.iter_unpack(trace.read_bytes())])
        return Memory(native, records, heap, code)


def peak(levels: list[int]) -> tuple[int, int]:
    """Most bytes in use between the last two marks, over what was in use at the first of them: without the
    buffers for records, and these.

    ``levels``: bytes in use after each call of the allocator. Raises RuntimeError if the marks are missing.
    """
    steps = [after - before for before, after in itertools.pairwise(levels)]
    marks = [at for at, step in enumerate(steps) if _FOLDER_BYTES <= step < 2 * _FOLDER_BYTES]
    if len(marks) < 2:
        raise RuntimeError("the allocator's trace lacks its marks")
    used = most = records = most_records = 0
    for step in steps[marks[-2] + 2 : marks[-1]]:  # what the mark itself took has been given back
        if abs(step) >= _RECORDS_FROM:
            records += step
        else:
            used += step
        most = max(most, used)
        most_records = max(most_records, records)
    return most, most_records


def _shake_hands(folder: Path, environment: Mapping[str, str]) -> tuple[int, int]:
    app = folder / "app"
    more = {"kiosk/bench.py": _KIOSK.encode()}
    for path, data in image.build_app(folder / "made", more=more).items():
        (app / path).parent.mkdir(parents=True, exist_ok=True)
        (app / path).write_bytes(data)
    authority = Authority.from_seed(1)
    kiosk = authority.issue_kiosk(bytes(6))
    keys = bytearray(b"\xff") * 0x10000
    keys[0x4000 : 0x4000 + len(kiosk.blob)] = kiosk.blob
    files = {"keys": bytes(keys), "authority": kiosk.authority, "cert": kiosk.cert, "key": kiosk.key}
    for file, data in files.items():
        (folder / file).write_bytes(data)
    program = folder / "kiosk.py"
    program.write_text("import asyncio, sys\nsys.path[:] = [sys.argv[1]]\nimport kiosk.bench\n")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(_MOST_S)
        theirs.setblocking(False)
        laptop = authority.issue_person("laptop", "bench")
        tls = context(laptop)
        command = [str(Path(sys.executable).parent / "micropython"), "-X", "heapsize=2M", str(program)]
        command += [str(app), str(theirs.fileno()), *(str(folder / file) for file in files)]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(theirs.fileno(),),
            env={**os.environ, **environment},
        ) as process:
            theirs.close()
            try:
                with tls.wrap_socket(ours) as session:
                    session.send(b"\0")  # of a message's head
                    said, _ = process.communicate(timeout=_MOST_S)
            except OSError:
                said, _ = process.communicate(timeout=_MOST_S)
    found = re.search(rb"^laptop (\d+) ([01])$", said, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"no handshake: {said[:1000].decode(errors='replace')}")
    loaded = _LOADED if int(found[2]) else _LOADED[:-1]
    return int(found[1]), sum((app / f"{name}.mpy").stat().st_size for name in loaded)
