"""The certificates in a real handshake: mbedTLS on MicroPython as the kiosk, OpenSSL as the laptop."""

import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smilehub.trust import certificates
from smilehub.trust.authority import Authority
from smilehub.trust.identity import Identity

ROOT = Path(__file__).parents[2]
HUB = Authority.from_seed("tls")
KIOSK = HUB.issue_kiosk(b"kiosk!")
LAPTOP = HUB.issue_person("laptop", "desk")

# What a kiosk does with the identity that it loads. Its side dials, so that no port has to be guessed.
SERVER = """
import socket, sys, tls
from journal_torture import Nor
from services import identity
nor = Nor(16)
with open(sys.argv[2], "rb") as file:
    assert identity.store(nor, file.read())
authority, cert, key, _, _ = identity.load(nor)
context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
context.load_verify_locations(authority)
context.verify_mode = tls.CERT_REQUIRED
seen = []
def look(der, depth):
    if depth == 0:
        seen[:] = [bytes(der)]
    return 0
context.verify_callback = look
plain = socket.socket()
plain.connect(socket.getaddrinfo("127.0.0.1", int(sys.argv[1]))[0][-1])
try:
    secure = context.wrap_socket(plain, server_side=True)
    serial, name = identity.peer(seen[0])
    secure.write(b"welcome")
    print(serial.hex(), name)
except (OSError, ValueError) as error:
    print("refused", error)
plain.close()
"""


def handshake(tmp_path: Path, kiosk: bytes, context: ssl.SSLContext) -> tuple[str, Exception | None]:
    """What the kiosk says, and what the laptop ran into."""
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    blob = tmp_path / "blob"
    blob.write_bytes(kiosk)
    failure: Exception | None = None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        with subprocess.Popen(
            [
                Path(sys.executable).with_name("micropython"),
                script,
                str(listener.getsockname()[1]),
                blob,
            ],
            env={"MICROPYPATH": f".frozen:{ROOT / 'firmware'}:{ROOT / 'tests' / 'services'}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            plain, _ = listener.accept()
            plain.settimeout(20)
            try:
                with context.wrap_socket(plain) as secure:
                    assert secure.cipher() == ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLSv1.2", 128)
                    assert Identity.device_of(secure.getpeercert(True) or b"") == b"kiosk!"
                    assert secure.recv(20) == b"welcome"
            except OSError as error:
                failure = error
            finally:
                plain.close()
            said, _ = process.communicate(timeout=20)
    return said.strip(), failure


def client(identity: Identity | None, authority: bytes = HUB.cert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.maximum_version = context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    # What Python 3.13 asks for by default
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT | ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    if identity is None:
        context.load_verify_locations(cadata=authority)
    else:
        identity.install(context)
    return context


def memory_handshake(server: ssl.SSLContext, laptop: ssl.SSLContext) -> ssl.SSLError | None:
    """What the laptop says of a server, in memory."""
    a, b = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = laptop.wrap_bio(a, b), server.wrap_bio(b, a, server_side=True)
    for _ in range(9):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                return error
    return None


def test_a_laptop_and_a_kiosk_of_one_hub_know_each_other(tmp_path: Path) -> None:
    said, failure = handshake(tmp_path, KIOSK.blob, client(LAPTOP))
    assert (said, failure) == (f"{LAPTOP.serial.hex()} laptop-desk", None)


def _as(cert: bytes, key: bytes) -> Identity:
    return Identity(cert, key, HUB.cert, HUB.hub_key, "laptop", "x")


def _no_certificate() -> Identity | None:
    return None


def _other_hub() -> Identity | None:
    other = Authority.from_seed("evil").issue_person("laptop", "desk")
    return _as(other.cert, other.key)


def _another_kiosk() -> Identity | None:
    stolen = HUB.issue_kiosk(b"stolen")
    return _as(stolen.cert, stolen.key)


def _issued_by_a_laptop() -> Identity | None:
    key = certificates.new_key(lambda n: b"7" * n)
    laptop_key = certificates.key_from_der(LAPTOP.key)
    cert = certificates.issue(LAPTOP.cert, laptop_key, key.public_key(), "laptop-desk", b"\x411111111")
    return _as(cert, certificates.key_to_der(key))


@pytest.mark.parametrize("who", [_no_certificate, _other_hub, _another_kiosk, _issued_by_a_laptop])
def test_a_kiosk_refuses(who: Callable[[], Identity | None], tmp_path: Path) -> None:
    said, failure = handshake(tmp_path, KIOSK.blob, client(who()))
    assert said.startswith("refused"), said
    assert isinstance(failure, ssl.SSLError) or failure is not None


def test_a_laptop_refuses_a_kiosk_of_another_hub(tmp_path: Path) -> None:
    other = Authority.from_seed("evil").issue_kiosk(b"kiosk!")
    said, failure = handshake(tmp_path, other.blob, client(LAPTOP))
    assert said.startswith("refused")
    assert isinstance(failure, ssl.SSLCertVerificationError)


def test_a_laptop_does_not_take_another_laptop_for_a_kiosk(tmp_path: Path) -> None:
    evil = HUB.issue_person("laptop", "evil")
    blob = type(KIOSK)(HUB.cert, evil.cert, evil.key, HUB.hub_key, bytes(32)).blob
    # mbedTLS does not even offer such a certificate as a server's; who is evil does not use mbedTLS.
    assert handshake(tmp_path, blob, client(LAPTOP))[1] is not None
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    evil.install(server)
    refused = memory_handshake(server, client(LAPTOP))
    assert isinstance(refused, ssl.SSLCertVerificationError)
    assert "purpose" in refused.verify_message
    fine = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    Identity(KIOSK.cert, KIOSK.key, HUB.cert, HUB.hub_key, "laptop", "x").install(fine)
    assert memory_handshake(fine, client(LAPTOP)) is None
