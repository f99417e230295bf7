"""What the kiosk has of hubcore.table: the packed form alone, as a module of constants."""

from __future__ import annotations

from hubcore import table

#: Where it goes in the slot's sources.
PATH = "hubcore/table.py"


def source() -> str:
    """The module's text."""
    lines = ["# Made of hubcore/table.py (smilehub.devices.packed); change it there."]
    for name in ("KINDS", "FIELDS", "LIMITS"):
        # Of a list the names become words that the interpreter keeps once; of a tuple each an object.
        lines.append(f"{name} = tuple({list(getattr(table, name))!r})")
    lines += [f"{name} = {getattr(table, name)!r}" for name in ("ROWS", "SHAPES")]
    return "\n".join(lines) + "\n"
