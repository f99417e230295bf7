"""Resolve pyproject.toml's dependencies into requirements.lock and requirements-dev.lock, with hashes.

The lock files name packages, versions and hashes only: no registry address is written.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOL = ["pip-tools==7.6.2", "pip<26"]
QUIET = [
    *("-q", "--generate-hashes", "--allow-unsafe", "--strip-extras", "--no-header", "--no-annotate"),
    *("--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host", "--no-emit-options"),
]
#: What Bumble names for transports and tools of its own that nothing here loads.
UNUSED = frozenset(
    {
        *("importlib-resources", "libusb-package", "libusb1", "prompt-toolkit"),
        *("pyserial-asyncio", "pyusb", "wcwidth", "websockets"),
    }
)
BUILD = ["hatchling==1.33.0", "editables==0.5"]


def main() -> int:
    """Write both lock files; returns the exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        venv = Path(scratch) / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        python = str(venv / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", *TOOL], check=True)
        build = Path(scratch) / "build.in"
        build.write_text("\n".join(BUILD) + "\n")
        for name, extras in (("requirements.lock", ["sim"]), ("requirements-dev.lock", ["sim", "dev"])):
            flags = [flag for extra in extras for flag in ("--extra", extra)]
            subprocess.run(
                [python, "-m", "piptools", "compile", *QUIET, *flags]
                + ["-o", str(ROOT / name), str(ROOT / "pyproject.toml"), str(build)],
                check=True,
                cwd=ROOT,
            )
            drop_unused(ROOT / name)
            mark(ROOT / name, markers(ROOT / "pyproject.toml"))
    return 0


def drop_unused(lock: Path) -> None:
    """Take the packages of UNUSED out of a lock file; it is installed with --no-deps."""
    kept: list[str] = []
    keep = True
    for line in lock.read_text().splitlines():
        if not line.startswith(" "):
            keep = line.partition("==")[0] not in UNUSED
        if keep:
            kept.append(line)
    lock.write_text("\n".join(kept) + "\n")


def markers(project: Path) -> dict[str, str]:
    """Of the requirements that pyproject.toml has for some systems alone: name and marker."""
    extras = tomllib.loads(project.read_text())["project"]["optional-dependencies"]
    found = (
        re.fullmatch(r"([A-Za-z0-9._-]+)[^;]*;\s*(.+)", one) for extra in extras.values() for one in extra
    )
    return {one[1].lower(): one[2] for one in found if one is not None}


def mark(lock: Path, only: Mapping[str, str]) -> None:
    """Have a lock file ask for those only where they can be had; pip-compile forgets it."""
    text = lock.read_text()
    for name, marker in only.items():
        text = re.sub(
            rf"^({re.escape(name)}==[^ ;\n]+)(?: ; [^\\\n]*?)? \\$", rf"\1 ; {marker} \\", text, flags=re.M
        )
    lock.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
