"""SIGTERM ends a command as Ctrl-C does, with a word, and with an exit code of its own."""

#: What a shell reports for a program that SIGTERM ended.
TERMINATED = 143


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""
