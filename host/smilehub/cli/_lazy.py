"""A command group that knows its commands by name and imports one only when it runs."""

import importlib
from typing import ClassVar

import rich_click as click

from smilehub.errors import MissingExtra


class LazyGroup(click.RichGroup):
    """``lazy`` maps a command's name to (module, attribute, line for the overview)."""

    lazy: ClassVar[dict[str, tuple[str, str, str]]] = {}
    needs_extra: ClassVar[frozenset[str]] = frozenset()

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table, then those added in the ordinary way."""
        return list(self.lazy) + super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A stand-in with the overview's line: enough for help and completion, and it imports nothing."""
        if cmd_name in self.lazy:
            return click.Command(cmd_name, short_help=self.lazy[cmd_name][2])
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The real command, imported now. Raises MissingExtra if the installation lacks what it needs."""
        if args and args[0] in self.lazy:
            return args[0], self.load(args[0]), args[1:]
        return super().resolve_command(ctx, args)

    def load(self, name: str) -> click.Command:
        """Import the command called ``name``."""
        module, attribute, _ = self.lazy[name]
        try:
            command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if name not in self.needs_extra or (error.name or "").split(".")[0] in ("smilehub", "hubcore"):
                raise
            raise MissingExtra(
                f"'smilehub {name}' needs the Python package {error.name}, which is not installed."
            ) from error
        assert isinstance(command, click.Command)
        return command
