"""Takes modules that are needed no more out of memory."""

import sys


def forget(*names) -> None:
    """Drop modules, so that the next import loads them anew; nothing may refer to what they made of code."""
    for name in names:
        sys.modules.pop(name, None)
        at = name.rfind(".")
        package = sys.modules.get(name[:at]) if at > 0 else None
        if package is not None and hasattr(package, name[at + 1 :]):
            delattr(package, name[at + 1 :])
