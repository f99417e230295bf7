"""The command line: each module parses, calls and prints."""


def main() -> None:
    """Placeholder until the commands land."""
