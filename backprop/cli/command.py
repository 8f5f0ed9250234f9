"""A command, and the group of them: a wrong call says which option is wrong and which one is meant."""

from typing import Any, NoReturn

import click

from backprop.cli.near import near
from backprop.cli.values import option_of, typed

SETTINGS = {"max_content_width": 80, "help_option_names": ["-h", "--help"]}


class InOurWords(click.Command):
    """What click says of wrong options, as a sentence that begins with the option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments.  Raises click.UsageError in the words of this command line."""
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
        """Raise click.UsageError for an option that is given twice, and of which the last would count."""
        for each in order:
            is_single = isinstance(each, click.Option) and not (each.multiple or each.is_flag)
            if is_single and order.count(each) > 1:
                raise click.UsageError(f"{option_of(each)} is given twice", ctx)

    def _require_values(self, ctx: click.Context) -> None:
        """Raise click.UsageError where an option was taken for the value of the one before it."""
        for each in self.params:
            value = ctx.params.get(str(each.name))
            for got in map(str, value if isinstance(value, tuple) else [value]):
                if got[:2] == "--" or got in self._options(ctx):
                    rule = f"{option_of(each)} needs a value, got {typed(got)}"
                    raise click.UsageError(f"{rule}; a file of that name is ./{typed(got)}", ctx)

    def _options(self, ctx: click.Context) -> list[str]:
        return [name for parameter in self.get_params(ctx) for name in parameter.opts]

    def _refuse_option(self, ctx: click.Context, name: str, given: list[str]) -> NoReturn:
        """Raise click.UsageError for an option that does not exist.  -word is meant as --word."""
        if len(name) == 2:
            name = next((each for each in given if each.startswith(name)), name).partition("=")[0]
        meant = near(name, self._options(ctx))
        hint = "" if meant is None else f"; did you mean {meant}?"
        raise click.UsageError(f"there is no option {typed(name)}{hint}", ctx) from None


class Command(InOurWords):
    """A command that takes options, and arguments if it names them."""

    allow_extra_args = True  # as far as click knows

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments.  Raises click.UsageError for one too many."""
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            raise click.UsageError(f"{typed(rest[0])} is one argument too many", ctx)
        return rest


class Commands(InOurWords, click.Group):
    """The commands by name."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command that is meant.  Raises click.UsageError for one that does not exist."""
        name = args[0]
        if self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            meant = near(name, [*self.commands, *self._options(ctx)])
            hint = f"there are {', '.join(self.commands)}" if meant is None else f"did you mean {meant}?"
            raise click.UsageError(f"there is no command {typed(name)}; {hint}", ctx)
        return super().resolve_command(ctx, args)
