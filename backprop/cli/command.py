"""The click classes of the commands. Their errors name the wrong option and suggest the right one."""

from typing import Any, NoReturn

import click

from backprop.arrays.near import hint, near
from backprop.cli.values import option_of, typed

ARGUMENTS = __name__  # the key of what was typed in a context's `meta`
SETTINGS = {"max_content_width": 80, "help_option_names": ["-h", "--help"]}


class PlainErrors(click.Command):
    """A command whose usage errors are one sentence that begins with the option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; raise click.UsageError, reworded, for a wrong option."""
        given = [*args]
        try:
            order = self.make_parser(ctx).parse_args([*args])[2]
            rest = super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            self._refuse_option(ctx, error.option_name, given)
        except click.MissingParameter as error:
            raise click.UsageError(f"{option_of(error.param)} is missing", ctx) from None
        except click.BadOptionUsage as error:
            flags = [name for each in self.params if getattr(each, "is_flag", False) for name in each.opts]
            rule = "takes no value" if error.option_name in flags else "needs a value"
            raise click.UsageError(f"{error.option_name} {rule}", ctx) from None
        except click.BadParameter as error:
            raise click.UsageError(f"{option_of(error.param)}: {error.message.rstrip('.')}", ctx) from None
        if not ctx.resilient_parsing:
            self._require_once(ctx, order)
            self._require_values(ctx)
        return rest

    def _require_once(self, ctx: click.Context, order: list[click.Parameter]) -> None:
        """Raise click.UsageError if an option is given twice, where click would take the last."""
        for each in order:
            is_single = isinstance(each, click.Option) and not (each.multiple or each.is_flag)
            if is_single and order.count(each) > 1:
                raise click.UsageError(f"{option_of(each)} is given twice", ctx)

    def _require_values(self, ctx: click.Context) -> None:
        """Raise click.UsageError if click took an option as the value of the one before it."""
        for each in self.params:
            value = ctx.params.get(str(each.name))
            for got in map(str, value if isinstance(value, tuple) else [value]):
                if got[:2] == "--" or got in self._options(ctx):
                    hint = f"; name such a file ./{typed(got)}" if each.metavar in ("FILE", "DIR") else ""
                    raise click.UsageError(f"{option_of(each)} needs a value, got {typed(got)}{hint}", ctx)

    def _options(self, ctx: click.Context) -> list[str]:
        return [name for each in self.get_params(ctx) if isinstance(each, click.Option) for name in each.opts]

    def _refuse_option(self, ctx: click.Context, name: str, given: list[str]) -> NoReturn:
        """Raise click.UsageError for an unknown option. click splits -word into letters; --word was meant."""
        if len(name) == 2:
            name = next((each for each in given if each.startswith(name)), name).partition("=")[0]
        meant = hint(name, self._options(ctx))
        raise click.UsageError(f"there is no option {typed(name)}{meant}", ctx) from None


class Command(PlainErrors):
    """A command that refuses unexpected arguments."""

    allow_extra_args = True  # so that click leaves them to `parse_args` below

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; raise click.UsageError for an unexpected one."""
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            raise click.UsageError(f"unexpected argument {typed(rest[0])}", ctx)
        return rest


class Commands(PlainErrors, click.Group):
    """The group of all commands."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the named command; raise click.UsageError if it does not exist."""
        name = args[0]
        if self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            meant = near(name, [*self.commands, *self._options(ctx)])
            hint = f"there are {', '.join(self.commands)}" if meant is None else f"did you mean {meant}?"
            raise click.UsageError(f"there is no command {typed(name)}; {hint}", ctx)
        return super().resolve_command(ctx, args)
