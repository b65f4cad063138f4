"""Commands that are imported when they are asked for, so that ``status`` waits for no part of the daemon."""

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

_Click = Any  # the types of typer's own copy of click, which it keeps to itself


class Named(NamedTuple):
    """Where a command is, and its line in the list.

    Attributes:
        place: ``module:attribute``; the attribute is a function or a `typer.Typer`.
        help: the line; it stands here so that the list imports nothing.
        settings: of the command's context, of a function only.
    """

    place: str
    help: str
    settings: dict[str, Any] | None = None


class LazyGroup(TyperGroup):
    """A group over a table of `Named`; a class of its own is made for each table by `lazy_group`."""

    table: dict[str, Named] = {}  # noqa: RUF012  # each subclass has its own, and nobody writes to it

    def list_commands(self, ctx: _Click) -> list[str]:
        """In the table's order."""
        return list(self.table)

    def get_command(self, ctx: _Click, cmd_name: str) -> _Click:
        """The command of that name, or None."""
        if cmd_name not in self.table:
            for each in self.table:  # of what is loaded the most similar is suggested
                self.get_command(ctx, each)
            return None
        if cmd_name not in self.commands:
            self.commands[cmd_name] = _load(cmd_name, self.table[cmd_name])
        return self.commands[cmd_name]

    def format_commands(self, ctx: _Click, formatter: _Click) -> None:
        """The list, out of the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.help) for name, each in self.table.items()])


def lazy_group(commands: dict[str, Named]) -> type[LazyGroup]:
    """The class of a group that has these commands."""
    return type("Commands", (LazyGroup,), {"table": commands})


def _load(name: str, named: Named) -> _Click:
    module, _, attribute = named.place.partition(":")
    found = getattr(import_module(module), attribute)
    outer = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    if isinstance(found, typer.Typer):
        outer.add_typer(found, name=name)
    else:
        outer.command(name, context_settings=named.settings)(found)
    return typer.main.get_group(outer).commands[name]
