"""Resolve pyproject.toml's dependencies into requirements.lock and requirements-dev.lock, with hashes.

The lock files name packages, versions and hashes only: no registry address is written.
"""

import subprocess
import sys
import tempfile
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


if __name__ == "__main__":
    sys.exit(main())
